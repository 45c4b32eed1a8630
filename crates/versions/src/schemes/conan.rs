//! Conan: parts separated by dots, each a number or a word, then a pre-release
//! behind a dash and a build behind a plus (`conan.internal.model.version`).
//!
//! Conan compares a number with a word as strings, which makes circles
//! (`10` < `1a` < `2` < `10`). Here every part is its leading number, then its
//! letters (`1` < `1a` < `2` < `10`), and words without a number stand behind
//! all numbers: the same wherever the numbers have as many digits.

use std::cmp::Ordering;

use crate::{
    Scheme,
    compare::{digits, shorter_first, starts_with_digit, take_digits, valid_first},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "conan",
    osv: &["ConanCenter"],
    purl_types: &["conan"],
    compare: |a, b| {
        valid_first((a, parse(a)), (b, parse(b)), |a, b| {
            parts(a.main, b.main)
                .then_with(|| match (a.pre, b.pre) {
                    (Some(a), Some(b)) => parts(a, b),
                    (a, b) => b.is_some().cmp(&a.is_some()),
                })
                .then_with(|| match (a.build, b.build) {
                    (Some(a), Some(b)) => parts(a, b),
                    (a, b) => a.is_some().cmp(&b.is_some()),
                })
        })
    },
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};

struct Version<'a> {
    main: &'a str,
    pre: Option<&'a str>,
    build: Option<&'a str>,
}

fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.trim_ascii();
    let (rest, build) = match text.rsplit_once('+') {
        Some((rest, build)) => (rest, Some(build)),
        None => (text, None),
    };
    let (main, pre) = match rest.split_once('-') {
        Some((main, pre)) => (main, Some(pre)),
        None => (rest, None),
    };
    let is_readable = !main.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_readable.then_some(Version { main, pre, build })
}

/// Parts with zeros at the end left out.
fn parts(a: &str, b: &str) -> Ordering {
    shorter_first(
        without_zeros(a).split('.'),
        without_zeros(b).split('.'),
        part,
    )
}

fn without_zeros(mut text: &str) -> &str {
    while let Some((rest, last)) = text.rsplit_once('.') {
        if last.is_empty() || last.bytes().any(|byte| byte != b'0') {
            break;
        }
        text = rest;
    }
    text
}

fn part(mut a: &str, mut b: &str) -> Ordering {
    starts_with_digit(b)
        .cmp(&starts_with_digit(a))
        .then_with(|| digits(take_digits(&mut a), take_digits(&mut b)))
        .then_with(|| a.cmp(b))
}
