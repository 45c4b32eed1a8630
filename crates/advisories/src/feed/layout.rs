//! Where a feed's files lie, in the publisher's layout: a folder or an address.

use std::{
    fs::{self, File},
    io::{BufReader, Read, Seek, Write},
    path::Path,
};

use super::packed;
use seawall_model::in_full;

use crate::fetch::{FetchError, Fetched, Fetcher};

/// Files that a folder may hold below it.
const FILES_LIMIT: usize = 2_000_000;
/// Folders below one another.
const DEPTH_LIMIT: usize = 8;

/// A folder or an address.
pub(crate) struct Layout<'a> {
    fetcher: &'a Fetcher<'a>,
    /// The only file, where a file was named instead of its folder.
    only: Option<String>,
    /// Seconds since 1970.
    now: u64,
}

impl<'a> Layout<'a> {
    pub(super) fn new(fetcher: &'a Fetcher<'a>, only: Option<String>, now: u64) -> Self {
        Layout { fetcher, only, now }
    }

    /// The year of the update, which around New Year may be the one beside it.
    pub(crate) fn year(&self) -> u64 {
        // Of the Gregorian calendar.
        const SECONDS_OF_YEAR: u64 = 31_556_952;
        1970 + self.now / SECONDS_OF_YEAR
    }

    /// The one file that was named instead of its folder.
    pub(super) fn only(&self) -> Option<&str> {
        self.only.as_deref()
    }

    /// The names of all files below a folder (`""` is the whole), with their
    /// folders, sorted; `None` for an address, which cannot be listed. Links are
    /// not followed, and what begins with a point is passed over.
    pub(crate) fn list(&self, below: &str) -> Result<Option<Vec<String>>, String> {
        let Some(dir) = self.fetcher.dir() else {
            return Ok(None);
        };
        let mut names = Vec::new();
        if dir.join(below).is_dir() {
            list(dir, below, 0, &mut names)?;
        }
        names.sort();
        Ok(Some(names))
    }

    /// Whether a folder has a file of this name; always for an address.
    pub(crate) fn may_have(&self, name: &str) -> bool {
        self.fetcher
            .dir()
            .is_none_or(|dir| dir.join(name).is_file())
    }

    /// The folder or the address.
    pub(crate) fn place(&self) -> String {
        self.fetcher.name()
    }

    /// The publisher's own list of files, unpacked, up to a limit; `None` when
    /// it is not there. An empty name asks for the page of the address itself.
    pub(crate) fn index(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, String> {
        let fetched = self.fetcher.dump(name, None);
        let fetched = fetched.map_err(|error| in_full(&error))?;
        let Some(Fetched::New { file, .. }) = fetched else {
            return Ok(None);
        };
        let input = Input {
            name: name.to_owned(),
            file,
        };
        input.bytes(limit).map(Some)
    }

    pub(super) fn fetch(
        &self,
        name: &str,
        etag: Option<&str>,
    ) -> Result<Option<Fetched>, FetchError> {
        self.fetcher.dump(name, etag)
    }
}

fn list(dir: &Path, below: &str, depth: usize, names: &mut Vec<String>) -> Result<(), String> {
    if depth > DEPTH_LIMIT {
        return Err(format!(
            "`{below}` lies more than {DEPTH_LIMIT} folders deep"
        ));
    }
    let path = dir.join(below);
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    for entry in fs::read_dir(&path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let kind = entry.file_type().map_err(failed)?;
        let name = match below {
            "" => name,
            below => format!("{below}/{name}"),
        };
        if kind.is_dir() {
            list(dir, &name, depth + 1, names)?;
        } else if kind.is_file() {
            if names.len() == FILES_LIMIT {
                return Err(format!("there are more than {FILES_LIMIT} files"));
            }
            names.push(name);
        }
    }
    Ok(())
}

/// One file of a feed.
pub(crate) struct Input {
    /// Its name below the address or the folder.
    pub(crate) name: String,
    file: File,
}

impl Input {
    pub(super) fn new(name: &str, file: File) -> Self {
        Input {
            name: name.to_owned(),
            file,
        }
    }

    pub(crate) fn of_bytes(name: &str, bytes: &[u8]) -> std::io::Result<Self> {
        let mut file = tempfile::tempfile()?;
        file.write_all(bytes)?;
        file.rewind()?;
        Ok(Input::new(name, file))
    }

    /// The file as it is, for formats that are read by position.
    pub(crate) fn file(self) -> File {
        self.file
    }

    /// Its content, unpacked when it is packed with gzip, bzip2, xz or zstd.
    pub(crate) fn unpacked(self) -> Result<BufReader<Box<dyn Read>>, String> {
        let input = packed::unpacked(self.file).map_err(|error| error.to_string())?;
        Ok(BufReader::with_capacity(64 << 10, input))
    }

    /// Its content as a whole, unpacked, up to a limit.
    pub(crate) fn bytes(self, limit: u64) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut input = self.unpacked()?.take(limit + 1);
        let read = input
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
        if read as u64 > limit {
            return Err(format!("it has more than {limit} bytes"));
        }
        Ok(bytes)
    }
}
