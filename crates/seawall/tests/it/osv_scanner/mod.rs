//! Whole scans against osv-scanner, offline, on the same advisories.
//!
//! Both programs read the same images, lock files and project. What each finds
//! is counted by flaw, both ways; each difference belongs to one of the classes
//! that docs/comparison-osv-scanner.md explains, and the counts in its table are
//! those that this test counts.

mod feed;
mod programs;
mod targets;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::PathBuf,
    process::Command,
};

use serde_json::Value;

use self::{
    feed::Feed,
    programs::{Flaw, Heard, Programs, Subject, VERSION, is_version},
};
use crate::support::{root, shared, skip};

/// Who reports something that the other does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Only {
    Seawall,
    OsvScanner,
}

impl fmt::Display for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Only::Seawall => "only Seawall",
            Only::OsvScanner => "only osv-scanner",
        })
    }
}

/// Advisories and images; `None` when something that the tests need is missing.
fn shared_data() -> Option<(PathBuf, PathBuf)> {
    let (advisories, images) = (shared("advisories")?, shared("images")?);
    if !is_version() {
        skip(&format!("there is no osv-scanner {VERSION}"));
        return None;
    }
    Some((advisories, images))
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn sub(&self, name: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    }

    /// A project of these files.
    fn project(&self, name: &str, files: &[(&str, String)]) -> PathBuf {
        let path = self.sub(name);
        for (file, text) in files {
            fs::write(path.join(file), text).unwrap();
        }
        path
    }
}

#[test]
fn alpine_images() {
    let Some((advisories, images)) = shared_data() else {
        return;
    };
    let dir = Folder::new();
    let feed = Feed::read(&advisories, "Alpine");
    let programs = Programs::new(&advisories, &["Alpine"]);
    let mut counts = Counts::default();
    for (name, release) in [("alpine-310", "v3.10"), ("alpine-311", "v3.11")] {
        let ecosystem = format!("Alpine:{release}");
        let made = Made::of(&feed, &ecosystem);
        let image = images.join(format!("{name}.tar.gz"));
        let plain = targets::plain(&image, &dir.sub(name));
        counts.add(name, &programs.image(&plain), &made);
        let name = format!("{name}, older");
        let older = targets::older_alpine(&image, release, &feed, &dir.sub(&name));
        counts.add(&name, &programs.image(&older), &made);
    }
    counts.stand_in_the_table();
}

#[test]
fn debian_images() {
    let Some((advisories, _)) = shared_data() else {
        return;
    };
    let dir = Folder::new();
    let feed = Feed::read(&advisories, "Debian");
    let programs = Programs::new(&advisories, &["Debian"]);
    let mut counts = Counts::default();
    for release in ["9", "11"] {
        let ecosystem = format!("Debian:{release}");
        let made = Made::of(&feed, &ecosystem);
        let name = format!("Debian {release}");
        let image = targets::old_debian(release, &feed, &dir.sub(&name));
        counts.add(&name, &programs.image(&image), &made);
    }
    counts.stand_in_the_table();
}

#[test]
fn go_modules() {
    let Some((advisories, _)) = shared_data() else {
        return;
    };
    let dir = Folder::new();
    let feed = Feed::read(&advisories, "Go");
    let made = Made::of(&feed, "Go");
    let programs = Programs::new(&advisories, &["Go"]);
    let mut counts = Counts::default();
    let now = targets::go_mod(&feed, "go 1.21\n\ntoolchain go1.21.3-own", 0);
    let now = dir.project("now", &[("go.mod", now)]);
    counts.add("go.mod", &programs.folder(&now), &made);
    let old = [
        ("go.mod", targets::go_mod(&feed, "go 1.13", 1)),
        ("go.sum", targets::go_sum(&feed, 3)),
    ];
    let old = dir.project("old", &old);
    counts.add(
        "go.mod before Go 1.17, go.sum",
        &programs.folder(&old),
        &made,
    );
    counts.stand_in_the_table();
}

#[test]
fn python_lock_files() {
    let Some((advisories, _)) = shared_data() else {
        return;
    };
    let dir = Folder::new();
    let feed = Feed::read(&advisories, "PyPI");
    let programs = Programs::new(&advisories, &["PyPI"]);
    let mut counts = Counts::default();
    let (text, included) = targets::requirements(&feed);
    let made = Made {
        open: targets::named(&text, false),
        included: targets::named(&included, true),
        ..Made::of(&feed, "PyPI")
    };
    let files = [("requirements.txt", text), (targets::INCLUDED, included)];
    let heard = programs.folder(&dir.project("requirements", &files));
    counts.add("requirements.txt", &heard, &made);
    // What only osv-scanner reads there is named.
    for gap in [
        format!("{} requirements name no single version", made.open.len()),
        format!("it includes `{}`", targets::INCLUDED),
    ] {
        let is_named = heard.gaps.iter().any(|reason| reason.starts_with(&gap));
        assert!(is_named, "{gap}: {:?}", heard.gaps);
    }
    for (name, text) in [
        ("poetry.lock", targets::poetry_lock(&feed)),
        ("uv.lock", targets::uv_lock(&feed)),
    ] {
        let project = dir.project(name, &[(name, text)]);
        counts.add(name, &programs.folder(&project), &Made::of(&feed, "PyPI"));
    }
    counts.stand_in_the_table();
}

#[test]
fn the_example_shop() {
    let Some((advisories, _)) = shared_data() else {
        return;
    };
    let ecosystems = ["Go", "PyPI", "npm", "RubyGems", "Packagist", "crates.io"];
    let programs = Programs::new(&advisories, &ecosystems);
    let mut counts = Counts::default();
    let shop = root().join("examples/shop");
    let feed = Feed::read(&advisories, "PyPI");
    let made = Made::of(&feed, "PyPI");
    counts.add("examples/shop", &programs.folder(&shop), &made);
    counts.stand_in_the_table();
}

/// Flaws and packages of each target: in both, and of each class of difference.
#[derive(Default)]
struct Counts {
    targets: BTreeSet<String>,
    rows: BTreeMap<(String, String, String), [usize; 2]>,
    unknown: Vec<String>,
}

impl Counts {
    fn add(&mut self, target: &str, heard: &Heard, made: &Made<'_>) {
        self.targets.insert(target.to_owned());
        let flaws = Sides::of(heard);
        // A flaw of ours is one of theirs: neither splits what the other joins.
        assert_eq!(
            flaws.both,
            heard.theirs.len() - flaws.theirs.len(),
            "{target}"
        );
        let both = (target.to_owned(), "both".to_owned(), String::new());
        self.rows.insert(both, [flaws.both, heard.packages]);
        let all = [
            (Only::Seawall, &flaws.ours, &heard.our_packages),
            (Only::OsvScanner, &flaws.theirs, &heard.their_packages),
        ];
        for (only, flaws, packages) in all {
            for flaw in flaws {
                let class = class_of_flaw(only, flaw, heard, made);
                self.count(0, target, only, class, flaw);
            }
            for package in packages {
                let class = class_of_package(only, package, heard, made);
                self.count(1, target, only, class, package);
            }
        }
    }

    fn count(
        &mut self,
        column: usize,
        target: &str,
        only: Only,
        class: Option<&str>,
        what: &impl fmt::Debug,
    ) {
        match class {
            Some(class) => {
                let key = (target.to_owned(), only.to_string(), class.to_owned());
                self.rows.entry(key).or_default()[column] += 1;
            }
            None => self.unknown.push(format!("{target}: {only}: {what:?}")),
        }
    }

    /// Fails where the committed table says anything else of these targets.
    fn stand_in_the_table(self) {
        assert!(
            self.unknown.is_empty(),
            "{} differences without a reason:\n{}",
            self.unknown.len(),
            self.unknown.join("\n")
        );
        let path = root().join("docs/comparison-osv-scanner.md");
        let text = fs::read_to_string(path).unwrap();
        let committed: BTreeSet<&str> = text
            .lines()
            .filter(|line| {
                let target = line
                    .strip_prefix("| ")
                    .and_then(|rest| rest.split_once(" |"));
                target.is_some_and(|(target, _)| self.targets.contains(target))
            })
            .collect();
        let counted: BTreeSet<String> = self
            .rows
            .iter()
            .map(|((target, who, why), [flaws, packages])| {
                format!("| {target} | {who} | {flaws} | {packages} | {why} |")
            })
            .collect();
        let counted: BTreeSet<&str> = counted.iter().map(String::as_str).collect();
        assert_eq!(
            committed,
            counted,
            "the table should say:\n{}",
            counted.iter().copied().collect::<Vec<_>>().join("\n")
        );
        for (_, _, why) in self.rows.keys() {
            assert!(
                why.is_empty() || text.contains(&format!("**{why}**")),
                "`{why}` is not explained"
            );
        }
    }
}

/// What a target was made of.
struct Made<'a> {
    feed: &'a Feed,
    ecosystem: &'a str,
    /// Packages of which a requirement names no single version.
    open: BTreeSet<String>,
    /// Packages that stand in a file which a requirements.txt includes.
    included: BTreeSet<String>,
}

impl<'a> Made<'a> {
    fn of(feed: &'a Feed, ecosystem: &'a str) -> Self {
        Made {
            feed,
            ecosystem,
            open: BTreeSet::new(),
            included: BTreeSet::new(),
        }
    }

    /// The class of what only osv-scanner reads in a requirements.txt.
    fn class_of_requirement(&self, name: &str) -> Option<&'static str> {
        if self.open.contains(name) {
            Some("open requirements")
        } else {
            self.included.contains(name).then_some("included files")
        }
    }

    /// Entries for the flaw's package, of the records that are about the flaw.
    fn entries(&self, flaw: &Flaw) -> Vec<&'a Value> {
        self.feed
            .about(self.ecosystem, &flaw.subject.name, &flaw.ids)
    }
}

/// Flaws of both and of each alone.
struct Sides<'a> {
    both: usize,
    ours: Vec<&'a Flaw>,
    theirs: Vec<&'a Flaw>,
}

impl<'a> Sides<'a> {
    fn of(heard: &'a Heard) -> Self {
        let alone = |these: &'a BTreeSet<Flaw>, those: &'a BTreeSet<Flaw>| -> Vec<&'a Flaw> {
            let mut by_subject: BTreeMap<&Subject, Vec<&Flaw>> = BTreeMap::new();
            for one in those {
                by_subject.entry(&one.subject).or_default().push(one);
            }
            let is_there = |one: &Flaw| {
                let others = by_subject.get(&one.subject).into_iter().flatten();
                others
                    .into_iter()
                    .any(|other| !other.ids.is_disjoint(&one.ids))
            };
            these.iter().filter(|one| !is_there(one)).collect()
        };
        let ours = alone(&heard.ours, &heard.theirs);
        Sides {
            both: heard.ours.len() - ours.len(),
            ours,
            theirs: alone(&heard.theirs, &heard.ours),
        }
    }
}

/// The class of a package that only one has, by its name in
/// docs/comparison-osv-scanner.md; `None` when it belongs to none.
fn class_of_package(
    only: Only,
    package: &Subject,
    heard: &Heard,
    made: &Made<'_>,
) -> Option<&'static str> {
    match (only, package.path.as_str(), package.name.as_str()) {
        (Only::Seawall, "var/lib/dpkg/status", _) => {
            (heard.sources[package].name == "linux").then_some("kernels")
        }
        (Only::OsvScanner, "go.sum", _) => Some("sums"),
        (Only::OsvScanner, "go.mod", name) if name.starts_with("../") => Some("folders"),
        (Only::OsvScanner, "requirements.txt", name) => made.class_of_requirement(name),
        (Only::OsvScanner, "worker/Cargo.lock", "shop-worker") => Some("own packages"),
        _ => None,
    }
}

/// The same of a flaw.
fn class_of_flaw(only: Only, flaw: &Flaw, heard: &Heard, made: &Made<'_>) -> Option<&'static str> {
    let Subject {
        path,
        name,
        version,
    } = &flaw.subject;
    match (only, path.as_str()) {
        (Only::Seawall, "var/lib/dpkg/status") if name == "linux" => Some("kernels"),
        (_, "var/lib/dpkg/status") => {
            // dpkg has the last word: by the version of the source it is affected,
            // by the version of the binary it is not; or the reverse.
            let mut binaries = heard
                .sources
                .iter()
                .filter(|(_, source)| **source == flaw.subject)
                .map(|(own, _)| &own.version);
            let affected = |version: &str| is_below_a_fix(version, flaw, made);
            let of_source = affected(version);
            let of_binary = binaries.any(|version| affected(version));
            (of_source != of_binary && of_source == (only == Only::Seawall))
                .then_some("versions of binaries")
        }
        (Only::OsvScanner, "go.sum") => Some("sums"),
        (Only::Seawall, file) if file.ends_with("go.mod") => name
            .chars()
            .any(char::is_uppercase)
            .then_some("capital letters"),
        (Only::OsvScanner, "requirements.txt") => made.class_of_requirement(name),
        (Only::Seawall, _) => is_behind_commits(flaw, made).then_some("ranges of commits"),
        _ => None,
    }
}

/// Whether a record of the flaw has ranges, the first of commits, and does not
/// list the version.
fn is_behind_commits(flaw: &Flaw, made: &Made<'_>) -> bool {
    made.entries(flaw).into_iter().any(|entry| {
        let mut versions = entry["versions"].as_array().into_iter().flatten();
        let is_listed = versions.any(|version| version == flaw.subject.version.as_str());
        entry["ranges"][0]["type"] == "GIT" && !is_listed
    })
}

/// Whether dpkg says that the version is below the fix of an advisory about the
/// flaw.
fn is_below_a_fix(version: &str, flaw: &Flaw, made: &Made<'_>) -> bool {
    made.entries(flaw)
        .into_iter()
        .flat_map(|entry| entry["ranges"].as_array().into_iter().flatten())
        .flat_map(|range| range["events"].as_array().into_iter().flatten())
        .filter_map(|event| event["fixed"].as_str())
        .any(|fixed| {
            Command::new("dpkg")
                .args(["--compare-versions", version, "lt", fixed])
                .status()
                .unwrap()
                .success()
        })
}
