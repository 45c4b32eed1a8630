//! ## What it finds
//! A package whose licence stands on none of the policy's lists. Nothing is found
//! when `unlisted = "allow"`, which is the default where there is no `allow` list.
//!
//! ## Why is this bad?
//! Nobody has decided yet whether its conditions can be met.
//!
//! ## What to do
//! Decide, and put the licence on one of the lists.

use seawall_model::{Confidence, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    id: "license/unlisted",
    summary: "package under a licence that no list of the policy has",
    doc: super::docs::LICENSE_UNLISTED,
    severity: Severity::High,
    confidence: Confidence::High,
    aliases: &[],
    references: &[
        "https://spdx.org/licenses/",
        "https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/",
    ],
};
