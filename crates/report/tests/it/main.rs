//! Every format on one report that holds every kind of finding, and hostile
//! text wherever text comes from outside.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod annotations;
mod earlier;
mod gitlab;
mod hostile;
mod sample;
mod schemas;
mod snapshots;
mod support;
