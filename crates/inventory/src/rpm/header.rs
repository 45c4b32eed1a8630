//! rpm's header: a table of tags over a store of bytes (rpm manual, "Header
//! format"). The database stores it without its magic number.

/// Tags that are read (rpmtag.h).
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Tag {
    Name = 1000,
    Version = 1001,
    Release = 1002,
    Epoch = 1003,
    License = 1014,
    Arch = 1022,
    SourceRpm = 1044,
    DirIndexes = 1116,
    BaseNames = 1117,
    DirNames = 1118,
    ModularityLabel = 5096,
}

const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// rpm's own bounds (header.c): a table of 64 Ki entries, a store of 256 MiB.
const MOST_ENTRIES: usize = 0xFFFF;

/// One package's header.
pub(crate) struct Header<'a> {
    table: &'a [[u8; 16]],
    store: &'a [u8],
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
        Some(Header {
            table,
            store: store.get(..length)?,
        })
    }

    fn find(&self, tag: Tag) -> Option<(u32, &'a [u8], usize)> {
        let number = |entry: &[u8; 16], at: usize| {
            let bytes = entry
                .get(at..at + 4)
                .and_then(|bytes| bytes.try_into().ok());
            u32::from_be_bytes(bytes.unwrap_or_default())
        };
        let entry = self
            .table
            .iter()
            .find(|entry| number(entry, 0) == tag as u32)?;
        let offset = usize::try_from(number(entry, 8)).ok()?;
        let count = usize::try_from(number(entry, 12)).ok()?;
        Some((number(entry, 4), self.store.get(offset..)?, count))
    }

    /// A string; of translated ones the first, which is not translated.
    pub(crate) fn text(&self, tag: Tag) -> Option<&'a str> {
        let (kind, bytes, _) = self.find(tag)?;
        if !matches!(kind, STRING | I18N_STRING | STRING_ARRAY) {
            return None;
        }
        let end = bytes.iter().position(|byte| *byte == 0)?;
        std::str::from_utf8(bytes.get(..end)?).ok()
    }

    /// Strings of an array; fewer than declared when the store ends early.
    pub(crate) fn texts(&self, tag: Tag) -> Vec<&'a str> {
        let Some((STRING_ARRAY, bytes, count)) = self.find(tag) else {
            return Vec::new();
        };
        bytes
            .split(|byte| *byte == 0)
            .take(count)
            .map(|text| std::str::from_utf8(text).unwrap_or_default())
            .collect()
    }

    /// Numbers of an array.
    pub(crate) fn numbers(&self, tag: Tag) -> Vec<u32> {
        let Some((INT32, bytes, count)) = self.find(tag) else {
            return Vec::new();
        };
        let (numbers, _) = bytes.as_chunks::<4>();
        numbers
            .iter()
            .take(count)
            .map(|bytes| u32::from_be_bytes(*bytes))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_lies_is_refused_or_short() {
        let entry = |tag: u32, kind: u32, offset: u32, count: u32| {
            [tag, kind, offset, count].map(u32::to_be_bytes).concat()
        };
        let mut bytes = [1u32.to_be_bytes(), 4u32.to_be_bytes()].concat();
        bytes.extend(entry(1000, STRING, 0, 1));
        bytes.extend(b"abc\0");
        assert_eq!(Header::parse(&bytes).unwrap().text(Tag::Name), Some("abc"));
        for end in 0..bytes.len() {
            assert!(Header::parse(&bytes[..end]).is_none());
        }
        let mut far = [1u32.to_be_bytes(), 1u32.to_be_bytes()].concat();
        far.extend(entry(1000, STRING, 0xFFFF_FFFF, 1));
        far.push(b'x');
        assert_eq!(Header::parse(&far).unwrap().text(Tag::Name), None);
    }
}
