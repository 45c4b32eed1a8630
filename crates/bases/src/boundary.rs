//! Where, in a history, the base ends.
//!
//! A base image ends with the command that it runs; the image built on it
//! brings its own command at its end, or none. So the base ends at the last
//! command with layers behind it or, when the last command closes the image, at
//! the one before. Tools that build without a Dockerfile say who they are.

use seawall_image::HistoryStep;

use crate::step;

/// How many steps of the history are the base's; `None` when it has none or
/// nothing tells.
pub(crate) fn steps_of_base(history: &[HistoryStep]) -> Option<usize> {
    let of_tool = history.iter().position(is_of_tool);
    if let Some(at) = of_tool.filter(|at| *at > 0) {
        return Some(at);
    }
    let last_layer = history.iter().rposition(|step| !step.empty_layer)?;
    let commands: Vec<usize> = (0..history.len())
        .filter(|at| history.get(*at).is_some_and(is_command))
        .collect();
    let last = commands.last().copied();
    let end = match last {
        Some(last) if last < last_layer => Some(last),
        Some(_) => closing(history, &commands),
        None => None,
    };
    // With nothing but settings behind it a root file system is an image of its
    // own.
    let root = root_steps(history).filter(|steps| *steps <= last_layer);
    let steps = end.map(|end| end + 1).or(root)?;
    // An image that is all base is nobody's.
    (steps < history.len() && steps > 0).then_some(steps)
}

/// The last command before those that close the image: `ENTRYPOINT` and `CMD`
/// of one build stand together, with nothing that makes a layer between them.
fn closing(history: &[HistoryStep], commands: &[usize]) -> Option<usize> {
    let mut commands = commands.iter().rev();
    let mut at = *commands.next()?;
    let mut words = vec![word(history, at)];
    for before in commands {
        let between = history.get(*before..at)?;
        let makes_layer = between.iter().any(|step| !step.empty_layer);
        let this = word(history, *before);
        // A build gives each of both once.
        if makes_layer || words.contains(&this) {
            return Some(*before);
        }
        words.push(this);
        at = *before;
    }
    None
}

fn word(history: &[HistoryStep], at: usize) -> String {
    let step = history.get(at).map(|step| step::parse(&step.created_by));
    step.map(|step| step.word).unwrap_or_default()
}

fn is_command(step: &HistoryStep) -> bool {
    let word = step::parse(&step.created_by).word;
    matches!(word.as_str(), "CMD" | "ENTRYPOINT") && step.empty_layer
}

/// Jib, ko, Nix and buildpacks put their layers onto a base without a word of
/// Dockerfile.
fn is_of_tool(step: &HistoryStep) -> bool {
    let by = step.created_by.as_str();
    by.starts_with("jib-")
        || by.starts_with("jib:")
        || by.starts_with("ko build")
        || step.author == "ko"
        || step.author == "Jib"
        || by.starts_with("Application Layer")
        || by.starts_with("Buildpacks ")
}

/// The leading steps that lay down a root file system.
fn root_steps(history: &[HistoryStep]) -> Option<usize> {
    let is_root = |step: &HistoryStep| {
        let by = step.created_by.as_str();
        let parsed = step::parse(by);
        let target = parsed.rest.split_whitespace().next_back();
        let whole = matches!(parsed.word.as_str(), "ADD" | "COPY")
            && matches!(target, Some("/" | "/."))
            && (parsed.rest.contains(".tar")
                || parsed.rest.contains("rootfs")
                || parsed.rest.starts_with("file:"));
        whole
            || by.contains("debian.sh")
            || by.starts_with("bazel build")
            || by.starts_with("apko")
            || step.comment.starts_with("debuerreotype")
            || step.comment.starts_with("Imported from")
    };
    let first = history.iter().position(|step| !step.empty_layer)?;
    if !history.get(first).is_some_and(is_root) {
        return None;
    }
    let more = history.get(first + 1..)?;
    let more = more.iter().take_while(|step| is_root(step)).count();
    Some(first + 1 + more)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps as `created_by`; those that start with `=` made no layer.
    fn base(steps: &[&str]) -> Option<usize> {
        let history: Vec<HistoryStep> = steps
            .iter()
            .map(|step| HistoryStep {
                created_by: step.trim_start_matches('=').to_owned(),
                comment: String::new(),
                author: String::new(),
                empty_layer: step.starts_with('='),
            })
            .collect();
        steps_of_base(&history)
    }

    /// Histories of real images: `debian:12`, `python:3.12-slim` and others,
    /// shortened, with an application's steps behind them.
    #[test]
    fn where_bases_end() {
        let debian = [
            "/bin/sh -c #(nop) ADD file:39d17d28c5de0bd62 in / ",
            "=/bin/sh -c #(nop)  CMD [\"bash\"]",
        ];
        assert_eq!(base(&debian), None);
        let python = [
            &debian[..],
            &[
                "=ENV PATH=/usr/local/bin",
                "RUN /bin/sh -c make # buildkit",
                "=CMD [\"python3\"]",
            ],
        ]
        .concat();
        assert_eq!(base(&python), Some(2));
        let own = [&python[..], &["WORKDIR /app", "COPY . . # buildkit"]].concat();
        assert_eq!(base(&own), Some(5));
        let with_command = [&own[..], &["=ENTRYPOINT [\"a\"]", "=CMD [\"b\"]"]].concat();
        assert_eq!(base(&with_command), Some(5));
        // Nothing but settings on a base.
        let settings = [&python[..], &["=ENV A=b", "=CMD [\"b\"]"]].concat();
        assert_eq!(base(&settings), Some(5));
        let distroless = [
            "bazel build ...",
            "bazel build ...",
            "COPY app /app # buildkit",
            "=ENTRYPOINT [\"/app\"]",
        ];
        assert_eq!(base(&distroless), Some(2));
        let scratch = ["COPY app /app # buildkit", "=ENTRYPOINT [\"/app\"]"];
        assert_eq!(base(&scratch), None);
        let jib = [
            "bazel build ...",
            "jib-maven-plugin:3.4.0",
            "jib-maven-plugin:3.4.0",
        ];
        assert_eq!(base(&jib), Some(1));
        assert_eq!(base(&[]), None);
    }
}
