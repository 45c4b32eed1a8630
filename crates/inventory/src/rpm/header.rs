//! rpm's header: a table of tags over a store of bytes (rpm manual, "Header
//! format"). The database stores it without its magic number.

use std::borrow::Cow;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Tags that are read (rpmtag.h).
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Tag {
    Sha1Header = 269,
    Sha256Header = 273,
    Name = 1000,
    Version = 1001,
    Release = 1002,
    Epoch = 1003,
    License = 1014,
    Arch = 1022,
    OldFileNames = 1027,
    SourceRpm = 1044,
    ProvideName = 1047,
    RequireName = 1049,
    DirIndexes = 1116,
    BaseNames = 1117,
    DirNames = 1118,
    ModularityLabel = 5096,
}

/// `RPMTAG_HEADERIMMUTABLE`: the part of the header that was built, before
/// installing added to it.
const REGION: u32 = 63;

const INT32: u32 = 4;
const STRING: u32 = 6;
const BIN: u32 = 7;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// rpm's own bound on the table (header.c).
const MOST_ENTRIES: usize = 0xFFFF;
/// Folders of one package: a hundred times what the largest have.
const MOST_DIRS: usize = 1 << 20;

/// One package's header.
pub(crate) struct Header<'a> {
    table: &'a [[u8; 16]],
    store: &'a [u8],
}

/// One row of the table.
#[derive(Clone, Copy)]
struct Row {
    tag: u32,
    kind: u32,
    offset: u32,
    count: u32,
}

impl Row {
    fn read(bytes: &[u8; 16]) -> Self {
        let (words, _) = bytes.as_chunks::<4>();
        let word = |index: usize| words.get(index).copied().map_or(0, u32::from_be_bytes);
        Row {
            tag: word(0),
            kind: word(1),
            offset: word(2),
            count: word(3),
        }
    }
}

impl<'a> Header<'a> {
    /// `None` when the bytes are no header.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (entries, rest) = bytes.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let entries = usize::try_from(u32::from_be_bytes(*entries)).ok()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        if entries > MOST_ENTRIES {
            return None;
        }
        let (table, store) = rest.split_at_checked(entries.checked_mul(16)?)?;
        let (table, _) = table.as_chunks::<16>();
        // The row of the database holds the header and nothing else.
        (store.len() == length).then_some(Header { table, store })
    }

    /// Whether the header is what its builder's digest says: `None` when it
    /// bears none, as packages from before rpm 4.0 and keys. SHA-256 came with
    /// rpm 4.14; before it there was SHA-1 alone.
    ///
    /// The digest is taken over the header as it was in the package file: its
    /// magic number, and the table and store of the immutable region.
    pub(crate) fn is_intact(&self) -> Option<bool> {
        let (digest, is_long) = match self.text(Tag::Sha256Header) {
            Some(digest) => (digest, true),
            None => (self.text(Tag::Sha1Header)?, false),
        };
        let Some((table, store)) = self.region() else {
            return Some(false);
        };
        let lengths = [table.len(), store.len()].map(|length| {
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            length.to_be_bytes()
        });
        let parts = [
            &[0x8E, 0xAD, 0xE8, 0x01, 0, 0, 0, 0],
            lengths.as_flattened(),
            table.as_flattened(),
            store,
        ];
        Some(if is_long {
            hex::<Sha256>(parts) == digest
        } else {
            hex::<Sha1>(parts) == digest
        })
    }

    /// The table and store of the immutable region: its first row points to a
    /// trailer, whose negative offset tells how many rows belong to it.
    fn region(&self) -> Option<(&'a [[u8; 16]], &'a [u8])> {
        let first = Row::read(self.table.first()?);
        if (first.tag, first.kind, first.count) != (REGION, BIN, 16) {
            return None;
        }
        let at = usize::try_from(first.offset).ok()?;
        let trailer = self.store.get(at..)?.first_chunk::<16>()?;
        let back = Row::read(trailer).offset.cast_signed().checked_neg()?;
        let rows = usize::try_from(back).ok()? / 16;
        Some((self.table.get(..rows)?, self.store.get(..at + 16)?))
    }

    fn find(&self, tag: Tag) -> Option<(u32, &'a [u8], usize)> {
        let rows = self.table.iter().map(Row::read);
        let row = { rows }.find(|row| row.tag == tag as u32)?;
        let offset = usize::try_from(row.offset).ok()?;
        let count = usize::try_from(row.count).ok()?;
        Some((row.kind, self.store.get(offset..)?, count))
    }

    /// A string; of translated ones the first, which is not translated.
    pub(crate) fn text(&self, tag: Tag) -> Option<Cow<'a, str>> {
        let (kind, bytes, _) = self.find(tag)?;
        if !matches!(kind, STRING | I18N_STRING | STRING_ARRAY) {
            return None;
        }
        let end = string_end(bytes)?;
        Some(String::from_utf8_lossy(bytes.get(..end)?))
    }

    /// Strings of an array; fewer than declared when the store ends early.
    pub(crate) fn texts(&self, tag: Tag) -> impl Iterator<Item = Cow<'a, str>> {
        let (mut bytes, count): (&'a [u8], usize) = match self.find(tag) {
            Some((STRING_ARRAY, bytes, count)) => (bytes, count),
            _ => (&[], 0),
        };
        let mut left = count;
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let end = string_end(bytes)?;
            let (text, rest) = bytes.split_at_checked(end)?;
            bytes = rest.get(1..).unwrap_or_default();
            Some(String::from_utf8_lossy(text))
        })
    }

    /// Numbers of an array.
    pub(crate) fn numbers(&self, tag: Tag) -> impl Iterator<Item = u32> {
        let (bytes, count): (&'a [u8], usize) = match self.find(tag) {
            Some((INT32, bytes, count)) => (bytes, count),
            _ => (&[], 0),
        };
        let (numbers, _) = bytes.as_chunks::<4>();
        numbers
            .iter()
            .take(count)
            .map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// The files: folder and name of each. Packages from before rpm 4 list
    /// whole paths.
    pub(crate) fn files(&self, mut visit: impl FnMut(&str, &str)) {
        let dirs: Vec<_> = self.texts(Tag::DirNames).take(MOST_DIRS).collect();
        for (base, index) in self
            .texts(Tag::BaseNames)
            .zip(self.numbers(Tag::DirIndexes))
        {
            if let Some(dir) = usize::try_from(index)
                .ok()
                .and_then(|index| dirs.get(index))
            {
                visit(dir, &base);
            }
        }
        for path in self.texts(Tag::OldFileNames) {
            visit("", path.trim_start_matches('/'));
        }
    }
}

/// A digest as headers keep it.
fn hex<D: Digest>(parts: [&[u8]; 4]) -> String {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles
        .filter_map(|nibble| char::from_digit(nibble.into(), 16))
        .collect()
}

/// Where the string ends.
fn string_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(tag: u32, kind: u32, offset: u32, count: u32) -> Vec<u8> {
        [tag, kind, offset, count].map(u32::to_be_bytes).concat()
    }

    #[test]
    fn a_header_that_lies_is_refused_or_short() {
        let mut bytes = [1u32.to_be_bytes(), 4u32.to_be_bytes()].concat();
        bytes.extend(entry(1000, STRING, 0, 1));
        bytes.extend(b"abc\0");
        let header = Header::parse(&bytes).unwrap();
        assert_eq!(header.text(Tag::Name).as_deref(), Some("abc"));
        assert_eq!(header.is_intact(), None);
        for end in 0..bytes.len() {
            assert!(Header::parse(&bytes[..end]).is_none());
        }
        let mut far = [1u32.to_be_bytes(), 1u32.to_be_bytes()].concat();
        far.extend(entry(1000, STRING, 0xFFFF_FFFF, 1));
        far.push(b'x');
        assert_eq!(Header::parse(&far).unwrap().text(Tag::Name), None);
    }

    #[test]
    fn counts_beyond_the_store_end_with_it() {
        let mut bytes = [2u32.to_be_bytes(), 12u32.to_be_bytes()].concat();
        bytes.extend(entry(Tag::BaseNames as u32, STRING_ARRAY, 0, u32::MAX));
        bytes.extend(entry(Tag::DirIndexes as u32, INT32, 4, u32::MAX));
        bytes.extend(b"a\0b\xFF\0\0\0\0\0\0\0x");
        let header = Header::parse(&bytes).unwrap();
        // The last string has no end, so it is none.
        assert_eq!(header.texts(Tag::BaseNames).count(), 8);
        assert_eq!(
            header.texts(Tag::BaseNames).nth(1).as_deref(),
            Some("b\u{FFFD}")
        );
        assert_eq!(header.numbers(Tag::DirIndexes).count(), 2);
        header.files(|_, _| panic!("there are no folders"));
    }
}
