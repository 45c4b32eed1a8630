//! Where a repository's content can be had: its mirrors, then its registry.

use std::fmt;

use crate::{Address, Error, Host, Hosts, Repository, Scope, address::is_loopback};

/// A repository at a registry or at a mirror of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    repository: Repository,
    is_plain: bool,
    pub(crate) is_mirror: bool,
}

impl Place {
    /// The registry itself.
    pub(crate) fn registry(repository: &Repository, hosts: &Hosts) -> Result<Self, Error> {
        let mut places = Place::all(repository, hosts)?;
        // The last way is the registry's own.
        Ok(places.swap_remove(places.len() - 1))
    }

    /// The mirrors in their order, then the registry.
    pub(crate) fn all(repository: &Repository, hosts: &Hosts) -> Result<Vec<Self>, Error> {
        let ways = hosts.ways(repository)?;
        let places = ways.into_iter().map(|way| {
            let host = way.repository.host();
            let is_plain = way
                .is_plain
                .unwrap_or_else(|| is_plain(host, &hosts.of(host)));
            Place {
                is_plain,
                repository: way.repository,
                is_mirror: way.is_mirror,
            }
        });
        Ok(places.collect())
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
