//! package-lock.json and npm-shrinkwrap.json, lockfileVersion 1 to 3 (npm,
//! "package-lock.json").

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use seawall_model::{GapKind, Hash, Requirement, Span};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    found::MOST_NAME,
    integrity::integrity,
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
    integrity: Option<Cow<'a, str>>,
    /// A text; in old packages an object or a list of these.
    #[serde(borrow)]
    license: Option<&'a RawValue>,
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
    integrity: Option<Cow<'a, str>>,
    /// The names of what it needs, and ranges.
    #[serde(borrow, default)]
    requires: Option<&'a RawValue>,
    #[serde(borrow, default)]
    dependencies: Option<&'a RawValue>,
}

/// Each folder of a path is looked up once for each below it.
const TOO_LONG: &str = "a package's folder is longer than any";

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
            let mut all = Vec::new();
            for one in entries {
                nested(text, "", one.key.as_ref(), one.value, 0, &mut all, out);
            }
            push(&all, out);
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
        if one.key.len() > MOST_NAME {
            let start = place(text, &one.key, one.value).start;
            out.problem(start, TOO_LONG);
            continue;
        }
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
    let by_folder: HashMap<&str, &Installed<'_>> =
        all.iter().map(|(at, one)| (at.key.as_ref(), one)).collect();
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
            hashes: integrity(one.integrity.as_deref().unwrap_or_default()),
            requires: requires(folder, one, &by_folder, out),
            licenses: one.license.map(licenses).unwrap_or_default(),
            ..Declared::default()
        });
    }
}

/// What a package needs, as Node finds it from its folder.
fn requires(
    folder: &str,
    one: &Installed<'_>,
    by_folder: &HashMap<&str, &Installed<'_>>,
    out: &Declarations<'_>,
) -> Vec<Requirement> {
    let kinds = [
        &one.dependencies,
        &one.optional_dependencies,
        &one.peer_dependencies,
    ];
    let names = kinds.into_iter().flatten().flat_map(|keys| &keys.0);
    let mut all = out.gather(names.filter_map(|name| {
        let target = nearest(folder, name, |target| by_folder.contains_key(target))?;
        let target = by_folder.get(target.as_str())?;
        let name = target.name.as_deref().unwrap_or(name);
        Some((name, target.version.as_deref()))
    }));
    all.sort();
    all.dedup();
    all
}

/// `MIT`, `{"type": "MIT"}`, or a list of these.
fn licenses(value: &RawValue) -> Vec<String> {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        kind: String,
    }
    let plain = json::texts(value);
    if !plain.is_empty() {
        return plain;
    }
    let one = serde_json::from_str::<Typed>(value.get()).map(|one| vec![one]);
    let all = one.or_else(|_| serde_json::from_str::<Vec<Typed>>(value.get()));
    let all = all.unwrap_or_default().into_iter();
    all.map(|one| one.kind).collect()
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
            let target = nearest(at.key.as_ref(), name, |target| folders.contains(target));
            direct.extend(target);
        }
    }
    direct
}

/// The folder of the package `name` that is nearest to `folder`, upwards.
fn nearest(folder: &str, name: &str, is_there: impl Fn(&str) -> bool) -> Option<String> {
    let mut folder = folder;
    loop {
        let separator = if folder.is_empty() { "" } else { "/" };
        let target = format!("{folder}{separator}node_modules/{name}");
        if is_there(&target) {
            return Some(target);
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

/// A package of version 1, in its folder.
struct Placed<'a> {
    folder: String,
    level: usize,
    span: Span,
    found: Option<Found>,
    development: bool,
    hashes: Vec<Hash>,
    needs: Vec<Cow<'a, str>>,
}

fn nested<'a>(
    text: &str,
    above: &str,
    key: &str,
    value: &'a RawValue,
    level: usize,
    all: &mut Vec<Placed<'a>>,
    out: &mut Declarations<'_>,
) {
    let span = place(text, key, value);
    if level == MOST_LEVELS {
        let reason = format!(
            "packages are nested more than {MOST_LEVELS} levels deep ({})",
            out.place(span.start)
        );
        out.gap(GapKind::Limit, &reason);
        return;
    }
    if !out.has_room(all.len()) {
        return;
    }
    let Some(one) = json::entry::<Nested<'a>>(text, value, out) else {
        return;
    };
    let version = one.version.unwrap_or_default();
    let is_empty = version.is_empty();
    let found = Found::new(key, &version);
    if found.is_none() && is_empty {
        out.problem(span.start, "a package has no version");
    }
    let separator = if above.is_empty() { "" } else { "/" };
    let folder = format!("{above}{separator}node_modules/{key}");
    if folder.len() > MOST_NAME {
        out.problem(span.start, TOO_LONG);
        return;
    }
    let needs = one
        .requires
        .map(|needs| serde_json::from_str::<Keys<'a>>(needs.get()));
    all.push(Placed {
        folder: folder.clone(),
        level,
        span,
        found,
        development: one.dev,
        hashes: integrity(one.integrity.as_deref().unwrap_or_default()),
        // `true` at the top, for all of them.
        needs: needs.and_then(Result::ok).unwrap_or_default().0,
    });
    if let Some(inner) = one.dependencies {
        match serde_json::from_str::<Inner<'a>>(inner.get()) {
            Ok(inner) => {
                for (key, value) in inner.0 {
                    nested(text, &folder, &key.0, value, level + 1, all, out);
                }
            }
            Err(_) => out.problem(span.start, "a package's `dependencies` are no object"),
        }
    }
}

fn push(all: &[Placed<'_>], out: &mut Declarations<'_>) {
    let by_folder: HashMap<&str, &Placed<'_>> =
        all.iter().map(|one| (one.folder.as_str(), one)).collect();
    for one in all {
        let Some(found) = &one.found else {
            continue;
        };
        let needs = one.needs.iter().filter_map(|name| {
            let target = nearest(&one.folder, name, |target| by_folder.contains_key(target))?;
            let target = by_folder.get(target.as_str())?.found.as_ref()?;
            Some((target.name.as_str(), Some(target.version.as_str())))
        });
        out.push(&Declared {
            name: &found.name,
            version: &found.version,
            // Which of those at the top the project names, package.json tells;
            // a copy below another package belongs to that package.
            direct: (one.level > 0).then_some(false),
            development: one.development,
            span: one.span,
            from: found.from.clone(),
            hashes: one.hashes.clone(),
            requires: out.gather(needs),
            ..Declared::default()
        });
    }
}

/// What an entry of version 1 says of its package.
struct Found {
    name: String,
    version: String,
    from: Option<(&'static str, String)>,
}

impl Found {
    /// `None` for a folder of this machine.
    fn new(name: &str, version: &str) -> Option<Self> {
        let found = |name: &str, version: &str, from| {
            Some(Found {
                name: name.to_owned(),
                version: version.to_owned(),
                from,
            })
        };
        // `npm:NAME@VERSION` is an alias.
        let alias = version
            .strip_prefix("npm:")
            .and_then(|it| it.rsplit_once('@'));
        if let Some((name, version)) = alias {
            return found(name, version, None);
        }
        if version.starts_with(|first: char| first.is_ascii_digit()) {
            return found(name, version, None);
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
            return match number {
                Some(number) => found(real, number, from),
                None => found(name, "", from),
            };
        }
        match version {
            "" => None,
            folder if folder.starts_with("file:") => None,
            address if address.starts_with("http") => {
                found(name, "", Some(("download_url", address.to_owned())))
            }
            address => found(name, "", Some(git(address, None))),
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
