//! One pass over the b-tree of a table (section 1.6).

use std::borrow::Cow;

use super::{Column, Fault, RECORD_LIMIT, columns, varint};
use crate::{faults::Faults, page_set::PageSet};

/// Levels of a b-tree; SQLite's own bound is 20.
const MOST_DEEP: usize = 20;

/// Where the pages of a database come from.
pub(crate) trait Pages {
    /// Bytes of a page that are used.
    fn usable(&self) -> u64;
    /// Pages of the database.
    fn count(&self) -> u64;
    /// Bytes of payload that it can hold.
    fn length(&self) -> u64;
    /// One page, whose number is not larger than their count.
    fn page(&self, number: u64) -> Result<Page<'_>, Fault>;
}

/// One page.
pub(crate) enum Page<'p> {
    Bytes(Cow<'p, [u8]>),
    /// An interior page of which the children are known and nothing else.
    Branch(Vec<u64>),
    /// A leaf page of which is known what a [`Visitor`] made of its rows.
    Leaf(&'p str),
}

/// What tells a row from another with the same id, before all of it is read.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    pub(crate) id: u64,
    /// Bytes of the record.
    pub(crate) length: u64,
    /// The first of its overflow pages, or 0.
    pub(crate) overflow: u64,
    /// A hash of what stands on the leaf page.
    pub(crate) local: u64,
}

/// A row.
pub(crate) struct Row<'r> {
    pub(crate) head: Head,
    /// Its overflow pages.
    pub(crate) chain: &'r [u64],
    pub(crate) columns: &'r [Column<'r>],
}

/// Is handed what a walk comes by.
pub(crate) trait Visitor {
    /// A row.
    fn row(&mut self, row: &Row<'_>);
    /// An interior page, after its children.
    fn branch(&mut self, number: u64, children: &[u64]) {
        let _ = (number, children);
    }
    /// A leaf page, after its rows.
    fn leaf(&mut self, number: u64) {
        let _ = number;
    }
    /// What is known of a leaf page.
    fn known(&mut self, rows: &str) {
        let _ = rows;
    }
    /// A row whose overflow pages lie elsewhere. Whether it is known.
    fn elsewhere(&mut self, head: Head) -> bool {
        let _ = head;
        false
    }
}

/// A visitor that wants rows only.
pub(super) struct Rows<'f>(pub(super) &'f mut dyn FnMut(u64, &[Column<'_>]));

impl Visitor for Rows<'_> {
    fn row(&mut self, row: &Row<'_>) {
        (self.0)(row.head.id, row.columns);
    }
}

/// Walks the tree below the page `root`. Rows come in the order of their ids.
pub(crate) fn walk(pages: &dyn Pages, root: u64, visitor: &mut dyn Visitor) -> Faults<Fault> {
    let mut walk = Walk {
        pages,
        visitor,
        seen: PageSet::new(pages.count() + 1),
        left: pages.length(),
        faults: Faults::default(),
    };
    walk.tree(root, 0);
    walk.faults
}

struct Walk<'w> {
    pages: &'w dyn Pages,
    visitor: &'w mut dyn Visitor,
    seen: PageSet,
    /// Bytes of payload that the file can still hold.
    left: u64,
    faults: Faults<Fault>,
}

/// A page in memory.
struct Content<'p> {
    number: u64,
    bytes: Cow<'p, [u8]>,
}

impl Content<'_> {
    fn be16(&self, at: usize) -> Result<usize, Fault> {
        let bytes = self.bytes.get(at..);
        bytes
            .and_then(|bytes| bytes.first_chunk::<2>())
            .map(|bytes| usize::from(u16::from_be_bytes(*bytes)))
            .ok_or(Fault::Page(self.number))
    }

    fn be32(&self, at: usize) -> Result<u64, Fault> {
        let bytes = self.bytes.get(at..);
        bytes
            .and_then(|bytes| bytes.first_chunk::<4>())
            .map(|bytes| u64::from(u32::from_be_bytes(*bytes)))
            .ok_or(Fault::Page(self.number))
    }
}

impl<'w> Walk<'w> {
    /// A page that was not visited before.
    fn page(&mut self, number: u64) -> Result<Page<'w>, Fault> {
        if number == 0 || number > self.pages.count() {
            return Err(Fault::Missing(number));
        }
        if self.seen.insert(number) != Some(true) {
            return Err(Fault::Loop(number));
        }
        self.pages.page(number)
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
        let page = match self.page(number)? {
            Page::Bytes(bytes) => Content { number, bytes },
            Page::Branch(children) => {
                for child in children {
                    self.tree(child, depth + 1);
                }
                return Ok(());
            }
            Page::Leaf(rows) => {
                self.visitor.known(rows);
                return Ok(());
            }
        };
        // The first page starts with the file's header.
        let start = if number == 1 { 100 } else { 0 };
        let cells = page.be16(start + 3)?;
        match page.bytes.get(start) {
            Some(0x05) => {
                let mut children = Vec::new();
                for cell in 0..cells {
                    let at = page.be16(start + 12 + cell * 2)?;
                    match page.be32(at) {
                        Ok(child) => {
                            children.push(child);
                            self.tree(child, depth + 1);
                        }
                        Err(fault) => self.faults.add(fault),
                    }
                }
                let last = page.be32(start + 8)?;
                children.push(last);
                self.tree(last, depth + 1);
                self.visitor.branch(number, &children);
            }
            Some(0x0D) => {
                for cell in 0..cells {
                    let at = page.be16(start + 8 + cell * 2)?;
                    if let Err(fault) = self.row(&page, at) {
                        self.faults.add(fault);
                    }
                }
                self.visitor.leaf(number);
            }
            _ => return Err(Fault::Page(number)),
        }
        Ok(())
    }

    fn row(&mut self, page: &Content<'_>, at: usize) -> Result<(), Fault> {
        let bad = || Fault::Page(page.number);
        let mut cell = page.bytes.get(at..).ok_or_else(bad)?;
        let length = varint(&mut cell).ok_or_else(bad)?;
        let id = varint(&mut cell).ok_or_else(bad)?;
        if length > RECORD_LIMIT {
            return Err(Fault::Large(page.number));
        }
        self.left = self
            .left
            .checked_sub(length)
            .ok_or(Fault::Repeats(page.number))?;
        let (local, rest) = usize::try_from(self.local(length))
            .ok()
            .and_then(|local| cell.split_at_checked(local))
            .ok_or_else(bad)?;
        let overflow = match usize::try_from(length) {
            Ok(length) if length == local.len() => 0,
            _ => u64::from(u32::from_be_bytes(*rest.first_chunk().ok_or_else(bad)?)),
        };
        let head = Head {
            id,
            length,
            overflow,
            local: hash(local),
        };
        let mut chain = Vec::new();
        let record = match self.payload(local, length, overflow, &mut chain) {
            Err(Fault::Outside(_)) if self.visitor.elsewhere(head) => return Ok(()),
            record => record?,
        };
        let columns = columns(&record).ok_or_else(bad)?;
        self.visitor.row(&Row {
            head,
            chain: &chain,
            columns: &columns,
        });
        Ok(())
    }

    /// How many bytes of a record stay on the leaf page.
    fn local(&self, length: u64) -> u64 {
        let usable = self.pages.usable();
        let most = usable - 35;
        if length <= most {
            return length;
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let spill = least + (length - least) % (usable - 4);
        if spill <= most { spill } else { least }
    }

    /// A record, with its overflow pages.
    fn payload<'r>(
        &mut self,
        local: &'r [u8],
        length: u64,
        overflow: u64,
        chain: &mut Vec<u64>,
    ) -> Result<Cow<'r, [u8]>, Fault> {
        let length = usize::try_from(length).map_err(|_| Fault::Page(overflow))?;
        if local.len() == length {
            return Ok(Cow::Borrowed(local));
        }
        let mut record = local.to_vec();
        let mut link = overflow;
        let usable = usize::try_from(self.pages.usable()).unwrap_or(0);
        while record.len() < length {
            let number = link;
            let Page::Bytes(page) = self.page(number)? else {
                return Err(Fault::Page(number));
            };
            chain.push(number);
            let content = page
                .get(..usable)
                .and_then(|bytes| bytes.split_first_chunk::<4>());
            let (next, content) = content.ok_or(Fault::Page(number))?;
            let some = content.len().min(length - record.len());
            record.extend_from_slice(content.get(..some).unwrap_or_default());
            link = u64::from(u32::from_be_bytes(*next));
        }
        Ok(Cow::Owned(record))
    }
}

/// FNV-1a of 64 bits.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}
