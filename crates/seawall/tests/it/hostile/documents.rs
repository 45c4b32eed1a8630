//! Documents nested beyond sense, and images whose documents name what is not
//! there.

use std::{fs, os::unix::fs::symlink};

use seawall_image::Digest;

use super::{
    Bounded,
    craft::{Image, alpine, blob, file, tar},
    need, refused, report, scan_bytes, scan_stream,
};
use crate::support::Home;

const DEEP: usize = 100_000;

/// JSON as deep as it goes, closed or left open.
fn deep() -> [String; 4] {
    let object = r#"{"a":"#.repeat(DEEP);
    [
        "[".repeat(DEEP),
        "[".repeat(DEEP) + &"]".repeat(DEEP),
        object.clone(),
        object + "1" + &"}".repeat(DEEP),
    ]
}

#[test]
fn deep_documents_of_an_image_are_refused() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    let image = Image::plain(&[alpine()]);
    for bad in deep() {
        // In the place of the document, and as a value in it.
        for (at, name) in [(1, "config.json"), (2, "manifest.json")] {
            let inside = if name == "config.json" {
                let config = String::from_utf8(image.config()).unwrap();
                config.replacen('{', &format!("{{\"x\":{bad},"), 1)
            } else {
                format!(r#"[{{"Config":"config.json","x":{bad},"Layers":["0.tar"]}}]"#)
            };
            for text in [bad.clone(), inside] {
                let mut entries = image.docker_entries();
                entries[at] = file(name, &text);
                let bytes = tar(&entries);
                for said in [
                    scan_bytes(&home, "archive", &bytes),
                    scan_stream(&home, &bytes),
                ] {
                    // What nobody asks for may be as deep as it likes.
                    if said.code != 0 {
                        refused(&said, &["of the image is malformed"]);
                    } else {
                        assert!(text.ends_with('}') || text.ends_with(']'), "{}", said.out);
                        report(&said);
                    }
                }
            }
        }
        let index = file("index.json", &bad);
        for said in [
            scan_bytes(&home, "archive", &tar(std::slice::from_ref(&index))),
            scan_stream(&home, &tar(&[index])),
        ] {
            // An object is an index all the same, of nothing.
            let reason = if bad.ends_with('}') {
                "there is no image for"
            } else {
                "`index.json` of the image is malformed"
            };
            refused(&said, &[reason]);
        }
        // A manifest under its right digest.
        let digest = Digest::of(bad.as_bytes()).to_string();
        let entries = [
            file(&blob(bad.as_bytes()), &bad),
            file(
                "index.json",
                format!(r#"{{"manifests":[{{"digest":"{digest}"}}]}}"#),
            ),
        ];
        refused(
            &scan_bytes(&home, "archive", &tar(&entries)),
            &[&blob(bad.as_bytes()), "is malformed"],
        );
    }
}

#[test]
fn indexes_that_lead_in_circles_or_nowhere_end() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    // Indexes in indexes, each under its digest.
    let mut entries = Vec::new();
    let mut inner = "{}".to_owned();
    for _ in 0..50 {
        let digest = Digest::of(inner.as_bytes()).to_string();
        entries.push(file(&blob(inner.as_bytes()), &inner));
        inner = format!(r#"{{"manifests":[{{"digest":"{digest}"}}]}}"#);
    }
    entries.push(file("index.json", &inner));
    for said in [
        scan_bytes(&home, "archive", &tar(&entries)),
        scan_stream(&home, &tar(&entries)),
    ] {
        refused(
            &said,
            &["the depth of image indexes is over the limit of 4"],
        );
    }
    for digest in ["sha256:../../../etc/passwd", "sha256:00", "md5:00", ""] {
        let index = format!(r#"{{"manifests":[{{"digest":"{digest}"}}]}}"#);
        let said = scan_bytes(&home, "archive", &tar(&[file("index.json", index)]));
        refused(&said, &["`index.json` of the image is malformed"]);
    }
}

#[test]
fn what_a_manifest_names_must_be_there_and_be_it() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    let image = Image::plain(&[alpine(), tar(&[file("x", "y")])]);
    let mut cases = Vec::new();
    for gone in ["0.tar", "1.tar", "config.json"] {
        let without = |entry: &&Vec<u8>| !entry.starts_with(gone.as_bytes());
        let entries = image.docker_entries();
        let entries: Vec<_> = entries.iter().filter(without).cloned().collect();
        cases.push((
            tar(&entries),
            format!("the image names `{gone}`, which is not there"),
        ));
    }
    // Links that lead in circles, nowhere and to the manifest itself.
    for link in ["0.tar", "nowhere", "manifest.json"] {
        let mut entries = image.docker_entries();
        entries[0] = super::craft::entry("0.tar", b'2', link, b"");
        cases.push((tar(&entries), "`0.tar`".to_owned()));
    }
    let mut swapped = image.clone();
    swapped.layers.swap(0, 1);
    let mut entries = image.docker_entries();
    entries[2] = file("config.json", swapped.config());
    cases.push((tar(&entries), "has the digest".to_owned()));
    let mut fewer = image.clone();
    fewer.layers.pop();
    entries[2] = file("config.json", fewer.config());
    cases.push((tar(&entries), "it has 1 diff ids for 2 layers".to_owned()));
    for outside in ["../../etc/passwd", "/../x", ""] {
        let manifest = format!(r#"[{{"Config":"config.json","Layers":["{outside}"]}}]"#);
        let mut entries = image.docker_entries();
        entries[3] = file("manifest.json", manifest);
        cases.push((
            tar(&entries),
            "is no name of a file in the image".to_owned(),
        ));
    }
    for (bytes, reason) in cases {
        for said in [
            scan_bytes(&home, "archive", &bytes),
            scan_stream(&home, &bytes),
        ] {
            refused(&said, &[&reason]);
        }
    }
    // Every blob of an OCI archive changed by one byte, name unchanged.
    for at in 0..3 {
        let mut files = image.layout();
        files[at].1[0] ^= 1;
        let entries: Vec<_> = files
            .iter()
            .map(|(name, bytes)| file(name, bytes))
            .collect();
        let name = files[at].0.rsplit('/').next().unwrap().to_owned();
        for said in [
            scan_bytes(&home, "archive", &tar(&entries)),
            scan_stream(&home, &tar(&entries)),
        ] {
            refused(&said, &[&name]);
        }
    }
}

#[test]
fn deep_lock_files_and_boms_are_gaps_or_errors() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    let at = |name: &str| home.path().join(name);
    for [before, behind] in [["[", "]"], ["{\"a\":", "}"], ["{a=", "}"]] {
        let bad = before.repeat(DEEP) + "1" + &behind.repeat(DEEP);
        for (name, text) in [
            (
                "package-lock.json",
                format!("{{\"lockfileVersion\":3,\"packages\":{bad}}}"),
            ),
            (
                "package-lock.json",
                format!("{{\"lockfileVersion\":1,\"dependencies\":{bad}}}"),
            ),
            ("composer.lock", format!("{{\"packages\":{bad}}}")),
            ("Cargo.lock", format!("package = {bad}\n")),
            ("poetry.lock", format!("package = {bad}\n")),
            ("uv.lock", format!("package = {bad}\n")),
        ] {
            fs::create_dir_all(at("project")).unwrap();
            fs::write(at("project").join(name), text).unwrap();
            let said = Bounded::new(&home).scan(&["--format", "json", "dir:project"]);
            // Folders of a workspace, of which nothing but links is wanted, may
            // be as deep as they like.
            let found = report(&said);
            let is_said = super::has_gap(&found, name, "");
            assert!(is_said || name == "package-lock.json", "{name}: {found}");
            fs::remove_file(at("project").join(name)).unwrap();
        }
    }
    for bad in deep() {
        for text in [
            bad.clone(),
            format!(r#"{{"bomFormat":"CycloneDX","components":{bad}}}"#),
        ] {
            fs::write(at("bom.json"), text).unwrap();
            refused(&Bounded::new(&home).scan(&["sbom:bom.json"]), &["bom.json"]);
        }
    }
}

#[test]
fn targets_that_are_nothing_are_refused() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    fs::write(home.path().join("empty"), "").unwrap();
    fs::create_dir(home.path().join("folder")).unwrap();
    symlink("loop", home.path().join("loop")).unwrap();
    for scheme in ["archive", "oci", "rootfs", "dir", "file", "sbom"] {
        for name in ["empty", "loop", "nothing", "/dev/null", "/dev/zero"] {
            let target = format!("{scheme}:{name}");
            // As much as a bill of materials may have is read of a device.
            if target == "sbom:/dev/zero" {
                continue;
            }
            refused(&Bounded::new(&home).scan(&[&target]), &[name]);
        }
    }
    for scheme in ["archive", "oci", "file", "sbom"] {
        refused(
            &Bounded::new(&home).scan(&[&format!("{scheme}:folder")]),
            &["folder"],
        );
    }
    for target in ["empty", "loop", "/dev/null"] {
        refused(&Bounded::new(&home).scan(&[target]), &[target]);
    }
}
