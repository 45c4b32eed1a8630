//! Version catalogs (Gradle, "Version Catalogs", "The version catalog TOML file
//! format").

use std::collections::HashMap;

use seawall_model::{GapKind, Span};
use toml_span::Value;

use crate::{
    declared::{Declarations, Declared, lock_file},
    text::list,
    toml,
};

lock_file!(
    "version-catalog",
    "maven",
    [Interest::Suffix(".versions.toml")],
    parse
);

/// A version, or none where several will do or nothing is said, and its place.
#[derive(Clone)]
struct Version {
    text: Option<String>,
    span: Span,
}

/// What an entry says of its version.
enum Told {
    Here(Version),
    /// The name of an entry of `[versions]`.
    Elsewhere(String),
}

struct Entry {
    name: String,
    is_plugin: bool,
    told: Told,
    span: Span,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let mut versions = HashMap::new();
    let mut entries = Vec::new();
    let mut format = toml::Format::default();
    toml::tables(text, out, |table, offset, out| {
        format.look(
            table,
            &["versions", "libraries", "plugins", "bundles", "metadata"],
        );
        for (name, value) in toml::entries(table, "versions") {
            // A name is the same with any of the three signs in it.
            versions.insert(plain(name), version(value, offset));
        }
        for (section, module) in [("libraries", "module"), ("plugins", "id")] {
            for (_, value) in toml::entries(table, section) {
                if !out.has_room(entries.len()) {
                    break;
                }
                match entry(value, module, offset) {
                    Some(one) => entries.push(one),
                    None => {
                        let start = toml::span(value, offset).start;
                        out.problem(start, "an entry names no module");
                    }
                }
            }
        }
    });
    let mut unknown = Vec::new();
    for one in &entries {
        let version = match &one.told {
            Told::Here(version) => Some(version),
            Told::Elsewhere(name) => versions.get(&plain(name)),
        };
        let text = version.and_then(|version| version.text.as_deref());
        if text.is_none() {
            unknown.push(one.name.as_str());
        }
        let written = version.filter(|version| version.text.is_some());
        // A plugin is found under a module of this name (Gradle, "Plugin Marker
        // Artifacts").
        let name = match one.is_plugin {
            true => format!("{0}:{0}.gradle.plugin", one.name),
            false => one.name.clone(),
        };
        out.push(&Declared {
            name: &name,
            version: text.unwrap_or_default(),
            direct: Some(true),
            development: one.is_plugin,
            span: written.map_or(one.span, |version| version.span),
            ..Declared::default()
        });
    }
    if !unknown.is_empty() {
        let reason = format!("nothing gives {} a single version", list(unknown));
        out.gap(GapKind::Missing, &reason);
    }
    format.finish("Gradle", out)
}

fn plain(name: &str) -> String {
    name.replace(['-', '_'], ".")
}

/// An entry: `group:artifact:version` or `id:version`, or a table.
fn entry(value: &Value<'_>, module: &str, offset: usize) -> Option<Entry> {
    let is_plugin = module == "id";
    let span = toml::span(value, offset);
    if let Some(text) = value.as_str() {
        let (name, version) = text.rsplit_once(':')?;
        if version.is_empty() || name.contains(':') == is_plugin {
            return None;
        }
        let start = span.end.checked_sub(version.len())?;
        return Some(Entry {
            name: name.to_owned(),
            is_plugin,
            told: Told::Here(single(version, Span::new(start, span.end))),
            span,
        });
    }
    let name = match (toml::text(value, "group"), toml::text(value, "name")) {
        (Some(group), Some(name)) => format!("{group}:{name}"),
        _ => toml::text(value, module)?.to_owned(),
    };
    let told = match toml::get(value, "version") {
        Some(version) => match toml::text(version, "ref") {
            Some(name) => Told::Elsewhere(name.to_owned()),
            None => Told::Here(self::version(version, offset)),
        },
        None => Told::Here(Version { text: None, span }),
    };
    Some(Entry {
        name,
        is_plugin,
        told,
        span,
    })
}

/// A version: a text, or a table of which the strictest counts.
fn version(value: &Value<'_>, offset: usize) -> Version {
    let one = match value.as_str() {
        Some(text) => Some((text, value)),
        None => ["prefer", "strictly", "require"].iter().find_map(|key| {
            let value = toml::get(value, key)?;
            Some((value.as_str()?, value))
        }),
    };
    match one {
        Some((text, value)) => single(text, toml::span(value, offset)),
        None => Version {
            text: None,
            span: toml::span(value, offset),
        },
    }
}

/// One version, unless it is a range or a word that moves (Gradle, "Declaring
/// Versions and Ranges"). `!!` makes it strict.
fn single(text: &str, span: Span) -> Version {
    let version = text.strip_suffix("!!").unwrap_or(text);
    let is_open = version.is_empty()
        || version.contains(['[', ']', '(', ')', ',', '+'])
        || version.starts_with("latest.");
    Version {
        text: (!is_open).then(|| version.to_owned()),
        span,
    }
}
