//! VEX documents that mean harm, or that nobody can understand.

use seawall_formats::vex;

use super::text;

fn error(document: &str) -> String {
    let mut error: &dyn std::error::Error = &vex::read(document.as_bytes(), "x").unwrap_err();
    let mut said = error.to_string();
    while let Some(cause) = error.source() {
        said += &format!(": {cause}");
        error = cause;
    }
    said
}

fn openvex(statement: &str) -> String {
    format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2024-01-01T00:00:00Z","statements":[{statement}]}}"#
    )
}

#[test]
fn what_cannot_be_understood_is_refused_as_a_whole() {
    for (document, want) in [
        (String::new(), "EOF"),
        ("[]".to_owned(), "no OpenVEX, CSAF or CycloneDX"),
        ("{}".to_owned(), "no OpenVEX, CSAF or CycloneDX"),
        (r#"{"bomFormat":"SPDX"}"#.to_owned(), "no OpenVEX"),
        (r#"{"document":{"csaf_version":"2.1"}}"#.to_owned(), "CSAF 2.1, which is not read"),
        (openvex(r#"{"vulnerability":{"name":"C"},"status":"harmless"}"#), "statement 1: `harmless` is no status"),
        (
            openvex(r#"{"vulnerability":{"name":"C"},"status":"not_affected","justification":"trust me"}"#),
            "`trust me` is no justification",
        ),
        (
            openvex(r#"{"vulnerability":{"name":"C"},"status":"fixed","timestamp":"2024-02-30T00:00:00Z"}"#),
            "statement 1: `2024-02-30T00:00:00Z` is no date",
        ),
        (openvex(r#"{"vulnerability":{"name":"C"},"status":"fixed","last_updated":"soon"}"#), "`soon` is no date"),
        (openvex(r#"{"vulnerability":7,"status":"fixed"}"#), "OpenVEX"),
        (openvex("1").replace("2024-01-01T00", "2024-01-01T99"), "OpenVEX"),
        (
            r#"{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"C","analysis":{"state":"fine"}}]}"#.to_owned(),
            "vulnerability `C`: `fine` is no state",
        ),
        (
            r#"{"document":{"csaf_version":"2.0","tracking":{"current_release_date":"yesterday"}}}"#.to_owned(),
            "`yesterday` is no date",
        ),
    ] {
        let said = error(&document);
        assert!(said.contains(want), "{document}: {said}");
    }
}

#[test]
fn depth_is_bounded() {
    let deep = |open: &str, close: &str| open.repeat(20_000) + "[]" + &close.repeat(20_000);
    let branches = format!(
        r#"{{"document":{{"csaf_version":"2.0"}},"product_tree":{{"branches":{}}}}}"#,
        deep(r#"[{"branches":"#, "}]")
    );
    let components = format!(
        r#"{{"bomFormat":"CycloneDX","components":{}}}"#,
        deep(r#"[{"components":"#, "}]")
    );
    for document in [branches, components] {
        assert!(
            error(&document).contains("recursion limit"),
            "{}",
            error(&document)
        );
    }
    for (open, close) in [
        ("[", "]"),
        (r#"{"predicate":"#, "}"),
        (r#"{"@context":"#, "}"),
    ] {
        assert!(!error(&deep(open, close)).is_empty());
    }
    // Envelopes that hold envelopes.
    let mut wrapped = openvex(r#"{"vulnerability":{"name":"C"},"status":"fixed"}"#);
    for _ in 0..6 {
        wrapped = format!(r#"{{"predicate":{wrapped}}}"#);
    }
    assert!(error(&wrapped).contains("no OpenVEX"));
}

#[test]
fn a_product_that_is_a_part_of_itself_is_lost_and_said() {
    let circular = r#"{"document":{"csaf_version":"2.0"},"product_tree":{
        "full_product_names":[{"product_id":"x","name":"x","product_identification_helper":{"purl":"pkg:npm/x"}}],
        "relationships":[
        {"product_reference":"a","relates_to_product_reference":"a","full_product_name":{"product_id":"a"}},
        {"product_reference":"x","relates_to_product_reference":"c","full_product_name":{"product_id":"b"}},
        {"product_reference":"x","relates_to_product_reference":"b","full_product_name":{"product_id":"c"}}]},
        "vulnerabilities":[{"cve":"CVE-1","product_status":{"known_not_affected":["a","b","gone","x"]}}]}"#;
    let document = vex::read(circular.as_bytes(), "x").unwrap();
    let problems = document.problems.join("\n");
    assert!(
        problems.contains("1 products are not in the product tree"),
        "{problems}"
    );
    assert!(
        problems.contains("2 products are parts of themselves"),
        "{problems}"
    );
    assert_eq!(document.statements[0].products.len(), 1);
}

#[test]
fn what_is_said_without_a_product_or_a_reason_is_named() {
    let silent = openvex(r#"{"vulnerability":{"name":"C"},"status":"not_affected"}"#);
    let document = vex::read(silent.as_bytes(), "x").unwrap();
    assert_eq!(document.problems.len(), 2, "{:?}", document.problems);
}

/// Every document cut short, and with one byte changed: an error or a
/// document, never a panic.
#[test]
fn damage_is_survived() {
    for name in [
        "openvex-nested.json",
        "csaf-relationships.json",
        "cyclonedx-links.json",
    ] {
        let text = text(name).into_bytes();
        for at in (0..text.len()).step_by(7) {
            let _ = vex::read(&text[..at], name);
            let mut broken = text.clone();
            for byte in [b'"', b'{', b'0', 0xFF] {
                broken[at] = byte;
                let _ = vex::read(&broken, name);
                let _ = vex::embedded(&broken, name);
            }
        }
    }
}
