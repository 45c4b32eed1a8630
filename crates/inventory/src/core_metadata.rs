//! What a Python package says of itself (PyPA, "Core metadata specifications"
//! and "Dependency specifiers"; setuptools, "The Internal Structure of Python
//! Eggs").

use seawall_model::{GapKind, Requirement, Technique};

use crate::{
    found::{Finds, Found},
    stanza::{Stanza, header},
};

/// Adds the package that a file of metadata at `path` describes, with the
/// requirements that stand beside it.
pub(crate) fn metadata(
    text: &str,
    path: &str,
    more: Vec<Requirement>,
    out: &mut Finds,
) -> Result<(), String> {
    // What follows the first empty line is the readme.
    let fields = header(text.trim_start_matches('\u{FEFF}'));
    let of = |name: &str| fields.get(name).unwrap_or_default().trim().to_owned();
    let required = fields.fields().filter(|(name, _)| *name == "Requires-Dist");
    let mut found = Found {
        kind: "pypi",
        name: of("Name"),
        version: of("Version"),
        licenses: licenses(fields),
        requires: required
            .filter_map(|(_, value)| requirement(value))
            .chain(more)
            .collect(),
        ..Found::default()
    };
    // What distutils wrote for the standard library.
    if found.name == "Python" {
        return Ok(());
    }
    if found.name.is_empty() || found.version.is_empty() {
        let what = "it has no name or no version";
        let (name, version) = by_name(path).ok_or(what)?;
        found.name = name.to_owned();
        found.version = version.to_owned();
        found.technique = Technique::FileName;
        let reason = format!("{what}: the name of its folder has to do");
        out.gap(GapKind::Damaged, &reason);
    }
    out.push(&found);
    Ok(())
}

/// Name and version from `NAME-VERSION.dist-info` or `NAME-VERSION-py3.9.egg-info`.
fn by_name(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.rsplit('/');
    let own = parts.next()?;
    let name = match own {
        "METADATA" | "PKG-INFO" => parts.next()?,
        _ => own,
    };
    let (name, _) = name.rsplit_once('.')?;
    let mut parts = name.split('-');
    let (name, version) = (parts.next()?, parts.next()?);
    (!name.is_empty() && version.starts_with(|it: char| it.is_ascii_digit()))
        .then_some((name, version))
}

/// `License-Expression` (PEP 639); else what authors wrote, unless it is the
/// whole text; else the classifiers.
fn licenses(fields: Stanza<'_>) -> Vec<String> {
    const UNKNOWN: [&str; 3] = ["", "UNKNOWN", "None"];
    let one = |name: &str| {
        let value = fields.get(name)?.trim();
        (!value.contains('\n') && !UNKNOWN.contains(&value)).then(|| vec![value.to_owned()])
    };
    let classifiers = || {
        let all = fields.fields().filter(|(name, _)| *name == "Classifier");
        all.filter_map(|(_, value)| {
            let path = value.strip_prefix("License :: ")?;
            let name = path.rsplit(" :: ").next()?.trim();
            // `OSI Approved` alone tells nothing.
            (name != "OSI Approved").then(|| name.to_owned())
        })
        .collect()
    };
    one("License-Expression")
        .or_else(|| one("License"))
        .unwrap_or_else(classifiers)
}

/// The name that a dependency specifier asks for (PyPA, "Dependency
/// specifiers"). Whether its marker holds is seen by whether it is there.
fn requirement(value: &str) -> Option<Requirement> {
    let value = value.trim();
    let is_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
    let end = value.find(|it| !is_name(it)).unwrap_or(value.len());
    let name = value.get(..end).filter(|name| !name.is_empty())?;
    Some(Requirement {
        name: name.to_owned(),
        version: None,
    })
}

/// Lines of specifiers; those of extras and of markers stand under heads in
/// brackets.
pub(crate) fn required(text: &str) -> Vec<Requirement> {
    let lines = text.lines().filter(|line| !line.starts_with(['[', '#']));
    lines.filter_map(requirement).collect()
}

/// The first column of a row of comma-separated values, which a path with a
/// comma in it stands in quotes in.
pub(crate) fn first_column(row: &str) -> String {
    let Some(quoted) = row.strip_prefix('"') else {
        return row.split(',').next().unwrap_or_default().to_owned();
    };
    let mut out = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        // Two stand for one.
        if letter == '"' && letters.next() != Some('"') {
            break;
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_names_its_package() {
        for (path, expected) in [
            ("a/b_c-1.0.dist-info/METADATA", Some(("b_c", "1.0"))),
            ("a/b-2-py3.9.egg-info", Some(("b", "2"))),
            ("a/EGG-INFO/PKG-INFO", None),
            ("a/b.egg-info/PKG-INFO", None),
        ] {
            assert_eq!(by_name(path), expected, "{path}");
        }
    }

    #[test]
    fn specifiers_begin_with_a_name() {
        let name = |text: &str| requirement(text).map(|one| one.name);
        assert_eq!(name("a.b-c_d[x]>=1; y").as_deref(), Some("a.b-c_d"));
        assert_eq!(name(" a (>=1)").as_deref(), Some("a"));
        assert_eq!(name("a@ https://x").as_deref(), Some("a"));
        assert_eq!(name(";x"), None);
        assert_eq!(first_column("\"a,\"\"b\"\"\",sha,1"), "a,\"b\"");
        assert_eq!(first_column("a b,sha,1"), "a b");
        assert_eq!(required("a>1\n\n[x:y]\nb\n").len(), 2);
    }

    #[test]
    fn licences_from_the_best_field() {
        let of = |text: &str| licenses(header(text));
        assert_eq!(of("License: BSD\nLicense-Expression: MIT\n"), ["MIT"]);
        let classifiers = "License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n\
            Classifier: License :: OSI Approved\nClassifier: Topic :: X\n";
        assert_eq!(of(classifiers), ["MIT License"]);
        assert_eq!(of("License: text\n  of two lines\n"), Vec::<String>::new());
    }
}
