//! apk's database against the file itself and against Syft.

use std::{path::Path, process::Command};

use seawall_image::Source;

use crate::support::{gaps, have, installed, run, shared, tree, write};

/// The database inside an image, read by tools that know nothing of it.
pub(crate) fn database(image: &Path) -> String {
    let script = "layer=$(tar tzf \"$1\" | grep 'layer.tar$') &&
        tar xzOf \"$1\" \"$layer\" | tar xO lib/apk/db/installed";
    run(Command::new("sh").args(["-c", script, "sh"]).arg(image))
}

/// Runs an awk program over a database whose paragraphs end in an empty line.
fn awk(database: &str, program: &str) -> Vec<String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), database).unwrap();
    let said = run(Command::new("awk").arg(program).arg(file.path()));
    let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

const PACKAGES: &str = r#"
    function flush() { if (p != "") print p "\t" v "\t" a "\t" o "\t" l; p = v = a = o = l = "" }
    /^P:/ { p = substr($0, 3) }
    /^V:/ { v = substr($0, 3) }
    /^A:/ { a = substr($0, 3) }
    /^o:/ { o = substr($0, 3) }
    /^L:/ { l = substr($0, 3) }
    /^$/ { flush() }
    END { flush() }
"#;

const FILES: &str = r#"
    /^P:/ { p = substr($0, 3) }
    /^F:/ { f = substr($0, 3) }
    /^R:/ { print p "\t" (f == "" ? "" : f "/") substr($0, 3) }
"#;

#[test]
fn alpine_images_agree_with_their_database() {
    if !have(&["tar", "awk", "sh"]) {
        return;
    }
    for (image, version) in [
        ("alpine-310.tar.gz", "3.10."),
        ("alpine-311.tar.gz", "3.11."),
    ] {
        let Some(path) = shared("images").map(|dir| dir.join(image)) else {
            return;
        };
        let inventory = installed(Source::Archive(path.clone()));
        assert_eq!(gaps(&inventory), Vec::<String>::new(), "{image}");
        let os = inventory.os.as_ref().unwrap();
        assert_eq!(os.id, "alpine");
        assert!(os.version.starts_with(version), "{}", os.version);
        let database = database(&path);
        let mut packages: Vec<String> = Vec::new();
        let mut files: Vec<String> = Vec::new();
        for package in inventory.packages.iter().filter(|one| one.kind == "apk") {
            let source = package.source.as_ref().unwrap();
            let arch = package.arch.as_deref().unwrap();
            let licenses = package.licenses.join("\n");
            let fields = [
                &package.name,
                &package.version,
                arch,
                &source.name,
                &licenses,
            ];
            packages.push(fields.join("\t"));
            files.extend(
                package
                    .files
                    .iter()
                    .map(|file| format!("{}\t{file}", package.name)),
            );
            assert_eq!(package.origin.layer, Some(0));
            assert_eq!(package.origin.path, "lib/apk/db/installed");
        }
        packages.sort();
        files.sort();
        assert!(packages.len() >= 14);
        assert_eq!(packages, awk(&database, PACKAGES));
        assert!(files.len() > 50);
        assert_eq!(files, awk(&database, FILES));
    }
}

#[test]
fn alpine_images_agree_with_syft() {
    if !have(&["syft", "jq", "gzip"]) {
        return;
    }
    for image in ["alpine-310.tar.gz", "alpine-311.tar.gz"] {
        let Some(path) = shared("images").map(|dir| dir.join(image)) else {
            return;
        };
        let work = tempfile::tempdir().unwrap();
        // Syft reads archives that are not packed.
        let script = "gzip -dc \"$1\" > \"$2/image.tar\" && SYFT_CHECK_FOR_APP_UPDATE=false \
            syft scan -q -o json \"docker-archive:$2/image.tar\" |
            jq -r '.artifacts[] | select(.type == \"apk\") | .purl'";
        let mut command = Command::new("sh");
        command
            .args(["-c", script, "sh"])
            .arg(&path)
            .arg(work.path());
        let said = run(&mut command);
        let mut theirs: Vec<&str> = said.lines().collect();
        theirs.sort_unstable();
        let inventory = installed(Source::Archive(path));
        let mut ours: Vec<&str> = inventory
            .packages
            .iter()
            .filter(|package| package.kind == "apk")
            .map(|package| package.purl.as_str())
            .collect();
        ours.sort_unstable();
        assert_eq!(ours, theirs, "{image}");
    }
}

/// Between two releases the database moved: what both places hold counts once.
#[test]
fn both_places_of_the_database_are_read() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "etc/os-release", "ID=alpine\nVERSION_ID=3.22.1\n");
    write(root, "etc/alpine-release", "3.22.1\n");
    write(
        root,
        "lib/apk/db/installed",
        "P:musl\nV:1\nA:x86_64\n\nP:old\nV:1\n\n",
    );
    write(
        root,
        "usr/lib/apk/db/installed",
        "P:musl\nV:1\nA:x86_64\n\nP:musl\nV:2\nA:x86_64\n\n",
    );
    let inventory = tree(root);
    let found: Vec<_> = inventory
        .packages
        .iter()
        .map(|one| {
            (
                one.name.as_str(),
                one.version.as_str(),
                one.origin.path.as_str(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("musl", "1", "usr/lib/apk/db/installed"),
            ("musl", "2", "usr/lib/apk/db/installed"),
            ("old", "1", "lib/apk/db/installed"),
        ]
    );
}
