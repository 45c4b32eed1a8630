//! Bytes with random access: those of a body, or a stretch of them.

use std::{borrow::Cow, fs::File, io, os::unix::fs::FileExt};

use seawall_image::Body;

/// A stretch of bytes in memory or in a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a> {
    place: Place<'a>,
    start: u64,
    length: u64,
}

#[derive(Clone, Copy, Debug)]
enum Place<'a> {
    Memory(&'a [u8]),
    File(&'a File),
}

impl<'a> Bytes<'a> {
    pub(crate) fn memory(bytes: &'a [u8]) -> Self {
        Bytes {
            place: Place::Memory(bytes),
            start: 0,
            length: bytes.len() as u64,
        }
    }

    /// The first `length` bytes of a file.
    pub(crate) fn file(file: &'a File, length: u64) -> Self {
        Bytes {
            place: Place::File(file),
            start: 0,
            length,
        }
    }

    pub(crate) fn body(body: &Body<'a>) -> Self {
        match *body {
            Body::Bytes(bytes) => Bytes::memory(bytes),
            Body::File(file, length) => Bytes::file(file, length),
        }
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// A stretch of it; `None` when it does not lie inside.
    pub(crate) fn part(&self, start: u64, length: u64) -> Option<Self> {
        let end = start.checked_add(length)?;
        (end <= self.length).then_some(Bytes {
            place: self.place,
            start: self.start + start,
            length,
        })
    }

    /// Exactly `length` bytes at `offset`. The caller bounds them: what lies in
    /// a file is copied.
    ///
    /// # Errors
    /// `UnexpectedEof` when they do not lie inside.
    pub(crate) fn read(&self, offset: u64, length: u64) -> io::Result<Cow<'a, [u8]>> {
        let end = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let part = self.part(offset, length).ok_or_else(end)?;
        let size = usize::try_from(length).map_err(|_| end())?;
        match part.place {
            Place::Memory(bytes) => {
                let start = usize::try_from(part.start).map_err(|_| end())?;
                let bytes = bytes.get(start..).and_then(|rest| rest.get(..size));
                bytes.map(Cow::Borrowed).ok_or_else(end)
            }
            Place::File(file) => {
                let mut buffer = vec![0; size];
                file.read_exact_at(&mut buffer, part.start)?;
                Ok(Cow::Owned(buffer))
            }
        }
    }

    /// Fills `buffer` from `offset`.
    ///
    /// # Errors
    /// As [`Bytes::read`].
    pub(crate) fn read_into(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let end = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let part = self.part(offset, buffer.len() as u64).ok_or_else(end)?;
        match part.place {
            Place::Memory(bytes) => {
                let start = usize::try_from(part.start).map_err(|_| end())?;
                let bytes = bytes.get(start..).and_then(|rest| rest.get(..buffer.len()));
                buffer.copy_from_slice(bytes.ok_or_else(end)?);
                Ok(())
            }
            Place::File(file) => file.read_exact_at(buffer, part.start),
        }
    }

    /// A reader from its start to its end.
    pub(crate) fn reader(self) -> Reader<'a> {
        Reader(self)
    }
}

/// Reads bytes in their order.
#[derive(Debug)]
pub(crate) struct Reader<'a>(Bytes<'a>);

impl io::Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.0.length).unwrap_or(usize::MAX);
        let count = left.min(buffer.len());
        self.0
            .read_into(buffer.get_mut(..count).unwrap_or_default(), 0)?;
        self.0.start += count as u64;
        self.0.length -= count as u64;
        Ok(count)
    }
}

/// Fields of a structure with fixed offsets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) big_endian: bool,
}

impl<'a> Fields<'a> {
    pub(crate) fn little(bytes: &'a [u8]) -> Self {
        Fields {
            bytes,
            big_endian: false,
        }
    }

    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..)?.first_chunk::<N>().copied()
    }

    pub(crate) fn u16(&self, at: usize) -> Option<u16> {
        let bytes = self.array(at)?;
        Some(if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    pub(crate) fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.array(at)?;
        Some(if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    pub(crate) fn u64(&self, at: usize) -> Option<u64> {
        let bytes = self.array(at)?;
        Some(if self.big_endian {
            u64::from_be_bytes(bytes)
        } else {
            u64::from_le_bytes(bytes)
        })
    }

    /// A word of four or eight bytes.
    pub(crate) fn word(&self, at: usize, is_wide: bool) -> Option<u64> {
        if is_wide {
            self.u64(at)
        } else {
            self.u32(at).map(u64::from)
        }
    }
}
