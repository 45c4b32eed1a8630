//! What Syft writes of one image in each of its formats reads as the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use seawall_formats::{Document, Kind, read};
use seawall_model::TargetKind;

use crate::support::{have, run, shared};

/// Every format that Syft writes, of one image.
fn syft(image: &str) -> Option<BTreeMap<&'static str, Vec<u8>>> {
    let image = shared(image)?;
    if !have(&["syft", "gunzip"]) {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    // Syft takes a docker-archive only unpacked.
    let tar = dir.path().join("image.tar");
    fs::write(
        &tar,
        run(Command::new("gunzip").arg("-c").arg(image)).stdout,
    )
    .unwrap();
    let mut command = Command::new("syft");
    command
        .arg("scan")
        .arg("--quiet")
        .arg(format!("docker-archive:{}", tar.display()))
        .env("SYFT_CHECK_FOR_APP_UPDATE", "false");
    let formats = [
        "cyclonedx-json",
        "cyclonedx-xml",
        "spdx-json",
        "spdx-json@2.2",
        "spdx-tag-value",
        "syft-json",
    ];
    for format in formats {
        let file = dir.path().join(format);
        command.arg(format!("--output={format}={}", file.display()));
    }
    run(&mut command);
    Some(
        formats
            .into_iter()
            .map(|format| (format, fs::read(dir.path().join(format)).unwrap()))
            .collect(),
    )
}

/// What decides which flaws are found, of each package.
fn facts(document: &Document) -> BTreeSet<String> {
    let one = |one: &seawall_model::Package| {
        let source = one.source.as_ref();
        format!(
            "{} {} {} {:?} {:?}",
            one.kind,
            one.name,
            one.version,
            one.arch,
            source.map(|source| (&source.name, &source.version))
        )
    };
    document.packages.iter().map(one).collect()
}

/// The dependency graph, by names.
fn edges(document: &Document) -> BTreeSet<(String, String)> {
    document
        .packages
        .iter()
        .flat_map(|one| {
            let to = one.requires.iter();
            to.map(|to| (one.name.clone(), to.name.clone()))
        })
        .collect()
}

#[test]
fn all_formats_of_syft_read_as_one() {
    for image in ["images/alpine-310.tar.gz", "images/alpine-311.tar.gz"] {
        let Some(all) = syft(image) else { return };
        let syfts = read(&all["syft-json"]).unwrap();
        assert_eq!(syfts.packages.len(), 14, "{image}");
        assert!(edges(&syfts).len() > 20, "{:?}", edges(&syfts));
        for (format, bytes) in &all {
            let document = read(bytes).unwrap();
            assert_eq!(facts(&document), facts(&syfts), "{format}");
            assert_eq!(edges(&document), edges(&syfts), "{format}");
            let (os, own) = (
                document.target.os.unwrap(),
                syfts.target.os.as_ref().unwrap(),
            );
            assert_eq!((&os.id, &os.version), (&own.id, &own.version), "{format}");
            assert_eq!(
                document.target.describes,
                Some(TargetKind::Image),
                "{format}"
            );
            assert_eq!(document.gaps, [], "{format}");
            assert!(document.epochs_left_out, "{format}");
            for package in &document.packages {
                let (path, licenses) = (&package.origin.path, &package.licenses);
                assert_eq!(path, "lib/apk/db/installed", "{format}: {package:?}");
                assert!(!licenses.is_empty(), "{format}: {package:?}");
            }
        }
        assert_eq!(syfts.target.layers.len(), 1);
        assert!(syfts.packages.iter().all(|one| one.origin.layer == Some(0)));
        assert_eq!(read(&all["syft-json"]).unwrap().kind, Kind::SyftJson);
    }
}
