//! One step of an image's history, as the builders write it.
//!
//! | builder | a command | anything else |
//! |---|---|---|
//! | BuildKit | `RUN /bin/sh -c x # buildkit` | `COPY a b # buildkit`, `ENV A=b` |
//! | Docker's classic builder, Buildah | `/bin/sh -c x` | `/bin/sh -c #(nop) COPY file:… in /` |
//! | kaniko | `RUN x` | `COPY a b` |
//!
//! With build arguments a command starts with `|2 A=b C=d `.

/// A step of a history, or an instruction of a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step<'a> {
    /// The instruction, in capitals; empty when it is none.
    pub(crate) word: String,
    /// What follows it.
    pub(crate) rest: &'a str,
}

const WORDS: [&str; 17] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Reads what `created_by` says.
pub(crate) fn parse(created_by: &str) -> Step<'_> {
    let text = created_by.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    for shell in ["/bin/sh -c #(nop)", "cmd /S /C #(nop)"] {
        if let Some(rest) = text.strip_prefix(shell) {
            return instruction(rest.trim_start());
        }
    }
    let found = instruction(text);
    let is_command = text.starts_with("/bin/")
        || text.starts_with("|")
        || text.starts_with("cmd /S")
        || text.starts_with("powershell");
    if found.word.is_empty() && is_command {
        return Step {
            word: "RUN".to_owned(),
            rest: text,
        };
    }
    found
}

/// Splits an instruction from its arguments.
pub(crate) fn instruction(text: &str) -> Step<'_> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let word = word.to_ascii_uppercase();
    if WORDS.contains(&word.as_str()) {
        Step {
            word,
            rest: rest.trim_start(),
        }
    } else {
        Step {
            word: String::new(),
            rest: text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Docker, BuildKit, Buildah and kaniko wrote them into real images.
    #[test]
    fn steps_of_every_builder() {
        let known = [
            ("/bin/sh -c #(nop)  CMD [\"bash\"]", "CMD", "[\"bash\"]"),
            (
                "/bin/sh -c #(nop) ADD file:b4987bca8c4c4c640d in / ",
                "ADD",
                "file:b4987bca8c4c4c640d in /",
            ),
            (
                "RUN /bin/sh -c apk add curl # buildkit",
                "RUN",
                "/bin/sh -c apk add curl",
            ),
            ("|1 A=b /bin/sh -c make", "RUN", "|1 A=b /bin/sh -c make"),
            (
                "/bin/sh -c apt-get update",
                "RUN",
                "/bin/sh -c apt-get update",
            ),
            ("COPY . . # buildkit", "COPY", ". ."),
            ("RUN apk add curl", "RUN", "apk add curl"),
            (
                "# debian.sh --arch 'amd64' out/ 'bookworm'",
                "",
                "# debian.sh --arch 'amd64' out/ 'bookworm'",
            ),
            ("bazel build ...", "", "bazel build ..."),
        ];
        for (text, word, rest) in known {
            let step = parse(text);
            assert_eq!((step.word.as_str(), step.rest), (word, rest), "{text}");
        }
    }
}
