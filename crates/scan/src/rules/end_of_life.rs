//! ## What it finds
//! A distribution release that gets no more security fixes.
//!
//! ## Why is this bad?
//! Flaws found from that day on are neither mended nor, mostly, written down:
//! an old release looks better in every scanner the longer it is dead.
//!
//! ## What to do
//! Move to a release that is supported. Extended support that has to be
//! bought is not counted, since an image does not say whether it was.

use seawall_model::{Confidence, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    id: "os/end-of-life",
    summary: "distribution release without security support",
    doc: super::docs::END_OF_LIFE,
    severity: Severity::High,
    confidence: Confidence::High,
    aliases: &[],
    references: &["https://endoflife.date/"],
};
