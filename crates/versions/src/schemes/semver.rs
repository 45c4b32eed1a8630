//! Semantic Versioning 2.0.0, section 11. Build metadata makes no difference.
//!
//! Taken beyond the specification, because people write it and it can mean only
//! one thing: a leading `v` or `=`, and any number of parts (missing ones are
//! zero). A word that no dash announces (`1.0.0rc1`, `1.0.0.Final`) can mean
//! anything, and makes a version unreadable.

use std::cmp::Ordering;

use crate::{
    Scheme,
    compare::{digits, dotted, is_dotted, is_number, shorter_first, valid_first},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "semver",
    osv: &[
        "Bitnami",
        "crates.io",
        "GitHub Actions",
        "Hex",
        "Kubernetes",
        "Linux",
        "OpenVSX",
        "SwiftURL",
        "VSCode",
    ],
    purl_types: &[
        "bitnami",
        "cargo",
        "github",
        "githubactions",
        "hex",
        "otp",
        "swift",
        "vscode-extension",
    ],
    compare,
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};

pub(crate) struct Version<'a> {
    /// Numbers with dots between them.
    pub(crate) core: &'a str,
    /// Identifiers with dots between them; empty for a release.
    pub(crate) pre: &'a str,
    /// Build metadata, likewise.
    pub(crate) build: &'a str,
}

pub(crate) fn parse(text: &str) -> Option<Version<'_>> {
    let text = text
        .trim_ascii()
        .trim_start_matches(['v', 'V', '='])
        .trim_ascii_start();
    let Some(end) = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit() && byte != b'.')
    else {
        return is_dotted(text).then_some(Version {
            core: text,
            pre: "",
            build: "",
        });
    };
    let (core, rest) = text.split_at_checked(end)?;
    let (pre, build) = rest.split_once('+').unwrap_or((rest, ""));
    let is_release = pre.is_empty();
    let pre = match is_release {
        true => "",
        false => pre.strip_prefix('-')?,
    };
    let is_identifier = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_readable = is_dotted(core)
        && (is_release || pre.split('.').all(is_identifier))
        && build.bytes().all(|byte| byte.is_ascii_graphic());
    is_readable.then_some(Version { core, pre, build })
}

fn compare(a: &str, b: &str) -> Ordering {
    valid_first((a, parse(a)), (b, parse(b)), compare_parsed)
}

pub(crate) fn compare_parsed(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    dotted(a.core, b.core).then_with(|| pre_release(a.pre, b.pre))
}

/// A release comes behind its pre-releases.
pub(crate) fn pre_release(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (false, false) => shorter_first(a.split('.'), b.split('.'), identifier),
        (a, b) => a.cmp(&b),
    }
}

/// Numbers by value and below words, words by their bytes.
pub(crate) fn identifier(a: &str, b: &str) -> Ordering {
    match (is_number(a), is_number(b)) {
        (true, true) => digits(a, b),
        (false, false) => a.cmp(b),
        (a, b) => b.cmp(&a),
    }
}
