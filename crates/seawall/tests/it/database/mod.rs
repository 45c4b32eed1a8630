//! The database as processes see it: killed updaters, a hundred readers, a full
//! disk.

mod facts;
mod published;
mod starter;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use serde_json::Value;

use crate::support::{Home, Said, root, said, shared, skip};

/// A home with two folders of dumps, `one` and `two`, of which the second has
/// facts more, and a database `db` made from the first.
struct Bench {
    home: Home,
    /// What a scan says with either database.
    reports: [String; 2],
}

fn lock_file() -> String {
    let path = root().join("examples/shop/web/package-lock.json");
    path.to_str().unwrap().to_owned()
}

impl Bench {
    fn new() -> Option<Self> {
        let advisories = shared("advisories")?;
        let home = Home::new();
        for folder in ["one", "two"] {
            fs::create_dir_all(home.path().join(folder).join("npm")).unwrap();
            let dump = format!("{folder}/npm/all.zip");
            fs::copy(advisories.join("npm/all.zip"), home.path().join(dump)).unwrap();
        }
        fs::copy(
            advisories.join("kev.json"),
            home.path().join("two/kev.json"),
        )
        .unwrap();
        // Every flaw of the shop gets a chance, so that the reports differ.
        let update = home.run(&["db", "update", "--from", "one", "--db", "db"]);
        assert_eq!(update.code, 0, "{}", update.err);
        let report = |home: &Home| {
            let said = home.scan(&["--db", "db", "--format", "json", &lock_file()]);
            assert_eq!(said.code, 0, "{}", said.err);
            said.out
        };
        let one = report(&home);
        let ids: BTreeSet<String> = findings(&one).into_iter().map(|(id, _)| id).collect();
        assert!(ids.len() > 2, "{ids:?}");
        let mut scores = "cve,epss,percentile\n".to_owned();
        for (index, id) in ids.iter().filter(|id| id.starts_with("CVE-")).enumerate() {
            scores += &format!("{id},0.{:03},0.5\n", 100 + index);
        }
        fs::write(home.path().join("two/epss.csv"), scores).unwrap();
        let copy = home.path().join("copy");
        copy_dir(&home.path().join("db"), &copy);
        assert_eq!(
            home.run(&["db", "update", "--from", "two", "--db", "db"])
                .code,
            0
        );
        let two = report(&home);
        assert_ne!(one, two);
        fs::remove_dir_all(home.path().join("db")).unwrap();
        fs::rename(copy, home.path().join("db")).unwrap();
        Some(Bench {
            home,
            reports: [one, two],
        })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A fresh database of the first folder, under another name.
    fn fresh(&self, name: &str) -> PathBuf {
        let dir = self.at(name);
        let _ = fs::remove_dir_all(&dir);
        copy_dir(&self.at("db"), &dir);
        dir
    }

    fn scan(&self, db: &str) -> Said {
        self.home
            .scan(&["--db", db, "--format", "json", &lock_file()])
    }

    fn update(&self, from: &str, db: &str) -> Command {
        self.home
            .command(&["db", "update", "--from", from, "--db", db])
    }

    /// Checks that a database is one of the two as a whole; which one.
    fn whole(&self, db: &str, when: &str) -> usize {
        let said = self.scan(db);
        assert_eq!(said.code, 0, "{when}: {}", said.err);
        let which = self.reports.iter().position(|report| *report == said.out);
        assert!(
            which.is_some(),
            "{when}: neither one database nor the other:\n{}",
            said.out
        );
        which.unwrap()
    }

    /// Finishes what was killed, and checks that nothing is left of it.
    fn finish(&self, db: &str, when: &str) {
        let update = said(&self.update("two", db).output().unwrap());
        assert_eq!(update.code, 0, "{when}: {}", update.err);
        assert_eq!(self.whole(db, when), 1);
        let dir = self.at(db);
        let index: Value =
            serde_json::from_slice(&fs::read(dir.join("index.json")).unwrap()).unwrap();
        let content = &index["content"];
        let shards = content["shards"].as_array().unwrap().iter();
        let mut known: BTreeSet<String> = shards
            .map(|shard| shard["file"].as_str().unwrap().to_owned())
            .collect();
        let previous = content["previous"].as_array().unwrap().iter();
        known.extend(previous.map(|file| file.as_str().unwrap().to_owned()));
        known.extend(["index.json".to_owned(), "lock".to_owned()]);
        let names: BTreeSet<String> = fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names, known, "{when}");
    }
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Id and EPSS of every finding, in the order of the report.
fn findings(report: &str) -> Vec<(String, Option<f64>)> {
    let report: Value = serde_json::from_str(report).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            let flaw = &finding["vulnerability"];
            (
                flaw["id"].as_str().unwrap_or_default().to_owned(),
                flaw["epss"]["score"].as_f64(),
            )
        })
        .collect()
}

/// The gaps of a report, as text.
fn gaps(report: &str) -> String {
    let report: Value = serde_json::from_str(report).unwrap();
    report["gaps"].to_string()
}

/// Whether a program is installed.
fn need(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    if !found {
        skip(&format!("`{tool}` is not installed"));
    }
    found
}

#[test]
fn an_updater_that_is_killed_at_any_time_leaves_a_whole_database() {
    let Some(bench) = Bench::new() else { return };
    let start = Instant::now();
    bench.fresh("timed");
    assert!(
        bench
            .update("two", "timed")
            .output()
            .unwrap()
            .status
            .success()
    );
    let usual = start.elapsed();
    let (mut killed, mut states) = (0, [0; 2]);
    for step in 0..24 {
        bench.fresh("killed");
        let mut child = bench
            .update("two", "killed")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(usual * step / 20);
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        let when = format!("killed after {:?} of {usual:?}", usual * step / 20);
        states[bench.whole("killed", &when)] += 1;
        if step % 4 == 0 {
            bench.finish("killed", &when);
        }
    }
    assert!(killed > 5 && states[0] > 5, "{killed} {states:?}");
}

#[test]
fn an_updater_that_is_killed_at_a_step_leaves_a_whole_database() {
    let Some(bench) = Bench::new() else { return };
    if !need("strace") {
        return;
    }
    let mut moments = 0;
    for calls in ["rename,renameat,renameat2", "fsync", "unlink,unlinkat"] {
        for step in 1..40 {
            bench.fresh("killed");
            let mut traced = Command::new("strace");
            traced
                .args([
                    "-f",
                    "-qq",
                    "-o",
                    "/dev/null",
                    "-e",
                    &format!("trace={calls}"),
                ])
                .args(["-e", &format!("inject={calls}:signal=SIGKILL:when={step}")])
                .arg(env!("CARGO_BIN_EXE_seawall"))
                .args(["db", "update", "--from", "two", "--db", "killed"])
                .current_dir(bench.home.path())
                .env("HOME", bench.home.path());
            let output = traced.output().unwrap();
            let when = format!("killed at {calls} {step}");
            if output.status.success() {
                break;
            }
            moments += 1;
            bench.whole("killed", &when);
            bench.finish("killed", &when);
        }
    }
    assert!(moments >= 8, "{moments}");
}

#[test]
fn a_hundred_processes_read_while_others_update() {
    let Some(bench) = Bench::new() else { return };
    bench.fresh("busy");
    let readers: Vec<_> = (0..100)
        .map(|_| {
            let mut reader = bench.home.command(&["scan", "--offline", "--no-cache"]);
            reader
                .args(["--db", "busy", "--format", "json", &lock_file()])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    // Two updaters at once, again and again.
    thread::scope(|scope| {
        for folder in ["one", "two"] {
            let bench = &bench;
            scope.spawn(move || {
                for _ in 0..5 {
                    let update = said(&bench.update(folder, "busy").output().unwrap());
                    assert_eq!(update.code, 0, "{}", update.err);
                }
            });
        }
        for reader in readers {
            let said = said(&reader.wait_with_output().unwrap());
            assert_eq!(said.code, 0, "{}", said.err);
            assert!(bench.reports.contains(&said.out), "{}", said.out);
        }
    });
    // Facts that the last one did not have stay.
    assert_eq!(bench.whole("busy", "in the end"), 1);
}

#[test]
fn a_full_disk_is_an_error_and_the_old_database_stays() {
    let Some(bench) = Bench::new() else { return };
    if !need("unshare") {
        return;
    }
    let old: u64 = fs::read_dir(bench.at("db"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len().div_ceil(4096) * 4)
        .sum();
    fs::create_dir(bench.at("small")).unwrap();
    // The mount goes with its namespace.
    let script = "mount -t tmpfs -o size=${SIZE}k tmpfs small && cp db/* small/ && \
                  { \"$SEAWALL\" db update --from two --db small; echo \"code $?\" >&2; } && \
                  \"$SEAWALL\" scan --offline --no-cache --db small --format json \"$LOCK\"";
    let mut outcomes = [0; 2];
    for more in [0, 8, 16, 32, 48, 64, 80, 96, 128, 4096] {
        let output = Command::new("unshare")
            .args(["-m", "sh", "-c", script])
            .current_dir(bench.home.path())
            .env("HOME", bench.home.path())
            .env("SOURCE_DATE_EPOCH", "1767225600")
            .env("SIZE", (old + 8 + more).to_string())
            .env("SEAWALL", env!("CARGO_BIN_EXE_seawall"))
            .env("LOCK", lock_file())
            .output()
            .unwrap();
        let said = said(&output);
        if said.err.contains("unshare failed") || said.err.contains("mount:") {
            skip(&format!("no file system can be mounted here: {}", said.err));
            return;
        }
        assert_eq!(said.code, 0, "{more}: {}", said.err);
        let is_done = said.err.contains("code 0");
        if !is_done {
            assert!(said.err.contains("code 2"), "{more}: {}", said.err);
            assert!(
                said.err.contains("error: cannot write `small/"),
                "{more}: {}",
                said.err
            );
            assert!(
                said.err.contains("No space left on device"),
                "{more}: {}",
                said.err
            );
        }
        assert!(
            said.out == bench.reports[usize::from(is_done)],
            "{more}: {}",
            said.out
        );
        outcomes[usize::from(is_done)] += 1;
    }
    assert!(outcomes[0] >= 2 && outcomes[1] >= 1, "{outcomes:?}");
}

#[test]
fn a_damaged_index_is_an_error_with_a_way_out() {
    let Some(bench) = Bench::new() else { return };
    let dir = bench.fresh("bad");
    let index = fs::read_to_string(dir.join("index.json")).unwrap();
    // One bit: the shard would be another ecosystem's.
    fs::write(
        dir.join("index.json"),
        index.replace("\"name\": \"npm\"", "\"name\": \"opm\""),
    )
    .unwrap();
    let scanned = bench.scan("bad");
    assert_eq!(
        (scanned.code, scanned.out.as_str()),
        (2, ""),
        "{}",
        scanned.err
    );
    for said in [scanned, said(&bench.update("two", "bad").output().unwrap())] {
        assert_eq!(said.code, 2);
        assert!(
            said.err
                .contains("index.json` is damaged: it has a wrong checksum"),
            "{}",
            said.err
        );
        assert!(said.err.contains("hint: remove the folder"), "{}", said.err);
    }
}

#[test]
fn an_update_from_the_public_bucket_asks_there() {
    // No network is asked: the proxy is a port where nobody listens.
    let home = Home::new();
    let mut update = home.command(&["db", "update", "PyPI"]);
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        update.env(name, "http://127.0.0.1:9");
    }
    let said = said(&update.output().unwrap());
    assert_eq!(said.code, 2, "{}", said.err);
    let address = "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip";
    assert!(
        said.err.contains(&format!("cannot fetch `{address}`")),
        "{}",
        said.err
    );
}
