//! A stream in chunks, hashed on its way.
//!
//! Many an image has most of its bytes in one layer. While that one is read
//! and no other is left, its hashing goes to a thread of its own: the layer
//! then takes the longer of unpacking and hashing, not their sum.

use std::{
    io::{self, Read},
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicIsize, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use sha2::{Digest as _, Sha256};

use crate::{Digest, LayerError, Progress};

/// Bytes handled at once: enough to make calls rare, few enough to stay in the
/// second-level cache between unpacking, hashing and walking.
pub(crate) const CHUNK: usize = 128 << 10;

/// A thread does not pay for less.
const ASIDE_FROM: u64 = 1 << 20;

/// Chunks that wait for the thread that hashes them.
const QUEUE: usize = 2;

/// The machine's cores, as far as we use them.
pub(crate) struct Cores(AtomicIsize);

impl Cores {
    /// All of them, idle.
    pub(crate) fn new() -> Self {
        let all = thread::available_parallelism().map_or(1, NonZero::get);
        Cores(AtomicIsize::new(isize::try_from(all).unwrap_or(1)))
    }

    /// Work has begun that needs a core, whether one is idle or not.
    pub(crate) fn occupy(&self) -> Occupied<'_> {
        self.0.fetch_sub(1, Ordering::Relaxed);
        Occupied(self)
    }

    /// A core for work that is worth it only where one is idle.
    fn occupy_idle(&self) -> Option<Occupied<'_>> {
        let take = |idle: isize| (idle > 0).then(|| idle - 1);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .ok()?;
        Some(Occupied(self))
    }
}

/// A core in use until this is dropped.
pub(crate) struct Occupied<'a>(&'a Cores);

impl Drop for Occupied<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Reads `input` to its end, at most `limit` bytes, and shows every chunk to
/// `see`. Gives the digest of all bytes, and how many they are.
pub(crate) fn hash_chunks(
    input: &mut dyn Read,
    cores: &Cores,
    limit: u64,
    progress: &dyn Progress,
    mut see: impl FnMut(&[u8]) -> Result<(), LayerError>,
) -> Result<(Digest, u64), LayerError> {
    let mut hash = Hash::Here(Sha256::new());
    let mut free: Vec<Arc<Vec<u8>>> = Vec::new();
    let mut size = 0;
    loop {
        // A buffer is free again when the thread that hashes has dropped it.
        let mut buffer = free
            .iter()
            .position(|buffer| Arc::strong_count(buffer) == 1)
            .map_or_else(|| Arc::new(vec![0; CHUNK]), |at| free.swap_remove(at));
        let read =
            fill(input, Arc::make_mut(&mut buffer).as_mut_slice()).map_err(LayerError::Read)?;
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else {
            break;
        };
        size += read as u64;
        if size > limit {
            return Err(LayerError::Size(limit));
        }
        if size > ASIDE_FROM {
            hash.move_aside(cores);
        }
        hash.update(&buffer, read);
        see(chunk)?;
        progress.bytes(read as u64);
        free.push(buffer);
    }
    Ok((Digest::finish(hash.finish()?), size))
}

/// Where hashing goes on.
enum Hash<'a> {
    Here(Sha256),
    Aside {
        queue: SyncSender<(Arc<Vec<u8>>, usize)>,
        thread: JoinHandle<Sha256>,
        _core: Occupied<'a>,
    },
}

impl<'a> Hash<'a> {
    /// Moves to a thread of its own if a core is idle.
    fn move_aside(&mut self, cores: &'a Cores) {
        let Hash::Here(hasher) = self else { return };
        let Some(core) = cores.occupy_idle() else {
            return;
        };
        let (queue, chunks) = sync_channel::<(Arc<Vec<u8>>, usize)>(QUEUE);
        let mut hasher = hasher.clone();
        let work = move || {
            for (chunk, length) in chunks {
                hasher.update(chunk.get(..length).unwrap_or_default());
            }
            hasher
        };
        // Without a thread it stays where it is.
        if let Ok(thread) = thread::Builder::new().spawn(work) {
            *self = Hash::Aside {
                queue,
                thread,
                _core: core,
            };
        }
    }

    fn update(&mut self, buffer: &Arc<Vec<u8>>, length: usize) {
        match self {
            Hash::Here(hasher) => hasher.update(buffer.get(..length).unwrap_or_default()),
            Hash::Aside { queue, .. } => {
                // A thread that is gone says so when it is joined.
                let _ = queue.send((Arc::clone(buffer), length));
            }
        }
    }

    fn finish(self) -> Result<Sha256, LayerError> {
        match self {
            Hash::Here(hasher) => Ok(hasher),
            Hash::Aside { queue, thread, .. } => {
                drop(queue);
                thread.join().map_err(|_| {
                    LayerError::Read(io::Error::other("the thread that hashes ended early"))
                })
            }
        }
    }
}

/// Reads until the buffer is full or the input ends.
pub(crate) fn fill(input: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NoProgress;

    fn cores(idle: isize) -> Cores {
        Cores(AtomicIsize::new(idle))
    }

    #[test]
    fn the_digest_is_the_same_here_and_aside() {
        let bytes: Vec<u8> = (0..5_000_007u32).map(|at| ((at * 31) >> 3) as u8).collect();
        for idle in [0, 1] {
            let cores = cores(idle);
            let mut seen = Vec::new();
            let (digest, size) =
                hash_chunks(&mut bytes.as_slice(), &cores, 1 << 30, &NoProgress, |it| {
                    seen.extend_from_slice(it);
                    Ok(())
                })
                .expect("bytes in memory");
            assert_eq!(digest, Digest::of(&bytes));
            assert_eq!((size, seen.len()), (5_000_007, 5_000_007));
            assert!(seen == bytes);
            assert_eq!(cores.0.load(Ordering::Relaxed), idle);
        }
    }

    #[test]
    fn a_core_is_given_back_after_a_failure() {
        let cores = cores(1);
        let mut input = io::repeat(7).take(8 << 20);
        let mut left = 20;
        let failed = hash_chunks(&mut input, &cores, 1 << 30, &NoProgress, |_| {
            left -= 1;
            if left == 0 {
                return Err(LayerError::Size(0));
            }
            Ok(())
        });
        assert!(matches!(failed, Err(LayerError::Size(0))));
        assert_eq!(cores.0.load(Ordering::Relaxed), 1);
        let too_long = hash_chunks(&mut io::repeat(0), &cores, 3 << 20, &NoProgress, |_| Ok(()));
        assert!(matches!(too_long, Err(LayerError::Size(limit)) if limit == 3 << 20));
    }

    #[test]
    fn cores_in_use_are_not_idle() {
        let cores = cores(2);
        let (first, second) = (cores.occupy(), cores.occupy());
        assert!(cores.occupy_idle().is_none());
        drop(first);
        assert!(cores.occupy_idle().is_some());
        drop(second);
        assert_eq!(cores.0.load(Ordering::Relaxed), 2);
    }
}
