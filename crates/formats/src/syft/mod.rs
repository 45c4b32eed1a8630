//! Syft's own JSON, schema 16 (its field names since schema 3 are the same).

mod names;
mod write;

pub(crate) use write::write;

use std::{borrow::Cow, fmt};

use seawall_model::TargetKind;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{
    Document, Error, Kind, facts,
    licenses::is_known,
    os,
    part::{Builder, Part, Role},
    wire::{self, List, Pairs, Perhaps, Text},
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireDocument<'a> {
    #[serde(borrow)]
    artifacts: List<Artifact<'a>>,
    #[serde(borrow)]
    artifact_relationships: List<Relationship<'a>>,
    #[serde(borrow)]
    source: Perhaps<WireSource<'a>>,
    #[serde(borrow)]
    distro: Perhaps<Distro<'a>>,
    #[serde(borrow)]
    descriptor: Perhaps<Descriptor<'a>>,
    #[serde(borrow)]
    schema: Perhaps<Schema<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Descriptor<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Schema<'a> {
    #[serde(borrow)]
    version: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Artifact<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    locations: List<Location<'a>>,
    #[serde(borrow)]
    licenses: List<License<'a>>,
    #[serde(borrow)]
    purl: Text<'a>,
    #[serde(borrow)]
    metadata: Perhaps<Metadata<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Location<'a> {
    #[serde(borrow)]
    path: Text<'a>,
    #[serde(rename = "layerID", borrow)]
    layer: Text<'a>,
    #[serde(borrow)]
    annotations: Pairs<'a>,
}

#[derive(Default)]
struct License<'a>(Text<'a>);

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireLicense<'a> {
    #[serde(borrow)]
    value: Text<'a>,
    #[serde(borrow)]
    spdx_expression: Text<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for License<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = License<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a licence")
            }

            // A text in schema 7 and before.
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(License(text.to_owned().into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let map = MapAccessDeserializer::new(map);
                let wire = WireLicense::deserialize(map)?;
                Ok(License(if wire.spdx_expression.is_empty() {
                    wire.value
                } else {
                    wire.spdx_expression
                }))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// What of a package manager's own record decides which advisories are asked.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata<'a> {
    /// dpkg.
    #[serde(borrow, deserialize_with = "wire::loose")]
    source: Text<'a>,
    #[serde(borrow, deserialize_with = "wire::loose")]
    source_version: Text<'a>,
    /// apk.
    #[serde(borrow, deserialize_with = "wire::loose")]
    origin_package: Text<'a>,
    /// rpm.
    #[serde(borrow, deserialize_with = "wire::loose")]
    source_rpm: Text<'a>,
    #[serde(borrow, deserialize_with = "wire::loose")]
    modularity_label: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Relationship<'a> {
    #[serde(borrow)]
    parent: Text<'a>,
    #[serde(borrow)]
    child: Text<'a>,
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireSource<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    metadata: Perhaps<SourceMetadata<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SourceMetadata<'a> {
    #[serde(borrow)]
    user_input: Text<'a>,
    #[serde(rename = "imageID", borrow)]
    image_id: Text<'a>,
    #[serde(borrow)]
    manifest_digest: Text<'a>,
    #[serde(borrow)]
    os: Text<'a>,
    #[serde(borrow)]
    architecture: Text<'a>,
    #[serde(borrow)]
    architecture_variant: Text<'a>,
    #[serde(borrow)]
    layers: List<Layer<'a>>,
    /// What we add.
    #[serde(borrow)]
    labels: Pairs<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Layer<'a> {
    #[serde(borrow)]
    digest: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Distro<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(rename = "versionID", borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    pretty_name: Text<'a>,
    #[serde(borrow)]
    version_codename: Text<'a>,
    #[serde(borrow)]
    id_like: List<Text<'a>>,
}

/// Reads a document.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, Error> {
    let wire: WireDocument<'_> = wire::from_json(bytes)?;
    let version = wire.schema.0.map(|schema| schema.version);
    let document = Document::new(Kind::SyftJson, &version.unwrap_or_default());
    let mut builder = Builder::new(document);
    if let Some(source) = &wire.source.0 {
        builder.document().target.describes = match &*source.kind {
            "image" => Some(TargetKind::Image),
            "directory" => Some(TargetKind::Directory),
            "file" => Some(TargetKind::File),
            _ => None,
        };
        let mut root = root(source);
        let tool = wire.descriptor.0.as_ref().map(|tool| &*tool.name);
        if tool == Some("seawall") {
            root.properties.push((facts::WRITTEN.into(), "1".into()));
        }
        builder.part(&root)?;
    }
    if let Some(distro) = wire.distro.0.filter(|distro| !distro.id.is_empty()) {
        let optional = |text: &Text<'_>| Some(text.to_string()).filter(|text| !text.is_empty());
        let mut os = os::plain(&distro.id, &distro.version);
        os.name = optional(&distro.pretty_name).unwrap_or(os.name);
        os.codename = optional(&distro.version_codename);
        os.like = distro.id_like.iter().map(|id| id.to_string()).collect();
        builder.document().target.os = Some(os);
    }
    for one in wire.artifacts.iter() {
        builder.part(&part(one))?;
    }
    for one in wire.artifact_relationships.iter() {
        // The parent is what is asked for.
        if &*one.kind == "dependency-of" {
            builder.edge(&one.child, &one.parent);
        }
    }
    Ok(builder.finish())
}

fn root<'a>(source: &'a WireSource<'_>) -> Part<'a> {
    let mut properties = Vec::new();
    let mut name = &source.name;
    if let Some(image) = &source.metadata.0 {
        if !image.user_input.is_empty() {
            name = &image.user_input;
        }
        let mut platform = format!("{}/{}", &*image.os, &*image.architecture);
        if !image.architecture_variant.is_empty() {
            platform = format!("{platform}/{}", &*image.architecture_variant);
        }
        if !image.os.is_empty() && !image.architecture.is_empty() {
            properties.push((facts::PLATFORM.into(), platform.into()));
        }
        properties.push((facts::DIGEST.into(), Cow::Borrowed(&*image.image_id)));
        let manifest = Cow::Borrowed(&*image.manifest_digest);
        properties.push((facts::MANIFEST.into(), manifest));
        // What we add says more of the layers than Syft has fields for.
        let own = image.labels.0.iter();
        let own = own.filter(|(name, _)| name.starts_with("seawall:"));
        properties
            .extend(own.map(|(name, value)| (Cow::Borrowed(&**name), Cow::Borrowed(&**value))));
        for (index, layer) in image.layers.iter().enumerate() {
            let name = format!("{}{index}", facts::LAYER);
            properties.push((name.into(), Cow::Borrowed(&*layer.digest)));
        }
    }
    Part {
        reference: Cow::Borrowed(&source.id),
        role: Role::Root,
        name: Cow::Borrowed(name),
        properties,
        ..Part::default()
    }
}

fn part<'a>(artifact: &'a Artifact<'_>) -> Part<'a> {
    let is_primary = |one: &&Location<'_>| {
        let mut notes = one.annotations.0.iter();
        notes.any(|(name, value)| &**name == "evidence" && &**value == "primary")
    };
    let location = artifact
        .locations
        .iter()
        .find(is_primary)
        .or(artifact.locations.first());
    let mut properties: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    let mut add = |name: &'static str, value: &'a Text<'_>| {
        if !value.is_empty() {
            properties.push((name.into(), Cow::Borrowed(&**value)));
        }
    };
    if let Some(own) = &artifact.metadata.0 {
        add("syft:metadata:source", &own.source);
        add("syft:metadata:sourceVersion", &own.source_version);
        add("syft:metadata:originPackage", &own.origin_package);
        add("syft:metadata:sourceRpm", &own.source_rpm);
        add("syft:metadata:modularityLabel", &own.modularity_label);
    }
    if let Some(location) = location {
        add("syft:location:0:layerID", &location.layer);
        let notes = location.annotations.0.iter();
        properties
            .extend(notes.map(|(name, value)| (Cow::Borrowed(&**name), Cow::Borrowed(&**value))));
    }
    Part {
        reference: Cow::Borrowed(&artifact.id),
        role: Role::Package,
        name: Cow::Borrowed(&artifact.name),
        version: Cow::Borrowed(&artifact.version),
        purl: Cow::Borrowed(&artifact.purl),
        licenses: artifact
            .licenses
            .iter()
            .filter(|one| is_known(&one.0))
            .map(|one| one.0.to_string())
            .collect(),
        path: Cow::Borrowed(location.map_or("", |one| &*one.path)),
        properties,
        ..Part::default()
    }
}
