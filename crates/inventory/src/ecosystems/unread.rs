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
        &[Interest::Suffix(".egg")]
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
}

fn kind(path: &str) -> Option<Kind> {
    let name = path.rsplit('/').next()?;
    Some(match name.rsplit_once('.')? {
        (_, "egg") => PYTHON,
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
        for (path, expected) in [("x/lib/a-1.egg", Some(PYTHON)), ("etc/x.json", None)] {
            assert_eq!(kind(path), expected, "{path}");
        }
    }
}
