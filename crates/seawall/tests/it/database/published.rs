//! What `db build` publishes, as processes see it: keys, killed updaters, a
//! hundred readers, and scans that bring the database up to date by themselves.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use seawall_testkit::have;
use serde_json::Value;

use super::{copy_dir, findings, gaps, lock_file};
use crate::{
    service::serve,
    support::{Home, Said, said, shared},
};

/// Writes npm's dump without a few records that the shop has flaws of.
const SHORTEN: &str = "
import sys, zipfile
old = zipfile.ZipFile(sys.argv[1])
gone = set(sys.argv[3].split(','))
with zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED) as new:
    for name in old.namelist():
        body = old.read(name)
        if not any(id.encode() in body for id in gone):
            new.writestr(name, body)
";

/// A home where `served` holds what was published twice, `before` the first of
/// it, and `db` a database of that.
struct Service {
    home: Home,
    /// What a scan says with either state.
    reports: [String; 2],
}

impl Service {
    fn new() -> Option<Self> {
        let advisories = shared("advisories")?;
        if !have(&["python3"]) {
            return None;
        }
        let home = Home::new();
        let at = |name: &str| home.path().join(name);
        fs::create_dir_all(at("dumps/npm")).unwrap();
        fs::copy(advisories.join("npm/all.zip"), at("dumps/npm/all.zip")).unwrap();
        fs::copy(advisories.join("kev.json"), at("dumps/kev.json")).unwrap();
        let keygen = home
            .command(&["db", "keygen"])
            .env("SEAWALL_KEY_PASSWORD", "")
            .output();
        let keygen = said(&keygen.unwrap());
        assert_eq!(keygen.code, 0, "{}", keygen.err);
        assert!(
            keygen.out.starts_with("[database]\nkey = \"RW"),
            "{}",
            keygen.out
        );
        let mut service = Service {
            home,
            reports: Default::default(),
        };
        service.build();
        let update = service.update("served", "db");
        assert_eq!(update.code, 0, "{}", update.err);
        service.reports[0] = service.scan("db");
        copy_dir_all(&service, "served", "before");
        let ids: BTreeSet<String> = findings(&service.reports[0])
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        let gone: Vec<String> = ids.into_iter().take(2).collect();
        let python = Command::new("python3")
            .args(["-c", SHORTEN])
            .arg(advisories.join("npm/all.zip"))
            .arg(service.home.path().join("dumps/npm/all.zip"))
            .arg(gone.join(","))
            .status();
        assert!(python.unwrap().success());
        service.build();
        copy_dir(
            &service.home.path().join("db"),
            &service.home.path().join("two"),
        );
        assert_eq!(service.update("served", "two").code, 0);
        service.reports[1] = service.scan("two");
        assert_ne!(service.reports[0], service.reports[1]);
        Some(service)
    }

    fn build(&self) {
        let arguments = [
            "db",
            "build",
            "--from",
            "dumps",
            "--out",
            "served",
            "--key",
            "seawall.key",
        ];
        let build = self.home.run(&arguments);
        assert_eq!(build.code, 0, "{}", build.err);
    }

    fn command(&self, from: &str, db: &str) -> Command {
        let arguments = [
            "db",
            "update",
            "--from",
            from,
            "--db",
            db,
            "--pubkey",
            "seawall.pub",
        ];
        self.home.command(&arguments)
    }

    fn update(&self, from: &str, db: &str) -> Said {
        said(&self.command(from, db).output().unwrap())
    }

    fn scan(&self, db: &str) -> String {
        let said = self
            .home
            .scan(&["--db", db, "--format", "json", &lock_file()]);
        assert_eq!(said.code, 0, "{}", said.err);
        said.out
    }

    /// A fresh database of the first state.
    fn fresh(&self, name: &str) {
        let dir = self.home.path().join(name);
        let _ = fs::remove_dir_all(&dir);
        copy_dir(&self.home.path().join("db"), &dir);
    }

    /// Which of the two states a database has, as a whole.
    fn whole(&self, db: &str, when: &str) -> usize {
        let report = self.scan(db);
        let which = self.reports.iter().position(|one| *one == report);
        assert!(
            which.is_some(),
            "{when}: neither one state nor the other:\n{report}"
        );
        which.unwrap()
    }

    /// Finishes what was killed, by an overlay, with nothing left over.
    fn finish(&self, db: &str, when: &str) {
        let update = self.update("served", db);
        assert_eq!(update.code, 0, "{when}: {}", update.err);
        assert_eq!(self.whole(db, when), 1, "{when}");
        let dir = self.home.path().join(db);
        let index: Value =
            serde_json::from_slice(&fs::read(dir.join("index.json")).unwrap()).unwrap();
        let content = &index["content"];
        let mut known: BTreeSet<&str> = ["index.json", "lock"].into();
        let mut overlays = 0;
        for shard in content["shards"].as_array().unwrap() {
            known.extend(shard["file"].as_str());
            known.extend(shard["overlay"]["file"].as_str());
            overlays += usize::from(shard["overlay"].is_object());
        }
        assert_eq!(overlays, 1, "{when}");
        known.extend(
            content["previous"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str),
        );
        for entry in fs::read_dir(&dir).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(
                known.contains(name.as_str()),
                "{when}: `{name}` is left over"
            );
        }
    }
}

/// Copies what is served, without the publisher's own database.
fn copy_dir_all(service: &Service, from: &str, to: &str) {
    let (from, to) = (service.home.path().join(from), service.home.path().join(to));
    fs::create_dir(&to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
fn an_updater_by_overlays_that_is_killed_at_any_time_leaves_a_whole_database() {
    let Some(service) = Service::new() else {
        return;
    };
    service.fresh("timed");
    let start = Instant::now();
    assert_eq!(service.update("served", "timed").code, 0);
    let usual = start.elapsed();
    let (mut killed, mut states) = (0, [0; 2]);
    for step in 0..24 {
        service.fresh("killed");
        let mut child = service
            .command("served", "killed")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(usual * step / 20);
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        let when = format!("killed after {:?} of {usual:?}", usual * step / 20);
        states[service.whole("killed", &when)] += 1;
        if step % 4 == 0 {
            service.finish("killed", &when);
        }
    }
    assert!(killed > 3 && states[0] > 3, "{killed} {states:?}");
}

#[test]
fn an_updater_by_overlays_that_is_killed_or_fails_at_a_step_leaves_a_whole_database() {
    let Some(service) = Service::new() else {
        return;
    };
    if !have(&["strace"]) {
        return;
    }
    let mut moments = 0;
    // What is told to have failed may have been done, as a rename before an fsync.
    for (calls, what) in [
        ("rename,renameat,renameat2", "signal=SIGKILL"),
        ("fsync", "signal=SIGKILL"),
        ("unlink,unlinkat", "signal=SIGKILL"),
        ("rename,renameat,renameat2", "error=EIO"),
        ("fsync", "error=EIO"),
    ] {
        for step in 1..20 {
            service.fresh("killed");
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
                .args(["-e", &format!("inject={calls}:{what}:when={step}")])
                .arg(env!("CARGO_BIN_EXE_seawall"))
                .args([
                    "db",
                    "update",
                    "--from",
                    "served",
                    "--db",
                    "killed",
                    "--pubkey",
                    "seawall.pub",
                ])
                .current_dir(service.home.path())
                .env("HOME", service.home.path());
            let output = traced.output().unwrap();
            if output.status.success() {
                break;
            }
            moments += 1;
            let when = format!("{what} at {calls} {step}");
            service.whole("killed", &when);
            service.finish("killed", &when);
        }
    }
    assert!(moments >= 4, "{moments}");
}

#[test]
fn a_hundred_processes_read_while_overlays_come_and_go() {
    let Some(service) = Service::new() else {
        return;
    };
    service.fresh("busy");
    let readers: Vec<_> = (0..100)
        .map(|_| {
            let mut reader = service.home.command(&["scan", "--offline", "--no-cache"]);
            reader
                .args(["--db", "busy", "--format", "json", &lock_file()])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    thread::scope(|scope| {
        for _ in 0..2 {
            let service = &service;
            scope.spawn(move || {
                for _ in 0..4 {
                    let update = service.update("served", "busy");
                    assert_eq!(update.code, 0, "{}", update.err);
                }
            });
        }
        for reader in readers {
            let said = said(&reader.wait_with_output().unwrap());
            assert_eq!(said.code, 0, "{}", said.err);
            assert!(service.reports.contains(&said.out), "{}", said.out);
        }
    });
    assert_eq!(service.whole("busy", "in the end"), 1);
}

#[test]
fn a_key_is_needed_told_and_shown() {
    let Some(service) = Service::new() else {
        return;
    };
    let home = &service.home;
    let without = home.run(&["db", "update", "--from", "served", "--db", "new"]);
    assert_eq!(without.code, 2);
    assert!(
        without
            .err
            .contains("`served` has a signed index, and no key was given"),
        "{}",
        without.err
    );
    assert!(
        without
            .err
            .contains("hint: ask the publisher for it: `--pubkey KEY`"),
        "{}",
        without.err
    );
    let older = service.update("before", "two");
    assert_eq!(older.code, 2);
    assert!(
        older.err.contains("the index of `before` is of 20"),
        "{}",
        older.err
    );
    assert!(
        older.err.contains(", older than the one of 20"),
        "{}",
        older.err
    );
    assert_eq!(service.whole("two", "after a rollback"), 1);
    let dumps = service.update("dumps", "two");
    assert!(
        dumps.err.contains("there is no signed index in `dumps`"),
        "{}",
        dumps.err
    );
    let junk = home.run(&["db", "update", "--from", "served", "--pubkey", "RWnothing"]);
    assert!(
        junk.err.contains("`RWnothing` is no public key"),
        "{}",
        junk.err
    );
    // From the settings, as a line, and taken back on the command line.
    let file = fs::read_to_string(home.path().join("seawall.pub")).unwrap();
    let line = file.lines().nth(1).unwrap();
    fs::write(
        home.path().join("seawall.toml"),
        format!("[database]\nkey = \"{line}\"\n"),
    )
    .unwrap();
    let set = home.run(&["db", "update", "--from", "served", "--db", "set"]);
    assert_eq!(set.code, 0, "{}", set.err);
    // A file with the name of the key is another's.
    let bait = home.path().join(line);
    fs::create_dir_all(bait.parent().unwrap()).unwrap();
    fs::write(&bait, "RWnothing").unwrap();
    let set = home.run(&["db", "update", "--from", "served", "--db", "set"]);
    assert_eq!(set.code, 0, "{}", set.err);
    let back = home.run(&[
        "db", "update", "--from", "dumps", "--db", "plain", "--pubkey", "",
    ]);
    assert_eq!(back.code, 0, "{}", back.err);
    fs::remove_file(home.path().join("seawall.toml")).unwrap();
    let info = home.run(&["db", "info", "--db", "two"]);
    let npm = info
        .out
        .lines()
        .find(|line| line.starts_with("npm "))
        .unwrap();
    let id = file.split_whitespace().nth(5).unwrap();
    assert!(
        npm.contains("served, made 20") && npm.ends_with(&format!("signed by {id}")),
        "{npm}"
    );
    // A key is never written over.
    let again = home
        .command(&["db", "keygen"])
        .env("SEAWALL_KEY_PASSWORD", "")
        .output();
    let again = said(&again.unwrap());
    assert_eq!(again.code, 2);
    assert!(
        again.err.contains("cannot write `seawall.key`"),
        "{}",
        again.err
    );
    let mode = fs::metadata(home.path().join("seawall.key"))
        .unwrap()
        .permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o077, 0);
}

#[test]
fn a_scan_takes_what_it_needs_of_what_is_published() {
    let Some(service) = Service::new() else {
        return;
    };
    let server = serve(service.home.path().join("served"));
    let scan = |more: &[&str]| {
        let lock = lock_file();
        let mut arguments = vec!["scan", "--db", "fetched", "--format", "json", "--no-cache"];
        arguments.extend(more);
        arguments.push(&lock);
        service.home.run(&arguments)
    };
    let key = ["--db-from", &server.address, "--db-pubkey", "seawall.pub"];
    let first = scan(&key);
    assert_eq!(first.code, 0, "{}", first.err);
    assert_eq!(findings(&first.out), findings(&service.reports[1]));
    let asked = server.requests.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(asked, 4, "signature, index, npm, facts");
    // Once a day is enough.
    assert_eq!(scan(&key).code, 0);
    assert_eq!(
        server.requests.load(std::sync::atomic::Ordering::Relaxed),
        asked
    );
    // Without the key what is there is not used, and that is said.
    let _ = fs::remove_dir_all(service.home.path().join("fetched"));
    let without = scan(&key[..2]);
    assert!(
        without.err.contains("no key was given to check it"),
        "{}",
        without.err
    );
    assert!(gaps(&without.out).contains("starter"), "{}", without.out);
}

#[test]
fn old_advisories_are_told_and_fail_a_condition() {
    let Some(service) = Service::new() else {
        return;
    };
    let scan = |more: &[&str]| {
        let lock = lock_file();
        let mut arguments = vec!["--db", "two", "--format", "json"];
        arguments.extend(more);
        arguments.push(&lock);
        service.home.scan(&arguments)
    };
    let old = scan(&["--max-age", "10"]);
    assert_eq!(old.code, 0);
    assert!(
        old.err
            .contains("warning: advisories are old (`npm`: the newest advisory is of "),
        "{}",
        old.err
    );
    assert!(gaps(&old.out).contains("stale-advisories"), "{}", old.out);
    let never = scan(&["--max-age", "40000", "--fail-on-kev"]);
    assert!(!never.err.contains("advisories are old"), "{}", never.err);
    assert_eq!(never.code, 0, "{}", never.err);
    assert_eq!(scan(&["--max-age", "10", "--fail-on-kev"]).code, 2);
    assert_eq!(
        scan(&["--max-age", "10", "--fail-on-kev", "--allow-gaps"]).code,
        0
    );
}
