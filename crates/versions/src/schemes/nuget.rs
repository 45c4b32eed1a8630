//! NuGet: Semantic Versioning with a fourth part and words without case
//! (`NuGet.Versioning`, `VersionComparer.Default`).

use std::{borrow::Cow, cmp::Ordering};

use crate::{
    Scheme,
    compare::{digits, dotted, is_number, shorter_first, valid_first},
    schemes::semver::{self, Version},
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "nuget",
    osv: &["NuGet"],
    purl_types: &["nuget"],
    compare: |a, b| {
        valid_first((a, parse(a)), (b, parse(b)), |a, b| {
            dotted(a.core, b.core).then_with(|| match (a.pre.is_empty(), b.pre.is_empty()) {
                (false, false) => shorter_first(a.pre.split('.'), b.pre.split('.'), label),
                (a, b) => a.cmp(&b),
            })
        })
    },
    is_valid: |version| parse(version).is_some(),
    // Package ids have no case.
    normalise_name: lower_case,
};

/// The name in lower case.
pub(crate) fn lower_case(name: &str) -> Cow<'_, str> {
    match name
        .bytes()
        .any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii())
    {
        true => Cow::Owned(name.to_lowercase()),
        false => Cow::Borrowed(name),
    }
}

fn parse(text: &str) -> Option<Version<'_>> {
    semver::parse(text).filter(|version| version.core.split('.').count() <= 4)
}

fn label(a: &str, b: &str) -> Ordering {
    match (is_number(a), is_number(b)) {
        (true, true) => digits(a, b),
        (false, false) => {
            let lower = |text: &str| text.as_bytes().to_ascii_lowercase();
            match a.eq_ignore_ascii_case(b) {
                true => Ordering::Equal,
                false => lower(a).cmp(&lower(b)),
            }
        }
        (a, b) => b.cmp(&a),
    }
}
