//! ## What it finds
//! A package whose licence stands on the policy's `warn` list, and on no branch on
//! its `allow` list.
//!
//! ## Why is this bad?
//! Its conditions can be met, but somebody has to see to it that they are.
//!
//! ## What to do
//! Look at what the licence asks for: its text, its notice, its source. An
//! `[[licenses.exception]]` with a reason keeps what was decided.

use seawall_model::{Confidence, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    id: "license/discouraged",
    summary: "package under a licence that the policy frowns on",
    doc: super::docs::LICENSE_DISCOURAGED,
    severity: Severity::Low,
    confidence: Confidence::High,
    aliases: &[],
    references: &[
        "https://spdx.org/licenses/",
        "https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/",
    ],
};
