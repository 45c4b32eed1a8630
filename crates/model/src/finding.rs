//! One rule broken in one place.

use crate::{Confidence, Fingerprint, Fix, Location, Severity, Vulnerability};

/// One rule broken at one primary location.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Index of the target in the report.
    pub target: usize,
    /// The rule's id.
    pub rule: &'static str,
    /// The same finding in other tools' words; for a flaw its other ids.
    pub aliases: Vec<String>,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// One sentence, lower case, no full stop, values in backticks.
    pub message: String,
    /// Stable over edits of the target.
    pub fingerprint: Fingerprint,
    /// Where.
    pub location: Location,
    /// Other places that matter.
    pub related: Vec<Location>,
    /// Index of the package in [`crate::Report::packages`].
    pub package: Option<usize>,
    /// The flaw, when it is one.
    pub vulnerability: Option<Box<Vulnerability>>,
    /// How to mend it.
    pub fix: Option<Fix>,
}
