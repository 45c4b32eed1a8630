//! The database: shards in a folder, or the starter one in the binary.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use seawall_model::{DatabaseInfo, DatabaseKind, Epss, Kev};
use seawall_sys::OwnFileMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    Candidate, Store, StoreError,
    facts::{FactKind, Facts},
    shard::Shard,
    table::{Bytes, Damage},
};

/// The file that names all others.
pub(crate) const INDEX: &str = "index.json";
pub(crate) const INDEX_FORMAT: u32 = 2;

/// `index.json`. A flipped bit in the name of a shard or in a date would hide
/// advisories or their age, so that it has a checksum as the shards do.
#[derive(Serialize, Deserialize)]
struct IndexFile {
    format: u32,
    /// SHA-256 of the content, written without blanks.
    sha256: String,
    content: Index,
}

/// What the index holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Index {
    pub(crate) shards: Vec<IndexShard>,
    pub(crate) sources: Vec<IndexSource>,
    /// Files of the index before this one: kept while readers may have them in
    /// mind.
    #[serde(default)]
    pub(crate) previous: Vec<String>,
    /// The newest index of each publisher that was seen: an older one is
    /// refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) signed: Vec<IndexSigned>,
}

/// An index that a publisher signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct IndexSigned {
    /// The id of the key.
    pub(crate) key: String,
    /// When the index was made, RFC 3339.
    pub(crate) made: String,
    /// Where it was.
    pub(crate) from: String,
    /// The text of its signature.
    pub(crate) signature: String,
    /// The names of its shards.
    pub(crate) shards: Vec<String>,
    /// SHA-256 of their tables, in the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tables: Vec<String>,
}

/// One shard in the index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct IndexShard {
    pub(crate) name: String,
    pub(crate) file: String,
    /// SHA-256 of the file, checked when it was installed.
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    /// Of both together, where there is an overlay.
    pub(crate) newest: String,
    pub(crate) records: u64,
    pub(crate) packages: u64,
    /// The file that it was built from, or the first of several.
    pub(crate) source: String,
    /// What a feed could not give of it, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) left_out: Vec<String>,
    /// What has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) overlay: Option<IndexOverlay>,
}

/// The overlay of a shard in the index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct IndexOverlay {
    pub(crate) file: String,
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    /// SHA-256 of the one table that would hold the same, where that is known.
    #[serde(default)]
    pub(crate) whole: Option<String>,
}

impl IndexShard {
    /// Its files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        let overlay = self.overlay.iter().map(|overlay| overlay.file.as_str());
        std::iter::once(self.file.as_str()).chain(overlay)
    }

    /// The length of its files, in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.bytes + self.overlay.as_ref().map_or(0, |overlay| overlay.bytes)
    }

    /// SHA-256 of what it holds, or of both of its files.
    pub(crate) fn digest(&self) -> String {
        match &self.overlay {
            None => self.sha256.clone(),
            Some(overlay) => match &overlay.whole {
                Some(whole) => whole.clone(),
                None => hex(&Sha256::digest(format!(
                    "{}{}",
                    self.sha256, overlay.sha256
                ))),
            },
        }
    }
}

/// One file that the database was built from, in the index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct IndexSource {
    /// `Debian/all.zip`.
    pub(crate) name: String,
    /// The place that it came from.
    pub(crate) from: String,
    #[serde(default)]
    pub(crate) etag: Option<String>,
    /// When it was last asked for, in seconds since 1970.
    #[serde(default)]
    pub(crate) checked: u64,
    /// When it was last read, wherever it lies, in seconds since 1970.
    #[serde(default)]
    pub(crate) read: u64,
    /// Of a published shard the id of the key and the time of the index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signed: Option<(String, String)>,
    /// How far the list of changed records was followed, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
    /// When the dump was last read as a whole, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) whole: Option<u64>,
}

impl Origin {
    fn of(source: &IndexSource) -> Self {
        Origin {
            from: source.from.clone(),
            file: source.name.clone(),
            signed: source.signed.clone(),
            until: source.until.clone(),
        }
    }
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none.
    #[error("there is no advisory database in `{}`", .0.display())]
    None(PathBuf),
    /// A file cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file is damaged.
    #[error("the advisory database file `{}` is damaged: {reason}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// What is known of a shard without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardInfo {
    /// `Debian:12`.
    pub name: String,
    /// Records.
    pub records: u64,
    /// Packages named.
    pub packages: u64,
    /// The newest record, RFC 3339.
    pub newest: String,
    /// Bytes.
    pub bytes: u64,
    /// When its source was last asked, in seconds since 1970; 0 when unknown.
    pub checked: u64,
    /// When its source was last asked or, in a folder, read, in seconds since
    /// 1970; 0 when unknown.
    pub read: u64,
    /// Of these, in an overlay.
    pub overlay: u64,
    /// SHA-256 of the file, hexadecimal; of the one table that would hold the
    /// same where there is an overlay, if that is known.
    pub sha256: String,
    /// What a feed could not give of it, a line each.
    pub left_out: Vec<String>,
    /// Where it came from; nowhere for the starter database.
    pub origin: Origin,
}

/// Where a shard came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The place, as it was named.
    pub from: String,
    /// The file that it was built from, without what a published shard is.
    pub file: String,
    /// Of a published shard the id of the key that signed the index, and when
    /// that was made (RFC 3339).
    pub signed: Option<(String, String)>,
    /// Where the database follows the list of what was changed, how far
    /// (RFC 3339).
    pub until: Option<String>,
}

/// An open database.
pub struct Database {
    kind: DatabaseKind,
    info: Vec<ShardInfo>,
    shards: BTreeMap<String, Shard>,
    facts: Facts,
}

/// How often an index is read again because a file of it is gone: an updater
/// keeps the files of one index before its own.
const TRIES: usize = 5;

impl Database {
    /// Opens the database in `dir`. Files are mapped, and checked block by
    /// block when they are touched.
    ///
    /// # Errors
    /// When there is none, or a file of it is missing or damaged.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::try_open(dir) {
                Err(OpenError::Read { cause, .. })
                    if cause.kind() == io::ErrorKind::NotFound && tries < TRIES => {}
                result => return result,
            }
        }
    }

    fn try_open(dir: &Path) -> Result<Self, OpenError> {
        let index = read_index(dir)?.ok_or_else(|| OpenError::None(dir.to_owned()))?;
        let mut database = Database {
            kind: DatabaseKind::Installed,
            info: Vec::new(),
            shards: BTreeMap::new(),
            facts: Facts::default(),
        };
        for entry in &index.shards {
            let base = map(dir, &entry.file, entry.bytes)?;
            let overlay = entry.overlay.as_ref();
            let overlay = overlay.map(|one| map(dir, &one.file, one.bytes));
            let source = index.sources.iter().find(|one| one.name == entry.source);
            database.info.push(ShardInfo {
                name: entry.name.clone(),
                records: entry.records,
                packages: entry.packages,
                newest: entry.newest.clone(),
                bytes: entry.length(),
                left_out: entry.left_out.clone(),
                checked: source.map_or(0, |source| source.checked),
                read: source.map_or(0, |source| source.read.max(source.checked)),
                overlay: entry.overlay.as_ref().map_or(0, |one| one.bytes),
                sha256: entry.digest(),
                origin: source.map(Origin::of).unwrap_or_default(),
            });
            let damaged = |Damage(reason)| OpenError::Damaged {
                path: dir.join(&entry.file),
                reason,
            };
            database
                .add(&entry.name, base, overlay.transpose()?)
                .map_err(damaged)?;
        }
        Ok(database)
    }

    pub(crate) fn empty() -> Self {
        Database {
            kind: DatabaseKind::Starter,
            info: Vec::new(),
            shards: BTreeMap::new(),
            facts: Facts::default(),
        }
    }

    pub(crate) fn from_parts(
        info: Vec<ShardInfo>,
        parts: Vec<(String, Vec<u8>)>,
    ) -> Result<Self, Damage> {
        let mut database = Database {
            kind: DatabaseKind::Starter,
            info,
            shards: BTreeMap::new(),
            facts: Facts::default(),
        };
        for (name, bytes) in parts {
            database.add(&name, Bytes::Memory(bytes), None)?;
        }
        Ok(database)
    }

    fn add(&mut self, name: &str, base: Bytes, overlay: Option<Bytes>) -> Result<(), Damage> {
        match FactKind::of_shard(name) {
            Some(kind) => self.facts.open(kind, base)?,
            None => {
                let shard = Shard::open(base, overlay)?;
                self.shards.insert(name.to_owned(), shard);
            }
        }
        Ok(())
    }

    /// Whether it has facts of a kind. Without them a question after one finds
    /// nothing, which is no answer.
    pub fn has(&self, kind: FactKind) -> bool {
        let mut names = self.info.iter().map(|info| FactKind::of_shard(&info.name));
        names.any(|own| own == Some(kind))
    }

    /// Whether it is the starter database.
    pub fn is_starter(&self) -> bool {
        self.kind == DatabaseKind::Starter
    }

    /// What is in it, sorted by name.
    pub fn info(&self) -> &[ShardInfo] {
        &self.info
    }

    /// What a report says of it, given the shards that were used.
    pub fn describe(&self, mut used: Vec<String>) -> DatabaseInfo {
        used.sort();
        used.dedup();
        let mut hasher = Sha256::new();
        let mut built = "";
        for info in &self.info {
            let is_used = used.contains(&info.name);
            if is_used || FactKind::of_shard(&info.name).is_some() {
                hasher.update(info.sha256.as_bytes());
            }
            if is_used {
                built = built.max(&info.newest);
            }
        }
        DatabaseInfo {
            kind: self.kind,
            digest: format!("sha256:{}", hex(&hasher.finalize())),
            built: built.to_owned(),
            ecosystems: used,
        }
    }

    fn error(shard: &str) -> impl Fn(Damage) -> StoreError {
        let shard = shard.to_owned();
        move |Damage(reason)| StoreError {
            shard: shard.clone(),
            reason,
        }
    }
}

/// A file of the database, mapped.
pub(crate) fn map(dir: &Path, file: &str, bytes: u64) -> Result<Bytes, OpenError> {
    let path = dir.join(file);
    let mapped = File::open(&path).and_then(|file| OwnFileMap::new(&file));
    match mapped {
        Ok(map) if map.len() as u64 == bytes => Ok(Bytes::Map(map)),
        Ok(_) => Err(OpenError::Damaged {
            path,
            reason: "it has another length than it had".to_owned(),
        }),
        Err(cause) => Err(OpenError::Read { path, cause }),
    }
}

/// The index in `dir`, if there is one.
pub(crate) fn read_index(dir: &Path) -> Result<Option<Index>, OpenError> {
    let path = dir.join(INDEX);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(OpenError::Read { path, cause }),
    };
    let damaged = |reason: String| OpenError::Damaged {
        path: path.clone(),
        reason,
    };
    let Format { format } = parse(&bytes).map_err(damaged)?;
    if format != INDEX_FORMAT {
        let reason = format!("it has format {format}, {INDEX_FORMAT} is expected");
        return Err(damaged(reason));
    }
    let file: IndexFile = parse(&bytes).map_err(damaged)?;
    let index = file.content;
    if checksum(&index).map_err(damaged)? != file.sha256 {
        return Err(damaged("it has a wrong checksum".to_owned()));
    }
    // Names of files come from the index: they must stay inside the folder.
    let mut files = index.shards.iter().flat_map(IndexShard::files);
    let bad = files.find(|file| file.contains(['/', '\\', '\0']));
    let bad = bad.map(str::to_owned);
    drop(files);
    if let Some(bad) = bad {
        let reason = format!("it names a file outside of its folder: `{bad}`");
        return Err(damaged(reason));
    }
    Ok(Some(index))
}

/// The part of an index file that every format has.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

fn parse<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

fn checksum(index: &Index) -> Result<String, String> {
    let bytes = serde_json::to_vec(index).map_err(|error| error.to_string())?;
    Ok(hex(&Sha256::digest(bytes)))
}

/// The bytes of `index.json`.
pub(crate) fn index_file(index: &Index) -> Result<Vec<u8>, String> {
    let file = IndexFile {
        format: INDEX_FORMAT,
        sha256: checksum(index)?,
        content: index.clone(),
    };
    serde_json::to_vec_pretty(&file).map_err(|error| error.to_string())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Store for Database {
    fn shards(&self) -> Vec<&str> {
        self.info
            .iter()
            .map(|info| info.name.as_str())
            .filter(|name| FactKind::of_shard(name).is_none())
            .collect()
    }

    fn newest(&self, shard: &str) -> Option<&str> {
        let info = self.info.iter().find(|info| info.name == shard)?;
        Some(info.newest.as_str())
    }

    fn newest_until(&self, shard: &str, day: &str) -> Option<String> {
        let forms = self.shards.get(shard)?.forms().ok()?;
        let dates = forms.iter().map(|form| form.date);
        let past = dates.filter(|date| date.get(..10).is_some_and(|date| date <= day));
        past.max().map(str::to_owned)
    }

    fn signed(&self, shard: &str) -> Option<&str> {
        let info = self.info.iter().find(|info| info.name == shard)?;
        let (_, made) = info.origin.signed.as_ref()?;
        Some(made)
    }

    fn asked(&self, shard: &str) -> Option<String> {
        let info = self.info.iter().find(|info| info.name == shard)?;
        let seconds = i64::try_from(info.read)
            .ok()
            .filter(|seconds| *seconds > 0)?;
        let day = jiff::Timestamp::from_second(seconds).ok()?;
        Some(day.strftime("%Y-%m-%d").to_string())
    }

    fn left_out(&self, shard: &str) -> &[String] {
        let info = self.info.iter().find(|info| info.name == shard);
        info.map_or(&[], |info| &info.left_out)
    }

    fn candidates<'a>(&'a self, shard: &str, name: &str) -> Result<Vec<Candidate<'a>>, StoreError> {
        let Some(open) = self.shards.get(shard) else {
            return Ok(Vec::new());
        };
        open.by_name(name).map_err(Self::error(shard))
    }

    fn by_id<'a>(&'a self, id: &str) -> Result<Vec<(&'a str, Candidate<'a>)>, StoreError> {
        let mut found = Vec::new();
        for (name, shard) in &self.shards {
            let candidates = shard.by_id(id).map_err(Self::error(name))?;
            found.extend(candidates.into_iter().map(|one| (name.as_str(), one)));
        }
        Ok(found)
    }

    fn cvss<'a>(&'a self, cve: &str) -> Result<Vec<(&'a str, &'a str)>, StoreError> {
        let own = self.facts.cvss(cve);
        let mut vectors = own.map_err(Self::error(FactKind::Cvss.shard()))?;
        for (name, shard) in self.shards.iter().filter(|(_, shard)| shard.about.has_cvss) {
            for candidate in shard.by_id(cve).map_err(Self::error(name))? {
                let record = candidate.record;
                vectors.extend(record.cvss.iter().map(|vector| (record.id, *vector)));
            }
        }
        vectors.dedup();
        Ok(vectors)
    }

    fn kev(&self, cve: &str) -> Result<Option<Kev>, StoreError> {
        let found = self.facts.kev(cve);
        found.map_err(Self::error(FactKind::Exploited.shard()))
    }

    fn epss(&self, cve: &str) -> Result<Option<Epss>, StoreError> {
        let found = self.facts.epss(cve);
        found.map_err(Self::error(FactKind::Epss.shard()))
    }

    fn end_of_life(&self, product: &str, cycle: &str) -> Option<&str> {
        self.facts.end_of_life(product, cycle)
    }
}
