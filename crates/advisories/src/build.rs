//! From an OSV dump to shards.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs::File,
};

use rayon::prelude::*;

use crate::{
    osv,
    shard::{self, About, Draft, Prose},
    unzip::{self, Unzipped},
};

/// What was read of a dump.
pub(crate) struct Dump {
    /// How many records there are.
    pub(crate) records: usize,
    /// What they say of the ecosystem.
    pub(crate) drafts: Vec<Draft>,
    /// Entries that are no records: name and reason.
    pub(crate) refused: Vec<(String, String)>,
}

/// Reads the `all.zip` of `ecosystem` (`Debian`, with all its releases). What a
/// record says of other ecosystems is left to their own dumps, which have the
/// record too: a shard made of such strays would pass for the whole.
///
/// # Errors
/// When the file is no zip, or no dump of the ecosystem.
pub(crate) fn read_dump(file: File, ecosystem: &str, prose: Prose) -> Result<Dump, String> {
    let Unzipped { items, refused } = unzip::read(file, |name, bytes| {
        // A read-me beside the records is none; what looks like a record is
        // read whatever its name.
        if !name.ends_with(".json") && bytes.trim_ascii_start().first() != Some(&b'{') {
            return Ok(None);
        }
        let record = osv::parse(bytes).map_err(|error| error.to_string())?;
        Ok(Some(match Draft::new(&record, ecosystem, prose) {
            Some(draft) => Ok(draft),
            None => Err(record.affected.into_iter().next().map(|one| one.ecosystem)),
        }))
    })?;
    let records = items.len();
    if records == 0 {
        return Err(match refused.first() {
            Some((entry, why)) => format!("none of its entries is a record: `{entry}`: {why}"),
            None => "there is no record in it".to_owned(),
        });
    }
    let mut stray = None;
    let mut drafts = Vec::with_capacity(records);
    for item in items {
        match item {
            Ok(draft) => drafts.push(draft),
            Err(other) => stray = stray.or(other),
        }
    }
    if let Some(stray) = stray.filter(|_| drafts.is_empty()) {
        return Err(format!(
            "none of its records is about `{ecosystem}`, but one is about `{stray}`"
        ));
    }
    // The order of a zip is its maker's.
    drafts.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Dump {
        records,
        drafts,
        refused,
    })
}

/// The closed aliases of records, by their ids.
pub(crate) type Closed<'a> = HashMap<&'a str, Vec<&'a str>>;

/// The closed aliases of every record: over `aliases` only, since `upstream`
/// and `related` join thousands of flaws.
pub(crate) fn closed_aliases(records: &[Draft]) -> Closed<'_> {
    let mut ids: HashMap<&str, usize> = HashMap::new();
    let mut parents: Vec<usize> = Vec::new();
    let mut number = |id, parents: &mut Vec<usize>| {
        *ids.entry(id).or_insert_with(|| {
            parents.push(parents.len());
            parents.len() - 1
        })
    };
    for record in records {
        let own = number(&record.id, &mut parents);
        for alias in &record.aliases {
            let other = number(alias, &mut parents);
            let (a, b) = (root(&mut parents, own), root(&mut parents, other));
            if let Some(parent) = parents.get_mut(a) {
                *parent = b;
            }
        }
    }
    let mut clusters: HashMap<usize, BTreeSet<&str>> = HashMap::new();
    for (id, index) in &ids {
        clusters
            .entry(root(&mut parents, *index))
            .or_default()
            .insert(id);
    }
    records
        .iter()
        .filter_map(|record| {
            let index = *ids.get(&*record.id)?;
            let cluster = clusters.get(&root(&mut parents, index))?;
            let others = cluster
                .iter()
                .copied()
                .filter(|id| **id != *record.id)
                .collect();
            Some((&*record.id, others))
        })
        .collect()
}

fn root(parents: &mut [usize], mut index: usize) -> usize {
    while let Some(parent) = parents
        .get(index)
        .copied()
        .filter(|parent| *parent != index)
    {
        let above = parents.get(parent).copied().unwrap_or(parent);
        // Halving the path keeps every later walk short.
        if let Some(slot) = parents.get_mut(index) {
            *slot = above;
        }
        index = above;
    }
    index
}

/// The shards of a dump, by name.
///
/// Aliases are closed within the ecosystem: over all that happens to be read
/// together, a shard (and with it the id of a finding) would depend on what
/// else was updated in the same run.
pub(crate) fn build_shards(dump: &Dump) -> BTreeMap<String, (Vec<u8>, About)> {
    shards_of(&dump.drafts)
}

/// The shards of drafts of one ecosystem, by name.
pub(crate) fn shards_of(drafts: &[Draft]) -> BTreeMap<String, (Vec<u8>, About)> {
    let aliases = closed_aliases(drafts);
    let shards: Vec<(&str, Vec<&Draft>)> = shard::split(drafts).into_iter().collect();
    shards
        .into_par_iter()
        .map(|(name, drafts)| (name.to_owned(), shard::build(name, &drafts, &aliases)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_closed_over_other_records() {
        let record = |id: &str, aliases: &[&str]| {
            let record = osv::OsvRecord {
                id: id.into(),
                aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
                affected: vec![osv::OsvAffected {
                    ecosystem: "Go".into(),
                    ..osv::OsvAffected::default()
                }],
                ..osv::OsvRecord::default()
            };
            Draft::new(&record, "Go", Prose::Kept).unwrap()
        };
        let records = [
            record("A", &["CVE-1"]),
            record("B", &["CVE-1", "C"]),
            record("D", &[]),
            record("C", &[]),
        ];
        let closed = closed_aliases(&records);
        assert_eq!(closed["A"], ["B", "C", "CVE-1"]);
        assert_eq!(closed["C"], ["A", "B", "CVE-1"]);
        assert!(closed["D"].is_empty());
    }
}
