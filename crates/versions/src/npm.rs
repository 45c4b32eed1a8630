//! npm's ranges, as `node-semver` has them (README, "Ranges"; `classes/range.js`
//! without its options `loose` and `includePrerelease`).
//!
//! `1.2.3 - 2.x || ^3.1 || ~4.5.6 || >=5 <6.0.0-rc.1`: alternatives, each a set
//! of comparators that must all hold. A pre-release is only meant where a
//! comparator of the same set names a pre-release of the same numbers.

use std::cmp::Ordering;

use crate::{
    compare::{digits, dotted, is_number},
    schemes::semver::{Version, pre_release},
};

/// A range of versions.
///
/// ```
/// let range = seawall_versions::npm::Range::parse("^1.2.3 || ~0.5").unwrap();
/// assert!(range.satisfies("1.9.0"));
/// assert!(range.satisfies("0.5.7"));
/// assert!(!range.satisfies("2.0.0-rc.1"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// Alternatives; an empty one holds for every release.
    sets: Vec<Vec<Comparator>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Comparator {
    operator: Operator,
    /// Three numbers with dots between them.
    core: String,
    pre: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Less,
    LessEqual,
    Equal,
    GreaterEqual,
    Greater,
}

impl Range {
    /// Reads a range; `None` for what `node-semver` refuses (tags, addresses
    /// and file paths among them).
    pub fn parse(text: &str) -> Option<Range> {
        let sets: Option<Vec<_>> = text.split("||").map(set).collect();
        let mut sets = sets?;
        // `* || 1.0.0-rc.1` is `*`: the other alternatives are not looked at.
        if let Some(any) = sets.iter().position(Vec::is_empty) {
            sets = vec![sets.swap_remove(any)];
        }
        Some(Range { sets })
    }

    /// Whether the version lies in the range. One that is not of the strict
    /// form lies in none.
    pub fn satisfies(&self, version: &str) -> bool {
        strict(version)
            .is_some_and(|version| self.sets.iter().any(|set| satisfies_all(&version, set)))
    }
}

/// Whether `version` satisfies the range `range`; `None` when either cannot be
/// read.
pub fn satisfies(version: &str, range: &str) -> Option<bool> {
    strict(version)?;
    Some(Range::parse(range)?.satisfies(version))
}

/// Three numbers, no zeros in front, at most a `v` before them.
fn strict(text: &str) -> Option<Version<'_>> {
    let text = text.trim();
    let bare = text.strip_prefix('v').unwrap_or(text);
    let (without_build, build) = match bare.split_once('+') {
        Some((version, build)) => (version, Some(build)),
        None => (bare, None),
    };
    let (core, pre) = match without_build.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (without_build, None),
    };
    let is_strict = core.split('.').count() == 3
        && core.split('.').all(is_numeric)
        && pre.is_none_or(|pre| pre.split('.').all(is_pre_identifier))
        && build.is_none_or(|build| build.split('.').all(is_identifier));
    is_strict.then(|| Version {
        core,
        pre: pre.unwrap_or(""),
        build: build.unwrap_or(""),
    })
}

fn is_numeric(text: &str) -> bool {
    is_number(text) && (text == "0" || !text.starts_with('0'))
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_pre_identifier(text: &str) -> bool {
    is_identifier(text) && (!is_number(text) || is_numeric(text))
}

fn satisfies_all(version: &Version<'_>, set: &[Comparator]) -> bool {
    let core = |one: &Comparator| dotted(version.core, &one.core);
    let holds = |one: &Comparator| {
        let order = core(one).then_with(|| pre_release(version.pre, &one.pre));
        match one.operator {
            Operator::Less => order.is_lt(),
            Operator::LessEqual => order.is_le(),
            Operator::Equal => order.is_eq(),
            Operator::GreaterEqual => order.is_ge(),
            Operator::Greater => order.is_gt(),
        }
    };
    let is_meant = version.pre.is_empty()
        || set
            .iter()
            .any(|one| !one.pre.is_empty() && core(one).is_eq());
    is_meant && set.iter().all(holds)
}

/// A version with parts left out or starred.
struct Partial<'a> {
    /// The numbers in front of the first part that is left out.
    parts: Vec<&'a str>,
    pre: &'a str,
    /// Whether no number stands behind a part that is left out.
    is_ordered: bool,
    /// Characters that `node-semver` skips in front, but only where it writes
    /// the version anew: all of them, or an optional `v` alone.
    has_plain_prefix: bool,
}

/// `[v=\s]*` and then up to three of number, `x`, `X` or `*`.
fn partial(text: &str) -> Option<Partial<'_>> {
    let rest = text.trim_start_matches(['v', '=', ' ']);
    let prefix = text.strip_suffix(rest).unwrap_or("").trim();
    let (without_build, build) = match rest.split_once('+') {
        Some((version, build)) => (version, Some(build)),
        None => (rest, None),
    };
    let (core, pre) = match without_build.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (without_build, None),
    };
    let written = core.split('.').count();
    let is_part = |part: &str| is_numeric(part) || matches!(part, "x" | "X" | "*");
    let is_readable = written <= 3
        && core.split('.').all(is_part)
        && pre.is_none_or(|pre| written == 3 && pre.split('.').all(is_pre_identifier))
        // Newer releases cut the build off first, wherever it stands.
        && build.is_none_or(|build| build.split('.').all(is_identifier));
    if !is_readable {
        return None;
    }
    let parts: Vec<_> = core
        .split('.')
        .take_while(|part| is_numeric(part))
        .collect();
    let pre = if parts.len() == 3 {
        pre.unwrap_or("")
    } else {
        ""
    };
    Some(Partial {
        is_ordered: !core.split('.').skip(parts.len()).any(is_numeric),
        parts,
        pre,
        has_plain_prefix: matches!(prefix, "" | "v"),
    })
}

impl Partial<'_> {
    fn part(&self, index: usize) -> &str {
        self.parts.get(index).copied().unwrap_or("0")
    }

    fn is_zero(&self, index: usize) -> bool {
        digits(self.part(index), "0").is_eq()
    }

    fn with(&self, operator: Operator) -> Comparator {
        let core = [0, 1, 2].map(|index| self.part(index)).join(".");
        Comparator {
            operator,
            core,
            pre: self.pre.to_owned(),
        }
    }

    /// Compared with the lowest version that differs in the part at `index`;
    /// `-0` stands in front of its pre-releases.
    fn next(&self, index: usize, operator: Operator, pre: &str) -> Comparator {
        let core = [0, 1, 2]
            .map(|at| match at.cmp(&index) {
                Ordering::Less => self.part(at).to_owned(),
                Ordering::Equal => increment(self.part(at)),
                Ordering::Greater => "0".to_owned(),
            })
            .join(".");
        Comparator {
            operator,
            core,
            pre: pre.to_owned(),
        }
    }

    /// From this version up to the next that differs in the part at `index`.
    fn up_to_next(&self, index: usize) -> Vec<Comparator> {
        vec![
            self.with(Operator::GreaterEqual),
            self.next(index, Operator::Less, "0"),
        ]
    }
}

fn increment(number: &str) -> String {
    let mut digits: Vec<u8> = number.bytes().collect();
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return String::from_utf8(digits).unwrap_or_default();
        }
        *digit = b'0';
    }
    format!("1{}", String::from_utf8(digits).unwrap_or_default())
}

/// One alternative. Comparators that hold for every release are left out.
fn set(text: &str) -> Option<Vec<Comparator>> {
    let text = text.trim();
    let mut all = match hyphen(text) {
        Some(set) => set,
        None => {
            let mut all = Vec::new();
            for word in words(text) {
                all.extend(comparators(&word)?);
            }
            all
        }
    };
    let is_any = |one: &Comparator| {
        one.operator == Operator::GreaterEqual && one.core == "0.0.0" && one.pre.is_empty()
    };
    all.retain(|one| !is_any(one));
    Some(all)
}

/// `1.2.3 - 2.3`
fn hyphen(text: &str) -> Option<Vec<Comparator>> {
    let is_space = |letter: char| letter.is_ascii_whitespace();
    let mut found = None;
    for (at, _) in text.match_indices('-') {
        let (low, high) = (text.get(..at)?, text.get(at + 1..)?);
        if low.ends_with(is_space) && high.starts_with(is_space) {
            found = Some((low.trim(), high.trim()));
        }
    }
    let (low, high) = found?;
    let (low, high) = (partial(low)?, partial(high)?);
    // `=1.2.3` is refused where it is not written anew.
    let is_kept = |end: &Partial<'_>| end.parts.len() == 3 && !end.has_plain_prefix;
    if is_kept(&low) || (is_kept(&high) && high.pre.is_empty()) {
        return None;
    }
    let mut all = Vec::new();
    if !low.parts.is_empty() {
        all.push(low.with(Operator::GreaterEqual));
    }
    match high.parts.len() {
        0 => {}
        3 => all.push(high.with(Operator::LessEqual)),
        written => all.push(high.next(written - 1, Operator::Less, "0")),
    }
    Some(all)
}

/// Words, where a space may follow an operator.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_ascii_whitespace() {
        match words.last_mut() {
            Some(last) if is_operator(last) => last.push_str(word),
            _ => words.push(word.to_owned()),
        }
    }
    words
}

fn is_operator(word: &str) -> bool {
    matches!(word, "<" | "<=" | ">" | ">=" | "=" | "~" | "~>" | "^")
}

fn comparators(word: &str) -> Option<Vec<Comparator>> {
    let operators = ["~>", "~", "^", "<=", ">=", "<", ">", "="];
    let (operator, rest) = operators
        .iter()
        .find_map(|operator| Some((*operator, word.strip_prefix(operator)?)))
        .unwrap_or(("", word));
    let version = partial(rest)?;
    let written = version.parts.len();
    // `*.1` and `=v1.2.3` are refused where they are not written anew.
    let is_exact = version.is_ordered && (written < 3 || version.has_plain_prefix);
    if !matches!(operator, "~" | "~>" | "^") && !is_exact {
        return None;
    }
    Some(match (operator, written) {
        ("<" | ">", 0) => {
            // No version at all.
            let core = "0.0.0".to_owned();
            vec![Comparator {
                operator: Operator::Less,
                core,
                pre: "0".to_owned(),
            }]
        }
        (_, 0) => Vec::new(),
        ("~" | "~>", 1) => version.up_to_next(0),
        ("~" | "~>", _) => version.up_to_next(1),
        // Up to the first part that is not zero, of those written.
        ("^", 3) if version.is_zero(0) && version.is_zero(1) => version.up_to_next(2),
        ("^", 2 | 3) if version.is_zero(0) => version.up_to_next(1),
        ("^", _) => version.up_to_next(0),
        ("" | "=", 3) => vec![version.with(Operator::Equal)],
        ("" | "=", _) => version.up_to_next(written - 1),
        (">", 3) => vec![version.with(Operator::Greater)],
        (">", _) => vec![version.next(written - 1, Operator::GreaterEqual, "")],
        (">=", _) => vec![version.with(Operator::GreaterEqual)],
        ("<", 3) => vec![version.with(Operator::Less)],
        ("<", _) => vec![Comparator {
            pre: "0".to_owned(),
            ..version.with(Operator::Less)
        }],
        ("<=", 3) => vec![version.with(Operator::LessEqual)],
        _ => vec![version.next(written - 1, Operator::Less, "0")],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes::semver;

    #[test]
    fn numbers_beyond_any_integer_are_counted_up() {
        assert_eq!(increment("9"), "10");
        assert_eq!(increment("199"), "200");
        assert_eq!(increment(&"9".repeat(40)), format!("1{}", "0".repeat(40)));
    }

    #[test]
    fn strict_versions_are_ordered_ones() {
        for text in ["1.2.3", "v1.2.3-rc.1+x", " 0.0.0 "] {
            assert!(
                strict(text).is_some() && semver::parse(text).is_some(),
                "{text}"
            );
        }
        for text in [
            "1.2", "01.2.3", "=1.2.3", "1.2.3-01", "1.2.3-", "latest", "",
        ] {
            assert!(strict(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "latest",
            "git+https://x.example/y.git",
            "1.2.3.4",
            "^",
            ">1<2",
            ">=~1",
        ] {
            assert_eq!(Range::parse(text), None, "{text}");
        }
        assert_eq!(satisfies("1", "*"), None);
        assert_eq!(satisfies("1.0.0", ""), Some(true));
    }
}
