//! Manifests by tag or digest.

use seawall_model::{Digest, in_full};

use crate::{
    Client, Error, Reference,
    answers::{self, About},
    client::{Shared, Small},
    places::Place,
    retry::Tries,
};

/// Forms of manifests that are understood: an index or an image, in OCI's and
/// in Docker's words (OCI image-spec 1.1, media-types.md).
const FORMS: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// Docker's schema 1, with and without signatures.
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+";

/// A manifest or an index, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The bytes, which have the digest.
    pub bytes: Vec<u8>,
    /// Their digest, computed here.
    pub digest: Digest,
    /// Its form: one of OCI's and Docker's, or another where it is an
    /// artifact's own.
    pub media_type: String,
    /// The registry or mirror that it came from: `host[:port]`.
    pub host: String,
    /// Mirrors that were asked before in vain, and why.
    pub missed: Vec<String>,
}

impl Client {
    /// The manifest or index that `reference` names, held against its digest
    /// where one is given, from the first mirror that has it or else from the
    /// registry.
    ///
    /// # Errors
    /// When it is not there, cannot be fetched, is not what its digest says or
    /// has Docker's oldest form.
    pub fn manifest(&self, reference: &Reference) -> Result<Manifest, Error> {
        let mut missed = Vec::new();
        let places = self.shared.places(reference.repository())?;
        let mut last = Error::NotThere(reference.to_string());
        for place in places {
            match self.shared.manifest_at(&place, reference) {
                Ok(manifest) => {
                    let registry = reference.repository().host();
                    self.shared.served(&place, registry);
                    return Ok(Manifest { missed, ..manifest });
                }
                Err(error) => {
                    self.shared.missed(&place, &error);
                    missed.push(format!("`{}`: {}", place.host(), in_full(&error)));
                    last = error;
                }
            }
        }
        Err(last)
    }

    /// The digest of what `reference` names now, without fetching it: from the
    /// first mirror that has it or else from the registry, in the order in
    /// which [`Client::manifest`] asks them. `None` where the one that has it
    /// does not tell. Nothing is tried again: whoever learns nothing here
    /// fetches the manifest.
    ///
    /// # Errors
    /// When it is not there or cannot be asked for.
    pub fn digest(&self, reference: &Reference) -> Result<Option<Digest>, Error> {
        let accept = FORMS.join(", ");
        let mut last = Error::NotThere(reference.to_string());
        for place in self.shared.places(reference.repository())? {
            let at = place.at(&format!("manifests/{}", reference.wanted()))?;
            let mut tries = Tries::none(self.shared.settings());
            match self
                .shared
                .head_with(&place, &at, &accept, &place.pull(), &mut tries)
            {
                Ok(Some(got)) => {
                    let told = got.header("docker-content-digest");
                    return Ok(told.and_then(|told| told.parse().ok()));
                }
                Ok(None) => {}
                Err(error) => {
                    // Some refuse this question alone.
                    if error.is_unreachable() {
                        self.shared.missed(&place, &error);
                    }
                    last = error;
                }
            }
        }
        Err(last)
    }
}

impl Shared {
    /// A manifest from one place.
    pub(crate) fn manifest_at(
        &self,
        place: &Place,
        reference: &Reference,
    ) -> Result<Manifest, Error> {
        let at = place.at(&format!("manifests/{}", reference.wanted()))?;
        let answer = self.small(place, &at, &FORMS.join(", "), &mut self.tries(place))?;
        let answer = answer.ok_or_else(|| Error::NotThere(reference.to_string()))?;
        let name = reference.to_string();
        let digest = Digest::of(&answer.bytes);
        let computed = digest;
        if let Some(expected) = reference.digest().filter(|expected| *expected != digest) {
            return Err(Error::Digest {
                name,
                expected,
                computed,
            });
        }
        // Another algorithm cannot be held against ours.
        let told = answer.header("docker-content-digest");
        let told = told.and_then(|told| told.parse::<Digest>().ok());
        if let Some(told) = told.filter(|told| *told != digest) {
            return Err(Error::Told {
                name,
                told,
                computed,
            });
        }
        let media_type = media_type(&answer, &name)?;
        Ok(Manifest {
            bytes: answer.bytes,
            digest,
            media_type,
            host: place.host().to_owned(),
            missed: Vec::new(),
        })
    }
}

/// The form of a manifest: what the header says, held against what it says
/// itself. Where the two could be taken for different things by different
/// readers, it is refused (CVE-2021-41190).
fn media_type(answer: &Small, name: &str) -> Result<String, Error> {
    let malformed = |reason: String| Error::Malformed {
        url: answer.at.to_string(),
        reason,
    };
    let header = answer.header("content-type").unwrap_or_default();
    let header = header.split(';').next().unwrap_or_default().trim();
    let header = header.to_ascii_lowercase();
    let old = Error::Unsupported {
        name: name.to_owned(),
        what: "an image of Docker's schema 1, a form without digests of its layers' content that \
               registries gave up",
    };
    if header.starts_with(SCHEMA_1) {
        return Err(old);
    }
    let about = answers::about(&answer.bytes).map_err(|error| {
        if header.contains("html") {
            malformed("it answers with a web page".to_owned())
        } else {
            malformed(error)
        }
    })?;
    let About {
        media_type,
        is_schema_1,
        lists,
        ..
    } = about;
    if is_schema_1
        || media_type
            .as_deref()
            .is_some_and(|own| own.starts_with(SCHEMA_1))
    {
        return Err(old);
    }
    if lists == (true, true) {
        let reason = "it lists manifests and layers at once, so that it could be taken for an \
                      index or for an image";
        return Err(malformed(reason.to_owned()));
    }
    let is_form = |text: &str| FORMS.contains(&text);
    match media_type {
        Some(own) if is_form(&own) && is_form(&header) && own != header => Err(malformed(format!(
            "its header says `{header}`, the manifest itself `{own}`"
        ))),
        // Simple web servers and proxies say `application/json` or less.
        Some(own) if !is_form(&header) => Ok(own),
        _ if is_form(&header) => Ok(header),
        _ if lists.0 => Ok(FORMS[0].to_owned()),
        _ if lists.1 => Ok(FORMS[1].to_owned()),
        _ => Ok(header),
    }
}
