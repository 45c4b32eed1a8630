//! Reading a shard, alone or through its overlay.

use std::borrow::Cow;

use super::{About, Form, FormEntry, keyed};
use crate::{
    Affected, Candidate, Event, Range, Record, RecordKind,
    table::{Bytes, Cursor, Damage, Table},
};

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
