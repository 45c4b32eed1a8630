//! CycloneDX, versions 1.0 to 1.7, as JSON (ECMA-424) and XML.

mod bom;
mod flaws;
mod write_xml;
mod xml;

pub(crate) use write_xml::write as write_xml;
pub(crate) use xml::read as read_xml;

use std::borrow::Cow;

use seawall_model::{Hash, HashAlgorithm};
use serde::Deserialize;

use crate::{
    Document, Error, Kind,
    content::Prepared,
    licenses::is_known,
    part::{Builder, Part, Role},
    text,
    wire::{self, List, Text},
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireDocument<'a> {
    #[serde(borrow)]
    spec_version: Text<'a>,
    #[serde(borrow)]
    serial_number: Text<'a>,
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
    #[serde(borrow)]
    components: List<Component<'a>>,
    #[serde(borrow)]
    dependencies: List<Dependency<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata<'a> {
    #[serde(borrow)]
    timestamp: Text<'a>,
    #[serde(borrow)]
    component: Option<Component<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Component<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    bom_ref: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    scope: Text<'a>,
    #[serde(borrow)]
    purl: Text<'a>,
    #[serde(borrow)]
    hashes: List<WireHash<'a>>,
    #[serde(borrow)]
    licenses: List<License<'a>>,
    #[serde(borrow)]
    evidence: Option<Evidence<'a>>,
    #[serde(borrow)]
    properties: List<Property<'a>>,
    #[serde(borrow)]
    components: List<Component<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireHash<'a> {
    #[serde(borrow)]
    alg: Text<'a>,
    #[serde(borrow)]
    content: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct License<'a> {
    #[serde(borrow)]
    expression: Text<'a>,
    #[serde(borrow)]
    license: Option<NamedLicense<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedLicense<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Evidence<'a> {
    #[serde(borrow)]
    occurrences: List<Occurrence<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Occurrence<'a> {
    #[serde(borrow)]
    location: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Property<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    value: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Dependency<'a> {
    #[serde(rename = "ref", borrow)]
    reference: Text<'a>,
    #[serde(borrow)]
    depends_on: List<Text<'a>>,
}

/// Writes a document in JSON.
pub(crate) fn write_json(prepared: &Prepared<'_>) -> serde_json::Result<String> {
    text::json(&bom::Bom::new(prepared))
}

/// Reads a document in JSON.
pub(crate) fn read_json(bytes: &[u8]) -> Result<Document, Error> {
    document(&wire::from_json(bytes)?, Kind::CycloneDxJson)
}

fn document(wire: &WireDocument<'_>, kind: Kind) -> Result<Document, Error> {
    let mut document = Document::new(kind, &wire.spec_version);
    document.serial = Some(wire.serial_number.to_string()).filter(|serial| !serial.is_empty());
    let root = wire
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.component.as_ref());
    let time = wire.metadata.as_ref().map(|one| one.timestamp.to_string());
    document.created = time.filter(|time| !time.is_empty());
    document.describe(root.is_some_and(|root| &*root.kind == "container"));
    let mut builder = Builder::new(document);
    if let Some(root) = root {
        builder.part(&part(root, Role::Root))?;
        components(&mut builder, &root.components)?;
    }
    components(&mut builder, &wire.components)?;
    for one in wire.dependencies.iter() {
        for wanted in one.depends_on.iter() {
            builder.edge(&one.reference, wanted);
        }
    }
    Ok(builder.finish())
}

/// The parsers bound the depth.
fn components(builder: &mut Builder, list: &[Component<'_>]) -> Result<(), Error> {
    for one in list {
        builder.part(&part(one, role(one)))?;
        if &*one.scope == "excluded" {
            builder.development(&one.bom_ref);
        }
        components(builder, &one.components)?;
    }
    Ok(())
}

fn role(component: &Component<'_>) -> Role {
    match &*component.kind {
        "operating-system" => Role::System,
        // Files are evidence, not packages, unless they say which one.
        "file" if component.purl.is_empty() => Role::File,
        "application" if component.purl.is_empty() => {
            // Trivy's lock files.
            let is_holder = |one: &Property<'_>| &*one.name == "aquasecurity:trivy:Class";
            if component.properties.iter().any(is_holder) {
                Role::Holder
            } else {
                Role::Package
            }
        }
        _ => Role::Package,
    }
}

fn part<'c>(component: &'c Component<'_>, role: Role) -> Part<'c> {
    let evidence = component.evidence.as_ref();
    let occurrence = evidence.and_then(|evidence| evidence.occurrences.first());
    Part {
        reference: Cow::Borrowed(&component.bom_ref),
        role,
        name: Cow::Borrowed(&component.name),
        version: Cow::Borrowed(&component.version),
        purl: Cow::Borrowed(&component.purl),
        licenses: component.licenses.iter().filter_map(license).collect(),
        hashes: component.hashes.iter().filter_map(hash).collect(),
        path: Cow::Borrowed(occurrence.map_or("", |one| &*one.location)),
        properties: component
            .properties
            .iter()
            .map(|one| (Cow::Borrowed(&*one.name), Cow::Borrowed(&*one.value)))
            .collect(),
    }
}

fn license(one: &License<'_>) -> Option<String> {
    let named = one.license.as_ref();
    let id = named.map(|named| &*named.id);
    let name = named.map(|named| &*named.name);
    [Some(&*one.expression), id, name]
        .into_iter()
        .flatten()
        .find(|text| is_known(text))
        .map(str::to_owned)
}

/// CycloneDX 1.6, `hashes.alg`: `SHA-256`, `MD5`.
fn hash(one: &WireHash<'_>) -> Option<Hash> {
    let algorithm = HashAlgorithm::ALL.into_iter().find(|algorithm| {
        one.alg
            .replace('-', "")
            .eq_ignore_ascii_case(algorithm.as_str())
    })?;
    Hash::new(algorithm, one.content.trim())
}

#[cfg(test)]
mod tests {
    use crate::{Error, read};

    #[test]
    fn purls_are_echoed_byte_for_byte() {
        let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[
            {"type":"library","name":"x","purl":"pkg:deb/debian/x@1%3A2?distro=debian-12&upstream=y%402"},
            {"type":"library","name":"n","components":[
                {"type":"library","name":"B","purl":"pkg:golang/github.com/A/B@v1.0.0"}]},
            {"type":"library","name":"bad","purl":"pkg:"},
            {"type":"file","name":"f"}]}"#;
        let document = read(text.as_bytes()).unwrap();
        let purls: Vec<_> = document
            .packages
            .iter()
            .map(|one| one.purl.as_str())
            .collect();
        assert_eq!(
            purls[0],
            "pkg:deb/debian/x@1%3A2?distro=debian-12&upstream=y%402"
        );
        assert_eq!(document.packages[0].version, "1:2");
        assert_eq!(document.packages[0].source.as_ref().unwrap().name, "y");
        assert_eq!(document.packages[1].name, "github.com/A/B");
        let os = document.target.os.unwrap();
        assert_eq!((os.id.as_str(), os.version.as_str()), ("debian", "12"));
        assert_eq!(document.gaps.len(), 2);
    }

    #[test]
    fn what_is_none_is_named() {
        let deep = format!(
            "{}{}",
            r#"{"bomFormat":"CycloneDX","components":"#,
            "[".repeat(100_000)
        );
        assert!(matches!(read(deep.as_bytes()), Err(Error::Json(_))));
        assert!(matches!(
            read(b"<html/>"),
            Err(Error::Other("XML of another kind"))
        ));
        assert!(matches!(read(b"{}"), Err(Error::Other(_))));
        assert!(matches!(read(b""), Err(Error::Other("an empty document"))));
    }
}
