//! Distributions of rpm packages, scanned with a database of their own feed
//! alone: real headers in a database that rpm wrote, real documents of the
//! publisher.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::support::{Home, root};

/// What a spec is made of: `NAME EPOCH VERSION RELEASE [MODULE]`, and after a
/// colon the names of further packages of the same source.
fn spec(words: &str) -> String {
    let (words, more) = words.split_once(": ").unwrap_or((words, ""));
    let words: Vec<&str> = words.split(' ').collect();
    let (name, epoch, version, release) = (words[0], words[1], words[2], words[3]);
    let label = words
        .get(4)
        .map_or(String::new(), |label| format!("ModularityLabel: {label}\n"));
    let epoch = if epoch == "-" {
        String::new()
    } else {
        format!("Epoch: {epoch}\n")
    };
    let mut text = format!(
        "Name: {name}\nVersion: {version}\nRelease: {release}\n{epoch}{label}License: MIT\n\
         Summary: s\nBuildArch: noarch\n%description\nd\n"
    );
    for other in more.split(' ').filter(|other| !other.is_empty()) {
        text += &format!(
            "%package -n {other}\nSummary: s\n{label}%description -n {other}\nd\n%files -n {other}\n"
        );
    }
    text + "%files\n"
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A root filesystem with these packages, installed by rpm.
fn filesystem(home: &Home, name: &str, release: &str, specs: &[&str]) -> PathBuf {
    let target = home.path().join(name);
    fs::create_dir_all(target.join("etc")).unwrap();
    fs::write(target.join("etc/os-release"), release).unwrap();
    let build = home.path().join(format!("{name}-build"));
    fs::create_dir_all(&build).unwrap();
    for (at, words) in specs.iter().enumerate() {
        let path = build.join(format!("{at}.spec"));
        fs::write(&path, spec(words)).unwrap();
        let mut command = Command::new("rpmbuild");
        command.args(["-bb", "--quiet", "--define"]);
        command.arg(format!("_topdir {}", build.display()));
        run(command.arg(path));
    }
    let rpms = fs::read_dir(build.join("RPMS/noarch")).unwrap();
    let mut command = Command::new("rpm");
    command.arg("--root").arg(&target);
    command.args([
        "--define",
        "_dbpath /var/lib/rpm",
        "--define",
        "_db_backend sqlite",
    ]);
    command.args(["-i", "--nodeps", "--justdb", "--nosignature", "--force"]);
    run(command.args(rpms.map(|entry| entry.unwrap().path())));
    target
}

/// Builds a database from one feed alone.
fn database(home: &Home, feed: &str) -> String {
    let fixtures = root().join("crates/advisories/tests/fixtures/feeds");
    let database = home.path().join(format!("{feed}-db")).display().to_string();
    let empty = home.path().join("empty");
    fs::create_dir_all(&empty).unwrap();
    let choice = format!("{feed}={}", fixtures.join(feed).display());
    let from = empty.display().to_string();
    let arguments = [
        "db", "update", "--from", &from, "--feed", &choice, "--db", &database,
    ];
    let said = home.run(&arguments);
    assert_eq!(said.code, 0, "{}", said.err);
    database
}

/// What a scan finds, a line each: package, flaw, advisory, status, fixes.
fn found(home: &Home, database: &str, target: &Path) -> Vec<String> {
    let target = format!("rootfs:{}", target.display());
    let arguments = [
        "--db",
        database,
        "--only",
        "vulnerabilities",
        "--format",
        "json",
        &target,
    ];
    let said = home.scan(&arguments);
    assert_eq!(said.code, 0, "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let mut lines: Vec<String> = findings
        .filter(|finding| finding["vulnerability"].is_object())
        .map(|finding| {
            let flaw = &finding["vulnerability"];
            let fixes = flaw["fixed"].as_array().into_iter().flatten();
            let fixes: Vec<String> = fixes.map(text).collect();
            let fields = [
                text(&finding["package"]["name"]),
                text(&flaw["id"]),
                text(&flaw["advisory"]),
                text(&flaw["status"]),
                fixes.join(","),
            ];
            fields.join(" ").trim_end().to_owned()
        })
        .collect();
    lines.sort();
    lines
}

const RED_HAT: &str = "NAME=\"Red Hat Enterprise Linux\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\n\
                       PRETTY_NAME=\"Red Hat Enterprise Linux\"\nVERSION_ID=";

#[test]
fn red_hat_is_judged_by_its_vex() {
    if !seawall_testkit::have(&["rpm", "rpmbuild"]) {
        return;
    }
    let home = Home::new();
    let database = database(&home, "redhat-vex");
    let eight = filesystem(
        &home,
        "eight",
        &format!("{RED_HAT}\"8.10\"\n"),
        &[
            "postgresql - 12.19 1.module+el8.10.0+21846+c8ac5aef postgresql:12:8100020240520081744:489197e6: postgresql-server",
            "podman 4 4.9.4 12.module+el8.10.0+21974+acd2159c container-tools:rhel8:8100020240614090355:afee755d",
            "osbuild-composer - 101 1.el8",
            "grafana - 9.2.10 16.el8_10",
            "bash - 4.4.20 5.el8",
        ],
    );
    assert_eq!(
        found(&home, &database, &eight),
        [
            "osbuild-composer CVE-2022-1705 CVE-2022-1705 will-not-fix",
            "osbuild-composer CVE-2024-24786 CVE-2024-24786 affected",
            "postgresql CVE-2024-7348 RHSA-2024:6000 fixed 12.20-1.module+el8.10.0+22214+9beb89d6",
        ]
    );
    let nine = filesystem(
        &home,
        "nine",
        &format!("{RED_HAT}\"9.4\"\n"),
        &[
            "postgresql - 13.16 1.el9_2: postgresql-server",
            "podman 4 4.9.4 3.el9_4",
            "skopeo 2 1.14.3 1.el9_4",
            "golang - 1.21.7 1.el9",
        ],
    );
    assert_eq!(
        found(&home, &database, &nine),
        [
            "podman CVE-2022-1705 CVE-2022-1705 will-not-fix",
            "postgresql CVE-2024-7348 RHSA-2024:5999 fixed 13.16-1.el9_4",
            "skopeo CVE-2024-24786 RHSA-2024:2549 fixed 2:1.14.3-2.el9_4",
        ]
    );
}

#[test]
fn oracle_linux_is_judged_by_its_oval() {
    if !seawall_testkit::have(&["rpm", "rpmbuild"]) {
        return;
    }
    let home = Home::new();
    let database = database(&home, "oracle-oval");
    let release = |version: &str| {
        format!(
            "NAME=\"Oracle Linux Server\"\nID=\"ol\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"{version}\"\nPRETTY_NAME=\"Oracle Linux Server {version}\"\n"
        )
    };
    let seven = filesystem(
        &home,
        "seven",
        &release("7.9"),
        &[
            "microcode_ctl 2 2.1 22.el7",
            "kernel-uek - 4.14.35 1818.5.4.el7uek",
        ],
    );
    assert_eq!(
        found(&home, &database, &seven),
        ["microcode_ctl CVE-2017-5715 ELSA-2018-0012 fixed 2:2.1-22.2.el7"]
    );
    let eight = filesystem(
        &home,
        "eight",
        &release("8.9"),
        &[
            "openssl 1 1.1.1g 12.el8_3: openssl-libs",
            "bash - 4.4.20 5.el8",
        ],
    );
    assert_eq!(found(&home, &database, &eight), Vec::<String>::new());
}

#[test]
fn suse_is_judged_by_its_vex() {
    if !seawall_testkit::have(&["rpm", "rpmbuild"]) {
        return;
    }
    let home = Home::new();
    let database = database(&home, "suse-csaf");
    let release = |version: &str| {
        format!(
            "NAME=\"SLES\"\nID=\"sles\"\nID_LIKE=\"suse\"\nVERSION_ID=\"{version}\"\nPRETTY_NAME=\"SUSE Linux Enterprise Server\"\n"
        )
    };
    let five = filesystem(
        &home,
        "five",
        &release("15.5"),
        &[
            "python-aiohttp - 3.8.5 150400.10.8.1: python311-aiohttp",
            "mailx - 12.5 3.3.1",
        ],
    );
    assert_eq!(
        found(&home, &database, &five),
        ["python311-aiohttp CVE-2023-47627 CVE-2023-47627 fixed 3.9.3-150400.10.14.1"]
    );
    let four = filesystem(
        &home,
        "four",
        &release("15.4"),
        &["python-aiohttp - 3.4.4 150100.3.6.1: python3-aiohttp"],
    );
    assert_eq!(
        found(&home, &database, &four),
        ["python-aiohttp CVE-2023-47627 CVE-2023-47627 will-not-fix"]
    );
}
