//! The home of unsafe code: memory maps of our own files.

use std::{fs::File, io, ops::Deref};

/// A read-only memory map of one of Seawall's own database files.
///
/// Only for files that Seawall writes by creating a new file and renaming it,
/// never in place: a mapped file that shrinks kills the process. A user's
/// files are read with positioned reads instead.
#[derive(Debug)]
pub struct OwnFileMap(memmap2::Mmap);

impl OwnFileMap {
    /// Maps the whole of `file`.
    ///
    /// # Errors
    /// What the kernel says; an empty file cannot be mapped.
    pub fn new(file: &File) -> io::Result<Self> {
        // SAFETY: our database files are immutable once they carry their name:
        // they are written under another name and renamed, and replaced by
        // renaming again, which leaves this inode alone. Someone who truncates
        // one by hand with the rights of its owner can make a read fault; that
        // is theirs to do with any file of theirs, our binary included.
        unsafe { memmap2::Mmap::map(file) }.map(OwnFileMap)
    }
}

impl Deref for OwnFileMap {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
