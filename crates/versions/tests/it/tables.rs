//! Rows out of the tests of tools that cannot be installed here.

use std::cmp::Ordering;

use crate::support::scheme;

#[track_caller]
fn holds(ecosystem: &str, rows: &[&str]) {
    let scheme = scheme(ecosystem);
    for row in rows {
        let mut words = row.split(' ');
        let (a, sign, b) = (
            words.next().unwrap(),
            words.next().unwrap(),
            words.next().unwrap(),
        );
        let expected = match sign {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            ">" => Ordering::Greater,
            _ => panic!("{row}"),
        };
        assert_eq!((scheme.compare)(a, b), expected, "{row}");
        assert_eq!((scheme.compare)(b, a), expected.reverse(), "{row}");
        assert!((scheme.is_valid)(a) && (scheme.is_valid)(b), "{row}");
    }
}

/// apk-tools, `test/version.data`: those rows in which the two are close.
#[test]
fn apk_tools() {
    holds(
        "Alpine",
        &[
            "2.34 > 0.1.0_alpha",
            "0.1.0_alpha = 0.1.0_alpha",
            "0.1.0_alpha2 > 0.1.0_alpha",
            "1.1 > 1.1_alpha1",
            "1.3_alpha < 1.3_alpha2",
            "0.8_beta1 < 0.8_beta2",
            "2.3.0b-r1 < 2.3.0b-r2",
            "3.1_p16 < 3.1_p17",
            "1.06-r6 < 006",
            "006 > 1.0.0",
            "1.2.2-r1 > 1.2.2",
            "0.99.3.20040818 > 0.7",
            "2.01.01_alpha10 > 0.94",
            "1.02.07 < 1.02.10-r1",
            "20050718-r1 < 20050718-r2",
            "2.5.1-r8 < 2.5.1a-r1",
            "1.7 < 1.7b",
            "0.9.8c-r1 < 0.9.8d",
            "4.5_p1 < 4.5_p1-r1",
            "1.8.5 < 1.8.5_p2",
            "2.9.11_pre20051101 < 2.9.11_pre20061021-r1",
            "0.9.28 < 0.9.28.1",
            "1.07-r1 < 1.07.5",
            "1.07 < 1.19",
            "0.10.0 < 0.10.1_rc1",
            "1.3-r0 < 1.3.1-r0",
            "1.3_pre1-r1 < 1.3.2",
            "1.0_p10-r0 > 1.0_p9-r0",
            "0.1.0_alpha_pre2 < 0.1.0_alpha",
            "1.0.0_pre20191002222144-r0 < 1.0.0_pre20210530193627-r0",
            // Since apk-tools 3.
            "8.2.0015 < 8.2.002",
        ],
    );
    let scheme = scheme("Alpine");
    for invalid in [
        "1.0bc",
        "23_foo",
        "4_gamma",
        "1.0~g",
        "1.0-1",
        "1.",
        "a",
        "",
        "1.0-r1~ab",
    ] {
        assert!(!(scheme.is_valid)(invalid), "{invalid}");
    }
    for valid in ["1.0~0a1b2c-r1", "0.1.0_alpha_pre2", "6b-r7"] {
        assert!((scheme.is_valid)(valid), "{valid}");
    }
    // Slips of Alpine's own advisories; apk of 3.11 and of today say so too.
    for (lower, higher) in [
        ("2.7.15-r0", "2.7.16-33"),
        ("2.7.16-33", "2.7.17-r0"),
        ("4.10-1-r1", "4.11.0-r0"),
        ("4.9.2-r0", "4.10-1-r1"),
    ] {
        let order = (scheme.compare)(lower, higher);
        assert!(order.is_lt(), "{lower} {higher}");
    }
}

/// NuGet.Client, `VersionComparerTests.cs` and `SemVer201SpecTests.cs`.
#[test]
fn nuget() {
    holds(
        "NuGet",
        &[
            "1.0.0-BETA = 1.0.0-beta",
            "1.0.0-BETA+AA = 1.0.0-beta+aa",
            "1.0.0-BETA.X.y.5.77.0+AA = 1.0.0-beta.x.y.5.77.0+aa",
            "0.0.0 < 1.0.0",
            "1.999.9999 < 2.1.1",
            "1.0.0-BETA < 1.0.0-beta2",
            "1.0.0-beta+AA < 1.0.0+aa",
            "1.0.0-BETA < 1.0.0-beta.1+AA",
            "1.0.0-BETA.X.y.5.77.0+AA < 1.0.0-beta.x.y.5.79.0+aa",
            "1.0.0-BETA.X.y.5.79.0+AA < 1.0.0-beta.x.y.5.790.0+abc",
            "1.0 = 1.0.0.0",
            "1.0.0.1 > 1.0",
            "1.0.0-alpha < 1.0.0-alpha.1",
            "1.0.0-alpha.1 < 1.0.0-alpha.beta",
            "1.0.0-beta.2 < 1.0.0-beta.11",
            "1.0.0-rc.1 < 1.0.0",
        ],
    );
    assert!(!(scheme("NuGet").is_valid)("1.2.3.4.5"));
}

/// Dart's `pub_semver`, `test/version_test.dart`: each is older than the next.
#[test]
fn dart() {
    let versions = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0-rc.1+build.1",
        "1.0.0",
        "1.0.0+0.3.7",
        "1.3.7+build",
        "1.3.7+build.2.b8f12d7",
        "1.3.7+build.11.e0f985a",
        "2.0.0",
        "2.1.0",
        "2.2.0",
        "2.11.0",
        "2.11.1",
    ];
    for pair in versions.windows(2) {
        holds("Pub", &[&format!("{} < {}", pair[0], pair[1])]);
    }
}

/// What `semver` takes beyond its specification, and what not: a word without
/// a dash may stand for something newer in another ecosystem.
#[test]
fn lenient_semver() {
    holds(
        "crates.io",
        &[
            "v1.2 = 1.2.0",
            "=1.2.3 = 1.2.3.0",
            "1.2.3.4 > 1.2.3",
            "1.2-rc.1 < 1.2",
        ],
    );
    for invalid in [
        "1.0.0.Final",
        "1.0.post1",
        "1.0.0rc1",
        "1.0.0-",
        "1.0.0-a..b",
        "1..2",
        "x",
    ] {
        assert!(!(scheme("crates.io").is_valid)(invalid), "{invalid}");
    }
}

/// Julia's `VersionNumber`: a build is newer than none.
#[test]
fn julia() {
    holds(
        "Julia",
        &[
            "3.0.16 < 3.0.16+0",
            "3.0.16+0 < 3.0.16+1",
            "3.0.16+9 < 3.0.16+10",
        ],
    );
}

/// Builds of npm packages by Echo and Root (osv-scalibr,
/// `semantic/version-echo.go`).
#[test]
fn rebuilt() {
    holds(
        "Echo:npm",
        &[
            "4.17.20 < 4.17.20+echo.1",
            "4.17.20+echo.2 < 4.17.20+echo.10",
        ],
    );
    holds(
        "Root:npm",
        &[
            "1.2.3+root.io.1 < 1.2.3+root.io.2",
            "1.2.3+root.io.9 < 1.2.4",
        ],
    );
    holds(
        "Root:PyPI",
        &[
            "1.2.3 < 1.2.3+root.io.1",
            "1.2.3+root.io.9 < 1.2.3+root.io.10",
        ],
    );
}

/// Haskell's `Data.Version`: lists of numbers, as lists are ordered.
#[test]
fn haskell() {
    holds(
        "Hackage",
        &[
            "1.0 < 1.0.0",
            "1.0.0 < 1.0.1",
            "1.9 < 1.10",
            "0.1.2.3.4 > 0.1.2.3",
            "2 > 1.99.99",
        ],
    );
    holds(
        "GHC",
        &[
            "9.2.1-alpha1 < 9.2.1-rc1",
            "9.2.1-rc1 < 9.2.1-rc2",
            "9.2.1-rc2 < 9.2.1",
        ],
    );
}

/// Conan, `test/unittests/model/version/test_version_comparison.py`.
#[test]
fn conan() {
    holds(
        "ConanCenter",
        &[
            "1 < 2",
            "1.0 < 1.1",
            "1.0.2 < 1.1.0",
            "1.3 < 1.22",
            "1.1.3 < 1.1.22",
            "1.1.1.1.3 < 1.1.1.1.22",
            "1.0 < 2",
            "1.2 < 1.3.1",
            "1.0.2 < 1.1",
            "1.1.a < 1.1.b",
            "1.1.1.abc < 1.1.1.abz",
            "a.b.c < b.c",
            "1.1 < 1.a",
            "1.1 < 1.1a",
            "1.1 < 1.1.a",
            "1.1.a < 1.2",
            "1.1* < 1.20",
            "1.1.* < 1.20",
            "1.2.2 < 1.3.*",
            "1.2.2 < 1.2.3*",
            "1.1+b1 < 1.1+b2",
            "1.1 < 1.1+b2",
            "1.1.1p < 1.1.1q",
            "1.1-rc.1 < 1.1",
            "1.1-alpha.3 < 1.1-alpha.22",
            "1.0 = 1.0.0",
        ],
    );
}

/// The opam manual, "Version ordering": each is older than the next.
#[test]
fn opam() {
    let versions = [
        "~~", "~", "~beta2", "~beta10", "0.1", "1.0~beta", "1.0", "1.0-test", "1.0.1", "1.0.10",
        "dev", "trunk",
    ];
    for pair in versions.windows(2) {
        holds("opam", &[&format!("{} < {}", pair[0], pair[1])]);
    }
}

/// Go: OSV's form of toolchains beside Go's own.
#[test]
fn go_in_two_forms() {
    holds(
        "Go",
        &[
            "go1.21rc2 = 1.21.0-rc.2",
            "1.21rc2 = 1.21.0-rc.2",
            "go1.21.0 = 1.21.0",
            "go1.21 = 1.21.0-0",
            "go1.20 = 1.20.0",
            "1.21 = 1.21.0",
            "go1.21rc2 > 1.21.0-0",
            "go1.20beta1 < 1.20.0-rc.1",
            "go1.21.3 < v1.22",
            "2.0.0+incompatible = v2.0.0",
            "v0.0.0-20240101000000-abcdef012345 < 0.0.1",
        ],
    );
    let go = scheme("Go");
    assert!(!(go.is_valid)("(devel)"));
    assert_eq!(
        (go.compare)("go1.22.1 X:boringcrypto", "1.22.1"),
        Ordering::Equal
    );
    assert_eq!(
        (go.compare)("devel go1.22-4f2d8a1 Mon", "1.22.0"),
        Ordering::Less
    );
}
