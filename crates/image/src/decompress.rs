//! Layers as they are stored: tar, gzip or zstd, told by their first bytes.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

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

/// A reader that hashes what goes through.
pub(crate) struct Hashing<R> {
    inner: R,
    hasher: Option<Sha256>,
    count: u64,
}

impl<R: Read> Hashing<R> {
    /// With `wanted` false it only counts.
    pub(crate) fn new(inner: R, wanted: bool) -> Self {
        Hashing {
            inner,
            hasher: wanted.then(Sha256::new),
            count: 0,
        }
    }

    /// The hash, and the number of bytes.
    pub(crate) fn finish(self) -> (Option<Sha256>, u64) {
        (self.hasher, self.count)
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count += read as u64;
        if let (Some(hasher), Some(bytes)) = (&mut self.hasher, buffer.get(..read)) {
            hasher.update(bytes);
        }
        Ok(read)
    }
}

/// The unpacked content of a blob.
pub(crate) enum Unpacked<R: Read> {
    Plain(BufReader<R>),
    Gzip(Box<MultiGzDecoder<BufReader<R>>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, BufReader<R>>>),
}

impl<R: Read> Unpacked<R> {
    /// Looks at the first bytes and unpacks accordingly.
    pub(crate) fn new(inner: R) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(CHUNK, inner);
        // One read may bring less than four bytes; a pipe that is so slow is
        // read again by `BufReader` only when its buffer is empty, so a short
        // first piece counts as plain unless it has the whole magic.
        let packing = Packing::of(reader.fill_buf()?);
        Ok(match packing {
            Packing::Plain => Unpacked::Plain(reader),
            Packing::Gzip => Unpacked::Gzip(Box::new(MultiGzDecoder::new(reader))),
            Packing::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Unpacked::Zstd(Box::new(decoder))
            }
        })
    }

    pub(crate) fn packing(&self) -> Packing {
        match self {
            Unpacked::Plain(_) => Packing::Plain,
            Unpacked::Gzip(_) => Packing::Gzip,
            Unpacked::Zstd(_) => Packing::Zstd,
        }
    }

    /// The reader below, whatever of it was read ahead.
    pub(crate) fn into_inner(self) -> R {
        match self {
            Unpacked::Plain(reader) => reader.into_inner(),
            Unpacked::Gzip(decoder) => decoder.into_inner().into_inner(),
            Unpacked::Zstd(decoder) => decoder.finish().into_inner(),
        }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Unpacked::Plain(reader) => reader.read(buffer),
            Unpacked::Gzip(decoder) => decoder.read(buffer),
            Unpacked::Zstd(decoder) => decoder.read(buffer),
        }
    }
}
