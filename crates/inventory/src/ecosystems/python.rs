//! Installed Python packages: `*.dist-info`, `*.egg-info` (a folder or a file)
//! and eggs, unpacked or not (PyPA specifications, "Recording installed projects" and
//! "Core metadata specifications"; setuptools, "The Internal Structure of
//! Python Eggs").

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{FileList, Hash, Package};

use crate::{
    Context, Ecosystem, Inventory, Purl,
    bytes::Bytes,
    core_metadata::{first_column, metadata, required},
    document::beside,
    found::{self, Finds},
    json,
    record::{Reader, Writer},
    requires::{self, folder},
    text::{lossy, text},
    zip::Archive,
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "python",
    contexts: &[Context::Installed],
    analysers: &[&Metadata, &Egg, &Record, &Requires, &DirectUrl],
    read,
};

/// `METADATA` and `PKG-INFO`.
struct Metadata;
/// `*.egg`: a whole package in a zip archive.
struct Egg;
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
        metadata(&lossy(&body)?, entry.path, Vec::new(), &mut out)?;
        Ok(out.finish())
    }
}

impl Analyser for Egg {
    fn name(&self) -> &'static str {
        "python-egg"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Suffix(".egg")]
    }

    fn need(&self) -> Need {
        Need::Seek(1 << 30)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        const INFO: &str = "EGG-INFO/PKG-INFO";
        const REQUIRES: &str = "EGG-INFO/requires.txt";
        let archive = Archive::open(Bytes::body(&body), |name| [INFO, REQUIRES].contains(&name))
            .map_err(|fault| format!("the archive {}", fault.reason))?
            .ok_or("it is no zip archive, or is cut off")?;
        let mut out = Finds::default();
        let mut read = |wanted: &str| {
            let entry = archive.entries.iter().find(|entry| entry.name == wanted)?;
            match archive.read(entry, MOST) {
                Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                Err(fault) => {
                    out.gap(fault.kind, &format!("`{wanted}` in it {}", fault.reason));
                    None
                }
            }
        };
        let requires = read(REQUIRES).map(|text| required(&text));
        let text = read(INFO).unwrap_or_default();
        for fault in &archive.faults {
            out.gap(fault.kind, &format!("the archive {}", fault.reason));
        }
        metadata(&text, entry.path, requires.unwrap_or_default(), &mut out)?;
        Ok(out.finish())
    }
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
    found::read("python-egg", view, &mut read);
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
}
