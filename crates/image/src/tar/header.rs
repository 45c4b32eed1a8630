//! One 512-byte header block (POSIX.1-2017, `pax`, "ustar Interchange Format").

use std::borrow::Cow;

use super::TarError;
use crate::EntryKind;

/// Bytes of a block.
pub(super) const BLOCK: usize = 512;

/// Bytes up to the next block.
pub(super) fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

/// What a header block says.
pub(super) struct Fields {
    block: [u8; BLOCK],
    pub(super) kind: u8,
    pub(super) size: u64,
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
}

impl Default for Fields {
    fn default() -> Self {
        Fields {
            block: [0; BLOCK],
            kind: b'0',
            size: 0,
            mode: 0,
            uid: 0,
            gid: 0,
        }
    }
}

impl Fields {
    /// Takes the fields of the block at offset `at`. In place: half a kilobyte
    /// is too much to move about for each of a million entries.
    pub(super) fn read(&mut self, block: &[u8; BLOCK], at: u64) -> Result<(), TarError> {
        let field = |from: usize, length: usize| block.get(from..from + length).unwrap_or_default();
        let written = number(field(148, 8)).ok_or(TarError::Checksum(at))?;
        // The checksum's own field counts as spaces.
        let own: u64 = field(148, 8).iter().map(|byte| u64::from(*byte)).sum();
        let unsigned = sum(block) - own + 8 * 32;
        if unsigned != written && signed_sum(block) != i64::try_from(written).unwrap_or(-1) {
            return Err(TarError::Checksum(at));
        }
        let size = number(field(124, 12)).ok_or(TarError::Number(at, "size"))?;
        if size > i64::MAX as u64 - BLOCK as u64 {
            return Err(TarError::Number(at, "size"));
        }
        self.block.copy_from_slice(block);
        self.kind = block[156];
        self.size = size;
        // Tools leave rubbish here in entries that need none; nothing hangs on
        // it.
        self.mode = (number(field(100, 8)).unwrap_or(0) & 0o7777) as u32;
        self.uid = number(field(108, 8)).unwrap_or(0);
        self.gid = number(field(116, 8)).unwrap_or(0);
        Ok(())
    }

    pub(super) fn entry_kind(&self, is_whole_name: bool) -> EntryKind {
        match self.kind {
            b'1' => EntryKind::HardLink,
            b'2' => EntryKind::Symlink,
            b'3' | b'4' | b'6' => EntryKind::Special,
            b'5' | b'D' => EntryKind::Directory,
            // v7 marks a directory by a slash at the end of its name; a long
            // name that was cut off here may end in one by chance.
            0 | b'0' if is_whole_name && text(self.name()).ends_with(b"/") => EntryKind::Directory,
            // POSIX: an unknown type is to be taken for a regular file.
            _ => EntryKind::File,
        }
    }

    fn name(&self) -> &[u8] {
        self.block.get(..100).unwrap_or_default()
    }

    /// The name with ustar's prefix before it.
    pub(super) fn path(&self) -> Cow<'_, [u8]> {
        let name = text(self.name());
        // Only POSIX archives have a prefix; GNU's use these bytes otherwise.
        let is_posix = self.block.get(257..263) == Some(b"ustar\0".as_slice());
        let prefix = text(self.block.get(345..500).unwrap_or_default());
        if is_posix && !prefix.is_empty() {
            Cow::Owned([prefix, b"/", name].concat())
        } else {
            Cow::Borrowed(name)
        }
    }

    pub(super) fn link(&self) -> &[u8] {
        text(self.block.get(157..257).unwrap_or_default())
    }
}

/// The sum of all bytes: eight at a time, in four lanes of sixteen bits. None
/// overflows: 64 words add at most 2 × 255 each.
fn sum(block: &[u8; BLOCK]) -> u64 {
    const EVEN: u64 = 0x00FF_00FF_00FF_00FF;
    let (words, _) = block.as_chunks::<8>();
    let lanes = words
        .iter()
        .map(|word| u64::from_le_bytes(*word))
        .fold(0, |lanes, word| lanes + (word & EVEN) + (word >> 8 & EVEN));
    (lanes & 0xFFFF) + (lanes >> 16 & 0xFFFF) + (lanes >> 32 & 0xFFFF) + (lanes >> 48)
}

/// Some old tars sum signed bytes.
fn signed_sum(block: &[u8; BLOCK]) -> i64 {
    block
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                i64::from(*byte as i8)
            }
        })
        .sum()
}

/// Bytes up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    field.get(..end).unwrap_or_default()
}

/// A number in octal digits, or in base 256 when the first bit is set.
/// `None` for what is neither, is negative or does not fit.
pub(super) fn number(field: &[u8]) -> Option<u64> {
    if let Some(value) = padded_octal(field) {
        return Some(value);
    }
    let (first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        // 0xFF starts a negative number.
        return std::iter::once(first & 0x7F)
            .chain(rest.iter().copied())
            .try_fold(0u64, |value, byte| {
                if value >> 56 != 0 {
                    None
                } else {
                    Some(value << 8 | u64::from(byte))
                }
            });
    }
    let mut value = 0u64;
    let mut digits = field.iter().skip_while(|byte| **byte == b' ');
    for byte in digits.by_ref() {
        match byte {
            b'0'..=b'7' => value = value.checked_mul(8)? + u64::from(byte - b'0'),
            0 | b' ' => break,
            _ => return None,
        }
    }
    Some(value)
}

/// What nearly all fields hold: octal digits from the first byte on, then NUL
/// or a space, or as many digits as fit. Eight at a time; `None` for any other
/// form, valid or not.
fn padded_octal(field: &[u8]) -> Option<u64> {
    let (head, tail) = field.split_first_chunk::<8>()?;
    let (value, digits) = octal_digits(u64::from_be_bytes(*head))?;
    if digits < 8 || tail.is_empty() {
        return (digits > 0).then_some(value);
    }
    let tail = <[u8; 4]>::try_from(tail).ok()?;
    let (low, digits) = octal_digits(u64::from(u32::from_be_bytes(tail)) << 32)?;
    Some(value << (3 * digits) | low)
}

/// The number that the first digits of eight characters make, and how many
/// there are. `None` when something else than NUL or a space ends them.
fn octal_digits(word: u64) -> Option<(u64, u32)> {
    let bits = word ^ 0x3030_3030_3030_3030;
    let digits = (bits & 0xF8F8_F8F8_F8F8_F8F8).leading_zeros() / 8;
    if digits < 8 && !matches!((word << (8 * digits)).to_be_bytes()[0], 0 | b' ') {
        return None;
    }
    // Three bits of each byte, brought together in lanes of twice the width.
    let pairs = bits >> 5 & 0x0038_0038_0038_0038 | bits & 0x0007_0007_0007_0007;
    let fours = pairs >> 10 & 0x0000_0FC0_0000_0FC0 | pairs & 0x0000_003F_0000_003F;
    let all = fours >> 20 & 0xFFF000 | fours & 0xFFF;
    Some((all >> (3 * (8 - digits)), digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_all_bytes() {
        let mut block = [0xFF; BLOCK];
        assert_eq!(sum(&block), 512 * 255);
        for (at, byte) in block.iter_mut().enumerate() {
            *byte = (at * 7 % 251) as u8;
        }
        let plain: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        assert_eq!(sum(&block), plain);
    }

    #[test]
    fn numbers_are_octal_or_base_256() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(b"\0\0\0\0"), Some(0));
        assert_eq!(number(&[0x80, 0, 0, 1, 0]), Some(256));
        assert_eq!(number(&[0xFF; 12]), None);
        assert_eq!(number(b"12x"), None);
        assert_eq!(number(b"777777777777777777777777"), None);
        assert_eq!(number(b"77777777"), Some(0o7777_7777));
        assert_eq!(number(b"777777777777"), Some(0o7777_7777_7777));
        assert_eq!(number(b"00000001750\0"), Some(0o1750));
        assert_eq!(number(b"000000017508"), None);
        assert_eq!(number(b"0000017\x01"), None);
    }

    #[test]
    fn eight_digits_at_a_time_are_as_one_by_one() {
        // Every end at every place, and every digit at every place.
        for length in [8, 12] {
            for at in 0..length {
                for byte in [0, b' ', b'0', b'3', b'7', b'8', b'/', b'x', 0x80, 0xB1] {
                    let mut field = *b"123456701234";
                    field[at] = byte;
                    let field = &field[..length];
                    let digits: Vec<u8> = field.to_vec();
                    let end = digits.iter().position(|byte| !byte.is_ascii_digit());
                    let (head, rest) = digits.split_at(end.unwrap_or(length));
                    let text = std::str::from_utf8(head).expect("digits");
                    let ends_well = rest.first().is_none_or(|end| matches!(end, 0 | b' '));
                    let want = match u64::from_str_radix(text, 8) {
                        Ok(value) if ends_well => Some(value),
                        _ => None,
                    };
                    if let Some(value) = padded_octal(field) {
                        assert_eq!(Some(value), want, "{field:?}");
                    } else {
                        assert!(want.is_none() || at == 0, "{field:?}");
                    }
                }
            }
        }
    }
}
