//! ## What it finds
//! A distribution release that gets no more security fixes within 90 days.
//! Only the personas `pedantic` and `auditor` see it.
//!
//! ## Why is this bad?
//! From that day on flaws are not mended any more, and moving to another
//! release takes time.
//!
//! ## What to do
//! Plan the move to a release that is supported for longer.

use seawall_model::{Confidence, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    id: "os/ends-soon",
    summary: "distribution release whose security support ends soon",
    doc: super::docs::ENDS_SOON,
    severity: Severity::Low,
    confidence: Confidence::High,
    aliases: &[],
    references: &["https://endoflife.date/"],
};
