//! Tests of the crate against the real advisories.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::string_slice,
    reason = "a test that cannot go on says so by failing"
)]

mod matching;
mod memory;
mod osv_scanner;
mod readers;
mod server;
mod starter;
mod stores;
mod support;
mod updates;

use std::path::{Path, PathBuf};

/// The folder of shared data; `None`, with a word about it, when it is not there.
/// Under `SEAWALL_NO_SKIP` its absence is a failure.
pub(crate) fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("SEAWALL_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    if folder.join("advisories").is_dir() {
        return Some(folder);
    }
    skip("the shared advisories are not there");
    None
}

/// Whether a program is installed.
pub(crate) fn need(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    if !found {
        skip(&format!("`{tool}` is not installed"));
    }
    found
}

pub(crate) fn skip(reason: &str) {
    assert!(
        std::env::var_os("SEAWALL_NO_SKIP").is_none(),
        "skipped: {reason}"
    );
    eprintln!("skipped: {reason}");
}
