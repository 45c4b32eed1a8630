//! Which of the packages in folders of modules serve each other (Node,
//! "Modules: Loading from node_modules folders").

use std::collections::{BTreeSet, HashMap, HashSet};

use seawall_model::{Package, Requirement};
use seawall_versions::npm;

use crate::requires::folder;

/// Folders of modules around a package that are looked through: npm's trees are
/// some ten deep.
const MOST_LEVELS: usize = 64;
/// Where Debian and its kin put packages (Debian, "Nodejs/Manual").
pub(crate) const DEBIAN: [&str; 2] = ["usr/share/nodejs", "usr/lib/nodejs"];

/// Finds the package that each requirement is served by, as Node does: in the
/// `node_modules` of the package itself, then in those above it. In a store,
/// whose links are not followed, by its name: the newest that lies in the range
/// which stands in the place of its version.
pub(crate) fn link(packages: &mut [Package]) {
    let served: HashMap<String, Requirement> = packages
        .iter()
        .map(|package| (folder(&package.origin.path).to_owned(), itself(package)))
        .collect();
    // `node_modules` of `node_modules/@a/b` as of `node_modules/b`.
    let homes: HashSet<&str> = served
        .keys()
        .map(|path| folder(path))
        .map(|at| match at.rsplit('/').next() {
            Some(scope) if scope.starts_with('@') => folder(at),
            _ => at,
        })
        .collect();
    let mut stored: HashMap<(String, String), BTreeSet<Requirement>> = HashMap::new();
    for package in packages.iter() {
        if let Some(store) = store(&package.origin.path) {
            let key = (store.to_owned(), package.name.clone());
            stored.entry(key).or_default().insert(itself(package));
        }
    }
    for package in packages {
        let mut found = BTreeSet::new();
        let around = around(folder(&package.origin.path), &homes);
        for wanted in &package.requires {
            let mut paths = around.iter().map(|at| join(at, &wanted.name));
            let beside = paths.find_map(|path| served.get(&path));
            let in_store = || {
                let store = store(&package.origin.path)?;
                let all = stored.get(&(store.to_owned(), wanted.name.clone()))?;
                newest(all, wanted.version.as_deref())
            };
            found.extend(beside.or_else(in_store).cloned());
        }
        package.requires = found.into_iter().collect();
    }
}

/// The only one, or the newest in a range.
fn newest<'a>(all: &'a BTreeSet<Requirement>, range: Option<&str>) -> Option<&'a Requirement> {
    if all.len() == 1 {
        return all.first();
    }
    let range = npm::Range::parse(range?)?;
    let version = |one: &Requirement| one.version.clone().unwrap_or_default();
    let compare = seawall_versions::by_purl_type("npm")?.compare;
    all.iter()
        .filter(|one| range.satisfies(&version(one)))
        .max_by(|a, b| compare(&version(a), &version(b)))
}

fn itself(package: &Package) -> Requirement {
    Requirement {
        name: package.name.clone(),
        version: Some(package.version.clone()),
    }
}

fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        _ => format!("{folder}/{name}"),
    }
}

/// The folders of modules that a package in `at` sees, nearest first.
fn around(at: &str, homes: &HashSet<&str>) -> Vec<String> {
    let mut at = at;
    let mut found = Vec::new();
    while found.len() < MOST_LEVELS {
        let own = join(at, "node_modules");
        if homes.contains(own.as_str()) {
            found.push(own);
        } else if DEBIAN.contains(&at) {
            found.push(at.to_owned());
        }
        if at.is_empty() {
            break;
        }
        at = folder(at);
    }
    found
}

/// The store that a path lies in.
fn store(path: &str) -> Option<&str> {
    [".pnpm/", ".yarn/unplugged/", ".yarn/cache/"]
        .iter()
        .find_map(|name| path.split_once(name).map(|(store, _)| store))
}
