//! Secrets in images and projects, through the real command.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use seawall_secrets::expand;

use crate::{
    formats::validate,
    support::{Home, root, skip},
};

const FORMATS: [&str; 6] = ["json", "sarif", "junit", "html", "markdown", "table"];

/// The secrets of the test image, whole.
struct Secrets {
    deleted: String,
    env: String,
    label: String,
    step: String,
    kept: String,
}

impl Secrets {
    fn new() -> Self {
        let part = |example: &str| expand(example);
        Secrets {
            deleted: part("ghp_<crc:30>"),
            env: part("q7<b62:14>"),
            label: part("glpat-<url:20>"),
            step: part("npm_<crc:30>"),
            kept: part("AKIA<b32:16>"),
        }
    }

    fn all(&self) -> [&str; 5] {
        [
            &self.deleted,
            &self.env,
            &self.label,
            &self.step,
            &self.kept,
        ]
    }
}

fn run(program: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            assert!(
                output.status.success(),
                "{program}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            Some(output.stdout)
        }
        Err(_) => {
            skip(&format!("there is no {program}"));
            None
        }
    }
}

fn sha256(path: &Path) -> Option<String> {
    let said = run("sha256sum", &[path.to_str().unwrap()])?;
    Some(
        String::from_utf8(said)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .to_owned(),
    )
}

fn pack(from: &Path, to: &Path) -> Option<()> {
    let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
    run(
        "tar",
        &["--sort=name", "--mtime=@0", "-cf", to, "-C", from, "."],
    )
    .map(|_| ())
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// An image whose second layer deletes a file of the first and repeats another,
/// and whose configuration holds secrets in its environment, a label and a step.
fn image(home: &Home, secrets: &Secrets) -> Option<PathBuf> {
    let at = |name: &str| home.path().join(name);
    fs::create_dir_all(at("build")).unwrap();
    write(
        &at("one/app/.netrc-backup"),
        &format!("token = {}\n", secrets.deleted),
    );
    write(
        &at("one/app/aws.txt"),
        &format!("x\nkey = {}\n", secrets.kept),
    );
    write(&at("two/app/.wh..netrc-backup"), "");
    write(
        &at("two/app/aws.txt"),
        &format!("x\ny\nkey = {}\n", secrets.kept),
    );
    let mut ids = Vec::new();
    let mut names = Vec::new();
    for layer in ["one", "two"] {
        let name = format!("{layer}.tar");
        pack(&at(layer), &at("build").join(&name))?;
        ids.push(format!("sha256:{}", sha256(&at("build").join(&name))?));
        names.push(name);
    }
    let config = serde_json::json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Env": ["PATH=/bin", format!("DB_PASSWORD={}", secrets.env)],
            "Labels": {"deploy.token": secrets.label},
        },
        "rootfs": {"type": "layers", "diff_ids": ids},
        "history": [
            {"created_by": format!("RUN npm config set //registry.npmjs.org/:_authToken={} # buildkit", secrets.step)},
            {"created_by": format!("ENV DB_PASSWORD={}", secrets.env), "empty_layer": true},
            {"created_by": "COPY . /app # buildkit"},
        ],
    });
    fs::write(at("build/config.json"), config.to_string()).unwrap();
    let manifest =
        serde_json::json!([{"Config": "config.json", "RepoTags": ["t:1"], "Layers": names}]);
    fs::write(at("build/manifest.json"), manifest.to_string()).unwrap();
    pack(&at("build"), &at("image.tar"))?;
    Some(at("image.tar"))
}

fn report(home: &Home, arguments: &[&str]) -> serde_json::Value {
    let said = home.scan(&[&["--format", "json"], arguments].concat());
    assert!(said.code == 0 || said.code == 1, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

/// Rule and message of each finding of a secret.
fn found(report: &serde_json::Value) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let secrets = findings.filter(|one| one["rule"].as_str().unwrap().starts_with("secret/"));
    secrets
        .map(|one| {
            (
                one["rule"].as_str().unwrap().to_owned(),
                one["message"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

#[test]
fn an_image_gives_away_what_its_layers_and_its_configuration_hold() {
    let home = Home::new();
    let secrets = Secrets::new();
    let Some(path) = image(&home, &secrets) else {
        return;
    };
    let path = path.to_str().unwrap();
    let report = report(&home, &[path]);
    let mut got = found(&report);
    got.sort();
    let want = [
        ("secret/aws-access-key", "AWS access key `AKIA…`"),
        (
            "secret/environment-secret",
            "secret in an environment in the environment (`DB_PASSWORD`), step 2 of the history of the image's configuration",
        ),
        (
            "secret/github-token",
            "GitHub personal access token `ghp_…` stays readable in layer 1, though layer 2 removes or replaces the file",
        ),
        (
            "secret/gitlab-token",
            "GitLab personal access token `glpa…` in the label `deploy.token` of the image's configuration",
        ),
        (
            "secret/npm-token",
            "npm access token `npm_…` in step 1 of the history of the image's configuration",
        ),
    ];
    assert_eq!(
        got,
        want.map(|(rule, message)| (rule.to_owned(), message.to_owned()))
    );
    // The one that two layers hold is one finding, at its visible place.
    let aws = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["rule"] == "secret/aws-access-key")
        .unwrap();
    assert_eq!(aws["location"]["layer"], 1);
    assert_eq!(
        (&aws["location"]["line"], &aws["location"]["column"]),
        (&3.into(), &7.into())
    );
    assert_eq!(aws["related"].as_array().unwrap().len(), 1);
    assert_eq!(aws["related"][0]["layer"], 0);
    assert_eq!(aws["related"][0]["line"], 2);
}

#[test]
fn no_report_holds_a_whole_secret() {
    let home = Home::new();
    let secrets = Secrets::new();
    let Some(path) = image(&home, &secrets) else {
        return;
    };
    let path = path.to_str().unwrap();
    for format in FORMATS {
        for only in ["secrets", "vulnerabilities", "vulnerabilities,secrets"] {
            let said = home.scan(&["--format", format, "--only", only, path]);
            for secret in secrets.all() {
                assert!(
                    !said.out.contains(secret) && !said.err.contains(secret),
                    "{format} {only}"
                );
                // Nor most of it.
                let inner = secret.get(5..15).unwrap();
                assert!(!said.out.contains(inner), "{format} {only}");
            }
        }
    }
    // What the cache keeps holds none either, and says the same the next time.
    let cache = home.path().join("layers");
    let cached = [
        "scan",
        "--offline",
        "--format",
        "json",
        "--cache-dir",
        cache.to_str().unwrap(),
        path,
    ];
    let first = home.run(&cached);
    for entry in fs::read_dir(&cache).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(secrets.all().iter().all(|secret| !text.contains(secret)));
    }
    let second: serde_json::Value = serde_json::from_str(&home.run(&cached).out).unwrap();
    let first: serde_json::Value = serde_json::from_str(&first.out).unwrap();
    assert_eq!(found(&first), found(&second));
    assert_eq!(found(&first).len(), 5);
}

#[test]
fn reports_of_secrets_follow_their_schemas() {
    let home = Home::new();
    let secrets = Secrets::new();
    let Some(path) = image(&home, &secrets) else {
        return;
    };
    let path = path.to_str().unwrap();
    for (format, schema) in [
        ("json", "docs/report.schema.json"),
        (
            "sarif",
            "crates/report/tests/fixtures/sarif-schema-2.1.0.json",
        ),
    ] {
        let said = home.scan(&["--format", format, path]);
        validate(&fs::read_to_string(root().join(schema)).unwrap(), &said.out);
    }
    let said = home.scan(&["--format", "sarif", path]);
    let log: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let rules = log["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    let ids: Vec<&str> = rules
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"secret/github-token"), "{ids:?}");
}

/// A project with a secret of its own, one of its remote, and one of others.
fn project(home: &Home) -> String {
    let at = |name: &str| home.path().join("project").join(name);
    write(
        &at(".env.production"),
        &expand("A=1\nSTRIPE=sk_live_<b62:24>\n"),
    );
    write(
        &at(".git/config"),
        &expand("[remote \"origin\"]\n\turl = https://bot:<b62:14>@git.acme.io/a.git\n"),
    );
    write(
        &at("node_modules/x/index.js"),
        &expand("k = 'ghp_<crc:30>'\n"),
    );
    home.path().join("project").to_str().unwrap().to_owned()
}

#[test]
fn a_project_is_looked_through_and_its_findings_can_be_suppressed() {
    let home = Home::new();
    let project = project(&home);
    let rules = |report: &serde_json::Value| {
        found(report)
            .into_iter()
            .map(|(rule, _)| rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        rules(&report(&home, &[&project])),
        ["secret/stripe-key", "secret/http-url-password"]
    );
    assert_eq!(
        rules(&report(&home, &["--only", "vulnerabilities", &project])),
        [""; 0]
    );
    let only = report(&home, &["--only", "secrets", &project]);
    assert_eq!(rules(&only).len(), 2);
    assert!(only["database"].is_null());
    let file = format!("{project}/.env.production");
    assert_eq!(
        rules(&report(&home, &[&format!("file:{file}")])),
        ["secret/stripe-key"]
    );
    assert_eq!(
        home.scan(&["--only", "secrets", "--fail-on", "critical", &project])
            .code,
        1
    );
    // By rule, and by path.
    fs::write(home.path().join(".seawallignore"), "secret/stripe-key\n").unwrap();
    assert_eq!(
        rules(&report(&home, &[&project])),
        ["secret/http-url-password"]
    );
    fs::remove_file(home.path().join(".seawallignore")).unwrap();
    fs::write(home.path().join("seawall.toml"), "[[ignore]]\nrule = \"secret/http-url-password\"\npath = \".git/**\"\nreason = \"a mirror\"\n").unwrap();
    assert_eq!(rules(&report(&home, &[&project])), ["secret/stripe-key"]);
}

#[test]
fn a_detector_goes_by_its_name_in_other_tools_too() {
    let home = Home::new();
    let file = home.path().join("main.py");
    write(&file, &expand("k = 'ghp_<crc:30>'\n"));
    let target = format!("file:{}", file.display());
    let all = report(&home, &[&target]);
    assert_eq!(all["findings"][0]["rule"], "secret/github-token");
    assert_eq!(
        all["findings"][0]["aliases"],
        serde_json::json!(["github-pat"])
    );
    let ignore = "[[ignore]]\nrule = \"github-pat\"\nreason = \"a test's\"\n";
    fs::write(home.path().join("seawall.toml"), ignore).unwrap();
    assert!(found(&report(&home, &[&target])).is_empty());
}

#[test]
fn guesses_are_shown_to_auditors_only() {
    let home = Home::new();
    let file = home.path().join("main.py");
    write(&file, &expand("db_password = \"<b62:16>\"\n"));
    let target = format!("file:{}", file.display());
    assert!(found(&report(&home, &[&target])).is_empty());
    let audited = found(&report(&home, &["--persona", "auditor", &target]));
    assert_eq!(audited.len(), 1);
    assert_eq!(audited[0].0, "secret/generic-secret");
}

#[test]
fn every_detector_has_a_page() {
    let home = Home::new();
    let page = home.run(&["explain", "secret/aws-access-key"]);
    assert_eq!(page.code, 0, "{}", page.err);
    for part in [
        "# secret/aws-access-key",
        "## What it finds",
        "`akia`",
        "AKIA…",
        "## What to do",
    ] {
        assert!(page.out.contains(part), "{part}: {}", page.out);
    }
    let near = home.run(&["explain", "secret/aws"]);
    assert_eq!(near.code, 2);
    assert!(
        near.err.contains("did you mean secret/aws-access-key"),
        "{}",
        near.err
    );
}
