//! Databases made to do harm: an end in bounded time, and a word about it.

use std::time::{Duration, Instant};

use seawall_inventory::hostile;

use crate::support::{Random, gaps, tree, write};

const STATUS: &str = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\n\
    Source: bash (5.2-1)\nVersion: 5.2-1\nDescription: a shell\n of some kind\n\n";
const INSTALLED: &str = "C:Q1=\nP:musl\nV:1.2.3-r4\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:ld.so\n\n";

#[test]
fn changed_bytes_never_panic() {
    let mut random = Random(3);
    for text in [STATUS.repeat(3), INSTALLED.repeat(3)] {
        for _ in 0..2000 {
            let mut bytes = text.clone().into_bytes();
            for _ in 0..=random.below(8) {
                let at = random.below(bytes.len());
                bytes[at] = b"\n :\0\xFF\xC3()/P"[random.below(10)];
            }
            bytes.truncate(random.below(bytes.len()) + 1);
            hostile::dpkg(&bytes);
            hostile::apk(&bytes);
            hostile::os_release(&bytes);
            hostile::copyright(&bytes);
            hostile::rpm_manifest(&bytes);
            hostile::rpm_header(&bytes);
            drop(hostile::rpm(&bytes));
        }
    }
    assert_eq!(hostile::dpkg(STATUS.repeat(3).as_bytes()), 3);
    assert_eq!(hostile::apk(INSTALLED.repeat(3).as_bytes()), 3);
}

/// Time grows with the size, not with its square, which would take hours: the
/// bound leaves room for a busy machine.
#[test]
fn odd_shapes_take_linear_time() {
    let long = 1 << 20;
    let shapes: [Vec<u8>; 8] = [
        b"\n".repeat(long),
        b" \n".repeat(long / 2),
        b":".repeat(long),
        b"a:\n".repeat(long / 3),
        b"a:b\n c\n".repeat(long / 7),
        b"Package: a\n\n".repeat(long / 12),
        b"P:a\n\n".repeat(long / 5),
        vec![0xFF; long],
    ];
    for shape in &shapes {
        let start = Instant::now();
        hostile::dpkg(shape);
        hostile::apk(shape);
        hostile::os_release(shape);
        hostile::copyright(shape);
        hostile::rpm_manifest(shape);
        hostile::rpm_header(shape);
        let taken = start.elapsed();
        let shape = String::from_utf8_lossy(&shape[..12]);
        assert!(taken < Duration::from_secs(60), "{shape:?}: {taken:?}");
    }
}

#[test]
fn more_packages_than_any_system_has_are_a_gap() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "etc/os-release",
        "ID=alpine\nVERSION_ID=3.20.0\n",
    );
    let database: String = (0..250_010)
        .map(|number| format!("P:p{number}\nV:1\n\n"))
        .collect();
    write(root.path(), "lib/apk/db/installed", database);
    let inventory = tree(root.path());
    assert_eq!(inventory.packages.len(), 250_000);
    assert_eq!(
        gaps(&inventory),
        ["limit lib/apk/db/installed: there are more than 250000 packages"]
    );
}

#[test]
fn many_small_databases_are_bounded_together() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "etc/os-release", "ID=debian\nVERSION_ID=12\n");
    for file in 0..2 {
        let stanza = |number| format!("Package: p{file}-{number}\nVersion: 1\n\n");
        let stanzas: String = (0..130_000).map(stanza).collect();
        write(
            root.path(),
            &format!("var/lib/dpkg/status.d/{file}"),
            stanzas,
        );
    }
    let inventory = tree(root.path());
    assert_eq!(inventory.packages.len(), 250_000);
    assert_eq!(
        gaps(&inventory),
        ["limit var/lib/dpkg/status.d/1: with it there are more than 250000 packages"]
    );
}

#[test]
fn a_status_file_without_end_is_a_gap() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "etc/os-release",
        "ID=debian\nVERSION_ID=12\nPRETTY_NAME=D\n",
    );
    write(root.path(), "var/lib/dpkg/status", "");
    let status = root.path().join("var/lib/dpkg/status");
    // Sparse: it takes no room on the disk.
    std::fs::File::options()
        .write(true)
        .open(status)
        .unwrap()
        .set_len(4 << 30)
        .unwrap();
    assert_eq!(
        gaps(&tree(root.path())),
        [
            "limit var/lib/dpkg/status: the file has 4294967296 bytes, more than the limit of \
             134217728",
            "missing package database: it is D, but no database of installed packages could be read",
        ]
    );
}
