//! `seawall init`: what it writes, and that programs of others take it.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{Home, skip};

/// Every file below a folder, by path.
fn files(dir: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                all.insert(path.strip_prefix(dir).unwrap().to_owned(), text);
            }
        }
    }
    all
}

/// Whether a checker takes a file; it says on stdout and stderr what is wrong.
fn passes(program: &str, arguments: &[&str], file: &Path) {
    match Command::new(program).args(arguments).arg(file).output() {
        Ok(output) => {
            let out = String::from_utf8_lossy(&output.stdout);
            let err = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{program}: {out}{err}");
        }
        Err(_) => {
            skip(&format!("there is no `{program}`"));
        }
    }
}

#[test]
fn settings_are_written_and_change_nothing() {
    let home = Home::new();
    fs::write(home.path().join("requirements.txt"), "django==3.2.0\n").unwrap();
    let before = home.scan(&["."]);
    let said = home.run(&["init"]);
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{}", said.err);
    assert_eq!(said.err, "note: `seawall.toml` written\n");
    let after = home.scan(&["."]);
    assert_eq!(
        (after.code, &after.out, &after.err),
        (0, &before.out, &before.err)
    );
    // Taken in, a setting holds.
    let path = home.path().join("seawall.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\n#fail-on = ", "\nfail-on = ")).unwrap();
    assert_eq!(home.scan(&["."]).code, 1);
}

#[test]
fn what_is_there_is_never_lost() {
    let home = Home::new();
    let path = home.path().join("seawall.toml");
    fs::write(&path, "# mine\n").unwrap();
    let said = home.run(&["init"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err
            .starts_with("error: `seawall.toml` is there already\n"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("hint: `--force` writes it anew"),
        "{}",
        said.err
    );
    // Beside it a CI file is written all the same.
    let said = home.run(&["init", "--ci", "github"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.err
            .contains("warning: `seawall.toml` is there already and left as it is"),
        "{}",
        said.err
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "# mine\n");
    let written = files(home.path());
    assert_eq!(written.len(), 2);
    // What says the same is no reason to fail.
    let said = home.run(&["init", "--ci", "github"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.err.contains("is there and says the same"),
        "{}",
        said.err
    );
    assert_eq!(files(home.path()), written);
    let said = home.run(&["init", "--force"]);
    assert_eq!(
        (said.code, said.err.contains("written over")),
        (0, true),
        "{}",
        said.err
    );
    assert!(fs::read_to_string(&path).unwrap().contains("[scan]"));

    // A link is there too, wherever it leads; a folder that leads out is no way.
    let (home, other) = (Home::new(), Home::new());
    symlink(other.path().join("gone"), home.path().join("seawall.toml")).unwrap();
    assert_eq!(home.run(&["init"]).code, 2);
    symlink(other.path(), home.path().join(".github")).unwrap();
    let said = home.run(&["init", "--ci", "github"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("leads out of the folder"), "{}", said.err);
    assert!(files(other.path()).is_empty(), "{:?}", files(other.path()));
}

#[test]
fn a_folder_that_is_none_is_an_error() {
    let home = Home::new();
    fs::write(home.path().join("file"), "").unwrap();
    for (name, want) in [
        ("missing", "there is no folder `missing`"),
        ("file", "`file` is no folder"),
    ] {
        let said = home.run(&["init", name]);
        assert_eq!(said.code, 2);
        assert!(
            said.err.contains(want) && said.err.contains("hint: "),
            "{}",
            said.err
        );
    }
    let said = home.run(&["init", "--ci", "jenkins"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("possible values: github, gitlab"),
        "{}",
        said.err
    );
}

#[test]
fn githubs_workflow_passes_its_checkers() {
    for (dockerfile, branch) in [(None, "main"), (Some("docker/Dockerfile"), "release/2.x")] {
        let home = Home::new();
        if let Some(name) = dockerfile {
            let path = home.path().join(name);
            fs::create_dir(path.parent().unwrap()).unwrap();
            fs::write(path, "FROM scratch\n").unwrap();
        }
        let head = home.path().join(".git/refs/remotes/origin");
        fs::create_dir_all(&head).unwrap();
        let text = format!("ref: refs/remotes/origin/{branch}\n");
        fs::write(head.join("HEAD"), text).unwrap();
        let said = home.run(&["init", "--ci", "github"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let path = home.path().join(".github/workflows/seawall.yml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains(&format!("branches: [\"{branch}\"]")),
            "{text}"
        );
        assert_eq!(text.contains("SEAWALL_IMAGE"), dockerfile.is_some());
        assert_eq!(
            said.err.contains("SEAWALL_IMAGE"),
            dockerfile.is_some(),
            "{}",
            said.err
        );
        // Least privilege, and nothing that can be moved under it.
        assert!(text.contains("\npermissions: {}\n"));
        for line in text.lines().filter(|line| line.contains("uses: ")) {
            let (_, version) = line.split_once('@').unwrap();
            let (commit, name) = version.split_once(" # v").unwrap();
            assert!(commit.len() == 40 && name.contains('.'), "{line}");
        }
        // No expression stands in a script, where its value would be code.
        for script in text.split("run: ").skip(1) {
            let script = script.split("\n      - ").next().unwrap();
            assert!(!script.contains("${{"), "{script}");
        }
        passes("actionlint", &["-no-color"], &path);
        let schema = ["--builtin-schema", "vendor.github-workflows"];
        passes("check-jsonschema", &schema, &path);
    }
    // What could end a quote is no branch.
    let home = Home::new();
    fs::create_dir(home.path().join(".git")).unwrap();
    for evil in ["x\"]\njobs: {}", "a'b", "$(id)", ""] {
        let text = format!("ref: refs/heads/{evil}\n");
        fs::write(home.path().join(".git/HEAD"), text).unwrap();
        assert_eq!(home.run(&["init", "--ci", "github", "--force"]).code, 0);
        let path = home.path().join(".github/workflows/seawall.yml");
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains("branches: [\"main\"]"), "{text}");
    }
}

#[test]
fn gitlabs_pipeline_follows_its_schema() {
    for dockerfile in [false, true] {
        let home = Home::new();
        if dockerfile {
            fs::write(home.path().join("Dockerfile"), "FROM scratch\n").unwrap();
        }
        let said = home.run(&["init", "--ci", "gitlab"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let pipeline = home.path().join(".gitlab-ci.yml");
        let own = home.path().join(".gitlab/seawall.yml");
        let text = fs::read_to_string(&own).unwrap();
        assert_eq!(text.contains("container_scanning: gl-"), dockerfile);
        for path in [&pipeline, &own] {
            let schema = [
                "--builtin-schema",
                "vendor.gitlab-ci",
                "--data-transform",
                "gitlab-ci",
            ];
            passes("check-jsonschema", &schema, path);
        }
        let formats = text.lines().filter_map(|line| line.split_once("--format "));
        for (_, rest) in formats {
            let name = rest.split(' ').next().unwrap();
            assert!(name.parse::<seawall_report::Format>().is_ok(), "{name}");
        }

        // A pipeline of the user's own is left alone, even by force.
        fs::write(&pipeline, "build:\n  script: make\n").unwrap();
        let said = home.run(&["init", "--ci", "gitlab", "--force"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let text = fs::read_to_string(&pipeline).unwrap();
        assert_eq!(text, "build:\n  script: make\n");
        let hint = "add to .gitlab-ci.yml: `include: [{local: .gitlab/seawall.yml}]`";
        assert!(said.err.contains(hint), "{}", said.err);
        fs::write(&pipeline, "include: [{local: .gitlab/seawall.yml}]\n").unwrap();
        let said = home.run(&["init", "--ci", "gitlab", "--force"]);
        assert!(!said.err.contains("add to"), "{}", said.err);
        let schema = ["--builtin-schema", "vendor.gitlab-ci"];
        passes("check-jsonschema", &schema, &pipeline);
    }
}

#[test]
fn the_folder_suggests_what_else_to_do() {
    let home = Home::new();
    fs::write(home.path().join("Containerfile"), "FROM scratch\n").unwrap();
    fs::create_dir_all(home.path().join(".github/workflows")).unwrap();
    fs::create_dir(home.path().join("vex")).unwrap();
    let said = home.run(&["init"]);
    assert!(
        said.err
            .contains("`seawall scan --dockerfile Containerfile IMAGE`"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("`seawall init --ci github` writes"),
        "{}",
        said.err
    );
    let text = fs::read_to_string(home.path().join("seawall.toml")).unwrap();
    assert!(
        text.contains("`vex = [\"vex/\"]` has its statements counted"),
        "{text}"
    );
}

#[test]
fn completions_and_manuals_know_it_and_every_format() {
    let home = Home::new();
    let script = home.run(&["completions", "bash"]).out;
    let dir = home.path().join("man");
    assert_eq!(home.run(&["man", dir.to_str().unwrap()]).code, 0);
    let manual = fs::read_to_string(dir.join("seawall-scan.1")).unwrap();
    let manual = manual.replace('\\', "");
    let help = home.run(&["scan", "--help"]).out;
    for format in seawall_report::Format::ALL.map(seawall_report::Format::as_str) {
        assert!(script.contains(format), "{format}");
        assert!(manual.contains(format), "{format}");
        assert!(help.contains(format), "{format}: {help}");
    }
    assert!(script.contains("--baseline") && manual.contains("--baseline"));
    assert!(dir.join("seawall-init.1").is_file());
    assert!(script.contains("seawall__init") || script.contains("seawall,init"));
}
