//! What layers come to once they lie on each other.

use std::{fs, os::unix::fs::symlink, path::Path};

use seawall_image::Source;

use crate::support::{archive, kept, pack, read};

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn every_format_of_gnu_tar_gives_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    write(&root.join("a.keep"), "one");
    write(&root.join("sub/b.keep"), "two");
    fs::hard_link(root.join("a.keep"), root.join("z.keep")).unwrap();
    let want = vec![
        ("a.keep".to_owned(), "one".to_owned()),
        ("sub/b.keep".to_owned(), "two".to_owned()),
        ("z.keep".to_owned(), "one".to_owned()),
    ];
    for format in ["v7", "ustar", "gnu", "oldgnu", "pax"] {
        let layer = dir.path().join("layer.tar");
        pack(&root, &layer, &[&format!("--format={format}")]);
        let image = read(Source::Archive(archive(dir.path(), &[layer])), None).unwrap();
        assert_eq!(kept(&image), want, "{format}");
    }
    // The first hundred bytes of this name end in a slash.
    write(&root.join(format!("{}/cut.keep", "s".repeat(97))), "cut");
    // Long names need an extension of ustar.
    let long = format!("{}/{}.keep", "d".repeat(120), "n".repeat(140));
    write(&root.join(&long), "long");
    for format in ["gnu", "oldgnu", "pax"] {
        let layer = dir.path().join("layer.tar");
        pack(&root, &layer, &[&format!("--format={format}")]);
        let image = read(Source::Archive(archive(dir.path(), &[layer])), None).unwrap();
        assert!(
            kept(&image).contains(&(long.clone(), "long".to_owned())),
            "{format}"
        );
    }
}

#[test]
fn sparse_files_are_expanded() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(&root).unwrap();
    let file = fs::File::create(root.join("s.keep")).unwrap();
    file.set_len(300_000).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"middle", 200_000).unwrap();
    let want = fs::read(root.join("s.keep")).unwrap();
    let ways: [&[&str]; 4] = [
        &["--format=gnu"],
        &["--format=pax", "--sparse-version=0.0"],
        &["--format=pax", "--sparse-version=0.1"],
        &["--format=pax", "--sparse-version=1.0"],
    ];
    for way in ways {
        let layer = dir.path().join("layer.tar");
        pack(&root, &layer, &[way, &["--sparse"]].concat());
        assert!(
            layer.metadata().unwrap().len() < 100_000,
            "{way:?} stored the holes"
        );
        let image = read(Source::Archive(archive(dir.path(), &[layer])), None).unwrap();
        assert_eq!(&*image.view.files[0].data, want.as_slice(), "{way:?}");
    }
}

#[test]
fn upper_layers_remove_cover_and_replace() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for path in [
        "gone.keep",
        "dir/x.keep",
        "opaque/x.keep",
        "file/x.keep",
        "same.keep",
    ] {
        write(&at("lower").join(path), "lower");
    }
    write(&at("lower/turned.keep"), "lower");
    write(&at("upper/.wh.gone.keep"), "");
    write(&at("upper/.wh.dir"), "");
    write(&at("upper/opaque/.wh..wh..opq"), "");
    write(&at("upper/opaque/y.keep"), "upper");
    write(&at("upper/file"), "now a file");
    write(&at("upper/same.keep"), "upper");
    fs::create_dir_all(at("upper/turned.keep")).unwrap();
    pack(&at("lower"), &at("0.tar"), &[]);
    pack(&at("upper"), &at("1.tar"), &[]);
    let path = archive(dir.path(), &[at("0.tar"), at("1.tar")]);
    let image = read(Source::Archive(path), None).unwrap();
    let upper = |path: &str| (path.to_owned(), "upper".to_owned());
    assert_eq!(kept(&image), [upper("opaque/y.keep"), upper("same.keep")]);
    // What was hidden stays known: secrets remain readable in their layer.
    assert_eq!(image.view.hidden.len(), 6);
}

#[test]
fn a_merged_usr_is_one_directory_over_layers() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    write(&at("lower/usr/lib/apk/db/installed"), "old");
    symlink("usr/lib", at("lower/lib")).unwrap();
    write(&at("upper/lib/apk/db/installed"), "new");
    pack(&at("lower"), &at("0.tar"), &[]);
    // A tar may name what lies behind the link without naming the link.
    let upper = at("upper").to_str().unwrap().to_owned();
    let tar = at("1.tar").to_str().unwrap().to_owned();
    assert!(crate::support::run(
        "tar",
        &["-cf", &tar, "-C", &upper, "lib/apk/db/installed"]
    ));
    let path = archive(dir.path(), &[at("0.tar"), at("1.tar")]);
    let image = read(Source::Archive(path), None).unwrap();
    let want = ("usr/lib/apk/db/installed".to_owned(), "new".to_owned());
    assert_eq!(kept(&image), [want]);
}

#[test]
fn content_behind_links_is_found_in_a_second_pass() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    // As ostree stores files: the object first, the name a hard link to it.
    write(&at("root/a/object"), "content");
    fs::create_dir_all(at("root/db")).unwrap();
    fs::hard_link(at("root/a/object"), at("root/db/main")).unwrap();
    write(&at("root/opt/release"), "ID=x");
    fs::create_dir_all(at("root/etc")).unwrap();
    symlink("/opt/release", at("root/etc/os-release")).unwrap();
    symlink("loop", at("root/loop")).unwrap();
    pack(&at("root"), &at("0.tar"), &[]);
    let path = archive(dir.path(), &[at("0.tar")]);
    let image = read(Source::Archive(path), None).unwrap();
    let files = kept(&image);
    assert!(
        files.contains(&("db/main".to_owned(), "content".to_owned())),
        "{files:?}"
    );
    assert!(
        files.contains(&("etc/os-release".to_owned(), "ID=x".to_owned())),
        "{files:?}"
    );
}
