//! Private keys in their armour (RFC 7468; OpenSSH's PROTOCOL.key; PuTTY's
//! Appendix C; RFC 9580, section 6.2).

use crate::{
    base64, der,
    detector::{Candidate, Checked},
};

/// The longest block looked at: a key of 16,384 bits has 13 KB.
pub(crate) const REACH: usize = 16 << 10;
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";

/// The block that starts with the keyword, from its first dash to its last.
pub(crate) fn block(candidate: &Candidate<'_>) -> Option<(usize, usize)> {
    let text = candidate.text.get(candidate.start..candidate.limit)?;
    let label_end = memchr::memmem::find(
        text.get(..80.min(text.len()))?.get(BEGIN.len()..)?,
        b"-----",
    )?;
    let label = text.get(BEGIN.len()..BEGIN.len() + label_end)?;
    if !is_private(label) {
        return None;
    }
    let body = BEGIN.len() + label_end + 5;
    // No body holds a dash: the next ones must be the end's. Without that each
    // of many beginnings would be held against one far end.
    let end = body + memchr::memmem::find(text.get(body..)?, b"-----")?;
    let tail = text.get(end..)?.strip_prefix(END)?;
    let tail = tail.get(..label.len() + 5)?;
    let is_same = tail.starts_with(label) && tail.ends_with(b"-----");
    is_same.then_some((
        candidate.start,
        candidate.start + end + END.len() + tail.len(),
    ))
}

fn is_private(label: &[u8]) -> bool {
    label.ends_with(b"PRIVATE KEY") || label == b"PGP PRIVATE KEY BLOCK"
}

/// Whether the block holds what its label says.
pub(crate) fn check(candidate: &Candidate<'_>) -> Checked {
    look(candidate.secret()).unwrap_or(Checked::No)
}

fn look(block: &[u8]) -> Option<Checked> {
    const ENCRYPTED: Checked = Checked::ProvenBut("it is encrypted: its passphrase protects it");
    let rest = block.get(BEGIN.len()..)?;
    let label_end = memchr::memmem::find(rest, b"-----")?;
    let label = rest.get(..label_end)?;
    let rest = rest.get(label_end + 5..)?;
    let body = rest.get(..memchr::memmem::find(rest, END)?)?;
    let body = plain_lines(body);
    let has = |word: &[u8]| memchr::memmem::find(&body, word).is_some();
    if has(b"Proc-Type:") && has(b"ENCRYPTED") {
        return Some(ENCRYPTED);
    }
    let start = headers_end(&body);
    let mut base = body.get(start..)?;
    let is_pgp = label.starts_with(b"PGP");
    if is_pgp && let Some(sum) = memchr::memmem::find(base, b"\n=") {
        // The armour's checksum.
        base = base.get(..sum)?;
    }
    let bytes = base64::decode(base, REACH)?;
    let checked = |holds: bool| if holds { Checked::Proven } else { Checked::No };
    Some(match label {
        b"OPENSSH PRIVATE KEY" => openssh(&bytes)?,
        b"ENCRYPTED PRIVATE KEY" if der::is_encrypted_key(&bytes) => ENCRYPTED,
        b"ENCRYPTED PRIVATE KEY" => Checked::No,
        // A secret-key packet, in the new format or the old (RFC 9580, 4.2).
        _ if is_pgp => {
            checked(matches!(bytes.first(), Some(0xC5 | 0x94..=0x97)) && bytes.len() > 64)
        }
        _ => checked(der::is_private_key(&bytes)),
    })
}

/// The block with `\n` and `\r` of a string literal as line ends, and without
/// the marks of literals that are joined line by line.
fn plain_lines(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        let next = body.get(at + 1);
        match (byte, next) {
            (b'\\', Some(b'n' | b'r')) => {
                out.push(b'\n');
                at += 2;
            }
            (b'\\', Some(b'/')) => at += 1,
            (b'\\' | b'"' | b'\'' | b'`' | b',', _) => at += 1,
            // `"…" + "…"` joins; a plus inside a line is base64.
            (b'+', _)
                if out.last() == Some(&b' ')
                    && matches!(next, Some(b' ' | b'\n' | b'\r') | None) =>
            {
                at += 1;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

/// Where the body starts behind headers (`Proc-Type: …`, `Version: …`).
fn headers_end(body: &[u8]) -> usize {
    let mut end = 0;
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if memchr::memmem::find(line, b": ").is_some() {
            end = at;
        } else if line.len() > 40 {
            break;
        }
    }
    end
}

/// `openssh-key-v1`, NUL, then the cipher's name as a counted string.
fn openssh(bytes: &[u8]) -> Option<Checked> {
    let rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let cipher = rest.get(..length)?;
    Some(match cipher {
        b"none" => Checked::Proven,
        _ if cipher.is_ascii() => Checked::ProvenBut("it is encrypted: its passphrase protects it"),
        _ => Checked::No,
    })
}

/// PuTTY's key files: encrypted or not, and whether there is a key at all.
pub(crate) fn putty(candidate: &Candidate<'_>) -> Option<(usize, usize)> {
    let text = candidate.text.get(candidate.start..candidate.limit)?;
    let private = memchr::memmem::find(text, b"Private-Lines: ")?;
    // A program that reads such files has the words, and no number.
    text.get(private + b"Private-Lines: ".len())
        .filter(|byte| byte.is_ascii_digit())?;
    let end = private + memchr::memmem::find(text.get(private..)?, b"Private-MAC: ")?;
    Some((candidate.start, candidate.start + end))
}

pub(crate) fn putty_check(candidate: &Candidate<'_>) -> Checked {
    if memchr::memmem::find(candidate.secret(), b"Encryption: none").is_some() {
        Checked::Proven
    } else {
        Checked::ProvenBut("it is encrypted: its passphrase protects it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_one_beginning() {
        let begin = "-----BEGIN RSA PRIVATE KEY-----\n";
        let text = format!("{begin}{begin}AAAA\n-----END RSA PRIVATE KEY-----");
        let at = |start: usize| {
            block(&Candidate {
                text: text.as_bytes(),
                start,
                end: start + BEGIN.len(),
                limit: text.len(),
            })
        };
        assert_eq!(at(0), None);
        assert_eq!(at(begin.len()), Some((begin.len(), text.len())));
    }
}
