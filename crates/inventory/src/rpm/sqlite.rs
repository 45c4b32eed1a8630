//! A reader of one table of a SQLite file (sqlite.org/fileformat2.html), no
//! more than rpm's database needs: table b-trees with overflow pages.
//!
//! The file is hostile until proven otherwise: every page is visited once at
//! most, and every length is held against the page that it lies in.

use std::{collections::HashSet, fs::File, io, os::unix::fs::FileExt};

use seawall_image::Body;

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("it is no SQLite 3 database")]
    NotSqlite,
    #[error("page {0} cannot be read: {1}")]
    Read(u64, io::Error),
    #[error("page {0} is malformed")]
    Page(u64),
    #[error("page {0} is reached twice")]
    Loop(u64),
    #[error("a record has more than {RECORD_LIMIT} bytes")]
    Large,
    #[error("there is no table `{0}`")]
    NoTable(&'static str),
}

/// Bytes of one record: the largest headers have some megabytes.
const RECORD_LIMIT: u64 = 256 << 20;
/// Levels of a b-tree; SQLite's own bound is 20.
const MOST_DEEP: usize = 20;

/// An open database.
pub(crate) struct Database<'a> {
    body: Body<'a>,
    page_size: u64,
    usable: u64,
    pages: u64,
}

impl<'a> Database<'a> {
    pub(crate) fn open(body: Body<'a>) -> Result<Self, Error> {
        let length = match &body {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File(_, length) => *length,
        };
        let mut head = [0; 100];
        read_at(&body, &mut head, 0).map_err(|_| Error::NotSqlite)?;
        if !head.starts_with(b"SQLite format 3\0") {
            return Err(Error::NotSqlite);
        }
        let page_size = match u16::from_be_bytes([head[16], head[17]]) {
            1 => 65536,
            size if size.is_power_of_two() && size >= 512 => u64::from(size),
            _ => return Err(Error::NotSqlite),
        };
        let usable = page_size - u64::from(head[20]);
        if usable < 480 {
            return Err(Error::NotSqlite);
        }
        Ok(Database {
            body,
            page_size,
            usable,
            pages: length / page_size,
        })
    }

    fn page(&self, number: u64) -> Result<Vec<u8>, Error> {
        if number == 0 || number > self.pages {
            return Err(Error::Page(number));
        }
        let mut page = vec![0; usize::try_from(self.page_size).unwrap_or(0)];
        let offset = (number - 1) * self.page_size;
        read_at(&self.body, &mut page, offset).map_err(|error| Error::Read(number, error))?;
        Ok(page)
    }

    /// Hands the last column of every row of `table` to `visit`, in the order
    /// of the row ids.
    ///
    /// # Errors
    /// At the first page that is damaged; the rows before it were handed out.
    pub(crate) fn rows(
        &self,
        table: &'static str,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Error> {
        let mut root = None;
        // Page 1 holds the schema: type, name, tbl_name, rootpage, sql.
        self.walk(1, &mut |record| {
            let columns = columns(record).unwrap_or_default();
            if let [kind, name, _, page, ..] = columns.as_slice() {
                if kind.bytes == b"table" && name.bytes == table.as_bytes() {
                    root = Some(page.integer());
                }
            }
        })?;
        let root = root.ok_or(Error::NoTable(table))?;
        let mut malformed = false;
        self.walk(root, &mut |record| match columns(record).as_deref() {
            Some([.., last]) => visit(last.bytes),
            _ => malformed = true,
        })?;
        if malformed {
            Err(Error::Page(root))
        } else {
            Ok(())
        }
    }

    fn walk(&self, root: u64, visit: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        let mut seen = HashSet::new();
        self.tree(root, 0, &mut seen, visit)
    }

    fn tree(
        &self,
        number: u64,
        depth: usize,
        seen: &mut HashSet<u64>,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Error> {
        if depth > MOST_DEEP || !seen.insert(number) {
            return Err(Error::Loop(number));
        }
        let page = self.page(number)?;
        let bad = || Error::Page(number);
        // The first page starts with the file's header.
        let start = if number == 1 { 100 } else { 0 };
        let be16 = |at: usize| {
            let bytes = page.get(at..at + 2).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u16::from_be_bytes).map(usize::from)
        };
        let be32 = |at: usize| {
            let bytes = page.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u32::from_be_bytes).map(u64::from)
        };
        let kind = *page.get(start).ok_or_else(bad)?;
        let cells = be16(start + 3).ok_or_else(bad)?;
        let pointers = match kind {
            0x05 => start + 12,
            0x0D => start + 8,
            _ => return Err(bad()),
        };
        for cell in 0..cells {
            let at = be16(pointers + cell * 2).ok_or_else(bad)?;
            if kind == 0x05 {
                self.tree(be32(at).ok_or_else(bad)?, depth + 1, seen, visit)?;
            } else {
                let record = self.record(&page, at, number, seen)?;
                visit(&record);
            }
        }
        if kind == 0x05 {
            self.tree(be32(start + 8).ok_or_else(bad)?, depth + 1, seen, visit)?;
        }
        Ok(())
    }

    /// The payload of a leaf cell, with its overflow pages.
    fn record(
        &self,
        page: &[u8],
        at: usize,
        number: u64,
        seen: &mut HashSet<u64>,
    ) -> Result<Vec<u8>, Error> {
        let bad = || Error::Page(number);
        let mut cell = page.get(at..).ok_or_else(bad)?;
        let length = varint(&mut cell).ok_or_else(bad)?;
        varint(&mut cell).ok_or_else(bad)?;
        if length > RECORD_LIMIT {
            return Err(Error::Large);
        }
        // How much stays in the cell: section 1.6 of the format.
        let most = self.usable - 35;
        let local = if length <= most {
            length
        } else {
            let least = (self.usable - 12) * 32 / 255 - 23;
            let spill = least + (length - least) % (self.usable - 4);
            if spill <= most { spill } else { least }
        };
        let local = usize::try_from(local).map_err(|_| bad())?;
        let mut record = cell.get(..local).ok_or_else(bad)?.to_vec();
        let length = usize::try_from(length).map_err(|_| bad())?;
        if record.len() == length {
            return Ok(record);
        }
        let link = cell
            .get(local..local + 4)
            .and_then(|bytes| bytes.try_into().ok());
        self.overflow(
            std::mem::take(&mut record),
            length,
            link.ok_or_else(bad)?,
            seen,
        )
    }

    /// Follows the chain of overflow pages until the record is whole.
    fn overflow(
        &self,
        mut record: Vec<u8>,
        length: usize,
        mut link: [u8; 4],
        seen: &mut HashSet<u64>,
    ) -> Result<Vec<u8>, Error> {
        while record.len() < length {
            let number = u64::from(u32::from_be_bytes(link));
            if !seen.insert(number) {
                return Err(Error::Loop(number));
            }
            let page = self.page(number)?;
            let usable = page
                .get(..usize::try_from(self.usable).unwrap_or(0))
                .unwrap_or(&page);
            let (next, content) = usable.split_first_chunk::<4>().ok_or(Error::Page(number))?;
            let some = content.len().min(length - record.len());
            record.extend_from_slice(content.get(..some).unwrap_or_default());
            link = *next;
        }
        Ok(record)
    }
}

fn read_at(body: &Body<'_>, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    match body {
        Body::Bytes(bytes) => {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let end = start.saturating_add(buffer.len());
            let found = bytes.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
            buffer.copy_from_slice(found);
            Ok(())
        }
        Body::File(file, _) => File::read_exact_at(file, buffer, offset),
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

/// One column of a record.
struct Column<'a> {
    kind: u64,
    bytes: &'a [u8],
}

impl Column<'_> {
    fn integer(&self) -> u64 {
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
