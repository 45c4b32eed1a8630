//! One pass over the hash table: buckets and their chains of pages, the entries
//! on them, and what lies beside.

use super::{Database, Fault, META, PAGE_HEAD, SUMMED_HEAD};
use crate::{
    bytes::Fields,
    faults::Faults,
    page_set::PageSet,
    rpm::{HEADER_LIMIT, MOST_HEADERS},
};

/// Types of pages.
const UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH_META: u8 = 8;
const HASH: u8 = 13;

/// Types of keys and values.
const INLINE: u8 = 1;
const DUPLICATE: u8 = 2;
const OFF_PAGE: u8 = 3;
const OFF_DUPLICATE: u8 = 4;

/// Hands every package's header to `visit`, in the order of their numbers.
pub(super) fn headers(database: &Database<'_>, visit: &mut dyn FnMut(&[u8])) -> Faults<Fault> {
    let mut walk = Walk {
        database,
        seen: PageSet::new(database.pages),
        entries: Vec::new(),
        faults: Faults::default(),
        left: database.bytes.length().saturating_mul(2),
    };
    walk.meta();
    walk.buckets();
    walk.strays();
    let count = walk.entries.len();
    walk.entries.sort_by_key(|entry| entry.key);
    let mut before = None;
    for entry in std::mem::take(&mut walk.entries) {
        // The last number that was given stands under number 0.
        if entry.key == 0 && matches!(entry.value, Value::Inline(_, 4)) {
            continue;
        }
        if before.replace(entry.key) == Some(entry.key) {
            walk.faults.add(Fault::Twice(entry.key));
        }
        match walk.value(&entry) {
            Ok(header) => visit(&header),
            Err(fault) => walk.faults.add(fault),
        }
    }
    walk.lost();
    let said = database.fields(&database.meta).u32(88).unwrap_or(0);
    if usize::try_from(said).is_ok_and(|said| said > count) {
        walk.faults.add(Fault::Fewer(said, count));
    }
    walk.faults
}

/// One page in memory.
struct Page {
    number: u64,
    bytes: Vec<u8>,
    big_endian: bool,
}

impl Page {
    fn read(database: &Database<'_>, number: u64) -> Result<Page, Fault> {
        let mut bytes = vec![0; database.page_size];
        let start = number * database.page_size as u64;
        database
            .bytes
            .read_into(&mut bytes, start)
            .map_err(|error| Fault::Read(number, error))?;
        Ok(Page {
            number,
            bytes,
            big_endian: database.big_endian,
        })
    }

    fn fields(&self) -> Fields<'_> {
        Fields {
            bytes: &self.bytes,
            big_endian: self.big_endian,
        }
    }

    fn own_number(&self) -> u64 {
        self.fields().u32(8).map_or(0, u64::from)
    }

    fn next(&self) -> u64 {
        self.fields().u32(16).map_or(0, u64::from)
    }

    fn entries(&self) -> usize {
        self.fields().u16(20).map_or(0, usize::from)
    }

    fn kind(&self) -> u8 {
        self.bytes.get(25).copied().unwrap_or(0)
    }

    fn is_hash(&self) -> bool {
        matches!(self.kind(), HASH | UNSORTED)
    }
}

/// One package: its number, and where its header lies.
struct Entry {
    key: u32,
    page: u64,
    value: Value,
}

enum Value {
    /// So many bytes from an offset in the file.
    Inline(u64, u64),
    /// So many bytes from a page on.
    OffPage(u64, u32),
}

/// One pass over the table.
struct Walk<'w, 'a> {
    database: &'w Database<'a>,
    /// Pages that belong to something.
    seen: PageSet,
    entries: Vec<Entry>,
    faults: Faults<Fault>,
    /// Bytes that may still be read of overflow pages.
    left: u64,
}

impl Walk<'_, '_> {
    /// Holds what the first page says against the file.
    fn meta(&mut self) {
        let database = self.database;
        let meta = database.fields(&database.meta);
        let field = |at| u64::from(meta.u32(at).unwrap_or(0));
        if field(8) != 0 || database.meta.get(25) != Some(&HASH_META) {
            self.faults.add(Fault::Page(0));
        }
        let pages = field(32) + 1;
        let has_part = !database
            .bytes
            .length()
            .is_multiple_of(database.page_size as u64);
        if pages > database.pages || has_part {
            self.faults.add(Fault::Short(pages, database.pages));
        }
        if database.has_sums && !database.is_intact(&database.meta, META - 20) {
            self.faults.add(Fault::Checksum(0));
        }
    }

    /// Whether a page was not taken before; now it is.
    fn take(&mut self, number: u64) -> Result<(), Fault> {
        if number == 0 || number >= self.database.pages {
            return Err(Fault::Missing(number));
        }
        match self.seen.insert(number) {
            Some(true) => Ok(()),
            _ => Err(Fault::Loop(number)),
        }
    }

    /// A page that was not taken before.
    fn page(&mut self, number: u64) -> Result<Page, Fault> {
        self.take(number)?;
        let page = Page::read(self.database, number)?;
        if self.database.has_sums
            && !self.database.is_intact(&page.bytes, SUMMED_HEAD - 4)
            && page.bytes.iter().any(|byte| *byte != 0)
        {
            return Err(Fault::Checksum(number));
        }
        Ok(page)
    }

    /// Reads the chain of pages of every bucket. Buckets of one doubling of
    /// the table lie together; `spares` tells where.
    fn buckets(&mut self) {
        let meta = self.database.fields(&self.database.meta);
        let field = |at| u64::from(meta.u32(at).unwrap_or(0));
        let buckets = field(72) + 1;
        // Every bucket has a page of its own.
        if buckets >= self.database.pages.max(2) {
            self.faults.add(Fault::Buckets(buckets));
        }
        for bucket in 0..buckets.min(self.database.pages) {
            let doubling = usize::try_from(u64::BITS - bucket.leading_zeros());
            let spare = field(96 + 4 * doubling.unwrap_or(0));
            if let Err(fault) = self.chain(bucket + spare) {
                self.faults.add(fault);
            }
        }
    }

    fn chain(&mut self, head: u64) -> Result<(), Fault> {
        let mut number = head;
        loop {
            let page = self.page(number)?;
            // Space for buckets is set aside before it is used.
            if number == head && page.bytes.iter().all(|byte| *byte == 0) {
                return Ok(());
            }
            if page.own_number() != number || !page.is_hash() {
                // It may be part of a package.
                self.seen.remove(number);
                return Err(Fault::Page(number));
            }
            self.hash_page(&page);
            number = page.next();
            if number == 0 {
                return Ok(());
            }
        }
    }

    /// Reads pages with entries that no bucket leads to, because what lies
    /// before them is damaged.
    fn strays(&mut self) {
        for number in 1..self.database.pages {
            if self.seen.contains(number) || !self.head(number).is_some_and(|page| page.is_hash()) {
                continue;
            }
            match self.page(number) {
                Ok(page) if page.own_number() == number && page.entries() > 0 => {
                    self.faults.add(Fault::Stray(number));
                    self.hash_page(&page);
                }
                Ok(_) => {}
                Err(fault) => self.faults.add(fault),
            }
        }
    }

    /// Looks for overflow pages that belong to no entry.
    fn lost(&mut self) {
        for number in 1..self.database.pages {
            let is_lost = !self.seen.contains(number)
                && self
                    .head(number)
                    .is_some_and(|page| page.kind() == OVERFLOW);
            if is_lost {
                self.faults.add(Fault::Lost(number));
            }
        }
    }

    /// The start of a page, of which `None` says that it cannot be read.
    fn head(&self, number: u64) -> Option<Page> {
        let start = number * self.database.page_size as u64;
        let head = self.database.bytes.read(start, PAGE_HEAD as u64).ok()?;
        Some(Page {
            number,
            bytes: head.into_owned(),
            big_endian: self.database.big_endian,
        })
    }

    /// Notes the entries of a page. Keys and values take turns; the first
    /// lies at the end of the page, each other before its predecessor.
    fn hash_page(&mut self, page: &Page) {
        let count = page.entries();
        let head = self.database.head;
        let first = head + 2 * count;
        if !count.is_multiple_of(2) || first > page.bytes.len() {
            self.faults.add(Fault::Page(page.number));
        }
        let fields = page.fields();
        let offset = |index: usize| fields.u16(head + 2 * index).map(usize::from);
        let item = |index: usize| -> Option<(usize, &[u8])> {
            let start = offset(index)?;
            let end = match index.checked_sub(1) {
                Some(before) => offset(before)?,
                None => page.bytes.len(),
            };
            let bytes = page.bytes.get(start..end)?;
            (start >= first && !bytes.is_empty()).then_some((start, bytes))
        };
        let mut left = 2 * page.bytes.len();
        for pair in 0..count.min(page.bytes.len()) / 2 {
            if self.entries.len() == MOST_HEADERS {
                return self.faults.add(Fault::Entries);
            }
            let (Some(key), Some(value)) = (item(2 * pair), item(2 * pair + 1)) else {
                self.faults.add(Fault::Entry(page.number));
                continue;
            };
            // Entries that share bytes would make more of a page than it holds.
            match left.checked_sub(key.1.len() + value.1.len()) {
                Some(rest) => left = rest,
                None => return self.faults.add(Fault::Repeats(page.number)),
            }
            match self.entry(page, key.1, value) {
                Ok(entry) => self.entries.push(entry),
                Err(fault) => self.faults.add(fault),
            }
        }
    }

    fn entry(
        &self,
        page: &Page,
        key: &[u8],
        (start, value): (usize, &[u8]),
    ) -> Result<Entry, Fault> {
        let bad = || Fault::Entry(page.number);
        let number = match (key, self.database.big_endian) {
            ([INLINE, a, b, c, d], true) => u32::from_be_bytes([*a, *b, *c, *d]),
            ([INLINE, a, b, c, d], false) => u32::from_le_bytes([*a, *b, *c, *d]),
            _ => return Err(bad()),
        };
        let fields = self.database.fields(value);
        let value = match *value.first().ok_or_else(bad)? {
            INLINE => {
                let at = page.number * self.database.page_size as u64 + start as u64;
                Value::Inline(at + 1, value.len() as u64 - 1)
            }
            OFF_PAGE if value.len() == 12 => {
                let first = fields.u32(4).ok_or_else(bad)?;
                Value::OffPage(first.into(), fields.u32(8).ok_or_else(bad)?)
            }
            DUPLICATE | OFF_DUPLICATE => return Err(Fault::Duplicate(page.number)),
            _ => return Err(bad()),
        };
        Ok(Entry {
            key: number,
            page: page.number,
            value,
        })
    }

    fn value(&mut self, entry: &Entry) -> Result<Vec<u8>, Fault> {
        match entry.value {
            Value::Inline(start, length) => {
                let bytes = self.database.bytes.read(start, length);
                let bytes = bytes.map_err(|error| Fault::Read(entry.page, error))?;
                Ok(bytes.into_owned())
            }
            Value::OffPage(first, length) => {
                let mut pages = Vec::new();
                let value = self.overflow(entry.key, first, length, &mut pages);
                if value.is_err() {
                    // They may be another's.
                    for page in pages {
                        self.seen.remove(page);
                    }
                }
                value
            }
        }
    }

    /// A value on a chain of pages.
    fn overflow(
        &mut self,
        key: u32,
        first: u64,
        length: u32,
        pages: &mut Vec<u64>,
    ) -> Result<Vec<u8>, Fault> {
        if u64::from(length) > HEADER_LIMIT {
            return Err(Fault::Large(key));
        }
        let wrong = || Fault::Length(key);
        let length = usize::try_from(length).map_err(|_| wrong())?;
        let head = self.database.head;
        let mut value = Vec::new();
        let mut number = first;
        while value.len() < length {
            self.left = self
                .left
                .checked_sub(self.database.page_size as u64)
                .ok_or(Fault::Repeats(number))?;
            let page = self.page(number)?;
            pages.push(number);
            let fields = page.fields();
            if page.own_number() != number || page.kind() != OVERFLOW {
                return Err(Fault::Page(number));
            }
            let before = pages.len().checked_sub(2).and_then(|at| pages.get(at));
            if fields.u32(12).map(u64::from) != Some(before.copied().unwrap_or(0)) {
                return Err(Fault::Page(number));
            }
            let some = usize::from(fields.u16(22).unwrap_or(0));
            let content = page.bytes.get(head..head + some).ok_or_else(wrong)?;
            if content.is_empty() || content.len() > length - value.len() {
                return Err(wrong());
            }
            value.extend_from_slice(content);
            number = page.next();
        }
        // A chain that goes on belongs to a value that is longer.
        match (number, value.is_empty()) {
            (0, false) => Ok(value),
            _ => Err(wrong()),
        }
    }
}
