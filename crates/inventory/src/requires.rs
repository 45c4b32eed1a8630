//! Which installed packages serve what others ask for: tools write the name
//! that is asked for, often in another spelling and with a range, while
//! [`Package::requires`] names the package that is there.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
    ptr,
};

use seawall_model::{Package, Requirement};
use seawall_versions::Scheme;

use crate::found::{MOST_ITEMS, MOST_NAME};

/// Bytes that the requirements of all packages of one file may take: those of
/// the largest projects take a tenth.
const MOST_BYTES: usize = 64 << 20;

/// What is left for the requirements of one file. A file that names a package
/// once and asks for it many times would grow by the length of the name.
#[derive(Debug)]
pub(crate) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Room(MOST_BYTES)
    }
}

impl Room {
    /// The requirements of one package for targets by name and version, each
    /// place in memory once: at most one more than [`MOST_ITEMS`], and none
    /// when no room is left.
    pub(crate) fn gather<'t>(
        &self,
        targets: impl IntoIterator<Item = (&'t str, Option<&'t str>)>,
    ) -> Vec<Requirement> {
        if self.gap().is_some() {
            return Vec::new();
        }
        let mut seen = HashSet::new();
        targets
            .into_iter()
            .filter(|(name, version)| name.len().max(version.map_or(0, str::len)) <= MOST_NAME)
            .filter(|(name, version)| {
                seen.insert((ptr::from_ref(*name), version.map(ptr::from_ref)))
            })
            .take(MOST_ITEMS + 1)
            .map(|(name, version)| Requirement {
                name: name.to_owned(),
                version: version.map(str::to_owned),
            })
            .collect()
    }

    /// Those of a package's requirements that there is room for.
    pub(crate) fn keep<'r>(&mut self, all: &'r [Requirement]) -> &'r [Requirement] {
        let all = all.get(..MOST_ITEMS).unwrap_or(all);
        let bytes = |one: &Requirement| {
            let version = one.version.as_ref().map_or(0, String::len);
            size_of::<Requirement>() + one.name.len() + version
        };
        let left = self.0.checked_sub(all.iter().map(bytes).sum());
        self.0 = left.unwrap_or_default();
        left.map_or(&[], |_| all)
    }

    /// What is to be said when no room is left.
    pub(crate) fn gap(&self) -> Option<String> {
        (self.0 == 0).then(|| {
            format!(
                "the requirements of its packages take more than {MOST_BYTES} bytes: the rest of \
                 them is left out"
            )
        })
    }
}

/// Where the file that names a package lies, for those who look for it: one
/// folder of modules, which see each other.
pub(crate) type Home = fn(&str) -> &str;

/// Puts into the place of each name that is asked for the package of one kind
/// that serves it: the one of its version where it names one; else one in the
/// same [`Home`], else one anywhere, the newest of several. What nothing serves (options, other platforms, the language itself)
/// is left out.
pub(crate) fn settle(packages: &mut [Package], home: Home) {
    let Some(first) = packages.first() else {
        return;
    };
    let scheme = seawall_versions::by_purl_type(&first.kind);
    let key = |name: &str| spelling(scheme, name).into_owned();
    let mut near: HashMap<(String, String), Requirement> = HashMap::new();
    let mut anywhere: HashMap<String, Requirement> = HashMap::new();
    let mut exact: HashMap<(String, String), Requirement> = HashMap::new();
    for package in packages.iter() {
        let name = key(&package.name);
        let here = (home(&package.origin.path).to_owned(), name.clone());
        let one = Requirement {
            name: package.name.clone(),
            version: Some(package.version.clone()),
        };
        let newer = |old: &Requirement| is_newer(scheme, &one, old);
        if near.get(&here).is_none_or(newer) {
            near.insert(here, one.clone());
        }
        if anywhere.get(&name).is_none_or(newer) {
            anywhere.insert(name.clone(), one.clone());
        }
        exact.insert((name, package.version.clone()), one);
    }
    for package in packages {
        let here = home(&package.origin.path);
        let own = key(&package.name);
        // Sorted, and each but once.
        let mut served = BTreeMap::new();
        for wanted in &package.requires {
            let name = key(&wanted.name);
            // Python's options of a package name others of the same package.
            if name == own {
                continue;
            }
            let found = match &wanted.version {
                Some(version) => exact.get(&(name.clone(), version.clone())),
                None => near
                    .get(&(here.to_owned(), name.clone()))
                    .or_else(|| anywhere.get(&name)),
            };
            if let Some(one) = found {
                served.insert(name, one.clone());
            }
        }
        package.requires = served.into_values().collect();
    }
}

fn is_newer(scheme: Option<&Scheme>, one: &Requirement, old: &Requirement) -> bool {
    let version = |one: &Requirement| one.version.clone().unwrap_or_default();
    let order = scheme.map(|scheme| (scheme.compare)(&version(one), &version(old)));
    order.is_some_and(std::cmp::Ordering::is_gt)
}

fn spelling<'a>(scheme: Option<&Scheme>, name: &'a str) -> Cow<'a, str> {
    scheme.map_or(Cow::Borrowed(name), |scheme| (scheme.normalise_name)(name))
}

/// The folder that a path lies in: `a/b` of `a/b/c`.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use seawall_model::Origin;

    use super::*;

    #[test]
    fn the_nearest_and_newest_serves() {
        let package = |name: &str, version: &str, path: &str, requires: &[&str]| {
            let origin = Origin {
                path: path.to_owned(),
                ..Origin::default()
            };
            let requires = requires.iter().map(|name| Requirement {
                name: (*name).to_owned(),
                version: None,
            });
            Package {
                requires: requires.collect(),
                ..Package::new("pypi", name, version, "", origin)
            }
        };
        let mut packages = [
            package("A", "1", "x/a", &["b_B", "gone", "C", "b-b"]),
            package("b.b", "9", "y/b", &[]),
            package("b.b", "1.9", "x/b1", &[]),
            package("b.b", "1.10", "x/b2", &[]),
            package("c", "3", "y/c", &["a"]),
        ];
        settle(&mut packages, folder);
        let of = |index: usize| -> Vec<(&str, &str)> {
            let all = packages[index].requires.iter();
            all.map(|one| (one.name.as_str(), one.version.as_deref().unwrap()))
                .collect()
        };
        assert_eq!(of(0), [("b.b", "1.10"), ("c", "3")]);
        assert_eq!(of(4), [("A", "1")]);
    }
}
