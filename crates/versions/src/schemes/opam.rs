//! opam: Debian's order without epoch and revision (opam manual, "Version
//! ordering").

use crate::{Scheme, same_name};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "opam",
    osv: &["opam"],
    purl_types: &["opam"],
    compare: super::dpkg::part,
    is_valid: |version| !version.is_empty(),
    normalise_name: same_name,
};
