//! Installed packages of languages: what their tools put there, against what
//! the same tools, and Syft, list of it.

use std::collections::BTreeSet;

use seawall_inventory::Inventory;
use seawall_model::Package;

mod hostile;
mod node;
mod php;
mod python;
mod records;
mod ruby;

/// The packages of one purl type.
fn of_kind<'a>(inventory: &'a Inventory, kind: &str) -> Vec<&'a Package> {
    let all = inventory.packages.iter();
    all.filter(|package| package.kind == kind).collect()
}

/// The package URLs of one purl type, sorted.
fn purls(inventory: &Inventory, kind: &str) -> Vec<String> {
    let all = of_kind(inventory, kind).into_iter();
    let mut purls: Vec<String> = all.map(|one| one.purl.clone()).collect();
    purls.sort();
    purls
}

/// `name version` of each package of one purl type.
fn rows(inventory: &Inventory, kind: &str) -> BTreeSet<String> {
    let all = of_kind(inventory, kind).into_iter();
    all.map(|one| format!("{} {}", one.name, one.version))
        .collect()
}

/// `name version` of each package that one asks for.
fn asked(package: &Package) -> BTreeSet<String> {
    let all = package.requires.iter();
    all.map(|one| format!("{} {}", one.name, one.version.as_deref().unwrap_or("-")))
        .collect()
}

/// The package of a name and version.
fn find<'a>(inventory: &'a Inventory, name: &str, version: &str) -> &'a Package {
    let found = inventory
        .packages
        .iter()
        .find(|one| one.name == name && one.version == version);
    found.unwrap_or_else(|| panic!("no {name} {version}: {:?}", inventory.packages))
}
