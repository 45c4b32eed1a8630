//! What may pass: thresholds, suppressions and VEX statements over a report, to
//! a verdict.
//!
//! The crate knows findings, not where they come from; it reads no file. The
//! command parses `seawall.toml`, `.seawallignore` and flags, and hands them in.

mod baseline;
mod suppression;
mod thresholds;
mod vers;
mod vex;

pub use baseline::{Compared, Scope, compare};
pub use suppression::{Outcome, PatternError, Suppression, suppress};
pub use thresholds::{Thresholds, Verdict};
