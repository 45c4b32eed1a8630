//! R: `numeric_version`, numbers separated by dots and dashes.

use std::cmp::Ordering;

use crate::{
    Scheme,
    compare::{digits, is_number, valid_first},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "cran",
    osv: &["CRAN", "Bioconductor"],
    purl_types: &["cran", "bioconductor"],
    compare: |a, b| valid_first((a, parse(a)), (b, parse(b)), |a, b| numbers(a, b)),
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};

fn parse(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = text.trim().split(['.', '-']).collect();
    parts.iter().all(|part| is_number(part)).then_some(parts)
}

/// Number by number; the shorter one first when all are equal.
pub(crate) fn numbers(a: &[&str], b: &[&str]) -> Ordering {
    let mut orders = a.iter().zip(b).map(|(a, b)| digits(a, b));
    orders
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}
