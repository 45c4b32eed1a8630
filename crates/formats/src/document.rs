//! A bill of materials of any format, as one thing.

use seawall_model::{Gap, Package, Target, TargetKind};

use crate::{cyclonedx, envelope, spdx, spdx3, syft, wire};

/// What a bill of materials says.
#[derive(Clone, Debug)]
pub struct Document {
    /// The format that it is written in.
    pub kind: Kind,
    /// The format's version, as the document writes it: `1.6`, `SPDX-2.3`.
    pub spec_version: String,
    /// What identifies it: a serial number, a namespace.
    pub serial: Option<String>,
    /// When it was made, as written.
    pub created: Option<String>,
    /// What it describes, as far as it says: its kind is always
    /// [`TargetKind::Sbom`], its name may be empty, and its layers are there
    /// only when all of them are listed in their order.
    pub target: Target,
    /// Every component with a package URL, in the document's order.
    pub packages: Vec<Package>,
    /// Whether an rpm epoch that is not there may have been left out.
    pub epochs_left_out: bool,
    /// What could not be used.
    pub gaps: Vec<Gap>,
}

impl Document {
    /// Says what it describes.
    pub(crate) fn describe(&mut self, is_image: bool) {
        if is_image {
            self.target.describes = Some(TargetKind::Image);
        }
    }

    pub(crate) fn new(kind: Kind, spec_version: &str) -> Self {
        Document {
            kind,
            spec_version: spec_version.to_owned(),
            serial: None,
            created: None,
            target: Target::new(TargetKind::Sbom, "", "sbom"),
            packages: Vec::new(),
            epochs_left_out: true,
            gaps: Vec::new(),
        }
    }
}

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// CycloneDX 1.2 to 1.7 as JSON (ECMA-424).
    CycloneDxJson,
    /// CycloneDX 1.0 to 1.7 as XML.
    CycloneDxXml,
    /// SPDX 2.2 and 2.3 as JSON.
    SpdxJson,
    /// SPDX 2.2 and 2.3 as tag-value.
    SpdxTagValue,
    /// SPDX 3.0 as JSON-LD.
    Spdx3Json,
    /// Syft's own JSON, schema 16 and before as far as it says the same.
    SyftJson,
}

impl Kind {
    /// What people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::CycloneDxJson => "CycloneDX JSON",
            Kind::CycloneDxXml => "CycloneDX XML",
            Kind::SpdxJson => "SPDX JSON",
            Kind::SpdxTagValue => "SPDX tag-value",
            Kind::Spdx3Json => "SPDX 3 JSON-LD",
            Kind::SyftJson => "Syft JSON",
        }
    }
}

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its letters are none.
    #[error("it is neither UTF-8 nor UTF-16")]
    Encoding,
    /// It is no JSON, or not of the right shape.
    #[error("it is damaged")]
    Json(#[source] serde_json::Error),
    /// It is no XML, or has a document type definition: those are refused, so
    /// that no entity is ever expanded.
    #[error("it is damaged")]
    Xml(#[source] roxmltree::Error),
    /// It is no tag-value.
    #[error("line {line} is {what}")]
    Line {
        /// Line, from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It is another kind of document.
    #[error(
        "it is {0}: CycloneDX as JSON and XML, SPDX as JSON, tag-value and JSON-LD, and Syft's JSON are read"
    )]
    Other(&'static str),
    /// A version of a format that is not read.
    #[error("it is of version `{0}`, which is not read")]
    Version(String),
    /// Its components stand within one another.
    #[error("its components are nested more than {0} deep")]
    Deep(usize),
    /// It holds more than is read.
    #[error(
        "it holds more than {} packages or {} entries",
        crate::part::MOST_PARTS,
        crate::wire::MOST_ENTRIES
    )]
    Large,
}

/// Reads a bill of materials of any of [`Kind`]'s formats, also one that is
/// the predicate of an in-toto statement, signed in a DSSE envelope or a
/// Sigstore bundle or not (the signature is not looked at).
///
/// # Errors
/// When it is none, or one that is not read. What of it cannot be used is a
/// gap.
pub fn read(bytes: &[u8]) -> Result<Document, Error> {
    let bytes = decode(bytes)?;
    unwrapped(&bytes, 0)
}

/// Whether a file that starts so may be a bill of materials of a kind that is
/// read; 64 KiB are enough to tell.
pub fn is_likely(start: &[u8]) -> bool {
    let Ok(start) = decode(start) else {
        return false;
    };
    let has = |sign: &str| memchr::memmem::find(&start, sign.as_bytes()).is_some();
    let text = start.trim_ascii_start();
    match text.first() {
        Some(b'{') => {
            let is_open = |one: &&u8| !one.is_ascii_whitespace();
            let compact: Vec<u8> = text.iter().filter(is_open).take(32).copied().collect();
            SIGNS.iter().any(|sign| has(sign)) || compact.starts_with(b"{\"artifacts\":[")
        }
        Some(b'<') => has("cyclonedx.org/schema/bom/"),
        _ => text.starts_with(b"SPDXVersion:") || has("\nSPDXVersion:"),
    }
}

/// What only bills of materials, and envelopes that may hold one, say.
const SIGNS: [&str; 8] = [
    "\"bomFormat\"",
    "\"spdxVersion\"",
    "\"SPDXRef-DOCUMENT\"",
    "spdx.org/rdf/3",
    "\"artifactRelationships\"",
    "\"predicateType\"",
    "application/vnd.in-toto+json",
    "\"dsseEnvelope\"",
];

/// Envelopes within envelopes: a bundle, its envelope, its statement, and the
/// text in which old tools wrap the document.
const MOST_ENVELOPES: usize = 4;

fn unwrapped(bytes: &[u8], depth: usize) -> Result<Document, Error> {
    let start = bytes.trim_ascii_start();
    if start.starts_with(b"<") {
        let text = std::str::from_utf8(bytes).map_err(|_| Error::Encoding)?;
        return cyclonedx::read_xml(text);
    }
    if !start.starts_with(b"{") {
        let is_tags = [b"SPDXVersion:".as_slice(), b"#"]
            .iter()
            .any(|sign| start.starts_with(sign));
        if !is_tags {
            let is_json = start.starts_with(b"[");
            return Err(Error::Other(match start {
                [] => "an empty document",
                _ if is_json => "JSON of another kind",
                _ => "a document of another kind",
            }));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Error::Encoding)?;
        return spdx::read_tag_value(text);
    }
    let head: envelope::Head<'_> = wire::from_json(bytes)?;
    match head.kind() {
        Some(Kind::CycloneDxJson) => cyclonedx::read_json(bytes),
        Some(Kind::SpdxJson) => spdx::read_json(bytes),
        Some(Kind::Spdx3Json) => spdx3::read(bytes),
        Some(Kind::SyftJson) => syft::read(bytes),
        _ if depth < MOST_ENVELOPES => match head.inside()? {
            Some(inner) => unwrapped(&inner, depth + 1),
            None => Err(Error::Other("JSON of another kind")),
        },
        _ => Err(Error::Other("an envelope in too many envelopes")),
    }
}

/// The JSON that [`read`] ends up with, decoded and out of its envelopes, when
/// it is of `kind`.
pub(crate) fn innermost(bytes: &[u8], kind: Kind) -> Option<std::borrow::Cow<'_, [u8]>> {
    let mut open = decode(bytes).ok()?;
    for _ in 0..=MOST_ENVELOPES {
        let inner = {
            let head: envelope::Head<'_> = wire::from_json(&open).ok()?;
            match head.kind() {
                Some(own) if own == kind => None,
                Some(_) => return None,
                None => Some(head.inside().ok()??.into_owned()),
            }
        };
        match inner {
            Some(inner) => open = inner.into(),
            None => return Some(open),
        }
    }
    None
}

/// UTF-8 without its mark; UTF-16 where a mark says so, which is what shells
/// of Windows make of a program's output.
fn decode(bytes: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, Error> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units = pairs.iter().map(|pair| unit(*pair));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        match text {
            Ok(text) if rest.is_empty() => Ok(text.into_bytes().into()),
            _ => Err(Error::Encoding),
        }
    };
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => Ok(rest.into()),
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => Ok(bytes.into()),
    }
}
