//! Pushing of small artifacts: blobs, manifests, what is about an image.

use seawall_model::Digest;
use serde::Serialize;
use serde_json::{Map, Value, json};
use ureq::http::Method;

use crate::{
    Address, Client, Error, Repository,
    address::{plain, shown},
    answers,
    client::{MANIFEST_LIMIT, Shared},
    lock::lock,
    places::Place,
    retry::Tries,
    transport::{Ask, Got},
};

/// Bytes that are sent along with the question whether a registry takes a
/// blob in one request: those that do not take it get it twice.
const ONE_STEP: usize = 1 << 20;

/// OCI's form of a manifest, and of the empty config of an artifact that has
/// none (image-spec 1.1, manifest.md, "Guidelines for Artifact Usage").
pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const EMPTY: (&str, &[u8]) = ("application/vnd.oci.empty.v1+json", b"{}");

/// A piece of content by its digest (OCI image-spec 1.1, descriptor.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Its form.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A file of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its form.
    pub media_type: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// What is noted about it: `org.opencontainers.image.title` and the like.
    pub annotations: Vec<(String, String)>,
}

/// Something to be pushed: a signature, a bill of materials, a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Artifact {
    /// What it is.
    pub artifact_type: String,
    /// What it is about.
    pub subject: Option<Descriptor>,
    /// Its files; one without any has the empty config in their place.
    pub layers: Vec<Layer>,
    /// What is noted about it.
    pub annotations: Vec<(String, String)>,
}

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The manifest's digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Who keeps it in the list of referrers of its subject; `None` without a
    /// subject.
    pub listed: Option<Listed>,
}

/// Who keeps a list of referrers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// The registry, by the referrers API.
    Registry,
    /// An index with a tag made of the subject's digest.
    Tag,
}

impl Client {
    /// Pushes a blob, unless it is there already.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub fn push_blob(&self, repository: &Repository, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        let place = self.shared.registry(repository)?;
        if self.shared.has_blob(&place, digest)? {
            return Ok(digest);
        }
        self.shared.upload(&place, bytes, digest)?;
        Ok(digest)
    }

    /// Makes a blob of another repository of the same registry known in this
    /// one; whether the registry does that. Otherwise it has to be pushed.
    ///
    /// # Errors
    /// When the registry refuses.
    pub fn mount_blob(
        &self,
        repository: &Repository,
        digest: Digest,
        from: &Repository,
    ) -> Result<bool, Error> {
        let place = self.shared.registry(repository)?;
        if from.host() != repository.host() {
            return Ok(false);
        }
        // The name has passed a strict parser; its slashes may stand in a query.
        let rest = format!("blobs/uploads/?mount={digest}&from={}", from.path());
        let got = self
            .shared
            .write(&place, Method::POST, &place.at(&rest)?, None, &[])?;
        match got.status() {
            201 => Ok(true),
            202 => {
                self.shared.abandon(&place, &got);
                Ok(false)
            }
            _ => Err(got.refused()),
        }
    }

    /// Pushes a manifest or an index by its digest, and under a tag where one
    /// is given. Where it is about something and the registry does not keep a
    /// list of that, it is added to the one that stands under a tag.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub fn push_manifest(
        &self,
        repository: &Repository,
        tag: Option<&str>,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Pushed, Error> {
        let digest = Digest::of(bytes);
        let place = self.shared.registry(repository)?;
        let about = answers::about(bytes).map_err(|reason| Error::Malformed {
            url: format!("{repository}@{digest}"),
            reason,
        })?;
        let wanted = match tag {
            None => digest.to_string(),
            Some(tag) => match repository.tagged(tag) {
                Ok(tagged) => tagged.wanted(),
                Err(_) => return Err(Error::NotThere(format!("{repository}:{}", plain(tag, 128)))),
            },
        };
        let got = self
            .shared
            .put_manifest(&place, &wanted, media_type, bytes, &[])?;
        let is_listed = got.header("oci-subject").is_some();
        let listed = match about
            .subject
            .as_ref()
            .map(|subject| subject.parse::<Digest>())
        {
            None => None,
            Some(_) if is_listed => Some(Listed::Registry),
            Some(Ok(subject)) => {
                let entry = entry(
                    media_type,
                    digest,
                    bytes.len(),
                    &about.artifact_type,
                    &about.annotations,
                );
                self.shared
                    .list_under_tag(&place, subject, &entry, digest)?;
                Some(Listed::Tag)
            }
            Some(Err(error)) => {
                return Err(Error::Malformed {
                    url: format!("{repository}@{digest}"),
                    reason: error.to_string(),
                });
            }
        };
        Ok(Pushed {
            digest,
            size: bytes.len() as u64,
            listed,
        })
    }

    /// Pushes an artifact: its files, its config, its manifest.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub fn push_artifact(
        &self,
        repository: &Repository,
        tag: Option<&str>,
        artifact: &Artifact,
    ) -> Result<Pushed, Error> {
        self.push_blob(repository, EMPTY.1)?;
        for layer in &artifact.layers {
            self.push_blob(repository, &layer.bytes)?;
        }
        let bytes = manifest(artifact).map_err(|error| Error::Malformed {
            url: repository.to_string(),
            reason: error.to_string(),
        })?;
        self.push_manifest(repository, tag, IMAGE, &bytes)
    }
}

impl Shared {
    fn has_blob(&self, place: &Place, digest: Digest) -> Result<bool, Error> {
        let at = place.at(&format!("blobs/{digest}"))?;
        // A HEAD may lead to a store of blobs, which takes no HEAD: then it is
        // pushed again.
        match self.head(place, &at, "*/*", &place.push()) {
            Ok(got) => Ok(got.is_some()),
            Err(Error::Refused { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// In one request where the registry takes it, else in two (OCI
    /// distribution-spec 1.1, "Pushing a blob monolithically").
    fn upload(&self, place: &Place, bytes: &[u8], digest: Digest) -> Result<(), Error> {
        let is_two_steps = lock(&self.two_steps).contains(place.host());
        let stream = [("content-type", "application/octet-stream".to_owned())];
        let mut begun = None;
        if bytes.len() <= ONE_STEP && !is_two_steps {
            let at = place.at(&format!("blobs/uploads/?digest={digest}"))?;
            let ask = (Method::POST, &at, Some(bytes), &stream[..]);
            // One try: a registry that wants no body here may hang up on it.
            let got = self.write_with(place, ask, &mut Tries::none(self.settings()));
            match got {
                Ok(got) if got.status() == 201 => return told(&got, digest, place),
                Ok(got) if got.status() == 202 => begun = Some(got),
                Ok(_) | Err(Error::Http { .. } | Error::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
            lock(&self.two_steps).insert(place.host().to_owned());
        }
        let got = match begun {
            Some(got) => got,
            None => {
                let at = place.at("blobs/uploads/")?;
                self.write(place, Method::POST, &at, Some(&[]), &[])?
            }
        };
        if got.status() != 202 {
            return Err(got.refused());
        }
        let at = location(&got, place)?.with(&format!("digest={digest}"));
        let got = self.write(place, Method::PUT, &at, Some(bytes), &stream)?;
        match got.status() {
            201 | 204 => told(&got, digest, place),
            _ => Err(got.refused()),
        }
    }

    /// Ends an upload that was not wanted; a registry forgets it in time
    /// anyway.
    fn abandon(&self, place: &Place, got: &Got) {
        if let Ok(at) = location(got, place) {
            drop(self.write(place, Method::DELETE, &at, None, &[]));
        }
    }

    pub(crate) fn put_manifest(
        &self,
        place: &Place,
        wanted: &str,
        media_type: &str,
        bytes: &[u8],
        conditions: &[(&'static str, String)],
    ) -> Result<Got, Error> {
        if bytes.len() as u64 > MANIFEST_LIMIT {
            let what = format!("the size of the manifest `{place}:{wanted}`");
            let limit = MANIFEST_LIMIT;
            return Err(Error::Limit { what, limit });
        }
        let at = place.at(&format!("manifests/{wanted}"))?;
        let mut headers = vec![("content-type", media_type.to_owned())];
        headers.extend_from_slice(conditions);
        let got = self.write(place, Method::PUT, &at, Some(bytes), &headers)?;
        match got.status() {
            200..=299 => {
                told(&got, Digest::of(bytes), place)?;
                Ok(got)
            }
            _ => Err(got.refused()),
        }
    }

    pub(crate) fn write(
        &self,
        place: &Place,
        method: Method,
        at: &Address,
        body: Option<&[u8]>,
        headers: &[(&'static str, String)],
    ) -> Result<Got, Error> {
        let ask = (method, at, body, headers);
        self.write_with(place, ask, &mut Tries::new(self.settings()))
    }

    fn write_with(
        &self,
        place: &Place,
        (method, at, body, headers): Write<'_>,
        tries: &mut Tries,
    ) -> Result<Got, Error> {
        let scopes = place.push();
        let registry = place.at("")?;
        let ask = Ask {
            method,
            registry: &registry,
            at,
            headers,
            body,
            scopes: &scopes,
        };
        self.transport.ask(&ask, tries)
    }
}

/// A method, where it is used, what is sent along and with which headers.
type Write<'a> = (
    Method,
    &'a Address,
    Option<&'a [u8]>,
    &'a [(&'static str, String)],
);

/// Where an upload goes on. Another host gets no credentials, and what is sent
/// there has its digest; but TLS is not given up.
fn location(got: &Got, place: &Place) -> Result<Address, Error> {
    let registry = place.at("")?;
    let malformed = |reason: String| Error::Malformed {
        url: got.at.to_string(),
        reason,
    };
    let Some(target) = got.header("location") else {
        let reason = "it takes an upload without saying where it goes on";
        return Err(malformed(reason.to_owned()));
    };
    let refused = |to: String, why: String| Error::Redirect {
        from: got.at.to_string(),
        to,
        why,
    };
    let at = got.at.join(target);
    let at = at.map_err(|error| refused(shown(target), error.to_string()))?;
    let at = at.secured_as(&registry);
    if at.is_plain() && !registry.is_plain() {
        return Err(refused(at.to_string(), "it gives TLS up".to_owned()));
    }
    Ok(at)
}

/// Holds the digest that a registry names for what it took against ours.
fn told(got: &Got, digest: Digest, place: &Place) -> Result<(), Error> {
    let told = got.header("docker-content-digest");
    let told = told.and_then(|told| told.parse::<Digest>().ok());
    match told.filter(|told| *told != digest) {
        None => Ok(()),
        Some(told) => Err(Error::Told {
            name: format!("{place}@{digest}"),
            told,
            computed: digest,
        }),
    }
}

/// The entry of a list of referrers.
fn entry(
    media_type: &str,
    digest: Digest,
    size: usize,
    artifact_type: &str,
    annotations: &[(String, String)],
) -> Value {
    let mut entry = json!({
        "mediaType": media_type,
        "digest": digest.to_string(),
        "size": size,
        "artifactType": artifact_type,
    });
    if !annotations.is_empty() {
        let pairs = annotations.iter().cloned();
        entry["annotations"] = pairs
            .map(|(key, value)| (key, Value::from(value)))
            .collect();
    }
    entry
}

/// The manifest of an artifact.
fn manifest(artifact: &Artifact) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Written<'a> {
        schema_version: u8,
        media_type: &'a str,
        artifact_type: &'a str,
        config: Part<'a>,
        layers: Vec<Part<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        subject: Option<Part<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        annotations: Option<Map<String, Value>>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Part<'a> {
        media_type: &'a str,
        digest: String,
        size: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        annotations: Option<Map<String, Value>>,
    }
    let notes = |pairs: &[(String, String)]| {
        let map = pairs
            .iter()
            .map(|(key, value)| (key.clone(), value.as_str().into()));
        (!pairs.is_empty()).then(|| map.collect())
    };
    let part = |media_type, bytes: &[u8], annotations: &[(String, String)]| Part {
        media_type,
        digest: Digest::of(bytes).to_string(),
        size: bytes.len() as u64,
        annotations: notes(annotations),
    };
    let mut layers: Vec<Part<'_>> = artifact
        .layers
        .iter()
        .map(|layer| part(&layer.media_type, &layer.bytes, &layer.annotations))
        .collect();
    if layers.is_empty() {
        layers.push(part(EMPTY.0, EMPTY.1, &[]));
    }
    serde_json::to_vec(&Written {
        schema_version: 2,
        media_type: IMAGE,
        artifact_type: &artifact.artifact_type,
        config: part(EMPTY.0, EMPTY.1, &[]),
        layers,
        subject: artifact.subject.as_ref().map(|subject| Part {
            media_type: &subject.media_type,
            digest: subject.digest.to_string(),
            size: subject.size,
            annotations: None,
        }),
        annotations: notes(&artifact.annotations),
    })
}
