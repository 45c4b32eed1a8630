//! rebar.lock (Rebar3, `rebar_config`): of version 1.2.0, and the bare list of
//! what came before.

use std::collections::HashMap;

use seawall_model::{GapKind, Hash, HashAlgorithm};

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    terms::{self, Language, Term},
};

lock_file!("rebar-lock", "hex", [Interest::Name("rebar.lock")], parse);

/// The newest major version of the format that is known.
const NEWEST: u32 = 1;

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let terms = terms::read(text, Language::Erlang, out);
    let first = terms.first().filter(|first| first.text().is_none());
    let Some(first) = first else {
        return Err("it is no lock file of Rebar3: it has no list of packages".to_owned());
    };
    // `{"1.2.0", [PACKAGES]}.` and `[{pkg_hash, …}].`, or `[PACKAGES].` alone.
    let version = first.text_at(0);
    let packages = match version {
        Some(_) => first.items().get(1).map(Term::items).unwrap_or_default(),
        None => first.items(),
    };
    let major = version.and_then(|version| version.split('.').next()?.parse().ok());
    if major.is_some_and(|major: u32| major > NEWEST) {
        let reason = "its format is newer than what is known of Rebar3";
        out.gap(GapKind::Unsupported, reason);
    }
    if version.is_none() && !text.trim_start().starts_with('[') {
        return Err("it is no lock file of Rebar3: it has no list of packages".to_owned());
    }
    let about = terms.get(1);
    // Of the archive as it is; `pkg_hash` is of what it holds.
    let outer = about.and_then(|about| about.get("pkg_hash_ext"));
    let outer = outer.map(Term::items).unwrap_or_default().iter();
    let hashes: HashMap<&str, &str> = outer
        .filter_map(|one| Some((one.text_at(0)?, one.text_at(1)?)))
        .collect();
    let is_packages = |one: &Term<'_>| matches!(kind(one), Some("pkg"));
    let has_hashes = about.is_some_and(|about| about.get("pkg_hash").is_some());
    if version.is_some() && !has_hashes && packages.iter().any(is_packages) && !out.has_problem() {
        // Rebar3 writes the digests behind the packages.
        let reason = "it has no `pkg_hash`: it may have been cut off";
        out.gap(GapKind::Damaged, reason);
    }
    for package in packages.iter().filter(|package| package.is_whole()) {
        read(package, &hashes, out);
    }
    Ok(())
}

fn kind<'t>(package: &'t Term<'_>) -> Option<&'t str> {
    package.items().get(1)?.text_at(0)
}

/// `{<<"cowboy">>, {pkg, <<"cowboy">>, <<"2.9.0">>}, LEVEL}`, `{<<"x">>, {git,
/// ADDRESS, {ref, REVISION}}, LEVEL}`.
fn read(package: &Term<'_>, hashes: &HashMap<&str, &str>, out: &mut Declarations<'_>) {
    let start = package.span().start;
    let Some((app, source)) = package.text_at(0).zip(package.items().get(1)) else {
        out.problem(start, "a package has no name or no source");
        return;
    };
    let span = package.items().first().map(Term::span).unwrap_or_default();
    // What the project itself names stands at level 0.
    let level = package.text_at(2);
    let direct = level.map(|level| level == "0");
    match kind(package) {
        Some("pkg") => {
            let (name, version) = (source.text_at(1), source.text_at(2));
            let Some((name, version)) = name.zip(version) else {
                out.problem(start, "a package has no name or no version");
                return;
            };
            let hash = hashes.get(app);
            let hash = hash.and_then(|hex| Hash::new(HashAlgorithm::Sha256, hex));
            out.push(&Declared {
                name,
                version,
                direct,
                span,
                hashes: hash.into_iter().collect(),
                ..Declared::default()
            });
        }
        // `git_subdir` has a folder behind the revision.
        Some("git" | "git_subdir") => {
            let address = source.text_at(1).unwrap_or_default();
            let revision = source.items().get(2).and_then(|it| it.text_at(1));
            out.push(&Declared {
                name: app,
                direct,
                span,
                from: Some(git(address, revision)),
                ..Declared::default()
            });
        }
        _ => out.problem(start, "a package has a source that is not known"),
    }
}
