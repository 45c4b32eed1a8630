//! Rust programs, from what `cargo auditable` wrote into one.

use std::process::Command;

use seawall_inventory::hostile;

use super::{data, named};
use crate::support::{Random, gaps, have, purls, run, syft, tree, write};

#[test]
fn crates_of_a_program_are_those_that_syft_finds() {
    if !have(&["syft", "jq"]) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    std::fs::copy(data("auditable"), root.path().join("demo")).unwrap();
    let inventory = tree(root.path());
    assert_eq!(purls(&inventory), syft(root.path(), "rust-crate"));
    assert_eq!(inventory.packages.len(), 5);
    let demo = inventory
        .packages
        .iter()
        .find(|one| one.name == "demo")
        .unwrap();
    let needed: Vec<_> = demo.requires.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(needed, ["itoa", "memchr", "serde"]);
    let direct = |name: &str| {
        let one = inventory.packages.iter().find(|one| one.name == name);
        one.unwrap().relation.direct
    };
    assert_eq!(direct("demo"), None);
    assert_eq!(direct("serde"), Some(true));
    assert_eq!(direct("serde_core"), Some(false));
}

/// The same section in the other formats.
#[test]
fn programs_of_other_systems_have_the_section_too() {
    if !have(&["go", "objcopy", "llvm-objcopy"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let path = |name: &str| work.path().join(name);
    let dump = format!("--dump-section=.dep-v0={}", path("section").display());
    let mut command = Command::new("objcopy");
    run(command.arg(dump).arg(data("auditable")).arg(path("elf")));
    write(work.path(), "main.go", "package main\n\nfunc main() {}\n");
    let root = tempfile::tempdir().unwrap();
    for (system, section) in [("windows", ".dep-v0"), ("darwin", "__DATA,.dep-v0")] {
        let mut command = Command::new("go");
        command
            .current_dir(work.path())
            .env("GOOS", system)
            .env("GOARCH", "amd64");
        run(command
            .args(["build", "-o"])
            .arg(path(system))
            .arg("main.go"));
        let mut command = Command::new("llvm-objcopy");
        let add = format!("--add-section={section}={}", path("section").display());
        run(command
            .arg(add)
            .arg(path(system))
            .arg(root.path().join(system)));
    }
    let inventory = tree(root.path());
    assert_eq!(gaps(&inventory), [""; 0]);
    let found = named(&inventory, "cargo");
    assert_eq!(found.len(), 10, "{found:?}");
}

#[test]
fn damaged_lists_are_gaps() {
    let program = std::fs::read(data("auditable")).unwrap();
    // The section lies where `readelf -S` says: 0x2a8, 245 bytes.
    let root = tempfile::tempdir().unwrap();
    let mut cut = program.clone();
    cut[0x2a8 + 60..0x2a8 + 245].fill(0);
    write(root.path(), "cut", cut);
    write(root.path(), "short", &program[..0x300]);
    let inventory = tree(root.path());
    assert_eq!(inventory.packages.len(), 0);
    let gaps = gaps(&inventory);
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert!(
        gaps[0].starts_with("damaged cut: the list of crates in the Rust program "),
        "{gaps:?}"
    );
    assert_eq!(
        gaps[1],
        "damaged short: the program is damaged: its section headers lie beyond its end"
    );
}

#[test]
fn changed_programs_never_panic() {
    let program = std::fs::read(data("auditable")).unwrap();
    let mut random = Random(7);
    for _ in 0..4000 {
        let mut bytes = program.clone();
        for _ in 0..=random.below(6) {
            let at = if random.below(2) == 0 {
                random.below(64)
            } else {
                random.below(bytes.len())
            };
            bytes[at] = [0, 1, 0xFF, 0x7F, 0x80, 0x40][random.below(6)];
        }
        bytes.truncate(random.below(bytes.len()) + 1);
        for name in ["rust-binary", "go-binary", "systemd-note"] {
            drop(hostile::evidence(name, "x", &bytes));
        }
    }
}
