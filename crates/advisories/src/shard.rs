//! One shard: the advisories of one ecosystem and release, as a table.
//!
//! Keys are `n` and a package's normalised name, which lead to entries, and `i`
//! and an id in any role, which lead to records. An entry starts with the
//! handle of its record. The key `m` leads to what the shard says of itself.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    Affected, Candidate, Event, Range, Record, RecordKind,
    osv::{OsvAffected, OsvRecord},
    table::{Bytes, Cursor, Damage, Table, Value, Writer},
};

/// The name of a shard of packages made to do harm.
pub(crate) const MALICIOUS: &str = ":malicious";

/// Whether the prose of a record goes into a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prose {
    Kept,
    LeftOut,
}

/// What a shard says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) newest: String,
    pub(crate) records: u64,
    pub(crate) packages: u64,
    /// Whether any record has a CVSS vector.
    pub(crate) has_cvss: bool,
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
            before_aliases: before_aliases.into(),
            behind_aliases: behind_aliases.into(),
            entries,
        })
    }
}

/// `Debian` of `Debian:12`, and `Wolfi` of a feed's shard `Wolfi@wolfi-secdb`.
pub(crate) fn base(ecosystem: &str) -> &str {
    ecosystem.split([':', '@']).next().unwrap_or(ecosystem)
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
    let mut writer = Writer::default();
    let mut about = About::default();
    let mut names = HashSet::new();
    let mut key = String::new();
    let mut handles = Vec::new();
    for draft in drafts {
        let closed = aliases.get(&*draft.id).map_or(&[][..], Vec::as_slice);
        let mut middle = Value::default();
        middle.texts(closed);
        let record = writer.value(&[&draft.before_aliases, &middle.0, &draft.behind_aliases]);
        about.records += 1;
        about.has_cvss |= draft.has_cvss;
        if *draft.date > *about.newest {
            about.newest = draft.date.clone().into();
        }
        let mut handle = Value::default();
        handle.number(record.into());
        let entries = draft.entries.iter().find(|(shard, _)| **shard == *name);
        handles.clear();
        for entry in entries.iter().flat_map(|(_, entries)| entries) {
            let value = writer.value(&[&handle.0, &entry.value]);
            writer.key(keyed(&mut key, 'n', &entry.name), value);
            if !entry.advisory.is_empty() {
                writer.key(keyed(&mut key, 'i', &entry.advisory), value);
            }
            handles.push(value);
            names.insert(&*entry.name);
        }
        // Entries are kept under the ids too, so that a question by id finds
        // the packages.
        let ids = std::iter::once(&*draft.id).chain(closed.iter().copied());
        for id in ids.chain(draft.upstream.iter().map(|id| &**id)) {
            let key = keyed(&mut key, 'i', id);
            for handle in &handles {
                writer.key(key, *handle);
            }
        }
    }
    about.packages = names.len() as u64;
    let mut value = Value::default();
    value.text(&about.newest);
    value.number(about.records);
    value.number(about.packages);
    value.number(about.has_cvss.into());
    let handle = writer.value(&[&value.0]);
    writer.key("m", handle);
    (writer.finish(), about)
}

fn keyed<'k>(key: &'k mut String, kind: char, name: &str) -> &'k str {
    key.clear();
    key.push(kind);
    key.push_str(name);
    key
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

/// An open shard.
pub(crate) struct Shard {
    table: Table,
    pub(crate) about: About,
}

impl Shard {
    pub(crate) fn open(bytes: Bytes) -> Result<Self, Damage> {
        let table = Table::open(bytes)?;
        let handle = table.find("m")?.first().copied();
        let handle = handle.ok_or_else(|| Damage("it says nothing of itself".to_owned()))?;
        let mut cursor = Cursor(table.value(handle)?);
        let about = About {
            newest: cursor.text()?.to_owned(),
            records: cursor.number()?,
            packages: cursor.number()?,
            has_cvss: cursor.number()? == 1,
        };
        Ok(Shard { table, about })
    }

    pub(crate) fn by_name(&self, name: &str) -> Result<Vec<Candidate<'_>>, Damage> {
        self.candidates(&format!("n{name}"))
    }

    pub(crate) fn by_id(&self, id: &str) -> Result<Vec<Candidate<'_>>, Damage> {
        self.candidates(&format!("i{id}"))
    }

    fn candidates(&self, key: &str) -> Result<Vec<Candidate<'_>>, Damage> {
        let handles = self.table.find(key)?;
        handles
            .into_iter()
            .map(|handle| self.candidate(handle))
            .collect()
    }

    fn candidate(&self, handle: u32) -> Result<Candidate<'_>, Damage> {
        let mut cursor = Cursor(self.table.value(handle)?);
        let record = u32::try_from(cursor.number()?)
            .map_err(|_| Damage("a record lies outside of it".to_owned()))?;
        let mut affected = Affected {
            name: cursor.text()?,
            state: cursor.text()?,
            severity: cursor.text()?,
            ..Affected::default()
        };
        for _ in 0..cursor.count()? {
            let semver = cursor.number()? == 1;
            let mut events = Vec::new();
            for _ in 0..cursor.count()? {
                let kind = cursor.number()?;
                let version = cursor.text()?;
                events.push(match kind {
                    0 => Event::Introduced(version),
                    1 => Event::Fixed(version),
                    2 => Event::LastAffected(version),
                    _ => Event::Limit(version),
                });
            }
            affected.ranges.push(Range { semver, events });
        }
        affected.versions = cursor.texts()?;
        if !cursor.0.is_empty() {
            affected.module = cursor.text()?;
            affected.advisory = cursor.text()?;
            affected.arch = cursor.text()?;
        }
        Ok(Candidate {
            record: self.record(record)?,
            affected,
        })
    }

    fn record(&self, handle: u32) -> Result<Record<'_>, Damage> {
        let mut cursor = Cursor(self.table.value(handle)?);
        let kind = match cursor.number()? {
            0 => RecordKind::Vulnerability,
            1 => RecordKind::Malicious,
            2 => RecordKind::Unmaintained,
            3 => RecordKind::Unsound,
            _ => RecordKind::Notice,
        };
        Ok(Record {
            kind,
            withdrawn: cursor.number()? == 1,
            id: cursor.text()?,
            published: cursor.text()?,
            modified: cursor.text()?,
            vendor_severity: cursor.text()?,
            summary: cursor.text()?,
            aliases: cursor.texts()?,
            upstream: cursor.texts()?,
            cvss: cursor.texts()?,
            modules: cursor.texts()?,
        })
    }
}
