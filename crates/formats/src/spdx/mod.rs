//! SPDX 2.2 (ISO/IEC 5962) and 2.3, as JSON and tag-value.

mod tag_value;
mod write;

pub(crate) use tag_value::read as read_tag_value;
pub(crate) use write::{json as write_json, list_version, namespace, tag_value as write_tag_value};

use std::{borrow::Cow, collections::HashMap, collections::HashSet};

use seawall_model::{Hash, HashAlgorithm};
use serde::Deserialize;

use crate::{
    Document, Error, Kind,
    licenses::{is_known, plain},
    part::{Builder, Part, Role},
    wire::{self, List, Text},
};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireDocument<'a> {
    #[serde(borrow)]
    spdx_version: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    document_namespace: Text<'a>,
    #[serde(borrow)]
    document_describes: List<Text<'a>>,
    #[serde(borrow)]
    creation_info: Option<CreationInfo<'a>>,
    #[serde(borrow)]
    packages: List<WirePackage<'a>>,
    #[serde(borrow)]
    relationships: List<Relationship<'a>>,
    #[serde(borrow)]
    has_extracted_licensing_infos: List<OwnLicense<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CreationInfo<'a> {
    #[serde(borrow)]
    created: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WirePackage<'a> {
    #[serde(rename = "SPDXID", borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version_info: Text<'a>,
    #[serde(borrow)]
    license_declared: Text<'a>,
    #[serde(borrow)]
    license_concluded: Text<'a>,
    #[serde(borrow)]
    primary_package_purpose: Text<'a>,
    #[serde(borrow)]
    source_info: Text<'a>,
    #[serde(borrow)]
    checksums: List<Checksum<'a>>,
    #[serde(borrow)]
    external_refs: List<ExternalRef<'a>>,
    #[serde(borrow)]
    annotations: List<Annotation<'a>>,
    #[serde(borrow)]
    attribution_texts: List<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Checksum<'a> {
    #[serde(borrow)]
    algorithm: Text<'a>,
    #[serde(borrow)]
    checksum_value: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ExternalRef<'a> {
    #[serde(borrow)]
    reference_type: Text<'a>,
    #[serde(borrow)]
    reference_locator: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Annotation<'a> {
    #[serde(borrow)]
    comment: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Relationship<'a> {
    #[serde(borrow)]
    spdx_element_id: Text<'a>,
    #[serde(borrow)]
    relationship_type: Text<'a>,
    #[serde(borrow)]
    related_spdx_element: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OwnLicense<'a> {
    #[serde(borrow)]
    license_id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    extracted_text: Text<'a>,
}

/// Reads a document in JSON.
pub(crate) fn read_json(bytes: &[u8]) -> Result<Document, Error> {
    document(&wire::from_json(bytes)?, Kind::SpdxJson)
}

const DOCUMENT: &str = "SPDXRef-DOCUMENT";

fn document(wire: &WireDocument<'_>, kind: Kind) -> Result<Document, Error> {
    let version = &*wire.spdx_version;
    if !version.starts_with("SPDX-2.") {
        return Err(Error::Version(version.to_owned()));
    }
    let mut document = Document::new(kind, version);
    document.serial = Some(wire.document_namespace.to_string()).filter(|name| !name.is_empty());
    let time = wire
        .creation_info
        .as_ref()
        .map(|one| one.created.to_string());
    document.created = time.filter(|time| !time.is_empty());
    document.target.name = wire.name.to_string();
    let licenses = wire.has_extracted_licensing_infos.iter().map(|one| {
        let name = if is_known(&one.name) {
            &one.name
        } else {
            &one.extracted_text
        };
        (&*one.license_id, &**name)
    });
    let licenses: HashMap<&str, &str> = licenses.collect();
    let described: HashSet<&str> = wire
        .document_describes
        .iter()
        .map(|id| &**id)
        .chain(wire.relationships.iter().filter_map(|one| {
            let (from, to) = (&*one.spdx_element_id, &*one.related_spdx_element);
            match &*one.relationship_type {
                "DESCRIBES" if from == DOCUMENT => Some(to),
                "DESCRIBED_BY" if to == DOCUMENT => Some(from),
                _ => None,
            }
        }))
        .collect();
    let mut builder = Builder::new(document);
    // What it is about comes first: it lists the layers.
    let (roots, others): (Vec<_>, Vec<_>) = wire
        .packages
        .iter()
        .map(|one| part(one, described.contains(&*one.id), &licenses))
        .partition(|part| part.role == Role::Root);
    for (index, part) in roots.iter().enumerate() {
        let is_image = part.purl.starts_with("pkg:oci/") || part.purl.starts_with("pkg:docker/");
        if index == 0 {
            let purpose = wire.packages.iter().find(|one| *one.id == *part.reference);
            let purpose = purpose.map(|one| &*one.primary_package_purpose);
            builder
                .document()
                .describe(is_image || purpose == Some("CONTAINER"));
        }
        builder.part(part)?;
    }
    for part in &others {
        builder.part(part)?;
    }
    for one in wire.relationships.iter() {
        relate(&mut builder, one);
    }
    Ok(builder.finish())
}

/// SPDX 2.3, clause 11, table 68.
fn relate(builder: &mut Builder, one: &Relationship<'_>) {
    let (from, to) = (&*one.spdx_element_id, &*one.related_spdx_element);
    match &*one.relationship_type {
        "DEPENDS_ON" | "HAS_PREREQUISITE" | "CONTAINS" => builder.edge(from, to),
        "DEPENDENCY_OF"
        | "RUNTIME_DEPENDENCY_OF"
        | "PROVIDED_DEPENDENCY_OF"
        | "OPTIONAL_DEPENDENCY_OF"
        | "PREREQUISITE_FOR"
        | "CONTAINED_BY" => {
            builder.edge(to, from);
        }
        "DEV_DEPENDENCY_OF" | "TEST_DEPENDENCY_OF" | "BUILD_DEPENDENCY_OF" => {
            builder.edge(to, from);
            builder.development(from);
        }
        _ => {}
    }
}

fn part<'c>(
    package: &'c WirePackage<'_>,
    is_described: bool,
    licenses: &HashMap<&str, &'c str>,
) -> Part<'c> {
    let purl = package
        .external_refs
        .iter()
        .find(|one| &*one.reference_type == "purl");
    let purl = purl.map_or("", |one| &*one.reference_locator);
    let is_image = purl.starts_with("pkg:oci/") || purl.starts_with("pkg:docker/");
    let role = match &*package.primary_package_purpose {
        "OPERATING-SYSTEM" | "OPERATING_SYSTEM" => Role::System,
        "CONTAINER" if is_described => Role::Root,
        _ if is_described && (is_image || purl.is_empty()) => Role::Root,
        // What stands for the folder or the lock file that holds packages.
        "APPLICATION" | "FILE" | "SOURCE" if purl.is_empty() => Role::Holder,
        _ => Role::Package,
    };
    let license = [&*package.license_declared, &*package.license_concluded]
        .into_iter()
        .find(|text| is_known(text))
        .map(|text| plain(text, licenses).into_owned());
    // Where Syft found it: `acquired package info from APK DB: /lib/apk/db/installed`.
    let found = package
        .source_info
        .starts_with("acquired package info from")
        .then(|| package.source_info.split_once(": "))
        .flatten();
    let path = found.map_or("", |(_, paths)| {
        paths.split(", ").next().unwrap_or_default()
    });
    let notes = package.annotations.iter().map(|one| &*one.comment);
    let texts = package.attribution_texts.iter().map(|text| &**text);
    Part {
        reference: Cow::Borrowed(&package.id),
        role,
        name: Cow::Borrowed(&package.name),
        version: Cow::Borrowed(&package.version_info),
        purl: Cow::Borrowed(purl),
        licenses: license.into_iter().collect(),
        hashes: package.checksums.iter().filter_map(hash).collect(),
        path: Cow::Borrowed(path),
        properties: notes.chain(texts).filter_map(property).collect(),
    }
}

/// `seawall:path: lib/apk/db/installed`; Trivy's `LayerDiffID: sha256:…`.
fn property(comment: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let (name, value) = comment.split_once(": ")?;
    let is_word = !name.is_empty() && !name.contains(char::is_whitespace);
    let name = match name {
        _ if !is_word => return None,
        _ if name.contains(':') => Cow::Borrowed(name),
        _ => Cow::Owned(format!("aquasecurity:trivy:{name}")),
    };
    Some((name, Cow::Borrowed(value)))
}

/// SPDX 2.3, clause 7.10: `SHA256`.
fn hash(one: &Checksum<'_>) -> Option<Hash> {
    let algorithm = HashAlgorithm::ALL
        .into_iter()
        .find(|algorithm| one.algorithm.eq_ignore_ascii_case(algorithm.as_str()))?;
    Hash::new(algorithm, one.checksum_value.trim())
}
