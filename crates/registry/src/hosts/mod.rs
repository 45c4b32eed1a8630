//! What is set for single registries: by the user, else by the files that
//! Docker, Podman and containerd have on this machine.
//!
//! Files of others are asked for certificates, for mirrors and for registries
//! that are blocked. That a registry may be spoken to without TLS is never
//! taken from them: they say so for another program.

mod certificates;
mod containerd;
mod docker;
mod podman;

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
};

use crate::{
    Machine, Repository,
    address::is_loopback,
    lock::lock,
    machine,
    reference::{is_host_like, usual_host, without_credentials},
};

/// Bytes of a file of settings.
const FILE_LIMIT: u64 = 1 << 20;

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

/// A way to a repository: where it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The repository as it is called there.
    pub repository: Repository,
    /// Whether it goes without TLS, where that is said of this way alone.
    pub is_plain: Option<bool>,
    /// Whether it leads to somebody who keeps copies.
    pub is_mirror: bool,
    /// The file that says so; `None` for the registry itself and for the
    /// user's own settings.
    pub from: Option<PathBuf>,
}

/// Why there is no way to a repository.
#[derive(Debug, thiserror::Error)]
pub enum HostsError {
    /// A file cannot be understood.
    #[error("cannot understand `{}`: {what}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Whoever runs this machine does not want it.
    #[error("`{name}` is blocked by `{prefix}` in `{}`", .path.display())]
    Blocked {
        /// The repository.
        name: String,
        /// The entry.
        prefix: String,
        /// The file.
        path: PathBuf,
    },
    /// A mirror that cannot be one.
    #[error("`{mirror}` cannot be a mirror of `{registry}`: write `HOST[:PORT][/PREFIX]`")]
    Mirror {
        /// As it is written.
        mirror: String,
        /// Whose mirror it should be.
        registry: String,
    },
}

/// What is set for all registries. Clones share what they have read.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    by_name: BTreeMap<String, Host>,
    trusted: Vec<PathBuf>,
    machine: Option<Machine>,
    read: Arc<Read>,
}

/// What was read of the machine.
#[derive(Debug, Default)]
struct Read {
    hosts: Mutex<HashMap<String, Host>>,
    podman: OnceLock<podman::Registries>,
    docker: OnceLock<docker::Daemon>,
}

impl Hosts {
    /// Those that the files of this machine tell of.
    pub fn of_machine(machine: &Machine) -> Self {
        Hosts {
            machine: Some(machine.clone()),
            ..Hosts::default()
        }
    }

    /// Sets a registry by its name, `host[:port]`.
    pub fn set(&mut self, name: &str, host: Host) {
        let name = name.to_ascii_lowercase();
        self.by_name.insert(usual_host(&name).to_owned(), host);
        self.read = Arc::default();
    }

    /// Trusts an authority (PEM) for all registries.
    pub fn trust(&mut self, authority: impl Into<PathBuf>) {
        self.trusted.push(authority.into());
        self.read = Arc::default();
    }

    /// What is set for a registry, by `host[:port]`: what the user has set, and
    /// the certificates of the machine's files.
    pub fn of(&self, name: &str) -> Host {
        let name = usual_host(name);
        let mut read = lock(&self.read.hosts);
        if let Some(host) = read.get(name) {
            return host.clone();
        }
        let mut host = self.by_name.get(name).cloned().unwrap_or_default();
        host.authorities.extend(self.trusted.iter().cloned());
        if let Some(machine) = &self.machine {
            let mut found = certificates::find(machine, name);
            found.extend(containerd::read(machine, name).map(|file| file.certificates));
            for certificates in found {
                host.authorities.extend(certificates.authorities);
                host.identity = host.identity.or(certificates.identity);
            }
        }
        read.insert(name.to_owned(), host.clone());
        host
    }

    /// The ways to a repository, mirrors first. The first of these that has
    /// mirrors is believed: the user's settings, `registries.conf`, containerd's
    /// `hosts.toml`, Docker's `daemon.json`.
    ///
    /// # Errors
    /// When the repository is blocked, or a file about it cannot be understood.
    pub fn ways(&self, repository: &Repository) -> Result<Vec<Way>, HostsError> {
        let name = repository.host();
        let mut registry = Way {
            repository: repository.clone(),
            is_plain: None,
            is_mirror: false,
            from: None,
        };
        let mut ways = Vec::new();
        for mirror in &self.of(name).mirrors {
            ways.push(mirror_of(mirror, repository)?);
        }
        if let Some(machine) = &self.machine {
            let podman = self.podman(machine)?;
            let entry = podman.entry(repository)?;
            if let Some(entry) = &entry {
                registry.repository = entry.location.clone();
                registry.from = entry.is_moved.then(|| entry.path.clone());
            }
            if ways.is_empty() {
                ways = entry.map(|entry| entry.mirrors).unwrap_or_default();
            }
            if ways.is_empty() {
                let file = containerd::read(machine, name);
                ways = file.map_or_else(Vec::new, |file| file.mirrors(repository));
            }
            if ways.is_empty() && name == "docker.io" {
                ways = self.docker(machine)?.mirrors(repository);
            }
            // Nobody has allowed us to.
            ways.retain(|way| {
                way.from.is_none()
                    || way.is_plain != Some(true)
                    || self.of(way.repository.host()).plain_http
                    || is_loopback(way.repository.host())
            });
        }
        ways.push(registry);
        Ok(ways)
    }

    /// Who on this machine says that a registry may do without TLS: what a
    /// hint can name, and nothing more.
    pub fn insecure_for_others(&self, name: &str) -> Option<PathBuf> {
        let machine = self.machine.as_ref()?;
        let podman = self
            .podman(machine)
            .ok()
            .and_then(|file| file.insecure(name));
        podman.or_else(|| self.docker(machine).ok()?.insecure(name))
    }

    fn podman(&self, machine: &Machine) -> Result<&podman::Registries, HostsError> {
        match self.read.podman.get() {
            Some(read) => Ok(read),
            None => {
                let read = podman::read(machine)?;
                Ok(self.read.podman.get_or_init(|| read))
            }
        }
    }

    fn docker(&self, machine: &Machine) -> Result<&docker::Daemon, HostsError> {
        match self.read.docker.get() {
            Some(read) => Ok(read),
            None => {
                let read = docker::read(machine)?;
                Ok(self.read.docker.get_or_init(|| read))
            }
        }
    }
}

/// A mirror as users write it: `host[:port][/prefix]`, with `http://` before it
/// where it is spoken to without TLS.
fn mirror_of(mirror: &str, repository: &Repository) -> Result<Way, HostsError> {
    let (rest, is_plain) = match mirror.split_once("://") {
        Some(("http", rest)) => (rest, Some(true)),
        Some(("https", rest)) => (rest, Some(false)),
        _ => (mirror, None),
    };
    // Without a scheme a single word may be anything.
    let is_named = |host: &str| is_plain.is_some() || is_host_like(host);
    let (host, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let path = match prefix.trim_matches('/') {
        "" => repository.path().to_owned(),
        prefix => format!("{prefix}/{}", repository.path()),
    };
    match Repository::new(host, &path).filter(|there| is_named(there.host())) {
        Some(repository) => Ok(Way {
            repository,
            is_plain,
            is_mirror: true,
            from: None,
        }),
        None => Err(HostsError::Mirror {
            mirror: without_credentials(mirror).unwrap_or_else(|| mirror.to_owned()),
            registry: repository.host().to_owned(),
        }),
    }
}

/// The text of a file; `None` when there is none.
fn text(path: &Path) -> Result<Option<String>, HostsError> {
    let failed = |what: String| HostsError::File {
        path: path.to_owned(),
        what,
    };
    let bytes = machine::read(path, FILE_LIMIT).map_err(|error| failed(error.to_string()))?;
    let text = bytes.map(String::from_utf8).transpose();
    text.map_err(|_| failed("it is no UTF-8".to_owned()))
}
