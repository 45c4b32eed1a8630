//! dpkg: `[epoch:]upstream[-revision]` (deb-version(7); `lib/dpkg/parsehelp.c`
//! and `lib/dpkg/version.c`).
//!
//! What dpkg only warns of (a version that begins with a letter, an unusual
//! character) it still orders, and so do we: such versions are in Debian's old
//! advisories.

use std::cmp::Ordering;

use crate::{
    Scheme,
    compare::{digits, is_number, take_digits, take_while, valid_first},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "dpkg",
    osv: &["Debian", "Ubuntu", "Echo"],
    purl_types: &["deb"],
    compare: |a, b| {
        valid_first((a, parse(a)), (b, parse(b)), |a, b| {
            digits(a.epoch, b.epoch)
                .then_with(|| part(a.upstream, b.upstream))
                .then_with(|| part(a.revision, b.revision))
        })
    },
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};

struct Version<'a> {
    epoch: &'a str,
    upstream: &'a str,
    revision: &'a str,
}

fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.trim_ascii();
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) if is_number(epoch) => (epoch, rest),
        Some(_) => return None,
        None => ("0", text),
    };
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (rest, ""),
    };
    let is_readable = !upstream.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic());
    is_readable.then_some(Version {
        epoch,
        upstream,
        revision,
    })
}

/// Non-digits and digits in turn; `~` sorts before the end, letters before
/// everything else.
pub(crate) fn part(mut a: &str, mut b: &str) -> Ordering {
    let not_digit = |byte: u8| !byte.is_ascii_digit();
    while !a.is_empty() || !b.is_empty() {
        let mut words = (
            take_while(&mut a, not_digit).bytes(),
            take_while(&mut b, not_digit).bytes(),
        );
        loop {
            let pair = (words.0.next(), words.1.next());
            let order = weight(pair.0).cmp(&weight(pair.1));
            if order.is_ne() {
                return order;
            }
            if pair == (None, None) {
                break;
            }
        }
        let order = digits(take_digits(&mut a), take_digits(&mut b));
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
