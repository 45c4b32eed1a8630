//! Folders of certificates by registry, `certs.d/HOST[:PORT]`: `*.crt` are
//! authorities, `*.cert` with `*.key` are ours (containers-certs.d(5), and
//! Docker's "Verify repository client with certificates").

use std::{fs, path::PathBuf};

use super::Identity;
use crate::Machine;

/// Files of one folder.
const MOST: usize = 1000;

/// What TLS needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Certificates {
    pub(super) authorities: Vec<PathBuf>,
    pub(super) identity: Option<Identity>,
}

/// What the folders have for a registry, the user's own first.
pub(super) fn find(machine: &Machine, name: &str) -> Vec<Certificates> {
    // Names of registries have passed a strict parser; this one may not have.
    if name.contains('/') || name.starts_with('.') {
        return Vec::new();
    }
    let config = machine.config_home();
    let folders = [
        config.as_ref().map(|home| home.join("containers/certs.d")),
        config.as_ref().map(|home| home.join("docker/certs.d")),
        Some(machine.system("etc/containers/certs.d")),
        Some(machine.system("etc/docker/certs.d")),
    ];
    let folders = folders.into_iter().flatten();
    folders
        .filter_map(|folder| read(folder.join(name)))
        .collect()
}

fn read(folder: PathBuf) -> Option<Certificates> {
    let mut found = Certificates::default();
    let files = fs::read_dir(folder).ok()?.take(MOST).flatten();
    let mut paths: Vec<PathBuf> = files.map(|file| file.path()).collect();
    // The first pair is the same on every run.
    paths.sort();
    for path in paths {
        match path.extension().and_then(|end| end.to_str()) {
            Some("crt") => found.authorities.push(path),
            Some("cert") => {
                let key = path.with_extension("key");
                if found.identity.is_none() && key.is_file() {
                    found.identity = Some(Identity {
                        certificate: path,
                        key,
                    });
                }
            }
            _ => {}
        }
    }
    Some(found)
}
