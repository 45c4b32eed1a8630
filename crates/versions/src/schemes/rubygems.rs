//! RubyGems: `Gem::Version`.

use std::cmp::Ordering;

use crate::{
    Scheme,
    compare::{digits, is_number, take_while, valid_first},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "rubygems",
    osv: &["RubyGems"],
    purl_types: &["gem"],
    compare: |a, b| valid_first((a, parse(a)), (b, parse(b)), |a, b| segments(a, b)),
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};

/// Numbers and words; a dash reads as `.pre.`. Trailing zeros, and zeros before
/// the first word, are dropped.
fn parse(text: &str) -> Option<Vec<&str>> {
    let text = text.trim();
    let mut parts = Vec::new();
    for (index, dashed) in text.split('-').enumerate() {
        if index > 0 {
            parts.push("pre");
        }
        for part in dashed.split('.') {
            if part.is_empty() && !text.is_empty() {
                return None;
            }
            let mut left = part;
            while !left.is_empty() {
                let is_digit = left.starts_with(|first: char| first.is_ascii_digit());
                let run = take_while(&mut left, |letter| {
                    letter.is_ascii_alphanumeric() && letter.is_ascii_digit() == is_digit
                });
                if run.is_empty() {
                    return None;
                }
                parts.push(run);
            }
        }
    }
    if parts.first().is_some_and(|first| !is_number(first)) {
        return None;
    }
    let is_zero = |part: &&str| part.bytes().all(|byte| byte == b'0');
    let words = parts
        .iter()
        .position(|part| !is_number(part))
        .unwrap_or(parts.len());
    let mut tail = parts.split_off(words);
    for half in [&mut parts, &mut tail] {
        while half.last().is_some_and(is_zero) {
            half.pop();
        }
    }
    parts.extend(tail);
    Some(parts)
}

fn segments(a: &[&str], b: &[&str]) -> Ordering {
    for index in 0..a.len().max(b.len()) {
        // What is not there counts as zero, and a word sorts below any number.
        let (a, b) = (a.get(index).unwrap_or(&"0"), b.get(index).unwrap_or(&"0"));
        let order = match (is_number(a), is_number(b)) {
            (true, true) => digits(a, b),
            (false, false) => a.cmp(b),
            (a, b) => a.cmp(&b),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}
