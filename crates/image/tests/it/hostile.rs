//! Images that mean harm, or are damaged: an error or a gap, in bounded time,
//! never a panic and never a wrong clean result.

use std::{fs, io::Write, path::Path};

use seawall_image::{Cache, Error, Image, Limits, Source};

use crate::support::{archive, kept, pack, read, read_within};

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

fn stream(bytes: &[u8]) -> Source {
    Source::Stream(Box::new(std::io::Cursor::new(bytes.to_vec())))
}

fn reasons(image: &Image) -> Vec<&str> {
    let gaps = image.view.gaps.iter();
    gaps.map(|gap| gap.reason.as_str()).collect()
}

#[test]
fn bounds_hold_for_a_whole_archive() {
    let dir = tempfile::tempdir().unwrap();
    // Three layers of 64 KiB of evidence each.
    let mut layers = Vec::new();
    for at in 0..3 {
        let root = dir.path().join(format!("root{at}"));
        fs::create_dir(&root).unwrap();
        fs::write(root.join(format!("{at}.keep")), vec![b'x'; 64 << 10]).unwrap();
        layers.push(dir.path().join(format!("{at}.tar")));
        pack(&root, &layers[at], &[]);
    }
    let path = archive(dir.path(), &layers);
    let bytes = fs::read(&path).unwrap();
    let within = |limits: &Limits| {
        [
            read_within(Source::Archive(path.clone()), None, limits.clone()),
            read_within(stream(&bytes), None, limits.clone()),
        ]
    };
    for image in within(&Limits::default()) {
        let image = image.unwrap();
        assert_eq!((kept(&image).len(), reasons(&image)), (3, vec![]));
    }
    let less = Limits {
        image_evidence: 140 << 10,
        ..Limits::default()
    };
    for image in within(&less) {
        let image = image.unwrap();
        assert_eq!(kept(&image).len(), 2);
        assert_eq!(
            reasons(&image),
            ["the evidence takes more than 143360 bytes: from here on some is lost"]
        );
    }
    for (limits, what) in [
        (
            Limits {
                archive_bytes: 100 << 10,
                ..Limits::default()
            },
            "the size of standard input is over the limit of 102400",
        ),
        (
            Limits {
                documents_bytes: 100,
                ..Limits::default()
            },
            "the size of `config.json` is over the limit of 100",
        ),
    ] {
        let error = read_within(stream(&bytes), None, limits).unwrap_err();
        assert_eq!(error.to_string(), what);
    }
}

#[test]
fn holes_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    for name in ["a.keep", "b.keep"] {
        let file = fs::File::create(root.join(name)).unwrap();
        file.set_len(512 << 10).unwrap();
    }
    let layer = dir.path().join("0.tar");
    pack(&root, &layer, &["-S"]);
    let path = archive(dir.path(), &[layer]);
    let within = |hole_bytes| {
        let limits = Limits {
            hole_bytes,
            ..Limits::default()
        };
        read_within(Source::Archive(path.clone()), None, limits)
    };
    assert_eq!(kept(&within(1 << 20).unwrap()).len(), 2);
    let error = within((1 << 20) - 1).unwrap_err();
    assert!(matches!(error, Error::Layer { .. }), "{error}");
}
