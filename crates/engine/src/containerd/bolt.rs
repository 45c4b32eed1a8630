//! The file format of bbolt (go.etcd.io/bbolt, page.go and bucket.go): a tree
//! of pages that is never changed in place. A writer makes new pages, then
//! writes the root into one of two meta pages by turns.
//!
//! Nothing is locked: a writer may be at work. Pages that the newest root
//! reaches are left alone until the commit after the next begins, so what was
//! read holds if the root is still the same afterwards.

use std::{
    fs::File,
    io,
    ops::ControlFlow,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// `0xED0CDAED`, in a meta page (db.go, `magic`).
const MAGIC: u32 = 0xED0C_DAED;
/// The only version there is (db.go, `version`).
const VERSION: u32 = 2;
/// Bytes of a page's header: id, flags, count, overflow.
const HEADER: usize = 16;
/// Bytes of an element of a page, and of the head of a bucket.
const ELEMENT: usize = 16;
/// Bytes of a meta page's content that its checksum covers.
const META: usize = 56;
/// Sizes that a page may have.
const SMALLEST: usize = 1024;
const LARGEST: usize = 64 << 10;
/// Bytes of a page with its overflow: a value of containerd has some KiB.
const PAGE_LIMIT: usize = 16 << 20;
/// How deep a tree may be: each level has at least two branches.
const MOST_LEVELS: u32 = 32;
/// Bytes of all pages of one reading. A store of ten thousand images has a
/// tenth.
const BYTES_LIMIT: usize = 512 << 20;
/// How often a reading is begun anew because a writer was quicker.
const TRIES: u32 = 20;

const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
const META_FLAG: u16 = 0x04;
/// An element of a leaf that is a bucket.
const BUCKET: u32 = 0x01;

/// Why a database could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BoltError {
    /// The file cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The file is damaged, or is none.
    #[error("`{}` is no whole bbolt database: {what}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// A bound was met.
    #[error("`{}` has {what} than is read", .path.display())]
    Limit {
        /// The file.
        path: PathBuf,
        /// What there is too much of.
        what: &'static str,
    },
    /// Writers were quicker every time.
    #[error("`{}` changes faster than it can be read", .path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
}

/// What went wrong in a reading, before it is known whether a writer did it.
enum Failure {
    Io(io::Error),
    Damaged(&'static str),
    Limit(&'static str),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // A page that is not there was promised by a damaged one.
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Failure::Damaged("a page lies behind its end"),
            _ => Failure::Io(error),
        }
    }
}

/// An open database.
pub struct Database {
    pages: Box<dyn Pages>,
    path: PathBuf,
}

/// Where pages lie.
trait Pages {
    fn read_exact(&self, bytes: &mut [u8], offset: u64) -> io::Result<()>;
}

impl Pages for File {
    fn read_exact(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(bytes, offset)
    }
}

impl Pages for Vec<u8> {
    fn read_exact(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let from = usize::try_from(offset).ok();
        let rest = from.and_then(|from| self.get(from..));
        let there = rest.and_then(|rest| rest.get(..bytes.len()));
        bytes.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// What a meta page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Meta {
    page_size: usize,
    root: u64,
    transaction: u64,
}

/// One state of the database.
pub struct Snapshot<'d> {
    database: &'d Database,
    page_size: usize,
    root: u64,
    bytes_left: usize,
}

/// A bucket: a tree of its own, or one that is so small that it lies in its
/// parent's page.
#[derive(Clone, Debug)]
pub struct Bucket {
    root: u64,
    inline: Vec<u8>,
}

/// What stands under a key.
#[derive(Clone, Debug)]
pub enum Item {
    /// Bytes.
    Value(Vec<u8>),
    /// More keys.
    Bucket(Bucket),
}

impl Database {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path) -> Result<Self, BoltError> {
        let reading = |cause| BoltError::Read {
            path: path.to_owned(),
            cause,
        };
        let file = File::open(path).map_err(reading)?;
        if !file.metadata().map_err(reading)?.is_file() {
            return Err(reading(io::Error::other("it is no regular file")));
        }
        Ok(Database {
            pages: Box::new(file),
            path: path.to_owned(),
        })
    }

    /// One in memory.
    pub fn of_bytes(bytes: Vec<u8>) -> Self {
        Database {
            pages: Box::new(bytes),
            path: PathBuf::new(),
        }
    }

    /// Reads one state. `read` may be called several times: what it gave is
    /// believed only when no writer has come in between.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or changes all the time.
    pub fn read<T>(
        &self,
        read: impl Fn(&mut Snapshot<'_>) -> Result<T, SnapshotError>,
    ) -> Result<T, BoltError> {
        for _ in 0..TRIES {
            let meta = self.meta().map_err(|failure| self.error(failure))?;
            let mut snapshot = Snapshot {
                database: self,
                page_size: meta.page_size,
                root: meta.root,
                bytes_left: BYTES_LIMIT,
            };
            let result = read(&mut snapshot);
            match self.meta() {
                Ok(after) if after == meta => {
                    return result.map_err(|error| self.error(error.0));
                }
                // A meta page that is being written.
                Ok(_) | Err(Failure::Damaged(_)) => {}
                Err(failure) => return Err(self.error(failure)),
            }
        }
        Err(BoltError::Busy {
            path: self.path.clone(),
        })
    }

    fn error(&self, failure: Failure) -> BoltError {
        let path = self.path.clone();
        match failure {
            Failure::Io(cause) => BoltError::Read { path, cause },
            Failure::Damaged(what) => BoltError::Damaged { path, what },
            Failure::Limit(what) => BoltError::Limit { path, what },
        }
    }

    /// The newer of the two meta pages that are whole. The second lies behind
    /// the first, whose size only a meta page tells.
    fn meta(&self) -> Result<Meta, Failure> {
        let first = self.meta_at(0)?;
        let second = match first {
            Some(meta) => self.meta_at(meta.page_size)?,
            None => {
                let mut size = SMALLEST;
                loop {
                    let found = self.meta_at(size)?.filter(|meta| meta.page_size == size);
                    if found.is_some() || size == LARGEST {
                        break found;
                    }
                    size *= 2;
                }
            }
        };
        let newest = [first, second].into_iter().flatten();
        newest
            .max_by_key(|meta| meta.transaction)
            .ok_or(Failure::Damaged("it has no meta page"))
    }

    /// A meta page, if there is a whole one (db.go, `meta.validate`).
    fn meta_at(&self, offset: usize) -> Result<Option<Meta>, Failure> {
        let mut bytes = [0; HEADER + META + 8];
        match self.pages.read_exact(&mut bytes, offset as u64) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(Failure::Io(error)),
        }
        let content = bytes.get(HEADER..).unwrap_or_default();
        let covered = content.get(..META).unwrap_or_default();
        let word = |at| u32_at(content, at);
        let is_whole = u16_at(&bytes, 8) == Some(META_FLAG)
            && word(0) == Some(MAGIC)
            && word(4) == Some(VERSION)
            && u64_at(content, META) == Some(fnv(covered));
        let page_size = word(8).and_then(|size| usize::try_from(size).ok());
        let page_size =
            page_size.filter(|size| size.is_power_of_two() && (SMALLEST..=LARGEST).contains(size));
        Ok(page_size.filter(|_| is_whole).and_then(|page_size| {
            Some(Meta {
                page_size,
                root: u64_at(content, 16)?,
                transaction: u64_at(content, 48)?,
            })
        }))
    }
}

/// Why a state could not be read: told by [`Database::read`].
pub struct SnapshotError(Failure);

impl From<Failure> for SnapshotError {
    fn from(failure: Failure) -> Self {
        SnapshotError(failure)
    }
}

impl Snapshot<'_> {
    /// The bucket that holds all others.
    pub fn root(&self) -> Bucket {
        Bucket {
            root: self.root,
            inline: Vec::new(),
        }
    }

    /// What stands under `key`.
    ///
    /// # Errors
    /// When a page on the way is damaged.
    pub fn get(&mut self, bucket: &Bucket, key: &[u8]) -> Result<Option<Item>, SnapshotError> {
        let mut found = None;
        self.walk(bucket, Some(key), &mut |other, item| {
            if other == key {
                found = Some(item.take());
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        Ok(found.transpose()?)
    }

    /// The bucket under `key`.
    ///
    /// # Errors
    /// When a page on the way is damaged.
    pub fn bucket(&mut self, bucket: &Bucket, key: &[u8]) -> Result<Option<Bucket>, SnapshotError> {
        Ok(match self.get(bucket, key)? {
            Some(Item::Bucket(bucket)) => Some(bucket),
            Some(Item::Value(_)) | None => None,
        })
    }

    /// The keys of the buckets in a bucket, in their order.
    ///
    /// # Errors
    /// When a page is damaged.
    pub fn buckets(&mut self, bucket: &Bucket, most: usize) -> Result<Vec<Vec<u8>>, SnapshotError> {
        let mut keys = Vec::new();
        self.walk(bucket, None, &mut |key, item| {
            if item.is_bucket {
                keys.push(key.to_vec());
            }
            match keys.len() < most {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })?;
        Ok(keys)
    }

    fn walk(
        &mut self,
        bucket: &Bucket,
        wanted: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), Failure> {
        if bucket.root == 0 {
            let page = &bucket.inline;
            return match u16_at(page, 8) {
                Some(LEAF) => leaf(page, visit).map(drop),
                _ => Err(Failure::Damaged("a bucket has no page")),
            };
        }
        self.page(bucket.root, wanted, visit, 0).map(drop)
    }

    fn page(
        &mut self,
        number: u64,
        wanted: Option<&[u8]>,
        visit: &mut Visit<'_>,
        level: u32,
    ) -> Result<ControlFlow<()>, Failure> {
        if level >= MOST_LEVELS {
            return Err(Failure::Damaged("its pages go round in a circle"));
        }
        let page = self.load(number)?;
        match u16_at(&page, 8) {
            Some(LEAF) => leaf(&page, visit),
            Some(BRANCH) => {
                let mut children = Vec::new();
                for index in 0..count(&page)? {
                    let at = HEADER + index * ELEMENT;
                    let child = u64_at(&page, at + 8).ok_or(CUT)?;
                    let key = key_of(&page, at, u32_at(&page, at), u32_at(&page, at + 4))?;
                    // The last child whose first key is not behind the wanted
                    // one; the very first takes what is before all.
                    if wanted.is_some_and(|wanted| key <= wanted) {
                        children.clear();
                    }
                    if wanted.is_none_or(|wanted| key <= wanted) || children.is_empty() {
                        children.push(child);
                    }
                }
                for child in children {
                    if self.page(child, wanted, visit, level + 1)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Ok(ControlFlow::Continue(()))
            }
            _ => Err(Failure::Damaged("a page of its tree is of another kind")),
        }
    }

    /// A page with its overflow.
    fn load(&mut self, number: u64) -> Result<Vec<u8>, Failure> {
        let offset = number.checked_mul(self.page_size as u64);
        let offset = offset.ok_or(Failure::Damaged("a page lies behind its end"))?;
        let pages = &self.database.pages;
        let mut header = [0; HEADER];
        pages.read_exact(&mut header, offset)?;
        if u64_at(&header, 0) != Some(number) {
            return Err(Failure::Damaged("a page has another number"));
        }
        let overflow = u32_at(&header, 12).unwrap_or_default() as usize;
        let length = overflow
            .checked_add(1)
            .and_then(|pages| pages.checked_mul(self.page_size));
        let length = length
            .filter(|length| *length <= PAGE_LIMIT)
            .ok_or(Failure::Limit("larger values"))?;
        let left = self.bytes_left.checked_sub(length);
        self.bytes_left = left.ok_or(Failure::Limit("more pages"))?;
        let mut page = vec![0; length];
        pages.read_exact(&mut page, offset)?;
        Ok(page)
    }
}

/// An element of a leaf, not copied yet.
struct Found<'p> {
    is_bucket: bool,
    value: &'p [u8],
}

impl Found<'_> {
    fn take(&self) -> Result<Item, Failure> {
        if !self.is_bucket {
            return Ok(Item::Value(self.value.to_vec()));
        }
        let root = u64_at(self.value, 0).ok_or(CUT)?;
        let inline = match root {
            0 => self.value.get(ELEMENT..).unwrap_or_default().to_vec(),
            _ => Vec::new(),
        };
        Ok(Item::Bucket(Bucket { root, inline }))
    }
}

type Visit<'v> = dyn FnMut(&[u8], &Found<'_>) -> ControlFlow<()> + 'v;

const CUT: Failure = Failure::Damaged("a page is cut off");

fn leaf(page: &[u8], visit: &mut Visit<'_>) -> Result<ControlFlow<()>, Failure> {
    for index in 0..count(page)? {
        let at = HEADER + index * ELEMENT;
        let flags = u32_at(page, at).ok_or(CUT)?;
        let (offset, key_size) = (u32_at(page, at + 4), u32_at(page, at + 8));
        let key = key_of(page, at, offset, key_size)?;
        let value_size = u32_at(page, at + 12).ok_or(CUT)? as usize;
        let from = at + offset.ok_or(CUT)? as usize + key.len();
        let value = from
            .checked_add(value_size)
            .and_then(|to| page.get(from..to));
        let found = Found {
            is_bucket: flags & BUCKET != 0,
            value: value.ok_or(CUT)?,
        };
        if visit(key, &found).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// How many elements a page has: as many as there is room for.
fn count(page: &[u8]) -> Result<usize, Failure> {
    let count = usize::from(u16_at(page, 10).ok_or(CUT)?);
    let is_room = HEADER + count * ELEMENT <= page.len();
    is_room.then_some(count).ok_or(CUT)
}

/// A key, by its distance from the element that names it.
fn key_of(
    page: &[u8],
    at: usize,
    offset: Option<u32>,
    size: Option<u32>,
) -> Result<&[u8], Failure> {
    let from = at + offset.ok_or(CUT)? as usize;
    let to = from + size.ok_or(CUT)? as usize;
    page.get(from..to).ok_or(CUT)
}

/// Puts the checksum of the first meta page right.
pub(super) fn with_checksums(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = bytes.get(HEADER..HEADER + META).map(fnv);
    if let (Some(sum), Some(place)) = (sum, bytes.get_mut(HEADER + META..HEADER + META + 8)) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
    bytes
}

/// FNV-1a, 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
