//! Void Linux's package manager: its database, and beside it the files of each
//! package, as property lists in XML (xbps-query(1), `FILES`).

use std::collections::HashMap;

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{FileList, GapKind};

use crate::{
    Context, Ecosystem, Inventory,
    os_package::{DATABASE_LIMIT, Databases, Found, Gathered, histories},
    text::{lossy, text},
    xml::{Element, Tree},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "xbps",
    contexts: &[Context::Installed],
    analysers: &[&Database, &Files],
    read,
};

/// `pkgdb-0.38.plist`.
struct Database;
/// `.NAME-files.plist`.
struct Files;

const DIR: &str = "var/db/xbps/";
const DATABASE: &str = "xbps-db";
const FILES: &str = "xbps-files";

impl Analyser for Database {
    fn name(&self) -> &'static str {
        DATABASE
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::In {
            dir: "var/db/xbps",
            suffix: ".plist",
        }]
    }

    fn wants(&self, path: &str) -> bool {
        path.strip_prefix(DIR)
            .is_some_and(|name| name.starts_with("pkgdb-"))
    }

    fn need(&self) -> Need {
        Need::Whole(DATABASE_LIMIT)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let body = lossy(&body)?;
        let (tree, stop) = Tree::parse(&body);
        let mut out = Gathered::default();
        if let Some((kind, _, reason)) = stop {
            out.gap(kind, &reason);
        }
        for (name, value) in tree.root().and_then(dict).into_iter().flatten() {
            // What starts with an underscore is the manager's own.
            if !name.starts_with('_') {
                package(name, value, &mut out);
            }
        }
        Ok(out.finish())
    }
}

impl Analyser for Files {
    fn name(&self) -> &'static str {
        FILES
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::In {
            dir: "var/db/xbps",
            suffix: "-files.plist",
        }]
    }

    fn need(&self) -> Need {
        Need::Whole(64 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let body = lossy(&body)?;
        let (tree, stop) = Tree::parse(&body);
        let mut list = String::new();
        for (name, value) in tree.root().and_then(dict).into_iter().flatten() {
            if !matches!(name, "files" | "links" | "conf_files") {
                continue;
            }
            for (_, path) in value
                .children()
                .flat_map(entries)
                .filter(|(key, _)| *key == "file")
            {
                list.push_str(path.text().value.trim_start_matches('/'));
                list.push('\n');
            }
        }
        match stop {
            Some((.., reason)) if list.is_empty() => Err(reason),
            _ => Ok(Some(list.into_bytes())),
        }
    }
}

/// The entries of the dictionary below a `plist`.
fn dict<'t, 'a>(root: Element<'t, 'a>) -> Option<impl Iterator<Item = (&'t str, Element<'t, 'a>)>> {
    root.child("dict").map(entries)
}

/// Keys and values, which stand by turns.
fn entries<'t, 'a>(dict: Element<'t, 'a>) -> impl Iterator<Item = (&'t str, Element<'t, 'a>)> {
    let mut children = dict.children();
    std::iter::from_fn(move || {
        loop {
            let key = children.next()?;
            if key.name() == "key" {
                return Some((key.text().value, children.next()?));
            }
        }
    })
}

fn package(name: &str, value: Element<'_, '_>, out: &mut Gathered) {
    let mut found = Found {
        name,
        ..Found::default()
    };
    let mut hash = String::new();
    let mut is_there = true;
    for (key, value) in entries(value) {
        let text = value.text().value.trim();
        let items = || value.children().map(|item| item.text().value.trim());
        match key {
            // `NAME-VERSION_REVISION`.
            "pkgver" => found.version = text.rsplit_once('-').map_or("", |(_, version)| version),
            "architecture" => found.arch = text,
            "license" => found.licenses = text,
            "filename-sha256" => hash = format!("sha256:{text}"),
            "run_depends" => items().for_each(|name| out.requires([bare(name)])),
            "provides" => items().for_each(|name| out.provides(bare(name))),
            "state" => is_there = matches!(text, "installed" | "unpacked"),
            _ => {}
        }
    }
    found.hashes = &hash;
    if !is_there {
        out.skip();
    } else if found.version.is_empty() {
        out.gap(
            GapKind::Damaged,
            &format!("package `{name}` has no version"),
        );
        out.skip();
    } else {
        out.push(&found);
    }
}

/// The name in `glibc>=2.36_1` and in `libfoo-1.2_1`, which is provided.
fn bare(text: &str) -> &str {
    if let Some(at) = text.find(['<', '>', '=']) {
        return text.get(..at).unwrap_or_default();
    }
    match text.rsplit_once('-') {
        Some((name, version)) if version.contains('_') => name,
        _ => text,
    }
}

fn read(view: &View, inventory: &mut Inventory) {
    let mut databases = Databases::new("xbps", view, inventory.os.as_ref());
    for states in histories(view, DATABASE).values() {
        databases.read(states);
    }
    let (mut packages, gaps) = databases.finish();
    let files: HashMap<&str, &str> = view
        .of(FILES)
        .map(|evidence| (evidence.path.as_str(), text(&evidence.data)))
        .collect();
    for package in &mut packages {
        let path = format!("{DIR}.{}-files.plist", package.name);
        if let Some(list) = files.get(path.as_str()) {
            package.files = FileList::from_lines(*list);
        }
    }
    inventory.packages.extend(packages);
    inventory.gaps.extend(gaps);
}
