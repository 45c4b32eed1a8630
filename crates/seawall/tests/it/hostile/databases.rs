//! Damaged package databases, and damaged shards of advisories.

use std::{fs, path::Path, process::Command};

use super::{
    Bounded,
    craft::{APK, DEBIAN, OS_RELEASE},
    gap_decides, has_gap, need, packages, refused, report, with_gap,
};
use crate::support::{Home, Said, root, shared};

const LOST: &str = "no database of installed packages could be read";

/// Scans a system that has one package database.
fn scan(home: &Home, release: &str, database: &str, bytes: &[u8]) -> Said {
    let dir = home.path().join("root");
    let _ = fs::remove_dir_all(&dir);
    for (name, content) in [("etc/os-release", release.as_bytes()), (database, bytes)] {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    Bounded::new(home).scan(&["--format", "json", "--packages", "rootfs:root"])
}

const STATUS: &str = "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\n\
    Source: zlib\nVersion: 1:1.2.13.dfsg-1\n\nPackage: bash\nStatus: install ok installed\n\
    Architecture: amd64\nVersion: 5.2.15-2\n\n";

#[test]
fn a_damaged_text_database_loses_nothing_in_silence() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    for (release, path, good) in [
        (DEBIAN, "var/lib/dpkg/status", STATUS),
        (OS_RELEASE, "lib/apk/db/installed", APK),
    ] {
        assert_eq!(
            packages(&report(&scan(&home, release, path, good.as_bytes()))).len(),
            2
        );
        let noise: Vec<u8> = (0..9000u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        for bad in [
            &b""[..],
            b"\0\0\0\0",
            b"\n\n\n",
            b"<html>",
            &noise,
            &[0; 1 << 20],
        ] {
            with_gap(&scan(&home, release, path, bad), "package database", LOST);
        }
        gap_decides(&home, "rootfs:root");
        // Cut within the second package, before its last field.
        let end = good.rfind("V").unwrap() - 2;
        let found = with_gap(
            &scan(&home, release, path, &good.as_bytes()[..end]),
            path,
            "package `",
        );
        assert_eq!(packages(&found).len(), 1);
    }
}

/// A database with rpm's tables, whose rows hold no header: SQLite's part of it
/// is whole. What rpm makes is damaged in the tests of the reader.
fn rpm(dir: &Path, rows: usize) -> Vec<u8> {
    let path = dir.join("rpmdb.sqlite");
    let _ = fs::remove_file(&path);
    let mut script = "pragma page_size=4096;
        create table Packages (hnum integer primary key autoincrement, blob blob not null);
        create table Name (key text not null, hnum integer not null, idx integer not null);"
        .to_owned();
    for _ in 0..rows {
        script += "insert into Packages (blob) values (randomblob(3000));
            insert into Name values ('x', last_insert_rowid(), 0);";
    }
    let status = Command::new("sqlite3")
        .arg(&path)
        .arg(script)
        .status()
        .unwrap();
    assert!(status.success());
    fs::read(path).unwrap()
}

#[test]
fn a_damaged_rpm_database_loses_nothing_in_silence() {
    if !need(&["prlimit", "sqlite3"]) {
        return;
    }
    let home = Home::new();
    let release = "ID=almalinux\nVERSION_ID=9.2\n";
    let good = rpm(home.path(), 40);
    for path in [
        "var/lib/rpm/rpmdb.sqlite",
        "usr/lib/sysimage/rpm/rpmdb.sqlite",
    ] {
        let said = scan(&home, release, path, &good);
        with_gap(
            &said,
            path,
            "40 rows of the rpm database hold no package header",
        );
        gap_decides(&home, "rootfs:root");
        for end in [1, 99, 100, 4096, good.len() / 2] {
            let said = scan(&home, release, path, &good[..end]);
            with_gap(&said, path, "rpm database");
            with_gap(&said, "package database", LOST);
        }
        for page in 0..good.len() / 4096 {
            let mut bad = good.clone();
            bad[page * 4096..][..4096].fill(0xFF);
            with_gap(&scan(&home, release, path, &bad), path, "rpm database");
        }
    }
}

#[test]
fn damaged_shards_are_errors() {
    if !need(&["prlimit"]) {
        return;
    }
    let Some(advisories) = shared("advisories") else {
        return;
    };
    let home = Home::new();
    let from = advisories.to_str().unwrap();
    let update = home.run(&["db", "update", "--from", from, "--db", "db", "crates.io"]);
    assert_eq!(update.code, 0, "{}", update.err);
    let lock = root().join("examples/shop/worker/Cargo.lock");
    let scan =
        || Bounded::new(&home).scan(&["--db", "db", "--format", "json", lock.to_str().unwrap()]);
    let good = scan();
    let want = report(&good)["findings"].clone();
    assert!(!want.as_array().unwrap().is_empty());
    let shard = fs::read_dir(home.path().join("db")).unwrap().flatten();
    let shard = { shard }
        .map(|entry| entry.path())
        .find(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("crates-io-") && !name.contains("malicious")
        })
        .unwrap();
    let bytes = fs::read(&shard).unwrap();
    let (mut refusals, mut gaps) = (0, 0);
    let mut try_bytes = |bad: &[u8]| {
        fs::write(&shard, bad).unwrap();
        let said = scan();
        if said.code == 0 {
            let found = report(&said);
            if has_gap(&found, "crates.io", "has a wrong checksum") {
                gaps += 1;
            } else {
                // A place that the lock file's packages never touch.
                assert_eq!(found["findings"], want);
            }
        } else {
            refused(&said, &[shard.file_name().unwrap().to_str().unwrap()]);
            refusals += 1;
        }
    };
    for end in [0, 1, 64, bytes.len() / 2, bytes.len() - 1] {
        try_bytes(&bytes[..end]);
    }
    for at in 0..40 {
        let mut bad = bytes.clone();
        bad[at * bytes.len() / 40 + 3] ^= 0x10;
        try_bytes(&bad);
    }
    try_bytes(&[bytes.as_slice(), b"more"].concat());
    assert!(refusals > 8 && gaps > 3, "{refusals} {gaps}");
    fs::remove_file(&shard).unwrap();
    refused(&scan(), &[shard.file_name().unwrap().to_str().unwrap()]);
}
