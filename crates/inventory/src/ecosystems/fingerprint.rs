//! Programs that no package manager speaks of, told by their bytes: the table
//! of fingerprints (`fingerprints/`) over files with the names of programs.

use std::collections::HashSet;

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{GapKind, Technique};

use crate::{
    Context, Ecosystem, Inventory,
    fingerprint::{better, interests, is_wanted, search},
    found::{self, Finds, Found},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "fingerprint",
    contexts: &[Context::Installed],
    analysers: &[&Programs],
    read,
};

/// Programs and libraries.
struct Programs;

/// Bytes of a program: the largest browsers have a third of it.
const PROGRAM_LIMIT: u64 = 1 << 30;

impl Analyser for Programs {
    fn name(&self) -> &'static str {
        "fingerprint"
    }

    fn version(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        interests()
    }

    fn wants(&self, path: &str) -> bool {
        is_wanted(path)
    }

    fn need(&self) -> Need {
        Need::Seek(PROGRAM_LIMIT)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let found = search(entry.path, &body)
            .map_err(|error| format!("the program cannot be read back: {error}"))?;
        let mut finds = Finds::default();
        for (fingerprint, version) in found.told {
            finds.push(&Found {
                kind: fingerprint.kind,
                name: fingerprint.name.to_owned(),
                purl: Some(fingerprint.purl(&version)),
                version,
                technique: Technique::Fingerprint,
                ..Found::default()
            });
        }
        for fingerprint in found.unsure {
            let reason = format!(
                "more of it looks like `{}` than is searched: its version cannot be told",
                fingerprint.name
            );
            finds.gap(GapKind::Limit, &reason);
        }
        Ok(finds.finish())
    }
}

fn read(view: &View, inventory: &mut Inventory) {
    let mut own = Inventory::default();
    found::read("fingerprint", view, &mut own);
    let paths: HashSet<String> = own
        .packages
        .iter()
        .map(|package| package.origin.path.clone())
        .collect();
    own.packages.retain(|package| {
        let better = better(&package.origin.path, &package.name);
        better.is_none_or(|path| !paths.contains(&path))
    });
    inventory.packages.extend(own.packages);
    inventory.gaps.extend(own.gaps);
}
