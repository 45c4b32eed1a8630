//! Lock files against the tools that write them.

#![expect(clippy::string_slice, reason = "a place within a letter is a failure")]

mod damaged;
mod edges;
mod go;
mod listings;
mod maven;
mod msbuild;
mod odd;
mod others;
mod others_damaged;
mod requirements;
mod ruby;
mod second_opinions;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use seawall_inventory::Inventory;
use seawall_model::Package;

use crate::support::{project, write};

/// The packages of a project that is one file.
fn file(name: &str, content: impl AsRef<[u8]>) -> Inventory {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), name, content);
    project(root.path())
}

/// Lock files that their own tools wrote (`tests/data/make-locks`).
fn data(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/locks")
        .join(case)
}

/// `name version` of every package, in order.
fn names(inventory: &Inventory) -> Vec<String> {
    let name = |package: &Package| format!("{} {}", package.name, package.version);
    inventory.packages.iter().map(name).collect()
}

/// `name version`, and whether the project itself names it.
fn directs(inventory: &Inventory) -> BTreeSet<String> {
    let row = |one: &Package| {
        let is_direct = one.relation.direct == Some(true);
        format!("{} {} {is_direct}", one.name, one.version)
    };
    inventory.packages.iter().map(row).collect()
}
