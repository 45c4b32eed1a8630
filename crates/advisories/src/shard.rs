//! One shard: the advisories of one ecosystem and release, as a table.
//!
//! Keys are `n` and a package's normalised name, which lead to entries, and `i`
//! and an id in any role, which lead to records. An entry starts with the
//! handle of its record. The key `m` leads to what the shard says of itself.

use std::collections::{BTreeMap, HashMap};

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

/// The records of a shard on their way into it.
#[derive(Default)]
pub(crate) struct ShardRecords<'r>(Vec<(&'r OsvRecord, Vec<&'r OsvAffected>)>);

/// Sorts entries into the shards that they belong to.
pub(crate) fn split(records: &[OsvRecord]) -> BTreeMap<String, ShardRecords<'_>> {
    let mut shards: BTreeMap<String, ShardRecords<'_>> = BTreeMap::new();
    for record in records {
        let suffix = if record.kind == RecordKind::Malicious {
            MALICIOUS
        } else {
            ""
        };
        for entry in &record.affected {
            let shard = shards
                .entry(format!("{}{suffix}", entry.ecosystem))
                .or_default();
            match shard
                .0
                .last_mut()
                .filter(|(last, _)| std::ptr::eq(*last, record))
            {
                Some((_, entries)) => entries.push(entry),
                None => shard.0.push((record, vec![entry])),
            }
        }
    }
    shards
}

/// The file of a shard. `aliases` holds the closed aliases of each record.
pub(crate) fn build(
    shard: &ShardRecords<'_>,
    aliases: &HashMap<&str, Vec<&str>>,
    prose: Prose,
) -> (Vec<u8>, About) {
    let mut writer = Writer::default();
    let mut about = About::default();
    let mut names = std::collections::BTreeSet::new();
    for (record, entries) in &shard.0 {
        let none = Vec::new();
        let closed = aliases.get(record.id.as_str()).unwrap_or(&none);
        let handle = writer.value(&write_record(record, closed, prose));
        about.records += 1;
        about.has_cvss |= !record.cvss.is_empty();
        let date = record.modified.as_str().max(record.published.as_str());
        if date > about.newest.as_str() {
            date.clone_into(&mut about.newest);
        }
        let ids = [record.id.as_str()]
            .into_iter()
            .chain(closed.iter().copied());
        let ids = ids.chain(record.upstream.iter().map(String::as_str));
        // Entries are kept under the id too, so that a question by id finds
        // the packages.
        let mut handles = Vec::new();
        for entry in entries {
            let normal = seawall_versions::by_osv(&entry.ecosystem)
                .map(|scheme| (scheme.normalise_name)(&entry.name).into_owned());
            let name = normal.unwrap_or_else(|| entry.name.clone());
            let value = writer.value(&write_entry(entry, handle));
            writer.key(format!("n{name}"), value);
            handles.push(value);
            names.insert(name);
        }
        for id in ids {
            for handle in &handles {
                writer.key(format!("i{id}"), *handle);
            }
        }
    }
    about.packages = names.len() as u64;
    let mut value = Value::default();
    value.text(&about.newest);
    value.number(about.records);
    value.number(about.packages);
    value.number(about.has_cvss.into());
    let handle = writer.value(&value.0);
    writer.key("m", handle);
    (writer.finish(), about)
}

fn write_record(record: &OsvRecord, aliases: &[&str], prose: Prose) -> Vec<u8> {
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
    value.texts(aliases);
    value.texts(&record.upstream);
    value.texts(&record.cvss);
    value.texts(&record.modules);
    value.0
}

fn write_entry(entry: &OsvAffected, record: u32) -> Vec<u8> {
    let mut value = Value::default();
    value.number(record.into());
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
