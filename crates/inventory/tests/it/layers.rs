//! Which layer a package comes from, in an image of several.

use std::{fs, path::Path, process::Command};

use seawall_image::Source;

use crate::support::{gaps, have, installed, run, write};

fn sha256(path: &Path) -> String {
    let said = run(Command::new("sha256sum").arg(path));
    said.split(' ').next().unwrap().to_owned()
}

/// A docker-archive of one layer for each list of files.
fn archive(work: &Path, layers: &[&[(&str, &str)]]) -> std::path::PathBuf {
    let mut names = Vec::new();
    let mut ids = Vec::new();
    for (index, files) in layers.iter().enumerate() {
        let tree = work.join(format!("tree{index}"));
        for (path, content) in *files {
            write(&tree, path, content);
        }
        let name = format!("layer{index}.tar");
        let path = work.join("image").join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        run(Command::new("tar")
            .arg("-cf")
            .arg(&path)
            .arg("-C")
            .arg(&tree)
            .arg("."));
        ids.push(format!("\"sha256:{}\"", sha256(&path)));
        names.push(format!("\"{name}\""));
    }
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        ids.join(",")
    );
    let image = work.join("image");
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
