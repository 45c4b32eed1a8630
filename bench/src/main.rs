//! The benchmark: Seawall beside the least work that its answer needs, and
//! beside its peers, in one run.
//!
//! `cargo run --release -p seawall-bench -- --images DIR --advisories DIR`
//! prints the table of BENCHMARKS.md; `--docker NAME` adds the second scan of an
//! image that the engine of `DOCKER_HOST` has. `-- packages --images DIR` lists the
//! packages that only Seawall or only Syft reports, `-- project --scratch DIR`
//! measures a project's folder, `-- remote --images DIR` an image of a registry,
//! `-- delta --advisories DIR --scratch DIR` an update by a hundred changed records.
//! Each figure is the median of several
//! runs; each ratio is made of figures of this run.

mod delta;
mod floor;
mod nested;
mod packages;
mod project;
mod remote;
mod run;
mod sbom;
mod secrets;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use run::{Measured, Runner};

#[expect(clippy::print_stderr, reason = "a benchmark talks to its user")]
fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.first().map(String::as_str) {
        // The floor runs as a process of its own, as everything else does.
        Some("floor") => floor::run(
            &arguments
                .get(1..)
                .unwrap_or_default()
                .iter()
                .map(PathBuf::from)
                .collect::<Vec<_>>(),
        ),
        Some("secrets") => secrets::run(arguments.get(1..).unwrap_or_default()),
        Some("download") => remote::download(arguments.get(1..).unwrap_or_default()),
        Some("remote") => remote_of(&arguments),
        Some("empty-files") => empty_files(&arguments),
        Some("packages") => packages_of(&arguments),
        Some("project") => project_of(&arguments),
        Some("delta") => delta_of(&arguments),
        _ => bench(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stdout, reason = "the table is the result")]
fn say(text: &str) {
    println!("{text}");
}

fn option(arguments: &[String], name: &str) -> Option<PathBuf> {
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1).map(PathBuf::from)
}

/// Writes a docker-archive whose one layer holds so many empty files.
fn empty_files(arguments: &[String]) -> Result<()> {
    let (Some(count), Some(path)) = (arguments.get(1), arguments.get(2)) else {
        bail!("usage: empty-files COUNT FILE");
    };
    floor::write_empty_files(count.parse()?, Path::new(path))
}

/// The packages of the image beside Syft's.
fn packages_of(arguments: &[String]) -> Result<()> {
    let images = option(arguments, "--images").context("--images DIR: made by bench/make-image")?;
    packages::compare(&command()?, &images.join("plain.tar"))
}

/// A hundred changed records into a full set of shards.
fn delta_of(arguments: &[String]) -> Result<()> {
    let advisories = option(arguments, "--advisories").context("--advisories DIR: OSV dumps")?;
    let scratch = option(arguments, "--scratch").context("--scratch DIR: room for databases")?;
    delta::run(
        &command()?,
        &fs::canonicalize(advisories)?,
        &fs::canonicalize(scratch)?,
    )
}

/// A project's folder beside the peers.
fn project_of(arguments: &[String]) -> Result<()> {
    let scratch = option(arguments, "--scratch").context("--scratch DIR: room for the project")?;
    project::run(&command()?, &scratch)
}

/// An image of a registry beside its download.
fn remote_of(arguments: &[String]) -> Result<()> {
    let images = option(arguments, "--images").context("--images DIR: made by bench/make-image")?;
    remote::run(&command()?, &images)
}

/// The command, built beside this program.
fn command() -> Result<PathBuf> {
    let seawall = env::current_exe()?.with_file_name("seawall");
    if !seawall.is_file() {
        bail!("build the command first: cargo build --release");
    }
    Ok(seawall)
}

fn bench(arguments: &[String]) -> Result<()> {
    let images = option(arguments, "--images").context("--images DIR: made by bench/make-image")?;
    let advisories = option(arguments, "--advisories").context("--advisories DIR: OSV dumps")?;
    let alpine = option(arguments, "--alpine");
    let scratch = images.join("scratch");
    fs::create_dir_all(&scratch)?;
    let program = env::current_exe()?;
    let seawall = command()?;
    let runner = Runner { rounds: 5 };
    let text = |path: &Path| path.display().to_string();
    let (db, cache) = (scratch.join("db"), scratch.join("cache"));

    say("| what | Seawall | beside | ratio | to reach |\n|---|---|---|---|---|");
    let update = |dir: &Path| -> Result<Measured> {
        let _ = fs::remove_dir_all(dir);
        Runner { rounds: 1 }.run(&[
            &text(&seawall),
            "db",
            "update",
            "--from",
            &text(&advisories),
            "--db",
            &text(dir),
        ])
    };
    let built = update(&db)?;
    row("build all shards", &built, "–", "–", "under 10 s, 500 MiB");

    let scan = |target: &str, more: &[&str]| -> Vec<String> {
        let base = [
            &text(&seawall),
            "scan",
            target,
            "--offline",
            "--db",
            &text(&db),
            "--quiet",
            "--format",
            "json",
            "--output",
            "/dev/null",
        ];
        base.iter()
            .map(|word| (*word).to_owned())
            .chain(more.iter().map(|word| (*word).to_owned()))
            .collect()
    };
    let floor = |layers: &[PathBuf]| -> Vec<String> {
        let mut words = vec![text(&program), "floor".to_owned()];
        words.extend(layers.iter().map(|path| text(path)));
        words
    };
    let run = |words: &[String]| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        runner.run(&words)
    };
    let run_once = |words: &[String]| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Runner { rounds: 1 }.run(&words)
    };
    if let Some(alpine) = &alpine {
        let layers = floor::extract_layers(alpine, &scratch)?;
        let least = run(&floor(&layers))?;
        let own = run(&scan(&text(alpine), &["--no-cache"]))?;
        let extra = own.wall - least.wall * 1.3;
        row(
            "Alpine 3.10, cold",
            &own,
            &format!("floor {least}"),
            &format!("1.3 floors and {:.0} ms", extra * 1e3),
            "1.3 floors and 20 ms",
        );
    }
    for kind in ["gzip", "plain"] {
        let image = images.join(format!("{kind}.tar"));
        let layers = floor::extract_layers(&image, &scratch)?;
        let least = run(&floor(&layers))?;
        let own = run(&scan(
            &text(&image),
            &["--no-cache", "--only", "vulnerabilities"],
        ))?;
        ratio(
            &format!("Debian, {kind} layers"),
            &own,
            "floor",
            &least,
            "1.3 wall and CPU, under 150 MiB",
        );
        let default = run(&scan(&text(&image), &["--no-cache"]))?;
        ratio(
            &format!("Debian, {kind} layers, default scan"),
            &default,
            "floor",
            &least,
            "2.0, under 150 MiB",
        );
        for (name, words) in peers(&image) {
            match run_once(&words) {
                Ok(peer) => row(
                    &format!("Debian, {kind} layers"),
                    &own,
                    &format!("{name} {peer}"),
                    &format!(
                        "{:.1} times faster, {:.0} times less memory",
                        peer.wall / own.wall,
                        peer.mib / own.mib
                    ),
                    "syft: 4.5 (gzip), 8 (plain), a sixth of its memory; osv-scanner: 5",
                ),
                Err(error) => say(&format!(
                    "| Debian, {kind} layers | – | {name} | not run: {error} | |"
                )),
            }
        }
        let _ = fs::remove_dir_all(&cache);
        let cached = scan(&text(&image), &["--cache-dir", &text(&cache)]);
        run(&cached)?;
        let again = run(&cached)?;
        let hashed = run(&[
            vec![text(&program), "floor".to_owned(), "--hash-only".to_owned()],
            layers.iter().map(|path| text(path)).collect(),
        ]
        .concat())?;
        ratio(
            &format!("Debian, {kind} layers, second scan"),
            &again,
            "hashing",
            &hashed,
            "1.1",
        );
    }
    if let Some(image) = option(arguments, "--docker") {
        let target = format!("docker:{}", text(&image));
        let _ = fs::remove_dir_all(&cache);
        let cached = scan(&target, &["--cache-dir", &text(&cache)]);
        let (first, again) = (run_once(&cached)?, run(&cached)?);
        row(
            "the image in a Docker daemon, second scan",
            &again,
            &format!("first scan {first}"),
            &format!("{:.0} ms", again.wall * 1e3),
            "under 50 ms",
        );
    }
    for count in [500_000, 1_000_000] {
        let image = scratch.join(format!("empty-{count}.tar"));
        if !image.is_file() {
            floor::write_empty_files(count, &image)?;
        }
        let layers = floor::extract_layers(&image, &scratch)?;
        let least = run(&floor(&layers))?;
        let own = run(&scan(&text(&image), &["--no-cache"]))?;
        ratio(
            &format!("{count} empty files"),
            &own,
            "floor",
            &least,
            "1.5, under 64 MiB",
        );
    }
    for (name, packing) in [
        ("stored", zip::CompressionMethod::Stored),
        ("deflated", zip::CompressionMethod::Deflated),
    ] {
        let project = scratch.join(format!("nested-{name}"));
        nested::write(&project, packing)?;
        let refused = run(&scan(&text(&project), &["--no-cache"]))?;
        row(
            &format!("a jar 4,000 levels deep, {name}: refused by a limit"),
            &refused,
            "–",
            &format!("{:.0} ms", refused.wall * 1e3),
            "under 100 ms",
        );
    }
    let [empty, mixed, dense] =
        ["empty", "mixed", "dense"].map(|name| scratch.join(format!("{name}.json")));
    sbom::write_empty(&empty)?;
    sbom::write_mixed(&mixed, &advisories)?;
    sbom::write_dense(&dense)?;
    let nothing = run(&scan(&text(&empty), &[]))?;
    for (document, what, goal) in [
        (&mixed, "half of them with flaws", "under 20 ms"),
        (&dense, "of the most flawed: 11,000 findings", "–"),
    ] {
        let matched = run(&scan(&text(document), &[]))?;
        row(
            &format!("open all shards, match and report 1,000 packages, {what}"),
            &matched,
            &format!("no packages {nothing}"),
            &format!("{:.1} ms more", (matched.wall - nothing.wall) * 1e3),
            goal,
        );
    }
    Ok(())
}

fn peers(image: &Path) -> Vec<(&'static str, Vec<String>)> {
    let path = image.display().to_string();
    vec![
        (
            "syft",
            vec![
                "syft".into(),
                "scan".into(),
                format!("docker-archive:{path}"),
                "-q".into(),
                "-o".into(),
                "json".into(),
            ],
        ),
        (
            "osv-scanner",
            vec![
                "osv-scanner".into(),
                "scan".into(),
                "image".into(),
                "--archive".into(),
                "--offline".into(),
                path,
            ],
        ),
    ]
}

fn row(what: &str, own: &Measured, beside: &str, ratio: &str, goal: &str) {
    say(&format!("| {what} | {own} | {beside} | {ratio} | {goal} |"));
}

fn ratio(what: &str, own: &Measured, name: &str, least: &Measured, goal: &str) {
    let ratio = format!(
        "{:.2} wall, {:.2} CPU",
        own.wall / least.wall,
        own.cpu / least.cpu
    );
    row(what, own, &format!("{name} {least}"), &ratio, goal);
}
