//! Root file systems and projects: folders walked without leaving them.
//!
//! Names are taken from directories, links are never followed while walking,
//! and files are opened beneath the root by the kernel (`openat2` with
//! `RESOLVE_IN_ROOT`, Linux 5.6), so that a link swapped in meanwhile cannot
//! lead out of it.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use seawall_model::{Gap, GapKind};

use crate::{
    EntryKind, Error, Image, View,
    evidence::LayerEvidence,
    loose::{Loose, LooseEntry},
    open::{Run, single},
    paths::join,
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
    walker.directory("", 0);
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
        let Ok(metadata) = path.join(&one.target).symlink_metadata() else {
            continue;
        };
        if visit(&mut loose, &root, path, &one.target, &metadata).is_ok() {
            let found: LayerEvidence = loose.finish();
            gaps.extend(found.gaps);
            files.extend(found.files.iter().filter_map(|file| {
                crate::squash::evidence(one.path.clone(), 0, file, run.matcher)
            }));
        }
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
    if wanted.is_empty() {
        let from = format!("`{}`", path.display());
        let what = "a file of a kind that is not read".into();
        return Err(Error::NotAnImage { from, what });
    }
    let reading = run.reading(false);
    let mut loose = Loose::new(&reading);
    loose.visit(&header(&name, EntryKind::File, &metadata, b""), || Ok(file));
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

impl Walker<'_> {
    fn directory(&mut self, dir: &str, depth: usize) {
        let path: PathBuf = if dir.is_empty() {
            self.base.to_owned()
        } else {
            self.base.join(dir)
        };
        if depth > MOST_DEEP {
            self.gap(
                dir,
                GapKind::Limit,
                format!("folders lie more than {MOST_DEEP} deep"),
            );
            return;
        }
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) => {
                return self.gap(dir, GapKind::Damaged, format!("cannot be read: {error}"));
            }
        };
        let mut names: Vec<(String, fs::FileType)> = Vec::new();
        for entry in entries {
            let Some(left) = self.left.checked_sub(1) else {
                let limit = self.run.options.limits.tree_entries;
                return self.gap(
                    dir,
                    GapKind::Limit,
                    format!("there are more than {limit} files"),
                );
            };
            self.left = left;
            match entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))) {
                Ok((name, kind)) => names.push((name.to_string_lossy().into_owned(), kind)),
                Err(error) => self.gap(dir, GapKind::Damaged, format!("cannot be read: {error}")),
            }
        }
        // The order of a directory is the file system's; reports must not
        // hang on it.
        names.sort_by(|a, b| a.0.cmp(&b.0));
        if self.walk == Walk::Project && names.iter().any(|(name, _)| name == "CACHEDIR.TAG") {
            return;
        }
        for (name, kind) in names {
            let path = join(dir, &name);
            if kind.is_dir() {
                let skipped = match self.walk {
                    Walk::Project => NOT_OURS.contains(&name.as_str()),
                    Walk::System => NOT_STORED.contains(&path.as_str()),
                };
                if !skipped {
                    self.directory(&path, depth + 1);
                }
            } else {
                self.file(&path, kind);
            }
        }
    }

    fn file(&mut self, path: &str, kind: fs::FileType) {
        let matcher = self.run.matcher;
        let mut wanted = Vec::new();
        matcher.by_path(path, &mut wanted);
        let is_link = kind.is_symlink() && self.walk == Walk::System;
        let by_content = kind.is_file() && matcher.wants_header();
        if wanted.is_empty() && !is_link && !by_content {
            return;
        }
        let metadata = match self.base.join(path).symlink_metadata() {
            Ok(metadata) => metadata,
            // Gone since its directory was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => {
                return self.gap(path, GapKind::Damaged, format!("cannot be read: {error}"));
            }
        };
        if let Err(error) = visit(&mut self.loose, self.root, self.base, path, &metadata) {
            self.gap(path, GapKind::Damaged, format!("cannot be read: {error}"));
        }
    }

    fn gap(&mut self, path: &str, kind: GapKind, reason: String) {
        const MOST: usize = 1000;
        if self.gaps.len() < MOST {
            let subject = if path.is_empty() { "/" } else { path };
            self.gaps.push(Gap::new(kind, subject, reason));
        }
    }
}

fn header<'a>(
    path: &'a str,
    kind: EntryKind,
    metadata: &Metadata,
    link: &'a [u8],
) -> LooseEntry<'a> {
    LooseEntry {
        path,
        kind,
        size: metadata.len(),
        mode: metadata.permissions().mode() & 0o7777,
        uid: metadata.uid().into(),
        gid: metadata.gid().into(),
        link,
        capability: None,
    }
}

fn visit(
    loose: &mut Loose<'_>,
    root: &File,
    base: &Path,
    path: &str,
    metadata: &Metadata,
) -> io::Result<()> {
    let kind = metadata.file_type();
    if kind.is_symlink() {
        let target = fs::read_link(base.join(path))?;
        let target = target.as_os_str().as_bytes();
        let entry = header(path, EntryKind::Symlink, metadata, target);
        loose.visit(&entry, || Ok(io::empty()));
        return Ok(());
    }
    if !kind.is_file() {
        return Ok(());
    }
    let mut capability = [0; 64];
    let length = rustix::fs::lgetxattr(base.join(path), "security.capability", &mut capability);
    let mut entry = header(path, EntryKind::File, metadata, b"");
    entry.capability = length.ok().and_then(|length| capability.get(..length));
    loose.visit(&entry, || beneath(root, base, path));
    Ok(())
}

/// Opens a file beneath the root, following no link out of it.
fn beneath(root: &File, base: &Path, path: &str) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(root, path, flags, Mode::empty(), resolve) {
        Ok(file) => Ok(File::from(file)),
        // Kernels before 5.6, and sandboxes that do not know the call.
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {
            let path = base.join(path);
            Ok(File::from(rustix::fs::open(&path, flags, Mode::empty())?))
        }
        Err(error) => Err(error.into()),
    }
}
