//! Distributions' own feeds through the command: what a scan with a database of
//! OSV's records and a feed says.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Home, Said, shared};

fn write(home: &Home, name: &str, text: impl AsRef<[u8]>) {
    let path = home.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn zip(home: &Home, name: &str, records: &[Value]) {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (index, record) in records.iter().enumerate() {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("{index}.json"), options).unwrap();
        std::io::Write::write_all(&mut zip, record.to_string().as_bytes()).unwrap();
    }
    write(home, name, zip.finish().unwrap().into_inner());
}

/// Flaw, package, status and severity of each finding.
fn findings(said: &Said) -> Vec<String> {
    let report = serde_json::from_str(&said.out);
    assert!(report.is_ok(), "{}", said.err);
    let report: Value = report.unwrap();
    let mut all: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["vulnerability"].is_object())
        .map(|one| {
            format!(
                "{} {} {} {}",
                one["vulnerability"]["id"].as_str().unwrap(),
                one["package"]["name"].as_str().unwrap(),
                one["vulnerability"]["status"].as_str().unwrap(),
                one["severity"].as_str().unwrap()
            )
        })
        .collect();
    all.sort();
    all
}

fn gaps(said: &Said) -> Vec<String> {
    let report: Value = serde_json::from_str(&said.out).unwrap();
    let gaps = report["gaps"].as_array().unwrap().iter();
    gaps.map(|gap| {
        format!(
            "{}: {}",
            gap["subject"].as_str().unwrap(),
            gap["reason"].as_str().unwrap()
        )
    })
    .collect()
}

/// A root filesystem of Debian 11 with packages by name, source and version.
fn debian(home: &Home, packages: &[(&str, &str, &str)]) {
    write(
        home,
        "root/etc/os-release",
        "ID=debian\nVERSION_ID=\"11\"\nPRETTY_NAME=\"Debian GNU/Linux 11 (bullseye)\"\n",
    );
    let status: String = packages
        .iter()
        .map(|(name, source, version)| {
            format!(
                "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n\
                 Source: {source}\nVersion: {version}\nDescription: x\n\n"
            )
        })
        .collect();
    write(home, "root/var/lib/dpkg/status", status);
}

fn open(nodsa: Option<(&str, &str)>, urgency: &str) -> Value {
    let mut release = json!({ "status": "open", "urgency": urgency, "repositories": {} });
    if let Some((text, reason)) = nodsa {
        release["nodsa"] = json!(text);
        release["nodsa_reason"] = json!(reason);
    }
    json!({ "scope": "remote", "releases": { "bullseye": release } })
}

#[test]
fn a_report_has_the_publishers_states_and_explain_names_the_source() {
    let home = Home::new();
    debian(
        &home,
        &[
            ("libssl1.1", "openssl", "1.1.1n-0+deb11u3"),
            ("openssl", "openssl", "1.1.1n-0+deb11u3"),
            ("libcurl4", "curl", "7.74.0-1.3+deb11u7"),
        ],
    );
    // All of OSV's records say that every version is affected.
    let cves: Vec<String> = (1..=8)
        .map(|number| format!("CVE-2023-100{number}"))
        .collect();
    let of = |cve: &str, package: &str| {
        json!({
            "id": format!("DEBIAN-{cve}"), "modified": "2023-02-01T00:00:00Z", "upstream": [cve],
            "affected": [{
                "package": { "ecosystem": "Debian:11", "name": package },
                "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] }],
            }],
        })
    };
    let mut records: Vec<Value> = cves.iter().map(|cve| of(cve, "openssl")).collect();
    records.push(of("CVE-2023-1009", "curl"));
    zip(&home, "osv/Debian/all.zip", &records);
    let osv_alone = home.run(&["db", "update", "--from", "osv", "--db", "db"]);
    assert_eq!(osv_alone.code, 0, "{}", osv_alone.err);
    let scan = || home.scan(&["--db", "db", "--format", "json", "rootfs:root"]);
    let before = findings(&scan());
    assert_eq!(before.len(), 9, "{before:?}");
    assert!(
        before.iter().all(|one| one.ends_with("affected unknown")),
        "{before:?}"
    );

    let resolved = |version: &str, urgency: &str| {
        json!({ "releases": { "bullseye": {
            "status": "resolved", "fixed_version": version, "urgency": urgency,
            "repositories": {} } } })
    };
    let undetermined = json!({ "releases": { "bullseye": {
        "status": "undetermined", "urgency": "not yet assigned", "repositories": {} } } });
    write(
        &home,
        "osv/feeds/debian-tracker/json",
        json!({ "openssl": {
            "CVE-2023-1001": open(Some(("Minor issue", "")), "low"),
            "CVE-2023-1002": open(Some(("Minor issue", "postponed")), "medium"),
            "CVE-2023-1003": open(Some(("Too intrusive to backport", "ignored")), "high"),
            "CVE-2023-1004": open(None, "end-of-life"),
            "CVE-2023-1005": resolved("0", "not yet assigned"),
            "CVE-2023-1006": undetermined,
            "CVE-2023-1007": resolved("1.1.1n-0+deb11u4", "unimportant"),
            "CVE-2023-1008": resolved("1.1.1n-0+deb11u3", "high"),
        } })
        .to_string(),
    );
    let update = home.run(&["db", "update", "--from", "osv", "--db", "db"]);
    assert_eq!(update.code, 0, "{}", update.err);
    assert!(update.err.contains("debian-tracker"), "{}", update.err);
    let report = scan();
    assert_eq!(
        findings(&report),
        [
            "CVE-2023-1001 openssl deferred low",
            "CVE-2023-1002 openssl deferred medium",
            "CVE-2023-1003 openssl will-not-fix high",
            "CVE-2023-1004 openssl end-of-life unknown",
            "CVE-2023-1006 openssl under-investigation unknown",
            "CVE-2023-1007 openssl fixed low",
            // Of this the feed says nothing.
            "CVE-2023-1009 libcurl4 affected unknown",
        ]
    );
    let quiet = gaps(&report);
    assert!(
        quiet.iter().all(|gap| !gap.contains("debian-tracker")),
        "{quiet:?}"
    );
    for (cve, want) in [
        ("CVE-2023-1005", "fixed in version `0`"),
        (
            "CVE-2023-1008",
            "1.1.1n-0+deb11u3 >= 1.1.1n-0+deb11u3, which mends it",
        ),
    ] {
        let why = home.run(&["explain", cve, "rootfs:root", "--db", "db", "--offline"]);
        assert_eq!(why.code, 0, "{}", why.err);
        for want in [
            "Debian:11@debian-tracker",
            want,
            "the distribution's own feed decides: `debian-tracker`",
        ] {
            assert!(why.out.contains(want), "{want}: {}", why.out);
        }
        assert!(!why.out.contains("): affected"), "{}", why.out);
    }
    let info = home.run(&["db", "info", "--db", "db"]);
    for want in [
        "Debian:11@debian-tracker",
        "debian-tracker (https://security-tracker.debian.org/tracker/data)",
        "leaves out: releases whose support is over",
    ] {
        assert!(info.out.contains(want), "{want}: {}", info.out);
    }

    // A damaged feed is told, and what was known of it stays.
    write(
        &home,
        "osv/feeds/debian-tracker/json",
        "{\"openssl\":{\"CVE-2023-1001\":",
    );
    let update = home.run(&["db", "update", "--from", "osv", "--db", "db"]);
    assert_eq!(update.code, 2, "{}", update.err);
    assert!(
        update
            .err
            .contains("cannot be read: debian-tracker: json: EOF while parsing"),
        "{}",
        update.err
    );
    assert_eq!(findings(&scan()).len(), 7);
}

#[test]
fn feeds_are_named_by_flag_and_by_setting() {
    let home = Home::new();
    debian(&home, &[("libssl1.1", "openssl", "1.1.1n-0+deb11u3")]);
    let tracker = json!({ "openssl": { "CVE-2023-1001": open(None, "low") } });
    write(&home, "tracker/json", tracker.to_string());
    // A feed alone, from its folder, or from its one file.
    for (db, feed) in [
        ("one", "debian-tracker=tracker"),
        ("two", "debian-tracker=tracker/json"),
    ] {
        let update = home.run(&[
            "db", "update", "--feed", feed, "--from", "tracker", "--db", db,
        ]);
        assert_eq!(update.code, 0, "{feed}: {}", update.err);
        let report = home.scan(&["--db", db, "--format", "json", "rootfs:root"]);
        assert_eq!(
            findings(&report),
            ["CVE-2023-1001 libssl1.1 affected low"],
            "{feed}"
        );
    }
    write(
        &home,
        "seawall.toml",
        "[database]\ndir = \"three\"\nfrom = \"tracker\"\nfeeds = [\"debian-tracker=tracker\"]\n",
    );
    let update = home.run(&["db", "update"]);
    assert_eq!(update.code, 0, "{}", update.err);
    let report = home.scan(&["--format", "json", "rootfs:root"]);
    assert_eq!(findings(&report).len(), 1);
    for (arguments, want) in [
        (
            &["db", "update", "--feed", "debain"][..],
            "there is no feed `debain`, only `",
        ),
        (
            &[
                "db",
                "update",
                "--feed",
                "debian-tracker=nowhere",
                "--from",
                "tracker",
                "--db",
                "four",
            ],
            "debian-tracker: there is no `json` in `nowhere`",
        ),
        (
            &[
                "db",
                "update",
                "--feed",
                "ubuntu-tracker=https://127.0.0.1:9",
                "--from",
                "tracker",
                "--db",
                "four",
            ],
            "ubuntu-tracker: it is a repository, not a folder of files on a server",
        ),
    ] {
        let said = home.run(arguments);
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(said.err.contains(want), "{want}: {}", said.err);
    }
}

/// A real image of Alpine 3.10 against a secdb: what the packages of its
/// database lack, by the origin that they were built from.
#[test]
fn an_image_of_alpine_is_held_against_its_secdb() {
    let Some(image) = shared("images/alpine-310.tar.gz") else {
        return;
    };
    let home = Home::new();
    // From the release's own file, as it is since musl's last fix there.
    write(
        &home,
        "osv/feeds/alpine-secdb/v3.10/main.json",
        json!({ "distroversion": "v3.10", "reponame": "main", "packages": [
            { "pkg": { "name": "musl", "secfixes": {
                "1.1.15-r4": ["CVE-2016-8859"],
                "1.1.22-r3": ["CVE-2019-14697"],
                "1.1.22-r4": ["CVE-2020-28928"] } } },
            { "pkg": { "name": "busybox", "secfixes": {
                "0": ["CVE-2021-28831"],
                "1.30.1-r5": ["CVE-2022-28391"] } } } ] })
        .to_string(),
    );
    let update = home.run(&["db", "update", "--from", "osv", "--db", "db"]);
    assert_eq!(update.code, 0, "{}", update.err);
    let image = image.to_str().unwrap();
    let report = home.scan(&["--db", "db", "--format", "json", "--packages", image]);
    let found = findings(&report);
    let parsed: Value = serde_json::from_str(&report.out).unwrap();
    let version = |name: &str| {
        let packages = parsed["packages"].as_array().unwrap().iter();
        let mut own = packages.filter(|one| one["name"] == name);
        own.next().unwrap()["version"].as_str().unwrap().to_owned()
    };
    // The image's own versions say what is to be found.
    assert_eq!(
        (version("musl").as_str(), version("busybox").as_str()),
        ("1.1.22-r3", "1.30.1-r3")
    );
    assert_eq!(
        found,
        [
            "CVE-2020-28928 musl fixed unknown",
            "CVE-2022-28391 busybox fixed unknown"
        ]
    );
}

#[test]
fn a_distribution_that_osv_does_not_have_is_served_by_its_own_feed() {
    let home = Home::new();
    let amazon = crate::support::root().join("crates/advisories/tests/fixtures/feeds/amazon");
    let feed = format!("amazon={}", amazon.display());
    fs::create_dir(home.path().join("osv")).unwrap();
    let update = home.run(&[
        "db",
        "update",
        "Amazon Linux",
        "--from",
        "osv",
        "--feed",
        &feed,
        "--db",
        "db",
    ]);
    assert_eq!(update.code, 0, "{}", update.err);
    let sbom = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "metadata": { "component": { "type": "operating-system", "name": "amzn", "version": "2023" } },
        "components": [
            { "type": "operating-system", "name": "amzn", "version": "2023" },
            { "type": "library", "name": "zlib", "version": "1.2.11-33.amzn2023.0.3",
              "purl": "pkg:rpm/amzn/zlib@1.2.11-33.amzn2023.0.3?arch=x86_64&distro=amzn-2023" },
        ],
    });
    write(&home, "sbom.json", sbom.to_string());
    let report = home.scan(&["--db", "db", "--format", "json", "sbom:sbom.json"]);
    assert_eq!(
        findings(&report),
        [
            "CVE-2018-25032 zlib fixed high",
            "CVE-2022-37434 zlib fixed high"
        ],
        "{}",
        report.out
    );
}
