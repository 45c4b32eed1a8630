//! Docker's `daemon.json`: mirrors of Docker Hub, and registries that the
//! daemon speaks to without TLS.

use std::path::PathBuf;

use serde::Deserialize;

use super::{HostsError, Way, mirror_of, text};
use crate::{Machine, Repository};

/// What the daemon is told about registries.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Daemon {
    registry_mirrors: Vec<String>,
    insecure_registries: Vec<String>,
    #[serde(skip)]
    path: PathBuf,
}

/// Reads the file, where there is one.
pub(super) fn read(machine: &Machine) -> Result<Daemon, HostsError> {
    let path = machine.system("etc/docker/daemon.json");
    let Some(text) = text(&path)?.filter(|text| !text.trim().is_empty()) else {
        return Ok(Daemon::default());
    };
    let read: Result<Daemon, _> = serde_json::from_str(&text);
    read.map(|daemon| Daemon {
        path: path.clone(),
        ..daemon
    })
    .map_err(|error| HostsError::File {
        path,
        what: error.to_string(),
    })
}

impl Daemon {
    /// The mirrors of Docker Hub. What cannot be one is the daemon's business.
    pub(super) fn mirrors(&self, repository: &Repository) -> Vec<Way> {
        let mirrors = self.registry_mirrors.iter();
        mirrors
            .filter_map(|mirror| mirror_of(mirror, repository).ok())
            .map(|way| Way {
                from: Some(self.path.clone()),
                ..way
            })
            .collect()
    }

    /// The file, where it names this registry.
    pub(super) fn insecure(&self, name: &str) -> Option<PathBuf> {
        let mut all = self.insecure_registries.iter();
        all.any(|other| other == name).then(|| self.path.clone())
    }
}
