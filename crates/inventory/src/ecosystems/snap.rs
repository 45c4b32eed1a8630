//! Snaps: `meta/snap.yaml` of each that is mounted or unpacked (Snapcraft
//! documentation, "The snap format"). Those that are packed are a gap.

use std::collections::HashSet;

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{Gap, GapKind};

use crate::{
    Context, Ecosystem, Inventory,
    found::{self, Finds, Found},
    purl::Purl,
    text::lossy,
    yaml::{Node, Tree},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "snap",
    contexts: &[Context::Installed],
    analysers: &[&Meta, &Packed],
    read,
};

/// `meta/snap.yaml`.
struct Meta;
/// `NAME_REVISION.snap`, a SquashFS image.
struct Packed;

const META: &str = "snap";
const PACKED: &str = "snap-packed";

impl Analyser for Meta {
    fn name(&self) -> &'static str {
        META
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("snap.yaml")]
    }

    fn wants(&self, path: &str) -> bool {
        path.ends_with("/meta/snap.yaml") || path == "meta/snap.yaml"
    }

    fn need(&self) -> Need {
        Need::Whole(1 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let body = lossy(&body)?;
        let tree = Tree::new(&body);
        let error = || tree.error.as_ref().map(|error| error.reason.clone());
        let Some(meta) = tree.documents().next() else {
            return Err(error().unwrap_or_else(|| "it is empty".to_owned()));
        };
        let (Some(name), Some(version)) = (meta.text_of("name"), meta.text_of("version")) else {
            return Err(error().unwrap_or_else(|| "the snap has no name or no version".to_owned()));
        };
        let mut architectures: Vec<&str> = Vec::new();
        if let Some(list) = meta.get("architectures") {
            architectures.extend(list.items().filter_map(Node::text));
        }
        // `all` and several are no architecture.
        let arch = architectures.pop().filter(|_| architectures.is_empty());
        let arch = arch.unwrap_or_default();
        let purl = Purl::new("generic", name, version)
            .namespace("snap")
            .qualifier("arch", arch)
            .qualifier("base", meta.text_of("base").unwrap_or_default())
            .qualifier("type", meta.text_of("type").unwrap_or_default())
            .build();
        let mut out = Finds::default();
        out.push(&Found {
            kind: "generic",
            name: format!("snap/{name}"),
            version: version.to_owned(),
            purl: Some(purl),
            arch: Some(arch.to_owned()).filter(|arch| !arch.is_empty()),
            licenses: meta
                .text_of("license")
                .map(str::to_owned)
                .into_iter()
                .collect(),
            ..Found::default()
        });
        Ok(out.finish())
    }
}

impl Analyser for Packed {
    fn name(&self) -> &'static str {
        PACKED
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::In {
                dir: "var/lib/snapd/snaps",
                suffix: ".snap",
            },
            Interest::In {
                dir: "var/lib/snapd/seed/snaps",
                suffix: ".snap",
            },
        ]
    }

    fn need(&self) -> Need {
        Need::Header
    }

    fn analyse(&self, _: &Entry<'_>, _: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(Some(Vec::new()))
    }
}

fn read(view: &View, inventory: &mut Inventory) {
    let before = inventory.packages.len();
    found::read(META, view, inventory);
    let read: HashSet<String> = inventory
        .packages
        .iter()
        .skip(before)
        .map(|package| package.name.clone())
        .collect();
    for evidence in view.of(PACKED) {
        let file = evidence.path.rsplit('/').next().unwrap_or_default();
        let name = file.split('_').next().unwrap_or_default();
        if !read.contains(&format!("snap/{name}")) {
            inventory.gaps.push(Gap::new(
                GapKind::Unsupported,
                evidence.path.clone(),
                format!("the snap `{name}` is packed: what is in it is not read"),
            ));
        }
    }
}
