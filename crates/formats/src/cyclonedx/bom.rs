//! A CycloneDX 1.6 document in the making, for JSON and XML alike.

use seawall_model::{HashAlgorithm, Package, Technique};
use serde::Serialize;

use super::flaws::{self, Vulnerability};
use crate::{
    content::Prepared,
    facts,
    licenses::{OwnLicenses, declared},
    part::Part,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bom {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    pub(super) serial_number: String,
    pub(super) version: u32,
    pub(super) metadata: Metadata,
    pub(super) components: Vec<Component>,
    pub(super) dependencies: Vec<Dependency>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) vulnerabilities: Vec<Vulnerability>,
}

#[derive(Serialize)]
pub(super) struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timestamp: Option<String>,
    pub(super) tools: Tools,
    pub(super) component: Component,
}

#[derive(Serialize)]
pub(super) struct Tools {
    pub(super) components: [Component; 1],
}

#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Component {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) bom_ref: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) group: String,
    pub(super) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) licenses: Vec<License>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) purl: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) properties: Vec<Property>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evidence: Option<Evidence>,
}

#[derive(Serialize)]
pub(super) struct Hash {
    pub(super) alg: &'static str,
    pub(super) content: String,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum License {
    License(NamedLicense),
    #[serde(untagged)]
    Expression {
        expression: String,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NamedLicense {
    Id(String),
    Name(String),
}

#[derive(Serialize)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Serialize)]
pub(super) struct Evidence {
    pub(super) identity: [Identity; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) occurrences: Vec<Occurrence>,
}

#[derive(Serialize)]
pub(super) struct Identity {
    pub(super) field: &'static str,
    pub(super) confidence: f64,
    pub(super) methods: [Method; 1],
}

#[derive(Serialize)]
pub(super) struct Method {
    pub(super) technique: &'static str,
    pub(super) confidence: f64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Occurrence {
    pub(super) location: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) additional_context: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dependency {
    #[serde(rename = "ref")]
    pub(super) reference: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) depends_on: Vec<String>,
}

const ROOT: &str = "seawall-target";
const SYSTEM: &str = "seawall-os";

impl Bom {
    pub(super) fn new(prepared: &Prepared<'_>) -> Self {
        let content = &prepared.content;
        let mut components = Vec::with_capacity(content.packages.len() + 1);
        components.extend(system(prepared));
        let refs: Vec<String> = prepared
            .packages()
            .map(|(package, id)| reference(package, id))
            .collect();
        let mut own = OwnLicenses::new();
        for ((package, _), reference) in prepared.packages().zip(&refs) {
            components.push(component(prepared, package, reference.clone(), &mut own));
        }
        // Names stand in the place of the references that other formats need.
        Bom {
            schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
            bom_format: "CycloneDX",
            spec_version: "1.6",
            serial_number: format!("urn:uuid:{}", prepared.uuid),
            version: 1,
            metadata: Metadata {
                timestamp: content.created.map(str::to_owned),
                tools: Tools {
                    components: [Component {
                        kind: "application",
                        name: "seawall".to_owned(),
                        version: content.version.to_owned(),
                        ..Component::default()
                    }],
                },
                component: root(prepared),
            },
            components,
            dependencies: dependencies(prepared, &refs),
            vulnerabilities: flaws::all(prepared, &refs),
        }
    }
}

/// Syft's form: the package URL, made one of its kind.
fn reference(package: &Package, id: &str) -> String {
    let separator = if package.purl.contains('?') { '&' } else { '?' };
    format!("{}{separator}package-id={id}", package.purl)
}

fn properties(all: Vec<(String, String)>) -> Vec<Property> {
    all.into_iter()
        .map(|(name, value)| Property { name, value })
        .collect()
}

fn root(prepared: &Prepared<'_>) -> Component {
    let content = &prepared.content;
    let target = content.target;
    let mut all = facts::of_root(target);
    if prepared.is_of_image() {
        // What Trivy, and what reads its documents, goes by.
        let ids = target.digest.iter().map(|id| ("ImageID", id));
        let layers = target.layers.iter().map(|one| ("DiffID", &one.diff_id));
        all.extend(
            ids.chain(layers)
                .map(|(name, value)| (format!("aquasecurity:trivy:{name}"), value.clone())),
        );
    }
    let is_image = prepared.is_of_image();
    Component {
        kind: if is_image { "container" } else { "application" },
        bom_ref: ROOT.to_owned(),
        name: target.name.clone(),
        purl: prepared.image_purl().unwrap_or_default(),
        properties: properties(all),
        ..Component::default()
    }
}

fn system(prepared: &Prepared<'_>) -> Option<Component> {
    let os = prepared.content.target.os.as_ref()?;
    Some(Component {
        kind: "operating-system",
        bom_ref: SYSTEM.to_owned(),
        name: os.id.clone(),
        version: os.version.clone(),
        description: os.name.clone(),
        properties: properties(facts::of_system(os)),
        ..Component::default()
    })
}

fn component(
    prepared: &Prepared<'_>,
    package: &Package,
    reference: String,
    own: &mut OwnLicenses,
) -> Component {
    // Dependency-Track and others tell packages apart by the group.
    let split = match package.kind.as_ref() {
        "maven" => package.name.split_once(':'),
        "npm" | "composer" => package.name.rsplit_once('/'),
        _ => None,
    };
    let (group, name) = split.unwrap_or(("", &package.name));
    let path = prepared.path(package);
    let mut known = known(prepared, package);
    let licenses = licenses(package, own);
    let told = match licenses.len() == package.licenses.len() {
        true => package.licenses.clone(),
        false => Vec::new(),
    };
    let part = Part {
        version: package.version.as_str().into(),
        purl: package.purl.as_str().into(),
        path: path.as_str().into(),
        properties: known
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
            .collect(),
        licenses: told,
        ..Part::default()
    };
    let rest = facts::of_package(package, &part, &prepared.content.target.layers);
    known.extend(rest);
    let hashes = package.hashes.iter().map(|one| Hash {
        alg: algorithm(one.algorithm),
        content: one.hex.clone(),
    });
    Component {
        kind: "library",
        bom_ref: reference,
        group: group.to_owned(),
        name: name.to_owned(),
        version: package.version.clone(),
        scope: package.relation.development.then_some("excluded"),
        hashes: hashes.collect(),
        licenses,
        purl: package.purl.clone(),
        properties: properties(known),
        evidence: Some(evidence(package, &path)),
        ..Component::default()
    }
}

/// What Syft and Trivy write of a package, and what reads their documents
/// relies on.
fn known(prepared: &Prepared<'_>, package: &Package) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            all.push((name.to_owned(), value.to_owned()));
        }
    };
    let source = package.source.as_ref();
    let (name, version) = source.map_or(("", ""), |source| {
        (source.name.as_str(), source.version.as_str())
    });
    match package.kind.as_ref() {
        "deb" => {
            add("syft:package:type", "deb");
            add("syft:package:metadataType", "dpkg-db-entry");
            add("syft:metadata:source", name);
            add("syft:metadata:sourceVersion", version);
        }
        "apk" => {
            add("syft:package:type", "apk");
            add("syft:package:metadataType", "apk-db-entry");
            add("syft:metadata:originPackage", name);
        }
        "rpm" => {
            add("syft:package:type", "rpm");
            add("syft:package:metadataType", "rpm-db-entry");
            if !name.is_empty() {
                let file = format!("{name}-{version}.src.rpm");
                add("syft:metadata:sourceRpm", &file);
            }
            let label = package.module.as_deref().unwrap_or_default();
            add("syft:metadata:modularityLabel", label);
            add("aquasecurity:trivy:Modularitylabel", label);
        }
        _ => {}
    }
    add("aquasecurity:trivy:SrcName", name);
    add("aquasecurity:trivy:SrcVersion", version);
    if let Some(layer) = prepared.layer(package) {
        add("syft:location:0:layerID", layer);
        add("aquasecurity:trivy:LayerDiffID", layer);
    }
    add("syft:location:0:path", &prepared.path(package));
    all
}

fn licenses(package: &Package, own: &mut OwnLicenses) -> Vec<License> {
    let Some(declared) = declared(&package.licenses, own) else {
        return Vec::new();
    };
    if declared.is_id {
        return vec![License::License(NamedLicense::Id(declared.expression))];
    }
    if declared.is_plain {
        return vec![License::Expression {
            expression: declared.expression,
        }];
    }
    // A name is a name: this format needs no reference for it.
    let known = package.licenses.iter().map(|text| text.trim());
    known
        .filter(|text| crate::licenses::is_known(text))
        .map(|text| License::License(NamedLicense::Name(text.to_owned())))
        .collect()
}

/// CycloneDX 1.6, `hash-alg`.
fn algorithm(algorithm: HashAlgorithm) -> &'static str {
    match algorithm {
        HashAlgorithm::Md5 => "MD5",
        HashAlgorithm::Sha1 => "SHA-1",
        HashAlgorithm::Sha256 => "SHA-256",
        HashAlgorithm::Sha384 => "SHA-384",
        HashAlgorithm::Sha512 => "SHA-512",
    }
}

/// CycloneDX 1.6, `componentEvidence`.
fn evidence(package: &Package, path: &str) -> Evidence {
    let confidence = f64::from(package.technique.confidence()) / 100.0;
    let inside = package.origin.inside.as_deref();
    let value = match inside {
        Some(inside) => format!("{path}!/{inside}"),
        None => path.to_owned(),
    };
    Evidence {
        identity: [Identity {
            field: "purl",
            confidence,
            methods: [Method {
                technique: match package.technique {
                    Technique::Manifest => "manifest-analysis",
                    Technique::Binary | Technique::Fingerprint => "binary-analysis",
                    Technique::FileName => "filename",
                    Technique::Sbom => "attestation",
                },
                confidence,
                value,
            }],
        }],
        occurrences: (!path.is_empty())
            .then(|| Occurrence {
                location: path.to_owned(),
                line: package.origin.range.map(|range| range.start.line),
                additional_context: inside.map(str::to_owned),
            })
            .into_iter()
            .collect(),
    }
}

fn dependencies(prepared: &Prepared<'_>, refs: &[String]) -> Vec<Dependency> {
    let content = &prepared.content;
    let mut direct = Vec::new();
    if content.target.os.is_some() {
        direct.push(SYSTEM.to_owned());
    }
    let all = content.packages.iter().zip(refs);
    direct.extend(
        all.filter(|(package, _)| prepared.is_direct(package))
            .map(|(_, reference)| reference.clone()),
    );
    let mut out = vec![Dependency {
        reference: ROOT.to_owned(),
        depends_on: direct,
    }];
    for (reference, to) in refs.iter().zip(&prepared.graph) {
        out.push(Dependency {
            reference: reference.clone(),
            depends_on: to.iter().filter_map(|at| refs.get(*at).cloned()).collect(),
        });
    }
    out
}
