//! Files that lie open, in a root file system or a project, taken as a layer's
//! entries are.

use std::io::{self, Read};

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
pub(crate) struct Loose<'a>(Collector<'a>);

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
        Loose(Collector::new(reading))
    }

    /// Whether the file's content is wanted; then it is read by `open`.
    pub(crate) fn visit<R: Read>(
        &mut self,
        entry: &LooseEntry<'_>,
        open: impl FnOnce() -> io::Result<R>,
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
        if !self.0.entry(&raw) {
            return;
        }
        let result = open().and_then(|file| self.pour(file, entry.size));
        if let Err(error) = result {
            self.0.give_up(&error);
        }
    }

    fn pour(&mut self, file: impl Read, size: u64) -> io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        // A file that grows while it is read is taken as long as it was.
        let mut file = file.take(size);
        let mut wanted = true;
        while wanted {
            let read = fill(&mut file, &mut buffer)?;
            let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else {
                break;
            };
            wanted = self.0.content(chunk);
        }
        if wanted && file.limit() > 0 {
            // What is left of it may look whole.
            return Err(io::Error::other("it became shorter while it was read"));
        }
        if wanted {
            self.0.end();
        }
        Ok(())
    }

    /// How many files somebody wanted.
    pub(crate) fn taken(&self) -> u64 {
        self.0.taken()
    }

    pub(crate) fn finish(self) -> LayerEvidence {
        self.0.finish()
    }
}
