//! What an earlier report knew, and what became of it.

use crate::{Finding, Fingerprint, GapKind, Severity};

/// An earlier report, as far as a later one is compared with it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Earlier {
    /// `sha256:…` of the report's bytes.
    pub digest: String,
    /// What it is about.
    pub targets: Vec<EarlierTarget>,
    /// What it found, and what it left out since a report before it had it.
    pub findings: Vec<EarlierFinding>,
    /// What it could not look at.
    pub gaps: Vec<EarlierGap>,
}

/// A target of an earlier report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierTarget {
    /// `image`, `directory`, …; one that this release does not know, too.
    pub kind: String,
    /// What the user called it.
    pub name: String,
    /// Digest of an image's configuration.
    pub digest: Option<String>,
}

/// A finding of an earlier report.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlierFinding {
    /// Index of its target.
    pub target: usize,
    /// What it is told by.
    pub fingerprint: Fingerprint,
    /// The rule's id; a rule of that release.
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// Whether there was a way to mend it.
    pub fixable: bool,
    /// Whether it was known to be exploited.
    pub exploited: bool,
    /// The chance of its exploitation (EPSS, 0 to 1), where one was known.
    pub epss: Option<f64>,
    /// The file that it is in, where it is in one.
    pub path: Option<String>,
    /// The purl type of its package, where it is a package's.
    pub package: Option<String>,
}

/// A gap of an earlier report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EarlierGap {
    /// Index of its target.
    pub target: usize,
    /// What kind of gap, by [`GapKind::as_str`]; one that this release does not
    /// know, too.
    pub kind: String,
    /// What it concerns.
    pub subject: String,
    /// Why, without digits: they are counts, offsets and dates. Empty where the
    /// kind says it all.
    pub reason: String,
}

impl EarlierGap {
    /// What tells a gap from others. What is damaged, too large or not read may
    /// be so in another way than before, and hide more.
    pub fn new(target: usize, kind: &str, subject: &str, reason: &str) -> Self {
        let says_more = [GapKind::Damaged, GapKind::Limit, GapKind::Unsupported];
        let reason = match says_more.iter().any(|one| one.as_str() == kind) {
            true => reason.chars().filter(|one| !one.is_ascii_digit()).collect(),
            false => String::new(),
        };
        EarlierGap {
            target,
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            reason,
        }
    }
}

/// What became of an earlier report's findings: the baseline of this one.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Baseline {
    /// `sha256:…` of the earlier report's bytes.
    pub digest: String,
    /// Findings that it has.
    pub findings: usize,
    /// Findings that are left out of this report, since it has them; their
    /// targets are this report's.
    pub known: Vec<EarlierFinding>,
    /// Earlier forms of findings of this report that are worse than they were,
    /// ordered by target and fingerprint; their targets are this report's.
    pub worse: Vec<EarlierFinding>,
    /// Findings that it has and that are there no more; their targets are this
    /// report's.
    pub gone: Vec<EarlierFinding>,
    /// How many of its findings were not looked for: they are of other targets,
    /// or of a kind that was not asked for, or a gap hides them.
    pub unseen: usize,
    /// How many gaps of this report it has too. They are shown all the same.
    pub gaps: usize,
}

impl Baseline {
    /// What `finding` was, where it is worse now.
    pub fn before(&self, finding: &Finding) -> Option<&EarlierFinding> {
        let wanted = (finding.target, finding.fingerprint);
        let key = |one: &EarlierFinding| (one.target, one.fingerprint);
        let at = self.worse.partition_point(|one| key(one) < wanted);
        self.worse.get(at).filter(|one| key(one) == wanted)
    }
}
