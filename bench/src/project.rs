//! A project of 10,000 files with 200 lock files of every kind: the scan beside
//! `find` and `cat`, and beside its peers.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    ratio, row,
    run::{Measured, Runner},
    say,
};

/// Files of the tree, and lock files among them.
const FILES: usize = 10_000;
const LOCKS: usize = 200;

/// Makes the tree below `scratch` and measures.
pub(crate) fn run(seawall: &Path, scratch: &Path) -> Result<()> {
    let root = scratch.join("project");
    let files = make(&root)?;
    let text = |path: &Path| path.display().to_string();
    let (seawall, root) = (text(seawall), text(&root));
    let runner = Runner { rounds: 5 };
    let scan = |more: &[&str]| -> Result<Measured> {
        let words = [
            &seawall,
            "scan",
            &root,
            "--offline",
            "--quiet",
            "--format",
            "json",
            "--output",
            "/dev/null",
        ];
        runner.run(&[&words, more].concat())
    };
    say("| what | Seawall | beside | ratio | to reach |\n|---|---|---|---|---|");
    let what = format!("a project of {files} files with {LOCKS} lock files");
    let own = scan(&["--only", "vulnerabilities"])?;
    let script = "find \"$1\" -type f -print0 | xargs -0 cat";
    let least = runner.run(&["sh", "-c", script, "sh", &root])?;
    ratio(&what, &own, "find and cat", &least, "under 1 s");
    let default = scan(&[])?;
    ratio(
        &format!("{what}, default scan"),
        &default,
        "find and cat",
        &least,
        "under 1 s",
    );
    let directory = format!("dir:{root}");
    for (name, words) in [
        ("syft", vec!["syft", "scan", &directory, "-q", "-o", "json"]),
        (
            "osv-scanner",
            vec![
                "osv-scanner",
                "scan",
                "source",
                "--recursive",
                "--offline",
                &root,
            ],
        ),
    ] {
        match (Runner { rounds: 1 }).run(&words) {
            Ok(peer) => row(
                &what,
                &own,
                &format!("{name} {peer}"),
                &format!("{:.1} times faster", peer.wall / own.wall),
                "under 1 s",
            ),
            Err(error) => say(&format!("| {what} | – | {name} | not run: {error} | |")),
        }
    }
    Ok(())
}

/// The lock files of the inventory's tests in turn, each in a folder of its own,
/// and sources beside them. Gives back how many files there are.
fn make(root: &Path) -> Result<usize> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/inventory/tests/data/locks");
    let mut cases: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(&data).with_context(|| data.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            cases.push(path);
        }
    }
    cases.sort();
    let _ = fs::remove_dir_all(root);
    let mut count = 0;
    for (number, case) in cases.iter().cycle().take(LOCKS).enumerate() {
        let folder = root.join(format!("part{number}"));
        fs::create_dir_all(folder.join("src"))?;
        for entry in fs::read_dir(case)? {
            let path = entry?.path();
            let is_listing = path.extension().is_some_and(|ending| ending == "tsv");
            if let Some(name) = path.file_name().filter(|_| path.is_file() && !is_listing) {
                fs::copy(&path, folder.join(name))?;
                count += 1;
            }
        }
    }
    let line = "export const value = [1, 2, 3].map((it) => it * 2); // a line of a source\n";
    let source = line.repeat(40);
    for number in 0..FILES.saturating_sub(count) {
        let folder = root.join(format!("part{}/src", number % LOCKS));
        fs::write(folder.join(format!("module{number}.ts")), &source)?;
    }
    Ok(FILES.max(count))
}
