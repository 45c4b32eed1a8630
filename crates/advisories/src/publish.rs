//! Making a folder of signed shards for many machines.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::{
    SecretKey, UpdateError, UpdateRequest, Updated,
    database::{IndexShard, hex, map, read_index},
    facts::FactKind,
    feed,
    install::{UNFINISHED, digest_of, persist, sync_dir},
    published::{
        INDEX, PublishedFile, PublishedIndex, PublishedOverlay, PublishedShard, SHARD_LIMIT,
        SIGNATURE, comment, index_name, is_index, is_worthwhile, named, pack, safe, short,
        unpack_at_most,
    },
    shard::{self, Shard, base},
    table::{Bytes, Damage},
    update,
};

const WHOLE: &str = ".shard.zst";
const OVERLAY: &str = ".overlay.zst";
/// The publisher's own database, inside the folder.
const OWN: &str = ".seawall-db";

/// States of a shard that overlays are made from: a machine that was brought
/// up to date within so many of them takes an overlay.
const BASES: usize = 8;

/// Seconds after which an index is signed anew, and that one may be ahead.
const DAY: i64 = 24 * 60 * 60;

/// What to publish, where.
pub struct PublishRequest<'a> {
    /// Where advisories come from, and which. Its folder is not used: the
    /// database is kept inside `out`.
    pub update: UpdateRequest<'a>,
    /// The folder to be served.
    pub out: &'a Path,
    /// Signs the index.
    pub key: &'a SecretKey,
    /// Seconds since 1970.
    pub now: u64,
}

/// What was published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// What was read.
    pub updated: Updated,
    /// Shards in the index.
    pub shards: usize,
    /// Overlays in the index.
    pub overlays: usize,
    /// Bytes of all shards, packed.
    pub bytes: u64,
    /// The time of the index, RFC 3339.
    pub made: String,
    /// Whether anything is new.
    pub is_new: bool,
    /// Whether what is not new was signed anew.
    pub is_renewed: bool,
    /// Why what was published before is not built upon.
    pub afresh: Option<String>,
}

/// Why nothing was published. What was published before is as it was.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The advisories could not be read.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// What was published is of the future: machines refuse it, and all that
    /// would follow.
    #[error("what was published before is of {made}, and by the clock of this machine it is {now}")]
    Ahead {
        /// When it was made, RFC 3339.
        made: String,
        /// Now, RFC 3339.
        now: String,
    },
    /// A shard cannot be read back, or packed.
    #[error("cannot publish `{name}`: {reason}")]
    Shard {
        /// The shard.
        name: String,
        /// Why.
        reason: String,
    },
}

impl PublishRequest<'_> {
    /// Where the publisher's own database is kept.
    pub fn own_database(out: &Path) -> PathBuf {
        out.join(OWN)
    }
}

/// Brings the publisher's database up to date and publishes what is in it.
///
/// The same advisories give the same files. Files that the index before this
/// one names stay, so that a machine in the middle of an update misses none.
/// Where nothing is new the index is signed anew after a day: what is older
/// stands still.
///
/// # Errors
/// When advisories could not be fetched or read, or files not be written.
pub fn publish(request: &PublishRequest<'_>) -> Result<Published, PublishError> {
    let out = request.out;
    let own = PublishRequest::own_database(out);
    let writing = |path: &Path| {
        let path = path.to_owned();
        move |cause| PublishError::Update(UpdateError::Write { path, cause })
    };
    fs::create_dir_all(&own).map_err(writing(&own))?;
    let lock_path = own.join("publish.lock");
    let lock = File::create(&lock_path).map_err(writing(&lock_path))?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
        .map_err(|error| writing(&lock_path)(error.into()))?;
    let (old, afresh) = match published_before(out, request.key) {
        Ok(old) => (old, None),
        Err(why) => (None, Some(why)),
    };
    let now = i64::try_from(request.now).unwrap_or(i64::MAX);
    let before = old.as_ref().and_then(|(_, old)| old.time());
    let before = before.map(Timestamp::as_second);
    if let Some(made) = before.filter(|made| *made > now.saturating_add(DAY)) {
        let (made, now) = (said(made), said(now));
        return Err(PublishError::Ahead { made, now });
    }
    let mut named: BTreeSet<&str> = BTreeSet::new();
    named.extend(request.update.ecosystems.iter().map(|one| base(one)));
    let updated = update(&UpdateRequest {
        dir: &own,
        from: request.update.from.clone(),
        ecosystems: request.update.ecosystems.clone(),
        key: request.update.key.clone(),
        feeds: request.update.feeds.clone(),
        ..request.update
    })?;
    let index = read_index(&own).map_err(UpdateError::from)?;
    let entries = index.unwrap_or_default().shards.into_iter().filter(|one| {
        named.is_empty()
            || named.contains(base(feed::release(&one.name)))
            || FactKind::of_shard(&one.name).is_some()
    });
    let maker = Maker {
        out,
        own: &own,
        old: old.as_ref().map(|(_, old)| old),
    };
    let mut shards = Vec::new();
    for entry in entries {
        shards.push(maker.shard(&entry)?);
    }
    shards.sort_by(|a, b| a.name.cmp(&b.name));
    let mut published = Published {
        updated,
        shards: shards.len(),
        overlays: shards.iter().map(|one| one.overlays.len()).sum(),
        bytes: shards.iter().map(|one| one.whole.bytes).sum(),
        afresh,
        ..Published::default()
    };
    let same = old.as_ref().filter(|(_, old)| old.shards == shards);
    if let (Some((_, same)), Some(made)) = (same, before)
        && now.saturating_sub(made) <= DAY
    {
        published.made.clone_from(&same.made);
        return Ok(published);
    }
    published.is_renewed = same.is_some();
    published.is_new = same.is_none();
    // Never before the index that machines have seen.
    let made = now.max(before.map_or(0, |made| made.saturating_add(1)));
    let index = PublishedIndex::new(said(made), shards);
    let whole = |reason| PublishError::Shard {
        name: INDEX.to_owned(),
        reason,
    };
    let bytes = index.pack().map_err(whole)?;
    let name = index_name(&bytes);
    let signature = request.key.sign(&bytes, &comment(index.time(), &name));
    persist(out, &out.join(&name), &bytes)?;
    // All that the signature leads to must come to the disk before it does.
    sync_dir(out)?;
    persist(out, &out.join(SIGNATURE), signature.as_bytes())?;
    sync_dir(out)?;
    published.made.clone_from(&index.made);
    // What an index names that cannot be read now is not known, and machines
    // may be fetching it: it goes the next time.
    if published.afresh.is_none() {
        let old = old.as_ref().map(|(name, old)| (name.as_str(), old));
        collect_garbage(out, old.into_iter().chain([(name.as_str(), &index)]));
    }
    Ok(published)
}

/// A time in seconds since 1970 as RFC 3339 has it.
fn said(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string())
}

/// The index in the folder with its name, or why it is not believed: what is
/// built upon it would be signed too.
fn published_before(
    out: &Path,
    key: &SecretKey,
) -> Result<Option<(String, PublishedIndex)>, String> {
    let read = |name: &str| match fs::read(out.join(name)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read `{name}`: {error}")),
    };
    let Some(signature) = read(SIGNATURE)? else {
        // A signature that is gone leaves an index that nobody vouches for.
        let entries = fs::read_dir(out).into_iter().flatten().flatten();
        let mut names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        return match names.find(|name| is_index(name)) {
            Some(name) => Err(format!("`{name}` is there, but `{SIGNATURE}` is not")),
            None => Ok(None),
        };
    };
    let signature = String::from_utf8_lossy(&signature);
    let untrusted = |error| format!("`{SIGNATURE}` there cannot be trusted: {error}");
    let key = key.public();
    let comment = key.comment(&signature).map_err(untrusted)?;
    let name = named(&comment)?;
    let index = read(name)?.ok_or_else(|| format!("`{name}` is not there"))?;
    let checked = key.verify(&index, &signature);
    checked.map_err(|error| format!("`{name}` there cannot be trusted: {error}"))?;
    Ok(Some((name.to_owned(), PublishedIndex::parse(&index)?)))
}

/// Makes the files of shards.
struct Maker<'a> {
    out: &'a Path,
    own: &'a Path,
    old: Option<&'a PublishedIndex>,
}

impl Maker<'_> {
    fn shard(&self, entry: &IndexShard) -> Result<PublishedShard, PublishError> {
        let name = &entry.name;
        let failed = |reason: String| PublishError::Shard {
            name: name.clone(),
            reason,
        };
        let damaged = |Damage(reason): Damage| failed(reason);
        let file = map(self.own, &entry.file, entry.bytes).map_err(UpdateError::from)?;
        let table = match &entry.overlay {
            None => file.get().to_vec(),
            Some(one) => {
                let overlay = map(self.own, &one.file, one.bytes).map_err(UpdateError::from)?;
                let both = Shard::open(file, Some(overlay)).map_err(damaged)?;
                let forms = both.forms().map_err(damaged)?;
                shard::write(forms.into_iter()).0
            }
        };
        let digest = hex(&Sha256::digest(&table));
        if entry.overlay.is_none() && digest != entry.sha256 {
            return Err(failed(
                "it is damaged in the publisher's database".to_owned(),
            ));
        }
        let before = self.old.and_then(|old| {
            let mut shards = old.shards.iter();
            shards.find(|one| one.name == *name)
        });
        if let Some(same) = before.filter(|one| one.table == digest && self.is_there(one)) {
            return Ok(PublishedShard {
                left_out: entry.left_out.clone(),
                ..same.clone()
            });
        }
        let prefix = format!("{}-{}", safe(name), short(&digest));
        let whole = self
            .file(format!("{prefix}{WHOLE}"), &table)
            .map_err(failed)?;
        let mut overlays = Vec::new();
        if let (Some(before), None) = (before, FactKind::of_shard(name)) {
            let new = Shard::open(Bytes::Memory(table), None).map_err(damaged)?;
            let new = new.forms().map_err(damaged)?;
            let older = before.overlays.iter().map(|one| one.base.as_str());
            let mut bases: Vec<&str> = vec![short(&before.table)];
            bases.extend(older.filter(|base| *base != short(&digest)));
            bases.truncate(BASES);
            let made: Vec<Result<Option<PublishedOverlay>, String>> = bases
                .into_par_iter()
                .map(|base| self.overlay(name, base, &new, short(&digest), whole.bytes))
                .collect();
            for overlay in made {
                overlays.extend(overlay.map_err(failed)?);
            }
        }
        Ok(PublishedShard {
            name: name.clone(),
            newest: entry.newest.clone(),
            records: entry.records,
            packages: entry.packages,
            left_out: entry.left_out.clone(),
            whole,
            table: digest,
            overlays,
        })
    }

    /// What makes a shard of one that was published before; `None` when that
    /// is no longer there, or the overlay too large.
    fn overlay(
        &self,
        name: &str,
        base: &str,
        new: &[shard::Form<'_>],
        to: &str,
        whole: u64,
    ) -> Result<Option<PublishedOverlay>, String> {
        let path = self.out.join(format!("{}-{base}{WHOLE}", safe(name)));
        let packed = fs::read(path).map_err(|error| error.to_string());
        let table = packed.and_then(|packed| unpack_at_most(&packed, SHARD_LIMIT));
        let Ok(table) = table else { return Ok(None) };
        if short(&hex(&Sha256::digest(&table))) != base {
            return Ok(None);
        }
        let Ok(old) = Shard::open(Bytes::Memory(table), None) else {
            return Ok(None);
        };
        let Ok(old) = old.forms() else {
            return Ok(None);
        };
        let Some((overlay, _)) = shard::write_overlay(&old, new) else {
            return Ok(None);
        };
        let packed = pack(&overlay)?;
        if !is_worthwhile(packed.len() as u64, whole) {
            return Ok(None);
        }
        let file = format!("{}-{base}-{to}{OVERLAY}", safe(name));
        Ok(Some(PublishedOverlay {
            base: base.to_owned(),
            packed: self.write(file, &packed, overlay.len())?,
        }))
    }

    fn file(&self, file: String, bytes: &[u8]) -> Result<PublishedFile, String> {
        self.write(file, &pack(bytes)?, bytes.len())
    }

    fn write(&self, file: String, packed: &[u8], unpacked: usize) -> Result<PublishedFile, String> {
        let path = self.out.join(&file);
        if !fs::read(&path).is_ok_and(|old| old == packed) {
            persist(self.out, &path, packed).map_err(|error| error.to_string())?;
        }
        Ok(PublishedFile {
            file,
            sha256: hex(&Sha256::digest(packed)),
            bytes: packed.len() as u64,
            unpacked: unpacked as u64,
        })
    }

    /// Whether every file of a shard is there as it was signed.
    fn is_there(&self, shard: &PublishedShard) -> bool {
        shard.files().all(|one| {
            let digest = digest_of(&self.out.join(&one.file));
            digest.is_ok_and(|digest| digest == one.sha256)
        })
    }
}

/// Removes files of ours that no index names.
fn collect_garbage<'i>(out: &Path, indices: impl Iterator<Item = (&'i str, &'i PublishedIndex)>) {
    let mut kept = BTreeSet::new();
    for (name, index) in indices {
        kept.insert(name.to_owned());
        for shard in &index.shards {
            kept.extend(shard.files().map(|one| one.file.clone()));
            // The bases of overlays: the next ones are made from them.
            let bases = shard.overlays.iter().map(|one| &one.base);
            kept.extend(bases.map(|base| format!("{}-{base}{WHOLE}", safe(&shard.name))));
        }
    }
    for entry in fs::read_dir(out).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let is_ours = name.ends_with(WHOLE)
            || name.ends_with(OVERLAY)
            || name.starts_with(UNFINISHED)
            || is_index(name);
        if is_ours && !kept.contains(name) {
            // Left for the next time when it cannot be removed.
            let _ = fs::remove_file(entry.path());
        }
    }
}
