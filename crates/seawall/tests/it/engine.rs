//! Real engines, each with folders and a socket of its own.
//!
//! An engine runs in mount and process namespaces of its own: when its first
//! process ends, by a test's end, a panic or the death of the tests, the kernel
//! ends every other one and takes their mounts away.

use std::{
    env, fs,
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::support::{Home, Said, said, skip};

/// What a started engine may take, on a busy machine, to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running engine.
pub(crate) struct Engine {
    process: Child,
    /// `docker` or `podman`.
    pub(crate) scheme: &'static str,
    dir: tempfile::TempDir,
}

impl Engine {
    /// Docker's daemon, if it is installed.
    pub(crate) fn docker() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        // Without a configuration of its own it would read the machine's.
        fs::write(at("daemon.json"), "{}").unwrap();
        let arguments = [
            "--config-file",
            &at("daemon.json"),
            "--data-root",
            &at("data"),
            "--exec-root",
            &at("exec"),
            "--pidfile",
            &at("pid"),
            "--host",
            &format!("unix://{}", at("engine")),
            "--storage-driver",
            "vfs",
            "--iptables=false",
            "--ip6tables=false",
            "--bridge=none",
        ];
        let process = start(&["docker", "dockerd"], &dir, &arguments)?;
        Some(Engine::answering(process, "docker", dir))
    }

    /// Podman's service, if it is installed.
    pub(crate) fn podman() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        // Locks in shared memory would be those of the machine's own Podman.
        let settings = "[engine]\nlock_type = \"file\"\nevents_logger = \"none\"\n\
            cgroup_manager = \"cgroupfs\"\n";
        fs::write(at("containers.conf"), settings).unwrap();
        let arguments = [
            "--root",
            &at("root"),
            "--runroot",
            &at("run"),
            "--tmpdir",
            &at("state"),
            "--storage-driver",
            "vfs",
            "system",
            "service",
            "--time",
            "0",
            &format!("unix://{}", at("engine")),
        ];
        let process = start(&["podman"], &dir, &arguments)?;
        Some(Engine::answering(process, "podman", dir))
    }

    fn answering(process: Child, scheme: &'static str, dir: tempfile::TempDir) -> Self {
        // From here on a panic stops it.
        let mut engine = Engine {
            process,
            scheme,
            dir,
        };
        let end = Instant::now() + PATIENCE;
        while ping(&engine.socket()).is_none() {
            let ended = engine.process.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < end,
                "{scheme} does not answer ({ended:?}): {}",
                fs::read_to_string(engine.dir().join("log")).unwrap_or_default()
            );
            thread::sleep(Duration::from_millis(20));
        }
        engine
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("engine")
    }

    /// A folder that goes when the engine does.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What the engine's own client says.
    pub(crate) fn tell(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(self.scheme);
        surroundings(&mut command, self.dir());
        let host = if self.scheme == "docker" {
            "--host"
        } else {
            "--url"
        };
        let output = command
            .args([host, &format!("unix://{}", self.socket().display())])
            .args(arguments)
            .output()
            .unwrap();
        let said = said(&output);
        assert_eq!(said.code, 0, "{} {arguments:?}: {}", self.scheme, said.err);
        said.out.trim().to_owned()
    }

    /// Builds `name` from a Dockerfile and the files beside it; nothing is run.
    pub(crate) fn build(&self, name: &str, dockerfile: &str, files: &[(&str, &[u8])]) {
        let context = tempfile::tempdir_in(self.dir()).unwrap();
        fs::write(context.path().join("Dockerfile"), dockerfile).unwrap();
        for (name, bytes) in files {
            fs::write(context.path().join(name), bytes).unwrap();
        }
        let context = context.path().to_str().unwrap();
        self.tell(&["build", "--pull=false", "--quiet", "--tag", name, context]);
    }

    /// Saves an image as a docker-archive.
    pub(crate) fn save(&self, name: &str) -> PathBuf {
        // Podman takes no file name with a colon.
        let file = format!("{}.tar", name.replace(['/', ':'], "-"));
        let path = self.dir().join(file);
        self.tell(&["save", "--output", path.to_str().unwrap(), name]);
        path
    }

    /// Runs our command with `socket` as this engine's.
    pub(crate) fn scan(&self, home: &Home, socket: &Path, arguments: &[&str]) -> Said {
        let host = format!("unix://{}", socket.display());
        let mut command = home.command(&["scan", "--offline"]);
        command
            .args(arguments)
            .env("DOCKER_HOST", &host)
            .env("CONTAINER_HOST", &host);
        said(&command.output().unwrap())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let own = self.process.id();
        // The first process of the namespace; `unshare` waits for its end.
        let first = fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
        let first = first.ok().and_then(|text| text.trim().parse().ok());
        let ended = first
            .and_then(Pid::from_raw)
            .is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok());
        if !ended {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

/// Nothing of the user's is in reach, and nothing is left outside `dir`.
fn surroundings(command: &mut Command, dir: &Path) {
    let path = env::var("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .env("HOME", dir)
        .env("TMPDIR", dir)
        .env("DOCKER_CONFIG", dir)
        // The newer builder is a program of its own.
        .env("DOCKER_BUILDKIT", "0")
        .env("CONTAINERS_CONF", dir.join("containers.conf"))
        .stdin(Stdio::null());
}

/// Starts the last of `programs`, if all are there.
fn start(programs: &[&str], dir: &tempfile::TempDir, arguments: &[&str]) -> Option<Child> {
    if !geteuid().is_root() {
        skip("an engine of one's own needs root");
        return None;
    }
    let path = format!("{}:/usr/sbin:/sbin", env::var("PATH").unwrap_or_default());
    for program in programs.iter().chain(&["unshare", "setpriv"]) {
        if !env::split_paths(&path).any(|dir| dir.join(program).is_file()) {
            skip(&format!("there is no {program}"));
            return None;
        }
    }
    let log = fs::File::create(dir.path().join("log")).unwrap();
    let mut command = Command::new("setpriv");
    surroundings(&mut command, dir.path());
    command
        .args(["--pdeathsig", "KILL", "unshare", "--mount", "--pid"])
        .args(["--fork", "--kill-child", "--mount-proc"])
        .args(programs.last())
        .args(arguments)
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    Some(command.spawn().unwrap())
}

fn ping(socket: &Path) -> Option<()> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(b"GET /_ping HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.ends_with("OK").then_some(())
}

/// Stands between our command and an engine, and writes down what is asked.
pub(crate) struct Relay {
    pub(crate) socket: PathBuf,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    pub(crate) fn before(engine: &Engine) -> Self {
        let relay = Relay {
            socket: engine.dir().join("relay"),
            asked: Arc::default(),
        };
        let listener = UnixListener::bind(&relay.socket).unwrap();
        let (asked, real) = (Arc::clone(&relay.asked), engine.socket());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client may leave early; that is its own affair.
                let _ = pass_on(stream, &real, &asked);
            }
        });
        relay
    }

    /// The last words of the paths that were asked for since the last call:
    /// `json` for a description, `get` for an export; `images` for the list of
    /// all, which is asked for to tell a base.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn pass_on(mut client: UnixStream, real: &Path, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while !request.ends_with(b"\r\n\r\n") {
        let read = client.read(&mut piece)?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(piece.get(..read).unwrap_or_default());
    }
    let text = String::from_utf8_lossy(&request);
    let path = text.split(' ').nth(1).unwrap_or_default();
    let last = match path {
        "/images/json" => "images",
        _ => path.rsplit('/').next().unwrap_or_default(),
    };
    asked.lock().unwrap().push(last.to_owned());
    let mut engine = UnixStream::connect(real)?;
    engine.write_all(&request)?;
    std::io::copy(&mut engine, &mut client)?;
    client.shutdown(Shutdown::Both)
}
