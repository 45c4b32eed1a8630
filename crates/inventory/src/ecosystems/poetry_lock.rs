//! poetry.lock, of Poetry 1 and 2.

use seawall_model::{GapKind, Hash, Requirement};

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    manifest,
    pyproject::Pyproject,
    python, toml,
};

lock_file!(
    "poetry-lock",
    "pypi",
    [Interest::Name("poetry.lock")],
    parse,
    [&Pyproject],
    |view, inventory| manifest::direct(
        view,
        inventory,
        ("poetry-lock", "pyproject", "pyproject.toml"),
        python::normal
    )
);

/// The newest major version of the format that is known.
const NEWEST: i64 = 2;

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let mut format = toml::Format::default();
    let mut has_end = false;
    toml::tables(text, out, |table, offset, out| {
        format.look(table, &["package", "metadata"]);
        has_end |= toml::get(table, "metadata").is_some();
        let version = toml::get(table, "metadata")
            .and_then(|metadata| toml::text(metadata, "lock-version"))
            .and_then(|version| version.split('.').next()?.parse().ok());
        format.version(version, NEWEST);
        for package in toml::items(table, "package") {
            read(package, offset, out);
        }
    });
    format.finish("Poetry", out)?;
    if !has_end && !out.has_problem() {
        // Poetry writes it behind the packages.
        let reason = "it has no `[metadata]`: it may have been cut off";
        out.gap(GapKind::Damaged, reason);
    }
    Ok(())
}

fn read(package: &toml_span::Value<'_>, offset: usize, out: &mut Declarations<'_>) {
    let Some((name, version, span)) = toml::package(package, offset, out) else {
        return;
    };
    // Poetry 1.0 wrote `category`; 2 writes `groups`.
    let groups = toml::items(package, "groups");
    let development = toml::text(package, "category") == Some("dev")
        || (!groups.is_empty() && groups.iter().all(|group| group.as_str() != Some("main")));
    let source = toml::get(package, "source");
    let about = |key| source.and_then(|source| toml::text(source, key));
    let from = match (about("type"), about("url")) {
        // A folder of this machine.
        (Some("directory"), _) => return,
        (Some("git"), Some(url)) => Some(git(url, about("resolved_reference"))),
        (Some("url" | "file"), Some(url)) => Some(("download_url", url.to_owned())),
        _ => None,
    };
    // Before 1.3 the digests of all files stood together at the end.
    let files = toml::items(package, "files").iter();
    let hashes = files.filter_map(|file| Hash::parse(toml::text(file, "hash")?));
    let requires = toml::entries(package, "dependencies").map(|(name, _)| Requirement {
        name: python::normal(name),
        version: None,
    });
    out.push(&Declared {
        name,
        version,
        development,
        span,
        from,
        hashes: hashes.collect(),
        requires: requires.collect(),
        ..Declared::default()
    });
}
