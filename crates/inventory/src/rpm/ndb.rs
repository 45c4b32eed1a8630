//! A reader of rpm's own database, NDB (`Packages.db`), as its only writer has
//! it (rpm's lib/backend/ndb/rpmpkg.c): a header, pages of slots, and blobs to
//! which the slots point. All numbers are little endian, places are in blocks
//! of 16 bytes.
//!
//! The file is hostile until proven otherwise: every length is held against
//! the file, blobs that share bytes cannot make more of it than it holds, and
//! what no slot points to is looked through for blobs that lost theirs.

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
    #[error("it is no NDB database of rpm")]
    NotNdb,
    #[error("version {0} of the NDB format is not known")]
    Version(u32),
}

/// Why a package cannot be read, or what is wrong beside it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("byte {0} cannot be read: {1}")]
    Read(u64, io::Error),
    #[error("the file ends within a block of 16 bytes")]
    Cut,
    #[error("it should have {0} pages of slots, but the file ends before")]
    Pages(u32),
    #[error("slot {0} is none")]
    Slot(u64),
    #[error("there are more than {MOST_HEADERS} slots in use")]
    Slots,
    #[error("package {0} lies outside the file")]
    Outside(u32),
    #[error("package {0} lies where a slot or another package does")]
    Overlap(u32),
    #[error("package {0} has two slots")]
    Twice(u32),
    #[error("package {0} has a number that was not given yet")]
    Number(u32),
    #[error("package {0} is newer than the database")]
    Newer(u32),
    #[error("package {0} is malformed")]
    Blob(u32),
    #[error("package {0} has a wrong checksum")]
    Checksum(u32),
    #[error("package {0} has more than {HEADER_LIMIT} bytes")]
    Large(u32),
    #[error("package {0} repeats bytes that were read before")]
    Repeats(u32),
    #[error("the package at byte {0} has no slot")]
    Lost(u64),
}

const HEADER: usize = 32;
const BLOCK: u64 = 16;
const PAGE: usize = 4096;
const SLOT: usize = 16;
const BLOB_HEAD: u64 = 16;
const BLOB_TAIL: u64 = 12;
/// Bytes of unused space that are looked through at once.
const CHUNK: u64 = 64 << 10;

/// An open database.
pub(crate) struct Database<'a> {
    bytes: Bytes<'a>,
    generation: u32,
    slot_pages: u32,
    next_index: u32,
}

/// Where a package lies, in blocks.
#[derive(Clone, Copy)]
struct Slot {
    index: u32,
    start: u32,
    count: u32,
}

impl Slot {
    fn end(self) -> u64 {
        u64::from(self.start) + u64::from(self.count)
    }
}

impl<'a> Database<'a> {
    /// Reads the file's header.
    pub(crate) fn open(body: &Body<'a>) -> Result<Self, OpenError> {
        let bytes = Bytes::body(body);
        let mut head = [0; HEADER];
        bytes
            .read_into(&mut head, 0)
            .map_err(|_| OpenError::NotNdb)?;
        if !head.starts_with(b"RpmP") {
            return Err(OpenError::NotNdb);
        }
        let fields = Fields::little(&head);
        let field = |at| fields.u32(at).unwrap_or(0);
        match field(4) {
            0 => Ok(Database {
                bytes,
                generation: field(8),
                slot_pages: field(12),
                next_index: field(16),
            }),
            version => Err(OpenError::Version(version)),
        }
    }

    /// Hands every package's header to `visit`, in the order of their numbers.
    pub(crate) fn headers(&self, visit: &mut dyn FnMut(&[u8])) -> Faults<Fault> {
        let mut faults = Faults::default();
        if !self.bytes.length().is_multiple_of(BLOCK) {
            faults.add(Fault::Cut);
        }
        let mut slots = self.slots(&mut faults);
        slots.sort_by_key(|slot| (slot.start, slot.index));
        self.unused(&slots, &mut faults);
        slots.sort_by_key(|slot| slot.index);
        let mut left = self.bytes.length();
        let mut before = None;
        for slot in slots {
            if before.replace(slot.index) == Some(slot.index) {
                faults.add(Fault::Twice(slot.index));
            }
            if slot.index >= self.next_index {
                faults.add(Fault::Number(slot.index));
            }
            if let Err(fault) = self.blob(slot, &mut left, &mut faults, visit) {
                faults.add(fault);
            }
        }
        faults
    }

    /// The slots that are in use.
    fn slots(&self, faults: &mut Faults<Fault>) -> Vec<Slot> {
        let mut slots = Vec::new();
        let blocks = self.bytes.length() / BLOCK;
        let mut page = [0; PAGE];
        for number in 0..u64::from(self.slot_pages) {
            let start = number * PAGE as u64;
            if start + PAGE as u64 > self.bytes.length() {
                faults.add(Fault::Pages(self.slot_pages));
                break;
            }
            if let Err(error) = self.bytes.read_into(&mut page, start) {
                faults.add(Fault::Read(start, error));
                continue;
            }
            let (all, _) = page.as_chunks::<SLOT>();
            // The file's header stands in the place of the first two.
            let skip = if number == 0 { HEADER / SLOT } else { 0 };
            for (place, slot) in all.iter().enumerate().skip(skip) {
                let fields = Fields::little(slot);
                let field = |at| fields.u32(at).unwrap_or(0);
                let (index, start, count) = (field(4), field(8), field(12));
                if !slot.starts_with(b"Slot") {
                    let number = number * (PAGE / SLOT) as u64 + place as u64;
                    faults.add(Fault::Slot(number));
                    continue;
                }
                if start == 0 {
                    continue;
                }
                let slot = Slot {
                    index,
                    start,
                    count,
                };
                if slot.end() > blocks {
                    faults.add(Fault::Outside(index));
                    continue;
                }
                if slots.len() == MOST_HEADERS {
                    faults.add(Fault::Slots);
                    return slots;
                }
                slots.push(slot);
            }
        }
        slots
    }

    /// Looks at what lies between the packages: rpm fills it with zeros, so a
    /// package in it has lost its slot.
    fn unused(&self, slots: &[Slot], faults: &mut Faults<Fault>) {
        let mut end = u64::from(self.slot_pages) * (PAGE / SLOT) as u64;
        for slot in slots {
            let start = u64::from(slot.start);
            if start < end {
                faults.add(Fault::Overlap(slot.index));
            } else {
                self.lost(end, start, faults);
            }
            end = end.max(slot.end());
        }
        self.lost(end, self.bytes.length() / BLOCK, faults);
    }

    /// Looks for packages from one block to another.
    fn lost(&self, start: u64, end: u64, faults: &mut Faults<Fault>) {
        let (mut at, end) = (start * BLOCK, end * BLOCK);
        while at < end {
            let length = CHUNK.min(end - at);
            match self.bytes.read(at, length) {
                Ok(chunk) => {
                    let (blocks, _) = chunk.as_chunks::<SLOT>();
                    for (number, block) in blocks.iter().enumerate() {
                        if block.starts_with(b"BlbS") {
                            faults.add(Fault::Lost(at + number as u64 * BLOCK));
                        }
                    }
                }
                Err(error) => faults.add(Fault::Read(at, error)),
            }
            at += length;
        }
    }

    /// Reads a package: a head, its header, zeros up to the end of a block,
    /// and a tail that ends with the last block.
    fn blob(
        &self,
        slot: Slot,
        left: &mut u64,
        faults: &mut Faults<Fault>,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Fault> {
        let index = slot.index;
        let (start, length) = (u64::from(slot.start) * BLOCK, u64::from(slot.count) * BLOCK);
        if length > HEADER_LIMIT {
            return Err(Fault::Large(index));
        }
        *left = left.checked_sub(length).ok_or(Fault::Repeats(index))?;
        let blob = self.bytes.read(start, length);
        let blob = blob.map_err(|error| Fault::Read(start, error))?;
        let bad = || Fault::Blob(index);
        let (summed, tail) = length
            .checked_sub(BLOB_TAIL)
            .and_then(|at| blob.split_at_checked(usize::try_from(at).ok()?))
            .ok_or_else(bad)?;
        let (head, content) = summed.split_first_chunk::<16>().ok_or_else(bad)?;
        let (fields, ends) = (Fields::little(head), Fields::little(tail));
        let size = fields.u32(12).ok_or_else(bad)?;
        let blocks = (BLOB_HEAD + u64::from(size) + BLOB_TAIL).div_ceil(BLOCK);
        if !head.starts_with(b"BlbS")
            || fields.u32(4) != Some(index)
            || blocks != u64::from(slot.count)
            || ends.u32(4) != Some(size)
            || !tail.ends_with(b"BlbE")
        {
            return Err(bad());
        }
        let header = usize::try_from(size).ok();
        let header = header.and_then(|size| content.get(..size));
        let header = header.ok_or_else(bad)?;
        if fields.u32(8).is_none_or(|given| given > self.generation) {
            faults.add(Fault::Newer(index));
        }
        // The rest may be whole all the same: the header has a digest.
        if ends.u32(0) != Some(adler32(summed)) {
            faults.add(Fault::Checksum(index));
        }
        visit(header);
        Ok(())
    }
}

/// Adler-32 (RFC 1950, section 8.2).
fn adler32(bytes: &[u8]) -> u32 {
    const BASE: u32 = 65521;
    let (mut low, mut high) = (1u32, 0u32);
    // As many as cannot overflow the sums.
    for chunk in bytes.chunks(5552) {
        for byte in chunk {
            low += u32::from(*byte);
            high += low;
        }
        low %= BASE;
        high %= BASE;
    }
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_specification() {
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
        assert_eq!(adler32(&[0xFF; 100_000]), 0x149A_302C);
    }
}
