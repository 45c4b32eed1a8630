//! Cargo.lock, versions 1 to 4 (cargo, "Cargo.toml vs Cargo.lock").

use std::collections::HashSet;

use crate::{
    declared::{Declarations, Declared, lock_file},
    toml,
};

lock_file!("cargo-lock", "cargo", [Interest::Name("Cargo.lock")], parse);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let document = toml::parse(text, out)?;
    let all: Vec<_> = toml::items(&document, "package")
        .iter()
        // Version 1 keeps the project itself apart.
        .chain(toml::get(&document, "root"))
        .collect();
    // A package without a source is the project's own: what it names is direct.
    let own = all
        .iter()
        .filter(|package| toml::get(package, "source").is_none());
    let direct: HashSet<&str> = own
        .flat_map(|package| toml::items(package, "dependencies"))
        .filter_map(|dependency| dependency.as_str()?.split(' ').next())
        .collect();
    for package in &all {
        let (Some(name), Some(version), Some(source)) = (
            toml::get(package, "name"),
            toml::text(package, "version"),
            toml::text(package, "source"),
        ) else {
            continue;
        };
        let Some(text) = name.as_str() else { continue };
        out.push(&Declared {
            name: text,
            version,
            direct: Some(direct.contains(text)),
            span: toml::span(name),
            from: source.strip_prefix("git+").map(|url| ("vcs_url", url)),
            ..Declared::default()
        });
    }
    Ok(())
}
