//! Sparse files: where the stored bytes belong.

use super::header::{BLOCK, number};

/// Segments of one file. Blocks of an old GNU map follow each other without an
/// end of their own; no other map has room for more.
const MOST_SEGMENTS: usize = 1 << 18;

/// Where the stored bytes of a sparse file belong.
#[derive(Debug, Default)]
pub(super) struct Map {
    /// Offset and length of each segment, in order, not overlapping.
    segments: Vec<(u64, u64)>,
    real_size: u64,
    /// Segment that is being read.
    current: usize,
    /// How far the expanded file has been handed out.
    position: u64,
}

impl Map {
    /// From offsets and lengths in turn; `None` when they contradict each other.
    pub(super) fn new(numbers: &[u64], real_size: u64) -> Option<Self> {
        let mut map = Map {
            real_size,
            ..Map::default()
        };
        let (pairs, []) = numbers.as_chunks::<2>() else {
            return None;
        };
        for [offset, length] in pairs {
            map.push(*offset, *length)?;
        }
        map.check()
    }

    fn push(&mut self, offset: u64, length: u64) -> Option<()> {
        let end = self
            .segments
            .last()
            .map_or(0, |(offset, length)| offset + length);
        offset.checked_add(length)?;
        if offset < end || self.segments.len() == MOST_SEGMENTS {
            return None;
        }
        self.segments.push((offset, length));
        Some(())
    }

    fn check(self) -> Option<Self> {
        let end = self
            .segments
            .last()
            .map_or(0, |(offset, length)| offset + length);
        (end <= self.real_size).then_some(self)
    }

    /// The four segments of an old GNU header and whether more blocks follow.
    pub(super) fn from_old_gnu(block: &[u8; BLOCK]) -> Option<(Self, bool)> {
        let mut map = Map {
            real_size: number(block.get(483..495)?)?,
            ..Map::default()
        };
        map.read(block.get(386..482)?)?;
        let more = block.get(482)? != &0;
        // Further segments may reach farther; the last block decides.
        if more {
            Some((map, true))
        } else {
            map.check().map(|map| (map, false))
        }
    }

    /// An extension block; whether another one follows.
    pub(super) fn extend(&mut self, block: &[u8; BLOCK]) -> Option<bool> {
        self.read(block.get(..504)?)?;
        Some(block.get(504)? != &0)
    }

    fn read(&mut self, table: &[u8]) -> Option<()> {
        for pair in table.chunks_exact(24) {
            let (offset, length) = pair.split_at_checked(12)?;
            // An empty slot ends the table.
            if offset.first() == Some(&0) && length.first() == Some(&0) {
                break;
            }
            self.push(number(offset)?, number(length)?)?;
        }
        Some(())
    }

    /// GNU sparse 1.0: decimal numbers by line in front of the content.
    /// `complete` are the newlines in `bytes`, which grow block by block: to
    /// count them anew each time would take the square of a long map's size.
    /// `None` when the map is not complete yet.
    pub(super) fn from_content(
        bytes: &[u8],
        complete: usize,
        real_size: u64,
    ) -> Option<Result<Self, ()>> {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let mut next = || {
            let text = std::str::from_utf8(lines.next()?).ok()?;
            text.parse::<u64>().ok()
        };
        if complete == 0 {
            return None;
        }
        let Some(count) = next().and_then(|count| usize::try_from(count).ok()) else {
            return Some(Err(()));
        };
        if complete - 1 < count.saturating_mul(2) {
            return None;
        }
        let numbers: Option<Vec<u64>> = (0..count * 2).map(|_| next()).collect();
        Some(
            numbers
                .and_then(|numbers| Map::new(&numbers, real_size))
                .ok_or(()),
        )
    }

    /// Size once expanded.
    pub(super) fn real_size(&self) -> u64 {
        self.real_size
    }

    /// Bytes that are stored.
    pub(super) fn stored(&self) -> u64 {
        self.segments
            .iter()
            .fold(0, |sum, (_, length)| sum.saturating_add(*length))
    }

    /// Zeros from here to the next segment, or to the end; they count as
    /// handed out.
    pub(super) fn hole(&mut self) -> u64 {
        let next = loop {
            match self.segments.get(self.current) {
                Some((offset, length)) if self.position >= offset + length => self.current += 1,
                Some((offset, _)) => break *offset,
                None => break self.real_size,
            }
        };
        let hole = next.saturating_sub(self.position);
        self.position += hole;
        hole
    }

    /// How many of `wanted` stored bytes belong to the current segment; they
    /// count as handed out.
    pub(super) fn take(&mut self, wanted: u64) -> u64 {
        let end = self
            .segments
            .get(self.current)
            .map_or(self.position, |(at, len)| at + len);
        let taken = wanted.min(end.saturating_sub(self.position));
        self.position += taken;
        taken
    }
}
