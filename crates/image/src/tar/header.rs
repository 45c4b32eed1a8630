//! One 512-byte header block (POSIX.1-2017, `pax`, "ustar Interchange Format").

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
    pub(super) fn parse(block: &[u8; BLOCK], at: u64) -> Result<Self, TarError> {
        let field = |from: usize, length: usize| block.get(from..from + length).unwrap_or_default();
        let written = number(field(148, 8)).ok_or(TarError::Checksum(at))?;
        // The checksum's own field counts as spaces.
        let own: u64 = field(148, 8).iter().map(|byte| u64::from(*byte)).sum();
        let unsigned = block.iter().map(|byte| u64::from(*byte)).sum::<u64>() - own + 8 * 32;
        if unsigned != written && signed_sum(block) != i64::try_from(written).unwrap_or(-1) {
            return Err(TarError::Checksum(at));
        }
        let size = number(field(124, 12)).ok_or(TarError::Number(at, "size"))?;
        if size > i64::MAX as u64 - BLOCK as u64 {
            return Err(TarError::Number(at, "size"));
        }
        Ok(Fields {
            block: *block,
            kind: block[156],
            size,
            // Tools leave rubbish here in entries that need none; nothing
            // hangs on it.
            mode: (number(field(100, 8)).unwrap_or(0) & 0o7777) as u32,
            uid: number(field(108, 8)).unwrap_or(0),
            gid: number(field(116, 8)).unwrap_or(0),
        })
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
    pub(super) fn path(&self) -> Vec<u8> {
        let name = text(self.name());
        // Only POSIX archives have a prefix; GNU's use these bytes otherwise.
        let is_posix = self.block.get(257..263) == Some(b"ustar\0".as_slice());
        let prefix = text(self.block.get(345..500).unwrap_or_default());
        if is_posix && !prefix.is_empty() {
            [prefix, b"/", name].concat()
        } else {
            name.to_vec()
        }
    }

    pub(super) fn link(&self) -> &[u8] {
        text(self.block.get(157..257).unwrap_or_default())
    }
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
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A number in octal digits, or in base 256 when the first bit is set.
/// `None` for what is neither, is negative or does not fit.
pub(super) fn number(field: &[u8]) -> Option<u64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(b"\0\0\0\0"), Some(0));
        assert_eq!(number(&[0x80, 0, 0, 1, 0]), Some(256));
        assert_eq!(number(&[0xFF; 12]), None);
        assert_eq!(number(b"12x"), None);
        assert_eq!(number(b"777777777777777777777777"), None);
    }
}
