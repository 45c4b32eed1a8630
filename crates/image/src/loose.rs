//! Files that lie open, in a root file system or a project, taken as a layer's
//! entries are.

use std::{
    fs::File,
    io::{self, Read},
};

use crate::{
    EntryKind,
    chunks::fill,
    collect::Collector,
    evidence::LayerEvidence,
    layer::Reading,
    tar::{RawEntry, Visitor},
};

/// Takes evidence from one file that is no tar entry: of a root file system or
/// a project.
pub(crate) struct Loose<'a> {
    collector: Collector<'a>,
    buffer: Vec<u8>,
}

/// Bytes read at once.
const BUFFER: usize = 64 << 10;

/// A loose file's header, as [`Entry`] has it.
pub(crate) struct LooseEntry<'a> {
    pub(crate) path: &'a str,
    pub(crate) kind: EntryKind,
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) link: &'a [u8],
    pub(crate) capability: Option<&'a [u8]>,
}

impl<'a> Loose<'a> {
    pub(crate) fn new(reading: &'a Reading<'a>) -> Self {
        Loose {
            collector: Collector::of_open_files(reading),
            buffer: vec![0; BUFFER],
        }
    }

    /// Whether the file's content is wanted; then it is read by `open`.
    pub(crate) fn visit(
        &mut self,
        entry: &LooseEntry<'_>,
        open: impl FnOnce() -> io::Result<File>,
    ) {
        let raw = RawEntry {
            path: entry.path.as_bytes(),
            link: entry.link,
            kind: entry.kind,
            size: entry.size,
            mode: entry.mode,
            uid: entry.uid,
            gid: entry.gid,
            capability: entry.capability,
        };
        if !self.collector.entry(&raw) {
            return;
        }
        let result = open().and_then(|file| self.pour(&file, entry.size));
        if let Err(error) = result {
            self.collector.give_up(&error);
        }
    }

    fn pour(&mut self, whole: &File, size: u64) -> io::Result<()> {
        // A file that grows while it is read is taken as long as it was.
        let mut file = whole.take(size);
        let mut wanted = true;
        while wanted {
            let read = fill(&mut file, &mut self.buffer)?;
            let Some(chunk) = self.buffer.get(..read).filter(|chunk| !chunk.is_empty()) else {
                break;
            };
            wanted = self.collector.content(chunk);
            if wanted && self.collector.is_at_parts() {
                break;
            }
        }
        if wanted && file.limit() > 0 && !self.collector.is_at_parts() {
            // What is left of it may look whole.
            return Err(io::Error::other("it became shorter while it was read"));
        }
        if wanted {
            self.collector.hand_over(whole)?;
            self.collector.end();
        }
        Ok(())
    }

    /// How many files somebody wanted.
    pub(crate) fn taken(&self) -> u64 {
        self.collector.taken()
    }

    pub(crate) fn finish(self) -> LayerEvidence {
        self.collector.finish()
    }
}
