//! Runs a command and measures it: wall time, CPU time, peak memory.

use std::{
    fmt,
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

/// What one command took: seconds, seconds, MiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) mib: f64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.3} s, CPU {:.3} s, {:.0} MiB",
            self.wall, self.cpu, self.mib
        )
    }
}

/// Runs commands several times.
pub(crate) struct Runner {
    pub(crate) rounds: usize,
}

impl Runner {
    /// The median by wall time, after one run that warms the page cache.
    pub(crate) fn run(&self, words: &[&str]) -> Result<Measured> {
        if self.rounds > 1 {
            once(words)?;
        }
        let mut all = (0..self.rounds)
            .map(|_| once(words))
            .collect::<Result<Vec<_>>>()?;
        all.sort_by(|a, b| a.wall.total_cmp(&b.wall));
        all.get(all.len() / 2).copied().context("no round was run")
    }
}

/// GNU time tells the peak of a child alone, which the kernel's own count of
/// all children does not.
fn once(words: &[&str]) -> Result<Measured> {
    let report = std::env::temp_dir().join(format!("seawall-bench-{}", std::process::id()));
    let start = Instant::now();
    let status = Command::new("/usr/bin/time")
        .args(["-f", "%U %S %M", "-o"])
        .arg(&report)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("/usr/bin/time cannot be run: install the package `time`")?;
    let wall = start.elapsed().as_secs_f64();
    let text = std::fs::read_to_string(&report)?;
    std::fs::remove_file(&report)?;
    if status.signal().is_some() || status.code().is_none_or(|code| code > 1) {
        bail!("`{}` ended with {status}", words.join(" "));
    }
    let line = text.lines().last().unwrap_or_default();
    let numbers: Vec<f64> = line
        .split(' ')
        .filter_map(|number| number.parse().ok())
        .collect();
    match numbers.as_slice() {
        [user, system, kib] => Ok(Measured {
            wall,
            cpu: user + system,
            mib: kib / 1024.0,
        }),
        _ => bail!("/usr/bin/time said `{line}`"),
    }
}
