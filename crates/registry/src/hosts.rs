//! What is set for single registries.

use std::path::PathBuf;

/// How one registry or one mirror is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Whether it is spoken to without TLS. On loopback it is anyway, where
    /// nothing of TLS is set.
    pub plain_http: bool,
    /// Files with certificate authorities (PEM) that are trusted besides the
    /// system's.
    pub authorities: Vec<PathBuf>,
    /// Who we are, to a registry that asks for client certificates.
    pub identity: Option<Identity>,
    /// Token servers, `host[:port]`, that may have its credentials although
    /// they are on another domain.
    pub token_servers: Vec<String>,
    /// Asked before the registry itself, in this order: `host[:port][/prefix]`.
    pub mirrors: Vec<String>,
}

/// A client certificate: PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, with its chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What is set for all registries.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    by_name: std::collections::BTreeMap<String, Host>,
}

impl Hosts {
    /// Sets a registry by its name, `host[:port]`.
    pub fn set(&mut self, name: &str, host: Host) {
        self.by_name.insert(name.to_ascii_lowercase(), host);
    }

    /// What is set for a registry, by `host[:port]`.
    pub fn of(&self, name: &str) -> Host {
        self.by_name.get(name).cloned().unwrap_or_default()
    }
}
