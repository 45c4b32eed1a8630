//! Image archives that come as a stream: standard input, a packed file, an
//! engine's export.
//!
//! The manifest may come last, so every blob is analysed as it passes, in a
//! thread of its own behind a bounded queue, and what turns out not to belong
//! to the image is dropped. No copy of the image is made.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use crate::{
    EntryKind, Error, Image, LayerError, Limits, TarError,
    archive::{looks_like, no_manifest},
    decompress::Unpacked,
    layer::{ScannedLayer, scan_layer},
    manifest::{self, Documents, Plan},
    open::{Run, accept, assemble},
    paths,
    tar::{Parser, RawEntry, Visitor},
};

/// Pieces that wait between the stream and a layer's reader: two MiB.
const QUEUE: usize = 16;
/// Bytes of a piece.
const PIECE: usize = 128 << 10;

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
    let scanned = Mutex::default();
    let limits = &run.options.limits;
    let mut passed = thread::scope(|scope| {
        let start = |name: String, receiver: Receiver<Vec<u8>>| {
            let scanned = &scanned;
            scope.spawn(move || {
                let _core = run.cores.occupy();
                let hash_stored = name.starts_with("blobs/");
                run.options.progress.label(&name);
                let mut reader = Pieces {
                    receiver,
                    piece: Vec::new(),
                    at: 0,
                };
                let result = scan_layer(&mut reader, &run.reading(hash_stored));
                let mut all = scanned.lock().unwrap_or_else(PoisonError::into_inner);
                let all: &mut BTreeMap<String, _> = &mut all;
                all.insert(name, result);
            });
        };
        let _core = run.cores.occupy();
        split(&mut unpacked, from, limits, &start)
    })?;
    passed.layers = scanned.into_inner().unwrap_or_else(PoisonError::into_inner);
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
            None if planned.foreign => {
                layers.push(crate::open::foreign(planned));
                continue;
            }
            None => {
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
    layers: BTreeMap<String, Result<ScannedLayer, LayerError>>,
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
        Ok(self.documents.get(self.follow(name)).cloned())
    }
}

fn split<F: Fn(String, Receiver<Vec<u8>>)>(
    input: &mut impl Read,
    from: &str,
    limits: &Limits,
    start: &F,
) -> Result<Passed, Error> {
    let mut splitter = Splitter {
        passed: Passed::default(),
        start,
        name: String::new(),
        size: 0,
        part: Part::None,
        limits,
        refusal: None,
    };
    // The outer tar holds whole layers: its bound is that of all layers.
    let outer = Limits {
        layer_entries: limits.archive_entries as u64,
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
    Layer(SyncSender<Vec<u8>>),
}

/// Hands documents and layers of the outer tar to where they belong.
struct Splitter<'a, F> {
    passed: Passed,
    start: &'a F,
    name: String,
    size: u64,
    part: Part,
    limits: &'a Limits,
    refusal: Option<Error>,
}

impl<F: Fn(String, Receiver<Vec<u8>>)> Visitor for Splitter<'_, F> {
    fn entry(&mut self, entry: &RawEntry<'_>) -> bool {
        self.part = Part::None;
        if !paths::normalise(entry.path, &mut self.name) {
            return false;
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
        self.part = Part::New;
        entry.size > 0
    }

    fn content(&mut self, bytes: &[u8]) -> bool {
        if matches!(self.part, Part::New) {
            // JSON never starts like a tar, a gzip or a zstd stream.
            let is_json = matches!(bytes.trim_ascii_start(), [b'{' | b'[', ..]);
            // A tar has one block at least; smaller things are notes such as
            // `VERSION`.
            if is_json && self.size > self.limits.json_bytes {
                self.refusal = Some(Error::Limit {
                    what: format!("the size of `{}`", self.name),
                    limit: self.limits.json_bytes,
                });
                return false;
            } else if is_json {
                self.part = Part::Document(Vec::new());
            } else if self.size < 32 {
                return false;
            } else {
                let (sender, receiver) = sync_channel(QUEUE);
                (self.start)(self.name.clone(), receiver);
                self.part = Part::Layer(sender);
            }
        }
        match &mut self.part {
            Part::Document(document) => {
                document.extend_from_slice(bytes);
                true
            }
            // The reader hangs up when it has failed; its error is kept.
            Part::Layer(sender) => sender.send(bytes.to_vec()).is_ok(),
            Part::New | Part::None => false,
        }
    }

    fn end(&mut self) {
        if let Part::Document(document) = std::mem::replace(&mut self.part, Part::None) {
            self.passed.documents.insert(self.name.clone(), document);
        }
    }
}

/// Pieces from a queue, read as one stream.
struct Pieces {
    receiver: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            match self.receiver.recv() {
                Ok(piece) => (self.piece, self.at) = (piece, 0),
                Err(_) => return Ok(0),
            }
        }
        let mut rest = self.piece.get(self.at..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.at += read;
        Ok(read)
    }
}
