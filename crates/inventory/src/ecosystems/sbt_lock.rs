//! build.sbt.lock (sbt-dependency-lock, lock file version 1).

use std::borrow::Cow;

use seawall_model::{GapKind, Hash};
use serde::Deserialize;

use crate::{
    declared::{Declarations, Declared, lock_file, span_of},
    json,
};

lock_file!(
    "sbt-lock",
    "maven",
    [Interest::Name("build.sbt.lock")],
    parse
);

/// The newest version of the format that is known.
const NEWEST: u64 = 1;

#[derive(Deserialize)]
struct Locked<'a> {
    #[serde(borrow, default)]
    org: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    version: Cow<'a, str>,
    #[serde(borrow, default)]
    artifacts: Vec<Artifact<'a>>,
    #[serde(borrow, default)]
    configurations: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Artifact<'a> {
    #[serde(borrow, default)]
    hash: Cow<'a, str>,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let sections = json::sections(text, "sbt", &["dependencies"], "lockVersion", out)?;
    if sections.found.is_empty() {
        return Err("it is no lock file of sbt: it has no `dependencies`".to_owned());
    }
    if sections.number.is_some_and(|version| version > NEWEST) {
        let reason = "its format is newer than what is known of sbt";
        out.gap(GapKind::Unsupported, reason);
    }
    for entry in &sections.entries {
        let Some(one) = json::entry::<Locked<'_>>(text, entry.value, out) else {
            continue;
        };
        let span = span_of(text, &one.name).or_else(|| span_of(text, entry.value.get()));
        let span = span.unwrap_or_default();
        if [&one.org, &one.name, &one.version]
            .iter()
            .any(|part| part.is_empty())
        {
            out.problem(span.start, "a package has no name or no version");
            continue;
        }
        let digest = match one.artifacts.as_slice() {
            [artifact] => Hash::parse(&artifact.hash),
            _ => None,
        };
        let configurations = &one.configurations;
        out.push(&Declared {
            name: &format!("{}:{}", one.org, one.name),
            version: &one.version,
            development: !configurations.is_empty() && configurations.iter().all(|it| it == "test"),
            span,
            hashes: digest.into_iter().collect(),
            ..Declared::default()
        });
    }
    Ok(())
}
