//! Bringing a database up to date.
//!
//! New shards are written under names of their own; the index that names them
//! replaces the old one by a rename. Whatever happens before that leaves the
//! old database whole, and readers that have the old index in mind still find
//! its files.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

use seawall_model::in_full;

use crate::{
    PublicKey, UpdateError,
    build::{self, Dump},
    database::{Index, IndexShard, IndexSource, read_index},
    facts::{FactKind, Gathered},
    feed::{
        self,
        update::{Brought, FeedChoice},
    },
    fetch::{FetchError, FetchProgress, Fetched, Fetcher, From},
    follow::{self, dump_name},
    install::{collect_garbage, install, is_sound, write_index},
    shard::{Prose, base},
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
    /// Feeds to bring up to date, beside those that are there already or lie
    /// in `feeds` of the folder.
    pub feeds: Vec<FeedChoice>,
    /// Whose signature counts; with one only a signed index does.
    pub key: Option<PublicKey>,
    /// Seconds since 1970, kept as the time of the question.
    pub now: u64,
    /// How long a server may be silent; `PATIENCE` unless somebody waits.
    pub patience: Duration,
    /// Who is told how much was fetched.
    pub progress: &'a dyn FetchProgress,
}

/// What an update did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updated {
    /// Ecosystems and feeds that were built anew, sorted.
    pub built: Vec<String>,
    /// Ecosystems and feeds that had not changed, sorted.
    pub unchanged: Vec<String>,
    /// Records in what was built.
    pub records: usize,
    /// What could not be read: `ECOSYSTEM/ENTRY: reason` for entries that are no
    /// records, `FEED: reason` for feeds, `FILE:LINE: reason` or `FILE: reason` for facts. Facts that were
    /// there before stay where their file could not be read at all.
    pub refused: Vec<String>,
    /// Facts that are not where the advisories come from. What was known of
    /// them before stays.
    pub missing: Vec<FactKind>,
    /// What was asked for and is not published.
    pub absent: Vec<String>,
    /// Where another way was gone than the short one because something is not
    /// as it should be.
    pub fallbacks: Vec<String>,
    /// Why dumps were read as a whole.
    pub details: Vec<String>,
}

/// Brings the database up to date.
///
/// One ecosystem after the other is read, built and written, so that no more
/// than one is in memory; nothing of it counts before the index names it.
///
/// # Errors
/// When advisories could not be fetched, read or written; the old database
/// stays. Facts that could not be are told in [`Updated::refused`].
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
    let from = request.from.clone();
    let mut run = Run {
        fetcher: Fetcher::new(from, dir, request.patience, request.progress),
        request,
        index: Index {
            previous: old
                .shards
                .iter()
                .flat_map(IndexShard::files)
                .map(str::to_owned)
                .collect(),
            ..old.clone()
        },
        old: &old,
        updated: Updated::default(),
    };
    let done = run.all().and_then(|()| write_index(dir, &run.index));
    // Of a run that failed nothing stays either. Which index is there then is
    // only known by a look: what fails last may fail after the rename.
    if let Ok(live) = read_index(dir) {
        collect_garbage(dir, &live.unwrap_or_default());
    }
    done.map(|()| run.updated)
}

/// One update on its way from the old index to the new one.
pub(crate) struct Run<'a> {
    pub(crate) request: &'a UpdateRequest<'a>,
    pub(crate) fetcher: Fetcher<'a>,
    pub(crate) old: &'a Index,
    pub(crate) index: Index,
    pub(crate) updated: Updated,
}

impl Run<'_> {
    fn all(&mut self) -> Result<(), UpdateError> {
        let mut feeds = feed::update::wanted(self.request, self.old)?;
        if self.published()? {
            // What somebody published holds what he chose of feeds; those that
            // are named come on top.
            let named = |feed: &feed::Feed| {
                let mut choices = self.request.feeds.iter();
                choices.any(|choice| choice.name == feed.name)
            };
            feeds.retain(|(feed, _)| named(feed));
            self.feeds(feeds)?;
        } else {
            for ecosystem in self.ecosystems(!feeds.is_empty())? {
                self.ecosystem(&ecosystem)?;
            }
            self.feeds(feeds)?;
            for kind in FactKind::ALL {
                self.facts(kind)?;
            }
        }
        self.index.shards.sort_by(|a, b| a.name.cmp(&b.name));
        self.index.sources.sort_by(|a, b| a.name.cmp(&b.name));
        self.updated.built.sort();
        self.updated.unchanged.sort();
        Ok(())
    }

    /// The ecosystems whose dumps are to be read. There may be none where there
    /// are feeds.
    fn ecosystems(&self, has_feeds: bool) -> Result<BTreeSet<String>, UpdateError> {
        let asked = self.request.ecosystems.iter();
        let mut wanted: BTreeSet<String> = asked.map(|one| base(one).to_owned()).collect();
        if wanted.is_empty() {
            match self.fetcher.dir() {
                Some(dir) => wanted.extend(folders(dir)?),
                None => wanted.extend(self.old.shards.iter().filter_map(|shard| {
                    let is_facts = FactKind::of_shard(&shard.name).is_some();
                    let is_feed = feed::of_shard(&shard.name).is_some();
                    (!is_facts && !is_feed).then(|| base(&shard.name).to_owned())
                })),
            }
        }
        wanted.retain(|ecosystem| !feed::is_alone(ecosystem));
        if wanted.is_empty() && !has_feeds {
            return Err(UpdateError::Nothing(self.fetcher.name()));
        }
        Ok(wanted)
    }

    /// The entity tag of a file that was fetched from the same place.
    fn etag(&self, name: &str) -> Option<&str> {
        let from = self.fetcher.name();
        let mut sources = self.old.sources.iter();
        let known = sources.find(|one| one.name == name && one.from == from)?;
        known.etag.as_deref()
    }

    /// Only what was asked over a network goes stale by itself.
    pub(crate) fn checked(&self) -> u64 {
        match self.fetcher.dir() {
            Some(_) => 0,
            None => self.request.now,
        }
    }

    fn asked(&mut self, name: &str, etag: Option<String>) {
        self.index.sources.retain(|one| one.name != name);
        self.index.sources.push(IndexSource {
            name: name.to_owned(),
            from: self.fetcher.name(),
            etag,
            checked: self.checked(),
            read: self.request.now,
            ..IndexSource::default()
        });
    }

    fn until(&self, name: &str) -> Option<String> {
        let mut sources = self.old.sources.iter();
        sources.find(|one| one.name == name)?.until.clone()
    }

    /// Notes that a dump was read as a whole just now, and how far it goes.
    fn follows(&mut self, name: &str, until: Option<&str>) {
        for source in self.index.sources.iter_mut().filter(|one| one.name == name) {
            source.until = until.map(str::to_owned);
            source.whole = Some(self.request.now);
        }
    }

    fn ecosystem(&mut self, ecosystem: &str) -> Result<(), UpdateError> {
        if self.follow(ecosystem)? {
            return Ok(());
        }
        let name = dump_name(ecosystem);
        let from = self.fetcher.name();
        let etag = self.etag(&name).filter(|_| self.is_of_dump(ecosystem));
        let etag = etag.map(str::to_owned);
        let fetched = self.fetcher.dump(&name, etag.as_deref())?;
        let fetched = fetched.ok_or_else(|| UpdateError::NoDump {
            ecosystem: ecosystem.to_owned(),
            from: from.clone(),
        })?;
        let (file, etag) = match fetched {
            Fetched::New { file, etag } => (file, etag),
            Fetched::Same => {
                self.updated.unchanged.push(ecosystem.to_owned());
                let until = self.until(&name);
                self.asked(&name, etag);
                self.follows(&name, until.as_deref());
                return Ok(());
            }
        };
        let dump = build::read_dump(file, ecosystem, Prose::Kept).map_err(|reason| {
            UpdateError::Damaged {
                name: name.clone(),
                from,
                reason,
            }
        })?;
        let Dump {
            records, refused, ..
        } = &dump;
        self.updated.records += records;
        let refused = refused
            .iter()
            .map(|(entry, why)| format!("{ecosystem}/{entry}: {why}"));
        self.updated.refused.extend(refused);
        // Those that came from another place too.
        self.index.shards.retain(|shard| {
            let is_osv =
                FactKind::of_shard(&shard.name).is_none() && feed::of_shard(&shard.name).is_none();
            !is_osv || base(&shard.name) != ecosystem
        });
        let shards = build::build_shards(&dump);
        let until = follow::newest(dump.drafts.iter(), self.request.now);
        drop(dump);
        for (shard, (bytes, about)) in shards {
            let installed = IndexShard {
                newest: about.newest,
                records: about.records,
                packages: about.packages,
                source: name.clone(),
                ..install(self.request.dir, &shard, &bytes)?
            };
            self.index.shards.push(installed);
        }
        self.updated.built.push(ecosystem.to_owned());
        self.asked(&name, etag);
        self.follows(&name, until.as_deref());
        Ok(())
    }

    fn feeds(&mut self, feeds: Vec<(&'static feed::Feed, From)>) -> Result<(), UpdateError> {
        feeds
            .into_iter()
            .try_for_each(|(feed, from)| self.feed(feed, from))
    }

    /// Builds the shards of a feed. What cannot be had leaves what was known.
    fn feed(&mut self, feed: &'static feed::Feed, from: From) -> Result<(), UpdateError> {
        let name = feed.name;
        match feed::update::bring(self.request, feed, from, self.old, &mut self.index)? {
            Brought::Built { records, refused } => {
                self.updated.built.push(name.to_owned());
                self.updated.records += records;
                let refused = refused.into_iter().map(|why| format!("{name}: {why}"));
                self.updated.refused.extend(refused);
            }
            Brought::Unchanged => self.updated.unchanged.push(name.to_owned()),
            Brought::Failed(why) => self.updated.refused.push(format!("{name}: {why}")),
        }
        Ok(())
    }

    /// Builds the shard of a kind of facts. No advisory depends on them, so
    /// that a file which cannot be had leaves what was known of them.
    fn facts(&mut self, kind: FactKind) -> Result<(), UpdateError> {
        let mut old = self.old.shards.iter();
        let old = old.find(|shard| shard.name == kind.shard());
        let had = old.is_some();
        let from = self.fetcher.name();
        let is_own = old.is_some_and(|shard| {
            let mut sources = self.old.sources.iter();
            let source = sources.find(|one| one.name == shard.source);
            source.is_some_and(|one| one.from == from && one.signed.is_none())
                && is_sound(self.request.dir, shard)
        });
        let mut gathered = Gathered::new(kind);
        // Fetched anew, found unchanged.
        let (mut new, mut same) = (Vec::new(), Vec::new());
        let mut is_whole = true;
        for name in self.fact_files(kind) {
            let etag = self.etag(&name).filter(|_| is_own).map(str::to_owned);
            match self.fetcher.facts(&name, etag.as_deref()) {
                Ok(None) => continue,
                Ok(Some(Fetched::Same)) => same.push((name, etag)),
                Ok(Some(Fetched::New { file, etag })) => {
                    gathered.add(&name, file);
                    new.push((name, etag));
                }
                Err(error) => {
                    self.updated
                        .refused
                        .push(format!("{name}: {}", in_full(&error)));
                    is_whole = false;
                }
            }
            if kind != FactKind::Cvss {
                break;
            }
        }
        // A shard is made of all of its files or of none.
        if !new.is_empty() {
            for (name, _) in std::mem::take(&mut same) {
                match self.fetcher.facts(&name, None) {
                    Ok(Some(Fetched::New { file, etag })) => {
                        gathered.add(&name, file);
                        new.push((name, etag));
                    }
                    Ok(_) => is_whole = false,
                    Err(error) => {
                        self.updated
                            .refused
                            .push(format!("{name}: {}", in_full(&error)));
                        is_whole = false;
                    }
                }
            }
        }
        for (folder, name) in self.fact_folders(kind) {
            gathered.add_folder(&folder, &name);
            new.push((name, None));
        }
        if new.is_empty() && same.is_empty() && is_whole {
            self.updated.missing.push(kind);
        }
        self.updated.refused.append(&mut gathered.refused);
        is_whole &= gathered.is_whole;
        let source = new.first().map(|(name, _)| name.clone());
        let built = gathered.finish().filter(|_| is_whole || !had);
        if let (Some((bytes, newest)), Some(source)) = (built, source) {
            let installed = IndexShard {
                newest,
                source,
                ..install(self.request.dir, kind.shard(), &bytes)?
            };
            self.index.shards.retain(|shard| shard.name != kind.shard());
            self.index.shards.push(installed);
            for (name, etag) in new {
                // What is only half there has to be asked for again.
                self.asked(&name, etag.filter(|_| is_whole));
            }
        }
        for (name, etag) in same {
            self.asked(&name, etag);
        }
        Ok(())
    }

    /// Names under which facts of a kind may be found.
    fn fact_files(&self, kind: FactKind) -> Vec<String> {
        let mut names: Vec<String> = kind.files().iter().map(|name| (*name).to_owned()).collect();
        let more = self.beside().filter(|name| kind.is_file(name));
        let mut more: Vec<String> = more.filter(|name| !names.contains(name)).collect();
        // Of files by date the newest.
        more.sort_by(|a, b| b.cmp(a));
        names.extend(more);
        // A place that can be listed is not asked for what it does not have.
        if let Some(dir) = self.fetcher.dir() {
            names.retain(|name| dir.join(name).exists());
        }
        names
    }

    fn fact_folders(&self, kind: FactKind) -> Vec<(PathBuf, String)> {
        let Some(dir) = self.fetcher.dir() else {
            return Vec::new();
        };
        let names = self.beside().filter(|name| kind.is_folder(name));
        let mut folders: Vec<(PathBuf, String)> = names
            .map(|name| (dir.join(&name), name))
            .filter(|(path, _)| path.is_dir())
            .collect();
        folders.sort();
        folders
    }

    /// What lies beside the dumps, where that can be seen.
    fn beside(&self) -> impl Iterator<Item = String> {
        let entries = self.fetcher.dir().and_then(|dir| fs::read_dir(dir).ok());
        let entries = entries.into_iter().flatten();
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok())
    }
}

/// Folders with an `all.zip`.
pub(crate) fn folders(dir: &Path) -> Result<BTreeSet<String>, FetchError> {
    let reading = |cause| FetchError::Read {
        path: dir.to_owned(),
        cause,
    };
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(dir).map_err(reading)? {
        let entry = entry.map_err(reading)?;
        if entry.path().join("all.zip").is_file() {
            found.extend(entry.file_name().into_string().ok());
        }
    }
    Ok(found)
}
