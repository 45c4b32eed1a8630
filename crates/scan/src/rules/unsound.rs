//! ## What it finds
//! A package whose safe interface can break memory safety, without a known
//! attack (RustSec's `unsound`), or of which its ecosystem's advisories give
//! notice for another reason (`notice`).
//!
//! ## Why is this bad?
//! Code that the compiler accepts as safe may corrupt memory.
//!
//! ## What to do
//! Move to the version named, or check that the calls in question are not made.

use seawall_model::{Confidence, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    id: "package/unsound",
    summary: "package that is unsound or of which notice is given",
    doc: super::docs::UNSOUND,
    severity: Severity::Low,
    confidence: Confidence::High,
    aliases: &[],
    references: &["https://rustsec.org/"],
};
