//! CycloneDX in XML, by way of the same shapes as in JSON.
//!
//! roxmltree refuses document type definitions, so that no entity is expanded,
//! and its tree is no deeper than the limit below.

use roxmltree::{Node, ParsingOptions};
use seawall_model::{Gap, GapKind};

use super::{
    Component, Dependency, Evidence, License, Metadata, NamedLicense, Occurrence, Property,
    WireDocument, WireHash, document,
};
use crate::{
    Document, Error, Kind,
    wire::{List, Text},
};

/// Elements and stretches of text of one document: some 400 bytes of memory
/// for each three bytes of a hostile one.
const MOST_NODES: u32 = 4_000_000;
/// Components within components.
const MOST_DEPTH: usize = 64;

/// Reads a document in XML.
pub(crate) fn read(document_text: &str) -> Result<Document, Error> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let tree = match roxmltree::Document::parse_with_options(document_text, options) {
        Ok(tree) => tree,
        Err(roxmltree::Error::NodesLimitReached) => return Err(Error::Large),
        Err(error) => return Err(Error::Xml(error)),
    };
    let root = tree.root_element();
    let space = root.tag_name().namespace().unwrap_or_default();
    let version = space
        .rsplit_once("cyclonedx.org/schema/bom/")
        .map(|(_, version)| version);
    let (Some(version), "bom") = (version, root.tag_name().name()) else {
        return Err(Error::Other("XML of another kind"));
    };
    let metadata = match child(root, "metadata") {
        Some(metadata) => Some(Metadata {
            timestamp: text(metadata, "timestamp"),
            component: child(metadata, "component")
                .map(|one| component(one, 0))
                .transpose()?,
        }),
        None => None,
    };
    let dependencies = children(root, "dependencies", "dependency").map(|one| Dependency {
        reference: attribute(one, "ref"),
        depends_on: List(
            one.children()
                .filter(|inner| inner.has_tag_name((space, "dependency")))
                .map(|inner| attribute(inner, "ref"))
                .collect(),
        ),
    });
    let wire = WireDocument {
        spec_version: version.into(),
        serial_number: attribute(root, "serialNumber"),
        metadata,
        components: components(root, 0)?,
        dependencies: List(dependencies.collect()),
    };
    let mut document = document(&wire, Kind::CycloneDxXml)?;
    let mut flaws = children(root, "vulnerabilities", "vulnerability");
    if flaws.any(|one| child(one, "analysis").is_some()) {
        document.gaps.push(Gap::new(
            GapKind::Unsupported,
            "vulnerabilities",
            "what it says of flaws counts for nothing: it is read in JSON alone",
        ));
    }
    Ok(document)
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children()
        .find(|one| one.is_element() && one.tag_name().name() == name)
}

/// The elements `inner` of the child `outer`.
fn children<'a, 'i: 'a>(
    node: Node<'a, 'i>,
    outer: &str,
    inner: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    child(node, outer)
        .into_iter()
        .flat_map(|list| list.children())
        .filter(move |one| one.is_element() && one.tag_name().name() == inner)
}

fn text<'a>(node: Node<'a, '_>, name: &str) -> Text<'a> {
    child(node, name).map(content).unwrap_or_default()
}

fn content<'a>(node: Node<'a, '_>) -> Text<'a> {
    node.text().unwrap_or_default().trim().into()
}

fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Text<'a> {
    node.attribute(name).unwrap_or_default().into()
}

fn components<'a>(node: Node<'a, '_>, depth: usize) -> Result<List<Component<'a>>, Error> {
    children(node, "components", "component")
        .map(|one| component(one, depth))
        .collect::<Result<_, _>>()
        .map(List)
}

fn component<'a>(node: Node<'a, '_>, depth: usize) -> Result<Component<'a>, Error> {
    if depth > MOST_DEPTH {
        return Err(Error::Deep(MOST_DEPTH));
    }
    let hashes = children(node, "hashes", "hash").map(|one| WireHash {
        alg: attribute(one, "alg"),
        content: content(one),
    });
    let licenses = child(node, "licenses")
        .into_iter()
        .flat_map(|list| list.children())
        .filter(Node::is_element)
        .map(|one| match one.tag_name().name() {
            "expression" => License {
                expression: content(one),
                license: None,
            },
            _ => License {
                expression: Text::default(),
                license: Some(NamedLicense {
                    id: text(one, "id"),
                    name: text(one, "name"),
                }),
            },
        });
    let evidence = child(node, "evidence").map(|evidence| {
        let occurrences = children(evidence, "occurrences", "occurrence");
        Evidence {
            occurrences: List(
                occurrences
                    .map(|one| Occurrence {
                        location: text(one, "location"),
                    })
                    .collect(),
            ),
        }
    });
    let properties = children(node, "properties", "property").map(|one| Property {
        name: attribute(one, "name"),
        // Spaces at its ends are its own.
        value: one.text().unwrap_or_default().into(),
    });
    Ok(Component {
        kind: attribute(node, "type"),
        bom_ref: attribute(node, "bom-ref"),
        name: text(node, "name"),
        version: text(node, "version"),
        scope: text(node, "scope"),
        purl: text(node, "purl"),
        hashes: List(hashes.collect()),
        licenses: List(licenses.collect()),
        evidence,
        properties: List(properties.collect()),
        components: components(node, depth + 1)?,
    })
}
