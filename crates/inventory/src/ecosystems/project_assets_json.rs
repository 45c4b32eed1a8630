//! project.assets.json, which NuGet leaves in `obj` (NuGet.ProjectModel,
//! `LockFileFormat`, versions 1 to 3).

use std::collections::{BTreeSet, HashMap, HashSet};

use seawall_model::GapKind;
use serde::Deserialize;

use super::packages_lock_json::digest;
use crate::{
    declared::{Declarations, Declared, lock_file},
    json::{self, Key, Versions},
};

lock_file!(
    "project-assets-json",
    "nuget",
    [Interest::Name("project.assets.json")],
    parse
);

/// The newest version of the format that is known.
const NEWEST: u64 = 4;

const SECTIONS: [&str; 3] = ["targets/*", "libraries", "projectFileDependencyGroups/*"];

/// An entry of `libraries`, whose key is `NAME/VERSION`.
#[derive(Deserialize)]
struct Library<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Key<'a>>,
    #[serde(borrow)]
    sha512: Option<Key<'a>>,
}

/// The same of one framework, in `targets`.
#[derive(Deserialize)]
struct Target<'a> {
    #[serde(borrow, default)]
    dependencies: Versions<'a>,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let sections = json::sections(text, "NuGet", &SECTIONS, "version", out)?;
    if !sections.found.contains(&1) {
        return Err("it is no list of NuGet's: it has no `libraries`".to_owned());
    }
    if sections.number.is_some_and(|version| version > NEWEST) {
        let reason = "its format is newer than what is known of NuGet";
        out.gap(GapKind::Unsupported, reason);
    }
    let mut direct = HashSet::new();
    let mut requires = Targets::new();
    let frameworks = sections
        .entries
        .chunk_by(|a, b| (a.section, &a.group) == (b.section, &b.group));
    for entries in frameworks {
        match entries.first().map(|entry| entry.section) {
            Some(0) => target(text, entries, &mut requires, out),
            // `NAME >= VERSION`
            Some(2) => direct.extend(entries.iter().filter_map(|one| {
                let asked: Key<'_> = serde_json::from_str(one.value.get()).ok()?;
                Some(asked.0.split(' ').next()?.to_lowercase())
            })),
            _ => {}
        }
    }
    for entry in sections.entries.iter().filter(|entry| entry.section == 1) {
        let Some(one) = json::entry::<Library<'_>>(text, entry.value, out) else {
            continue;
        };
        // One of the solution's own projects.
        if one.kind.as_ref().is_some_and(|kind| kind.0 == "project") {
            continue;
        }
        let span = json::place(text, &entry.key, entry.value);
        let Some((name, version)) = entry.key.split_once('/') else {
            out.problem(span.start, "a package has no version");
            continue;
        };
        let targets = requires.remove(entry.key.as_ref());
        out.push(&Declared {
            name,
            version,
            direct: Some(direct.contains(&name.to_lowercase())),
            span,
            hashes: digest(one.sha512.as_ref().map(AsRef::as_ref)),
            requires: out.gather(targets.into_iter().flatten()),
            ..Declared::default()
        });
    }
    Ok(())
}

/// Names and versions of what each package asks for.
type Targets<'e> = HashMap<&'e str, BTreeSet<(&'e str, Option<&'e str>)>>;

/// What the packages of one framework ask for.
fn target<'e>(
    text: &str,
    members: &'e [json::Entry<'_>],
    requires: &mut Targets<'e>,
    out: &mut Declarations<'_>,
) {
    let named = members.iter().filter_map(|one| one.key.split_once('/'));
    let versions: HashMap<String, (&str, &str)> = named
        .map(|(name, version)| (name.to_lowercase(), (name, version)))
        .collect();
    for member in members {
        let Some(one) = json::entry::<Target<'_>>(text, member.value, out) else {
            continue;
        };
        let list = requires.entry(member.key.as_ref()).or_default();
        for (name, _) in &one.dependencies.0 {
            if let Some((name, version)) = versions.get(&name.to_lowercase()) {
                list.insert((*name, Some(*version)));
            }
        }
    }
}
