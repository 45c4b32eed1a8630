//! Images of a real containerd, while it runs and afterwards.

use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use seawall_engine::containerd::{
    Error, Found,
    bolt::{BoltError, Database},
    find_below,
};
use seawall_testkit::{Containerd, have, run};

/// An archive as `docker save` makes it, by crane.
fn archive(dir: &Path, tag: &str) -> Option<PathBuf> {
    if !have(&["crane", "tar"]) {
        return None;
    }
    fs::write(dir.join("hello"), tag).unwrap();
    let (layer, archive) = (dir.join("layer.tar"), dir.join("image.tar"));
    let mut tar = Command::new("tar");
    run(tar.arg("-C").arg(dir).arg("-cf").arg(&layer).arg("hello"))?;
    let mut append = Command::new("crane");
    append
        .args(["append", "--new_tag", tag, "--new_layer"])
        .arg(layer);
    run(append.arg("--output").arg(&archive))?;
    Some(archive)
}

fn find(root: &Path, name: &str, namespace: Option<&str>) -> Result<Option<Found>, Error> {
    find_below(&[root.to_owned()], name, namespace, None)
}

/// What `ctr` says of an image: `REF TYPE DIGEST …`.
fn listed(containerd: &Containerd, namespace: &str) -> Vec<(String, String)> {
    let output = containerd.ctr(&["--namespace", namespace, "images", "list"]);
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let lines = text.lines().skip(1);
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            (words[0].to_owned(), words[2].to_owned())
        })
        .collect()
}

#[test]
fn what_ctr_lists_is_found_by_its_short_name_too() {
    let dir = tempfile::tempdir().unwrap();
    let Some(archive) = archive(dir.path(), "shop:1.4") else {
        return;
    };
    let Some(mut containerd) = Containerd::start() else {
        return;
    };
    let root = containerd.root();
    assert_eq!(find(&root, "shop:1.4", None).unwrap(), None);
    containerd.import("k8s.io", &archive).unwrap();
    let all = listed(&containerd, "k8s.io");
    assert_eq!(all.len(), 1);
    let check = || {
        for name in [
            "shop:1.4",
            "docker.io/shop:1.4",
            "docker.io/library/shop:1.4",
        ] {
            let found = find(&root, name, None).unwrap().unwrap();
            assert_eq!((found.name, found.digest.to_string()), all[0].clone());
            assert_eq!(found.namespace, "k8s.io");
            let hex = found.digest.hex();
            let manifest = fs::read(found.content.join("blobs/sha256").join(hex)).unwrap();
            let json: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
            assert_eq!(json["mediaType"], found.media_type);
        }
        for name in ["shop", "shop:1.5", "other/shop:1.4", "", "shop:1.4/x"] {
            assert_eq!(find(&root, name, None).unwrap(), None, "{name}");
        }
        assert_eq!(find(&root, "shop:1.4", Some("default")).unwrap(), None);
        assert!(find(&root, "shop:1.4", Some("k8s.io")).unwrap().is_some());
    };
    check();
    containerd.import("default", &archive).unwrap();
    let found = find(&root, "shop:1.4", None).unwrap().unwrap();
    assert_eq!(found.namespace, "default");
    let preferred = find_below(
        std::slice::from_ref(&root),
        "shop:1.4",
        None,
        Some("k8s.io"),
    );
    assert_eq!(preferred.unwrap().unwrap().namespace, "k8s.io");
    let removed = [
        "--namespace",
        "default",
        "images",
        "remove",
        "docker.io/library/shop:1.4",
    ];
    containerd.ctr(&removed).unwrap();
    check();
    containerd.stop();
    check();
}

#[test]
fn a_thousand_images_are_found_while_others_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let Some(archive) = archive(dir.path(), "shop:1") else {
        return;
    };
    let Some(containerd) = Containerd::start() else {
        return;
    };
    containerd.import("default", &archive).unwrap();
    let tag = |names: &[String]| {
        let mut arguments = vec!["images", "tag", "docker.io/library/shop:1"];
        arguments.extend(names.iter().map(String::as_str));
        containerd.ctr(&arguments).unwrap();
    };
    let name = |number: usize| format!("registry.example/team/shop:{number:04}-{}", "x".repeat(90));
    let (mine, others): (Vec<String>, Vec<String>) = (
        (0..600).map(name).collect(),
        (600..1000).map(name).collect(),
    );
    tag(&mine);
    let (root, digest) = (
        containerd.root(),
        listed(&containerd, "default")[0].1.clone(),
    );
    let is_over = AtomicBool::new(false);
    let tag = &tag;
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            others.chunks(20).for_each(tag);
            is_over.store(true, Ordering::SeqCst);
        });
        let mut rounds = 0;
        while !is_over.load(Ordering::SeqCst) && !writer.is_finished() {
            for name in mine.iter().step_by(7) {
                let found = find(&root, name, None).unwrap().unwrap();
                assert_eq!(found.digest.to_string(), digest);
            }
            rounds += 1;
        }
        assert!(rounds > 0);
    });
    for name in mine.iter().chain(&others) {
        assert!(find(&root, name, None).unwrap().is_some(), "{name}");
    }
    assert_eq!(listed(&containerd, "default").len(), 1001);
    damaged(&root);
}

/// Every kind of damage is told, and none is taken for an empty store.
fn damaged(root: &Path) {
    let path = root.join("io.containerd.metadata.v1.bolt/meta.db");
    let whole = fs::read(path).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("io.containerd.metadata.v1.bolt");
    fs::create_dir(&copy).unwrap();
    let copy = copy.join("meta.db");
    let name = format!("registry.example/team/shop:0500-{}", "x".repeat(90));
    let ask = |bytes: &[u8]| {
        fs::write(&copy, bytes).unwrap();
        find(dir.path(), &name, None)
    };
    assert!(ask(&whole).unwrap().is_some());
    let page = 4096;
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("cut", whole[..2 * page].to_vec()),
        ("text", b"not a database".repeat(1000)),
        (
            "no meta page",
            [vec![0; 2 * page], whole[2 * page..].to_vec()].concat(),
        ),
    ] {
        let error = ask(&bytes).unwrap_err();
        assert!(
            matches!(error, Error::Database(BoltError::Damaged { .. })),
            "{what}: {error}"
        );
    }
    // One meta page is enough, whichever: the older one is a state as well.
    for place in [0, page] {
        let mut bytes = whole.clone();
        bytes[place + 20] ^= 1;
        assert!(ask(&bytes).unwrap().is_some(), "{place}");
    }
    // Each page but the meta pages, overwritten or leading back to the root: an
    // error, or the right answer where it is not on the way.
    let expected = ask(&whole).unwrap();
    let mut errors = 0;
    let database = fs::File::create(&copy).unwrap();
    database.write_all_at(&whole, 0).unwrap();
    for number in 2..whole.len() / page {
        let at = number * page;
        for junk in [[0xff; 64], [0; 64]] {
            database.write_all_at(&junk, at as u64).unwrap();
            match find(dir.path(), &name, None) {
                Ok(found) => assert_eq!(found, expected.clone(), "{number}"),
                Err(_) => errors += 1,
            }
            database
                .write_all_at(&whole[at..at + 64], at as u64)
                .unwrap();
        }
    }
    assert!(errors >= 8, "{errors}");
}

#[test]
fn a_store_that_is_not_there_is_told_from_one_that_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let error = find(dir.path(), "a", None).unwrap_err();
    assert!(matches!(error, Error::NoStore(_)), "{error}");
    let folder = dir.path().join("io.containerd.metadata.v1.bolt/meta.db");
    fs::create_dir_all(&folder).unwrap();
    let error = find(dir.path(), "a", None).unwrap_err();
    assert!(error.to_string().contains("cannot read `"), "{error}");
    assert!(Database::open(&folder).is_err());
}
