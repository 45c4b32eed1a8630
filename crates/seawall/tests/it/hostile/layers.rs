//! Layers: headers that lie, names and links that lead out, what is odd and
//! sound all the same.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use super::{
    Bounded, PACKAGES, both, craft::*, gap_decides, need, one, packages, refused, report,
    scan_stream, with_gap,
};
use crate::support::Home;

#[test]
fn headers_that_lie_are_refused() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    let head = |size| header(b"a", b'0', b"", size).to_vec();
    let sparse = |real: [u8; 12], offset: [u8; 12], length: [u8; 12], more: u8| {
        let mut block = header(b"lib/apk/db/installed", b'S', b"", octal(0));
        block[257..265].copy_from_slice(b"ustar  \0");
        block[386..398].copy_from_slice(&offset);
        block[398..410].copy_from_slice(&length);
        block[482] = more;
        block[483..495].copy_from_slice(&real);
        sealed(block).to_vec()
    };
    let mut extension = [0u8; 512];
    for pair in extension[..504].chunks_exact_mut(12) {
        pair.copy_from_slice(&octal(0));
    }
    extension[504] = 1;
    let max = i64::MAX.to_string();
    let cases: [(&str, Vec<u8>, &str); 15] = [
        ("a negative size", head([0xFF; 12]), "holds no valid size"),
        ("no number", head(*b"00000000x00\0"), "holds no valid size"),
        ("2^64 - 1", head(base_256(u64::MAX)), "holds no valid size"),
        (
            "2^63 - 1",
            head(base_256(i64::MAX as u64)),
            "holds no valid size",
        ),
        ("2^62", head(base_256(1 << 62)), "inside an entry"),
        (
            "PAX 2^63 - 1",
            [pax(&[("size", &max)]), head(octal(0))].concat(),
            "inside an entry",
        ),
        (
            "PAX 2^64",
            [pax(&[("size", "18446744073709551616")]), head(octal(0))].concat(),
            "PAX header at byte 0 is malformed",
        ),
        (
            "PAX -1",
            [pax(&[("size", "-1")]), head(octal(0))].concat(),
            "malformed",
        ),
        (
            "a huge PAX header",
            header(b"x", b'x', b"", octal(2 << 20)).to_vec(),
            "a header at byte 0",
        ),
        (
            "headers without end",
            pax(&[("a", "b")]).repeat(100),
            "the number of headers before",
        ),
        (
            "a long path",
            [pax(&[("path", &"x/".repeat(3000))]), head(octal(0))].concat(),
            "the length of a path",
        ),
        (
            "an overflowing map",
            sparse(octal(9), base_256(u64::MAX - 1), octal(9), 0),
            "sparse map",
        ),
        (
            "a map beyond its file",
            sparse(octal(9), octal(10), octal(9), 0),
            "sparse map",
        ),
        (
            "a map without end",
            [
                sparse(octal(9), octal(0), octal(0), 1),
                extension.repeat(40_000),
            ]
            .concat(),
            "sparse map",
        ),
        (
            "a wrong checksum",
            {
                let mut bytes = head(octal(0));
                bytes[0] = b'b';
                bytes
            },
            "wrong checksum",
        ),
    ];
    for (what, bytes, reason) in cases {
        for said in both(&home, &one(&[bytes])) {
            assert!(
                said.err.contains(reason),
                "{what}: {}{}",
                said.out,
                said.err
            );
            refused(&said, &["cannot read the layer `0.tar`", reason]);
        }
    }
    // Nobody wants more zeros than a layer can hold.
    let holes = sparse(octal(100 << 20), octal(100 << 20), octal(0), 0).repeat(100);
    for said in both(&home, &one(&[holes])) {
        refused(&said, &["the holes of sparse files", "8589934592"]);
    }
    // A file of the outer archive that is larger than any layer.
    let outer = [head(base_256(1 << 62)), alpine()].concat();
    refused(
        &scan_stream(&home, &outer),
        &["the size of `a` is over the limit of 68719476736"],
    );
}

#[test]
fn names_and_links_stay_inside() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    let secret = "P:outside\nV:1\n\n";
    fs::write(home.path().join("secret"), secret).unwrap();
    let absolute = home.path().join("secret").to_str().unwrap().to_owned();
    let system = || vec![file("etc/os-release", OS_RELEASE)];
    let db = "lib/apk/db/installed";
    let with = |more: Vec<Vec<u8>>| one(&[system(), more].concat());
    // Another's file is never read, and what was asked for is missed.
    for (entry, subject, reason) in [
        (
            file("../../lib/apk/db/installed", secret),
            "../../lib/apk/db/installed",
            "the path leaves the root",
        ),
        (
            entry(db, b'1', "../../secret", b""),
            db,
            "a hard link leads out of the image",
        ),
        (
            entry(db, b'1', &absolute, b""),
            db,
            "which was not captured",
        ),
        (entry(db, b'3', "", b""), db, "a pipe or a device"),
        (entry(db, b'6', "", b""), db, "a pipe or a device"),
    ] {
        for said in both(&home, &with(vec![entry.clone()])) {
            let report = with_gap(&said, subject, reason);
            assert!(packages(&report).is_empty(), "{report}");
        }
    }
    for link in [
        absolute.as_str(),
        "../../../../../../secret",
        "/proc/self/root/secret",
    ] {
        for said in both(&home, &with(vec![entry(db, b'2', link, b"")])) {
            assert!(packages(&report(&said)).is_empty());
        }
    }
    // What a link leads to may be too much as well.
    let empty = pax(&[("GNU.sparse.size", "1073741824"), ("GNU.sparse.map", "")]);
    let large = [empty, header(b"data/i", b'0', b"", octal(0)).to_vec()].concat();
    let [file_says, stream_says] = both(&home, &with(vec![large, entry(db, b'2', "/data/i", b"")]));
    with_gap(&file_says, "data/i", "the file has 1073741824 bytes");
    with_gap(
        &stream_says,
        db,
        "a link to `data/i`, which was not captured",
    );
    // Loops of links end, and do not hide what is not in them.
    let loops = vec![
        entry("usr/lib/apk", b'2', "apk", b""),
        entry("a", b'2', "b", b""),
        entry("b", b'2', "a", b""),
        entry("usr/lib/os-release", b'1', "usr/lib/os-release", b""),
        file(db, APK),
    ];
    for said in both(&home, &with(loops)) {
        assert_eq!(packages(&report(&said)), PACKAGES);
    }
    // Of entries of one name the last counts; a name may be no UTF-8.
    let mut strange = header(b"usr/\xFF\xFE", b'0', b"", octal(0)).to_vec();
    strange.extend(file(db, secret));
    strange.extend(file(db, APK));
    for said in both(&home, &with(vec![strange])) {
        assert_eq!(packages(&report(&said)), PACKAGES);
    }
    // A later layer's pipe takes the database away.
    let layers = [alpine(), tar(&[entry(db, b'6', "", b"")])];
    for said in both(&home, &Image::plain(&layers).docker()) {
        assert!(packages(&with_gap(&said, db, "a pipe or a device")).is_empty());
    }
}

#[test]
fn odd_layers_are_layers() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    let unended = [
        file("etc/os-release", OS_RELEASE),
        file("lib/apk/db/installed", APK),
    ]
    .concat();
    let odd = [
        vec![unended],
        vec![alpine(), Vec::new()],
        vec![alpine(), END.to_vec()],
        // Routes of web applications have such names.
        vec![alpine(), tar(&[file("[id].js", "x")])],
        vec![alpine(), tar(&[file("{x", "x")])],
        // The same one twice.
        vec![alpine(), alpine()],
    ];
    for layers in odd {
        for bytes in [Image::plain(&layers).docker(), Image::plain(&layers).oci()] {
            for said in both(&home, &bytes) {
                assert_eq!(packages(&report(&said)), PACKAGES);
            }
        }
    }
    // A layer of a few bytes is no tar, not a layer that is not there.
    for said in both(&home, &Image::plain(&[b"1.0".to_vec()]).docker()) {
        refused(&said, &["cannot read the layer `0.tar`", "inside an entry"]);
    }
    // Of archive entries of one name the last counts.
    let good = Image::plain(&[alpine()]);
    let twice = [
        vec![file("0.tar", tar(&[file("x", "y")]))],
        good.docker_entries(),
    ]
    .concat();
    for said in both(&home, &tar(&twice)) {
        assert_eq!(packages(&report(&said)), PACKAGES);
    }
    let mut replaced = good.docker_entries();
    replaced.insert(1, file("0.tar", tar(&[file("x", "y")])));
    for said in both(&home, &tar(&replaced)) {
        refused(&said, &["`0.tar` has the digest"]);
    }
    for bytes in [&b""[..], &END, b"x", &[0x1F, 0x8B], &[0; 100]] {
        for said in both(&home, bytes) {
            refused(&said, &["cannot scan `"]);
        }
    }
}

#[test]
fn sparse_files_of_real_tars_are_not_expanded() {
    if !need(&["prlimit", "tar", "truncate"]) {
        return;
    }
    let home = Home::new();
    let root = home.path().join("root");
    let db = root.join("lib/apk/db/installed");
    fs::create_dir_all(db.parent().unwrap()).unwrap();
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::write(root.join("etc/os-release"), OS_RELEASE).unwrap();
    let grow = |path: &Path, size: u64| {
        let file = fs::File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        file.set_len(size).unwrap();
    };
    let formats = [
        &["--format=gnu"][..],
        &["--format=pax", "--sparse-version=0.0"],
        &["--format=pax", "--sparse-version=0.1"],
        &["--format=pax", "--sparse-version=1.0"],
    ];
    for format in formats {
        let scan = || {
            let output = Command::new("tar")
                .args(["-S", "-c", "-C", root.to_str().unwrap()])
                .args(format)
                .arg(".")
                .output()
                .unwrap();
            assert!(output.status.success());
            assert!(output.stdout.len() < 1 << 20);
            both(&home, &Image::plain(&[output.stdout]).docker())
        };
        // Nobody wants this one.
        grow(&root.join("big"), 4 << 30);
        fs::write(&db, APK).unwrap();
        grow(&db, 1 << 20);
        for said in scan() {
            let found: Value = report(&said);
            assert_eq!(packages(&found), PACKAGES, "{format:?}");
        }
        grow(&db, 4 << 30);
        for said in scan() {
            let reason = "the file has 4294967296 bytes, more than the limit of 134217728";
            with_gap(&said, "lib/apk/db/installed", reason);
        }
        fs::remove_file(&db).unwrap();
    }
    // On disk too.
    fs::write(&db, APK).unwrap();
    grow(&db, 4 << 30);
    let said = Bounded::new(&home).scan(&["--format", "json", "rootfs:root"]);
    with_gap(
        &said,
        "lib/apk/db/installed",
        "more than the limit of 134217728",
    );
    gap_decides(&home, "rootfs:root");
}

#[test]
fn crafted_archives_are_what_tar_says() {
    // The hostile ones are hostile where they mean to be only if the others
    // are sound.
    if !need(&["tar"]) {
        return;
    }
    let mut more = pax(&[("path", &"long/".repeat(40))]);
    more.extend(file("short", "x"));
    let bytes = tar(&[file("a/b", "content"), entry("l", b'2', "a/b", b""), more]);
    let listed = piped("tar", &["-t"], &bytes);
    let want = format!("a/b\nl\n{}\n", "long/".repeat(40));
    assert_eq!(String::from_utf8(listed).unwrap(), want);
}
