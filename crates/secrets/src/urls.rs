//! Passwords in URLs (RFC 3986, section 3.2.1): `scheme://user:password@host`.

use crate::{
    allow,
    detector::{Candidate, Checked},
};

/// The password of the URL that starts with the keyword, which ends in `://`.
pub(crate) fn password(candidate: &Candidate<'_>) -> Option<(usize, usize)> {
    let rest = candidate.text.get(candidate.end..candidate.limit)?;
    let mut colon = None;
    let mut at_sign = None;
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b':' if colon.is_none() => colon = Some(at),
            // A password may hold one that was not encoded: the last counts.
            b'@' => at_sign = Some(at),
            b'/'
            | b'?'
            | b'#'
            | b'"'
            | b'\''
            | b'`'
            | b'<'
            | b'>'
            | b'\\'
            | b'|'
            | b','
            | b';'
            | 0..=b' '
            | 0x7F.. => break,
            _ => {}
        }
    }
    let (colon, end) = (colon?, at_sign?);
    let host = rest.get(end + 1)?;
    let is_host = host.is_ascii_alphanumeric() || matches!(host, b'[' | b'_' | b'$' | b'{' | b'%');
    (colon + 1 < end && is_host).then_some((candidate.end + colon + 1, candidate.end + end))
}

/// Whether the password is one that somebody chose for a host that is there.
pub(crate) fn check(candidate: &Candidate<'_>) -> Checked {
    let is_one = || {
        let secret = candidate.secret();
        let before = candidate
            .text
            .get(candidate.start.saturating_sub(160)..candidate.start)?;
        let user = before.strip_suffix(b":")?;
        let user = user.rsplit(|byte| *byte == b'/').next()?;
        let rest = candidate.text.get(candidate.end + 1..)?;
        let host =
            rest.split(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'-' | b'_'));
        let host = host.into_iter().next()?.to_ascii_lowercase();
        let is_example = host.starts_with(b"example")
            || host.ends_with(b".test")
            || host.ends_with(b".invalid")
            || memchr::memmem::find(&host, b"example.").is_some()
            || host == b"host"
            || host == b"hostname"
            || host == b"server"
            || host.is_empty()
            || host.starts_with(b"foo.")
            || host == b"foo"
            || host == b"a"
            || host == b"b"
            || host == b"h";
        let has_words =
            |words: &[&[u8]]| words.iter().any(|word| secret.eq_ignore_ascii_case(word));
        let is_told = has_words(&[
            b"password",
            b"pass",
            b"passwd",
            b"pwd",
            b"secret",
            b"token",
            b"mypassword",
            b"pw",
            b"p",
            b"x",
            b"x-oauth-basic",
            b"bar",
            b"baz",
        ]);
        let is_same = secret.eq_ignore_ascii_case(user);
        let is_real = secret.len() >= 4 && !is_example && !is_told && !is_same && !allow::is_reference(secret)
            // A format string, an array, a call.
            && !secret.iter().any(|byte| matches!(byte, b'{' | b'(' | b'[' | b'$' | b'*'));
        Some(is_real)
    };
    if is_one().unwrap_or(false) {
        Checked::Maybe
    } else {
        Checked::No
    }
}
