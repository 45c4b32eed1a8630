//! Every format on one report that holds every kind of finding, and hostile
//! text wherever text comes from outside.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by a panic and talks to the developer"
)]

mod hostile;
mod sample;
mod schemas;
mod snapshots;
mod support;
