//! `seawall sbom`, and what a scan finds in what it writes.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use seawall_image::Digest;
use serde_json::{Value, json};

use crate::support::{Home, root, shared, skip};

const FORMATS: [&str; 6] = [
    "cyclonedx",
    "cyclonedx-xml",
    "spdx",
    "spdx-tag-value",
    "spdx3",
    "syft",
];

/// A home with a database of all advisories that are here.
fn home() -> Option<Home> {
    let advisories = shared("advisories")?;
    let home = Home::new();
    let from = advisories.to_str().unwrap();
    let update = home.run(&["db", "update", "--from", from]);
    assert_eq!(update.code, 0, "{}", update.err);
    Some(home)
}

fn scan(home: &Home, target: &str) -> Value {
    let said = home.scan(&["--packages", "--format", "json", target]);
    assert_eq!(said.code, 0, "{target}: {}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

/// What a report says of findings, but where in the report it says so.
fn findings(report: &Value) -> Vec<String> {
    let packages = report["packages"].as_array().unwrap();
    let one = |finding: &Value| {
        let package = &finding["package"];
        // An owner by whom an advisory was left out must be there too.
        let listed = packages
            .iter()
            .filter(|one| one["purl"] == package["purl"])
            .count();
        format!(
            "{} {} {} {} {} {} {} {} {listed}",
            finding["rule"],
            finding["vulnerability"]["id"],
            finding["vulnerability"]["fixed"],
            finding["severity"],
            finding["confidence"],
            package,
            finding["location"],
            finding["fix"],
        )
    };
    // Secrets lie in files, which are no part of a document.
    let is_of_packages = |finding: &&Value| {
        let rule = finding["rule"].as_str().unwrap();
        rule.starts_with("package/") || rule.starts_with("os/")
    };
    let all = report["findings"].as_array().unwrap().iter();
    let mut all: Vec<String> = all.filter(is_of_packages).map(one).collect();
    all.sort();
    all
}

/// What is listed of each package, but for what no document holds: the owned
/// files, and bytes of places.
fn packages(report: &Value) -> Vec<String> {
    let mut all: Vec<String> = report["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let mut package = package.clone();
            let object = package.as_object_mut().unwrap();
            object.remove("files");
            // An edge names the version that serves, the manager may not.
            object.remove("requires");
            object.remove("depends_on");
            // Several licences are one expression.
            object.remove("licenses");
            package.to_string()
        })
        .collect();
    all.sort();
    all
}

/// Holds a scan of each document of `target` against a scan of it.
fn agree(home: &Home, target: &str) -> Value {
    let own = scan(home, target);
    for format in FORMATS {
        let file = format!("bom.{format}");
        let said = home.run(&["sbom", "--no-cache", "-f", format, "-o", &file, target]);
        assert_eq!(said.code, 0, "{target} as {format}: {}", said.err);
        // The file is told by what it holds.
        let report = scan(home, &file);
        assert_eq!(report["targets"][0]["kind"], "sbom", "{format}");
        for field in ["os", "digest", "layers"] {
            let (left, right) = (&report["targets"][0][field], &own["targets"][0][field]);
            assert_eq!(left, right, "{format}: {field}");
        }
        for what in [findings, packages] {
            let (theirs, ours) = (what(&report), what(&own));
            let more = theirs.iter().find(|one| !ours.contains(one));
            let fewer = ours.iter().find(|one| !theirs.contains(one));
            let numbers = (theirs.len(), ours.len());
            assert!(
                theirs == ours,
                "{target} as {format}: {numbers:?} {more:#?} {fewer:#?}"
            );
        }
        for (left, right) in edges(&report).iter().zip(&edges(&own)) {
            assert_eq!(left, right, "{target} as {format}");
        }
        // Twice the same, and the same from a document as from the target.
        let text = fs::read_to_string(home.path().join(&file)).unwrap();
        let again = home.run(&["sbom", "--no-cache", "-f", format, target]);
        assert!(again.out == text, "{format}");
    }
    own
}

/// The dependency graph, by package URLs.
fn edges(report: &Value) -> BTreeSet<(String, String)> {
    let packages = report["packages"].as_array().unwrap();
    let purl = |package: &Value| package["purl"].as_str().unwrap().to_owned();
    packages
        .iter()
        .flat_map(|package| {
            let to = package["depends_on"].as_array().unwrap().iter();
            to.map(|to| {
                let to = usize::try_from(to.as_u64().unwrap()).unwrap();
                (purl(package), purl(&packages[to]))
            })
        })
        .collect()
}

#[test]
fn a_scan_of_a_document_finds_what_a_scan_of_the_image_finds() {
    // The starter database knows what came after the dumps that are here.
    let home = Home::new();
    for name in ["alpine-310.tar.gz", "alpine-311.tar.gz"] {
        let Some(image) = shared(&format!("images/{name}")) else {
            return;
        };
        let own = agree(&home, image.to_str().unwrap());
        assert!(!findings(&own).is_empty(), "{name}");
        assert!(edges(&own).len() > 10, "{name}: {:?}", edges(&own));
        // The dumps end with these images. Had they never been mended:
        let old = agree(&home, &older(&home, &image));
        assert!(
            findings(&old).len() > 10,
            "{name}: {}",
            findings(&old).len()
        );
    }
}

/// The image with one layer more, in which each package is of a version that
/// came before all others.
fn older(home: &Home, image: &Path) -> String {
    let at = |name: &str| home.path().join(name);
    let _ = fs::remove_dir_all(at("unpacked"));
    fs::create_dir_all(at("unpacked")).unwrap();
    let script = "tar -xzf \"$1\" -C unpacked && cp unpacked/*/layer.tar 0.tar && \
                  tar -xf 0.tar -C unpacked lib/apk/db/installed && cd unpacked && \
                  sed -i 's/^V:.*/V:0.0.1-r0/' lib/apk/db/installed && tar -cf ../1.tar lib/apk";
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(image);
    let status = command.current_dir(home.path()).status();
    assert!(status.unwrap().success());
    archive(home, &["0.tar", "1.tar"])
}

#[test]
fn a_scan_of_a_document_of_a_project_points_at_the_same_lines() {
    let Some(home) = home() else { return };
    let own = agree(&home, root().join("examples/shop").to_str().unwrap());
    assert!(findings(&own).len() > 100);
    assert!(own["findings"][0]["location"]["line"].is_u64());
}

/// What Syft writes of an image is scanned as the image is.
#[test]
fn a_scan_of_a_document_of_syft_finds_what_a_scan_of_the_image_finds() {
    let Some(image) = shared("images/alpine-310.tar.gz") else {
        return;
    };
    let home = Home::new();
    let image = older(&home, &image);
    let formats = [
        "cyclonedx-json",
        "cyclonedx-xml",
        "spdx-json",
        "spdx-tag-value",
        "syft-json",
    ];
    let mut command = Command::new("syft");
    command
        .args(["scan", "--quiet", &format!("docker-archive:{image}")])
        .args(formats.map(|format| format!("--output={format}={format}")))
        .env("SYFT_CHECK_FOR_APP_UPDATE", "false")
        .current_dir(home.path());
    let Ok(output) = command.output() else {
        skip("there is no `syft`");
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let flaws = |target: &str| -> BTreeSet<String> {
        let report = scan(&home, target);
        let all = report["findings"].as_array().unwrap().iter();
        all.map(|one| {
            let (package, flaw) = (&one["package"], &one["vulnerability"]);
            let (name, version) = (&package["name"], &package["version"]);
            let (id, place) = (&flaw["id"], &one["location"]["path"]);
            format!("{} {id} {name} {version} {place}", one["rule"])
        })
        .collect()
    };
    let own = flaws(&image);
    assert!(own.len() > 10, "{own:#?}");
    for format in formats {
        assert_eq!(flaws(format), own, "{format}");
    }
}

/// The first file that a shell pattern names.
fn first(pattern: &str) -> Option<PathBuf> {
    let script = format!("ls -d {pattern} 2>/dev/null | head -n 1");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    let found = PathBuf::from(found.trim());
    if found.exists() {
        return Some(found);
    }
    skip(&format!("there is no {pattern}"));
    None
}

fn tar(from: &Path, names: &[&str], to: &Path) {
    let mut command = Command::new("tar");
    command.arg("-C").arg(from).arg("-chf").arg(to).args(names);
    assert!(command.status().unwrap().success(), "{command:?}");
}

/// An image of what real package managers and compilers left on this machine:
/// a Debian below, and programs of four languages above.
fn built(home: &Home) -> Option<String> {
    let go = first("/usr/local/bin/osv-scanner /root/go/bin/osv-scanner")?;
    let jar = first(
        "/usr/share/java/commons-lang3.jar /usr/share/maven-repo/org/apache/commons/commons-lang3/*/*.jar",
    )?;
    let python = first(
        "$(python3 -c 'import pip,os;print(os.path.dirname(os.path.dirname(pip.__file__)))')",
    )?;
    let node = first("$(npm root -g)/npm /usr/share/nodejs/npm /usr/lib/node_modules/npm")?;
    let at = |name: &str| home.path().join(name);
    for dir in ["app/bin", "app/lib", "app/node_modules"] {
        fs::create_dir_all(at("upper").join(dir)).unwrap();
    }
    fs::copy(go, at("upper/app/bin/tool")).unwrap();
    fs::copy(jar, at("upper/app/lib/commons.jar")).unwrap();
    let packages = at("upper/usr/lib/python3/site-packages");
    fs::create_dir_all(&packages).unwrap();
    for (from, to) in [(&python, &packages), (&node, &at("upper/app/node_modules"))] {
        let script = "cd \"$1\" && find . -maxdepth 7 \\( -name package.json -o -path '*.dist-info/METADATA' \
                      -o -path '*.dist-info/RECORD' \\) -print0 | head -z -n 400 | tar -c --null -T - | tar -x -C \"$2\"";
        let mut command = Command::new("sh");
        let status = command
            .args(["-c", script, "sh"])
            .arg(from)
            .arg(to)
            .status();
        assert!(status.unwrap().success());
    }
    tar(
        Path::new("/"),
        &[
            "etc/os-release",
            "etc/debian_version",
            "var/lib/dpkg/status",
        ],
        &at("0.tar"),
    );
    tar(&at("upper"), &["app", "usr"], &at("1.tar"));
    Some(archive(home, &["0.tar", "1.tar"]))
}

/// A docker-archive of these layers.
fn archive(home: &Home, layers: &[&str]) -> String {
    let at = |name: &str| home.path().join(name);
    let ids: Vec<String> = layers
        .iter()
        .map(|name| Digest::of(&fs::read(at(name)).unwrap()).to_string())
        .collect();
    let config = json!({
        "os": "linux", "architecture": "amd64", "created": "2024-05-06T07:08:09.123Z",
        "rootfs": {"type": "layers", "diff_ids": ids},
        "history": [{"created_by": "ADD system /"}, {"created_by": "COPY app /app"}],
    });
    fs::write(at("config.json"), config.to_string()).unwrap();
    let manifest = json!([{"Config": "config.json", "RepoTags": ["shop:1"], "Layers": layers}]);
    fs::write(at("manifest.json"), manifest.to_string()).unwrap();
    let mut names = vec!["manifest.json", "config.json"];
    names.extend(layers);
    tar(home.path(), &names, &at("image.tar"));
    "image.tar".to_owned()
}

#[test]
fn documents_of_an_image_of_many_languages_lose_nothing() {
    let Some(home) = home() else { return };
    let Some(image) = built(&home) else { return };
    let own = agree(&home, &image);
    let kinds: BTreeSet<&str> = own["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["type"].as_str().unwrap())
        .collect();
    for kind in ["deb", "npm", "pypi", "golang", "maven"] {
        assert!(kinds.contains(kind), "{kind} of {kinds:?}");
    }
    assert!(findings(&own).len() > 5, "{}", findings(&own).len());
    // Without the variable the time is the image's.
    let mut command = home.command(&["sbom", "--no-cache", "-f", "spdx", &image]);
    let output = command.env_remove("SOURCE_DATE_EPOCH").output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["creationInfo"]["created"], "2024-05-06T07:08:09Z");
}

#[test]
fn a_document_becomes_one_of_another_format() {
    let Some(image) = shared("images/alpine-310.tar.gz") else {
        return;
    };
    let home = Home::new();
    let first = home.run(&[
        "sbom",
        "--no-cache",
        "-o",
        "a.json",
        image.to_str().unwrap(),
    ]);
    assert_eq!(first.code, 0, "{}", first.err);
    let note = "packages written to `a.json`\n";
    assert!(first.err.ends_with(note), "{}", first.err);
    // Around all formats and back: nothing is lost on the way.
    for (index, format) in FORMATS
        .iter()
        .skip(1)
        .chain(["cyclonedx"].iter())
        .enumerate()
    {
        let (from, to) = (format!("{index}.json"), format!("{}.json", index + 1));
        let from = if index == 0 { "a.json" } else { &from };
        let said = home.run(&["sbom", "-f", format, "-o", &to, from]);
        assert_eq!(said.code, 0, "{format}: {}", said.err);
    }
    let text = |name: &str| fs::read_to_string(home.path().join(name)).unwrap();
    assert_eq!(text("6.json"), text("a.json"));
}

#[test]
fn a_scan_writes_what_it_found_into_a_document() {
    let Some(home) = home() else { return };
    let Some(image) = shared("images/alpine-310.tar.gz") else {
        return;
    };
    let (image, shop) = (image.to_str().unwrap(), root().join("examples/shop"));
    let shop = shop.to_str().unwrap();
    let report = scan(&home, shop);
    let said = home.scan(&["--format", "cyclonedx", shop]);
    assert_eq!(said.code, 0, "{}", said.err);
    let bom: Value = serde_json::from_str(&said.out).unwrap();
    let ids = |list: &Value, at: &str| -> BTreeSet<String> {
        let all = list.as_array().unwrap().iter();
        all.filter_map(|one| one.pointer(at)?.as_str().map(str::to_owned))
            .collect()
    };
    let wanted = ids(&report["findings"], "/vulnerability/id");
    assert!(wanted.len() > 50, "{wanted:?}");
    assert_eq!(ids(&bom["vulnerabilities"], "/id"), wanted);
    // A scan of the scan's document is the same scan.
    fs::write(home.path().join("scanned.json"), said.out).unwrap();
    assert_eq!(findings(&scan(&home, "scanned.json")), findings(&report));

    let two = home.scan(&["--format", "spdx", image, shop]);
    assert_eq!(two.code, 2);
    assert!(
        two.err.contains("about one target, and there are 2"),
        "{}",
        two.err
    );
    let without = home.scan(&["--format", "github", shop]);
    assert_eq!(without.code, 2);
    assert!(
        without.err.contains("needs the variable `GITHUB_SHA`"),
        "{}",
        without.err
    );
    let mut command = home.command(&["scan", "--offline", "--format", "github", shop]);
    command
        .env("GITHUB_SHA", "0".repeat(40))
        .env("GITHUB_REF", "refs/heads/main");
    let output = command.output().unwrap();
    let snapshot: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lock = &snapshot["manifests"]["web/package-lock.json"]["resolved"];
    assert!(lock.as_object().unwrap().len() > 10, "{lock}");
    assert_eq!(snapshot["scanned"], "2026-01-01T00:00:00Z");
}

#[test]
fn what_cannot_be_written_is_said() {
    let home = Home::new();
    let format = home.run(&["sbom", "-f", "yaml", "."]);
    assert_eq!(format.code, 2);
    assert!(
        format
            .err
            .contains("`yaml` is no format of a bill of materials"),
        "{}",
        format.err
    );
    let nothing = home.run(&["sbom", "./nothing"]);
    assert_eq!(nothing.code, 2);
    assert!(
        nothing.err.contains("there is no file or folder"),
        "{}",
        nothing.err
    );
    // What is damaged is not passed over in silence.
    fs::write(home.path().join("package-lock.json"), "{\"packages\":").unwrap();
    let damaged = home.run(&["sbom", "."]);
    assert_eq!(damaged.code, 0, "{}", damaged.err);
    let warning = "warning: not in the document: package-lock.json: ";
    assert!(damaged.err.contains(warning), "{}", damaged.err);
    let document = seawall_formats::read(damaged.out.as_bytes()).unwrap();
    assert!(document.packages.is_empty());
}
