//! Images made by real tools, read through the public interface.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test fails by a panic and talks to the developer"
)]

mod cache;
mod hostile;
mod layers;
mod parts;
mod platforms;
mod sources;
mod streams;
mod support;
