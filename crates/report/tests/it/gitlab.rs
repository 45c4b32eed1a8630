//! GitLab's reports against its schemas, and what they say.

use std::collections::BTreeSet;

use seawall_model::{Cvss, TargetKind};
use seawall_report::{Error, Format, Options};
use serde_json::Value;

use crate::{
    sample,
    schemas::validate,
    support::{OPTIONS, render},
};

fn wire(report: &seawall_model::Report, format: Format) -> Value {
    serde_json::from_str(&render(report, format, &OPTIONS)).unwrap()
}

fn texts<'a>(value: &'a Value, pointer: &str) -> Vec<&'a str> {
    let all = value.as_array().unwrap();
    let all = all.iter().filter_map(|one| one.pointer(pointer)?.as_str());
    all.collect()
}

#[test]
fn scanners_reports_follow_gitlabs_schemas() {
    validate(
        "tests/fixtures/gitlab-container-scanning-15.0.7.json",
        Format::GitlabContainerScanning,
    );
    validate(
        "tests/fixtures/gitlab-dependency-scanning-15.0.7.json",
        Format::GitlabDependencyScanning,
    );
}

#[test]
fn code_quality_follows_what_gitlabs_reader_asks_for() {
    let path = crate::schemas::file("tests/fixtures/gitlab-codeclimate.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for report in [sample::report(), sample::hostile()] {
        let issues = wire(&report, Format::GitlabCodeQuality);
        let issues = issues.as_array().unwrap();
        assert_eq!(issues.len(), report.findings.len() + report.gaps.len());
        let mut prints = BTreeSet::new();
        for issue in issues {
            let errors: Vec<_> = validator
                .iter_errors(issue)
                .map(|one| one.to_string())
                .collect();
            assert!(errors.is_empty(), "{errors:?}: {issue}");
            // What the schema leaves out and GitLab's documentation asks for.
            let severity = issue["severity"].as_str().unwrap();
            assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity));
            assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() > 0);
            let path = issue["location"]["path"].as_str().unwrap();
            assert!(!path.starts_with("./") && !path.starts_with('/') && !path.is_empty());
            assert!(prints.insert(issue["fingerprint"].to_string()), "{issue}");
        }
    }
    let issues = wire(&sample::report(), Format::GitlabCodeQuality);
    let of = |id: &str| {
        let mut all = issues.as_array().unwrap().iter();
        all.find(|one| one["description"].as_str().unwrap().contains(id))
            .unwrap()
    };
    let lock = of("GHSA-aaaa-bbbb-cccc");
    assert_eq!(lock["location"]["path"], "shop/web/package-lock.json");
    assert_eq!(lock["location"]["lines"]["begin"], 12);
    assert_eq!(lock["severity"], "major");
    assert_eq!(lock["check_name"], "package/known-vulnerability");
    assert_eq!(
        of("CVE-2022-0001")["location"]["path"],
        "shop:1.4/var/lib/dpkg/status"
    );
    assert_eq!(of("web/yarn.lock")["check_name"], "gap/damaged");
}

#[test]
fn containers_and_projects_have_a_report_each() {
    let report = sample::report();
    let containers = wire(&report, Format::GitlabContainerScanning);
    let flaws = &containers["vulnerabilities"];
    assert_eq!(
        texts(flaws, "/identifiers/0/value"),
        ["CVE-2022-0001", "CVE-2022-0002", "CVE-2007-6755"]
    );
    let first = &flaws[0];
    assert_eq!(first["severity"], "Critical");
    assert_eq!(first["location"]["operating_system"], "debian:10");
    assert_eq!(first["location"]["image"], "shop:1.4");
    assert_eq!(
        first["location"]["dependency"]["package"]["name"],
        "libssl1.1"
    );
    assert_eq!(first["cvss_vectors"][0]["vendor"], "nvd");
    assert_eq!(first["identifiers"][0]["type"], "cve");
    assert_eq!(first["identifiers"][1]["type"], "dsa");
    assert_eq!(first["name"], "infinite loop when reading certificates");
    assert_eq!(first["solution"], "upgrade `libssl1.1` to 1.1.1n-0+deb10u2");
    assert_eq!(containers["scan"]["start_time"], "2026-01-02T03:04:05");
    assert_eq!(containers["scan"]["end_time"], "2026-01-02T03:04:06");
    let messages = texts(&containers["scan"]["messages"], "/value");
    let of = |start: &str| messages.iter().filter(|one| one.starts_with(start)).count();
    // Of the targets that are none, and of what is no package's flaw.
    assert_eq!(
        of("found, but no part of this report: "),
        5,
        "{messages:#?}"
    );
    assert_eq!((of("not looked at: "), of("suppressed: ")), (2, 2));

    let projects = wire(&report, Format::GitlabDependencyScanning);
    let flaws = &projects["vulnerabilities"];
    assert_eq!(
        texts(flaws, "/location/file"),
        [
            "shop/web/package-lock.json",
            "/srv/a b/requirements.txt",
            "shop/web/package-lock.json",
            "shop/web/package-lock.json",
        ]
    );
    assert_eq!(
        texts(&projects["dependency_files"], "/package_manager"),
        ["pip", "cargo", "npm"]
    );
    let count =
        flaws.as_array().unwrap().len() + containers["vulnerabilities"].as_array().unwrap().len();
    assert_eq!(count + 1, report.findings.len());
}

#[test]
fn two_findings_alike_have_ids_of_their_own() {
    let mut report = sample::report();
    let again = report.findings.clone();
    report.findings.extend(again);
    let flaws = wire(&report, Format::GitlabContainerScanning);
    let ids = texts(&flaws["vulnerabilities"], "/id");
    assert_eq!(ids.len(), 6);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 6);
    for id in ids {
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
        assert!(id.split('-').nth(2).unwrap().starts_with('8'), "{id}");
        let variant = id.split('-').nth(3).unwrap();
        assert!(variant.starts_with(['8', '9', 'a', 'b']), "{id}");
    }
}

#[test]
fn a_vector_that_gitlab_refuses_is_left_out() {
    let mut report = sample::report();
    let four = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
    let flawed = report.findings.iter_mut().filter(|one| one.target == 0);
    for finding in flawed.filter(|one| one.vulnerability.is_some()) {
        let cvss = &mut sample::flaw(finding).cvss;
        cvss.extend((0..20).map(|_| Cvss {
            vector: four.to_owned(),
            score: 9.3,
            source: String::new(),
        }));
    }
    let wire = wire(&report, Format::GitlabContainerScanning);
    let vectors = wire["vulnerabilities"][0]["cvss_vectors"]
        .as_array()
        .unwrap();
    assert_eq!(vectors.len(), 1);
    assert!(wire["vulnerabilities"][1].get("cvss_vectors").is_none());
}

#[test]
fn a_report_about_none_of_the_targets_is_refused_with_the_one_that_is() {
    for (kind, format, other) in [
        (
            TargetKind::Directory,
            Format::GitlabContainerScanning,
            Format::GitlabDependencyScanning,
        ),
        (
            TargetKind::Image,
            Format::GitlabDependencyScanning,
            Format::GitlabContainerScanning,
        ),
    ] {
        let sample = sample::Sample::new(vec![sample::target(kind, "x")]);
        let mut out = Vec::new();
        let options = Options { ..OPTIONS };
        let result = seawall_report::render(&sample.0, format, &options, &mut out);
        let Err(Error::About { instead, .. }) = result else {
            unreachable!("{result:?}");
        };
        assert_eq!(instead, other);
        assert!(out.is_empty());
        seawall_report::render(&sample.0, other, &options, &mut out).unwrap();
    }
}
