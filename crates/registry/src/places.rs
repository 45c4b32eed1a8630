//! Where a repository's content can be had: its mirrors, then its registry.

use std::fmt;

use crate::{Address, Error, Host, Hosts, Reference, Repository, Scope, address::is_loopback};

/// A repository at a registry or at a mirror of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    repository: Repository,
    is_plain: bool,
    pub(crate) is_mirror: bool,
}

impl Place {
    /// The registry itself.
    pub(crate) fn registry(repository: &Repository, hosts: &Hosts) -> Self {
        let host = repository.host();
        Place {
            is_plain: is_plain(host, &hosts.of(host)),
            repository: repository.clone(),
            is_mirror: false,
        }
    }

    /// The mirrors in their order, then the registry.
    pub(crate) fn all(repository: &Repository, hosts: &Hosts) -> Result<Vec<Self>, Error> {
        let mut places = Vec::new();
        for mirror in hosts.of(repository.host()).mirrors {
            places.push(Place::mirror(&mirror, repository, hosts)?);
        }
        places.push(Place::registry(repository, hosts));
        Ok(places)
    }

    /// A mirror as users write it: `host[:port][/prefix]`, `http://` before it
    /// where it is spoken to without TLS.
    fn mirror(mirror: &str, repository: &Repository, hosts: &Hosts) -> Result<Self, Error> {
        let (rest, is_plain_wanted) = match mirror.split_once("://") {
            Some(("http", rest)) => (rest, true),
            Some(("https", rest)) => (rest, false),
            _ => (mirror, false),
        };
        let rest = rest.trim_end_matches('/');
        let name = format!("{rest}/{}", repository.path());
        let first = name.split('/').next().unwrap_or_default();
        let reference = name.parse::<Reference>().ok().filter(|reference| {
            // Not a user of Docker Hub by mistake.
            reference.repository().host() == first.to_ascii_lowercase()
        });
        let Some(reference) = reference else {
            let (mirror, registry) = (mirror.to_owned(), repository.host().to_owned());
            return Err(Error::Mirror { mirror, registry });
        };
        let repository = reference.repository();
        let host = repository.host();
        let is_secure_wanted = mirror.starts_with("https://");
        Ok(Place {
            is_plain: is_plain_wanted || (!is_secure_wanted && is_plain(host, &hosts.of(host))),
            repository: repository.clone(),
            is_mirror: true,
        })
    }

    /// The address of something of the repository (OCI distribution-spec 1.1,
    /// "Endpoints").
    pub(crate) fn at(&self, rest: &str) -> Result<Address, Error> {
        let host = match self.repository.host() {
            "docker.io" => "registry-1.docker.io",
            other => other,
        };
        let scheme = if self.is_plain { "http" } else { "https" };
        let path = self.repository.path();
        Ok(Address::parse(&format!(
            "{scheme}://{host}/v2/{path}/{rest}"
        ))?)
    }

    /// The registry's or the mirror's name.
    pub(crate) fn host(&self) -> &str {
        self.repository.host()
    }

    pub(crate) fn pull(&self) -> [Scope; 1] {
        [Scope::pull(&self.repository)]
    }

    pub(crate) fn push(&self) -> [Scope; 1] {
        [Scope::push(&self.repository)]
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.repository.fmt(f)
    }
}

/// Whether a registry is spoken to without TLS: where that is asked for, and
/// on this machine, unless something of TLS is set for it.
fn is_plain(host: &str, settings: &Host) -> bool {
    let has_tls = !settings.authorities.is_empty() || settings.identity.is_some();
    settings.plain_http || (is_loopback(host) && !has_tls)
}
