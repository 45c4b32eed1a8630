//! Go: modules (`golang.org/x/mod/semver`) and toolchains (`go/version`) in one
//! order: `v1.2.3`, pseudo-versions, `+incompatible`, `go1.21rc2`, `go1.21.0
//! X:boringcrypto`.
//!
//! The vulnerability database writes toolchains in the form of modules:
//! `go1.21rc2` is `1.21.0-rc.2` there, and a range that begins with the first
//! pre-release of 1.21 begins at `1.21.0-0`, which is where the language
//! version `go1.21` stands too. Without `go` in front `1.21` is `1.21.0`.

use crate::{
    Scheme,
    compare::{digits, dotted, is_dotted, shorter_first, take_digits, take_while, valid_first},
    same_name,
    schemes::semver,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "go",
    osv: &["Go"],
    purl_types: &["golang"],
    compare: |a, b| {
        valid_first((a, parse(a)), (b, parse(b)), |a, b| {
            dotted(a.core, b.core).then_with(|| match (a.pre.is_empty(), b.pre.is_empty()) {
                (false, false) => {
                    shorter_first(a.identifiers(), b.identifiers(), semver::identifier)
                }
                (a, b) => a.cmp(&b),
            })
        })
    },
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};

struct Version<'a> {
    core: &'a str,
    /// Pre-release identifiers with dots between them.
    pre: &'a str,
    /// One more of them: the number of `rc2`, which has no dot.
    number: &'a str,
}

impl<'a> Version<'a> {
    fn identifiers(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let number = Some(self.number).filter(|number| !number.is_empty());
        self.pre.split('.').chain(number)
    }
}

fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.trim_ascii();
    // A build from the main branch: `devel go1.22-4f2d8a1`.
    let text = text.strip_prefix("devel ").unwrap_or(text);
    if let Some(named) = text.strip_prefix("go") {
        // Experiments stand behind a space, a vendor's mark behind a dash.
        let named = named.split([' ', '\t', '-']).next().unwrap_or(named);
        return toolchain(named, true);
    }
    let text = text.split([' ', '\t']).next().unwrap_or(text);
    toolchain(text, false).or_else(|| {
        let semver::Version { core, pre, .. } = semver::parse(text)?;
        Some(Version {
            core,
            pre,
            number: "",
        })
    })
}

/// `1.21`, `1.21.3` or `1.21rc2` (`internal/gover`); without `go` in front
/// only the last.
fn toolchain(text: &str, is_named: bool) -> Option<Version<'_>> {
    let mut left = text;
    let core = take_while(&mut left, |byte| byte.is_ascii_digit() || byte == b'.');
    if !is_named && !left.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        return None;
    }
    let parts = core.split('.').count();
    if !is_dotted(core) || parts > 3 {
        return None;
    }
    if left.is_empty() {
        let minor = core.split('.').nth(1).unwrap_or("");
        // From 1.21 on the language version comes before all its toolchains.
        let is_language = parts == 2 && digits(minor, "21").is_ge();
        return Some(Version {
            core,
            pre: if is_language { "0" } else { "" },
            number: "",
        });
    }
    let pre = take_while(&mut left, |byte| byte.is_ascii_lowercase());
    let number = take_digits(&mut left);
    let is_toolchain = parts == 2 && !pre.is_empty() && left.is_empty();
    is_toolchain.then_some(Version { core, pre, number })
}
