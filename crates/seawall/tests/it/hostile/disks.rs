//! A full disk: each is a small file system in a mount namespace of its own,
//! which goes with the process.

use std::fs;

use super::{
    Bounded,
    craft::{Image, OS_RELEASE, alpine, file, tar},
    need, packages, refused, report, with_gap,
};
use crate::support::{Home, Said, shared, skip};

/// Runs our command where `full` is a file system of `kib` KiB of which `left`
/// are free, with a report of a run before. The file `left` beside it says what
/// is there afterwards. `None` where nothing can be mounted.
fn on_full(
    home: &Home,
    run: impl FnOnce(Bounded<'_>) -> Said,
    kib: u32,
    left: u32,
) -> Option<Said> {
    if !need(&["prlimit", "unshare", "mount"]) {
        return None;
    }
    if !rustix::process::geteuid().is_root() {
        skip("file systems are mounted by root alone");
        return None;
    }
    fs::create_dir_all(home.path().join("full")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size={kib}k tmpfs full && \
         echo before > full/report.html && head -c {}k /dev/zero > full/ballast && \
         \"$@\"; code=$?; ls -A full > left; cat full/report.html >> left; exit $code",
        // The report of before takes a page.
        kib - left - 4
    );
    let within = ["unshare", "-m", "sh", "-c", &script, "sh"];
    let said = run(Bounded::new(home).within(&within));
    if said.err.contains("unshare failed") || said.err.contains("mount:") {
        skip(&format!("no file system can be mounted here: {}", said.err));
        return None;
    }
    Some(said)
}

#[test]
fn a_full_cache_is_as_no_cache() {
    let home = Home::new();
    fs::write(
        home.path().join("i.tar"),
        Image::plain(&[alpine()]).docker(),
    )
    .unwrap();
    let arguments = ["--format", "json", "--packages", "archive:i.tar"];
    let want = Bounded::new(&home).scan(&arguments).out;
    for left in [0, 4, 16] {
        let all = [&["--cache-dir", "full/cache"][..], &arguments].concat();
        let Some(said) = on_full(&home, |run| run.scan(&all), 256, left) else {
            return;
        };
        assert_eq!(packages(&report(&said)), ["musl", "zlib"]);
        assert_eq!(said.out, want, "{left}");
    }
}

#[test]
fn a_full_spool_is_a_gap() {
    let home = Home::new();
    let path = "var/lib/rpm/rpmdb.sqlite";
    let layer = tar(&[
        file("etc/os-release", OS_RELEASE),
        file(path, vec![b'x'; 6 << 20]),
        file("lib/apk/db/installed", super::craft::APK),
    ]);
    fs::write(home.path().join("i.tar"), Image::plain(&[layer]).docker()).unwrap();
    let scan = |run: Bounded<'_>| {
        run.with("TMPDIR", "full")
            .scan(&["--format", "json", "--packages", "archive:i.tar"])
    };
    let Some(said) = on_full(&home, scan, 2048, 512) else {
        return;
    };
    let found = with_gap(
        &said,
        path,
        "cannot write to a temporary file: No space left on device",
    );
    // What needs no such file is there.
    assert_eq!(packages(&found), ["musl", "zlib"]);
    // No later run hears of it from the cache.
    let cached = |run: Bounded<'_>| {
        let target = "archive:i.tar";
        run.scan(&[
            "--format",
            "json",
            "--packages",
            "--cache-dir",
            "cache",
            target,
        ])
    };
    let full = |run: Bounded<'_>| cached(run.with("TMPDIR", "full"));
    let said = on_full(&home, full, 2048, 512).unwrap();
    assert!(said.out.contains("No space left on device"), "{}", said.out);
    let again = cached(Bounded::new(&home));
    assert!(!again.out.contains("No space left"), "{}", again.out);
    with_gap(&again, path, "rpm database cannot be read");
    // A folder that is not there.
    let gone = scan(Bounded::new(&home).with("TMPDIR", "full"));
    with_gap(&gone, path, "rpm database cannot be read");
    let gone =
        Bounded::new(&home)
            .with("TMPDIR", "nowhere")
            .scan(&["--format", "json", "archive:i.tar"]);
    with_gap(&gone, path, "cannot make a temporary file");
}

#[test]
fn a_report_that_does_not_fit_is_an_error() {
    let home = Home::new();
    fs::write(
        home.path().join("i.tar"),
        Image::plain(&[alpine()]).docker(),
    )
    .unwrap();
    let arguments = [
        "--format",
        "html",
        "--output",
        "full/report.html",
        "archive:i.tar",
    ];
    let Some(said) = on_full(&home, |run| run.scan(&arguments), 64, 4) else {
        return;
    };
    refused(
        &said,
        &[
            "cannot write the report to `full/report.html`",
            "No space left on device",
        ],
    );
    let left = fs::read_to_string(home.path().join("left")).unwrap();
    assert_eq!(left, "ballast\nreport.html\nbefore\n");
    // Standard output as well.
    let to_full = ["sh", "-c", "exec \"$@\" > /dev/full", "sh"];
    let said = Bounded::new(&home)
        .within(&to_full)
        .scan(&["--format", "json", "archive:i.tar"]);
    refused(&said, &["No space left on device"]);
}

#[test]
fn a_database_that_does_not_fit_is_an_error() {
    let Some(advisories) = shared("advisories") else {
        return;
    };
    let home = Home::new();
    let from = advisories.to_str().unwrap();
    let arguments = [
        "db",
        "update",
        "--from",
        from,
        "--db",
        "full/db",
        "crates.io",
    ];
    for left in [0, 64] {
        let Some(said) = on_full(
            &home,
            |mut run| {
                // Advisories are read in parallel, all of one ecosystem at a time.
                run.memory = 1024;
                run.run(&arguments)
            },
            256,
            left,
        ) else {
            return;
        };
        refused(&said, &["full/db", "No space left on device"]);
    }
}
