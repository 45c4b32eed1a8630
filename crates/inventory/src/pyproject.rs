//! What a pyproject.toml asks for: as the standard has it (PyPA, "pyproject.toml
//! specification" and "Dependency Groups"), and as Poetry and PDM had it before.

use toml_span::Value;

use crate::{
    manifest::{Asked, Manifest, manifest},
    python, toml,
};

manifest!(Pyproject, "pyproject", "pyproject.toml", read);

fn read(text: &str, out: &mut Manifest) {
    let Ok(root) = toml_span::parse(text) else {
        return;
    };
    let at = |path: &[&str]| {
        path.iter()
            .try_fold(&root, |table, key| toml::get(table, key))
    };
    if let Some(project) = at(&["project"]) {
        list(toml::items(project, "dependencies"), false, out);
        for (name, extra) in toml::entries(project, "optional-dependencies") {
            for one in array(extra).iter().filter_map(Value::as_str) {
                push(python::required(one), name, false, out);
            }
        }
    }
    for (_, group) in toml::entries(&root, "dependency-groups") {
        list(array(group), true, out);
    }
    if let Some(pdm) = at(&["tool", "pdm"]) {
        for (_, group) in toml::entries(pdm, "dev-dependencies") {
            list(array(group), true, out);
        }
    }
    if let Some(poetry) = at(&["tool", "poetry"]) {
        names(poetry, "dependencies", false, out);
        names(poetry, "dev-dependencies", true, out);
        for (_, group) in toml::entries(poetry, "group") {
            names(group, "dependencies", true, out);
        }
    }
}

fn array<'v, 'a>(value: &'v Value<'a>) -> &'v [Value<'a>] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Requirements (Dependency specifiers, PyPA); other groups that a group takes
/// in come by themselves.
fn list(requirements: &[Value<'_>], is_development: bool, out: &mut Manifest) {
    for one in requirements.iter().filter_map(Value::as_str) {
        push(python::required(one), "", is_development, out);
    }
}

/// A table of names.
fn names(table: &Value<'_>, key: &str, is_development: bool, out: &mut Manifest) {
    for (name, _) in toml::entries(table, key).filter(|(name, _)| *name != "python") {
        push(name, "", is_development, out);
    }
}

fn push(name: &str, extra: &str, is_development: bool, out: &mut Manifest) {
    out.push(Asked {
        name,
        range: extra,
        is_development,
        is_optional: false,
    });
}
