//! A real containerd with files of its own.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{have, run, skip};

/// How long it may take to start on a busy machine.
const START: Duration = Duration::from_secs(60);

/// Plugins that need more than files, or ask devices of the machine.
const OFF: [&str; 9] = [
    "io.containerd.grpc.v1.cri",
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.internal.v1.opt",
    "io.containerd.internal.v1.restart",
    "io.containerd.internal.v1.tracing",
    "io.containerd.tracing.processor.v1.otlp",
];

/// containerd, until it is dropped or stopped; its files go with it.
#[derive(Debug)]
pub struct Containerd {
    child: Child,
    dir: TempDir,
}

impl Containerd {
    /// Starts one; `None` where it cannot run.
    pub fn start() -> Option<Self> {
        if !have(&["containerd", "ctr"]) {
            return None;
        }
        let dir = TempDir::new().ok()?;
        let at = |name: &str| dir.path().join(name).display().to_string();
        let off: Vec<String> = OFF.iter().map(|name| format!("{name:?}")).collect();
        let settings = format!(
            "version = 2\nroot = {:?}\nstate = {:?}\ndisabled_plugins = [{}]\n\
             [grpc]\naddress = {:?}\n[ttrpc]\naddress = {:?}\n",
            at("root"),
            at("state"),
            off.join(", "),
            at("socket"),
            at("ttrpc"),
        );
        fs::write(at("settings.toml"), settings).ok()?;
        let log = File::create(at("log")).ok()?;
        let child = Command::new("containerd")
            .args(["--config", &at("settings.toml")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().ok()?)
            .stderr(log)
            .spawn()
            .ok()?;
        let mut containerd = Containerd { child, dir };
        let start = Instant::now();
        let mut ask = containerd.command(&["version"]);
        while start.elapsed() < START && !matches!(containerd.child.try_wait(), Ok(Some(_))) {
            if ask.output().is_ok_and(|output| output.status.success()) {
                return Some(containerd);
            }
            thread::sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(containerd.dir.path().join("log")).unwrap_or_default();
        skip(&format!("containerd does not start: {log}"));
        None
    }

    /// The folder in which it keeps its files.
    pub fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// Runs `ctr`, which has to succeed.
    pub fn ctr(&self, arguments: &[&str]) -> Option<Output> {
        run(&mut self.command(arguments))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("ctr");
        command.arg("--address").arg(self.dir.path().join("socket"));
        command.args(arguments);
        command
    }

    /// Imports an archive into a namespace.
    pub fn import(&self, namespace: &str, archive: &Path) -> Option<()> {
        let archive = archive.to_str()?;
        let arguments = [
            "--namespace",
            namespace,
            "images",
            "import",
            "--all-platforms",
            "--no-unpack",
            archive,
        ];
        self.ctr(&arguments).map(drop)
    }

    /// Ends it; its files stay until it is dropped.
    pub fn stop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        self.stop();
    }
}
