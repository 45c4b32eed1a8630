//! What the tests of all crates share: outside tools, data, servers to talk to.
//!
//! A test that needs something which is not there says so and is skipped; where
//! `SEAWALL_NO_SKIP` is set, as in CI, that is a failure. Only tests and
//! benchmarks depend on this crate.
#![expect(clippy::print_stderr, reason = "a skipped test talks to the developer")]

mod containerd;
mod latency;
mod proxy;
mod registry;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

pub use containerd::Containerd;
pub use latency::Latency;
pub use proxy::{Act, Answer, Asked, Delivery, Proxy};
pub use registry::{Authority, Registry, Setup, htpasswd, request, run};

/// The repository.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap_or(root)
}

/// Says that a test cannot run; never true, so that a check can end with it.
///
/// # Panics
/// Where a skipped test is a failure.
pub fn skip(why: &str) -> bool {
    assert!(
        env::var_os("SEAWALL_NO_SKIP").is_none(),
        "not skipped: {why}"
    );
    eprintln!("skipped: {why}");
    false
}

/// Whether all of these programs are on the path.
pub fn have(programs: &[&str]) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_here = |program: &&&str| env::split_paths(&path).any(|dir| dir.join(program).is_file());
    let missing = programs.iter().find(|program| !is_here(program));
    missing.is_none_or(|program| skip(&format!("`{program}` is not on the path")))
}

/// Whether Python has these modules, separated by commas.
pub fn have_modules(modules: &str) -> bool {
    let mut python = Command::new("python3");
    let output = python.args(["-c", &format!("import {modules}")]).output();
    output.is_ok_and(|output| output.status.success())
        || skip(&format!("Python has no `{modules}`"))
}

/// A file or folder of the data beside the repository (real advisories, images,
/// projects), or of the folder that `SEAWALL_SHARED` names.
pub fn shared(path: &str) -> Option<PathBuf> {
    let folder =
        env::var_os("SEAWALL_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let path = folder.join(path);
    (path.exists() || skip(&format!("`{}` is not there", path.display()))).then_some(path)
}
