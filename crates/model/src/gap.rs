//! What could not be looked at.

/// Something that could not be looked at, and why.
///
/// A report without findings is a clean result only where it has no gaps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Index of the target in the report.
    pub target: usize,
    /// What kind of gap.
    pub kind: GapKind,
    /// What it concerns: a path, an ecosystem, a layer.
    pub subject: String,
    /// Why, lower case, no full stop; with the limit that was met.
    pub reason: String,
}

impl Gap {
    /// A gap of the first target; [`Gap::target`] is set when reports merge.
    pub fn new(kind: GapKind, subject: impl Into<String>, reason: impl Into<String>) -> Self {
        Gap {
            target: 0,
            kind,
            subject: subject.into(),
            reason: reason.into(),
        }
    }
}

/// Kinds of gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapKind {
    /// No advisories for a distribution, a release or an ecosystem that is there.
    NoAdvisories,
    /// There are advisories, but they end before today.
    StaleAdvisories,
    /// Evidence of a kind that is not read.
    Unsupported,
    /// Evidence that is damaged.
    Damaged,
    /// Evidence beyond a limit.
    Limit,
    /// Something that was named and is not there.
    Missing,
}

impl GapKind {
    /// The name used in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            GapKind::NoAdvisories => "no-advisories",
            GapKind::StaleAdvisories => "stale-advisories",
            GapKind::Unsupported => "unsupported",
            GapKind::Damaged => "damaged",
            GapKind::Limit => "limit",
            GapKind::Missing => "missing",
        }
    }
}
