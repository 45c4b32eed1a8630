//! Image archives that come as a stream: standard input, a packed file, an
//! engine's export.
//!
//! The manifest may come last, so every blob is analysed as it passes, in a
//! thread of its own behind a bounded queue, and what turns out not to belong
//! to the image is dropped. No copy of the image is made.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    num::NonZero,
    sync::{
        Condvar, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use crate::{
    EntryKind, Error, Image, LayerError, Limits, TarError,
    archive::{looks_like, no_manifest},
    assemble::assemble,
    decompress::Unpacked,
    layer::{ScannedLayer, scan_layer},
    manifest::{self, Documents, Plan},
    open::Run,
    paths,
    pieces::{PIECE, Piece, Pieces, QUEUE},
    read::{accept, foreign},
    tar::{Parser, RawEntry, Visitor},
};

pub(crate) fn open(
    stream: Box<dyn Read + Send>,
    from: &str,
    run: &Run<'_>,
) -> Result<Image, Error> {
    let (passed, plan) = pass(stream, from, run)?;
    finish(passed, plan, run)
}

/// Reads the whole stream and finds the image in it.
pub(crate) fn pass(
    stream: Box<dyn Read + Send>,
    from: &str,
    run: &Run<'_>,
) -> Result<(Passed, Plan), Error> {
    let streaming = |cause| Error::Stream {
        from: from.to_owned(),
        cause,
    };
    let mut unpacked = Unpacked::new(stream, false).map_err(streaming)?;
    let scanned: Mutex<Vec<(usize, ScannedBlob)>> = Mutex::default();
    let readers = Readers::default();
    let limits = &run.options.limits;
    let mut passed = thread::scope(|scope| {
        let start = |name: &str, at: usize, receiver: Receiver<Piece>| {
            let scanned = &scanned;
            let reader = readers.admit();
            let hash_stored = name.starts_with("blobs/");
            run.options.progress.label(name);
            let work = move || {
                let _reader = reader;
                let _core = run.cores.occupy();
                let mut pieces = Pieces::new(receiver);
                let result = scan_layer(&mut pieces, &run.reading(hash_stored));
                let mut all = scanned.lock().unwrap_or_else(PoisonError::into_inner);
                all.push((at, result));
            };
            thread::Builder::new().spawn_scoped(scope, work).map(drop)
        };
        let _core = run.cores.occupy();
        split(&mut unpacked, from, limits, &start)
    })?;
    let scanned = scanned.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut scanned: BTreeMap<usize, ScannedBlob> = scanned.into_iter().collect();
    // Of several entries of one name the last counts, as it does for tar.
    let last = std::mem::take(&mut passed.blobs).into_iter();
    passed.layers = last
        .filter_map(|(name, at)| Some((name, scanned.remove(&at)?)))
        .collect();
    let plan = manifest::plan(&passed, None, run.options.platform.as_ref(), limits)?;
    let names = || {
        passed
            .documents
            .keys()
            .chain(passed.layers.keys())
            .chain(passed.links.keys())
    };
    let plan = plan.ok_or_else(|| no_manifest(from, names()))?;
    Ok((passed, plan))
}

/// Lays the layers of the image on each other.
pub(crate) fn finish(mut passed: Passed, plan: Plan, run: &Run<'_>) -> Result<Image, Error> {
    let mut layers = Vec::new();
    let mut missing = Vec::new();
    for (index, planned) in plan.layers.iter().enumerate() {
        let name = passed.follow(&planned.name).to_owned();
        // A layer that occurs once more must be kept for that time.
        let again = plan.layers.iter().skip(index + 1);
        let again = again
            .map(|later| passed.follow(&later.name))
            .any(|later| later == name);
        let read = match passed.layers.get_mut(&name) {
            Some(Ok(scanned)) if again => Ok(ScannedLayer {
                evidence: scanned.evidence.clone(),
                diff_id: scanned.diff_id,
                stored_digest: scanned.stored_digest,
            }),
            Some(_) => match passed.layers.remove(&name) {
                Some(result) => result,
                None => continue,
            },
            // Nothing, or no more than a note or what starts like JSON: it is
            // a layer all the same if the manifest says so.
            None if passed.documents.contains_key(&name) => {
                let bytes = passed.documents.get(&name).map_or(&[][..], Vec::as_slice);
                scan_layer(&mut { bytes }, &run.reading(planned.stored.is_some()))
            }
            None if planned.foreign => {
                layers.push(foreign(planned));
                continue;
            }
            None => {
                // It may be there and be too much to keep.
                passed.document(&name)?;
                missing.push(planned.name.as_str());
                continue;
            }
        };
        let read = read.map_err(|cause| Error::Layer {
            name: planned.name.clone(),
            cause,
        })?;
        layers.push(accept(planned, read, run)?);
    }
    if !missing.is_empty() {
        return Err(Error::Missing(missing.join("`, `")));
    }
    assemble(plan, layers, run, None)
}

/// What came by.
#[derive(Default)]
pub(crate) struct Passed {
    documents: BTreeMap<String, Vec<u8>>,
    links: BTreeMap<String, String>,
    /// Which entry holds the blob of a name.
    blobs: BTreeMap<String, usize>,
    layers: BTreeMap<String, ScannedBlob>,
    /// Documents that were too many or too large to be kept, with the bound.
    refused: BTreeMap<String, u64>,
}

/// What reading a blob as a layer came to.
type ScannedBlob = Result<ScannedLayer, LayerError>;

/// How many blobs are read at one time. A blob's reader goes on for a while
/// when its blob has passed; of small bombs there would be thousands.
#[derive(Default)]
struct Readers {
    running: Mutex<usize>,
    ended: Condvar,
}

impl Readers {
    /// Waits until one more may run.
    fn admit(&self) -> Reader<'_> {
        let most = thread::available_parallelism().map_or(1, NonZero::get) + 2;
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let running = self.ended.wait_while(running, |running| *running >= most);
        *running.unwrap_or_else(PoisonError::into_inner) += 1;
        Reader(self)
    }
}

/// A place among the readers until this is dropped.
struct Reader<'a>(&'a Readers);

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let running = self.0.running.lock();
        *running.unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.ended.notify_one();
    }
}

impl Passed {
    /// Old docker-archives link a repeated layer to its first copy.
    fn follow<'n>(&'n self, name: &'n str) -> &'n str {
        let mut name = name;
        for _ in 0..4 {
            match self.links.get(name) {
                Some(target) => name = target,
                None => break,
            }
        }
        name
    }
}

impl Documents for Passed {
    fn document(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let name = self.follow(name);
        match self.refused.get(name) {
            Some(limit) => Err(Error::Limit {
                what: format!("the size of `{name}`"),
                limit: *limit,
            }),
            None => Ok(self.documents.get(name).cloned()),
        }
    }
}

fn split<F: Fn(&str, usize, Receiver<Piece>) -> io::Result<()>>(
    input: &mut impl Read,
    from: &str,
    limits: &Limits,
    start: &F,
) -> Result<Passed, Error> {
    let mut splitter = Splitter {
        passed: Passed::default(),
        start,
        from,
        name: String::new(),
        size: 0,
        entries: 0,
        part: Part::None,
        limits,
        document_bytes: 0,
        came: 0,
        claimed: 0,
        refusal: None,
    };
    // The outer tar holds whole layers: its bound is that of all layers.
    let outer = Limits {
        layer_entries: limits.archive_entries as u64,
        hole_bytes: limits.layer_bytes,
        ..limits.clone()
    };
    let mut parser = Parser::new(&outer);
    let mut buffer = vec![0; PIECE];
    let mut first = true;
    loop {
        let read = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => {
                return Err(Error::Stream {
                    from: from.to_owned(),
                    cause,
                });
            }
        };
        let chunk = buffer.get(..read).unwrap_or_default();
        splitter.came += read as u64;
        splitter.check_size();
        parser
            .feed(chunk, &mut splitter)
            .map_err(|cause| match cause {
                TarError::Checksum(0) => Error::NotAnImage {
                    from: from.to_owned(),
                    what: looks_like(chunk)
                        .filter(|_| first)
                        .unwrap_or("no tar")
                        .to_owned(),
                },
                cause => Error::Archive {
                    from: from.to_owned(),
                    cause,
                },
            })?;
        first = false;
        if let Some(refusal) = splitter.refusal.take() {
            return Err(refusal);
        }
    }
    if first {
        let what = "an empty file".to_owned();
        return Err(Error::NotAnImage {
            from: from.to_owned(),
            what,
        });
    }
    parser.finish().map_err(|cause| Error::Archive {
        from: from.to_owned(),
        cause,
    })?;
    Ok(splitter.passed)
}

/// What the content going by is.
enum Part {
    None,
    /// Not yet told.
    New,
    Document(Vec<u8>),
    Layer(SyncSender<Piece>),
}

/// Smaller things than this are notes such as `VERSION`: a tar has one block at
/// least.
const NOTE: u64 = 32;

/// Hands documents and layers of the outer tar to where they belong.
struct Splitter<'a, F> {
    passed: Passed,
    start: &'a F,
    from: &'a str,
    name: String,
    size: u64,
    entries: usize,
    part: Part,
    limits: &'a Limits,
    /// Bytes of all documents so far.
    document_bytes: u64,
    /// Bytes of the stream so far.
    came: u64,
    /// Bytes of all files so far, those in the holes of sparse ones too.
    claimed: u64,
    refusal: Option<Error>,
}

impl<F> Splitter<'_, F> {
    /// A stream may have no end.
    fn check_size(&mut self) {
        let limit = self.limits.archive_bytes;
        if self.came.max(self.claimed) > limit {
            let what = format!("the size of {}", self.from);
            self.refuse(Error::Limit { what, limit });
        }
    }

    fn refuse(&mut self, error: Error) {
        self.refusal.get_or_insert(error);
    }

    /// Whether the content, which starts like this, is to be kept whole.
    fn is_document(&self, first: &[u8]) -> bool {
        // A tar whose first name starts like JSON has zeros behind that name.
        let is_json = matches!(first.trim_ascii_start(), [b'{' | b'[', ..]);
        self.size < NOTE || (is_json && memchr::memchr(0, first).is_none())
    }
}

impl<F: Fn(&str, usize, Receiver<Piece>) -> io::Result<()>> Visitor for Splitter<'_, F> {
    fn entry(&mut self, entry: &RawEntry<'_>) -> bool {
        self.part = Part::None;
        if self.refusal.is_some() || !paths::normalise(entry.path, &mut self.name) {
            return false;
        }
        self.entries += 1;
        // Of several entries of one name the last counts, as it does for tar.
        if matches!(
            entry.kind,
            EntryKind::File | EntryKind::Symlink | EntryKind::HardLink
        ) {
            self.passed.documents.remove(&self.name);
            self.passed.links.remove(&self.name);
            self.passed.blobs.remove(&self.name);
            self.passed.refused.remove(&self.name);
        }
        match entry.kind {
            EntryKind::File => {}
            EntryKind::Symlink | EntryKind::HardLink => {
                let dir = match entry.kind {
                    EntryKind::Symlink => paths::split(&self.name).0,
                    _ => "",
                };
                let target = paths::resolve_link(dir, &String::from_utf8_lossy(entry.link));
                self.passed.links.insert(self.name.clone(), target);
                return false;
            }
            EntryKind::Directory | EntryKind::Special => return false,
        }
        self.size = entry.size;
        if entry.size == 0 {
            self.passed.documents.insert(self.name.clone(), Vec::new());
            return false;
        }
        // Its end would never come, or only after all that can be a layer.
        if entry.size > self.limits.layer_bytes {
            self.refuse(Error::Limit {
                what: format!("the size of `{}`", self.name),
                limit: self.limits.layer_bytes,
            });
            return false;
        }
        self.claimed = self.claimed.saturating_add(entry.size);
        self.check_size();
        self.part = Part::New;
        self.refusal.is_none()
    }

    fn content(&mut self, bytes: &[u8]) -> bool {
        if matches!(self.part, Part::New) {
            if self.is_document(bytes) {
                let limits = self.limits;
                self.document_bytes += self.size;
                // Without a bound for all of them, each of a hundred thousand
                // may be as large as one may be.
                let limit = if self.size > limits.json_bytes {
                    Some(limits.json_bytes)
                } else if self.document_bytes > limits.documents_bytes {
                    Some(limits.documents_bytes)
                } else {
                    None
                };
                if let Some(limit) = limit {
                    // No error yet: it may be a note that nobody asks for.
                    self.passed.refused.insert(self.name.clone(), limit);
                    return false;
                }
                self.part = Part::Document(Vec::new());
            } else {
                let (sender, receiver) = sync_channel(QUEUE);
                if let Err(cause) = (self.start)(&self.name, self.entries, receiver) {
                    let from = self.from.to_owned();
                    self.refuse(Error::Stream { from, cause });
                    return false;
                }
                self.passed.blobs.insert(self.name.clone(), self.entries);
                self.part = Part::Layer(sender);
            }
        }
        match &mut self.part {
            Part::Document(document) => {
                document.extend_from_slice(bytes);
                true
            }
            // The reader hangs up when it has failed; its error is kept.
            Part::Layer(sender) => sender.send(Ok(bytes.to_vec())).is_ok(),
            Part::New | Part::None => false,
        }
    }

    fn end(&mut self) {
        if let Part::Document(document) = std::mem::replace(&mut self.part, Part::None) {
            self.passed.documents.insert(self.name.clone(), document);
        }
    }
}
