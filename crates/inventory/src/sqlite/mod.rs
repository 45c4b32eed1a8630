//! A reader of the tables of a SQLite file (sqlite.org/fileformat2.html), no
//! more than package databases need: table b-trees with overflow pages.
//!
//! The file is hostile until proven otherwise: no page is visited twice, every
//! length is held against the page that it lies in, and cells that share bytes
//! cannot make more of the file than it holds. A damaged page costs the rows
//! below it; the others are read.

mod log;
mod walk;

use std::io;

use seawall_image::Body;

use self::walk::Rows;
pub(crate) use self::{
    log::{EMPTY_LOG, Log, LogError, read_log},
    walk::{Head, Page, Pages, Row, Visitor, walk},
};
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
    #[error("page {0} is not in the log, and was not read in the database")]
    Outside(u64),
}

/// Bytes of one record: the largest headers of rpm have some megabytes.
const RECORD_LIMIT: u64 = 64 << 20;
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
        let (page_size, usable) = sizes(&head).ok_or(OpenError::NotSqlite)?;
        Ok(Database {
            bytes,
            page_size,
            usable,
            pages: bytes.length() / page_size,
        })
    }

    /// The bytes of a page, and those of them that are used.
    pub(crate) fn sizes(&self) -> (u64, u64) {
        (self.page_size, self.usable)
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
        let faults = walk(
            self,
            1,
            &mut Rows(&mut |_, columns| {
                if let Some((name, page)) = table_of(columns)
                    && name == table
                {
                    root = Some(page);
                }
            }),
        );
        match (root, faults.into_first()) {
            (Some(root), _) => Ok(walk(self, root, &mut Rows(visit))),
            (None, Some(fault)) => Err(OpenError::NoSchema(table, fault)),
            (None, None) => Err(OpenError::NoTable(table)),
        }
    }
}

/// The bytes of a page, and those of them that are used, by the header on the
/// first page.
fn sizes(head: &[u8; 100]) -> Option<(u64, u64)> {
    if !head.starts_with(b"SQLite format 3\0") {
        return None;
    }
    let page_size = match u16::from_be_bytes([head[16], head[17]]) {
        1 => 65536,
        size if size.is_power_of_two() && size >= 512 => u64::from(size),
        _ => return None,
    };
    let usable = page_size - u64::from(head[20]);
    (usable >= 480).then_some((page_size, usable))
}

/// The name and the root of the table that a row of the schema is about: type,
/// name, tbl_name, rootpage, sql (section 2.6). Page 1 is the schema's root.
pub(crate) fn table_of<'a>(columns: &[Column<'a>]) -> Option<(&'a str, u64)> {
    match columns {
        [kind, name, _, page, ..] if kind.bytes == b"table" => Some((name.text()?, page.integer())),
        _ => None,
    }
}

impl Pages for Database<'_> {
    fn usable(&self) -> u64 {
        self.usable
    }

    fn count(&self) -> u64 {
        self.pages
    }

    fn length(&self) -> u64 {
        self.bytes.length()
    }

    fn page(&self, number: u64) -> Result<Page<'_>, Fault> {
        let offset = (number - 1) * self.page_size;
        let page = self.bytes.read(offset, self.page_size);
        page.map(Page::Bytes)
            .map_err(|error| Fault::Read(number, error))
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
        let faults = walk(&database, 1, &mut Rows(&mut |_, _| {}));
        let said = format!(
            "page 1 repeats bytes that were read before, and {} more of the kind",
            usize::from(cells) - 3
        );
        assert_eq!(faults.sentences().collect::<Vec<_>>(), [said]);
    }
}
