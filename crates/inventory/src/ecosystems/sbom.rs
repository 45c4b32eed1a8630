//! Bills of materials that lie in an image: Bitnami's, those that Wolfi and
//! Docker leave behind, and any that is called one. They say what an image was
//! made of where no package manager does.

use std::collections::HashSet;

use seawall_formats::{Document, is_likely};
use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{GapKind, Package, Technique, in_full};

use crate::{
    Context, Ecosystem, Inventory,
    found::{self, Finds, Found},
    ownership,
    text::in_memory,
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "sbom",
    contexts: &[Context::Installed],
    analysers: &[&Documents],
    read,
};

/// Files that are called bills of materials, or lie where they are put.
struct Documents;

const SBOM: &str = "sbom";
/// Bytes of a document: those of images with 10,000 packages have 20 MB.
const DOCUMENT_LIMIT: u64 = 64 << 20;
/// Folders of which every file is one: Wolfi's and Docker's.
const FOLDERS: [&str; 4] = [
    "var/lib/db/sbom/",
    "usr/share/sbom/",
    "usr/local/share/sbom/",
    "opt/docker/sbom/",
];
/// Ends of names that say what a file is.
const ENDS: [&str; 12] = [
    ".spdx",
    ".spdx.json",
    ".spdx.jsonld",
    ".spdx3.json",
    ".cdx",
    ".cdx.json",
    ".cdx.xml",
    ".syft.json",
    ".sbom.json",
    ".bom.json",
    ".sbom.xml",
    ".bom.xml",
];

impl Analyser for Documents {
    fn name(&self) -> &'static str {
        SBOM
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Suffix(".spdx"),
            Interest::Suffix(".cdx"),
            Interest::Suffix(".jsonld"),
            Interest::Suffix(".spdx3.json"),
            Interest::Suffix(".spdx.json"),
            Interest::Suffix(".cdx.json"),
            Interest::Suffix(".cdx.xml"),
            Interest::Suffix(".syft.json"),
            Interest::Suffix(".sbom.json"),
            Interest::Suffix(".bom.json"),
            Interest::Suffix(".sbom.xml"),
            Interest::Suffix(".bom.xml"),
            Interest::Suffix(".sbom"),
            Interest::Suffix(".bom"),
            Interest::Name("bom.json"),
            Interest::Name("bom.xml"),
            Interest::Name("sbom.json"),
            Interest::Name("sbom.xml"),
            Interest::Name("sbom"),
            Interest::Name("bom"),
            Interest::In {
                dir: "var/lib/db/sbom",
                suffix: "",
            },
            Interest::In {
                dir: "usr/share/sbom",
                suffix: "",
            },
            Interest::In {
                dir: "usr/local/share/sbom",
                suffix: "",
            },
            Interest::In {
                dir: "opt/docker/sbom",
                suffix: "",
            },
        ]
    }

    fn need(&self) -> Need {
        Need::Whole(DOCUMENT_LIMIT)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let bytes = in_memory(&body)?;
        // Much is called `bom` that is none; what is called `.spdx.json` and
        // cannot be read was one.
        let is_named = ENDS.iter().any(|end| entry.path.ends_with(end))
            || FOLDERS.iter().any(|dir| entry.path.starts_with(dir));
        if !is_named && !is_likely(bytes.get(..bytes.len().min(64 << 10)).unwrap_or_default()) {
            return Ok(None);
        }
        let document = seawall_formats::read(bytes).map_err(|error| {
            format!("the bill of materials cannot be read: {}", in_full(&error))
        })?;
        Ok(evidence(&document))
    }
}

fn evidence(document: &Document) -> Option<Vec<u8>> {
    let mut out = Finds::default();
    for package in &document.packages {
        let origin = &package.origin;
        // A component may say in which file it was found.
        let inside = match &origin.inside {
            Some(inside) => format!("{}!/{inside}", origin.path),
            None => origin.path.clone(),
        };
        let found = Found {
            name: package.name.clone(),
            version: package.version.clone(),
            purl: Some(package.purl.clone()),
            technique: Technique::Sbom,
            inside: Some(inside).filter(|inside| !inside.is_empty()),
            arch: package.arch.clone(),
            licenses: package.licenses.clone(),
            hashes: package.hashes.clone(),
            requires: package.requires.clone(),
            files: package.files.iter().map(str::to_owned).collect(),
            relation: package.relation,
            source: package.source.clone(),
            module: package.module.clone(),
            ..Found::default()
        };
        out.push_as(&package.kind, &found);
    }
    for gap in &document.gaps {
        out.gap(gap.kind, &format!("{}: {}", gap.subject, gap.reason));
    }
    if document.packages.is_empty() {
        out.gap(GapKind::Missing, "the bill of materials names no package");
    }
    out.finish()
}

fn read(view: &View, inventory: &mut Inventory) {
    found::read(SBOM, view, inventory);
}

/// Takes out what documents say of packages that are there: what a manager's
/// database or a package's own record says is newer. Where a distribution's
/// database was read, only it tells which of its packages are there.
pub(crate) fn drop_repeats(packages: &mut Vec<Package>) {
    if !packages.iter().any(|one| one.technique == Technique::Sbom) {
        return;
    }
    let mut seen: HashSet<(String, String, String)> = HashSet::new();
    let mut databases: HashSet<String> = HashSet::new();
    for one in packages.iter() {
        if one.technique == Technique::Sbom {
            continue;
        }
        seen.insert(identity(one));
        if one.technique == Technique::Manifest && ownership::SYSTEM.contains(&one.kind.as_ref()) {
            databases.insert(one.kind.to_string());
        }
    }
    packages.retain(|one| {
        one.technique != Technique::Sbom
            || !(databases.contains(one.kind.as_ref()) || seen.contains(&identity(one)))
    });
    // Several documents often name the same: the first by path counts.
    packages.sort_by(|a, b| a.origin.path.cmp(&b.origin.path));
    packages.retain(|one| one.technique != Technique::Sbom || seen.insert(identity(one)));
}

fn identity(one: &Package) -> (String, String, String) {
    (one.kind.to_string(), one.name.clone(), one.version.clone())
}
