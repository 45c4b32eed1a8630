//! VEX documents in, and out.

use std::fs;

use serde_json::{Value, json};

use crate::{
    hostile::craft,
    support::{Home, Said, root, shared},
};

/// A statement of OpenVEX about one product.
fn document(statements: &Value) -> String {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex/1",
        "author": "Acme", "timestamp": "2026-01-01T00:00:00Z", "version": 1, "statements": statements,
    })
    .to_string()
}

fn bom(inside: &Value) -> Value {
    let mut bom = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "metadata": {"timestamp": "2025-01-01T00:00:00Z", "component":
            {"type": "application", "name": "shop", "bom-ref": "the-shop"}},
        "components": [{"type": "library", "name": "smallvec", "version": "1.6.0", "bom-ref": "ref one",
            "purl": "pkg:cargo/smallvec@1.6.0"}],
    });
    if let (Some(into), Some(from)) = (bom.as_object_mut(), inside.as_object()) {
        into.extend(from.clone());
    }
    bom
}

fn report(said: &Said) -> Value {
    let report = serde_json::from_str(&said.out);
    assert!(report.is_ok(), "{}", said.err);
    report.unwrap()
}

fn ids(report: &Value, list: &str) -> Vec<String> {
    let all = report[list].as_array().unwrap().iter();
    all.filter_map(|one| one["vulnerability"]["id"].as_str())
        .map(str::to_owned)
        .collect()
}

/// A flaw of smallvec 1.6.0 in the starter database.
const FLAW: &str = "CVE-2021-25900";
const GHSA: &str = "GHSA-43w2-9j62-hq99";

#[test]
fn a_statement_suppresses_and_is_shown() {
    let home = Home::new();
    fs::write(home.path().join("bom.json"), bom(&json!({})).to_string()).unwrap();
    let plain = report(&home.scan(&["--format", "json", "bom.json"]));
    assert!(
        ids(&plain, "findings").contains(&FLAW.to_owned()),
        "{plain}"
    );
    let vex = document(&json!([
        {"vulnerability": {"name": GHSA}, "products": [{"@id": "pkg:cargo/smallvec"}],
         "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path"},
        {"vulnerability": {"name": "CVE-1999-1"}, "products": [{"@id": "pkg:cargo/smallvec"}], "status": "fixed"},
    ]));
    fs::write(home.path().join("a.json"), vex).unwrap();
    let said = home.scan(&["--format", "json", "--vex", "a.json", "bom.json"]);
    let after = report(&said);
    assert!(!ids(&after, "findings").contains(&FLAW.to_owned()));
    assert_eq!(ids(&after, "suppressed"), [FLAW]);
    let by = &after["suppressed"][0]["suppressions"][0];
    assert_eq!(by["kind"], "vex");
    assert_eq!(
        (&by["document"], &by["statement"]),
        (&"https://example.com/vex/1".into(), &1.into())
    );
    assert_eq!(by["justification"], "vulnerable_code_not_in_execute_path");
    assert!(
        said.err
            .contains("a.json: the statement 2 (`CVE-1999-1`) matches nothing"),
        "{}",
        said.err
    );
    let schema = fs::read_to_string(root().join("docs/report.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&after)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let shown = home
        .scan(&["--vex", "a.json", "--show-suppressed", "bom.json"])
        .out;
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        shown.contains("a.json says not affected (vulnerable_code_not_in_execute_path)"),
        "{shown}"
    );
    assert!(
        !home
            .scan(&["--vex", "a.json", "bom.json"])
            .out
            .contains("says not affected")
    );
    // The settings may name documents, and folders of them, too.
    for (toml, folder) in [
        ("vex = [\"a.json\"]\n", "."),
        ("[[vex]]\npath = \"of-all\"\n", "of-all"),
    ] {
        fs::create_dir_all(home.path().join(folder)).unwrap();
        if folder != "." {
            let into = home.path().join(folder).join("a.json");
            fs::copy(home.path().join("a.json"), into).unwrap();
        }
        fs::write(home.path().join("seawall.toml"), toml).unwrap();
        let after = report(&home.scan(&["--format", "json", "bom.json"]));
        assert_eq!(ids(&after, "suppressed"), [FLAW], "{toml}");
    }
}

#[test]
fn the_latest_word_counts_over_documents() {
    let home = Home::new();
    fs::write(home.path().join("bom.json"), bom(&json!({})).to_string()).unwrap();
    let statement = |status: &str, time: &str| {
        document(
            &json!([{"vulnerability": {"name": FLAW}, "products": [{"@id": "pkg:cargo/smallvec@1.6.0"}],
            "status": status, "timestamp": time, "action_statement": "move to 1.6.1"}]),
        )
    };
    fs::write(
        home.path().join("old.json"),
        statement("fixed", "2025-01-01T00:00:00Z"),
    )
    .unwrap();
    fs::write(
        home.path().join("new.json"),
        statement("affected", "2025-01-01T00:00:00-01:00"),
    )
    .unwrap();
    let said = home.scan(&[
        "--format", "json", "--vex", "new.json", "--vex", "old.json", "bom.json",
    ]);
    let after = report(&said);
    assert_eq!(ids(&after, "suppressed"), Vec::<String>::new());
    assert!(!said.err.contains("matches nothing"), "{}", said.err);
    let finding = after["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["vulnerability"]["id"] == FLAW);
    let claim = &finding.unwrap()["vulnerability"]["vex"];
    assert_eq!(
        (&claim["status"], &claim["action"]),
        (&"affected".into(), &"move to 1.6.1".into())
    );
}

#[test]
fn cyclonedx_by_link_and_inside() {
    let analysis =
        json!({"state": "not_affected", "justification": "code_not_reachable", "detail": "no way"});
    let flaw = |reference: &str| json!([{"id": FLAW, "analysis": analysis, "affects": [{"ref": reference}]}]);
    let inside = |home: &Home, vulnerabilities: Value| {
        let text = bom(&json!({"vulnerabilities": vulnerabilities})).to_string();
        fs::write(home.path().join("bom.json"), text).unwrap();
        home.scan(&["--format", "json", "bom.json"])
    };
    let home = Home::new();
    for (reference, want) in [("ref one", 1), ("the-shop", 1), ("another", 0)] {
        let said = inside(&home, flaw(reference));
        assert_eq!(
            ids(&report(&said), "suppressed").len(),
            want,
            "{reference}: {}",
            said.err
        );
    }
    // What cannot be understood counts for nothing, and is a gap.
    let said = inside(
        &home,
        json!([{"id": FLAW, "analysis": {"state": "fine"}, "affects": [{"ref": "ref one"}]}]),
    );
    let damaged = report(&said);
    assert!(ids(&damaged, "findings").contains(&FLAW.to_owned()));
    assert!(
        damaged["gaps"].to_string().contains("`fine` is no state"),
        "{}",
        damaged["gaps"]
    );

    fs::write(home.path().join("bom.json"), bom(&json!({})).to_string()).unwrap();
    let uuid = "3E671687-395b-41f5-a30f-a58921a69b79";
    for (link, want) in [
        (format!("urn:cdx:{uuid}/1#ref%20one"), 1),
        (format!("urn:cdx:{uuid}/1#ref one"), 1),
        (format!("urn:cdx:{uuid}/2#ref one"), 0),
        (format!("urn:cdx:{uuid}/1#ref two"), 0),
        (
            "urn:cdx:00000000-395b-41f5-a30f-a58921a69b79/1#ref one".to_owned(),
            0,
        ),
    ] {
        let vex =
            json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "vulnerabilities": flaw(&link)});
        fs::write(home.path().join("vex.json"), vex.to_string()).unwrap();
        let said = home.scan(&["--format", "json", "--vex", "vex.json", "bom.json"]);
        assert_eq!(
            ids(&report(&said), "suppressed").len(),
            want,
            "{link}: {}",
            said.err
        );
    }
}

#[test]
fn what_is_no_document_is_said() {
    let home = Home::new();
    fs::write(home.path().join("bom.json"), bom(&json!({})).to_string()).unwrap();
    for (text, want) in [
        ("{", "cannot use `bad.json` as a VEX document"),
        (
            "{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"timestamp\":\"soon\"}",
            "`soon` is no date",
        ),
        (
            "{\"spdxVersion\":\"SPDX-2.3\"}",
            "it is no OpenVEX, CSAF or CycloneDX document",
        ),
    ] {
        fs::write(home.path().join("bad.json"), text).unwrap();
        let said = home.scan(&["--vex", "bad.json", "bom.json"]);
        assert_eq!(said.code, 2, "{text}");
        assert!(said.err.contains(want), "{text}: {}", said.err);
        // In a folder the others are read all the same.
        fs::create_dir_all(home.path().join("all")).unwrap();
        fs::write(home.path().join("all/bad.json"), text).unwrap();
        let vex = document(
            &json!([{"vulnerability": {"name": FLAW}, "products": [{"@id": "pkg:cargo/smallvec"}], "status": "fixed"}]),
        );
        fs::write(home.path().join("all/good.json"), vex).unwrap();
        let said = home.scan(&["--format", "json", "--vex", "all", "bom.json"]);
        assert!(
            said.err.contains("warning: cannot use `all/bad.json`"),
            "{}",
            said.err
        );
        assert_eq!(ids(&report(&said), "suppressed"), [FLAW]);
    }
    let said = home.scan(&["--vex", "none.json", "bom.json"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err
            .contains("cannot read the VEX document `none.json`"),
        "{}",
        said.err
    );
}

#[test]
fn a_decision_in_the_settings_becomes_a_statement_that_suppresses() {
    let home = Home::new();
    fs::write(home.path().join("bom.json"), bom(&json!({})).to_string()).unwrap();
    fs::write(
        home.path().join("seawall.toml"),
        format!("[[ignore]]\nrule = \"{FLAW}\"\nreason = \"never grown\"\njustification = \"vulnerable_code_not_in_execute_path\"\n\
                 [[ignore]]\nrule = \"CVE-1\"\n"),
    )
    .unwrap();
    let scanned = home.scan(&["--format", "json", "--output", "r.json", "bom.json"]);
    assert_eq!(scanned.code, 0, "{}", scanned.err);
    let product = "pkg:generic/shop@1";
    let create = |more: &[&str]| home.run(&[&["vex", "create", "--author", "Acme"], more].concat());
    let made = create(&["--from-report", "r.json"]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert_eq!(
        made.out,
        create(&["--from-report", "r.json"]).out,
        "the same bytes again"
    );
    let named = create(&[product, "--from-report", "r.json"]);
    let named: Value = serde_json::from_str(&named.out).unwrap();
    assert_eq!(named["statements"][0]["products"][0]["@id"], product);
    let document: Value = serde_json::from_str(&made.out).unwrap();
    let statement = &document["statements"][0];
    assert_eq!(document["statements"].as_array().unwrap().len(), 1);
    assert_eq!(statement["products"][0]["@id"], "pkg:cargo/smallvec@1.6.0");
    assert_eq!(statement["vulnerability"]["name"], FLAW);
    assert_eq!(statement["status_notes"], "never grown");
    assert_eq!(document["timestamp"], "2026-01-01T00:00:00Z");
    // The same without a scan, and by hand.
    let direct = create(&["bom.json", "--from-settings"]);
    assert_eq!(direct.code, 0, "{}", direct.err);
    fs::remove_file(home.path().join("seawall.toml")).unwrap();
    for text in [made.out, direct.out] {
        fs::write(home.path().join("vex.json"), text).unwrap();
        let after = report(&home.scan(&["--format", "json", "--vex", "vex.json", "bom.json"]));
        assert_eq!(ids(&after, "suppressed"), [FLAW]);
    }
    let wrong = create(&["bom.json", "--vuln", FLAW, "--status", "not_affected"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong
            .err
            .contains("needs a justification or an impact statement"),
        "{}",
        wrong.err
    );
    let lone = create(&["--from-report", "r.json", "--status", "fine"]);
    assert!(
        lone.code == 2 && lone.err.contains("`fine` is no status"),
        "{}",
        lone.err
    );
}

#[test]
fn a_reason_alone_claims_nothing() {
    let home = Home::new();
    fs::write(home.path().join("bom.json"), bom(&json!({})).to_string()).unwrap();
    fs::write(
        home.path().join("seawall.toml"),
        format!("[[ignore]]\nrule = \"{FLAW}\"\nreason = \"next quarter\"\n"),
    )
    .unwrap();
    home.scan(&["--format", "json", "--output", "r.json", "bom.json"]);
    let made = home.run(&["vex", "create", "--from-report", "r.json"]);
    let document: Value = serde_json::from_str(&made.out).unwrap();
    let statement = &document["statements"][0];
    assert_eq!(
        (&statement["status"], &statement["action_statement"]),
        (&"affected".into(), &"next quarter".into())
    );
    let claimed = home.run(&[
        "vex",
        "create",
        "--from-report",
        "r.json",
        "--status",
        "not_affected",
    ]);
    let document: Value = serde_json::from_str(&claimed.out).unwrap();
    let statement = &document["statements"][0];
    assert_eq!(
        (&statement["status"], &statement["impact_statement"]),
        (&"not_affected".into(), &"next quarter".into())
    );
}

/// Made for an image, added to, and applied to that image alone.
#[test]
fn an_image_is_named_by_its_digest() {
    let Some(advisories) = shared("advisories") else {
        return;
    };
    let home = Home::new();
    let built = home.run(&[
        "db",
        "update",
        "--from",
        advisories.to_str().unwrap(),
        "--db",
        "db",
        "Alpine",
    ]);
    assert_eq!(built.code, 0, "{}", built.err);
    let image = |note: &str| {
        let packages = "P:busybox\nV:1.27.0-r0\nA:x86_64\no:busybox\n\nP:musl\nV:1.1.14-r0\nA:x86_64\no:musl\n\n";
        let files = [
            craft::file("etc/os-release", craft::OS_RELEASE),
            craft::file("lib/apk/db/installed", packages),
            craft::file("note", note),
        ];
        craft::Image::plain(&[craft::tar(&files)])
    };
    fs::write(home.path().join("docker.tar"), image("a").docker()).unwrap();
    fs::write(home.path().join("oci.tar"), image("a").oci()).unwrap();
    fs::write(home.path().join("other.tar"), image("b").oci()).unwrap();
    let scan = |image: &str, more: &[&str]| {
        report(&home.scan(&[&["--format", "json", "--db", "db"], more, &[image]].concat()))
    };
    let of_busybox = |report: &Value, list: &str| {
        let all = report[list].as_array().unwrap().iter();
        let all = all.filter(|one| one["package"]["name"] == "busybox");
        all.filter_map(|one| one["vulnerability"]["id"].as_str())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for archive in ["docker.tar", "oci.tar"] {
        let vex = format!("{archive}.json");
        let before = scan(archive, &[]);
        let flaws = of_busybox(&before, "findings");
        assert!(flaws.len() > 1, "{flaws:?}");
        for flaw in &flaws {
            let made = home.run(&[
                "vex",
                "create",
                archive,
                "--no-cache",
                "--vuln",
                flaw,
                "--status",
                "not_affected",
                "--justification",
                "component_not_present",
                "--package",
                "busybox",
                "--output",
                &vex,
            ]);
            assert_eq!(made.code, 0, "{}", made.err);
        }
        let text = fs::read_to_string(home.path().join(&vex)).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["version"].as_u64().unwrap() as usize, flaws.len());
        let product = &document["statements"][0]["products"][0];
        let target = &before["targets"][0];
        // The manifest's digest where there is a manifest, else that of the
        // configuration beside the tag.
        let id = product["@id"].as_str().unwrap();
        match target["manifest"].as_str() {
            Some(digest) => assert!(id.contains(&digest.replace(':', "%3A")), "{id}"),
            None => {
                assert_eq!(
                    id,
                    "pkg:oci/t?arch=amd64&repository_url=index.docker.io%2Flibrary%2Ft&tag=1"
                );
                let digest = format!("sha256:{}", product["hashes"]["sha-256"].as_str().unwrap());
                assert_eq!(digest, target["digest"].as_str().unwrap());
            }
        }
        let after = scan(archive, &["--vex", &vex]);
        assert_eq!(of_busybox(&after, "findings"), Vec::<String>::new());
        assert_eq!(of_busybox(&after, "suppressed"), flaws);
        // musl's flaws are still there.
        assert!(!ids(&after, "findings").is_empty());
    }
    let other = scan("other.tar", &["--vex", "oci.tar.json"]);
    assert_eq!(other["suppressed"], json!([]));
}

/// The end of a release is a finding with its date, of the feed's own file,
/// also before it comes.
#[test]
fn the_end_of_a_release_has_its_date() {
    let (Some(advisories), Some(image)) =
        (shared("advisories"), shared("images/alpine-310.tar.gz"))
    else {
        return;
    };
    let dates = fs::read_to_string(advisories.join("endoflife.json")).unwrap();
    let dates: Value = serde_json::from_str(&dates).unwrap();
    let mut cycles = dates["alpine-linux"].as_array().unwrap().iter();
    let cycle = cycles.find(|one| one["releaseCycle"] == "3.10").unwrap();
    let date = cycle["eol"].as_str().unwrap().get(..10).unwrap();
    let home = Home::new();
    let built = home.run(&[
        "db",
        "update",
        "--from",
        advisories.to_str().unwrap(),
        "--db",
        "db",
        "Alpine",
    ]);
    assert_eq!(built.code, 0, "{}", built.err);
    let scan = |seconds: &str, persona: &str| {
        let output = home
            .command(&[
                "scan",
                "--offline",
                "--no-cache",
                "--db",
                "db",
                "--format",
                "json",
                "--persona",
                persona,
                image.to_str().unwrap(),
            ])
            .env("SOURCE_DATE_EPOCH", seconds)
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["targets"][0]["end_of_life"], date);
        let all = report["findings"].as_array().unwrap().iter();
        let mut all = all.filter(|one| one["rule"].as_str().unwrap().starts_with("os/"));
        all.next().map(|one| {
            (
                one["rule"].clone(),
                one["message"].as_str().unwrap().to_owned(),
            )
        })
    };
    // 2026-01-01, 2021-04-01 (30 days before) and 2020-06-01.
    let (rule, message) = scan("1767225600", "regular").unwrap();
    assert_eq!(rule, "os/end-of-life");
    assert!(message.ends_with(&format!("since {date}")), "{message}");
    assert_eq!(scan("1617235200", "regular"), None);
    let (rule, message) = scan("1617235200", "pedantic").unwrap();
    assert_eq!(rule, "os/ends-soon");
    assert!(
        message.ends_with(&format!("from {date} on, in 30 days")),
        "{message}"
    );
    assert_eq!(scan("1590969600", "pedantic"), None);
}
