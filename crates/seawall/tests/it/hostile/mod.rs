//! Input that means harm, or is damaged, through the real command: one clear
//! error, or a report that names what it lacks; in bounded memory, always with
//! an end.

mod archives;
pub(crate) mod craft;
mod databases;
mod disks;
mod documents;
mod folders;
mod layers;
mod streams;

use std::{
    fs::{self, File},
    io::Write,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{Home, Said, skip};

/// MiB of memory that a run may write to. Most need a tenth of it; the bombs of
/// these tests would need ten times as much.
const MEMORY: u64 = 384;

/// A process that goes on for longer hangs. Nothing is measured: a busy machine
/// needs a hundredth of it.
const PATIENCE: Duration = Duration::from_secs(400);

/// What a process is fed.
type Feed = Box<dyn FnOnce(&mut ChildStdin) -> std::io::Result<()> + Send>;

/// Runs our command within bounds.
struct Bounded<'h> {
    home: &'h Home,
    memory: u64,
    feed: Option<Feed>,
    environment: Vec<(&'static str, String)>,
    /// A program, with its arguments, that runs ours.
    within: Vec<String>,
}

impl<'h> Bounded<'h> {
    fn new(home: &'h Home) -> Self {
        Bounded {
            home,
            memory: MEMORY,
            feed: None,
            environment: Vec::new(),
            within: Vec::new(),
        }
    }

    fn fed(
        mut self,
        feed: impl FnOnce(&mut ChildStdin) -> std::io::Result<()> + Send + 'static,
    ) -> Self {
        self.feed = Some(Box::new(feed));
        self
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    fn within(mut self, program: &[&str]) -> Self {
        self.within = program.iter().map(|&word| word.to_owned()).collect();
        self
    }

    fn scan(self, arguments: &[&str]) -> Said {
        let mut all = vec!["scan", "--offline"];
        if !arguments.contains(&"--cache-dir") {
            all.push("--no-cache");
        }
        all.extend(arguments);
        self.run(&all)
    }

    fn run(self, arguments: &[&str]) -> Said {
        let own = self.home.command(arguments);
        // What is written to counts, not what is mapped: the starter database
        // and threads' stacks are large on paper only.
        let mut command = Command::new("prlimit");
        command
            .arg(format!("--data={}", self.memory << 20))
            .arg("--")
            .args(&self.within)
            .arg(own.get_program())
            .args(own.get_args())
            .current_dir(self.home.path())
            .env_clear()
            .envs(
                own.get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .envs(self.environment.iter().map(|(name, value)| (*name, value)));
        let (out, err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        command
            .stdin(if self.feed.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(out.try_clone().unwrap())
            .stderr(err.try_clone().unwrap());
        let mut child = command.spawn().unwrap();
        let code = thread::scope(|scope| {
            if let Some(feed) = self.feed {
                let mut stdin = child.stdin.take().unwrap();
                // A command that has seen enough hangs up.
                scope.spawn(move || feed(&mut stdin).is_ok());
            }
            wait(&mut child)
        });
        let said = Said {
            code,
            out: content(out),
            err: content(err),
        };
        assert!(
            !said.err.contains("panicked"),
            "{arguments:?}: {}",
            said.err
        );
        assert!(
            !said.err.contains("memory allocation"),
            "{arguments:?}: {}",
            said.err
        );
        said
    }
}

/// The exit code; -1 for a process that a signal ended.
fn wait(child: &mut Child) -> i32 {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap_or(-1);
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            return -1;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn content(mut file: File) -> String {
    let mut bytes = Vec::new();
    std::io::Seek::rewind(&mut file).unwrap();
    std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether programs are installed.
fn need(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let missing = |tool: &&&str| !folders.iter().any(|folder| folder.join(tool).is_file());
    match programs.iter().find(missing) {
        Some(tool) => {
            skip(&format!("`{tool}` is not installed"));
            false
        }
        None => true,
    }
}

/// Exactly one error, with all of `wanted` in it, and no report.
#[track_caller]
fn refused(said: &Said, wanted: &[&str]) {
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    let errors = said.err.lines().filter(|line| line.starts_with("error:"));
    assert_eq!(errors.count(), 1, "{}", said.err);
    assert_eq!(said.out, "", "{}", said.err);
    for one in wanted {
        assert!(said.err.contains(one), "no `{one}` in:\n{}", said.err);
    }
}

/// A report.
#[track_caller]
fn report(said: &Said) -> Value {
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(!said.err.contains("error:"), "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

/// Whether a report has a gap with this subject and this in its reason.
fn has_gap(report: &Value, subject: &str, reason: &str) -> bool {
    let mut gaps = report["gaps"].as_array().unwrap().iter();
    gaps.any(|gap| {
        gap["subject"] == subject && gap["reason"].as_str().is_some_and(|it| it.contains(reason))
    })
}

/// A report with a gap of this subject and reason.
#[track_caller]
fn with_gap(said: &Said, subject: &str, reason: &str) -> Value {
    let report = report(said);
    assert!(
        has_gap(&report, subject, reason),
        "no gap `{subject}`: `{reason}` among {:#}",
        report["gaps"]
    );
    report
}

/// Names of the packages of a report.
fn packages(report: &Value) -> Vec<&str> {
    let packages = report["packages"].as_array().unwrap().iter();
    packages
        .map(|package| package["name"].as_str().unwrap())
        .collect()
}

/// Scans a file that holds these bytes, as JSON with packages.
fn scan_bytes(home: &Home, scheme: &str, bytes: &[u8]) -> Said {
    fs::write(home.path().join("hostile.tar"), bytes).unwrap();
    let target = format!("{scheme}:hostile.tar");
    Bounded::new(home).scan(&["--format", "json", "--packages", &target])
}

/// The same from standard input.
fn scan_stream(home: &Home, bytes: &[u8]) -> Said {
    let bytes = bytes.to_vec();
    Bounded::new(home)
        .fed(move |stdin| stdin.write_all(&bytes))
        .scan(&["--format", "json", "--packages", "-"])
}

/// What a good reading of [`craft::alpine`] finds.
const PACKAGES: [&str; 2] = ["musl", "zlib"];

/// From a file and from standard input.
fn both(home: &Home, bytes: &[u8]) -> [Said; 2] {
    [scan_bytes(home, "archive", bytes), scan_stream(home, bytes)]
}

/// An image of one layer, of these entries.
fn one(entries: &[Vec<u8>]) -> Vec<u8> {
    craft::Image::plain(&[craft::tar(entries)]).docker()
}

/// A gap fails a run that has a threshold, unless it is allowed to.
#[track_caller]
fn gap_decides(home: &Home, target: &str) {
    let run = |more: &[&str]| {
        let mut arguments = vec!["--fail-on", "critical", target];
        arguments.extend(more);
        Bounded::new(home).scan(&arguments)
    };
    let said = run(&[]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("hint: see the gaps"), "{}", said.err);
    assert_eq!(run(&["--allow-gaps"]).code, 0);
}
