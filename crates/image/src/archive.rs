//! Image archives on disk: docker-archive and OCI archive.
//!
//! A plain tar is indexed by walking its headers, and its layers are read side
//! by side with positioned reads, never mapped: a file that shrinks meanwhile
//! is an error, not a crash. A packed archive can only be read from its start,
//! as a stream.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    os::unix::fs::{FileExt, FileTypeExt},
    path::Path,
};

use crate::{
    EntryKind, Error, Image, Limits, TarError,
    decompress::Packing,
    manifest::{self, Documents, PlannedLayer},
    open::Run,
    paths,
    read::{Blobs, read_plan},
    stream,
    tar::{Parser, RawEntry, Visitor},
};

pub(crate) fn open(path: &Path, run: &Run<'_>) -> Result<Image, Error> {
    let reading = |cause| Error::Read {
        path: path.to_owned(),
        cause,
    };
    let file = File::open(path).map_err(reading)?;
    let metadata = file.metadata().map_err(reading)?;
    let from = format!("`{}`", path.display());
    if metadata.is_dir() {
        return Err(Error::NotAnImage {
            from,
            what: "a folder".into(),
        });
    }
    if metadata.file_type().is_fifo() || metadata.file_type().is_char_device() {
        return stream::open(Box::new(file), &from, run);
    }
    let mut first = [0; 512];
    let read = file.read_at(&mut first, 0).map_err(reading)?;
    let first = first.get(..read).unwrap_or_default();
    if Packing::of(first) != Packing::Plain {
        return stream::open(Box::new(file), &from, run);
    }
    if let Some(what) = looks_like(first) {
        return Err(Error::NotAnImage {
            from,
            what: what.to_owned(),
        });
    }
    let archive =
        Archive::index(file, metadata.len(), &run.options.limits).map_err(
            |failure| match failure {
                Failure::Io(cause) => Error::Read {
                    path: path.to_owned(),
                    cause,
                },
                Failure::Tar(TarError::Checksum(0)) => Error::NotAnImage {
                    from: from.clone(),
                    what: "no tar".into(),
                },
                Failure::Tar(cause) => Error::Archive {
                    from: from.clone(),
                    cause,
                },
                Failure::Entries(limit) => {
                    let what = format!("the number of entries of {from}");
                    Error::Limit {
                        what,
                        limit: limit as u64,
                    }
                }
            },
        )?;
    let platform = run.options.platform.as_ref();
    let plan = manifest::plan(&archive, None, platform, &run.options.limits)?;
    let plan = plan.ok_or_else(|| no_manifest(&from, archive.entries.keys()))?;
    read_plan(plan, &archive, run)
}

/// A tar that holds something other than an image.
pub(crate) fn no_manifest<'a>(from: &str, names: impl Iterator<Item = &'a String>) -> Error {
    let mut names = names.filter(|name| !name.is_empty());
    let what = match names.next() {
        None => "an empty tar".to_owned(),
        Some(first) => format!(
            "a tar without manifest.json and index.json (its first name is `{}`)",
            first.chars().take(80).collect::<String>()
        ),
    };
    Error::NotAnImage {
        from: from.to_owned(),
        what,
    }
}

/// What a file is that is no archive, by its first bytes.
pub(crate) fn looks_like(first: &[u8]) -> Option<&'static str> {
    let head = first.trim_ascii_start();
    let is = |sign: &[u8]| {
        head.get(..sign.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(sign))
    };
    let found = match first {
        [] => "an empty file",
        [0x7F, b'E', b'L', b'F', ..] => "a program (ELF)",
        [b'P', b'K', 3, 4, ..] => "a zip archive",
        [0xFD, b'7', b'z', b'X', b'Z', ..] => "an xz file: unpack it first",
        [b'B', b'Z', b'h', ..] => "a bzip2 file: unpack it first",
        [b'Q', b'F', b'I', 0xFB, ..] => "a disk image (qcow2)",
        _ if is(b"<!doctype html") || is(b"<html") => "an HTML page",
        _ if is(b"version https://git-lfs") => "a Git LFS pointer: run `git lfs pull`",
        _ if is(b"{") || is(b"[") => "a JSON document",
        _ => return None,
    };
    Some(found)
}

enum Failure {
    Io(io::Error),
    Tar(TarError),
    Entries(usize),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

impl From<TarError> for Failure {
    fn from(error: TarError) -> Self {
        Failure::Tar(error)
    }
}

/// A plain tar on disk, with where each file lies.
struct Archive {
    file: File,
    entries: BTreeMap<String, Place>,
    json_limit: u64,
}

#[derive(Clone)]
enum Place {
    At {
        offset: u64,
        length: u64,
    },
    /// Old docker-archives link a repeated layer to its first copy.
    Link(String),
}

/// Gathers where each file of the outer tar lies.
#[derive(Default)]
struct Indexer {
    found: Option<(String, EntryKind, String, u64)>,
}

impl Visitor for Indexer {
    fn entry(&mut self, entry: &RawEntry<'_>) -> bool {
        let mut path = String::new();
        let is_inside = paths::normalise(entry.path, &mut path);
        // A layer's link is relative to its folder, a hard link to the root.
        let dir = if entry.kind == EntryKind::Symlink {
            paths::split(&path).0
        } else {
            ""
        };
        let link = paths::resolve_link(dir, &String::from_utf8_lossy(entry.link));
        self.found = is_inside.then_some((path, entry.kind, link, entry.size));
        false
    }

    fn content(&mut self, _: &[u8]) -> bool {
        false
    }

    fn end(&mut self) {}
}

impl Archive {
    fn index(file: File, length: u64, limits: &Limits) -> Result<Self, Failure> {
        let mut archive = Archive {
            file,
            entries: BTreeMap::new(),
            json_limit: limits.json_bytes,
        };
        let mut parser = Parser::new(limits);
        let mut indexer = Indexer::default();
        let mut offset = 0;
        let mut block = [0; 512];
        while offset < length {
            let most = usize::try_from(length - offset).unwrap_or(512).min(512);
            let some = block.get_mut(..most).unwrap_or_default();
            archive.file.read_exact_at(some, offset)?;
            parser.feed(some, &mut indexer)?;
            offset += most as u64;
            if let Some((path, kind, link, size)) = indexer.found.take() {
                if archive.entries.len() >= limits.archive_entries {
                    return Err(Failure::Entries(limits.archive_entries));
                }
                let place = match kind {
                    EntryKind::File => Some(Place::At {
                        offset,
                        length: size,
                    }),
                    EntryKind::Symlink | EntryKind::HardLink => Some(Place::Link(link)),
                    EntryKind::Directory | EntryKind::Special => None,
                };
                if let Some(place) = place {
                    archive.entries.insert(path, place);
                }
            }
            let skip = parser.skippable();
            if skip > length - offset {
                return Err(TarError::Truncated(length).into());
            }
            parser.skipped(skip);
            offset += skip;
        }
        parser.finish()?;
        Ok(archive)
    }

    fn place(&self, name: &str) -> Option<(u64, u64)> {
        let mut name = name;
        // One link leads to a file; more are a loop.
        for _ in 0..4 {
            match self.entries.get(name)? {
                Place::At { offset, length } => return Some((*offset, *length)),
                Place::Link(target) => name = target,
            }
        }
        None
    }
}

/// A stretch of a file, read by position: readers side by side do not disturb
/// each other.
struct Section<'a> {
    file: &'a File,
    offset: u64,
    left: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(buffer) = buffer.get_mut(..most).filter(|buffer| !buffer.is_empty()) else {
            return Ok(0);
        };
        let read = self.file.read_at(buffer, self.offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.offset += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

impl Blobs for Archive {
    fn open(&self, layer: &PlannedLayer) -> io::Result<Option<Box<dyn Read + '_>>> {
        let Some((offset, left)) = self.place(&layer.name) else {
            return Ok(None);
        };
        Ok(Some(Box::new(Section {
            file: &self.file,
            offset,
            left,
        })))
    }

    fn size(&self, layer: &PlannedLayer) -> u64 {
        self.place(&layer.name).map_or(0, |(_, length)| length)
    }
}

impl Documents for Archive {
    fn document(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some((offset, length)) = self.place(name) else {
            return Ok(None);
        };
        if length > self.json_limit {
            let what = format!("the size of `{name}`");
            return Err(Error::Limit {
                what,
                limit: self.json_limit,
            });
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.file
            .read_exact_at(&mut bytes, offset)
            .map_err(|cause| Error::Stream {
                from: format!("`{name}` in the archive"),
                cause,
            })?;
        Ok(Some(bytes))
    }
}
