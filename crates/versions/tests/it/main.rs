//! The orders against the tools that define them, and against the laws of
//! total orders.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on says so by failing"
)]

mod alpine;
mod debian;
mod go;
mod jvm;
mod laws;
mod node;
mod others;
mod php;
mod python;
mod red_hat;
mod ruby;
mod support;
mod tables;
