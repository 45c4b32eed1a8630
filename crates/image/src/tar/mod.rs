//! A tar reader that is fed chunks and never waits.
//!
//! The core decompresses and hashes in chunks; this parser takes the same
//! chunks, so that nothing is copied but what somebody wants. It understands
//! v7, ustar, GNU (long names, base-256 numbers, old sparse files) and PAX
//! (POSIX.1-2017, `pax`, "pax Interchange Format"; GNU sparse 0.0, 0.1, 1.0).
//! Global PAX headers are passed over, as the container engines do.

mod header;
mod pax;
mod sparse;

use header::{BLOCK, Fields};
use pax::Attributes;
use sparse::Map;

use crate::{EntryKind, Limits};

/// One entry as the archive has it: the path is raw.
pub(crate) struct RawEntry<'a> {
    pub(crate) path: &'a [u8],
    pub(crate) link: &'a [u8],
    pub(crate) kind: EntryKind,
    /// Bytes of content once expanded.
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) capability: Option<&'a [u8]>,
}

/// Who is told of entries and their content.
pub(crate) trait Visitor {
    /// An entry starts. Whether its content is wanted.
    fn entry(&mut self, entry: &RawEntry<'_>) -> bool;
    /// Some content of the entry, if it is wanted. Whether more is.
    fn content(&mut self, bytes: &[u8]) -> bool;
    /// All content of a wanted entry has come.
    fn end(&mut self);
}

/// What is wrong with a tar stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TarError {
    /// A header whose checksum does not fit: no tar, or a damaged one.
    #[error("the tar header at byte {0} has a wrong checksum")]
    Checksum(u64),
    /// A number that is none, is negative or has more than 63 bits.
    #[error("the tar header at byte {0} holds no valid {1}")]
    Number(u64, &'static str),
    /// A PAX record that does not follow the form.
    #[error("the PAX header at byte {0} is malformed")]
    Pax(u64),
    /// A sparse map that contradicts itself.
    #[error("the sparse map of the entry at byte {0} is malformed")]
    Sparse(u64),
    /// A bound was met.
    #[error("{what} at byte {at} is over the limit of {limit}")]
    Limit {
        /// Offset in the stream.
        at: u64,
        /// What met the bound.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// The stream ends inside an entry.
    #[error("the tar ends at byte {0}, inside an entry")]
    Truncated(u64),
}

enum State {
    /// A header block is awaited.
    Header,
    /// The content of a long name or PAX header is gathered.
    Meta(Meta),
    /// An extension block of an old GNU sparse header is awaited.
    SparseExtension,
    /// The map in front of a PAX 1.0 sparse file is gathered.
    SparseMap,
    /// Content goes by.
    Content,
    /// Bytes nobody wants.
    Skip,
    /// The end marker was seen.
    Ended,
}

#[derive(Clone, Copy)]
enum Meta {
    LongName,
    LongLink,
    Pax,
    Global,
}

/// Headers that may stand before one entry: a global one and one of each other
/// kind are usual. Without a bound a stream of nothing else has no end.
const MOST_METAS: u32 = 64;

/// A tar reader that is fed chunks.
pub(crate) struct Parser {
    state: State,
    /// Offset of the next byte to be fed.
    offset: u64,
    /// Offset of the current header.
    header_at: u64,
    /// Bytes of a header or map that a chunk's end cut in two.
    partial: Vec<u8>,
    /// Stored bytes left of the current content, meta or skip.
    left: u64,
    /// Padding behind the content.
    padding: u64,
    /// The content so far of a meta entry.
    meta: Vec<u8>,
    /// What meta entries said of the next entry.
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    attributes: Attributes,
    /// The map of the current sparse file.
    map: Option<Map>,
    /// Lines of the PAX 1.0 map that is gathered.
    map_lines: usize,
    fields: Fields,
    wanted: bool,
    zero_blocks: u8,
    trailing: u64,
    entries: u64,
    /// Headers since the last entry.
    metas: u32,
    /// Zeros handed out for holes.
    holes: u64,
    max_holes: u64,
    max_header: usize,
    max_entries: u64,
    max_trailing: u64,
    max_path: usize,
}

impl Parser {
    pub(crate) fn new(limits: &Limits) -> Self {
        Parser {
            state: State::Header,
            offset: 0,
            header_at: 0,
            partial: Vec::new(),
            left: 0,
            padding: 0,
            meta: Vec::new(),
            name: None,
            link: None,
            attributes: Attributes::default(),
            map: None,
            map_lines: 0,
            fields: Fields::default(),
            wanted: false,
            zero_blocks: 0,
            trailing: 0,
            entries: 0,
            metas: 0,
            holes: 0,
            max_holes: limits.hole_bytes,
            max_header: limits.header_bytes,
            max_entries: limits.layer_entries,
            max_trailing: limits.trailing_bytes,
            max_path: limits.path_bytes,
        }
    }

    /// Whether no more than a part of the first header was ever fed or the end
    /// was reached properly. Archives without end blocks are fine too: tools
    /// write them.
    ///
    /// # Errors
    /// When the stream ended inside an entry.
    pub(crate) fn finish(&self) -> Result<(), TarError> {
        match self.state {
            State::Ended => Ok(()),
            State::Header if self.partial.is_empty() => Ok(()),
            _ => Err(TarError::Truncated(self.offset)),
        }
    }

    /// How many bytes from here on nobody wants: a source that can seek may
    /// leave them out, if it does not have to hash them, and say so with
    /// [`Parser::skipped`].
    pub(crate) fn skippable(&self) -> u64 {
        match self.state {
            State::Skip => self.left,
            _ => 0,
        }
    }

    /// `bytes` (at most [`Parser::skippable`]) were left out.
    pub(crate) fn skipped(&mut self, bytes: u64) {
        self.offset += bytes;
        self.left = self.left.saturating_sub(bytes);
        if self.left == 0 {
            self.state = State::Header;
        }
    }

    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// When the stream is no tar, a damaged one, or meets a bound. The parser
    /// must not be fed any more then.
    pub(crate) fn feed(
        &mut self,
        mut chunk: &[u8],
        visitor: &mut impl Visitor,
    ) -> Result<(), TarError> {
        while !chunk.is_empty() {
            let taken = match self.state {
                State::Header | State::SparseExtension => self.block(chunk, visitor)?,
                State::Meta(meta) => self.gather_meta(meta, chunk)?,
                State::SparseMap => self.gather_map(chunk, visitor)?,
                State::Content => self.pass_content(chunk, visitor)?,
                State::Skip => {
                    let taken = within(self.left, chunk.len());
                    self.left -= taken as u64;
                    if self.left == 0 {
                        self.state = State::Header;
                    }
                    taken
                }
                State::Ended => {
                    self.trailing += chunk.len() as u64;
                    if self.trailing > self.max_trailing {
                        return Err(TarError::Limit {
                            at: self.offset,
                            what: "the padding behind the end of the tar",
                            limit: self.max_trailing,
                        });
                    }
                    chunk.len()
                }
            };
            self.offset += taken as u64;
            chunk = chunk.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Awaits a whole block, straight from the chunk where it has one.
    fn block(&mut self, chunk: &[u8], visitor: &mut impl Visitor) -> Result<usize, TarError> {
        if self.partial.is_empty() {
            self.header_at = if matches!(self.state, State::Header) {
                self.offset
            } else {
                self.header_at
            };
            if let Some(block) = chunk.first_chunk::<BLOCK>() {
                self.on_block(block, visitor)?;
                return Ok(BLOCK);
            }
        }
        let taken = (BLOCK - self.partial.len()).min(chunk.len());
        self.partial
            .extend_from_slice(chunk.get(..taken).unwrap_or_default());
        if let Ok(block) = <[u8; BLOCK]>::try_from(self.partial.as_slice()) {
            self.partial.clear();
            self.on_block(&block, visitor)?;
        }
        Ok(taken)
    }

    fn on_block(
        &mut self,
        block: &[u8; BLOCK],
        visitor: &mut impl Visitor,
    ) -> Result<(), TarError> {
        if matches!(self.state, State::SparseExtension) {
            let map = self.map.get_or_insert_default();
            if !map.extend(block).ok_or(TarError::Sparse(self.header_at))? {
                self.start_entry(visitor)?;
            }
            return Ok(());
        }
        // The last byte of a header is unused by every format, the first is
        // the name's: only a candidate for the end marker is looked at whole.
        if block[0] == 0 && block.iter().all(|byte| *byte == 0) {
            self.zero_blocks += 1;
            if self.zero_blocks == 2 {
                self.state = State::Ended;
            }
            return Ok(());
        }
        self.zero_blocks = 0;
        let at = self.header_at;
        self.fields.read(block, at)?;
        let limit = |what, limit| TarError::Limit { at, what, limit };
        let meta = match self.fields.kind {
            b'L' => Some(Meta::LongName),
            b'K' => Some(Meta::LongLink),
            b'x' | b'X' => Some(Meta::Pax),
            b'g' => Some(Meta::Global),
            _ => None,
        };
        if let Some(meta) = meta {
            self.metas += 1;
            if self.metas > MOST_METAS {
                return Err(limit(
                    "the number of headers before an entry",
                    MOST_METAS.into(),
                ));
            }
            if self.fields.size > self.max_header as u64 {
                return Err(limit("a header", self.max_header as u64));
            }
            self.left = self.fields.size;
            self.padding = header::padding(self.left);
            self.meta.clear();
            self.state = State::Meta(meta);
            if self.left == 0 {
                self.on_meta(meta)?;
            }
            return Ok(());
        }
        self.metas = 0;
        self.entries += 1;
        if self.entries > self.max_entries {
            return Err(limit("the number of entries", self.max_entries));
        }
        if self.fields.kind == b'S' {
            let (map, more) = Map::from_old_gnu(block).ok_or(TarError::Sparse(at))?;
            self.map = Some(map);
            if more {
                self.state = State::SparseExtension;
                return Ok(());
            }
        }
        self.start_entry(visitor)
    }

    fn gather_meta(&mut self, meta: Meta, chunk: &[u8]) -> Result<usize, TarError> {
        let taken = within(self.left, chunk.len());
        if !matches!(meta, Meta::Global) {
            self.meta
                .extend_from_slice(chunk.get(..taken).unwrap_or_default());
        }
        self.left -= taken as u64;
        if self.left == 0 {
            self.on_meta(meta)?;
        }
        Ok(taken)
    }

    fn on_meta(&mut self, meta: Meta) -> Result<(), TarError> {
        let text = || {
            self.meta
                .split(|byte| *byte == 0)
                .next()
                .unwrap_or_default()
                .to_vec()
        };
        match meta {
            Meta::LongName => self.name = Some(text()),
            Meta::LongLink => self.link = Some(text()),
            Meta::Pax => {
                self.attributes =
                    Attributes::parse(&self.meta).ok_or(TarError::Pax(self.header_at))?;
            }
            Meta::Global => {}
        }
        self.skip(self.padding);
        Ok(())
    }

    fn skip(&mut self, bytes: u64) {
        self.left = bytes;
        self.state = if bytes == 0 {
            State::Header
        } else {
            State::Skip
        };
    }

    /// All that describes the entry is known.
    fn start_entry(&mut self, visitor: &mut impl Visitor) -> Result<(), TarError> {
        let at = self.header_at;
        let stored = self.attributes.size.unwrap_or(self.fields.size);
        let kind = self.kind();
        // Links and special files have no content whatever their size says;
        // PAX allows hard links to have some, and Go's reader honours it only
        // there.
        let stored = match kind {
            EntryKind::File => stored,
            EntryKind::HardLink if self.attributes.any => stored,
            // GNU tar's incremental archives list the directory's files there.
            EntryKind::Directory if self.fields.kind == b'D' => stored,
            _ => 0,
        };
        self.left = stored;
        self.padding = header::padding(stored);
        if kind == EntryKind::File {
            if let Some(map) = self.attributes.take_sparse_map() {
                self.map = Some(map.ok_or(TarError::Sparse(at))?);
            }
            if self.attributes.map_in_content {
                self.partial.clear();
                self.map_lines = 0;
                self.state = State::SparseMap;
                return Ok(());
            }
        }
        self.announce(visitor)
    }

    fn kind(&self) -> EntryKind {
        self.fields
            .entry_kind(self.name.is_none() && self.attributes.path.is_none())
    }

    fn gather_map(&mut self, chunk: &[u8], visitor: &mut impl Visitor) -> Result<usize, TarError> {
        let taken = (BLOCK - self.partial.len() % BLOCK).min(within(self.left, chunk.len()));
        if taken == 0 {
            return Err(TarError::Sparse(self.header_at));
        }
        let more = chunk.get(..taken).unwrap_or_default();
        self.map_lines += more.iter().filter(|byte| **byte == b'\n').count();
        self.partial.extend_from_slice(more);
        self.left -= taken as u64;
        if self.partial.len().is_multiple_of(BLOCK) {
            let real = self.attributes.real_size.unwrap_or(0);
            match Map::from_content(&self.partial, self.map_lines, real) {
                Some(Ok(map)) => {
                    self.map = Some(map);
                    self.partial.clear();
                    self.announce(visitor)?;
                }
                // The map goes on in the next block.
                None if self.partial.len() < self.max_header => {}
                _ => return Err(TarError::Sparse(self.header_at)),
            }
        }
        Ok(taken)
    }

    fn announce(&mut self, visitor: &mut impl Visitor) -> Result<(), TarError> {
        let kind = self.kind();
        let name;
        let path = match (&self.attributes.path, &self.name) {
            (Some(path), _) | (None, Some(path)) => path.as_slice(),
            (None, None) => {
                name = self.fields.path();
                name.as_ref()
            }
        };
        let link = match (&self.attributes.link, &self.link) {
            (Some(link), _) | (None, Some(link)) => link.as_slice(),
            (None, None) => self.fields.link(),
        };
        if path.len() > self.max_path || link.len() > self.max_path {
            return Err(TarError::Limit {
                at: self.header_at,
                what: "the length of a path",
                limit: self.max_path as u64,
            });
        }
        if let Some(map) = &self.map
            && map.stored() > self.left
        {
            return Err(TarError::Sparse(self.header_at));
        }
        let entry = RawEntry {
            path,
            link,
            kind,
            size: self.map.as_ref().map_or(self.left, Map::real_size),
            mode: self.fields.mode,
            uid: self.attributes.uid.unwrap_or(self.fields.uid),
            gid: self.attributes.gid.unwrap_or(self.fields.gid),
            capability: self.attributes.capability.as_deref(),
        };
        self.wanted = visitor.entry(&entry);
        self.name = None;
        self.link = None;
        if self.attributes.any {
            self.attributes = Attributes::default();
        }
        if self.wanted && self.left == 0 {
            self.fill_holes(visitor)?;
            if self.wanted {
                visitor.end();
            }
        }
        if self.wanted && self.left > 0 {
            self.state = State::Content;
        } else {
            self.map = None;
            self.skip(self.left + self.padding);
        }
        Ok(())
    }

    /// Zeros up to the next stored byte of a sparse file, or to its end.
    fn fill_holes(&mut self, visitor: &mut impl Visitor) -> Result<(), TarError> {
        static ZEROS: [u8; 4096] = [0; 4096];
        let Some(map) = &mut self.map else {
            return Ok(());
        };
        let mut hole = map.hole();
        while hole > 0 && self.wanted {
            let some = within(hole, ZEROS.len());
            self.wanted = visitor.content(ZEROS.get(..some).unwrap_or_default());
            hole -= some as u64;
            // Holes take no room in the stream, whose own bound they pass by.
            self.holes += some as u64;
            if self.holes > self.max_holes {
                return Err(TarError::Limit {
                    at: self.header_at,
                    what: "the holes of sparse files up to the one",
                    limit: self.max_holes,
                });
            }
        }
        Ok(())
    }

    fn pass_content(
        &mut self,
        chunk: &[u8],
        visitor: &mut impl Visitor,
    ) -> Result<usize, TarError> {
        self.fill_holes(visitor)?;
        let mut taken = within(self.left, chunk.len());
        if let Some(map) = &mut self.map {
            // Stored bytes behind the last segment belong to nothing.
            taken = match map.take(taken as u64) {
                0 => taken,
                some => usize::try_from(some).unwrap_or(taken).min(taken),
            };
        }
        if self.wanted {
            self.wanted = visitor.content(chunk.get(..taken).unwrap_or_default());
        }
        self.left -= taken as u64;
        if self.left == 0 {
            self.fill_holes(visitor)?;
            if self.wanted {
                visitor.end();
            }
            self.map = None;
            self.skip(self.padding);
        } else if !self.wanted {
            self.map = None;
            self.skip(self.left + self.padding);
        }
        Ok(taken)
    }
}

/// The smaller of a number of bytes that may be huge and a length in memory.
fn within(left: u64, length: usize) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(length)
}
