//! What a JSON document is, and what it wraps: in-toto statements
//! (in-toto Attestation Framework, v0.1 and v1), DSSE envelopes and Sigstore
//! bundles.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::{Error, Kind, wire::Text};

/// The keys by which a document is told.
#[derive(Deserialize)]
pub(crate) struct Head<'a> {
    #[serde(rename = "bomFormat", borrow, default)]
    bom_format: Text<'a>,
    #[serde(rename = "spdxVersion", borrow, default)]
    spdx_version: Text<'a>,
    #[serde(rename = "@context", default)]
    context: Option<IgnoredAny>,
    #[serde(rename = "@graph", default)]
    graph: Option<IgnoredAny>,
    #[serde(default)]
    artifacts: Option<IgnoredAny>,
    #[serde(default)]
    descriptor: Option<IgnoredAny>,
    #[serde(borrow, default)]
    predicate: Option<&'a RawValue>,
    #[serde(borrow, default)]
    payload: Option<Text<'a>>,
    #[serde(rename = "dsseEnvelope", borrow, default)]
    dsse: Option<&'a RawValue>,
}

/// The predicate of cosign before 2.0: the document as text.
#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(rename = "Data", borrow, default)]
    data: Option<&'a RawValue>,
}

impl<'a> Head<'a> {
    /// The format, when it is a bill of materials.
    pub(crate) fn kind(&self) -> Option<Kind> {
        if &*self.bom_format == "CycloneDX" {
            return Some(Kind::CycloneDxJson);
        }
        if !self.spdx_version.is_empty() {
            return Some(Kind::SpdxJson);
        }
        if self.context.is_some() && self.graph.is_some() {
            return Some(Kind::Spdx3Json);
        }
        (self.artifacts.is_some() && self.descriptor.is_some()).then_some(Kind::SyftJson)
    }

    /// The document inside, when it is an envelope.
    pub(crate) fn inside(&self) -> Result<Option<Cow<'a, [u8]>>, Error> {
        if let Some(payload) = &self.payload {
            let bytes = BASE64_STANDARD.decode(payload.trim());
            return match bytes {
                Ok(bytes) => Ok(Some(bytes.into())),
                Err(_) => Err(Error::Other("an envelope whose payload is no Base64")),
            };
        }
        let Some(inner) = self.predicate.or(self.dsse) else {
            return Ok(None);
        };
        let wrapped = serde_json::from_str::<Wrapped<'a>>(inner.get()).ok();
        let inner = wrapped.and_then(|wrapped| wrapped.data).unwrap_or(inner);
        // A document may also be there as a text.
        Ok(Some(match serde_json::from_str::<String>(inner.get()) {
            Ok(text) => text.into_bytes().into(),
            Err(_) => inner.get().as_bytes().into(),
        }))
    }
}
