//! Ubuntu's chiselled images: slices of Debian packages, in a manifest of JSON
//! lines packed with zstd (Chisel documentation, "Chisel manifest").

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, BufReader, Read},
};

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::GapKind;
use serde::Deserialize;

use crate::{
    Context, Ecosystem, Inventory,
    os_package::{Databases, Found, Gathered, histories, identities},
    text::in_memory,
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "chisel",
    contexts: &[Context::Installed],
    analysers: &[&Manifest],
    read,
};

/// `manifest.wall`.
struct Manifest;

const MANIFEST: &str = "chisel-manifest";
/// Bytes of a manifest once unpacked, and of one line: a whole Ubuntu would
/// take a tenth.
const UNPACKED: u64 = 256 << 20;
const LINE: usize = 64 << 10;

impl Analyser for Manifest {
    fn name(&self) -> &'static str {
        MANIFEST
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Path("var/lib/chisel/manifest.wall"),
            Interest::Name("manifest.wall"),
        ]
    }

    fn need(&self) -> Need {
        Need::Whole(64 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let bytes = in_memory(&body)?;
        let lines = zstd::Decoder::new(bytes)
            .map_err(|error| format!("the manifest cannot be unpacked: {error}"))?;
        parse(BufReader::new(lines.take(UNPACKED)))
    }
}

/// One line: a package, a slice, a path, or a file of a slice.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(default)]
    kind: &'a str,
    #[serde(default)]
    name: &'a str,
    #[serde(default)]
    version: &'a str,
    #[serde(default)]
    arch: &'a str,
    #[serde(default)]
    sha256: &'a str,
    #[serde(default)]
    slice: &'a str,
    // A path may hold what JSON writes with a backslash.
    #[serde(default, borrow)]
    path: std::borrow::Cow<'a, str>,
}

#[derive(Default)]
struct Package {
    version: String,
    arch: String,
    sha256: String,
    files: Vec<String>,
}

fn parse(mut lines: impl BufRead) -> Result<Option<Vec<u8>>, String> {
    let mut packages: HashMap<String, Package> = HashMap::new();
    let mut names: Vec<String> = Vec::new();
    let mut out = Gathered::default();
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let read = (&mut lines).take(LINE as u64).read_until(b'\n', &mut bytes);
        match read {
            Ok(0) => break,
            Ok(_) if bytes.len() == LINE => {
                out.gap(GapKind::Limit, "a line of the manifest is too long");
                break;
            }
            Ok(_) => {}
            Err(error) => {
                let reason = format!("the manifest cannot be unpacked to its end: {error}");
                out.gap(GapKind::Damaged, &reason);
                break;
            }
        }
        let Ok(line) = serde_json::from_slice::<Line<'_>>(&bytes) else {
            out.gap(GapKind::Damaged, "a line of the manifest is no JSON");
            break;
        };
        match line.kind {
            "package" => {
                names.push(line.name.to_owned());
                let package = packages.entry(line.name.to_owned()).or_default();
                package.version = line.version.to_owned();
                package.arch = line.arch.to_owned();
                package.sha256 = format!("sha256:{}", line.sha256);
            }
            // The lines are sorted by kind, so files come before packages.
            "content" => {
                let name = line.slice.split('_').next().unwrap_or_default();
                if !line.path.ends_with('/') {
                    let package = packages.entry(name.to_owned()).or_default();
                    package.files.push(line.path.into_owned());
                }
            }
            _ => {}
        }
    }
    for name in &names {
        let Some(package) = packages.get(name) else {
            continue;
        };
        if name.is_empty() || package.version.is_empty() {
            out.gap(GapKind::Damaged, "a package has no name or no version");
            continue;
        }
        for file in &package.files {
            out.file("", file.trim_start_matches('/'));
        }
        out.push(&Found {
            name,
            version: &package.version,
            arch: &package.arch,
            hashes: &package.sha256,
            ..Found::default()
        });
    }
    Ok(out.finish())
}

fn read(view: &View, inventory: &mut Inventory) {
    let mut databases = Databases::new("deb", view, inventory.os.as_ref());
    for states in histories(view, MANIFEST).values() {
        databases.read(states);
    }
    let (mut packages, gaps) = databases.finish();
    // What dpkg's own database names too is read from there.
    let known: HashSet<_> = ["dpkg-status", "dpkg-status-d"]
        .into_iter()
        .flat_map(|analyser| view.of(analyser))
        .flat_map(identities)
        .collect();
    packages.retain(|one| {
        let arch = one.arch.as_deref().unwrap_or_default();
        !known.contains(&(one.name.as_str(), one.version.as_str(), arch))
    });
    inventory.packages.extend(packages);
    inventory.gaps.extend(gaps);
}
