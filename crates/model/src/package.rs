//! What software is made of.

use std::borrow::Cow;

use crate::TextRange;

/// One installed or declared package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The purl type: `deb`, `apk`, `rpm`, `cargo`, `golang`, `npm`, `pypi`,
    /// `gem`, `composer`, … It decides the version order and the advisories.
    pub kind: Cow<'static, str>,
    /// The name as its package manager writes it (`@scope/name`,
    /// `github.com/a/b`, `group:artifact`).
    pub name: String,
    /// The full version as its package manager writes it: with epoch and
    /// revision for distributions (`1:2.3-4`). rpm writes no epoch when there
    /// is none; so do we.
    pub version: String,
    /// The package URL. Read from an SBOM it is that document's, byte for byte.
    pub purl: String,
    /// Processor architecture, where the package manager records one.
    pub arch: Option<String>,
    /// The source package it was built from, when the manager records one and
    /// advisories go by it: dpkg's `Source`, apk's origin, rpm's source RPM.
    pub source: Option<Source>,
    /// rpm's module label, `name:stream:version:context[:arch]`.
    pub module: Option<String>,
    /// Licences as written: SPDX expressions where the manager uses them.
    pub licenses: Vec<String>,
    /// How the project refers to it.
    pub relation: Relation,
    /// Where the evidence lies.
    pub origin: Origin,
    /// The files that it owns.
    pub files: FileList,
}

impl Package {
    /// A package with nothing known but the given; the rest is filled in by
    /// struct update syntax or afterwards.
    pub fn new(
        kind: impl Into<Cow<'static, str>>,
        name: impl Into<String>,
        version: impl Into<String>,
        purl: impl Into<String>,
        origin: Origin,
    ) -> Self {
        Package {
            kind: kind.into(),
            name: name.into(),
            version: version.into(),
            purl: purl.into(),
            arch: None,
            source: None,
            module: None,
            licenses: Vec::new(),
            relation: Relation::default(),
            origin,
            files: FileList::default(),
        }
    }
}

/// The source package that a binary package was built from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// Name of the source package.
    pub name: String,
    /// Its version: dpkg's may differ from the binary's.
    pub version: String,
}

/// How a project refers to a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Relation {
    /// Named by the project itself (`Some(true)`) or brought in by another
    /// package (`Some(false)`); `None` when the file does not say.
    pub direct: Option<bool>,
    /// Needed for development or tests only.
    pub development: bool,
}

/// Where the evidence for a package lies.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Origin {
    /// The file that names the package, relative to the target's root.
    pub path: String,
    /// Index of the layer that brought this version of the package, in images.
    pub layer: Option<usize>,
    /// The stretch of the file that names it.
    pub range: Option<TextRange>,
}

/// Paths that a package owns, relative to the root and without a leading
/// slash, kept as one string because an image has hundreds of thousands.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FileList {
    /// Paths ended by `\n` each. A path cannot hold one: package managers
    /// write their lists by line.
    lines: Box<str>,
}

impl FileList {
    /// Takes paths separated by newlines.
    pub fn from_lines(lines: impl Into<Box<str>>) -> Self {
        FileList {
            lines: lines.into(),
        }
    }

    /// Every path, in the package manager's order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.lines.split('\n').filter(|line| !line.is_empty())
    }

    /// Whether the package manager recorded no file.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl<S: AsRef<str>> FromIterator<S> for FileList {
    fn from_iter<I: IntoIterator<Item = S>>(paths: I) -> Self {
        let mut lines = String::new();
        for path in paths {
            lines.push_str(path.as_ref());
            lines.push('\n');
        }
        FileList {
            lines: lines.into(),
        }
    }
}
