//! Packages in files: one file per ecosystem.
//!
//! An [`Ecosystem`] names its analysers (what it wants of each layer) and turns
//! the finished view into packages. `build.rs` finds them: one file in
//! `ecosystems/` each.

mod declared;
mod document;
mod inventory;
mod json;
mod os;
mod os_package;
mod purl;
mod record;
mod rpm;
mod stanza;
mod text;
mod toml;

pub use inventory::{Context, Ecosystem, Inventory};
pub use purl::Purl;

mod ecosystems {
    include!(concat!(env!("OUT_DIR"), "/ecosystems.rs"));
}

use seawall_image::{Analyser, View};
use seawall_model::{Gap, GapKind};

/// Entry points for tests with hostile input: each takes bytes of one format
/// and must come to an end without a panic.
pub mod hostile {
    pub use crate::{
        ecosystems::{
            apk::count_packages as apk, cargo_lock::parse_bytes as cargo_lock,
            composer_lock::parse_bytes as composer_lock, dpkg::count_licenses as copyright,
            dpkg::count_packages as dpkg, gemfile_lock::parse_bytes as gemfile_lock,
            go_mod::parse_bytes as go_mod, package_lock_json::parse_bytes as package_lock_json,
            poetry_lock::parse_bytes as poetry_lock,
            requirements_txt::parse_bytes as requirements_txt, rpm::count_manifest as rpm_manifest,
            rpm::count_packages as rpm, rpm::is_header as rpm_header,
            uv_lock::parse_bytes as uv_lock,
        },
        os::os_release_id as os_release,
    };
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
        inventory.gaps.extend(unfounded(&inventory));
    }
    inventory.finish();
    inventory
}

/// A distribution without packages, or packages without a distribution: either
/// leaves nothing to match, which must not look like a clean result.
fn unfounded(inventory: &Inventory) -> Option<Gap> {
    let has_packages = inventory
        .packages
        .iter()
        .any(|package| matches!(package.kind.as_ref(), "deb" | "apk" | "rpm"));
    match &inventory.os {
        None if has_packages => Some(Gap::new(
            GapKind::Missing,
            "etc/os-release",
            "there are a distribution's packages, but nothing says which distribution it is",
        )),
        Some(os) if !has_packages => Some(Gap::new(
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
