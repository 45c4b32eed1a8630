//! Arch Linux's package manager: a folder with `desc` and `files` for each
//! package (libalpm, `be_local.c`).

use std::collections::HashMap;

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{FileList, GapKind};

use crate::{
    Context, Ecosystem, Inventory,
    os_package::{Databases, Found, Gathered, histories},
    text::{lossy, text},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "pacman",
    contexts: &[Context::Installed],
    analysers: &[&Desc, &Files],
    read,
};

/// `desc`: what a package is.
struct Desc;
/// `files`: what it owns.
struct Files;

const LOCAL: &str = "var/lib/pacman/local";
const DESC: &str = "pacman-desc";
const FILES: &str = "pacman-files";

impl Analyser for Desc {
    fn name(&self) -> &'static str {
        DESC
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Below {
            dir: LOCAL,
            name: "desc",
        }]
    }

    fn need(&self) -> Need {
        Need::Whole(4 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(parse(&lossy(&body)?))
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
        &[Interest::Below {
            dir: LOCAL,
            name: "files",
        }]
    }

    fn need(&self) -> Need {
        Need::Whole(64 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let body = lossy(&body)?;
        // Folders end with a slash; they belong to many packages.
        let files = fields(&body)
            .filter(|(field, path)| *field == "FILES" && !path.ends_with('/'))
            .map(|(_, path)| path);
        let mut list = String::new();
        files.for_each(|path| {
            list.push_str(path);
            list.push('\n');
        });
        Ok(Some(list.into_bytes()))
    }
}

/// Each value with its field: `%NAME%`, and below it a value a line up to an
/// empty one.
fn fields(body: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut field = "";
    body.lines().filter_map(move |line| {
        let name = line
            .strip_prefix('%')
            .and_then(|rest| rest.strip_suffix('%'));
        if let Some(name) = name {
            field = name;
            return None;
        }
        (!line.is_empty()).then_some((field, line))
    })
}

fn parse(body: &str) -> Option<Vec<u8>> {
    let mut out = Gathered::default();
    let mut found = Found::default();
    let mut licenses = String::new();
    for (field, value) in fields(body) {
        match field {
            "NAME" => found.name = value,
            "VERSION" => found.version = value,
            "ARCH" => found.arch = value,
            "BASE" => found.source = value,
            "LICENSE" => {
                licenses.push_str(value);
                licenses.push('\n');
            }
            "DEPENDS" => out.requires([bare(value)]),
            "PROVIDES" => out.provides(bare(value)),
            _ => {}
        }
    }
    found.licenses = &licenses;
    match (found.name, found.version) {
        ("", _) => out.gap(GapKind::Damaged, "the package has no name"),
        (name, "") => out.gap(
            GapKind::Damaged,
            &format!("package `{name}` has no version"),
        ),
        _ => out.push(&found),
    }
    out.finish()
}

/// The name in `glibc>=2.33`, `libx.so=1-64`.
fn bare(text: &str) -> &str {
    text.split(['=', '<', '>']).next().unwrap_or_default()
}

fn read(view: &View, inventory: &mut Inventory) {
    let mut databases = Databases::new("alpm", view, inventory.os.as_ref());
    for states in histories(view, DESC).values() {
        databases.read(states);
    }
    let (mut packages, gaps) = databases.finish();
    let files: HashMap<&str, &str> = view
        .of(FILES)
        .filter_map(|evidence| Some((evidence.path.strip_suffix("/files")?, text(&evidence.data))))
        .collect();
    for package in &mut packages {
        let folder = package.origin.path.strip_suffix("/desc");
        if let Some(list) = folder.and_then(|folder| files.get(folder)) {
            package.files = FileList::from_lines(*list);
        }
    }
    inventory.packages.extend(packages);
    inventory.gaps.extend(gaps);
}
