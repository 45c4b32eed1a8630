//! Reports of the real binary: published schemas, places that open, and what a
//! terminal and a pipe get.

use std::{fs, path::PathBuf, process::Command};

use serde_json::Value;

use crate::support::{Home, root, said, shared, skip};

fn scan(format: &str) -> String {
    let shop = root().join("examples/shop");
    let said = Home::new().scan(&["--packages", "--format", format, shop.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.err);
    said.out
}

pub(crate) fn validate(schema: &str, report: &str) {
    let mut schema: Value = serde_json::from_str(schema).unwrap();
    // The official schema of SARIF holds a pattern with a bracket too many,
    // which no strict validator compiles; the report has no such field.
    if let Some(language) = schema.pointer_mut("/definitions/run/properties/language") {
        language.as_object_mut().unwrap().remove("pattern");
    }
    if let Some(language) = schema.pointer_mut("/definitions/toolComponent/properties/language") {
        language.as_object_mut().unwrap().remove("pattern");
    }
    let report: Value = serde_json::from_str(report).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&report)
        .take(5)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn json_follows_the_published_schema() {
    let schema = fs::read_to_string(root().join("docs/report.schema.json")).unwrap();
    validate(&schema, &scan("json"));
}

#[test]
fn sarif_follows_the_official_schema() {
    let path = root().join("crates/report/tests/fixtures/sarif-schema-2.1.0.json");
    validate(&fs::read_to_string(path).unwrap(), &scan("sarif"));
}

#[test]
fn gitlabs_reports_follow_its_schemas() {
    let schema = |name: &str| {
        let path = format!("crates/report/tests/fixtures/{name}-15.0.7.json");
        fs::read_to_string(root().join(path)).unwrap()
    };
    let report = scan("gitlab-dependency-scanning");
    validate(&schema("gitlab-dependency-scanning"), &report);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["scan"]["start_time"], "2026-01-01T00:00:00");
    let files = report["dependency_files"].as_array().unwrap();
    assert_eq!(files.len(), 6, "{files:#?}");

    let shop = root().join("examples/shop");
    let home = Home::new();
    let arguments = ["--format", "gitlab-container-scanning"];
    let refused = home.scan(&[&arguments[..], &[shop.to_str().unwrap()]].concat());
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
    assert!(
        refused
            .err
            .contains("hint: `--format gitlab-dependency-scanning` is about what was scanned"),
        "{}",
        refused.err
    );
    if let Some(alpine) = shared("images/alpine-310.tar.gz") {
        let said = home.scan(&[&arguments[..], &[alpine.to_str().unwrap()]].concat());
        validate(&schema("gitlab-container-scanning"), &said.out);
        let report: Value = serde_json::from_str(&said.out).unwrap();
        let system = &report["vulnerabilities"][0]["location"]["operating_system"];
        assert!(
            system
                .as_str()
                .is_none_or(|one| one.starts_with("alpine:3.10"))
        );
    }
}

/// The places of annotations and of code quality are those of the repository,
/// wherever Seawall was started and however the folder was named.
#[test]
fn code_hosts_are_shown_files_of_the_repository() {
    let root = root();
    let shop = root.join("examples/shop");
    for (target, started, variable) in [
        (".", &shop, "GITHUB_WORKSPACE"),
        ("examples/shop", &root, "CI_PROJECT_DIR"),
        (shop.to_str().unwrap(), &root, "UNUSED"),
    ] {
        let run = |format: &str| {
            let mut command = Home::new().command(&["scan", "--offline", "--no-cache", target]);
            command.args(["--format", format]).env(variable, &root);
            let output = command.current_dir(started).output().unwrap();
            said(&output).out
        };
        let text = run("github-annotations");
        let files: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split_once(",file=")?.1.split_once(','))
            .map(|(file, _)| file)
            .collect();
        assert!(files.len() > 15, "{text}");
        let issues: Value = serde_json::from_str(&run("gitlab-code-quality")).unwrap();
        let issues = issues.as_array().unwrap().iter();
        let found = issues.filter(|one| !one["check_name"].as_str().unwrap().starts_with("gap/"));
        let paths: Vec<&str> = found
            .map(|one| one["location"]["path"].as_str().unwrap())
            .collect();
        assert!(paths.len() > 200);
        for file in files.into_iter().chain(paths) {
            assert!(file.starts_with("examples/shop/"), "{target}: {file}");
            assert!(root.join(file).is_file(), "{target}: {file}");
        }
    }
}

/// Every address of a SARIF log, resolved as a viewer resolves it that was
/// started in the same folder, with what the result is about.
fn places(log: &Value, started: &std::path::Path) -> Vec<(PathBuf, Value, String)> {
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let place = |result: &Value| {
        let place = &result["locations"][0];
        let artifact = &place["physicalLocation"]["artifactLocation"];
        let base = &run["originalUriBaseIds"][artifact["uriBaseId"].as_str().unwrap()];
        let base = match base["uri"].as_str() {
            Some(uri) => PathBuf::from(uri.strip_prefix("file://").unwrap()),
            None => started.to_owned(),
        };
        let name = place["logicalLocations"][0]["name"]
            .as_str()
            .unwrap()
            .to_owned();
        let file = base.join(artifact["uri"].as_str().unwrap());
        (file, place["physicalLocation"]["region"].clone(), name)
    };
    results.iter().map(place).collect()
}

#[test]
fn sarif_opens_the_lock_file_at_the_package_however_the_folder_is_named() {
    let (root, shop) = (root(), root().join("examples/shop"));
    for (target, started) in [
        ("examples/shop", &root),
        ("./examples/shop/", &root),
        (".", &shop),
        (shop.to_str().unwrap(), &root),
    ] {
        let home = Home::new();
        let output = home
            .command(&[
                "scan",
                "--offline",
                "--no-cache",
                "--format",
                "sarif",
                target,
            ])
            .current_dir(started)
            .output()
            .unwrap();
        let log: Value = serde_json::from_slice(&output.stdout).unwrap();
        let places = places(&log, started);
        assert!(places.len() > 200, "{target}");
        for (file, region, name) in places {
            let text = fs::read_to_string(&file);
            assert!(text.is_ok(), "{target}: {}", file.display());
            let text = text.unwrap();
            let number = |key: &str| region[key].as_u64().unwrap() as usize;
            let line = text.lines().nth(number("startLine") - 1).unwrap();
            let (start, end) = (number("startColumn") - 1, number("endColumn") - 1);
            let marked: String = line.chars().skip(start).take(end - start).collect();
            // go.mod names the language by its version alone; Python's names
            // are compared in another form than they are written.
            let form = |text: &str| text.to_lowercase().replace('_', "-");
            assert!(
                name == "stdlib" || form(&marked).contains(&form(&name)),
                "{}: {region} marks `{marked}`, not `{name}`",
                file.display()
            );
        }
    }
}

#[test]
fn a_pipe_gets_neither_colour_nor_bars() {
    let Some(alpine) = shared("images/alpine-310.tar.gz") else {
        return;
    };
    let home = Home::new();
    let plain = home.scan(&["--verbose", alpine.to_str().unwrap()]);
    assert!(plain.err.starts_with("note: "), "{}", plain.err);
    assert!(!(plain.out.clone() + &plain.err).contains(['\u{1b}', '\r']));
    let quiet = home.scan(&["--quiet", alpine.to_str().unwrap()]);
    assert_eq!(
        (quiet.out.as_str(), quiet.err.as_str()),
        (plain.out.as_str(), "")
    );
    let colored = home.scan(&["--color", "always", alpine.to_str().unwrap()]);
    assert!(colored.out.contains('\u{1b}') && colored.err.contains('\u{1b}'));
}

#[test]
fn a_terminal_gets_colour_unless_it_is_told_not_to() {
    let Some(alpine) = shared("images/alpine-310.tar.gz") else {
        return;
    };
    let home = Home::new();
    let on_terminal = |variable: &str| {
        let scan = format!(
            "{} scan --offline --no-cache {}",
            env!("CARGO_BIN_EXE_seawall"),
            alpine.display()
        );
        Command::new("script")
            .args(["--quiet", "--return", "--command", &scan, "/dev/null"])
            .env("HOME", home.path())
            .env("COLUMNS", "80")
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .env(variable, "1")
            .output()
    };
    let (Ok(with), Ok(without)) = (on_terminal("UNUSED"), on_terminal("NO_COLOR")) else {
        skip("there is no `script` to make a terminal");
        return;
    };
    let (with, without) = (said(&with), said(&without));
    assert_eq!(
        (with.code, without.code),
        (0, 0),
        "{}{}",
        with.out,
        with.err
    );
    assert!(with.out.contains("\u{1b}[1m\u{1b}[31mhigh"), "{}", with.out);
    assert!(
        without.out.contains("  high     os/end-of-life"),
        "{}",
        without.out
    );
    // A bar of a slow run moves the cursor, which is no colour: those end in `m`.
    for sequence in without.out.split("\u{1b}[").skip(1) {
        let end = sequence.find(|letter: char| letter.is_ascii_alphabetic());
        let is_color = end.is_some_and(|end| sequence.as_bytes()[end] == b'm');
        assert!(!is_color, "{:?}", without.out);
    }
}

#[test]
fn names_from_outside_do_not_command_the_terminal() {
    let home = Home::new();
    let evil = "x\u{1b}[31m\u{9b}2J.tar";
    let missing = home.scan(&[&format!("./{evil}")]);
    assert_eq!(missing.code, 2);
    fs::write(home.path().join(evil), "no archive").unwrap();
    let broken = home.scan(&["--color", "never", evil]);
    assert_eq!(broken.code, 2);
    for said in [missing, broken] {
        assert!(
            said.err.contains("x\u{fffd}[31m\u{fffd}2J.tar"),
            "{}",
            said.err
        );
        assert!(!said.err.contains(['\u{1b}', '\u{9b}']), "{}", said.err);
    }
    // Nor the runner of a workflow, which reads stderr as well.
    let said = home.scan(&["./a\n::add-mask::b##[debug]c"]);
    assert_eq!(said.code, 2);
    for line in said.err.lines() {
        assert!(!line.trim_start().starts_with("::"), "{}", said.err);
        assert!(!line.contains("##["), "{}", said.err);
    }
}
