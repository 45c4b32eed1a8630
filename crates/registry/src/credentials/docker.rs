//! Docker's `config.json`, and the `.dockercfg` of old.

use super::File;
use crate::machine::Machine;

/// The usual places: what `DOCKER_CONFIG` names instead of `~/.docker`.
pub(super) fn files(machine: &Machine) -> Vec<File> {
    let home = machine.home();
    let folder = machine.variable("DOCKER_CONFIG").map(Into::into);
    let folder = folder.or_else(|| Some(home.as_ref()?.join(".docker")));
    let config = folder.map(|folder: std::path::PathBuf| folder.join("config.json"));
    let old = home.map(|home| File {
        is_old: true,
        ..File::usual(home.join(".dockercfg"))
    });
    config.map(File::usual).into_iter().chain(old).collect()
}
