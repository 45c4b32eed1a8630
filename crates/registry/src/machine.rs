//! What the machine says about registries: its files and its environment.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

/// Where files of settings and credentials are looked for, and the environment
/// that says more.
#[derive(Clone, Default)]
pub struct Machine {
    root: PathBuf,
    variables: BTreeMap<OsString, OsString>,
    user: u32,
}

/// The environment may hold a password.
impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Machine {
    /// This machine, as the process sees it.
    pub fn this() -> Self {
        Machine {
            root: PathBuf::from("/"),
            variables: env::vars_os().collect(),
            user: rustix::process::getuid().as_raw(),
        }
    }

    /// One whose system files lie below `root`, with this environment alone.
    pub fn below(root: &Path, variables: &[(&str, &Path)]) -> Self {
        let owned = |(name, value): &(&str, &Path)| (OsString::from(name), OsString::from(value));
        Machine {
            root: root.to_owned(),
            variables: variables.iter().map(owned).collect(),
            user: rustix::process::getuid().as_raw(),
        }
    }

    /// A variable that is set to something.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsString> {
        let value = self.variables.get(&OsString::from(name));
        value.filter(|value| !value.is_empty())
    }

    /// The whole environment, for programs that are run.
    pub(crate) fn variables(&self) -> &BTreeMap<OsString, OsString> {
        &self.variables
    }

    /// A system file: `path` is relative to the root.
    pub(crate) fn system(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The user's folder.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").map(PathBuf::from)
    }

    /// The user's settings (XDG Base Directory Specification).
    pub(crate) fn config_home(&self) -> Option<PathBuf> {
        let set = self.variable("XDG_CONFIG_HOME").map(PathBuf::from);
        // The specification has relative paths ignored.
        set.filter(|path| path.is_absolute())
            .or_else(|| Some(self.home()?.join(".config")))
    }

    /// The number of the user who runs the process.
    pub(crate) fn user(&self) -> u32 {
        self.user
    }
}

/// A small file, whole; `None` when there is none. Pipes and devices in its
/// place are errors, because nobody would end them.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    to_end(file, limit).map(Some)
}

/// A file that the user named: `<(command)` names a pipe.
pub(crate) fn read_named(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    to_end(File::open(path)?, limit)
}

fn to_end(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it has more than {limit} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        let machine = Machine::below(Path::new("/x"), &[("PASSWORD", Path::new("hunter2"))]);
        assert_eq!(format!("{machine:?}"), "Machine { root: \"/x\", .. }");
    }

    #[test]
    fn files_are_bounded_and_pipes_are_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap().unwrap(), b"12345");
        assert!(read(&path, 4).is_err());
        assert!(read(&path.join("below"), 4).unwrap().is_none());
        assert!(read(dir.path(), 4).is_err());
        let pipe = dir.path().join("pipe");
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(read(&pipe, 4).is_err());
    }
}
