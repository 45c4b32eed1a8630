//! Packages in files: one file per ecosystem.
//!
//! An [`Ecosystem`] names its analysers (what it wants of each layer) and turns
//! the finished view into packages. `build.rs` finds them: one file in
//! `ecosystems/` each.

mod bytes;
mod core_metadata;
mod declared;
mod document;
mod erlang;
mod faults;
mod fingerprint;
mod found;
mod integrity;
mod inventory;
mod jar;
mod json;
mod links;
mod literal;
mod manifest;
mod node_links;
mod npm;
mod os;
mod os_package;
mod ownership;
mod package_json;
mod page_set;
mod pom;
mod program;
mod purl;
mod pyproject;
mod python;
mod record;
mod requires;
mod rpm;
mod sqlite;
mod stanza;
mod swift;
mod terms;
mod text;
mod toml;
mod xml;
mod yaml;
mod zip;

pub use inventory::{Context, Ecosystem, Inventory};
pub use purl::Purl;

mod ecosystems {
    include!(concat!(env!("OUT_DIR"), "/ecosystems.rs"));
}

mod fingerprints {
    include!(concat!(env!("OUT_DIR"), "/fingerprints.rs"));
}

use seawall_image::{Analyser, View};
use seawall_model::{Gap, GapKind, Technique};

/// Entry points for tests with hostile input: each takes bytes of one format
/// and must come to an end without a panic.
pub mod hostile {
    use seawall_image::{Analyser, Body, Entry, EntryKind};

    pub use crate::{
        ecosystems::{
            apk::count_packages as apk, dpkg::count_licenses as copyright,
            dpkg::count_packages as dpkg, rpm::count_berkeley as rpm_berkeley,
            rpm::count_joined as rpm_joined, rpm::count_manifest as rpm_manifest,
            rpm::count_ndb as rpm_ndb, rpm::count_packages as rpm, rpm::is_header as rpm_header,
        },
        os::os_release_id as os_release,
    };

    /// Every analyser, by ecosystem.
    pub fn analysers() -> Vec<&'static dyn Analyser> {
        let all = crate::all().iter();
        all.flat_map(|ecosystem| ecosystem.analysers.iter().copied())
            .collect()
    }

    /// What the analyser of this name makes of a file at `path`.
    ///
    /// # Errors
    /// What is wrong with the file, or that there is no such analyser.
    pub fn evidence(analyser: &str, path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let all = analysers();
        let one = all.iter().find(|one| one.name() == analyser);
        let one = one.ok_or_else(|| format!("there is no analyser `{analyser}`"))?;
        let entry = Entry {
            path,
            kind: EntryKind::File,
            size: bytes.len() as u64,
            mode: 0o644,
            uid: 0,
            gid: 0,
            link: None,
            capability: None,
        };
        one.analyse(&entry, Body::Bytes(bytes))
    }
}

/// All ecosystems, sorted by file name.
pub fn all() -> &'static [&'static Ecosystem] {
    ecosystems::ALL
}

/// The analysers to run over a target of this kind.
pub fn analysers(context: Context) -> Vec<&'static dyn Analyser> {
    let os: Option<&'static dyn Analyser> = match context {
        Context::Installed => Some(&os::ReleaseFiles),
        Context::Project => None,
    };
    let rest = all()
        .iter()
        .filter(|ecosystem| ecosystem.contexts.contains(&context))
        .flat_map(|ecosystem| ecosystem.analysers.iter().copied());
    os.into_iter().chain(rest).collect()
}

/// Reads every ecosystem's evidence. The distribution comes first, since the
/// names of its packages bear its name.
pub fn read(view: &View, context: Context) -> Inventory {
    let mut inventory = Inventory {
        os: os::read(view),
        ..Inventory::default()
    };
    for ecosystem in all()
        .iter()
        .filter(|ecosystem| ecosystem.contexts.contains(&context))
    {
        (ecosystem.read)(view, &mut inventory);
    }
    if context == Context::Installed {
        ecosystems::sbom::drop_repeats(&mut inventory.packages);
        inventory.gaps.extend(unfounded(&inventory));
        ownership::tell(&mut inventory.packages, view);
    }
    inventory.finish();
    inventory
}

/// A distribution without packages, or packages without a distribution: either
/// leaves nothing to match, which must not look like a clean result.
fn unfounded(inventory: &Inventory) -> Option<Gap> {
    // A program's note of the package that it was built for is no database.
    let has = |kinds: &[&str]| {
        inventory.packages.iter().any(|package| {
            package.technique == Technique::Manifest && kinds.contains(&package.kind.as_ref())
        })
    };
    let has_packages = has(&ownership::SYSTEM);
    match &inventory.os {
        None if has_packages => Some(Gap::new(
            GapKind::Missing,
            "etc/os-release",
            "there are a distribution's packages, but nothing says which distribution it is",
        )),
        // These managers serve any distribution, and are one's own.
        Some(os) if !has_packages && !has(&["nix", "guix"]) => Some(Gap::new(
            GapKind::Missing,
            "package database",
            format!(
                "it is {}, but no database of installed packages could be read",
                os.name
            ),
        )),
        _ => None,
    }
}
