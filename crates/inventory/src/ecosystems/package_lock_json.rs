//! package-lock.json and npm-shrinkwrap.json, lockfileVersion 1 to 3 (npm,
//! "package-lock.json").

use std::{borrow::Cow, collections::HashSet};

use seawall_model::GapKind;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    json::{self, Entry, Key, Keys, place},
    npm,
};

lock_file!(
    "package-lock-json",
    "npm",
    [
        Interest::Name("package-lock.json"),
        Interest::Name("npm-shrinkwrap.json")
    ],
    parse
);

/// The newest version of the format that is known.
const NEWEST: u64 = 3;
/// How deep folders may nest in version 1. Every level is looked through once
/// for each one above it.
const MOST_LEVELS: usize = 64;

/// An entry of `packages` (versions 2 and 3), keyed by its folder.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Installed<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    resolved: Option<&'a RawValue>,
    link: bool,
    dev: bool,
    #[serde(borrow)]
    dependencies: Option<Keys<'a>>,
    #[serde(borrow)]
    dev_dependencies: Option<Keys<'a>>,
    #[serde(borrow)]
    optional_dependencies: Option<Keys<'a>>,
    #[serde(borrow)]
    peer_dependencies: Option<Keys<'a>>,
}

/// An entry of `dependencies` (version 1), nested like the folders.
#[derive(Deserialize)]
struct Nested<'a> {
    #[serde(borrow, default)]
    version: Option<Cow<'a, str>>,
    #[serde(default)]
    dev: bool,
    #[serde(borrow, default)]
    dependencies: Option<&'a RawValue>,
}

const SECTIONS: [&str; 2] = ["packages", "dependencies"];

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let sections = json::sections(text, "npm", &SECTIONS, "lockfileVersion", out)?;
    // A project without dependencies has no section in version 1.
    if sections.found.is_empty() && sections.number.is_none() {
        return Err("it is no lock file of npm: it has no `packages` or `dependencies`".to_owned());
    }
    if sections.number.is_some_and(|version| version > NEWEST) {
        let reason = "its format is newer than what is known of npm";
        out.gap(GapKind::Unsupported, reason);
    }
    // Version 2 has both, for npm 6.
    let section = usize::from(!sections.found.contains(&0));
    let entries = sections.entries.iter().filter(|one| one.section == section);
    match section {
        0 => installed(text, entries, out),
        _ => {
            for one in entries {
                nested(text, one.key.as_ref(), one.value, 0, out);
            }
        }
    }
    Ok(())
}

fn installed<'a>(
    text: &str,
    entries: impl Iterator<Item = &'a Entry<'a>>,
    out: &mut Declarations<'_>,
) {
    let mut all = Vec::new();
    let mut folders = HashSet::new();
    for one in entries {
        if !folders.insert(one.key.as_ref()) {
            let start = place(text, &one.key, one.value).start;
            out.problem(start, &format!("`{}` is there twice", one.key));
        }
        if !out.has_room(all.len()) {
            break;
        }
        if let Some(entry) = json::entry::<Installed<'_>>(text, one.value, out) {
            all.push((one, entry));
        }
    }
    let direct = direct(&all, &folders);
    for (at, one) in &all {
        let folder = at.key.as_ref();
        // Folders outside `node_modules` are the project's own.
        let Some((_, installed_as)) = folder.rsplit_once("node_modules/") else {
            continue;
        };
        if one.link {
            continue;
        }
        let span = place(text, folder, at.value);
        let Some(version) = one.version.as_deref().filter(|version| !version.is_empty()) else {
            out.problem(span.start, "a package has no version");
            continue;
        };
        // An alias is installed under a name other than its own.
        let name = one.name.as_deref().unwrap_or(installed_as);
        let resolved = one
            .resolved
            .map(|resolved| resolved.get().trim_matches('"'));
        out.push(&Declared {
            name,
            version,
            direct: Some(direct.contains(folder)),
            development: one.dev,
            span,
            from: resolved
                .filter(|resolved| resolved.starts_with("git+"))
                .map(|resolved| git(resolved, None)),
            ..Declared::default()
        });
    }
}

/// The folders of the packages that the project's own folders name: the
/// nearest `node_modules` counts, as in Node.
fn direct(all: &[(&Entry<'_>, Installed<'_>)], folders: &HashSet<&str>) -> HashSet<String> {
    let mut direct = HashSet::new();
    for (at, one) in all {
        if at.key.contains("node_modules/") {
            continue;
        }
        let named = [
            &one.dependencies,
            &one.dev_dependencies,
            &one.optional_dependencies,
            &one.peer_dependencies,
        ];
        for name in named.into_iter().flatten().flat_map(|keys| &keys.0) {
            let mut folder = at.key.as_ref();
            loop {
                let separator = if folder.is_empty() { "" } else { "/" };
                let target = format!("{folder}{separator}node_modules/{name}");
                if folders.contains(target.as_str()) {
                    direct.insert(target);
                    break;
                }
                if folder.is_empty() {
                    break;
                }
                folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
            }
        }
    }
    direct
}

fn nested(text: &str, key: &str, value: &RawValue, level: usize, out: &mut Declarations<'_>) {
    let span = place(text, key, value);
    if level == MOST_LEVELS {
        let reason = format!(
            "packages are nested more than {MOST_LEVELS} levels deep ({})",
            out.place(span.start)
        );
        out.gap(GapKind::Limit, &reason);
        return;
    }
    let Some(one) = json::entry::<Nested<'_>>(text, value, out) else {
        return;
    };
    let version = one.version.as_deref().unwrap_or_default();
    let found = Found::new(key, version);
    match found {
        Some(found) => out.push(&Declared {
            name: found.name,
            version: found.version,
            // Which of those at the top the project names, package.json tells;
            // a copy below another package belongs to that package.
            direct: (level > 0).then_some(false),
            development: one.dev,
            span,
            from: found.from,
            ..Declared::default()
        }),
        None if version.is_empty() => out.problem(span.start, "a package has no version"),
        None => {}
    }
    if let Some(inner) = one.dependencies {
        match serde_json::from_str::<Inner<'_>>(inner.get()) {
            Ok(inner) => {
                for (key, value) in inner.0 {
                    nested(text, key.0.as_ref(), value, level + 1, out);
                }
            }
            Err(_) => out.problem(span.start, "a package's `dependencies` are no object"),
        }
    }
}

/// What an entry of version 1 says of its package.
struct Found<'a> {
    name: &'a str,
    version: &'a str,
    from: Option<(&'static str, String)>,
}

impl<'a> Found<'a> {
    /// `None` for a folder of this machine.
    fn new(name: &'a str, version: &'a str) -> Option<Self> {
        // `npm:NAME@VERSION` is an alias.
        let alias = version
            .strip_prefix("npm:")
            .and_then(|it| it.rsplit_once('@'));
        if let Some((name, version)) = alias {
            return Some(Found {
                name,
                version,
                from: None,
            });
        }
        if version.starts_with(|first: char| first.is_ascii_digit()) {
            return Some(Found {
                name,
                version,
                from: None,
            });
        }
        // Archives bear their version in their name (npm's
        // `version-from-tgz.js`), and those of a registry the package's name.
        if let Some(base) = version
            .rsplit('/')
            .next()
            .and_then(|base| base.strip_suffix(".tgz"))
        {
            let real = npm::registry_name(version)
                .filter(|_| version.starts_with("http"))
                .unwrap_or(name);
            let project = real.rsplit('/').next().unwrap_or(real);
            let number = base
                .rsplit(':')
                .next()
                .and_then(|base| base.strip_prefix(project)?.strip_prefix('-'))
                .filter(|number| number.starts_with(|first: char| first.is_ascii_digit()));
            let from = version
                .starts_with("http")
                .then(|| ("download_url", version.to_owned()));
            return Some(match number {
                Some(number) => Found {
                    name: real,
                    version: number,
                    from,
                },
                None => Found {
                    name,
                    version: "",
                    from,
                },
            });
        }
        match version {
            "" => None,
            folder if folder.starts_with("file:") => None,
            address if address.starts_with("http") => Some(Found {
                name,
                version: "",
                from: Some(("download_url", address.to_owned())),
            }),
            address => Some(Found {
                name,
                version: "",
                from: Some(git(address, None)),
            }),
        }
    }
}

/// An object's entries, not looked into.
struct Inner<'a>(Vec<(Key<'a>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Inner<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::pairs(deserializer).map(Inner)
    }
}
