//! Feeds against facts that others computed: OSV's records of the same
//! publishers, and addresses that answer as the publishers' servers do.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use seawall_advisories::{
    Database, Event, FeedChoice, From, Request, Store as _, UpdateRequest, Updated, find, update,
};
use seawall_model::{Origin, Os, Package, Source};
use serde_json::{Value, json};

use crate::{
    server::{Answer, Server, nothing, say},
    shared,
    support::{Counted, Place, ids},
};

/// Records of an ecosystem's dump.
fn dump(ecosystem: &str) -> Option<Vec<Value>> {
    let path = shared()?.join("advisories").join(ecosystem).join("all.zip");
    let mut zip = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let mut records = Vec::new();
    for index in 0..zip.len() {
        let entry = zip.by_index(index).unwrap();
        records.push(serde_json::from_reader(entry).unwrap());
    }
    Some(records)
}

/// Release, package, flaw and version that mends it, of every entry.
fn fixes(records: &[Value]) -> BTreeSet<(String, String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut all = BTreeSet::new();
    for record in records {
        for entry in list(&record["affected"]) {
            for range in list(&entry["ranges"]) {
                for event in list(&range["events"]) {
                    let Some(fixed) = event["fixed"].as_str() else {
                        continue;
                    };
                    for cve in list(&record["upstream"]) {
                        all.insert((
                            text(&entry["package"]["ecosystem"]),
                            text(&entry["package"]["name"]),
                            text(&cve),
                            fixed.to_owned(),
                        ));
                    }
                }
            }
        }
    }
    all
}

/// What the entries of a package in a shard say, as [`fixes`] has it.
fn stored(database: &Database, shard: &str, package: &str) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for one in database.candidates(shard, package).unwrap() {
        for event in one.affected.ranges.iter().flat_map(|range| &range.events) {
            if let Event::Fixed(fixed) = event {
                let cves = one.record.upstream.iter();
                all.extend(cves.map(|cve| ((*cve).to_owned(), (*fixed).to_owned())));
            }
        }
    }
    all
}

#[test]
fn alpines_secdb_says_what_osvs_records_of_it_say() {
    let Some(records) = dump("Alpine") else {
        return;
    };
    let all = fixes(&records);
    // Back into the publisher's form, release by release.
    let mut releases: BTreeMap<&str, BTreeMap<&str, BTreeMap<&str, Vec<&str>>>> = BTreeMap::new();
    for (release, package, cve, fixed) in &all {
        let of_package = releases
            .entry(release)
            .or_default()
            .entry(package)
            .or_default();
        of_package.entry(fixed).or_default().push(cve);
    }
    let place = Place::new();
    for (release, packages) in &releases {
        let packages: Vec<Value> = packages
            .iter()
            .map(|(name, secfixes)| json!({ "pkg": { "name": name, "secfixes": secfixes } }))
            .collect();
        let document = json!({ "distroversion": "x", "reponame": "main", "packages": packages });
        let release = release.strip_prefix("Alpine:").unwrap();
        place.file(
            &format!("feeds/alpine-secdb/{release}/main.json"),
            document.to_string(),
        );
    }
    let updated = place.update().unwrap();
    assert_eq!(updated.refused, Vec::<String>::new());
    let database = place.open();
    let mut compared = 0;
    for (release, packages) in &releases {
        for package in packages.keys() {
            let expected: BTreeSet<(String, String)> = all
                .iter()
                .filter(|(of, name, ..)| of == release && name == package)
                // OSV's conversion took the names of patches for those of flaws.
                .map(|(_, _, cve, fixed)| (cve.replace(".patch", ""), fixed.clone()))
                .collect();
            let shard = format!("{release}@alpine-secdb");
            assert_eq!(
                stored(&database, &shard, package),
                expected,
                "{release} {package}"
            );
            compared += expected.len();
        }
    }
    assert!(compared > 10_000, "{compared}");
}

/// The flaws of a package at the beginning of its versions, with their fixes.
fn at_first(database: &Database, release: &str, package: &str) -> Vec<(String, Vec<String>)> {
    let os = Os {
        id: "debian".to_owned(),
        version: release.to_owned(),
        name: format!("Debian {release}"),
        codename: None,
        like: Vec::new(),
    };
    let packages = [Package {
        source: Some(Source {
            name: package.to_owned(),
            version: "0~~1".to_owned(),
        }),
        ..Package::new("deb", package, "0~~1", "", Origin::default())
    }];
    let request = Request {
        os: Some(&os),
        packages: &packages,
        today: "2026-11-25",
        starter: false,
        max_age: None,
        epochs_left_out: false,
    };
    let matches = find(database, &request).matches.into_iter();
    matches
        .map(|one| (one.vulnerability.id, one.vulnerability.fixed))
        .collect()
}

/// Every advisory of Debian's, turned into the tracker's form: a scan with both
/// says what one with OSV's records alone says, each flaw once.
#[test]
fn debians_tracker_beside_its_advisories_changes_nothing_where_they_agree() {
    const CODENAMES: &[(&str, &str)] = &[
        ("8", "jessie"),
        ("9", "stretch"),
        ("10", "buster"),
        ("11", "bullseye"),
    ];
    let Some(records) = dump("Debian") else {
        return;
    };
    let advisories = shared().unwrap().join("advisories/Debian/all.zip");
    let place = Place::new();
    place.file("Debian/all.zip", fs::read(advisories).unwrap());
    place.update().unwrap();
    let before = place.open();
    let mut packages: BTreeSet<(&str, String)> = BTreeSet::new();
    for (release, package, ..) in fixes(&records) {
        let release = release.strip_prefix("Debian:").unwrap();
        if let Some((number, _)) = CODENAMES.iter().find(|(number, _)| *number == release) {
            packages.insert((number, package));
        }
    }
    let mut tracker: BTreeMap<String, BTreeMap<String, BTreeMap<&str, Value>>> = BTreeMap::new();
    let mut alone = BTreeMap::new();
    for (release, package) in &packages {
        let found = at_first(&before, release, package);
        let (_, codename) = CODENAMES
            .iter()
            .find(|(number, _)| number == release)
            .unwrap();
        for (flaw, fixed) in &found {
            let Some(fixed) = fixed.last().filter(|_| flaw.starts_with("CVE-")) else {
                continue;
            };
            let flaws = tracker.entry(package.clone()).or_default();
            flaws.entry(flaw.clone()).or_default().insert(
                codename,
                json!({ "status": "resolved", "fixed_version": fixed, "urgency": "low",
                    "repositories": { *codename: fixed } }),
            );
        }
        alone.insert((*release, package.clone()), found);
    }
    // Written by hand: the order of keys is the publisher's.
    let mut text = String::from("{");
    for (index, (package, flaws)) in tracker.iter().enumerate() {
        let flaws: BTreeMap<&String, Value> = flaws
            .iter()
            .map(|(flaw, releases)| (flaw, json!({ "scope": "remote", "releases": releases })))
            .collect();
        let comma = if index == 0 { "" } else { "," };
        write!(text, "{comma}{}:{}", json!(package), json!(flaws)).unwrap();
    }
    text.push('}');
    place.file("feeds/debian-tracker/json", text);
    let updated = place.update().unwrap();
    assert_eq!(updated.built, ["Debian", "debian-tracker"]);
    let both = place.open();
    let mut compared = 0;
    for ((release, package), expected) in &alone {
        assert_eq!(
            &at_first(&both, release, package),
            expected,
            "{release} {package}"
        );
        compared += expected.len();
    }
    assert!(compared > 10_000, "{compared}");
}

/// Where both speak of a flaw in a release, the tracker and the advisory of it
/// name one version.
#[test]
fn the_real_tracker_and_the_real_advisories_agree() {
    let Some(records) = dump("Debian") else {
        return;
    };
    let excerpt = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/feeds/debian-tracker/json");
    let place = Place::new();
    place.file("feeds/debian-tracker/json", fs::read(excerpt).unwrap());
    place.update().unwrap();
    let database = place.open();
    let mut compared = 0;
    for (release, package, cve, fixed) in fixes(&records) {
        let own = stored(&database, &format!("{release}@debian-tracker"), &package);
        for (_, tracked) in own.iter().filter(|(of, _)| *of == cve) {
            assert_eq!(*tracked, fixed, "{release} {package} {cve}");
            compared += 1;
        }
    }
    assert!(compared > 0);
}

fn fetch(server: &Server, place: &Place, feed: &str) -> Updated {
    update(&UpdateRequest {
        from: From::Dir(place.dumps()),
        dir: &place.database(),
        ecosystems: Vec::new(),
        feeds: vec![FeedChoice {
            name: feed.to_owned(),
            from: Some(server.from()),
        }],
        key: None,
        now: 1_800_000_000,
        patience: Duration::from_secs(5),
        progress: &Counted::default(),
    })
    .unwrap()
}

fn secdb(package: &str) -> String {
    json!({ "packages": [{ "pkg": { "name": package, "secfixes": { "1-r0": ["CVE-2024-1234"] } } }] })
        .to_string()
}

#[test]
fn alpines_pages_are_followed_and_what_is_unchanged_is_not_sent_again() {
    let server = Server::new(|path, head| {
        let tagged = |tag: &str, body: &str| match head.contains(&format!("if-none-match: {tag}")) {
            true => say("304 Not Modified", "", b""),
            false => say("200 OK", &format!("ETag: {tag}\r\n"), body.as_bytes()),
        };
        let page = |links: &[&str]| {
            let links: String = links
                .iter()
                .map(|link| format!("<a href=\"{link}\">{link}</a>\n"))
                .collect();
            say("200 OK", "", format!("<html>{links}</html>").as_bytes())
        };
        match path {
            "/" => page(&[
                "../",
                "edge/",
                "v3.20/",
                "last-update",
                "https://elsewhere.example/",
            ]),
            "/edge/" => page(&["../", "main.json"]),
            "/v3.20/" => page(&["../", "main.json", "community.json", "/etc/passwd"]),
            "/edge/main.json" => tagged("\"e\"", &secdb("one")),
            "/v3.20/main.json" => tagged("\"m\"", &secdb("one")),
            "/v3.20/community.json" => tagged("\"c\"", &secdb("two")),
            _ => nothing(),
        }
    });
    let place = Place::new();
    let updated = fetch(&server, &place, "alpine-secdb");
    assert_eq!(updated.built, ["alpine-secdb"], "{updated:?}");
    let database = place.open();
    let shard = "Alpine:v3.20@alpine-secdb";
    assert_eq!(ids(&database, shard, "two"), ["ALPINE-CVE-2024-1234"]);
    assert!(
        database
            .info()
            .iter()
            .all(|info| info.checked == 1_800_000_000)
    );
    let mut asked = server.asked();
    asked.retain(|path| {
        path.ends_with(".json") && path.starts_with("/v") || path.contains("edge/m")
    });
    asked.sort();
    assert_eq!(
        asked,
        [
            "/edge/main.json",
            "/v3.20/community.json",
            "/v3.20/main.json"
        ]
    );
    let updated = fetch(&server, &place, "alpine-secdb");
    assert_eq!(updated.unchanged, ["alpine-secdb"]);
    assert_eq!(ids(&place.open(), shard, "two"), ["ALPINE-CVE-2024-1234"]);
    // Without being named, a feed that came over a network is asked for again.
    let again = update(&UpdateRequest {
        from: From::Dir(place.dumps()),
        dir: &place.database(),
        ecosystems: Vec::new(),
        feeds: Vec::new(),
        key: None,
        now: 1_900_000_000,
        patience: Duration::from_secs(5),
        progress: &Counted::default(),
    });
    assert_eq!(again.unwrap().unchanged, ["alpine-secdb"]);
    assert!(
        place
            .open()
            .info()
            .iter()
            .all(|info| info.checked == 1_900_000_000)
    );
}

#[test]
fn one_file_that_changed_brings_the_others_with_it() {
    let turn = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&turn);
    let server = Server::new(move |path, head| {
        let turn = seen.load(Ordering::Relaxed);
        let page = |link: &str| say("200 OK", "", format!("<a href='{link}'>").as_bytes());
        match path {
            "/" => page("v3.20/"),
            "/v3.20/" => say(
                "200 OK",
                "",
                b"<a href='main.json'><a href='community.json'>",
            ),
            "/v3.20/main.json" if head.contains("if-none-match: \"m\"") => {
                say("304 Not Modified", "", b"")
            }
            "/v3.20/main.json" => say("200 OK", "ETag: \"m\"\r\n", secdb("one").as_bytes()),
            "/v3.20/community.json" => {
                let name = if turn == 0 { "two" } else { "three" };
                say(
                    "200 OK",
                    &format!("ETag: \"{turn}\"\r\n"),
                    secdb(name).as_bytes(),
                )
            }
            _ => nothing(),
        }
    });
    let place = Place::new();
    fetch(&server, &place, "alpine-secdb");
    turn.store(1, Ordering::Relaxed);
    let updated = fetch(&server, &place, "alpine-secdb");
    assert_eq!(updated.built, ["alpine-secdb"]);
    let database = place.open();
    let shard = "Alpine:v3.20@alpine-secdb";
    let known = |name: &str| !ids(&database, shard, name).is_empty();
    assert_eq!(
        (known("one"), known("two"), known("three")),
        (true, false, true)
    );
}

#[test]
fn amazons_repositories_are_found_by_their_lists_of_mirrors() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/feeds/amazon");
    let repomd = "<repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\
        <data type=\"primary_db\"><location href=\"repodata/primary.sqlite.gz\" /></data>\
        <data type=\"updateinfo\"><location href=\"repodata/updateinfo.xml.gz\" /></data></repomd>";
    let server = Server::new(move |path, _| {
        let mirror = |path: &str| {
            let line = format!("https://cdn.amazonlinux.com/{path}\n");
            say("200 OK", "", line.as_bytes())
        };
        match path {
            "/2/core/latest/x86_64/mirror.list" => mirror("2/core/2.0/x86_64/abc"),
            "/al2023/core/mirrors/latest/x86_64/mirror.list" => {
                mirror("al2023/core/guids/46ff4933/x86_64/")
            }
            "/2/extras-catalog.json" => say(
                "200 OK",
                "",
                b"{\"topics\":[{\"n\":\"golang1.19\"},{\"n\":\"none\"},{\"n\":\"../../etc\"}]}",
            ),
            "/2/extras/golang1.19/latest/x86_64/mirror.list" => {
                mirror("2/extras/golang1.19/2.0/x86_64/def")
            }
            "/2/extras/none/latest/x86_64/mirror.list" => mirror("2/extras/none/2.0/x86_64/0"),
            "/2/extras/none/2.0/x86_64/0/repodata/repomd.xml" => say("200 OK", "", b"<repomd/>"),
            path if path.ends_with("/repodata/repomd.xml") => say("200 OK", "", repomd.as_bytes()),
            path => match path
                .strip_suffix(".gz")
                .and_then(|path| path.strip_prefix('/'))
            {
                Some(path) => {
                    let mut gzip =
                        flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                    gzip.write_all(&fs::read(folder.join(path)).unwrap())
                        .unwrap();
                    say("200 OK", "", &gzip.finish().unwrap())
                }
                None => nothing(),
            },
        }
    });
    let place = Place::new();
    let updated = fetch(&server, &place, "amazon");
    assert_eq!(updated.refused, Vec::<String>::new());
    let names: Vec<String> = place
        .open()
        .shards()
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    assert_eq!(names, ["Amazon Linux:2023@amazon", "Amazon Linux:2@amazon"]);
    assert_eq!(
        ids(&place.open(), "Amazon Linux:2@amazon", "golang"),
        ["ALAS2GOLANG1.19-2023-001"]
    );
    assert!(server.asked().iter().all(|path| !path.contains("..")));
}

/// A mirror that lacks a topic says so; one without their list is none.
#[test]
fn amazons_topics_do_not_go_in_silence() {
    let server = |catalog: Option<&'static str>| {
        Server::new(move |path, _| match path {
            "/2/core/latest/x86_64/mirror.list" => {
                say("200 OK", "", b"https://a.example/2/core/x\n")
            }
            "/2/core/x/repodata/repomd.xml" => say(
                "200 OK",
                "",
                b"<repomd><data type=\"updateinfo\"><location href=\"u.xml\"/></data></repomd>",
            ),
            "/2/core/x/u.xml" => say(
                "200 OK",
                "",
                b"<updates><update type=\"security\"><id>ALAS2-2026-1</id>\
                <references><reference id=\"CVE-2026-1\"/></references><pkglist><collection>\
                <package name=\"one\" version=\"2\" release=\"1\" arch=\"x86_64\"/>\
                </collection></pkglist></update></updates>",
            ),
            "/2/extras-catalog.json" => match catalog {
                Some(text) => say("200 OK", "", text.as_bytes()),
                None => nothing(),
            },
            _ => nothing(),
        })
    };
    let place = Place::new();
    let partial = server(Some("{\"topics\":[{\"n\":\"kernel-5.10\"}]}"));
    assert_eq!(fetch(&partial, &place, "amazon").built, ["amazon"]);
    let (database, os) = (place.open(), crate::feeds::os("amzn", "2"));
    let packages = [Package::new("rpm", "one", "1-1", "", Origin::default())];
    let gaps = find(&database, &crate::feeds::request(&os, &packages)).gaps;
    let said = format!("{gaps:?}");
    assert!(said.contains("2 of its files were not there"), "{said}");
    let updated = fetch(&server(None), &place, "amazon");
    assert!(
        updated.refused[0].contains("there is no `2/extras-catalog.json`"),
        "{updated:?}"
    );
    assert_eq!(ids(&place.open(), "Amazon Linux:2@amazon", "one").len(), 1);
}

/// Changed documents, many more than may be open at once beside all else.
#[test]
#[cfg(target_os = "linux")]
fn files_that_changed_are_not_all_open_at_once() {
    const CHANGED: usize = 600;
    let open = Arc::new(AtomicUsize::new(0));
    let most = Arc::clone(&open);
    let day = AtomicUsize::new(0);
    let document = |number: usize| {
        json!({
            "document": { "tracking": { "current_release_date": "2026-01-02T00:00:00+00:00" } },
            "product_tree": {
                "branches": [
                    { "name": "rhel8", "product": { "product_id": "rhel8",
                        "product_identification_helper": {
                            "cpe": "cpe:/a:redhat:enterprise_linux:8::appstream" } } },
                    { "name": "bash", "product": { "product_id": "bash" } },
                ],
                "relationships": [{
                    "product_reference": "bash",
                    "relates_to_product_reference": "rhel8",
                    "full_product_name": { "product_id": "rhel8:bash" },
                }],
            },
            "vulnerabilities": [{ "cve": format!("CVE-2026-{number}"),
                "product_status": { "known_affected": ["rhel8:bash"] } }],
        })
        .to_string()
    };
    let archive = {
        let mut builder = tar::Builder::new(Vec::new());
        let text = document(0);
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_cksum();
        builder
            .append_data(&mut header, "2026/cve-2026-0.json", text.as_bytes())
            .unwrap();
        zstd::encode_all(builder.into_inner().unwrap().as_slice(), 1).unwrap()
    };
    let server = Server::new(move |path, head| {
        let now = fs::read_dir("/proc/self/fd").unwrap().count();
        most.fetch_max(now, Ordering::Relaxed);
        match path {
            "/archive_latest.txt" => say("200 OK", "", b"csaf_vex_2026-01-01.tar.zst"),
            "/csaf_vex_2026-01-01.tar.zst" => match head.contains("if-none-match: \"a\"") {
                true => say("304 Not Modified", "", b""),
                false => say("200 OK", "ETag: \"a\"\r\n", &archive),
            },
            // Nothing at first, then all.
            "/changes.csv" if day.fetch_add(1, Ordering::Relaxed) == 0 => say("200 OK", "", b""),
            "/changes.csv" => {
                let line = |number| {
                    format!("\"2026/cve-2026-{number}.json\",\"2026-01-02T00:00:00+00:00\"\n")
                };
                say(
                    "200 OK",
                    "",
                    (1..=CHANGED).map(line).collect::<String>().as_bytes(),
                )
            }
            path => match path
                .strip_prefix("/2026/cve-2026-")
                .and_then(|rest| rest.strip_suffix(".json"))
            {
                Some(number) => say("200 OK", "", document(number.parse().unwrap()).as_bytes()),
                None => nothing(),
            },
        }
    });
    let place = Place::new();
    assert_eq!(fetch(&server, &place, "redhat-vex").records, 1);
    open.store(0, Ordering::Relaxed);
    let updated = fetch(&server, &place, "redhat-vex");
    assert_eq!(updated.records, CHANGED + 1, "{updated:?}");
    let most = open.load(Ordering::Relaxed);
    assert!(most < CHANGED, "{most}");
}

#[test]
fn a_server_that_fails_leaves_the_feed_as_it_was() {
    let good = Server::new(|path, _| match path {
        "/security.json" => say("200 OK", "", secdb("one").as_bytes()),
        _ => nothing(),
    });
    let place = Place::new();
    assert_eq!(fetch(&good, &place, "wolfi-secdb").built, ["wolfi-secdb"]);
    for (name, answer, want) in [
        ("404", nothing().bytes, "there is no `security.json` in"),
        (
            "500",
            say("500 Internal Server Error", "", b"").bytes,
            "500",
        ),
        ("page", say("200 OK", "", b"<html>").bytes, "expected value"),
        (
            "cut",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"pack".to_vec(),
            "to its end",
        ),
    ] {
        let bad = Server::new(move |_, _| Answer {
            bytes: answer.clone(),
            hangs: false,
        });
        let updated = fetch(&bad, &place, "wolfi-secdb");
        assert_eq!(updated.built, Vec::<String>::new(), "{name}");
        assert_eq!(updated.refused.len(), 1, "{name}");
        assert!(
            updated.refused[0].contains(want),
            "{name}: {}",
            updated.refused[0]
        );
        assert_eq!(
            ids(&place.open(), "Wolfi@wolfi-secdb", "one").len(),
            1,
            "{name}"
        );
    }
}

#[test]
fn an_archive_of_documents_is_read_as_the_folder_is() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/feeds/ubuntu-vex");
    if !crate::have(&["tar", "xz"]) {
        return;
    }
    let place = Place::new();
    let target = place.dumps().join("feeds/ubuntu-vex");
    fs::create_dir_all(&target).unwrap();
    let made = std::process::Command::new("tar")
        .arg("-cJf")
        .arg(target.join("vex-all.tar.xz"))
        .args(["-C".as_ref(), folder.as_os_str(), "vex".as_ref()])
        .status()
        .unwrap();
    assert!(made.success());
    let updated = place.update().unwrap();
    assert_eq!(
        (updated.built.len(), updated.refused.len()),
        (1, 0),
        "{updated:?}"
    );
    let packed = place.open();
    let plain = Place::new();
    let from = plain.dumps().join("feeds");
    fs::create_dir_all(&from).unwrap();
    std::os::unix::fs::symlink(&folder, from.join("ubuntu-vex")).unwrap();
    plain.update().unwrap();
    let digests = |database: &Database| -> Vec<String> {
        database
            .info()
            .iter()
            .map(|info| info.sha256.clone())
            .collect()
    };
    assert_eq!(digests(&packed), digests(&plain.open()));
    // Cut short, it is no archive, and what was there stays.
    let bytes = fs::read(target.join("vex-all.tar.xz")).unwrap();
    fs::write(target.join("vex-all.tar.xz"), &bytes[..bytes.len() / 2]).unwrap();
    let updated = place.update().unwrap();
    assert!(
        updated.refused[0].starts_with("ubuntu-vex: vex-all.tar.xz: "),
        "{updated:?}"
    );
    assert_eq!(digests(&place.open()), digests(&packed));
}

fn facts(name: &str) -> Vec<u8> {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fs::read(fixtures.join(name)).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn sources(database: &Database, cve: &str) -> Vec<String> {
    let found = database.cvss(cve).unwrap();
    found
        .iter()
        .map(|(source, _)| (*source).to_owned())
        .collect()
}

/// NVD's files, of which the newest counts: what changed of CVE-2024-0015 is
/// that it was rejected.
#[test]
fn nvds_years_give_way_to_its_changes() {
    let year = facts("nvdcve-2.0-sample.json");
    let whole: Value = serde_json::from_slice(&year).unwrap();
    let mut changed = whole.clone();
    let all = changed["vulnerabilities"].as_array_mut().unwrap();
    all.retain(|one| one["cve"]["id"] == "CVE-2024-0015");
    assert_eq!(all.len(), 1);
    all[0]["cve"]["vulnStatus"] = json!("Rejected");
    let changed = changed.to_string();
    let server = Server::new(move |path, _| match path {
        "/nvdcve-2.0-2002.meta" | "/nvdcve-2.0-2024.meta" => say("200 OK", "", b"size:1\r\n"),
        "/nvdcve-2.0-2024.json.gz" => say("200 OK", "", &gzip(&year)),
        "/nvdcve-2.0-2002.json.gz" => say("200 OK", "", b"{\"vulnerabilities\":[]}"),
        "/nvdcve-2.0-modified.json.gz" => say("200 OK", "", &gzip(changed.as_bytes())),
        _ => nothing(),
    });
    let place = Place::new();
    let updated = fetch(&server, &place, "nvd");
    assert_eq!(updated.built, ["nvd"], "{updated:?}");
    let database = place.open();
    assert!(database.has(seawall_advisories::FactKind::Cvss));
    assert_eq!(database.shards(), Vec::<&str>::new());
    assert_eq!(sources(&database, "CVE-2021-31542"), ["nvd", "nvd"]);
    assert_eq!(sources(&database, "CVE-2024-0015"), Vec::<String>::new());
    // A year that is missing does not hide those after it.
    assert!(server.asked().contains(&"/nvdcve-2.0-2026.meta".to_owned()));
    // A server that has every file is not asked for ever.
    let endless = Server::new(|path, _| match path {
        path if path.ends_with(".meta") => say("200 OK", "", b"size:1\r\n"),
        _ => nothing(),
    });
    let updated = fetch(&endless, &place, "nvd");
    assert!(
        updated.refused[0].starts_with("nvd: there is no `"),
        "{updated:?}"
    );
    assert_eq!(sources(&place.open(), "CVE-2021-31542").len(), 2);
    // What lies beside the dumps comes first, and both are kept.
    place.file(
        "cvss.csv",
        "cve,container,vector\nCVE-2021-31542,cna,AV:N/AC:L/Au:N/C:P/I:P/A:P\n",
    );
    place.update().unwrap();
    assert_eq!(
        sources(&place.open(), "CVE-2021-31542"),
        ["cve:cna", "nvd", "nvd"]
    );
}

#[test]
fn a_release_of_the_cve_list_gives_way_to_its_deltas() {
    let zip = crate::support::zip;
    let old = facts("cves/2025/0xxx/CVE-2025-0210.json");
    let new = String::from_utf8(old.clone())
        .unwrap()
        .replace("PUBLISHED", "REJECTED");
    let other = facts("cves/2024/0xxx/CVE-2024-0015.json");
    let inner = zip(&[
        ("cves/2025/0xxx/CVE-2025-0210.json", &old),
        ("cves/2024/0xxx/CVE-2024-0015.json", &other),
        ("cves/2024/0xxx/CVE-2024-0016.json", b"{"),
    ]);
    let place = Place::new();
    let all = "feeds/cve-list/2026-11-23_all_CVEs_at_midnight.zip.zip";
    place.file(all, zip(&[("cves.zip", &inner)]));
    let updated = place.update().unwrap();
    assert_eq!(updated.built, ["cve-list"], "{updated:?}");
    assert_eq!(updated.refused.len(), 1, "{updated:?}");
    assert!(
        updated.refused[0].contains("CVE-2024-0016.json: EOF"),
        "{updated:?}"
    );
    assert_eq!(sources(&place.open(), "CVE-2025-0210").len(), 4);
    assert_eq!(sources(&place.open(), "CVE-2024-0015"), ["cve:adp"]);
    place.file(
        "feeds/cve-list/2026-11-24_delta_CVEs_at_1500Z.zip",
        zip(&[("deltaCves/CVE-2025-0210.json", new.as_bytes())]),
    );
    place.update().unwrap();
    assert_eq!(
        sources(&place.open(), "CVE-2025-0210"),
        Vec::<String>::new()
    );
    assert_eq!(sources(&place.open(), "CVE-2024-0015"), ["cve:adp"]);
    // A zip within a zip that is none.
    place.file(all, zip(&[("cves.zip", b"no zip")]));
    let updated = place.update().unwrap();
    assert!(
        updated.refused[0].starts_with("cve-list: 2026-11-23_all"),
        "{updated:?}"
    );
    assert_eq!(sources(&place.open(), "CVE-2024-0015"), ["cve:adp"]);
}
