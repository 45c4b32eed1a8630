//! The secret pass over real text, beside what the machine can do at all.
//!
//! Files lie in memory, so that neither the disk nor unpacking is measured; one
//! thread, so that the figure is one core's.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, bail};
use seawall_secrets::Scanner;

use crate::say;

/// Bytes taken of the folders: enough to leave the caches behind.
const MOST: u64 = 600 << 20;
/// A layer comes in chunks of this size.
const CHUNK: usize = 128 << 10;
const ROUNDS: usize = 5;

struct File {
    path: String,
    bytes: Vec<u8>,
}

/// `secrets FOLDER... [--show]`: a table, and with `--show` what was found.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let shows = arguments.iter().any(|one| one == "--show");
    let mut files = Vec::new();
    let mut left = MOST;
    for folder in arguments.iter().filter(|one| !one.starts_with("--")) {
        gather(Path::new(folder), Path::new(folder), &mut files, &mut left)?;
    }
    if files.is_empty() {
        bail!("usage: secrets FOLDER... [--show]");
    }
    let total: usize = files.iter().map(|file| file.bytes.len()).sum();
    let mut found = 0;
    for file in &files {
        let secrets = look(file);
        found += secrets.len();
        if shows {
            for line in secrets {
                say(&line);
            }
        }
    }
    let speed = |time: Duration| format!("{:.0} MB/s", total as f64 / time.as_secs_f64() / 1e6);
    let lines = median(|| {
        let lines: usize = files
            .iter()
            .map(|file| memchr::memchr_iter(b'\n', &file.bytes).count())
            .sum();
        std::hint::black_box(lines);
    });
    let folded = median(|| {
        // One look at every byte, with a step that waits for the one before.
        let sum = files
            .iter()
            .flat_map(|file| &file.bytes)
            .fold(0u32, |sum, byte| sum.rotate_left(5) ^ u32::from(*byte));
        std::hint::black_box(sum);
    });
    let scanned = median(|| {
        for file in &files {
            std::hint::black_box(look(file));
        }
    });
    say("| what | speed of one core |\n|---|---|");
    say(&format!(
        "| count the line ends (memchr) | {} |",
        speed(lines)
    ));
    say(&format!(
        "| one dependent step a byte | {} |",
        speed(folded)
    ));
    say(&format!("| the secret pass | {} |", speed(scanned)));
    say(&format!(
        "\n{} files, {:.1} MB of text, {found} secrets",
        files.len(),
        total as f64 / 1e6
    ));
    Ok(())
}

fn look(file: &File) -> Vec<String> {
    let mut scanner = Scanner::new(&file.path, file.bytes.len() as u64);
    for chunk in file.bytes.chunks(CHUNK) {
        if !scanner.feed(chunk) {
            break;
        }
    }
    let found = scanner.finish().secrets.into_iter();
    found
        .map(|one| {
            format!(
                "{}:{} {} {} ({})",
                file.path,
                one.start.line,
                one.detector.id,
                one.shown,
                one.detector.confidence.as_str()
            )
        })
        .collect()
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = on_cpu();
            work();
            on_cpu().saturating_sub(start)
        })
        .collect();
    times.sort();
    times.get(ROUNDS / 2).copied().unwrap_or_default()
}

/// How long this thread ran: other processes do not count (proc(5),
/// /proc/pid/schedstat).
fn on_cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// The files that a scan would look into: text by path and by content.
fn gather(root: &Path, folder: &Path, files: &mut Vec<File>, left: &mut u64) -> Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        let metadata = fs::symlink_metadata(&path)?;
        if metadata.is_dir() {
            gather(root, &path, files, left)?;
            continue;
        }
        let shown = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        if !metadata.is_file() || metadata.len() > *left || !seawall_secrets::wants(&shown) {
            continue;
        }
        let Ok(bytes) = fs::read(&path) else { continue };
        if memchr::memchr(0, bytes.get(..bytes.len().min(1024)).unwrap_or_default()).is_some() {
            continue;
        }
        *left -= metadata.len();
        files.push(File { path: shown, bytes });
    }
    Ok(())
}
