//! What is written into a document, whatever its format.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

use seawall_model::{Finding, Package, Target, TargetKind, graph};
use sha2::{Digest, Sha256};

use crate::{
    cyclonedx,
    licenses::{OwnLicenses, declared},
    spdx, spdx3, syft,
};

/// What a document is to say.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// What it describes.
    pub target: &'a Target,
    /// What it is made of.
    pub packages: &'a [Package],
    /// What is wrong with it: only flaws of packages, and only in CycloneDX.
    /// [`Finding::package`] is an index into `packages`.
    pub findings: &'a [Finding],
    /// Version of Seawall.
    pub version: &'a str,
    /// When the document was made, RFC 3339 in UTC. Without it a format that
    /// needs a time says the first second of 1970, so that the same content
    /// always gives the same bytes.
    pub created: Option<&'a str>,
}

/// The formats that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// CycloneDX 1.6 as JSON (ECMA-424).
    CycloneDx,
    /// CycloneDX 1.6 as XML.
    CycloneDxXml,
    /// SPDX 2.3 as JSON.
    Spdx,
    /// SPDX 2.3 as tag-value.
    SpdxTagValue,
    /// SPDX 3.0.1 as JSON-LD.
    Spdx3,
    /// What Syft 1.42 writes, schema 16.1.3.
    Syft,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 6] = [
        Format::CycloneDx,
        Format::CycloneDxXml,
        Format::Spdx,
        Format::SpdxTagValue,
        Format::Spdx3,
        Format::Syft,
    ];

    /// The name used on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::CycloneDx => "cyclonedx",
            Format::CycloneDxXml => "cyclonedx-xml",
            Format::Spdx => "spdx",
            Format::SpdxTagValue => "spdx-tag-value",
            Format::Spdx3 => "spdx3",
            Format::Syft => "syft",
        }
    }
}

/// A word that is no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no format of a bill of materials: use one of {names}", names = Format::ALL.map(Format::as_str).join(", "))]
pub struct ParseFormatError(String);

impl std::str::FromStr for Format {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Format::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| ParseFormatError(text.to_owned()))
    }
}

/// Writes a document. The same content gives the same bytes.
///
/// # Errors
/// When a value has no JSON form; that is our bug.
pub fn write(content: &Content<'_>, format: Format) -> serde_json::Result<String> {
    let prepared = Prepared::new(*content);
    match format {
        Format::CycloneDx => cyclonedx::write_json(&prepared),
        Format::CycloneDxXml => Ok(cyclonedx::write_xml(&prepared)),
        Format::Spdx => spdx::write_json(&prepared),
        Format::SpdxTagValue => Ok(spdx::write_tag_value(&prepared)),
        Format::Spdx3 => spdx3::write(&prepared),
        Format::Syft => syft::write(&prepared),
    }
}

/// What all formats need of the content.
pub(crate) struct Prepared<'a> {
    pub(crate) content: Content<'a>,
    /// For each package 16 digits that no other one of the document has.
    pub(crate) ids: Vec<String>,
    /// A UUID made of the content (RFC 9562, version 8).
    pub(crate) uuid: String,
    /// For each package those that it asks for.
    pub(crate) graph: Vec<Vec<usize>>,
    /// When it was made.
    pub(crate) created: &'a str,
}

impl<'a> Prepared<'a> {
    fn new(content: Content<'a>) -> Self {
        let mut all = Sha256::new();
        let target = content.target;
        for text in [
            content.version,
            content.created.unwrap_or_default(),
            &target.name,
        ] {
            feed(&mut all, text);
        }
        let known = (&target.digest, &target.manifest, &target.os);
        feed(&mut all, &format!("{known:?}"));
        for layer in &target.layers {
            let known = (&layer.diff_id, &layer.digest, &layer.created_by);
            feed(&mut all, &format!("{known:?}"));
        }
        let graph = graph(content.packages);
        let mut seen = HashSet::new();
        let mut repeated: HashMap<String, Sha256> = HashMap::new();
        let mut ids = Vec::with_capacity(content.packages.len());
        for (package, wanted) in content.packages.iter().zip(&graph) {
            let mut own = Sha256::new();
            let origin = &package.origin;
            for text in [
                &package.purl,
                &package.name,
                &package.version,
                &origin.path,
                origin.inside.as_deref().unwrap_or_default(),
            ] {
                feed(&mut own, text);
            }
            // The same one twice, as two lines of a file may name it; the
            // next one goes on where the last one ended.
            let mut id = hex(&own.clone().finalize(), 8);
            let own = repeated.entry(id.clone()).or_insert(own);
            while !seen.insert(id.clone()) {
                feed(own, "again");
                id = hex(&own.clone().finalize(), 8);
            }
            feed(&mut all, &id);
            let license = declared(&package.licenses, &mut OwnLicenses::new());
            let rest = (
                license.map(|one| one.expression),
                &package.hashes,
                wanted,
                &package.relation,
                package.owner.as_ref().map(|owner| &owner.name),
            );
            feed(&mut all, &format!("{rest:?}"));
            ids.push(id);
        }
        for finding in content.findings {
            feed(&mut all, &finding.message);
        }
        Prepared {
            content,
            ids,
            uuid: uuid(&all.finalize()),
            graph,
            created: content.created.unwrap_or("1970-01-01T00:00:00Z"),
        }
    }

    pub(crate) fn is_of_image(&self) -> bool {
        self.content.target.what() == TargetKind::Image
    }

    /// Every package with its id.
    pub(crate) fn packages(&self) -> impl Iterator<Item = (&'a Package, &str)> {
        let ids = self.ids.iter().map(String::as_str);
        self.content.packages.iter().zip(ids)
    }

    pub(crate) fn id(&self, index: usize) -> &str {
        self.ids.get(index).map_or("", String::as_str)
    }

    /// A path as people write it: from the root in what is installed.
    pub(crate) fn path(&self, package: &Package) -> String {
        let path = &package.origin.path;
        let is_installed = matches!(
            self.content.target.what(),
            TargetKind::Image | TargetKind::RootFs
        );
        match path.as_str() {
            "" => String::new(),
            path if is_installed => format!("/{path}"),
            path => path.to_owned(),
        }
    }

    /// The diff id of the layer that brought a package.
    pub(crate) fn layer(&self, package: &Package) -> Option<&'a str> {
        let layers = &self.content.target.layers;
        let layer = package.origin.layer.and_then(|index| layers.get(index));
        layer.map(|layer| layer.diff_id.as_str())
    }

    /// Whether the target itself asks for it: a project for what it names, an
    /// image for all that lies in it.
    pub(crate) fn is_direct(&self, package: &Package) -> bool {
        self.is_of_image() || package.relation.direct != Some(false)
    }

    /// The image's package URL (purl-spec, `oci`): its name without registry
    /// and tag, its manifest's digest, and where it comes from. `None` without
    /// a manifest.
    pub(crate) fn image_purl(&self) -> Option<String> {
        let target = self.content.target;
        let digest = target.manifest.as_ref().filter(|_| self.is_of_image())?;
        // A file's name is no repository's.
        let is_named = !matches!(target.scheme.as_str(), "archive" | "oci" | "sbom");
        let name = target.name.split('@').next().unwrap_or_default();
        let slash = name.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match name.get(slash..).and_then(|last| last.find(':')) {
            Some(colon) => name.split_at_checked(slash + colon)?,
            None => (name, ""),
        };
        let last = repository.get(slash..).unwrap_or_default().to_lowercase();
        let arch = target
            .platform
            .as_deref()
            .and_then(|text| text.split('/').nth(1));
        let qualifiers = [
            ("arch", arch.unwrap_or_default()),
            (
                "repository_url",
                if is_named && slash > 0 {
                    repository
                } else {
                    ""
                },
            ),
            ("tag", tag.trim_start_matches(':')),
        ];
        let mut purl = format!("pkg:oci/{}@{}", encode(&last), encode(digest));
        let mut separator = '?';
        for (key, value) in qualifiers {
            if !value.is_empty() {
                let _ = write!(purl, "{separator}{key}={}", encode(value));
                separator = '&';
            }
        }
        (!last.is_empty()).then_some(purl)
    }
}

fn encode(text: &str) -> String {
    const KEPT: percent_encoding::AsciiSet = percent_encoding::NON_ALPHANUMERIC
        .remove(b'.')
        .remove(b'-')
        .remove(b'_')
        .remove(b'~')
        .remove(b'/');
    percent_encoding::utf8_percent_encode(text, &KEPT).to_string()
}

/// What ends each text, so that two texts are not one other.
fn feed(hasher: &mut Sha256, text: &str) {
    hasher.update(text.as_bytes());
    hasher.update([0xFF]);
}

/// The first `bytes` of a digest in hexadecimal.
pub(crate) fn hex(digest: &[u8], bytes: usize) -> String {
    digest
        .iter()
        .take(bytes)
        .fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

fn uuid(digest: &[u8]) -> String {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest) {
        *to = *from;
    }
    bytes[6] = (bytes[6] & 0x0F) | 0x80;
    bytes[8] = (bytes[8] & 0x3F) | 0x80;
    let text = hex(&bytes, 16);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}
