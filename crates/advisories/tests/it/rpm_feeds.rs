//! Red Hat's, Oracle's and SUSE's own feeds: real documents of each (see
//! `fixtures/README.md`), held against what others read out of the same.

use std::{collections::BTreeSet, fs};

use seawall_advisories::{Database, Event, Match, Matches, Store, find};
use seawall_model::{Origin, Os, Package, Source, Status};
use serde_json::{Value, json};

use crate::{
    feeds::{alone, bring_feed, fixture, os, request},
    support::Place,
};

/// An rpm, as `NAME VERSION SOURCE [MODULE]`; the source bears the binary's
/// version without its epoch.
fn rpm(words: &str) -> Package {
    let words: Vec<&str> = words.split(' ').collect();
    let [name, version, source, module @ ..] = words.as_slice() else {
        panic!("{words:?}");
    };
    let upstream = version.split_once(':').map_or(*version, |(_, rest)| rest);
    Package {
        source: Some(Source {
            name: (*source).to_owned(),
            version: upstream.to_owned(),
        }),
        module: module.first().map(|module| (*module).to_owned()),
        arch: Some("x86_64".to_owned()),
        ..Package::new("rpm", *name, *version, "", Origin::default())
    }
}

fn matched(database: &Database, os: &Os, packages: &[Package]) -> Matches {
    find(database, &request(os, packages))
}

/// What is found of one package: flaw, advisory, fixes and status.
fn found(database: &Database, os: &Os, words: &str) -> Vec<(String, String, Vec<String>, Status)> {
    let matches = matched(database, os, &[rpm(words)]).matches;
    let flaw = |one: Match| {
        let flaw = one.vulnerability;
        (flaw.id, flaw.advisory, flaw.fixed, flaw.status)
    };
    matches.into_iter().map(flaw).collect()
}

fn is_clear(database: &Database, os: &Os, words: &str) -> bool {
    found(database, os, words).is_empty()
}

fn fixed(flaw: &str, advisory: &str, version: &str) -> Vec<(String, String, Vec<String>, Status)> {
    let texts = (flaw.to_owned(), advisory.to_owned());
    vec![(texts.0, texts.1, vec![version.to_owned()], Status::Fixed)]
}

fn unfixed(flaw: &str, status: Status) -> Vec<(String, String, Vec<String>, Status)> {
    vec![(flaw.to_owned(), flaw.to_owned(), Vec::new(), status)]
}

#[test]
fn red_hat_tells_module_streams_apart() {
    let (_place, database) = alone("redhat-vex");
    let rhel = os("rhel", "8.10");
    let postgresql = |version: &str, stream: &str| {
        format!(
            "postgresql-server {version} postgresql postgresql:{stream}:8100020240814102525:489197e6"
        )
    };
    let flaw = "CVE-2024-7348";
    assert_eq!(
        found(
            &database,
            &rhel,
            &postgresql("12.19-1.module+el8.10.0+21846+c8ac5aef", "12")
        ),
        fixed(
            flaw,
            "RHSA-2024:6000",
            "12.20-1.module+el8.10.0+22214+9beb89d6"
        )
    );
    // The stream that has the fix is clear; a lower version of a higher
    // stream is not.
    assert!(is_clear(
        &database,
        &rhel,
        &postgresql("12.20-1.module+el8.10.0+22214+9beb89d6", "12")
    ));
    assert_eq!(
        found(
            &database,
            &rhel,
            &postgresql("13.14-1.module+el8.10.0+21846+c8ac5aef", "13")
        ),
        fixed(
            flaw,
            "RHSA-2024:6018",
            "13.16-1.module+el8.10.0+22213+5adc94fe"
        )
    );
    // A stream that the document does not speak of, and no module at all.
    assert!(is_clear(
        &database,
        &rhel,
        &postgresql("10.1-1.module+el8.10.0+21846+c8ac5aef", "10")
    ));
    assert!(is_clear(
        &database,
        &rhel,
        "postgresql-server 9.6-1.el8 postgresql"
    ));
    // Without a label the version tells the stream.
    assert_eq!(
        found(
            &database,
            &rhel,
            "postgresql 12.19-1.module+el8.10.0+21846+c8ac5aef postgresql"
        ),
        fixed(
            flaw,
            "RHSA-2024:6000",
            "12.20-1.module+el8.10.0+22214+9beb89d6"
        )
    );
}

#[test]
fn red_hats_streams_and_states_are_kept_apart() {
    let (_place, database) = alone("redhat-vex");
    let flaw = "CVE-2024-7348";
    // 13.16-1.el9_2 is the fix of 9.2 EUS, which no machine of the main
    // stream gets.
    let nine = os("rhel", "9.4");
    assert_eq!(
        found(
            &database,
            &nine,
            "postgresql-server 13.16-1.el9_2 postgresql"
        ),
        fixed(flaw, "RHSA-2024:5999", "13.16-1.el9_4")
    );
    assert!(is_clear(
        &database,
        &nine,
        "postgresql-server 13.16-1.el9_4 postgresql"
    ));
    assert!(is_clear(
        &database,
        &nine,
        "postgresql-server 13.18-1.el9_5 postgresql"
    ));
    let shards = database.shards();
    assert!(
        shards.contains(&"Red Hat:rhel_eus:9.2@redhat-vex"),
        "{shards:?}"
    );
    // Not mended: said of the source package, in the publisher's words.
    let six = "postgresql-server 8.4.20-8.el6_9 postgresql";
    assert_eq!(
        found(&database, &os("rhel", "6.10"), six),
        unfixed(flaw, Status::EndOfLife)
    );
    let seven = "postgresql-libs 9.2.24-9.el7_9 postgresql";
    assert_eq!(
        found(&database, &os("rhel", "7.9"), seven),
        unfixed(flaw, Status::Affected)
    );
    let composer = "osbuild-composer 76-1.el8 osbuild-composer";
    let states: Vec<_> = found(&database, &os("rhel", "8.6"), composer)
        .into_iter()
        .map(|(flaw, _, _, status)| (flaw, status))
        .collect();
    assert_eq!(
        states,
        [
            ("CVE-2022-1705".to_owned(), Status::WillNotFix),
            ("CVE-2024-24786".to_owned(), Status::Affected)
        ]
    );
    // Not affected: no match, and the reason can be asked for.
    let grafana = [rpm("grafana 9.2.10-16.el9_4 grafana")];
    assert_eq!(matched(&database, &nine, &grafana).matches, []);
    let asked = request(&nine, &grafana);
    let why = seawall_advisories::explain(&database, &asked, "CVE-2024-24786").unwrap();
    assert_eq!(why[0].reason, "the publisher says `not-affected`");
    // What is asked by the advisory is found too.
    let server = [rpm("postgresql-server 13.11-1.el9 postgresql")];
    let asked = request(&nine, &server);
    let why = seawall_advisories::explain(&database, &asked, "RHSA-2024:5999").unwrap();
    assert!(why[0].affected, "{why:?}");
}

#[test]
fn red_hats_epochs_and_severities_are_kept() {
    let (_place, database) = alone("redhat-vex");
    let nine = os("rhel", "9.4");
    // podman has the epoch 4 there; one without is older than any.
    let of_flaw = |words: &str| {
        let mut all = found(&database, &nine, words);
        all.retain(|one| one.0 == "CVE-2024-24786");
        all
    };
    let want = fixed("CVE-2024-24786", "RHSA-2024:2548", "4:4.9.4-3.el9_4");
    assert_eq!(of_flaw("podman 4:4.9.4-2.el9_4 podman"), want);
    assert_eq!(of_flaw("podman 5.2.2-1.el9 podman"), want);
    assert_eq!(of_flaw("podman 4:4.9.4-3.el9_4 podman"), []);
    let matches = matched(
        &database,
        &nine,
        &[rpm("postgresql 13.11-1.el9 postgresql")],
    )
    .matches;
    let flaw = &matches[0].vulnerability;
    assert_eq!(flaw.severities[0].source, "vendor:Red Hat");
    assert_eq!(flaw.severities[0].severity, seawall_model::Severity::High);
    assert!(
        flaw.aliases.contains(&"RHSA-2024:5999".to_owned()),
        "{:?}",
        flaw.aliases
    );
    assert_eq!(
        flaw.summary.as_deref(),
        Some("postgresql: PostgreSQL relation replacement during pg_dump executes arbitrary SQL")
    );
}

/// A package that is named with its newest build, which is affected still, and
/// one with a module that is none.
#[test]
fn red_hats_builds_without_a_fix_stand_for_all() {
    let (_place, database) = alone("redhat-vex");
    let ten = os("rhel", "10.0");
    assert_eq!(
        found(&database, &ten, "nss-util 3.101.0-9.el10 nss"),
        unfixed("CVE-2026-7323", Status::Affected)
    );
    let flatpak = "firefox-flatpak 140.0-1.el10 firefox-flatpak";
    assert!(is_clear(&database, &ten, flatpak));
}

/// The archive of a day, and what changed since.
#[test]
fn red_hats_newest_document_counts() {
    let place = Place::new();
    let mirror = place.dumps().join("mirror");
    let document = |date: &str, version: &str| {
        let path = fixture("redhat-vex").join("2024/cve-2024-7348.json");
        let mut document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        document["document"]["tracking"]["current_release_date"] = date.into();
        let text = document.to_string();
        text.replace("13.16-1.el9_4", version)
            .replace("postgresql@13.16-1.el9_4", version)
    };
    let archive = |documents: &[(&str, String)]| {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, text) in documents {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder
                .append_data(&mut header, name, text.as_bytes())
                .unwrap();
        }
        zstd::encode_all(builder.into_inner().unwrap().as_slice(), 1).unwrap()
    };
    let write = |name: &str, bytes: &[u8]| {
        let path = mirror.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let gone = fs::read_to_string(fixture("redhat-vex").join("2022/cve-2022-1705.json")).unwrap();
    write(
        "csaf_vex_2026-01-01.tar.zst",
        &archive(&[
            (
                "2024/cve-2024-7348.json",
                document("2026-01-01T00:00:00+00:00", "13.17-1.el9_4"),
            ),
            ("2022/cve-2022-1705.json", gone),
            ("index.txt", "no document".to_owned()),
        ]),
    );
    let version = || {
        bring_feed(&place, "redhat-vex", &mirror).unwrap();
        let found = found(
            &place.open(),
            &os("rhel", "9.4"),
            "postgresql-server 13.11-1.el9 postgresql",
        );
        found
            .into_iter()
            .flat_map(|(_, _, fixed, _)| fixed)
            .collect::<Vec<_>>()
    };
    assert_eq!(version(), ["13.17-1.el9_4"]);
    let composer = "osbuild-composer 76-1.el8 osbuild-composer";
    assert!(!is_clear(&place.open(), &os("rhel", "8.6"), composer));
    // An older one beside the archive does not count, a newer one does.
    let loose = "2024/cve-2024-7348.json";
    write(
        loose,
        document("2025-12-31T00:00:00+00:00", "13.99-1.el9_4").as_bytes(),
    );
    assert_eq!(version(), ["13.17-1.el9_4"]);
    write(
        loose,
        document("2026-01-02T00:00:00+00:00", "13.18-1.el9_4").as_bytes(),
    );
    assert_eq!(version(), ["13.18-1.el9_4"]);
    write(
        "deletions.csv",
        b"\"2022/cve-2022-1705.json\",\"2099-01-01T00:00:00+00:00\"\n",
    );
    assert_eq!(version(), ["13.18-1.el9_4"]);
    assert!(is_clear(&place.open(), &os("rhel", "8.6"), composer));
    // An archive that was cut off leaves what was known.
    let whole = fs::read(mirror.join("csaf_vex_2026-01-01.tar.zst")).unwrap();
    write("csaf_vex_2026-01-01.tar.zst", &whole[..whole.len() / 2]);
    let before = fs::read(place.database().join("index.json")).ok();
    let updated = bring_feed(&place, "redhat-vex", &mirror).unwrap();
    assert!(updated.built.is_empty(), "{updated:?}");
    assert!(
        updated.refused[0].starts_with("redhat-vex: csaf_vex_2026-01-01.tar.zst: "),
        "{updated:?}"
    );
    assert!(before.is_none_or(|before| !before.is_empty()));
    let kept = "postgresql-server 13.11-1.el9 postgresql";
    assert!(!is_clear(&place.open(), &os("rhel", "9.4"), kept));
}

/// Every package, release and version of every advisory, against the list that
/// vunnel 0.44.0 makes of the same files (`feeds/oracle-oval.vunnel`).
#[test]
fn oracles_advisories_are_as_vunnel_reads_them() {
    let (_place, database) = alone("oracle-oval");
    let theirs = fs::read_to_string(fixture("oracle-oval.vunnel")).unwrap();
    let ids: BTreeSet<&str> = theirs
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let mut ours = Vec::new();
    for id in ids {
        for (shard, candidate) in database.by_id(id).unwrap() {
            let release = shard.strip_prefix("Oracle Linux:").unwrap();
            let release = release.strip_suffix("@oracle-oval").unwrap();
            let Event::Fixed(version) = candidate.affected.ranges[0].events[1] else {
                panic!("{candidate:?}");
            };
            let epoch = if version.contains(':') { "" } else { "0:" };
            let name = candidate.affected.name;
            ours.push(format!("{id} ol:{release} {name} {epoch}{version}"));
        }
    }
    ours.sort();
    assert_eq!(ours, theirs.lines().collect::<Vec<_>>());
}

#[test]
fn oracles_releases_epochs_and_lines_of_builds_are_kept_apart() {
    let (_place, database) = alone("oracle-oval");
    let seven = os("ol", "7.9");
    // Mended in 2:2.1-22.2.el7; without the epoch 22.9 would be greater.
    assert_eq!(
        found(
            &database,
            &seven,
            "microcode_ctl 2:2.1-22.el7 microcode_ctl"
        ),
        fixed("CVE-2017-5715", "ELSA-2018-0012", "2:2.1-22.2.el7")
    );
    assert!(is_clear(
        &database,
        &seven,
        "microcode_ctl 2:2.1-22.2.el7 microcode_ctl"
    ));
    // One advisory, a version for each of two releases.
    let versions = |release: &str| -> Vec<String> {
        let all = found(
            &database,
            &os("ol", release),
            "thunderbird 45.0-1 thunderbird",
        );
        let mut fixes: Vec<String> = all.into_iter().flat_map(|(_, _, fixed, _)| fixed).collect();
        fixes.dedup();
        fixes
    };
    assert_eq!(versions("6.10"), ["52.5.2-1.0.1.el6_9"]);
    assert_eq!(versions("7.9"), ["52.5.2-1.0.1.el7_4"]);
    assert_eq!(versions("8.9"), Vec::<String>::new());
    // CVE-2018-7755 is mended in two Unbreakable Enterprise Kernels; the older
    // one is no worse for being lower.
    let kernel = |version: &str| {
        found(
            &database,
            &seven,
            &format!("kernel-uek {version} kernel-uek"),
        )
    };
    let of_flaw = |version: &str| {
        let all = kernel(version).into_iter();
        all.filter(|one| one.0 == "CVE-2018-7755")
            .flat_map(|one| one.2)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of_flaw("4.1.12-124.22.4.el7uek"),
        ["4.1.12-124.23.1.el7uek"]
    );
    assert_eq!(of_flaw("4.1.12-124.23.1.el7uek"), Vec::<String>::new());
    assert_eq!(
        of_flaw("4.14.35-1818.4.7.el7uek"),
        ["4.14.35-1818.5.4.el7uek"]
    );
    assert_eq!(of_flaw("4.14.35-1818.5.4.el7uek"), Vec::<String>::new());
    assert_eq!(of_flaw("5.4.17-2011.el7uek"), Vec::<String>::new());
    let perf = |version: &str| is_clear(&database, &seven, &format!("perf {version} kernel"));
    assert!(perf("3.10.0-1160.el7"));
    assert!(!perf("4.14.35-1818.4.7.el7uek"));
    // Builds for live patches alone.
    let eight = os("ol", "8.9");
    assert!(is_clear(
        &database,
        &eight,
        "openssl-libs 1:1.1.1g-12.el8_3 openssl"
    ));
    let flaws: Vec<String> = found(
        &database,
        &eight,
        "openssl-libs 2:1.1.1g-12.ksplice1.el8_3 openssl",
    )
    .into_iter()
    .map(|one| one.0)
    .collect();
    assert_eq!(flaws, ["CVE-2021-3449", "CVE-2021-3450"]);
}

/// What vunnel reads out of the same document (its golden files
/// `snapshots-csaf/sles:15.4/cve-2023-47627.json` and `sles:15.5/…`).
#[test]
fn suses_service_packs_and_long_term_support_are_as_vunnel_reads_them() {
    let (_place, database) = alone("suse-csaf");
    let entries = |shard: &str, name: &str| -> Vec<(String, String)> {
        let candidates = database.candidates(shard, name).unwrap();
        let entries = candidates.into_iter().map(|one| {
            let events = one.affected.ranges[0].events.clone();
            let fix = events.iter().find_map(|event| match event {
                Event::Fixed(version) => Some((*version).to_owned()),
                _ => None,
            });
            (
                one.record.id.to_owned(),
                fix.unwrap_or_else(|| one.affected.state.to_owned()),
            )
        });
        entries.collect()
    };
    let pack = |pack: &str| format!("SUSE:Linux Enterprise Server 15 {pack}@suse-csaf");
    let flaw = |said: &str| vec![("CVE-2023-47627".to_owned(), said.to_owned())];
    let fix = "3.9.3-150400.10.14.1";
    for service_pack in ["SP4", "SP5", "SP6", "SP7"] {
        let found = entries(&pack(service_pack), "python311-aiohttp");
        assert_eq!(found, flaw(fix), "{service_pack}");
    }
    assert_eq!(
        entries(&pack("SP4"), "python-aiohttp"),
        flaw("will-not-fix")
    );
    assert_eq!(entries(&pack("SP5"), "python-aiohttp"), []);
    let mailx = |fix: &str| vec![("CVE-2004-2771".to_owned(), fix.to_owned())];
    assert_eq!(
        entries("SUSE:Linux Enterprise Server 15@suse-csaf", "mailx"),
        mailx("12.5-1.87")
    );
    assert_eq!(entries(&pack("SP5"), "mailx"), mailx("12.5-3.3.1"));

    let four = os("sles", "15.4");
    let aiohttp = |name: &str, version: &str| format!("{name} {version} python-aiohttp");
    assert_eq!(
        found(
            &database,
            &four,
            &aiohttp("python311-aiohttp", "3.8.5-150400.10.8.1")
        ),
        fixed("CVE-2023-47627", "CVE-2023-47627", fix)
    );
    // What is said of the package itself comes before what is of its source.
    assert!(is_clear(
        &database,
        &four,
        &aiohttp("python311-aiohttp", fix)
    ));
    let mended = [rpm(&aiohttp("python311-aiohttp", fix))];
    let asked = request(&four, &mended);
    let why = seawall_advisories::explain(&database, &asked, "CVE-2023-47627").unwrap();
    assert!(why.iter().all(|one| !one.affected), "{why:?}");
    assert_eq!(
        found(
            &database,
            &four,
            &aiohttp("python3-aiohttp", "3.4.4-150100.3.6.1")
        ),
        unfixed("CVE-2023-47627", Status::WillNotFix)
    );
    let five = os("sles", "15.5");
    assert!(is_clear(
        &database,
        &five,
        &aiohttp("python311-aiohttp", fix)
    ));
    assert!(is_clear(
        &database,
        &five,
        &aiohttp("python3-aiohttp", "3.4.4-150100.3.6.1")
    ));
}

/// Whatever a file is, it is refused by name, and what is beside it is read.
#[test]
fn what_cannot_be_read_is_named() {
    let good = fs::read_to_string(fixture("redhat-vex").join("2024/cve-2024-7348.json")).unwrap();
    let deep = format!(
        "{{\"document\":{{}},\"product_tree\":{}{}}}",
        "{\"branches\":[".repeat(200),
        "]}".repeat(200)
    );
    let mut cyclic: Value = serde_json::from_str(&good).unwrap();
    let tree = cyclic["product_tree"]["relationships"]
        .as_array_mut()
        .unwrap();
    let own = tree[0]["full_product_name"]["product_id"].clone();
    tree[0]["relates_to_product_reference"] = own;
    let mut nameless: Value = serde_json::from_str(&good).unwrap();
    nameless["vulnerabilities"][0]["cve"] = Value::Null;
    nameless["document"]["tracking"]["id"] = Value::Null;
    let wrong = good.replace("\"relationships\": [", "\"relationships\": [7,");
    for (name, bad, reason) in [
        ("cut", &good[..good.len() / 2], "EOF"),
        ("deep", &deep, "recursion limit"),
        ("cyclic", &cyclic.to_string(), "is a part of itself"),
        ("nameless", &nameless.to_string(), "which flaw"),
        ("wrong", &wrong, "invalid type"),
        ("page", "<html></html>", "expected value"),
    ] {
        let place = Place::new();
        place.file("mirror/2024/cve-2024-7348.json", bad);
        let beside = fixture("redhat-vex").join("2022/cve-2022-1705.json");
        place.file("mirror/2022/cve-2022-1705.json", fs::read(beside).unwrap());
        let updated = bring_feed(&place, "redhat-vex", &place.dumps().join("mirror")).unwrap();
        assert_eq!(updated.records, 1, "{name}");
        let refused = updated.refused.join("\n");
        assert!(
            refused.contains("cve-2024-7348.json: "),
            "{name}: {refused}"
        );
        assert!(refused.contains(reason), "{name}: {refused}");
    }
}

#[test]
fn what_a_definition_says_beyond_versions_is_refused() {
    let good = fs::read_to_string(fixture("oracle-oval").join("com.oracle.elsa-2018.xml")).unwrap();
    let criteria = "<criteria operator=\"AND\">";
    let refused = |text: &str| {
        let place = Place::new();
        place.file("mirror/com.oracle.elsa-2018.xml", text);
        let updated = bring_feed(&place, "oracle-oval", &place.dumps().join("mirror")).unwrap();
        (updated.records, updated.refused.join("\n"))
    };
    for (from, to, reason) in [
        (
            criteria,
            "<criteria operator=\"XOR\">",
            "the operator `XOR` is not known",
        ),
        (
            criteria,
            "<criteria operator=\"AND\" negate=\"true\">",
            "a criteria is negated",
        ),
        (
            criteria,
            "<criteria operator=\"AND\"><extend_definition definition_ref=\"oval:com.oracle.elsa:def:20180012\"/>",
            "it has `extend_definition`",
        ),
        (
            "operation=\"less than\"",
            "operation=\"greater than\"",
            "`evr` is compared with `greater than`",
        ),
        (
            "<name>oraclelinux-release</name>",
            "<name>other</name>",
            "is of no release",
        ),
        (
            "state_ref=\"oval:com.oracle.elsa:ste:20180012003\"",
            "state_ref=\"no\"",
            "that is not there",
        ),
        (
            "check=\"at least one\"",
            "check=\"none satisfy\"",
            "a test has the check `none satisfy`",
        ),
        (
            "check=\"at least one\"",
            "check=\"at least one\" check_existence=\"none_exist\"",
            "a test has the check_existence `none_exist`",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        let (records, refused) = refused(&good.replacen(from, to, 1));
        assert!(records < 4, "{reason}: {records}");
        assert!(refused.contains(reason), "{reason}: {refused}");
    }
    // As a whole: a cut, an entity bomb, and nesting without end.
    let bomb = good.replacen(
        "<oval_definitions",
        "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><oval_definitions",
        1,
    );
    let deep = good.replacen(criteria, &criteria.repeat(5000), 1);
    for (bad, reason) in [
        (&good[..good.len() / 2], "com.oracle.elsa-2018.xml: byte "),
        (&good[..good.len() - 4], "com.oracle.elsa-2018.xml: byte "),
        (&good[..good.rfind("<states>").unwrap()], "cut off"),
        (&bomb, "document types are refused"),
        (&deep, "nested more than 128"),
    ] {
        let (records, refused) = refused(bad);
        assert_eq!(records, 0, "{reason}");
        assert!(refused.contains(reason), "{refused}");
    }
}

/// A document of Red Hat's about RHEL 8: components with what identifies them,
/// and what is said of each flaw.
fn vex(components: &[(&str, Value)], flaws: &Value) -> Value {
    let branch = |id: &str, helper: &Value| {
        json!({ "category": "product_version", "name": id, "product": {
            "name": id, "product_id": id, "product_identification_helper": helper,
        } })
    };
    let stream = json!({ "cpe": "cpe:/a:redhat:enterprise_linux:8::appstream" });
    let mut branches = vec![branch("rhel8", &stream)];
    branches.extend(components.iter().map(|(id, helper)| branch(id, helper)));
    let relationships: Vec<Value> = components
        .iter()
        .map(|(id, _)| {
            json!({
                "category": "default_component_of",
                "product_reference": id,
                "relates_to_product_reference": "rhel8",
                "full_product_name": { "product_id": format!("rhel8:{id}") },
            })
        })
        .collect();
    json!({
        "document": { "tracking": { "current_release_date": "2026-01-01T00:00:00+00:00" } },
        "product_tree": { "branches": branches, "relationships": relationships },
        "vulnerabilities": flaws,
    })
}

/// A database of one document beside a good one, and what was refused.
fn with_vex(document: &Value) -> (Place, Vec<String>) {
    let place = Place::new();
    place.file("mirror/2026/cve-2026-1.json", document.to_string());
    let beside = fixture("redhat-vex").join("2022/cve-2022-1705.json");
    place.file("mirror/2022/cve-2022-1705.json", fs::read(beside).unwrap());
    let updated = bring_feed(&place, "redhat-vex", &place.dumps().join("mirror")).unwrap();
    (place, updated.refused)
}

#[test]
fn what_is_said_of_no_known_product_is_refused() {
    let flaw =
        |list: &str, id: &str| json!([{ "cve": "CVE-2026-1", "product_status": { list: [id] } }]);
    for (document, reason) in [
        (
            vex(&[], &flaw("known_affected", "rhel8:bash")),
            "product `rhel8:bash` is not in its product tree",
        ),
        (
            vex(&[("bash", json!({}))], &flaw("fixed", "rhel8:bash")),
            "product `rhel8:bash` is a fix without a version",
        ),
    ] {
        let (place, refused) = with_vex(&document);
        assert!(refused.join(" ").contains(reason), "{refused:?}");
        let gaps = matched(
            &place.open(),
            &os("rhel", "8.10"),
            &[rpm("bash 4-1.el8 bash")],
        )
        .gaps;
        assert!(format!("{gaps:?}").contains(reason), "{gaps:?}");
    }
    // A name with a version is understood without a package URL.
    let id = "bash-1:5-2.el8.x86_64";
    let (place, refused) = with_vex(&vex(
        &[(id, json!({}))],
        &flaw("fixed", &format!("rhel8:{id}")),
    ));
    assert_eq!(refused, Vec::<String>::new());
    assert_eq!(
        found(&place.open(), &os("rhel", "8.10"), "bash 1:4-1.el8 bash"),
        fixed("CVE-2026-1", "CVE-2026-1", "1:5-2.el8")
    );
}

#[test]
fn products_outside_of_the_branches_are_products() {
    let mut document = vex(
        &[("P-1", json!({}))],
        &json!([{ "cve": "CVE-2026-1", "product_status": { "known_affected": ["rhel8:P-1"] } }]),
    );
    document["product_tree"]["branches"] = json!([]);
    document["product_tree"]["full_product_names"] = json!([
        { "name": "RHEL 8", "product_id": "rhel8", "product_identification_helper": {
            "cpe": "cpe:/a:redhat:enterprise_linux:8::appstream" } },
        { "name": "bash", "product_id": "P-1" },
    ]);
    let (place, refused) = with_vex(&document);
    assert_eq!(refused, Vec::<String>::new());
    assert_eq!(
        found(&place.open(), &os("rhel", "8.10"), "bash 4-1.el8 bash"),
        unfixed("CVE-2026-1", Status::Affected)
    );
}

#[test]
fn what_a_document_says_of_one_flaw_counts_together() {
    let components = [
        ("bash", json!({})),
        ("zlib", json!({})),
        ("curl", json!({})),
    ];
    let (place, refused) = with_vex(&vex(
        &components,
        &json!([
            { "cve": "CVE-2026-1", "product_status": {
                "known_not_affected": ["rhel8:zlib", "rhel8:curl"] } },
            { "cve": "CVE-2026-1", "product_status": {
                "known_affected": ["rhel8:bash", "rhel8:curl"] } },
        ]),
    ));
    assert_eq!(refused, Vec::<String>::new());
    let (database, rhel) = (place.open(), os("rhel", "8.10"));
    let affected = unfixed("CVE-2026-1", Status::Affected);
    assert_eq!(found(&database, &rhel, "bash 4-1.el8 bash"), affected);
    assert_eq!(found(&database, &rhel, "curl 4-1.el8 curl"), affected);
    assert!(is_clear(&database, &rhel, "zlib 4-1.el8 zlib"));
}

/// Groups of products that are named over and over.
#[test]
fn groups_are_taken_once_a_statement_and_within_bounds() {
    let components = [("bash", json!({}))];
    let document = |groups: usize, statements: usize| {
        let products = vec!["rhel8:bash"; 2000];
        let said = json!({ "category": "none_available", "group_ids": vec!["G"; groups] });
        let mut document = vex(
            &components,
            &json!([{
                "cve": "CVE-2026-1",
                "product_status": { "known_affected": ["rhel8:bash"] },
                "remediations": vec![said; statements],
            }]),
        );
        document["product_tree"]["product_groups"] =
            json!([{ "group_id": "G", "product_ids": products }]);
        document
    };
    let (place, refused) = with_vex(&document(200_000, 1));
    assert_eq!(refused, Vec::<String>::new());
    let rhel = os("rhel", "8.10");
    assert!(!is_clear(&place.open(), &rhel, "bash 4-1.el8 bash"));
    let (_place, refused) = with_vex(&document(1, 2001));
    assert!(
        refused[0].contains("its groups come to more than"),
        "{refused:?}"
    );
}

#[test]
fn suses_versions_are_read_where_package_urls_take_them_apart_elsewhere() {
    let (release, id) = (
        "SUSE Linux Enterprise Server 15 SP5",
        "libgtk-4_0-18-2.38-150500.4.1",
    );
    let branch = |id: &str, helper: Value| {
        json!({ "name": id, "product": {
            "product_id": id, "product_identification_helper": helper } })
    };
    let document = json!({
        "document": { "tracking": { "current_release_date": "2026-01-01T00:00:00+00:00" } },
        "product_tree": {
            "branches": [
                branch(release, json!({ "cpe": "cpe:/o:suse:sles:15:sp5" })),
                branch(id, json!({ "purl": "pkg:rpm/suse/libgtk@4_0-18-2.38-150500.4.1?upstream=gtk-2.38-150500.4.1.src.rpm" })),
            ],
            "relationships": [{
                "product_reference": id,
                "relates_to_product_reference": release,
                "full_product_name": { "product_id": format!("{release}:{id}") },
            }],
        },
        "vulnerabilities": [{
            "cve": "CVE-2026-1", "product_status": { "recommended": [format!("{release}:{id}")] } }],
    });
    let place = Place::new();
    place.file("mirror/csaf-vex/cve-2026-1.json", document.to_string());
    let updated = bring_feed(&place, "suse-csaf", &place.dumps().join("mirror")).unwrap();
    assert_eq!(updated.refused, Vec::<String>::new());
    let found = found(
        &place.open(),
        &os("sles", "15.5"),
        "libgtk-4_0-18 2.37-1 gtk",
    );
    assert_eq!(found, fixed("CVE-2026-1", "CVE-2026-1", "2.38-150500.4.1"));
}
