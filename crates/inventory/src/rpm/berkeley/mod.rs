//! A reader of Berkeley DB's hash tables (db_page.h of its releases 4 and 5),
//! no more than rpm's `Packages` needs: numbers as keys, headers as values,
//! most of them on chains of overflow pages. The file is written in the byte
//! order of the machine that made it.
//!
//! The file is hostile until proven otherwise: no page is read for two values,
//! every length is held against the page and the file that it lies in. Pages
//! that hold entries and that no bucket leads to are read as well, and said.

mod walk;

use std::io;

use seawall_image::Body;

use super::{HEADER_LIMIT, MOST_HEADERS};
use crate::{
    bytes::{Bytes, Fields},
    faults::Faults,
};

/// Why nothing can be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("it is no Berkeley DB")]
    NotBerkeley,
    #[error("it is a Berkeley DB, but {0}, not the hash table that rpm makes")]
    Kind(&'static str),
    #[error("version {0} of Berkeley DB's hash table is not read")]
    Version(u32),
    #[error("it is a Berkeley DB with pages of {0} bytes, which there are not")]
    PageSize(u32),
    #[error("it is an encrypted Berkeley DB")]
    Encrypted,
}

/// Why a page or a package cannot be read, or what is wrong beside it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("page {0} cannot be read: {1}")]
    Read(u64, io::Error),
    #[error("page {0} is not there")]
    Missing(u64),
    #[error("the file should have {0} pages and has {1}")]
    Short(u64, u64),
    #[error("page {0} is malformed")]
    Page(u64),
    #[error("page {0} has a wrong checksum")]
    Checksum(u64),
    #[error("page {0} is reached twice")]
    Loop(u64),
    #[error("page {0} holds an entry that is malformed")]
    Entry(u64),
    #[error("page {0} repeats bytes that were read before")]
    Repeats(u64),
    #[error("page {0} holds a key with several values, which are not read")]
    Duplicate(u64),
    #[error("package {0} has a wrong length")]
    Length(u32),
    #[error("package {0} has more than {HEADER_LIMIT} bytes")]
    Large(u32),
    #[error("package {0} is there twice")]
    Twice(u32),
    #[error("no bucket leads to page {0}, which holds packages")]
    Stray(u64),
    #[error("page {0} holds part of a package that has no entry")]
    Lost(u64),
    #[error("it should have {0} buckets")]
    Buckets(u64),
    #[error("it should hold {0} entries and holds {1}")]
    Fewer(u32, usize),
    #[error("there are more than {MOST_HEADERS} entries")]
    Entries,
}

/// Bytes at the start of each page, and of pages with a checksum.
const PAGE_HEAD: usize = 26;
const SUMMED_HEAD: usize = 32;
/// Bytes of the first page that mean something.
const META: usize = 512;

/// An open database.
pub(crate) struct Database<'a> {
    bytes: Bytes<'a>,
    big_endian: bool,
    page_size: usize,
    /// Whole pages in the file.
    pages: u64,
    /// Bytes at the start of each page.
    head: usize,
    has_sums: bool,
    meta: [u8; META],
}

impl<'a> Database<'a> {
    /// Reads the file's first page.
    pub(crate) fn open(body: &Body<'a>) -> Result<Self, OpenError> {
        let bytes = Bytes::body(body);
        let mut meta = [0; META];
        bytes
            .read_into(&mut meta, 0)
            .map_err(|_| OpenError::NotBerkeley)?;
        let magic = [false, true].map(|big_endian| Fields {
            bytes: &meta,
            big_endian,
        });
        let known = magic.iter().find_map(|fields| {
            let kind = match fields.u32(12)? {
                0x0006_1561 => None,
                0x0005_3162 => Some("a b-tree"),
                0x0004_2253 => Some("a queue"),
                0x0007_4582 => Some("a heap"),
                _ => return None,
            };
            Some((fields, kind))
        });
        let fields = match known {
            Some((fields, None)) => fields,
            Some((_, Some(kind))) => return Err(OpenError::Kind(kind)),
            None => return Err(OpenError::NotBerkeley),
        };
        let version = fields.u32(16).unwrap_or(0);
        if !(8..=10).contains(&version) {
            return Err(OpenError::Version(version));
        }
        if meta[24] != 0 {
            return Err(OpenError::Encrypted);
        }
        let size = fields.u32(20).unwrap_or(0);
        if !size.is_power_of_two() || !(512..=65536).contains(&size) {
            return Err(OpenError::PageSize(size));
        }
        let has_sums = meta[26] & 1 != 0;
        Ok(Database {
            bytes,
            big_endian: fields.big_endian,
            page_size: usize::try_from(size).unwrap_or(META),
            pages: bytes.length() / u64::from(size),
            head: if has_sums { SUMMED_HEAD } else { PAGE_HEAD },
            has_sums,
            meta,
        })
    }

    /// Hands every package's header to `visit`, in the order of their numbers.
    pub(crate) fn headers(&self, visit: &mut dyn FnMut(&[u8])) -> Faults<Fault> {
        walk::headers(self, visit)
    }

    fn fields<'b>(&self, bytes: &'b [u8]) -> Fields<'b> {
        Fields {
            bytes,
            big_endian: self.big_endian,
        }
    }

    /// Whether a page is what its checksum says.
    fn is_intact(&self, page: &[u8], sum_at: usize) -> bool {
        let sum = page.iter().enumerate().fold(0u32, |sum, (at, byte)| {
            // The checksum is taken with zeros in its own place.
            let is_sum = (sum_at..sum_at + 4).contains(&at);
            let byte = if is_sum { 0 } else { *byte };
            sum.wrapping_mul(33).wrapping_add(u32::from(byte))
        });
        self.fields(page).u32(sum_at) == Some(sum)
    }
}
