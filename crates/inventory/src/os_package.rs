//! What the package managers of distributions have in common: how their packages are kept as
//! evidence, within bounds, and how evidence becomes packages.

use std::collections::{BTreeMap, HashMap, HashSet};

use seawall_image::{Evidence, View};
use seawall_model::{FileList, Gap, GapKind, Hash, Origin, Os, Package, Source};

mod requirements;

use crate::{
    purl::Purl,
    record::{Reader, Record, Writer},
};

/// Bytes of one package database that is text. All 70,000 packages of Debian
/// installed together come to half of it.
pub(crate) const DATABASE_LIMIT: u64 = 128 << 20;
/// Packages of one database: three times as many as any distribution has.
const MOST_PACKAGES: usize = 250_000;
/// Bytes of all paths in one database. A database may repeat one long folder
/// for each of a million short names: its size does not bound them.
const MOST_FILE_BYTES: usize = 96 << 20;
/// Bytes of all that the packages of one database ask for and answer to: ten
/// times what the largest installations have.
const MOST_EDGE_BYTES: usize = 64 << 20;
/// Between names of which one serves.
const OR: char = '|';
/// Bytes of a path, Linux's `PATH_MAX`; a name or version that is longer is
/// none.
const MOST_PATH: usize = 4096;

/// One package of a distribution, as its database has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) arch: &'a str,
    pub(crate) source: &'a str,
    /// Empty when it is the package's own.
    pub(crate) source_version: &'a str,
    pub(crate) module: &'a str,
    /// Separated by newlines.
    pub(crate) licenses: &'a str,
    /// Digests of its archive, separated by newlines.
    pub(crate) hashes: &'a str,
}

const PACKAGE: &str = "p";
const GAP: &str = "g";
/// What a package manager keeps for itself.
const NOTE: &str = "n";

/// Gathers the packages of one database.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    out: Writer,
    packages: usize,
    /// Of these, those that are kept.
    records: usize,
    /// Paths of the package at hand, each ended by a newline.
    files: String,
    file_bytes: usize,
    files_cut: bool,
    /// What the package at hand asks for, and the names besides its own that
    /// it answers to: each ended by a newline.
    requires: String,
    provides: String,
    edge_bytes: usize,
    edges_cut: bool,
}

impl Gathered {
    /// Adds a file to the package that is pushed next.
    pub(crate) fn file(&mut self, dir: &str, name: &str) {
        let dir = dir.trim_start_matches('/').trim_end_matches('/');
        let length = dir.len() + name.len() + 2;
        // A newline would make two paths of one.
        if name.is_empty() || length > MOST_PATH || dir.contains('\n') || name.contains('\n') {
            return;
        }
        self.file_bytes += length;
        if self.file_bytes > MOST_FILE_BYTES {
            self.files_cut = true;
            return;
        }
        if !dir.is_empty() {
            self.files.push_str(dir);
            self.files.push('/');
        }
        self.files.push_str(name);
        self.files.push('\n');
    }

    /// Adds names of which one serves, in the order of preference, to what the
    /// package that is pushed next asks for.
    pub(crate) fn requires<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        let start = self.requires.len();
        for name in names {
            let name = name.trim();
            if is_name(name) && self.edge(name.len() + 1) {
                self.requires.push_str(name);
                self.requires.push(OR);
            }
        }
        if self.requires.len() > start {
            self.requires.pop();
            self.requires.push('\n');
        }
    }

    /// Adds a name that the package that is pushed next answers to.
    pub(crate) fn provides(&mut self, name: &str) {
        let name = name.trim();
        if is_name(name) && self.edge(name.len() + 1) {
            self.provides.push_str(name);
            self.provides.push('\n');
        }
    }

    fn edge(&mut self, bytes: usize) -> bool {
        self.edge_bytes += bytes;
        self.edges_cut |= self.edge_bytes > MOST_EDGE_BYTES;
        !self.edges_cut
    }

    /// Adds a package, with the files and names gathered since the one before.
    pub(crate) fn push(&mut self, found: &Found<'_>) {
        self.packages += 1;
        if self.packages <= MOST_PACKAGES {
            let long = found.name.len().max(found.version.len()) > MOST_PATH;
            if long {
                self.gap(
                    GapKind::Damaged,
                    "a package's name or version is no such thing",
                );
            } else {
                self.records += 1;
                self.out.push(&[
                    PACKAGE,
                    found.name,
                    found.version,
                    found.arch,
                    found.source,
                    found.source_version,
                    found.module,
                    found.licenses,
                    &self.files,
                    found.hashes,
                    &self.requires,
                    &self.provides,
                ]);
            }
        }
        self.skip();
    }

    /// Adds a package that was gathered before, or whatever else was.
    pub(crate) fn copy(&mut self, record: &Record<'_>) {
        self.packages += usize::from(is_package(record));
        if self.packages <= MOST_PACKAGES {
            self.records += usize::from(is_package(record));
            self.out.push(record.fields());
        }
    }

    /// Keeps something beside the packages.
    pub(crate) fn note(&mut self, fields: &[&str]) {
        self.out.push(&[&[NOTE], fields].concat());
    }

    /// Packages that were kept.
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    /// Forgets the files and names gathered since the last package.
    pub(crate) fn skip(&mut self) {
        self.files.clear();
        self.requires.clear();
        self.provides.clear();
    }

    /// Says that something in the database could not be used.
    pub(crate) fn gap(&mut self, kind: GapKind, reason: &str) {
        self.out.push(&[GAP, kind.as_str(), reason]);
    }

    /// The evidence.
    pub(crate) fn finish(mut self) -> Option<Vec<u8>> {
        if self.packages > MOST_PACKAGES {
            let reason = format!("there are more than {MOST_PACKAGES} packages");
            self.gap(GapKind::Limit, &reason);
        }
        if self.files_cut {
            let reason = format!("the packages' file lists take more than {MOST_FILE_BYTES} bytes");
            self.gap(GapKind::Limit, &reason);
        }
        if self.edges_cut {
            let reason =
                format!("what the packages ask for takes more than {MOST_EDGE_BYTES} bytes");
            self.gap(GapKind::Limit, &reason);
        }
        self.out.finish()
    }
}

/// Whether a name can be kept: what holds a separator is none.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MOST_PATH && !name.contains(['\n', OR])
}

/// The number of packages in evidence: for tests with hostile input.
pub(crate) fn count(evidence: Option<Vec<u8>>) -> usize {
    let evidence = evidence.unwrap_or_default();
    Reader::new(&evidence).filter(is_package).count()
}

/// Whether a record is a package.
pub(crate) fn is_package(record: &Record<'_>) -> bool {
    record.get(0) == PACKAGE
}

/// Whether a record is a gap.
pub(crate) fn is_gap(record: &Record<'_>) -> bool {
    record.get(0) == GAP
}

/// What was kept beside the packages.
pub(crate) fn notes(evidence: &Evidence) -> impl Iterator<Item = Vec<&str>> {
    Reader::new(&evidence.data).filter_map(|record| match record.fields() {
        [NOTE, fields @ ..] => Some(fields.to_vec()),
        _ => None,
    })
}

/// Name, version and architecture: what tells one installed package from
/// another.
pub(crate) type Identity<'a> = (&'a str, &'a str, &'a str);

/// What the packages of a database are told apart by.
pub(crate) fn identities(evidence: &Evidence) -> impl Iterator<Item = Identity<'_>> {
    Reader::new(&evidence.data)
        .filter(is_package)
        .map(|record| identity(&record))
}

fn identity<'a>(record: &Record<'a>) -> Identity<'a> {
    (record.get(1), record.get(2), record.get(3))
}

/// Every state of each visible file of `analyser`, by path: lowest layer
/// first, the visible one last.
pub(crate) fn histories<'a>(
    view: &'a View,
    analyser: &'a str,
) -> BTreeMap<&'a str, Vec<&'a Evidence>> {
    let mut visible: BTreeMap<&str, Vec<&Evidence>> = view
        .of(analyser)
        .map(|evidence| (evidence.path.as_str(), Vec::new()))
        .collect();
    for evidence in view.hidden.iter().chain(&view.files) {
        if evidence.analyser == analyser
            && let Some(states) = visible.get_mut(evidence.path.as_str())
        {
            states.push(evidence);
        }
    }
    for states in visible.values_mut() {
        states.sort_by_key(|evidence| evidence.layer);
    }
    visible
}

/// Reads the packages and gaps of databases. Every database is given by its
/// states, the visible one last. A package that several of them name (as when
/// one was moved and left behind) counts once.
pub(crate) struct Databases<'a> {
    kind: &'static str,
    os: Option<&'a Os>,
    has_layers: bool,
    seen: HashSet<Identity<'a>>,
    packages: Vec<Package>,
    /// What each of them asks for and answers to.
    edges: Vec<Edges<'a>>,
    gaps: Vec<Gap>,
}

/// What one package asks for and answers to, as [`Gathered`] keeps it.
#[derive(Clone, Copy)]
struct Edges<'a> {
    requires: &'a str,
    provides: &'a str,
}

impl<'a> Databases<'a> {
    /// For the purl type `kind` on the distribution `os`.
    pub(crate) fn new(kind: &'static str, view: &View, os: Option<&'a Os>) -> Self {
        Databases {
            kind,
            os,
            has_layers: !view.layers.is_empty(),
            seen: HashSet::new(),
            packages: Vec::new(),
            edges: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Reads one database.
    pub(crate) fn read(&mut self, states: &[&'a Evidence]) {
        let Some(evidence) = states.last() else {
            return;
        };
        let since = if self.has_layers {
            since(states)
        } else {
            HashMap::new()
        };
        let mut own = HashSet::new();
        for record in Reader::new(&evidence.data) {
            if record.get(0) == NOTE {
                continue;
            }
            if !is_package(&record) {
                let kinds = [GapKind::Limit, GapKind::Unsupported, GapKind::Damaged];
                let kind = kinds
                    .into_iter()
                    .find(|kind| kind.as_str() == record.get(1));
                self.gaps.push(Gap::new(
                    kind.unwrap_or(GapKind::Damaged),
                    evidence.path.clone(),
                    record.get(2),
                ));
                continue;
            }
            let identity = identity(&record);
            if self.seen.contains(&identity) || !own.insert(identity) {
                continue;
            }
            // Many small databases can hold more than one may.
            if self.packages.len() == MOST_PACKAGES {
                let reason = format!("with it there are more than {MOST_PACKAGES} packages");
                self.gaps
                    .push(Gap::new(GapKind::Limit, evidence.path.clone(), reason));
                break;
            }
            let layer = since.get(&identity).copied().unwrap_or(evidence.layer);
            let origin = Origin {
                path: evidence.path.clone(),
                layer: self.has_layers.then_some(layer),
                ..Origin::default()
            };
            self.packages
                .push(package(self.kind, &record, self.os, origin));
            self.edges.push(Edges {
                requires: record.get(10),
                provides: record.get(11),
            });
        }
        self.seen.extend(own);
    }

    /// Whether no package was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// The packages, each with the packages that serve what it asks for, and
    /// what could not be read.
    pub(crate) fn finish(mut self) -> (Vec<Package>, Vec<Gap>) {
        let served = requirements::serve(&self.packages, &self.edges);
        for (package, requires) in self.packages.iter_mut().zip(served) {
            package.requires = requires;
        }
        (self.packages, self.gaps)
    }
}

/// For each package of the last state the layer since which every state has
/// it.
fn since<'a>(states: &[&'a Evidence]) -> HashMap<Identity<'a>, usize> {
    let mut since: HashMap<Identity<'_>, usize> = HashMap::new();
    for state in states {
        since = identities(state)
            .map(|identity| {
                (
                    identity,
                    since.get(&identity).copied().unwrap_or(state.layer),
                )
            })
            .collect();
    }
    since
}

fn package(kind: &'static str, record: &Record<'_>, os: Option<&Os>, origin: Origin) -> Package {
    let (name, version, arch) = identity(record);
    let source = record.some(4).map(|name| Source {
        name,
        version: record.some(5).unwrap_or_else(|| version.to_owned()),
    });
    let (epoch, rest) = match version.split_once(':') {
        // rpm's epoch is a qualifier of the purl, dpkg's part of the version.
        Some((epoch, rest)) if kind == "rpm" => (epoch, rest),
        _ => ("", version),
    };
    let mut purl = Purl::new(kind, name, rest);
    if let Some(os) = os {
        purl = purl
            .namespace(namespace(&os.id))
            .qualifier("distro", distro(os));
    }
    let purl = purl
        .qualifier("arch", arch)
        .qualifier("epoch", epoch)
        .qualifier("upstream", upstream(kind, name, version, source.as_ref()))
        .qualifier("rpmmod", record.get(6))
        .build();
    Package {
        arch: record.some(3),
        source,
        module: record.some(6),
        licenses: record.get(7).lines().map(str::to_owned).collect(),
        files: FileList::from_lines(record.get(8)),
        hashes: record.get(9).lines().filter_map(Hash::parse).collect(),
        ..Package::new(kind, name, version, purl, origin)
    }
}

/// Who the packages are from: the distribution, but for those that the types'
/// definitions and everybody's tools call by their maker.
fn namespace(id: &str) -> &str {
    match id {
        "rhel" => "redhat",
        _ if id.starts_with("opensuse") => "opensuse",
        _ => id,
    }
}

/// `debian-12`; a release without a number goes by its code name.
fn distro(os: &Os) -> String {
    match (os.version.as_str(), &os.codename) {
        ("", None) => os.id.clone(),
        ("", Some(codename)) => format!("{}-{codename}", os.id),
        (version, _) => format!("{}-{version}", os.id),
    }
}

/// The source package as Syft writes it, which other tools read: rpm's as its
/// file, others as `name@version`, shortened where it is the package's own.
fn upstream(kind: &str, name: &str, version: &str, source: Option<&Source>) -> String {
    let Some(source) = source else {
        return String::new();
    };
    match (kind, source.version == version) {
        ("alpm", _) => source.name.clone(),
        ("rpm", _) => format!("{}-{}.src.rpm", source.name, source.version),
        (_, true) if source.name == name => String::new(),
        (_, true) => source.name.clone(),
        (_, false) => format!("{}@{}", source.name, source.version),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use seawall_model::ImageLayer;

    use super::*;

    fn state(layer: usize, packages: &[(&str, &str)]) -> Evidence {
        let mut out = Gathered::default();
        for (name, version) in packages {
            out.push(&Found {
                name,
                version,
                ..Found::default()
            });
        }
        Evidence {
            path: "db".to_owned(),
            analyser: "test",
            layer,
            hidden_by: None,
            size: 1,
            mode: 0o644,
            uid: 0,
            gid: 0,
            capability: None,
            data: Arc::from(out.finish().unwrap_or_default()),
        }
    }

    #[test]
    fn a_package_comes_from_the_layer_since_which_it_has_been_there() {
        let layer = ImageLayer {
            diff_id: String::new(),
            digest: None,
            size: 0,
            created_by: None,
            line: None,
        };
        let view = View {
            layers: vec![layer; 5],
            hidden: vec![
                state(0, &[("stays", "1"), ("changes", "1"), ("pauses", "1")]),
                state(2, &[("stays", "1"), ("changes", "2")]),
            ],
            files: vec![state(
                4,
                &[("stays", "1"), ("changes", "2"), ("pauses", "1")],
            )],
            ..View::default()
        };
        let histories = histories(&view, "test");
        let mut databases = Databases::new("apk", &view, None);
        databases.read(&histories["db"]);
        let layers: Vec<_> = databases
            .packages
            .iter()
            .map(|one| (one.name.as_str(), one.origin.layer))
            .collect();
        assert_eq!(
            layers,
            [
                ("stays", Some(0)),
                ("changes", Some(2)),
                ("pauses", Some(4))
            ]
        );
    }

    #[test]
    fn one_long_folder_for_many_names_is_cut_and_said() {
        let mut out = Gathered::default();
        let dir = "d".repeat(4000);
        for number in 0..MOST_FILE_BYTES / 4000 + 10 {
            out.file(&dir, &number.to_string());
        }
        out.file(&"e".repeat(5000), "too-long");
        out.push(&Found {
            name: "a",
            version: "1",
            ..Found::default()
        });
        let evidence = out.finish().unwrap();
        assert!(evidence.len() <= MOST_FILE_BYTES + 1000);
        let records: Vec<_> = Reader::new(&evidence).collect();
        assert_eq!(records[1].get(1), "limit");
    }

    #[test]
    fn package_urls() {
        let os = |id: &str, version: &str| Os {
            id: id.to_owned(),
            version: version.to_owned(),
            name: String::new(),
            codename: Some("forky".to_owned()),
            like: Vec::new(),
        };
        let purl = |kind, found: &Found<'_>, os: Option<&Os>| {
            let mut out = Gathered::default();
            out.push(found);
            let evidence = out.finish().unwrap();
            let record = Reader::new(&evidence).next().unwrap();
            package(kind, &record, os, Origin::default()).purl
        };
        let found = Found {
            name: "libstdc++6",
            version: "1:12.2-14",
            arch: "amd64",
            source: "gcc-12",
            source_version: "12.2-14",
            ..Found::default()
        };
        assert_eq!(
            purl("deb", &found, Some(&os("debian", "12"))),
            "pkg:deb/debian/libstdc%2B%2B6@1:12.2-14?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2-14"
        );
        assert_eq!(
            purl("rpm", &found, Some(&os("almalinux", "8.4"))),
            "pkg:rpm/almalinux/libstdc%2B%2B6@12.2-14?arch=amd64&distro=almalinux-8.4&epoch=1&upstream=gcc-12-12.2-14.src.rpm"
        );
        let plain = Found {
            name: "musl",
            version: "1-r0",
            source: "musl",
            ..Found::default()
        };
        assert_eq!(
            purl("apk", &plain, Some(&os("debian", ""))),
            "pkg:apk/debian/musl@1-r0?distro=debian-forky"
        );
        assert_eq!(purl("apk", &plain, None), "pkg:apk/musl@1-r0");
    }
}
