//! Flatpak: the `metadata` of each application and runtime that is deployed
//! (flatpak-metadata(5)), and its version from what it says of itself to
//! software centres (AppStream, "Releases").

use std::collections::HashMap;

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::Requirement;

use crate::{
    Context, Ecosystem, Inventory,
    found::{self, Finds, Found},
    purl::Purl,
    text::{lossy, text},
    xml::Tree,
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "flatpak",
    contexts: &[Context::Installed],
    analysers: &[&Metadata, &Releases],
    read,
};

/// `metadata`.
struct Metadata;
/// `ID.metainfo.xml`, `ID.appdata.xml`.
struct Releases;

const METADATA: &str = "flatpak";
const RELEASES: &str = "flatpak-releases";

/// Where something is deployed: `…/flatpak/app/ID/ARCH/BRANCH/COMMIT`.
struct Deploy<'a> {
    root: &'a str,
    id: &'a str,
    arch: &'a str,
    branch: &'a str,
}

impl<'a> Deploy<'a> {
    /// Of a file at `path`, with the rest of the path.
    fn of(path: &'a str) -> Option<(Self, &'a str)> {
        let (at, place) = ["flatpak/app/", "flatpak/runtime/"]
            .into_iter()
            .find_map(|place| Some((path.find(place)?, place)))?;
        let inside = path.get(at + place.len()..)?;
        let mut parts = inside.splitn(5, '/');
        let (id, arch, branch) = (parts.next()?, parts.next()?, parts.next()?);
        let commit = parts.next()?;
        let rest = parts.next()?;
        let root = path.get(..path.len() - rest.len() - 1)?;
        let deploy = Deploy {
            root,
            id,
            arch,
            branch,
        };
        (!commit.is_empty()).then_some((deploy, rest))
    }
}

impl Analyser for Metadata {
    fn name(&self) -> &'static str {
        METADATA
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("metadata")]
    }

    fn wants(&self, path: &str) -> bool {
        Deploy::of(path).is_some_and(|(_, rest)| rest == "metadata")
    }

    fn need(&self) -> Need {
        Need::Whole(1 << 20)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let body = lossy(&body)?;
        let Some((deploy, _)) = Deploy::of(entry.path) else {
            return Ok(None);
        };
        let mut section = "";
        let mut name = None;
        let mut runtime = None;
        for line in body.lines().map(str::trim) {
            if let Some(inside) = line.strip_prefix('[') {
                section = inside.trim_end_matches(']');
            } else if matches!(section, "Application" | "Runtime")
                && let Some((key, value)) = line.split_once('=')
            {
                match key.trim() {
                    "name" => name = Some(value.trim()),
                    "runtime" => runtime = value.trim().split('/').next(),
                    _ => {}
                }
            }
        }
        let name = name.ok_or("it names no application and no runtime")?;
        if name != deploy.id {
            return Err(format!(
                "it is of `{name}` but lies in the folder of `{}`",
                deploy.id
            ));
        }
        let mut out = Finds::default();
        out.push(&Found {
            kind: METADATA,
            name: name.to_owned(),
            qualifiers: qualifiers(&deploy),
            arch: Some(deploy.arch.to_owned()),
            requires: runtime
                .filter(|runtime| *runtime != name)
                .map(|runtime| Requirement {
                    name: runtime.to_owned(),
                    version: None,
                })
                .into_iter()
                .collect(),
            ..Found::default()
        });
        Ok(out.finish())
    }
}

fn qualifiers(deploy: &Deploy<'_>) -> Vec<(&'static str, String)> {
    vec![
        ("arch", deploy.arch.to_owned()),
        ("branch", deploy.branch.to_owned()),
    ]
}

impl Analyser for Releases {
    fn name(&self) -> &'static str {
        RELEASES
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Suffix(".metainfo.xml"),
            Interest::Suffix(".appdata.xml"),
        ]
    }

    fn wants(&self, path: &str) -> bool {
        // The copy for the host lies in `export`; both are the same.
        Deploy::of(path).is_some_and(|(deploy, rest)| {
            let name = rest.rsplit('/').next().unwrap_or_default();
            rest.starts_with("files/share/") && name.starts_with(deploy.id)
        })
    }

    fn need(&self) -> Need {
        Need::Whole(8 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let body = lossy(&body)?;
        let (tree, stop) = Tree::parse(&body);
        // The newest comes first.
        let release = tree.root().and_then(|root| {
            root.child("releases")?
                .child("release")?
                .attribute("version")
        });
        match (release, stop) {
            (Some(version), _) => Ok(Some(version.value.as_bytes().to_vec())),
            (None, Some((.., reason))) => Err(reason),
            (None, None) => Ok(None),
        }
    }
}

fn read(view: &View, inventory: &mut Inventory) {
    let mut own = Inventory::default();
    found::read(METADATA, view, &mut own);
    let versions: HashMap<&str, &str> = view
        .of(RELEASES)
        .filter_map(|evidence| {
            let (deploy, _) = Deploy::of(&evidence.path)?;
            Some((deploy.root, text(&evidence.data)))
        })
        .collect();
    for package in &mut own.packages {
        let path = package.origin.path.clone();
        let Some((deploy, _)) = Deploy::of(&path) else {
            continue;
        };
        if let Some(version) = versions.get(deploy.root) {
            package.version = (*version).to_owned();
            let mut purl = Purl::new(METADATA, &package.name, version);
            for (key, value) in qualifiers(&deploy) {
                purl = purl.qualifier(key, value);
            }
            package.purl = purl.build();
        }
    }
    inventory.packages.extend(own.packages);
    inventory.gaps.extend(own.gaps);
}
