//! Pipfile.lock, `pipfile-spec` 6 (Pipenv, "Pipfile.lock"), with the Pipfile
//! beside it, which says what the project itself has chosen.

use std::borrow::Cow;

use seawall_model::Hash;
use serde::Deserialize;

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    json::{self, Key},
    manifest::{self, Asked, Manifest},
    python,
};

lock_file!(
    "pipfile-lock",
    "pypi",
    [Interest::Name("Pipfile.lock")],
    parse,
    [&Pipfile],
    |view, inventory| manifest::direct(
        view,
        inventory,
        ("pipfile-lock", "pipfile", "Pipfile"),
        python::normal
    )
);

manifest::manifest!(Pipfile, "pipfile", "Pipfile", pipfile);

/// The tables of the Pipfile that are no lists of packages. All others are, the
/// categories of the project's own making too.
const OTHER: [&str; 5] = ["source", "requires", "scripts", "pipenv", "build-system"];

fn pipfile(text: &str, out: &mut Manifest) {
    let Ok(root) = toml_span::parse(text) else {
        return;
    };
    let tables = root.as_table().into_iter().flatten();
    for (kind, table) in tables.filter(|(kind, _)| !OTHER.contains(&kind.name.as_ref())) {
        for (name, _) in table.as_table().into_iter().flatten() {
            out.push(Asked {
                name: &name.name,
                range: "",
                is_development: kind.name == "dev-packages",
                is_optional: false,
            });
        }
    }
}

/// One package, whose name is its key.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Locked<'a> {
    /// `==1.0.0`; none for what comes from elsewhere.
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    hashes: Vec<Key<'a>>,
    #[serde(borrow)]
    git: Option<Cow<'a, str>>,
    #[serde(rename = "ref", borrow)]
    revision: Option<Cow<'a, str>>,
    #[serde(borrow)]
    file: Option<Cow<'a, str>>,
    #[serde(borrow)]
    path: Option<Cow<'a, str>>,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    // A project may have categories of its own making beside `default` and
    // `develop`.
    let sections = json::sections(text, "Pipenv", &[], "", out)?;
    let category = |section: usize| sections.names.get(section).map(AsRef::as_ref);
    if !sections
        .names
        .iter()
        .any(|name| name == "_meta" || name == "default")
    {
        return Err("it is no lock file of Pipenv: it has no `default`".to_owned());
    }
    for one in &sections.entries {
        let category = category(one.section);
        if category == Some("_meta") {
            continue;
        }
        let Some(package) = json::entry::<Locked<'_>>(text, one.value, out) else {
            continue;
        };
        let span = json::place(text, &one.key, one.value);
        let address = package.file.as_deref().filter(|file| file.contains("://"));
        let from = match (&package.git, address) {
            (Some(url), _) => Some(git(url, package.revision.as_deref())),
            (None, Some(url)) => Some(("download_url", url.to_owned())),
            // A folder or an archive of this machine.
            (None, None) if package.path.is_some() || package.file.is_some() => continue,
            (None, None) => None,
        };
        let version = match &package.version {
            Some(version) => version.trim_start_matches('='),
            None => address.and_then(python::wheel_version).unwrap_or_default(),
        };
        if version.is_empty() && from.is_none() {
            out.problem(span.start, "a package has no version");
            continue;
        }
        out.push(&Declared {
            name: &one.key,
            version,
            development: category == Some("develop"),
            span,
            from,
            hashes: hashes(&package),
            ..Declared::default()
        });
    }
    Ok(())
}

/// The digests of all archives of the version, `sha256:…`.
fn hashes(package: &Locked<'_>) -> Vec<Hash> {
    let all = package.hashes.iter();
    all.filter_map(|hash| Hash::parse(&hash.0)).collect()
}
