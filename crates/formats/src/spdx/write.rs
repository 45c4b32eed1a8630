//! An SPDX 2.3 document in the making, for JSON and tag-value alike.

use std::fmt::Write as _;

use seawall_model::{HashAlgorithm, Package, TargetKind};
use serde::Serialize;

use super::DOCUMENT;
use crate::{
    content::Prepared,
    facts,
    licenses::{OwnLicenses, declared},
    part::Part,
    text,
};

const NONE: &str = "NOASSERTION";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: String,
    document_namespace: String,
    creation_info: CreationInfo,
    packages: Vec<WirePackage>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    has_extracted_licensing_infos: Vec<OwnLicense>,
    relationships: Vec<Relationship>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreationInfo {
    license_list_version: String,
    creators: [String; 2],
    created: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WirePackage {
    name: String,
    #[serde(rename = "SPDXID")]
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version_info: String,
    supplier: &'static str,
    download_location: &'static str,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checksums: Vec<Checksum>,
    #[serde(skip_serializing_if = "String::is_empty")]
    source_info: String,
    license_concluded: &'static str,
    license_declared: String,
    copyright_text: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<ExternalRef>,
    primary_package_purpose: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: &'static str,
    checksum_value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Annotation {
    annotator: String,
    annotation_date: String,
    annotation_type: &'static str,
    comment: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OwnLicense {
    license_id: String,
    extracted_text: String,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: &'static str,
    related_spdx_element: String,
}

/// Writes a document in JSON.
pub(crate) fn json(prepared: &Prepared<'_>) -> serde_json::Result<String> {
    text::json(&Document::new(prepared))
}

impl Document {
    fn new(prepared: &Prepared<'_>) -> Self {
        let content = &prepared.content;
        let mut own = OwnLicenses::new();
        let root = root(prepared);
        let system = system(prepared);
        let mut relationships = vec![relation(DOCUMENT, "DESCRIBES", &root.id)];
        if let Some(system) = &system {
            relationships.push(relation(&root.id, "CONTAINS", &system.id));
        }
        let ids: Vec<String> = prepared
            .packages()
            .map(|(one, id)| name_of(one, id))
            .collect();
        let mut packages = Vec::with_capacity(ids.len() + 2);
        for (package, id) in content.packages.iter().zip(&ids) {
            packages.push(wire(prepared, package, id, &mut own));
            if prepared.is_direct(package) {
                relationships.push(relation(&root.id, "CONTAINS", id));
            }
            if package.relation.development {
                relationships.push(relation(id, "DEV_DEPENDENCY_OF", &root.id));
            }
        }
        for (id, to) in ids.iter().zip(&prepared.graph) {
            let to = to.iter().filter_map(|at| ids.get(*at));
            relationships.extend(to.map(|to| relation(id, "DEPENDS_ON", to)));
        }
        packages.splice(0..0, std::iter::once(root).chain(system));
        Document {
            spdx_version: "SPDX-2.3",
            data_license: "CC0-1.0",
            id: DOCUMENT,
            name: content.target.name.clone(),
            document_namespace: namespace(prepared),
            creation_info: CreationInfo {
                license_list_version: short_list_version(),
                creators: [
                    "Organization: Seawall".to_owned(),
                    format!("Tool: seawall-{}", content.version),
                ],
                created: prepared.created.to_owned(),
            },
            packages,
            has_extracted_licensing_infos: own
                .into_iter()
                .map(|(license_id, name)| OwnLicense {
                    extracted_text: name.clone(),
                    license_id,
                    name,
                })
                .collect(),
            relationships,
        }
    }
}

/// `3.27.0`, of the list of licences.
pub(crate) fn list_version() -> String {
    let version = spdx::license_version().trim_start_matches('v');
    format!(
        "{version}{}",
        if version.matches('.').count() == 1 {
            ".0"
        } else {
            ""
        }
    )
}

/// `3.27`: SPDX 2 has no third number.
fn short_list_version() -> String {
    let version = list_version();
    version
        .rsplit_once('.')
        .map_or(version.clone(), |(short, _)| short.to_owned())
}

/// Unique to the content; the kind in it is what Syft reads.
pub(crate) fn namespace(prepared: &Prepared<'_>) -> String {
    let kind = match prepared.content.target.what() {
        _ if prepared.is_of_image() => "image",
        TargetKind::File => "file",
        _ => "dir",
    };
    format!(
        "https://spdx.org/spdxdocs/seawall/{kind}/{}-{}",
        letters(&prepared.content.target.name),
        prepared.uuid
    )
}

/// SPDX 2.3, clause 3.2: letters, digits, dots and dashes.
fn letters(text: &str) -> String {
    let kept = |letter: char| letter.is_ascii_alphanumeric() || letter == '.';
    text.chars()
        .take(80)
        .map(|letter| if kept(letter) { letter } else { '-' })
        .collect()
}

fn name_of(package: &Package, id: &str) -> String {
    let (kind, name) = (letters(&package.kind), letters(&package.name));
    format!("SPDXRef-Package-{kind}-{name}-{id}")
}

fn relation(from: &str, kind: &'static str, to: &str) -> Relationship {
    Relationship {
        spdx_element_id: from.to_owned(),
        relationship_type: kind,
        related_spdx_element: to.to_owned(),
    }
}

fn annotations(prepared: &Prepared<'_>, all: Vec<(String, String)>) -> Vec<Annotation> {
    all.into_iter()
        .map(|(name, value)| Annotation {
            annotator: format!("Tool: seawall-{}", prepared.content.version),
            annotation_date: prepared.created.to_owned(),
            annotation_type: "OTHER",
            comment: format!("{name}: {value}"),
        })
        .collect()
}

fn purl(locator: String) -> ExternalRef {
    ExternalRef {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: locator,
    }
}

fn plain(name: &str, id: String, purpose: &'static str) -> WirePackage {
    WirePackage {
        name: name.to_owned(),
        id,
        version_info: String::new(),
        supplier: NONE,
        download_location: NONE,
        files_analyzed: false,
        checksums: Vec::new(),
        source_info: String::new(),
        license_concluded: NONE,
        license_declared: NONE.to_owned(),
        copyright_text: NONE,
        external_refs: Vec::new(),
        primary_package_purpose: purpose,
        annotations: Vec::new(),
    }
}

fn root(prepared: &Prepared<'_>) -> WirePackage {
    let target = prepared.content.target;
    let (kind, purpose) = match target.what() {
        _ if prepared.is_of_image() => ("Image", "CONTAINER"),
        TargetKind::File => ("File", "FILE"),
        // What Syft reads as a folder.
        TargetKind::Directory | TargetKind::RootFs => ("Directory", "FILE"),
        _ => ("Unknown", "APPLICATION"),
    };
    let id = format!("SPDXRef-DocumentRoot-{kind}-{}", letters(&target.name));
    let digest = target.digest.as_deref().unwrap_or_default();
    let hex = digest.strip_prefix("sha256:").filter(|hex| hex.len() == 64);
    WirePackage {
        checksums: hex
            .map(|hex| Checksum {
                algorithm: "SHA256",
                checksum_value: hex.to_owned(),
            })
            .into_iter()
            .collect(),
        external_refs: prepared.image_purl().map(purl).into_iter().collect(),
        annotations: annotations(prepared, facts::of_root(target)),
        ..plain(&target.name, id, purpose)
    }
}

fn system(prepared: &Prepared<'_>) -> Option<WirePackage> {
    let os = prepared.content.target.os.as_ref()?;
    let id = format!("SPDXRef-OperatingSystem-{}", letters(&os.id));
    Some(WirePackage {
        version_info: os.version.clone(),
        annotations: annotations(prepared, facts::of_system(os)),
        // So the JSON schema; in tag-value it has a dash (clause 7.24).
        ..plain(&os.id, id, "OPERATING_SYSTEM")
    })
}

fn wire(
    prepared: &Prepared<'_>,
    package: &Package,
    id: &str,
    own: &mut OwnLicenses,
) -> WirePackage {
    let path = prepared.path(package);
    let part = Part {
        version: package.version.as_str().into(),
        purl: package.purl.as_str().into(),
        path: path.as_str().into(),
        ..Part::default()
    };
    let rest = facts::of_package(package, &part, &prepared.content.target.layers);
    let license = declared(&package.licenses, own).map(|one| one.expression);
    WirePackage {
        version_info: package.version.clone(),
        checksums: package
            .hashes
            .iter()
            .map(|one| Checksum {
                algorithm: algorithm(one.algorithm),
                checksum_value: one.hex.clone(),
            })
            .collect(),
        source_info: match path.as_str() {
            "" => String::new(),
            path => format!(
                "acquired package info from {}: {path}",
                source(&package.kind)
            ),
        },
        license_declared: license.unwrap_or_else(|| NONE.to_owned()),
        external_refs: vec![purl(package.purl.clone())],
        annotations: annotations(prepared, rest),
        ..plain(&package.name, id.to_owned(), "LIBRARY")
    }
}

fn source(kind: &str) -> &'static str {
    match kind {
        "apk" => "APK DB",
        "deb" => "DPKG DB",
        "rpm" => "RPM DB",
        "alpm" => "ALPM DB",
        _ => "the following paths",
    }
}

/// SPDX 2.3, clause 7.10.
fn algorithm(algorithm: HashAlgorithm) -> &'static str {
    match algorithm {
        HashAlgorithm::Md5 => "MD5",
        HashAlgorithm::Sha1 => "SHA1",
        HashAlgorithm::Sha256 => "SHA256",
        HashAlgorithm::Sha384 => "SHA384",
        HashAlgorithm::Sha512 => "SHA512",
    }
}

/// Writes a document in tag-value.
pub(crate) fn tag_value(prepared: &Prepared<'_>) -> String {
    let document = Document::new(prepared);
    let mut out = Tags(String::new());
    out.tag("SPDXVersion", document.spdx_version);
    out.tag("DataLicense", document.data_license);
    out.tag("SPDXID", document.id);
    out.tag("DocumentName", &document.name);
    out.tag("DocumentNamespace", &document.document_namespace);
    out.tag(
        "LicenseListVersion",
        &document.creation_info.license_list_version,
    );
    for creator in &document.creation_info.creators {
        out.tag("Creator", creator);
    }
    out.tag("Created", &document.creation_info.created);
    for one in &document.packages {
        out.package(one);
    }
    for one in &document.has_extracted_licensing_infos {
        out.0.push('\n');
        out.tag("LicenseID", &one.license_id);
        out.text("ExtractedText", &one.extracted_text);
        out.tag("LicenseName", &one.name);
    }
    out.0.push('\n');
    for one in &document.relationships {
        let (from, kind, to) = (
            &one.spdx_element_id,
            one.relationship_type,
            &one.related_spdx_element,
        );
        let _ = writeln!(out.0, "Relationship: {from} {kind} {to}");
    }
    out.0
}

struct Tags(String);

impl Tags {
    /// A value ends with its line, and what it holds must not start another.
    fn tag(&mut self, tag: &str, value: &str) {
        let _ = writeln!(self.0, "{tag}: {}", text::plain(value));
    }

    fn text(&mut self, tag: &str, value: &str) {
        let value = text::plain(value).replace("</text>", "<\u{FFFD}text>");
        let _ = writeln!(self.0, "{tag}: <text>{value}</text>");
    }

    fn package(&mut self, one: &WirePackage) {
        self.0.push('\n');
        self.tag("PackageName", &one.name);
        self.tag("SPDXID", &one.id);
        if !one.version_info.is_empty() {
            self.tag("PackageVersion", &one.version_info);
        }
        self.tag("PackageSupplier", one.supplier);
        self.tag("PackageDownloadLocation", one.download_location);
        let purpose = one.primary_package_purpose.replace('_', "-");
        self.tag("PrimaryPackagePurpose", &purpose);
        self.tag("FilesAnalyzed", "false");
        for sum in &one.checksums {
            let _ = writeln!(
                self.0,
                "PackageChecksum: {}: {}",
                sum.algorithm, sum.checksum_value
            );
        }
        if !one.source_info.is_empty() {
            self.text("PackageSourceInfo", &one.source_info);
        }
        self.tag("PackageLicenseConcluded", one.license_concluded);
        self.tag("PackageLicenseDeclared", &one.license_declared);
        self.tag("PackageCopyrightText", one.copyright_text);
        for reference in &one.external_refs {
            // A locator has no spaces (SPDX 2.3, clause 7.21).
            let locator = reference.reference_locator.trim();
            let locator = locator.replace(char::is_whitespace, "%20");
            let (category, kind) = (reference.reference_category, reference.reference_type);
            self.tag("ExternalRef", &format!("{category} {kind} {locator}"));
        }
        for note in &one.annotations {
            self.tag("Annotator", &note.annotator);
            self.tag("AnnotationDate", &note.annotation_date);
            self.tag("AnnotationType", note.annotation_type);
            self.tag("SPDXREF", &one.id);
            self.text("AnnotationComment", &note.comment);
        }
    }
}
