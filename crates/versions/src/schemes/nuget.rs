//! NuGet: Semantic Versioning with a fourth part and words without case
//! (NuGet, "Package versioning").

use std::{borrow::Cow, cmp::Ordering};

use super::semver::pre_release;
use crate::{
    Scheme,
    compare::{digits, is_number, valid_first},
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "nuget",
    osv: &["NuGet"],
    purl_types: &["nuget"],
    compare: |a, b| {
        let (first, second) = (a.to_lowercase(), b.to_lowercase());
        valid_first((a, parse(&first)), (b, parse(&second)), |a, b| {
            let core = a.core.iter().zip(&b.core).map(|(a, b)| digits(a, b));
            core.fold(Ordering::Equal, Ordering::then).then_with(|| {
                match (a.pre.is_empty(), b.pre.is_empty()) {
                    (false, false) => pre_release(a.pre, b.pre),
                    (a, b) => a.cmp(&b),
                }
            })
        })
    },
    is_valid: |version| parse(&version.to_lowercase()).is_some(),
    normalise_name: |name| {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_lowercase())
        } else {
            Cow::Borrowed(name)
        }
    },
};

struct Version<'a> {
    core: [&'a str; 4],
    pre: &'a str,
}

fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.trim();
    let text = text.strip_prefix('v').unwrap_or(text);
    let text = text.split_once('+').map_or(text, |(text, _)| text);
    let (numbers, pre) = match text.split_once('-') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (text, ""),
    };
    let mut core = ["0"; 4];
    for (index, part) in numbers.split('.').enumerate() {
        if !is_number(part) {
            return None;
        }
        *core.get_mut(index)? = part;
    }
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (pre.is_empty() || pre.split('.').all(is_part)).then_some(Version { core, pre })
}
