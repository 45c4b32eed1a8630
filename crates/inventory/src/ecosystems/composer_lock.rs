//! composer.lock.

use std::borrow::Cow;

use serde::Deserialize;

use crate::declared::{Declarations, Declared, lock_file, span_of};

lock_file!(
    "composer-lock",
    "composer",
    [Interest::Name("composer.lock")],
    parse
);

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, default)]
    packages: Option<Vec<Locked<'a>>>,
    #[serde(borrow, default, rename = "packages-dev")]
    packages_dev: Option<Vec<Locked<'a>>>,
}

#[derive(Deserialize)]
struct Locked<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    version: Cow<'a, str>,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let document: Document<'_> = serde_json::from_str(text)
        .map_err(|error| format!("it is no lock file of Composer: {error}"))?;
    let both = [(document.packages, false), (document.packages_dev, true)];
    for (packages, development) in both {
        for package in packages.unwrap_or_default() {
            out.push(&Declared {
                name: &package.name,
                version: &package.version,
                development,
                span: span_of(text, &package.name).unwrap_or_default(),
                ..Declared::default()
            });
        }
    }
    Ok(())
}
