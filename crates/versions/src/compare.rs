//! What several orders share.

use std::cmp::Ordering;

/// Compares runs of digits by value, however long they are. No digits count as
/// zero.
pub(crate) fn digits(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Compares numbers with dots between them pair by pair; the shorter list goes
/// on as if with zeros.
pub(crate) fn dotted(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let order = digits(take_digits(&mut a), take_digits(&mut b));
        // Not a digit and so a dot; or the end.
        let more = (skip(&mut a, "."), skip(&mut b, "."));
        if order.is_ne() || more == (false, false) {
            return order;
        }
    }
}

/// Whether the text is numbers with single dots between them, and there is
/// one.
pub(crate) fn is_dotted(text: &str) -> bool {
    let mut is_open = true;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => is_open = false,
            b'.' if !is_open => is_open = true,
            _ => return false,
        }
    }
    !is_open
}

/// Compares pair by pair; of two lists with the same beginning the shorter one
/// comes first.
pub(crate) fn shorter_first<T>(
    mut a: impl Iterator<Item = T>,
    mut b: impl Iterator<Item = T>,
    mut compare: impl FnMut(T, T) -> Ordering,
) -> Ordering {
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (Some(a), Some(b)) => compare(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        if order.is_ne() {
            return order;
        }
    }
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

/// Whether a run that is known not to be empty begins with a digit.
pub(crate) fn starts_with_digit(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

/// Splits off the run of ASCII characters at the head for which `belongs`
/// holds.
pub(crate) fn take_while<'a>(left: &mut &'a str, belongs: impl Fn(u8) -> bool) -> &'a str {
    let end = left
        .bytes()
        .position(|byte| !byte.is_ascii() || !belongs(byte))
        .unwrap_or(left.len());
    let (taken, rest) = left.split_at_checked(end).unwrap_or((left, ""));
    *left = rest;
    taken
}

/// Splits off the run of digits at the head.
pub(crate) fn take_digits<'a>(left: &mut &'a str) -> &'a str {
    take_while(left, |byte| byte.is_ascii_digit())
}

/// Drops a prefix; says whether it was there.
pub(crate) fn skip(left: &mut &str, prefix: &str) -> bool {
    match left.strip_prefix(prefix) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    }
}
