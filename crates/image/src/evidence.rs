//! What one layer says, before layers lie on each other.

use std::sync::Arc;

use crate::matcher::Index;

/// What one layer says of the paths that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LayerEvidence {
    /// Files of interest.
    pub(crate) files: Vec<FileEvidence>,
    /// Symbolic links: path and target as written.
    pub(crate) symlinks: Vec<(String, String)>,
    /// Hard links of interest, with the path in this layer that they share
    /// content with.
    pub(crate) hard_links: Vec<HardLink>,
    /// Paths that lower layers lose.
    pub(crate) whiteouts: Vec<String>,
    /// Directories whose content lower layers lose.
    pub(crate) opaque: Vec<String>,
    /// Every entry's path.
    pub(crate) paths: PathLog,
    /// What could not be read: subject, kind and reason.
    pub(crate) gaps: Vec<seawall_model::Gap>,
    /// Files that were looked for once more, under the name that a link leads
    /// to: whatever came of it is above.
    pub(crate) searched: Vec<(Index, String)>,
    /// Uncompressed bytes.
    pub(crate) size: u64,
    /// Whether something was lost for a reason that lies in this run, as a full
    /// disk, and not in the layer. Such evidence must not be kept for others.
    pub(crate) cut_short: bool,
}

/// What one analyser made of one file of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileEvidence {
    pub(crate) analyser: Index,
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) capability: Option<Box<[u8]>>,
    pub(crate) data: Arc<[u8]>,
}

/// Another name of a file in the same layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HardLink {
    pub(crate) analyser: Index,
    pub(crate) path: String,
    pub(crate) target: String,
}

/// The paths of all entries of a layer, in the order of the tar, each as the
/// number of bytes that it shares with the one before it and the rest. A
/// million files take some ten bytes each, so that what a layer replaces is
/// known exactly and not by a guess.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PathLog {
    bytes: Vec<u8>,
    last: Vec<u8>,
}

impl PathLog {
    /// Adds a path; `is_dir` tells directories, which replace nothing below
    /// them.
    pub(crate) fn push(&mut self, path: &str, is_dir: bool) {
        let shared = common_prefix(&self.last, path.as_bytes());
        let rest = path.as_bytes().get(shared..).unwrap_or_default();
        put_number(&mut self.bytes, (shared as u64) << 1 | u64::from(is_dir));
        put_number(&mut self.bytes, rest.len() as u64);
        self.bytes.extend_from_slice(rest);
        self.last.truncate(shared);
        self.last.extend_from_slice(rest);
    }

    /// Bytes that the log takes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        PathLog {
            bytes,
            last: Vec::new(),
        }
    }

    /// Hands every path to `visit`, with whether it is a directory. A damaged
    /// log ends early.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&str, bool)) {
        let mut left = self.bytes.as_slice();
        let mut path: Vec<u8> = Vec::new();
        loop {
            let Some(head) = take_number(&mut left) else {
                return;
            };
            let Some(rest) = take_number(&mut left).and_then(|length| take(&mut left, length))
            else {
                return;
            };
            path.truncate(usize::try_from(head >> 1).unwrap_or(0));
            path.extend_from_slice(rest);
            if let Ok(text) = std::str::from_utf8(&path) {
                visit(text, head & 1 == 1);
            }
        }
    }
}

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let ((a_words, _), (b_words, _)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut same = 0;
    for (left, right) in a_words.iter().zip(b_words) {
        let differing = u64::from_le_bytes(*left) ^ u64::from_le_bytes(*right);
        if differing != 0 {
            return same + differing.trailing_zeros() as usize / 8;
        }
        same += 8;
    }
    let rest = a.iter().zip(b).skip(same);
    same + rest.take_while(|(left, right)| left == right).count()
}

/// LEB128.
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// LEB128; `None` at the end or beyond 64 bits.
pub(crate) fn take_number(left: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = left.split_first()?;
        *left = rest;
        number |= u64::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

pub(crate) fn take<'a>(left: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, rest) = left.split_at_checked(usize::try_from(length).ok()?)?;
    *left = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_gives_back_every_path() {
        let paths = [
            ("usr", true),
            ("usr/bin/ä", false),
            ("usr/bin/ö", false),
            ("a", false),
            ("", true),
        ];
        let mut log = PathLog::default();
        for (path, is_dir) in paths {
            log.push(path, is_dir);
        }
        let mut back = Vec::new();
        PathLog::from_bytes(log.bytes().to_vec())
            .for_each(|path, is_dir| back.push((path.to_owned(), is_dir)));
        assert_eq!(back, paths.map(|(path, is_dir)| (path.to_owned(), is_dir)));
    }

    #[test]
    fn prefixes_are_counted_in_bytes() {
        let long = b"usr/share/doc/packages";
        for at in 0..=long.len() {
            let (shared, _) = long.split_at(at);
            let other = [shared, b"\xFF and more than that"].concat();
            assert_eq!(common_prefix(long, &other), at);
            assert_eq!(common_prefix(&other, long), at);
            assert_eq!(common_prefix(long, shared), at);
        }
    }

    #[test]
    fn a_damaged_log_ends_early() {
        for bytes in [vec![0x80], vec![0, 200, 1], vec![0xFF; 20]] {
            PathLog::from_bytes(bytes).for_each(|_, _| {});
        }
    }
}
