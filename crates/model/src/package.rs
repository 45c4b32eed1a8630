//! What software is made of.

use std::{borrow::Cow, collections::HashMap};

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
    /// Digests of its archive, or of the file that it was found in, as they
    /// were recorded or computed.
    pub hashes: Vec<Hash>,
    /// The packages that it asks for, as far as its manager says which ones
    /// serve: the edges of the dependency graph ([`graph`]).
    pub requires: Vec<Requirement>,
    /// How it was told that it is there.
    pub technique: Technique,
    /// The distribution's package that brought the file which names this one.
    pub owner: Option<Owner>,
}

/// The distribution's package that brought a package of a language.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// Whether the distribution's advisories decide alone. They do where they
    /// know the owner; until that is looked up they are not taken to.
    pub answers: bool,
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
            hashes: Vec::new(),
            requires: Vec::new(),
            technique: Technique::default(),
            owner: None,
        }
    }
}

/// A digest of a package's content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash {
    /// How it was computed.
    pub algorithm: HashAlgorithm,
    /// Lower-case hexadecimal.
    pub hex: String,
}

/// How a [digest](struct@Hash) was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// All of them.
    pub const ALL: [HashAlgorithm; 5] = [
        HashAlgorithm::Md5,
        HashAlgorithm::Sha1,
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
    ];

    /// The name in Subresource Integrity and in lock files: `sha512`.
    pub fn as_str(self) -> &'static str {
        match self {
            HashAlgorithm::Md5 => "md5",
            HashAlgorithm::Sha1 => "sha1",
            HashAlgorithm::Sha256 => "sha256",
            HashAlgorithm::Sha384 => "sha384",
            HashAlgorithm::Sha512 => "sha512",
        }
    }

    /// Bytes of a digest.
    pub fn bytes(self) -> usize {
        match self {
            HashAlgorithm::Md5 => 16,
            HashAlgorithm::Sha1 => 20,
            HashAlgorithm::Sha256 => 32,
            HashAlgorithm::Sha384 => 48,
            HashAlgorithm::Sha512 => 64,
        }
    }
}

impl Hash {
    /// A digest in hexadecimal; `None` when it has another length or other
    /// signs than one of this algorithm.
    pub fn new(algorithm: HashAlgorithm, hex: &str) -> Option<Self> {
        let is_one =
            hex.len() == algorithm.bytes() * 2 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_one.then(|| Hash {
            algorithm,
            hex: hex.to_ascii_lowercase(),
        })
    }

    /// `sha256:0f…`, `sha256-…` or `sha256=…` with a digest in hexadecimal.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, hex) = text.split_once([':', '-', '='])?;
        let algorithm = HashAlgorithm::ALL
            .into_iter()
            .find(|one| one.as_str().eq_ignore_ascii_case(name))?;
        Hash::new(algorithm, hex)
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.algorithm.as_str(), self.hex)
    }
}

/// A package that another one asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    /// Its name, as [`Package::name`] has it.
    pub name: String,
    /// The version that serves, where several of the name may be there.
    pub version: Option<String>,
}

/// How a package was told to be there (CycloneDX 1.6,
/// `evidence.identity.methods.technique`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Technique {
    /// Its manager's record, a lock file or its own manifest says so.
    #[default]
    Manifest,
    /// A program was linked with it and says so (Go's build information,
    /// cargo-auditable, ELF notes).
    Binary,
    /// Bytes of a program that only this software has.
    Fingerprint,
    /// The name of a file.
    FileName,
    /// A bill of materials says so.
    Sbom,
}

impl Technique {
    /// All of them.
    pub const ALL: [Technique; 5] = [
        Technique::Manifest,
        Technique::Binary,
        Technique::Fingerprint,
        Technique::FileName,
        Technique::Sbom,
    ];

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Technique::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// The name used in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Technique::Manifest => "manifest",
            Technique::Binary => "binary",
            Technique::Fingerprint => "fingerprint",
            Technique::FileName => "file-name",
            Technique::Sbom => "sbom",
        }
    }

    /// How far it can be relied on, in percent.
    pub fn confidence(self) -> u8 {
        match self {
            Technique::Manifest | Technique::Binary | Technique::Sbom => 100,
            Technique::Fingerprint => 80,
            Technique::FileName => 50,
        }
    }
}

/// The dependency graph: for each package the indices of those that it asks
/// for, sorted. A requirement is looked for among the packages that the same
/// file names, then among all of its kind; one that nothing serves is left out.
pub fn graph(packages: &[Package]) -> Vec<Vec<usize>> {
    // The first one that serves, with `None` for any version.
    type Wanted<'a> = (&'a str, &'a str, Option<&'a str>);
    let mut by_file: HashMap<(&str, Wanted<'_>), usize> = HashMap::new();
    let mut by_kind: HashMap<Wanted<'_>, usize> = HashMap::new();
    for (index, one) in packages.iter().enumerate() {
        for version in [None, Some(one.version.as_str())] {
            let wanted = (one.kind.as_ref(), one.name.as_str(), version);
            let file = by_file.entry((one.origin.path.as_str(), wanted));
            file.or_insert(index);
            by_kind.entry(wanted).or_insert(index);
        }
    }
    let of = |one: &Package| {
        let mut found: Vec<usize> = one
            .requires
            .iter()
            .filter_map(|wanted| {
                let version = wanted.version.as_deref();
                let wanted = (one.kind.as_ref(), wanted.name.as_str(), version);
                let near = by_file.get(&(one.origin.path.as_str(), wanted));
                near.or_else(|| by_kind.get(&wanted)).copied()
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    };
    packages.iter().map(of).collect()
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
    /// The path inside it, where the file is an archive: `lib/a.jar`, for
    /// archives in archives `lib/a.jar!/META-INF/b.jar`.
    pub inside: Option<String>,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn package(
        name: &str,
        version: &str,
        path: &str,
        requires: &[(&str, Option<&str>)],
    ) -> Package {
        let origin = Origin {
            path: path.to_owned(),
            ..Origin::default()
        };
        let requires = requires.iter().map(|(name, version)| Requirement {
            name: (*name).to_owned(),
            version: version.map(str::to_owned),
        });
        Package {
            requires: requires.collect(),
            ..Package::new("npm", name, version, "", origin)
        }
    }

    #[test]
    fn a_requirement_is_served_by_its_own_file_first() {
        let packages = [
            package("a", "1", "x/lock", &[("b", None), ("c", Some("2"))]),
            package("b", "1", "lock", &[]),
            package("b", "2", "x/lock", &[("gone", None)]),
            package("c", "1", "x/lock", &[("a", None)]),
            package("c", "2", "lock", &[]),
        ];
        assert_eq!(
            graph(&packages),
            [vec![2, 4], vec![], vec![], vec![0], vec![]]
        );
    }

    #[test]
    fn a_hash_is_of_its_length() {
        let text = format!("SHA1:{}", "0F".repeat(20));
        assert_eq!(Hash::parse(&text).unwrap().hex, "0f".repeat(20));
        assert_eq!(Hash::parse("sha1:00"), None);
        assert_eq!(Hash::new(HashAlgorithm::Md5, &"zz".repeat(16)), None);
    }
}
