//! Semantic Versioning with build metadata behind it in the order: Dart
//! (`pub_semver`, `Version.compareTo`), Julia (`VersionNumber`), and the
//! vendors that mark their own builds of npm packages by it (`+echo.2`,
//! `+root.io.3`).

use crate::{
    Scheme,
    compare::{shorter_first, valid_first},
    same_name,
    schemes::semver::{compare_parsed, identifier, parse},
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "semver-build",
    osv: &["Pub", "Julia", "Echo:npm", "Root:npm"],
    purl_types: &["pub", "julia"],
    compare: |a, b| {
        valid_first((a, parse(a)), (b, parse(b)), |a, b| {
            compare_parsed(a, b).then_with(|| match (a.build.is_empty(), b.build.is_empty()) {
                (false, false) => shorter_first(a.build.split('.'), b.build.split('.'), identifier),
                (a, b) => b.cmp(&a),
            })
        })
    },
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};
