//! SPDX 3.0 as JSON-LD, in the compact form that the specification's context
//! and JSON schema ask for.

mod write;

pub(crate) use write::write;

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use seawall_model::{Hash, HashAlgorithm};
use serde::Deserialize;

use crate::{
    Document, Error, Kind,
    licenses::{is_known, plain},
    part::{Builder, Part, Role},
    wire::{self, Many, Text},
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireDocument<'a> {
    #[serde(rename = "@graph", borrow)]
    graph: Many<Element<'a>>,
}

/// An element of any class: each has a few of these.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Element<'a> {
    #[serde(rename = "type", alias = "@type", borrow)]
    kind: Text<'a>,
    #[serde(alias = "@id", borrow)]
    spdx_id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    spec_version: Text<'a>,
    #[serde(borrow)]
    created: Text<'a>,
    #[serde(borrow)]
    root_element: Many<Text<'a>>,
    #[serde(borrow)]
    verified_using: Many<WireHash<'a>>,
    #[serde(borrow)]
    external_identifier: Many<Identifier<'a>>,
    #[serde(borrow)]
    extension: Many<Extension<'a>>,
    #[serde(rename = "software_packageVersion", borrow)]
    package_version: Text<'a>,
    #[serde(rename = "software_packageUrl", borrow)]
    package_url: Text<'a>,
    #[serde(rename = "software_primaryPurpose", borrow)]
    purpose: Text<'a>,
    #[serde(borrow)]
    from: Text<'a>,
    #[serde(borrow)]
    to: Many<Text<'a>>,
    #[serde(borrow)]
    relationship_type: Text<'a>,
    #[serde(borrow)]
    scope: Text<'a>,
    #[serde(rename = "simplelicensing_licenseExpression", borrow)]
    expression: Text<'a>,
    #[serde(rename = "simplelicensing_customIdToUri", borrow)]
    custom_ids: Many<Entry<'a>>,
    #[serde(rename = "simplelicensing_licenseText", borrow)]
    license_text: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireHash<'a> {
    #[serde(borrow)]
    algorithm: Text<'a>,
    #[serde(borrow)]
    hash_value: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Identifier<'a> {
    #[serde(borrow)]
    external_identifier_type: Text<'a>,
    #[serde(borrow)]
    identifier: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Extension<'a> {
    #[serde(rename = "extension_cdxProperty", borrow)]
    properties: Many<Property<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Property<'a> {
    #[serde(rename = "extension_cdxPropName", borrow)]
    name: Text<'a>,
    #[serde(rename = "extension_cdxPropValue", borrow)]
    value: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    #[serde(borrow)]
    value: Text<'a>,
}

/// Reads a document.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, Error> {
    let wire: WireDocument<'_> = wire::from_json(bytes)?;
    let of = |kind: &'static str| wire.graph.iter().filter(move |one| &*one.kind == kind);
    let packages = || {
        wire.graph.iter().filter(|one| {
            matches!(
                &*one.kind,
                "software_Package" | "ai_AIPackage" | "dataset_DatasetPackage"
            )
        })
    };
    let creation = of("CreationInfo").next();
    let version = creation.map_or("", |one| &*one.spec_version);
    let own = of("SpdxDocument").next();
    if !version.starts_with("3.") {
        return Err(match own {
            Some(_) => Error::Version(version.to_owned()),
            None => Error::Other("JSON-LD of another kind"),
        });
    }
    let mut document = Document::new(Kind::Spdx3Json, version);
    document.serial = own.map(|one| one.spdx_id.to_string());
    let time = creation.map(|one| one.created.to_string());
    document.created = time.filter(|time| !time.is_empty());
    if let Some(own) = own {
        document.target.name = own.name.to_string();
    }
    let described: HashSet<&str> = of("SpdxDocument")
        .chain(of("software_Sbom"))
        .chain(of("Bom"))
        .flat_map(|one| one.root_element.iter())
        .map(|id| &**id)
        .collect();
    let licenses = licenses(&wire);
    let mut builder = Builder::new(document);
    let (roots, others): (Vec<_>, Vec<_>) = packages()
        .map(|one| part(one, &described, &licenses))
        .partition(|part| part.role == Role::Root);
    let image = packages()
        .filter(|one| described.contains(&*one.spdx_id))
        .any(|one| &*one.purpose == "container");
    builder.document().describe(image);
    for part in roots.iter().chain(&others) {
        builder.part(part)?;
    }
    for one in relationships(&wire) {
        for to in one.to.iter() {
            match &*one.relationship_type {
                "dependsOn"
                | "hasPrerequisite"
                | "contains"
                | "hasOptionalDependency"
                | "hasProvidedDependency"
                | "hasDynamicLink"
                | "hasStaticLink" => {
                    builder.edge(&one.from, to);
                    if matches!(&*one.scope, "development" | "test" | "build") {
                        builder.development(to);
                    }
                }
                _ => {}
            }
        }
    }
    Ok(builder.finish())
}

fn relationships<'w, 'a>(wire: &'w WireDocument<'a>) -> impl Iterator<Item = &'w Element<'a>> {
    wire.graph
        .iter()
        .filter(|one| matches!(&*one.kind, "Relationship" | "LifecycleScopedRelationship"))
}

/// The declared licence of each package that has one.
fn licenses<'w>(wire: &'w WireDocument<'_>) -> HashMap<&'w str, Cow<'w, str>> {
    let texts: HashMap<&str, &str> = wire
        .graph
        .iter()
        .filter(|one| &*one.kind == "simplelicensing_SimpleLicensingText")
        .map(|one| {
            let name = if is_known(&one.name) {
                &one.name
            } else {
                &one.license_text
            };
            (&*one.spdx_id, &**name)
        })
        .collect();
    let expressions: HashMap<&str, Cow<'_, str>> = wire
        .graph
        .iter()
        .filter(|one| is_known(&one.expression))
        .map(|one| {
            let own = one.custom_ids.iter().filter_map(|entry| {
                let text = texts.get(&*entry.value)?;
                Some((&*entry.key, *text))
            });
            let own: HashMap<&str, &str> = own.collect();
            (&*one.spdx_id, plain(&one.expression, &own))
        })
        .collect();
    let mut of_packages = HashMap::new();
    for kind in ["hasConcludedLicense", "hasDeclaredLicense"] {
        for one in relationships(wire).filter(|one| &*one.relationship_type == kind) {
            let license = one.to.first().and_then(|to| expressions.get(&**to));
            if let Some(license) = license {
                of_packages.insert(&*one.from, license.clone());
            }
        }
    }
    of_packages
}

fn part<'c>(
    element: &'c Element<'_>,
    described: &HashSet<&str>,
    licenses: &HashMap<&str, Cow<'c, str>>,
) -> Part<'c> {
    let identifiers = element.external_identifier.iter();
    let mut purls = identifiers.filter(|one| &*one.external_identifier_type == "packageUrl");
    let purl = match &*element.package_url {
        "" => purls.next().map_or("", |one| &*one.identifier),
        purl => purl,
    };
    let is_described = described.contains(&*element.spdx_id);
    let is_image = purl.starts_with("pkg:oci/") || purl.starts_with("pkg:docker/");
    let role = match &*element.purpose {
        "operatingSystem" => Role::System,
        _ if is_described && (is_image || purl.is_empty()) => Role::Root,
        "application" | "file" | "source" if purl.is_empty() => Role::Holder,
        _ => Role::Package,
    };
    let properties = element
        .extension
        .iter()
        .flat_map(|one| one.properties.iter());
    Part {
        reference: Cow::Borrowed(&element.spdx_id),
        role,
        name: Cow::Borrowed(&element.name),
        version: Cow::Borrowed(&element.package_version),
        purl: Cow::Borrowed(purl),
        licenses: licenses
            .get(&*element.spdx_id)
            .map(|license| license.clone().into_owned())
            .into_iter()
            .collect(),
        hashes: element.verified_using.iter().filter_map(hash).collect(),
        properties: properties
            .map(|one| (Cow::Borrowed(&*one.name), Cow::Borrowed(&*one.value)))
            .collect(),
        ..Part::default()
    }
}

/// SPDX 3.0.1, Core, HashAlgorithm: `sha256`.
fn hash(one: &WireHash<'_>) -> Option<Hash> {
    let algorithm = HashAlgorithm::ALL
        .into_iter()
        .find(|algorithm| one.algorithm.eq_ignore_ascii_case(algorithm.as_str()))?;
    Hash::new(algorithm, one.hash_value.trim())
}
