//! How bad a finding is.

use std::{fmt, str::FromStr};

/// How bad a finding is, ordered from least to worst.
///
/// `Unknown` sits above `Low`: something that nobody has judged must not sort
/// below something judged harmless. It never trips a `--fail-on` threshold by
/// itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Severity {
    /// Little to gain for an attacker; also what distributions call negligible.
    Low,
    /// Nobody has judged it yet.
    #[default]
    Unknown,
    /// Needs attention in due course.
    Medium,
    /// Needs attention soon.
    High,
    /// Needs attention now.
    Critical,
}

impl Severity {
    /// All severities, worst first.
    pub const ALL: [Severity; 5] = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Unknown,
        Severity::Low,
    ];

    /// The lower-case name used in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Unknown => "unknown",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// Whether a finding of this severity trips `--fail-on threshold`.
    ///
    /// An unknown severity does not; `--fail-on-unknown` exists for it.
    pub fn reaches(self, threshold: Severity) -> bool {
        self != Severity::Unknown && self >= threshold
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no severity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseSeverityError(String);

impl fmt::Display for ParseSeverityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no severity: use low, unknown, medium, high or critical",
            self.0
        )
    }
}

impl std::error::Error for ParseSeverityError {}

impl FromStr for Severity {
    type Err = ParseSeverityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Severity::ALL
            .into_iter()
            .find(|severity| severity.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| ParseSeverityError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_sorts_above_low_but_trips_no_threshold() {
        assert!(Severity::Unknown > Severity::Low);
        assert!(Severity::Unknown < Severity::Medium);
        assert!(!Severity::Unknown.reaches(Severity::Low));
        assert!(Severity::Low.reaches(Severity::Low));
        assert!(!Severity::Medium.reaches(Severity::High));
    }

    #[test]
    fn every_name_reads_back() {
        for severity in Severity::ALL {
            assert_eq!(severity.as_str().parse(), Ok(severity));
        }
        assert!("urgent".parse::<Severity>().is_err());
    }
}
