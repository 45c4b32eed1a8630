//! Records of one flaw that say different things of one package: what is open
//! in any way that concerns the package comes before what is clear in another.

use std::fs;

use seawall_advisories::{
    Database, FeedChoice, From, Request, UpdateRequest, explain, find, update,
};
use seawall_model::{Confidence, GapKind, Origin, Package, Source};
use serde_json::{Value, json};

use crate::{
    feeds::{alone, bring_feed, os, request},
    support::{Counted, Place},
};

const RHEL: (&str, &str) = ("rhel8", "cpe:/a:redhat:enterprise_linux:8::appstream");
const SERVER: (&str, &str) = (
    "SUSE Linux Enterprise Server 15 SP5",
    "cpe:/o:suse:sles:15:sp5",
);
const MODULE: (&str, &str) = (
    "SUSE Linux Enterprise Module for Development Tools 15 SP5",
    "cpe:/o:suse:sle-module-development-tools:15:sp5",
);

/// A VEX document in CSAF's form: (release, component, status) each.
fn vex(flaw: &str, said: &[((&str, &str), &str, &str)]) -> String {
    let product = |id: &str, cpe: &str| {
        let helper = if cpe.is_empty() {
            json!({})
        } else {
            json!({ "cpe": cpe })
        };
        json!({"category": "product_version", "name": id, "product":
            {"name": id, "product_id": id, "product_identification_helper": helper}})
    };
    let mut branches: Vec<Value> = Vec::new();
    let mut relationships = Vec::new();
    let mut status = json!({});
    for ((release, cpe), component, word) in said {
        branches.push(product(release, cpe));
        branches.push(product(component, ""));
        let id = format!("{release}:{component}");
        relationships.push(json!({"category": "default_component_of",
            "product_reference": component, "relates_to_product_reference": release,
            "full_product_name": {"name": id, "product_id": id}}));
        let mut all = status[*word].as_array().cloned().unwrap_or_default();
        all.push(json!(id));
        status[*word] = json!(all);
    }
    branches.dedup();
    let day = "2026-11-20T00:00:00+00:00";
    json!({
        "document": {"category": "csaf_vex", "csaf_version": "2.0", "title": flaw,
            "publisher": {"category": "vendor", "name": "v", "namespace": "https://v.example"},
            "tracking": {"id": flaw, "status": "final", "version": "1",
                "current_release_date": day, "initial_release_date": day,
                "revision_history": []}},
        "product_tree": {"branches": [{"category": "vendor", "name": "v", "branches": branches}],
            "relationships": relationships},
        "vulnerabilities": [{"cve": flaw, "title": flaw, "product_status": status}],
    })
    .to_string()
}

/// A database of what lies in `place`'s dumps and of a feed of these files.
fn with_feed(place: &Place, feed: &str, files: &[(&str, String)]) -> Database {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let done = bring_feed(place, feed, folder.path()).unwrap();
    assert_eq!(done.refused, Vec::<String>::new());
    place.open()
}

fn of_feed(feed: &str, files: &[(&str, String)]) -> Database {
    with_feed(&Place::new(), feed, files)
}

fn rpm(name: &str, version: &str) -> Package {
    Package {
        arch: Some("x86_64".to_owned()),
        ..Package::new("rpm", name, version, "", Origin::default())
    }
}

/// Whether a flaw is found of a package. The scan and the explanation agree.
fn has(database: &Database, system: (&str, &str), packages: &[Package], flaw: &str) -> bool {
    let os = os(system.0, system.1);
    let found = find(database, &request(&os, packages)).matches;
    let is_found = found.iter().any(|one| one.vulnerability.id == flaw);
    let why = explain(database, &request(&os, packages), flaw).unwrap();
    let is_explained = why.iter().any(|one| one.affected);
    assert_eq!(is_found, is_explained, "{why:#?}");
    is_found
}

#[test]
fn a_feed_that_speaks_of_another_build_leaves_the_dump_its_word() {
    let place = Place::new();
    let record = json!({"schema_version": "1.7.0", "id": "RHSA-2025:1",
        "modified": "2026-11-20T00:00:00Z", "upstream": ["CVE-2025-6001"],
        "affected": [{"package":
            {"ecosystem": "Red Hat:enterprise_linux:8::appstream", "name": "nodejs"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"},
                {"fixed": "1:18.20.0-1.module+el8.10.0+1+2"}]}]}]})
    .to_string();
    place.dump("Red Hat", &[("RHSA-2025:1.json", record.as_bytes())]);
    place.update().unwrap();
    let said = [(RHEL, "nodejs:16/nodejs", "known_not_affected")];
    let document = vex("CVE-2025-6001", &said);
    let database = with_feed(&place, "redhat-vex", &[("cve-2025-6001.json", document)]);
    let has = |version: &str| {
        let nodejs = [rpm("nodejs", version)];
        has(&database, ("rhel", "8.10"), &nodejs, "CVE-2025-6001")
    };
    assert!(has("1:18.1.0-1.module+el8.10.0+1+1"));
    assert!(!has("1:18.20.0-1.module+el8.10.0+1+2"));
    // Of the stream that it speaks of, the feed alone knows.
    assert!(!has("1:16.1.0-1.module+el8.10.0+1+1"));
}

#[test]
fn a_stream_without_the_flaw_does_not_clear_another() {
    let streams = [
        (RHEL, "container-tools:3.0/podman", "known_not_affected"),
        (RHEL, "container-tools:rhel8/podman", "known_affected"),
    ];
    let database = of_feed(
        "redhat-vex",
        &[("cve-2025-1001.json", vex("CVE-2025-1001", &streams))],
    );
    let podman = |stream: &str| {
        let mut podman = rpm("podman", "4.9.4-1.module+el8.10.0+21846+c8ac5aef");
        podman.module = (!stream.is_empty())
            .then(|| format!("container-tools:{stream}:8100020240814102525:489197e6"));
        has(&database, ("rhel", "8.10"), &[podman], "CVE-2025-1001")
    };
    assert!(podman(""));
    assert!(podman("rhel8"));
    assert!(!podman("3.0"));
}

#[test]
fn a_service_pack_does_not_clear_what_its_module_has() {
    let not_in_server = [
        (SERVER, "gdb", "known_not_affected"),
        (MODULE, "gdb", "known_affected"),
    ];
    let two_fixes = [
        (SERVER, "gdb-12-150400.1.1", "fixed"),
        (MODULE, "gdb-13-150400.2.1", "fixed"),
    ];
    let database = of_feed(
        "suse-csaf",
        &[
            ("cve-2025-2001.json", vex("CVE-2025-2001", &not_in_server)),
            ("cve-2025-2002.json", vex("CVE-2025-2002", &two_fixes)),
        ],
    );
    let has =
        |version: &str, flaw: &str| has(&database, ("sles", "15.5"), &[rpm("gdb", version)], flaw);
    assert!(has("12-150400.1.1", "CVE-2025-2001"));
    assert!(has("12-150400.1.1", "CVE-2025-2002"));
    assert!(!has("13-150400.2.1", "CVE-2025-2002"));
    let sles = os("sles", "15.5");
    let old = [rpm("gdb", "11-150400.1.1")];
    let found = find(&database, &request(&sles, &old)).matches;
    let fixed: Vec<&[String]> = found
        .iter()
        .filter(|one| one.vulnerability.id == "CVE-2025-2002")
        .map(|one| one.vulnerability.fixed.as_slice())
        .collect();
    assert_eq!(fixed, [["13-150400.2.1"]]);
}

#[test]
fn contradictory_statements_of_ubuntu_are_not_clear() {
    let foo = [Package {
        source: Some(Source {
            name: "foo".to_owned(),
            version: "1.0".to_owned(),
        }),
        ..Package::new("deb", "foo", "1.0", "", Origin::default())
    }];
    let noble = ("ubuntu", "24.04");
    let text = "Candidate: CVE-2025-3002\nnoble_foo: not-affected\nnoble_foo: needed\n";
    let files = [("active/CVE-2025-3002", text.to_owned())];
    let database = of_feed("ubuntu-tracker", &files);
    assert!(has(&database, noble, &foo, "CVE-2025-3002"));

    let place = Place::new();
    let record = json!({"schema_version": "1.7.0", "id": "UBUNTU-CVE-2025-3003",
        "modified": "2026-11-20T00:00:00Z", "upstream": ["CVE-2025-3003"],
        "affected": [{"package": {"ecosystem": "Ubuntu:24.04:LTS", "name": "foo"},
            "ranges": [{"type": "ECOSYSTEM",
                "events": [{"introduced": "0"}, {"fixed": "1.1"}]}]}]})
    .to_string();
    place.dump(
        "Ubuntu",
        &[("UBUNTU-CVE-2025-3003.json", record.as_bytes())],
    );
    place.update().unwrap();
    let product = |name: &str| {
        let id = format!("pkg:deb/ubuntu/{name}@1.1?arch=source&distro=noble");
        json!([{ "@id": id }])
    };
    let statement = |name: &str, status: &str| {
        json!({"vulnerability": {"name": "CVE-2025-3003"}, "status": status,
            "products": product(name), "timestamp": "2026-11-20T00:00:00Z"})
    };
    let document = json!({"statements": [statement("foo", "not_affected"),
        statement("foo", "fixed"), statement("bar", "not_affected")]});
    let files = [("cve/2025/CVE-2025-3003.json", document.to_string())];
    let database = with_feed(&place, "ubuntu-vex", &files);
    assert!(has(&database, noble, &foo, "CVE-2025-3003"));
}

#[test]
fn what_the_feed_overrules_does_not_clear_the_source() {
    let place = Place::new();
    let record = json!({"schema_version": "1.7.0", "id": "SUSE-SU-2025:1",
        "modified": "2026-11-20T00:00:00Z", "upstream": ["CVE-2025-2004"],
        "affected": [{"package":
            {"ecosystem": "SUSE:Linux Enterprise Server 15 SP5", "name": "libgdb"},
            "ranges": [{"type": "ECOSYSTEM",
                "events": [{"introduced": "0"}, {"fixed": "12-150400.1.1"}]}]}]})
    .to_string();
    place.dump("SUSE", &[("SUSE-SU-2025:1.json", record.as_bytes())]);
    place.update().unwrap();
    // The feed knows the source to be open.
    let said = [(SERVER, "gdb", "known_affected")];
    let files = [("cve-2025-2004.json", vex("CVE-2025-2004", &said))];
    let database = with_feed(&place, "suse-csaf", &files);
    let libgdb = Package {
        source: Some(Source {
            name: "gdb".to_owned(),
            version: "12-150400.1.1".to_owned(),
        }),
        ..rpm("libgdb", "12-150400.1.1")
    };
    let sles = os("sles", "15.5");
    let all = [libgdb];
    assert!(has(&database, ("sles", "15.5"), &all, "CVE-2025-2004"));
    let why = explain(&database, &request(&sles, &all), "CVE-2025-2004").unwrap();
    let open = why.iter().filter(|one| one.affected);
    let open: Vec<&str> = open.map(|one| one.name.as_str()).collect();
    assert_eq!(open, ["gdb"]);
}

#[test]
fn feeds_without_dates_grow_old_by_the_last_look_at_them() {
    let place = Place::new();
    let folder = crate::feeds::fixture("debian-tracker");
    update(&UpdateRequest {
        from: From::Dir(place.dumps()),
        dir: &place.database(),
        ecosystems: Vec::new(),
        feeds: vec![FeedChoice {
            name: "debian-tracker".to_owned(),
            from: Some(From::Dir(folder)),
        }],
        key: None,
        // 2026-09-01
        now: 1_788_220_800,
        patience: std::time::Duration::from_secs(1),
        progress: &Counted::default(),
    })
    .unwrap();
    let database = place.open();
    let debian = os("debian", "12");
    let openssl = [Package::new(
        "deb",
        "openssl",
        "3.0.0-1",
        "",
        Origin::default(),
    )];
    let stale = |max_age: u32| {
        let request = Request {
            max_age: Some(max_age),
            ..request(&debian, &openssl)
        };
        let gaps = find(&database, &request).gaps.into_iter();
        let of_age = gaps.filter(|gap| gap.kind == GapKind::StaleAdvisories);
        of_age
            .map(|gap| format!("{}: {}", gap.subject, gap.reason))
            .collect::<Vec<String>>()
    };
    assert_eq!(
        stale(30),
        [
            "Debian:12@debian-tracker: its advisories have no dates, and they were last asked \
             for on 2026-09-01, 85 days before 2026-11-25"
        ]
    );
    assert_eq!(stale(90), Vec::<String>::new());
}

#[test]
fn builds_of_two_architectures_are_judged_apart() {
    let (_place, database) = alone("oracle-oval");
    let oracle = os("ol", "8.9");
    let of = |arch: &str, version: &str| Package {
        arch: Some(arch.to_owned()),
        ..rpm("openssl-libs", version)
    };
    let flaws = |packages: &[Package]| {
        let found = find(&database, &request(&oracle, packages)).matches;
        let of = found
            .into_iter()
            .map(|one| (one.package, one.vulnerability.id));
        of.collect::<Vec<_>>()
    };
    let version = "2:1.1.1g-12.ksplice1.el8_3";
    let alone = flaws(&[of("x86_64", version)]);
    assert!(!alone.is_empty());
    assert_eq!(
        flaws(&[of("aarch64", version), of("x86_64", version)]).len(),
        { flaws(&[of("aarch64", version)]).len() + alone.len() }
    );
}

#[test]
fn builds_of_a_side_line_are_held_against_the_plain_one_for_want_of_their_own() {
    let own =
        fs::read_to_string(crate::feeds::fixture("oracle-oval").join("com.oracle.elsa-2021.xml"))
            .unwrap();
    assert!(own.contains("2:1.1.1g-15.ksplice1.el8_3"));
    let plain = own.replace("2:1.1.1g-15.ksplice1.el8_3", "1:1.1.1g-15.el8_3");
    let database = of_feed("oracle-oval", &[("com.oracle.elsa-2021.xml", plain)]);
    let oracle = os("ol", "8.9");
    let confidence = |version: &str| {
        let openssl = [rpm("openssl-libs", version)];
        let is_found = has(&database, ("ol", "8.9"), &openssl, "CVE-2021-3449");
        let found = find(&database, &request(&oracle, &openssl)).matches;
        let first = found.first().map(|one| one.confidence);
        assert_eq!(first.is_some(), is_found);
        first
    };
    assert_eq!(confidence("1:1.1.1c-2.el8"), Some(Confidence::High));
    assert_eq!(confidence("2:1.1.1c-2.ksplice1.el8"), Some(Confidence::Low));
    assert_eq!(confidence("10:1.1.1c-2.el8_fips"), Some(Confidence::Low));
    assert_eq!(confidence("10:1.1.1k-2.el8_fips"), None);
}
