//! Which installed packages serve what a package asks for.

use std::collections::HashMap;

use seawall_model::{Package, Requirement};

use super::{Edges, OR};

/// For each package the packages that serve it, sorted: of names of which one
/// serves the first that is there. A name is a package's own, or one that it
/// answers to, or the path of a file that it owns. What nothing serves is left
/// out, as is what a package serves itself.
pub(super) fn serve(packages: &[Package], edges: &[Edges<'_>]) -> Vec<Vec<Requirement>> {
    let mut by_name: HashMap<&str, usize> = HashMap::with_capacity(packages.len());
    for (index, package) in packages.iter().enumerate() {
        by_name.entry(&package.name).or_insert(index);
    }
    for (index, edges) in edges.iter().enumerate() {
        for name in edges.provides.lines() {
            by_name.entry(name).or_insert(index);
        }
    }
    let owners = owners(packages, edges, &by_name);
    let find = |name: &str| by_name.get(name).or_else(|| owners.get(name)).copied();
    edges
        .iter()
        .enumerate()
        .map(|(index, edges)| {
            let mut served: Vec<usize> = edges
                .requires
                .lines()
                .filter_map(|names| names.split(OR).find_map(find))
                .filter(|serving| *serving != index)
                .collect();
            served.sort_unstable();
            served.dedup();
            let names = served.into_iter().filter_map(|index| packages.get(index));
            let mut names: Vec<Requirement> = names
                .map(|package| Requirement {
                    name: package.name.clone(),
                    version: None,
                })
                .collect();
            names.sort();
            names.dedup();
            names
        })
        .collect()
}

/// The owners of the files that are asked for: rpm's packages ask for
/// `/usr/bin/sh`, which no package has to say that it provides.
fn owners<'a>(
    packages: &[Package],
    edges: &[Edges<'a>],
    by_name: &HashMap<&str, usize>,
) -> HashMap<&'a str, usize> {
    // Paths in lists have no slash at their start.
    let paths: HashMap<&str, &'a str> = edges
        .iter()
        .flat_map(|edges| edges.requires.lines())
        .flat_map(|names| names.split(OR))
        .filter(|name| !by_name.contains_key(name))
        .filter_map(|name| Some((name.strip_prefix('/')?, name)))
        .collect();
    let mut owners = HashMap::new();
    if paths.is_empty() {
        return owners;
    }
    for (index, package) in packages.iter().enumerate() {
        for file in package.files.iter() {
            if let Some(path) = paths.get(file) {
                owners.entry(*path).or_insert(index);
            }
        }
    }
    owners
}
