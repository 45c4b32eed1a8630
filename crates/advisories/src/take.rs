//! Taking shards that somebody published: checked, then replaced together.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use seawall_model::in_full;

use crate::{
    PublicKey, UpdateError,
    database::{IndexOverlay, IndexShard, IndexSigned, IndexSource, hex, map},
    facts::FactKind,
    feed,
    install::{install, is_sound},
    published::{
        INDEX, INDEX_LIMIT, PublishedFile, PublishedIndex, PublishedShard, SIGNATURE,
        SIGNATURE_LIMIT, named, short,
    },
    shard::{self, Shard, base},
    table::{Bytes, Damage, Table},
    update::Run,
};

/// Shards that are fetched at once.
const AT_ONCE: usize = 8;
/// How often an index is asked for that is not there: the signature may be one
/// of long ago that somebody kept.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_millis(300);
/// Seconds that an index may be ahead of this machine's clock.
const AHEAD: i64 = 24 * 60 * 60;

/// What has to be done for one shard.
enum Step {
    /// It is here.
    Same(IndexShard),
    /// An overlay makes it of the base that is here.
    Overlay(IndexShard),
    /// An overlay makes it of the base that is here together with the overlay
    /// that is here.
    Compact(IndexShard),
    /// It is taken whole.
    Whole,
}

impl Run<'_> {
    /// Takes shards from a place with a signed index; whether it is one.
    ///
    /// # Errors
    /// When it is one and nobody said whose signature counts, or the other way
    /// round; and when anything of it is not as it was signed.
    pub(crate) fn published(&mut self) -> Result<bool, UpdateError> {
        let from = self.fetcher.name();
        let key = self.request.key.clone();
        // OSV's own bucket is known to have none.
        if key.is_none() && self.fetcher.is_public_bucket() {
            return Ok(false);
        }
        let signature = match (self.signature(), &key) {
            // Nothing signed was asked for: the dumps say what is wrong.
            (Err(_), None) => None,
            (found, _) => found?,
        };
        let (signature, key) = match (signature, key) {
            (None, None) => return Ok(false),
            (None, Some(key)) => {
                let key = key.id();
                return Err(UpdateError::NotSigned { from, key });
            }
            (Some(_), None) => return Err(UpdateError::KeyNeeded { from }),
            (Some(signature), Some(key)) => (signature, key),
        };
        if let Some(known) = self.known(&signature, &key) {
            let names = self.wanted(&known)?;
            let checked = self.checked();
            self.updated.unchanged = names.iter().map(|name| (*name).to_owned()).collect();
            for source in &mut self.index.sources {
                let shard = source.name.strip_prefix(INDEX);
                let shard = shard.and_then(|rest| rest.strip_prefix('#'));
                if shard.is_some_and(|shard| names.contains(&shard)) {
                    source.checked = checked;
                }
            }
            return Ok(true);
        }
        let (index, signature) = self.signed_index(&key, signature)?;
        self.check_time(&index, &key)?;
        self.take(&index, &key)?;
        let id = key.id().to_string();
        self.index.signed.retain(|one| one.key != id);
        self.index.signed.push(IndexSigned {
            key: id,
            made: index.made,
            from,
            signature,
            tables: index.shards.iter().map(|one| one.table.clone()).collect(),
            shards: index.shards.into_iter().map(|one| one.name).collect(),
        });
        Ok(true)
    }

    fn signature(&self) -> Result<Option<String>, UpdateError> {
        let bytes = self.fetcher.current(SIGNATURE, SIGNATURE_LIMIT)?;
        let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        // Some servers answer everything, with a page.
        Ok(text.filter(|text| text.starts_with("untrusted comment:")))
    }

    /// The names of all shards of the index that bears this signature, when it
    /// was taken from here before with every shard that is wanted now.
    fn known(&self, signature: &str, key: &PublicKey) -> Option<Vec<String>> {
        let from = self.fetcher.name();
        let id = key.id().to_string();
        let mut signed = self.old.signed.iter();
        let known =
            signed.find(|one| one.key == id && one.from == from && one.signature == signature)?;
        let by = Some((id, known.made.clone()));
        if known.shards.len() != known.tables.len() {
            return None;
        }
        let is_current = |(name, table): (&String, &String)| {
            let mut shards = self.old.shards.iter();
            let shard = shards.find(|one| one.name == *name);
            let source = shard
                .filter(|shard| shard.digest() == *table)
                .and_then(|shard| {
                    let mut sources = self.old.sources.iter();
                    sources.find(|one| one.name == shard.source)
                });
            source.is_some_and(|one| one.from == from && one.signed == by)
                && shard.is_some_and(|shard| is_sound(self.request.dir, shard))
        };
        let all = known.shards.iter().zip(&known.tables);
        let mut wanted = all.filter(|(name, _)| self.is_wanted(name));
        wanted.all(is_current).then(|| known.shards.clone())
    }

    /// The index, checked.
    fn signed_index(
        &self,
        key: &PublicKey,
        mut signature: String,
    ) -> Result<(PublishedIndex, String), UpdateError> {
        let from = self.fetcher.name();
        let damaged = |reason| UpdateError::Damaged {
            name: INDEX.to_owned(),
            from: from.clone(),
            reason,
        };
        let untrusted = |cause| UpdateError::Signature {
            from: from.clone(),
            cause,
        };
        let gone = || damaged("its signature is there, but it is not".to_owned());
        for _ in 0..TRIES {
            let comment = key.comment(&signature).map_err(untrusted)?;
            let name = named(&comment).map_err(damaged)?;
            if let Some(bytes) = self.fetcher.bytes(name, INDEX_LIMIT)? {
                key.verify(&bytes, &signature).map_err(untrusted)?;
                let index = PublishedIndex::parse(&bytes).map_err(damaged)?;
                return Ok((index, signature));
            }
            thread::sleep(PAUSE.min(self.request.patience));
            signature = self.signature()?.ok_or_else(gone)?;
        }
        Err(gone())
    }

    /// Refuses an index that is older than one that was seen, or of the future:
    /// every later one would be older than that.
    fn check_time(&self, index: &PublishedIndex, key: &PublicKey) -> Result<(), UpdateError> {
        let id = key.id().to_string();
        let time = |text: &str| text.parse::<Timestamp>().ok();
        let seen = self.old.signed.iter().find(|one| one.key == id);
        if let Some(seen) = seen.filter(|seen| index.time() < time(&seen.made)) {
            return Err(UpdateError::RolledBack {
                from: self.fetcher.name(),
                offered: index.made.clone(),
                seen: seen.made.clone(),
            });
        }
        let now = i64::try_from(self.request.now).unwrap_or(i64::MAX);
        let is_ahead = index
            .time()
            .is_some_and(|time| time.as_second() > now.saturating_add(AHEAD));
        if is_ahead {
            return Err(UpdateError::Ahead {
                from: self.fetcher.name(),
                offered: index.made.clone(),
                now: Timestamp::from_second(now)
                    .map_or_else(|_| String::new(), |now| now.to_string()),
            });
        }
        Ok(())
    }

    fn is_wanted(&self, name: &str) -> bool {
        let asked = &self.request.ecosystems;
        match asked.is_empty() {
            _ if FactKind::of_shard(name).is_some() => true,
            // A folder is asked for all that it has, a server for what is here.
            true => {
                let mut here = self.old.shards.iter();
                self.fetcher.dir().is_some() || here.any(|one| one.name == *name)
            }
            false => asked.iter().any(|asked| is_of(name, asked)),
        }
    }

    /// Those names of shards that are wanted; notes what is not there.
    fn wanted<'n>(&mut self, names: &'n [String]) -> Result<Vec<&'n str>, UpdateError> {
        let asked = &self.request.ecosystems;
        let names = names.iter().map(String::as_str);
        let wanted: Vec<&str> = names.filter(|name| self.is_wanted(name)).collect();
        if wanted.iter().all(|name| FactKind::of_shard(name).is_some()) {
            return Err(match asked.first() {
                Some(first) => UpdateError::NotPublished {
                    name: first.clone(),
                    from: self.fetcher.name(),
                },
                None => UpdateError::Nothing(self.fetcher.name()),
            });
        }
        let is_there = |asked: &String| wanted.iter().any(|name| is_of(name, asked));
        self.updated.absent = asked
            .iter()
            .filter(|asked| !is_there(asked))
            .cloned()
            .collect();
        let lacking = FactKind::ALL
            .into_iter()
            .filter(|kind| !wanted.contains(&kind.shard()));
        self.updated.missing = lacking.collect();
        Ok(wanted)
    }

    /// Makes the shards that are wanted those of the index.
    fn take(&mut self, index: &PublishedIndex, key: &PublicKey) -> Result<(), UpdateError> {
        let names: Vec<String> = index.shards.iter().map(|one| one.name.clone()).collect();
        let names = self.wanted(&names)?;
        let wanted: Vec<&PublishedShard> = index
            .shards
            .iter()
            .filter(|one| names.contains(&one.name.as_str()))
            .collect();
        let next = AtomicUsize::new(0);
        let taken = Mutex::new(Vec::new());
        // Threads of their own: they wait for the network and the disk.
        thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(wanted.len()) {
                scope.spawn(|| {
                    while let Some(shard) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let one = self.take_one(shard);
                        let is_over = one.is_err();
                        if let Ok(mut taken) = taken.lock() {
                            taken.push(one);
                        }
                        if is_over {
                            // The others would be for nothing.
                            next.store(wanted.len(), Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        let mut shards = Vec::new();
        for one in taken.into_inner().unwrap_or_default() {
            shards.push(one?);
        }
        // What a publisher no longer has is not kept: it would only grow old.
        let from = self.fetcher.name();
        let asked = &self.request.ecosystems;
        let checked = self.checked();
        let (sources, updated) = (&self.old.sources, &mut self.updated);
        self.index.shards.retain(|old| {
            let is_from_here = sources
                .iter()
                .any(|one| one.name == old.source && one.from == from);
            let is_asked = asked.is_empty() || asked.iter().any(|asked| is_of(&old.name, asked));
            let is_published = index.shards.iter().any(|one| one.name == old.name);
            let is_gone = is_from_here && is_asked && !is_published;
            !is_gone && !shards.iter().any(|new: &Taken| new.shard.name == old.name)
        });
        for Taken {
            shard,
            is_new,
            note,
        } in shards
        {
            updated.fallbacks.extend(note);
            match is_new {
                true => {
                    updated.records += usize::try_from(shard.records).unwrap_or(0);
                    updated.built.push(shard.name.clone());
                }
                false => updated.unchanged.push(shard.name.clone()),
            }
            self.index.sources.retain(|one| one.name != shard.source);
            self.index.sources.push(IndexSource {
                name: shard.source.clone(),
                from: from.clone(),
                checked,
                signed: Some((key.id().to_string(), index.made.clone())),
                ..IndexSource::default()
            });
            self.index.shards.push(shard);
        }
        let used: BTreeSet<&str> = self
            .index
            .shards
            .iter()
            .map(|one| one.source.as_str())
            .collect();
        // What a place said of a file is not about what took its shards' place.
        for old in &self.old.shards {
            let is_same = |one: &IndexShard| one.name == old.name && one.source == old.source;
            if self.index.shards.iter().any(is_same) {
                continue;
            }
            for source in &mut self.index.sources {
                if source.name == old.source {
                    (source.etag, source.until, source.whole) = (None, None, None);
                }
            }
            let is_left = used.contains(old.source.as_str());
            let sources = &mut self.index.sources;
            sources.retain(|one| is_left || one.name != old.source);
        }
        Ok(())
    }

    fn take_one(&self, wanted: &PublishedShard) -> Result<Taken, UpdateError> {
        let here = self.old.shards.iter().find(|one| one.name == wanted.name);
        let mut note = None;
        let step = match here {
            None => Step::Whole,
            Some(here) if is_sound(self.request.dir, here) => step(here, wanted),
            Some(_) => {
                note = Some(format!(
                    "{}: it is damaged here: it is taken whole",
                    wanted.name
                ));
                Step::Whole
            }
        };
        let made = match step {
            Step::Same(shard) => {
                let shard = describe(shard, wanted);
                let is_new = false;
                return Ok(Taken {
                    shard,
                    is_new,
                    note,
                });
            }
            Step::Whole => None,
            Step::Overlay(here) => Some(self.overlay(here, wanted)),
            Step::Compact(here) => Some(
                self.compacted(&here)
                    .and_then(|here| self.overlay(here, wanted)),
            ),
        };
        let shard = match made {
            Some(Ok(shard)) => shard,
            Some(Err(why)) => {
                note = Some(format!("{}: {why}: it is taken whole", wanted.name));
                self.whole(wanted)?
            }
            None => self.whole(wanted)?,
        };
        Ok(Taken {
            shard: describe(shard, wanted),
            is_new: true,
            note,
        })
    }

    /// One file of the publisher, checked and unpacked.
    fn file(&self, file: &PublishedFile) -> Result<Vec<u8>, UpdateError> {
        let damaged = |reason| UpdateError::Damaged {
            name: file.file.clone(),
            from: self.fetcher.name(),
            reason,
        };
        let bytes = self.fetcher.bytes(&file.file, file.bytes)?;
        let bytes =
            bytes.ok_or_else(|| damaged("the index names it, and it is not there".to_owned()))?;
        file.unpack(&bytes).map_err(damaged)
    }

    fn whole(&self, wanted: &PublishedShard) -> Result<IndexShard, UpdateError> {
        let table = self.file(&wanted.whole)?;
        let damaged = |reason| UpdateError::Damaged {
            name: wanted.whole.file.clone(),
            from: self.fetcher.name(),
            reason,
        };
        if hex(&Sha256::digest(&table)) != wanted.table {
            return Err(damaged(
                "its table is not the one in the signed index".to_owned(),
            ));
        }
        let installed = install(self.request.dir, &wanted.name, &table)?;
        // It was made by somebody else, perhaps by a later release.
        let opened = match FactKind::of_shard(&wanted.name) {
            Some(_) => Table::open(Bytes::Memory(table)).map(drop),
            None => Shard::open(Bytes::Memory(table), None).map(drop),
        };
        opened.map_err(|Damage(reason)| damaged(reason))?;
        Ok(installed)
    }

    /// Puts the overlay over the base that is here; why it cannot be.
    fn overlay(&self, here: IndexShard, wanted: &PublishedShard) -> Result<IndexShard, String> {
        let overlay = wanted
            .overlay_from(&here.sha256)
            .ok_or("there is no overlay for it")?;
        let said = |error: UpdateError| in_full(&error);
        let table = self.file(&overlay.packed).map_err(said)?;
        let installed = install(self.request.dir, &wanted.name, &table).map_err(said)?;
        let base =
            map(self.request.dir, &here.file, here.bytes).map_err(|error| in_full(&error))?;
        let shard = Shard::open(base, Some(Bytes::Memory(table)));
        let about = shard.map_err(|Damage(reason)| reason)?.about;
        if (about.records, about.packages) != (wanted.records, wanted.packages) {
            return Err("its overlay is of another shard".to_owned());
        }
        Ok(IndexShard {
            overlay: Some(IndexOverlay {
                file: installed.file,
                sha256: installed.sha256,
                bytes: installed.bytes,
                whole: Some(wanted.table.clone()),
            }),
            ..here
        })
    }

    /// Makes one table of a base and its overlay, the very table that was
    /// published at that time; why it cannot be.
    fn compacted(&self, here: &IndexShard) -> Result<IndexShard, String> {
        let dir = self.request.dir;
        let overlay = here.overlay.as_ref().ok_or("it has no overlay")?;
        let opening = |error| in_full(&error);
        let base = map(dir, &here.file, here.bytes).map_err(opening)?;
        let over = map(dir, &overlay.file, overlay.bytes).map_err(opening)?;
        let told = |Damage(reason)| reason;
        let shard = Shard::open(base, Some(over)).map_err(told)?;
        let (table, _) = shard::write(shard.forms().map_err(told)?.into_iter());
        let installed = install(dir, &here.name, &table).map_err(|error| in_full(&error))?;
        if Some(&installed.sha256) != overlay.whole.as_ref() {
            return Err("with its overlay it is not what was published".to_owned());
        }
        Ok(installed)
    }
}

/// A shard that was taken.
struct Taken {
    shard: IndexShard,
    is_new: bool,
    /// Why another way was gone than the short one.
    note: Option<String>,
}

/// Whether a shard is asked for: `Debian:12` of `Debian` and of `Debian:12`,
/// each with the packages made to do harm and what feeds say of it.
fn is_of(name: &str, asked: &str) -> bool {
    let name = feed::release(name);
    let name = name.strip_suffix(shard::MALICIOUS).unwrap_or(name);
    name == asked || base(name) == asked
}

fn step(here: &IndexShard, wanted: &PublishedShard) -> Step {
    let here = here.clone();
    let whole = here
        .overlay
        .as_ref()
        .and_then(|overlay| overlay.whole.as_deref());
    if here.overlay.is_none() && here.sha256 == wanted.table || whole == Some(&wanted.table) {
        Step::Same(here)
    } else if here.sha256 == wanted.table {
        // As when a publisher takes a change back.
        Step::Same(IndexShard {
            overlay: None,
            ..here
        })
    } else if wanted.overlay_from(&here.sha256).is_some() {
        Step::Overlay(here)
    } else if whole.is_some_and(|whole| wanted.overlay_from(short(whole)).is_some()) {
        Step::Compact(here)
    } else {
        Step::Whole
    }
}

/// What the index says of a shard.
fn describe(shard: IndexShard, wanted: &PublishedShard) -> IndexShard {
    IndexShard {
        newest: wanted.newest.clone(),
        records: wanted.records,
        packages: wanted.packages,
        source: format!("{INDEX}#{}", wanted.name),
        left_out: wanted.left_out.clone(),
        ..shard
    }
}
