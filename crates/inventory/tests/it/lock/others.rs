//! Lock files of tools that are not on this machine: files as those tools write
//! them (taken over from public repositories, shortened), which
//! `second_opinions.rs` holds against two other scanners. Conan's are Conan's own
//! (`tests/data/make-locks-native`).

use std::{collections::BTreeSet, fs};

use seawall_model::Package;

use super::{data, listings, project};
use crate::support::{gaps, purls};

/// The cases, the type of their packages, and how many there are.
pub(super) const CASES: [(&str, &str, usize); 24] = [
    ("actions", "githubactions", 7),
    ("cabal", "hackage", 6),
    ("cabal-2", "hackage", 5),
    ("carthage", "swift", 3),
    ("cocoapods", "cocoapods", 8),
    ("conan-1", "conan", 7),
    ("conan-2", "conan", 7),
    ("gleam", "hex", 2),
    ("gradle", "maven", 9),
    ("gradle-catalog", "maven", 12),
    ("gradle-verification", "maven", 2),
    ("julia-1", "julia", 4),
    ("julia-2", "julia", 8),
    ("nuget-assets", "nuget", 3),
    ("nuget-config", "nuget", 5),
    ("nuget-lock", "nuget", 8),
    ("paket", "nuget", 6),
    ("renv", "cran", 5),
    ("sbt", "maven", 3),
    ("stack", "hackage", 4),
    ("swift-1", "swift", 3),
    ("swift-2", "swift", 2),
    ("swift-3", "swift", 3),
    ("vcpkg", "vcpkg", 5),
];

fn package(case: &str, name: &str, version: &str) -> Package {
    let all = project(&data(case)).packages;
    let found = all
        .into_iter()
        .find(|one| one.name == name && one.version == version);
    found.unwrap_or_else(|| panic!("{case}: {name} {version}"))
}

/// `name version` of what is direct, and of what is for development.
fn told(case: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let all = project(&data(case)).packages;
    let names = |is: fn(&Package) -> bool| {
        let all = all.iter().filter(|one| is(one));
        all.map(|one| format!("{} {}", one.name, one.version))
            .collect()
    };
    (
        names(|one| one.relation.direct == Some(true)),
        names(|one| one.relation.development),
    )
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

/// What a package asks for: names, and versions where they are told.
fn requires(one: &Package) -> Vec<String> {
    let one = one.requires.iter().map(|one| match &one.version {
        Some(version) => format!("{} {version}", one.name),
        None => one.name.clone(),
    });
    one.collect()
}

#[test]
fn every_package_is_read_at_its_place() {
    for (case, kind, count) in CASES {
        let root = data(case);
        let inventory = project(&root);
        assert_eq!(inventory.packages.len(), count, "{case}");
        for one in &inventory.packages {
            assert_eq!(one.kind, kind, "{case}");
            let text = fs::read_to_string(root.join(&one.origin.path)).unwrap();
            let range = one.origin.range.unwrap();
            let part = &text[range.span.start..range.span.end];
            let line = text.lines().nth(range.start.line as usize - 1).unwrap();
            let before: String = line.chars().take(range.start.column as usize - 1).collect();
            assert!(
                line[before.len()..].starts_with(part),
                "{case}: {line}: {part}"
            );
            // The name, or the version that is to be edited.
            let name = one.name.rsplit(['/', ':']).next().unwrap();
            let is_there = part.contains(name)
                || (!one.version.is_empty() && part.contains(&one.version))
                // `group` and `name` apart.
                || one.version.is_empty() && part.contains("module");
            assert!(is_there, "{case}: {} {}: {part}", one.name, one.version);
        }
    }
}

/// Conan lists what it has locked.
#[test]
fn packages_are_those_of_conan() {
    for case in ["conan-1", "conan-2"] {
        let without = |row: &str, at: usize| {
            let mut parts: Vec<&str> = row.split('\t').collect();
            parts[at] = "-";
            parts.join("\t")
        };
        // The first Conan does not say what is for building alone, and the
        // second not what is direct.
        let at = if case == "conan-1" { 3 } else { 2 };
        let inventory = project(&data(case));
        let ours: BTreeSet<String> = inventory
            .packages
            .iter()
            .map(|one| without(&listings::row(one), at))
            .collect();
        assert_eq!(ours, listings::listing(case), "{case}");
        assert_eq!(gaps(&inventory), Vec::<String>::new());
    }
    let (_, development) = told("conan-1");
    assert_eq!(development, set(["cmake 3.25.3", "nasm 2.15.05"]));
    let curl = package("conan-1", "libcurl", "8.0.1");
    assert_eq!(requires(&curl), ["openssl 1.1.1t", "zlib 1.2.13"]);
    assert_eq!(
        curl.purl,
        "pkg:conan/libcurl@8.0.1?rrev=77c9501194af85db6810220c4ed90c0d"
    );
}

#[test]
fn gradle_configurations_tell_what_is_for_tests() {
    let (_, development) = told("gradle");
    assert_eq!(
        development,
        set([
            "com.google.code.gson:gson 2.8.5",
            "junit:junit 4.13.2",
            "org.hamcrest:hamcrest-core 1.3",
            "org.jetbrains.kotlin:kotlin-gradle-plugin 1.9.10",
        ])
    );
    let (_, development) = told("sbt");
    assert_eq!(development, set(["org.scalatest:scalatest_2.13 3.2.17"]));
    let hashes = |case: &str, name: &str, version: &str| -> Vec<String> {
        let one = package(case, name, version);
        one.hashes.iter().map(ToString::to_string).collect()
    };
    // As the archives of Maven Central have them.
    assert_eq!(
        hashes("sbt", "org.scala-lang:scala-library", "2.13.12"),
        ["sha1:3c51da898af4ebfac356fcde11388afb2ae8ee82"]
    );
    assert_eq!(
        hashes("gradle-verification", "junit:junit", "4.13.2"),
        ["sha256:8e495b634469d64fb8acfa3495a065cbacc8a0fff55ce1e31007be4c16dc57d3"]
    );
}

#[test]
fn catalogs_name_versions_in_every_way() {
    let inventory = project(&data("gradle-catalog"));
    let names: Vec<String> = inventory
        .packages
        .iter()
        .map(|one| format!("{} {} {}", one.name, one.version, one.relation.development))
        .collect();
    assert_eq!(
        names,
        [
            "com.android.application:com.android.application.gradle.plugin 8.1.1 true",
            "com.github.ben-manes.versions:com.github.ben-manes.versions.gradle.plugin 0.45.0 true",
            "com.google.guava:guava 32.1.2-jre false",
            "org.apache.commons:commons-lang3 3.9 false",
            "org.codehaus.groovy:groovy 3.0.5 false",
            "org.codehaus.groovy:groovy-json 3.0.5 false",
            "org.example:moving  false",
            "org.example:ranged  false",
            "org.jetbrains.kotlin.jvm:org.jetbrains.kotlin.jvm.gradle.plugin 1.9.10 true",
            "org.slf4j:slf4j-api 1.7.25 false",
            "org.sonarqube:org.sonarqube.gradle.plugin 4.4.1.3373 true",
            "org.springframework:spring-web  false",
        ]
    );
    assert_eq!(
        gaps(&inventory),
        [
            "missing gradle/libs.versions.toml: nothing gives `org.example:moving`, \
             `org.example:ranged`, `org.springframework:spring-web` a single version"
        ]
    );
    // A version that several entries share is edited where it is written.
    let place = |name: &str, version: &str| {
        let range = package("gradle-catalog", name, version)
            .origin
            .range
            .unwrap();
        (range.start.line, range.start.column)
    };
    assert_eq!(place("org.codehaus.groovy:groovy", "3.0.5"), (5, 23));
    assert_eq!(place("org.codehaus.groovy:groovy-json", "3.0.5"), (5, 23));
    assert_eq!(place("com.google.guava:guava", "32.1.2-jre"), (14, 33));
}

#[test]
fn nuget_tells_what_is_direct_and_what_needs_what() {
    let (direct, _) = told("nuget-lock");
    assert_eq!(
        direct,
        set([
            "ClosedXML 0.105.0",
            "Newtonsoft.Json 12.0.3",
            "Newtonsoft.Json 13.0.1"
        ])
    );
    // Of the package without its signature.
    for case in ["nuget-assets", "nuget-lock"] {
        let json = package(case, "Newtonsoft.Json", "13.0.1");
        let digest = json.hashes[0].to_string();
        assert!(
            digest.starts_with("sha512:a693c5a4172fc5db1f5289cd"),
            "{digest}"
        );
    }
    let open = package("nuget-lock", "DocumentFormat.OpenXml", "3.1.1");
    // Named in small letters there.
    assert_eq!(requires(&open), ["DocumentFormat.OpenXml.Framework 3.1.1"]);
    let (direct, _) = told("nuget-assets");
    assert_eq!(
        direct,
        set([
            "Microsoft.Extensions.Primitives 6.0.0",
            "Newtonsoft.Json 13.0.1"
        ])
    );
    let one = package("nuget-assets", "Microsoft.Extensions.Primitives", "6.0.0");
    assert_eq!(
        requires(&one),
        ["System.Runtime.CompilerServices.Unsafe 6.0.0"]
    );
    let (_, development) = told("nuget-config");
    assert_eq!(
        development,
        set(["Microsoft.CodeDom.Providers.DotNetCompilerPlatform 1.0.0"])
    );
    let one = package("paket", "Giraffe", "6.0");
    assert_eq!(
        requires(&one),
        ["FSharp.Core", "Giraffe.ViewEngine", "Newtonsoft.Json"]
    );
}

#[test]
fn names_of_swift_are_addresses() {
    assert_eq!(
        purls(&project(&data("swift-1"))),
        [
            "pkg:swift/github.com/Alamofire/Alamofire@5.6.4",
            "pkg:swift/github.com/apple/swift-nio-http2@1.9.0",
            "pkg:swift/gitlab.com/team/ios/snapshot?vcs_url=git%2Bhttps:%2F%2Fgitlab.com%2Fteam%2Fios%2F\
             snapshot%400c6eff3c0d3d8b8a6f0b6ea9d2d1b5d0b5f1e6a7",
        ]
    );
    let (direct, _) = told("cocoapods");
    assert_eq!(
        direct,
        set([
            "Alamofire 5.6.4",
            "AppAuth/Core 1.6.2",
            "Firebase/Core 10.12.0",
            "Toast-Swift 5.0.1"
        ])
    );
    let pod = package("cocoapods", "Firebase/Core", "10.12.0");
    assert_eq!(pod.purl, "pkg:cocoapods/Firebase@10.12.0#Core");
    assert_eq!(requires(&pod), ["Firebase/CoreOnly", "FirebaseAnalytics"]);
}

/// An action is known by its version alone: a tag such as `v4` and a branch lead
/// to another one every month.
#[test]
fn actions_are_known_by_full_versions() {
    let inventory = project(&data("actions"));
    let names: Vec<String> = inventory
        .packages
        .iter()
        .map(|one| format!("{} {} {}", one.origin.path, one.name, one.version))
        .collect();
    assert_eq!(
        names,
        [
            ".github/workflows/build.yml actions/cache ",
            ".github/workflows/build.yml actions/checkout v4",
            ".github/workflows/build.yml actions/setup-node v4.0.2",
            ".github/actions/own/action.yml actions/upload-artifact v3.1.3",
            ".github/workflows/build.yml github/codeql-action v3.25.8",
            ".github/workflows/build.yml octo-org/workflows v2.3.1",
            ".github/workflows/build.yml tj-actions/changed-files v44.5.2",
        ]
    );
    let path = ".github/workflows/build.yml";
    assert_eq!(
        gaps(&inventory),
        [
            format!(
                "unsupported {path}: images that it runs are not looked into: `alpine:3.19`, \
                 `node:20-bookworm`, `postgres:15`"
            ),
            format!(
                "missing {path}: tags, branches and commits without a version say nothing of these: \
                 `actions/cache@0c45773b623bea8c8e75f6c82b208c3cf94ea4f9`, `actions/checkout@v4`"
            ),
        ]
    );
}

#[test]
fn what_a_file_leaves_open_is_said() {
    for (case, expected) in [
        (
            "vcpkg",
            "missing vcpkg.json: the versions of `openssl`, `zlib` are those of a baseline, which is \
             not in the project",
        ),
        (
            "stack",
            "missing stack.yaml.lock: the packages of its snapshot `lts-14.27` are not listed in it",
        ),
        (
            "paket",
            "unsupported paket.lock: 2 files of repositories go by no name and version",
        ),
    ] {
        assert_eq!(gaps(&project(&data(case))), [expected]);
    }
    let said = gaps(&project(&data("carthage")));
    assert!(
        said[0].contains("1 frameworks are built by others"),
        "{said:?}"
    );
    for case in [
        "cabal",
        "cocoapods",
        "gleam",
        "gradle",
        "julia-1",
        "julia-2",
        "nuget-lock",
        "renv",
        "sbt",
        "swift-3",
    ] {
        assert_eq!(gaps(&project(&data(case))), Vec::<String>::new(), "{case}");
    }
    // Nothing is asked of the machine that builds but these.
    assert_eq!(told("vcpkg").1, set(["protobuf 3.21.12"]));
    assert_eq!(told("cabal").1, set(["cabal-doctest 1.0.9"]));
    assert_eq!(told("gleam").0, set(["gleeunit 0.11.1"]));
    let cli = package("renv", "cli", "3.6.3.9000");
    assert_eq!(
        cli.purl,
        "pkg:cran/cli@3.6.3.9000?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Fr-lib%2Fcli%40\
         0d6f1e7d5a4bcb2a5bfb1ae1f5bd6d1de6ad1a77"
    );
    let askpass = package("renv", "askpass", "1.2.1");
    assert_eq!(
        (requires(&askpass), askpass.licenses.join(" ")),
        (vec!["sys".to_owned()], "MIT + file LICENSE".to_owned())
    );
    let json = package("julia-2", "JSON", "0.21.4");
    assert_eq!(
        json.purl,
        "pkg:julia/JSON@0.21.4?uuid=682c06a0-de6a-54ab-a142-c8b1cf79cde6"
    );
    assert_eq!(requires(&json), ["Parsers"]);
}

/// Every version can be compared as advisories compare those of its kind.
#[test]
fn versions_are_those_of_their_kind() {
    for (case, kind, _) in CASES {
        let scheme = seawall_versions::by_purl_type(kind);
        for one in project(&data(case)).packages {
            let is_valid = scheme.is_none_or(|scheme| (scheme.is_valid)(&one.version));
            assert!(
                is_valid || one.version.is_empty(),
                "{case}: {} {}",
                one.name,
                one.version
            );
        }
        // Those have no advisories.
        assert_eq!(
            scheme.is_none(),
            ["cocoapods", "vcpkg"].contains(&kind),
            "{case}"
        );
    }
}
