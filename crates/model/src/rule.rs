//! What can be wrong: static facts about a rule.

use crate::Severity;

/// Static facts about one rule. A rule's doc comment is the only source of its
/// page.
#[derive(Debug)]
pub struct Rule {
    /// `surface/kebab-name`, naming the bad thing: readable after "allow …".
    pub id: &'static str,
    /// One line, lower case, no full stop.
    pub summary: &'static str,
    /// The page: Markdown with fixed headings.
    pub doc: &'static str,
    /// How bad a breach is unless the finding knows better.
    pub severity: Severity,
    /// How sure a match is to be a real breach.
    pub confidence: Confidence,
    /// The same rule in other tools, spelt exactly as those write it.
    pub aliases: &'static [&'static str],
    /// Addresses of specifications and explanations.
    pub references: &'static [&'static str],
}

/// How sure a finding is to be a real breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A guess; shown to auditors only.
    Low,
    /// Probably right.
    Medium,
    /// Follows from the facts.
    High,
}

impl Confidence {
    /// The lower-case name used in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// Who reads the report, and so how much doubt it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Persona {
    /// What a careful reviewer would say.
    #[default]
    Regular,
    /// Every rule.
    Pedantic,
    /// Also matches of low confidence.
    Auditor,
}
