//! Installed packages of kinds that are not read yet: each kind that is there
//! is a gap with its count, so that a report never passes over them.

use std::collections::{BTreeMap, HashSet};

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{Gap, GapKind};

use crate::{Context, Ecosystem, Inventory};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "unread",
    contexts: &[Context::Installed],
    analysers: &[&Signs],
    read,
};

/// Files that are signs of packages, told by their names alone.
struct Signs;

impl Analyser for Signs {
    fn name(&self) -> &'static str {
        "unread"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Name("package.json"),
            Interest::Name("METADATA"),
            Interest::Name("PKG-INFO"),
            Interest::Suffix(".gemspec"),
            Interest::Suffix(".jar"),
            Interest::Suffix(".war"),
            Interest::Suffix(".ear"),
            Interest::Suffix(".json"),
            Interest::Below {
                dir: "var/lib/pacman/local",
                name: "desc",
            },
            Interest::Below {
                dir: "var/db/pkg",
                name: "PF",
            },
            Interest::Path("usr/lib/opkg/status"),
            Interest::Path("var/lib/opkg/status"),
            Interest::Path("nix/var/nix/db/db.sqlite"),
            Interest::Path("var/lib/snapd/state.json"),
        ]
    }

    fn need(&self) -> Need {
        Need::Header
    }

    fn analyse(&self, entry: &Entry<'_>, _: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(kind(entry.path).map(|_| Vec::new()))
    }
}

/// What the gap is called, and what it is a gap in.
fn kind(path: &str) -> Option<(&'static str, &'static str)> {
    let mut parts = path.rsplit('/');
    let name = parts.next()?;
    let parent = parts.next().unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    Some(match (name, ending) {
        ("package.json", _) => {
            // `node_modules/NAME` or `node_modules/@SCOPE/NAME`; what lies
            // deeper belongs to a package, and is none.
            let above = parts.next().unwrap_or_default();
            let is_package = above == "node_modules"
                || (above.starts_with('@') && parts.next() == Some("node_modules"));
            if !is_package {
                return None;
            }
            ("node_modules", "npm packages")
        }
        ("METADATA", _) if parent.ends_with(".dist-info") => ("site-packages", "Python packages"),
        ("PKG-INFO", _) if parent.ends_with(".egg-info") || parent == "EGG-INFO" => {
            ("site-packages", "Python packages")
        }
        (_, "gemspec") if parent == "specifications" || parent == "default" => {
            ("gems", "Ruby gems")
        }
        (_, "jar" | "war" | "ear") => ("jars", "Java archives"),
        ("installed.json", _) if parent == "composer" => ("vendor/composer", "Composer packages"),
        (_, "json") if name.ends_with(".deps.json") => (".deps.json", ".NET dependency files"),
        (_, "json") if parent == "conda-meta" => ("conda-meta", "Conda packages"),
        ("desc", _) => ("var/lib/pacman", "pacman packages"),
        ("PF", _) => ("var/db/pkg", "Portage packages"),
        ("status", _) => ("opkg", "opkg databases"),
        ("db.sqlite", _) => ("nix", "Nix databases"),
        ("state.json", _) => ("snapd", "snap databases"),
        _ => return None,
    })
}

fn read(view: &View, inventory: &mut Inventory) {
    // A package manager's own files are judged by its advisories.
    let owned: HashSet<&str> = inventory
        .packages
        .iter()
        .flat_map(|package| package.files.iter())
        .collect();
    let mut counts: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for evidence in view.of("unread") {
        let Some(kind) = kind(&evidence.path) else {
            continue;
        };
        let (all, system) = counts.entry(kind).or_default();
        *all += 1;
        *system += usize::from(owned.contains(evidence.path.as_str()));
    }
    for ((subject, what), (all, system)) in counts {
        let others = all - system;
        if others == 0 {
            continue;
        }
        let reason = format!("{others} {what} are there that are not read");
        inventory
            .gaps
            .push(Gap::new(GapKind::Unsupported, subject, reason));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_told_from_its_insides() {
        let subject = |path: &str| kind(path).map(|(subject, _)| subject);
        assert_eq!(
            subject("app/node_modules/left-pad/package.json"),
            Some("node_modules")
        );
        assert_eq!(
            subject("app/node_modules/@a/b/package.json"),
            Some("node_modules")
        );
        assert_eq!(subject("app/node_modules/b/test/package.json"), None);
        assert_eq!(
            subject("x/lib/a-1.dist-info/METADATA"),
            Some("site-packages")
        );
        assert_eq!(subject("opt/app.deps.json"), Some(".deps.json"));
        assert_eq!(subject("etc/x.json"), None);
    }
}
