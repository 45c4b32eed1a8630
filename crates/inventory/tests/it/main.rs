//! The inventory against the tools whose databases it reads.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

mod apk;
mod dotnet;
mod dpkg;
mod fingerprint;
mod hostile;
mod installed;
mod jar;
mod layers;
mod lock;
mod managers;
mod os;
mod ownership;
mod programs;
mod requires;
mod rpm;
mod sbom;
mod support;
