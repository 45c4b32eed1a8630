//! manifest.toml of Gleam.

use seawall_model::{Hash, HashAlgorithm, Requirement};
use toml_span::Value;

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    toml,
};

lock_file!(
    "gleam-manifest",
    "hex",
    [Interest::Name("manifest.toml")],
    parse
);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    // Other tools have files of this name; Gleam says in the first line that
    // this is its own.
    if !text
        .lines()
        .next()
        .is_some_and(|line| line.contains("Gleam"))
    {
        return Ok(());
    }
    let mut format = toml::Format::default();
    let mut direct = Vec::new();
    let mut has_direct = false;
    let mut all = Vec::new();
    toml::tables(text, out, |table, offset, out| {
        format.look(table, &["packages", "requirements"]);
        has_direct |= toml::get(table, "requirements").is_some();
        direct.extend(toml::entries(table, "requirements").map(|(name, _)| name.to_owned()));
        for package in toml::items(table, "packages") {
            let about = |key| toml::text(package, key);
            // A folder of this machine.
            if about("source") == Some("local") || !out.has_room(all.len()) {
                continue;
            }
            let Some((name, version, span)) = toml::package(package, offset, out) else {
                continue;
            };
            let requires = toml::items(package, "requirements").iter();
            let requires = requires.filter_map(Value::as_str).map(|name| Requirement {
                name: name.to_owned(),
                version: None,
            });
            let digest = about("outer_checksum");
            let from = about("repo").map(|url| git(url, about("commit")));
            all.push((
                name.to_owned(),
                version.to_owned(),
                span,
                requires.collect::<Vec<_>>(),
                digest.and_then(|hex| Hash::new(HashAlgorithm::Sha256, hex)),
                from,
            ));
        }
    });
    for (name, version, span, requires, digest, from) in all {
        out.push(&Declared {
            name: &name,
            version: &version,
            direct: has_direct.then(|| direct.contains(&name)),
            span,
            from,
            requires,
            hashes: digest.into_iter().collect(),
            ..Declared::default()
        });
    }
    format.finish("Gleam", out)
}
