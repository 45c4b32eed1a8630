//! An SPDX 3.0.1 document as JSON-LD, of the profiles core, software,
//! simpleLicensing and extension: what has no property of its own is a
//! CycloneDX property of the extension profile.

use std::collections::BTreeMap;

use seawall_model::{Package, TargetKind};
use serde::Serialize;

use crate::{
    content::Prepared,
    facts,
    licenses::{OwnLicenses, declared},
    part::Part,
    spdx, text,
};

#[derive(Serialize)]
struct Document {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@graph")]
    graph: Vec<Element>,
}

/// Any element: each class has a few of these.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Element {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "@id", skip_serializing_if = "Option::is_none")]
    blank: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    spdx_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_info: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    created_by: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    created_using: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    profile_conformance: Vec<&'static str>,
    #[serde(rename = "software_sbomType", skip_serializing_if = "Vec::is_empty")]
    sbom_type: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    root_element: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    element: Vec<String>,
    #[serde(
        rename = "software_packageVersion",
        skip_serializing_if = "String::is_empty"
    )]
    package_version: String,
    #[serde(
        rename = "software_packageUrl",
        skip_serializing_if = "String::is_empty"
    )]
    package_url: String,
    #[serde(
        rename = "software_primaryPurpose",
        skip_serializing_if = "Option::is_none"
    )]
    purpose: Option<&'static str>,
    #[serde(
        rename = "software_sourceInfo",
        skip_serializing_if = "String::is_empty"
    )]
    source_info: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    verified_using: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extension: Vec<Extension>,
    #[serde(skip_serializing_if = "String::is_empty")]
    from: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    to: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relationship_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(
        rename = "simplelicensing_licenseExpression",
        skip_serializing_if = "String::is_empty"
    )]
    expression: String,
    #[serde(
        rename = "simplelicensing_licenseListVersion",
        skip_serializing_if = "String::is_empty"
    )]
    list_version: String,
    #[serde(
        rename = "simplelicensing_customIdToUri",
        skip_serializing_if = "Vec::is_empty"
    )]
    custom_ids: Vec<Entry>,
    #[serde(
        rename = "simplelicensing_licenseText",
        skip_serializing_if = "String::is_empty"
    )]
    license_text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Hash {
    #[serde(rename = "type")]
    kind: &'static str,
    algorithm: &'static str,
    hash_value: String,
}

#[derive(Serialize)]
struct Extension {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "extension_cdxProperty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Property {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "extension_cdxPropName")]
    name: String,
    #[serde(rename = "extension_cdxPropValue")]
    value: String,
}

#[derive(Serialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: &'static str,
    key: String,
    value: String,
}

const CREATION: &str = "_:creation-info";

/// Writes a document.
pub(crate) fn write(prepared: &Prepared<'_>) -> serde_json::Result<String> {
    let mut writer = Writer {
        prepared,
        namespace: spdx::namespace(prepared),
        elements: Vec::new(),
    };
    let root = writer.root();
    let system = writer.system();
    let ids: Vec<String> = prepared
        .packages()
        .map(|(_, id)| writer.id(&format!("Package-{id}")))
        .collect();
    writer.packages(&ids);
    writer.relationships(&root, system, &ids);
    let document = writer.document(root);
    text::json(&document)
}

struct Writer<'p, 'a> {
    prepared: &'p Prepared<'a>,
    namespace: String,
    elements: Vec<Element>,
}

impl Writer<'_, '_> {
    fn id(&self, name: &str) -> String {
        format!("{}#SPDXRef-{name}", self.namespace)
    }

    fn element(&self, kind: &'static str, id: String) -> Element {
        Element {
            kind,
            spdx_id: id,
            creation_info: Some(CREATION),
            ..Element::default()
        }
    }

    fn root(&mut self) -> String {
        let content = &self.prepared.content;
        let target = content.target;
        let id = self.id("DocumentRoot");
        let digest = target.digest.as_deref().unwrap_or_default();
        let hex = digest.strip_prefix("sha256:").filter(|hex| hex.len() == 64);
        let root = Element {
            name: target.name.clone(),
            package_url: self.prepared.image_purl().unwrap_or_default(),
            purpose: Some(match target.what() {
                _ if self.prepared.is_of_image() => "container",
                TargetKind::File => "file",
                _ => "application",
            }),
            verified_using: hex.map(|hex| hash("sha256", hex)).into_iter().collect(),
            extension: extension(facts::of_root(target)),
            ..self.element("software_Package", id.clone())
        };
        self.elements.push(root);
        id
    }

    fn system(&mut self) -> Option<String> {
        let os = self.prepared.content.target.os.as_ref()?;
        let id = self.id("OperatingSystem");
        let system = Element {
            name: os.id.clone(),
            package_version: os.version.clone(),
            purpose: Some("operatingSystem"),
            extension: extension(facts::of_system(os)),
            ..self.element("software_Package", id.clone())
        };
        self.elements.push(system);
        Some(id)
    }

    fn packages(&mut self, ids: &[String]) {
        let mut own = OwnLicenses::new();
        // Packages of one licence share the element that says it.
        let mut licenses: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (package, id) in self.prepared.content.packages.iter().zip(ids) {
            let element = self.package(package, id);
            self.elements.push(element);
            if let Some(one) = declared(&package.licenses, &mut own) {
                licenses.entry(one.expression).or_default().push(id.clone());
            }
        }
        let mut texts = BTreeMap::new();
        for (index, (reference, name)) in own.into_iter().enumerate() {
            let id = self.id(&format!("LicenseText-{index}"));
            let text = Element {
                name: name.clone(),
                license_text: name,
                ..self.element("simplelicensing_SimpleLicensingText", id.clone())
            };
            self.elements.push(text);
            texts.insert(reference, id);
        }
        for (index, (expression, packages)) in licenses.into_iter().enumerate() {
            let id = self.id(&format!("License-{index}"));
            let is_word = |letter: char| letter.is_ascii_alphanumeric() || "-.".contains(letter);
            let custom = expression
                .split(|letter: char| !is_word(letter))
                .filter_map(|word| {
                    Some(Entry {
                        kind: "DictionaryEntry",
                        key: word.to_owned(),
                        value: texts.get(word)?.clone(),
                    })
                });
            let license = Element {
                custom_ids: custom.collect(),
                list_version: spdx::list_version(),
                expression,
                ..self.element("simplelicensing_LicenseExpression", id.clone())
            };
            self.elements.push(license);
            for package in packages {
                let name = format!("{}-license", fragment(&package));
                self.relate(
                    &name,
                    &package,
                    "hasDeclaredLicense",
                    vec![id.clone()],
                    None,
                );
            }
        }
    }

    fn package(&self, package: &Package, id: &str) -> Element {
        let part = Part {
            version: package.version.as_str().into(),
            purl: package.purl.as_str().into(),
            ..Part::default()
        };
        let rest = facts::of_package(package, &part, &self.prepared.content.target.layers);
        let path = self.prepared.path(package);
        Element {
            name: package.name.clone(),
            package_version: package.version.clone(),
            package_url: package.purl.clone(),
            purpose: Some("library"),
            source_info: match path.as_str() {
                "" => String::new(),
                path => format!("acquired package info from {path}"),
            },
            verified_using: package
                .hashes
                .iter()
                .map(|one| hash(one.algorithm.as_str(), &one.hex))
                .collect(),
            extension: extension(rest),
            ..self.element("software_Package", id.to_owned())
        }
    }

    fn relate(
        &mut self,
        name: &str,
        from: &str,
        kind: &'static str,
        to: Vec<String>,
        scope: Option<&'static str>,
    ) {
        if to.is_empty() {
            return;
        }
        let class = match scope {
            Some(_) => "LifecycleScopedRelationship",
            None => "Relationship",
        };
        let one = Element {
            from: from.to_owned(),
            to,
            relationship_type: Some(kind),
            scope,
            ..self.element(class, self.id(&format!("Relationship-{name}")))
        };
        self.elements.push(one);
    }

    fn relationships(&mut self, root: &str, system: Option<String>, ids: &[String]) {
        let prepared = self.prepared;
        let all = || prepared.content.packages.iter().zip(ids);
        let direct = all().filter(|(package, _)| prepared.is_direct(package));
        let direct = direct.map(|(_, id)| id.clone());
        let contained = system.into_iter().chain(direct).collect();
        self.relate("contains", root, "contains", contained, None);
        let development = all().filter(|(package, _)| package.relation.development);
        let development = development.map(|(_, id)| id.clone()).collect();
        self.relate(
            "development",
            root,
            "dependsOn",
            development,
            Some("development"),
        );
        for (id, to) in ids.iter().zip(&prepared.graph) {
            let to = to.iter().filter_map(|at| ids.get(*at).cloned()).collect();
            let name = format!("{}-dependencies", fragment(id));
            self.relate(&name, id, "dependsOn", to, None);
        }
    }

    fn document(mut self, root: String) -> Document {
        let content = &self.prepared.content;
        let (agent, tool) = (self.id("Agent"), self.id("Tool"));
        let all: Vec<String> = self
            .elements
            .iter()
            .map(|one| one.spdx_id.clone())
            .collect();
        let bom = self.id("Sbom");
        let mut graph = vec![
            Element {
                kind: "CreationInfo",
                blank: Some(CREATION),
                spec_version: Some("3.0.1"),
                created: Some(self.prepared.created.to_owned()),
                created_by: vec![agent.clone()],
                created_using: vec![tool.clone()],
                ..Element::default()
            },
            Element {
                name: "Seawall".to_owned(),
                ..self.element("SoftwareAgent", agent.clone())
            },
            Element {
                name: format!("seawall-{}", content.version),
                ..self.element("Tool", tool.clone())
            },
            Element {
                name: content.target.name.clone(),
                profile_conformance: vec!["core", "software", "simpleLicensing", "extension"],
                root_element: vec![bom.clone()],
                ..self.element("SpdxDocument", self.id("DOCUMENT"))
            },
            Element {
                sbom_type: vec!["analyzed"],
                root_element: vec![root],
                element: all,
                ..self.element("software_Sbom", bom)
            },
        ];
        graph.append(&mut self.elements);
        Document {
            context: "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
            graph,
        }
    }
}

/// What stands behind the namespace.
fn fragment(id: &str) -> &str {
    id.rsplit_once("#SPDXRef-").map_or(id, |(_, rest)| rest)
}

fn hash(algorithm: &'static str, hex: &str) -> Hash {
    Hash {
        kind: "Hash",
        algorithm,
        hash_value: hex.to_owned(),
    }
}

fn extension(all: Vec<(String, String)>) -> Vec<Extension> {
    if all.is_empty() {
        return Vec::new();
    }
    let properties = all.into_iter().map(|(name, value)| Property {
        kind: "extension_CdxPropertyEntry",
        name,
        value,
    });
    vec![Extension {
        kind: "extension_CdxPropertiesExtension",
        properties: properties.collect(),
    }]
}
