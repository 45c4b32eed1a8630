//! The advisories of one ecosystem, read without any code of ours.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use serde_json::Value;

use super::programs::run;

/// The records of one ecosystem.
pub(crate) struct Feed {
    /// Each package's entries, with every id of their records: their own and
    /// those of the flaws that they are about.
    entries: BTreeMap<String, Vec<(BTreeSet<String>, Value)>>,
}

impl Feed {
    pub(crate) fn read(advisories: &Path, ecosystem: &str) -> Self {
        let text = run(Command::new("unzip")
            .arg("-p")
            .arg(advisories.join(ecosystem).join("all.zip")));
        let mut entries: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for record in serde_json::Deserializer::from_slice(&text).into_iter::<Value>() {
            let mut record = record.unwrap();
            let ids: BTreeSet<String> = std::iter::once(&record["id"])
                .chain(record["upstream"].as_array().into_iter().flatten())
                .map(|id| id.as_str().unwrap().to_owned())
                .collect();
            if let Value::Array(affected) = record["affected"].take() {
                for entry in affected {
                    let name = entry["package"]["name"].as_str().unwrap().to_owned();
                    entries.entry(name).or_default().push((ids.clone(), entry));
                }
            }
        }
        Feed { entries }
    }

    /// Entries for the package in the ecosystem, of the records that are about
    /// any of these ids.
    pub(crate) fn about<'a>(
        &'a self,
        ecosystem: &str,
        name: &str,
        ids: &BTreeSet<String>,
    ) -> Vec<&'a Value> {
        let of_package = self.entries.get(name).into_iter().flatten();
        of_package
            .filter(|(own, entry)| {
                !own.is_disjoint(ids) && entry["package"]["ecosystem"] == ecosystem
            })
            .map(|(_, entry)| entry)
            .collect()
    }

    /// The bounds of each package's ranges, sorted as text and without doubles.
    fn bounds(&self, ecosystem: &str) -> BTreeMap<&str, Vec<String>> {
        let bounds = |entries: &[(BTreeSet<String>, Value)]| -> BTreeSet<String> {
            entries
                .iter()
                .filter(|(_, entry)| entry["package"]["ecosystem"] == ecosystem)
                .flat_map(|(_, entry)| entry["ranges"].as_array().into_iter().flatten())
                .filter(|range| range["type"] != "GIT")
                .flat_map(|range| range["events"].as_array().unwrap())
                .flat_map(|event| event.as_object().unwrap().values())
                .filter_map(Value::as_str)
                .filter(|version| *version != "0")
                .map(str::to_owned)
                .collect()
        };
        self.entries
            .iter()
            .map(|(name, entries)| (name.as_str(), bounds(entries).into_iter().collect()))
            .collect()
    }

    /// A version of each package: its first, middle or last bound, or one
    /// below the last, by turns from `turn` on.
    pub(crate) fn draw(&self, ecosystem: &str, turn: usize) -> Vec<(String, String)> {
        self.bounds(ecosystem)
            .into_iter()
            .filter(|(_, bounds)| !bounds.is_empty())
            .enumerate()
            .map(|(index, (name, bounds))| {
                let last = &bounds[bounds.len() - 1];
                let version = match (index + turn) % 4 {
                    0 => bounds[0].clone(),
                    1 => below(last),
                    2 => bounds[bounds.len() / 2].clone(),
                    _ => last.clone(),
                };
                (name.to_owned(), version)
            })
            .collect()
    }
}

/// The version with its last number lowered; itself where that is 0.
fn below(version: &str) -> String {
    let is_digit = |letter: char| letter.is_ascii_digit();
    let head = version.trim_end_matches(|letter| !is_digit(letter));
    let front = head.trim_end_matches(is_digit);
    let number = head.strip_prefix(front).and_then(|it| it.parse().ok());
    match (number, version.strip_prefix(head)) {
        (Some(number @ 1u64..), Some(tail)) => format!("{front}{}{tail}", number - 1),
        _ => version.to_owned(),
    }
}
