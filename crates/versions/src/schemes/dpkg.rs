//! dpkg: `[epoch:]upstream[-revision]` (deb-version(7)).

use std::cmp::Ordering;

use crate::{
    Scheme,
    compare::{digits, is_number, take_while, valid_first},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "dpkg",
    osv: &[
        "Debian",
        "Ubuntu",
        "Echo",
        "TuxCare",
        "Root",
        "Docker Hardened Images",
    ],
    purl_types: &["deb"],
    compare,
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};

struct Version<'a> {
    epoch: &'a str,
    upstream: &'a str,
    revision: &'a str,
}

fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.trim();
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    let allowed = |text: &str, more: &str| {
        text.chars()
            .all(|letter| letter.is_ascii_alphanumeric() || more.contains(letter))
    };
    let is_valid = is_number(epoch)
        && upstream.starts_with(|first: char| first.is_ascii_digit())
        && allowed(upstream, ".+-~:")
        && allowed(revision, ".+~")
        && !rest.ends_with('-');
    is_valid.then_some(Version {
        epoch,
        upstream,
        revision,
    })
}

fn compare(a: &str, b: &str) -> Ordering {
    valid_first((a, parse(a)), (b, parse(b)), |a, b| {
        digits(a.epoch, b.epoch)
            .then_with(|| part(a.upstream, b.upstream))
            .then_with(|| part(a.revision, b.revision))
    })
}

/// Non-digits and digits in turn; `~` sorts before the end, letters before
/// everything else.
pub(crate) fn part(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let not_digit = |letter: char| !letter.is_ascii_digit();
        let (first, second) = (take_while(&mut a, not_digit), take_while(&mut b, not_digit));
        let mut letters = (first.bytes(), second.bytes());
        loop {
            let pair = (letters.0.next(), letters.1.next());
            let order = weight(pair.0).cmp(&weight(pair.1));
            if order.is_ne() {
                return order;
            }
            if pair == (None, None) {
                break;
            }
        }
        let digit = |letter: char| letter.is_ascii_digit();
        let order = digits(take_while(&mut a, digit), take_while(&mut b, digit));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn weight(byte: Option<u8>) -> i32 {
    match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(byte),
        Some(byte) => i32::from(byte) + 256,
    }
}
