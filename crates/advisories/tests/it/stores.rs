//! The matcher says the same over a database on disk as over the records in
//! memory, which were read by other code.

use std::{collections::BTreeSet, path::PathBuf};

use seawall_advisories::{
    Database, FetchProgress, From, RecordKind, Request, Store, UpdateRequest, find, update,
};
use seawall_model::{Origin, Os, Package};

use crate::{memory::Memory, shared};

const ECOSYSTEMS: &[&str] = &[
    "AlmaLinux",
    "Alpine",
    "Debian",
    "Go",
    "Packagist",
    "PyPI",
    "RubyGems",
    "crates.io",
    "npm",
];

struct Silent;

impl FetchProgress for Silent {
    fn bytes(&self, _: &str, _: u64) {}
}

#[test]
fn a_database_on_disk_matches_as_the_records_do() {
    let Some(shared) = shared() else { return };
    let advisories: PathBuf = shared.join("advisories");
    let folder = tempfile::tempdir().unwrap();
    let ecosystems = ECOSYSTEMS.iter().map(|name| (*name).to_owned()).collect();
    update(&UpdateRequest {
        from: From::Dir(advisories.clone()),
        dir: folder.path(),
        ecosystems,
        feeds: Vec::new(),
        key: None,
        now: 0,

        patience: seawall_advisories::PATIENCE,
        progress: &Silent,
    })
    .unwrap();
    let database = Database::open(folder.path()).unwrap();
    let memory = Memory::read(&advisories, ECOSYSTEMS);
    let mut compared = 0;
    for (shard, kind, id, version, installed) in [
        ("Debian:11", "deb", "debian", "11", "1.0-1"),
        ("Debian:10", "deb", "debian", "10", "1:2.0-1"),
        ("Alpine:v3.10", "apk", "alpine", "3.10.4", "1.0-r0"),
        ("AlmaLinux:8", "rpm", "almalinux", "8.6", "1.0-1.el8"),
        (
            "AlmaLinux:8",
            "rpm",
            "almalinux",
            "8.6",
            "1.0-1.module_el8.5.0+1+aaaaaaaa",
        ),
        ("AlmaLinux:9", "rpm", "almalinux", "9.2", "1:3.0-1.el9"),
        ("PyPI", "pypi", "", "", "1.2"),
        ("Go", "golang", "", "", "v1.2.0"),
        ("Packagist", "composer", "", "", "2.0.5"),
        ("RubyGems", "gem", "", "", "3.1.0"),
        ("crates.io", "cargo", "", "", "0.2.0"),
        ("npm", "npm", "", "", "1.0.0"),
    ] {
        let os = Os {
            id: id.to_owned(),
            version: version.to_owned(),
            name: id.to_owned(),
            codename: None,
            like: Vec::new(),
        };
        let names: BTreeSet<&str> = memory
            .all()
            .filter(|(name, _)| *name == shard)
            .map(|(_, one)| one.affected.name)
            .collect();
        let packages: Vec<Package> = names
            .into_iter()
            .map(|name| Package::new(kind, name, installed, "", Origin::default()))
            .collect();
        let request = Request {
            os: (!id.is_empty()).then_some(&os),
            packages: &packages,
            today: "2026-11-23",
            starter: false,
            max_age: None,
            epochs_left_out: false,
        };
        let ours = facts(&database, &request);
        let theirs = facts(&memory, &request);
        assert_eq!(ours.len(), theirs.len(), "{shard}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let name = &packages[theirs.0].name;
            assert_eq!(ours, theirs, "{shard}: {name}");
        }
        compared += ours.len();
    }
    eprintln!("{compared} matches compared");
    assert!(compared > 10_000, "{compared}");
}

/// Package, kind, id, advisory, aliases, fixes and range.
type Facts = (
    usize,
    RecordKind,
    String,
    String,
    Vec<String>,
    Vec<String>,
    String,
);

/// What does not depend on where scores come from.
fn facts(store: &dyn Store, request: &Request<'_>) -> Vec<Facts> {
    let found = find(store, request).matches.into_iter();
    found
        .map(|one| {
            let flaw = one.vulnerability;
            (
                one.package,
                one.kind,
                flaw.id,
                flaw.advisory,
                flaw.aliases,
                flaw.fixed,
                one.range,
            )
        })
        .collect()
}
