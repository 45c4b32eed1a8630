//! What an ecosystem is, and what all of them find together.

use seawall_image::{Analyser, View};
use seawall_model::{Gap, Os, Package};

/// One ecosystem: what it wants of each layer, and how its evidence becomes
/// packages.
pub struct Ecosystem {
    /// Name, for docs and messages: `dpkg`, `cargo-lock`.
    pub name: &'static str,
    /// Where it applies.
    pub contexts: &'static [Context],
    /// What it wants of each layer.
    pub analysers: &'static [&'static dyn Analyser],
    /// Turns evidence into packages, gaps and the distribution.
    pub read: fn(&View, &mut Inventory),
}

/// What kind of target is read: an installed system holds what really runs, a
/// project declares what it will be built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// An image or a root file system.
    Installed,
    /// A project's folder.
    Project,
}

/// What all ecosystems found.
#[derive(Debug, Default)]
pub struct Inventory {
    /// The distribution.
    pub os: Option<Os>,
    /// Packages, sorted by kind, name, version and path once finished.
    pub packages: Vec<Package>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

impl Inventory {
    /// Brings everything into its final order.
    pub(crate) fn finish(&mut self) {
        self.packages.sort_by(|a, b| {
            (&a.kind, &a.name, &a.version, &a.origin.path).cmp(&(
                &b.kind,
                &b.name,
                &b.version,
                &b.origin.path,
            ))
        });
        self.gaps.sort();
        self.gaps.dedup();
    }
}
