//! One version order per ecosystem, agreeing with the ecosystem's own tool.
//!
//! A [`Scheme`] is everything the matcher must know of an ecosystem's versions
//! and names. One scheme = one file in `schemes/`; `build.rs` finds them, so
//! that nothing is edited in a second place when one is added.
//!
//! # What every order keeps to
//!
//! - `compare` is a total order over *all* strings: reflexive, antisymmetric
//!   and transitive (up to equality, as `1.0` and `1.00` are equal versions).
//!   Advisories and lock files hold strings that a tool would refuse; a panic
//!   or an inconsistency there would hide a finding.
//! - What cannot be read as a version stands below every version that can,
//!   among its like by its bytes. [`Scheme::is_valid`] says which is which.
//! - Numbers are compared as digits, so none is too long.
//! - Time is linear in the length of the two strings, and nothing is allocated
//!   but where letters must change case (and for Maven's list of items).
//! - OSV's `introduced: 0` is the matcher's business; `0` is a version here.
//!
//! # Schemes, their oracles, and where they differ
//!
//! The tests in `tests/it` compare each order with the real tool on generated
//! versions and on all versions of the advisories.
//!
//! | scheme | ecosystems | oracle | differs from it |
//! |---|---|---|---|
//! | `dpkg` | Debian, Ubuntu, Echo | `dpkg --compare-versions` | epochs beyond 2³¹, which dpkg refuses, are ordered |
//! | `rpm` | the rpm distributions | `rpm.vercmp` in rpm's Lua | a version without a release comes first; rpm's own answer depends on its version (any release equals none in some) |
//! | `apk` | Alpine, Wolfi, Chainguard and kin | `apk version -t`, and the rows of apk-tools' `version.data` | numbers with a zero in front and letters with digits behind go by apk-tools 3 (see the module); strings that apk refuses stand below all others, apk compares their valid beginnings |
//! | `semver` | crates.io, Hex, Bitnami, SwiftURL, GitHub Actions, VSCode, … | Elixir's `Version`, `node-semver` | takes missing and further parts and a leading `v` or `=`, which the tools refuse |
//! | `semver-build` | Pub, Julia, npm builds of Echo and Root | rows of `pub_semver`'s tests | as `semver`; build metadata counts |
//! | `npm` | npm | `node-semver`, ranges too | as `semver` |
//! | `go` | Go | `golang.org/x/mod/semver`, `go/version` | one order for modules and toolchains (see the module); invalid strings are not all equal |
//! | `pep440` | PyPI | `packaging.version` | none on what it accepts |
//! | `rubygems` | RubyGems | `Gem::Version` | none on what it accepts |
//! | `maven` | Maven | `ComparableVersion` | Maven's comparison runs in circles on a few strings (see the module); the text is trimmed |
//! | `nuget` | NuGet | rows of `NuGet.Versioning`'s tests | takes a leading `v`; numbers of pre-releases have any length |
//! | `packagist` | Packagist | `Composer\Semver` | numbers beyond 2⁶³ keep their value; two branches, which Composer does not order, go by their bytes |
//! | `cran` | CRAN, Bioconductor | R's `compareVersion` | numbers beyond 2³¹, which R refuses, are ordered |
//! | `hackage` | Hackage, GHC | rows of OSV's tests | takes GHC's `-rc1`, `-alpha1`, `-beta1` |
//! | `opam` | opam | the row of opam's manual; dpkg's parts | none known |
//! | `conan` | ConanCenter | rows of Conan's tests | Conan's comparison of numbers with words runs in circles (see the module) |
//!
//! Not served, because no order is defined for them: Android, GIT, OSS-Fuzz.

use std::{borrow::Cow, cmp::Ordering};

mod compare;
pub mod npm;

mod schemes {
    include!(concat!(env!("OUT_DIR"), "/schemes.rs"));
}

/// Everything the matcher must know of one ecosystem's versions and names.
#[derive(Debug)]
pub struct Scheme {
    /// Name of the order, as in `pep440`.
    pub name: &'static str,
    /// Names of the OSV ecosystems (without `:release`) that it serves; those
    /// of a vendor's builds with the ecosystem behind it, as in `Echo:PyPI`.
    pub osv: &'static [&'static str],
    /// The purl types that it serves.
    pub purl_types: &'static [&'static str],
    /// The order: total, over all strings.
    pub compare: fn(&str, &str) -> Ordering,
    /// Whether the string can be read as a version, so that its place in the
    /// order means something. What cannot stands below all that can.
    pub is_valid: fn(&str) -> bool,
    /// The form of a package name under which advisories know it (PEP 503 for
    /// PyPI, for example).
    pub normalise_name: fn(&str) -> Cow<'_, str>,
}

/// All schemes, sorted by name.
pub fn all() -> &'static [&'static Scheme] {
    schemes::ALL
}

/// The scheme with this name.
pub fn by_name(name: &str) -> Option<&'static Scheme> {
    all().iter().copied().find(|scheme| scheme.name == name)
}

/// Vendors who publish their own builds of other ecosystems' packages, whose
/// name stands behind theirs: `TuxCare:Maven`, `Root:Alpine:3.18`.
const REBUILDERS: [&str; 4] = ["Docker Hardened Images", "Echo", "Root", "TuxCare"];

/// The scheme that serves an OSV ecosystem, with or without its release:
/// `PyPI`, `Debian:12`, `Root:Alpine:3.18`.
pub fn by_osv(ecosystem: &str) -> Option<&'static Scheme> {
    let (base, rest) = match ecosystem.split_once(':') {
        Some((base, rest)) => (base, Some(rest)),
        None => (ecosystem, None),
    };
    let of_rebuilder = || {
        let inner = rest
            .filter(|_| REBUILDERS.contains(&base))?
            .split(':')
            .next()?;
        let claimed = |scheme: &&&Scheme| {
            scheme.osv.iter().any(|name| match name.split_once(':') {
                Some((vendor, name)) => vendor == base && name.eq_ignore_ascii_case(inner),
                None => false,
            })
        };
        let plain = |scheme: &&&Scheme| {
            scheme
                .osv
                .iter()
                .any(|name| name.eq_ignore_ascii_case(inner))
        };
        all()
            .iter()
            .find(claimed)
            .or_else(|| all().iter().find(plain))
            .copied()
    };
    of_rebuilder().or_else(|| {
        all()
            .iter()
            .copied()
            .find(|scheme| scheme.osv.contains(&base))
    })
}

/// The scheme that serves a purl type.
pub fn by_purl_type(kind: &str) -> Option<&'static Scheme> {
    all()
        .iter()
        .copied()
        .find(|scheme| scheme.purl_types.contains(&kind))
}

/// Names that advisories write exactly as packages do.
pub(crate) fn same_name(name: &str) -> Cow<'_, str> {
    Cow::Borrowed(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn nothing_is_claimed_twice() {
        let (mut names, mut osv, mut types) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for scheme in all() {
            assert!(names.insert(scheme.name), "{}", scheme.name);
            for name in scheme.osv {
                assert!(osv.insert(name.to_lowercase()), "{name}");
            }
            for kind in scheme.purl_types {
                assert!(types.insert(kind.to_lowercase()), "{kind}");
            }
        }
    }

    #[test]
    fn ecosystems_find_their_order() {
        let name = |ecosystem| by_osv(ecosystem).map(|scheme| scheme.name);
        assert_eq!(name("Debian:12"), Some("dpkg"));
        assert_eq!(name("Ubuntu:Pro:18.04:LTS"), Some("dpkg"));
        assert_eq!(name("Maven:https://maven.google.com"), Some("maven"));
        assert_eq!(name("Red Hat:rhel_aus:8.4::appstream"), Some("rpm"));
        assert_eq!(name("Echo"), Some("dpkg"));
        assert_eq!(name("Echo:PyPI"), Some("pep440"));
        assert_eq!(name("Echo:npm"), Some("semver-build"));
        assert_eq!(name("Root:Alpine:3.18"), Some("apk"));
        assert_eq!(name("Root:python"), Some("pep440"));
        assert_eq!(name("TuxCare:Maven"), Some("maven"));
        assert_eq!(name("TuxCare:AlmaLinux:9"), Some("rpm"));
        assert_eq!(name("Docker Hardened Images:Debian:13"), Some("dpkg"));
        assert_eq!(name("TuxCare"), None);
        assert_eq!(name("Nobody"), None);
        assert_eq!(
            by_purl_type("composer").map(|scheme| scheme.name),
            Some("packagist")
        );
    }

    #[test]
    fn names_are_normalised() {
        let normal = |ecosystem, name| {
            by_osv(ecosystem)
                .map(|scheme| (scheme.normalise_name)(name))
                .unwrap()
        };
        assert_eq!(normal("PyPI", "Foo._-Bar"), "foo-bar");
        assert_eq!(normal("NuGet", "Newtonsoft.Json"), "newtonsoft.json");
        assert_eq!(normal("Packagist", "Symfony/Yaml"), "symfony/yaml");
        assert_eq!(normal("npm", "@Scope/Name"), "@Scope/Name");
    }
}
