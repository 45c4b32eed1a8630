//! Every format against what others published of it, and in programs that
//! read it.

use std::path::Path;

use seawall_model::{Report, TargetKind};
use seawall_report::Format;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    sample,
    support::{OPTIONS, render, skip, told},
};

pub(crate) fn file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn reports() -> [Report; 4] {
    [
        sample::report(),
        sample::hostile(),
        sample::compared(),
        Report::default(),
    ]
}

pub(crate) fn validate(schema: &str, format: Format) {
    let text = std::fs::read_to_string(file(schema)).unwrap();
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    // The official schema of SARIF holds a pattern with a bracket too many,
    // which no strict validator compiles; the report has no such field.
    for at in ["run", "toolComponent"] {
        let at = format!("/definitions/{at}/properties/language");
        if let Some(language) = schema.pointer_mut(&at) {
            language.as_object_mut().unwrap().remove("pattern");
        }
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    for report in reports() {
        let report = serde_json::from_str(&render(&report, format, &OPTIONS)).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn json_follows_the_published_schema() {
    validate("../../docs/report.schema.json", Format::Json);
}

#[test]
fn sarif_follows_the_official_schema() {
    validate("tests/fixtures/sarif-schema-2.1.0.json", Format::Sarif);
}

#[test]
fn junit_follows_the_schema_of_jenkins() {
    let schema = file("tests/fixtures/junit-10.xsd");
    for report in reports() {
        let text = render(&report, Format::Junit, &OPTIONS);
        let arguments = ["--noout", "--schema", schema.to_str().unwrap(), "-"];
        told("xmllint", &arguments, &text);
    }
}

#[test]
fn junit_is_read_by_a_program() {
    const SCRIPT: &str = "
import sys, junitparser
for suite in junitparser.JUnitXml.fromstring(sys.stdin.buffer.read()):
    cases = list(suite)
    kinds = [type(one).__name__ for case in cases for one in case.result]
    print(suite.tests, len(cases), suite.failures, kinds.count('Failure'), suite.errors, kinds.count('Error'), suite.skipped, kinds.count('Skipped'))
";
    let text = render(&sample::report(), Format::Junit, &OPTIONS);
    if let Some(said) = told("python3", &["-c", SCRIPT], &text) {
        // What the suites say of themselves is what is in them.
        assert_eq!(
            said,
            "3 3 2 2 1 1 0 0\n6 6 2 2 1 1 2 2\n1 1 1 1 0 0 0 0\n0 0 0 0 0 0 0 0\n"
        );
    }
}

/// Microsoft's validator, with the rules of the format and those of GitHub.
#[test]
fn sarif_passes_the_validator_of_its_makers() {
    let dir = tempfile::tempdir().unwrap();
    let (log, verdict) = (
        dir.path().join("log.sarif"),
        dir.path().join("verdict.sarif"),
    );
    for report in [sample::report(), sample::hostile()] {
        std::fs::write(&log, render(&report, Format::Sarif, &OPTIONS)).unwrap();
        for kind in ["Sarif", "Ghas"] {
            let run = std::process::Command::new("sarif-multitool")
                .args(["validate", "--rule-kind", kind, "--log", "ForceOverwrite"])
                .arg("--output")
                .args([&verdict, &log])
                .output();
            let Ok(output) = run else {
                skip("there is no `sarif-multitool`");
                return;
            };
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.contains("Analysis completed successfully"), "{said}");
            let verdict = std::fs::read_to_string(&verdict).unwrap();
            let verdict: Value =
                serde_json::from_str(verdict.trim_start_matches('\u{feff}')).unwrap();
            let results = verdict["runs"][0]["results"].as_array().unwrap();
            let objections: Vec<&Value> = results
                .iter()
                .filter(|one| one["level"] != "note")
                .collect();
            assert!(objections.is_empty(), "{objections:#?}");
        }
    }
}

#[test]
fn sarif_points_at_the_right_file_from_the_right_base() {
    let text = render(&sample::report(), Format::Sarif, &OPTIONS);
    let log: Value = serde_json::from_str(&text).unwrap();
    let runs = log["runs"].as_array().unwrap();
    let mut places: Vec<(String, String)> = Vec::new();
    for run in runs {
        for result in run["results"].as_array().unwrap() {
            let place = &result["locations"][0]["physicalLocation"];
            let artifact = &place["artifactLocation"];
            let base = artifact["uriBaseId"].as_str().unwrap();
            assert!(run["originalUriBaseIds"][base].is_object(), "{base}");
            assert!(place["region"]["startLine"].as_u64().unwrap() > 0);
            let rules = &run["tool"]["driver"]["rules"];
            let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            assert_eq!(result["properties"]["target"], 0);
            let uri = artifact["uri"].as_str().unwrap();
            places.push((base.to_owned(), uri.to_owned()));
        }
    }
    places.sort();
    places.dedup();
    let want = [
        ("%SRCROOT%", "shop/Cargo.lock"),
        ("%SRCROOT%", "shop/web/package-lock.json"),
        ("FOLDER2", "requirements.txt"),
        ("IMAGE0", "etc/os-release"),
        ("IMAGE0", "var/lib/dpkg/status"),
    ];
    assert_eq!(
        places,
        want.map(|(base, uri)| (base.to_owned(), uri.to_owned()))
    );
    assert_eq!(
        runs[2]["originalUriBaseIds"]["FOLDER2"]["uri"],
        "file:///srv/a%20b/"
    );
}

#[test]
fn sarif_has_a_run_and_a_category_for_each_target() {
    let categories = |report: &Report| {
        let text = render(report, Format::Sarif, &OPTIONS);
        let log: Value = serde_json::from_str(&text).unwrap();
        let runs = log["runs"].as_array().unwrap();
        let results = |run: &Value| run["results"].as_array().unwrap().len();
        let all: usize = runs.iter().map(results).sum();
        assert_eq!(all, report.findings.len() + report.suppressed.len());
        let gaps = |run: &Value| {
            let all = &run["invocations"][0]["toolExecutionNotifications"];
            all.as_array().unwrap().len()
        };
        assert_eq!(runs.iter().map(gaps).sum::<usize>(), report.gaps.len());
        let id = |run: &Value| run["automationDetails"]["id"].as_str().unwrap().to_owned();
        runs.iter().map(id).collect::<Vec<String>>()
    };
    let want = [
        "seawall/image/shop/",
        "seawall/directory/shop/",
        "seawall/directory/srv/a-b/",
        "seawall/sbom/bom.json/",
    ];
    assert_eq!(categories(&sample::report()), want);
    assert_eq!(categories(&Report::default()), ["seawall/"]);
    let of = |names: &[(TargetKind, &str)]| {
        let targets = names.iter().map(|(kind, name)| sample::target(*kind, name));
        categories(&sample::Sample::new(targets.collect()).0)
    };
    assert_eq!(
        of(&[
            (TargetKind::Directory, "."),
            (TargetKind::Image, "localhost:5000/a/b:1@sha256:2"),
            (TargetKind::Image, "localhost:5000/a/b:2"),
            (TargetKind::Image, "localhost:5000/a/b/2"),
        ]),
        [
            "seawall/directory/",
            "seawall/image/localhost:5000/a/b/",
            "seawall/image/localhost:5000/a/b/2/",
            "seawall/image/localhost:5000/a/b/2/2/",
        ]
    );
    // GitHub takes no more than twenty runs.
    let many = |number: usize| of(&vec![(TargetKind::Image, "a:1"); number]);
    assert_eq!(many(20).len(), 20);
    assert_eq!(many(21), ["seawall/"]);
    let names = categories(&sample::hostile());
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/".contains(letter);
    for (at, name) in names.iter().enumerate() {
        assert!(name.chars().all(is_plain) && name.len() < 200, "{name}");
        assert!(name.ends_with('/') && !names[..at].contains(name), "{name}");
    }
}

#[test]
fn sarif_names_files_and_bills_of_materials_by_their_own_path() {
    for (kind, name, want) in [
        (
            TargetKind::File,
            "./a/go.mod",
            r#"{"uri":"a/go.mod","uriBaseId":"%SRCROOT%"}"#,
        ),
        (
            TargetKind::File,
            "/a/go.mod",
            r#"{"uri":"file:///a/go.mod"}"#,
        ),
        (
            TargetKind::Sbom,
            "../x:y.json",
            r#"{"uri":"../x%3Ay.json","uriBaseId":"%SRCROOT%"}"#,
        ),
        (
            TargetKind::Directory,
            ".",
            r#"{"uri":"p/go.mod","uriBaseId":"%SRCROOT%"}"#,
        ),
        (
            TargetKind::RootFs,
            "/",
            r#"{"uri":"p/go.mod","uriBaseId":"FOLDER0"}"#,
        ),
    ] {
        let mut sample = sample::Sample::new(vec![sample::target(kind, name)]);
        let origin = sample::locked("p/go.mod", 3);
        sample.package(0, sample::package("golang", "x", "1.0.0", origin));
        sample.flaw(seawall_model::Severity::High, "CVE-2024-1", &[]);
        let log: Value = serde_json::from_str(&render(&sample.0, Format::Sarif, &OPTIONS)).unwrap();
        let place = &log["runs"][0]["results"][0]["locations"][0];
        let artifact = &place["physicalLocation"]["artifactLocation"];
        assert_eq!(artifact.to_string(), want, "{kind:?} {name}");
    }
}

#[test]
fn the_page_allows_its_own_script_alone() {
    let page = render(&sample::report(), Format::Html, &OPTIONS);
    let (_, script) = page.split_once("<script>").unwrap();
    let (script, _) = script.split_once("</script>").unwrap();
    let hash = base64(&Sha256::digest(script));
    assert!(
        page.contains(&format!("script-src 'sha256-{hash}'")),
        "put sha256-{hash} into src/html.rs"
    );
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let mut group = [0; 3];
        group[..three.len()].copy_from_slice(three);
        let [a, b, c] = group.map(u32::from);
        let bits = a << 16 | b << 8 | c;
        for at in 0..4 {
            let index = bits >> (18 - 6 * at) & 63;
            let is_padding = at > three.len();
            out.push(if is_padding {
                '='
            } else {
                char::from(LETTERS[index as usize])
            });
        }
    }
    out
}

#[test]
fn a_snapshot_follows_the_schema_of_github() {
    validate("tests/fixtures/github-snapshot.json", Format::Github);
    let text = render(&sample::report(), Format::Github, &OPTIONS);
    let snapshot: Value = serde_json::from_str(&text).unwrap();
    let image = &snapshot["manifests"]["shop:1.4:var/lib/dpkg/status"];
    assert_eq!(image["resolved"].as_object().unwrap().len(), 1);
    let lock = &snapshot["manifests"]["./shop/:web/package-lock.json"]["resolved"];
    let core = &lock["pkg:npm/@babel/core@7.0.0"];
    assert_eq!(core["package_url"], "pkg:npm/@babel/core@7.0.0");
    assert_eq!(core["scope"], "runtime");
    // What GitHub would refuse is refused here, with a word.
    for (sha, reference) in [("abc", "refs/heads/x"), (&"0".repeat(40), "main")] {
        let snapshot = seawall_report::Snapshot {
            sha: sha.to_owned(),
            reference: reference.to_owned(),
            ..crate::support::snapshot()
        };
        let options = seawall_report::Options {
            snapshot: Some(&snapshot),
            ..OPTIONS
        };
        let mut out = Vec::new();
        let result = seawall_report::render(&sample::report(), Format::Github, &options, &mut out);
        assert!(result.is_err() && out.is_empty(), "{sha} {reference}");
    }
}

#[test]
fn a_bill_of_materials_is_about_one_target() {
    let mut out = Vec::new();
    let error = seawall_report::render(&sample::report(), Format::CycloneDx, &OPTIONS, &mut out);
    let said = error.unwrap_err().to_string();
    assert_eq!(
        said,
        "a bill of materials is about one target, and there are 4"
    );
    let reports = sample::each_target(&sample::report());
    let text = render(&reports[0], Format::CycloneDx, &OPTIONS);
    let bom: Value = serde_json::from_str(&text).unwrap();
    let ids: Vec<&str> = bom["vulnerabilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["CVE-2007-6755", "CVE-2022-0001", "CVE-2022-0002"]);
    let text = render(&reports[0], Format::Spdx, &OPTIONS);
    let document = seawall_formats::read(text.as_bytes()).unwrap();
    assert_eq!(document.packages[0].name, "libssl1.1");
}
