//! From a target to findings: composes the floors below.
//!
//! [`recognise`] says what a word means, [`inspect`] reads what lies there, and
//! [`judge`] holds it against advisories. The steps are apart because what a
//! target holds decides which advisories have to be fetched.

mod base;
mod find;
mod findings;
mod inspect;
mod judge;
mod licenses;
mod sbom;
mod secrets;
mod target;

mod rules {
    include!(concat!(env!("OUT_DIR"), "/rules.rs"));
}

pub use base::Bases;
pub use find::{Tried, Why};
pub use inspect::{InspectError, Inspected, LooksFor, Settings, inspect};
pub use judge::{Judging, Order, explain, gather, judge, shards_needed};
pub use licenses::{LicenseException, LicensePolicy, Strictness, count_licenses, judge_licenses};
pub use target::{Place, PlaceError, Scheme, recognise, shown};

/// The rule of this id.
pub(crate) fn rule(id: &str) -> Option<&'static seawall_model::Rule> {
    let own = rules::ALL.iter().copied().find(|rule| rule.id == id);
    own.or_else(|| seawall_secrets::rule(id))
}

/// Every rule, one for each detector of secrets among them, sorted by id.
pub fn all_rules() -> Vec<&'static seawall_model::Rule> {
    let mut all = rules::ALL.to_vec();
    all.extend(seawall_secrets::rules());
    all.sort_by_key(|rule| rule.id);
    all
}
