//! The table and the engine, from outside.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by a panic and talks to the developer"
)]

mod hostile;
mod peers;
mod stream;
mod table;
