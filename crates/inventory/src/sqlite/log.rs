//! The write-ahead log (section 4): pages that were committed and are not in
//! the database yet, and the database as it is with them.
//!
//! A log is another file than its database, so what is kept of both is joined
//! later: of the log its pages, of the database what its pages say.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use seawall_image::Body;

use super::{Fault, Page, Pages, sizes};
use crate::bytes::Bytes;

const HEAD: u64 = 32;
const FRAME_HEAD: u64 = 24;
/// Bytes of a log that holds no page yet.
pub(crate) const EMPTY_LOG: u64 = HEAD;
/// Bytes of pages that are kept of one log: what a transaction over a thousand
/// packages writes.
const KEPT: u64 = 64 << 20;

/// Bytes of a database that is read: more pages there are not.
const DATABASE: u64 = 1 << 30;

/// Why a log, or the rest of it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error("it is no write-ahead log of SQLite")]
    NotLog,
    #[error("its header has a wrong checksum")]
    Header,
    #[error("byte {0} cannot be read")]
    Read(u64),
    #[error("it holds more than {KEPT} bytes of pages")]
    Large,
}

/// The checksum over a log: of words in the order of bytes that its magic
/// number tells.
struct Sum {
    big_endian: bool,
    value: [u32; 2],
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let (words, _) = bytes.as_chunks::<4>();
        let word = |word: &[u8; 4]| match self.big_endian {
            true => u32::from_be_bytes(*word),
            false => u32::from_le_bytes(*word),
        };
        let [mut low, mut high] = self.value;
        let (pairs, _) = words.as_chunks::<2>();
        for [first, second] in pairs {
            low = low.wrapping_add(word(first)).wrapping_add(high);
            high = high.wrapping_add(word(second)).wrapping_add(low);
        }
        self.value = [low, high];
    }
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// Keeps the newest committed form of each page of a table: the size of a page
/// and the count of pages, each of four bytes, then number and content of each
/// page. Beside it the byte at which a transaction is damaged, with all that
/// follow it. `None` when nothing was committed.
///
/// # Errors
/// Why nothing can be kept.
pub(crate) fn read_log(body: &Body<'_>) -> Result<(Option<Vec<u8>>, Option<u64>), LogError> {
    let bytes = Bytes::body(body);
    let mut head = [0; 32];
    bytes
        .read_into(&mut head, 0)
        .map_err(|_| LogError::NotLog)?;
    let big_endian = match be32(&head, 0) {
        0x377F_0682 => false,
        0x377F_0683 => true,
        _ => return Err(LogError::NotLog),
    };
    let page_size = u64::from(be32(&head, 8));
    if be32(&head, 4) != 3_007_000
        || !page_size.is_power_of_two()
        || !(512..=65536).contains(&page_size)
    {
        return Err(LogError::NotLog);
    }
    let mut sum = Sum {
        big_endian,
        value: [0; 2],
    };
    sum.add(head.get(..24).unwrap_or_default());
    if sum.value != [be32(&head, 24), be32(&head, 28)] {
        return Err(LogError::Header);
    }
    let salt = head.get(16..24).unwrap_or_default();
    let mut committed: BTreeMap<u32, u64> = BTreeMap::new();
    let mut open: Vec<(u32, u64)> = Vec::new();
    let mut count = 0;
    let mut damaged = None;
    let step = FRAME_HEAD + page_size;
    let frames = (bytes.length() - HEAD) / step;
    for place in 0..frames {
        let at = HEAD + place * step;
        let frame = bytes.read(at, if damaged.is_some() { FRAME_HEAD } else { step });
        let frame = frame.map_err(|_| LogError::Read(at))?;
        // What an earlier run of the log left behind has another salt.
        let is_own = frame.get(8..16) == Some(salt);
        if damaged.is_some() {
            // A transaction that was cut off has no commit: what follows a
            // damaged frame, and has one, is lost.
            if is_own && be32(&frame, 4) != 0 {
                return Ok((kept(&bytes, page_size, count, &committed)?, damaged));
            }
            continue;
        }
        sum.add(frame.get(..8).unwrap_or_default());
        sum.add(frame.get(24..).unwrap_or_default());
        let is_whole = sum.value == [be32(&frame, 16), be32(&frame, 20)];
        if !is_own || !is_whole || be32(&frame, 0) == 0 {
            damaged = Some(at);
            // The frame itself may be the commit; one that is whole but for its
            // salt was not left behind.
            if (is_own || is_whole) && be32(&frame, 4) != 0 {
                return Ok((kept(&bytes, page_size, count, &committed)?, damaged));
            }
            continue;
        }
        open.push((be32(&frame, 0), at + FRAME_HEAD));
        if be32(&frame, 4) != 0 {
            count = be32(&frame, 4);
            committed.extend(open.drain(..));
        }
    }
    Ok((kept(&bytes, page_size, count, &committed)?, None))
}

fn kept(
    bytes: &Bytes<'_>,
    page_size: u64,
    count: u32,
    pages: &BTreeMap<u32, u64>,
) -> Result<Option<Vec<u8>>, LogError> {
    if pages.is_empty() {
        return Ok(None);
    }
    let mut kept = Vec::new();
    kept.extend(u32::try_from(page_size).unwrap_or(0).to_le_bytes());
    kept.extend(count.to_le_bytes());
    for (number, at) in pages {
        let page = bytes.read(*at, page_size);
        let page = page.map_err(|_| LogError::Read(*at))?;
        // Pages of indexes are not read. An overflow page does not look like
        // one: it starts with the number of another page.
        if matches!(page.first(), Some(0x02 | 0x0A)) {
            continue;
        }
        if kept.len() as u64 + page_size > KEPT {
            return Err(LogError::Large);
        }
        kept.extend(number.to_le_bytes());
        kept.extend_from_slice(&page);
    }
    Ok(Some(kept))
}

/// A database as it is with its log: pages from the log, and what is known of
/// the others.
pub(crate) struct Log<'a> {
    page_size: u64,
    usable: u64,
    count: u64,
    pages: HashMap<u64, &'a [u8]>,
    /// Children of interior pages.
    pub(crate) branches: HashMap<u64, Vec<u64>>,
    /// Rows of leaf pages, as a [`super::Visitor`] noted them.
    pub(crate) leaves: HashMap<u64, &'a str>,
}

impl<'a> Log<'a> {
    /// Whether a page stands in the log.
    pub(crate) fn has(&self, number: u64) -> bool {
        self.pages.contains_key(&number)
    }

    /// Reads back what [`read_log`] kept, for a database whose pages have
    /// `page_size` bytes of which `usable` are used.
    pub(crate) fn new(kept: &'a [u8], page_size: u64, usable: u64) -> Option<Self> {
        let (head, mut rest) = kept.split_first_chunk::<8>()?;
        let (words, _) = head.as_chunks::<4>();
        let mut words = words.iter().map(|word| u32::from_le_bytes(*word));
        // A page of no bytes stands for a database that was not read.
        if page_size == 0 || u64::from(words.next()?) != page_size {
            return None;
        }
        let mut log = Log {
            page_size,
            usable,
            count: u64::from(words.next()?).min(DATABASE / page_size),
            pages: HashMap::new(),
            branches: HashMap::new(),
            leaves: HashMap::new(),
        };
        let size = usize::try_from(page_size).ok()?;
        while let Some((number, more)) = rest.split_first_chunk::<4>() {
            let (page, more) = more.split_at_checked(size)?;
            log.pages.insert(u32::from_le_bytes(*number).into(), page);
            rest = more;
        }
        // Its first page tells anew how much of a page is used.
        if let Some(first) = log.pages.get(&1) {
            log.usable = match sizes(first.first_chunk()?)? {
                (size, usable) if size == page_size => usable,
                _ => return None,
            };
        }
        Some(log)
    }
}

impl Pages for Log<'_> {
    fn usable(&self) -> u64 {
        self.usable
    }

    fn count(&self) -> u64 {
        self.count
    }

    fn length(&self) -> u64 {
        self.count * self.page_size
    }

    fn page(&self, number: u64) -> Result<Page<'_>, Fault> {
        if let Some(page) = self.pages.get(&number) {
            return Ok(Page::Bytes(Cow::Borrowed(page)));
        }
        if let Some(children) = self.branches.get(&number) {
            return Ok(Page::Branch(children.clone()));
        }
        let leaf = self.leaves.get(&number);
        leaf.map(|rows| Page::Leaf(rows))
            .ok_or(Fault::Outside(number))
    }
}
