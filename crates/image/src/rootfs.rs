//! Root file systems and projects: folders walked without leaving them.
//!
//! Each folder is opened beneath the root by the kernel (`openat2`, Linux 5.6),
//! which refuses links on the way, and its files are opened by their name in
//! it: a link swapped in meanwhile cannot lead out of the root.

use std::{
    ffi::OsStr,
    fs::{self, File, Metadata},
    io,
    os::{
        fd::OwnedFd,
        unix::{
            ffi::OsStrExt,
            fs::{MetadataExt, PermissionsExt},
        },
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat},
    io::Errno,
};
use seawall_model::{Gap, GapKind};

use crate::{
    EntryKind, Error, Image, View,
    evidence::LayerEvidence,
    loose::{Loose, LooseEntry},
    oci::regular,
    open::{Run, single},
    paths::{join, resolve_link, split},
};

/// How a folder is walked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walk {
    /// As an installed system.
    System,
    /// As a project, without what tools put there.
    Project,
}

/// Folders of a project that hold copies of other people's projects, whose
/// lock files say nothing about this one.
const NOT_OURS: [&str; 12] = [
    ".git",
    ".hg",
    ".svn",
    "node_modules",
    "bower_components",
    "vendor",
    ".venv",
    "venv",
    ".tox",
    "__pycache__",
    ".terraform",
    ".cargo",
];

/// Files in such folders that are this project's own all the same: they name
/// where it is fetched from, often with a password.
const YET_OURS: [(&str, &[&str]); 3] = [
    (".git", &["config"]),
    (
        ".cargo",
        &["config", "config.toml", "credentials", "credentials.toml"],
    ),
    (".terraform", &["terraform.tfstate"]),
];

/// Folders of a system that hold other systems (images and containers), or
/// nothing stored.
const NOT_STORED: [&str; 7] = [
    "proc",
    "sys",
    "dev",
    "var/lib/docker",
    "var/lib/containers",
    "var/lib/containerd",
    "run/containerd",
];

/// Directories within directories: the kernel's paths end long before.
const MOST_DEEP: usize = 2048;

pub(crate) fn open(path: &Path, walk: Walk, run: &Run<'_>) -> Result<Image, Error> {
    let reading = |cause| Error::Read {
        path: path.to_owned(),
        cause,
    };
    let metadata = fs::metadata(path).map_err(reading)?;
    if !metadata.is_dir() {
        return Err(reading(io::ErrorKind::NotADirectory.into()));
    }
    let root = File::open(path).map_err(reading)?;
    // The root itself must be readable; below it unreadable folders are gaps.
    drop(fs::read_dir(path).map_err(reading)?);
    let reading = run.reading(false);
    let mut walker = Walker {
        root: &root,
        base: path,
        walk,
        loose: Loose::new(&reading),
        gaps: Vec::new(),
        left: run.options.limits.tree_entries,
        run,
    };
    walker.directory("", Path::new("."), 0);
    let mut gaps = std::mem::take(&mut walker.gaps);
    let evidence = walker.loose.finish();
    let (mut files, squashed) = single(&evidence, run);
    // Links of interest that lead to a file nobody captured: read it now.
    let again = run.reading(false);
    for one in &squashed.unresolved {
        let matcher = run.matcher.only(&[(one.analyser, one.target.clone())]);
        let reading = crate::layer::Reading {
            matcher: &matcher,
            ..again
        };
        let mut loose = Loose::new(&reading);
        let target = Path::new(&one.target);
        let (file, metadata) = match beneath(&root, path, target, ResolveFlags::IN_ROOT) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                let reason = format!("it is a link to `{}`: {error}", one.target);
                gaps.push(Gap::new(GapKind::Damaged, one.path.clone(), reason));
                continue;
            }
        };
        loose.visit(&header(&one.target, &metadata), || Ok(file));
        let found: LayerEvidence = loose.finish();
        gaps.extend(found.gaps);
        files.extend(
            found
                .files
                .iter()
                .filter_map(|file| crate::squash::evidence(one.path.clone(), 0, file, run.matcher)),
        );
    }
    crate::squash::sort(&mut files);
    gaps.extend(evidence.gaps);
    gaps.sort();
    gaps.dedup();
    Ok(Image {
        view: View {
            files,
            gaps,
            ..View::default()
        },
        ..Image::default()
    })
}

/// One file, as if it stood alone in a project.
pub(crate) fn open_file(path: &Path, run: &Run<'_>) -> Result<Image, Error> {
    let reading = |cause| Error::Read {
        path: path.to_owned(),
        cause,
    };
    let metadata = fs::metadata(path).map_err(reading)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() {
            "a folder"
        } else {
            "no regular file"
        };
        let from = format!("`{}`", path.display());
        return Err(Error::NotAnImage {
            from,
            what: what.into(),
        });
    }
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let file = File::open(path).map_err(reading)?;
    let mut wanted = Vec::new();
    run.matcher.by_path(&name, &mut wanted);
    let unwanted = || {
        let from = format!("`{}`", path.display());
        let what = "a file of a kind that is not read".into();
        Error::NotAnImage { from, what }
    };
    if wanted.is_empty() && !run.matcher.wants_header() {
        return Err(unwanted());
    }
    let reading = run.reading(false);
    let mut loose = Loose::new(&reading);
    loose.visit(&header(&name, &metadata), || Ok(file));
    if loose.taken() == 0 {
        return Err(unwanted());
    }
    let evidence = loose.finish();
    let (files, _) = single(&evidence, run);
    let gaps = evidence.gaps;
    Ok(Image {
        view: View {
            files,
            gaps,
            ..View::default()
        },
        ..Image::default()
    })
}

struct Walker<'a> {
    root: &'a File,
    base: &'a Path,
    walk: Walk,
    loose: Loose<'a>,
    gaps: Vec<Gap>,
    left: u64,
    run: &'a Run<'a>,
}

/// A name in a folder. It need not be UTF-8; then what is shown of it names
/// nothing.
struct Name {
    shown: String,
    real: PathBuf,
    kind: FileType,
}

impl Walker<'_> {
    /// Walks a folder: `dir` is its path as it is shown, `real` as it is.
    fn directory(&mut self, dir: &str, real: &Path, depth: usize) {
        if depth > MOST_DEEP {
            self.gap(
                dir,
                GapKind::Limit,
                format!("folders lie more than {MOST_DEEP} deep"),
            );
            return;
        }
        let fd = match folder(self.root, self.base, real) {
            Ok(fd) => fd,
            // Gone since the folder above was read.
            Err(Errno::NOENT) => return,
            Err(error) => {
                return self.unreadable(dir, error);
            }
        };
        let mut names = match Dir::read_from(&fd) {
            Ok(entries) => self.names(dir, &fd, entries),
            Err(error) => return self.unreadable(dir, error),
        };
        // The order of a directory is the file system's; reports must not
        // hang on it.
        names.sort_by(|a, b| a.real.cmp(&b.real));
        if self.walk == Walk::Project && names.iter().any(|name| name.shown == "CACHEDIR.TAG") {
            return;
        }
        for name in names.iter().filter(|name| name.kind != FileType::Directory) {
            self.file(&fd, dir, real, name);
        }
        // Not kept open while what is below is walked: that may be deep.
        drop(fd);
        for name in names.iter().filter(|name| name.kind == FileType::Directory) {
            let path = join(dir, &name.shown);
            let is_skipped = match self.walk {
                Walk::Project => NOT_OURS.contains(&name.shown.as_str()),
                Walk::System => NOT_STORED.contains(&path.as_str()),
            };
            if !is_skipped {
                self.directory(&path, &real.join(&name.real), depth + 1);
            } else if self.walk == Walk::Project && self.run.matcher.wants_any() {
                self.yet_ours(&path, &real.join(&name.real), name);
            }
        }
    }

    /// The few files of interest in a folder that is not walked.
    fn yet_ours(&mut self, dir: &str, real: &Path, folder_name: &Name) {
        let ours = YET_OURS.iter().find(|(own, _)| *own == folder_name.shown);
        let Some((_, files)) = ours else { return };
        let fd = match folder(self.root, self.base, real) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return,
            Err(error) => return self.unreadable(dir, error),
        };
        for file in *files {
            let stat = rustix::fs::statat(&fd, *file, AtFlags::SYMLINK_NOFOLLOW);
            let Ok(stat) = stat else { continue };
            let name = Name {
                shown: (*file).to_owned(),
                real: PathBuf::from(file),
                kind: FileType::from_raw_mode(stat.st_mode),
            };
            if name.kind == FileType::RegularFile {
                self.file(&fd, dir, real, &name);
            }
        }
    }

    fn names(&mut self, dir: &str, fd: &OwnedFd, entries: Dir) -> Vec<Name> {
        let mut names = Vec::new();
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.unreadable(dir, error);
                    break;
                }
            };
            let bytes = entry.file_name().to_bytes();
            if matches!(bytes, b"." | b"..") {
                continue;
            }
            let Some(left) = self.left.checked_sub(1) else {
                let limit = self.run.options.limits.tree_entries;
                let reason = format!("there are more than {limit} files");
                self.gap(dir, GapKind::Limit, reason);
                break;
            };
            self.left = left;
            let kind = match entry.file_type() {
                // Some file systems do not say.
                FileType::Unknown => {
                    rustix::fs::statat(fd, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)
                        .map_or(FileType::Unknown, |stat| {
                            FileType::from_raw_mode(stat.st_mode)
                        })
                }
                kind => kind,
            };
            names.push(Name {
                shown: String::from_utf8_lossy(bytes).into_owned(),
                real: PathBuf::from(OsStr::from_bytes(bytes)),
                kind,
            });
        }
        names
    }

    fn file(&mut self, fd: &OwnedFd, dir: &str, real: &Path, name: &Name) {
        let path = join(dir, &name.shown);
        let matcher = self.run.matcher;
        let mut wanted = Vec::new();
        matcher.by_path(&path, &mut wanted);
        let visited = match name.kind {
            FileType::RegularFile if !wanted.is_empty() || matcher.wants_header() => {
                self.regular(fd, &path, real, name)
            }
            FileType::Symlink if self.walk == Walk::System => self.link(fd, &path, name),
            FileType::Symlink if !wanted.is_empty() => self.project_link(fd, &path, real, name),
            FileType::RegularFile | FileType::Symlink => Ok(()),
            _ if !wanted.is_empty() => {
                let reason = "it is no regular file but a pipe, a socket or a device";
                self.gap(&path, GapKind::Damaged, reason.to_owned());
                Ok(())
            }
            _ => Ok(()),
        };
        match visited {
            // Gone since its directory was read.
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => self.unreadable(&path, error),
        }
    }

    fn regular(&mut self, fd: &OwnedFd, path: &str, real: &Path, name: &Name) -> Result<(), Errno> {
        let stat = rustix::fs::statat(fd, &name.real, AtFlags::SYMLINK_NOFOLLOW)?;
        let mut capability = [0; 64];
        let full = self.base.join(real).join(&name.real);
        let length = rustix::fs::lgetxattr(full, "security.capability", &mut capability);
        let mut entry = by_stat(path, EntryKind::File, &stat, b"");
        entry.capability = length.ok().and_then(|length| capability.get(..length));
        self.loose.visit(&entry, || {
            let file = rustix::fs::openat(fd, &name.real, READ | OFlags::NOFOLLOW, Mode::empty())?;
            regular(File::from(file))
        });
        Ok(())
    }

    fn link(&mut self, fd: &OwnedFd, path: &str, name: &Name) -> Result<(), Errno> {
        let stat = rustix::fs::statat(fd, &name.real, AtFlags::SYMLINK_NOFOLLOW)?;
        let target = rustix::fs::readlinkat(fd, &name.real, Vec::new())?;
        let entry = by_stat(path, EntryKind::Symlink, &stat, target.to_bytes());
        // A link has no content, so that nothing is opened.
        let none = || Err(io::ErrorKind::Unsupported.into());
        self.loose.visit(&entry, none);
        Ok(())
    }

    /// A link in the place of a file of a project. What it leads to is read
    /// unless that has a name of its own to be read by.
    fn project_link(
        &mut self,
        fd: &OwnedFd,
        path: &str,
        real: &Path,
        name: &Name,
    ) -> Result<(), Errno> {
        let target = rustix::fs::readlinkat(fd, &name.real, Vec::new())?;
        let target = target.to_string_lossy();
        match beneath(
            self.root,
            self.base,
            &real.join(&name.real),
            ResolveFlags::BENEATH,
        ) {
            Ok((file, metadata)) => {
                let mut there = Vec::new();
                let own = resolve_link(split(path).0, &target);
                self.run.matcher.by_path(&own, &mut there);
                if there.is_empty() {
                    self.loose.visit(&header(path, &metadata), || Ok(file));
                }
            }
            Err(error) => {
                let reason = if error.raw_os_error() == Some(Errno::XDEV.raw_os_error()) {
                    format!("it is a link to `{target}`, out of the folder")
                } else {
                    format!("it is a link to `{target}`: {error}")
                };
                self.gap(path, GapKind::Missing, reason);
            }
        }
        Ok(())
    }

    fn unreadable(&mut self, path: &str, error: Errno) {
        let error = io::Error::from(error);
        self.gap(path, GapKind::Damaged, format!("cannot be read: {error}"));
    }

    fn gap(&mut self, path: &str, kind: GapKind, reason: String) {
        const MOST: usize = 1000;
        if self.gaps.len() < MOST {
            let subject = if path.is_empty() { "/" } else { path };
            self.gaps.push(Gap::new(kind, subject, reason));
        }
    }
}

fn header<'a>(path: &'a str, metadata: &Metadata) -> LooseEntry<'a> {
    LooseEntry {
        path,
        kind: EntryKind::File,
        size: metadata.len(),
        mode: metadata.permissions().mode() & 0o7777,
        uid: metadata.uid().into(),
        gid: metadata.gid().into(),
        link: b"",
        capability: None,
    }
}

fn by_stat<'a>(path: &'a str, kind: EntryKind, stat: &Stat, link: &'a [u8]) -> LooseEntry<'a> {
    LooseEntry {
        path,
        kind,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid.into(),
        gid: stat.st_gid.into(),
        link,
        capability: None,
    }
}

/// Never waits: a pipe may have been put in the place of a file.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK);

/// Opens a folder beneath the root, following no link at all.
fn folder(root: &File, base: &Path, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = READ | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    match rustix::fs::openat2(root, path, flags, Mode::empty(), resolve) {
        // Kernels before 5.6, and sandboxes that do not know the call.
        Err(Errno::NOSYS | Errno::PERM) => rustix::fs::open(base.join(path), flags, Mode::empty()),
        result => result,
    }
}

/// Opens a regular file beneath the root, following links as `within` says.
fn beneath(
    root: &File,
    base: &Path,
    path: &Path,
    within: ResolveFlags,
) -> io::Result<(File, Metadata)> {
    let resolve = within | ResolveFlags::NO_MAGICLINKS;
    let file = match rustix::fs::openat2(root, path, READ, Mode::empty(), resolve) {
        // Kernels before 5.6, and sandboxes that do not know the call.
        Err(Errno::NOSYS | Errno::PERM) => {
            let flags = READ | OFlags::NOFOLLOW;
            rustix::fs::open(base.join(path), flags, Mode::empty())?
        }
        result => result?,
    };
    let file = regular(File::from(file))?;
    let metadata = file.metadata()?;
    Ok((file, metadata))
}
