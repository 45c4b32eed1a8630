//! Which packages of languages belong to a distribution's packages, beside what
//! `dpkg -S` says of the same files.

use std::{fs, path::Path, process::Command};

use crate::support::{have, run, tree, write};

/// This machine's own dpkg database and the records of its Python packages,
/// and one that a user installed beside them.
#[test]
fn owners_are_those_that_dpkg_names() {
    if !have(&["dpkg", "dpkg-query", "cp", "find"]) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let packages = "usr/lib/python3/dist-packages";
    let copied = run(Command::new("sh").args([
        "-c",
        "cd / && cp --parents -a etc/os-release usr/lib/os-release var/lib/dpkg/status \"$1\" &&
         cp --parents var/lib/dpkg/info/*.list \"$1\" &&
         find \"$2\" -path '*-info/METADATA' -o -path '*-info/PKG-INFO' -o -name '*.egg-info' -type f |
             while read -r file; do cp --parents \"$file\" \"$1\" && echo \"$file\"; done",
        "sh",
        root.path().to_str().unwrap(),
        packages,
    ]));
    let user = "usr/local/lib/python3.11/dist-packages/left-1.0.dist-info/METADATA";
    write(
        root.path(),
        user,
        "Metadata-Version: 2.1\nName: left\nVersion: 1.0\n",
    );
    // What pip put among them is no package of Debian's.
    let beside = format!("{packages}/beside-1.0.dist-info/METADATA");
    write(
        root.path(),
        &beside,
        "Metadata-Version: 2.1\nName: beside\nVersion: 1.0\n",
    );

    let inventory = tree(root.path());
    let mut met = 0;
    for package in inventory.packages.iter().filter(|one| one.kind == "pypi") {
        let path = package.origin.path.as_str();
        let owner = package.owner.as_ref().map(|owner| owner.name.clone());
        assert_eq!(owner, owner_by_dpkg(path), "{path}");
        met += usize::from(owner.is_some());
    }
    let names: Vec<&str> = inventory
        .packages
        .iter()
        .filter(|one| one.kind == "pypi" && one.owner.is_none())
        .map(|one| one.name.as_str())
        .collect();
    for own in ["left", "beside"] {
        assert!(names.contains(&own), "{names:?}");
    }
    assert!(met > 0, "no Python package of Debian's among {copied}");
}

/// The package that owns a file of this machine; diversions are not followed.
fn owner_by_dpkg(path: &str) -> Option<String> {
    let path = Path::new("/").join(path);
    fs::symlink_metadata(&path).ok()?;
    let output = Command::new("dpkg").arg("-S").arg(&path).output().unwrap();
    if !output.status.success() {
        return None;
    }
    let said = String::from_utf8(output.stdout).unwrap();
    let line = said.lines().find(|line| !line.starts_with("diversion"))?;
    let name = line.split(": ").next()?.split(',').next()?;
    Some(name.split(':').next()?.to_owned())
}
