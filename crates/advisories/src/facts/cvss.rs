//! CVSS vectors by CVE, from whatever source.

use std::collections::{HashMap, HashSet};

use crate::{
    severity::scored,
    table::{Cursor, Damage, Table, Value, Writer},
};

/// Whose word a vector is. In this order they count where their versions of
/// CVSS are the same: who assigned the CVE knows the flaw first-hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// The CVE numbering authority that assigned the CVE.
    Cna,
    /// An authorised data publisher, CISA above all.
    Adp,
    /// The National Vulnerability Database.
    Nvd,
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Source::Cna => "cve:cna",
            Source::Adp => "cve:adp",
            Source::Nvd => "nvd",
        }
    }
}

/// Vectors on their way into a shard.
#[derive(Default)]
pub(crate) struct Vectors {
    known: HashMap<Box<str>, Vec<(Source, Box<str>)>>,
    /// CVEs that a source speaks of, be it without a vector.
    spoken: HashSet<Box<str>>,
}

impl Vectors {
    /// Notes that a source speaks of a CVE: what an older one says of it is over.
    pub(super) fn speak(&mut self, cve: &str) {
        if !self.spoken.contains(cve) {
            self.spoken.insert(cve.into());
        }
    }

    /// How many CVEs are spoken of.
    pub(crate) fn spoken(&self) -> usize {
        self.spoken.len()
    }

    /// Takes what an older source says of other CVEs.
    pub(crate) fn add_older(&mut self, older: Vectors) {
        let new = |cve: &str| !self.spoken.contains(cve);
        let known: Vec<_> = older
            .known
            .into_iter()
            .filter(|(cve, _)| new(cve))
            .collect();
        self.known.extend(known);
        self.spoken.extend(older.spoken);
    }

    /// Adds a vector; whether it is one.
    pub(super) fn add(&mut self, cve: &str, source: Source, vector: &str) -> bool {
        let vector = vector.trim();
        if scored("", vector).is_none() {
            return false;
        }
        let one = (source, vector.into());
        match self.known.get_mut(cve) {
            Some(known) if known.contains(&one) => {}
            Some(known) => known.push(one),
            None => drop(self.known.insert(cve.into(), vec![one])),
        }
        true
    }

    /// The shard; `None` when there is no vector.
    pub(crate) fn finish(self) -> Option<Vec<u8>> {
        if self.known.is_empty() {
            return None;
        }
        let mut sorted: Vec<_> = self.known.into_iter().collect();
        sorted.sort_unstable();
        let mut writer = Writer::default();
        for (cve, mut vectors) in sorted {
            vectors.sort_by_key(|(source, _)| *source);
            let mut value = Value::default();
            value.number(vectors.len() as u64);
            for (source, vector) in &vectors {
                value.text(source.as_str());
                value.text(vector);
            }
            let handle = writer.value(&[&value.0]);
            writer.key(&cve, handle);
        }
        Some(writer.finish())
    }
}

/// Source and vector of a CVE.
pub(super) fn find<'t>(table: &'t Table, cve: &str) -> Result<Vec<(&'t str, &'t str)>, Damage> {
    let Some(handle) = table.find(cve)?.first().copied() else {
        return Ok(Vec::new());
    };
    let mut cursor = Cursor(table.value(handle)?);
    (0..cursor.count()?)
        .map(|_| Ok((cursor.text()?, cursor.text()?)))
        .collect()
}

/// What a shard of these vectors says of a CVE.
#[cfg(test)]
pub(super) fn found(vectors: Vectors, cve: &str) -> Vec<(String, String)> {
    let Some(bytes) = vectors.finish() else {
        return Vec::new();
    };
    let table = Table::open(crate::table::Bytes::Memory(bytes)).unwrap();
    let found = find(&table, cve).unwrap().into_iter();
    found
        .map(|(source, vector)| (source.to_owned(), vector.to_owned()))
        .collect()
}
