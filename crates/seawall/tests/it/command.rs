//! The command-line contract: exit codes, errors, settings.

use std::{fs, io::Write, process::Stdio};

use crate::support::{Home, root, said, shared};

fn shop() -> String {
    root().join("examples/shop").to_str().unwrap().to_owned()
}

#[test]
fn the_readmes_first_command_finds_real_flaws_without_a_network() {
    let home = Home::new();
    let said = home.scan(&[&shop()]);
    assert_eq!(said.code, 0, "{}", said.err);
    for id in [
        "CVE-2021-25900",
        "CVE-2023-36053",
        "CVE-2024-24790",
        "CVE-2022-23633",
    ] {
        let found = said.out.contains(id);
        // The last one is a flaw of Rails, which the shop does not have.
        assert_eq!(found, id != "CVE-2022-23633", "{id}\n{}", said.out);
    }
    for ecosystem in ["npm", "PyPI", "Go", "crates.io", "Packagist", "RubyGems"] {
        assert!(
            said.out
                .contains(&format!("{ecosystem}: the starter database was used")),
            "{}",
            said.out
        );
    }
    assert!(
        said.err.contains("starter database of this release serves"),
        "{}",
        said.err
    );
}

#[test]
fn every_ecosystem_of_the_shop_has_findings_at_the_right_line() {
    let home = Home::new();
    let said = home.scan(&["--format", "json", &shop()]);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let findings = report["findings"].as_array().unwrap();
    for file in [
        "worker/Cargo.lock",
        "api/go.mod",
        "web/package-lock.json",
        "reports/requirements.txt",
        "billing/composer.lock",
        "admin/Gemfile.lock",
    ] {
        let text = fs::read_to_string(root().join("examples/shop").join(file)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let own: Vec<_> = findings
            .iter()
            .filter(|finding| finding["location"]["path"] == file)
            .collect();
        assert!(!own.is_empty(), "{file}");
        for finding in own {
            let line = finding["location"]["line"].as_u64().unwrap() as usize;
            let name = finding["package"]["name"].as_str().unwrap();
            // go.mod names the language, not the library.
            let shown = if name == "stdlib" {
                finding["package"]["version"].as_str().unwrap()
            } else {
                name
            };
            assert!(
                lines[line - 1].contains(shown),
                "{file}:{line} has no {shown}"
            );
        }
    }
}

#[test]
fn a_report_is_the_same_twice() {
    let home = Home::new();
    for format in ["json", "sarif", "junit", "html", "markdown", "table"] {
        let first = home.scan(&["--format", format, &shop()]);
        assert_eq!(first.out, home.scan(&["--format", format, &shop()]).out);
        assert!(!first.out.is_empty());
    }
}

#[test]
fn exit_codes_follow_the_threshold_and_the_gaps() {
    let home = Home::new();
    let Some(alpine) = shared("images/alpine-310.tar.gz") else {
        return;
    };
    let alpine = alpine.to_str().unwrap();
    assert_eq!(home.scan(&["--fail-on", "critical", &shop()]).code, 1);
    // Nothing critical, but the starter database is old: no clean result.
    let gaps = home.scan(&["--fail-on", "critical", alpine]);
    assert_eq!(gaps.code, 2, "{}", gaps.out);
    assert!(gaps.err.contains("hint: see the gaps"), "{}", gaps.err);
    assert_eq!(
        home.scan(&["--fail-on", "critical", "--allow-gaps", alpine])
            .code,
        0
    );
    // The release is past its end: high.
    assert_eq!(home.scan(&["--fail-on", "high", alpine]).code, 1);
    assert_eq!(home.scan(&[alpine]).code, 0);
}

#[test]
fn what_cannot_be_done_is_two_with_its_causes_and_a_hint() {
    let home = Home::new();
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("page.tar"), "<!DOCTYPE html><html>").unwrap();
    fs::write(at("empty.tar"), "").unwrap();
    fs::write(
        at("deep.json"),
        format!(
            "{{\"bomFormat\":\"CycloneDX\",\"components\":{}",
            "[".repeat(100_000)
        ),
    )
    .unwrap();
    fs::write(at("x.txt"), "hello").unwrap();
    let cases: [(&[&str], &str); 9] = [
        (&["./nothing"], "there is no file or folder `./nothing`"),
        (
            &["registry:debian:12"],
            "the registry: `--offline` forbids to ask it",
        ),
        (
            &["debian:12"],
            "Docker: none answers here; Podman: none answers here; containerd: ",
        ),
        (&["page.tar"], "it looks like an HTML page"),
        (&["empty.tar"], "it looks like an empty file"),
        (&["sbom:deep.json"], "it is damaged"),
        (
            &["--only", "vulnerabilities", "x.txt"],
            "a file of a kind that is not read",
        ),
        (&["--config", "none.toml", "."], "cannot read `none.toml`"),
        (
            &["--only", "config", "."],
            "`--only config` is not part of this release",
        ),
    ];
    for (arguments, want) in cases {
        let said = home.scan(arguments);
        assert_eq!(said.code, 2, "{arguments:?}: {}{}", said.out, said.err);
        assert!(said.err.starts_with("error: "), "{}", said.err);
        assert!(said.err.contains(want), "{arguments:?}: {}", said.err);
        assert_eq!(said.out, "", "{arguments:?}");
    }
    assert_eq!(home.run(&["scan", "--format", "yaml"]).code, 2);
    assert_eq!(home.run(&["frobnicate"]).code, 2);
    assert_eq!(home.run(&["--help"]).code, 0);
}

#[test]
fn one_target_that_fails_does_not_hide_the_others() {
    let home = Home::new();
    let said = home.scan(&["./nothing", &shop()]);
    assert_eq!(said.code, 2);
    assert!(said.out.contains("CVE-2021-25900"));
    assert!(said.err.contains("there is no file or folder `./nothing`"));
}

#[test]
fn settings_come_from_flag_environment_and_file_in_this_order() {
    let home = Home::new();
    fs::write(
        home.path().join("seawall.toml"),
        "[scan]\nfail-on = \"critical\"\nformat = \"json\"\n",
    )
    .unwrap();
    let file = home.scan(&[&shop()]);
    assert_eq!(file.code, 1);
    assert!(file.out.starts_with('{'));
    let variable = said(
        &home
            .command(&["scan", "--offline", &shop()])
            .env("SEAWALL_FORMAT", "markdown")
            .output()
            .unwrap(),
    );
    assert!(
        variable.out.starts_with("# Seawall report"),
        "{}",
        variable.out
    );
    assert!(
        home.scan(&["--format", "table", &shop()])
            .out
            .contains("shop (directory)")
    );
    fs::write(
        home.path().join("seawall.toml"),
        "[scan]\nfial-on = \"critical\"\n",
    )
    .unwrap();
    let wrong = home.scan(&[&shop()]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("seawall.toml:2:1"), "{}", wrong.err);
}

#[test]
fn a_suppression_hides_and_a_stale_one_is_named() {
    let home = Home::new();
    fs::write(
        home.path().join("seawall.toml"),
        "[[ignore]]\nrule = \"CVE-2021-25900\"\nreason = \"test\"\n[[ignore]]\nrule = \"CVE-1900-1\"\n",
    )
    .unwrap();
    let said = home.scan(&["--format", "json", &shop()]);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let is_it = |one: &&serde_json::Value| one["vulnerability"]["id"] == "CVE-2021-25900";
    let all = |key: &str| report[key].as_array().unwrap().iter().filter(is_it).count();
    assert_eq!((all("findings"), all("suppressed")), (0, 1));
    let by = &report["suppressed"][0]["suppressions"][0];
    assert_eq!(
        (&by["kind"], &by["place"]),
        (&"setting".into(), &"seawall.toml:1".into())
    );
    assert_eq!(report["summary"]["suppressed"], 1);
    assert!(
        said.err
            .contains("the suppression of `CVE-1900-1` matches nothing"),
        "{}",
        said.err
    );
}

#[test]
fn an_image_can_come_from_standard_input() {
    let Some(alpine) = shared("images/alpine-311.tar.gz") else {
        return;
    };
    let home = Home::new();
    let from_file = home.scan(&["--format", "json", "--packages", alpine.to_str().unwrap()]);
    let mut child = home
        .command(&[
            "scan",
            "--offline",
            "--no-cache",
            "--format",
            "json",
            "--packages",
            "-",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&fs::read(alpine).unwrap())
        .unwrap();
    let from_stdin = said(&child.wait_with_output().unwrap());
    let packages = |text: &str| {
        let report: serde_json::Value = serde_json::from_str(text).unwrap();
        (
            report["packages"].clone(),
            report["targets"][0]["digest"].clone(),
        )
    };
    assert_eq!(packages(&from_file.out), packages(&from_stdin.out));
    assert_eq!(packages(&from_file.out).0.as_array().unwrap().len(), 14);
}

#[test]
fn explain_says_why() {
    let home = Home::new();
    let said = home.run(&["explain", "--offline", "CVE-2021-25900", &shop()]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("smallvec 1.6.0"), "{}", said.out);
    assert!(said.out.contains(": affected"), "{}", said.out);
    let rule = home.run(&["explain", "os/end-of-life"]);
    assert!(rule.out.contains("## Why is this bad?"));
    let nothing = home.run(&["explain", "no/such-rule"]);
    assert_eq!(nothing.code, 2);
    assert!(
        nothing.err.contains("package/known-vulnerability"),
        "{}",
        nothing.err
    );
}

#[test]
fn a_database_is_built_used_and_described() {
    let Some(advisories) = shared("advisories") else {
        return;
    };
    let home = Home::new();
    let from = advisories.to_str().unwrap();
    let update = home.run(&[
        "db",
        "update",
        "--from",
        from,
        "--db",
        "db",
        "crates.io",
        "Alpine",
    ]);
    assert_eq!(update.code, 0, "{}", update.err);
    assert!(
        update.err.contains("3648 advisories of Alpine, crates.io"),
        "{}",
        update.err
    );
    let info = home.run(&["db", "info", "--db", "db"]);
    assert!(info.out.contains("Alpine:v3.10"), "{}", info.out);
    let scanned = home.scan(&["--db", "db", "--format", "json", &shop()]);
    let report: serde_json::Value = serde_json::from_str(&scanned.out).unwrap();
    assert_eq!(report["database"]["kind"], "installed");
    assert_eq!(
        report["database"]["ecosystems"],
        serde_json::json!(["crates.io", "crates.io:malicious"])
    );
    // What the database lacks is a gap, never a clean result.
    assert!(
        report["gaps"].to_string().contains("PyPI"),
        "{}",
        report["gaps"]
    );
    // A damaged shard is an error, never a wrong answer.
    for entry in fs::read_dir(home.path().join("db")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with("crates-io-") && !name.contains("malicious") {
            let mut bytes = fs::read(entry.path()).unwrap();
            let middle = bytes.len() / 3;
            for byte in &mut bytes[..middle] {
                *byte ^= 0x55;
            }
            fs::write(entry.path(), bytes).unwrap();
        }
    }
    let damaged = home.scan(&["--db", "db", "--fail-on", "critical", &shop()]);
    assert_eq!(damaged.code, 2, "{}{}", damaged.out, damaged.err);
    assert!(damaged.err.contains("damaged"), "{}", damaged.err);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let home = Home::new();
    let mut child = home
        .command(&["scan", "--offline", "--format", "json", &shop()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let said = said(&output);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(!said.err.contains("error"), "{}", said.err);
}

#[test]
fn completions_and_manual_pages_are_made() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(
            home.run(&["completions", shell]).out.contains("fail-on"),
            "{shell}"
        );
    }
    assert!(home.run(&["man"]).out.contains(".TH seawall"));
    assert_eq!(home.run(&["man", "pages"]).code, 0);
    assert!(home.path().join("pages/seawall-scan.1").is_file());
}
