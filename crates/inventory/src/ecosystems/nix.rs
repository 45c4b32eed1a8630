//! Nix and Guix: the database of valid paths (Nix manual, "Store"; `schema.sql`),
//! or where an image was made without one the names of the folders in the store.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{Gap, GapKind, Hash, Requirement, Technique};

use crate::{
    Context, Ecosystem, Inventory,
    found::{self, Finds, Found},
    sqlite::{Column, Database, EMPTY_LOG, OpenError},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "nix",
    contexts: &[Context::Installed],
    analysers: &[&Valid, &Names, &Log],
    read,
};

/// `db.sqlite`.
struct Valid;
/// Programs, libraries and scripts in the store.
struct Names;
/// What a database that was not closed has beside it.
struct Log;

const DATABASE: &str = "nix-db";
const STORE: &str = "nix-store";
const LOG: &str = "nix-log";
/// Databases, their stores, and the purl type of what is in them.
const PLACES: [(&str, &str, &str); 2] = [
    ("nix/var/nix/db/db.sqlite", "nix/store/", "nix"),
    ("var/guix/db/db.sqlite", "gnu/store/", "guix"),
];

impl Analyser for Valid {
    fn name(&self) -> &'static str {
        DATABASE
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Path(PLACES[0].0), Interest::Path(PLACES[1].0)]
    }

    fn need(&self) -> Need {
        Need::Seek(1 << 30)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let place = PLACES.iter().find(|(path, ..)| *path == entry.path);
        let Some((_, store, kind)) = place.filter(|_| entry.size > 0) else {
            return Ok(None);
        };
        parse(&body, store, kind).map_err(|error| format!("the database cannot be read: {error}"))
    }
}

impl Analyser for Names {
    fn name(&self) -> &'static str {
        STORE
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Magic(b"\x7FELF"),
            Interest::Magic(b"#!"),
            Interest::Magic(b"!<arch>"),
        ]
    }

    fn wants(&self, path: &str) -> bool {
        PLACES.iter().any(|(_, store, _)| path.starts_with(store))
    }

    fn need(&self) -> Need {
        Need::Header
    }

    fn analyse(&self, _: &Entry<'_>, _: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(Some(Vec::new()))
    }
}

impl Analyser for Log {
    fn name(&self) -> &'static str {
        LOG
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Path("nix/var/nix/db/db.sqlite-wal"),
            Interest::Path("var/guix/db/db.sqlite-wal"),
        ]
    }

    fn need(&self) -> Need {
        Need::Header
    }

    fn analyse(&self, entry: &Entry<'_>, _: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok((entry.size > EMPTY_LOG).then(Vec::new))
    }
}

/// One folder of the store: `HASH-NAME-VERSION[-OUTPUT]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Folder<'a> {
    hash: &'a str,
    name: &'a str,
    version: &'a str,
    output: &'a str,
}

/// Outputs that a package may be split into (nixpkgs manual, "Multiple-output
/// packages").
const OUTPUTS: [&str; 13] = [
    "bin", "data", "debug", "dev", "devdoc", "dist", "doc", "info", "lib", "man", "out", "py",
    "static",
];
/// Letters of a folder's hash.
const HASH: usize = 32;

/// What a folder's name says; `None` for what is no package: sources, patches
/// and scripts have no version.
fn folder(name: &str) -> Option<Folder<'_>> {
    if name.ends_with(".drv") {
        return None;
    }
    let (hash, rest) = name.split_at_checked(HASH)?;
    let rest = rest.strip_prefix('-')?;
    if !hash.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let (rest, output) = match rest.rsplit_once('-') {
        Some((before, last)) if OUTPUTS.contains(&last) => (before, last),
        _ => (rest, ""),
    };
    // The version is what follows the first dash that no letter follows (Nix
    // manual, `builtins.parseDrvName`); `unstable-2024-01-01` is one too.
    let starts = |at: &usize| {
        rest.get(at + 1..).is_some_and(|after| {
            after.starts_with(|letter: char| letter.is_ascii_digit())
                || after.starts_with("unstable-2")
        })
    };
    let at = rest.match_indices('-').map(|(at, _)| at).find(starts)?;
    Some(Folder {
        hash,
        name: rest.get(..at)?,
        version: rest.get(at + 1..)?,
        output,
    })
}

impl Folder<'_> {
    fn found(self, kind: &'static str) -> Found {
        Found {
            kind,
            name: self.name.to_owned(),
            version: self.version.to_owned(),
            qualifiers: qualifiers(self.output, self.hash, ""),
            ..Found::default()
        }
    }
}

/// As Syft writes them; the type is not settled yet. With a database it gives
/// the digest of the content, else the hash in the folder's name.
fn qualifiers(output: &str, hash: &str, deriver: &str) -> Vec<(&'static str, String)> {
    vec![
        ("output", output.to_owned()),
        ("outputhash", hash.to_owned()),
        ("drvpath", deriver.to_owned()),
    ]
}

/// One row of `ValidPaths`.
struct Row {
    path: String,
    hash: String,
    deriver: String,
}

fn parse(body: &Body<'_>, store: &str, kind: &'static str) -> Result<Option<Vec<u8>>, OpenError> {
    let database = Database::open(body)?;
    let mut out = Finds::default();
    let mut rows: BTreeMap<u64, Row> = BTreeMap::new();
    let mut short = 0;
    // id, path, hash, registrationTime, deriver, …: the id is the row's own.
    let mut faults = database.rows("ValidPaths", &mut |id, columns| {
        let text = |index: usize| columns.get(index).and_then(Column::text).map(last);
        let Some(path) = text(1) else {
            short += 1;
            return;
        };
        if folder(path).is_some() {
            let text = |index| {
                columns
                    .get(index)
                    .and_then(Column::text)
                    .unwrap_or_default()
            };
            let row = Row {
                path: path.to_owned(),
                hash: text(2).to_owned(),
                deriver: last(text(4)).to_owned(),
            };
            rows.insert(id, row);
        }
    })?;
    let mut refs: HashMap<u64, Vec<u64>> = HashMap::new();
    match database.rows("Refs", &mut |_, columns| {
        if let [from, to, ..] = columns {
            refs.entry(from.integer()).or_default().push(to.integer());
        }
    }) {
        Ok(more) => faults.extend(more),
        Err(error) => out.gap(GapKind::Damaged, &format!("no dependencies: {error}")),
    }
    let mut outputs: HashMap<String, String> = HashMap::new();
    // drv, id, path. Guix and old releases of Nix may lack it.
    if let Ok(more) = database.rows("DerivationOutputs", &mut |_, columns| {
        if let [_, id, path, ..] = columns
            && let (Some(id), Some(path)) = (id.text(), path.text())
        {
            outputs.insert(last(path).to_owned(), id.to_owned());
        }
    }) {
        faults.extend(more);
    }
    for fault in faults.sentences() {
        let reason = format!("part of the database cannot be read: {fault}");
        out.gap(GapKind::Damaged, &reason);
    }
    if short > 0 {
        out.gap(GapKind::Damaged, &format!("{short} rows name no path"));
    }
    for (id, row) in &rows {
        let Some(own) = folder(&row.path) else {
            continue;
        };
        let needed = refs.get(id).into_iter().flatten();
        let needed = needed.filter(|other| *other != id);
        let requires: BTreeSet<Requirement> = needed
            .filter_map(|id| folder(&rows.get(id)?.path))
            .map(|other| Requirement {
                name: other.name.to_owned(),
                version: Some(other.version.to_owned()),
            })
            .collect();
        let output = outputs.get(&row.path).map_or(own.output, String::as_str);
        out.push(&Found {
            qualifiers: qualifiers(output, &row.hash, &row.deriver),
            hashes: Hash::parse(&row.hash).into_iter().collect(),
            requires: requires.into_iter().collect(),
            inside: Some(format!("{store}{}", row.path)),
            ..own.found(kind)
        });
    }
    Ok(out.finish())
}

fn last(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn read(view: &View, inventory: &mut Inventory) {
    found::read(DATABASE, view, inventory);
    for evidence in view.of(LOG) {
        inventory.gaps.push(Gap::new(
            GapKind::Unsupported,
            evidence.path.clone(),
            "the database was not closed: pages in the write-ahead log are not read",
        ));
    }
    for (database, store, kind) in PLACES {
        // The database knows more than the names do.
        if view.of(DATABASE).any(|evidence| evidence.path == database) {
            continue;
        }
        let mut seen = BTreeSet::new();
        for evidence in view.of(STORE) {
            let name = evidence.path.strip_prefix(store);
            let name = name.and_then(|rest| rest.split('/').next());
            let Some(name) = name.filter(|name| seen.insert(name.to_owned())) else {
                continue;
            };
            let Some(folder) = folder(name) else { continue };
            let mut out = Finds::default();
            out.push(&Found {
                technique: Technique::FileName,
                ..folder.found(kind)
            });
            let mut named = evidence.clone();
            named.path = format!("{store}{name}");
            named.data = out.finish().unwrap_or_default().into();
            found::packages(&named, view, inventory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders() {
        let hash = "h0cnbmfcn93xm5dg2x27ixhag1cwndga";
        let of = |name: &str| {
            let whole = format!("{hash}-{name}");
            folder(&whole).map(|one| {
                let parts = [one.name, one.version, one.output];
                parts.map(str::to_owned)
            })
        };
        let three = |a: &str, b: &str, c: &str| Some([a, b, c].map(str::to_owned));
        assert_eq!(of("glibc-2.34-210-bin"), three("glibc", "2.34-210", "bin"));
        assert_eq!(of("perl-5.38.2"), three("perl", "5.38.2", ""));
        assert_eq!(
            of("bash-interactive-5.2p37-man"),
            three("bash-interactive", "5.2p37", "man")
        );
        assert_eq!(
            of("xgcc-unstable-2024-01-02"),
            three("xgcc", "unstable-2024-01-02", "")
        );
        assert_eq!(of("hello-1.drv"), None);
        assert_eq!(of("builder.sh"), None);
        assert_eq!(folder("short-1.0"), None);
    }
}
