//! Questions to registries.

use std::{io::Read, sync::Arc, time::Duration};

use seawall_model::Digest;
use serde::Deserialize;
use ureq::{
    Body,
    http::{Method, Response},
};

use crate::{
    Address, AuthError, Authority, Credentials, Error, Hosts, Reference, Repository, Scope,
    address::is_loopback,
    http::{Call, Http, header, whole},
};

/// Forms of manifests that are understood: an index or an image, in OCI's and
/// in Docker's words (OCI image-spec 1.1, media-types.md).
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// Bytes of a manifest (OCI distribution-spec 1.1, "Pushing manifests": at
/// least 4 MiB should be taken).
const MANIFEST_LIMIT: u64 = 4 << 20;

/// How registries are talked to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a connection may take.
    pub connect: Duration,
    /// How long a registry may be silent.
    pub silence: Duration,
    /// What is set for single registries.
    pub hosts: Hosts,
    /// Where credentials are looked for.
    pub credentials: Arc<Credentials>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(60),
            hosts: Hosts::default(),
            credentials: Arc::default(),
        }
    }
}

/// A client of any number of registries; threads may share it.
pub struct Client {
    http: Http,
    authority: Authority,
}

/// A manifest or an index, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The bytes, which have the digest.
    pub bytes: Vec<u8>,
    /// Their digest, computed here.
    pub digest: Digest,
    /// The registry's word for their form.
    pub media_type: String,
}

impl Client {
    /// A client.
    pub fn new(settings: &Settings) -> Self {
        Client {
            http: Http::new(settings),
            authority: Authority::new(settings),
        }
    }

    /// The manifest or index that `reference` names, held against its digest
    /// where one is given.
    ///
    /// # Errors
    /// When it is not there, cannot be fetched or is not what its digest says.
    pub fn manifest(&self, reference: &Reference) -> Result<Manifest, Error> {
        let repository = reference.repository();
        let at = address(repository, &format!("manifests/{}", reference.wanted()))?;
        let scopes = [Scope::pull(repository)];
        let answer = self.get(&at, MANIFESTS, &scopes, &reference.to_string())?;
        let media_type = header(answer.headers(), "content-type");
        let media_type = media_type.unwrap_or_default().to_owned();
        let bytes = whole(answer, &at, MANIFEST_LIMIT)?;
        let digest = Digest::of(&bytes);
        if let Some(expected) = reference.digest().filter(|expected| *expected != digest) {
            return Err(Error::Digest {
                name: reference.to_string(),
                expected,
                computed: digest,
            });
        }
        Ok(Manifest {
            bytes,
            digest,
            media_type,
        })
    }

    /// The stored bytes of a blob. Whoever reads them holds them against the
    /// digest.
    ///
    /// # Errors
    /// When it is not there or cannot be fetched.
    pub fn blob(
        &self,
        repository: &Repository,
        digest: Digest,
    ) -> Result<Box<dyn Read + Send>, Error> {
        let at = address(repository, &format!("blobs/{digest}"))?;
        let scopes = [Scope::pull(repository)];
        let answer = self.get(&at, "*/*", &scopes, &format!("{repository}@{digest}"))?;
        Ok(Box::new(answer.into_body().into_reader()))
    }

    /// The tags of a repository, in the registry's order.
    ///
    /// # Errors
    /// When they cannot be fetched.
    pub fn tags(&self, repository: &Repository) -> Result<Vec<String>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            tags: Option<Vec<String>>,
        }
        let at = address(repository, "tags/list")?;
        let scopes = [Scope::pull(repository)];
        let answer = self.get(&at, "application/json", &scopes, &repository.to_string())?;
        let bytes = whole(answer, &at, MANIFEST_LIMIT)?;
        let answer: Answer = serde_json::from_slice(&bytes).map_err(|error| Error::Malformed {
            url: at.to_string(),
            reason: error.to_string(),
        })?;
        Ok(answer.tags.unwrap_or_default())
    }

    fn get(
        &self,
        at: &Address,
        accept: &str,
        scopes: &[Scope],
        what: &str,
    ) -> Result<Response<Body>, Error> {
        let mut shown = self.authority.header(&self.http, at, scopes)?;
        let mut is_first = true;
        loop {
            let mut headers = vec![("accept", accept.to_owned())];
            headers.extend(shown.clone().map(|value| ("authorization", value)));
            let answer = self.http.send(&Call {
                method: Method::GET,
                at,
                headers: &headers,
                body: None,
                is_guarded: false,
            })?;
            match answer.status().as_u16() {
                200 => return Ok(answer),
                401 if is_first => {
                    is_first = false;
                    let headers = answer.headers();
                    let before = shown.as_deref();
                    shown = (self.authority).challenged(&self.http, at, headers, scopes, before)?;
                    if shown.is_some() {
                        continue;
                    }
                }
                404 => return Err(Error::NotThere(what.to_owned())),
                _ => {}
            }
            if let status @ (401 | 403) = answer.status().as_u16() {
                return Err(AuthError::Denied {
                    url: at.to_string(),
                    status,
                    with: self.authority.explain(at, scopes),
                }
                .into());
            }
            return Err(Error::Refused {
                url: at.to_string(),
                status: answer.status().as_u16(),
            });
        }
    }
}

/// The address of something of a repository (OCI distribution-spec 1.1,
/// "Endpoints").
fn address(repository: &Repository, rest: &str) -> Result<Address, Error> {
    let host = match repository.host() {
        "docker.io" => "registry-1.docker.io",
        other => other,
    };
    let scheme = if is_loopback(host) { "http" } else { "https" };
    let address = format!("{scheme}://{host}/v2/{}/{rest}", repository.path());
    Ok(Address::parse(&address)?)
}
