//! What a format's own redundancy says of a candidate.

use crate::{
    base64,
    detector::{Candidate, Checked},
    pem,
};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A number in the given base, as so many digits.
fn digits(mut number: u64, base: u64, count: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(count);
    for _ in 0..count {
        let digit = usize::try_from(number % base)
            .ok()
            .and_then(|at| DIGITS.get(at));
        out.extend(digit);
        number /= base;
    }
    out.reverse();
    out
}

/// CRC-32 of `text` in base 62, six digits: the end of GitHub's tokens
/// (github.blog, "Behind GitHub's new authentication token formats").
pub(crate) fn crc62(text: &[u8]) -> Vec<u8> {
    digits(crc32fast::hash(text).into(), 62, 6)
}

/// CRC-32 of `text` in base 36, seven digits: the end of GitLab's routable
/// tokens.
pub(crate) fn crc36_of(text: &[u8]) -> Vec<u8> {
    digits(crc32fast::hash(text).into(), 36, 7).to_ascii_lowercase()
}

fn ends_in_crc62(secret: &[u8]) -> bool {
    let body = secret
        .iter()
        .position(|byte| *byte == b'_')
        .and_then(|at| secret.get(at + 1..));
    let parts = body.and_then(|body| body.split_at_checked(body.len().checked_sub(6)?));
    parts.is_some_and(|(text, sum)| crc62(text) == sum)
}

/// Every token of this kind ends in its checksum.
pub(crate) fn crc62_must(candidate: &Candidate<'_>) -> Checked {
    if ends_in_crc62(candidate.secret()) {
        Checked::Proven
    } else {
        Checked::No
    }
}

/// Tokens of this kind end in their checksum, but older ones do not.
pub(crate) fn crc62_may(candidate: &Candidate<'_>) -> Checked {
    if ends_in_crc62(candidate.secret()) {
        Checked::Proven
    } else {
        Checked::Maybe
    }
}

/// GitLab's routable tokens end in a CRC-32 in base 36, seven digits, over all
/// that comes before it.
pub(crate) fn crc36(candidate: &Candidate<'_>) -> Checked {
    let secret = candidate.secret();
    let holds = || {
        let (text, sum) = secret.split_at_checked(secret.len().checked_sub(7)?)?;
        Some(crc36_of(text) == sum)
    };
    if holds().unwrap_or(false) {
        Checked::Proven
    } else {
        Checked::No
    }
}

/// A letter and a digit at least.
pub(crate) fn mixed(candidate: &Candidate<'_>) -> Checked {
    let secret = candidate.secret();
    let has = |test: fn(&u8) -> bool| secret.iter().any(test);
    if has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) {
        Checked::Maybe
    } else {
        Checked::No
    }
}

/// Small and capital letters and a digit: what forty random bytes of base64
/// have, and hashes and paths have not.
pub(crate) fn motley(candidate: &Candidate<'_>) -> Checked {
    let secret = candidate.secret();
    let has = |test: fn(&u8) -> bool| secret.iter().any(test);
    let is_path = secret.iter().filter(|byte| **byte == b'/').count() > 5;
    if has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && !is_path
    {
        Checked::Maybe
    } else {
        Checked::No
    }
}

/// Not all of one case of letters or digits alone: a word with a number behind
/// it is an identifier.
pub(crate) fn no_word(candidate: &Candidate<'_>) -> Checked {
    let secret = candidate.secret();
    let changes = secret.windows(2).filter(|pair| {
        let kind =
            |byte: Option<&u8>| byte.map(|byte| (byte.is_ascii_digit(), byte.is_ascii_uppercase()));
        kind(pair.first()) != kind(pair.last())
    });
    let has_digit = secret.iter().any(u8::is_ascii_digit);
    if has_digit && changes.count() * 6 >= secret.len() {
        Checked::Maybe
    } else {
        Checked::No
    }
}

/// A JSON Web Token (RFC 7519): its header and its claims are JSON objects.
pub(crate) fn jwt(candidate: &Candidate<'_>) -> Checked {
    let part = |index: usize| -> Option<serde_json::Map<String, serde_json::Value>> {
        let part = candidate.secret().split(|byte| *byte == b'.').nth(index)?;
        let bytes = base64::decode(part, 8 << 10)?;
        serde_json::from_slice(&bytes).ok()
    };
    let (Some(header), Some(claims)) = (part(0), part(1)) else {
        return Checked::No;
    };
    let text = |name: &str| claims.get(name).and_then(serde_json::Value::as_str);
    // The token of every tutorial.
    let is_known = text("name") == Some("John Doe") || text("sub") == Some("1234567890");
    if !header.contains_key("alg") || is_known {
        Checked::No
    } else {
        Checked::Proven
    }
}

/// A JSON Web Token, itself in base64.
pub(crate) fn jwt_base64(candidate: &Candidate<'_>) -> Checked {
    let bytes = base64::decode(candidate.secret(), 6 << 10).unwrap_or_default();
    let end = bytes
        .iter()
        .rposition(|byte| !byte.is_ascii_whitespace())
        .map_or(0, |at| at + 1);
    jwt(&Candidate {
        text: &bytes,
        start: 0,
        end,
        limit: end,
    })
}

/// A macaroon whose location is PyPI.
pub(crate) fn pypi(candidate: &Candidate<'_>) -> Checked {
    let body = candidate
        .secret()
        .strip_prefix(b"pypi-")
        .unwrap_or_default();
    let bytes = base64::decode(body, 1 << 10).unwrap_or_default();
    // Version 2, then a field of kind 1 and its length (libmacaroons, format 2).
    let is_one = bytes.starts_with(&[2, 1])
        && memchr::memmem::find(bytes.get(..24).unwrap_or_default(), b"pypi.org").is_some();
    if is_one { Checked::Proven } else { Checked::No }
}

/// Base64 of `user:password`, as Docker's and npm's files and HTTP's basic
/// scheme (RFC 7617) have it.
pub(crate) fn basic(candidate: &Candidate<'_>) -> Checked {
    let bytes = base64::decode(candidate.secret(), 4 << 10).unwrap_or_default();
    let is_text = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    let Some(colon) = bytes
        .iter()
        .position(|byte| *byte == b':')
        .filter(|_| is_text)
    else {
        return Checked::No;
    };
    let (user, password) = (
        bytes.get(..colon).unwrap_or_default(),
        bytes.get(colon + 1..).unwrap_or_default(),
    );
    // The example of RFC 7617.
    let is_known = user == b"Aladdin";
    let is_told = is_known || crate::allow::is_placeholder(password) || user == password;
    if user.is_empty() || password.len() < 4 || is_told {
        Checked::No
    } else {
        Checked::Proven
    }
}

/// A password in base64, as npm's `_password` has it.
pub(crate) fn packed_password(candidate: &Candidate<'_>) -> Checked {
    let bytes = base64::decode(candidate.secret(), 1 << 10).unwrap_or_default();
    let is_text = bytes.len() >= 4 && bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    if is_text && !crate::allow::is_placeholder(&bytes) {
        Checked::Maybe
    } else {
        Checked::No
    }
}

/// A private key in PEM, itself in base64, as kubeconfig files have it.
pub(crate) fn packed_pem(candidate: &Candidate<'_>) -> Checked {
    let bytes = base64::decode(candidate.secret(), pem::REACH).unwrap_or_default();
    let whole = Candidate {
        text: &bytes,
        start: 0,
        end: bytes.len(),
        limit: bytes.len(),
    };
    match pem::block(&whole) {
        Some((start, end)) => pem::check(&Candidate {
            start,
            end,
            ..whole
        }),
        None => Checked::No,
    }
}

/// The private key of a service account's JSON.
pub(crate) fn service_account(candidate: &Candidate<'_>) -> Option<(usize, usize)> {
    let text = candidate.text.get(candidate.end..candidate.limit)?;
    let key = memchr::memmem::find(text, b"\"private_key\"")?;
    let begin = key + memchr::memmem::find(text.get(key..)?.get(..64)?, b"-----BEGIN ")?;
    let start = candidate.end + begin;
    pem::block(&Candidate {
        start,
        end: start,
        ..*candidate
    })
}

/// Three characters of thirty-two bits each tell nothing: what is asked is that
/// 32 bytes decode.
pub(crate) fn bytes32(candidate: &Candidate<'_>) -> Checked {
    let bytes = base64::decode(candidate.secret(), 64).unwrap_or_default();
    if bytes.len() == 32 {
        Checked::Maybe
    } else {
        Checked::No
    }
}

/// The credentials behind `Authorization: Basic `.
pub(crate) fn basic_header(candidate: &Candidate<'_>) -> Option<(usize, usize)> {
    let rest = candidate.text.get(candidate.end..candidate.limit)?;
    let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let length = rest.iter().take_while(is_base64).count();
    (length >= 8).then_some((candidate.end, candidate.end + length))
}

/// What is set is a path, a link, a call, the name of something else.
pub(crate) fn literal(candidate: &Candidate<'_>) -> Checked {
    const ELSEWHERE: [&[u8]; 9] = [
        b"://",
        b"process.env",
        b"getenv",
        b"secrets.",
        b"config.",
        b"environ",
        b"/run/",
        b"vault:",
        b"op://",
    ];
    let secret = candidate.secret();
    let next = candidate.text.get(candidate.end).copied();
    let is_code = matches!(next, Some(b'(' | b'['));
    let is_path = [b"/".as_slice(), b"./", b"~/", b"../"]
        .iter()
        .any(|start| secret.starts_with(start));
    let is_elsewhere = ELSEWHERE
        .iter()
        .any(|word| memchr::memmem::find(secret, word).is_some());
    if is_code || is_path || is_elsewhere {
        Checked::No
    } else {
        Checked::Maybe
    }
}

/// The part of the line before the secret, at most so many bytes.
fn line_before<'a>(candidate: &Candidate<'a>, most: usize) -> &'a [u8] {
    let from = candidate.start.saturating_sub(most);
    let before = candidate
        .text
        .get(from..candidate.start)
        .unwrap_or_default();
    let line = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    before.get(line..).unwrap_or_default()
}

fn contains(line: &[u8], words: &[&[u8]]) -> bool {
    let lower = line.to_ascii_lowercase();
    words
        .iter()
        .any(|word| memchr::memmem::find(&lower, word).is_some())
}

/// A parameter of a JDBC URL.
pub(crate) fn jdbc(candidate: &Candidate<'_>) -> Checked {
    let is_one = contains(line_before(candidate, 300), &[b"jdbc:"]);
    if is_one {
        literal(candidate)
    } else {
        Checked::No
    }
}

/// A part of an ADO.NET or ODBC connection string.
pub(crate) fn connection_string(candidate: &Candidate<'_>) -> Checked {
    let line = line_before(candidate, 300);
    // From the first key on it is one string, not a program.
    let is_code = |byte: &u8| matches!(byte, b'(' | b')' | b'{' | b'}' | b'?');
    let keys: [&[u8]; 4] = [b"server=", b"data source=", b"host=", b"driver="];
    let lower = line.to_ascii_lowercase();
    let start = keys
        .iter()
        .filter_map(|key| memchr::memmem::find(&lower, key))
        .min();
    let Some(string) = start.and_then(|start| line.get(start..)) else {
        return Checked::No;
    };
    let has_user = contains(string, &[b"user id=", b"uid=", b"user=", b"username="]);
    let name = name_of(candidate);
    let is_key = name.eq_ignore_ascii_case(b"password") || name.eq_ignore_ascii_case(b"pwd");
    let is_string = string.contains(&b';') && !string.iter().any(is_code);
    if is_string && has_user && is_key {
        literal(candidate)
    } else {
        Checked::No
    }
}

/// The name that the secret is given to.
fn name_of<'a>(candidate: &Candidate<'a>) -> &'a [u8] {
    let line = line_before(candidate, 120);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let end = line.iter().rposition(is_name).map_or(0, |at| at + 1);
    let name = line.get(..end).unwrap_or_default();
    let start = name
        .iter()
        .rposition(|byte| !is_name(byte))
        .map_or(0, |at| at + 1);
    name.get(start..).unwrap_or_default()
}

/// Whether the name ends in the word for a secret: `DB_PASSWORD`, not
/// `PASSWORD_FILE` and not `TOKEN_URL`.
fn names_a_secret(name: &[u8]) -> bool {
    const ENDS: [&[u8]; 14] = [
        b"password",
        b"passwd",
        b"secret",
        b"token",
        b"api_key",
        b"apikey",
        b"api-key",
        b"access_key",
        b"private_key",
        b"secret_key",
        b"secretkey",
        b"accesskey",
        b"_pwd",
        b"_pass",
    ];
    let lower = name.to_ascii_lowercase();
    ENDS.iter().any(|end| lower.ends_with(end))
}

/// A variable of an environment or a build.
pub(crate) fn environment(candidate: &Candidate<'_>) -> Checked {
    let secret = candidate.secret();
    let is_flag = secret.iter().all(u8::is_ascii_digit)
        || contains(secret, &[b"yes-", b"true", b"false", b"/run/secrets"]);
    if is_flag || !names_a_secret(name_of(candidate)) {
        Checked::No
    } else {
        literal(candidate)
    }
}

/// A literal in quotes that is no word and no name.
pub(crate) fn generic(candidate: &Candidate<'_>) -> Checked {
    let before = candidate
        .start
        .checked_sub(1)
        .and_then(|at| candidate.text.get(at));
    let after = candidate.text.get(candidate.end);
    let is_quoted = matches!(before, Some(b'"' | b'\'' | b'`')) && before == after;
    if is_quoted && names_a_secret(name_of(candidate)) && no_word(candidate) != Checked::No {
        literal(candidate)
    } else {
        Checked::No
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(check: fn(&Candidate<'_>) -> Checked, secret: &str) -> Checked {
        check(&Candidate {
            text: secret.as_bytes(),
            start: 0,
            end: secret.len(),
            limit: secret.len(),
        })
    }

    /// Tokens that GitHub, GitLab and Vercel made, all revoked and published in
    /// other scanners' tests; in parts, so that none of those stops at this file.
    #[test]
    fn checksums_of_real_tokens_hold() {
        for parts in [
            ["ghp", "_HqVdKoLwkXN58VKftd2v", "Jr0rxEx6tt26hion"],
            ["ghu", "_aGgfQsQ52sImE9zwWxKc", "jt2nhESfYG1U2FhX"],
            ["ghs", "_oJrI3NxJonXega4cd3v1", "XHDjjMk3jh2ENWzb"],
            [
                "ghr",
                "_OWOCPzqKuy3J4w53QpkLfffjBUJSh5yLnFHj7wiyR0",
                "NDadVOcykNkoqhoYYXM1yy2sOpAu0lG8fw",
            ],
            [
                "vcp",
                "_35UYJwYZDigYATKhxJUAhPqRhit2Xe3d",
                "tiG60LsUTHeklEXDQ94Jafpu",
            ],
        ] {
            let token = parts.concat();
            assert_eq!(of(crc62_must, &token), Checked::Proven, "{token}");
            let broken = token.replace(['3', '5'], "4");
            assert_eq!(of(crc62_must, &broken), Checked::No, "{broken}");
        }
    }

    #[test]
    fn crc_32_of_hello_in_base_62() {
        assert_eq!(crc62(b"hello"), b"0zNvy2");
    }

    #[test]
    fn basic_credentials_decode_to_a_name_and_a_password() {
        // `deploy:k4Lm9Qz2` and `deploy:changeme`.
        assert_eq!(of(basic, "ZGVwbG95Oms0TG05UXoy"), Checked::Proven);
        assert_eq!(of(basic, "ZGVwbG95OmNoYW5nZW1l"), Checked::No);
        assert_eq!(of(basic, "AAAAAAAAAAAAAAAA"), Checked::No);
    }
}
