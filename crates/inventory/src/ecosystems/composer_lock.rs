//! composer.lock.

use std::borrow::Cow;

use serde::Deserialize;

use crate::{
    declared::{Declarations, Declared, lock_file, span_of},
    json::{self, Key},
};

lock_file!(
    "composer-lock",
    "composer",
    [Interest::Name("composer.lock")],
    parse
);

#[derive(Deserialize)]
struct Locked<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    version: Cow<'a, str>,
    #[serde(borrow, default)]
    dist: Option<Dist<'a>>,
}

#[derive(Deserialize)]
struct Dist<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Key<'a>>,
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
        let kind = package.dist.and_then(|dist| dist.kind);
        if kind.is_some_and(|kind| kind.0 == "path") {
            continue;
        }
        // A name with escapes (`monolog\/monolog`) has no place of its own.
        let span = span_of(text, &package.name).or_else(|| span_of(text, one.value.get()));
        out.push(&Declared {
            name: &package.name,
            version: &package.version,
            development: one.section == 1,
            span: span.unwrap_or_default(),
            ..Declared::default()
        });
    }
    Ok(())
}
