//! The bound of the evidence cache.

use std::{
    fs,
    path::{Path, PathBuf},
};

use seawall_image::{Cache, Image, Limits, NoProgress, Options, Source, open};

use crate::support::{KEEP, kept, run, shared};

/// An archive that is not packed as a whole: its layers can be skipped.
fn plain(name: &str, dir: &Path) -> Option<PathBuf> {
    let packed = dir.join(name).with_extension("tar.gz");
    fs::copy(shared(&format!("images/{name}.tar.gz"))?, &packed).unwrap();
    assert!(run("gzip", &["-d", packed.to_str().unwrap()]));
    Some(packed.with_extension(""))
}

fn read(archive: &Path, cache: &Cache) -> Image {
    let options = Options {
        analysers: KEEP,
        platform: None,
        cache: Some(cache),
        limits: Limits::default(),
        progress: &NoProgress,
    };
    open(Source::Archive(archive.to_owned()), &options).unwrap()
}
fn size(cache: &Cache) -> u64 {
    let entries = fs::read_dir(cache.dir()).unwrap().flatten();
    entries.map(|entry| entry.metadata().unwrap().len()).sum()
}

#[test]
fn what_was_used_longest_ago_goes_first() {
    let dir = tempfile::tempdir().unwrap();
    let large = Cache::new(dir.path().join("large"), 1 << 30);
    let names = ["alpine-310", "alpine-311"];
    let [Some(old), Some(new)] = names.map(|name| plain(name, dir.path())) else {
        return;
    };
    let first = read(&old, &large);
    let one = size(&large);
    read(&new, &large);
    let both = size(&large);
    assert!(one > 0 && both > one);

    // There is room for either, not for both.
    let bound = both - 1;
    let small = Cache::new(dir.path().join("small"), bound);
    for (archive, from_cache) in [
        (&old, 0),
        (&old, 1),
        (&new, 0),
        (&new, 1),
        (&old, 0),
        (&old, 1),
    ] {
        let image = read(archive, &small);
        assert_eq!(image.from_cache, from_cache, "{archive:?}");
        assert!(size(&small) <= bound);
        if *archive == old {
            assert_eq!(kept(&image), kept(&first));
        }
    }

    // There is room for none.
    let none = Cache::new(dir.path().join("none"), 16);
    for _ in 0..2 {
        let image = read(&old, &none);
        assert_eq!((image.from_cache, kept(&image)), (0, kept(&first)));
    }
}
