//! Tests of the crate against the real advisories.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that cannot go on says so by failing"
)]

mod feeds;
mod feeds_real;
mod follow;
mod matching;
mod memory;
mod osv_scanner;
mod published;
mod readers;
mod rpm_feeds;
mod server;
mod starter;
mod stores;
mod support;
mod updates;
mod weighed;

pub(crate) use seawall_testkit::have;

/// The folder of shared data, if it is here.
pub(crate) fn shared() -> Option<std::path::PathBuf> {
    let advisories = seawall_testkit::shared("advisories")?;
    advisories.parent().map(std::path::Path::to_owned)
}
