//! Installed Python packages: `*.dist-info`, `*.egg-info` (a folder or a file)
//! and unpacked eggs (PyPA specifications, "Recording installed projects" and
//! "Core metadata specifications"; setuptools, "The Internal Structure of
//! Python Eggs").

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{FileList, GapKind, Hash, Package, Requirement, Technique};

use crate::{
    Context, Ecosystem, Inventory, Purl,
    document::beside,
    found::{self, Finds, Found},
    json,
    record::{Reader, Writer},
    requires::{self, folder},
    stanza::{Stanza, header},
    text::{lossy, text},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "python",
    contexts: &[Context::Installed],
    analysers: &[&Metadata, &Record, &Requires, &DirectUrl],
    read,
};

/// `METADATA` and `PKG-INFO`.
struct Metadata;
/// `RECORD` and `installed-files.txt`: the files of a package.
struct Record;
/// `requires.txt`, where setuptools kept requirements before `PKG-INFO` had
/// them.
struct Requires;
/// `direct_url.json`: a package that comes from elsewhere than an index (PyPA,
/// "Direct URL Data Structure").
struct DirectUrl;

/// Bytes of metadata, most of which is the project's readme.
const MOST: u64 = 16 << 20;
/// Bytes of a list of files.
const MOST_LIST: u64 = 64 << 20;

/// What kind of folder metadata lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Folder {
    DistInfo,
    EggInfo,
    /// `EGG-INFO` in an unpacked egg.
    Egg,
}

impl Folder {
    /// Of the file at `path`.
    fn of(path: &str) -> Option<Self> {
        let name = folder(path).rsplit('/').next()?;
        // What pip could not remove, and does not see any more.
        if name.starts_with('~') {
            return None;
        }
        let name = name.to_ascii_lowercase();
        match () {
            () if name.ends_with(".dist-info") => Some(Folder::DistInfo),
            () if name.ends_with(".egg-info") => Some(Folder::EggInfo),
            () if name == "egg-info" => Some(Folder::Egg),
            () => None,
        }
    }
}

impl Analyser for Metadata {
    fn name(&self) -> &'static str {
        "python"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Name("METADATA"),
            Interest::Name("PKG-INFO"),
            // A file of this name is what distutils wrote.
            Interest::Suffix(".egg-info"),
        ]
    }

    fn wants(&self, path: &str) -> bool {
        match path.rsplit('/').next() {
            Some("METADATA") => Folder::of(path) == Some(Folder::DistInfo),
            Some("PKG-INFO") => matches!(Folder::of(path), Some(Folder::EggInfo | Folder::Egg)),
            _ => true,
        }
    }

    fn need(&self) -> Need {
        Need::Whole(MOST)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let mut out = Finds::default();
        metadata(&lossy(&body)?, entry.path, &mut out)?;
        Ok(out.finish())
    }
}

/// Adds the package that a file of metadata describes.
fn metadata(text: &str, path: &str, out: &mut Finds) -> Result<(), String> {
    // What follows the first empty line is the readme.
    let fields = header(text.trim_start_matches('\u{FEFF}'));
    let of = |name: &str| fields.get(name).unwrap_or_default().trim().to_owned();
    let required = fields.fields().filter(|(name, _)| *name == "Requires-Dist");
    let mut found = Found {
        kind: "pypi",
        name: of("Name"),
        version: of("Version"),
        licenses: licenses(fields),
        requires: required
            .filter_map(|(_, value)| requirement(value))
            .collect(),
        ..Found::default()
    };
    // What distutils wrote for the standard library.
    if found.name == "Python" {
        return Ok(());
    }
    if found.name.is_empty() || found.version.is_empty() {
        let what = "it has no name or no version";
        let (name, version) = by_name(path).ok_or(what)?;
        found.name = name.to_owned();
        found.version = version.to_owned();
        found.technique = Technique::FileName;
        let reason = format!("{what}: the name of its folder has to do");
        out.gap(GapKind::Damaged, &reason);
    }
    out.push(&found);
    Ok(())
}

/// Name and version from `NAME-VERSION.dist-info` or `NAME-VERSION-py3.9.egg-info`.
fn by_name(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.rsplit('/');
    let own = parts.next()?;
    let name = match own {
        "METADATA" | "PKG-INFO" => parts.next()?,
        _ => own,
    };
    let (name, _) = name.rsplit_once('.')?;
    let mut parts = name.split('-');
    let (name, version) = (parts.next()?, parts.next()?);
    (!name.is_empty() && version.starts_with(|it: char| it.is_ascii_digit()))
        .then_some((name, version))
}

/// `License-Expression` (PEP 639); else what authors wrote, unless it is the
/// whole text; else the classifiers.
fn licenses(fields: Stanza<'_>) -> Vec<String> {
    const UNKNOWN: [&str; 3] = ["", "UNKNOWN", "None"];
    let one = |name: &str| {
        let value = fields.get(name)?.trim();
        (!value.contains('\n') && !UNKNOWN.contains(&value)).then(|| vec![value.to_owned()])
    };
    let classifiers = || {
        let all = fields.fields().filter(|(name, _)| *name == "Classifier");
        all.filter_map(|(_, value)| {
            let path = value.strip_prefix("License :: ")?;
            let name = path.rsplit(" :: ").next()?.trim();
            // `OSI Approved` alone tells nothing.
            (name != "OSI Approved").then(|| name.to_owned())
        })
        .collect()
    };
    one("License-Expression")
        .or_else(|| one("License"))
        .unwrap_or_else(classifiers)
}

/// The name that a dependency specifier asks for (PyPA, "Dependency
/// specifiers"). Whether its marker holds is seen by whether it is there.
fn requirement(value: &str) -> Option<Requirement> {
    let value = value.trim();
    let is_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
    let end = value.find(|it| !is_name(it)).unwrap_or(value.len());
    let name = value.get(..end).filter(|name| !name.is_empty())?;
    Some(Requirement {
        name: name.to_owned(),
        version: None,
    })
}

impl Analyser for Record {
    fn name(&self) -> &'static str {
        "python-record"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Name("RECORD"),
            Interest::Name("installed-files.txt"),
        ]
    }

    fn wants(&self, path: &str) -> bool {
        match Folder::of(path) {
            Some(Folder::DistInfo) => path.ends_with("/RECORD"),
            Some(Folder::EggInfo) => path.ends_with("/installed-files.txt"),
            _ => false,
        }
    }

    fn need(&self) -> Need {
        Need::Whole(MOST_LIST)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let body = lossy(&body)?;
        let files = match entry.path.ends_with("RECORD") {
            true => found::join(body.lines().map(first_column)),
            false => found::join(body.lines()),
        };
        Ok((!files.is_empty()).then(|| files.into_bytes()))
    }
}

/// The first column of a row of comma-separated values, which a path with a
/// comma in it stands in quotes in.
fn first_column(row: &str) -> String {
    let Some(quoted) = row.strip_prefix('"') else {
        return row.split(',').next().unwrap_or_default().to_owned();
    };
    let mut out = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        // Two stand for one.
        if letter == '"' && letters.next() != Some('"') {
            break;
        }
        out.push(letter);
    }
    out
}

impl Analyser for Requires {
    fn name(&self) -> &'static str {
        "python-requires"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("requires.txt")]
    }

    fn wants(&self, path: &str) -> bool {
        matches!(Folder::of(path), Some(Folder::EggInfo | Folder::Egg))
    }

    fn need(&self) -> Need {
        Need::Whole(MOST)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let body = lossy(&body)?;
        let names = found::join_requirements(&required(&body));
        Ok((!names.is_empty()).then(|| names.into_bytes()))
    }
}

/// Lines of specifiers; those of extras and of markers stand under heads in
/// brackets.
fn required(text: &str) -> Vec<Requirement> {
    let lines = text.lines().filter(|line| !line.starts_with(['[', '#']));
    lines.filter_map(requirement).collect()
}

impl Analyser for DirectUrl {
    fn name(&self) -> &'static str {
        "python-direct-url"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("direct_url.json")]
    }

    fn wants(&self, path: &str) -> bool {
        Folder::of(path) == Some(Folder::DistInfo)
    }

    fn need(&self) -> Need {
        Need::Whole(MOST)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        direct_url(&lossy(&body)?)
    }
}

/// A purl qualifier, its value, and digests of the archive.
fn direct_url(text: &str) -> Result<Option<Vec<u8>>, String> {
    let [url, vcs, archive] = json::fields(text, ["url", "vcs_info", "archive_info"])?;
    let url = json::string(url).unwrap_or_default();
    let mut out = Writer::default();
    if let Some(vcs) = vcs {
        let [system, commit] = json::fields(vcs.get(), ["vcs", "commit_id"])?;
        let system = json::string(system).unwrap_or_default();
        let commit = json::string(commit).unwrap_or_default();
        out.push(&["vcs_url", &format!("{system}+{url}@{commit}"), ""]);
    } else if let Some(archive) = archive {
        let [hash, hashes] = json::fields(archive.get(), ["hash", "hashes"])?;
        let mut all: Vec<Hash> = json::entries(hashes)
            .into_iter()
            .filter_map(|(name, value)| {
                Hash::parse(&format!("{name}:{}", json::string(Some(value))?))
            })
            .collect();
        if all.is_empty() {
            all.extend(json::string(hash).and_then(|hash| Hash::parse(&hash)));
        }
        // A file of the machine that it was built on is no address.
        let url = if url.starts_with("file:") { "" } else { &url };
        let hashes = found::join(all.iter().map(Hash::to_string));
        out.push(&["download_url", url, &hashes]);
    }
    Ok(out.finish())
}

fn read(view: &View, inventory: &mut Inventory) {
    let mut read = Inventory::default();
    found::read("python", view, &mut read);
    for package in &mut read.packages {
        complete(package, view);
    }
    requires::settle(&mut read.packages, home);
    inventory.packages.append(&mut read.packages);
    inventory.gaps.append(&mut read.gaps);
}

/// Adds what the other files beside its metadata say of a package.
fn complete(package: &mut Package, view: &View) {
    let folder = folder(&package.origin.path).to_owned();
    let at = |analyser: &str, name: &str| view.at(analyser, &format!("{folder}/{name}"));
    // Paths are relative to the folder of all packages in one, to the package's
    // own metadata in the other.
    let lists = [("RECORD", ""), ("installed-files.txt", "/x")];
    package.files = lists
        .into_iter()
        .filter_map(|(name, inside)| Some((at("python-record", name)?, inside)))
        .flat_map(|(list, inside)| {
            let base = format!("{folder}{inside}");
            let paths = found::split(text(&list.data));
            let resolve = move |path: &str| match path.strip_prefix('/') {
                Some(path) => Some(path.to_owned()),
                None => beside(&base, path),
            };
            paths.filter_map(resolve).collect::<Vec<_>>()
        })
        .collect::<FileList>();
    if let Some(list) = at("python-requires", "requires.txt") {
        package
            .requires
            .extend(found::requirements(text(&list.data)));
    }
    let url = at("python-direct-url", "direct_url.json");
    let url = url.and_then(|url| Reader::new(&url.data).next());
    if let Some(url) = url {
        let key = match url.get(0) {
            "vcs_url" => "vcs_url",
            _ => "download_url",
        };
        package.purl = Purl::new("pypi", &package.name, &package.version)
            .qualifier(key, url.get(1))
            .build();
        let hashes = found::split(url.get(2)).filter_map(Hash::parse);
        package.hashes = hashes.collect();
    }
}

/// The folder of modules that a package lies in.
fn home(path: &str) -> &str {
    match Folder::of(path) {
        Some(Folder::Egg) => folder(folder(folder(path))),
        Some(_) => folder(folder(path)),
        None => folder(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_told_by_its_folder() {
        for (path, wanted) in [
            ("x/lib/a-1.dist-info/METADATA", true),
            ("x/lib/~a-1.dist-info/METADATA", false),
            ("x/lib/a-1.egg-info/PKG-INFO", true),
            ("x/lib/a.egg/EGG-INFO/PKG-INFO", true),
            ("x/lib/a-1.egg-info", true),
            ("x/METADATA", false),
            ("x/PKG-INFO", false),
        ] {
            assert_eq!(Metadata.wants(path), wanted, "{path}");
        }
        assert_eq!(home("x/a.egg/EGG-INFO/PKG-INFO"), "x");
        assert_eq!(home("x/a.dist-info/METADATA"), "x");
        assert_eq!(home("x/a.egg-info"), "x");
    }

    #[test]
    fn a_folder_names_its_package() {
        for (path, expected) in [
            ("a/b_c-1.0.dist-info/METADATA", Some(("b_c", "1.0"))),
            ("a/b-2-py3.9.egg-info", Some(("b", "2"))),
            ("a/EGG-INFO/PKG-INFO", None),
            ("a/b.egg-info/PKG-INFO", None),
        ] {
            assert_eq!(by_name(path), expected, "{path}");
        }
    }

    #[test]
    fn specifiers_begin_with_a_name() {
        let name = |text: &str| requirement(text).map(|one| one.name);
        assert_eq!(name("a.b-c_d[x]>=1; y").as_deref(), Some("a.b-c_d"));
        assert_eq!(name(" a (>=1)").as_deref(), Some("a"));
        assert_eq!(name("a@ https://x").as_deref(), Some("a"));
        assert_eq!(name(";x"), None);
        assert_eq!(first_column("\"a,\"\"b\"\"\",sha,1"), "a,\"b\"");
        assert_eq!(first_column("a b,sha,1"), "a b");
        assert_eq!(required("a>1\n\n[x:y]\nb\n").len(), 2);
    }

    #[test]
    fn licences_from_the_best_field() {
        let of = |text: &str| licenses(header(text));
        assert_eq!(of("License: BSD\nLicense-Expression: MIT\n"), ["MIT"]);
        let classifiers = "License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n\
            Classifier: License :: OSI Approved\nClassifier: Topic :: X\n";
        assert_eq!(of(classifiers), ["MIT License"]);
        assert_eq!(of("License: text\n  of two lines\n"), Vec::<String>::new());
    }
}
