//! Files that may be packed: by their first bytes, whatever their name says
//! (some servers unpack on the way).

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
};

/// Bytes that one file may unpack to. The largest that is published, all of
/// Red Hat's VEX as one archive, has about 10 GB.
const UNPACKED_LIMIT: u64 = 24 << 30;
/// Bytes of the window or dictionary of a packed file.
const WINDOW_LOG_LIMIT: u32 = 27;
/// KiB that unpacking xz may take: its greatest level needs a quarter of it.
const XZ_LIMIT: u32 = 256 << 10;

/// The content of a file.
pub(super) fn unpacked(mut file: File) -> io::Result<Box<dyn Read>> {
    let mut start = [0; 6];
    let mut had = 0;
    while had < start.len() {
        match file.read(start.get_mut(had..).unwrap_or_default())? {
            0 => break,
            more => had += more,
        }
    }
    file.seek(SeekFrom::Start(0))?;
    let input = BufReader::with_capacity(256 << 10, file);
    let input: Box<dyn Read> = match start {
        [0x1F, 0x8B, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
        [0xFD, b'7', b'z', b'X', b'Z', 0] => {
            Box::new(lzma_rust2::XzReader::new_mem_limit(input, true, XZ_LIMIT))
        }
        [0x28, 0xB5, 0x2F, 0xFD, ..] => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.window_log_max(WINDOW_LOG_LIMIT)?;
            Box::new(decoder)
        }
        _ => Box::new(input),
    };
    Ok(Box::new(Bounded {
        input,
        left: UNPACKED_LIMIT,
    }))
}

/// Fails where a stream goes on beyond a limit: cut short it might still be
/// read, in part.
struct Bounded<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out)?;
        let left = self.left.checked_sub(read as u64);
        self.left = left.ok_or_else(|| {
            io::Error::other(format!("it unpacks to more than {UNPACKED_LIMIT} bytes"))
        })?;
        Ok(read)
    }
}
