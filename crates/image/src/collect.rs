//! Evidence from the entries of a layer, while they stream by.

mod gather;
mod streams;

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    hash::Hasher,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use seawall_model::{Gap, GapKind};

use crate::{
    Body, Entry, EntryKind, Need, Stream,
    chunks::CHUNK,
    evidence::{FileEvidence, HardLink, LayerEvidence},
    layer::Reading,
    matcher::{Asked, Fnv, Index},
    paths,
    tar::{RawEntry, Visitor},
};

/// Bytes that all threads together may take: of temporary files at one time,
/// or of evidence.
pub(crate) struct Budget(AtomicU64);

impl Budget {
    pub(crate) fn new(bytes: u64) -> Self {
        Budget(AtomicU64::new(bytes))
    }

    fn take(&self, bytes: u64) -> bool {
        let take = |left: u64| left.checked_sub(bytes);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }

    fn give_back(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Content of a wanted file on its way to the analysers.
enum Content {
    None,
    /// Only as much as is needed to tell what it is.
    First(Vec<u8>),
    Memory(Vec<u8>),
    Spool(File, u64),
    /// The file itself, which lies open; `None` until it is handed over.
    Open(Option<File>),
}

/// Files up to this size are not worth a temporary file.
const SPOOL_FROM: u64 = 4 << 20;
/// Bytes that tell what a file is.
const MAGIC: usize = 16;

/// Takes evidence from the entries of a tar.
pub(crate) struct Collector<'a> {
    reading: &'a Reading<'a>,
    out: LayerEvidence,
    weight: u64,
    /// Bytes that were taken from what all layers may keep.
    charged: u64,
    /// Whether evidence was lost to a bound.
    is_full: bool,
    /// The entry whose content goes by.
    path: String,
    size: u64,
    mode: u32,
    uid: u64,
    gid: u64,
    capability: Option<Box<[u8]>>,
    wanted: Vec<Index>,
    /// Whether its earlier states are out of date already: evidence of this one
    /// may have been kept since.
    forgotten: bool,
    content: Content,
    /// Whether files lie open, so that parts of them need no copy.
    lies_open: bool,
    /// Whether more of the content is wanted in one piece.
    gathering: bool,
    /// Who wants the content as it goes by.
    streams: Vec<(Index, Box<dyn Stream + 'a>)>,
    /// Files that somebody wanted.
    taken: u64,
    buffer: Vec<u8>,
    symlink_bytes: usize,
    paths_full: bool,
    /// Hashes of the paths of interest met so far: most are met once.
    seen: HashSet<u64>,
    /// Paths met again, with what was there before the last time: any of that
    /// path among it is out of date.
    again: HashMap<String, Before>,
}

/// How much evidence there was at a point of the tar.
struct Before {
    files: usize,
    hard_links: usize,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(reading: &'a Reading<'a>) -> Self {
        Collector {
            reading,
            out: LayerEvidence::default(),
            weight: 0,
            charged: 0,
            is_full: false,
            path: String::new(),
            size: 0,
            mode: 0,
            uid: 0,
            gid: 0,
            capability: None,
            wanted: Vec::new(),
            forgotten: false,
            content: Content::None,
            lies_open: false,
            gathering: false,
            streams: Vec::new(),
            taken: 0,
            buffer: Vec::new(),
            symlink_bytes: 0,
            paths_full: false,
            seen: HashSet::new(),
            again: HashMap::new(),
        }
    }

    /// The same for files that lie open: each is handed over with
    /// [`Collector::hand_over`] before its end is told.
    pub(crate) fn of_open_files(reading: &'a Reading<'a>) -> Self {
        Collector {
            lies_open: true,
            ..Collector::new(reading)
        }
    }

    pub(crate) fn finish(mut self) -> LayerEvidence {
        // Once for all of them: a hostile layer repeats every path.
        if !self.again.is_empty() {
            let again = &self.again;
            let is_last = |path: &str, at: usize, before: fn(&Before) -> usize| {
                again.get(path).is_none_or(|cut| at >= before(cut))
            };
            let mut at = 0..;
            self.out.files.retain(|file| {
                let at = at.next().unwrap_or_default();
                is_last(&file.path, at, |before| before.files)
            });
            let mut at = 0..;
            self.out.hard_links.retain(|link| {
                let at = at.next().unwrap_or_default();
                is_last(&link.path, at, |before| before.hard_links)
            });
        }
        self.out
    }

    /// Throws away what was taken, as if it had never been.
    pub(crate) fn discard(self) {
        self.reading.kept.give_back(self.charged);
    }

    /// The content of the entry cannot be read.
    pub(crate) fn give_up(&mut self, error: &io::Error) {
        self.content = Content::None;
        self.wanted.clear();
        self.streams.clear();
        self.gap(GapKind::Damaged, format!("cannot be read: {error}"));
    }

    /// How many files somebody wanted.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    fn gap(&mut self, kind: GapKind, reason: impl Into<String>) {
        // A hostile layer must not fill the report.
        const MOST: usize = 1000;
        if self.out.gaps.len() < MOST {
            self.out
                .gaps
                .push(Gap::new(kind, self.path.clone(), reason));
        }
    }

    /// Whiteouts (OCI image specification, layer.md, "Whiteouts"). Returns
    /// whether the entry was one.
    fn whiteout(&mut self) -> bool {
        let (dir, name) = paths::split(&self.path);
        let Some(hidden) = name.strip_prefix(".wh.") else {
            return false;
        };
        match hidden {
            ".wh..opq" => {
                let dir = dir.to_owned();
                if self.weigh_path(dir.len()) {
                    self.out.opaque.push(dir);
                }
            }
            // `.wh..wh.plnk` and its like are aufs's own book-keeping.
            _ if hidden.starts_with(".wh.") => {}
            "" => {}
            _ => {
                let path = paths::join(dir, hidden);
                if self.weigh_path(path.len()) {
                    self.out.whiteouts.push(path);
                }
            }
        }
        true
    }

    /// Whether a link or a whiteout of so many bytes may be kept.
    fn weigh_path(&mut self, bytes: usize) -> bool {
        // Short ones weigh by their book-keeping.
        const OVERHEAD: usize = 96;
        let weight = bytes + OVERHEAD;
        self.symlink_bytes += weight;
        if self.symlink_bytes <= self.reading.limits.layer_paths {
            if self.reading.kept.take(weight as u64) {
                self.charged += weight as u64;
                return true;
            }
            self.out.cut_short = true;
        }
        self.paths_are_full();
        false
    }

    fn paths_are_full(&mut self) {
        if !std::mem::replace(&mut self.paths_full, true) {
            let limit = self.reading.limits.layer_paths;
            self.gap(
                GapKind::Limit,
                format!(
                    "the layer's paths take more than {limit} bytes, or those of all layers too \
                     many: from here on what it replaces or removes is not known"
                ),
            );
        }
    }

    /// The hash that a path of interest is known by.
    fn key(&self) -> u64 {
        let mut hasher = Fnv::default();
        hasher.write(self.path.as_bytes());
        hasher.finish()
    }

    /// Marks what an earlier entry of the same name left as out of date: the
    /// last one counts.
    fn forget(&mut self) {
        if std::mem::replace(&mut self.forgotten, true) || self.seen.insert(self.key()) {
            return;
        }
        let before = Before {
            files: self.out.files.len(),
            hard_links: self.out.hard_links.len(),
        };
        if let Some(earlier) = self.again.get_mut(&self.path) {
            *earlier = before;
        } else if self.weigh(self.path.len()) {
            self.again.insert(self.path.clone(), before);
        }
    }

    /// Whether so many bytes more may be kept.
    fn weigh(&mut self, bytes: usize) -> bool {
        // A million empty pieces of evidence weigh by their book-keeping.
        const OVERHEAD: usize = 256;
        let limits = self.reading.limits;
        let weight = (bytes + OVERHEAD) as u64;
        let limit = if self.weight + weight > limits.layer_evidence {
            limits.layer_evidence
        } else if self.reading.kept.take(weight) {
            self.weight += weight;
            self.charged += weight;
            return true;
        } else {
            self.out.cut_short = true;
            limits.image_evidence
        };
        if !std::mem::replace(&mut self.is_full, true) {
            self.gap(
                GapKind::Limit,
                format!("the evidence takes more than {limit} bytes: from here on some is lost"),
            );
        }
        false
    }

    fn link_target(&mut self, raw: &[u8]) -> Option<String> {
        let mut target = String::new();
        if paths::normalise(raw, &mut target) {
            Some(target)
        } else {
            None
        }
    }

    /// Hands the entry to its analysers.
    fn analyse(&mut self) {
        let mut content = std::mem::replace(&mut self.content, Content::None);
        let wanted = std::mem::take(&mut self.wanted);
        for index in &wanted {
            let Some(analyser) = self.reading.matcher.analyser(*index) else {
                continue;
            };
            let body = match (&mut content, analyser.need()) {
                (_, Need::Header) | (Content::None | Content::First(_), _) => Body::Bytes(&[]),
                (Content::Memory(bytes), _) => Body::Bytes(bytes),
                (Content::Open(None), _) => continue,
                (Content::Spool(file, _) | Content::Open(Some(file)), _) => {
                    if let Err(error) = io::Seek::rewind(file) {
                        self.out.cut_short = true;
                        self.gap(GapKind::Damaged, format!("cannot read it back: {error}"));
                        continue;
                    }
                    Body::File(file, self.size)
                }
            };
            let result = analyser.analyse(&self.file(), body);
            self.keep_result(*index, result);
        }
        match content {
            Content::Memory(buffer) | Content::First(buffer) => {
                // One huge file must not pin its size for the rest of the layer.
                self.buffer = if buffer.capacity() > CHUNK * 8 {
                    Vec::new()
                } else {
                    buffer
                };
            }
            Content::Spool(..) => self.reading.spool.give_back(self.size),
            Content::None | Content::Open(_) => {}
        }
        self.wanted = wanted;
        self.wanted.clear();
    }

    /// The header of the file that goes by.
    fn file(&self) -> Entry<'_> {
        Entry {
            path: &self.path,
            kind: EntryKind::File,
            size: self.size,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            link: None,
            capability: self.capability.as_deref(),
        }
    }

    fn keep_result(&mut self, analyser: Index, result: Result<Option<Vec<u8>>, String>) {
        match result {
            Ok(Some(data)) => self.keep(analyser, data),
            Ok(None) => {}
            Err(reason) => self.gap(GapKind::Damaged, reason),
        }
    }

    fn keep(&mut self, analyser: Index, data: Vec<u8>) {
        if !self.weigh(data.len() + self.path.len()) {
            return;
        }
        if let Some(analyser) = self.reading.matcher.analyser(analyser) {
            let progress = self.reading.progress;
            progress.evidence(analyser.name(), &self.path);
        }
        self.out.files.push(FileEvidence {
            analyser,
            path: self.path.clone(),
            size: self.size,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            capability: self.capability.clone(),
            data: Arc::from(data),
        });
    }
}

impl Visitor for Collector<'_> {
    fn entry(&mut self, entry: &RawEntry<'_>) -> bool {
        if !paths::normalise(entry.path, &mut self.path) {
            self.path = String::from_utf8_lossy(entry.path).into_owned();
            self.gap(GapKind::Damaged, "the path leaves the root of the image");
            return false;
        }
        if self.path.is_empty() || self.whiteout() {
            return false;
        }
        if self.out.paths.len() < self.reading.limits.layer_paths {
            self.out
                .paths
                .push(&self.path, entry.kind == EntryKind::Directory);
        } else {
            self.paths_are_full();
        }
        self.wanted.clear();
        self.streams.clear();
        let mut wanted = std::mem::take(&mut self.wanted);
        self.reading.matcher.by_header(
            &Asked {
                path: &self.path,
                kind: entry.kind,
                mode: entry.mode,
                has_capability: entry.capability.is_some(),
            },
            &mut wanted,
        );
        self.forgotten = false;
        // What took the place of a file of interest need be of none.
        if !wanted.is_empty() || (!self.seen.is_empty() && self.seen.contains(&self.key())) {
            self.forget();
        }
        self.wanted = wanted;
        match entry.kind {
            EntryKind::Directory => return false,
            EntryKind::Special => {
                if !self.wanted.is_empty() {
                    self.gap(
                        GapKind::Damaged,
                        "it is no regular file but a pipe or a device",
                    );
                }
                return false;
            }
            EntryKind::Symlink => {
                let target = String::from_utf8_lossy(entry.link).into_owned();
                if self.weigh_path(self.path.len() + target.len()) {
                    self.out.symlinks.push((self.path.clone(), target));
                }
                return false;
            }
            EntryKind::HardLink => {
                if self.wanted.is_empty() {
                    return false;
                }
                let Some(target) = self.link_target(entry.link) else {
                    self.gap(GapKind::Damaged, "a hard link leads out of the image");
                    return false;
                };
                let bytes = (self.path.len() + target.len()) * self.wanted.len();
                if self.weigh(bytes) {
                    let path = self.path.clone();
                    let links = self.wanted.iter().map(|analyser| HardLink {
                        analyser: *analyser,
                        path: path.clone(),
                        target: target.clone(),
                    });
                    self.out.hard_links.extend(links);
                }
                return false;
            }
            EntryKind::File => {}
        }
        self.size = entry.size;
        self.mode = entry.mode;
        self.uid = entry.uid;
        self.gid = entry.gid;
        self.capability = entry.capability.map(Box::from);
        self.content = Content::None;
        if !self.wanted.is_empty() {
            self.begin_streams();
        }
        let is_taken = !self.wanted.is_empty() || !self.streams.is_empty();
        self.taken += u64::from(is_taken);
        self.gathering = self.start_gathering();
        self.gathering || !self.streams.is_empty()
    }

    fn content(&mut self, bytes: &[u8]) -> bool {
        let streaming = !self.streams.is_empty() && self.feed_streams(bytes);
        self.gathering = self.gathering && self.gather(bytes);
        self.gathering || streaming
    }

    fn end(&mut self) {
        self.end_streams();
        if std::mem::take(&mut self.gathering) {
            self.gathered();
        }
    }
}
