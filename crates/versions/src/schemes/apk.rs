//! apk: `1.2.3a_rc4-r5` (apk-package(5), apk-tools' version.c).

use std::cmp::Ordering;

use crate::{
    Scheme,
    compare::{digits, is_number, take_while, valid_first},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "apk",
    osv: &[
        "Alpine",
        "Alpaquita",
        "BellSoft Hardened Containers",
        "Chainguard",
        "MinimOS",
        "Wolfi",
    ],
    purl_types: &["apk"],
    compare,
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};

/// Before the plain version, and behind it.
const SUFFIXES: [(&str, i32); 9] = [
    ("alpha", -4),
    ("beta", -3),
    ("pre", -2),
    ("rc", -1),
    ("cvs", 1),
    ("svn", 2),
    ("git", 3),
    ("hg", 4),
    ("p", 5),
];

struct Version<'a> {
    numbers: Vec<&'a str>,
    letter: Option<char>,
    suffixes: Vec<(i32, &'a str)>,
    hash: &'a str,
    revision: &'a str,
}

fn parse(text: &str) -> Option<Version<'_>> {
    let mut left = text;
    let digit = |letter: char| letter.is_ascii_digit();
    let mut numbers = vec![take_while(&mut left, digit)];
    while let Some(rest) = left.strip_prefix('.') {
        left = rest;
        numbers.push(take_while(&mut left, digit));
    }
    if numbers.iter().any(|number| number.is_empty()) {
        return None;
    }
    let letter = left.chars().next().filter(char::is_ascii_lowercase);
    if letter.is_some() {
        left = left.get(1..)?;
    }
    let mut suffixes = Vec::new();
    while let Some(rest) = left.strip_prefix('_') {
        left = rest;
        let word = take_while(&mut left, |letter| letter.is_ascii_lowercase());
        let (_, weight) = SUFFIXES.iter().find(|(name, _)| *name == word)?;
        suffixes.push((*weight, take_while(&mut left, digit)));
    }
    let mut hash = "";
    if let Some(rest) = left.strip_prefix('~') {
        left = rest;
        hash = take_while(&mut left, |letter| letter.is_ascii_hexdigit());
        if hash.is_empty() {
            return None;
        }
    }
    let revision = match left.strip_prefix("-r") {
        Some(revision) if is_number(revision) => revision,
        None if left.is_empty() => "",
        _ => return None,
    };
    Some(Version {
        numbers,
        letter,
        suffixes,
        hash,
        revision,
    })
}

fn compare(a: &str, b: &str) -> Ordering {
    valid_first((a, parse(a)), (b, parse(b)), compare_parsed)
}

fn compare_parsed(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    let mut pairs = (a.numbers.iter(), b.numbers.iter());
    let mut is_first = true;
    loop {
        let order = match (pairs.0.next(), pairs.1.next()) {
            (None, None) => break,
            (first, second) if first.is_none() || second.is_none() => {
                first.is_some().cmp(&second.is_some())
            }
            (Some(first), Some(second)) => {
                // Behind the first dot a leading zero makes it a fraction.
                let is_fraction = !is_first && (first.starts_with('0') || second.starts_with('0'));
                if is_fraction {
                    first.cmp(second)
                } else {
                    digits(first, second)
                }
            }
            _ => Ordering::Equal,
        };
        is_first = false;
        if order.is_ne() {
            return order;
        }
    }
    a.letter
        .cmp(&b.letter)
        .then_with(|| suffixes(&a.suffixes, &b.suffixes))
        .then_with(|| a.hash.cmp(b.hash))
        .then_with(|| digits(a.revision, b.revision))
        // `1` and `1-r0` name the same sources, but a version without a
        // revision comes first.
        .then_with(|| a.revision.is_empty().cmp(&b.revision.is_empty()).reverse())
}

fn suffixes(a: &[(i32, &str)], b: &[(i32, &str)]) -> Ordering {
    let most = a.len().max(b.len());
    for index in 0..most {
        // The end stands between `_rc` and `_cvs`.
        let (first, second) = (a.get(index), b.get(index));
        let weight = |suffix: Option<&(i32, &str)>| suffix.map_or(0, |(weight, _)| *weight);
        let order = weight(first)
            .cmp(&weight(second))
            .then_with(|| digits(first.map_or("", |it| it.1), second.map_or("", |it| it.1)));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}
