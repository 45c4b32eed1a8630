//! Folders in the layout of OSV's bucket, and databases made from them.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use seawall_advisories::{
    Database, FetchProgress, From, Store, UpdateError, UpdateRequest, Updated, update,
};
use zip::{ZipWriter, write::SimpleFileOptions};

/// Counts the bytes that it is told.
#[derive(Default)]
pub(crate) struct Counted(pub(crate) AtomicU64);

impl FetchProgress for Counted {
    fn bytes(&self, _: &str, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A folder of dumps, and one for a database.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        fs::create_dir(place.dumps()).unwrap();
        place
    }

    pub(crate) fn dumps(&self) -> PathBuf {
        self.0.path().join("osv")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.path().join("db")
    }

    /// Writes a file beside the dumps.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.dumps().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Writes the `all.zip` of an ecosystem.
    pub(crate) fn dump(&self, ecosystem: &str, entries: &[(&str, &[u8])]) {
        self.file(&format!("{ecosystem}/all.zip"), zip(entries));
    }

    /// Brings the database up to date from the folder.
    pub(crate) fn update(&self) -> Result<Updated, UpdateError> {
        bring(From::Dir(self.dumps()), &self.database(), &[])
    }

    pub(crate) fn open(&self) -> Database {
        Database::open(&self.database()).unwrap()
    }
}

/// Brings a database up to date.
pub(crate) fn bring(from: From, dir: &Path, ecosystems: &[&str]) -> Result<Updated, UpdateError> {
    update(&UpdateRequest {
        from,
        dir,
        ecosystems: ecosystems.iter().map(|one| (*one).to_owned()).collect(),
        feeds: Vec::new(),
        key: None,
        now: 1_800_000_000,

        patience: Duration::from_secs(1),
        progress: &Counted::default(),
    })
}

pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A record about packages, each with its ecosystem, mended in 2.0.0.
pub(crate) fn record(id: &str, packages: &[(&str, &str)]) -> String {
    let affected: Vec<serde_json::Value> = packages
        .iter()
        .map(|(ecosystem, name)| {
            serde_json::json!({
                "package": { "ecosystem": ecosystem, "name": name },
                "ranges": [{ "type": "ECOSYSTEM",
                    "events": [{ "introduced": "0" }, { "fixed": "2.0.0" }] }],
            })
        })
        .collect();
    serde_json::json!({
        "id": id, "modified": "2026-01-02T03:04:05Z", "summary": "x", "affected": affected,
    })
    .to_string()
}

/// Ids of the records about a package.
pub(crate) fn ids(database: &Database, shard: &str, package: &str) -> Vec<String> {
    let found = database.candidates(shard, package).unwrap();
    found.iter().map(|one| one.record.id.to_owned()).collect()
}

/// The names of files in a folder, sorted.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The path of a shard's file.
pub(crate) fn shard_file(dir: &Path, prefix: &str) -> PathBuf {
    let found = names(dir).into_iter();
    let mut found = found.filter(|name| name.starts_with(prefix) && name.ends_with(".shard"));
    dir.join(found.next().unwrap())
}

/// Replaces a file of a database by a damaged one, as a new file: the old one
/// may be mapped.
pub(crate) fn replace(path: &Path, bytes: &[u8]) {
    let new = path.with_extension("damaged");
    File::create(&new).unwrap().write_all(bytes).unwrap();
    fs::rename(new, path).unwrap();
}
