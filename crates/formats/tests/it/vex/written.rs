//! Documents that are written here.

use seawall_formats::vex::{self, Draft, Header, WriteError};
use seawall_model::{Hash, vex::VexStatus};
use serde_json::Value;

use super::{errors, products, text};

const TIME: &str = "2026-01-02T03:04:05Z";

fn draft(id: &str, status: VexStatus) -> Draft {
    Draft {
        vulnerability: id.to_owned(),
        aliases: Vec::new(),
        products: vec![(
            "pkg:oci/shop?tag=1".to_owned(),
            Hash::parse(&format!("sha256:{:064}", 1)),
        )],
        parts: vec!["pkg:apk/alpine/musl@1.1.22-r3".to_owned()],
        status,
        justification: None,
        impact: None,
        action: None,
    }
}

fn not_affected(id: &str) -> Draft {
    Draft {
        justification: Some("vulnerable_code_not_present".to_owned()),
        impact: Some("the \"wide\" functions\nare cut out".to_owned()),
        ..draft(id, VexStatus::NotAffected)
    }
}

fn header() -> Header<'static> {
    Header {
        id: None,
        author: "Acme",
        role: Some("Security Team"),
        tooling: "seawall/0.0.0",
        time: TIME,
    }
}

fn all() -> Vec<Draft> {
    let affected = Draft {
        action: Some("move to 2".to_owned()),
        ..draft("CVE-2", VexStatus::Affected)
    };
    let impact = Draft {
        justification: None,
        ..not_affected("CVE-3")
    };
    vec![
        not_affected("CVE-1"),
        affected,
        impact,
        draft("CVE-4", VexStatus::Fixed),
        draft("CVE-5", VexStatus::UnderInvestigation),
    ]
}

fn valid(text: &str) {
    let value: Value = serde_json::from_str(text).unwrap();
    let found = errors("openvex_json_schema.json", &value);
    assert!(found.is_empty(), "{text}: {found:#?}");
}

#[test]
fn a_document_follows_the_schema_and_is_read_again() {
    let text = vex::create(&header(), &all()).unwrap();
    valid(&text);
    assert_eq!(text, vex::create(&header(), &all()).unwrap());
    let document = vex::read(text.as_bytes(), "x").unwrap();
    assert!(document.problems.is_empty(), "{:?}", document.problems);
    let status: Vec<VexStatus> = document
        .statements
        .iter()
        .map(|one| one.claim.status)
        .collect();
    assert_eq!(
        status,
        all().iter().map(|one| one.status).collect::<Vec<_>>()
    );
    assert_eq!(
        products(&document.statements[0]),
        [format!(
            "oci//shop@|sha256:{:064}: apk/alpine/musl@1.1.22-r3",
            1
        )]
    );
    let impact = document.statements[0].claim.impact.as_deref();
    assert_eq!(impact, Some("the \"wide\" functions\nare cut out"));
    // Said twice is said once.
    let twice = [all(), all()].concat();
    assert_eq!(vex::create(&header(), &twice).unwrap(), text);
}

#[test]
fn a_statement_has_what_its_status_asks_for() {
    let bare = |status| draft("CVE-1", status);
    let wrong = [
        bare(VexStatus::NotAffected),
        bare(VexStatus::Affected),
        Draft {
            impact: Some("x".to_owned()),
            ..bare(VexStatus::Fixed)
        },
        Draft {
            action: Some("x".to_owned()),
            ..bare(VexStatus::UnderInvestigation)
        },
        Draft {
            products: Vec::new(),
            ..bare(VexStatus::Fixed)
        },
    ];
    for one in wrong {
        let error = vex::create(&header(), std::slice::from_ref(&one)).unwrap_err();
        assert!(matches!(error, WriteError::Draft(_)), "{one:?}: {error}");
    }
}

/// Statements are added to documents of others without touching another byte.
#[test]
fn every_other_byte_stays() {
    let compact: Value = serde_json::from_str(&text("openvex-images.json")).unwrap();
    let own = vex::create(&header(), &all()).unwrap();
    let tabs = own.replace("  ", "\t");
    let empty =
        own.split("\"statements\": [").next().unwrap().to_owned() + "\"statements\": []\n}\n";
    for before in [
        own,
        tabs,
        text("openvex-images.json"),
        compact.to_string(),
        empty,
    ] {
        let more = [
            not_affected("CVE-2030-1"),
            draft("CVE-2030-2", VexStatus::Fixed),
        ];
        let after = vex::append(&before, "2027-01-01T00:00:00Z", &more)
            .unwrap()
            .unwrap();
        if before.contains("\"tooling\"") {
            valid(&after);
        }
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let (old, mut new) = (value(&before), value(&after));
        let count = old["statements"].as_array().unwrap().len();
        let statements = new["statements"].as_array_mut().unwrap();
        assert_eq!(statements.len(), count + 2);
        assert_eq!(statements[count]["timestamp"], "2027-01-01T00:00:00Z");
        statements.truncate(count);
        assert_eq!(
            new["version"].as_u64(),
            old["version"].as_u64().map(|one| one + 1)
        );
        assert_eq!(new["last_updated"], "2027-01-01T00:00:00Z");
        new["version"] = old["version"].clone();
        new.as_object_mut().unwrap().remove("last_updated");
        assert_eq!(new, old);
        // What was there is there still, line by line.
        for line in before.lines() {
            let is_changed = line.contains("\"version\"")
                || line.trim_end() == "    }"
                || line.contains("statements\": []");
            let line = line.trim_end_matches(['}', ']', '\n', ' ']);
            assert!(is_changed || after.contains(line), "{line}");
        }
        // The same again is nothing new.
        assert_eq!(
            vex::append(&after, "2028-01-01T00:00:00Z", &more).unwrap(),
            None
        );
        // Another status of the same is.
        let changed = Draft {
            action: Some("mend it".to_owned()),
            ..draft("CVE-2030-2", VexStatus::Affected)
        };
        let third = vex::append(&after, "2028-01-01T00:00:00Z", &[changed])
            .unwrap()
            .unwrap();
        assert_eq!(third.matches("2028-01-01T00:00:00Z").count(), 2);
    }
}

#[test]
fn nothing_is_added_to_other_documents() {
    for name in [
        "openvex-0.0.1.json",
        "csaf-example.json",
        "cyclonedx-links.json",
    ] {
        let error = vex::append(&text(name), TIME, &all()).unwrap_err();
        assert!(matches!(error, WriteError::Format), "{name}: {error}");
    }
    assert!(matches!(
        vex::append("{", TIME, &all()),
        Err(WriteError::Read(_))
    ));
}
