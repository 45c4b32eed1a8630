//! Runs both programs over a target and puts their words into one shape.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::support::Home;

/// What a flaw was found in: a file, and a name and version in it. Of a
/// distribution's packages those of the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subject {
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) version: String,
}

/// One flaw of one subject: every id that the program gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flaw {
    pub(crate) subject: Subject,
    pub(crate) ids: BTreeSet<String>,
}

/// What both programs say of one target.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) ours: BTreeSet<Flaw>,
    pub(crate) theirs: BTreeSet<Flaw>,
    /// Packages that only we saw.
    pub(crate) our_packages: BTreeSet<Subject>,
    /// Packages that only osv-scanner saw.
    pub(crate) their_packages: BTreeSet<Subject>,
    /// How many packages both saw.
    pub(crate) packages: usize,
    /// The reasons of our gaps.
    pub(crate) gaps: Vec<String>,
    /// The source of each package that we saw.
    pub(crate) sources: BTreeMap<Subject, Subject>,
}

/// Runs a command that must succeed; its standard output.
pub(crate) fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// The version that the comparison was made with: others match differently.
pub(crate) const VERSION: &str = "2.5.1";

pub(crate) fn is_version() -> bool {
    let said = Command::new("osv-scanner").arg("--version").output();
    said.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).contains(VERSION))
}

/// The same advisories for both.
pub(crate) struct Programs {
    home: Home,
    theirs: PathBuf,
}

impl Programs {
    pub(crate) fn new(advisories: &Path, ecosystems: &[&str]) -> Self {
        let home = Home::new();
        let theirs = home.path().join("theirs");
        fs::create_dir_all(theirs.join("osv-scalibr")).unwrap();
        for name in ecosystems {
            let link = theirs.join("osv-scalibr").join(name);
            std::os::unix::fs::symlink(advisories.join(name), link).unwrap();
        }
        let mut arguments = vec!["db", "update", "--db", "ours", "--from"];
        arguments.push(advisories.to_str().unwrap());
        arguments.extend(ecosystems);
        let said = home.run(&arguments);
        assert_eq!(said.code, 0, "{}", said.err);
        // osv-scanner passes over Go's version in a go.mod unless it is told not to.
        fs::write(theirs.join("osv-scanner.toml"), "ScanGoModVersion = true\n").unwrap();
        Programs { home, theirs }
    }

    pub(crate) fn image(&self, image: &Path) -> Heard {
        let theirs = self.osv_scanner(&["image", "--archive"], image);
        self.compare(&theirs, image, "")
    }

    pub(crate) fn folder(&self, folder: &Path) -> Heard {
        // The analysis of calls would build the project.
        let arguments = [
            "source",
            "--recursive",
            "--no-call-analysis=go",
            "--no-call-analysis=rust",
        ];
        let theirs = self.osv_scanner(&arguments, folder);
        self.compare(&theirs, folder, folder.to_str().unwrap())
    }

    fn osv_scanner(&self, arguments: &[&str], target: &Path) -> Value {
        let output = Command::new("osv-scanner")
            .arg("scan")
            .args(arguments)
            .args([
                "--offline",
                "--all-vulns",
                "--all-packages",
                "--format",
                "json",
            ])
            .arg("--config")
            .arg(self.theirs.join("osv-scanner.toml"))
            .arg("--local-db-path")
            .arg(&self.theirs)
            .arg(target)
            .output()
            .unwrap();
        let report = serde_json::from_slice(&output.stdout);
        assert!(
            report.is_ok(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        report.unwrap()
    }

    fn compare(&self, theirs: &Value, target: &Path, root: &str) -> Heard {
        let mut arguments = vec!["--db", "ours", "--packages", "--format", "json"];
        // What we are in doubt about too.
        arguments.extend(["--persona", "auditor", target.to_str().unwrap()]);
        let said = self.home.scan(&arguments);
        assert_eq!(said.code, 0, "{}", said.err);
        let ours: Value = serde_json::from_str(&said.out).unwrap();
        let mut heard = Heard {
            gaps: list(&ours["gaps"])
                .map(|gap| text(&gap["reason"]))
                .collect(),
            ..Heard::default()
        };
        hear_packages(&ours, &mut heard);
        hear_ours(&ours, &mut heard);
        hear_theirs(theirs, root, &mut heard);
        heard
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The subject as both would write it.
fn subject(kind: &str, path: &str, name: &str, version: &str) -> Subject {
    let (name, version) = match kind {
        "golang" | "Go" => (
            name.to_owned(),
            version.strip_prefix('v').unwrap_or(version),
        ),
        "pypi" | "PyPI" => (name.to_lowercase().replace(['_', '.'], "-"), version),
        _ => (name.to_owned(), version),
    };
    // One takes `go 1.13` for 1.13.0, the other for its last patch: it is one
    // package all the same.
    let version = if name == "stdlib" { "" } else { version };
    Subject {
        path: path.to_owned(),
        name,
        version: version.to_owned(),
    }
}

/// A package of our report as it was installed, and its source.
fn our_subject(package: &Value, path: &Value) -> (Subject, Subject) {
    let (kind, path) = (text(&package["type"]), text(path));
    let version = text(&package["version"]);
    let of = |value: &Value| {
        let own = text(&value["version"]);
        let own = if own.is_empty() { &version } else { &own };
        subject(&kind, &path, &text(&value["name"]), own)
    };
    let own = of(package);
    let source = &package["source"];
    let of_source = if source.is_null() {
        own.clone()
    } else {
        of(source)
    };
    (own, of_source)
}

fn hear_packages(report: &Value, heard: &mut Heard) {
    for package in list(&report["packages"]) {
        let (own, source) = our_subject(package, &package["location"]["path"]);
        heard.our_packages.insert(own.clone());
        heard.sources.insert(own, source);
    }
}

fn hear_ours(report: &Value, heard: &mut Heard) {
    for finding in list(&report["findings"]) {
        let flaw = &finding["vulnerability"];
        if flaw.is_null() {
            continue;
        }
        let (_, subject) = our_subject(&finding["package"], &finding["location"]["path"]);
        let id = text(&flaw["id"]);
        // A distribution's aliases are its advisories, each about many flaws.
        let ids = if finding["package"]["source"].is_null() {
            std::iter::once(id)
                .chain(list(&flaw["aliases"]).map(text))
                .collect()
        } else {
            BTreeSet::from([id])
        };
        heard.ours.insert(Flaw { subject, ids });
    }
}

fn hear_theirs(report: &Value, root: &str, heard: &mut Heard) {
    for result in list(&report["results"]) {
        let path = text(&result["source"]["path"]);
        let path = path.strip_prefix(root).unwrap_or(&path);
        let path = path.trim_start_matches('/');
        for package in list(&result["packages"]) {
            let about = &package["package"];
            let is_system = about["os_package_name"].is_string();
            let name = if is_system {
                &about["os_package_name"]
            } else {
                &about["name"]
            };
            let own = subject(
                &text(&about["ecosystem"]),
                path,
                &text(name),
                &text(&about["version"]),
            );
            let subject = heard.sources.get(&own).unwrap_or(&own).clone();
            heard.their_packages.insert(own);
            let add = |ids| {
                heard.theirs.insert(Flaw {
                    subject: subject.clone(),
                    ids,
                })
            };
            let flaws: Vec<BTreeSet<String>> = if is_system {
                list(&package["vulnerabilities"])
                    .flat_map(flaws_of)
                    .collect()
            } else {
                list(&package["groups"])
                    .map(|group| {
                        list(&group["ids"])
                            .chain(list(&group["aliases"]))
                            .map(text)
                            .collect()
                    })
                    .collect()
            };
            flaws.into_iter().map(add).for_each(drop);
        }
    }
    let (ours, theirs) = (&mut heard.our_packages, &mut heard.their_packages);
    let both: Vec<Subject> = ours.intersection(theirs).cloned().collect();
    for one in &both {
        ours.remove(one);
        theirs.remove(one);
    }
    heard.packages = both.len();
}

/// The CVEs of a distribution's record; itself where it names none.
fn flaws_of(record: &Value) -> Vec<BTreeSet<String>> {
    let cves = |key: &str| -> Vec<BTreeSet<String>> {
        list(&record[key])
            .map(text)
            .filter(|id| id.starts_with("CVE-"))
            .map(|id| BTreeSet::from([id]))
            .collect()
    };
    let mut flaws = cves("upstream");
    if flaws.is_empty() {
        flaws = cves("aliases");
        flaws.truncate(1);
    }
    if flaws.is_empty() {
        flaws.push(BTreeSet::from([text(&record["id"])]));
    }
    flaws
}
