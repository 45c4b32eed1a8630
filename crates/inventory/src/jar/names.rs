//! What a file's name says: `name-version-classifier.jar`, as Maven's
//! repositories name their files.

/// The parts of a name without its ending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    /// Empty when there is none.
    pub(super) version: &'a str,
}

/// Words that stand in versions; others are classifiers.
const QUALIFIERS: [&str; 30] = [
    "snapshot",
    "alpha",
    "beta",
    "rc",
    "cr",
    "m",
    "milestone",
    "final",
    "ga",
    "release",
    "sp",
    "b",
    "jre",
    "android",
    "incubating",
    "pre",
    "preview",
    "ea",
    "dev",
    "nightly",
    "build",
    "redhat",
    "jbossorg",
    "patch",
    "p",
    "r",
    "rev",
    "hotfix",
    "v",
    "t",
];

/// The name at the end of a path, without its ending.
pub(super) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Whether a word of a version may follow: a number, or a word like `RC1`.
fn is_qualifier(word: &str) -> bool {
    let letters = word.find(|one: char| !one.is_ascii_alphabetic());
    let letters = word.get(..letters.unwrap_or(word.len()));
    let letters = letters.unwrap_or_default().to_ascii_lowercase();
    letters.is_empty() || QUALIFIERS.contains(&letters.as_str())
}

fn is_number(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit())
}

pub(super) fn split(stem: &str) -> Named<'_> {
    let words: Vec<(usize, &str)> = stem
        .split('-')
        .scan(0, |at, word| {
            let start = *at;
            *at += word.len() + 1;
            Some((start, word))
        })
        .collect();
    let last_dotted = words
        .iter()
        .rposition(|(_, word)| is_number(word) && word.contains('.'));
    // The first word behind the one looked at that is of no version.
    let mut classifier = 0;
    for (index, (start, word)) in words.iter().enumerate().skip(1) {
        if !is_number(word) {
            continue;
        }
        if classifier <= index {
            let is_other = |at: &usize| words.get(*at).is_some_and(|one| !is_qualifier(one.1));
            let other = (index + 1..words.len()).find(is_other);
            classifier = other.unwrap_or(words.len());
        }
        // A number behind further words is the version, and this one part of
        // the name: `log4j-1.2-api-2.14.1`.
        if last_dotted.is_some_and(|at| at >= classifier) {
            continue;
        }
        let end = words.get(classifier).map_or(stem.len(), |(at, _)| at - 1);
        return Named {
            name: stem.get(..start - 1).unwrap_or_default(),
            version: stem.get(*start..end).unwrap_or_default(),
        };
    }
    Named {
        name: stem,
        version: "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of files in Maven Central.
    #[test]
    fn names_end_where_versions_start() {
        for (file, name, version) in [
            ("guava-31.1-jre", "guava", "31.1-jre"),
            ("log4j-1.2-api-2.14.1", "log4j-1.2-api", "2.14.1"),
            ("commons-lang3-3.12.0-sources", "commons-lang3", "3.12.0"),
            (
                "netty-transport-native-epoll-4.1.70.Final-linux-x86_64",
                "netty-transport-native-epoll",
                "4.1.70.Final",
            ),
            (
                "spring-boot-2.7.0-SNAPSHOT",
                "spring-boot",
                "2.7.0-SNAPSHOT",
            ),
            ("kafka_2.13-3.0.0", "kafka_2.13", "3.0.0"),
            ("app-1.0-20210101.123456-7", "app", "1.0-20210101.123456-7"),
            ("catalina", "catalina", ""),
            (
                "junit-jupiter-api-5.8.0-M1",
                "junit-jupiter-api",
                "5.8.0-M1",
            ),
        ] {
            assert_eq!(split(file), Named { name, version }, "{file}");
        }
    }

    #[test]
    fn names_of_many_words_come_to_an_end() {
        for words in ["1-", "1-x-"] {
            let name = format!("a-{}x", words.repeat(300_000));
            let file = format!("{name}-1.1-x");
            let version = "1.1";
            assert!(
                split(&file)
                    == Named {
                        name: &name,
                        version
                    },
                "{words}"
            );
        }
    }
}
