//! The matcher against osv-scanner, offline, on the same advisories.
//!
//! Versions are drawn from the advisories' own bounds (introduced, fixed, last
//! affected, one below and one above each), where matchers go wrong. Every
//! difference belongs to one of the classes of docs/comparison-osv-scanner.md;
//! one that does not fails the test.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use seawall_advisories::{Event, Request, find};
use seawall_model::{Origin, Package, Vulnerability};
use serde_json::{Value, json};

use crate::{have, memory::Memory, shared};

const ECOSYSTEMS: &[(&str, &str)] = &[
    ("Go", "golang"),
    ("Packagist", "composer"),
    ("PyPI", "pypi"),
    ("RubyGems", "gem"),
    ("crates.io", "cargo"),
    ("npm", "npm"),
];

/// Pairs drawn from each ecosystem.
const PAIRS: usize = 400;

type Pair = (&'static str, String, String);

#[test]
fn every_difference_to_osv_scanner_is_known() {
    if !have(&["osv-scanner"]) {
        return;
    }
    let Some(shared) = shared() else { return };
    let advisories = shared.join("advisories");
    let names: Vec<&str> = ECOSYSTEMS.iter().map(|(name, _)| *name).collect();
    let store = Memory::read(&advisories, &names);
    let pairs = draw(&store);
    let theirs = osv_scanner(&advisories, &pairs);
    let mut tally: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut unknown = Vec::new();
    let mut agreed = 0;
    for pair in &pairs {
        let ours = seawall(&store, pair);
        let none = BTreeSet::new();
        let theirs = theirs.get(pair).unwrap_or(&none);
        let mut differ = |side: &'static str, id: &str| match class(&store, side, pair, id) {
            Some(class) => *tally.entry((class, side)).or_default() += 1,
            None => unknown.push(format!("{side}: {pair:?} {id}")),
        };
        for id in theirs {
            if ours
                .iter()
                .any(|one| one.aliases.contains(id) || one.id == *id)
            {
                agreed += 1;
            } else {
                differ("only osv-scanner", id);
            }
        }
        for one in ours.iter().filter(|one| !theirs.contains(&one.advisory)) {
            differ("only Seawall", &one.advisory);
        }
    }
    eprintln!(
        "{} pairs, {agreed} records agreed, differences: {tally:#?}",
        pairs.len()
    );
    assert!(agreed > 2000, "{agreed}");
    assert!(
        unknown.is_empty(),
        "{} unexplained:\n{}",
        unknown.len(),
        unknown.join("\n")
    );
}

/// Pairs of package and version at the bounds of records, the same on every run.
fn draw(store: &Memory) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (ecosystem, _) in ECOSYSTEMS {
        let mut candidates: Vec<_> = store
            .all()
            .filter(|(shard, _)| shard == ecosystem)
            .collect();
        candidates.sort_by_key(|(_, one)| (one.record.id, one.affected.name));
        let mut own: BTreeSet<Pair> = BTreeSet::new();
        // A stride that shares no factor with any length visits all in time.
        let stride = 7919;
        for step in 0..candidates.len() {
            if own.len() >= PAIRS {
                break;
            }
            let (_, one) = candidates[step * stride % candidates.len()];
            let events: Vec<&Event<'_>> = one
                .affected
                .ranges
                .iter()
                .flat_map(|range| &range.events)
                .collect();
            // Of a long record the first and the last bounds.
            let far = events.len().saturating_sub(2);
            for event in events.iter().take(2).chain(events.iter().skip(far.max(2))) {
                let (Event::Introduced(bound) | Event::Fixed(bound) | Event::LastAffected(bound)) =
                    **event
                else {
                    continue;
                };
                let near = [
                    Some(bound.to_owned()),
                    step_by(bound, 1),
                    step_by(bound, -1),
                ];
                own.extend(
                    near.into_iter()
                        .flatten()
                        .map(|version| (*ecosystem, one.affected.name.to_owned(), version)),
                );
            }
        }
        pairs.extend(own);
    }
    pairs
}

/// The version with its last number raised or lowered.
fn step_by(version: &str, by: i64) -> Option<String> {
    let end = version.rfind(|letter: char| letter.is_ascii_digit())? + 1;
    let start = version[..end]
        .rfind(|letter: char| !letter.is_ascii_digit())
        .map_or(0, |at| at + 1);
    let number: i64 = version[start..end].parse().ok()?;
    let number = number.checked_add(by).filter(|number| *number >= 0)?;
    Some(format!("{}{number}{}", &version[..start], &version[end..]))
}

/// What we match.
fn seawall(store: &Memory, (ecosystem, name, version): &Pair) -> Vec<Vulnerability> {
    let (_, kind) = ECOSYSTEMS
        .iter()
        .find(|(name, _)| name == ecosystem)
        .unwrap();
    let packages = [Package::new(
        *kind,
        name.as_str(),
        version.as_str(),
        "",
        Origin::default(),
    )];
    let request = Request {
        os: None,
        packages: &packages,
        today: "2026-11-23",
        starter: false,
        max_age: None,
        epochs_left_out: false,
    };
    find(store, &request)
        .matches
        .into_iter()
        .map(|one| one.vulnerability)
        .collect()
}

/// Ids of the records that osv-scanner reports for each pair.
fn osv_scanner(advisories: &Path, pairs: &[Pair]) -> BTreeMap<Pair, BTreeSet<String>> {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("osv-scalibr");
    fs::create_dir(&database).unwrap();
    for (name, _) in ECOSYSTEMS {
        std::os::unix::fs::symlink(advisories.join(name), database.join(name)).unwrap();
    }
    let packages: Vec<Value> = pairs
        .iter()
        .map(|(ecosystem, name, version)| {
            json!({"package": {"name": name, "version": version, "ecosystem": ecosystem}})
        })
        .collect();
    let list = json!({"results": [{"source": {"path": "list", "type": "lockfile"}, "packages": packages}]});
    let path = folder.path().join("osv-scanner.json");
    fs::write(&path, serde_json::to_vec(&list).unwrap()).unwrap();
    let output = Command::new("osv-scanner")
        .args([
            "scan",
            "source",
            "--offline",
            "--all-vulns",
            "--format",
            "json",
        ])
        .arg("--local-db-path")
        .arg(folder.path())
        .arg("-L")
        .arg(format!("osv-scanner:{}", path.display()))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let mut found: BTreeMap<Pair, BTreeSet<String>> = BTreeMap::new();
    for result in report["results"].as_array().unwrap() {
        for package in result["packages"].as_array().unwrap() {
            let text = |key: &str| package["package"][key].as_str().unwrap_or_default();
            let (ecosystem, _) = ECOSYSTEMS
                .iter()
                .find(|(name, _)| *name == text("ecosystem"))
                .unwrap();
            let pair = (
                *ecosystem,
                text("name").to_owned(),
                text("version").to_owned(),
            );
            let ids = package["vulnerabilities"].as_array().into_iter().flatten();
            let ids = ids.filter_map(|one| one["id"].as_str().map(str::to_owned));
            found.entry(pair).or_default().extend(ids);
        }
    }
    found
}

/// The class of a difference, by its heading in docs/comparison-osv-scanner.md;
/// `None` when it belongs to none.
fn class(
    store: &Memory,
    side: &str,
    (ecosystem, name, _): &Pair,
    id: &str,
) -> Option<&'static str> {
    let only_ours = side == "only Seawall";
    if only_ours && store.has_git_range_first(id) {
        Some("ranges behind a range of commits")
    } else if only_ours && *ecosystem == "Go" && name.chars().any(char::is_uppercase) {
        Some("module paths with capital letters")
    } else {
        None
    }
}
