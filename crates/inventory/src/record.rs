//! Evidence between the layer that it comes from and the packages that it
//! becomes: records of text fields, bounded, in a form that the cache keeps.
//!
//! A list of records: each a count of fields and, for each field, its length
//! and its bytes.

use seawall_model::{Gap, GapKind};

/// Marks a record that is a gap.
const GAP: &str = "!gap";

/// Writes records.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// Adds a record.
    pub(crate) fn push(&mut self, fields: &[&str]) {
        self.number(fields.len());
        for field in fields {
            self.number(field.len());
            self.0.extend_from_slice(field.as_bytes());
        }
    }

    /// Says that something in the file could not be used.
    pub(crate) fn gap(&mut self, kind: GapKind, reason: &str) {
        self.push(&[GAP, kind.as_str(), reason]);
    }

    fn number(&mut self, number: usize) {
        // Fields are bounded by the size of the file that they come from.
        self.0
            .extend_from_slice(&u32::try_from(number).unwrap_or(0).to_le_bytes());
    }

    /// The evidence; `None` when there is no record.
    pub(crate) fn finish(self) -> Option<Vec<u8>> {
        (!self.0.is_empty()).then_some(self.0)
    }
}

/// Reads records back.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader(bytes)
    }

    fn number(&mut self) -> Option<usize> {
        let (number, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        usize::try_from(u32::from_le_bytes(*number)).ok()
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let count = self.number()?;
        let mut fields = Vec::with_capacity(count.min(16));
        for _ in 0..count {
            let length = self.number()?;
            let (field, rest) = self.0.split_at_checked(length)?;
            self.0 = rest;
            fields.push(std::str::from_utf8(field).ok()?);
        }
        Some(Record(fields))
    }
}

/// One record.
#[derive(Clone, Debug)]
pub(crate) struct Record<'a>(Vec<&'a str>);

impl<'a> Record<'a> {
    /// The field at `index`; empty when there is none.
    pub(crate) fn get(&self, index: usize) -> &'a str {
        self.0.get(index).copied().unwrap_or_default()
    }

    /// All of its fields.
    pub(crate) fn fields(&self) -> &[&'a str] {
        &self.0
    }

    /// The gap that it is, if it is one, of the file at `path`.
    pub(crate) fn gap(&self, path: &str) -> Option<Gap> {
        const KINDS: [GapKind; 4] = [
            GapKind::Unsupported,
            GapKind::Missing,
            GapKind::Damaged,
            GapKind::Limit,
        ];
        if self.get(0) != GAP {
            return None;
        }
        let kind = KINDS.into_iter().find(|kind| kind.as_str() == self.get(1));
        let kind = kind.unwrap_or(GapKind::Unsupported);
        Some(Gap::new(kind, path, self.get(2)))
    }

    /// The same, unless it is empty.
    pub(crate) fn some(&self, index: usize) -> Option<String> {
        let field = self.get(index);
        (!field.is_empty()).then(|| field.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back() {
        let mut writer = Writer::default();
        writer.push(&["a", "", "ü\n"]);
        writer.push(&[]);
        let bytes = writer.finish().unwrap();
        let records: Vec<_> = Reader::new(&bytes).collect();
        assert_eq!(records.len(), 2);
        assert_eq!((records[0].get(2), records[0].get(9)), ("ü\n", ""));
        assert_eq!(Reader::new(&bytes[..9]).count(), 0);
    }
}
