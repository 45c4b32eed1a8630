//! Images made by real tools, read through the public interface.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test fails by a panic"
)]

mod cache;
mod content;
mod hostile;
mod layers;
mod parts;
mod platforms;
mod registries;
mod sources;
mod streams;
mod support;
