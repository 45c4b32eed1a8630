//! vendor/composer/installed.json, of Composer 1 (a list) and 2 (an object).

use std::{borrow::Cow, collections::HashSet};

use seawall_model::{GapKind, Hash, HashAlgorithm, Relation};
use serde_json::value::RawValue;

use crate::{
    declared::git,
    found::{self, Finds, Found, records},
    json,
    requires::folder,
};

records!(
    "composer-installed",
    [Interest::Name("installed.json")],
    |path: &str| folder(path).rsplit('/').next() == Some("composer"),
    128 << 20,
    parse,
    |path| path
);

fn parse(_: &str, text: &str, out: &mut Finds) -> Result<(), String> {
    let list: Vec<&RawValue>;
    let mut development = HashSet::new();
    if text.trim_start().starts_with('[') {
        list = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    } else {
        let [packages, names] = json::fields(text, ["packages", "dev-package-names"])?;
        list = json::items(packages);
        development = json::strings(names).into_iter().collect();
        if packages.is_none() {
            return Err("it is no list of Composer: it has no `packages`".to_owned());
        }
    }
    let mut damaged = 0_usize;
    for one in list {
        match package(one, &development) {
            Some(found) => out.push(&found),
            None => damaged += 1,
        }
    }
    if damaged > 0 {
        let reason = format!("{damaged} packages have no name or no version");
        out.gap(GapKind::Damaged, &reason);
    }
    Ok(())
}

fn package(one: &RawValue, development: &HashSet<Cow<'_, str>>) -> Option<Found> {
    let [name, version, license, require, dist, source] = json::fields(
        one.get(),
        ["name", "version", "license", "require", "dist", "source"],
    )
    .ok()?;
    let (name, version) = (json::string(name)?, json::string(version)?);
    if name.is_empty() || version.is_empty() {
        return None;
    }
    let about = |value, key| {
        json::string(json::field(value, key))
            .map(Cow::into_owned)
            .filter(|text| !text.is_empty())
    };
    let sum = about(dist, "shasum");
    // Without an archive it was cloned.
    let from = dist.is_none().then(|| {
        let url = about(source, "url")?;
        let revision = about(source, "reference");
        (about(source, "type")? == "git").then(|| git(&url, revision.as_deref()))
    });
    Some(Found {
        kind: "composer",
        relation: Relation {
            direct: None,
            development: development.contains(&name),
        },
        name: name.into_owned(),
        version: version.into_owned(),
        qualifiers: from.flatten().into_iter().collect(),
        licenses: json::strings(license)
            .into_iter()
            .map(Cow::into_owned)
            .collect(),
        hashes: sum
            .and_then(|sum| Hash::new(HashAlgorithm::Sha1, &sum))
            .into_iter()
            .collect(),
        requires: found::names(json::keys(require)),
        ..Found::default()
    })
}
