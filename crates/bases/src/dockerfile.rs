//! A Dockerfile laid beside the history of the image that it made: which steps
//! are its own, and on which line each stands.
//!
//! Only what that takes is read (Dockerfile reference, "Format"): parser
//! directives, continued lines, heredocs, stages and the arguments before the
//! first `FROM`.

use std::collections::HashMap;

use seawall_image::HistoryStep;

use crate::step::{self, Step};

/// Stages that are read of one file, arguments before the first, and steps of
/// one stage and those that it is built on.
const MOST: usize = 1000;
/// Bytes of a text whose variables are replaced, and of what that gives:
/// arguments that name others twice double with each line.
const MOST_EXPANDED: usize = 4 << 10;

/// The stages of a Dockerfile.
#[derive(Clone, Debug, Default)]
pub struct Dockerfile {
    stages: Vec<Stage>,
}

#[derive(Clone, Debug, Default)]
struct Stage {
    name: Option<String>,
    from: String,
    /// The earlier stage that it is built on.
    parent: Option<usize>,
    steps: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    number: u32,
    text: String,
}

/// A Dockerfile that made an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// What the first stage starts from; `None` for `scratch`.
    pub base: Option<String>,
    /// Layers that were there before its first step.
    pub base_layers: usize,
    /// The line of each later layer, where its step was found.
    pub lines: Vec<(usize, u32)>,
}

impl Dockerfile {
    /// Reads a Dockerfile. What is none has no stages.
    pub fn parse(text: &str) -> Self {
        let mut file = Dockerfile::default();
        let mut arguments: HashMap<String, String> = HashMap::new();
        for line in logical_lines(text) {
            let (word, rest) = line
                .text
                .split_once(char::is_whitespace)
                .unwrap_or((&line.text, ""));
            if word.eq_ignore_ascii_case("FROM") {
                if file.stages.len() == MOST {
                    break;
                }
                let mut stage = stage(rest, &arguments);
                stage.parent = file.named(&stage.from);
                file.stages.push(stage);
            } else if let Some(stage) = file.stages.last_mut() {
                stage.steps.push(line);
            } else if arguments.len() < MOST
                && word.eq_ignore_ascii_case("ARG")
                && let Some((name, value)) = rest.trim().split_once('=')
            {
                let value = value.trim_matches(['"', '\'']);
                let value = expand(value, &arguments);
                arguments.insert(name.to_owned(), value);
            }
        }
        file
    }

    /// The last stage of this name.
    fn named(&self, name: &str) -> Option<usize> {
        let is_it = |own: &String| own.eq_ignore_ascii_case(name);
        self.stages
            .iter()
            .rposition(|stage| stage.name.as_ref().is_some_and(is_it))
    }

    /// Whether it has no stage: then it is no Dockerfile.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// Lays it beside a history; `None` when no stage of it made the image's
    /// last steps. The last stage that did is taken.
    pub fn fit(&self, history: &[HistoryStep]) -> Option<Fitted> {
        (0..self.stages.len())
            .rev()
            .find_map(|at| self.fit_stage(at, history))
    }

    fn fit_stage(&self, at: usize, history: &[HistoryStep]) -> Option<Fitted> {
        // The stage and those that it is built on, last to first.
        let parent = |stage: &&Stage| stage.parent.and_then(|at| self.stages.get(at));
        let chain = || std::iter::successors(self.stages.get(at), parent);
        let from = chain().last()?.from.clone();
        let mut lines = 0;
        let mut left = history.len();
        let mut found: Vec<(usize, u32)> = Vec::new();
        for line in chain().flat_map(|stage| stage.steps.iter().rev()) {
            lines += 1;
            if lines > MOST {
                return None;
            }
            let own = step::instruction(&line.text);
            let last = left.checked_sub(1).and_then(|last| history.get(last));
            let made = last.map(|last| step::parse(&last.created_by));
            if let Some((last, made)) = last.zip(made)
                && is_same(&own, &made)
            {
                left -= 1;
                if !last.empty_layer {
                    found.push((left, line.number));
                }
            } else if matches!(own.word.as_str(), "RUN" | "COPY" | "ADD") {
                return None;
            }
        }
        // A few settings that happen to be the same prove nothing, nor does a
        // stage without steps of its own.
        let same = history.len() - left;
        if same == 0 || (found.is_empty() && lines > same) {
            return None;
        }
        let layer_at = |step: usize| {
            let before = history.iter().take(step);
            before.filter(|step| !step.empty_layer).count()
        };
        let mut lines: Vec<(usize, u32)> = found
            .into_iter()
            .map(|(step, line)| (layer_at(step), line))
            .collect();
        lines.sort_unstable();
        Some(Fitted {
            base: (from != "scratch").then_some(from),
            base_layers: layer_at(left),
            lines,
        })
    }
}

/// `[--platform=…] image [AS name]`.
fn stage(rest: &str, arguments: &HashMap<String, String>) -> Stage {
    let mut words = rest
        .split_whitespace()
        .filter(|word| !word.starts_with("--"));
    let from = expand(words.next().unwrap_or_default(), arguments);
    let is_as = words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("AS"));
    Stage {
        name: words.next().filter(|_| is_as).map(str::to_owned),
        from,
        parent: None,
        steps: Vec::new(),
    }
}

/// `$NAME`, `${NAME}` and `${NAME:-word}` by the arguments before the first
/// `FROM`; what has no value is left as it is, and so is what grows too long.
fn expand(text: &str, arguments: &HashMap<String, String>) -> String {
    if text.len() > MOST_EXPANDED {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, default, behind) = if let Some((inner, behind)) = after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            let (name, default) = inner
                .split_once(":-")
                .map_or((inner, None), |(name, default)| (name, Some(default)));
            (name, default, behind)
        } else {
            let end = after
                .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .unwrap_or(after.len());
            let (name, behind) = after.split_at_checked(end).unwrap_or((after, ""));
            (name, None, behind)
        };
        match arguments.get(name).map(String::as_str).or(default) {
            Some(value) => out.push_str(value),
            None => {
                out.push('$');
                rest = after;
                continue;
            }
        }
        if out.len() > MOST_EXPANDED {
            return text.to_owned();
        }
        rest = behind;
    }
    out + rest
}

/// Lines with their continuations and heredocs, without comments; each bears
/// the number of its first line.
fn logical_lines(text: &str) -> Vec<Line> {
    let escape = escape(text);
    let mut lines = text.lines().zip(1_u32..).peekable();
    let mut out = Vec::new();
    while let Some((first, number)) = lines.next() {
        let is_comment = |line: &str| line.trim_start().starts_with('#');
        if first.trim().is_empty() || is_comment(first) {
            continue;
        }
        let mut whole = String::new();
        let mut part = first;
        loop {
            let Some(begun) = part.trim_end().strip_suffix(escape) else {
                whole.push_str(part);
                break;
            };
            whole.push_str(begun);
            whole.push(' ');
            // Comments and empty lines within a continued line are skipped.
            let mut next = lines.next();
            while next.is_some_and(|(line, _)| is_comment(line) || line.trim().is_empty()) {
                next = lines.next();
            }
            let Some((next, _)) = next else { break };
            part = next;
        }
        for (delimiter, strips) in heredocs(&whole) {
            for (line, _) in lines.by_ref() {
                let end = if strips {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                if end == delimiter {
                    break;
                }
            }
        }
        out.push(Line {
            number,
            text: whole.trim().to_owned(),
        });
    }
    out
}

/// The `escape` directive, among the comments at the very top.
fn escape(text: &str) -> char {
    for line in text.lines() {
        let Some(comment) = line.trim().strip_prefix('#') else {
            break;
        };
        let Some((name, value)) = comment.split_once('=') else {
            break;
        };
        if name.trim().eq_ignore_ascii_case("escape") && value.trim() == "`" {
            return '`';
        }
    }
    '\\'
}

/// Delimiters of `<<EOF`, `<<-EOF` and `<<"EOF"` in `RUN`, `COPY` and `ADD`,
/// and whether tabs before them count for nothing.
fn heredocs(line: &str) -> Vec<(String, bool)> {
    let word = step::instruction(line.trim()).word;
    if !matches!(word.as_str(), "RUN" | "COPY" | "ADD") {
        return Vec::new();
    }
    line.split_whitespace()
        .filter_map(|word| {
            let rest = word.strip_prefix("<<")?;
            let (rest, strips) = match rest.strip_prefix('-') {
                Some(rest) => (rest, true),
                None => (rest, false),
            };
            let name = rest.trim_matches(['"', '\'']);
            let is_name = !name.is_empty()
                && name
                    .chars()
                    .all(|letter| letter.is_alphanumeric() || letter == '_');
            is_name.then(|| (name.to_owned(), strips))
        })
        .collect()
}

/// Whether a line of the Dockerfile made a step of the history.
fn is_same(own: &Step<'_>, made: &Step<'_>) -> bool {
    if own.word != made.word || own.word.is_empty() {
        return false;
    }
    let (line, step) = (letters(flagless(own.rest)), letters(flagless(made.rest)));
    match own.word.as_str() {
        // In front of it stand the shell and the build's arguments; a heredoc
        // is shown in several ways.
        "RUN" => own.rest.contains("<<") || step.ends_with(&line),
        // The classic builder names content by its digest and keeps the target;
        // variables have been replaced.
        "COPY" | "ADD" => {
            own.rest.contains(['$', '<'])
                || line == step
                || (made.rest.contains(" in ") && same_target(own.rest, made.rest))
        }
        // The first name is enough: values may have been replaced.
        "ENV" | "ARG" | "LABEL" => name_of(own.rest) == name_of(made.rest),
        // The history may show the whole path of a relative one.
        "WORKDIR" => own.rest.contains('$') || step.ends_with(&line),
        // Other settings are written in different forms.
        _ => true,
    }
}

fn same_target(own: &str, made: &str) -> bool {
    let target = |text: &str| {
        let last = text.split_whitespace().next_back().unwrap_or_default();
        letters(last.trim_matches(['"', ']']))
    };
    let (own, made) = (target(own), target(made));
    // `COPY a .` is shown with the folder that it went to.
    own.is_empty() || made.ends_with(&own)
}

fn name_of(rest: &str) -> String {
    let name = rest.split(['=', ' ', '\t']).next().unwrap_or_default();
    letters(name)
}

/// What is left when the flags in front are gone: `--from=build`.
fn flagless(rest: &str) -> &str {
    let mut rest = rest.trim_start();
    while rest.starts_with("--") {
        rest = rest
            .split_once(char::is_whitespace)
            .map_or("", |(_, rest)| rest.trim_start());
    }
    rest
}

/// Letters and digits alone: builders keep neither spaces nor quotes.
fn letters(text: &str) -> String {
    text.chars().filter(|one| one.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(steps: &[&str]) -> Vec<HistoryStep> {
        let step = |step: &&str| HistoryStep {
            created_by: step.trim_start_matches('=').to_owned(),
            comment: String::new(),
            author: String::new(),
            empty_layer: step.starts_with('='),
        };
        steps.iter().map(step).collect()
    }

    const FILE: &str = "# syntax=docker/dockerfile:1
ARG VERSION=3.12
ARG IMAGE=python:${VERSION}-slim
FROM golang AS build
RUN go build

FROM $IMAGE AS common
ENV A=b
RUN apt-get update && \\
    # what we need
    apt-get install -y curl

FROM common
COPY --from=build /app /app
RUN <<EOF
pip install x
EOF
USER 1000
CMD [\"python\", \"app.py\"]
";

    /// As BuildKit writes it.
    #[test]
    fn lines_of_layers() {
        let base = ["ADD rootfs.tar / # buildkit", "=CMD [\"python3\"]"];
        let own = [
            "=ENV A=b",
            "RUN /bin/sh -c apt-get update &&     apt-get install -y curl # buildkit",
            "COPY /app /app # buildkit",
            "RUN /bin/sh -c pip install x\n # buildkit",
            "=USER 1000",
            "=CMD [\"python\" \"app.py\"]",
        ];
        let file = Dockerfile::parse(FILE);
        let fitted = file.fit(&history(&[&base[..], &own[..]].concat())).unwrap();
        assert_eq!(fitted.base.as_deref(), Some("python:3.12-slim"));
        assert_eq!(fitted.base_layers, 1);
        assert_eq!(fitted.lines, [(1, 9), (2, 14), (3, 15)]);
        let mut other = own;
        other[1] = "RUN /bin/sh -c apt-get update # buildkit";
        assert_eq!(file.fit(&history(&other)), None);
    }

    /// As Docker's classic builder writes it.
    #[test]
    fn lines_of_classic_layers() {
        let file = Dockerfile::parse("FROM debian:12\nARG X=1\nRUN make \"$X\"\nCOPY a b /app/\n");
        let steps = history(&[
            "/bin/sh -c #(nop) ADD file:39d17d28c5de0bd62 in / ",
            "=/bin/sh -c #(nop)  CMD [\"bash\"]",
            "=/bin/sh -c #(nop)  ARG X=1",
            "|1 X=1 /bin/sh -c make \"$X\"",
            "/bin/sh -c #(nop) COPY multi:0a1b in /app/ ",
        ]);
        let fitted = file.fit(&steps).unwrap();
        assert_eq!(
            (fitted.base_layers, fitted.lines),
            (1, vec![(1, 3), (2, 4)])
        );
    }

    #[test]
    fn a_stage_without_steps_of_its_own_made_nothing() {
        let steps = history(&["ADD rootfs.tar / # buildkit", "RUN /bin/sh -c make"]);
        for text in [
            "FROM node AS base",
            "FROM node AS base\nFROM base\nRUN other\n",
            "FROM node\nENV A=b\n",
        ] {
            assert_eq!(Dockerfile::parse(text).fit(&steps), None, "{text}");
        }
    }

    #[test]
    fn a_folder_is_the_one_that_was_set() {
        let steps = history(&["ADD rootfs.tar / # buildkit", "WORKDIR /srv/app"]);
        let fit = |line: &str| Dockerfile::parse(&format!("FROM a\n{line}\n")).fit(&steps);
        for line in ["WORKDIR /srv/app/", "WORKDIR app", "WORKDIR $HOME/app"] {
            assert_eq!(fit(line).unwrap().lines, [(1, 2)], "{line}");
        }
        assert_eq!(fit("WORKDIR /other"), None);
    }

    #[test]
    fn arguments_that_double_do_not_grow() {
        let text = "ARG A=0123456789abcdef\n".to_owned() + &"ARG A=$A$A\n".repeat(64);
        let file = Dockerfile::parse(&(text + "FROM $A\n"));
        assert!(file.stages[0].from.len() <= MOST_EXPANDED);
        let many: String = (0..5000)
            .map(|number| format!("FROM s{number} AS s{}\nENV A=b\n", number + 1))
            .collect();
        let file = Dockerfile::parse(&many);
        assert_eq!(file.stages.len(), MOST);
        assert_eq!(file.fit(&history(&["RUN x"])), None);
        let long = "FROM a AS a\n".to_owned() + &"USER a\n".repeat(50_000);
        let file = Dockerfile::parse(&(long + &"FROM a AS a\n".repeat(5000)));
        assert_eq!(file.fit(&history(&["RUN x"])), None);
        let open = "${".repeat(500_000);
        let file = Dockerfile::parse(&format!("FROM {open}\n"));
        assert_eq!(file.stages[0].from, open);
    }

    #[test]
    fn what_is_no_dockerfile_fits_nothing() {
        for text in [
            "",
            "\0\u{FFFD}",
            "FROM",
            "FROM a AS a\nFROM a",
            "RUN \\",
            "FROM x\nRUN <<A\n",
        ] {
            let file = Dockerfile::parse(text);
            drop(file.fit(&history(&["RUN x"])));
        }
    }
}
