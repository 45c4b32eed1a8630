//! Haskell: the Package Versioning Policy's numbers separated by dots
//! (`Distribution.Version`), and GHC's own releases with their candidates
//! (`9.2.1-rc1`).

use crate::{
    Scheme,
    compare::{digits, is_number, shorter_first, take_digits, take_while, valid_first},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "hackage",
    osv: &["Hackage", "GHC"],
    purl_types: &["hackage"],
    compare: |a, b| {
        valid_first((a, parse(a)), (b, parse(b)), |a, b| {
            shorter_first(a.numbers.split('.'), b.numbers.split('.'), digits)
                .then_with(|| a.pre.is_empty().cmp(&b.pre.is_empty()))
                .then_with(|| a.pre.cmp(b.pre))
                .then_with(|| digits(a.count, b.count))
        })
    },
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};

struct Version<'a> {
    numbers: &'a str,
    /// `alpha`, `beta` or `rc`.
    pre: &'a str,
    count: &'a str,
}

fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.trim_ascii();
    let (numbers, mut left) = text.split_once('-').unwrap_or((text, ""));
    let pre = take_while(&mut left, |byte| byte.is_ascii_lowercase());
    let count = take_digits(&mut left);
    let is_readable = numbers.split('.').all(is_number)
        && left.is_empty()
        && (pre.is_empty() != text.contains('-'))
        && matches!(pre, "" | "alpha" | "beta" | "rc");
    is_readable.then_some(Version {
        numbers,
        pre,
        count,
    })
}
