//! Packages in files: one file per ecosystem.
//!
//! An [`Ecosystem`] names its analysers (what it wants of each layer) and turns
//! the finished view into packages. `build.rs` finds them: one file in
//! `ecosystems/` each.

mod inventory;

pub use inventory::{Context, Ecosystem, Inventory};

mod ecosystems {
    include!(concat!(env!("OUT_DIR"), "/ecosystems.rs"));
}

use seawall_image::{Analyser, View};

/// All ecosystems, sorted by file name.
pub fn all() -> &'static [&'static Ecosystem] {
    ecosystems::ALL
}

/// The analysers to run over a target of this kind.
pub fn analysers(context: Context) -> Vec<&'static dyn Analyser> {
    all()
        .iter()
        .filter(|ecosystem| ecosystem.contexts.contains(&context))
        .flat_map(|ecosystem| ecosystem.analysers.iter().copied())
        .collect()
}

/// Reads every ecosystem's evidence.
pub fn read(view: &View, context: Context) -> Inventory {
    let mut inventory = Inventory::default();
    for ecosystem in all().iter().filter(|ecosystem| ecosystem.contexts.contains(&context)) {
        (ecosystem.read)(view, &mut inventory);
    }
    inventory.finish();
    inventory
}
