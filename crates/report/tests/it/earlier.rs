//! Reports of ours as what a later one is compared with.

use seawall_model::Severity;
use seawall_report::{Format, ReadError, earlier};
use serde_json::{Value, json};

use crate::{
    sample,
    support::{OPTIONS, render},
};

fn written() -> Value {
    let text = render(&sample::compared(), Format::Json, &OPTIONS);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_report_is_read_as_it_was_written() {
    for report in [sample::report(), sample::hostile(), sample::compared()] {
        let text = render(&report, Format::Json, &OPTIONS);
        let read = earlier(text.as_bytes()).unwrap();
        let known = report.baseline.iter().flat_map(|one| &one.known);
        // What was left out belongs to it.
        let want = report
            .findings
            .iter()
            .map(|one| (one.target, one.fingerprint, &one.message));
        let want = want.chain(known.map(|one| (one.target, one.fingerprint, &one.message)));
        let got = read
            .findings
            .iter()
            .map(|one| (one.target, one.fingerprint, &one.message));
        assert_eq!(got.collect::<Vec<_>>(), want.collect::<Vec<_>>());
        let names: Vec<&str> = read.targets.iter().map(|one| one.name.as_str()).collect();
        let want: Vec<&str> = report.targets.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, want);
        assert_eq!(read.gaps.len(), report.gaps.len());
        for (one, read) in report.findings.iter().zip(&read.findings) {
            let flaw = one.vulnerability.as_deref();
            assert_eq!(read.exploited, flaw.is_some_and(|flaw| flaw.kev.is_some()));
            let epss = flaw.and_then(|flaw| flaw.epss);
            assert_eq!(read.epss, epss.map(|epss| epss.score));
            assert_eq!(read.path.as_deref(), one.location.path());
            let package = one.package.map(|at| report.packages[at].kind.to_string());
            assert_eq!(read.package, package);
        }
        let known = report.baseline.iter().flat_map(|one| &one.known);
        assert!(
            known
                .zip(&read.findings[report.findings.len()..])
                .all(|(a, b)| a == b)
        );
        assert!(read.digest.starts_with("sha256:"));
    }
    let read = earlier(written().to_string().as_bytes()).unwrap();
    let first = &read.findings[0];
    assert_eq!((first.severity, first.fixable), (Severity::Critical, true));
    assert_eq!(first.rule, "package/known-vulnerability");
}

#[test]
fn the_overview_of_a_repository_names_what_is_gone() {
    let mut report = sample::compared();
    report.targets[0].tags = vec!["3.10".to_owned()];
    let text = render(&report, Format::Table, &OPTIONS);
    assert!(text.starts_with("digest"), "{text}");
    for gone in &report.baseline.as_ref().unwrap().gone {
        assert!(text.contains(&gone.message.replace('`', "")) || text.contains(&gone.message));
    }
}

#[test]
fn what_is_none_is_refused_with_the_reason() {
    let said = |bytes: &[u8]| match earlier(bytes) {
        Ok(read) => unreachable!("{read:?}"),
        Err(error) => error,
    };
    for text in [
        "",
        "null",
        "[]",
        "{",
        "\u{feff}{}",
        "{\"schema\": \"seawall.report/v1\"}",
    ] {
        let error = said(text.as_bytes());
        assert!(matches!(error, ReadError::Json(_)), "{text}: {error}");
    }
    let deep = "[".repeat(100_000);
    let deep = format!("{{\"schema\": \"seawall.report/v1\", \"x\": {deep}");
    assert!(matches!(said(deep.as_bytes()), ReadError::Json(_)));
    let whole = written().to_string();
    let half = &whole.as_bytes()[..whole.len() / 2];
    assert!(matches!(said(half), ReadError::Json(_)));
    let sarif = render(&sample::report(), Format::Sarif, &OPTIONS);
    assert!(matches!(said(sarif.as_bytes()), ReadError::Foreign));
    for (pointer, value, want) in [
        ("/schema", json!("seawall.report/v2"), "`seawall.report/v2`"),
        ("/schema", json!(1), "no report of Seawall"),
        (
            "/findings/0/fingerprint",
            json!("12"),
            "`12` is no fingerprint",
        ),
        ("/findings/0/severity", json!("bad"), "`bad` is no severity"),
        (
            "/findings/0/target",
            json!(4),
            "is of the target 4, and there are 4",
        ),
        ("/gaps/0/target", json!(9), "a gap is of the target 9"),
        ("/baseline/known/0/target", json!(9), "is of the target 9"),
        ("/findings/0/target", json!(-1), "no report in JSON"),
        ("/findings", json!({}), "no report in JSON"),
    ] {
        let mut report = written();
        *report.pointer_mut(pointer).unwrap() = value;
        let error = said(report.to_string().as_bytes()).to_string();
        assert!(error.contains(want), "{pointer}: {error}");
    }
}
