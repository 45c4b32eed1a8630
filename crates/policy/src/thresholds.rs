//! From findings and gaps to a verdict.

use seawall_model::{Finding, Report, Severity};

/// What makes a run fail. Without any condition nothing does.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Thresholds {
    /// A finding of this severity or worse.
    pub severity: Option<Severity>,
    /// A finding whose severity nobody knows.
    pub unknown: bool,
    /// A flaw in CISA's catalogue of known exploited vulnerabilities.
    pub exploited: bool,
    /// A flaw with at least this chance of exploitation in the next 30 days
    /// (EPSS, 0 to 1).
    pub epss: Option<f64>,
    /// Pass in spite of gaps.
    pub allow_gaps: bool,
}

/// What the thresholds say of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing stands against it.
    Pass,
    /// So many findings are at or above a threshold.
    Fail {
        /// How many.
        findings: usize,
    },
    /// No finding is, but something asked for could not be looked at, so that
    /// a pass would be a guess.
    Incomplete {
        /// How many gaps.
        gaps: usize,
    },
}

impl Thresholds {
    /// Whether any condition is set.
    pub fn any(&self) -> bool {
        self.severity.is_some() || self.unknown || self.exploited || self.epss.is_some()
    }

    /// Judges `report`. Findings weigh more than gaps: what was found is
    /// certain.
    pub fn judge(&self, report: &Report) -> Verdict {
        if !self.any() {
            return Verdict::Pass;
        }
        let findings = report
            .findings
            .iter()
            .filter(|finding| self.trips(finding))
            .count();
        if findings > 0 {
            return Verdict::Fail { findings };
        }
        // Whoever took a report for the baseline has seen its gaps.
        let known = report.baseline.as_ref().map_or(0, |one| one.gaps);
        let gaps = report.gaps.len().saturating_sub(known);
        if !self.allow_gaps && gaps > 0 {
            return Verdict::Incomplete { gaps };
        }
        Verdict::Pass
    }

    fn trips(&self, finding: &Finding) -> bool {
        let flaw = finding.vulnerability.as_deref();
        self.severity
            .is_some_and(|threshold| finding.severity.reaches(threshold))
            || (self.unknown && finding.severity == Severity::Unknown)
            || (self.exploited && flaw.is_some_and(|flaw| flaw.kev.is_some()))
            || self.epss.is_some_and(|threshold| {
                flaw.and_then(|flaw| flaw.epss)
                    .is_some_and(|epss| epss.score >= threshold)
            })
    }
}

#[cfg(test)]
mod tests {
    use seawall_model::{
        Confidence, Epss, Fingerprint, Gap, GapKind, Kev, Location, Vulnerability,
    };

    use super::*;

    fn finding(severity: Severity) -> Finding {
        Finding {
            target: 0,
            rule: "package/known-vulnerability",
            aliases: Vec::new(),
            severity,
            confidence: Confidence::High,
            message: String::new(),
            fingerprint: Fingerprint::of(&[]),
            location: Location::Target,
            related: Vec::new(),
            package: None,
            vulnerability: None,
            fix: None,
        }
    }

    fn report(findings: Vec<Finding>, gaps: usize) -> Report {
        let gap = Gap::new(GapKind::NoAdvisories, "arch", "no feed");
        Report {
            findings,
            gaps: vec![gap; gaps],
            ..Report::default()
        }
    }

    #[test]
    fn without_a_condition_everything_passes() {
        let report = report(vec![finding(Severity::Critical)], 3);
        assert_eq!(Thresholds::default().judge(&report), Verdict::Pass);
    }

    #[test]
    fn a_finding_weighs_more_than_a_gap_and_a_gap_more_than_nothing() {
        let high = Thresholds {
            severity: Some(Severity::High),
            ..Thresholds::default()
        };
        let findings = vec![finding(Severity::Critical), finding(Severity::Medium)];
        assert_eq!(
            high.judge(&report(findings, 1)),
            Verdict::Fail { findings: 1 }
        );
        let medium = || vec![finding(Severity::Medium), finding(Severity::Unknown)];
        assert_eq!(
            high.judge(&report(medium(), 1)),
            Verdict::Incomplete { gaps: 1 }
        );
        assert_eq!(high.judge(&report(medium(), 0)), Verdict::Pass);
        let lenient = Thresholds {
            allow_gaps: true,
            ..high
        };
        assert_eq!(lenient.judge(&report(medium(), 1)), Verdict::Pass);
    }

    #[test]
    fn unknown_exploited_and_likely_flaws_are_conditions_of_their_own() {
        let unknown = Thresholds {
            unknown: true,
            ..Thresholds::default()
        };
        assert_eq!(
            unknown.judge(&report(vec![finding(Severity::Unknown)], 0)),
            Verdict::Fail { findings: 1 }
        );
        let mut exploited = finding(Severity::Low);
        exploited.vulnerability = Some(Box::new(Vulnerability {
            kev: Some(Kev {
                added: "2025-08-25".into(),
                due: None,
                ransomware: false,
            }),
            epss: Some(Epss {
                score: 0.5,
                percentile: 0.97,
            }),
            ..Vulnerability::default()
        }));
        let report = report(vec![exploited], 0);
        let kev = Thresholds {
            exploited: true,
            ..Thresholds::default()
        };
        assert_eq!(kev.judge(&report), Verdict::Fail { findings: 1 });
        let epss = |score| Thresholds {
            epss: Some(score),
            ..Thresholds::default()
        };
        assert_eq!(epss(0.5).judge(&report), Verdict::Fail { findings: 1 });
        assert_eq!(epss(0.51).judge(&report), Verdict::Pass);
    }
}
