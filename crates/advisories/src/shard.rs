//! One shard: the advisories of one ecosystem and release, as a table.
//!
//! Keys are `n` and a package's normalised name, which lead to entries, and `i`
//! and an id in any role, which lead to records. An entry starts with the
//! handle of its record. The key `m` leads to what the shard says of itself.
//! Records lie in the order of their ids.
//!
//! A shard may have an overlay: a table of the same kind with the records that
//! were added or changed since, where `r` and an id marks every record of the
//! base that is changed or gone, and `m` speaks of both together. What is read
//! through both is what one table of all would give.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
};

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

/// A record as a shard holds it, but for where it comes to lie.
#[derive(PartialEq)]
pub(crate) struct Form<'a> {
    pub(crate) id: &'a str,
    /// Its value.
    record: Cow<'a, [u8]>,
    /// Every id that it is found by, its own first.
    ids: Vec<&'a str>,
    /// When it was last touched, RFC 3339, or empty.
    pub(crate) date: &'a str,
    has_cvss: bool,
    entries: Vec<FormEntry<'a>>,
}

/// An `affected` entry as a shard holds it, but for the handle of its record.
#[derive(Clone, Copy, PartialEq)]
struct FormEntry<'a> {
    name: &'a str,
    /// An advisory of its own, or empty.
    advisory: &'a str,
    value: &'a [u8],
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

/// The file of a shard with these records, which are in the order of their ids.
pub(crate) fn write<'a>(forms: impl Iterator<Item = Form<'a>>) -> (Vec<u8>, About) {
    let mut writer = Writer::default();
    let mut counts = Counts::default();
    for form in forms {
        write_form(&mut writer, &form);
        counts.add(&form);
    }
    let about = counts.about();
    write_about(&mut writer, &about);
    (writer.finish(), about)
}

/// The file of the overlay that makes a shard with the records `new` of one
/// with the records `old`, both in the order of their ids; `None` when nothing
/// is to be changed.
pub(crate) fn write_overlay(old: &[Form<'_>], new: &[Form<'_>]) -> Option<(Vec<u8>, About)> {
    let mut writer = Writer::default();
    let mut counts = Counts::default();
    let old_by_id = by_id(old);
    let new_by_id = by_id(new);
    let mut marks: BTreeSet<&str> = old_by_id.keys().copied().collect();
    marks.retain(|id| !new_by_id.contains_key(id));
    let mut is_changed = !marks.is_empty();
    for (id, forms) in &new_by_id {
        forms.iter().for_each(|form| counts.add(form));
        let before = old_by_id.get(id);
        if before != Some(forms) {
            marks.extend(before.is_some().then_some(id));
            forms.iter().for_each(|form| write_form(&mut writer, form));
            is_changed = true;
        }
    }
    let about = counts.about();
    let itself = write_about(&mut writer, &about);
    let mut key = String::new();
    for id in marks {
        writer.key(keyed(&mut key, 'r', id), itself);
    }
    is_changed.then(|| (writer.finish(), about))
}

/// Records by their id, of which a dump may have several.
fn by_id<'f, 'a>(forms: &'f [Form<'a>]) -> BTreeMap<&'a str, &'f [Form<'a>]> {
    let groups = forms.chunk_by(|a, b| a.id == b.id);
    groups
        .filter_map(|group| Some((group.first()?.id, group)))
        .collect()
}

/// What a shard says of itself, as its records are counted.
#[derive(Default)]
struct Counts<'a> {
    newest: &'a str,
    records: u64,
    has_cvss: bool,
    names: HashSet<&'a str>,
}

impl<'a> Counts<'a> {
    fn add(&mut self, form: &Form<'a>) {
        self.records += 1;
        self.has_cvss |= form.has_cvss;
        self.newest = self.newest.max(form.date);
        self.names
            .extend(form.entries.iter().map(|entry| entry.name));
    }

    fn about(&self) -> About {
        About {
            newest: self.newest.to_owned(),
            records: self.records,
            packages: self.names.len() as u64,
            has_cvss: self.has_cvss,
        }
    }
}

fn write_form(writer: &mut Writer, form: &Form<'_>) {
    let mut key = String::new();
    let record = writer.value(&[&form.record]);
    let mut handle = Value::default();
    handle.number(record.into());
    let mut handles = Vec::new();
    for entry in &form.entries {
        let value = writer.value(&[&handle.0, entry.value]);
        writer.key(keyed(&mut key, 'n', entry.name), value);
        if !entry.advisory.is_empty() {
            writer.key(keyed(&mut key, 'i', entry.advisory), value);
        }
        handles.push(value);
    }
    // Entries are kept under the ids too, so that a question by id finds
    // the packages.
    for id in &form.ids {
        let key = keyed(&mut key, 'i', id);
        for handle in &handles {
            writer.key(key, *handle);
        }
    }
}

fn write_about(writer: &mut Writer, about: &About) -> u32 {
    let mut value = Value::default();
    value.text(&about.newest);
    value.number(about.records);
    value.number(about.packages);
    value.number(about.has_cvss.into());
    let handle = writer.value(&[&value.0]);
    writer.key("m", handle);
    handle
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
    base: Layer,
    overlay: Option<Layer>,
    /// Of both together.
    pub(crate) about: About,
}

impl Shard {
    pub(crate) fn open(base: Bytes, overlay: Option<Bytes>) -> Result<Self, Damage> {
        let base = Layer(Table::open(base)?);
        let mut about = base.about()?;
        let overlay = overlay.map(|bytes| Table::open(bytes).map(Layer));
        let overlay = overlay.transpose()?;
        if let Some(overlay) = &overlay {
            about = overlay.about()?;
        }
        Ok(Shard {
            base,
            overlay,
            about,
        })
    }

    pub(crate) fn by_name(&self, name: &str) -> Result<Vec<Candidate<'_>>, Damage> {
        self.candidates(&format!("n{name}"))
    }

    pub(crate) fn by_id(&self, id: &str) -> Result<Vec<Candidate<'_>>, Damage> {
        self.candidates(&format!("i{id}"))
    }

    fn candidates(&self, key: &str) -> Result<Vec<Candidate<'_>>, Damage> {
        let mut found = self.base.candidates(key)?;
        let Some(overlay) = &self.overlay else {
            return Ok(found);
        };
        let mut mark = String::new();
        let mut kept = Vec::with_capacity(found.len());
        for candidate in found.drain(..) {
            if !overlay.marks(&mut mark, candidate.record.id)? {
                kept.push(candidate);
            }
        }
        kept.extend(overlay.candidates(key)?);
        // As they would lie in one table; records of one id are in one layer.
        kept.sort_by_key(|candidate| candidate.record.id);
        Ok(kept)
    }

    /// Every record, in the order of the ids.
    pub(crate) fn forms(&self) -> Result<Vec<Form<'_>>, Damage> {
        let mut forms = self.base.forms()?;
        if let Some(overlay) = &self.overlay {
            let mut mark = String::new();
            let mut kept = Vec::with_capacity(forms.len());
            for form in forms {
                if !overlay.marks(&mut mark, form.id)? {
                    kept.push(form);
                }
            }
            forms = kept;
            forms.extend(overlay.forms()?);
        }
        forms.sort_by_key(|form| form.id);
        Ok(forms)
    }
}

/// One table of a shard.
struct Layer(Table);

impl Layer {
    fn about(&self) -> Result<About, Damage> {
        let handle = self.0.find("m")?.first().copied();
        let handle = handle.ok_or_else(|| Damage("it says nothing of itself".to_owned()))?;
        let mut cursor = Cursor(self.0.value(handle)?);
        Ok(About {
            newest: cursor.text()?.to_owned(),
            records: cursor.number()?,
            packages: cursor.number()?,
            has_cvss: cursor.number()? == 1,
        })
    }

    /// Whether a record of the table below is changed or gone.
    fn marks(&self, key: &mut String, id: &str) -> Result<bool, Damage> {
        Ok(!self.0.find(keyed(key, 'r', id))?.is_empty())
    }

    fn candidates(&self, key: &str) -> Result<Vec<Candidate<'_>>, Damage> {
        let handles = self.0.find(key)?;
        handles
            .into_iter()
            .map(|handle| self.candidate(handle))
            .collect()
    }

    /// The handle of the record of an entry, and the rest of the entry.
    fn entry(&self, handle: u32) -> Result<(u32, Cursor<'_>), Damage> {
        let mut cursor = Cursor(self.0.value(handle)?);
        let record = u32::try_from(cursor.number()?)
            .map_err(|_| Damage("a record lies outside of it".to_owned()))?;
        Ok((record, cursor))
    }

    fn forms(&self) -> Result<Vec<Form<'_>>, Damage> {
        // Each entry once: under the name of its package.
        let mut entries = Vec::new();
        for index in 0..self.0.len() {
            let (key, handles) = self.0.lead(index)?;
            let Some(name) = key.strip_prefix('n') else {
                continue;
            };
            for handle in handles {
                let (record, mut rest) = self.entry(handle)?;
                let value = rest.0;
                let advisory = affected(&mut rest)?.advisory;
                let entry = FormEntry {
                    name,
                    advisory,
                    value,
                };
                entries.push((record, handle, entry));
            }
        }
        entries.sort_unstable_by_key(|(record, handle, ..)| (*record, *handle));
        let groups = entries.chunk_by(|(a, ..), (b, ..)| a == b);
        let mut forms = Vec::new();
        for group in groups {
            let Some((handle, ..)) = group.first() else {
                continue;
            };
            let record = self.record(*handle)?;
            let mut ids = vec![record.id];
            ids.extend(record.aliases);
            ids.extend(record.upstream);
            forms.push(Form {
                id: record.id,
                record: Cow::Borrowed(self.0.value(*handle)?),
                ids,
                date: record.modified.max(record.published),
                has_cvss: !record.cvss.is_empty(),
                entries: group.iter().map(|(.., entry)| *entry).collect(),
            });
        }
        Ok(forms)
    }

    fn candidate(&self, handle: u32) -> Result<Candidate<'_>, Damage> {
        let (record, mut rest) = self.entry(handle)?;
        let affected = affected(&mut rest)?;
        Ok(Candidate {
            record: self.record(record)?,
            affected,
        })
    }

    fn record(&self, handle: u32) -> Result<Record<'_>, Damage> {
        let mut cursor = Cursor(self.0.value(handle)?);
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

/// An `affected` entry, behind the handle of its record.
fn affected<'t>(cursor: &mut Cursor<'t>) -> Result<Affected<'t>, Damage> {
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
    Ok(affected)
}
