//! Documents that other tools wrote, and documents that mean harm.

#![expect(
    clippy::unwrap_used,
    reason = "tests fail by panicking and say what they skip"
)]

mod hostile;
mod others;
mod sample;
mod support;
mod vex;
mod written;
