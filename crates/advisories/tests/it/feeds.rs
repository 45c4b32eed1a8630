//! Distributions' own feeds: read as their publishers have them, and matched
//! beside OSV's records.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use seawall_advisories::{
    Database, FeedChoice, From, Request, Store as _, UpdateError, UpdateRequest, Updated, explain,
    feeds, find, update,
};
use seawall_model::{Gap, Origin, Os, Package, Severity, Source, Status};

use crate::support::{Counted, Place, ids};

/// Folder of a feed's excerpt.
pub(crate) fn fixture(feed: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/feeds")
        .join(feed)
}

/// Copies a feed's excerpt beside the dumps.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub(crate) fn bring_feed(place: &Place, feed: &str, from: &Path) -> Result<Updated, UpdateError> {
    update(&UpdateRequest {
        from: From::Dir(place.dumps()),
        dir: &place.database(),
        ecosystems: Vec::new(),
        feeds: vec![FeedChoice {
            name: feed.to_owned(),
            from: Some(From::Dir(from.to_owned())),
        }],
        key: None,
        now: 0,
        patience: Duration::from_secs(1),
        progress: &Counted::default(),
    })
}

/// A database of one feed's excerpt alone.
pub(crate) fn alone(feed: &str) -> (Place, Database) {
    let place = Place::new();
    let updated = bring_feed(&place, feed, &fixture(feed)).unwrap();
    assert_eq!(updated.built, [feed], "{updated:?}");
    assert_eq!(updated.refused, Vec::<String>::new());
    let database = place.open();
    (place, database)
}

pub(crate) fn os(id: &str, version: &str) -> Os {
    Os {
        id: id.to_owned(),
        version: version.to_owned(),
        name: format!("{id} {version}"),
        codename: None,
        like: Vec::new(),
    }
}

fn source(kind: &'static str, name: &str, version: &str) -> Package {
    Package {
        source: Some(Source {
            name: name.to_owned(),
            version: version.to_owned(),
        }),
        ..Package::new(kind, name, version, "", Origin::default())
    }
}

pub(crate) fn request<'a>(os: &'a Os, packages: &'a [Package]) -> Request<'a> {
    Request {
        os: Some(os),
        packages,
        today: "2026-11-25",
        starter: false,
        max_age: None,
        epochs_left_out: false,
    }
}

/// Flaw, status, severity and fixes of what is found.
fn found(database: &Database, os: &Os, packages: &[Package]) -> Vec<String> {
    let matches = find(database, &request(os, packages)).matches;
    matches
        .iter()
        .map(|one| {
            let flaw = &one.vulnerability;
            let fixes = flaw.fixed.join(",");
            format!(
                "{} {} {} {fixes}",
                flaw.id,
                flaw.status.as_str(),
                one.severity.as_str()
            )
            .trim_end()
            .to_owned()
        })
        .collect()
}

fn gaps(database: &Database, os: &Os, packages: &[Package]) -> Vec<Gap> {
    find(database, &request(os, packages)).gaps
}

#[test]
fn debians_tracker_tells_states_by_release() {
    let (_place, database) = alone("debian-tracker");
    let names: Vec<&str> = database.shards();
    assert_eq!(
        names,
        [
            "Debian:10@debian-tracker",
            "Debian:11@debian-tracker",
            "Debian:12@debian-tracker",
            "Debian:8@debian-tracker",
            "Debian:9@debian-tracker"
        ]
    );
    for (version, package, installed, expected) in [
        (
            "11",
            "chromium",
            "90.0.4430.212-1",
            &["CVE-2022-0456 fixed unknown 98.0.4758.80-1~deb11u1"][..],
        ),
        ("11", "chromium", "98.0.4758.80-1~deb11u1", &[]),
        (
            "10",
            "chromium",
            "90.0.4430.212-1~deb10u1",
            &["CVE-2022-0456 end-of-life unknown"],
        ),
        // Fixed in `0`: the release never had it. Twelve does not have the package.
        (
            "9",
            "prototypejs",
            "1.5.0-1",
            &["CVE-2008-7220 fixed high 1.6.0.2-1"],
        ),
        ("12", "prototypejs", "1.5.0-1", &[]),
        ("8", "librsync", "0.9.7-10", &["CVE-2014-8242 deferred low"]),
        (
            "10",
            "backupninja",
            "0.7-1",
            &["CVE-2005-3111 fixed medium 0.8-2"],
        ),
        // What has no number yet goes by the tracker's own.
        (
            "10",
            "mimetex",
            "1.3.4",
            &["DEBIAN-TEMP-0000000-A2EB44 fixed medium 1.4.5"],
        ),
    ] {
        let packages = [source("deb", package, installed)];
        assert_eq!(
            found(&database, &os("debian", version), &packages),
            expected,
            "{version} {package} {installed}"
        );
    }
    // A release that the feed does not speak of is a gap.
    let packages = [source("deb", "chromium", "1")];
    let gaps = gaps(&database, &os("debian", "7"), &packages);
    assert!(gaps.iter().any(|gap| gap.subject == "Debian:7"), "{gaps:?}");
}

#[test]
fn a_secdb_tells_what_is_mended_and_what_never_was_broken() {
    let (_place, database) = alone("alpine-secdb");
    let alpine = os("alpine", "3.11.6");
    for (package, installed, expected) in [
        (
            "apk-tools",
            "2.7.1-r0",
            &[
                "CVE-2017-9669 fixed unknown 2.7.2-r0",
                "CVE-2017-9671 fixed unknown 2.7.2-r0",
            ][..],
        ),
        ("apk-tools", "2.7.2-r0", &[]),
        // A line may name a flaw twice, and one by the name of the project alone,
        // which is then the same flaw.
        (
            "xen",
            "4.10.0-r1",
            &["CVE-2018-7540 fixed unknown 4.10.0-r2"],
        ),
    ] {
        let packages = [source("apk", package, installed)];
        let found = found(&database, &alpine, &packages);
        assert_eq!(found, expected, "{package} {installed}");
    }
    for (feed, id) in [("wolfi-secdb", "wolfi"), ("chainguard-secdb", "chainguard")] {
        let (_place, database) = alone(feed);
        let packages = [source("apk", "openssl", "3.0.6-r1")];
        let found = found(&database, &os(id, "20230201"), &packages);
        assert_eq!(
            found,
            [
                "CVE-2022-3358 fixed unknown 3.0.7-r0",
                "CVE-2022-3602 fixed unknown 3.0.7-r0",
                "CVE-2022-3786 fixed unknown 3.0.7-r0"
            ]
        );
    }
    let (_place, database) = alone("wolfi-secdb");
    let packages = [source("apk", "coreutils", "9.1-r0")];
    let wolfi = os("wolfi", "20230201");
    assert!(found(&database, &wolfi, &packages).is_empty());
    let decisions = explain(&database, &request(&wolfi, &packages), "CVE-2016-2781").unwrap();
    assert_eq!(decisions[0].shard, "Wolfi@wolfi-secdb");
    assert_eq!(
        decisions[0].reason,
        "the publisher looked and rejected it: fixed in version `0`"
    );
}

#[test]
fn ubuntus_documents_tell_states_and_leave_pro_alone() {
    let (_place, database) = alone("ubuntu-vex");
    let packages = [source("deb", "coreutils", "8.32-4.1ubuntu1")];
    let jammy = os("ubuntu", "22.04");
    assert!(found(&database, &jammy, &packages).is_empty());
    let decisions = explain(&database, &request(&jammy, &packages), "CVE-2024-0684").unwrap();
    assert_eq!(decisions[0].shard, "Ubuntu:22.04:LTS@ubuntu-vex");
    assert_eq!(decisions[0].reason, "the publisher says `not-affected`");
    let packages = [
        source("deb", "ansible", "2.10.7"),
        source("deb", "ansible-core", "2.12.0-1ubuntu0.1"),
    ];
    assert_eq!(
        found(&database, &jammy, &packages),
        ["CVE-2024-0690 under-investigation unknown"]
    );

    let (_place, database) = alone("ubuntu-tracker");
    for (version, package, expected) in [
        ("16.04", "ffmpeg", &["CVE-2017-9996 affected low"][..]),
        ("16.10", "ffmpeg", &["CVE-2017-9996 end-of-life low"]),
        ("17.10", "ffmpeg", &[]),
        ("14.04", "libav", &["CVE-2017-9996 affected medium"]),
        ("12.04", "libav", &[]),
        ("24.04", "xz-utils", &[]),
    ] {
        let packages = [source("deb", package, "1:1.0-1")];
        let found = found(&database, &os("ubuntu", version), &packages);
        assert_eq!(found, expected, "{version} {package}");
    }
}

#[test]
fn amazons_topics_are_not_taken_for_its_core() {
    let (_place, database) = alone("amazon");
    let rpm = |name: &str, version: &str| Package::new("rpm", name, version, "", Origin::default());
    for (version, package, installed, expected) in [
        ("2023", "zlib", "1.2.11-33.amzn2023.0.3", 2),
        ("2023.0.20230222", "zlib", "1.2.11-33.amzn2023.0.4", 0),
        ("2", "kernel", "4.9.70-25.242.amzn2", 2),
        ("2", "kernel", "4.9.76-38.79.amzn2", 0),
        // Go 1.18 of the core is none of the topic `golang1.19`.
        ("2", "golang", "1.18.9-1.amzn2.0.1", 0),
        ("2", "golang", "1.19.9-1.amzn2.0.1", 12),
        ("2", "golang", "1.20.0-1.amzn2.0.1", 0),
        ("2018.03", "kernel", "4.9.70-25.242.amzn1", 0),
    ] {
        let packages = [rpm(package, installed)];
        let found = find(&database, &request(&os("amzn", version), &packages));
        assert_eq!(
            found.matches.len(),
            expected,
            "{version} {package} {installed}"
        );
    }
    let packages = [rpm("zlib", "1.2.11-33.amzn2023.0.3")];
    let found = find(&database, &request(&os("amzn", "2023"), &packages));
    let flaw = &found.matches[0].vulnerability;
    assert_eq!(flaw.advisory, "ALAS2023-2023-003");
    assert_eq!(flaw.fixed, ["1.2.11-33.amzn2023.0.4"]);
    assert_eq!(flaw.published.as_deref(), Some("2023-02-17T20:42:00Z"));
    assert_eq!(flaw.severities[0].source, "vendor:Amazon Linux");
    assert_eq!(found.matches[0].severity, Severity::High);
    assert_eq!(flaw.status, Status::Fixed);
}

#[test]
fn amazons_architectures_have_versions_of_their_own() {
    let place = Place::new();
    let package = |version: &str, arch: &str| {
        format!("<package name=\"one\" version=\"{version}\" release=\"1\" arch=\"{arch}\"/>")
    };
    place.file(
        "mirror/updateinfo.xml",
        format!(
            "<updates><update type=\"security\"><id>ALAS2023-2026-1</id>\
            <references><reference id=\"CVE-2026-1\"/></references><pkglist><collection>{}{}\
            </collection></pkglist></update></updates>",
            package("1.5", "x86_64"),
            package("2.0", "aarch64")
        ),
    );
    bring_feed(&place, "amazon", &place.dumps().join("mirror")).unwrap();
    let (database, amazon) = (place.open(), os("amzn", "2023"));
    for (version, arch, expected) in [
        ("1.0-1", "x86_64", &["CVE-2026-1 fixed unknown 1.5-1"][..]),
        ("1.6-1", "x86_64", &[]),
        ("1.6-1", "aarch64", &["CVE-2026-1 fixed unknown 2.0-1"]),
        ("2.0-1", "aarch64", &[]),
    ] {
        let packages = [Package {
            arch: Some(arch.to_owned()),
            ..Package::new("rpm", "one", version, "", Origin::default())
        }];
        assert_eq!(
            found(&database, &amazon, &packages),
            expected,
            "{version} {arch}"
        );
    }
}

#[test]
fn a_flaw_of_githubs_bears_its_own_name() {
    let place = Place::new();
    place.file(
        "mirror/security.json",
        r#"{"packages":[{"pkg":{"name":"one","secfixes":{"2-r0":["GHSA-jq35-85cj-fj4p"]}}}]}"#,
    );
    bring_feed(&place, "wolfi-secdb", &place.dumps().join("mirror")).unwrap();
    let (database, wolfi) = (place.open(), os("wolfi", "20230201"));
    let packages = [source("apk", "one", "1-r0")];
    assert_eq!(
        found(&database, &wolfi, &packages),
        ["GHSA-jq35-85cj-fj4p fixed unknown 2-r0"]
    );
}

/// Lines of flaws of old, retired since, and of releases that nobody knows.
#[test]
fn ubuntus_old_releases_are_known_and_all_others_are_counted() {
    let place = Place::new();
    let tracker = |releases: &[String]| {
        let lines = releases.iter().map(|one| format!("{one}_one: ignored\n"));
        let lines: String = lines.collect();
        let text = format!("Candidate: CVE-2010-1\nnoble_one: needed\n{lines}");
        place.file("mirror/retired/CVE-2010-1", text);
        bring_feed(&place, "ubuntu-tracker", &place.dumps().join("mirror")).unwrap();
        let packages = [source("deb", "one", "1")];
        let gaps = gaps(&place.open(), &os("ubuntu", "24.04"), &packages);
        format!("{gaps:?}")
    };
    let old = "warty hoary breezy dapper edgy feisty gutsy hardy intrepid jaunty karmic lucid \
               maverick natty oneiric precise quantal raring saucy trusty";
    let old: Vec<String> = old.split_whitespace().map(str::to_owned).collect();
    let said = tracker(&old);
    assert!(!said.contains("is not known"), "{said}");
    let letters = ('a'..='y').map(|letter| format!("zz{letter}"));
    let said = tracker(&letters.collect::<Vec<_>>());
    assert!(said.contains("`zza` is not known"), "{said}");
    assert!(said.contains("5 more"), "{said}");
}

/// An advisory of Debian's about two flaws, as OSV has it.
fn dsa(id: &str, fixed: &str) -> String {
    serde_json::json!({
        "id": id, "modified": "2022-02-01T00:00:00Z", "summary": "chromium - security update",
        "upstream": ["CVE-2022-0456", "CVE-2022-0457"],
        "affected": [{
            "package": { "ecosystem": "Debian:11", "name": "chromium" },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": fixed }] }],
        }],
    })
    .to_string()
}

#[test]
fn of_a_flaw_that_the_feed_speaks_of_it_alone_decides() {
    let place = Place::new();
    // OSV says that an advisory mends both flaws in a version that the feed
    // does not know, and that the record of one of them has a severity.
    let record = serde_json::json!({
        "id": "DEBIAN-CVE-2022-0456", "modified": "2022-02-01T00:00:00Z",
        "upstream": ["CVE-2022-0456"],
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H" }],
        "affected": [{
            "package": { "ecosystem": "Debian:11", "name": "chromium" },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] }],
        }],
    });
    place.dump(
        "Debian",
        &[
            ("1.json", dsa("DSA-5068-1", "99").as_bytes()),
            ("2.json", record.to_string().as_bytes()),
        ],
    );
    copy(
        &fixture("debian-tracker"),
        &place.dumps().join("feeds/debian-tracker"),
    );
    let updated = place.update().unwrap();
    assert_eq!(updated.built, ["Debian", "debian-tracker"]);
    let database = place.open();
    let bullseye = os("debian", "11");
    let old = [source("deb", "chromium", "90.0.4430.212-1")];
    let found_old = found(&database, &bullseye, &old);
    // One finding for each flaw; the one that the feed does not speak of is
    // OSV's.
    assert_eq!(
        found_old,
        [
            "CVE-2022-0456 fixed high 98.0.4758.80-1~deb11u1",
            "CVE-2022-0457 fixed unknown 99"
        ]
    );
    let new = [source("deb", "chromium", "98.0.4758.80-1~deb11u1")];
    assert_eq!(
        found(&database, &bullseye, &new),
        ["CVE-2022-0457 fixed unknown 99"]
    );
    let decisions = explain(&database, &request(&bullseye, &new), "CVE-2022-0456").unwrap();
    let told: Vec<String> = decisions
        .iter()
        .map(|one| format!("{} {}: {}", one.shard, one.affected, one.reason))
        .collect();
    assert_eq!(
        told,
        [
            "Debian:11 false: the distribution's own feed decides: `debian-tracker`",
            "Debian:11 false: the distribution's own feed decides: `debian-tracker`",
            "Debian:11@debian-tracker false: 98.0.4758.80-1~deb11u1 >= 98.0.4758.80-1~deb11u1, \
             which mends it",
        ]
    );
    // A release that OSV has and the feed has not is a gap that names the feed.
    let stray = dsa("DLA-1-1", "1").replace("Debian:11", "Debian:7");
    place.dump("Debian", &[("1.json", stray.as_bytes())]);
    place.update().unwrap();
    let gaps = gaps(&place.open(), &os("debian", "7"), &old);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!(gaps[0].subject, "Debian:7@debian-tracker");
}

#[test]
fn a_feed_that_cannot_be_read_leaves_what_was_there_and_says_so() {
    let place = Place::new();
    let folder = place.dumps().join("feeds/debian-tracker");
    copy(&fixture("debian-tracker"), &folder);
    place.update().unwrap();
    let whole = fs::read(folder.join("json")).unwrap();
    let shard = "Debian:11@debian-tracker";
    let deep = format!("{{\"a\":{{\"CVE-1\":{}", "[".repeat(100_000));
    for (name, bytes, want) in [
        ("cut", &whole[..whole.len() / 2], "json: EOF while parsing"),
        ("page", b"<!DOCTYPE html>", "json: expected value at line 1"),
        ("empty", b"", "json: EOF while parsing"),
        ("none", b"{}", "there is no record in"),
        (
            "array",
            b"[1]",
            "json: invalid type: sequence, expected an object",
        ),
        ("deep", deep.as_bytes(), "recursion limit exceeded"),
        ("binary", b"\xFF\xFE\x00", "json: expected value"),
        (
            "all wrong",
            b"{\"a\":{\"CVE-2020-1234\":{\"releases\":{\"bookworm\":7}}}}",
            "a: CVE-2020-1234: invalid type",
        ),
        ("gzip", b"\x1F\x8B\x08\x00nonsense", "json: "),
        ("bzip2", b"BZh91AY&SYnonsense", "json: "),
        ("xz", b"\xFD7zXZ\x00nonsense", "json: "),
        ("zstd", b"\x28\xB5\x2F\xFDnonsense", "json: "),
    ] {
        fs::write(folder.join("json"), bytes).unwrap();
        let updated = place.update().unwrap();
        assert_eq!(updated.built, Vec::<String>::new(), "{name}");
        assert_eq!(updated.refused.len(), 1, "{name}: {:?}", updated.refused);
        let said = &updated.refused[0];
        assert!(said.starts_with("debian-tracker: "), "{name}: {said}");
        assert!(said.contains(want), "{name}: {said}");
        assert_eq!(ids(&place.open(), shard, "chromium").len(), 1, "{name}");
    }
    // One bad record of many is named, the others are used, and scans say so.
    let text = String::from_utf8(whole).unwrap();
    let bad = text.replacen("\"resolved\"", "\"solved\"", 1);
    fs::write(folder.join("json"), bad).unwrap();
    let updated = place.update().unwrap();
    let want = "prototypejs: CVE-2007-2383: `solved` is no status that is known";
    assert_eq!(updated.refused, [format!("debian-tracker: {want}")]);
    let packages = [source("deb", "chromium", "90")];
    let gaps = gaps(&place.open(), &os("debian", "11"), &packages);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0].reason.contains(want), "{gaps:?}");
    // And one that is gone stays, and is missed.
    fs::remove_dir_all(&folder).unwrap();
    let updated = place.update().unwrap();
    assert!(updated.built.is_empty());
    assert!(
        updated.refused[0].starts_with("debian-tracker: there is no `json` in `"),
        "{updated:?}"
    );
    assert_eq!(ids(&place.open(), shard, "chromium").len(), 1);
}

#[test]
fn a_feed_that_nobody_knows_is_refused_with_those_that_are_known() {
    let place = Place::new();
    let error = bring_feed(&place, "debain", &fixture("debian-tracker")).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("there is no feed `debain`, only `"),
        "{text}"
    );
    for feed in feeds() {
        assert!(text.contains(&format!("`{}`", feed.name)), "{text}");
    }
}

#[test]
fn every_feed_is_in_the_docs_with_what_it_leaves_out() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/feeds.md");
    let text = fs::read_to_string(path).unwrap();
    for feed in feeds() {
        for want in [format!("`{}`", feed.name), feed.address.to_owned()] {
            assert!(text.contains(&want), "docs/feeds.md lacks {want}");
        }
        for left_out in feed.leaves_out {
            let rows = text.lines().filter(|line| line.contains(feed.name));
            assert!(
                rows.into_iter().any(|row| row.contains(left_out)),
                "docs/feeds.md does not say that `{}` leaves out {left_out}",
                feed.name
            );
        }
    }
}

/// What OSV's record of the same team says of severity is kept where the VEX
/// document tells the state.
#[test]
fn a_state_of_the_feed_and_a_severity_of_osv_come_together() {
    let place = Place::new();
    let record = serde_json::json!({
        "id": "UBUNTU-CVE-2024-0690", "modified": "2024-02-07T00:00:00Z",
        "upstream": ["CVE-2024-0690"],
        "severity": [{ "type": "Ubuntu", "score": "low" }],
        "affected": [
            { "package": { "ecosystem": "Ubuntu:22.04:LTS", "name": "ansible-core" },
              "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] }] },
            { "package": { "ecosystem": "Ubuntu:20.04:LTS", "name": "ansible" },
              "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] }] },
        ],
    });
    place.dump("Ubuntu", &[("1.json", record.to_string().as_bytes())]);
    copy(
        &fixture("ubuntu-vex"),
        &place.dumps().join("feeds/ubuntu-vex"),
    );
    place.update().unwrap();
    let database = place.open();
    let packages = [source("deb", "ansible-core", "2.12.0-1ubuntu0.1")];
    assert_eq!(
        found(&database, &os("ubuntu", "22.04"), &packages),
        ["CVE-2024-0690 under-investigation low"]
    );
    // Of a package of another release the documents say nothing here.
    let packages = [source("deb", "ansible", "2.9.6")];
    assert_eq!(
        found(&database, &os("ubuntu", "20.04"), &packages),
        ["CVE-2024-0690 affected low"]
    );
}

#[test]
fn hostile_xml_is_refused_and_the_old_shard_stays() {
    let place = Place::new();
    let folder = place.dumps().join("feeds/amazon");
    copy(&fixture("amazon"), &folder);
    place.update().unwrap();
    let path = folder.join("al2023/core/guids/46ff4933/x86_64/repodata/updateinfo.xml");
    let whole = fs::read_to_string(&path).unwrap();
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    let deep = format!("<updates>{}", "<x>".repeat(100_000));
    let many = format!("<updates><update {}>", "a=\"b\" ".repeat(10_000));
    for (name, text, want) in [
        (
            "bomb",
            whole.replacen("<updates>", &format!("{bomb}<updates>"), 1),
            "document types are refused",
        ),
        (
            "entity",
            whole.replacen("<title>", "<title>&xxe;", 1),
            "the entity `&xxe;` is not declared",
        ),
        (
            "cut",
            whole[..whole.rfind("</package>").unwrap()].to_owned(),
            "it was cut off",
        ),
        ("deep", deep, "nested more than"),
        ("attributes", many, "more than 64 attributes"),
        ("page", "<html><p>moved</html>".to_owned(), "byte "),
        ("empty", String::new(), "it has no element"),
    ] {
        fs::write(&path, text).unwrap();
        let updated = place.update().unwrap();
        assert_eq!(updated.built, Vec::<String>::new(), "{name}");
        let said = updated.refused.join(" ");
        assert!(
            said.starts_with("amazon: al2023/core/guids/46ff4933/"),
            "{name}: {said}"
        );
        assert!(said.contains(want), "{name}: {said}");
        let shard = "Amazon Linux:2023@amazon";
        assert_eq!(ids(&place.open(), shard, "zlib").len(), 1, "{name}");
    }
    // A wrong package makes its advisory unread, not the others.
    let wrong = whole.replacen("version=\"1.2.11\"", "version=\"\"", 1);
    fs::write(&path, wrong).unwrap();
    let updated = place.update().unwrap();
    assert_eq!(
        updated.refused,
        ["amazon: ALAS2023-2023-003: one of its packages has no name, version or release"]
    );
    assert_eq!(
        ids(&place.open(), "Amazon Linux:2@amazon", "golang").len(),
        1
    );
}

/// Files of every feed with bytes flipped, doubled and cut away, read as files
/// of every feed: none of it may end the program.
#[test]
fn mangled_files_are_read_or_refused() {
    let mut files = Vec::new();
    let mut folders = vec![fixture("")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(files.len() > 8, "{files:?}");
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap()
    };
    let mut read = 0;
    for path in files {
        let whole = fs::read(&path).unwrap();
        // A publisher's whole archive is too much to be mangled often.
        if whole.len() > 64 << 10 {
            continue;
        }
        for _ in 0..40 {
            let mut bytes = whole.clone();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                match random(4) {
                    0 => bytes.truncate(at),
                    1 => bytes[at..].rotate_left(1),
                    2 => bytes.insert(at, b"{}[]<>&\"\\\x00"[random(10)]),
                    _ => bytes[at] ^= 1 << random(8),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            read += usize::from(seawall_advisories::hostile::feeds(&bytes) > 0);
        }
    }
    assert!(read > 0);
}
