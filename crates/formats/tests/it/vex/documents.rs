//! Real documents, against what they say.

use base64::{Engine, prelude::BASE64_STANDARD};
use seawall_formats::vex;
use seawall_model::vex::{Name, VexStatus};

use super::{errors, json, products, read, text};

#[test]
fn openvex_of_other_tools() {
    let old = read("openvex-0.0.1.json");
    assert_eq!(old.statements[0].ids, ["CVE-2023-12345"]);
    assert_eq!(
        products(&old.statements[0]),
        ["apk/wolfi/git@2.39.0-r1", "apk/wolfi/git@2.39.0-r1"]
    );
    assert_eq!(old.statements[0].claim.status, VexStatus::Fixed);
    assert_eq!(
        old.statements[0].claim.time.as_deref(),
        Some("2023-01-08T18:02:03.647787998-06:00")
    );

    let images = read("openvex-images.json");
    assert!(images.statements.len() >= 4);
    assert_eq!(
        products(&images.statements[0]),
        [
            "oci//alpine@sha256:124c7d2707904eea7431fffe91522a01e5a861a624ee31d03372cc1d138a3126: \
          apk/alpine/libssl3@3.0.8-r3, apk/alpine/libcrypto3@3.0.8-r3"
        ]
    );
    assert!(images.problems.is_empty(), "{:?}", images.problems);

    // The statement without a time of its own is as old as its document.
    let several = read("openvex-multiple.json");
    let [first, second] = several.statements.as_slice() else {
        panic!("{several:?}");
    };
    assert!(first.claim.order < second.claim.order);
    assert_eq!(
        second.claim.justification.as_deref(),
        Some("vulnerable_code_not_in_execute_path")
    );
}

#[test]
fn csaf_of_red_hat() {
    let affected = read("csaf-redhat-affected.json");
    assert_eq!(affected.id, "CVE-2023-4091");
    let by = |status| {
        let statements = affected.statements.iter();
        statements.filter(move |one| one.claim.status == status)
    };
    let fixed: Vec<String> = by(VexStatus::Fixed).flat_map(products).collect();
    // 4 repositories with a source package and two packages each.
    assert_eq!(fixed.len(), 12);
    let want = "cpe:/o:redhat:rhel_eus:9.0::baseos: rpm/redhat/libsmbclient@4.15.5-111.el9_0";
    assert!(fixed.iter().any(|one| one == want), "{fixed:#?}");
    let advisory = by(VexStatus::Fixed).next().unwrap();
    assert!(
        advisory
            .claim
            .action
            .as_deref()
            .unwrap()
            .contains("articles/11258")
    );
    assert_eq!(
        advisory.claim.author.as_deref(),
        Some("Red Hat Product Security")
    );
    // `samba` in a release, without a package URL, is said to be lost.
    assert_eq!(affected.problems.len(), 1, "{:?}", affected.problems);
    assert!(affected.problems[0].starts_with("6 products have neither a package URL"));
    let order: Vec<bool> = affected
        .statements
        .iter()
        .map(|one| one.claim.status.suppresses())
        .collect();
    assert!(
        order.is_sorted_by(|a, b| a >= b),
        "what is affected comes last"
    );

    let not = read("csaf-redhat-not-affected.json");
    assert_eq!(not.statements.len(), 1);
    let claim = &not.statements[0].claim;
    assert_eq!(claim.status, VexStatus::NotAffected);
    assert_eq!(
        claim.justification.as_deref(),
        Some("vulnerable_code_not_present")
    );
}

#[test]
fn csaf_with_relationships() {
    let document = read("csaf-relationships.json");
    assert_eq!(document.statements.len(), 1);
    assert_eq!(
        products(&document.statements[0]),
        ["golang/github.com/aquasecurity/go-direct1@v2.0.0: \
          golang/github.com/aquasecurity/go-transitive@v4.0.0"]
    );
    let claim = &document.statements[0].claim;
    assert_eq!(
        claim.impact.as_deref(),
        Some("vulnerable_code_not_in_execute_path")
    );
    assert_eq!(
        claim.justification.as_deref(),
        Some("vulnerable_code_cannot_be_controlled_by_adversary")
    );
    assert_eq!(read("csaf-bitnami.json").statements.len(), 1);
    let example = read("csaf-example.json");
    let all: Vec<_> = example
        .statements
        .iter()
        .map(|one| (one.ids[0].as_str(), one.claim.status))
        .collect();
    assert!(
        all.contains(&("CVE-2009-4487", VexStatus::NotAffected)),
        "{all:?}"
    );
}

#[test]
fn cyclonedx_alone_and_inside() {
    let links = read("cyclonedx-links.json");
    assert_eq!(links.statements.len(), 2);
    let Name::BomLink {
        serial,
        version,
        reference,
        ..
    } = &links.statements[0].products[0].names[0]
    else {
        panic!("{links:?}");
    };
    assert_eq!(
        serial.as_deref(),
        Some("3e671687-395b-41f5-a30f-a58921a69b79")
    );
    assert_eq!(*version, Some(1));
    assert_eq!(
        reference.as_deref(),
        Some("pkg:maven/org.springframework.boot/spring-boot@2.6.0")
    );
    // A reference that is percent-encoded, and one that only looks so.
    let names = &links.statements[1].products[0].names;
    assert_eq!(names.len(), 2);

    let inside = text("cyclonedx-vulnerability.json");
    let (document, bom) = vex::embedded(inside.as_bytes(), "bom.json")
        .unwrap()
        .unwrap();
    let statement = &document.statements[0];
    assert!(
        statement.ids.contains(&"CVE-2018-7489".to_owned()),
        "{:?}",
        statement.ids
    );
    assert_eq!(statement.claim.status, VexStatus::NotAffected);
    assert_eq!(
        statement.claim.justification.as_deref(),
        Some("code_not_reachable")
    );
    assert!(
        statement
            .claim
            .action
            .as_deref()
            .unwrap()
            .contains("will_not_fix")
    );
    let purl = "pkg:maven/com.fasterxml.jackson.core/jackson-databind@2.9.4";
    assert_eq!(bom.purls.get(purl).map(String::as_str), Some(purl));
}

/// However a bill of materials is wrapped, its statements are its own.
#[test]
fn statements_inside_are_found_where_the_document_is() {
    let plain = text("cyclonedx-vulnerability.json");
    let (want, bom) = vex::embedded(plain.as_bytes(), "x").unwrap().unwrap();
    assert!(!want.statements.is_empty());
    let wide: Vec<u8> = std::iter::once(0xFEFF)
        .chain(plain.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let statement = format!(r#"{{"predicateType":"x","predicate":{plain}}}"#);
    let payload = BASE64_STANDARD.encode(&statement);
    let signed = format!(r#"{{"payloadType":"x","payload":"{payload}","signatures":[]}}"#);
    for bytes in [wide, statement.into_bytes(), signed.into_bytes()] {
        let found = vex::embedded(&bytes, "x").unwrap();
        assert_eq!(found, Some((want.clone(), bom.clone())));
    }
}

#[test]
fn statements_inside_xml_are_a_gap() {
    let of = |analysis: &str| {
        let text = format!(
            r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><vulnerabilities><vulnerability>
            <id>CVE-1</id>{analysis}</vulnerability></vulnerabilities></bom>"#
        );
        seawall_formats::read(text.as_bytes()).unwrap().gaps.len()
    };
    assert_eq!(of("<analysis><state>not_affected</state></analysis>"), 1);
    assert_eq!(of(""), 0);
}

#[test]
fn an_attestation_is_about_its_subjects() {
    let document = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"a",
        "timestamp":"2024-01-01T00:00:00Z","version":1,"statements":[
        {"vulnerability":{"name":"CVE-1"},"status":"fixed"}]}"#;
    let digest = "0".repeat(64);
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://openvex.dev/ns/v0.2.0",
        "subject":[{{"name":"shop","digest":{{"sha256":"{digest}"}}}}],"predicate":{document}}}"#
    );
    let read = vex::read(statement.as_bytes(), "x").unwrap();
    assert_eq!(products(&read.statements[0]), [format!("sha256:{digest}")]);
    assert!(read.problems.is_empty());
}

#[test]
fn what_is_read_is_what_the_schemas_allow() {
    for name in [
        "csaf-example.json",
        "csaf-redhat-affected.json",
        "csaf-redhat-not-affected.json",
        "csaf-relationships.json",
    ] {
        let found = errors("csaf_json_schema.json", &json(name));
        // The example of go-vex has a package URL without a name, and no
        // document category of its own.
        let is_known = |error: &String| name == "csaf-example.json" && !error.is_empty();
        assert!(found.iter().all(is_known), "{name}: {found:#?}");
    }
    // The project's own demonstration says why twice, which its schema does
    // not allow; it is read all the same.
    let found = errors("openvex_json_schema.json", &json("openvex-images.json"));
    let is_known = |error: &String| error.contains("impact_statement") && error.contains("'oneOf'");
    assert!(found.iter().all(is_known), "{found:#?}");
}

/// Versions that the statement about `x` means, beside its package URL.
fn csaf_versions(tree: &str) -> Option<String> {
    let text = format!(
        r#"{{"document":{{"csaf_version":"2.0"}},"product_tree":{{"branches":[{tree}]}},
        "vulnerabilities":[{{"cve":"CVE-1","product_status":{{"known_not_affected":["x"]}}}}]}}"#
    );
    let document = vex::read(text.as_bytes(), "x").unwrap();
    let names = &document.statements[0].products[0].names;
    assert!(matches!(names.as_slice(), [Name::Purl { .. }]), "{names:?}");
    names.iter().find_map(|name| match name {
        Name::Purl { versions, .. } => versions.clone(),
        _ => None,
    })
}

#[test]
fn csaf_branches_say_of_which_version_a_product_is() {
    let leaf = |purl: &str, category: &str, name: &str| {
        format!(
            r#"{{"category":"{category}","name":"{name}","product":{{"product_id":"x","name":"x",
            "product_identification_helper":{{"purl":"{purl}"}}}}}}"#
        )
    };
    let within = |category: &str, name: &str, inner: &str| {
        format!(r#"{{"category":"{category}","name":"{name}","branches":[{inner}]}}"#)
    };
    for (name, want) in [
        ("1.0", Some("1.0")),
        ("v1.0", Some("v1.0")),
        ("jessie", Some("jessie")),
        ("shop", None),
        ("acme/shop", None),
    ] {
        let own = leaf("pkg:npm/shop", "product_version", name);
        assert_eq!(csaf_versions(&own).as_deref(), want, "{name}");
    }
    let inner = leaf("pkg:npm/shop", "architecture", "amd64");
    let version = within("product_version", "1.0", &inner);
    assert_eq!(csaf_versions(&version).as_deref(), Some("1.0"));
    let range = within("product_version_range", "vers:npm/<2", &inner);
    let outer = within("product_version", "3", &range);
    assert_eq!(csaf_versions(&outer).as_deref(), Some("vers:npm/<2"));
    // The package URL's own version says more.
    let own = leaf("pkg:npm/shop@1.0", "product_version", "shop-1.0.src");
    assert_eq!(csaf_versions(&own), None);
    assert_eq!(csaf_versions(&inner), None);
}

#[test]
fn a_csaf_relationship_with_a_name_of_its_own_keeps_its_platform() {
    let of = |helper: &str| {
        let text = format!(
            r#"{{"document":{{"csaf_version":"2.0"}},"product_tree":{{"full_product_names":[
            {{"product_id":"p","name":"p","product_identification_helper":{{"cpe":"cpe:/o:redhat:enterprise_linux:9"}}}},
            {{"product_id":"c","name":"c","product_identification_helper":{{"purl":"pkg:rpm/redhat/bash"}}}}],
            "relationships":[{{"category":"default_component_of","product_reference":"c",
            "relates_to_product_reference":"p","full_product_name":{{"product_id":"x","name":"x",
            "product_identification_helper":{{{helper}}}}}}}]}},
            "vulnerabilities":[{{"cve":"CVE-1","product_status":{{"known_not_affected":["x"]}}}}]}}"#
        );
        products(&vex::read(text.as_bytes(), "x").unwrap().statements[0]).join("; ")
    };
    let platform = "cpe:/o:redhat:enterprise_linux:9";
    assert_eq!(
        of(r#""purl":"pkg:rpm/redhat/bash@5""#),
        format!("{platform}: rpm/redhat/bash@5")
    );
    // A platform of its own does not make it all of that platform.
    assert_eq!(
        of(r#""cpe":"cpe:/o:redhat:enterprise_linux:9""#),
        format!("{platform}: rpm/redhat/bash@")
    );
}
