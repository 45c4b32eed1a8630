//! What the tests share.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use seawall_model::Report;
use seawall_report::{Format, Options, Snapshot};
pub(crate) use seawall_testkit::skip;

pub(crate) const OPTIONS: Options<'static> = Options {
    version: "1.2.3",
    width: 100,
    color: false,
    packages: false,
    suppressed: false,
    created: None,
    snapshot: None,
    checkout: None,
    run: ("2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"),
};

/// A run as GitHub's Actions describe it.
pub(crate) fn snapshot() -> Snapshot {
    Snapshot {
        sha: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        reference: "refs/heads/main".to_owned(),
        job: "42".to_owned(),
        correlator: "ci scan".to_owned(),
        scanned: "2026-01-02T03:04:05Z".to_owned(),
    }
}

pub(crate) fn render(report: &Report, format: Format, options: &Options<'_>) -> String {
    let mut out = Vec::new();
    let snapshot = snapshot();
    let options = Options {
        snapshot: Some(&snapshot),
        ..options.clone()
    };
    seawall_report::render(report, format, &options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What a program says of `input`, if it is here. It must succeed.
pub(crate) fn told(program: &str, arguments: &[&str], input: &str) -> Option<String> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        skip(&format!("there is no `{program}`"));
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.as_bytes().to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join();
    let error = String::from_utf8_lossy(&output.stderr);
    if error.contains("ModuleNotFoundError") {
        skip(&format!("{program}: {error}"));
        return None;
    }
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
    Some(String::from_utf8(output.stdout).unwrap())
}
