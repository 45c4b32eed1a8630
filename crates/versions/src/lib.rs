//! One version order per ecosystem, agreeing with the ecosystem's own tool.
//!
//! A [`Scheme`] is everything the matcher must know of an ecosystem's versions
//! and names. One scheme = one file in `schemes/`; `build.rs` finds them, so
//! that nothing is edited in a second place when one is added.
//!
//! Every `compare` is a total order over all strings: what an ecosystem's tool
//! would refuse still has its place (below every valid version), because
//! advisories and lock files hold such strings and a panic or an
//! inconsistency would hide a finding.

use std::{borrow::Cow, cmp::Ordering};

mod compare;

mod schemes {
    include!(concat!(env!("OUT_DIR"), "/schemes.rs"));
}

/// npm's ranges.
pub mod npm {
    pub use crate::schemes::npm::satisfies;
}

/// Everything the matcher must know of one ecosystem's versions and names.
#[derive(Debug)]
pub struct Scheme {
    /// Name of the order, as in `pep440`.
    pub name: &'static str,
    /// Names of the OSV ecosystems (without `:release`) that it serves.
    pub osv: &'static [&'static str],
    /// The purl types that it serves.
    pub purl_types: &'static [&'static str],
    /// The order: total, over all strings.
    pub compare: fn(&str, &str) -> Ordering,
    /// Whether the ecosystem's own tool would accept the version.
    pub is_valid: fn(&str) -> bool,
    /// The form of a package name under which advisories know it (PEP 503 for
    /// PyPI, for example).
    pub normalise_name: fn(&str) -> Cow<'_, str>,
}

/// All schemes, sorted by name.
pub fn all() -> &'static [&'static Scheme] {
    schemes::ALL
}

/// The scheme with this name.
pub fn by_name(name: &str) -> Option<&'static Scheme> {
    all().iter().copied().find(|scheme| scheme.name == name)
}

/// The scheme that serves an OSV ecosystem, with or without its release:
/// `PyPI`, `Debian:12`.
pub fn by_osv(ecosystem: &str) -> Option<&'static Scheme> {
    let base = ecosystem.split(':').next().unwrap_or(ecosystem);
    all()
        .iter()
        .copied()
        .find(|scheme| scheme.osv.contains(&base))
}

/// The scheme that serves a purl type.
pub fn by_purl_type(kind: &str) -> Option<&'static Scheme> {
    all()
        .iter()
        .copied()
        .find(|scheme| scheme.purl_types.contains(&kind))
}

/// Names that advisories write exactly as packages do.
pub(crate) fn same_name(name: &str) -> Cow<'_, str> {
    Cow::Borrowed(name)
}
