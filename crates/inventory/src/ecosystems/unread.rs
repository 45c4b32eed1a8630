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
            Interest::Suffix(".egg"),
            Interest::Below {
                dir: "var/lib/pacman/local",
                name: "desc",
            },
            Interest::Below {
                dir: "var/db/pkg",
                name: "PF",
            },
            Interest::In {
                dir: "var/db/xbps",
                suffix: ".plist",
            },
            Interest::Path("usr/lib/opkg/status"),
            Interest::Path("var/lib/opkg/status"),
            Interest::Path("nix/var/nix/db/db.sqlite"),
            Interest::Path("var/guix/db/db.sqlite"),
            Interest::Path("var/lib/chisel/manifest.wall"),
            Interest::Path("usr/share/bottlerocket/application-inventory.json"),
            Interest::In {
                dir: "var/lib/snapd/snaps",
                suffix: ".snap",
            },
            Interest::Below {
                dir: "var/lib/flatpak/app",
                name: "metadata",
            },
        ]
    }

    fn need(&self) -> Need {
        Need::Header
    }

    fn analyse(&self, entry: &Entry<'_>, _: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(kind(entry.path).map(|_| Vec::new()))
    }
}

/// One kind of package that is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    /// What the gap is called.
    subject: &'static str,
    /// What one file of it is, and several.
    one: &'static str,
    several: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $subject:literal, $one:literal, $several:literal;)+) => {
        $(const $name: Kind = Kind { subject: $subject, one: $one, several: $several };)+
    };
}

kinds! {
    PYTHON = "eggs", "Python egg", "Python eggs";
    PACMAN = "var/lib/pacman", "pacman package", "pacman packages";
    PORTAGE = "var/db/pkg", "Portage package", "Portage packages";
    XBPS = "var/db/xbps", "XBPS database", "XBPS databases";
    OPKG = "opkg", "opkg database", "opkg databases";
    NIX = "nix", "Nix database", "Nix databases";
    GUIX = "guix", "Guix database", "Guix databases";
    CHISEL = "chisel", "manifest of a chiselled image", "manifests of chiselled images";
    BOTTLEROCKET = "bottlerocket", "Bottlerocket inventory", "Bottlerocket inventories";
    SNAP = "snapd", "snap", "snaps";
    FLATPAK = "flatpak", "Flatpak application", "Flatpak applications";
}

fn kind(path: &str) -> Option<Kind> {
    let mut parts = path.rsplit('/');
    let name = parts.next()?;
    let parent = parts.next().unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    Some(match (name, ending) {
        (_, "egg") => PYTHON,
        ("application-inventory.json", _) if parent == "bottlerocket" => BOTTLEROCKET,
        ("desc", _) if path.starts_with("var/lib/pacman/") => PACMAN,
        ("PF", _) if path.starts_with("var/db/pkg/") => PORTAGE,
        (_, "plist") if parent == "xbps" => XBPS,
        ("status", _) if parent == "opkg" => OPKG,
        ("db.sqlite", _) if path.starts_with("nix/") => NIX,
        ("db.sqlite", _) => GUIX,
        ("manifest.wall", _) => CHISEL,
        (_, "snap") => SNAP,
        ("metadata", _) if path.starts_with("var/lib/flatpak/") => FLATPAK,
        _ => return None,
    })
}

fn read(view: &View, inventory: &mut Inventory) {
    if view.of("unread").next().is_none() {
        return;
    }
    // A package manager's own files are judged by its advisories. Of its
    // hundreds of thousands only signs of packages are of interest.
    let owned: HashSet<&str> = inventory
        .packages
        .iter()
        .flat_map(|package| package.files.iter())
        .filter(|path| kind(path).is_some())
        .collect();
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for evidence in view.of("unread") {
        if owned.contains(evidence.path.as_str()) {
            continue;
        }
        if let Some(kind) = kind(&evidence.path) {
            *counts.entry(kind).or_default() += 1;
        }
    }
    inventory
        .gaps
        .extend(counts.into_iter().map(|(kind, count)| {
            let reason = match count {
                1 => format!("1 {} is there that is not read", kind.one),
                _ => format!("{count} {} are there that are not read", kind.several),
            };
            Gap::new(GapKind::Unsupported, kind.subject, reason)
        }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_told_from_its_insides() {
        for (path, expected) in [
            ("x/lib/a-1.egg", Some(PYTHON)),
            ("etc/x.json", None),
            ("var/lib/pacman/local/bash-5.2-1/desc", Some(PACMAN)),
            ("var/lib/chisel/manifest.wall", Some(CHISEL)),
        ] {
            assert_eq!(kind(path), expected, "{path}");
        }
    }
}
