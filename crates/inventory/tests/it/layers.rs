//! Which layer a package comes from, in an image of several.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use seawall_image::Source;

use crate::support::{gaps, have, installed, run, write};

fn sha256(path: &Path) -> String {
    let said = run(Command::new("sha256sum").arg(path));
    said.split(' ').next().unwrap().to_owned()
}

/// A docker-archive of one layer for each list of files.
fn archive(work: &Path, layers: &[&[(&str, &str)]]) -> PathBuf {
    let layers = layers.iter().enumerate().map(|(index, files)| {
        let tree = work.join(format!("tree{index}"));
        for (path, content) in *files {
            write(&tree, path, content);
        }
        let layer = work.join(format!("tree{index}.tar"));
        let mut tar = Command::new("tar");
        run(tar.arg("-cf").arg(&layer).arg("-C").arg(&tree).arg("."));
        layer
    });
    pack(work, &layers.collect::<Vec<_>>())
}

/// A docker-archive of these layers.
fn pack(work: &Path, layers: &[PathBuf]) -> PathBuf {
    let image = work.join("image");
    fs::create_dir_all(&image).unwrap();
    let mut names = Vec::new();
    let mut ids = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let name = format!("layer{index}.tar");
        fs::copy(layer, image.join(&name)).unwrap();
        ids.push(format!("\"sha256:{}\"", sha256(layer)));
        names.push(format!("\"{name}\""));
    }
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        ids.join(",")
    );
    write(&image, "config.json", &config);
    let name = format!("{}.json", sha256(&image.join("config.json")));
    fs::rename(image.join("config.json"), image.join(&name)).unwrap();
    let manifest = format!(
        r#"[{{"Config":"{name}","RepoTags":["t:1"],"Layers":[{}]}}]"#,
        names.join(",")
    );
    write(&image, "manifest.json", manifest);
    let path = work.join("image.tar");
    run(Command::new("tar")
        .arg("-cf")
        .arg(&path)
        .arg("-C")
        .arg(&image)
        .arg("."));
    path
}

#[test]
fn packages_bear_the_layer_since_which_they_are_there() {
    if !have(&["tar", "sha256sum"]) {
        return;
    }
    let stanza = |name: &str, version: &str| {
        format!(
            "Package: {name}\nStatus: install ok installed\nArchitecture: all\nVersion: {version}\n\n"
        )
    };
    let first = [
        stanza("stays", "1"),
        stanza("upgraded", "1"),
        stanza("removed", "1"),
    ]
    .concat();
    let second = [stanza("stays", "1"), stanza("upgraded", "2")].concat();
    let third = [
        stanza("stays", "1"),
        stanza("upgraded", "2"),
        stanza("added", "1"),
    ]
    .concat();
    let work = tempfile::tempdir().unwrap();
    let image = archive(
        work.path(),
        &[
            &[
                ("etc/os-release", "ID=debian\nVERSION_ID=12\n"),
                ("var/lib/dpkg/status", &first),
                (
                    "var/lib/dpkg/status.d/beside",
                    "Package: beside\nVersion: 1\nArchitecture: all\n",
                ),
            ],
            &[("var/lib/dpkg/status", &second)],
            &[("srv/x", "nothing to see")],
            &[("var/lib/dpkg/status", &third)],
        ],
    );
    let inventory = installed(Source::Archive(image));
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let found: Vec<_> = inventory
        .packages
        .iter()
        .map(|package| (package.name.as_str(), package.origin.layer.unwrap()))
        .collect();
    assert_eq!(
        found,
        [("added", 3), ("beside", 0), ("stays", 0), ("upgraded", 1)]
    );
}

/// A tar may hold a path twice: the last one counts, also where its first bytes
/// alone say that it is of interest.
#[test]
fn a_program_written_twice_in_one_layer_is_the_last_one() {
    if !have(&["tar", "sha256sum"]) {
        return;
    }
    for (last, expected) in [
        ("\x7FELF\0\x003.11.9\0", &["3.11.9"][..]),
        ("no program any more", &[][..]),
    ] {
        let work = tempfile::tempdir().unwrap();
        let work = work.path();
        let path = "usr/bin/python3.11";
        write(&work.join("first"), path, "\x7FELF\0\x003.11.2\0");
        write(&work.join("last"), path, last);
        let layer = work.join("layer.tar");
        for (how, tree) in [("-cf", "first"), ("-rf", "last")] {
            let mut tar = Command::new("tar");
            let tree = work.join(tree);
            run(tar.arg(how).arg(&layer).arg("-C").arg(tree).arg("."));
        }
        let inventory = installed(Source::Archive(pack(work, &[layer])));
        let versions = inventory.packages.iter().map(|one| one.version.as_str());
        assert_eq!(versions.collect::<Vec<_>>(), expected);
    }
}
