//! composer.lock.

use std::borrow::Cow;

use seawall_model::{Hash, HashAlgorithm, Requirement};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    declared::{Declarations, Declared, lock_file, span_of},
    json::{self, Key, Keys},
    manifest::{self, Asked, Manifest},
};

lock_file!(
    "composer-lock",
    "composer",
    [Interest::Name("composer.lock")],
    parse,
    [&Composer],
    |view, inventory| manifest::direct(
        view,
        inventory,
        ("composer-lock", "composer-json", "composer.json"),
        str::to_lowercase
    )
);

manifest::manifest!(Composer, "composer-json", "composer.json", composer_json);

/// What composer.json asks for.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Project<'a> {
    #[serde(borrow)]
    require: Keys<'a>,
    #[serde(borrow)]
    require_dev: Keys<'a>,
}

fn composer_json(text: &str, out: &mut Manifest) {
    let project = serde_json::from_str::<Project<'_>>(text).unwrap_or_default();
    for (names, is_development) in [(&project.require, false), (&project.require_dev, true)] {
        for name in &names.0 {
            out.push(Asked {
                name,
                range: "",
                is_development,
                is_optional: false,
            });
        }
    }
}

#[derive(Deserialize)]
struct Locked<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    version: Cow<'a, str>,
    #[serde(borrow, default)]
    dist: Option<Dist<'a>>,
    #[serde(borrow, default)]
    require: Option<&'a RawValue>,
    #[serde(borrow, default)]
    license: Option<&'a RawValue>,
}

/// The names of an object; none in the empty list that PHP makes of an empty
/// one.
fn names(value: Option<&RawValue>) -> Vec<Cow<'_, str>> {
    let keys = value.map(|value| serde_json::from_str::<Keys<'_>>(value.get()));
    keys.and_then(Result::ok).unwrap_or_default().0
}

/// Whether it is a package: all others are PHP itself and its extensions
/// (Composer, "Platform packages").
fn is_package(name: &str) -> bool {
    name.contains('/')
}

#[derive(Deserialize)]
struct Dist<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Key<'a>>,
    #[serde(borrow, default)]
    shasum: Option<Key<'a>>,
}

const SECTIONS: [&str; 2] = ["packages", "packages-dev"];

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let sections = json::sections(text, "Composer", &SECTIONS, "", out)?;
    if sections.found.is_empty() {
        return Err("it is no lock file of Composer: it has no `packages`".to_owned());
    }
    for one in &sections.entries {
        let Some(package) = json::entry::<Locked<'_>>(text, one.value, out) else {
            continue;
        };
        if package.name.is_empty() || package.version.is_empty() {
            let start = span_of(text, one.value.get()).unwrap_or_default().start;
            out.problem(start, "a package has no name or no version");
            continue;
        }
        // A folder of this machine.
        let kind = package.dist.as_ref().and_then(|dist| dist.kind.as_ref());
        if kind.is_some_and(|kind| kind.0 == "path") {
            continue;
        }
        let shasum = package.dist.as_ref().and_then(|dist| dist.shasum.as_ref());
        let hash = shasum.and_then(|hex| Hash::new(HashAlgorithm::Sha1, &hex.0));
        let needs = names(package.require).into_iter();
        let requires = needs
            .filter(|name| is_package(name))
            .map(|name| Requirement {
                name: name.into_owned(),
                version: None,
            });
        // A name with escapes (`monolog\/monolog`) has no place of its own.
        let span = span_of(text, &package.name).or_else(|| span_of(text, one.value.get()));
        out.push(&Declared {
            name: &package.name,
            version: &package.version,
            development: one.section == 1,
            span: span.unwrap_or_default(),
            hashes: hash.into_iter().collect(),
            requires: requires.collect(),
            licenses: package.license.map(json::texts).unwrap_or_default(),
            ..Declared::default()
        });
    }
    Ok(())
}
