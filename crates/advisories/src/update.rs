//! Bringing a database up to date.
//!
//! New shards are written under names of their own; the index that names them
//! replaces the old one by a rename. Whatever happens before that leaves the
//! old database whole, and readers that have the old index in mind still find
//! its files.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::{
    build::{self, Dump},
    database::{INDEX, INDEX_FORMAT, Index, IndexShard, IndexSource, hex, read_index},
    facts::{FACTS, FactsBuilder},
    fetch::{FetchError, FetchProgress, Fetched, Fetcher, From},
    osv::OsvRecord,
    shard::Prose,
};

/// What to update, from where.
pub struct UpdateRequest<'a> {
    /// Where dumps come from.
    pub from: From,
    /// The database's folder.
    pub dir: &'a Path,
    /// Ecosystems without releases (`Debian`, `PyPI`); empty for all that a
    /// folder holds, or that the database has.
    pub ecosystems: Vec<String>,
    /// Seconds since 1970, kept as the time of the question.
    pub now: u64,
    /// Who is told how much was fetched.
    pub progress: &'a dyn FetchProgress,
}

/// What an update did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updated {
    /// Ecosystems that were built anew, sorted.
    pub built: Vec<String>,
    /// Ecosystems that had not changed, sorted.
    pub unchanged: Vec<String>,
    /// Records in what was built.
    pub records: usize,
    /// Entries that are no records: `ECOSYSTEM/NAME: reason`.
    pub refused: Vec<String>,
}

/// Why an update failed. The old database is whole.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// Something could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// There is no dump of an ecosystem.
    #[error("there is no `{ecosystem}/all.zip` in `{from}`")]
    NoDump {
        /// The ecosystem.
        ecosystem: String,
        /// Where it was looked for.
        from: String,
    },
    /// There is nothing to build.
    #[error("there is no `ECOSYSTEM/all.zip` in `{0}`")]
    Nothing(String),
    /// A dump is no zip.
    #[error("`{name}` of `{from}` is damaged: {reason}")]
    Damaged {
        /// The file.
        name: String,
        /// Where it came from.
        from: String,
        /// What is wrong.
        reason: String,
    },
    /// The database cannot be written.
    #[error("cannot write `{}`", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The database there cannot be read.
    #[error(transparent)]
    Open(#[from] crate::database::OpenError),
    /// An advisory shard would be too large for its format.
    #[error("the shard `{0}` would have more than 4 GiB")]
    Large(String),
}

/// Brings the database up to date.
///
/// # Errors
/// When anything could not be fetched, read or written; the old database stays.
pub fn update(request: &UpdateRequest<'_>) -> Result<Updated, UpdateError> {
    let dir = request.dir;
    let writing = |path: &Path| {
        let path = path.to_owned();
        move |cause| UpdateError::Write { path, cause }
    };
    fs::create_dir_all(dir).map_err(writing(dir))?;
    let lock_path = dir.join("lock");
    let lock = File::create(&lock_path).map_err(writing(&lock_path))?;
    // One updater at a time; the lock goes with the process.
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
        .map_err(|error| writing(&lock_path)(error.into()))?;
    let old = read_index(dir)?.unwrap_or_default();
    let fetcher = Fetcher::new(request.from.clone());
    let from = fetcher.name();
    let ecosystems = ecosystems(request, &fetcher, &old)?;
    let mut updated = Updated::default();
    let mut records: Vec<OsvRecord> = Vec::new();
    let mut sources = old.sources.clone();
    for ecosystem in &ecosystems {
        let name = format!("{ecosystem}/all.zip");
        let known = old
            .sources
            .iter()
            .find(|one| one.ecosystem == *ecosystem && one.from == from);
        let etag = known.and_then(|source| source.etag.as_deref());
        let fetched = fetcher.get(&name, etag, request.progress)?;
        let fetched = fetched.ok_or_else(|| UpdateError::NoDump {
            ecosystem: ecosystem.clone(),
            from: from.clone(),
        })?;
        let mut source = IndexSource {
            ecosystem: ecosystem.clone(),
            from: from.clone(),
            etag: etag.map(str::to_owned),
            checked: request.now,
        };
        match fetched {
            Fetched::Same => updated.unchanged.push(ecosystem.clone()),
            Fetched::New { bytes, etag } => {
                let damaged = |reason| UpdateError::Damaged {
                    name: name.clone(),
                    from: from.clone(),
                    reason,
                };
                let Dump {
                    records: more,
                    refused,
                } = build::read_dump(&bytes).map_err(damaged)?;
                if more.is_empty() && !refused.is_empty() {
                    return Err(damaged("none of its entries is a record".to_owned()));
                }
                updated.refused.extend(
                    refused
                        .into_iter()
                        .map(|(entry, why)| format!("{ecosystem}/{entry}: {why}")),
                );
                updated.records += more.len();
                records.extend(more);
                source.etag = etag;
                updated.built.push(ecosystem.clone());
            }
        }
        sources.retain(|one| one.ecosystem != *ecosystem);
        sources.push(source);
    }
    let facts = facts(&fetcher, request, &mut updated)?;
    let shards = build::build_shards(&records, Prose::Kept);
    drop(records);
    let mut kept: Vec<IndexShard> = old
        .shards
        .iter()
        .filter(|shard| !updated.built.contains(&shard.ecosystem))
        .filter(|shard| shard.name != FACTS || facts.is_none())
        .cloned()
        .collect();
    for (name, (bytes, about)) in shards {
        if bytes.len() > u32::MAX as usize {
            return Err(UpdateError::Large(name));
        }
        // `Debian:12` and `Debian:12:malicious` come from the dump of Debian.
        let ecosystem = updated.built.iter().find(|one| is_of(&name, one)).cloned();
        kept.retain(|shard| shard.name != name);
        kept.push(IndexShard {
            newest: about.newest,
            records: about.records,
            packages: about.packages,
            ecosystem: ecosystem.unwrap_or_else(|| name.clone()),
            ..install(dir, &name, &bytes)?
        });
    }
    if let Some(bytes) = facts {
        kept.push(IndexShard {
            ecosystem: FACTS.to_owned(),
            ..install(dir, FACTS, &bytes)?
        });
    }
    kept.sort_by(|a, b| a.name.cmp(&b.name));
    sources.sort_by(|a, b| a.ecosystem.cmp(&b.ecosystem));
    let index = Index {
        format: INDEX_FORMAT,
        previous: old.shards.iter().map(|shard| shard.file.clone()).collect(),
        shards: kept,
        sources,
    };
    write_index(dir, &index)?;
    collect_garbage(dir, &index);
    updated.built.sort();
    updated.unchanged.sort();
    Ok(updated)
}

fn is_of(shard: &str, ecosystem: &str) -> bool {
    shard
        .strip_prefix(ecosystem)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

fn ecosystems(
    request: &UpdateRequest<'_>,
    fetcher: &Fetcher,
    old: &Index,
) -> Result<Vec<String>, UpdateError> {
    let mut wanted: BTreeSet<String> = request
        .ecosystems
        .iter()
        .map(|one| one.split(':').next().unwrap_or(one).to_owned())
        .collect();
    if wanted.is_empty() {
        match fetcher.dir() {
            Some(dir) => wanted.extend(folders(dir)?),
            None => wanted.extend(old.sources.iter().map(|source| source.ecosystem.clone())),
        }
    }
    if wanted.is_empty() {
        return Err(UpdateError::Nothing(fetcher.name()));
    }
    Ok(wanted.into_iter().collect())
}

/// Folders with an `all.zip`.
fn folders(dir: &Path) -> Result<Vec<String>, UpdateError> {
    let reading = |cause| FetchError::Read {
        path: dir.to_owned(),
        cause,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(reading)? {
        let entry = entry.map_err(reading)?;
        if entry.path().join("all.zip").is_file() {
            found.extend(entry.file_name().into_string().ok());
        }
    }
    Ok(found)
}

/// The facts that lie beside the dumps, as a shard; `None` when there are none.
fn facts(
    fetcher: &Fetcher,
    request: &UpdateRequest<'_>,
    updated: &mut Updated,
) -> Result<Option<Vec<u8>>, UpdateError> {
    // OSV's own bucket has none of these.
    if fetcher.name() == crate::fetch::PUBLIC_BUCKET {
        return Ok(None);
    }
    let get = |name: &str| -> Result<Option<Vec<u8>>, UpdateError> {
        Ok(match fetcher.get(name, None, request.progress)? {
            Some(Fetched::New { bytes, .. }) => Some(bytes),
            _ => None,
        })
    };
    let mut builder = FactsBuilder::default();
    let mut refused = |name: &str, result: Result<(), String>| {
        if let Err(reason) = result {
            updated.refused.push(format!("{name}: {reason}"));
        }
    };
    for name in ["kev.json", "known_exploited_vulnerabilities.json"] {
        if let Some(bytes) = get(name)? {
            refused(name, builder.add_kev(&bytes));
        }
    }
    if let Some(bytes) = get("cvss.csv")? {
        builder.add_cvss(&String::from_utf8_lossy(&bytes));
    }
    if let Some(bytes) = get("epss.csv")? {
        refused("epss.csv", builder.add_epss(bytes.as_slice()));
    }
    if let Some(bytes) = get("epss.csv.gz")? {
        refused("epss.csv.gz", builder.add_epss(unpacked(&bytes)));
    }
    if let Some(bytes) = get("endoflife.json")? {
        refused("endoflife.json", builder.add_end_of_life(&bytes));
    }
    for name in nvd_feeds(fetcher.dir()) {
        let Some(bytes) = get(&name)? else { continue };
        let mut json = Vec::new();
        let result = if name.ends_with(".gz") {
            unpacked(&bytes)
                .read_to_end(&mut json)
                .map(drop)
                .map_err(|error| error.to_string())
        } else {
            json = bytes;
            Ok(())
        };
        refused(&name, result.and_then(|()| builder.add_nvd(&json)));
    }
    Ok((!builder.is_empty()).then(|| builder.build()))
}

/// Bytes that one packed file of facts may unpack to.
const FACTS_LIMIT: u64 = 4 << 30;

fn unpacked(bytes: &[u8]) -> impl Read + '_ {
    flate2::read::MultiGzDecoder::new(bytes).take(FACTS_LIMIT)
}

fn nvd_feeds(dir: Option<&Path>) -> Vec<String> {
    let entries = dir
        .and_then(|dir| fs::read_dir(dir).ok())
        .into_iter()
        .flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("nvdcve-2.0-"))
        .collect();
    names.sort();
    names
}

/// Writes a shard under the name of its content.
fn install(dir: &Path, name: &str, bytes: &[u8]) -> Result<IndexShard, UpdateError> {
    let sha256 = hex(&Sha256::digest(bytes));
    let safe: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let file = format!("{safe}-{}.shard", sha256.get(..16).unwrap_or_default());
    let path = dir.join(&file);
    // The same content under the same name is there already, if it is whole.
    let is_there = fs::read(&path).is_ok_and(|old| old == bytes);
    if !is_there {
        persist(dir, &path, bytes)?;
        // What the disk gives back is what counts.
        let read = fs::read(&path).map_err(|cause| UpdateError::Write {
            path: path.clone(),
            cause,
        })?;
        if hex(&Sha256::digest(&read)) != sha256 {
            let cause = io::Error::other("the disk gives back something else than was written");
            return Err(UpdateError::Write { path, cause });
        }
    }
    Ok(IndexShard {
        name: name.to_owned(),
        file,
        sha256,
        bytes: bytes.len() as u64,
        newest: String::new(),
        records: 0,
        packages: 0,
        ecosystem: String::new(),
    })
}

fn persist(dir: &Path, path: &Path, bytes: &[u8]) -> Result<(), UpdateError> {
    let writing = |cause| UpdateError::Write {
        path: path.to_owned(),
        cause,
    };
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .tempfile_in(dir)
        .map_err(writing)?;
    file.write_all(bytes).map_err(writing)?;
    // The rename must not come to the disk before the content.
    file.as_file().sync_all().map_err(writing)?;
    file.persist(path).map_err(|error| writing(error.error))?;
    Ok(())
}

fn write_index(dir: &Path, index: &Index) -> Result<(), UpdateError> {
    let path = dir.join(INDEX);
    let bytes = serde_json::to_vec_pretty(index).map_err(|error| UpdateError::Write {
        path: path.clone(),
        cause: error.into(),
    })?;
    persist(dir, &path, &bytes)
}

/// Removes files that neither this index nor the one before names.
fn collect_garbage(dir: &Path, index: &Index) {
    let kept: BTreeSet<&str> = index
        .shards
        .iter()
        .map(|shard| shard.file.as_str())
        .chain(index.previous.iter().map(String::as_str))
        .collect();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let is_ours = name.ends_with(".shard") || name.starts_with(".new-");
        if is_ours && !kept.contains(name) {
            // Left for the next time when it cannot be removed.
            let _ = fs::remove_file(entry.path());
        }
    }
}
