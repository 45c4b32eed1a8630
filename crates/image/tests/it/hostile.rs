//! Images that mean harm, or are damaged: an error or a gap, in bounded time,
//! never a panic and never a wrong clean result.

use std::{fs, io::Write, path::Path};

use seawall_image::{Cache, Error, Source};

use crate::support::{archive, kept, pack, read};

fn small(dir: &Path) -> Vec<u8> {
    fs::create_dir_all(dir.join("root")).unwrap();
    fs::write(dir.join("root/a.keep"), "content").unwrap();
    pack(&dir.join("root"), &dir.join("0.tar"), &[]);
    fs::read(archive(dir, &[dir.join("0.tar")])).unwrap()
}

#[test]
fn every_truncation_and_flip_is_noticed_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let good = small(dir.path());
    let bad = dir.path().join("bad.tar");
    let want = vec![("a.keep".to_owned(), "content".to_owned())];
    let check = |bytes: &[u8]| {
        fs::write(&bad, bytes).unwrap();
        for source in [
            Source::Archive(bad.clone()),
            Source::Stream(Box::new(std::io::Cursor::new(bytes.to_vec()))),
        ] {
            if let Ok(image) = read(source, None) {
                assert_eq!(kept(&image), want);
            }
        }
    };
    for end in (0..good.len()).step_by(256) {
        check(&good[..end]);
    }
    for at in (0..good.len()).step_by(37) {
        let mut flipped = good.clone();
        flipped[at] ^= 1 << (at % 8);
        check(&flipped);
    }
}

#[test]
fn a_poisoned_cache_needs_the_right_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let good = small(dir.path());
    let path = dir.path().join("image.tar");
    let cache = Cache::new(dir.path().join("cache"), 1 << 30);
    read(Source::Archive(path.clone()), Some(&cache)).unwrap();
    // The same manifest and diff id over other content.
    let at = good
        .windows(7)
        .position(|piece| piece == b"content")
        .unwrap();
    let mut other = good;
    other[at] = b'C';
    fs::write(&path, other).unwrap();
    let error = read(Source::Archive(path), Some(&cache)).unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error}");
}

#[test]
fn bombs_end_early() {
    let dir = tempfile::tempdir().unwrap();
    // A gigabyte of zeros behind the end marker of a tar, in a few kilobytes.
    let bomb = dir.path().join("bomb.gz");
    let mut out = flate2::write::GzEncoder::new(
        fs::File::create(&bomb).unwrap(),
        flate2::Compression::fast(),
    );
    let zeros = vec![0; 1 << 20];
    for _ in 0..1024 {
        out.write_all(&zeros).unwrap();
    }
    out.finish().unwrap();
    let error = read(Source::Archive(bomb), None).unwrap_err();
    assert!(
        error.to_string().contains("no readable image archive"),
        "{error}"
    );
}

#[test]
fn what_is_named_must_be_there_and_be_what_its_digest_says() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    let build = dir.path().join("build");
    let image = dir.path().join("image.tar");
    let manifest = fs::read_to_string(build.join("manifest.json")).unwrap();
    let try_manifest = |text: &str| {
        fs::write(build.join("manifest.json"), text).unwrap();
        pack(&build, &image, &[]);
        read(Source::Archive(image.clone()), None).unwrap_err()
    };
    let missing = try_manifest(&manifest.replace("0.tar", "9.tar"));
    assert!(matches!(missing, Error::Missing(_)), "{missing}");
    let two = try_manifest(&manifest.replace("\"0.tar\"", "\"0.tar\",\"0.tar\""));
    assert!(two.to_string().contains("1 diff ids for 2 layers"), "{two}");
    let outside = try_manifest(&manifest.replace("0.tar", "../../etc/passwd"));
    assert!(matches!(outside, Error::Malformed { .. }), "{outside}");
    let deep = try_manifest(&"[".repeat(100_000));
    assert!(matches!(deep, Error::Malformed { .. }), "{deep}");
    fs::write(build.join("manifest.json"), manifest).unwrap();
    let config = fs::read_to_string(build.join("config.json")).unwrap();
    let other = "sha256:".to_owned() + &"0".repeat(64);
    let start = config.find("sha256:").unwrap();
    fs::write(
        build.join("config.json"),
        config.replace(&config[start..start + 71], &other),
    )
    .unwrap();
    pack(&build, &image, &[]);
    let wrong = read(Source::Archive(image), None).unwrap_err();
    assert!(matches!(wrong, Error::Digest { .. }), "{wrong}");
}

#[test]
fn a_socket_that_hangs_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let short = std::time::Duration::from_millis(200);
    let waits = seawall_engine::Waits {
        answer: short,
        first: short,
        next: short,
    };
    let error = seawall_engine::Client::new(&socket, waits)
        .inspect("x")
        .unwrap_err();
    assert!(
        matches!(error, seawall_engine::Error::Silent { .. }),
        "{error}"
    );
}
