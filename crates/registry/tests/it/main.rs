//! The client against registries and token servers that somebody else wrote,
//! and against hostile ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod blobs;
mod credentials;
mod helpers;
mod hosts;
mod lists;
mod mirrors;
mod proxies;
mod pulls;
mod pushes;
mod realms;
mod redirects;
mod referrers;
mod secure;
mod stage;
mod support;
mod tokens;
