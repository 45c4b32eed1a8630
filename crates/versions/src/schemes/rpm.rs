//! rpm: `[epoch:]version[-release]` (rpm-version(7); `rpmio/rpmvercmp.c`).

use std::cmp::Ordering;

use crate::{
    Scheme,
    compare::{digits, is_number, skip, starts_with_digit, take_digits, take_while, valid_first},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "rpm",
    osv: &[
        "AlmaLinux",
        "Amazon Linux",
        "Azure Linux",
        "Fedora",
        "Mageia",
        "openEuler",
        "openSUSE",
        "Oracle Linux",
        "Photon OS",
        "Red Hat",
        "Rocky Linux",
        "SUSE",
    ],
    purl_types: &["rpm"],
    compare: |a, b| {
        valid_first((a, split(a)), (b, split(b)), |a, b| {
            digits(a.epoch, b.epoch)
                .then_with(|| vercmp(a.version, b.version))
                // rpm takes an absent release as any; an order cannot, so it
                // comes first.
                .then_with(|| a.release.is_some().cmp(&b.release.is_some()))
                .then_with(|| vercmp(a.release.unwrap_or(""), b.release.unwrap_or("")))
        })
    },
    is_valid: |version| split(version).is_some(),
    normalise_name: same_name,
};

struct Evr<'a> {
    epoch: &'a str,
    version: &'a str,
    release: Option<&'a str>,
}

fn split(text: &str) -> Option<Evr<'_>> {
    let text = text.trim_ascii();
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) if is_number(epoch) => (epoch, rest),
        _ => ("0", text),
    };
    let (version, release) = match rest.rsplit_once('-') {
        Some((version, release)) => (version, Some(release)),
        None => (rest, None),
    };
    (!version.is_empty()).then_some(Evr {
        epoch,
        version,
        release,
    })
}

/// Segments of digits or letters in turn; separators only separate. `~` sorts
/// before the end, `^` behind it but before anything else.
fn vercmp(mut a: &str, mut b: &str) -> Ordering {
    loop {
        skip_separators(&mut a);
        skip_separators(&mut b);
        match (skip(&mut a, "~"), skip(&mut b, "~")) {
            (true, true) => continue,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        let (first_ends, second_ends) = (a.is_empty(), b.is_empty());
        match (skip(&mut a, "^"), skip(&mut b, "^")) {
            (true, true) => continue,
            (true, false) if second_ends => return Ordering::Greater,
            (true, false) => return Ordering::Less,
            (false, true) if first_ends => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        if first_ends || second_ends {
            return second_ends.cmp(&first_ends);
        }
        let letter = |byte: u8| byte.is_ascii_alphabetic();
        let order = match (starts_with_digit(a), starts_with_digit(b)) {
            (true, true) => digits(take_digits(&mut a), take_digits(&mut b)),
            (false, false) => take_while(&mut a, letter).cmp(take_while(&mut b, letter)),
            // A number is newer than letters.
            (first, second) => first.cmp(&second),
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn skip_separators(left: &mut &str) {
    let belongs = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '~' | '^');
    *left = left.trim_start_matches(|letter| !belongs(letter));
}
