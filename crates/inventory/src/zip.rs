//! Zip archives (PKWARE, APPNOTE.TXT), read as Java reads them: the central
//! directory at the end says what there is, and each entry is read where it
//! lies, whatever else the file holds.
//!
//! A zip can lie in many ways: about sizes, with entries that share bytes, with
//! headers that tell other stories than the directory. Each is a fault of that
//! entry; the others are read.

use std::{
    borrow::Cow,
    io::{self, BufReader, Read},
};

use flate2::{Crc, bufread::DeflateDecoder};
use seawall_model::GapKind;

use crate::bytes::{Bytes, Fields};

/// Bytes of a central directory: the largest archives have some ten million.
const MOST_DIRECTORY: u64 = 64 << 20;
/// Entries that are kept: the largest archives hold some thousand others.
const MOST_KEPT: usize = 50_000;
/// Bytes of the end record with its comment (4.3.16).
const MOST_END: u64 = 22 + 65_535;

const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const CENTRAL: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const ENCRYPTED: u16 = 1;

/// What is wrong with an archive or an entry.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: GapKind,
    pub(crate) reason: String,
}

fn damaged(reason: impl Into<String>) -> Fault {
    Fault {
        kind: GapKind::Damaged,
        reason: reason.into(),
    }
}

/// An open archive with the entries that were asked for.
#[derive(Debug)]
pub(crate) struct Archive<'a> {
    bytes: Bytes<'a>,
    /// What stands in front of the archive: a script that runs it.
    base: u64,
    pub(crate) entries: Vec<Entry>,
    /// What is wrong with its directory.
    pub(crate) faults: Vec<Fault>,
}

/// One entry of the central directory.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    raw_name: Box<[u8]>,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    /// Bytes of content, as the directory says.
    pub(crate) size: u64,
    header: u64,
    /// Whether it shares bytes with another one.
    is_shared: bool,
}

impl<'a> Archive<'a> {
    /// Reads the directory and keeps the entries whose names `wants` says;
    /// `None` when it is no zip archive.
    pub(crate) fn open(
        bytes: Bytes<'a>,
        mut wants: impl FnMut(&str) -> bool,
    ) -> Result<Option<Self>, Fault> {
        let Some(directory) = Directory::find(bytes)? else {
            return Ok(None);
        };
        let mut archive = Archive {
            bytes,
            base: directory.base,
            entries: Vec::new(),
            faults: Vec::new(),
        };
        let table = bytes.read(directory.start, directory.size);
        let table = table.map_err(|error| damaged(format!("cannot be read: {error}")))?;
        let mut rest: &[u8] = &table;
        let mut count = 0_u64;
        while rest.starts_with(CENTRAL) {
            let Some((entry, behind)) = Entry::central(rest) else {
                archive.faults.push(damaged("its directory is cut short"));
                break;
            };
            count += 1;
            rest = behind;
            if !wants(&entry.name) {
                continue;
            }
            if archive.entries.len() == MOST_KEPT {
                archive.faults.push(Fault {
                    kind: GapKind::Limit,
                    reason: format!("has more than {MOST_KEPT} entries that are read"),
                });
                break;
            }
            archive.entries.push(entry);
        }
        // Writers that know no Zip64 count modulo 65,536.
        let said = directory.count;
        if count != said && count & 0xFFFF != said && archive.faults.is_empty() {
            let reason = format!("its directory has {count} entries and says that it has {said}");
            archive.faults.push(damaged(reason));
        }
        archive.find_shared();
        Ok(Some(archive))
    }

    /// Marks entries that begin before another one ends.
    fn find_shared(&mut self) {
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_key(|index| self.entries.get(*index).map(|entry| entry.header));
        let mut end = 0;
        for index in order {
            let Some(entry) = self.entries.get_mut(index) else {
                continue;
            };
            entry.is_shared = entry.header < end;
            let own = entry
                .header
                .saturating_add(30 + entry.raw_name.len() as u64);
            end = end.max(own.saturating_add(entry.packed));
        }
    }

    /// Where the packed bytes of an entry lie (4.3.7).
    fn packed(&self, entry: &Entry) -> Result<Bytes<'a>, Fault> {
        if entry.is_shared {
            return Err(damaged("shares bytes with another one"));
        }
        if entry.flags & ENCRYPTED != 0 {
            return Err(Fault {
                kind: GapKind::Unsupported,
                reason: "is encrypted".to_owned(),
            });
        }
        let outside = || damaged("lies beyond the archive's end");
        let start = self.base.checked_add(entry.header).ok_or_else(outside)?;
        let head = self.bytes.read(start, 30).map_err(|_| outside())?;
        if !head.starts_with(LOCAL) {
            return Err(damaged("has no header of its own"));
        }
        let fields = Fields::little(&head);
        let field = |at: usize| fields.u16(at).unwrap_or(0);
        let name_size = u64::from(field(26));
        let name = self
            .bytes
            .read(start + 30, name_size)
            .map_err(|_| outside())?;
        if *name != *entry.raw_name || field(8) != entry.method {
            return Err(damaged(
                "is another one by its own header than by the directory",
            ));
        }
        let start = start + 30 + name_size + u64::from(field(28));
        self.bytes.part(start, entry.packed).ok_or_else(outside)
    }

    /// The content of an entry, of at most `limit` bytes.
    pub(crate) fn read(&self, entry: &Entry, limit: u64) -> Result<Cow<'a, [u8]>, Fault> {
        if entry.size > limit {
            let size = entry.size;
            return Err(Fault {
                kind: GapKind::Limit,
                reason: format!("has {size} bytes, more than the limit of {limit}"),
            });
        }
        if let Some(stored) = self.stored(entry)? {
            let content = stored.read(0, stored.length());
            let content = content.map_err(|error| damaged(format!("cannot be read: {error}")))?;
            let mut crc = Crc::new();
            crc.update(&content);
            if crc.sum() != entry.crc {
                return Err(damaged("has other bytes than the directory says"));
            }
            return Ok(content);
        }
        let mut content = Vec::new();
        self.unpack(entry, &mut content)?;
        Ok(Cow::Owned(content))
    }

    /// The first bytes of an entry's content, unchecked.
    pub(crate) fn start(&self, entry: &Entry, limit: u64) -> Result<Vec<u8>, Fault> {
        let packed = self.packed(entry)?;
        let mut content = Vec::new();
        let read = match entry.method {
            STORED => packed.reader().take(limit).read_to_end(&mut content),
            DEFLATED => inflate(packed).take(limit).read_to_end(&mut content),
            method => return Err(unknown(method)),
        };
        match read {
            Ok(_) => Ok(content),
            Err(error) => Err(damaged(format!("cannot be unpacked: {error}"))),
        }
    }

    /// The content where it lies, if it is not packed.
    pub(crate) fn stored(&self, entry: &Entry) -> Result<Option<Bytes<'a>>, Fault> {
        if entry.method != STORED {
            return Ok(None);
        }
        if entry.size != entry.packed {
            return Err(damaged("is not packed and has two sizes"));
        }
        self.packed(entry).map(Some)
    }

    /// Unpacks an entry: never more bytes than the directory says it has.
    pub(crate) fn unpack(&self, entry: &Entry, out: &mut impl io::Write) -> Result<(), Fault> {
        let packed = self.packed(entry)?;
        if entry.method != DEFLATED {
            return Err(unknown(entry.method));
        }
        let mut reader = inflate(packed).take(entry.size.saturating_add(1));
        let mut crc = Crc::new();
        let mut buffer = vec![0; 64 << 10];
        let mut size = 0_u64;
        loop {
            let read = reader.read(&mut buffer);
            let read = read.map_err(|error| damaged(format!("cannot be unpacked: {error}")))?;
            let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else {
                break;
            };
            size += chunk.len() as u64;
            if size > entry.size {
                return Err(damaged("unpacks to more bytes than the directory says"));
            }
            crc.update(chunk);
            out.write_all(chunk).map_err(|error| Fault {
                kind: GapKind::Limit,
                reason: format!("cannot be kept: {error}"),
            })?;
        }
        if size != entry.size || crc.sum() != entry.crc {
            return Err(damaged("unpacks to other bytes than the directory says"));
        }
        Ok(())
    }
}

fn inflate(packed: Bytes<'_>) -> DeflateDecoder<BufReader<crate::bytes::Reader<'_>>> {
    DeflateDecoder::new(BufReader::with_capacity(64 << 10, packed.reader()))
}

fn unknown(method: u16) -> Fault {
    Fault {
        kind: GapKind::Unsupported,
        reason: format!("is packed by method {method}, which is not read"),
    }
}

impl Entry {
    /// An entry of the directory (4.3.12) and what lies behind it.
    fn central(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let fields = Fields::little(bytes);
        let size = |at: usize| fields.u16(at).map(usize::from);
        let (name_size, extra_size, comment_size) = (size(28)?, size(30)?, size(32)?);
        let (name, rest) = bytes.get(46..)?.split_at_checked(name_size)?;
        let (extra, rest) = rest.split_at_checked(extra_size)?;
        let rest = rest.get(comment_size..)?;
        let mut entry = Entry {
            name: String::from_utf8_lossy(name).into_owned(),
            raw_name: name.into(),
            flags: fields.u16(8)?,
            method: fields.u16(10)?,
            crc: fields.u32(16)?,
            packed: fields.u32(20)?.into(),
            size: fields.u32(24)?.into(),
            header: fields.u32(42)?.into(),
            is_shared: false,
        };
        entry.widen(extra);
        Some((entry, rest))
    }

    /// Takes what does not fit into the fields from the extra field of Zip64
    /// (4.5.3): in this order, and only those.
    fn widen(&mut self, mut extra: &[u8]) {
        while let (Some(id), Some(size)) =
            (Fields::little(extra).u16(0), Fields::little(extra).u16(2))
        {
            let behind = extra.get(4..).unwrap_or_default();
            let Some((field, rest)) = behind.split_at_checked(size.into()) else {
                return;
            };
            extra = rest;
            if id != 1 {
                continue;
            }
            let fields = Fields::little(field);
            let mut at = 0;
            for value in [&mut self.size, &mut self.packed, &mut self.header] {
                if *value == u64::from(u32::MAX)
                    && let Some(wide) = fields.u64(at)
                {
                    *value = wide;
                    at += 8;
                }
            }
            return;
        }
    }
}

/// Where the central directory lies.
struct Directory {
    base: u64,
    start: u64,
    size: u64,
    count: u64,
}

impl Directory {
    fn find(bytes: Bytes<'_>) -> Result<Option<Self>, Fault> {
        let length = bytes.length();
        let size = length.min(MOST_END);
        let tail_start = length - size;
        let tail = bytes.read(tail_start, size);
        let tail = tail.map_err(|error| damaged(format!("cannot be read: {error}")))?;
        // The last one whose comment ends with the file: a comment may hold
        // the signature, and something may stand behind.
        let mut last = None;
        let mut exact = None;
        for at in memchr::memmem::rfind_iter(&tail, END) {
            let Some(end) = tail.get(at..).filter(|end| end.len() >= 22) else {
                continue;
            };
            let comment = Fields::little(end).u16(20).map_or(0, usize::from);
            if end.len() == 22 + comment {
                exact = Some(at);
                break;
            }
            last = last.or(Some(at));
        }
        let Some(at) = exact.or(last) else {
            return Ok(None);
        };
        let end = Fields::little(tail.get(at..).unwrap_or_default());
        let field = |at: usize| end.u16(at).map_or(0, u64::from);
        let word = |at: usize| end.u32(at).map_or(0, u64::from);
        if field(4) != field(6) {
            return Err(Fault {
                kind: GapKind::Unsupported,
                reason: "is one part of several".to_owned(),
            });
        }
        let mut found = Directory {
            base: 0,
            start: word(16),
            size: word(12),
            count: field(10),
        };
        let mut end_at = tail_start + at as u64;
        let is_wide = found.start == u64::from(u32::MAX)
            || found.size == u64::from(u32::MAX)
            || found.count == u64::from(u16::MAX);
        if is_wide && let Some(wide) = Directory::wide(bytes, end_at) {
            (found, end_at) = wide;
        }
        if found.size > MOST_DIRECTORY {
            let size = found.size;
            return Err(Fault {
                kind: GapKind::Limit,
                reason: format!(
                    "has a directory of {size} bytes, more than the limit of {MOST_DIRECTORY}"
                ),
            });
        }
        // The directory ends where its end record starts; all offsets count
        // from where the archive starts, which may be behind a script.
        let start = end_at.checked_sub(found.size);
        let base = start.and_then(|start| start.checked_sub(found.start));
        let (Some(start), Some(base)) = (start, base) else {
            return Err(damaged("has a directory that lies outside it"));
        };
        // Some writers put something between; then the offset counts.
        let is_at = |at: u64| bytes.read(at, 4).is_ok_and(|bytes| *bytes == *CENTRAL);
        if found.count > 0 && !is_at(start) && is_at(found.start) {
            return Ok(Some(Directory { base: 0, ..found }));
        }
        Ok(Some(Directory {
            base,
            start,
            ..found
        }))
    }

    /// The wide end record and where it starts (4.3.14, 4.3.15).
    fn wide(bytes: Bytes<'_>, end: u64) -> Option<(Self, u64)> {
        let locator = bytes.read(end.checked_sub(20)?, 20).ok()?;
        if !locator.starts_with(LOCATOR_64) {
            return None;
        }
        let said = Fields::little(&locator).u64(8)?;
        // Behind a script it lies farther on; it has no more than its 56 bytes
        // then.
        let near = end.checked_sub(20 + 56)?;
        [said, near].into_iter().find_map(|at| {
            let record = bytes.read(at, 56).ok()?;
            let fields = Fields::little(&record);
            record.starts_with(END_64).then_some(())?;
            let found = Directory {
                base: 0,
                start: fields.u64(48)?,
                size: fields.u64(40)?,
                count: fields.u64(32)?,
            };
            Some((found, at))
        })
    }
}
