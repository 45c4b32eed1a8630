//! A reader of the tables of a SQLite file (sqlite.org/fileformat2.html), no
//! more than package databases need: table b-trees with overflow pages.
//!
//! The file is hostile until proven otherwise: no page is visited twice, every
//! length is held against the page that it lies in, and cells that share bytes
//! cannot make more of the file than it holds. A damaged page costs the rows
//! below it; the others are read.

use std::io;

use seawall_image::Body;

use crate::{bytes::Bytes, faults::Faults};

/// Why nothing can be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("it is no SQLite 3 database")]
    NotSqlite,
    #[error("there is no table `{0}`")]
    NoTable(&'static str),
    #[error("there is no table `{0}`: {1}")]
    NoSchema(&'static str, Fault),
}

/// Why a page, and what hangs on it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("page {0} cannot be read: {1}")]
    Read(u64, io::Error),
    #[error("page {0} is not there")]
    Missing(u64),
    #[error("page {0} is malformed")]
    Page(u64),
    #[error("page {0} is reached twice")]
    Loop(u64),
    #[error("page {0} holds a record of more than {RECORD_LIMIT} bytes")]
    Large(u64),
    #[error("page {0} repeats bytes that were read before")]
    Repeats(u64),
}

/// Bytes of one record: the largest headers of rpm have some megabytes.
const RECORD_LIMIT: u64 = 64 << 20;
/// Bytes of a write-ahead log that hold no page yet (section 4.1).
pub(crate) const EMPTY_LOG: u64 = 32;
/// Levels of a b-tree; SQLite's own bound is 20.
const MOST_DEEP: usize = 20;
/// Columns of a table: Nix's have nine at most, the schema has five.
const MOST_COLUMNS: usize = 64;

/// An open database.
pub(crate) struct Database<'a> {
    bytes: Bytes<'a>,
    page_size: u64,
    usable: u64,
    pages: u64,
}

impl<'a> Database<'a> {
    /// Reads the file's header (section 1.3).
    pub(crate) fn open(body: &Body<'a>) -> Result<Self, OpenError> {
        let bytes = Bytes::body(body);
        let mut head = [0; 100];
        bytes
            .read_into(&mut head, 0)
            .map_err(|_| OpenError::NotSqlite)?;
        if !head.starts_with(b"SQLite format 3\0") {
            return Err(OpenError::NotSqlite);
        }
        let page_size = match u16::from_be_bytes([head[16], head[17]]) {
            1 => 65536,
            size if size.is_power_of_two() && size >= 512 => u64::from(size),
            _ => return Err(OpenError::NotSqlite),
        };
        let usable = page_size - u64::from(head[20]);
        if usable < 480 {
            return Err(OpenError::NotSqlite);
        }
        Ok(Database {
            bytes,
            page_size,
            usable,
            pages: bytes.length() / page_size,
        })
    }

    /// Hands every row of `table` to `visit`, its id and its columns, in the
    /// order of the ids.
    ///
    /// # Errors
    /// When the table cannot be found.
    pub(crate) fn rows(
        &self,
        table: &'static str,
        visit: &mut dyn FnMut(u64, &[Column<'_>]),
    ) -> Result<Faults<Fault>, OpenError> {
        let mut root = None;
        // Page 1 holds the schema: type, name, tbl_name, rootpage, sql.
        let faults = self.walk(1, &mut |_, columns| {
            if let [kind, name, _, page, ..] = columns
                && kind.bytes == b"table"
                && name.bytes == table.as_bytes()
            {
                root = Some(page.integer());
            }
        });
        match (root, faults.into_first()) {
            (Some(root), _) => Ok(self.walk(root, visit)),
            (None, Some(fault)) => Err(OpenError::NoSchema(table, fault)),
            (None, None) => Err(OpenError::NoTable(table)),
        }
    }

    fn walk(&self, root: u64, visit: &mut dyn FnMut(u64, &[Column<'_>])) -> Faults<Fault> {
        let words = usize::try_from(self.pages / 64 + 1).unwrap_or(0);
        let mut walk = Walk {
            database: self,
            visit,
            seen: vec![0; words],
            left: self.bytes.length(),
            faults: Faults::default(),
        };
        walk.tree(root, 0);
        walk.faults
    }

    fn page(&self, number: u64) -> Result<Page, Fault> {
        let mut bytes = vec![0; usize::try_from(self.page_size).unwrap_or(0)];
        let offset = (number - 1) * self.page_size;
        self.bytes
            .read_into(&mut bytes, offset)
            .map_err(|error| Fault::Read(number, error))?;
        Ok(Page { number, bytes })
    }
}

/// One page in memory.
struct Page {
    number: u64,
    bytes: Vec<u8>,
}

impl Page {
    fn be16(&self, at: usize) -> Result<usize, Fault> {
        let bytes = self
            .bytes
            .get(at..)
            .and_then(|bytes| bytes.first_chunk::<2>());
        bytes
            .map(|bytes| usize::from(u16::from_be_bytes(*bytes)))
            .ok_or(Fault::Page(self.number))
    }

    fn be32(&self, at: usize) -> Result<u64, Fault> {
        let bytes = self
            .bytes
            .get(at..)
            .and_then(|bytes| bytes.first_chunk::<4>());
        bytes
            .map(|bytes| u64::from(u32::from_be_bytes(*bytes)))
            .ok_or(Fault::Page(self.number))
    }
}

/// One pass over the b-tree of a table (section 1.6).
struct Walk<'w, 'a> {
    database: &'w Database<'a>,
    visit: &'w mut dyn FnMut(u64, &[Column<'_>]),
    /// One bit for each page.
    seen: Vec<u64>,
    /// Bytes of payload that the file can still hold.
    left: u64,
    faults: Faults<Fault>,
}

impl Walk<'_, '_> {
    /// A page that was not visited before.
    fn page(&mut self, number: u64) -> Result<Page, Fault> {
        if number == 0 || number > self.database.pages {
            return Err(Fault::Missing(number));
        }
        let word = usize::try_from(number / 64).unwrap_or(usize::MAX);
        let word = self.seen.get_mut(word).ok_or(Fault::Missing(number))?;
        let bit = 1 << (number % 64);
        if *word & bit != 0 {
            return Err(Fault::Loop(number));
        }
        *word |= bit;
        self.database.page(number)
    }

    fn tree(&mut self, number: u64, depth: usize) {
        if depth > MOST_DEEP {
            return self.faults.add(Fault::Loop(number));
        }
        if let Err(fault) = self.node(number, depth) {
            self.faults.add(fault);
        }
    }

    fn node(&mut self, number: u64, depth: usize) -> Result<(), Fault> {
        let page = self.page(number)?;
        // The first page starts with the file's header.
        let start = if number == 1 { 100 } else { 0 };
        let cells = page.be16(start + 3)?;
        match page.bytes.get(start) {
            Some(0x05) => {
                for cell in 0..cells {
                    let at = page.be16(start + 12 + cell * 2)?;
                    match page.be32(at) {
                        Ok(child) => self.tree(child, depth + 1),
                        Err(fault) => self.faults.add(fault),
                    }
                }
                self.tree(page.be32(start + 8)?, depth + 1);
            }
            Some(0x0D) => {
                for cell in 0..cells {
                    let at = page.be16(start + 8 + cell * 2)?;
                    if let Err(fault) = self.row(&page, at) {
                        self.faults.add(fault);
                    }
                }
            }
            _ => return Err(Fault::Page(number)),
        }
        Ok(())
    }

    fn row(&mut self, page: &Page, at: usize) -> Result<(), Fault> {
        let bad = || Fault::Page(page.number);
        let mut cell = page.bytes.get(at..).ok_or_else(bad)?;
        let length = varint(&mut cell).ok_or_else(bad)?;
        let id = varint(&mut cell).ok_or_else(bad)?;
        let record = self.payload(page, cell, length)?;
        let columns = columns(&record).ok_or_else(bad)?;
        (self.visit)(id, &columns);
        Ok(())
    }

    /// The payload of a leaf cell, with its overflow pages.
    fn payload(&mut self, page: &Page, cell: &[u8], length: u64) -> Result<Vec<u8>, Fault> {
        let bad = || Fault::Page(page.number);
        if length > RECORD_LIMIT {
            return Err(Fault::Large(page.number));
        }
        self.left = self
            .left
            .checked_sub(length)
            .ok_or(Fault::Repeats(page.number))?;
        // How much stays in the cell.
        let usable = self.database.usable;
        let most = usable - 35;
        let local = if length <= most {
            length
        } else {
            let least = (usable - 12) * 32 / 255 - 23;
            let spill = least + (length - least) % (usable - 4);
            if spill <= most { spill } else { least }
        };
        let local = usize::try_from(local).map_err(|_| bad())?;
        let length = usize::try_from(length).map_err(|_| bad())?;
        let (record, rest) = cell.split_at_checked(local).ok_or_else(bad)?;
        let mut record = record.to_vec();
        if record.len() == length {
            return Ok(record);
        }
        let mut link = *rest.first_chunk::<4>().ok_or_else(bad)?;
        let usable = usize::try_from(usable).map_err(|_| bad())?;
        while record.len() < length {
            let page = self.page(u64::from(u32::from_be_bytes(link)))?;
            let content = page
                .bytes
                .get(..usable)
                .and_then(|bytes| bytes.split_first_chunk::<4>());
            let (next, content) = content.ok_or(Fault::Page(page.number))?;
            let some = content.len().min(length - record.len());
            record.extend_from_slice(content.get(..some).unwrap_or_default());
            link = *next;
        }
        Ok(record)
    }
}

/// A big-endian number of one to nine bytes (section 1.6).
fn varint(left: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for index in 0..9 {
        let (byte, rest) = left.split_first()?;
        *left = rest;
        if index == 8 {
            return Some(value << 8 | u64::from(*byte));
        }
        value = value << 7 | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(value)
}

/// One column of a row.
pub(crate) struct Column<'a> {
    kind: u64,
    bytes: &'a [u8],
}

impl<'a> Column<'a> {
    /// The content, when it is a blob.
    pub(crate) fn blob(&self) -> Option<&'a [u8]> {
        (self.kind >= 12 && self.kind.is_multiple_of(2)).then_some(self.bytes)
    }

    /// The content, when it is text.
    pub(crate) fn text(&self) -> Option<&'a str> {
        let is_text = self.kind >= 13 && !self.kind.is_multiple_of(2);
        is_text.then(|| std::str::from_utf8(self.bytes).ok())?
    }

    /// The content as a number that is not negative; 0 for what is none.
    pub(crate) fn integer(&self) -> u64 {
        match self.kind {
            9 => 1,
            1..=6 => self
                .bytes
                .iter()
                .fold(0, |value, byte| value << 8 | u64::from(*byte)),
            _ => 0,
        }
    }
}

/// The columns of a record (section 2.1).
fn columns(record: &[u8]) -> Option<Vec<Column<'_>>> {
    let mut rest = record;
    let header = usize::try_from(varint(&mut rest)?).ok()?;
    let mut kinds = record.get(record.len() - rest.len()..header)?;
    let mut content = record.get(header..)?;
    let mut columns = Vec::new();
    while !kinds.is_empty() {
        if columns.len() == MOST_COLUMNS {
            return None;
        }
        let kind = varint(&mut kinds)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => (kind - 12) / 2,
        };
        let (bytes, after) = content.split_at_checked(usize::try_from(length).ok()?)?;
        content = after;
        columns.push(Column { kind, bytes });
    }
    Some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_one_to_nine_bytes() {
        let read = |mut bytes: &[u8]| varint(&mut bytes).map(|value| (value, bytes.len()));
        assert_eq!(read(&[0x7F, 1]), Some((127, 1)));
        assert_eq!(read(&[0x81, 0x00]), Some((128, 0)));
        assert_eq!(read(&[0xFF; 9]), Some((u64::MAX, 0)));
        assert_eq!(read(&[0x80; 8]), None);
    }

    /// A database of one leaf page, whose cells all point to the same bytes.
    #[test]
    fn cells_that_share_bytes_do_not_multiply_them() {
        let mut page = vec![0u8; 65536];
        page[..16].copy_from_slice(b"SQLite format 3\0");
        page[16..18].copy_from_slice(&[0, 1]);
        let cells = 16_000u16;
        page[100] = 0x0D;
        page[103..105].copy_from_slice(&cells.to_be_bytes());
        let at = 108 + usize::from(cells) * 2;
        for cell in 0..usize::from(cells) {
            let pointer = u16::try_from(at).unwrap().to_be_bytes();
            page[108 + cell * 2..110 + cell * 2].copy_from_slice(&pointer);
        }
        // 30,000 bytes, row 1; a record of one blob.
        page[at..at + 4].copy_from_slice(&[0x81, 0xEA, 0x30, 1]);
        page[at + 4..at + 8].copy_from_slice(&[4, 0x83, 0xD4, 0x60]);
        let database = Database::open(&Body::Bytes(&page)).unwrap();
        let faults = database.walk(1, &mut |_, _| {});
        let said = format!(
            "page 1 repeats bytes that were read before, and {} more of the kind",
            usize::from(cells) - 3
        );
        assert_eq!(faults.sentences().collect::<Vec<_>>(), [said]);
    }
}
