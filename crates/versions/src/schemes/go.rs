//! Go modules (golang.org/x/mod/semver) and the standard library's own
//! versions (`go/version`): `v1.2.3`, pseudo-versions, `+incompatible`,
//! `go1.21rc2`, `go1.21.0 X:boringcrypto`.

use std::{borrow::Cow, cmp::Ordering};

use super::semver;
use crate::{Scheme, compare::valid_first, same_name};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "go",
    osv: &["Go"],
    purl_types: &["golang"],
    compare,
    is_valid: |version| semver::parse(&canonical(version)).is_some(),
    normalise_name: same_name,
};

fn compare(a: &str, b: &str) -> Ordering {
    let (first, second) = (canonical(a), canonical(b));
    valid_first(
        (a, semver::parse(&first)),
        (b, semver::parse(&second)),
        semver::compare_parsed,
    )
}

/// The version in the form of Semantic Versioning. `1.21rc2` becomes
/// `1.21.0-rc.2`, as Go's vulnerability database writes it.
fn canonical(version: &str) -> Cow<'_, str> {
    let text = version.trim();
    let text = text.strip_prefix("go").unwrap_or(text);
    // Experiments and vendor builds stand behind a space or a dash.
    let text = text.split(' ').next().unwrap_or(text);
    let sign = ["rc", "beta"].iter().find_map(|word| {
        let at = text.find(word)?;
        let (core, number) = (text.get(..at)?, text.get(at + word.len()..)?);
        let is_toolchain = !core.is_empty()
            && core
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
            && !core.ends_with('.')
            && number.bytes().all(|byte| byte.is_ascii_digit());
        is_toolchain.then_some((core, *word, number))
    });
    match sign {
        Some((core, word, number)) => {
            let dots = core.bytes().filter(|byte| *byte == b'.').count();
            let fill = if dots < 2 { ".0" } else { "" };
            Cow::Owned(format!("{core}{fill}-{word}.{number}"))
        }
        None => Cow::Borrowed(text),
    }
}
