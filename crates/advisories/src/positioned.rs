//! A file that several readers read at once, each at a place of its own.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    sync::Arc,
};

/// Bytes that a reader fetches at once. The entries of a dump have some 2 KB
/// and lie one behind the other, so that most reads and seeks stay within.
const PIECE: usize = 64 << 10;

/// One reader of a shared file. Reads are positioned: a clone reads on by
/// itself, and a file that shrinks meanwhile is an error, not a crash.
#[derive(Debug)]
pub(crate) struct Positioned {
    file: Arc<File>,
    length: u64,
    at: u64,
    /// What was fetched, and where it begins.
    piece: Vec<u8>,
    piece_at: u64,
}

impl Positioned {
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Positioned {
            file: Arc::new(file),
            length,
            at: 0,
            piece: Vec::new(),
            piece_at: 0,
        })
    }

    /// What of the piece lies ahead.
    fn ahead(&self) -> &[u8] {
        let skipped = self.at.checked_sub(self.piece_at);
        skipped
            .and_then(|skipped| self.piece.get(usize::try_from(skipped).ok()?..))
            .unwrap_or_default()
    }
}

impl Clone for Positioned {
    fn clone(&self) -> Self {
        Positioned {
            file: Arc::clone(&self.file),
            length: self.length,
            at: self.at,
            piece: Vec::new(),
            piece_at: 0,
        }
    }
}

impl Read for Positioned {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.ahead().is_empty() {
            self.piece.resize(PIECE, 0);
            self.piece_at = self.at;
            let read = self.file.read_at(&mut self.piece, self.at);
            self.piece.truncate(*read.as_ref().unwrap_or(&0));
            read?;
        }
        let read = self.ahead().read(out)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Positioned {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn it_reads_as_a_cursor_does_wherever_it_is_sent() {
        let content: Vec<u8> = (0..300_000u32).map(|n| (n * 7 / 3) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        let mut ours = Positioned::new(file).unwrap();
        let mut theirs = io::Cursor::new(&content);
        let mut state = 1u64;
        for step in 0..2000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let by = i64::try_from(state >> 44).unwrap();
            let to = match step % 4 {
                0 => SeekFrom::Start(by.unsigned_abs() % 310_000),
                1 => SeekFrom::Current(by % 5000 - 2500),
                2 => SeekFrom::End(-(by % 300_000)),
                _ => SeekFrom::Current(0),
            };
            let moved = (ours.seek(to), theirs.seek(to));
            assert_eq!(moved.0.ok(), moved.1.ok(), "{to:?}");
            let mut wanted = vec![0; usize::try_from(state >> 50).unwrap()];
            let mut got = wanted.clone();
            let (a, b) = (theirs.read_exact(&mut wanted), ours.read_exact(&mut got));
            assert_eq!(a.is_ok(), b.is_ok(), "{to:?}");
            assert!(a.is_err() || wanted == got, "{to:?}");
            if a.is_err() {
                ours.seek(SeekFrom::Start(0)).unwrap();
                theirs.seek(SeekFrom::Start(0)).unwrap();
            }
        }
    }

    #[test]
    fn a_clone_goes_its_own_way() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abcdef").unwrap();
        let mut one = Positioned::new(file).unwrap();
        let mut two = [0; 2];
        one.read_exact(&mut two).unwrap();
        let mut other = one.clone();
        let (mut a, mut b) = (String::new(), String::new());
        other.read_to_string(&mut a).unwrap();
        one.read_to_string(&mut b).unwrap();
        assert_eq!((a.as_str(), b.as_str()), ("cdef", "cdef"));
    }
}
