//! Licences: counted, and under a policy.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use crate::support::{Home, shared};

fn report(home: &Home, arguments: &[&str]) -> Value {
    let said = home.scan(&[&["--format", "json", "--only", "licenses"], arguments].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

fn policy(home: &Home, text: &str) {
    fs::write(home.path().join("seawall.toml"), text).unwrap();
}

/// `rule package` of every finding.
fn found(report: &Value) -> Vec<String> {
    let all = report["findings"].as_array().unwrap().iter();
    let mut all: Vec<String> = all
        .map(|one| {
            format!(
                "{} {} {}",
                one["severity"].as_str().unwrap(),
                one["rule"].as_str().unwrap(),
                one["package"]["name"].as_str().unwrap()
            )
        })
        .collect();
    all.sort();
    all
}

/// What apk's own database says of the image, counted by hand from its `L:`
/// lines.
#[test]
fn without_a_policy_licences_are_counted() {
    let Some(alpine) = shared("images/alpine-311.tar.gz") else {
        return;
    };
    let report = report(&Home::new(), &[alpine.to_str().unwrap()]);
    assert_eq!(report["findings"], serde_json::json!([]));
    assert_eq!(
        report["database"],
        Value::Null,
        "no advisories are looked at"
    );
    let licenses: BTreeMap<String, u64> = report["licenses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let name = one["license"].as_str().unwrap_or("unknown").to_owned();
            (name, one["packages"].as_u64().unwrap())
        })
        .collect();
    let want = [
        ("BSD-3-Clause", 1),
        ("GPL-2.0-only", 5),
        ("ISC", 1),
        ("MIT", 2),
        ("MIT AND BSD-3-Clause AND GPL-2.0-or-later", 1),
        ("MPL-2.0 AND GPL-2.0-or-later", 1),
        ("OpenSSL", 2),
        ("Zlib", 1),
    ];
    let want = want.map(|(name, packages)| (name.to_owned(), packages));
    assert_eq!(licenses, BTreeMap::from(want));
}

#[test]
fn a_policy_makes_findings() {
    let Some(alpine) = shared("images/alpine-311.tar.gz") else {
        return;
    };
    let alpine = alpine.to_str().unwrap();
    let home = Home::new();
    policy(
        &home,
        "[licenses]\nallow = [\"notice\"]\nwarn = [\"GPL-2.0-or-later\"]\ndeny = [\"Zlib\"]\n\
         [[licenses.exception]]\npackage = \"pkg:apk/alpine/busybox\"\nallow = [\"GPL-2.0-only\"]\nreason = \"a program\"\n\
         [[licenses.exception]]\npackage = \"scanelf\"\nlicense = \"MIT\"\n\
         [[licenses.exception]]\npackage = \"nobody\"\n",
    );
    let said = home.scan(&[
        "--format",
        "json",
        "--only",
        "licenses",
        "--fail-on",
        "high",
        alpine,
    ]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.err
            .contains("the licence exception of `nobody` is for no package"),
        "{}",
        said.err
    );
    let denied: Value = serde_json::from_str(&said.out).unwrap();
    // `GPL-2.0-or-later` holds GPL-2.0-only too.
    assert_eq!(
        found(&denied),
        [
            "high license/denied zlib",
            "high license/unlisted ca-certificates-cacert",
            "low license/discouraged alpine-baselayout",
            "low license/discouraged apk-tools",
            "low license/discouraged musl-utils",
            "low license/discouraged ssl_client",
        ]
    );
    let zlib = denied["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["package"]["name"] == "zlib");
    let zlib = zlib.unwrap();
    assert!(
        zlib["message"]
            .as_str()
            .unwrap()
            .contains("is under `Zlib`, which the policy denies")
    );
    assert_eq!(zlib["location"]["path"], "lib/apk/db/installed");
    // The same in a usual scan, beside vulnerabilities; none without a policy.
    let both = home.scan(&["--format", "json", alpine]);
    let both: Value = serde_json::from_str(&both.out).unwrap();
    assert!(found_of(&both, "license/denied") == 1 && found_of(&both, "os/end-of-life") == 1);
    assert_eq!(both.get("licenses"), None);
    let alone = home.scan(&["--format", "json", "--only", "vulnerabilities", alpine]);
    assert!(!alone.out.contains("license/"), "{}", alone.out);
    let none = Home::new().scan(&["--format", "json", alpine]);
    assert!(!none.out.contains("license/"));
    // A finding of a licence can be suppressed like any other.
    let text = fs::read_to_string(home.path().join("seawall.toml")).unwrap();
    policy(
        &home,
        &format!(
            "{text}[[ignore]]\nrule = \"license/denied\"\npackage = \"zlib\"\nreason = \"ours\"\n"
        ),
    );
    let suppressed = report(&home, &[alpine]);
    assert!(!found(&suppressed).iter().any(|one| one.contains("zlib")));
    assert_eq!(suppressed["summary"]["suppressed"], 1);
}

fn found_of(report: &Value, rule: &str) -> usize {
    let all = report["findings"].as_array().unwrap().iter();
    all.filter(|one| one["rule"] == rule).count()
}

#[test]
fn what_records_no_licences_is_a_gap_and_what_could_is_a_finding() {
    let home = Home::new();
    policy(&home, "[licenses]\nallow = [\"MIT\"]\n");
    let lock = "version = 4\n[[package]]\nname = \"left\"\nversion = \"1.0.0\"\nsource = \"registry+https://x\"\n\
                [[package]]\nname = \"right\"\nversion = \"1.0.0\"\nsource = \"registry+https://x\"\n";
    fs::write(home.path().join("Cargo.lock"), lock).unwrap();
    let bom = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[
        {"type":"library","name":"a","purl":"pkg:npm/a@1.0.0","licenses":[{"license":{"name":"SEE LICENSE IN LICENSE"}}]},
        {"type":"library","name":"b","purl":"pkg:npm/b@1.0.0"},
        {"type":"library","name":"c","purl":"pkg:npm/c@1.0.0","licenses":[{"expression":"MIT OR GPL-3.0-only"}]}]}"#;
    fs::write(home.path().join("bom.json"), bom).unwrap();
    let locked = report(&home, &["Cargo.lock"]);
    assert_eq!(locked["findings"], serde_json::json!([]));
    let gap = &locked["gaps"][0];
    assert_eq!(
        (&gap["kind"], &gap["subject"]),
        (&"missing".into(), &"Cargo.lock".into())
    );
    assert!(
        gap["reason"].as_str().unwrap().contains("2 packages"),
        "{gap}"
    );
    let bom = report(&home, &["bom.json"]);
    assert_eq!(
        found(&bom),
        ["low license/unknown a", "low license/unknown b"]
    );
    let messages = bom["findings"].to_string();
    assert!(
        messages.contains("nobody can tell: `SEE LICENSE IN LICENSE`")
            && messages.contains("`b` 1.0.0 names no licence")
    );
}

#[test]
fn a_wrong_policy_is_pointed_at() {
    let home = Home::new();
    for (text, want) in [
        (
            "[licenses]\ndeny = [\"copyleft\"]\n",
            "deny: `copyleft` is neither an SPDX expression nor a category",
        ),
        ("[licenses]\nunlisted = 3\n", "seawall.toml:2"),
        (
            "[[licenses.exception]]\npackage = \"x\"\nlicense = \"mine\"\n",
            "`mine` is no SPDX expression",
        ),
    ] {
        policy(&home, text);
        let said = home.scan(&["--only", "licenses", "."]);
        assert_eq!(said.code, 2, "{text}");
        assert!(said.err.contains(want), "{text}: {}", said.err);
    }
}
