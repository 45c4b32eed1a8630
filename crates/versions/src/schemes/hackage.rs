//! Haskell's Package Versioning Policy: numbers separated by dots.

use crate::{
    Scheme,
    compare::{is_number, valid_first},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "hackage",
    osv: &["Hackage", "GHC"],
    purl_types: &["hackage"],
    compare: |a, b| {
        valid_first((a, parse(a)), (b, parse(b)), |a, b| {
            super::cran::numbers(a, b)
        })
    },
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};

fn parse(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = text.trim().split('.').collect();
    parts.iter().all(|part| is_number(part)).then_some(parts)
}
