//! npm: Semantic Versioning as `node-semver` has it, with its ranges.

use std::cmp::Ordering;

use super::semver::{self, Version};
use crate::{
    Scheme,
    compare::{digits, is_number},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "npm",
    osv: &["npm"],
    purl_types: &["npm"],
    compare: semver::compare,
    is_valid: |version| semver::parse(version).is_some_and(|version| version.written == 3),
    normalise_name: same_name,
};

/// Whether `version` satisfies an npm range such as `^1.2.3 || >=2 <3`
/// (node-semver, "Ranges"). `None` when either cannot be read.
pub fn satisfies(version: &str, range: &str) -> Option<bool> {
    let parsed = semver::parse(version).filter(|version| version.written == 3)?;
    let mut any = false;
    for alternative in range.split("||") {
        let comparators = comparators(alternative)?;
        any |= satisfies_all(&parsed, &comparators);
    }
    Some(any)
}

#[derive(Clone, Debug)]
struct Comparator {
    operator: Operator,
    core: [String; 3],
    pre: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    /// No version at all.
    Never,
}

fn satisfies_all(version: &Version<'_>, comparators: &[Comparator]) -> bool {
    let holds = |one: &Comparator| {
        let core = [&one.core[0], &one.core[1], &one.core[2]].map(String::as_str);
        let order = semver::compare_parsed(
            version,
            &Version {
                core,
                written: 3,
                pre: &one.pre,
            },
        );
        match one.operator {
            Operator::Less => order.is_lt(),
            Operator::LessEqual => order.is_le(),
            Operator::Greater => order.is_gt(),
            Operator::GreaterEqual => order.is_ge(),
            Operator::Equal => order.is_eq(),
            Operator::Never => false,
        }
    };
    // A pre-release is only meant where the range names one of the same core.
    let is_meant = version.pre.is_empty()
        || comparators.iter().any(|one| {
            let same = one
                .core
                .iter()
                .zip(&version.core)
                .all(|(a, b)| digits(a, b).is_eq());
            !one.pre.is_empty() && same
        });
    is_meant && comparators.iter().all(holds)
}

/// A version with parts left out or starred.
struct Partial<'a> {
    parts: Vec<&'a str>,
    pre: &'a str,
}

fn partial(text: &str) -> Option<Partial<'_>> {
    let text = text.trim_start_matches(['v', 'V', '=', ' ']);
    let text = text.split_once('+').map_or(text, |(text, _)| text);
    let (core, pre) = text.split_once('-').unwrap_or((text, ""));
    let mut parts = Vec::new();
    for part in core.split('.') {
        if matches!(part, "" | "x" | "X" | "*") {
            return Some(Partial { parts, pre: "" });
        }
        if !is_number(part) || parts.len() == 3 {
            return None;
        }
        parts.push(part);
    }
    let pre = if parts.len() == 3 { pre } else { "" };
    Some(Partial { parts, pre })
}

impl Partial<'_> {
    fn part(&self, index: usize) -> String {
        self.parts.get(index).copied().unwrap_or("0").to_owned()
    }

    fn floor(&self, operator: Operator) -> Comparator {
        let core = [self.part(0), self.part(1), self.part(2)];
        Comparator {
            operator,
            core,
            pre: self.pre.to_owned(),
        }
    }

    /// Below the next version that differs in the part at `index`. `-0` keeps
    /// its pre-releases out.
    fn below_next(&self, index: usize) -> Comparator {
        let mut core = [self.part(0), self.part(1), self.part(2)];
        for (at, part) in core.iter_mut().enumerate() {
            match at.cmp(&index) {
                Ordering::Less => {}
                Ordering::Equal => *part = increment(part),
                Ordering::Greater => *part = "0".to_owned(),
            }
        }
        Comparator {
            operator: Operator::Less,
            core,
            pre: "0".to_owned(),
        }
    }
}

fn increment(number: &str) -> String {
    let mut digits: Vec<u8> = number.bytes().collect();
    for digit in digits.iter_mut().rev() {
        if *digit == b'9' {
            *digit = b'0';
        } else {
            *digit += 1;
            return String::from_utf8(digits).unwrap_or_default();
        }
    }
    format!("1{}", String::from_utf8(digits).unwrap_or_default())
}

fn comparators(text: &str) -> Option<Vec<Comparator>> {
    // `1.2.3 - 2.3.4`
    if let Some((low, high)) = text.trim().split_once(" - ") {
        let (low, high) = (partial(low.trim())?, partial(high.trim())?);
        let mut all = Vec::new();
        if !low.parts.is_empty() {
            all.push(low.floor(Operator::GreaterEqual));
        }
        match high.parts.len() {
            0 => {}
            3 => all.push(high.floor(Operator::LessEqual)),
            written => all.push(high.below_next(written - 1)),
        }
        return Some(all);
    }
    // A space may follow an operator.
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(last) if last.chars().all(|letter| "<>=~^".contains(letter)) => {
                last.push_str(word)
            }
            _ => words.push(word.to_owned()),
        }
    }
    let mut all = Vec::new();
    for word in &words {
        all.extend(comparator(word)?);
    }
    Some(all)
}

fn comparator(word: &str) -> Option<Vec<Comparator>> {
    let end = word
        .find(|letter| !"<>=~^".contains(letter))
        .unwrap_or(word.len());
    let (operator, rest) = word.split_at_checked(end)?;
    let version = partial(rest)?;
    let written = version.parts.len();
    let floor = || version.floor(Operator::GreaterEqual);
    Some(match operator {
        "" | "=" | "==" => match written {
            0 => Vec::new(),
            3 => vec![version.floor(Operator::Equal)],
            _ => vec![floor(), version.below_next(written - 1)],
        },
        "~" | "~>" => match written {
            0 => Vec::new(),
            1 => vec![floor(), version.below_next(0)],
            _ => vec![floor(), version.below_next(1)],
        },
        "^" => {
            // Up to the first part that is not zero, of those written.
            let is_zero = |index: usize| version.part(index).bytes().all(|digit| digit == b'0');
            match written {
                0 => Vec::new(),
                1 => vec![floor(), version.below_next(0)],
                2 if is_zero(0) => vec![floor(), version.below_next(1)],
                3 if is_zero(0) && is_zero(1) => vec![floor(), version.below_next(2)],
                3 if is_zero(0) => vec![floor(), version.below_next(1)],
                _ => vec![floor(), version.below_next(0)],
            }
        }
        ">" => match written {
            0 => vec![Comparator {
                operator: Operator::Never,
                ..version.floor(Operator::Never)
            }],
            3 => vec![version.floor(Operator::Greater)],
            _ => {
                let next = version.below_next(written - 1);
                vec![Comparator {
                    operator: Operator::GreaterEqual,
                    pre: String::new(),
                    ..next
                }]
            }
        },
        ">=" => {
            if written == 0 {
                Vec::new()
            } else {
                vec![floor()]
            }
        }
        "<" => match written {
            0 => vec![version.floor(Operator::Never)],
            3 => vec![version.floor(Operator::Less)],
            _ => vec![Comparator {
                pre: "0".to_owned(),
                ..version.floor(Operator::Less)
            }],
        },
        "<=" => match written {
            0 => Vec::new(),
            3 => vec![version.floor(Operator::LessEqual)],
            _ => vec![version.below_next(written - 1)],
        },
        _ => return None,
    })
}
