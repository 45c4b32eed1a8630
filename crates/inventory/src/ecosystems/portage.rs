//! Gentoo's package manager: a folder for each package with a file for each
//! thing that is known of it (PMS, "Filesystem layout"; portage(5), `/var/db/pkg`).

use std::collections::{BTreeSet, HashMap};

use seawall_image::{Analyser, Body, Entry, Evidence, Interest, Need, View};
use seawall_model::{GapKind, Package, Requirement};

use crate::{
    Context, Ecosystem, Inventory,
    found::split,
    os_package::{Databases, Found, Gathered, histories},
    text::{lossy, text},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "portage",
    contexts: &[Context::Installed],
    analysers: &[&Name, &Facts],
    read,
};

/// `CONTENTS`: the folder that it is in names the package, it lists the files.
struct Name;
/// Other files: licences, and what is asked for.
struct Facts;

const PKG: &str = "var/db/pkg";
const NAME: &str = "portage";
const FACTS: &str = "portage-facts";

impl Analyser for Name {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Below {
            dir: PKG,
            name: "CONTENTS",
        }]
    }

    fn need(&self) -> Need {
        Need::Whole(64 << 20)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let Some((name, version)) = folder(entry.path).and_then(name_and_version) else {
            return match folder(entry.path) {
                Some(_) => Err("its folder names no package and version".to_owned()),
                None => Ok(None),
            };
        };
        let mut out = Gathered::default();
        for line in lossy(&body)?.lines() {
            match line.split_once(' ') {
                // The digest and the time stand behind the path, which may
                // have spaces.
                Some(("obj", rest)) => {
                    if let Some((path, _)) = rest
                        .rsplit_once(' ')
                        .and_then(|(rest, _)| rest.rsplit_once(' '))
                    {
                        out.file("", path.trim_start_matches('/'));
                    }
                }
                Some(("sym", rest)) => {
                    if let Some((path, _)) = rest.split_once(" -> ") {
                        out.file("", path.trim_start_matches('/'));
                    }
                }
                Some(("dir" | "dev" | "fif", _)) | None => {}
                Some(_) => {
                    out.gap(GapKind::Damaged, "a line of it is neither file nor folder");
                    break;
                }
            }
        }
        out.push(&Found {
            name,
            version,
            ..Found::default()
        });
        Ok(out.finish())
    }
}

impl Analyser for Facts {
    fn name(&self) -> &'static str {
        FACTS
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Below {
                dir: PKG,
                name: "LICENSE",
            },
            Interest::Below {
                dir: PKG,
                name: "RDEPEND",
            },
        ]
    }

    fn need(&self) -> Need {
        Need::Whole(1 << 20)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let body = lossy(&body)?;
        let words = body.split_whitespace();
        let words: Vec<&str> = if entry.path.ends_with("/LICENSE") {
            let is_name = |word: &&str| !matches!(*word, "(" | ")" | "||") && !word.ends_with('?');
            words.filter(is_name).collect()
        } else {
            words.filter_map(atom).collect()
        };
        Ok(Some(words.join("\n").into_bytes()))
    }
}

/// `CATEGORY/NAME-VERSION` of a file in the database.
fn folder(path: &str) -> Option<&str> {
    let (folder, _) = path
        .strip_prefix(PKG)?
        .strip_prefix('/')?
        .rsplit_once('/')?;
    // What is being merged has a folder of its own beside the others.
    let is_one = folder.matches('/').count() == 1 && !folder.contains("/-MERGING-");
    is_one.then_some(folder)
}

/// The version starts at the last dash before a digit, but for the revision's
/// (PMS, "Version specifications").
fn name_and_version(folder: &str) -> Option<(&str, &str)> {
    let is_digit = |at: usize| {
        folder
            .as_bytes()
            .get(at + 1)
            .is_some_and(u8::is_ascii_digit)
    };
    let (at, _) = folder.rmatch_indices('-').find(|(at, _)| is_digit(*at))?;
    let (name, version) = (folder.get(..at)?, folder.get(at + 1..)?);
    (!name.ends_with('/')).then_some((name, version))
}

/// `CATEGORY/NAME` of an atom such as `>=dev-libs/openssl-3.0:0/3=[ssl(+)]`;
/// `None` for a blocker and for what is no atom.
fn atom(word: &str) -> Option<&str> {
    if word.starts_with('!') || !word.contains('/') || word.ends_with('?') {
        return None;
    }
    let name = word.trim_start_matches(['>', '<', '=', '~']);
    let is_versioned = name.len() < word.len();
    let name = name.split([':', '[']).next().unwrap_or_default();
    if is_versioned {
        name_and_version(name.trim_end_matches('*')).map(|(name, _)| name)
    } else {
        Some(name)
    }
}

fn read(view: &View, inventory: &mut Inventory) {
    let mut databases = Databases::new("ebuild", view, inventory.os.as_ref());
    for states in histories(view, NAME).values() {
        databases.read(states);
    }
    let (mut packages, gaps) = databases.finish();
    let facts: HashMap<&str, &Evidence> = view
        .of(FACTS)
        .map(|evidence| (evidence.path.as_str(), evidence))
        .collect();
    let names: BTreeSet<String> = packages.iter().map(|one| one.name.clone()).collect();
    for package in &mut packages {
        let of = |package: &Package, name: &str| {
            let folder = package.origin.path.strip_suffix("CONTENTS")?;
            facts.get(format!("{folder}{name}").as_str()).copied()
        };
        if let Some(licenses) = of(package, "LICENSE") {
            package.licenses = split(text(&licenses.data)).map(str::to_owned).collect();
        }
        // Only atoms of what is there: `|| ( a b )` is served by one of them.
        let asked: BTreeSet<&str> = of(package, "RDEPEND")
            .into_iter()
            .flat_map(|evidence| split(text(&evidence.data)))
            .filter(|name| *name != package.name && names.contains(*name))
            .collect();
        package.requires = asked
            .into_iter()
            .map(|name| Requirement {
                name: name.to_owned(),
                version: None,
            })
            .collect();
    }
    inventory.packages.extend(packages);
    inventory.gaps.extend(gaps);
}
