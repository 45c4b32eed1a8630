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

/// What documentation calls a password.
const TOLD: [&[u8]; 13] = [
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
];

/// What documentation calls a host.
const NOWHERE: [&[u8]; 10] = [
    b"host",
    b"hostname",
    b"server",
    b"foo",
    b"a",
    b"b",
    b"h",
    b"x.com",
    b"foo.com",
    b"domain.com",
];

/// The user and the host around the password.
fn ends<'a>(candidate: &Candidate<'a>) -> Option<(&'a [u8], Vec<u8>)> {
    let before = candidate
        .text
        .get(candidate.start.saturating_sub(160)..candidate.start)?;
    let user = before
        .strip_suffix(b":")?
        .rsplit(|byte| *byte == b'/')
        .next()?;
    let rest = candidate.text.get(candidate.end + 1..)?;
    let is_host = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let host = rest
        .iter()
        .take_while(is_host)
        .map(u8::to_ascii_lowercase)
        .collect();
    Some((user, host))
}

/// Whether the password is one that somebody chose for a host that is there.
pub(crate) fn check(candidate: &Candidate<'_>) -> Checked {
    let secret = candidate.secret();
    let Some((user, host)) = ends(candidate) else {
        return Checked::No;
    };
    let is_nowhere = host.is_empty()
        || NOWHERE.contains(&host.as_slice())
        || [b".test".as_slice(), b".invalid", b".example"]
            .iter()
            .any(|end| host.ends_with(end))
        || memchr::memmem::find(&host, b"example.").is_some()
        || host.starts_with(b"example");
    let is_told = TOLD.iter().any(|word| secret.eq_ignore_ascii_case(word))
        || secret.eq_ignore_ascii_case(user);
    // A format string, an array, a call.
    let is_code = secret
        .iter()
        .any(|byte| matches!(byte, b'{' | b'(' | b'[' | b'$' | b'*'));
    if secret.len() < 4 || is_nowhere || is_told || is_code || allow::is_reference(secret) {
        Checked::No
    } else {
        Checked::Maybe
    }
}

/// The same for the web, where a password for this very machine is a test's.
pub(crate) fn check_web(candidate: &Candidate<'_>) -> Checked {
    match ends(candidate) {
        Some((_, host)) if host.starts_with(b"127.") || host == b"localhost" => Checked::No,
        _ => check(candidate),
    }
}
