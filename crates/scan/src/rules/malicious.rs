//! ## What it finds
//! A package that was published to do harm: typosquats, hijacked releases,
//! stealers.
//!
//! ## Why is this bad?
//! It does not have a flaw, it is one. Whatever ran it, a build machine
//! included, must be taken for compromised.
//!
//! ## What to do
//! Remove it, find out where it ran, and replace every secret that was in
//! reach there.

use seawall_model::{Confidence, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    id: "package/malicious",
    summary: "package made to do harm",
    doc: super::docs::MALICIOUS,
    severity: Severity::Critical,
    confidence: Confidence::High,
    aliases: &[],
    references: &["https://github.com/ossf/malicious-packages"],
};
