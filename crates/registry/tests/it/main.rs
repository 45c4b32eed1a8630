//! The client against registries and token servers that somebody else wrote,
//! and against hostile ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod credentials;
mod realms;
mod support;
mod tokens;
