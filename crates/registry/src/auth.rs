//! Who we are, to registries that ask.

use std::fmt;

use ureq::http::HeaderMap;

use crate::{Address, Error, Repository, Settings, http::Http};

/// What is to be done with a repository (distribution's token scope).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    repository: String,
    actions: &'static str,
}

impl Scope {
    /// Reading of a repository.
    pub fn pull(repository: &Repository) -> Self {
        Scope {
            repository: repository.path().to_owned(),
            actions: "pull",
        }
    }

    /// Reading of it and writing to it.
    pub fn push(repository: &Repository) -> Self {
        Scope {
            repository: repository.path().to_owned(),
            actions: "pull,push",
        }
    }

    /// The repository's name below its registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// `pull` or `pull,push`.
    pub fn actions(&self) -> &'static str {
        self.actions
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "repository:{}:{}", self.repository, self.actions)
    }
}

/// Knows what registries want to be shown; threads share it.
#[derive(Debug)]
pub struct Authority {}

impl Authority {
    /// One that knows what the settings say.
    pub(crate) fn new(_settings: &Settings) -> Self {
        Authority {}
    }

    /// The `Authorization` to begin with, where what the registry wants is
    /// known already. A token that ends soon is changed for a new one first.
    pub(crate) fn header(
        &self,
        _http: &Http,
        _at: &Address,
        _scopes: &[Scope],
    ) -> Result<Option<String>, Error> {
        Ok(None)
    }

    /// The `Authorization` to try once more with, after a 401 with these
    /// headers to a request that had shown `shown`; `None` where there is none
    /// to show. Only the registry's own answer counts, not that of a store
    /// which it redirects to.
    pub(crate) fn challenged(
        &self,
        _http: &Http,
        _at: &Address,
        _headers: &HeaderMap,
        _scopes: &[Scope],
        _shown: Option<&str>,
    ) -> Result<Option<String>, Error> {
        Ok(None)
    }
}
