//! Records on their way into shards, and back out of them.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use super::{About, Form, FormEntry, MALICIOUS, base, write};
use crate::{
    RecordKind,
    osv::{OsvAffected, OsvRecord},
    table::{Cursor, Damage, Value},
};

/// Whether the prose of a record goes into a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prose {
    Kept,
    LeftOut,
}

/// A record written out, but for what depends on other records: its closed
/// aliases, and where it comes to lie. A tenth of the size of the JSON that it
/// was, so that all records of an ecosystem can wait for one another in memory.
pub(crate) struct Draft {
    pub(crate) id: Box<str>,
    pub(crate) aliases: Box<[Box<str>]>,
    upstream: Box<[Box<str>]>,
    /// When it was last touched, RFC 3339, or empty.
    date: Box<str>,
    has_cvss: bool,
    prose: Prose,
    /// The value of the record; the closed aliases belong between its halves.
    before_aliases: Box<[u8]>,
    behind_aliases: Box<[u8]>,
    /// Entries by the name of their shard.
    entries: Vec<(Box<str>, Vec<DraftEntry>)>,
}

/// An `affected` entry written out, but for the handle of its record.
struct DraftEntry {
    /// As the scheme of the ecosystem normalises it.
    name: Box<str>,
    /// An advisory of its own, or empty.
    advisory: Box<str>,
    value: Box<[u8]>,
}

impl Draft {
    /// Writes out what `record` says of `ecosystem` (`Debian`, with all its
    /// releases); `None` when that is nothing.
    pub(crate) fn new(record: &OsvRecord, ecosystem: &str, prose: Prose) -> Option<Self> {
        let suffix = if record.kind == RecordKind::Malicious {
            MALICIOUS
        } else {
            ""
        };
        let mut entries: Vec<(Box<str>, Vec<DraftEntry>)> = Vec::new();
        for entry in &record.affected {
            if base(&entry.ecosystem) != ecosystem {
                continue;
            }
            let normal = seawall_versions::by_osv(&entry.ecosystem)
                .map(|scheme| (scheme.normalise_name)(&entry.name));
            let draft = DraftEntry {
                name: normal.as_deref().unwrap_or(&entry.name).into(),
                advisory: entry.advisory.as_str().into(),
                value: write_entry(entry).into(),
            };
            let is_it = |shard: &str| shard.strip_suffix(suffix) == Some(&entry.ecosystem);
            match entries.iter_mut().find(|(shard, _)| is_it(shard)) {
                Some((_, own)) => own.push(draft),
                None => {
                    let shard = format!("{}{suffix}", entry.ecosystem);
                    entries.push((shard.into(), vec![draft]));
                }
            }
        }
        if entries.is_empty() {
            return None;
        }
        let (before_aliases, behind_aliases) = write_record(record, prose);
        let boxed = |ids: &[String]| ids.iter().map(|id| id.as_str().into()).collect();
        Some(Draft {
            id: record.id.as_str().into(),
            aliases: boxed(&record.aliases),
            upstream: boxed(&record.upstream),
            date: record.modified.as_str().max(&record.published).into(),
            has_cvss: !record.cvss.is_empty(),
            prose,
            before_aliases: before_aliases.into(),
            behind_aliases: behind_aliases.into(),
            entries,
        })
    }

    /// A record as it was read, out of the shard `name`; `None` when that does
    /// not hold which aliases are its own.
    pub(crate) fn restore(name: &str, form: &Form<'_>) -> Result<Option<Self>, Damage> {
        let value = &*form.record;
        let mut cursor = Cursor(value);
        let at = |cursor: &Cursor<'_>| value.len() - cursor.0.len();
        for _ in 0..2 {
            cursor.number()?;
        }
        for _ in 0..5 {
            cursor.text()?;
        }
        let before = at(&cursor);
        let closed = cursor.texts()?;
        let behind = at(&cursor);
        let upstream = cursor.texts()?;
        for _ in 0..2 {
            cursor.texts()?;
        }
        let end = at(&cursor);
        if cursor.0.is_empty() {
            return Ok(None);
        }
        let mut aliases = Vec::new();
        for _ in 0..cursor.count()? {
            let own = closed.get(cursor.count()?);
            let own = own.ok_or_else(|| Damage("an alias lies outside of it".to_owned()))?;
            aliases.push((*own).into());
        }
        let piece = |range: std::ops::Range<usize>| value.get(range).unwrap_or_default();
        let mut draft = Draft {
            id: form.id.into(),
            aliases: aliases.into(),
            upstream: upstream.into_iter().map(Box::from).collect(),
            date: form.date.into(),
            has_cvss: form.has_cvss,
            prose: Prose::Kept,
            before_aliases: piece(0..before).into(),
            behind_aliases: piece(behind..end).into(),
            entries: Vec::new(),
        };
        draft.add(name, form);
        Ok(Some(draft))
    }

    /// Adds what the shard `name` has of the same record.
    pub(crate) fn add(&mut self, name: &str, form: &Form<'_>) {
        let entries = form.entries.iter().map(|entry| DraftEntry {
            name: entry.name.into(),
            advisory: entry.advisory.into(),
            value: entry.value.into(),
        });
        self.entries.push((name.into(), entries.collect()));
    }

    /// When the record was changed, as it says itself, RFC 3339; or empty.
    pub(crate) fn modified(&self) -> &str {
        let mut cursor = Cursor(&self.before_aliases);
        let mut read = || -> Result<&str, Damage> {
            for _ in 0..2 {
                cursor.number()?;
            }
            for _ in 0..2 {
                cursor.text()?;
            }
            cursor.text()
        };
        // We wrote it, or its block was checked.
        read().unwrap_or_default()
    }

    /// What the shard `name` is to hold of it, given its closed aliases.
    pub(crate) fn form<'a>(&'a self, name: &str, closed: &[&'a str]) -> Form<'a> {
        let mut middle = Value::default();
        middle.texts(closed);
        let mut record = self.before_aliases.to_vec();
        record.extend(middle.0);
        record.extend_from_slice(&self.behind_aliases);
        // The starter database is never brought up to date in parts.
        if self.prose == Prose::Kept {
            record.extend(own_aliases(&self.aliases, closed).0);
        }
        let entries = self.entries.iter().find(|(shard, _)| **shard == *name);
        let entries = entries.iter().flat_map(|(_, entries)| entries);
        let upstream = self.upstream.iter().map(|id| &**id);
        Form {
            id: &self.id,
            record: Cow::Owned(record),
            ids: std::iter::once(&*self.id)
                .chain(closed.iter().copied())
                .chain(upstream)
                .collect(),
            date: &self.date,
            has_cvss: self.has_cvss,
            entries: entries
                .map(|one| FormEntry {
                    name: &one.name,
                    advisory: &one.advisory,
                    value: &one.value,
                })
                .collect(),
        }
    }
}

/// Which of the closed aliases the record itself names, by their places. With
/// them aliases can be closed anew when another record has changed.
fn own_aliases(own: &[Box<str>], closed: &[&str]) -> Value {
    let is_own = |(at, id): (usize, &&str)| own.iter().any(|one| **one == **id).then_some(at);
    let places: Vec<usize> = closed.iter().enumerate().filter_map(is_own).collect();
    let mut value = Value::default();
    value.number(places.len() as u64);
    places.iter().for_each(|at| value.number(*at as u64));
    value
}

/// The drafts that go into each shard.
pub(crate) fn split(drafts: &[Draft]) -> BTreeMap<&str, Vec<&Draft>> {
    let mut shards: BTreeMap<&str, Vec<&Draft>> = BTreeMap::new();
    for draft in drafts {
        for (shard, _) in &draft.entries {
            shards.entry(shard).or_default().push(draft);
        }
    }
    shards
}

/// The file of the shard `name`. `aliases` holds the closed aliases of each
/// record.
pub(crate) fn build(
    name: &str,
    drafts: &[&Draft],
    aliases: &HashMap<&str, Vec<&str>>,
) -> (Vec<u8>, About) {
    write(forms(name, drafts, aliases))
}

/// What the shard `name` is to hold of each draft.
pub(crate) fn forms<'a>(
    name: &str,
    drafts: &[&'a Draft],
    aliases: &HashMap<&str, Vec<&'a str>>,
) -> impl Iterator<Item = Form<'a>> {
    drafts.iter().map(move |draft| {
        let closed = aliases.get(&*draft.id).map_or(&[][..], Vec::as_slice);
        draft.form(name, closed)
    })
}

/// What comes before the closed aliases, and what behind.
fn write_record(record: &OsvRecord, prose: Prose) -> (Vec<u8>, Vec<u8>) {
    let mut value = Value::default();
    value.number(match record.kind {
        RecordKind::Vulnerability => 0,
        RecordKind::Malicious => 1,
        RecordKind::Unmaintained => 2,
        RecordKind::Unsound => 3,
        RecordKind::Notice => 4,
    });
    value.number(record.withdrawn.into());
    value.text(&record.id);
    value.text(&record.published);
    value.text(&record.modified);
    value.text(&record.vendor_severity);
    value.text(if prose == Prose::Kept {
        &record.summary
    } else {
        ""
    });
    let mut behind = Value::default();
    behind.texts(&record.upstream);
    behind.texts(&record.cvss);
    behind.texts(&record.modules);
    (value.0, behind.0)
}

/// All but the handle of the record, which comes first.
fn write_entry(entry: &OsvAffected) -> Vec<u8> {
    let mut value = Value::default();
    value.text(&entry.name);
    value.text(&entry.state);
    value.text(&entry.severity);
    value.number(entry.ranges.len() as u64);
    for range in &entry.ranges {
        value.number(range.semver.into());
        value.number(range.events.len() as u64);
        for (kind, version) in &range.events {
            value.number(*kind as u64);
            value.text(version);
        }
    }
    value.texts(&entry.versions);
    // Most entries have none of these, and end here.
    let more = [&entry.module, &entry.advisory, &entry.arch];
    if more.iter().any(|text| !text.is_empty()) {
        more.into_iter().for_each(|text| value.text(text));
    }
    value.0
}
