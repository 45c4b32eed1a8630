//! rpm: `[epoch:]version[-release]` (rpm-version(7), rpmvercmp).

use std::cmp::Ordering;

use crate::{
    Scheme,
    compare::{digits, is_number, take_while},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "rpm",
    osv: &[
        "AlmaLinux",
        "Rocky Linux",
        "Red Hat",
        "SUSE",
        "openSUSE",
        "openEuler",
        "Mageia",
        "Photon OS",
        "Azure Linux",
        "Oracle Linux",
        "Amazon Linux",
        "Fedora",
    ],
    purl_types: &["rpm"],
    compare,
    is_valid: |version| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_graphic()),
    normalise_name: same_name,
};

fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (split(a), split(b));
    digits(a.0, b.0)
        .then_with(|| vercmp(a.1, b.1))
        .then_with(|| vercmp(a.2, b.2))
}

fn split(text: &str) -> (&str, &str, &str) {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) if is_number(epoch) => (epoch, rest),
        _ => ("0", text),
    };
    let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, version, release)
}

/// Segments of digits or letters in turn; separators only separate. `~` sorts
/// before the end, `^` behind it but before anything else.
fn vercmp(mut a: &str, mut b: &str) -> Ordering {
    let separates =
        |letter: char| !letter.is_ascii_alphanumeric() && letter != '~' && letter != '^';
    loop {
        take_while(&mut a, separates);
        take_while(&mut b, separates);
        match (a.strip_prefix('~'), b.strip_prefix('~')) {
            (Some(first), Some(second)) => {
                (a, b) = (first, second);
                continue;
            }
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        match (a.strip_prefix('^'), b.strip_prefix('^')) {
            (Some(first), Some(second)) => {
                (a, b) = (first, second);
                continue;
            }
            (Some(_), None) => {
                return if b.is_empty() {
                    Ordering::Greater
                } else {
                    Ordering::Less
                };
            }
            (None, Some(_)) => {
                return if a.is_empty() {
                    Ordering::Less
                } else {
                    Ordering::Greater
                };
            }
            (None, None) => {}
        }
        if a.is_empty() || b.is_empty() {
            return (!a.is_empty()).cmp(&!b.is_empty());
        }
        let digit = |letter: char| letter.is_ascii_digit();
        let letter = |letter: char| letter.is_ascii_alphabetic();
        let is_number = a.starts_with(digit);
        // A number is newer than letters.
        let order = match (is_number, b.starts_with(digit)) {
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (true, true) => digits(take_while(&mut a, digit), take_while(&mut b, digit)),
            (false, false) => take_while(&mut a, letter).cmp(take_while(&mut b, letter)),
        };
        if order.is_ne() {
            return order;
        }
    }
}
