//! Bringing feeds up to date: each by itself, and one that cannot be had
//! leaves what was known of it.

use std::{fs::File, path::Path};

use super::{Collector, Feed, Input, Layout, by_name, shard};
use seawall_model::in_full;

use crate::{
    UpdateError, UpdateRequest, build,
    database::{Index, IndexShard, IndexSource},
    facts::FactKind,
    fetch::{Fetched, Fetcher, From},
    install::{install, is_sound},
    shard::base,
};

/// The folder beside the dumps in which feeds lie, each under its name.
const FOLDER: &str = "feeds";

/// Seconds.
const DAY: u64 = 24 * 60 * 60;

/// A feed that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedChoice {
    /// Its name.
    pub name: String,
    /// The folder or the address; `None` for the place that it came from
    /// before, else the publisher's.
    pub from: Option<From>,
}

impl FeedChoice {
    /// Understands what a user writes: `NAME` or `NAME=DIR|URL`.
    pub fn parse(text: &str) -> Self {
        match text.split_once('=') {
            Some((name, from)) => FeedChoice {
                name: name.trim().to_owned(),
                from: Some(From::parse(from.trim())),
            },
            None => FeedChoice {
                name: text.trim().to_owned(),
                from: None,
            },
        }
    }
}

/// What came of one feed.
pub(crate) enum Brought {
    /// Built anew, of so many records.
    Built {
        records: usize,
        refused: Vec<String>,
    },
    /// Its files had not changed.
    Unchanged,
    /// It could not be had; what was known of it stays.
    Failed(String),
}

/// The name of a feed's source in the index.
fn source(feed: &Feed) -> String {
    format!("{FOLDER}/{}", feed.name)
}

/// The feeds to bring up to date, each with its place, in the order of the
/// table.
///
/// # Errors
/// When a feed is asked for that nobody knows.
pub(crate) fn wanted(
    request: &UpdateRequest<'_>,
    old: &Index,
) -> Result<Vec<(&'static Feed, From)>, UpdateError> {
    let known = |choice: &FeedChoice| {
        by_name(&choice.name).ok_or_else(|| UpdateError::NoFeed {
            name: choice.name.clone(),
            known: super::feeds().iter().map(|feed| feed.name).collect(),
        })
    };
    for choice in &request.feeds {
        known(choice)?;
    }
    let asked: Vec<&str> = request.ecosystems.iter().map(|one| base(one)).collect();
    let mut wanted = Vec::new();
    for feed in super::all() {
        let choice = request.feeds.iter().find(|one| one.name == feed.name);
        let before = old.sources.iter().find(|one| one.name == source(feed));
        let before = || before.map(|one| From::parse(&one.from));
        let beside = match &request.from {
            From::Dir(dir) => Some(dir.join(FOLDER).join(feed.name)).filter(|dir| dir.is_dir()),
            From::Url(_) => None,
        };
        let public = || From::Url(feed.address.to_owned());
        let place = match choice {
            Some(FeedChoice {
                from: Some(from), ..
            }) => Some(from.clone()),
            Some(_) => beside
                .map(From::Dir)
                .or_else(before)
                .or_else(|| Some(public())),
            // Those that lie beside the dumps are built as the dumps are; those
            // that are known are asked for again where they came from, with the
            // ecosystems that they speak of: what a feed says is believed before
            // OSV's records, so that it must not grow old in silence. They are
            // fetched at first where nothing else serves.
            None => {
                // Facts are for all ecosystems, once a day.
                let is_due = || {
                    old.sources
                        .iter()
                        .all(|one| one.name != source(feed) || one.checked + DAY < request.now)
                };
                let is_asked = asked.is_empty()
                    || feed.ecosystems.iter().any(|name| asked.contains(name))
                    || (feed.ecosystems.is_empty() && is_due());
                let is_alone = !feed.beside_osv && !feed.ecosystems.is_empty();
                let needed = || (is_alone && !asked.is_empty()).then(public);
                is_asked
                    .then(|| beside.map(From::Dir).or_else(before).or_else(needed))
                    .flatten()
            }
        };
        wanted.extend(place.map(|place| (feed.to_owned(), place)));
    }
    Ok(wanted)
}

/// Brings one feed up to date in `index`.
///
/// # Errors
/// When the database cannot be written.
pub(crate) fn bring(
    request: &UpdateRequest<'_>,
    feed: &'static Feed,
    from: From,
    old: &Index,
    index: &mut Index,
) -> Result<Brought, UpdateError> {
    let (from, only) = split(from);
    let fetcher = Fetcher::new(from, request.dir, request.patience, request.progress);
    let layout = Layout::new(&fetcher, only, request.now);
    let place = fetcher.name();
    // Only what was asked over a network goes stale by itself.
    let now = match fetcher.dir() {
        Some(_) => 0,
        None => request.now,
    };
    let mut collector = Collector::new(feed);
    let asked = Asked {
        feed,
        layout: &layout,
        place: &place,
        old,
        dir: request.dir,
    };
    let sources = match asked.read(&mut collector) {
        Ok(Some(sources)) => sources,
        Ok(None) => {
            for source in &mut index.sources {
                if source.name == self::source(feed) || is_file_of(feed, &source.name) {
                    source.checked = now;
                    source.read = request.now;
                }
            }
            return Ok(Brought::Unchanged);
        }
        Err(why) => return Ok(Brought::Failed(why)),
    };
    let records = collector.records();
    let (refused, left_out) = (collector.refused(), collector.left_out());
    if collector.is_empty() {
        let why = refused.first().cloned();
        return Ok(Brought::Failed(
            why.unwrap_or_else(|| format!("there is no record in `{place}`")),
        ));
    }
    let name = source(feed);
    let mut shards = Vec::new();
    for drafts in collector.drafts().values() {
        for (release, (bytes, about)) in build::shards_of(drafts) {
            shards.push(IndexShard {
                newest: about.newest,
                records: about.records,
                packages: about.packages,
                source: name.clone(),
                left_out: left_out.clone(),
                ..install(request.dir, &shard(&release, feed), &bytes)?
            });
        }
    }
    if let Some(bytes) = collector.vectors() {
        shards.push(IndexShard {
            source: name.clone(),
            left_out: left_out.clone(),
            ..install(request.dir, &shard(FactKind::Cvss.shard(), feed), &bytes)?
        });
    }
    // Those that came from another place too.
    index
        .shards
        .retain(|shard| super::of_shard(&shard.name) != Some(feed.name));
    index.shards.extend(shards);
    index
        .sources
        .retain(|source| source.name != name && !is_file_of(feed, &source.name));
    let whole = std::iter::once((name, None));
    let files = sources
        .into_iter()
        .filter(|(_, etag)| etag.is_some())
        .map(|(file, etag)| (file_source(feed, &file), etag));
    index
        .sources
        .extend(whole.chain(files).map(|(name, etag)| IndexSource {
            name,
            from: place.clone(),
            etag,
            checked: now,
            read: request.now,
            ..IndexSource::default()
        }));
    Ok(Brought::Built { records, refused })
}

/// A file that was named instead of its folder is the only one.
fn split(from: From) -> (From, Option<String>) {
    if let From::Dir(path) = &from
        && path.is_file()
        && let Some(name) = path.file_name().and_then(|name| name.to_str())
    {
        let folder = path.parent().unwrap_or(Path::new(""));
        return (From::Dir(folder.to_owned()), Some(name.to_owned()));
    }
    (from, None)
}

/// The name of one file of a feed in the index.
fn file_source(feed: &Feed, file: &str) -> String {
    format!("{}/{file}", source(feed))
}

fn is_file_of(feed: &Feed, name: &str) -> bool {
    let rest = name
        .strip_prefix(FOLDER)
        .and_then(|rest| rest.strip_prefix('/'));
    rest.and_then(|rest| rest.strip_prefix(feed.name))
        .is_some_and(|rest| rest.starts_with('/'))
}

/// One feed in one place.
struct Asked<'a> {
    feed: &'static Feed,
    layout: &'a Layout<'a>,
    place: &'a str,
    old: &'a Index,
    /// The database's folder.
    dir: &'a Path,
}

/// The files that were read, with their entity tags.
type Sources = Vec<(String, Option<String>)>;

impl Asked<'_> {
    /// Reads all files, or none when nothing changed. A shard is made of all
    /// files of its feed, so that those which did not change are fetched too
    /// where another did.
    fn read(&self, collector: &mut Collector) -> Result<Option<Sources>, String> {
        let names = match self.layout.only() {
            Some(only) => vec![only.to_owned()],
            None => (self.feed.files)(self.layout)?,
        };
        if names.is_empty() {
            return Err(format!("there is no file of the feed in `{}`", self.place));
        }
        let mut sources = Vec::new();
        let mut missing = Vec::new();
        // Files are read in the feed's order, one at a time: a file that is the
        // same waits by its name for one that is not, and is asked for again.
        let mut same: Vec<&String> = Vec::new();
        let mut is_new = false;
        for name in &names {
            let known = self.etag(name).filter(|_| !is_new);
            match self.fetch(name, known.as_deref())? {
                Some(Fetched::New { file, etag }) => {
                    is_new = true;
                    for name in std::mem::take(&mut same) {
                        self.again(name, &mut sources, collector)?;
                    }
                    sources.push((name.clone(), etag));
                    self.take(name, file, collector)?;
                }
                Some(Fetched::Same) => same.push(name),
                None => missing.push(name),
            }
        }
        if let Some(first) = missing.first() {
            // Publishers list what they do not have yet; a feed without any of
            // its files is none.
            if missing.len() == names.len() {
                return Err(format!("there is no `{first}` in `{}`", self.place));
            }
            let count = missing.len();
            collector.leave_out(format!(
                "{count} of its files were not there, the first is `{first}`"
            ));
        }
        if !is_new {
            return Ok(None);
        }
        Ok(Some(sources))
    }

    /// Reads a file that the server has just said to be the same.
    fn again(
        &self,
        name: &str,
        sources: &mut Sources,
        collector: &mut Collector,
    ) -> Result<(), String> {
        let Some(Fetched::New { file, etag }) = self.fetch(name, None)? else {
            return Err(format!("`{name}` went away in `{}`", self.place));
        };
        sources.push((name.to_owned(), etag));
        self.take(name, file, collector)
    }

    fn fetch(&self, name: &str, etag: Option<&str>) -> Result<Option<Fetched>, String> {
        self.layout
            .fetch(name, etag)
            .map_err(|error| in_full(&error))
    }

    fn take(&self, name: &str, file: File, collector: &mut Collector) -> Result<(), String> {
        let read = (self.feed.read)(Input::new(name, file), collector);
        read.map_err(|why| format!("{name}: {why}"))
    }

    /// The entity tag of a file that was read from the same place, while the
    /// shards that were made of it are there.
    fn etag(&self, file: &str) -> Option<String> {
        let whole = source(self.feed);
        let shards = self.old.shards.iter();
        let mut own = shards
            .filter(|shard| super::of_shard(&shard.name) == Some(self.feed.name))
            .peekable();
        own.peek()?;
        if !own.all(|shard| shard.source == whole && is_sound(self.dir, shard)) {
            return None;
        }
        let name = file_source(self.feed, file);
        let mut sources = self.old.sources.iter();
        let known = sources.find(|one| one.name == name && one.from == self.place)?;
        known.etag.clone()
    }
}
