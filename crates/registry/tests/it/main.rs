//! The client against registries and token servers that somebody else wrote,
//! and against hostile ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod blobs;
mod credentials;
mod lists;
mod mirrors;
mod pulls;
mod realms;
mod redirects;
mod stage;
mod support;
mod tokens;
