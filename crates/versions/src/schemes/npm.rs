//! npm: Semantic Versioning, in the order of `node-semver`. Its ranges are in
//! [`crate::npm`].

use crate::{Scheme, same_name, schemes::semver};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "npm",
    osv: &["npm"],
    purl_types: &["npm"],
    compare: semver::SCHEME.compare,
    is_valid: semver::SCHEME.is_valid,
    normalise_name: same_name,
};
