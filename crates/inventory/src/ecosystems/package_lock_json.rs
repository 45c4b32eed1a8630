//! package-lock.json and npm-shrinkwrap.json, lockfileVersion 1 to 3 (npm,
//! "package-lock.json").

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::declared::{Declarations, Declared, lock_file, span_of};

lock_file!(
    "package-lock-json",
    "npm",
    [
        Interest::Name("package-lock.json"),
        Interest::Name("npm-shrinkwrap.json")
    ],
    parse
);

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, default)]
    packages: Option<Entries<'a, Installed<'a>>>,
    #[serde(borrow, default)]
    dependencies: Option<Entries<'a, Nested<'a>>>,
}

/// An entry of `packages` (versions 2 and 3), keyed by its folder.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Installed<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    resolved: Option<Cow<'a, str>>,
    link: bool,
    dev: bool,
    dev_optional: bool,
    #[serde(borrow)]
    dependencies: Option<Entries<'a, serde::de::IgnoredAny>>,
    #[serde(borrow)]
    dev_dependencies: Option<Entries<'a, serde::de::IgnoredAny>>,
    #[serde(borrow)]
    optional_dependencies: Option<Entries<'a, serde::de::IgnoredAny>>,
}

/// An entry of `dependencies` (version 1), nested like the folders.
#[derive(Deserialize)]
struct Nested<'a> {
    #[serde(borrow, default)]
    version: Option<Cow<'a, str>>,
    #[serde(default)]
    dev: bool,
    #[serde(borrow, default)]
    dependencies: Option<Entries<'a, Nested<'a>>>,
}

/// A map in its order, with keys that still lie in the file's text, so that
/// they have a place.
struct Entries<'a, T>(Vec<(Cow<'a, str>, T)>);

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Entries<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<'a, T>(std::marker::PhantomData<(&'a (), T)>);

        impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for Pairs<'a, T> {
            type Value = Entries<'a, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    all.push((key, value));
                }
                Ok(Entries(all))
            }
        }

        deserializer.deserialize_map(Pairs(std::marker::PhantomData))
    }
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let document: Document<'_> = serde_json::from_str(text)
        .map_err(|error| format!("it is no lock file of npm: {error}"))?;
    match (document.packages, document.dependencies) {
        (Some(packages), _) => installed(text, &packages, out),
        (None, Some(dependencies)) => nested(text, &dependencies, None, out),
        (None, None) => {}
    }
    Ok(())
}

fn installed(text: &str, packages: &Entries<'_, Installed<'_>>, out: &mut Declarations<'_>) {
    // Folders outside `node_modules` are the project's own.
    let own = packages
        .0
        .iter()
        .filter(|(folder, _)| !folder.contains("node_modules/"));
    let direct: HashSet<&str> = own
        .flat_map(|(_, one)| {
            [
                &one.dependencies,
                &one.dev_dependencies,
                &one.optional_dependencies,
            ]
        })
        .flatten()
        .flat_map(|entries| entries.0.iter().map(|(name, _)| name.as_ref()))
        .collect();
    for (folder, one) in &packages.0 {
        let Some((above, installed_as)) = folder.rsplit_once("node_modules/") else {
            continue;
        };
        let Some(version) = one.version.as_deref().filter(|_| !one.link) else {
            continue;
        };
        // An alias is installed under a name other than its own.
        let name = one.name.as_deref().unwrap_or(installed_as);
        let resolved = one.resolved.as_deref().unwrap_or_default();
        out.push(&Declared {
            name,
            version,
            direct: Some(above.is_empty() && direct.contains(installed_as)),
            development: one.dev || one.dev_optional,
            span: span_of(text, folder).unwrap_or_default(),
            from: (resolved.starts_with("git+")).then_some(("vcs_url", resolved)),
        });
    }
}

fn nested(
    text: &str,
    dependencies: &Entries<'_, Nested<'_>>,
    direct: Option<bool>,
    out: &mut Declarations<'_>,
) {
    for (name, one) in &dependencies.0 {
        let version = one.version.as_deref().unwrap_or_default();
        // `npm:NAME@VERSION` is an alias; addresses are no versions.
        let (name, version) = match version
            .strip_prefix("npm:")
            .and_then(|it| it.rsplit_once('@'))
        {
            Some((real, version)) => (real, version),
            None => (name.as_ref(), version),
        };
        let is_version = version.starts_with(|first: char| first.is_ascii_digit());
        let from = (!is_version).then_some(("vcs_url", version));
        if !version.is_empty() && !version.starts_with("file:") {
            out.push(&Declared {
                name,
                version: if is_version { version } else { "" },
                direct,
                development: one.dev,
                span: span_of(text, name).unwrap_or_default(),
                from,
            });
        }
        if let Some(inner) = &one.dependencies {
            // A copy below another package belongs to that package.
            nested(text, inner, Some(false), out);
        }
    }
}
