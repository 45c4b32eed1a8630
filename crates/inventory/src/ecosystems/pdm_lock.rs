//! pdm.lock, `lock_version` 4 (PDM, "Lock file"), with the pyproject.toml beside
//! it, which says what the project itself has chosen.

use seawall_model::{Hash, Requirement};
use toml_span::Value;

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    links::Links,
    manifest, python, toml,
};

lock_file!(
    "pdm-lock",
    "pypi",
    [Interest::Name("pdm.lock")],
    parse,
    [],
    |view, inventory| {
        manifest::direct(view, inventory, NAMES, python::normal);
        manifest::extras(view, inventory, NAMES);
    }
);

/// The analysers of the lock file and of the manifest, and the manifest's file.
const NAMES: (&str, &str, &str) = ("pdm-lock", "pyproject", "pyproject.toml");

/// The newest major version of the format that is known.
const NEWEST: i64 = 4;

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let mut format = toml::Format::default();
    let mut links = Links::default();
    toml::tables(text, out, |table, offset, out| {
        format.look(table, &["metadata", "package"]);
        let metadata = toml::get(table, "metadata");
        let version = metadata.and_then(|metadata| toml::text(metadata, "lock_version"));
        let version = version.and_then(|version| version.split('.').next()?.parse().ok());
        format.version(version, NEWEST);
        for package in toml::items(table, "package") {
            read(package, offset, &mut links, out);
        }
    });
    links.finish(out);
    format.finish("PDM", out)
}

fn read(package: &Value<'_>, offset: usize, links: &mut Links, out: &mut Declarations<'_>) {
    let Some((name, version, span)) = toml::package(package, offset, out) else {
        return;
    };
    links.there(&python::normal(name));
    let needs = toml::items(package, "dependencies").iter();
    let mut requires = Vec::new();
    for need in needs.filter_map(Value::as_str) {
        let required = python::normal(python::required(need));
        // With extras it is listed apart from, and needs, itself without them.
        if required == python::normal(name) {
            continue;
        }
        // What a condition leaves out is not listed.
        if !need.contains(';') {
            links.needed(&required);
        }
        requires.push(Requirement {
            name: required,
            version: None,
        });
    }
    let about = |key| toml::text(package, key);
    let from = match (about("git"), about("url")) {
        (Some(url), _) => Some(git(url, about("revision"))),
        (None, Some(url)) => Some(("download_url", url.to_owned())),
        // A folder or an archive of this machine.
        (None, None) if about("path").is_some() => return,
        (None, None) => None,
    };
    // Files without groups were written before PDM 2.9.
    let groups = toml::items(package, "groups");
    let development =
        !groups.is_empty() && !groups.iter().any(|group| group.as_str() == Some("default"));
    for group in groups.iter().filter_map(Value::as_str) {
        out.answers(&manifest::group(group), name, version);
    }
    let files = toml::items(package, "files").iter();
    let hashes = files.filter_map(|file| Hash::parse(toml::text(file, "hash")?));
    out.push(&Declared {
        name,
        version,
        development,
        span,
        from,
        hashes: hashes.collect(),
        requires,
        ..Declared::default()
    });
}
