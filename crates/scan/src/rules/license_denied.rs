//! ## What it finds
//! A package whose licence stands on the policy's `deny` list (`[licenses]` in
//! `seawall.toml`), by its SPDX id or by its category. Of a choice (`OR`) all
//! branches must be denied, of a sum (`AND`) one is enough; `-or-later` is a choice
//! of that version and every later one.
//!
//! ## Why is this bad?
//! Who ships it takes on conditions that somebody has decided not to take on.
//!
//! ## What to do
//! Replace the package, or take it under another licence that its authors offer.
//! Where it may stay, say so with an `[[licenses.exception]]` and a reason.

use seawall_model::{Confidence, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    id: "license/denied",
    summary: "package under a licence that the policy denies",
    doc: super::docs::LICENSE_DENIED,
    severity: Severity::High,
    confidence: Confidence::High,
    aliases: &[],
    references: &[
        "https://spdx.org/licenses/",
        "https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/",
    ],
};
