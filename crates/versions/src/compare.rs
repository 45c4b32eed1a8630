//! What several orders share.

use std::cmp::Ordering;

/// Compares runs of digits by value, however long they are.
pub(crate) fn digits(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Orders by whether a version can be read: those that cannot stand below all
/// that can, among themselves by their bytes.
pub(crate) fn valid_first<T>(
    a: (&str, Option<T>),
    b: (&str, Option<T>),
    compare: impl FnOnce(&T, &T) -> Ordering,
) -> Ordering {
    match (a.1, b.1) {
        (Some(first), Some(second)) => compare(&first, &second),
        (None, None) => a.0.cmp(b.0),
        (first, second) => first.is_some().cmp(&second.is_some()),
    }
}

/// Whether all bytes are digits, and there is one.
pub(crate) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Splits off the run of characters at the head for which `belongs` holds.
pub(crate) fn take_while<'a>(left: &mut &'a str, belongs: impl Fn(char) -> bool) -> &'a str {
    let end = left.find(|letter| !belongs(letter)).unwrap_or(left.len());
    let (taken, rest) = left.split_at_checked(end).unwrap_or((left, ""));
    *left = rest;
    taken
}
