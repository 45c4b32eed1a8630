//! Examples of secrets that no file holds.
//!
//! A real-looking token in a repository sets off every scanner that reads it,
//! and its host's refusal of pushes too. So an example is a text with places
//! for characters, which [`expand`] fills in the same way every time.

use crate::checks::{crc36_of, crc62};

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";

/// A generator of the same numbers for the same text (xorshift64*).
struct Random(u64);

impl Random {
    fn new(text: &str) -> Self {
        let seed = text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        Random(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33
    }

    fn text(&mut self, alphabet: &str, length: usize) -> String {
        let all = alphabet.as_bytes();
        let one = |_| {
            let at = self.next() % all.len().max(1) as u64;
            let byte = usize::try_from(at).ok().and_then(|at| all.get(at));
            char::from(byte.copied().unwrap_or(b'0'))
        };
        (0..length).map(one).collect()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// Fills the places of an example. A place is `<kind:count>`:
/// `hex`, `HEX`, `dec`, `low` (small letters and digits), `up` (capitals and
/// digits), `abc` (letters), `b62`, `b32`, `b64`, `url` (URL-safe base64), `crc`
/// (base 62 and its checksum of six); or, without a count, `uuid`, `basic`,
/// `password64`, `jwt`, `jwt64`, `pypi`, `gitlab`, and keys: `rsa`, `ec`, `pkcs8`, `pkcs8line`,
/// `encrypted`, `openssh`, `pgp`, `packed`.
pub fn expand(example: &str) -> String {
    let mut random = Random::new(example);
    let mut out = String::new();
    let mut rest = example;
    while let Some(start) = rest.find('<') {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let place = from.find('>').and_then(|end| {
            let inner = from.get(1..end)?;
            Some((fill(inner, &mut random)?, from.get(end + 1..)?))
        });
        match place {
            Some((text, after)) => {
                out.push_str(&text);
                rest = after;
            }
            None => {
                out.push('<');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

fn fill(place: &str, random: &mut Random) -> Option<String> {
    let Some((kind, count)) = place.split_once(':') else {
        return whole(place, random);
    };
    let count: usize = count.parse().ok()?;
    let alphabet = match kind {
        "hex" => format!("{DIGITS}abcdef"),
        "HEX" => format!("{DIGITS}ABCDEF"),
        "dec" => DIGITS.to_owned(),
        "low" => format!("{LOWER}{DIGITS}"),
        "up" => format!("{UPPER}{DIGITS}"),
        "abc" => format!("{LOWER}{UPPER}"),
        "b32" => format!("{UPPER}234567"),
        "b62" | "crc" => format!("{LOWER}{UPPER}{DIGITS}"),
        "b64" => format!("{LOWER}{UPPER}{DIGITS}+/"),
        "url" => format!("{LOWER}{UPPER}{DIGITS}-_"),
        "bech" => "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".to_owned(),
        _ => return None,
    };
    let mut text = random.text(&alphabet, count);
    if kind == "crc" {
        let sum = crc62(text.as_bytes());
        text.extend(sum.into_iter().map(char::from));
    }
    Some(text)
}

fn whole(kind: &str, random: &mut Random) -> Option<String> {
    let hex = |random: &mut Random, count| random.text("0123456789abcdef", count);
    Some(match kind {
        "uuid" => [8, 4, 4, 4, 12].map(|count| hex(random, count)).join("-"),
        "basic" => {
            let password = random.text("abcdefghijkmnpqrstuvwxyz23456789", 14);
            encode(format!("deploy:{password}").as_bytes(), false)
        }
        "password64" => encode(
            random
                .text("abcdefghijkmnpqrstuvwxyz23456789", 14)
                .as_bytes(),
            false,
        ),
        "jwt64" => encode(whole("jwt", random)?.as_bytes(), false),
        "jwt" => {
            let subject = hex(random, 16);
            let parts = [
                encode(br#"{"alg":"HS256","typ":"JWT"}"#, true),
                encode(
                    format!(r#"{{"sub":"{subject}","iat":1700000000}}"#).as_bytes(),
                    true,
                ),
                encode(&random.bytes(32), true),
            ];
            parts.join(".")
        }
        "pypi" => {
            let mut bytes = b"\x02\x01\x08pypi.org".to_vec();
            bytes.extend(random.bytes(72));
            format!("pypi-{}", encode(&bytes, true))
        }
        "gitlab" => {
            let text = format!(
                "glpat-{}.01.0w",
                random.text("abcdefghijkmnpqrstuvwxyz23456789", 27)
            );
            let sum = crc36_of(text.as_bytes()).into_iter().map(char::from);
            text.chars().chain(sum).collect()
        }
        "rsa" => armour("RSA PRIVATE KEY", &key(random, &[2, 1, 0])),
        "ec" => armour("EC PRIVATE KEY", &ec(random)),
        "pkcs8" => armour("PRIVATE KEY", &key(random, &[2, 1, 0, 0x30, 0x0D])),
        "pkcs8line" => {
            armour("PRIVATE KEY", &key(random, &[2, 1, 0, 0x30, 0x0D])).replace('\n', "\\n")
        }
        "encrypted" => {
            let data = random.bytes(64);
            let inner = [&[0x30, 4, 6, 2, 42, 3, 4, 64][..], &data].concat();
            armour(
                "ENCRYPTED PRIVATE KEY",
                &[&[0x30, inner.len() as u8][..], &inner].concat(),
            )
        }
        "openssh" => {
            let mut bytes = b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none".to_vec();
            bytes.extend(random.bytes(200));
            armour("OPENSSH PRIVATE KEY", &bytes)
        }
        "pgp" => {
            let mut bytes = vec![0xC5];
            bytes.extend(random.bytes(200));
            armour("PGP PRIVATE KEY BLOCK", &bytes)
        }
        "packed" => encode(
            armour("RSA PRIVATE KEY", &key(random, &[2, 1, 0])).as_bytes(),
            false,
        ),
        _ => return None,
    })
}

/// The outer form of a private key of 2,048 bits around random numbers.
fn key(random: &mut Random, head: &[u8]) -> Vec<u8> {
    let body = match head {
        [.., 0x30, length] => [
            &random.bytes(usize::from(*length))[..],
            &[4, 0x82, 4, 0],
            &random.bytes(1024),
        ]
        .concat(),
        _ => [&[2, 0x82, 1, 1, 0][..], &random.bytes(1000)].concat(),
    };
    let length = (head.len() + body.len()) as u16;
    [&[0x30, 0x82][..], &length.to_be_bytes(), head, &body].concat()
}

fn ec(random: &mut Random) -> Vec<u8> {
    [&[0x30, 37, 2, 1, 1, 4, 32][..], &random.bytes(32)].concat()
}

fn armour(label: &str, bytes: &[u8]) -> String {
    let body = encode(bytes, false);
    let lines = body.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines: Vec<_> = lines.collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----",
        lines.join("\n")
    )
}

fn encode(bytes: &[u8], url_safe: bool) -> String {
    let (plus, slash) = if url_safe { ('-', '_') } else { ('+', '/') };
    let digit = |value: u32| match value & 63 {
        value @ 0..=25 => char::from(b'A' + value as u8),
        value @ 26..=51 => char::from(b'a' + value as u8 - 26),
        value @ 52..=61 => char::from(b'0' + value as u8 - 52),
        62 => plus,
        _ => slash,
    };
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        let count = chunk.len() + 1;
        out.extend((0..count).map(|at| digit(bits >> (18 - 6 * at))));
        if !url_safe {
            out.extend(std::iter::repeat_n('=', 4 - count));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_the_same_every_time() {
        let text = expand("a=<hex:8> <b>bold</b> <uuid> < 3");
        assert_eq!(text, expand("a=<hex:8> <b>bold</b> <uuid> < 3"));
        assert!(
            text.contains(" <b>bold</b> ") && text.ends_with(" < 3"),
            "{text}"
        );
        assert_eq!(
            text.len(),
            "a=".len() + 8 + " <b>bold</b> ".len() + 36 + " < 3".len()
        );
    }

    #[test]
    fn base64_is_what_the_decoder_reads() {
        for length in 0..9 {
            let bytes = Random::new("x").bytes(length);
            for url_safe in [false, true] {
                let text = encode(&bytes, url_safe);
                assert_eq!(crate::base64::decode(text.as_bytes(), 99).unwrap(), bytes);
            }
        }
    }
}
