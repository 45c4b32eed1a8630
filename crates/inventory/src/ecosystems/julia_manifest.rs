//! Manifest.toml of Julia, formats 1.0 to 2.1 (Pkg, "Project.toml and
//! Manifest.toml").

use seawall_model::Requirement;
use toml_span::Value;

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    links::Links,
    toml,
};

lock_file!(
    "julia-manifest",
    "julia",
    [
        Interest::Name("Manifest.toml"),
        Interest::Name("JuliaManifest.toml"),
        // One for each version of Julia, which is preferred to the above.
        Interest::Name("Manifest-v1.10.toml"),
        Interest::Name("Manifest-v1.11.toml"),
        Interest::Name("Manifest-v1.12.toml"),
        Interest::Name("Manifest-v1.13.toml"),
    ],
    parse
);

/// The newest version of the format that is known.
const NEWEST: i64 = 2;

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let mut format = toml::Format::default();
    let mut links = Links::default();
    // Every package is a table of its own, which tables of its own follow.
    let mut offset = 0;
    let starts = text.split_inclusive('\n').filter_map(|line| {
        let start = offset;
        offset += line.len();
        line.starts_with("[[").then_some(start)
    });
    let starts: Vec<usize> = starts.collect();
    toml::pieces(text, starts.into_iter(), out, |table, offset, out| {
        format.look(table, &["manifest_format", "julia_version", "deps"]);
        let version = toml::text(table, "manifest_format");
        let version = version.and_then(|version| version.split('.').next()?.parse().ok());
        format.version(version, NEWEST);
        // Format 1 has the packages on top.
        let below = toml::get(table, "deps").unwrap_or(table);
        let Some(packages) = below.as_table() else {
            return;
        };
        for (name, list) in packages {
            for package in list.as_array().map(Vec::as_slice).unwrap_or_default() {
                format.look(package, &["uuid"]);
                links.there(&name.name);
                let span =
                    seawall_model::Span::new(offset + name.span.start, offset + name.span.end);
                read(&name.name, package, span, &mut links, out);
            }
        }
    });
    links.finish(out);
    format.finish("Julia", out)
}

fn read(
    name: &str,
    package: &Value<'_>,
    span: seawall_model::Span,
    links: &mut Links,
    out: &mut Declarations<'_>,
) {
    let Some(uuid) = toml::text(package, "uuid") else {
        out.problem(span.start, "a package has no `uuid`");
        return;
    };
    // A list of names, or names with their `uuid` where two go by one name.
    let names = toml::items(package, "deps")
        .iter()
        .filter_map(Value::as_str);
    let named = toml::entries(package, "deps").map(|(name, _)| name);
    let requires: Vec<Requirement> = names
        .chain(named)
        .map(|name| Requirement {
            name: name.to_owned(),
            version: None,
        })
        .collect();
    for one in &requires {
        links.needed(&one.name);
    }
    // A folder of this machine; and what is a part of Julia itself, without a
    // version of its own.
    let version = toml::text(package, "version");
    let Some(version) = version.filter(|_| toml::get(package, "path").is_none()) else {
        return;
    };
    let revision = toml::text(package, "repo-rev");
    out.push(&Declared {
        name,
        version,
        span,
        from: match toml::text(package, "repo-url") {
            Some(url) => Some(git(url, revision)),
            None => Some(("uuid", uuid.to_owned())),
        },
        requires,
        ..Declared::default()
    });
}
