//! `auth.json` of Podman, Buildah and Skopeo (containers-auth.json(5)).

use std::path::PathBuf;

use super::File;
use crate::machine::Machine;

/// The file that the environment names, which is then the only one.
pub(super) fn named(machine: &Machine) -> Option<PathBuf> {
    machine.variable("REGISTRY_AUTH_FILE").map(PathBuf::from)
}

/// The usual places: the one that a login writes, which goes with the session,
/// then the one that stays.
pub(super) fn files(machine: &Machine) -> Vec<File> {
    let runtime = match machine.variable("XDG_RUNTIME_DIR") {
        Some(folder) => PathBuf::from(folder).join("containers"),
        None => machine.system(&format!("run/containers/{}", machine.user())),
    };
    let lasting = machine.config_home().map(|home| home.join("containers"));
    let folders = [Some(runtime), lasting].into_iter().flatten();
    folders
        .map(|folder| File::usual(folder.join("auth.json")))
        .collect()
}
