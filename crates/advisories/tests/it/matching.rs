//! Known facts of the real records.

use std::{path::Path, sync::LazyLock};

use seawall_advisories::{
    Decision, Match, Matches, RecordKind, Request, Store as _, explain, find, shards_needed,
};
use seawall_model::{Confidence, GapKind, Origin, Os, Owner, Package, Severity, Source, Status};
use serde_json::json;

use crate::{memory::Memory, shared};

const ALL: &[&str] = &[
    "AlmaLinux",
    "Alpine",
    "Debian",
    "Go",
    "Packagist",
    "PyPI",
    "RubyGems",
    "crates.io",
    "npm",
];

static REAL: LazyLock<Option<Memory>> =
    LazyLock::new(|| shared().map(|shared| Memory::read(&shared.join("advisories"), ALL)));

const TODAY: &str = "2026-11-23";

fn os(id: &str, version: &str) -> Os {
    Os {
        id: id.to_owned(),
        version: version.to_owned(),
        name: format!("{id} {version}"),
        codename: None,
        like: Vec::new(),
    }
}

fn package(kind: &'static str, name: &str, version: &str) -> Package {
    Package::new(kind, name, version, "", Origin::default())
}

fn built_from(source: &str, version: &str, package: Package) -> Package {
    let source = Source {
        name: source.to_owned(),
        version: version.to_owned(),
    };
    Package {
        source: Some(source),
        ..package
    }
}

fn request<'a>(os: Option<&'a Os>, packages: &'a [Package]) -> Request<'a> {
    Request {
        os,
        packages,
        today: TODAY,
        starter: false,
        max_age: None,
        epochs_left_out: false,
    }
}

fn matched(store: &Memory, os: Option<&Os>, packages: &[Package]) -> Matches {
    find(store, &request(os, packages))
}

fn ids(found: &[Match]) -> Vec<&str> {
    found
        .iter()
        .map(|one| one.vulnerability.id.as_str())
        .collect()
}

fn one<'m>(found: &'m Matches, id: &str) -> Option<&'m Match> {
    let mut all = found
        .matches
        .iter()
        .filter(|one| one.vulnerability.id == id);
    let first = all.next();
    assert!(all.next().is_none(), "{id} twice");
    first
}

fn explained(store: &Memory, os: Option<&Os>, packages: &[Package], id: &str) -> Vec<Decision> {
    explain(store, &request(os, packages), id).unwrap()
}

#[test]
fn musl_on_alpine_is_matched_by_branch_and_explained() {
    let Some(store) = REAL.as_ref() else { return };
    let alpine = os("alpine", "3.10.4");
    let musl = |version: &str| {
        vec![
            built_from("musl", version, package("apk", "musl", version)),
            built_from("musl", version, package("apk", "musl-utils", version)),
        ]
    };
    let old = musl("1.1.22-r2");
    let found = matched(store, Some(&alpine), &old);
    assert_eq!(ids(&found.matches), ["CVE-2019-14697"]);
    let flaw = &found.matches[0];
    assert_eq!((flaw.package, flaw.also.as_slice()), (0, &[1][..]));
    assert_eq!(flaw.vulnerability.fixed, ["1.1.22-r3"]);
    assert_eq!(flaw.vulnerability.advisory, "ALPINE-CVE-2019-14697");
    assert_eq!(flaw.vulnerability.aliases, ["ALPINE-CVE-2019-14697"]);
    assert_eq!(flaw.vulnerability.status, Status::Fixed);
    assert_eq!(flaw.range, "< 1.1.22-r3");
    assert_eq!(found.shards_used, ["Alpine:v3.10"]);
    let end = found.end_of_life.as_ref().unwrap();
    assert_eq!((end.name, end.cycle.as_str()), ("Alpine Linux", "3.10"));

    let new = musl("1.1.22-r3");
    assert!(matched(store, Some(&alpine), &new).matches.is_empty());
    let why = explained(store, Some(&alpine), &new, "CVE-2019-14697");
    assert_eq!(why.len(), 1);
    assert!(!why[0].affected);
    assert_eq!(why[0].reason, "1.1.22-r3 >= 1.1.22-r3, which mends it");
    let why = explained(store, Some(&alpine), &old, "CVE-2019-14697");
    assert!(why[0].affected);
    assert_eq!(why[0].reason, "1.1.22-r2 < 1.1.22-r3");
    assert_eq!(why[0].also, [1]);

    // Another branch has other packages.
    let newer = os("alpine", "3.20.1");
    let found = matched(store, Some(&newer), &old);
    assert!(found.matches.is_empty());
    assert_eq!(found.gaps[0].kind, GapKind::NoAdvisories);
    assert_eq!(found.gaps[0].subject, "Alpine:v3.20");
    let why = explained(store, Some(&newer), &old, "CVE-2019-14697");
    assert!(
        why[0]
            .reason
            .contains("of this release the database has none"),
        "{}",
        why[0].reason
    );
}

#[test]
fn debian_goes_by_source_package_and_one_finding_per_cve() {
    let Some(store) = REAL.as_ref() else { return };
    let debian = os("debian", "11");
    let libssl = built_from(
        "openssl",
        "1.1.1n-0+deb11u3",
        package("deb", "libssl1.1", "1.1.1n-0+deb11u3"),
    );
    let found = matched(store, Some(&debian), &[libssl]);
    assert_eq!(
        ids(&found.matches),
        [
            "CVE-2022-2097",
            "CVE-2022-4304",
            "CVE-2022-4450",
            "CVE-2023-0215",
            "CVE-2023-0286"
        ]
    );
    for flaw in &found.matches {
        assert_eq!(flaw.vulnerability.advisory, "DSA-5343-1");
        assert_eq!(flaw.vulnerability.aliases, ["DSA-5343-1"]);
        assert_eq!(flaw.vulnerability.fixed, ["1.1.1n-0+deb11u4"]);
        assert_eq!(flaw.confidence, Confidence::High);
    }
    // A binary rebuilt under another version is compared by its source's.
    let rebuilt = built_from(
        "openssl",
        "1.1.1n-0+deb11u4",
        package("deb", "libssl1.1", "1.0"),
    );
    assert!(matched(store, Some(&debian), &[rebuilt]).matches.is_empty());
}

#[test]
fn the_last_advisory_of_a_cve_decides() {
    let Some(store) = REAL.as_ref() else { return };
    // DLA-3190-1 fixed CVE-2022-2601 in u2, DLA-3190-2 again in u3.
    let buster = os("debian", "10");
    let grub = |version: &str| vec![package("deb", "grub2", version)];
    for version in ["2.06-3~deb10u1", "2.06-3~deb10u2"] {
        let found = matched(store, Some(&buster), &grub(version));
        let flaw = one(&found, "CVE-2022-2601").unwrap();
        assert_eq!(flaw.vulnerability.advisory, "DLA-3190-2", "{version}");
        assert_eq!(flaw.vulnerability.fixed, ["2.06-3~deb10u3"], "{version}");
    }
    let found = matched(store, Some(&buster), &grub("2.06-3~deb10u3"));
    assert_eq!(one(&found, "CVE-2022-2601"), None);
}

#[test]
fn either_build_of_a_module_has_the_fix() {
    let Some(store) = REAL.as_ref() else { return };
    let alma = os("almalinux", "8.5");
    let mod_md = |version: &str, label: Option<&str>| {
        vec![Package {
            module: label.map(str::to_owned),
            ..built_from("mod_md", "2.0.8-8", package("rpm", "mod_md", version))
        }]
    };
    let affected = |version: &str, label: Option<&str>| {
        let packages = mod_md(version, label);
        let found = matched(store, Some(&alma), &packages);
        let by = |one: &&Match| {
            one.vulnerability
                .aliases
                .iter()
                .any(|id| id == "ALSA-2021:1809")
        };
        let hit = found.matches.iter().any(|one| by(&one));
        let why = explained(store, Some(&alma), &packages, "ALSA-2021:1809");
        assert_eq!(why.len(), 1);
        assert_eq!(why[0].affected, hit, "explain and find differ: {why:?}");
        hit
    };
    let label = Some("httpd:2.4:8050020210101000000:b30d9eec");
    for label in [label, None] {
        assert!(!affected("1:2.0.8-8.module_el8.5.0+2609+b30d9eec", label));
        assert!(!affected("1:2.0.8-8.module_el8.6.0+2872+fe0ff7aa", label));
        assert!(affected("1:2.0.8-7.module_el8.3.0+2000+b30d9eec", label));
        assert!(affected("1:2.0.8-8.module_el8.4.0+2500+b30d9eec", label));
    }
    // Not built in a module, or of another stream: not this advisory's business.
    assert!(!affected("1:2.0.8-7.el8", None));
    assert!(!affected(
        "1:2.0.8-7.module_el8.3.0+2000+b30d9eec",
        Some("httpd:2.2:1:x")
    ));
    // The epoch counts: 0 is below 1.
    assert!(affected("2.0.8-8.module_el8.6.0+2872+fe0ff7aa", label));
}

#[test]
fn a_stream_of_a_module_is_not_held_against_another() {
    let Some(store) = REAL.as_ref() else { return };
    let alma = os("almalinux", "8.6");
    let nodejs = |version: &str, label: Option<&str>| {
        let release = "1.module_el8.6.0+2904+f7bb9ac6";
        vec![Package {
            module: label.map(str::to_owned),
            ..built_from(
                "nodejs",
                &format!("{version}-{release}"),
                package("rpm", "nodejs", &format!("1:{version}-{release}")),
            )
        }]
    };
    let streams = |packages: &[Package]| {
        let found = matched(store, Some(&alma), packages);
        let mut titles: Vec<String> = found
            .matches
            .iter()
            .filter_map(|one| one.vulnerability.summary.clone())
            .filter_map(|title| {
                title
                    .split([' ', ','])
                    .find(|word| word.starts_with("nodejs:"))
                    .map(str::to_owned)
            })
            .collect();
        titles.sort();
        titles.dedup();
        titles
    };
    assert_eq!(
        streams(&nodejs("14.0.0", Some("nodejs:14:8060020220523:ad008a3a"))),
        ["nodejs:14"]
    );
    assert_eq!(streams(&nodejs("14.0.0", None)), ["nodejs:14"]);
    assert_eq!(
        streams(&nodejs("16.0.0", Some("nodejs:16:8060020220523:ad008a3a"))),
        ["nodejs:16"]
    );
}

#[test]
fn almalinux_advisories_carry_the_vendors_word_and_bug_fixes_are_no_flaws() {
    let Some(store) = REAL.as_ref() else { return };
    let alma = os("almalinux", "8.4");
    let thunderbird = [package("rpm", "thunderbird", "78.0-1.el8")];
    let found = matched(store, Some(&alma), &thunderbird);
    assert!(found.matches.len() > 20);
    for flaw in &found.matches {
        let word = &flaw.vulnerability.severities[0];
        assert_eq!(word.source, "vendor:AlmaLinux", "{}", flaw.vulnerability.id);
        assert_eq!(flaw.severity, word.severity);
        assert!(flaw.vulnerability.advisory.starts_with("ALSA-"));
    }
    let old = [package("rpm", "libmount-devel", "2.0-1.el8")];
    let why = explained(store, Some(&alma), &old, "ALBA-2021:1694");
    assert_eq!(why[0].reason, "the advisory mends bugs, not flaws");
    let found = matched(store, Some(&alma), &old);
    assert!(
        found
            .matches
            .iter()
            .all(|one| !one.vulnerability.advisory.starts_with("ALBA-"))
    );
}

#[test]
fn gos_standard_library_is_compared_by_its_own_versions() {
    let Some(store) = REAL.as_ref() else { return };
    for (version, affected) in [
        ("go1.14.11", true),
        ("go1.14.12", false),
        ("1.15.4", true),
        ("go1.15.5", false),
        ("go1.15rc1", true),
        ("go1.13.15", false),
        ("go1.15.4 X:boringcrypto", true),
    ] {
        let packages = [package("golang", "stdlib", version)];
        let found = matched(store, None, &packages);
        assert_eq!(
            one(&found, "CVE-2020-28362").is_some(),
            affected,
            "{version}"
        );
    }
}

#[test]
fn go_main_modules_without_version_are_not_compared_and_make_no_gap() {
    let Some(store) = REAL.as_ref() else { return };
    let packages = [package(
        "golang",
        "github.com/containerd/containerd",
        "(devel)",
    )];
    let found = matched(store, None, &packages);
    assert!(found.matches.is_empty() && found.gaps.is_empty());
}

#[test]
fn withdrawn_records_never_match() {
    let Some(store) = REAL.as_ref() else { return };
    let packages = [package("golang", "k8s.io/kubernetes", "v1.20.0")];
    let found = matched(store, None, &packages);
    assert!(!found.matches.is_empty());
    assert_eq!(one(&found, "CVE-2020-8562"), None);
    let why = explained(store, None, &packages, "GO-2022-0617");
    assert_eq!(why[0].reason, "the publisher withdrew the record");
    // Of all records of all ecosystems.
    for (_, candidate) in store.all().filter(|(_, one)| one.record.withdrawn) {
        let decisions = explained(store, None, &packages, candidate.record.id);
        assert!(
            decisions
                .iter()
                .all(|decision| { !decision.affected || decision.record != candidate.record.id })
        );
    }
}

#[test]
fn a_live_record_survives_the_withdrawal_of_its_alias() {
    let mut store = Memory::default();
    let entry = json!([{
        "package": {"ecosystem": "npm", "name": "next"},
        "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}],
    }]);
    store.add(&[
        json!({"id": "GHSA-live", "aliases": ["CVE-2024-1"], "affected": entry}),
        json!({"id": "CVE-2024-1", "aliases": ["GHSA-live"], "withdrawn": "2024-01-01T00:00:00Z", "affected": entry}),
    ]);
    let found = matched(&store, None, &[package("npm", "next", "1.0.0")]);
    assert_eq!(ids(&found.matches), ["CVE-2024-1"]);
    assert_eq!(found.matches[0].vulnerability.advisory, "GHSA-live");
}

#[test]
fn aliases_make_one_finding_with_the_ecosystems_record_in_front() {
    let mut store = Memory::default();
    let entry = |fixed: &str| {
        json!([{
            "package": {"ecosystem": "PyPI", "name": "Foo.Bar"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }])
    };
    store.add(&[
        json!({"id": "GHSA-aaaa", "aliases": ["CVE-2020-10000"], "affected": entry("1.2")}),
        json!({"id": "PYSEC-2020-1", "aliases": ["CVE-2020-10000", "CVE-2020-9"], "affected": entry("1.3")}),
        json!({"id": "PYSEC-2020-2", "aliases": ["CVE-2020-77"], "affected": entry("1.1")}),
    ]);
    let found = matched(&store, None, &[package("pypi", "foo_bar", "1.0")]);
    assert_eq!(ids(&found.matches), ["CVE-2020-77", "CVE-2020-9"]);
    let flaw = one(&found, "CVE-2020-9").unwrap();
    assert_eq!(flaw.vulnerability.advisory, "PYSEC-2020-1");
    assert_eq!(
        flaw.vulnerability.aliases,
        ["CVE-2020-10000", "GHSA-aaaa", "PYSEC-2020-1"]
    );
    // 1.2 mends it for the one, not for the other.
    assert_eq!(flaw.vulnerability.fixed, ["1.3"]);
}

#[test]
fn the_fix_is_where_all_branches_end() {
    let Some(store) = REAL.as_ref() else { return };
    let symfony = [package("composer", "symfony/symfony", "v2.0.5")];
    let found = matched(store, None, &symfony);
    let flaw = one(&found, "CVE-2023-46734").unwrap();
    assert_eq!(flaw.range, ">= 2.0.0, < 2.1.0");
    assert_eq!(flaw.vulnerability.fixed, ["4.4.51"]);
    let symfony = [package("composer", "symfony/symfony", "v4.4.51")];
    assert_eq!(one(&matched(store, None, &symfony), "CVE-2023-46734"), None);
}

#[test]
fn pypi_names_and_versions_are_normalised() {
    let Some(store) = REAL.as_ref() else { return };
    for (name, version) in [
        ("jinja2", "2.11.2"),
        ("Jinja2", "2.11.2.0"),
        ("JINJA2", "v2.11.2"),
    ] {
        let found = matched(store, None, &[package("pypi", name, version)]);
        assert_eq!(ids(&found.matches), ["CVE-2020-28493"], "{name} {version}");
        assert_eq!(found.matches[0].vulnerability.fixed, ["2.11.3"]);
    }
    let found = matched(store, None, &[package("pypi", "jinja2", "2.7")]);
    assert_eq!(found.matches.len(), 5);
}

#[test]
fn npm_last_affected_versions_are_affected() {
    let Some(store) = REAL.as_ref() else { return };
    let negotiator = |version: &str| matched(store, None, &[package("npm", "negotiator", version)]);
    let found = negotiator("0.6.0");
    assert_eq!(found.matches.len(), 1);
    assert_eq!(found.matches[0].range, "<= 0.6.0");
    assert!(found.matches[0].vulnerability.fixed.is_empty());
    assert_eq!(found.matches[0].vulnerability.status, Status::Affected);
    assert_eq!(found.matches[0].severity, Severity::High);
    assert!(negotiator("0.6.1").matches.is_empty());
}

#[test]
fn rustsec_notices_are_told_from_flaws() {
    let Some(store) = REAL.as_ref() else { return };
    let found = matched(store, None, &[package("cargo", "libusb", "0.3.0")]);
    let notice = found
        .matches
        .iter()
        .find(|one| one.vulnerability.id == "RUSTSEC-2016-0004")
        .unwrap();
    assert_eq!(notice.kind, RecordKind::Unmaintained);
    assert_eq!(notice.severity, Severity::Low);
    let found = matched(store, None, &[package("cargo", "time", "0.2.7")]);
    let flaw = one(&found, "CVE-2020-26235").unwrap();
    assert_eq!(flaw.kind, RecordKind::Vulnerability);
    assert_eq!(flaw.severity, Severity::Medium);
    assert_eq!(flaw.vulnerability.fixed, ["0.2.23"]);
    let flaw = matched(store, None, &[package("cargo", "time", "0.3.6")]);
    let vectors = &one(&flaw, "CVE-2026-25727").unwrap().vulnerability.cvss;
    assert!(vectors[0].vector.starts_with("CVSS:4.0/"));
}

#[test]
fn exploited_flaws_are_marked_and_other_ecosystems_lend_their_score() {
    let Some(store) = REAL.as_ref() else { return };
    // PwnKit.
    let debian = os("debian", "11");
    let found = matched(
        store,
        Some(&debian),
        &[package("deb", "policykit-1", "0.105-30")],
    );
    let flaw = one(&found, "CVE-2021-4034").unwrap();
    assert!(flaw.vulnerability.kev.is_some());
}

#[test]
fn coverage_gaps_are_named() {
    let Some(store) = REAL.as_ref() else { return };
    let packages = [
        package("deb", "bash", "5.2"),
        package("npm", "lodash", "4.17.0"),
        package("maven", "a:b", "1.0"),
        package("swid", "x", "1"),
    ];
    let debian = os("debian", "12");
    let mut asked = request(Some(&debian), &packages);
    asked.starter = true;
    let found = find(store, &asked);
    let subjects: Vec<(GapKind, &str)> = found
        .gaps
        .iter()
        .map(|gap| (gap.kind, gap.subject.as_str()))
        .collect();
    assert_eq!(
        subjects,
        [
            (GapKind::NoAdvisories, "Debian:12"),
            (GapKind::NoAdvisories, "Maven"),
            (GapKind::NoAdvisories, "swid packages"),
            (GapKind::StaleAdvisories, "npm"),
        ]
    );
    assert!(
        found.gaps[3]
            .reason
            .contains(store.newest("npm").unwrap().get(..10).unwrap())
    );

    let mut asked = request(None, &packages[1..2]);
    asked.max_age = Some(30);
    assert_eq!(find(store, &asked).gaps[0].kind, GapKind::StaleAdvisories);
    asked.max_age = Some(100_000);
    assert!(find(store, &asked).gaps.is_empty());

    for (id, kind) in [("fedora", "rpm"), ("arch", "alpm"), ("pop", "deb")] {
        let os = os(id, "40");
        let packages = [package(kind, "bash", "5.2-1")];
        let found = matched(store, Some(&os), &packages);
        assert_eq!(found.gaps.len(), 1);
        assert_eq!(found.gaps[0].kind, GapKind::NoAdvisories);
        assert!(found.gaps[0].subject.contains(id), "{:?}", found.gaps);
    }
}

#[test]
fn strange_versions_are_compared_in_doubt() {
    let Some(store) = REAL.as_ref() else { return };
    let found = matched(
        store,
        None,
        &[package("npm", "negotiator", "file:../negotiator")],
    );
    assert!(
        found
            .matches
            .iter()
            .all(|one| one.confidence == Confidence::Low)
    );
    assert_eq!(found.gaps.len(), 1);
    assert_eq!(found.gaps[0].kind, GapKind::Unsupported);
}

#[test]
fn a_record_of_one_flaw_overrules_an_advisory_of_many() {
    let mut store = Memory::default();
    let entry = |fixed: &str| {
        json!([{
            "package": {"ecosystem": "Debian:12", "name": "curl"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }])
    };
    store.add(&[
        json!({"id": "DSA-1-1", "upstream": ["CVE-2024-1", "CVE-2024-2"], "affected": entry("8.0-3")}),
        json!({"id": "DEBIAN-CVE-2024-1", "upstream": ["CVE-2024-1"], "affected": entry("0")}),
    ]);
    let bookworm = os("debian", "12");
    let curl = [package("deb", "curl", "8.0-2")];
    let found = matched(&store, Some(&bookworm), &curl);
    assert_eq!(ids(&found.matches), ["CVE-2024-2"]);
    let why = explained(&store, Some(&bookworm), &curl, "CVE-2024-1");
    assert!(why.iter().all(|decision| !decision.affected), "{why:?}");
    assert!(
        why.iter().any(|one| one.reason.contains("rejected it")),
        "{why:?}"
    );
    assert!(
        why.iter()
            .any(|one| one.reason.contains("`DEBIAN-CVE-2024-1`")),
        "{why:?}"
    );
}

#[test]
fn what_cannot_be_explained_is_said() {
    let Some(store) = REAL.as_ref() else { return };
    let packages = [package("npm", "lodash", "4.17.0")];
    let why = explained(store, None, &packages, "CVE-1999-0000");
    assert_eq!(
        why[0].reason,
        "no record of `CVE-1999-0000` is in the database"
    );
    let why = explained(store, None, &packages, "PYSEC-2021-66");
    assert_eq!(
        why[0].reason,
        "the target has no package that its records name: `jinja2` (PyPI)"
    );
}

#[test]
fn only_what_is_needed_is_asked_for() {
    let packages = [
        package("deb", "bash", "5"),
        package("npm", "a", "1"),
        package("rpm", "b", "1"),
    ];
    let debian = os("debian", "12");
    assert_eq!(
        shards_needed(Some(&debian), &packages),
        ["Debian:12", "npm"]
    );
    assert_eq!(shards_needed(None, &packages), ["npm"]);
    assert_eq!(
        shards_needed(Some(&os("rhel", "9.4")), &packages),
        ["Red Hat", "npm"]
    );
}

/// Every advisory's own bounds, for every ecosystem: what lies just at a fix is
/// not affected by that range, what lies just at an introduction is, and
/// explain always says what find did.
#[test]
fn find_and_explain_agree_on_the_bounds_of_all_records() {
    use seawall_advisories::Event;
    let Some(store) = REAL.as_ref() else { return };
    let kinds = [
        ("Go", "golang"),
        ("PyPI", "pypi"),
        ("crates.io", "cargo"),
        ("RubyGems", "gem"),
        ("npm", "npm"),
        ("Packagist", "composer"),
    ];
    let mut checked = 0;
    for (at, (shard, candidate)) in store.all().enumerate() {
        // A sample: each explanation reads all records of this store.
        if at % 97 != 0 {
            continue;
        }
        let Some((_, kind)) = kinds.iter().find(|(name, _)| *name == shard) else {
            continue;
        };
        let events = candidate
            .affected
            .ranges
            .iter()
            .flat_map(|range| &range.events);
        for event in events.take(4) {
            let (Event::Introduced(version) | Event::Fixed(version) | Event::LastAffected(version)) =
                *event
            else {
                continue;
            };
            let packages = [package(kind, candidate.affected.name, version)];
            let id = candidate.record.id;
            let found = matched(store, None, &packages);
            let hit = found.matches.iter().any(|one| {
                one.vulnerability.id == id || one.vulnerability.aliases.iter().any(|it| it == id)
            });
            let why = explained(store, None, &packages, id);
            assert_eq!(
                why.iter().any(|one| one.affected),
                hit,
                "{id} {} {version}: {why:?}",
                candidate.affected.name
            );
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
}

/// A thousand packages of six ecosystems, so that the work is spread over
/// threads: twice the same, and the same as one by one.
#[test]
fn many_packages_are_matched_as_one_by_one() {
    let Some(store) = REAL.as_ref() else { return };
    let kinds = [
        ("Go", "golang"),
        ("PyPI", "pypi"),
        ("crates.io", "cargo"),
        ("npm", "npm"),
    ];
    let mut names: Vec<(&'static str, &str)> = store
        .all()
        .filter_map(|(shard, one)| {
            let (_, kind) = kinds.iter().find(|(name, _)| *name == shard)?;
            Some((*kind, one.affected.name))
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    let step = names.len() / 1000;
    let packages: Vec<Package> = names
        .iter()
        .step_by(step.max(1))
        .take(1000)
        .map(|(kind, name)| package(kind, name, "1.1.0"))
        .collect();
    let all = matched(store, None, &packages);
    let fastest = (0..10)
        .map(|_| {
            let start = std::time::Instant::now();
            let _ = matched(store, None, &packages);
            start.elapsed()
        })
        .min();
    eprintln!(
        "{} packages, {} matches, fastest {fastest:?}",
        packages.len(),
        all.matches.len()
    );
    assert_eq!(all, matched(store, None, &packages));
    assert!(all.matches.len() > 500, "{}", all.matches.len());
    let mut single = Vec::new();
    for (index, package) in packages.iter().enumerate() {
        for mut one in matched(store, None, std::slice::from_ref(package)).matches {
            one.package = index;
            single.push(one);
        }
    }
    assert_eq!(all.matches, single);
}

#[test]
fn every_distribution_of_the_docs_is_in_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/distributions.md");
    let Ok(text) = std::fs::read_to_string(path) else {
        seawall_testkit::skip("docs/distributions.md is not there");
        return;
    };
    for distro in seawall_advisories::distros::all() {
        assert!(
            text.contains(&format!("`{}`", distro.id)),
            "docs/distributions.md lacks `{}`",
            distro.id
        );
    }
}

/// Debian's `python3-django` bears upstream's old number and Debian's fixes;
/// `django` beside it is upstream's.
#[test]
fn a_language_package_of_the_distribution_is_left_to_it() {
    let Some(store) = REAL.as_ref() else { return };
    let debian = os("debian", "11");
    let owned = |owner: &str| Package {
        owner: Some(Owner {
            name: owner.to_owned(),
            answers: false,
        }),
        ..package("pypi", "django", "3.2.19")
    };
    let binary = built_from(
        "python-django",
        "2:2.2.28-1~deb11u2",
        package("deb", "python3-django", "2:2.2.28-1~deb11u2"),
    );
    let of_pypi = |packages: &[Package]| {
        let found = matched(store, Some(&debian), packages);
        let own = found.matches.iter().filter(|one| one.package == 1).count();
        (own, found.left_to_distribution)
    };
    let (flaws, left) = of_pypi(&[binary.clone(), package("pypi", "django", "3.2.19")]);
    assert!(flaws > 5, "{flaws}");
    assert!(left.is_empty());
    let both = [binary.clone(), owned("python3-django")];
    assert_eq!(of_pypi(&both), (0, vec![1]));
    // A package that Debian never wrote about cannot clear it.
    let foreign = [package("deb", "vendor-django", "1"), owned("vendor-django")];
    assert_eq!(of_pypi(&foreign), (flaws, Vec::new()));

    let why = explained(store, Some(&debian), &both, "CVE-2023-36053");
    let of_owned = why.iter().find(|one| one.package == Some(1)).unwrap();
    assert!(!of_owned.affected);
    let wanted = "`python3-django`, a package of the distribution, brought it";
    assert!(of_owned.reason.starts_with(wanted), "{}", of_owned.reason);
}
