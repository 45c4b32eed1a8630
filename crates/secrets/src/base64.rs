//! Base64 (RFC 4648), both alphabets, leniently: line breaks and padding are
//! passed over.

fn value(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// The bytes that `text` stands for, at most `most`; `None` when it holds
/// anything else.
pub(crate) fn decode(text: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity((text.len() / 4 * 3).min(most));
    let (mut bits, mut held) = (0u32, 0);
    for byte in text {
        if matches!(byte, b'=' | b'\n' | b'\r' | b' ' | b'\t') {
            continue;
        }
        bits = bits << 6 | u32::from(value(*byte)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            if out.len() == most {
                return Some(out);
            }
            out.push((bits >> held) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9v\nYmFy", "foobar"),
        ] {
            assert_eq!(decode(text.as_bytes(), 100).unwrap(), bytes.as_bytes());
        }
        assert_eq!(decode(b"-_-_", 9), decode(b"+/+/", 9));
        assert_eq!(decode(b"Zm9vYmFy", 2).unwrap(), b"fo");
        assert!(decode(b"Zm9*", 9).is_none());
    }
}
