//! UTF-16 text made UTF-8, as it comes.

/// A decoder that holds what a chunk's end cut in two.
#[derive(Debug)]
pub(crate) struct Utf16 {
    big_endian: bool,
    /// Half of a unit.
    byte: Option<u8>,
    /// Half of a pair.
    high: Option<u16>,
}

impl Utf16 {
    /// Whether a file that starts like this is UTF-16, by its mark or because
    /// every other byte is zero; with the length of the mark.
    pub(crate) fn recognise(head: &[u8]) -> Option<(Utf16, usize)> {
        let decoder = |big_endian| Utf16 {
            big_endian,
            byte: None,
            high: None,
        };
        match head {
            [0xFF, 0xFE, 0, 0, ..] => None,
            [0xFF, 0xFE, ..] => Some((decoder(false), 2)),
            [0xFE, 0xFF, ..] => Some((decoder(true), 2)),
            _ => {
                let pairs = head.get(..head.len().min(64))?.as_chunks::<2>().0;
                let plain = |byte: u8| matches!(byte, 9 | 10 | 13 | 32..=126);
                let is_little = |pair: &[u8; 2]| plain(pair[0]) && pair[1] == 0;
                let is_big = |pair: &[u8; 2]| pair[0] == 0 && plain(pair[1]);
                if pairs.len() < 8 {
                    None
                } else if pairs.iter().all(is_little) {
                    Some((decoder(false), 0))
                } else if pairs.iter().all(is_big) {
                    Some((decoder(true), 0))
                } else {
                    None
                }
            }
        }
    }

    /// Adds `bytes` to `out` as UTF-8; what is no UTF-16 becomes U+FFFD.
    pub(crate) fn decode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            let Some(first) = self.byte.take() else {
                self.byte = Some(*byte);
                continue;
            };
            let pair = [first, *byte];
            let unit = if self.big_endian {
                u16::from_be_bytes(pair)
            } else {
                u16::from_le_bytes(pair)
            };
            let is_high = (0xD800..0xDC00).contains(&unit);
            let is_low = (0xDC00..0xE000).contains(&unit);
            match self.high.take() {
                Some(high) if is_low => push(char::decode_utf16([high, unit]), out),
                lone => {
                    push(char::decode_utf16(lone), out);
                    if is_high {
                        self.high = Some(unit);
                    } else {
                        push(char::decode_utf16([unit]), out);
                    }
                }
            }
        }
    }
}

fn push(units: std::char::DecodeUtf16<impl Iterator<Item = u16>>, out: &mut Vec<u8>) {
    for unit in units {
        let char = unit.unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_decode_over_any_seam() {
        let text = "key = \"ä\u{1F511}\"\nsecond line";
        for big_endian in [false, true] {
            let bytes: Vec<u8> = text
                .encode_utf16()
                .flat_map(|unit| {
                    if big_endian {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect();
            for size in [1, 2, 3, 7, bytes.len()] {
                let mut decoder = Utf16 {
                    big_endian,
                    byte: None,
                    high: None,
                };
                let mut out = Vec::new();
                for chunk in bytes.chunks(size) {
                    decoder.decode(chunk, &mut out);
                }
                assert_eq!(String::from_utf8(out).unwrap(), text);
            }
        }
    }

    #[test]
    fn utf_16_is_told_from_text_and_from_binaries() {
        let wide: Vec<u8> = "password = 1"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert!(Utf16::recognise(&wide).is_some_and(|(one, mark)| !one.big_endian && mark == 0));
        assert!(
            Utf16::recognise(b"\xFE\xFF\0k").is_some_and(|(one, mark)| one.big_endian && mark == 2)
        );
        assert!(Utf16::recognise(b"plain text that is longer than it must be").is_none());
        assert!(Utf16::recognise(&[0; 64]).is_none());
        assert!(Utf16::recognise(b"").is_none());
    }
}
