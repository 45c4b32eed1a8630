//! Runs the real binary in an environment of its own.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

pub(crate) use seawall_testkit::{root, shared, skip};

/// A folder with nothing of the user's in reach.
pub(crate) struct Home(tempfile::TempDir);

pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Home(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seawall"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("TMPDIR", self.path())
            // Reports must not change with the day.
            .env("SOURCE_DATE_EPOCH", "1767225600")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        said(&self.command(arguments).output().unwrap())
    }

    /// Runs `scan` offline, without a cache.
    pub(crate) fn scan(&self, arguments: &[&str]) -> Said {
        let mut all = vec!["scan", "--offline", "--no-cache"];
        all.extend(arguments);
        self.run(&all)
    }
}

pub(crate) fn said(output: &Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
