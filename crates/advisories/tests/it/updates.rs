//! Updates from folders with odd and hostile files in them.

use std::{fs, io::Write as _, time::Instant};

use seawall_advisories::{FactKind, Store as _};

use crate::support::{Place, ids, names, record, zip};

#[test]
fn a_broken_record_is_named_and_the_others_are_used() {
    let place = Place::new();
    let good = record("A-1", &[("PyPI", "one")]);
    let deep = format!("{{\"id\":\"A-2\",\"affected\":{}", "[".repeat(100_000));
    let deep_inside = format!(
        "{{\"id\":\"A-3\",\"database_specific\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    place.dump(
        "PyPI",
        &[
            ("A-1.json", good.as_bytes()),
            ("A-2.json", deep.as_bytes()),
            ("A-3.json", deep_inside.as_bytes()),
            ("A-4.json", b"{\"id\": \"A-4\", \"affected\": 7}"),
            ("A-5.json", b"\xFF\xFE"),
            ("A-6.json", b""),
            ("README.md", b"# no record"),
        ],
    );
    let updated = place.update().unwrap();
    assert_eq!(updated.records, 1);
    assert_eq!(updated.refused.len(), 5, "{:?}", updated.refused);
    for (index, refused) in updated.refused.iter().enumerate() {
        assert!(
            refused.starts_with(&format!("PyPI/A-{}.json: ", index + 2)),
            "{refused}"
        );
    }
    assert_eq!(ids(&place.open(), "PyPI", "one"), ["A-1"]);
}

#[test]
fn a_bomb_is_refused_in_time() {
    let place = Place::new();
    let good = record("A-1", &[("PyPI", "one")]);
    let zeros = vec![b' '; 100 << 20];
    let bomb = zip(&[("A-0.json", &zeros), ("A-1.json", good.as_bytes())]);
    assert!(bomb.len() < 1 << 20);
    place.file("PyPI/all.zip", &bomb);
    let start = Instant::now();
    let updated = place.update().unwrap();
    assert_eq!(
        updated.refused,
        ["PyPI/A-0.json: it has more than 16777216 bytes"]
    );
    assert_eq!(ids(&place.open(), "PyPI", "one"), ["A-1"]);
    // One that lies about what it unpacks to, in its directory.
    let mut liar = bomb;
    let size = u32::try_from(zeros.len()).unwrap().to_le_bytes();
    for at in 0..liar.len() - 4 {
        if liar[at..at + 4] == size {
            liar[at..at + 4].copy_from_slice(&10u32.to_le_bytes());
        }
    }
    place.file("PyPI/all.zip", &liar);
    let updated = place.update().unwrap();
    assert_eq!(updated.refused.len(), 1, "{:?}", updated.refused);
    // A hundred thousand times as large as the file, as gzip has it at most.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&zeros).unwrap();
    place.file("epss.csv.gz", gzip.finish().unwrap());
    let updated = place.update().unwrap();
    assert!(
        updated.refused[1].starts_with("epss.csv.gz: line 1 has more than"),
        "{:?}",
        updated.refused
    );
    assert!(start.elapsed().as_secs() < 60);
}

#[test]
fn a_dump_builds_its_own_ecosystem_alone() {
    let place = Place::new();
    let both = record("A-1", &[("npm", "both"), ("PyPI", "both")]);
    let own = record("A-2", &[("PyPI", "own")]);
    place.dump(
        "PyPI",
        &[("1.json", both.as_bytes()), ("2.json", own.as_bytes())],
    );
    place.update().unwrap();
    // A shard made of what strays into another dump would pass for the whole.
    fs::remove_dir_all(place.dumps().join("PyPI")).unwrap();
    place.dump("npm", &[("1.json", both.as_bytes())]);
    let updated = place.update().unwrap();
    assert_eq!((updated.built.len(), updated.records), (1, 1));
    let database = place.open();
    assert_eq!(ids(&database, "PyPI", "own"), ["A-2"]);
    assert_eq!(ids(&database, "PyPI", "both"), ["A-1"]);
    assert_eq!(ids(&database, "npm", "both"), ["A-1"]);
    // And a dump in the wrong folder is none.
    place.dump("Maven", &[("2.json", own.as_bytes())]);
    let error = place.update().unwrap_err().to_string();
    assert!(
        error.contains("none of its records is about `Maven`, but one is about `PyPI`"),
        "{error}"
    );
    assert_eq!(ids(&place.open(), "PyPI", "own"), ["A-2"]);
}

#[test]
fn a_damaged_zip_is_an_error_or_names_what_it_lost() {
    let place = Place::new();
    let records: Vec<(String, String)> = (0..30)
        .map(|n| {
            (
                format!("A-{n}.json"),
                record(&format!("A-{n}"), &[("PyPI", "one")]),
            )
        })
        .collect();
    let entries: Vec<(&str, &[u8])> = records
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    let good = zip(&entries);
    place.file("PyPI/all.zip", &good);
    place.update().unwrap();
    let all = ids(&place.open(), "PyPI", "one");
    assert_eq!(all.len(), 30);
    let mut outcomes = [0; 3];
    for step in 0..150 {
        let mut bad = good.clone();
        let at = step * good.len() / 150;
        if step % 5 == 0 {
            bad.truncate(at);
        } else {
            bad[at] ^= 1 << (step % 8);
        }
        place.file("PyPI/all.zip", &bad);
        let outcome = match place.update() {
            Err(_) => 0,
            Ok(updated) if !updated.refused.is_empty() => 1,
            // A flip in a date or an attribute.
            Ok(_) => 2,
        };
        outcomes[outcome] += 1;
        // The database has all that was read, and at worst what was there.
        let found = ids(&place.open(), "PyPI", "one").len();
        assert!(
            found >= 29 && (outcome == 1 || found == 30),
            "{step}: {found}"
        );
        place.file("PyPI/all.zip", &good);
        place.update().unwrap();
    }
    assert!(outcomes[0] >= 30 && outcomes[1] >= 20, "{outcomes:?}");
    // Nothing piles up.
    assert!(
        names(&place.database()).len() <= 4,
        "{:?}",
        names(&place.database())
    );
}

#[test]
fn facts_are_kept_where_their_file_is_damaged_or_gone() {
    let place = Place::new();
    place.dump(
        "PyPI",
        &[("1.json", record("A-1", &[("PyPI", "one")]).as_bytes())],
    );
    let updated = place.update().unwrap();
    assert_eq!(
        updated.missing,
        [
            FactKind::Exploited,
            FactKind::Epss,
            FactKind::Cvss,
            FactKind::EndOfLife
        ]
    );
    assert!(!place.open().has(FactKind::Exploited));
    let kev = "{\"vulnerabilities\":[{\"cveID\":\"CVE-2021-1234\",\"dateAdded\":\"2021-12-10\"}]}";
    place.file("kev.json", kev);
    place.file(
        "epss.csv",
        "#model_version:v1,score_date:x\ncve,epss,percentile\nCVE-2021-1234,0.5,0.9\n",
    );
    place.file(
        "cvss.csv",
        "cve,container,vector\nCVE-2021-1234,cna,AV:N/AC:L/Au:N/C:P/I:P/A:P\n",
    );
    place.file(
        "endoflife.json",
        "{\"debian\":[{\"cycle\":\"12\",\"eol\":\"2028-06-30\"}]}",
    );
    let updated = place.update().unwrap();
    assert!(
        updated.missing.is_empty() && updated.refused.is_empty(),
        "{updated:?}"
    );
    let check = || {
        let database = place.open();
        assert!(database.kev("CVE-2021-1234").unwrap().is_some());
        assert_eq!(database.epss("CVE-2021-1234").unwrap().unwrap().score, 0.5);
        assert_eq!(database.cvss("CVE-2021-1234").unwrap().len(), 1);
        assert_eq!(database.end_of_life("debian", "12"), Some("2028-06-30"));
    };
    check();
    for (file, bad, want) in [
        (
            "kev.json",
            "{\"vulnerabilities\":[\n{}]}",
            "kev.json: missing field `cveID` at line 2",
        ),
        ("kev.json", "<html>", "kev.json: expected value at line 1"),
        (
            "epss.csv",
            "cve,score\n",
            "epss.csv: line 1: the header has no column `epss`",
        ),
        (
            "epss.csv",
            "cve,epss,percentile\nx,y,z\n",
            "epss.csv:2: `x` is no CVE",
        ),
        (
            "cvss.csv",
            "cve,container,vector\nCVE-2021-1234,cna,x\n",
            "cvss.csv:2: `x` is no CVSS vector",
        ),
        (
            "endoflife.json",
            "{\"debian\":\n7}",
            "endoflife.json: invalid type: integer `7`",
        ),
        (
            "nvdcve-2.0-2021.json",
            "{",
            "nvdcve-2.0-2021.json: EOF while parsing",
        ),
        (
            "cves/x/CVE-2021-1.json",
            "{",
            "cves/x/CVE-2021-1.json: EOF while parsing",
        ),
        ("cves.zip", "no zip", "cves.zip: "),
    ] {
        let before = fs::read(place.dumps().join(file)).ok();
        place.file(file, bad);
        let updated = place.update().unwrap();
        assert!(
            updated.refused.iter().any(|one| one.starts_with(want)),
            "{file}: {updated:?}"
        );
        check();
        match before {
            Some(bytes) => place.file(file, bytes),
            None => fs::remove_file(place.dumps().join(file)).unwrap(),
        }
    }
    for file in ["kev.json", "epss.csv", "cvss.csv", "endoflife.json"] {
        fs::remove_file(place.dumps().join(file)).unwrap();
    }
    fs::remove_dir_all(place.dumps().join("cves")).unwrap();
    assert_eq!(place.update().unwrap().missing.len(), 4);
    check();
}

#[test]
fn vectors_come_from_every_source_beside_the_dumps() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let place = Place::new();
    place.dump(
        "PyPI",
        &[("1.json", record("A-1", &[("PyPI", "one")]).as_bytes())],
    );
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&fs::read(fixtures.join("nvdcve-2.0-sample.json")).unwrap())
        .unwrap();
    place.file("nvdcve-2.0-2024.json.gz", gzip.finish().unwrap());
    for record in [
        "2025/0xxx/CVE-2025-0210",
        "2024/0xxx/CVE-2024-0015",
        "2024/0xxx/CVE-2024-0070",
    ] {
        let name = format!("cves/{record}.json");
        place.file(&name, fs::read(fixtures.join(&name)).unwrap());
    }
    place.file(
        "cvss.csv",
        "cve,container,vector\nCVE-2024-0070,adp,AV:N/AC:L/Au:N/C:P/I:P/A:P\n",
    );
    let updated = place.update().unwrap();
    assert!(updated.refused.is_empty(), "{updated:?}");
    let database = place.open();
    let sources = |cve| -> Vec<&str> {
        database
            .cvss(cve)
            .unwrap()
            .into_iter()
            .map(|(source, _)| source)
            .collect()
    };
    assert_eq!(sources("CVE-2025-0210"), ["cve:cna"; 4]);
    assert_eq!(sources("CVE-2024-0015"), ["cve:adp", "nvd"]);
    assert_eq!(sources("CVE-2021-31542"), ["nvd", "nvd"]);
    assert_eq!(sources("CVE-2024-0070"), ["cve:adp"]);
    assert!(sources("CVE-1999-0020").is_empty());
}
