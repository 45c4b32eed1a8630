//! Assemblies of .NET that no deps.json speaks for: what their version
//! resource says (Microsoft, "VS_VERSIONINFO"), as Syft takes it. The name of
//! an assembly is mostly that of its package; its version often is.

use std::collections::HashSet;

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::Technique;

use crate::{
    Context, Ecosystem, Inventory,
    found::{self, Found},
    program::{self, NEED},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "dotnet-assembly",
    contexts: &[Context::Installed, Context::Project],
    analysers: &[&Assembly],
    read,
};

struct Assembly;

impl Analyser for Assembly {
    fn name(&self) -> &'static str {
        "dotnet-assembly"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Suffix(".dll"), Interest::Suffix(".exe")]
    }

    fn need(&self) -> Need {
        NEED
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        program::evidence(&body, |program, finds| {
            if program.windows.is_some_and(|one| one.is_assembly)
                && let Some(resource) = program.version_resource()
                && let Some(found) = package(entry.path, &resource)
            {
                finds.push(&found);
            }
        })
    }
}

fn package(path: &str, resource: &[u8]) -> Option<Found> {
    let name = text(resource, "InternalName").or_else(|| text(resource, "OriginalFilename"));
    let file = path.rsplit('/').next().unwrap_or(path);
    let name = name.unwrap_or_else(|| file.to_owned());
    let ending = name.rsplit_once('.').filter(|(_, ending)| {
        ending.eq_ignore_ascii_case("dll") || ending.eq_ignore_ascii_case("exe")
    });
    let name = ending.map_or(name.as_str(), |(name, _)| name).to_owned();
    // `13.0.1+ae9fe44e1323…`: what stands behind the sign is the revision.
    let version = ["ProductVersion", "FileVersion"]
        .into_iter()
        .filter_map(|key| text(resource, key))
        .find_map(|version| {
            let version = version.split(['+', ' ']).next()?.to_owned();
            let is_one = version.starts_with(|first: char| first.is_ascii_digit());
            is_one.then_some(version)
        })?;
    Some(Found {
        kind: "nuget",
        name,
        version,
        technique: Technique::Binary,
        ..Found::default()
    })
}

/// The value of a `String` structure: behind its key, at the next multiple of
/// four bytes, ended by a zero.
fn text(resource: &[u8], key: &str) -> Option<String> {
    let units =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let wanted = [units(key), vec![0, 0]].concat();
    let at = memchr::memmem::find(resource, &wanted)?;
    let start = (at + wanted.len()).next_multiple_of(4);
    let (value, _) = resource.get(start..)?.as_chunks::<2>();
    let value: Vec<u16> = value
        .iter()
        .map(|unit| u16::from_le_bytes(*unit))
        .take_while(|unit| *unit != 0)
        .collect();
    let value = String::from_utf16_lossy(&value).trim().to_owned();
    (!value.is_empty()).then_some(value)
}

/// A deps.json speaks for the assemblies of its folder and of those below, as
/// far as it names what they belong to; folders without one speak for
/// themselves.
fn read(view: &View, inventory: &mut Inventory) {
    let folder = |path: &str| {
        path.rsplit_once('/')
            .map_or(String::new(), |(dir, _)| dir.to_owned())
    };
    let told: HashSet<String> = view
        .of("deps-json")
        .map(|evidence| folder(&evidence.path))
        .collect();
    let mut all = Inventory::default();
    found::read("dotnet-assembly", view, &mut all);
    all.packages.retain(|package| {
        let mut dir = folder(&package.origin.path);
        loop {
            if told.contains(&dir) {
                return false;
            }
            if dir.is_empty() {
                return true;
            }
            dir = folder(&dir);
        }
    });
    inventory.packages.extend(all.packages);
    inventory.gaps.extend(all.gaps);
}
