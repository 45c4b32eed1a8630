//! The same image from everywhere.

use std::{
    fs,
    io::{self, Read},
};

use seawall_image::{Cache, Error, Source};

use crate::support::{kept, read, run, shared};

#[test]
fn the_same_image_from_every_source() {
    let Some(alpine) = shared("images/alpine-310.tar.gz") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let packed = read(Source::Archive(alpine.clone()), None).unwrap();
    assert_eq!(kept(&packed).len(), 2);
    assert!(packed.view.gaps.is_empty());
    let plain = at("plain.tar");
    fs::copy(&alpine, at("plain.tar.gz")).unwrap();
    assert!(run("gzip", &["-d", &at("plain.tar.gz")]));
    let same = |source: Source, what: &str| {
        let image = read(source, None).unwrap();
        assert_eq!(kept(&image), kept(&packed), "{what}");
        // skopeo writes the configuration anew when it converts to OCI.
        if !what.contains("oci") && !matches!(what, "gzip" | "zstd") {
            assert_eq!(image.digest, packed.digest, "{what}");
        }
        assert_eq!(
            image.view.layers[0].diff_id, packed.view.layers[0].diff_id,
            "{what}"
        );
    };
    same(Source::Archive(plain.clone().into()), "plain");
    same(
        Source::Stream(Box::new(fs::File::open(&plain).unwrap())),
        "stream",
    );
    if !run("skopeo", &["--version"]) {
        return;
    }
    let from = format!("docker-archive:{plain}");
    for format in ["gzip", "zstd"] {
        let layout = format!("oci:{}:v1", at(format));
        let copy = [
            "--insecure-policy",
            "copy",
            "-q",
            "--dest-compress-format",
            format,
            &from,
        ];
        assert!(run("skopeo", &[&copy[..], &[&layout]].concat()));
        for reference in [None, Some("v1".to_owned())] {
            same(
                Source::OciLayout {
                    dir: at(format).into(),
                    reference,
                },
                format,
            );
        }
        let missing = Source::OciLayout {
            dir: at(format).into(),
            reference: Some("v2".into()),
        };
        assert!(matches!(
            read(missing, None),
            Err(Error::NoReference { .. })
        ));
    }
    assert!(run(
        "skopeo",
        &[
            "--insecure-policy",
            "copy",
            "-q",
            &from,
            &format!("oci-archive:{}", at("oci.tar"))
        ]
    ));
    same(Source::Archive(at("oci.tar").into()), "oci-archive");
    same(
        Source::Stream(Box::new(fs::File::open(at("oci.tar")).unwrap())),
        "oci-archive stream",
    );
    assert!(run("zstd", &["-q", &at("oci.tar")]));
    same(
        Source::Archive(at("oci.tar.zst").into()),
        "oci-archive in zstd",
    );
    // One byte tells neither a gzip stream nor a zstd one.
    for name in ["plain.tar", "oci.tar", "oci.tar.zst"] {
        let drops = Drops {
            inner: fs::File::open(at(name)).unwrap(),
            offset: 0,
        };
        same(Source::Stream(Box::new(drops)), &format!("oci {name}"));
    }
}

/// A socket that brings the first byte of every block alone.
struct Drops {
    inner: fs::File,
    offset: usize,
}

impl Read for Drops {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = match self.offset % 512 {
            0 => 1,
            at => 512 - at,
        };
        let most = buffer.len().min(most);
        let read = self.inner.read(&mut buffer[..most])?;
        self.offset += read;
        Ok(read)
    }
}

#[test]
fn a_cache_changes_nothing_but_the_time() {
    let Some(alpine) = shared("images/alpine-311.tar.gz") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let plain = dir.path().join("plain.tar");
    fs::copy(&alpine, dir.path().join("plain.tar.gz")).unwrap();
    assert!(run(
        "gzip",
        &["-d", dir.path().join("plain.tar.gz").to_str().unwrap()]
    ));
    let cache = Cache::new(dir.path().join("cache"), 1 << 30);
    let first = read(Source::Archive(plain.clone()), Some(&cache)).unwrap();
    let second = read(Source::Archive(plain.clone()), Some(&cache)).unwrap();
    assert_eq!((first.from_cache, second.from_cache), (0, 1));
    assert_eq!(kept(&first), kept(&second));
    // A damaged entry is a layer not seen before.
    for entry in fs::read_dir(cache.dir()).unwrap().flatten() {
        let mut bytes = fs::read(entry.path()).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(entry.path(), bytes).unwrap();
    }
    let third = read(Source::Archive(plain.clone()), Some(&cache)).unwrap();
    assert_eq!((third.from_cache, kept(&third)), (0, kept(&first)));
    // Many at once, and a folder that cannot be made.
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let image = read(Source::Archive(plain.clone()), Some(&cache)).unwrap();
                assert_eq!(kept(&image), kept(&first));
            });
        }
    });
    let nowhere = Cache::new("/dev/null/cache", 1 << 30);
    assert_eq!(
        kept(&read(Source::Archive(plain), Some(&nowhere)).unwrap()),
        kept(&first)
    );
}
