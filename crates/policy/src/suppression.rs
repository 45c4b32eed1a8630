//! Findings that someone has decided to live with.

use globset::{Glob, GlobMatcher};
use seawall_model::{Finding, Report, Suppressed, Suppressor, vex::Document};

use crate::vex::Statements;

/// Takes findings out of a report: every condition that is set must hold.
#[derive(Clone, Debug)]
pub struct Suppression {
    /// A rule's id, a vulnerability's id or any alias of either, without case.
    pub id: Option<String>,
    /// A pattern over the finding's path (`**/package-lock.json`).
    path: Option<GlobMatcher>,
    /// The package's name.
    pub package: Option<String>,
    /// Why.
    pub reason: String,
    /// Why it does no harm, in OpenVEX's words.
    pub justification: Option<String>,
    /// The last day on which it holds, `YYYY-MM-DD`.
    pub expires: Option<String>,
    /// Where it is written, for messages: `seawall.toml:12`.
    pub place: String,
}

/// A path pattern that is none.
#[derive(Debug, thiserror::Error)]
#[error("`{pattern}` is no path pattern: {reason}")]
pub struct PatternError {
    pattern: String,
    reason: String,
}

impl Suppression {
    /// A suppression with no condition but those given.
    ///
    /// # Errors
    /// When `path` is no glob.
    pub fn new(
        id: Option<String>,
        path: Option<&str>,
        package: Option<String>,
        place: impl Into<String>,
    ) -> Result<Self, PatternError> {
        let path = path
            .map(Glob::new)
            .transpose()
            .map_err(|error| PatternError {
                pattern: path.unwrap_or_default().to_owned(),
                reason: error.kind().to_string(),
            })?;
        Ok(Suppression {
            id,
            path: path.map(|glob| glob.compile_matcher()),
            package,
            reason: String::new(),
            justification: None,
            expires: None,
            place: place.into(),
        })
    }

    /// Whether it holds in some places only.
    pub fn is_of_paths(&self) -> bool {
        self.path.is_some()
    }

    /// Whether its last day is over on the day `today`, `YYYY-MM-DD`.
    pub fn is_over(&self, today: &str) -> bool {
        self.expires.as_deref().is_some_and(|last| last < today)
    }

    fn suppressor(&self) -> Suppressor {
        Suppressor::Setting {
            place: self.place.clone(),
            reason: self.reason.clone(),
            justification: self.justification.clone(),
            expires: self.expires.clone(),
        }
    }

    fn matches(&self, finding: &Finding, package: Option<&str>) -> bool {
        let same = |id: &str| {
            self.id
                .as_deref()
                .is_none_or(|own| own.eq_ignore_ascii_case(id))
        };
        let flaw = finding.vulnerability.as_deref();
        let id = self.id.is_none()
            || same(finding.rule)
            || finding.aliases.iter().any(|alias| same(alias))
            || flaw.is_some_and(|flaw| {
                same(&flaw.id) || same(&flaw.advisory) || flaw.aliases.iter().any(|id| same(id))
            });
        let path = self.path.as_ref().is_none_or(|glob| {
            finding
                .location
                .path()
                .is_some_and(|path| glob.is_match(path))
        });
        let named = self
            .package
            .as_deref()
            .is_none_or(|own| package == Some(own));
        id && path && named
    }
}

/// What the suppressions did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Indexes of suppressions that matched nothing: stale ones hide the next
    /// real finding, so they are worth a word.
    pub unused: Vec<usize>,
    /// Indexes of suppressions whose last day is over; they did nothing.
    pub expired: Vec<usize>,
    /// For each document the indexes of its statements that matched nothing.
    pub unused_statements: Vec<Vec<usize>>,
}

/// Takes the findings that `list` matches, and those of which the latest
/// statement of `documents` says that they do no harm, out of `report`; what
/// other statements say is written beside the flaw. `today` is `YYYY-MM-DD`.
pub fn suppress(
    report: &mut Report,
    list: &[Suppression],
    documents: &[Document],
    today: &str,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut used = vec![false; list.len()];
    let findings = std::mem::take(&mut report.findings);
    let mut statements = Statements::new(report, documents);
    let (mut kept, mut suppressed) = (Vec::new(), Vec::new());
    for mut finding in findings {
        let package = finding
            .package
            .and_then(|at| report.packages.get(at))
            .map(|at| at.name.as_str());
        let mut by = Vec::new();
        for (one, used) in list.iter().zip(&mut used) {
            if !one.is_over(today) && one.matches(&finding, package) {
                *used = true;
                by.push(one.suppressor());
            }
        }
        match statements.latest(&finding) {
            Some(claim) if claim.status.suppresses() => by.push(Suppressor::Vex(claim.clone())),
            Some(claim) => {
                if let Some(flaw) = finding.vulnerability.as_deref_mut() {
                    flaw.claim = Some(Box::new(claim.clone()));
                }
            }
            None => {}
        }
        if by.is_empty() {
            kept.push(finding);
        } else {
            suppressed.push(Suppressed { finding, by });
        }
    }
    outcome.unused_statements = statements.unused();
    report.findings = kept;
    report.suppressed.extend(suppressed);
    for (index, (one, used)) in list.iter().zip(used).enumerate() {
        if one.is_over(today) {
            outcome.expired.push(index);
        } else if !used {
            outcome.unused.push(index);
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use seawall_model::{
        Confidence, Fingerprint, Location, Origin, Package, Severity, Vulnerability,
    };

    use super::*;

    fn report() -> Report {
        let finding = |id: &str, path: &str, package| Finding {
            target: 0,
            rule: "package/known-vulnerability",
            aliases: Vec::new(),
            severity: Severity::High,
            confidence: Confidence::High,
            message: String::new(),
            fingerprint: Fingerprint::of(&[id]),
            location: Location::File {
                path: path.into(),
                layer: None,
                range: None,
            },
            related: Vec::new(),
            package: Some(package),
            vulnerability: Some(Box::new(Vulnerability {
                id: id.into(),
                advisory: format!("GHSA-{id}"),
                ..Vulnerability::default()
            })),
            fix: None,
        };
        let package = |name: &str| Package::new("npm", name, "1.0.0", "", Origin::default());
        Report {
            findings: vec![
                finding("CVE-1", "web/package-lock.json", 0),
                finding("CVE-2", "api/package-lock.json", 1),
            ],
            packages: vec![package("left"), package("right")],
            ..Report::default()
        }
    }

    fn by(id: Option<&str>, path: Option<&str>, package: Option<&str>) -> Suppression {
        Suppression::new(id.map(Into::into), path, package.map(Into::into), "test").unwrap()
    }

    #[test]
    fn every_condition_must_hold() {
        let mut both = report();
        let list = [
            by(Some("cve-1"), Some("api/**"), None),
            by(None, None, Some("right")),
        ];
        let outcome = suppress(&mut both, &list, &[], "2026-01-01");
        assert_eq!(
            outcome,
            Outcome {
                unused: vec![0],
                ..Outcome::default()
            }
        );
        assert_eq!(both.findings.len(), 1);
        assert_eq!(both.suppressed.len(), 1);
        assert_eq!(both.suppressed[0].by.len(), 1);
        assert_eq!(both.findings[0].vulnerability.as_ref().unwrap().id, "CVE-1");
    }

    #[test]
    fn an_advisory_id_names_the_flaw_too() {
        let mut one = report();
        suppress(
            &mut one,
            &[by(Some("GHSA-CVE-2"), None, None)],
            &[],
            "2026-01-01",
        );
        assert_eq!(one.findings.len(), 1);
    }

    #[test]
    fn the_last_day_still_counts() {
        let mut list = [by(Some("CVE-1"), None, None)];
        list[0].expires = Some("2026-01-01".into());
        let mut held = report();
        assert_eq!(
            suppress(&mut held, &list, &[], "2026-01-01"),
            Outcome::default()
        );
        assert_eq!(held.findings.len(), 1);
        let mut over = report();
        assert_eq!(suppress(&mut over, &list, &[], "2026-01-02").expired, [0]);
        assert_eq!(over.findings.len(), 2);
    }

    #[test]
    fn a_broken_pattern_is_an_error() {
        let error = Suppression::new(None, Some("a[z-"), None, "test").unwrap_err();
        assert!(
            error.to_string().contains("`a[z-` is no path pattern"),
            "{error}"
        );
    }
}
