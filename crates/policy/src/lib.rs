//! What may pass: thresholds and suppressions over a report, to a verdict.
//!
//! The crate knows findings, not where they come from; it reads no file. The
//! command parses `seawall.toml`, `.seawallignore` and flags, and hands them in.

mod suppression;
mod thresholds;

pub use suppression::{PatternError, Suppressed, Suppression, suppress};
pub use thresholds::{Thresholds, Verdict};
