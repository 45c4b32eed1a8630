//! VEX documents of three formats, read into one form; OpenVEX is written too.

mod csaf;
mod cyclonedx;
mod openvex;
mod write;

use std::borrow::Cow;

use jiff::Timestamp;
use seawall_model::{
    Bom, Hash, HashAlgorithm,
    vex::{Document, Name},
};
use serde::Deserialize;

use crate::{Kind, document::innermost, envelope::Head};

pub use write::{Draft, Header, WriteError, append, create};

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no JSON, or not of the right shape.
    #[error("it cannot be read as {format}")]
    Json {
        /// What it was taken for.
        format: &'static str,
        /// Why.
        #[source]
        cause: serde_json::Error,
    },
    /// It is another kind of document.
    #[error("it is no OpenVEX, CSAF or CycloneDX document")]
    Other,
    /// It is of a version that is not read.
    #[error("it is {0}, which is not read")]
    Version(String),
    /// What it says makes no sense.
    #[error("{place}: {problem}")]
    Statement {
        /// Where: `statement 3`, `vulnerability CVE-2024-1`.
        place: String,
        /// What.
        problem: String,
    },
    /// It holds more than is read.
    #[error("it names more than {PRODUCTS} products")]
    Large,
    /// Its lists are longer than is read.
    #[error("it holds more than {} entries", crate::wire::MOST_ENTRIES)]
    Long,
}

/// Products that the statements of one document may name, each counted as often
/// as it is named: Red Hat's largest have 200,000.
const PRODUCTS: usize = 2_000_000;

/// What tells the formats apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    #[serde(rename = "@context", default)]
    context: Option<serde_json::Value>,
    #[serde(default)]
    bom_format: Option<String>,
    #[serde(default)]
    document: Option<CsafProbe>,
    #[serde(rename = "predicateType", default)]
    predicate_type: Option<String>,
}

#[derive(Deserialize)]
struct CsafProbe {
    #[serde(default)]
    csaf_version: Option<String>,
}

/// Reads a document of any of the formats; `place` is its file, for messages.
///
/// # Errors
/// When it is none, or says something that cannot be understood: a statement
/// left out could be the one that takes back another.
pub fn read(bytes: &[u8], place: &str) -> Result<Document, Error> {
    read_at(bytes, place, 0)
}

/// A bundle, its envelope and its statement.
const ENVELOPES: usize = 3;

/// What a signed envelope holds; the signature is not looked at.
fn envelope(bytes: &[u8]) -> Option<Vec<u8>> {
    let head: Head<'_> = serde_json::from_slice(bytes).ok()?;
    head.inside().ok()?.map(Cow::into_owned)
}

fn read_at(bytes: &[u8], place: &str, depth: usize) -> Result<Document, Error> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let probe: Probe = serde_json::from_slice(bytes).map_err(|cause| Error::Json {
        format: "a VEX document in JSON",
        cause,
    })?;
    let context = probe.context.as_ref().and_then(serde_json::Value::as_str);
    let is_openvex = |text: &str| text.starts_with("https://openvex.dev/ns");
    let mut document = if context.is_some_and(is_openvex) {
        openvex::read(bytes)?
    } else if probe.predicate_type.as_deref().is_some_and(is_openvex) {
        openvex::read_attestation(bytes)?
    } else if probe.bom_format.as_deref() == Some("CycloneDX") {
        cyclonedx::read(bytes)?
    } else if let Some(version) = probe.document.and_then(|document| document.csaf_version) {
        if version != "2.0" {
            return Err(Error::Version(format!("CSAF {version}")));
        }
        csaf::read(bytes)?
    } else {
        let inner = envelope(bytes).ok_or(Error::Other)?;
        // An envelope holds a statement, a statement a document.
        return if depth < ENVELOPES {
            read_at(&inner, place, depth + 1)
        } else {
            Err(Error::Other)
        };
    };
    number(&mut document, place);
    Ok(document)
}

/// Tells each statement where it stands.
fn number(document: &mut Document, place: &str) {
    place.clone_into(&mut document.place);
    for (index, statement) in document.statements.iter_mut().enumerate() {
        let claim = &mut statement.claim;
        claim.number = index + 1;
        claim.document.clone_from(&document.id);
        place.clone_into(&mut claim.place);
    }
}

/// The statements inside a bill of materials, and what BOM-Links need to know
/// of it, from the same bytes as [`crate::read`]; `None` for what is no
/// CycloneDX document in JSON.
///
/// # Errors
/// When its statements cannot be understood.
pub fn embedded(bytes: &[u8], place: &str) -> Result<Option<(Document, Bom)>, Error> {
    let Some(bytes) = innermost(bytes, Kind::CycloneDxJson) else {
        return Ok(None);
    };
    let bom = cyclonedx::bom(&bytes)?;
    let mut document = cyclonedx::read(&bytes)?;
    number(&mut document, place);
    Ok(Some((document, bom)))
}

/// When something is said: as written, and in nanoseconds since 1970.
#[derive(Clone, Debug)]
struct Time {
    text: String,
    order: i128,
}

impl Time {
    /// `place` is where it stands, for the message.
    fn parse(text: &str, place: &dyn Fn() -> String) -> Result<Self, Error> {
        let time: Timestamp = text.parse().map_err(|_| Error::Statement {
            place: place(),
            problem: format!("`{text}` is no date and time (RFC 3339)"),
        })?;
        Ok(Time {
            text: text.to_owned(),
            order: time.as_nanosecond(),
        })
    }
}

/// The name that a text stands for: a package URL, a BOM-Link, a CPE name or
/// any other.
fn name(text: &str) -> Name {
    let text = text.trim();
    if let Some(purl) = seawall_model::purl::parse(text) {
        return Name::Purl {
            purl,
            versions: None,
        };
    }
    if text.starts_with("cpe:") {
        return Name::Cpe(text.to_owned());
    }
    match bom_link(text) {
        Some(mut names) if names.len() == 1 => names.remove(0),
        _ => Name::Iri(text.to_owned()),
    }
}

/// A BOM-Link (CycloneDX, "BOM-Link"): `urn:cdx:UUID/VERSION#REF`. The
/// reference should be percent-encoded, and often is not: both ways are tried.
fn bom_link(text: &str) -> Option<Vec<Name>> {
    let rest = text.strip_prefix("urn:cdx:")?;
    let (document, reference) = match rest.split_once('#') {
        Some((document, reference)) => (document, Some(reference)),
        None => (rest, None),
    };
    let (serial, version) = document.split_once('/').unwrap_or((document, ""));
    let link = |reference: Option<String>| Name::BomLink {
        serial: Some(serial.to_ascii_lowercase()),
        version: version.parse().ok(),
        reference,
        versions: None,
    };
    let mut names = vec![link(reference.map(str::to_owned))];
    let decoded = reference.and_then(seawall_model::purl::decode);
    names.extend(
        decoded
            .filter(|decoded| Some(decoded.as_str()) != reference)
            .map(|decoded| link(Some(decoded))),
    );
    Some(names)
}

/// A digest under the names that documents use: `sha-256`, `SHA256`.
fn hash(algorithm: &str, value: &str) -> Option<Hash> {
    let plain = algorithm.replace('-', "").to_ascii_lowercase();
    let mut all = HashAlgorithm::ALL.into_iter();
    Hash::new(all.find(|one| one.as_str() == plain)?, value)
}
