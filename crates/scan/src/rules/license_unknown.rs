//! ## What it finds
//! A package that names no licence, or one that is neither an SPDX expression nor a
//! known spelling of one. What never records licences (most lock files) is not
//! found fault with: it is named as not looked at.
//!
//! ## Why is this bad?
//! Without a licence nobody may copy it; with an unknown one nobody knows who may.
//!
//! ## What to do
//! Look at the package's files, and say what they say with an
//! `[[licenses.exception]]` and its `license`. `unknown` in `[licenses]` may be
//! `allow`, `warn` or `deny`.

use seawall_model::{Confidence, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    id: "license/unknown",
    summary: "package whose licence nobody can tell",
    doc: super::docs::LICENSE_UNKNOWN,
    severity: Severity::Low,
    confidence: Confidence::High,
    aliases: &[],
    references: &[
        "https://spdx.org/licenses/",
        "https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/",
    ],
};
