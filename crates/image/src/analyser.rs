//! What analysers of files declare, and what they are handed.
//!
//! The core reads every layer once. An analyser says beforehand which files it
//! wants ([`Interest`]); the core hands it each such file while the layer
//! streams by, and keeps the bytes that the analyser makes of it. These bytes
//! are what the cache holds, so `analyse` sees one file only: whatever needs
//! several files of the finished image works on the [`crate::View`] afterwards.

use std::fs::File;

/// What a tar header, or a file system, says of one entry.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Path relative to the image's root: no leading `/` or `./`, no `..`,
    /// `/` between components, no trailing slash. Bytes that are not UTF-8 are
    /// replaced.
    pub path: &'a str,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of content.
    pub size: u64,
    /// Permission bits with setuid, setgid and sticky: `0o7777`.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// Target of a link, as written.
    pub link: Option<&'a str>,
    /// The raw `security.capability` attribute (linux/capability.h, struct
    /// `vfs_cap_data`).
    pub capability: Option<&'a [u8]>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Another name of a file in the same layer.
    HardLink,
    /// A device, a pipe or a socket.
    Special,
}

/// Which files an analyser wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// This very path.
    Path(&'static str),
    /// Every file with this last component.
    Name(&'static str),
    /// Every file whose last component ends so (`.gemspec`). The suffix starts
    /// with a dot.
    Suffix(&'static str),
    /// Files directly in this directory whose name ends so; an empty suffix
    /// means all of them.
    In {
        /// The directory, without slashes at its ends.
        dir: &'static str,
        /// End of the name.
        suffix: &'static str,
    },
    /// Files anywhere below this directory whose last component is `name`.
    Below {
        /// The directory, without slashes at its ends.
        dir: &'static str,
        /// The last component.
        name: &'static str,
    },
    /// Regular files that start with these bytes (at most 16).
    Magic(&'static [u8]),
    /// Regular files with a setuid or setgid bit.
    SetId,
    /// Regular files with a `security.capability` attribute.
    Capability,
    /// Every regular file. Another name of one (a hard link) is none of its
    /// own: its content goes by once, under the first name.
    Any,
}

/// How much of a file's content an analyser needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: the header says it all. `analyse` gets an empty body.
    Header,
    /// All of it, in memory, unless it has more bytes than this: then the file
    /// is a gap.
    Whole(u64),
    /// All of it with random access: spooled to an unlinked temporary file
    /// when it is large, a gap beyond this many bytes.
    Seek(u64),
    /// All of it, chunk by chunk as it goes by, whatever its size:
    /// [`Analyser::begin`] is asked in place of `analyse`. Not for files that
    /// are known by their first bytes only.
    Stream,
}

/// A file's content.
#[derive(Debug)]
pub enum Body<'a> {
    /// In memory.
    Bytes(&'a [u8]),
    /// In an unlinked temporary file, of this length.
    File(&'a File, u64),
}

/// A kind of evidence, and how a file is turned into it.
pub trait Analyser: Sync {
    /// Name, unique among analysers; part of the cache's key.
    fn name(&self) -> &'static str;
    /// Raised whenever `analyse` would make other bytes of the same file; part
    /// of the cache's key.
    fn version(&self) -> u32;
    /// The files it wants.
    fn interests(&self) -> &'static [Interest];
    /// Whether it wants the file at this path, which an interest has met: for
    /// patterns that interests cannot say. Files that nobody wants are not kept.
    fn wants(&self, path: &str) -> bool {
        let _ = path;
        true
    }
    /// How much of each file it needs.
    fn need(&self) -> Need;
    /// Turns one file into evidence, in the thread that reads the layer.
    /// `Ok(None)` means that the file holds none.
    ///
    /// # Errors
    /// What is wrong with the file, for a gap: lower case, no full stop. The
    /// file counts as damaged.
    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String>;
    /// Starts on a file, for an analyser that needs a [`Need::Stream`]; `None`
    /// leaves the file out.
    fn begin(&self, entry: &Entry<'_>) -> Option<Box<dyn Stream + '_>> {
        let _ = entry;
        None
    }
}

/// One file on its way through an analyser.
pub trait Stream {
    /// Takes the next bytes. Whether it wants more; if not, the rest of the
    /// file need not be read for it.
    fn feed(&mut self, bytes: &[u8]) -> bool;
    /// The evidence in the file, once all of it has come or no more was wanted.
    ///
    /// # Errors
    /// As [`Analyser::analyse`].
    fn end(self: Box<Self>) -> Result<Option<Vec<u8>>, String>;
}
