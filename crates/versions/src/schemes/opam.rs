//! opam: Debian's order without epoch and revision (opam manual, "Version
//! ordering").

use crate::{Scheme, compare::valid_first, same_name, schemes::dpkg};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "opam",
    osv: &["opam"],
    purl_types: &["opam"],
    compare: |a, b| valid_first((a, parse(a)), (b, parse(b)), |a, b| dpkg::part(a, b)),
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};

fn parse(text: &str) -> Option<&str> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+.~".contains(&byte);
    (!text.is_empty() && text.bytes().all(is_allowed)).then_some(text)
}
