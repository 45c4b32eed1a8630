//! What an earlier report knew, and what became of it.

use crate::{Fingerprint, GapKind, Severity};

/// An earlier report, as far as a later one is compared with it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

impl EarlierGap {
    /// What tells a gap from others: its reason may hold a date.
    pub fn new(target: usize, kind: GapKind, subject: &str) -> Self {
        EarlierGap {
            target,
            kind: kind.as_str().to_owned(),
            subject: subject.to_owned(),
        }
    }
}

/// What became of an earlier report's findings: the baseline of this one.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Baseline {
    /// `sha256:…` of the earlier report's bytes.
    pub digest: String,
    /// Findings that it has.
    pub findings: usize,
    /// Findings that are left out of this report, since it has them; their
    /// targets are this report's.
    pub known: Vec<EarlierFinding>,
    /// Findings that it has and that are there no more; their targets are this
    /// report's.
    pub gone: Vec<EarlierFinding>,
    /// How many of its findings were not looked for: they are of other targets,
    /// or of a kind that was not asked for.
    pub unseen: usize,
    /// How many gaps of this report it has too. They are shown all the same.
    pub gaps: usize,
}
