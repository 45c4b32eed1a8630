//! Lock files against the tools that write them.

#![expect(clippy::string_slice, reason = "a place within a letter is a failure")]

mod damaged;
mod go;
mod listings;
mod odd;
mod requirements;
mod ruby;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use seawall_image::{Limits, NoProgress, Options, Source};
use seawall_inventory::{Context, Inventory};
use seawall_model::Package;

use crate::support::write;

/// The packages of a project's folder.
fn project(root: &Path) -> Inventory {
    let analysers = seawall_inventory::analysers(Context::Project);
    let options = Options {
        analysers: &analysers,
        platform: None,
        cache: None,
        limits: Limits::default(),
        progress: &NoProgress,
    };
    let view = seawall_image::open(Source::Directory(root.to_owned()), &options)
        .unwrap()
        .view;
    let mut inventory = seawall_inventory::read(&view, Context::Project);
    inventory.gaps.extend(view.gaps);
    inventory.gaps.sort();
    inventory
}

/// The same for one file.
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
