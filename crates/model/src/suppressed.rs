//! Findings that do not count, and who said so.

use crate::{Finding, vex::Claim};

/// A finding that was taken out of the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppressed {
    /// What was found.
    pub finding: Finding,
    /// Everything that took it out; never empty.
    pub by: Vec<Suppressor>,
}

/// What took a finding out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suppressor {
    /// Somebody who runs the scan: the settings, an ignore file.
    Setting {
        /// Where it is written: `seawall.toml:12`.
        place: String,
        /// Why; empty when nothing is said.
        reason: String,
        /// Why it does no harm, in OpenVEX's words ([`crate::vex::JUSTIFICATIONS`]).
        justification: Option<String>,
        /// The last day on which it holds, `YYYY-MM-DD`.
        expires: Option<String>,
    },
    /// A statement of a VEX document.
    Vex(Claim),
}
