use seawall_model::{
    Bom, Confidence, Fingerprint, Identity, Location, Origin, Package, Requirement, Severity,
    Target, TargetKind, Vulnerability, vex::VexStatus,
};

use super::*;
use crate::suppress;

/// `app` asks for `left` and `right`, both ask for `leaf`; all in an image.
fn report() -> Report {
    let package = |name: &str, requires: &[&str], direct| {
        let purl = format!("pkg:npm/{name}@1.0.0");
        let mut package = Package::new("npm", name, "1.0.0", purl, Origin::default());
        package.relation.direct = Some(direct);
        let named = |name: &&str| Requirement {
            name: (*name).into(),
            version: None,
        };
        package.requires = requires.iter().map(named).collect();
        package
    };
    let finding = Finding {
        target: 0,
        rule: "package/known-vulnerability",
        aliases: Vec::new(),
        severity: Severity::High,
        confidence: Confidence::High,
        message: String::new(),
        fingerprint: Fingerprint::of(&[]),
        location: Location::Target,
        related: Vec::new(),
        package: Some(2),
        vulnerability: Some(Box::new(Vulnerability {
            id: "CVE-2024-1".into(),
            advisory: "GHSA-x".into(),
            aliases: vec!["GHSA-x".into()],
            ..Vulnerability::default()
        })),
        fix: None,
    };
    Report {
        targets: vec![Target::new(TargetKind::Image, "shop.tar", "archive")],
        identities: vec![Identity {
            names: vec!["acme/shop:1".into()],
            digests: vec![format!("sha256:{:064}", 1)],
            arch: Some("amd64".into()),
            bom: None,
        }],
        packages: vec![
            package("left", &["leaf"], true),
            package("right", &["leaf"], true),
            package("leaf", &[], false),
        ],
        package_targets: vec![0; 3],
        findings: vec![finding],
        ..Report::default()
    }
}

fn names(texts: &[&str]) -> Vec<Name> {
    let name = |text: &&str| match seawall_model::purl::parse(text) {
        Some(purl) => Name::Purl {
            purl,
            versions: None,
        },
        None => Name::Iri((*text).into()),
    };
    texts.iter().map(name).collect()
}

fn statement(order: i128, id: &str, product: &str, parts: &[&str], status: VexStatus) -> Statement {
    Statement {
        claim: Claim {
            document: "d".into(),
            place: "d.json".into(),
            number: 1,
            author: None,
            status,
            justification: None,
            impact: None,
            action: None,
            time: None,
            order,
        },
        ids: vec![id.into()],
        products: vec![Product {
            names: names(&[product]),
            within: Vec::new(),
            parts: parts.iter().map(|part| names(&[part])).collect(),
        }],
    }
}

fn apply(statements: Vec<Statement>) -> (Report, Vec<usize>) {
    let mut report = report();
    let document = Document {
        statements,
        ..Document::default()
    };
    let outcome = suppress(&mut report, &[], &[document], "2026-01-01");
    (report, outcome.unused_statements[0].clone())
}

fn is_suppressed(statements: Vec<Statement>) -> bool {
    apply(statements).0.findings.is_empty()
}

const NOT: VexStatus = VexStatus::NotAffected;

#[test]
fn a_product_is_the_package_or_the_target_with_it() {
    let digest = format!("pkg:oci/any@sha256%3A{:064}", 1);
    for (product, parts, want) in [
        ("pkg:npm/leaf@1.0.0", &[][..], true),
        ("pkg:npm/leaf", &[], true),
        ("pkg:npm/leaf@2.0.0", &[], false),
        ("pkg:oci/shop", &["pkg:npm/leaf"], true),
        (
            "pkg:oci/shop",
            &["pkg:npm/other", "pkg:npm/leaf@1.0.0"],
            true,
        ),
        ("pkg:oci/shop", &["pkg:npm/other"], false),
        ("pkg:oci/shop", &[], true),
        ("pkg:oci/else", &["pkg:npm/leaf"], false),
        (&digest, &["pkg:npm/leaf"], true),
        ("acme/shop:1", &["pkg:npm/leaf"], true),
        ("acme/shop:2", &["pkg:npm/leaf"], false),
    ] {
        let one = statement(0, "CVE-2024-1", product, parts, NOT);
        assert_eq!(is_suppressed(vec![one]), want, "{product} {parts:?}");
    }
}

#[test]
fn a_flaw_goes_by_any_of_its_ids() {
    for (id, want) in [
        ("cve-2024-1", true),
        ("GHSA-X", true),
        ("CVE-2024-2", false),
    ] {
        let (report, unused) = apply(vec![statement(0, id, "pkg:npm/leaf", &[], NOT)]);
        assert_eq!(
            (report.findings.is_empty(), unused.is_empty()),
            (want, want),
            "{id}"
        );
    }
}

#[test]
fn the_latest_statement_counts() {
    let at = |order, status| statement(order, "CVE-2024-1", "pkg:npm/leaf", &[], status);
    assert!(is_suppressed(vec![
        at(2, VexStatus::Fixed),
        at(1, VexStatus::Affected)
    ]));
    let (report, unused) = apply(vec![at(1, NOT), at(2, VexStatus::UnderInvestigation)]);
    assert!(unused.is_empty(), "what was taken back was about it too");
    let flaw = report.findings[0].vulnerability.as_ref().unwrap();
    let claim = flaw.claim.as_ref().unwrap();
    assert_eq!(claim.status, VexStatus::UnderInvestigation);
    // Of the same time, the last one.
    assert!(is_suppressed(vec![at(1, VexStatus::Affected), at(1, NOT)]));
    assert!(!is_suppressed(vec![at(1, NOT), at(1, VexStatus::Affected)]));
}

#[test]
fn what_everything_that_brings_it_in_is_safe_from_does_no_harm() {
    let of = |product| statement(0, "CVE-2024-1", product, &["pkg:npm/leaf"], NOT);
    assert!(
        !is_suppressed(vec![of("pkg:npm/left")]),
        "the other way is open"
    );
    let (report, unused) = apply(vec![of("pkg:npm/left"), of("pkg:npm/right@1.0.0")]);
    assert!(report.findings.is_empty() && unused.is_empty());
    // A package that the project names itself is not excused by others.
    let mut direct = self::report();
    direct.packages[2].relation.direct = Some(true);
    let document = Document {
        statements: vec![of("pkg:npm/left"), of("pkg:npm/right")],
        ..Document::default()
    };
    suppress(&mut direct, &[], &[document], "2026-01-01");
    assert_eq!(direct.findings.len(), 1);
}

#[test]
fn statements_in_a_target_are_about_that_target_alone() {
    for (target, want) in [(None, true), (Some(0), true), (Some(1), false)] {
        let mut report = report();
        let document = Document {
            statements: vec![statement(0, "CVE-2024-1", "pkg:npm/leaf", &[], NOT)],
            target,
            ..Document::default()
        };
        suppress(&mut report, &[], &[document], "2026-01-01");
        assert_eq!(report.findings.is_empty(), want, "{target:?}");
    }
}

/// A reference without a serial number is one of the statement's own document.
#[test]
fn a_reference_without_a_document_is_meant_inside_it_alone() {
    for (serial, target, want) in [
        (None, None, false),
        (None, Some(0), true),
        (Some("b"), None, true),
        (Some("c"), Some(0), false),
    ] {
        let mut report = report();
        report.identities[0].bom = Some(Bom {
            serial: Some("b".into()),
            purls: [("r".to_owned(), "pkg:npm/leaf@1.0.0".to_owned())].into(),
            ..Bom::default()
        });
        let mut said = statement(0, "CVE-2024-1", "x", &[], NOT);
        said.products[0].names = vec![Name::BomLink {
            serial: serial.map(str::to_owned),
            version: None,
            reference: Some("r".into()),
            versions: None,
        }];
        let document = Document {
            statements: vec![said],
            target,
            ..Document::default()
        };
        suppress(&mut report, &[], &[document], "2026-01-01");
        assert_eq!(report.findings.is_empty(), want, "{serial:?} {target:?}");
    }
}

#[test]
fn a_circle_of_packages_comes_to_an_end() {
    let mut report = report();
    for package in &mut report.packages {
        package.relation.direct = Some(false);
    }
    let required = |name: &str| Requirement {
        name: name.into(),
        version: None,
    };
    report.packages[2].requires = vec![required("left"), required("right")];
    let document = Document {
        statements: vec![statement(0, "CVE-2024-1", "pkg:npm/left", &[], NOT)],
        ..Document::default()
    };
    let mut one = report.clone();
    suppress(&mut one, &[], &[document], "2026-01-01");
    // Whatever the answer, there is one.
    assert_eq!(one.findings.len() + one.suppressed.len(), 1);
}
