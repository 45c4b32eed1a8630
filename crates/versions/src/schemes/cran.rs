//! R: `numeric_version`, numbers separated by dots and dashes.

use crate::{
    Scheme,
    compare::{digits, is_number, shorter_first, valid_first},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "cran",
    osv: &["CRAN", "Bioconductor"],
    purl_types: &["cran", "bioconductor"],
    compare: |a, b| {
        valid_first((a, parse(a)), (b, parse(b)), |a, b| {
            shorter_first(a.split(['.', '-']), b.split(['.', '-']), digits)
        })
    },
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};

fn parse(text: &str) -> Option<&str> {
    let text = text.trim_ascii();
    text.split(['.', '-']).all(is_number).then_some(text)
}
