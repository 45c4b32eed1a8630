//! VEX documents of others, and those that are written here.

mod damaged;
mod documents;
mod written;

use std::{fs, path::PathBuf};

use seawall_formats::vex;
use seawall_model::vex::{Document, Name, Statement};
use serde_json::Value;

pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/vex")
        .join(name)
}

pub(crate) fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

pub(crate) fn read(name: &str) -> Document {
    vex::read(text(name).as_bytes(), name).unwrap()
}

fn json(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap()
}

/// What a published schema has against a document.
fn errors(schema: &str, document: &Value) -> Vec<String> {
    let mut registry = jsonschema::Registry::new();
    for version in ["v2.0", "v3.0", "v3.1"] {
        let uri = format!("https://www.first.org/cvss/cvss-{version}.json");
        let cvss = json(&format!("cvss-{version}.json"));
        registry = registry.add(uri, cvss).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let validator = jsonschema::options()
        .with_registry(&registry)
        .should_validate_formats(true)
        .build(&json(schema))
        .unwrap();
    validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Package URLs of a statement's products, as `type/namespace/name@version`,
/// and of their parts behind a colon.
fn products(statement: &Statement) -> Vec<String> {
    let shown = |names: &Vec<Name>| {
        let shown = names.iter().map(|name| match name {
            Name::Purl { purl, .. } => format!(
                "{}/{}/{}@{}",
                purl.kind, purl.namespace, purl.name, purl.version
            ),
            Name::Cpe(text) | Name::Iri(text) => text.clone(),
            Name::Hash(hash) => hash.to_string(),
            Name::BomLink { reference, .. } => format!("#{}", reference.as_deref().unwrap_or("")),
        });
        shown.collect::<Vec<_>>().join("|")
    };
    let of = |product: &seawall_model::vex::Product| {
        let parts: Vec<String> = product.parts.iter().map(shown).collect();
        if parts.is_empty() {
            shown(&product.names)
        } else {
            format!("{}: {}", shown(&product.names), parts.join(", "))
        }
    };
    statement.products.iter().map(of).collect()
}
