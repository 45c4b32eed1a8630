//! From OSV dumps to shards.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::{Cursor, Read},
};

use rayon::prelude::*;

use crate::{
    osv::{self, OsvRecord},
    shard::{self, About, Prose},
};

/// Bytes of one record, unpacked.
const RECORD_LIMIT: u64 = 16 << 20;
/// Bytes of all records of a dump, unpacked: OSV's largest, npm, has 2 GB.
const DUMP_LIMIT: u64 = 16 << 30;

/// What was read of a dump.
#[derive(Debug, Default)]
pub(crate) struct Dump {
    pub(crate) records: Vec<OsvRecord>,
    /// Entries that are no records: name and reason.
    pub(crate) refused: Vec<(String, String)>,
}

/// Reads the records of an `all.zip`, on all cores.
///
/// # Errors
/// When the file is no zip.
pub(crate) fn read_dump(zip: &[u8]) -> Result<Dump, String> {
    let archive = zip::ZipArchive::new(Cursor::new(zip)).map_err(|error| error.to_string())?;
    let entries: Vec<usize> = (0..archive.len()).collect();
    let declared: u64 = archive.decompressed_size().map_or(0, |size| size as u64);
    if declared > DUMP_LIMIT {
        return Err(format!("it unpacks to more than {DUMP_LIMIT} bytes"));
    }
    let parts: Vec<Dump> = entries
        .par_chunks(512)
        .map(|chunk| {
            let mut archive = archive.clone();
            let mut dump = Dump::default();
            let mut bytes = Vec::new();
            for index in chunk {
                read_entry(&mut archive, *index, &mut bytes, &mut dump);
            }
            dump
        })
        .collect();
    let mut dump = Dump::default();
    for part in parts {
        dump.records.extend(part.records);
        dump.refused.extend(part.refused);
    }
    // The order of a zip is its maker's.
    dump.records.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(dump)
}

fn read_entry(
    archive: &mut zip::ZipArchive<Cursor<&[u8]>>,
    index: usize,
    bytes: &mut Vec<u8>,
    dump: &mut Dump,
) {
    let (name, result) = match archive.by_index(index) {
        Ok(mut entry) => {
            // Only a name in a message: nothing is written under it.
            let name = entry
                .name()
                .map_or_else(|_| format!("entry {index}"), std::borrow::Cow::into_owned);
            if entry.is_dir() || !name.ends_with(".json") {
                return;
            }
            bytes.clear();
            let read = entry.by_ref().take(RECORD_LIMIT + 1).read_to_end(bytes);
            (name, read.map_err(|error| error.to_string()))
        }
        Err(error) => (format!("entry {index}"), Err(error.to_string())),
    };
    let result = result.and_then(|read| {
        if read as u64 > RECORD_LIMIT {
            return Err(format!("it has more than {RECORD_LIMIT} bytes"));
        }
        osv::parse(bytes).map_err(|error| error.to_string())
    });
    match result {
        Ok(record) => dump.records.push(record),
        Err(reason) => dump.refused.push((name, reason)),
    }
}

/// The closed aliases of every record: over `aliases` only, since `upstream`
/// and `related` join thousands of flaws.
fn closed_aliases<'a>(records: &[&'a OsvRecord]) -> HashMap<&'a str, Vec<&'a str>> {
    let mut ids: HashMap<&str, usize> = HashMap::new();
    let mut parents: Vec<usize> = Vec::new();
    let mut number = |id, parents: &mut Vec<usize>| {
        *ids.entry(id).or_insert_with(|| {
            parents.push(parents.len());
            parents.len() - 1
        })
    };
    for record in records {
        let own = number(record.id.as_str(), &mut parents);
        for alias in &record.aliases {
            let other = number(alias.as_str(), &mut parents);
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
            let index = *ids.get(record.id.as_str())?;
            let cluster = clusters.get(&root(&mut parents, index))?;
            let others = cluster
                .iter()
                .copied()
                .filter(|id| *id != record.id)
                .collect();
            Some((record.id.as_str(), others))
        })
        .collect()
}

/// `Debian` of `Debian:12`.
fn ecosystem_of(shard: &str) -> &str {
    shard.split(':').next().unwrap_or(shard)
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

/// The shards of records that were read together, by name.
pub(crate) fn build_shards(
    records: &[OsvRecord],
    prose: Prose,
) -> BTreeMap<String, (Vec<u8>, About)> {
    // Closed within each ecosystem: over all that happen to be read together, a
    // shard (and with it the id of a finding) would depend on what else was
    // updated in the same run.
    let mut ecosystems: BTreeMap<&str, Vec<&OsvRecord>> = BTreeMap::new();
    for record in records {
        let names: BTreeSet<&str> = record
            .affected
            .iter()
            .map(|entry| ecosystem_of(&entry.ecosystem))
            .collect();
        for name in names {
            ecosystems.entry(name).or_default().push(record);
        }
    }
    let aliases: BTreeMap<&str, HashMap<&str, Vec<&str>>> = ecosystems
        .into_par_iter()
        .map(|(name, records)| (name, closed_aliases(&records)))
        .collect();
    let none = HashMap::new();
    let shards: Vec<_> = shard::split(records).into_iter().collect();
    shards
        .into_par_iter()
        .map(|(name, records)| {
            let aliases = aliases.get(ecosystem_of(&name)).unwrap_or(&none);
            let built = shard::build(&records, aliases, prose);
            (name, built)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_closed_over_other_records() {
        let record = |id: &str, aliases: &[&str]| OsvRecord {
            id: id.into(),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            ..OsvRecord::default()
        };
        let records = [
            record("A", &["CVE-1"]),
            record("B", &["CVE-1", "C"]),
            record("D", &[]),
            record("C", &[]),
        ];
        let closed = closed_aliases(&records.iter().collect::<Vec<_>>());
        assert_eq!(closed["A"], ["B", "C", "CVE-1"]);
        assert_eq!(closed["C"], ["A", "B", "CVE-1"]);
        assert!(closed["D"].is_empty());
    }
}
