//! Layers as they are stored: tar, gzip or zstd, told by their first bytes.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use crate::{Digest, LayerError, chunks::fill};

/// How a blob is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// Not at all.
    Plain,
    /// gzip (RFC 1952), perhaps of several members.
    Gzip,
    /// Zstandard (RFC 8878), perhaps of several frames.
    Zstd,
}

impl Packing {
    /// Told by the first bytes; at least four are needed.
    pub(crate) fn of(first: &[u8]) -> Self {
        // Skippable frames stand at the head of zstd:chunked and of what pzstd
        // writes (RFC 8878, section 3.1.2).
        let is_skippable = matches!(first, [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..]);
        if first.starts_with(&[0x1F, 0x8B]) {
            Packing::Gzip
        } else if first.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) || is_skippable {
            Packing::Zstd
        } else {
            Packing::Plain
        }
    }
}

/// Bytes read at once from a file or a pipe.
const CHUNK: usize = 128 << 10;

/// The largest window of a zstd frame, as a power of two: 128 MiB, what
/// `zstd --long` needs. The container tools never use more than 8 MiB.
const ZSTD_WINDOW_LOG: u32 = 27;

/// Packed bytes that may be taken before any content comes out: 256 MiB. Empty
/// gzip members and skippable frames could follow one another without end.
const MOST_WITHOUT_CONTENT: u64 = 256 << 20;

/// Bytes that tell how a blob is packed.
const MAGIC: usize = 4;

/// A reader behind bytes that were read from it already.
pub(crate) struct Headed<R> {
    head: Vec<u8>,
    at: usize,
    inner: R,
    /// Whether it could not be read to its end.
    is_broken: bool,
}

impl<R> Headed<R> {
    fn new(inner: R) -> Self {
        Headed {
            head: Vec::new(),
            at: 0,
            inner,
            is_broken: false,
        }
    }
}

impl<R: Read> Read for Headed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.head.get(self.at..).filter(|left| !left.is_empty()) {
            None => {
                let read = self.inner.read(buffer);
                let failed = read.as_ref().err();
                self.is_broken |=
                    failed.is_some_and(|error| error.kind() != io::ErrorKind::Interrupted);
                read
            }
            Some(mut left) => {
                let read = left.read(buffer)?;
                self.at += read;
                Ok(read)
            }
        }
    }
}

/// Stored bytes, hashed as they are taken.
pub(crate) struct Hashing<R> {
    reader: BufReader<Headed<R>>,
    hasher: Option<Sha256>,
    /// Bytes taken since content came out.
    without_content: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Hashing<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.without_content > MOST_WITHOUT_CONTENT {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{MOST_WITHOUT_CONTENT} packed bytes unpack to nothing"),
            ));
        }
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.without_content = self.without_content.saturating_add(amount as u64);
        if let Some(hasher) = &mut self.hasher {
            hasher.update(self.reader.buffer().get(..amount).unwrap_or_default());
        }
        self.reader.consume(amount);
    }
}

/// The unpacked content of a blob.
pub(crate) enum Unpacked<R: Read> {
    Plain(BufReader<Headed<R>>),
    Gzip(Box<MultiGzDecoder<Hashing<R>>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, Hashing<R>>>),
}

impl<R: Read> Unpacked<R> {
    /// Looks at the first bytes and unpacks accordingly. With `hash_stored`,
    /// packed bytes are hashed as they are taken.
    pub(crate) fn new(inner: R, hash_stored: bool) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(CHUNK, Headed::new(inner));
        // A pipe or a socket may bring less than the magic at once.
        if reader.fill_buf()?.len() < MAGIC {
            let mut head = reader.buffer().to_vec();
            let mut inner = reader.into_inner().inner;
            let missing = (MAGIC - head.len()) as u64;
            inner.by_ref().take(missing).read_to_end(&mut head)?;
            let headed = Headed {
                head,
                ..Headed::new(inner)
            };
            reader = BufReader::with_capacity(CHUNK, headed);
        }
        let packing = Packing::of(reader.fill_buf()?);
        let stored = |reader| Hashing {
            reader,
            hasher: hash_stored.then(Sha256::new),
            without_content: 0,
        };
        Ok(match packing {
            Packing::Plain => Unpacked::Plain(reader),
            Packing::Gzip => Unpacked::Gzip(Box::new(MultiGzDecoder::new(stored(reader)))),
            Packing::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(stored(reader))?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Unpacked::Zstd(Box::new(decoder))
            }
        })
    }

    /// Whether the bytes are stored as they are.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self, Unpacked::Plain(_))
    }

    /// The digest of packed bytes whose content makes no sense, when so many
    /// more at most are left and could be had.
    pub(crate) fn rest(self, limit: u64) -> Option<Digest> {
        let stored = match self {
            Unpacked::Plain(_) => return None,
            Unpacked::Gzip(decoder) => decoder.into_inner(),
            Unpacked::Zstd(decoder) => decoder.finish(),
        };
        let mut hasher = stored.hasher?;
        let mut reader = stored.reader;
        if reader.get_ref().is_broken {
            return None;
        }
        let mut left = limit;
        let mut buffer = vec![0; CHUNK];
        loop {
            match fill(&mut reader, &mut buffer).ok()? {
                0 => return Some(Digest::finish(hasher)),
                read => {
                    left = left.checked_sub(read as u64)?;
                    hasher.update(buffer.get(..read).unwrap_or_default());
                }
            }
        }
    }

    /// Reads what follows the packed stream, at most `limit` bytes: it belongs
    /// to the stored bytes all the same. Gives their digest, if they are packed
    /// and it was asked for.
    pub(crate) fn finish(self, limit: u64) -> Result<Option<Digest>, LayerError> {
        let mut stored = match self {
            Unpacked::Plain(_) => return Ok(None),
            Unpacked::Gzip(decoder) => decoder.into_inner(),
            Unpacked::Zstd(decoder) => decoder.finish(),
        };
        stored.without_content = 0;
        let mut trailing = (&mut stored).take(limit + 1);
        let drained = io::copy(&mut trailing, &mut io::sink()).map_err(LayerError::Read)?;
        if drained > limit {
            return Err(LayerError::Size(limit));
        }
        Ok(stored.hasher.map(Digest::finish))
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Unpacked::Plain(reader) => reader.read(buffer),
            Unpacked::Gzip(decoder) => {
                decoder.get_mut().without_content = 0;
                decoder.read(buffer)
            }
            Unpacked::Zstd(decoder) => {
                decoder.get_mut().without_content = 0;
                decoder.read(buffer)
            }
        }
    }
}
