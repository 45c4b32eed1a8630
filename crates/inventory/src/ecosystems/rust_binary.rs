//! Rust programs that `cargo auditable` built: the crates that they were
//! compiled from stand in a section of their own, as JSON that zlib compressed
//! (cargo-auditable, PARSING.md and `cargo-auditable.schema.json`).

use std::{collections::HashSet, io::Read};

use flate2::read::ZlibDecoder;
use seawall_image::{Analyser, Body, Entry, Interest, Need};
use seawall_model::{GapKind, Relation, Technique};
use serde::Deserialize;

use crate::{
    Context, Ecosystem,
    found::{self, Finds, Found},
    program::{self, MAGICS, NEED, Program},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "rust-binary",
    contexts: &[Context::Installed, Context::Project],
    analysers: &[&Auditable],
    read: |view, inventory| found::read("rust-binary", view, inventory),
};

struct Auditable;

impl Analyser for Auditable {
    fn name(&self) -> &'static str {
        "rust-binary"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        MAGICS
    }

    fn need(&self) -> Need {
        NEED
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        program::evidence(&body, crates)
    }
}

fn crates(program: &Program<'_>, finds: &mut Finds) {
    let Some(section) = program.section(".dep-v0") else {
        return;
    };
    let content = program.content(section.offset, section.size, LIMIT);
    match content.and_then(|content| parse(&content)) {
        Ok(all) => list(&all.packages, finds),
        Err(reason) => {
            let reason = format!("the list of crates in the Rust program {reason}");
            finds.gap(GapKind::Damaged, &reason);
        }
    }
}

/// Bytes of the section, and of what it unpacks to: a program of a thousand
/// crates has some 20 KB and 200 KB.
const LIMIT: u64 = 16 << 20;

#[derive(Deserialize)]
struct List {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    /// `runtime`, unless it is `build`.
    #[serde(default)]
    kind: Option<String>,
    /// Indices of the crates that it asks for.
    #[serde(default)]
    dependencies: Vec<usize>,
    #[serde(default)]
    root: bool,
}

fn parse(content: &[u8]) -> Result<List, String> {
    let mut json = Vec::new();
    ZlibDecoder::new(content)
        .take(LIMIT + 1)
        .read_to_end(&mut json)
        .map_err(|error| format!("cannot be unpacked: {error}"))?;
    if json.len() as u64 > LIMIT {
        return Err(format!("unpacks to more than {LIMIT} bytes"));
    }
    serde_json::from_slice(&json).map_err(|error| format!("is damaged: {error}"))
}

fn list(all: &[Crate], finds: &mut Finds) {
    // What only built it (`build`) is no part of it.
    let is_part = |one: &&Crate| one.kind.as_deref() != Some("build");
    let root = all.iter().find(|one| one.root);
    let direct: HashSet<usize> = root
        .iter()
        .flat_map(|one| &one.dependencies)
        .copied()
        .collect();
    for (index, one) in all.iter().enumerate().filter(|(_, one)| is_part(one)) {
        let requires = one.dependencies.iter().filter_map(|index| all.get(*index));
        let requires = requires.filter(is_part);
        let requires = requires.map(|one| (one.name.as_str(), Some(one.version.as_str())));
        let is_direct = root.filter(|_| !one.root).map(|_| direct.contains(&index));
        finds.push(&Found {
            kind: "cargo",
            name: one.name.clone(),
            version: one.version.clone(),
            technique: Technique::Binary,
            requires: finds.gather(requires),
            relation: Relation {
                direct: is_direct,
                development: false,
            },
            ..Found::default()
        });
    }
}
