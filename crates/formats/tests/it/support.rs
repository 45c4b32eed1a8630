//! What the tests share.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Real images, if they are here.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let dir =
        std::env::var_os("SEAWALL_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let path = dir.join(name);
    if path.exists() {
        return Some(path);
    }
    skip(&format!("there is no {}", path.display()));
    None
}

/// Whether all of these programs are here.
pub(crate) fn have(programs: &[&str]) -> bool {
    programs.iter().all(|program| {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output();
        let is_here = found.is_ok_and(|output| output.status.success());
        if !is_here {
            skip(&format!("there is no `{program}`"));
        }
        is_here
    })
}

/// Says that a test cannot run; in CI that is a failure.
pub(crate) fn skip(why: &str) {
    assert!(
        std::env::var_os("SEAWALL_NO_SKIP").is_none(),
        "not skipped: {why}"
    );
    eprintln!("skipped: {why}");
}

/// Runs a program that must succeed.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
