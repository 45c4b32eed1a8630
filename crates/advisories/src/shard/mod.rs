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

mod draft;
mod read;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashSet},
};

pub(crate) use self::{
    draft::{Draft, Prose, build, forms, split},
    read::Shard,
};
use crate::table::{Value, Writer};

/// The name of a shard of packages made to do harm.
pub(crate) const MALICIOUS: &str = ":malicious";

/// What a shard says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) newest: String,
    pub(crate) records: u64,
    pub(crate) packages: u64,
    /// Whether any record has a CVSS vector.
    pub(crate) has_cvss: bool,
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
