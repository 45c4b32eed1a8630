//! ## What it finds
//! A package of which its ecosystem's advisories say that nobody looks after
//! it any more.
//!
//! ## Why is this bad?
//! The next flaw found in it will not be mended.
//!
//! ## What to do
//! Move to the successor that the advisory names. There is no hurry, which is
//! why the severity is low.

use seawall_model::{Confidence, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    id: "package/unmaintained",
    summary: "package that nobody maintains",
    doc: super::docs::UNMAINTAINED,
    severity: Severity::Low,
    confidence: Confidence::High,
    aliases: &[],
    references: &["https://rustsec.org/"],
};
