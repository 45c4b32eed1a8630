//! Content that is wanted in one piece.

use std::{
    fs::File,
    io::{self, Write},
};

use seawall_model::GapKind;

use super::{Collector, Content, MAGIC, SPOOL_FROM};
use crate::{Need, matcher::Index};

impl Collector<'_> {
    /// Whether the content is wanted in one piece.
    pub(super) fn start_gathering(&mut self) -> bool {
        if self.reading.matcher.wants_magic() && self.size >= 4 {
            self.content = Content::First(Vec::with_capacity(MAGIC));
            return true;
        }
        if self.wanted.is_empty() {
            return false;
        }
        if self.prepare(self.size) {
            return true;
        }
        self.analyse();
        false
    }

    /// Takes some of what is wanted in one piece; whether more is.
    pub(super) fn gather(&mut self, bytes: &[u8]) -> bool {
        if let Content::First(first) = &mut self.content {
            let some = bytes
                .get(..bytes.len().min(MAGIC - first.len()))
                .unwrap_or_default();
            first.extend_from_slice(some);
            if (first.len() as u64) < self.size.min(MAGIC as u64) {
                return true;
            }
            let first = std::mem::take(first);
            self.content = Content::None;
            self.reading
                .matcher
                .by_magic(&self.path, &first, &mut self.wanted);
            if !self.wanted.is_empty() {
                self.taken += 1;
                self.forget();
            }
            let earlier = first.len() - some.len();
            let goes_on = !self.wanted.is_empty() && self.prepare(self.size);
            if !goes_on {
                if !self.wanted.is_empty() {
                    self.analyse();
                }
                return false;
            }
            let head = first.get(..earlier).unwrap_or_default();
            return (head.is_empty() || self.store(head)) && self.store(bytes);
        }
        self.store(bytes)
    }

    /// All that was wanted in one piece has come.
    pub(super) fn gathered(&mut self) {
        if let Content::First(first) = &mut self.content {
            // Shorter than any magic: the header alone decided.
            let all = std::mem::take(first);
            self.content = Content::None;
            self.reading
                .matcher
                .by_magic(&self.path, &all, &mut self.wanted);
            if self.wanted.is_empty() {
                return;
            }
            self.taken += 1;
            self.forget();
            if self.prepare(self.size) && !self.store(&all) {
                return;
            }
        }
        self.analyse();
    }

    /// Whether all who still want the file look at parts of it as it lies
    /// there: then the rest of it need not be read.
    pub(crate) fn is_at_parts(&self) -> bool {
        matches!(self.content, Content::Open(_)) && self.streams.is_empty()
    }

    /// Hands the file over to those who look at parts of it.
    pub(crate) fn hand_over(&mut self, file: &File) -> io::Result<()> {
        if let Content::Open(open) = &mut self.content {
            *open = Some(file.try_clone()?);
        }
        Ok(())
    }

    fn store(&mut self, bytes: &[u8]) -> bool {
        let failure = match &mut self.content {
            Content::Memory(buffer) => {
                buffer.extend_from_slice(bytes);
                None
            }
            Content::Spool(file, length) => {
                *length += bytes.len() as u64;
                file.write_all(bytes).err()
            }
            Content::First(_) | Content::None | Content::Open(_) => None,
        };
        let Some(error) = failure else { return true };
        self.content = Content::None;
        self.reading.spool.give_back(self.size);
        self.out.cut_short = true;
        self.gap(
            GapKind::Limit,
            format!("cannot write to a temporary file: {error}"),
        );
        self.wanted.clear();
        false
    }

    fn prepare(&mut self, size: u64) -> bool {
        let (mut limit, mut seek, mut least) = (0, false, u64::MAX);
        let matcher = self.reading.matcher;
        // Who can do with so many bytes gets them; the others are told of the
        // smallest limit that was met.
        self.wanted.retain(|index| {
            let need = matcher.need(*index);
            let (Need::Whole(most) | Need::Seek(most)) = need else {
                return true;
            };
            if size > most {
                least = least.min(most);
                return false;
            }
            limit = limit.max(most);
            seek |= matches!(need, Need::Seek(_));
            true
        });
        if least < u64::MAX {
            self.gap(
                GapKind::Limit,
                format!("the file has {size} bytes, more than the limit of {least}"),
            );
        }
        if limit == 0 {
            return false;
        }
        let is_parts = |index: &Index| matches!(matcher.need(*index), Need::Seek(_) | Need::Header);
        self.content = if self.lies_open && self.wanted.iter().all(is_parts) {
            Content::Open(None)
        } else if seek && size > SPOOL_FROM {
            if !self.reading.spool.take(size) {
                let limit = self.reading.limits.spool_bytes;
                self.out.cut_short = true;
                self.gap(
                    GapKind::Limit,
                    format!("temporary files would hold more than {limit} bytes"),
                );
                self.wanted.clear();
                return false;
            }
            match tempfile::tempfile() {
                Ok(file) => Content::Spool(file, 0),
                Err(error) => {
                    self.reading.spool.give_back(size);
                    self.out.cut_short = true;
                    self.gap(
                        GapKind::Limit,
                        format!("cannot make a temporary file: {error}"),
                    );
                    self.wanted.clear();
                    return false;
                }
            }
        } else {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            Content::Memory(buffer)
        };
        true
    }
}
