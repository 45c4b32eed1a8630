//! Following the list of changed records that OSV's bucket keeps beside each
//! dump (google.github.io/osv.dev/data, «Downloading recent changes»):
//! `ECOSYSTEM/modified_id.csv`, lines `TIME,ID`, the newest first, each record
//! at `ECOSYSTEM/ID.json`.
//!
//! Whatever makes no sense on the way leads back to the whole dump: a list that
//! is cut short, unsorted or behind, a record that is listed and not there, or
//! more changes than the dump would cost.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use jiff::{SignedDuration, Timestamp};

use seawall_model::in_full;

use crate::{
    UpdateError,
    build::{self, Closed},
    database::{IndexOverlay, IndexShard, map},
    facts::FactKind,
    feed,
    install::{install, is_sound},
    osv,
    published::is_worthwhile,
    shard::{self, About, Draft, Prose, Shard, base},
    table::Damage,
    update::Run,
};

/// Bytes of the list that are read: five thousand changes.
const LIST: u64 = 256 << 10;
/// Bytes of one record.
const RECORD: u64 = 16 << 20;
/// The list is read back so far beyond what was seen: records come into the
/// bucket some time after they were changed, and not in order.
const OVERLAP: SignedDuration = SignedDuration::from_hours(48);
/// Records that are fetched one by one: the most, and of those that are here
/// one in so many; always a few.
const MOST: usize = 1000;
const ONE_IN: usize = 10;
const ALWAYS: usize = 50;
/// The list does not say which records are gone: seconds until the dump is read
/// again as a whole.
const WHOLE_AGAIN: u64 = 7 * 24 * 60 * 60;
/// Records that are fetched at once.
const AT_ONCE: usize = 8;

/// The name of a dump.
pub(crate) fn dump_name(ecosystem: &str) -> String {
    format!("{ecosystem}/all.zip")
}

/// How far a dump follows the list: its newest change that is not of the
/// future, since a record with a wrong date would hide all others.
pub(crate) fn newest<'d>(drafts: impl Iterator<Item = &'d Draft>, now: u64) -> Option<String> {
    let now = Timestamp::from_second(i64::try_from(now).ok()?).ok()?;
    let times = drafts.filter_map(|draft| draft.modified().parse::<Timestamp>().ok());
    let newest = times.filter(|time| *time <= now).max()?;
    Some(newest.to_string())
}

/// Why the dump has to be read as a whole.
struct Whole(String);

impl<T: Into<String>> From<T> for Whole {
    fn from(why: T) -> Self {
        Whole(why.into())
    }
}

/// An ecosystem as it is now.
struct Changed {
    /// All records, sorted by id.
    drafts: Vec<Draft>,
    /// How far the list goes.
    until: Timestamp,
    /// How many records were fetched.
    fetched: usize,
}

/// What was changed since.
struct Changes {
    /// Ids with their times.
    records: Vec<(String, Timestamp)>,
    /// How far the list goes.
    until: Timestamp,
}

impl Run<'_> {
    /// Brings an ecosystem up to date by the list of changed records, where that
    /// can be and costs less; whether it did.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub(crate) fn follow(&mut self, ecosystem: &str) -> Result<bool, UpdateError> {
        let name = dump_name(ecosystem);
        let from = self.fetcher.name();
        let mut sources = self.old.sources.iter();
        let source = sources.find(|one| one.name == name && one.from == from);
        let Some((until, whole)) = source.and_then(|one| {
            let until: Timestamp = one.until.as_deref()?.parse().ok()?;
            Some((until, one.whole?))
        }) else {
            return Ok(false);
        };
        let now = self.request.now;
        // What was noted by a clock that was ahead says nothing.
        let is_known = whole <= now && until <= self.now() && now - whole <= WHOLE_AGAIN;
        if self.fetcher.dir().is_some() || !is_known || !self.is_of_dump(ecosystem) {
            return Ok(false);
        }
        match self.changed(ecosystem, until) {
            Ok(changed) => self.replace(ecosystem, &changed).map(|()| true),
            Err(Whole(why)) => {
                self.updated.details.push(format!("{name}: {why}"));
                Ok(false)
            }
        }
    }

    fn changed(&self, ecosystem: &str, until: Timestamp) -> Result<Changed, Whole> {
        let list = self.list(ecosystem, until)?;
        let mut drafts = self.restore(ecosystem)?;
        let is_here = |(id, time): &(String, Timestamp)| {
            let draft = drafts.get(id.as_str());
            draft.is_some_and(|draft| is_time(draft.modified(), *time))
        };
        let mut records = list.records;
        records.retain(|record| !is_here(record));
        records.sort();
        records.dedup_by(|a, b| a.0 == b.0);
        if records.len() > MOST.min((drafts.len() / ONE_IN).max(ALWAYS)) {
            return Err("too many records were changed".into());
        }
        let ids: Vec<&str> = records.iter().map(|(id, _)| id.as_str()).collect();
        for (id, fetched) in self.fetch_records(ecosystem, &ids)? {
            match fetched {
                Some(draft) => drop(drafts.insert(draft.id.clone(), draft)),
                None => drop(drafts.remove(id)),
            }
        }
        Ok(Changed {
            drafts: drafts.into_values().collect(),
            until: list.until,
            fetched: records.len(),
        })
    }

    /// The newest part of the list, back to some time before `until`.
    fn list(&self, ecosystem: &str, until: Timestamp) -> Result<Changes, Whole> {
        let name = format!("{ecosystem}/modified_id.csv");
        let head = self.fetcher.head(&name, LIST);
        let head = head.map_err(|error| in_full(&error))?;
        let head = head.ok_or("there is no list")?;
        let is_all = (head.len() as u64) < LIST;
        let text = String::from_utf8(head).map_err(|error| error.to_string())?;
        let back = until
            .checked_sub(OVERLAP)
            .map_err(|error| error.to_string())?;
        let mut records: Vec<(String, Timestamp)> = Vec::new();
        let (mut before, mut is_over) = (Timestamp::MAX, false);
        let mut lines = text.split('\n');
        // What follows the last line end is empty, or was cut.
        let rest = lines.next_back().unwrap_or_default();
        if is_all && !rest.is_empty() {
            return Err("the list ends in the middle of a line".into());
        }
        for line in lines {
            let line = line.trim_end_matches('\r');
            let (time, id) = line.split_once(',').ok_or("the list is none")?;
            let time: Timestamp = time.parse().map_err(|_| "the list has no times")?;
            // To the end of what was read: in a list that is not sorted changes
            // may stand anywhere.
            if time > before {
                return Err("the list is not sorted".into());
            }
            before = time;
            is_over |= time < back;
            if !is_over {
                if !is_id(id) {
                    return Err("the list has an id that is none".into());
                }
                records.push((id.to_owned(), time));
            }
        }
        if !is_over {
            return Err("the list ends before what is here".into());
        }
        if records.is_empty() {
            return Err("the list is behind what is here".into());
        }
        // By a date of the future, or by the clock instead of it, changes would
        // be passed over that come into the list later.
        let mut times = records.iter().map(|(_, time)| *time);
        let newest = times.find(|time| *time <= self.now());
        let until = newest.map_or(until, |newest| newest.max(until));
        Ok(Changes { records, until })
    }

    fn now(&self) -> Timestamp {
        let now = i64::try_from(self.request.now).unwrap_or(i64::MAX);
        Timestamp::from_second(now).unwrap_or(Timestamp::MAX)
    }

    /// The shards of an ecosystem that are here, but for those of feeds.
    fn shards_of(&self, ecosystem: &str) -> impl Iterator<Item = &IndexShard> {
        self.old.shards.iter().filter(move |one| {
            base(&one.name) == ecosystem
                && FactKind::of_shard(&one.name).is_none()
                && feed::of_shard(&one.name).is_none()
        })
    }

    /// Whether all that is here of an ecosystem came from its dump and is as it
    /// was installed. Else what was noted of the dump is not about it.
    pub(crate) fn is_of_dump(&self, ecosystem: &str) -> bool {
        let name = dump_name(ecosystem);
        let mut shards = self.shards_of(ecosystem);
        shards.all(|one| one.source == name && is_sound(self.request.dir, one))
    }

    /// The records that are here, as they were read.
    fn restore(&self, ecosystem: &str) -> Result<BTreeMap<Box<str>, Draft>, Whole> {
        let damaged = |Damage(why)| Whole(why);
        let mut drafts: BTreeMap<Box<str>, Draft> = BTreeMap::new();
        for entry in self.shards_of(ecosystem) {
            let shard = self.open(entry)?;
            let mut before = None;
            for form in shard.forms().map_err(damaged)? {
                if before == Some(form.id) {
                    return Err("two records have the same id".into());
                }
                before = Some(form.id);
                match drafts.get_mut(form.id) {
                    Some(draft) => draft.add(&entry.name, &form),
                    None => {
                        let draft = Draft::restore(&entry.name, &form).map_err(damaged)?;
                        let draft = draft.ok_or("own aliases are not known")?;
                        drafts.insert(form.id.into(), draft);
                    }
                }
            }
        }
        match drafts.is_empty() {
            true => Err("nothing is here".into()),
            false => Ok(drafts),
        }
    }

    fn open(&self, entry: &IndexShard) -> Result<Shard, Whole> {
        let dir = self.request.dir;
        let opening = |error| Whole(in_full(&error));
        let base = map(dir, &entry.file, entry.bytes).map_err(opening)?;
        let overlay = entry.overlay.as_ref();
        let overlay = overlay.map(|one| map(dir, &one.file, one.bytes));
        let overlay = overlay.transpose().map_err(opening)?;
        Shard::open(base, overlay).map_err(|Damage(why)| Whole(why))
    }

    /// Records by their ids, and what they say of the ecosystem.
    fn fetch_records<'i>(
        &self,
        ecosystem: &str,
        ids: &[&'i str],
    ) -> Result<Vec<(&'i str, Option<Draft>)>, Whole> {
        let one = |id: &'i str| -> Result<(&'i str, Option<Draft>), Whole> {
            let name = format!("{ecosystem}/{id}.json");
            let bytes = self.fetcher.bytes(&name, RECORD);
            let bytes = bytes.map_err(|error| in_full(&error))?;
            let bytes = bytes.ok_or("a record is listed and not there")?;
            let record = osv::parse(&bytes).map_err(|error| error.to_string())?;
            if record.id != id {
                return Err("a record has another id than it is listed with".into());
            }
            Ok((id, Draft::new(&record, ecosystem, Prose::Kept)))
        };
        let (next, fetched) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(ids.len()) {
                scope.spawn(|| {
                    while let Some(id) = ids.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let done = one(id);
                        if done.is_err() {
                            next.store(ids.len(), Ordering::Relaxed);
                        }
                        if let Ok(mut fetched) = fetched.lock() {
                            fetched.push(done);
                        }
                    }
                });
            }
        });
        fetched
            .into_inner()
            .unwrap_or_default()
            .into_iter()
            .collect()
    }

    /// Makes the shards of an ecosystem those of these records: each an overlay
    /// over the base that is here, or whole where that is no saving.
    fn replace(&mut self, ecosystem: &str, changed: &Changed) -> Result<(), UpdateError> {
        let name = dump_name(ecosystem);
        if changed.fetched == 0 {
            self.updated.unchanged.push(ecosystem.to_owned());
        } else {
            let aliases = build::closed_aliases(&changed.drafts);
            let mut made = Vec::new();
            for (shard, own) in shard::split(&changed.drafts) {
                let here = self.shards_of(ecosystem).find(|one| one.name == shard);
                let overlaid = here.and_then(|here| self.lay_over(here, &name, &own, &aliases));
                made.push(match overlaid.transpose()? {
                    Some(shard) => shard,
                    None => {
                        let (bytes, about) = shard::build(shard, &own, &aliases);
                        described(install(self.request.dir, shard, &bytes)?, about, &name)
                    }
                });
            }
            let old: Vec<String> = self
                .shards_of(ecosystem)
                .map(|one| one.name.clone())
                .collect();
            self.index.shards.retain(|one| !old.contains(&one.name));
            self.index.shards.extend(made);
            self.updated.built.push(ecosystem.to_owned());
            self.updated.records += changed.fetched;
        }
        let checked = self.checked();
        for source in self.index.sources.iter_mut().filter(|one| one.name == name) {
            source.checked = checked;
            source.until = Some(changed.until.to_string());
        }
        Ok(())
    }

    /// The shard over its base; `None` where that is no saving, or the base
    /// cannot be read.
    fn lay_over(
        &self,
        here: &IndexShard,
        source: &str,
        drafts: &[&Draft],
        aliases: &Closed<'_>,
    ) -> Option<Result<IndexShard, UpdateError>> {
        let name = &here.name;
        let base = map(self.request.dir, &here.file, here.bytes).ok()?;
        let base = Shard::open(base, None).ok()?;
        let (old, new) = (base.forms().ok()?, shard::forms(name, drafts, aliases));
        let new: Vec<shard::Form<'_>> = new.collect();
        let bare = IndexShard {
            overlay: None,
            ..here.clone()
        };
        let Some((bytes, about)) = shard::write_overlay(&old, &new) else {
            return Some(Ok(described(bare, base.about, source)));
        };
        if !is_worthwhile(bytes.len() as u64, here.bytes) {
            return None;
        }
        let installed = install(self.request.dir, name, &bytes);
        Some(installed.map(|installed| {
            let overlay = IndexOverlay {
                file: installed.file,
                sha256: installed.sha256,
                bytes: installed.bytes,
                whole: None,
            };
            let shard = IndexShard {
                overlay: Some(overlay),
                ..bare
            };
            described(shard, about, source)
        }))
    }
}

fn described(shard: IndexShard, about: About, source: &str) -> IndexShard {
    IndexShard {
        newest: about.newest,
        records: about.records,
        packages: about.packages,
        source: source.to_owned(),
        ..shard
    }
}

/// Whether a record's own time is the one of the list, which may leave out
/// fractions of a second.
fn is_time(own: &str, listed: Timestamp) -> bool {
    own.parse::<Timestamp>().is_ok_and(|own| {
        let is_whole = |time: Timestamp| time.subsec_nanosecond() == 0;
        own == listed
            || ((is_whole(own) || is_whole(listed)) && own.as_second() == listed.as_second())
    })
}

/// Whether an id can be a part of an address.
fn is_id(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=120).contains(&id.len()) && !id.starts_with('.') && id.bytes().all(is_plain)
}
