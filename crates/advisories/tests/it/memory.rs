//! A database in memory, made from the real dumps without any code of the
//! crate, so that the matcher is tested against the records and not against our
//! reading of them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs::File,
    io::Read as _,
    path::Path,
};

use seawall_advisories::{
    Affected, Candidate, Event, Range, Record, RecordKind, Store, StoreError,
};
use seawall_model::{Epss, Kev};
use serde_json::Value;

/// All that is read lives as long as the tests.
fn keep(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

#[derive(Default)]
pub(crate) struct Memory {
    shards: BTreeMap<String, Shard>,
    cvss: HashMap<String, Vec<(&'static str, &'static str)>>,
    kev: HashMap<String, Kev>,
    end_of_life: HashMap<(String, String), String>,
    git_first: BTreeSet<String>,
}

#[derive(Default)]
struct Shard {
    newest: String,
    by_name: HashMap<String, Vec<Candidate<'static>>>,
}

impl Memory {
    /// Reads the named ecosystems of a folder in the layout of OSV's bucket.
    pub(crate) fn read(folder: &Path, ecosystems: &[&str]) -> Self {
        let mut memory = Memory::default();
        for ecosystem in ecosystems {
            let file = File::open(folder.join(ecosystem).join("all.zip")).unwrap();
            let mut zip = zip::ZipArchive::new(file).unwrap();
            let mut records = Vec::new();
            for index in 0..zip.len() {
                let mut text = Vec::new();
                zip.by_index(index).unwrap().read_to_end(&mut text).unwrap();
                records.push(serde_json::from_slice(&text).unwrap());
            }
            memory.add(&records);
        }
        let csv = std::fs::read_to_string(folder.join("cvss.csv")).unwrap_or_default();
        for line in csv.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            if let [cve, container, vector, ..] = fields.as_slice() {
                let source = keep(&format!("cve:{container}"));
                memory
                    .cvss
                    .entry((*cve).to_owned())
                    .or_default()
                    .push((source, keep(vector)));
            }
        }
        memory.read_kev(&folder.join("kev.json"));
        memory.read_end_of_life(&folder.join("endoflife.json"));
        memory
    }

    fn read_kev(&mut self, path: &Path) {
        let Ok(text) = std::fs::read(path) else {
            return;
        };
        let catalogue: Value = serde_json::from_slice(&text).unwrap();
        for entry in catalogue["vulnerabilities"].as_array().unwrap() {
            let kev = Kev {
                added: entry["dateAdded"].as_str().unwrap().to_owned(),
                due: entry["dueDate"].as_str().map(str::to_owned),
                ransomware: entry["knownRansomwareCampaignUse"] == "Known",
            };
            self.kev
                .insert(entry["cveID"].as_str().unwrap().to_owned(), kev);
        }
    }

    fn read_end_of_life(&mut self, path: &Path) {
        let Ok(text) = std::fs::read(path) else {
            return;
        };
        let products: Value = serde_json::from_slice(&text).unwrap();
        for (product, cycles) in products.as_object().unwrap() {
            for cycle in cycles.as_array().into_iter().flatten() {
                let Some(name) = cycle["releaseCycle"].as_str() else {
                    continue;
                };
                let date = match &cycle["eol"] {
                    Value::String(date) => date.chars().take(10).collect(),
                    Value::Bool(true) => String::new(),
                    _ => continue,
                };
                self.end_of_life
                    .insert((product.clone(), name.to_owned()), date);
            }
        }
    }

    /// Adds the records of one ecosystem.
    pub(crate) fn add(&mut self, records: &[Value]) {
        let aliases = closed_aliases(records);
        for record in records {
            let id = record["id"].as_str().unwrap();
            for entry in record["affected"].as_array().into_iter().flatten() {
                let shard = entry["package"]["ecosystem"].as_str().unwrap();
                let name = entry["package"]["name"].as_str().unwrap();
                let scheme = seawall_versions::by_osv(shard).unwrap();
                if entry["ranges"][0]["type"] == "GIT" {
                    self.git_first.insert(id.to_owned());
                }
                let candidate = Candidate {
                    record: read_record(record, &aliases[id]),
                    affected: read_entry(entry),
                };
                let shard = self.shards.entry(shard.to_owned()).or_default();
                let modified = candidate.record.modified.max(candidate.record.published);
                if *modified > *shard.newest {
                    shard.newest = modified.to_owned();
                }
                let name = (scheme.normalise_name)(name).into_owned();
                shard.by_name.entry(name).or_default().push(candidate);
            }
        }
    }

    /// Whether a record's first range is one of commits.
    pub(crate) fn has_git_range_first(&self, id: &str) -> bool {
        self.git_first.contains(id)
    }

    /// Every candidate, with its shard.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Candidate<'static>)> {
        self.shards.iter().flat_map(|(name, shard)| {
            shard
                .by_name
                .values()
                .flatten()
                .map(move |one| (name.as_str(), one))
        })
    }
}

fn texts(value: &Value) -> Vec<&'static str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(keep)
        .collect()
}

fn closed_aliases(records: &[Value]) -> HashMap<String, BTreeSet<String>> {
    let mut neighbours: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    for record in records {
        let id = record["id"].as_str().unwrap();
        neighbours.entry(id).or_default();
        for alias in record["aliases"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            neighbours.entry(id).or_default().insert(alias);
            neighbours.entry(alias).or_default().insert(id);
        }
    }
    let mut closed = HashMap::new();
    for record in records {
        let id = record["id"].as_str().unwrap();
        let mut seen = BTreeSet::from([id.to_owned()]);
        let mut todo = vec![id];
        while let Some(next) = todo.pop() {
            for other in &neighbours[next] {
                if seen.insert((*other).to_owned()) {
                    todo.push(other);
                }
            }
        }
        seen.remove(id);
        closed.insert(id.to_owned(), seen);
    }
    closed
}

fn read_record(record: &Value, aliases: &BTreeSet<String>) -> Record<'static> {
    let text = |key: &str| keep(record[key].as_str().unwrap_or_default());
    let id = text("id");
    let alma = id.starts_with("AL");
    let summary = text("summary");
    let informational = record["affected"][0]["database_specific"]["informational"].as_str();
    let mut upstream = texts(&record["upstream"]);
    if alma {
        upstream.extend(texts(&record["related"]));
    }
    let word = summary.split_once(": ").map_or("", |(word, _)| word);
    Record {
        id,
        aliases: aliases.iter().map(|alias| keep(alias)).collect(),
        upstream,
        kind: match informational {
            Some("unmaintained") => RecordKind::Unmaintained,
            Some("unsound") => RecordKind::Unsound,
            Some(_) => RecordKind::Notice,
            None if id.starts_with("MAL-") || is_malicious(record) => RecordKind::Malicious,
            None => RecordKind::Vulnerability,
        },
        withdrawn: record["withdrawn"].is_string(),
        published: text("published"),
        modified: text("modified"),
        cvss: record["severity"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["score"].as_str().map(keep))
            .collect(),
        vendor_severity: if alma {
            keep(&word.to_ascii_lowercase())
        } else {
            ""
        },
        modules: if alma { modules(summary) } else { Vec::new() },
        summary,
    }
}

/// RustSec's category for crates made to do harm.
fn is_malicious(record: &Value) -> bool {
    let categories = &record["affected"][0]["database_specific"]["categories"];
    categories
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one == "malicious"))
}

/// `name:stream` in a title.
fn modules(title: &'static str) -> Vec<&'static str> {
    title
        .split([' ', ',', '/'])
        .filter(|word| {
            word.split_once(':')
                .is_some_and(|(name, stream)| !name.is_empty() && !stream.is_empty())
        })
        .collect()
}

fn read_entry(entry: &Value) -> Affected<'static> {
    let ranges = entry["ranges"].as_array().into_iter().flatten();
    Affected {
        name: keep(entry["package"]["name"].as_str().unwrap()),
        ranges: ranges
            .filter(|range| range["type"] != "GIT")
            .map(|range| Range {
                semver: range["type"] == "SEMVER",
                events: range["events"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(read_event)
                    .collect(),
            })
            .collect(),
        versions: texts(&entry["versions"]),
        ..Affected::default()
    }
}

fn read_event(event: &Value) -> Option<Event<'static>> {
    let (kind, version) = event.as_object()?.iter().next()?;
    let version = keep(version.as_str()?);
    Some(match kind.as_str() {
        "introduced" => Event::Introduced(version),
        "fixed" => Event::Fixed(version),
        "last_affected" => Event::LastAffected(version),
        "limit" => Event::Limit(version),
        _ => return None,
    })
}

impl Store for Memory {
    fn shards(&self) -> Vec<&str> {
        self.shards.keys().map(String::as_str).collect()
    }

    fn newest(&self, shard: &str) -> Option<&str> {
        self.shards.get(shard).map(|shard| shard.newest.as_str())
    }

    fn candidates<'a>(&'a self, shard: &str, name: &str) -> Result<Vec<Candidate<'a>>, StoreError> {
        let shard = self.shards.get(shard);
        Ok(shard
            .and_then(|shard| shard.by_name.get(name))
            .cloned()
            .unwrap_or_default())
    }

    fn by_id<'a>(&'a self, id: &str) -> Result<Vec<(&'a str, Candidate<'a>)>, StoreError> {
        let bears = |record: &Record<'_>| {
            record.id == id || record.aliases.contains(&id) || record.upstream.contains(&id)
        };
        Ok(self
            .all()
            .filter(|(_, one)| bears(&one.record))
            .map(|(shard, one)| (shard, one.clone()))
            .collect())
    }

    fn cvss<'a>(&'a self, cve: &str) -> Result<Vec<(&'a str, &'a str)>, StoreError> {
        Ok(self.cvss.get(cve).cloned().unwrap_or_default())
    }

    fn kev(&self, cve: &str) -> Result<Option<Kev>, StoreError> {
        Ok(self.kev.get(cve).cloned())
    }

    fn epss(&self, _: &str) -> Result<Option<Epss>, StoreError> {
        Ok(None)
    }

    fn end_of_life(&self, product: &str, cycle: &str) -> Option<&str> {
        self.end_of_life
            .get(&(product.to_owned(), cycle.to_owned()))
            .map(String::as_str)
    }
}
