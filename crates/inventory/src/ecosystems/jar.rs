//! Java archives, in images and in projects.

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{Gap, GapKind};

use crate::{
    Context, Ecosystem, Inventory,
    bytes::Bytes,
    found::{self, Finds},
    jar,
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "jar",
    contexts: &[Context::Installed, Context::Project],
    analysers: &[&Jar],
    read,
};

struct Jar;

impl Analyser for Jar {
    fn name(&self) -> &'static str {
        "jar"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Suffix(".jar"),
            Interest::Suffix(".war"),
            Interest::Suffix(".ear"),
            Interest::Suffix(".par"),
            Interest::Suffix(".sar"),
            Interest::Suffix(".nar"),
            Interest::Suffix(".jpi"),
            Interest::Suffix(".hpi"),
            Interest::Suffix(".kar"),
            Interest::Suffix(".far"),
            Interest::Suffix(".lpkg"),
            Interest::Suffix(".rar"),
        ]
    }

    fn need(&self) -> Need {
        Need::Seek(4 << 30)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let mut finds = Finds::default();
        jar::packages(Bytes::body(&body), entry.path, &mut finds);
        Ok(finds.finish())
    }
}

/// Archives that a gap names.
const MOST_NAMED: usize = 5;

fn read(view: &View, inventory: &mut Inventory) {
    let before = inventory.packages.len();
    found::read("jar", view, inventory);
    let added = inventory.packages.get(before..).unwrap_or_default();
    // Advisories go by group and artifact: without a group none is found.
    let mut nameless: Vec<String> = added
        .iter()
        .filter(|one| !one.name.contains(':') && !one.version.is_empty())
        .map(|one| format!("`{} {}`", one.name, one.version))
        .collect();
    nameless.sort();
    nameless.dedup();
    if nameless.is_empty() {
        return;
    }
    let count = nameless.len();
    nameless.truncate(MOST_NAMED);
    let reason = format!(
        "{count} of the Java archives do not say which group they are of, and no advisory can be \
         looked up for them: {}{}",
        nameless.join(", "),
        if count > MOST_NAMED { ", …" } else { "" }
    );
    inventory
        .gaps
        .push(Gap::new(GapKind::Missing, "jars", reason));
}
