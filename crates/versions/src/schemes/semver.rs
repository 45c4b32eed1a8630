//! Semantic Versioning 2.0.0, as crates.io, Hex, Pub and others use it. A
//! leading `v` and missing parts are taken leniently; build metadata makes no
//! difference.

use std::cmp::Ordering;

use crate::{
    Scheme,
    compare::{digits, is_number, valid_first},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "semver",
    osv: &[
        "crates.io",
        "Hex",
        "Pub",
        "SwiftURL",
        "GitHub Actions",
        "Julia",
        "ConanCenter",
        "VSCode",
        "OpenVSX",
        "Bitnami",
    ],
    purl_types: &[
        "cargo",
        "hex",
        "pub",
        "swift",
        "githubactions",
        "github",
        "julia",
        "conan",
        "bitnami",
    ],
    compare,
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};

pub(crate) struct Version<'a> {
    pub(crate) core: [&'a str; 3],
    /// How many of the three were written.
    pub(crate) written: usize,
    pub(crate) pre: &'a str,
}

pub(crate) fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.trim().trim_start_matches(['v', 'V', '=']);
    let text = text.split_once('+').map_or(text, |(text, _)| text);
    let (core, pre) = match text.split_once('-') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (text, ""),
    };
    let mut version = Version {
        core: ["0"; 3],
        written: 0,
        pre,
    };
    for part in core.split('.') {
        if !is_number(part) {
            return None;
        }
        *version.core.get_mut(version.written)? = part;
        version.written += 1;
    }
    let is_identifier = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (pre.is_empty() || pre.split('.').all(is_identifier)).then_some(version)
}

pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    valid_first((a, parse(a)), (b, parse(b)), compare_parsed)
}

pub(crate) fn compare_parsed(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    let mut core = a.core.iter().zip(&b.core).map(|(a, b)| digits(a, b));
    core.find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
        .then_with(|| match (a.pre.is_empty(), b.pre.is_empty()) {
            (false, false) => pre_release(a.pre, b.pre),
            (first, second) => first.cmp(&second),
        })
}

/// Section 11.4 of the specification.
pub(crate) fn pre_release(a: &str, b: &str) -> Ordering {
    let mut parts = (a.split('.'), b.split('.'));
    loop {
        let order = match (parts.0.next(), parts.1.next()) {
            (None, None) => return Ordering::Equal,
            (Some(a), Some(b)) => match (is_number(a), is_number(b)) {
                (true, true) => digits(a, b),
                (false, false) => a.cmp(b),
                // Numbers sort below words.
                (a, b) => b.cmp(&a),
            },
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        if order.is_ne() {
            return order;
        }
    }
}
