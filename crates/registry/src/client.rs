//! Questions to registries.

use std::{
    io::{self, Read},
    net::IpAddr,
    time::Duration,
};

use seawall_model::Digest;
use serde::Deserialize;

use crate::{Error, Reference, Repository};

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
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(60),
        }
    }
}

/// A client of any number of registries; threads may share it.
pub struct Client {
    agent: ureq::Agent,
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
        let agent = ureq::Agent::config_builder()
            .timeout_connect(Some(settings.connect))
            .timeout_recv_response(Some(settings.silence))
            .http_status_as_error(false)
            .user_agent(concat!("seawall/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Client { agent }
    }

    /// The manifest or index that `reference` names, held against its digest
    /// where one is given.
    ///
    /// # Errors
    /// When it is not there, cannot be fetched or is not what its digest says.
    pub fn manifest(&self, reference: &Reference) -> Result<Manifest, Error> {
        let repository = reference.repository();
        let url = address(repository, &format!("manifests/{}", reference.wanted()));
        let response = self.get(&url, MANIFESTS, &reference.to_string())?;
        let media_type = response.headers().get("content-type");
        let media_type = media_type.and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        let bytes = whole(response, &url, MANIFEST_LIMIT)?;
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
        let url = address(repository, &format!("blobs/{digest}"));
        let response = self.get(&url, "*/*", &format!("{repository}@{digest}"))?;
        Ok(Box::new(response.into_body().into_reader()))
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
        let url = address(repository, "tags/list");
        let response = self.get(&url, "application/json", &repository.to_string())?;
        let bytes = whole(response, &url, MANIFEST_LIMIT)?;
        let answer: Answer = serde_json::from_slice(&bytes).map_err(|error| Error::Malformed {
            url,
            reason: error.to_string(),
        })?;
        Ok(answer.tags.unwrap_or_default())
    }

    fn get(
        &self,
        url: &str,
        accept: &str,
        what: &str,
    ) -> Result<ureq::http::Response<ureq::Body>, Error> {
        let response = self.agent.get(url).header("Accept", accept).call();
        let response = response.map_err(|cause| Error::Http {
            url: url.to_owned(),
            cause: Box::new(cause),
        })?;
        match response.status().as_u16() {
            200 => Ok(response),
            404 => Err(Error::NotThere(what.to_owned())),
            status => Err(Error::Refused {
                url: url.to_owned(),
                status,
            }),
        }
    }
}

/// A small body, to its end.
fn whole(
    response: ureq::http::Response<ureq::Body>,
    url: &str,
    limit: u64,
) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut body = response.into_body().into_reader().take(limit + 1);
    body.read_to_end(&mut bytes)
        .map_err(|cause: io::Error| Error::Body {
            url: url.to_owned(),
            cause,
        })?;
    if bytes.len() as u64 > limit {
        let what = format!("the size of `{url}`");
        return Err(Error::Limit { what, limit });
    }
    Ok(bytes)
}

/// The address of something of a repository (OCI distribution-spec 1.1,
/// "Endpoints"). The parts have passed strict parsers.
fn address(repository: &Repository, rest: &str) -> String {
    let host = match repository.host() {
        "docker.io" => "registry-1.docker.io",
        other => other,
    };
    let scheme = if is_loopback(host) { "http" } else { "https" };
    format!("{scheme}://{host}/v2/{}/{rest}", repository.path())
}

/// Whether nobody but this machine can listen in.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or(host),
    };
    name == "localhost"
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
