//! Real registries on loopback.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{have, skip};

/// How long a registry may take to start on a busy machine.
const START: Duration = Duration::from_secs(60);

/// How a registry is to be served; by default without TLS, to everybody.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Certificate (with its chain) and key: PEM files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Who signs client certificates (PEM); those without one are refused.
    pub client_authority: Option<PathBuf>,
    /// Lines below `auth:` of the settings (distribution's configuration.md),
    /// such as those of [`htpasswd`].
    pub auth: Option<String>,
    /// Where clients are sent for blobs, by its address.
    pub redirect_to: Option<String>,
    /// Whether it fetches what it lacks from another registry, by its address.
    pub proxy_of: Option<String>,
}

/// A registry that runs until it is dropped; what it keeps goes with it.
#[derive(Debug)]
pub struct Registry {
    child: Child,
    host: String,
    dir: TempDir,
}

impl Registry {
    /// Debian's docker-registry: distribution 2.8, without the referrers API.
    pub fn start(setup: &Setup) -> Option<Self> {
        if !have(&["docker-registry"]) {
            return None;
        }
        let dir = TempDir::new().ok()?;
        let settings = dir.path().join("settings.yml");
        fs::write(&settings, yaml(setup, dir.path())).ok()?;
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&settings);
        Registry::spawn(command, dir)
    }

    /// One that speaks OCI 1.1, with the referrers API, in memory.
    pub fn start_oci() -> Option<Self> {
        if !have(&["oci-registry"]) {
            return None;
        }
        Registry::spawn(Command::new("oci-registry"), TempDir::new().ok()?)
    }

    fn spawn(mut command: Command, dir: TempDir) -> Option<Self> {
        let log = dir.path().join("log");
        let file = File::create(&log).ok()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().ok()?)
            .stderr(file)
            .spawn()
            .ok()?;
        let mut registry = Registry {
            child,
            host: String::new(),
            dir,
        };
        let start = Instant::now();
        while start.elapsed() < START && !matches!(registry.child.try_wait(), Ok(Some(_))) {
            if let Some(host) = listening(&registry.log()) {
                registry.host = host;
                return Some(registry);
            }
            thread::sleep(Duration::from_millis(10));
        }
        skip(&format!("the registry does not start: {}", registry.log()));
        None
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What it has logged: with docker-registry, a line for each request.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// How often it was asked for so: `GET /v2/app/blobs/sha256:…`, a part of
    /// the lines of docker-registry's log of requests.
    pub fn asked(&self, what: &str) -> usize {
        self.log()
            .lines()
            .filter(|line| line.contains(what))
            .count()
    }

    /// The folder that goes with it.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Pushes an image of one layer for each archive (tar) with `crane`, and
    /// gives its digest. `name` is `app:tag`.
    pub fn push_layers(&self, name: &str, layers: &[&Path]) -> Option<String> {
        if !have(&["crane"]) {
            return None;
        }
        let target = format!("{}/{name}", self.host);
        let mut command = Command::new("crane");
        command.args(["append", "--insecure", "--new_tag", &target]);
        for layer in layers {
            command.arg("--new_layer").arg(layer);
        }
        let output = run(&mut command)?;
        let pushed = String::from_utf8_lossy(&output.stdout);
        let digest = pushed.trim().rsplit_once('@')?.1;
        Some(digest.to_owned())
    }

    /// Copies an image here with `skopeo`: `source` as skopeo writes it
    /// (`oci:DIR:TAG`, `docker-archive:FILE`, `docker://…`), `name` is
    /// `app:tag`; `options` go to `skopeo copy`.
    pub fn copy(&self, source: &str, name: &str, options: &[&str]) -> Option<()> {
        if !have(&["skopeo"]) {
            return None;
        }
        let mut command = Command::new("skopeo");
        command
            .args(["copy", "--quiet", "--src-tls-verify=false"])
            .arg("--dest-tls-verify=false")
            .args(options)
            .arg(source)
            .arg(format!("docker://{}/{name}", self.host));
        run(&mut command).map(drop)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A request without a body, over a connection of its own; the whole answer as
/// text, headers included, empty where there is none.
pub fn request(host: &str, method: &str, target: &str, headers: &str) -> String {
    let exchange = || -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(host)?;
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"
        )?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    String::from_utf8_lossy(&exchange().unwrap_or_default()).into_owned()
}

/// Runs a program that has to succeed.
///
/// # Panics
/// When it does not.
#[expect(clippy::panic, reason = "a test's tool that fails fails the test")]
pub fn run(command: &mut Command) -> Option<Output> {
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Some(output),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            panic!("{command:?} fails: {said}")
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            skip(&format!("{command:?} is not there"));
            None
        }
        Err(error) => panic!("{command:?} does not start: {error}"),
    }
}

/// Settings for one user and password in a file of `dir`, as `htpasswd` (of
/// apache2-utils) writes it; `None` where it is not there.
pub fn htpasswd(dir: &Path, user: &str, password: &str) -> Option<String> {
    if !have(&["htpasswd"]) {
        return None;
    }
    let output = run(Command::new("htpasswd").args(["-Bbn", user, password]))?;
    let path = dir.join("htpasswd");
    fs::write(&path, output.stdout).ok()?;
    Some(format!(
        "  htpasswd: {{realm: registry, path: {}}}\n",
        path.display()
    ))
}

/// Certificates that `openssl` makes for a test: an authority and what it
/// signs, as PEM files of a folder.
#[derive(Debug)]
pub struct Authority {
    dir: PathBuf,
}

impl Authority {
    /// A new authority in `dir`, as `NAME.pem` and `NAME.key`.
    pub fn new(dir: &Path, name: &str) -> Option<Self> {
        if !have(&["openssl"]) {
            return None;
        }
        let key = dir.join("authority.key");
        let certificate = dir.join("authority.pem");
        let subject = format!("/CN={name}");
        let mut command = Command::new("openssl");
        command
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
            .args(["ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"])
            .args(["-subj", &subject, "-keyout"])
            .arg(key)
            .arg("-out")
            .arg(certificate);
        run(&mut command)?;
        Some(Authority {
            dir: dir.to_owned(),
        })
    }

    /// Its own certificate.
    pub fn certificate(&self) -> PathBuf {
        self.dir.join("authority.pem")
    }

    /// Signs a certificate for `names` (`DNS:localhost,IP:127.0.0.1`) that is
    /// good for so many days; gives certificate and key.
    pub fn sign(&self, file: &str, names: &str, days: i32) -> Option<(PathBuf, PathBuf)> {
        let path = |end: &str| self.dir.join(format!("{file}.{end}"));
        let subject = format!("/CN={file}");
        let mut request = Command::new("openssl");
        request
            .args(["req", "-newkey", "ec", "-pkeyopt"])
            .args(["ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-subj", &subject, "-keyout"])
            .arg(path("key"))
            .arg("-out")
            .arg(path("csr"));
        run(&mut request)?;
        let extensions = format!(
            "subjectAltName={names}\nextendedKeyUsage=serverAuth,clientAuth\n\
             basicConstraints=CA:FALSE\n"
        );
        fs::write(path("ext"), extensions).ok()?;
        let mut sign = Command::new("openssl");
        sign.args(["x509", "-req", "-CAcreateserial", "-days"])
            .arg(days.to_string())
            .arg("-in")
            .arg(path("csr"))
            .arg("-CA")
            .arg(self.dir.join("authority.pem"))
            .arg("-CAkey")
            .arg(self.dir.join("authority.key"))
            .arg("-extfile")
            .arg(path("ext"))
            .arg("-out")
            .arg(path("pem"));
        run(&mut sign)?;
        Some((path("pem"), path("key")))
    }
}

/// Settings of docker-registry; port 0 lets the system choose one.
fn yaml(setup: &Setup, dir: &Path) -> String {
    let root = dir.join("data");
    let mut text = format!(
        "version: 0.1\nlog: {{level: info, accesslog: {{disabled: false}}}}\nstorage:\n  \
         filesystem: {{rootdirectory: {}}}\n  delete: {{enabled: true}}\n",
        root.display()
    );
    if let Some(auth) = &setup.auth {
        text.push_str("auth:\n");
        text.push_str(auth);
    }
    if let Some(other) = &setup.proxy_of {
        text.push_str(&format!("proxy: {{remoteurl: \"{other}\"}}\n"));
    }
    if let Some(store) = &setup.redirect_to {
        text.push_str(&format!(
            "middleware:\n  storage: [{{name: redirect, options: {{baseurl: \"{store}\"}}}}]\n"
        ));
    }
    text.push_str("http:\n  addr: 127.0.0.1:0\n");
    if let Some((certificate, key)) = &setup.tls {
        text.push_str(&format!(
            "  tls:\n    certificate: {}\n    key: {}\n",
            certificate.display(),
            key.display()
        ));
        if let Some(authority) = &setup.client_authority {
            text.push_str(&format!("    clientcas: [{}]\n", authority.display()));
        }
    }
    text
}

/// The address that a registry says it listens on.
fn listening(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("listening on ")?;
    let host: String = rest
        .chars()
        .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ':'))
        .collect();
    // The whole line is there once something follows.
    (host.contains(':') && rest.len() > host.len()).then_some(host)
}
