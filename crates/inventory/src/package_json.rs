//! A package's own `package.json` (npm, "package.json").

use std::borrow::Cow;

use seawall_model::Requirement;
use serde_json::value::RawValue;

use crate::{declared::git, found::Found, json};

/// Bytes of a range of versions; what is longer is none.
const MOST_RANGE: usize = 256;

/// The name of the package whose own manifest lies at `path`: that of its
/// folder, `node_modules/NAME` or `node_modules/@SCOPE/NAME`.
pub(crate) fn installed_as(path: &str) -> Option<&str> {
    let folder = path.strip_suffix("/package.json")?;
    let name = match folder.rsplit_once("node_modules/") {
        Some(("", name)) => name,
        Some((above, name)) if above.ends_with('/') => name,
        _ => return None,
    };
    let is_one = match name.split_once('/') {
        Some((scope, name)) => scope.starts_with('@') && !name.contains('/'),
        None => !name.starts_with(['@', '.']),
    };
    is_one.then_some(name)
}

/// The package that a manifest describes, `installed_as` that name, if it is
/// one; its requirements bear ranges in the place of versions.
pub(crate) fn manifest(text: &str, installed_as: Option<&str>) -> Result<Option<Found>, String> {
    let text = text.trim_start_matches('\u{FEFF}');
    let [
        name,
        version,
        private,
        license,
        licenses,
        resolved,
        required,
        optional,
        peer,
    ] = json::fields(
        text,
        [
            "name",
            "version",
            "private",
            "license",
            "licenses",
            "_resolved",
            "dependencies",
            "optionalDependencies",
            "peerDependencies",
        ],
    )?;
    // An alias is installed under a name other than its own.
    let name = json::string(name).filter(|name| !name.trim().is_empty());
    let Some(name) = name.or(installed_as.map(Cow::Borrowed)) else {
        return Ok(None);
    };
    // npm gives none to what has no version: it is a folder of somebody's own,
    // as are private ones inside packages.
    let version = json::string(version).unwrap_or_default();
    let version = version.trim();
    if version.is_empty() || (installed_as.is_none() && is_true(private)) {
        return Ok(None);
    }
    let mut requires: Vec<Requirement> = Vec::new();
    for list in [required, optional, peer] {
        // The range tells which of several serves.
        let entries = json::entries(list).into_iter();
        requires.extend(entries.map(|(name, range)| {
            Requirement {
                name: name.into_owned(),
                version: json::string(Some(range))
                    .filter(|range| range.len() <= MOST_RANGE && !range.contains('\n'))
                    .map(Cow::into_owned),
            }
        }));
    }
    // npm up to 6 wrote down where it had the package from.
    let resolved = json::string(resolved).filter(|url| url.starts_with("git"));
    let from = resolved.map(|url| git(&url, None));
    Ok(Some(Found {
        kind: "npm",
        name: name.trim().to_owned(),
        version: version.to_owned(),
        qualifiers: from.into_iter().collect(),
        licenses: license_names(license, licenses),
        requires,
        ..Found::default()
    }))
}

/// Whether a value is `true`.
pub(crate) fn is_true(value: Option<&RawValue>) -> bool {
    value.is_some_and(|value| value.get() == "true")
}

/// `license` is an SPDX expression; older packages have an object with a `type`,
/// or a list of either under `license` or `licenses`.
fn license_names(license: Option<&RawValue>, licenses: Option<&RawValue>) -> Vec<String> {
    let one = |value: &RawValue| {
        let text = json::string(Some(value)).or_else(|| {
            let [kind, name] = json::fields(value.get(), ["type", "name"]).ok()?;
            json::string(kind.or(name))
        })?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let all = |value: Option<&RawValue>| -> Vec<String> {
        let list = json::items(value);
        match list.is_empty() {
            true => value.and_then(one).into_iter().collect(),
            false => list.into_iter().filter_map(one).collect(),
        }
    };
    let names = all(license);
    if names.is_empty() {
        all(licenses)
    } else {
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_told_from_its_insides() {
        for (path, name) in [
            ("node_modules/a/package.json", Some("a")),
            ("app/node_modules/@a/b/package.json", Some("@a/b")),
            ("app/node_modules/x/node_modules/y/package.json", Some("y")),
            (
                "app/node_modules/.pnpm/y@1/node_modules/y/package.json",
                Some("y"),
            ),
            ("app/node_modules/b/test/package.json", None),
            ("app/node_modules/@b/package.json", None),
            ("app/node_modules/package.json", None),
            ("app/old_node_modules/b/package.json", None),
            ("app/package.json", None),
        ] {
            assert_eq!(installed_as(path), name, "{path}");
        }
    }

    #[test]
    fn licences_of_all_times() {
        for (text, expected) in [
            (r#""license":"MIT""#, vec!["MIT"]),
            (r#""license":{"type":"BSD","url":"x"}"#, vec!["BSD"]),
            (r#""license":["MIT",{"type":"BSD"}]"#, vec!["MIT", "BSD"]),
            (
                r#""licenses":[{"type":"MIT"},{"type":"GPL-2.0"}]"#,
                vec!["MIT", "GPL-2.0"],
            ),
            (r#""licenses":"MIT""#, vec!["MIT"]),
            (r#""license":7"#, vec![]),
        ] {
            let text = format!(r#"{{"name":"a","version":"1",{text}}}"#);
            let found = manifest(&text, None).unwrap().unwrap();
            assert_eq!(found.licenses, expected, "{text}");
        }
    }

    #[test]
    fn what_has_no_version_is_none() {
        let of = |text: &str, name| manifest(text, name).unwrap().map(|one| one.name);
        assert_eq!(of(r#"{"type":"commonjs"}"#, None), None);
        assert_eq!(of(r#"{"name":"a/b","main":"x"}"#, Some("a")), None);
        assert_eq!(
            of(r#"{"version":"1.0.0"}"#, Some("a")).as_deref(),
            Some("a")
        );
        assert_eq!(of(r#"{"version":"1.0.0"}"#, None), None);
        let private = "\u{FEFF}{\"name\":\"b\",\"version\":\"1\",\"private\":true}";
        assert_eq!(of(private, Some("a")).as_deref(), Some("b"));
        assert_eq!(of(private, None), None);
    }
}
