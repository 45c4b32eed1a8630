//! uv.lock.

use std::collections::HashSet;

use crate::{
    declared::{Declarations, Declared, lock_file},
    toml,
};

lock_file!("uv-lock", "pypi", [Interest::Name("uv.lock")], parse);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let document = toml::parse(text, out)?;
    let packages = toml::items(&document, "package");
    // Projects of the workspace have a source on this machine.
    let is_own = |package: &toml_span::Value<'_>| {
        toml::get(package, "source").is_some_and(|source| {
            ["virtual", "editable", "directory"]
                .iter()
                .any(|kind| toml::get(source, kind).is_some())
        })
    };
    let mut direct = HashSet::new();
    let mut development = HashSet::new();
    for package in packages.iter().filter(|package| is_own(package)) {
        let named = |list: &[toml_span::Value<'_>]| -> Vec<String> {
            list.iter()
                .filter_map(|one| toml::text(one, "name").map(str::to_owned))
                .collect()
        };
        direct.extend(named(toml::items(package, "dependencies")));
        for group in ["optional-dependencies", "dev-dependencies"] {
            let table = toml::get(package, group).and_then(toml_span::Value::as_table);
            for (name, _) in table.into_iter().flatten() {
                let list = toml::get(package, group)
                    .map(|table| toml::items(table, &name.name))
                    .unwrap_or_default();
                direct.extend(named(list));
                if group == "dev-dependencies" {
                    development.extend(named(list));
                }
            }
        }
        for name in named(toml::items(package, "dependencies")) {
            development.remove(&name);
        }
    }
    for package in packages.iter().filter(|package| !is_own(package)) {
        let (Some(name), Some(version)) =
            (toml::get(package, "name"), toml::text(package, "version"))
        else {
            continue;
        };
        let text = name.as_str().unwrap_or_default();
        let source = toml::get(package, "source");
        out.push(&Declared {
            name: text,
            version,
            direct: (!direct.is_empty()).then(|| direct.contains(text)),
            development: development.contains(text),
            span: toml::span(name),
            from: source
                .and_then(|source| toml::text(source, "git"))
                .map(|url| ("vcs_url", url)),
        });
    }
    Ok(())
}
