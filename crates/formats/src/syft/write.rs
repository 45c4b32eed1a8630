//! What Syft writes, for what reads that: artifacts with the fields that Grype
//! goes by. What Syft has no field for stands among the annotations of a
//! location and the labels of the image.

use std::collections::BTreeMap;

use seawall_model::{Package, TargetKind};
use serde::Serialize;

use super::names::names;
use crate::{content::Prepared, facts, licenses::declared, part::Part, text};

/// The schema's version.
const SCHEMA: &str = "16.1.3";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    artifacts: Vec<Artifact>,
    artifact_relationships: Vec<Relationship>,
    source: Source,
    distro: Distro,
    descriptor: Descriptor,
    schema: Schema,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    id: String,
    name: String,
    version: String,
    #[serde(rename = "type")]
    kind: String,
    found_by: &'static str,
    locations: Vec<Location>,
    licenses: Vec<License>,
    language: &'static str,
    cpes: [(); 0],
    purl: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    path: String,
    #[serde(rename = "layerID", skip_serializing_if = "String::is_empty")]
    layer: String,
    access_path: String,
    annotations: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct License {
    value: String,
    spdx_expression: String,
    #[serde(rename = "type")]
    kind: &'static str,
    urls: [(); 0],
    locations: [(); 0],
}

#[derive(Serialize)]
#[serde(untagged)]
enum Metadata {
    #[serde(rename_all = "camelCase")]
    Apk {
        package: String,
        origin_package: String,
        maintainer: String,
        version: String,
        architecture: String,
        url: String,
        description: String,
        size: u64,
        installed_size: u64,
        pull_dependencies: [(); 0],
        provides: [(); 0],
        pull_checksum: String,
        git_commit_of_apk_port: String,
        files: [(); 0],
    },
    #[serde(rename_all = "camelCase")]
    Dpkg {
        package: String,
        source: String,
        version: String,
        source_version: String,
        architecture: String,
        maintainer: String,
        installed_size: u64,
        files: [(); 0],
    },
    #[serde(rename_all = "camelCase")]
    Rpm {
        name: String,
        version: String,
        epoch: Option<u64>,
        architecture: String,
        release: String,
        source_rpm: String,
        size: u64,
        vendor: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        modularity_label: Option<String>,
        files: [(); 0],
    },
    #[serde(rename_all = "camelCase")]
    Java {
        virtual_path: String,
        pom_properties: Pom,
        digest: Vec<Digest>,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pom {
    path: String,
    name: String,
    group_id: String,
    artifact_id: String,
    version: String,
}

#[derive(Serialize)]
struct Digest {
    algorithm: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Relationship {
    parent: String,
    child: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Source {
    id: String,
    name: String,
    version: String,
    #[serde(rename = "type")]
    kind: &'static str,
    metadata: SourceMetadata,
}

#[derive(Serialize)]
#[serde(untagged)]
enum SourceMetadata {
    Image(Box<ImageMetadata>),
    Path { path: String },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ImageMetadata {
    user_input: String,
    #[serde(rename = "imageID")]
    image_id: String,
    manifest_digest: String,
    media_type: String,
    tags: [(); 0],
    image_size: u64,
    layers: Vec<Layer>,
    manifest: String,
    config: String,
    repo_digests: [(); 0],
    architecture: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    architecture_variant: String,
    os: String,
    labels: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: &'static str,
    digest: String,
    size: u64,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Distro {
    #[serde(skip_serializing_if = "String::is_empty")]
    pretty_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    id_like: Vec<String>,
    #[serde(rename = "versionID", skip_serializing_if = "String::is_empty")]
    version_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_codename: Option<String>,
}

#[derive(Serialize)]
struct Descriptor {
    name: &'static str,
    version: String,
}

#[derive(Serialize)]
struct Schema {
    version: &'static str,
    url: String,
}

/// Writes a document.
pub(crate) fn write(prepared: &Prepared<'_>) -> serde_json::Result<String> {
    let content = &prepared.content;
    let os = content.target.os.as_ref();
    let distro = os.map(|os| Distro {
        pretty_name: os.name.clone(),
        name: os.name.clone(),
        id: os.id.clone(),
        id_like: os.like.clone(),
        version_id: os.version.clone(),
        version_codename: os.codename.clone(),
    });
    let mut relationships = Vec::new();
    for (child, to) in prepared.graph.iter().enumerate() {
        relationships.extend(to.iter().map(|parent| Relationship {
            parent: prepared.id(*parent).to_owned(),
            child: prepared.id(child).to_owned(),
            kind: "dependency-of",
        }));
    }
    text::json(&Document {
        artifacts: prepared
            .packages()
            .map(|(package, id)| artifact(prepared, package, id))
            .collect(),
        artifact_relationships: relationships,
        source: source(prepared),
        distro: distro.unwrap_or_default(),
        descriptor: Descriptor {
            name: "seawall",
            version: content.version.to_owned(),
        },
        schema: Schema {
            version: SCHEMA,
            url: format!(
                "https://raw.githubusercontent.com/anchore/syft/main/schema/json/schema-{SCHEMA}.json"
            ),
        },
    })
}

fn source(prepared: &Prepared<'_>) -> Source {
    let content = &prepared.content;
    let target = content.target;
    let facts = facts::of_root(target);
    let digest = target.digest.clone().unwrap_or_default();
    let mut platform = target.platform.as_deref().unwrap_or_default().split('/');
    let mut part = || platform.next().unwrap_or_default().to_owned();
    let kind = match target.what() {
        _ if prepared.is_of_image() => "image",
        TargetKind::File => "file",
        _ => "directory",
    };
    Source {
        id: prepared.uuid.clone(),
        name: target.name.clone(),
        version: target.manifest.clone().unwrap_or_default(),
        kind,
        metadata: if prepared.is_of_image() {
            SourceMetadata::Image(Box::new(ImageMetadata {
                user_input: target.name.clone(),
                image_id: digest,
                manifest_digest: target.manifest.clone().unwrap_or_default(),
                media_type: String::new(),
                tags: [],
                // Not known of a layer whose evidence was cached.
                image_size: 0,
                layers: target
                    .layers
                    .iter()
                    .map(|layer| Layer {
                        media_type: "application/vnd.oci.image.layer.v1.tar",
                        digest: layer.diff_id.clone(),
                        size: 0,
                    })
                    .collect(),
                manifest: String::new(),
                config: String::new(),
                repo_digests: [],
                os: part(),
                architecture: part(),
                architecture_variant: part(),
                labels: facts.into_iter().collect(),
            }))
        } else {
            SourceMetadata::Path {
                path: target.name.clone(),
            }
        },
    }
}

fn artifact(prepared: &Prepared<'_>, package: &Package, id: &str) -> Artifact {
    let path = prepared.path(package);
    let layer = prepared.layer(package).unwrap_or_default();
    let (metadata_type, metadata) = metadata(package, &path).unzip();
    let mut part = Part {
        version: package.version.as_str().into(),
        purl: package.purl.as_str().into(),
        path: path.as_str().into(),
        licenses: package.licenses.clone(),
        ..Part::default()
    };
    // What the reader takes of the metadata decides what is left to say.
    let known = known(package);
    part.properties = known
        .iter()
        .map(|(name, value)| ((*name).into(), value.as_str().into()))
        .collect();
    part.properties
        .push(("syft:location:0:layerID".into(), layer.into()));
    let rest = facts::of_package(package, &part, &prepared.content.target.layers);
    let mut annotations: BTreeMap<String, String> = rest.into_iter().collect();
    annotations.insert("evidence".to_owned(), "primary".to_owned());
    for hash in &package.hashes {
        let name = format!("{}{}", facts::HASH, hash.algorithm.as_str());
        annotations.insert(name, hash.hex.clone());
    }
    let location = Location {
        access_path: path.clone(),
        path,
        layer: layer.to_owned(),
        annotations,
    };
    let (kind, language) = names(&package.kind);
    Artifact {
        id: id.to_owned(),
        name: match package.kind.as_ref() {
            // Syft keeps the group apart.
            "maven" => package
                .name
                .rsplit(':')
                .next()
                .unwrap_or_default()
                .to_owned(),
            _ => package.name.clone(),
        },
        version: package.version.clone(),
        kind: kind.to_owned(),
        found_by: "seawall",
        locations: vec![location],
        licenses: package.licenses.iter().filter_map(license).collect(),
        language,
        cpes: [],
        purl: package.purl.clone(),
        metadata_type,
        metadata,
    }
}

fn license(text: &String) -> Option<License> {
    let mut own = BTreeMap::new();
    let declared = declared(std::slice::from_ref(text), &mut own)?;
    Some(License {
        value: text.clone(),
        spdx_expression: if declared.is_plain {
            declared.expression
        } else {
            String::new()
        },
        kind: "declared",
        urls: [],
        locations: [],
    })
}

/// The properties that our reader makes of [`metadata`].
fn known(package: &Package) -> Vec<(&'static str, String)> {
    let Some(source) = &package.source else {
        return Vec::new();
    };
    match package.kind.as_ref() {
        "deb" => vec![
            ("syft:metadata:source", source.name.clone()),
            ("syft:metadata:sourceVersion", source.version.clone()),
        ],
        "apk" => vec![("syft:metadata:originPackage", source.name.clone())],
        "rpm" => vec![("syft:metadata:sourceRpm", source_rpm(package))],
        _ => Vec::new(),
    }
}

fn source_rpm(package: &Package) -> String {
    package.source.as_ref().map_or_else(String::new, |source| {
        format!("{}-{}.src.rpm", source.name, source.version)
    })
}

fn metadata(package: &Package, path: &str) -> Option<(&'static str, Metadata)> {
    let source = package.source.clone();
    let (source_name, source_version) = source
        .map(|source| (source.name, source.version))
        .unwrap_or_default();
    let architecture = package.arch.clone().unwrap_or_default();
    let none = String::new;
    Some(match package.kind.as_ref() {
        "apk" => (
            "apk-db-entry",
            Metadata::Apk {
                package: package.name.clone(),
                origin_package: source_name,
                maintainer: none(),
                version: package.version.clone(),
                architecture,
                url: none(),
                description: none(),
                size: 0,
                installed_size: 0,
                pull_dependencies: [],
                provides: [],
                pull_checksum: none(),
                git_commit_of_apk_port: none(),
                files: [],
            },
        ),
        "deb" => (
            "dpkg-db-entry",
            Metadata::Dpkg {
                package: package.name.clone(),
                source: source_name,
                version: package.version.clone(),
                source_version,
                architecture,
                maintainer: none(),
                installed_size: 0,
                files: [],
            },
        ),
        "rpm" => {
            let (epoch, rest) = package
                .version
                .split_once(':')
                .unwrap_or(("", &package.version));
            let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
            (
                "rpm-db-entry",
                Metadata::Rpm {
                    name: package.name.clone(),
                    version: version.to_owned(),
                    epoch: epoch.parse().ok(),
                    architecture,
                    release: release.to_owned(),
                    source_rpm: source_rpm(package),
                    size: 0,
                    vendor: none(),
                    modularity_label: package.module.clone(),
                    files: [],
                },
            )
        }
        "maven" => {
            let (group, artifact) = package.name.split_once(':').unwrap_or(("", &package.name));
            let inside = package.origin.inside.as_deref();
            (
                "java-archive",
                Metadata::Java {
                    virtual_path: match inside {
                        Some(inside) => format!("{path}:{}", inside.replace("!/", ":")),
                        None => path.to_owned(),
                    },
                    pom_properties: Pom {
                        path: none(),
                        name: none(),
                        group_id: group.to_owned(),
                        artifact_id: artifact.to_owned(),
                        version: package.version.clone(),
                    },
                    digest: package
                        .hashes
                        .iter()
                        .map(|one| Digest {
                            algorithm: one.algorithm.as_str(),
                            value: one.hex.clone(),
                        })
                        .collect(),
                },
            )
        }
        _ => return None,
    })
}
