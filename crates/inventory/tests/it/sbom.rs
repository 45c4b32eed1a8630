//! Bills of materials that lie in an image, written by Syft.

use std::{fs, path::Path, process::Command};

use seawall_model::Technique;

use crate::support::{gaps, have, purls, run, syft, tree, write};

const RELEASE: &str = "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian 12\"\n";

/// What Syft says of a lock file, in one of its formats.
fn document(format: &str) -> String {
    let locks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/locks/npm-3");
    let script = "SYFT_CHECK_FOR_APP_UPDATE=false syft scan -q -o \"$2\" \"dir:$1\"";
    let mut command = Command::new("sh");
    run(command.args(["-c", script, "sh"]).arg(locks).arg(format))
}

#[test]
fn documents_of_every_format_name_what_syft_found() {
    if !have(&["syft", "jq"]) {
        return;
    }
    let work = tempfile::NamedTempFile::new().unwrap();
    fs::write(work.path(), document("syft-json")).unwrap();
    let mut jq = Command::new("jq");
    let said = run(jq.args(["-r", ".artifacts[].purl"]).arg(work.path()));
    let mut expected: Vec<&str> = said.lines().collect();
    expected.sort_unstable();
    expected.dedup();
    assert!(expected.len() > 30);
    for (format, path) in [
        ("spdx-json", "opt/bitnami/app/.spdx-app.spdx"),
        ("spdx-tag-value", "srv/app.spdx"),
        ("cyclonedx-json", "app/META-INF/sbom/application.cdx.json"),
        ("cyclonedx-json", "app/bom.json"),
        ("cyclonedx-xml", "app/bom.xml"),
        ("syft-json", "app/x.syft.json"),
        ("spdx-json", "var/lib/db/sbom/app-1.0-r0.spdx.json"),
        ("cyclonedx-json", "usr/local/share/sbom/image"),
    ] {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), path, document(format));
        let inventory = tree(root.path());
        let found: Vec<String> = purls(&inventory)
            .into_iter()
            .filter(|purl| purl.starts_with("pkg:npm/"))
            .collect();
        assert_eq!(found, expected, "{path}");
        for package in &inventory.packages {
            assert_eq!(package.technique, Technique::Sbom);
            assert_eq!(package.origin.path, path);
        }
    }
}

/// What is there is told by itself; a document's word counts for the rest.
#[test]
fn what_is_there_is_not_told_twice() {
    if !have(&["syft"]) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "etc/os-release", RELEASE);
    for path in ["a/bom.json", "b/bom.json"] {
        write(root, path, document("cyclonedx-json"));
    }
    let all = tree(root);
    let first = all.packages.iter().find(|one| one.kind == "npm").unwrap();
    assert_eq!(first.origin.path, "a/bom.json");
    let record = format!(
        "{{\"name\":\"{}\",\"version\":\"{}\"}}",
        first.name, first.version
    );
    let path = format!("app/node_modules/{}/package.json", first.name);
    write(root, &path, record);
    let inventory = tree(root);
    assert_eq!(inventory.packages.len(), all.packages.len());
    let own: Vec<_> = inventory
        .packages
        .iter()
        .filter(|one| one.name == first.name && one.version == first.version)
        .collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].technique, Technique::Manifest);
    assert_eq!(own[0].origin.path, path);
}

/// A document made before an upgrade names releases that are gone.
#[test]
fn a_database_tells_better_which_packages_are_there() {
    if !have(&["syft"]) {
        return;
    }
    let old = tempfile::tempdir().unwrap();
    let status = |version: &str| {
        format!(
            "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\n\
             Source: openssl\nVersion: {version}\n"
        )
    };
    write(old.path(), "etc/os-release", RELEASE);
    write(old.path(), "var/lib/dpkg/status", status("3.0.1-1"));
    let script = "SYFT_CHECK_FOR_APP_UPDATE=false syft scan -q -o spdx-json \"dir:$1\"";
    let said = run(Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(old.path()));
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "etc/os-release", RELEASE);
    write(root, "usr/share/sbom/base.spdx.json", said);
    let alone = tree(root);
    let package = &alone.packages[0];
    assert_eq!(
        (package.name.as_str(), package.technique),
        ("libssl3", Technique::Sbom)
    );
    assert_eq!(package.source.as_ref().unwrap().name, "openssl");
    write(root, "var/lib/dpkg/status", status("3.0.2-1"));
    assert_eq!(
        purls(&tree(root)),
        ["pkg:deb/debian/libssl3@3.0.2-1?arch=amd64&distro=debian-12&upstream=openssl"]
    );
}

/// Bitnami's list, and its bill of materials for one component (SPDX 2.3 as
/// its images have it).
#[test]
fn components_of_bitnami() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "etc/os-release", RELEASE);
    write(
        root,
        "opt/bitnami/.bitnami_components.json",
        r#"{"postgresql":{"arch":"amd64","distro":"debian-12","type":"NAMI","version":"17.5.0-0"}}"#,
    );
    write(
        root,
        "opt/bitnami/nginx/.spdx-nginx.spdx",
        r#"{"SPDXID":"SPDXRef-DOCUMENT","spdxVersion":"SPDX-2.3","name":"SPDX document for NGINX 1.27.5",
        "dataLicense":"CC0-1.0","documentNamespace":"https://example.org/nginx",
        "creationInfo":{"created":"2025-05-01T00:00:00Z","creators":["Organization: VMware, Inc."]},
        "documentDescribes":["SPDXRef-Package-nginx"],
        "packages":[{"SPDXID":"SPDXRef-Package-nginx","name":"nginx","versionInfo":"1.27.5-0",
        "downloadLocation":"https://nginx.org/download/nginx-1.27.5.tar.gz","licenseConcluded":"BSD-2-Clause",
        "licenseDeclared":"BSD-2-Clause","copyrightText":"NOASSERTION","filesAnalyzed":false,
        "externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl",
        "referenceLocator":"pkg:bitnami/nginx@1.27.5-0?arch=amd64&distro=debian-12"}]}],"relationships":[]}"#,
    );
    let inventory = tree(root);
    assert_eq!(
        purls(&inventory),
        [
            "pkg:bitnami/nginx@1.27.5-0?arch=amd64&distro=debian-12",
            "pkg:bitnami/postgresql@17.5.0-0?arch=amd64&distro=debian-12",
        ]
    );
    if have(&["syft", "jq"]) {
        let theirs: Vec<String> = syft(root, "bitnami");
        assert!(!theirs.is_empty());
        assert!(
            theirs.iter().all(|purl| purls(&inventory).contains(purl)),
            "{theirs:?}"
        );
    }
}

#[test]
fn a_damaged_document_is_a_gap_and_what_is_none_is_not() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(
        root,
        "a/app.cdx.json",
        "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"comp",
    );
    write(root, "a/app.spdx", "");
    write(
        root,
        "a/empty.cdx.json",
        "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\"}",
    );
    write(root, "b/bom.json", "{\"parts\":[1,2]}");
    write(root, "b/sbom", "#!/bin/sh\n");
    write(root, "c/bom.xml", "<?xml version=\"1.0\"?><a/>");
    let inventory = tree(root);
    assert_eq!(inventory.packages.len(), 0);
    let subjects: Vec<String> = gaps(&inventory)
        .iter()
        .map(|gap| gap.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        subjects,
        [
            "damaged a/app.cdx.json",
            "damaged a/app.spdx",
            "missing a/empty.cdx.json"
        ]
    );
    // A deep one comes to an end.
    let deep = format!(
        "{{\"bomFormat\":\"CycloneDX\",\"components\":{}",
        "[{\"components\":".repeat(100_000)
    );
    write(root, "a/app.cdx.json", deep);
    assert!(
        gaps(&tree(root))
            .iter()
            .any(|gap| gap.starts_with("damaged a/app.cdx.json"))
    );
    fs::remove_dir_all(root.join("a")).unwrap();
    assert_eq!(gaps(&tree(root)), Vec::<String>::new());
}
