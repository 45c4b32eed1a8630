//! Holds the floors of ARCHITECTURE.md: a crate depends on lower floors only.

use std::process::Command;

use crate::support::root;

/// Floors, from the ground up. A crate that is not here fails the test.
const FLOORS: [(&str, u8); 18] = [
    ("seawall-model", 0),
    ("seawall-versions", 0),
    ("seawall-licenses", 0),
    ("seawall-sys", 0),
    ("seawall-discover", 0),
    ("seawall-testkit", 0),
    ("seawall-engine", 1),
    ("seawall-registry", 1),
    ("seawall-formats", 1),
    ("seawall-policy", 1),
    ("seawall-secrets", 1),
    ("seawall-image", 2),
    ("seawall-inventory", 3),
    ("seawall-advisories", 3),
    ("seawall-bases", 4),
    ("seawall-scan", 5),
    ("seawall-report", 5),
    ("seawall", 7),
];

/// What stands outside the house: nothing may depend on it.
const OUTSIDE: [&str; 2] = ["xtask", "seawall-bench"];

fn floor(name: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, floor)| *floor)
}

#[test]
fn no_dependency_points_up_or_sideways() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() >= FLOORS.len());
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        if OUTSIDE.contains(&name) {
            continue;
        }
        let Some(own) = floor(name) else {
            wrong.push(format!("{name} has no floor"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            // Build scripts run before the house stands, tests look at all of it.
            if dependency["kind"] == "build" || dependency["kind"] == "dev" {
                continue;
            }
            if OUTSIDE.contains(&other) || floor(other).is_some_and(|other| other >= own) {
                wrong.push(format!("{name} depends on {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_of_a_table_is_in_the_table() {
    // The ids are sorted and there are as many as files and detectors.
    let rules = std::fs::read_dir(root().join("crates/scan/src/rules"))
        .unwrap()
        .count();
    let all = seawall_scan::all_rules();
    let detectors = seawall_secrets::detectors().count();
    assert_eq!(all.len(), rules + detectors);
    assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id));
    for rule in all {
        assert!(rule.doc.starts_with("## What it finds\n"), "{}", rule.id);
        assert!(rule.id.split_once('/').is_some_and(|(surface, name)| {
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            !surface.is_empty() && name.chars().all(is_plain)
        }));
    }
}
