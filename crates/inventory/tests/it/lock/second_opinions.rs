//! The files of `others.rs` as osv-scanner and Syft read them; every difference
//! is explained.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use seawall_model::Package;

use super::{data, others::CASES, project};
use crate::support::{have, run};

/// The same files as osv-scanner reads them: names and versions as advisories
/// write them.
#[test]
fn names_are_those_of_osv_scanner() {
    if !have(&["osv-scanner", "jq"]) {
        return;
    }
    // What it does not read: Julia's it reads only when told to.
    const UNREAD: [&str; 12] = [
        "actions",
        "cabal-2",
        "carthage",
        "cocoapods",
        "gleam",
        "gradle-catalog",
        "julia-1",
        "julia-2",
        "paket",
        "sbt",
        "swift-1",
        "vcpkg",
    ];
    let script =
        "osv-scanner scan source --all-packages --format json --offline -r \"$1\" 2>/dev/null |
        jq -r '.results[]?.packages[].package | [.name, .version] | join(\" \")'";
    for (case, _, _) in CASES.iter().filter(|case| !UNREAD.contains(&case.0)) {
        let mut command = Command::new("sh");
        let said = run(command.args(["-c", script, "sh"]).arg(data(case)));
        let theirs: BTreeSet<String> = said.lines().map(str::to_owned).collect();
        let ours: BTreeSet<String> = super::names(&project(&data(case))).into_iter().collect();
        let more: Vec<&str> = theirs.difference(&ours).map(String::as_str).collect();
        let less: Vec<&str> = ours.difference(&theirs).map(String::as_str).collect();
        let expected: (&[&str], &[&str]) = match *case {
            // `setup.` is a qualifier, and not of the package's name.
            "cabal" => (&[], &["cabal-doctest 1.0.9"]),
            // A description that was fetched, without an archive.
            "gradle-verification" => (&["com.google.guava:guava-parent 32.1.2-jre"], &[]),
            // It does not read this file at all.
            "nuget-assets" => (
                &[],
                &[
                    "Microsoft.Extensions.Primitives 6.0.0",
                    "Newtonsoft.Json 13.0.1",
                    "System.Runtime.CompilerServices.Unsafe 6.0.0",
                ],
            ),
            // A project of the solution itself.
            "nuget-lock" => (&["shop.core "], &[]),
            // What comes from elsewhere than CRAN.
            "renv" => (&[], &["Biobase 2.64.0", "cli 3.6.3.9000"]),
            // What comes from a repository.
            "stack" => (&[], &["grpc-haskell-core 0.0.0.0"]),
            // A folder of one machine.
            "swift-2" => (&["/Users/me/tool 0.1.0"], &[]),
            _ => (&[], &[]),
        };
        assert_eq!(
            (more.as_slice(), less.as_slice()),
            expected,
            "{case}: only there, only here"
        );
    }
}

/// Syft's package URLs, a second opinion on their form. Where it differs it is
/// not the specification's (purl-spec, `types`), as said below.
#[test]
fn purls_are_those_of_syft() {
    if !have(&["syft", "jq"]) {
        return;
    }
    const READ: [&str; 10] = [
        "actions",
        "cocoapods",
        "conan-1",
        "conan-2",
        "gradle",
        "nuget-lock",
        "stack",
        "swift-1",
        "swift-2",
        "swift-3",
    ];
    let script = "SYFT_CHECK_FOR_APP_UPDATE=false syft scan -q -o json \"dir:$1\" | jq -r '.artifacts[].purl'";
    for case in READ {
        let said = run(Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(data(case)));
        let theirs: BTreeSet<String> = said
            .lines()
            .map(|purl| spelled(case, purl))
            .filter(|purl| !purl.is_empty())
            .collect();
        let ours: BTreeMap<String, Package> = project(&data(case))
            .packages
            .into_iter()
            .map(|one| {
                let (bare, part) = one.purl.split_once('#').unwrap_or((&one.purl, ""));
                let bare = bare.split('?').next().unwrap_or_default();
                let purl = if part.is_empty() {
                    bare.to_owned()
                } else {
                    format!("{bare}#{part}")
                };
                (purl, one)
            })
            .collect();
        let more: Vec<&String> = theirs
            .iter()
            .filter(|purl| !ours.contains_key(*purl))
            .collect();
        let less: Vec<&str> = ours
            .iter()
            .filter(|(purl, _)| !theirs.contains(*purl))
            .map(|(purl, _)| purl.as_str())
            .collect();
        let expected: (&[&str], &[&str]) = match case {
            // It takes a commit for a version.
            "actions" => (
                &["pkg:githubactions/actions/cache@0c45773b623bea8c8e75f6c82b208c3cf94ea4f9"],
                &["pkg:githubactions/actions/cache"],
            ),
            // A folder of the project.
            "cocoapods" => (&["pkg:cocoapods/Local@0.1.0"], &[]),
            // The project itself.
            "conan-1" => (&["pkg:conan/shop@1.0"], &[]),
            // It leaves out what is needed to build.
            "conan-2" => (&[], &["pkg:conan/cmake@3.25.3", "pkg:conan/nasm@2.15.05"]),
            // It does not read the file of the build script.
            "gradle" => (
                &[],
                &[
                    "pkg:maven/com.google.code.gson/gson@2.8.5",
                    "pkg:maven/org.jetbrains.kotlin/kotlin-gradle-plugin@1.9.10",
                ],
            ),
            // A project of the solution itself.
            "nuget-lock" => (&["pkg:nuget/shop.core"], &[]),
            // It leaves out what comes from a repository.
            "stack" => (&[], &["pkg:hackage/grpc-haskell-core@0.0.0.0"]),
            // A folder of one machine.
            "swift-2" => (&["pkg:swift/Users/me/tool@0.1.0"], &[]),
            _ => (&[], &[]),
        };
        assert_eq!(
            (
                more.iter()
                    .map(|it| it.as_str())
                    .collect::<Vec<_>>()
                    .as_slice(),
                less.as_slice()
            ),
            expected,
            "{case}"
        );
    }
}

/// A package URL of Syft in the specification's words.
fn spelled(case: &str, purl: &str) -> String {
    let purl = purl.replace("%2B", "+").replace('+', "%2B");
    match case {
        // An action has a type of its own, and an image is none.
        "actions" if purl.contains("docker") => String::new(),
        "actions" => {
            let purl = purl.replacen("pkg:github/", "pkg:githubactions/", 1);
            purl.split('#').next().unwrap_or_default().to_owned()
        }
        // A part of a pod is a path in it.
        "cocoapods" => match purl.split_once("%2F") {
            Some((name, rest)) => {
                let (part, version) = rest.split_once('@').unwrap_or_default();
                format!("{name}@{version}#{}", part.replace("%2F", "/"))
            }
            None => purl,
        },
        // A user is a qualifier.
        "conan-1" | "conan-2" => purl
            .split('?')
            .next()
            .unwrap_or_default()
            .replace("conan/team/", "conan/"),
        // The name is the end of the address, and not there once more.
        "swift-1" | "swift-2" | "swift-3" => {
            let purl = purl.replace("git%40github.com%3A", "github.com/");
            let (path, version) = purl.split_once('@').unwrap_or((&purl, ""));
            let path = path.trim_end_matches(".git");
            let path = match path.rsplit_once('/') {
                Some((above, _)) if above.contains('/') => above.trim_end_matches(".git"),
                _ => path,
            };
            match version {
                "" => path.to_owned(),
                version => format!("{path}@{version}"),
            }
        }
        _ => purl,
    }
}
