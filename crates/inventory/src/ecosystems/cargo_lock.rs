//! Cargo.lock, versions 1 to 4 (cargo, "Cargo.toml vs Cargo.lock").

use std::collections::HashSet;

use seawall_model::{Hash, HashAlgorithm, Requirement, Span};

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    links::Links,
    toml,
};

lock_file!("cargo-lock", "cargo", [Interest::Name("Cargo.lock")], parse);

/// The newest version of the format that is known.
const NEWEST: i64 = 4;

struct Locked {
    name: String,
    version: String,
    source: String,
    span: Span,
    hash: Option<Hash>,
    requires: Vec<Requirement>,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let mut format = toml::Format::default();
    let mut locked = Vec::new();
    // `name`, or `name version` where there are several of the name.
    let mut direct: HashSet<(String, Option<String>)> = HashSet::new();
    let mut links = Links::default();
    toml::tables(text, out, |table, offset, out| {
        format.look(table, &["version", "package", "root"]);
        let version = toml::get(table, "version").and_then(toml_span::Value::as_integer);
        format.version(version, NEWEST);
        // Version 1 keeps the project itself apart.
        let root = toml::get(table, "root");
        for package in toml::items(table, "package").iter().chain(root) {
            let Some((name, version, span)) = toml::package(package, offset, out) else {
                continue;
            };
            links.there(name);
            for one in toml::items(package, "dependencies") {
                let name = one.as_str().and_then(|one| one.split(' ').next());
                links.needed(name.unwrap_or_default());
            }
            // A package without a source is the project's own: what it names is
            // direct.
            let Some(source) = toml::text(package, "source") else {
                let named = toml::items(package, "dependencies").iter();
                direct.extend(named.filter_map(|one| {
                    let mut words = one.as_str()?.split(' ').map(str::to_owned);
                    Some((words.next()?, words.next()))
                }));
                continue;
            };
            if !out.has_room(locked.len()) {
                continue;
            }
            locked.push(Locked {
                name: name.to_owned(),
                version: version.to_owned(),
                source: source.to_owned(),
                span,
                hash: toml::text(package, "checksum")
                    .and_then(|hex| Hash::new(HashAlgorithm::Sha256, hex)),
                requires: toml::items(package, "dependencies")
                    .iter()
                    .filter_map(requirement)
                    .collect(),
            });
        }
    });
    for Locked {
        name,
        version,
        source,
        span,
        hash,
        requires,
    } in locked
    {
        let key = (name, Some(version));
        let is_exact = direct.contains(&key);
        let (name, version) = key;
        let key = (name, None);
        let is_direct = is_exact || direct.contains(&key);
        out.push(&Declared {
            name: &key.0,
            version: version.as_deref().unwrap_or_default(),
            direct: Some(is_direct),
            span,
            from: source.starts_with("git+").then(|| git(&source, None)),
            hashes: hash.into_iter().collect(),
            requires,
            ..Declared::default()
        });
    }
    links.finish(out);
    format.finish("Cargo", out)
}

/// `name`, or `name version` where there are several of the name, with the
/// source behind it where that does not do either.
fn requirement(one: &toml_span::Value<'_>) -> Option<Requirement> {
    let mut words = one.as_str()?.split(' ').map(str::to_owned);
    Some(Requirement {
        name: words.next()?,
        version: words.next(),
    })
}
