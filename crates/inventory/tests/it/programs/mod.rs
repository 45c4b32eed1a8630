//! Programs against the tools that know what they were built from.

mod go;
mod note;
mod rust;

use std::path::{Path, PathBuf};

use seawall_inventory::Inventory;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/programs")
        .join(name)
}

/// Name and version of each package of a kind, sorted.
fn named(inventory: &Inventory, kind: &str) -> Vec<String> {
    let packages = inventory.packages.iter().filter(|one| one.kind == kind);
    let mut all: Vec<String> = packages
        .map(|one| format!("{} {}", one.name, one.version))
        .collect();
    all.sort();
    all
}
