//! What these tests share: images to pull, token servers, clients.

use std::{
    error::Error,
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use seawall_registry::{Client, Credentials, Machine, Reference, Settings};
use seawall_testkit::{Authority, Registry, Setup, have, htpasswd, run};

/// A client with the credentials of a machine whose user's folder is `home`.
pub(crate) fn client(home: &Path) -> Client {
    client_with(&machine(home, &[]), &[])
}

/// The same with all that may be set.
pub(crate) fn client_with(machine: &Machine, files: &[PathBuf]) -> Client {
    Client::new(&settings_with(machine, files))
}

/// Settings with the credentials of a machine whose user's folder is `home`.
pub(crate) fn settings(home: &Path) -> Settings {
    settings_with(&machine(home, &[]), &[])
}

fn settings_with(machine: &Machine, files: &[PathBuf]) -> Settings {
    Settings {
        credentials: Arc::new(Credentials::new(machine, files).unwrap()),
        ..Settings::default()
    }
}

/// A machine of its own, with the programs of this one.
pub(crate) fn machine(home: &Path, more: &[(&str, &Path)]) -> Machine {
    let path = PathBuf::from(std::env::var_os("PATH").unwrap_or_default());
    let mut variables = vec![("HOME", home), ("PATH", path.as_path())];
    variables.extend(more);
    Machine::below(home, &variables)
}

/// Writes `config.json` of Docker into a user's folder.
pub(crate) fn write_config(home: &Path, json: &str) {
    fs::create_dir_all(home.join(".docker")).unwrap();
    fs::write(home.join(".docker/config.json"), json).unwrap();
}

/// One entry with user and password.
pub(crate) fn basic_config(host: &str, user: &str, password: &str) -> String {
    format!(r#"{{"auths": {{"{host}": {{"username": "{user}", "password": "{password}"}}}}}}"#)
}

/// An error with all that it comes from.
pub(crate) fn said(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

/// Pushes a small image through skopeo, with user and password, and gives its
/// name.
pub(crate) fn push(registry: &Registry, name: &str, login: Option<&str>) -> Option<Reference> {
    let layout = layout(registry.dir())?;
    let source = format!("oci:{}:x", layout.display());
    match login {
        Some(login) => registry.copy(&source, name, &["--dest-creds", login])?,
        None => registry.copy(&source, name, &[])?,
    }
    Some(format!("{}/{name}", registry.host()).parse().unwrap())
}

/// An OCI layout of one layer with the tag `x`, which skopeo writes out of a
/// folder with a tar file in it.
fn layout(dir: &Path) -> Option<PathBuf> {
    if !have(&["skopeo", "tar"]) {
        return None;
    }
    let (layer, layout) = (dir.join("image"), dir.join("layout"));
    fs::create_dir_all(&layer).unwrap();
    fs::write(dir.join("hello"), "hello\n").unwrap();
    let tar = dir.join("layer.tar");
    run(Command::new("tar")
        .arg("-C")
        .arg(dir)
        .arg("-cf")
        .arg(&tar)
        .arg("hello"))?;
    let bytes = fs::read(&tar).unwrap();
    let digest = seawall_model::Digest::of(&bytes).to_string();
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["{digest}"]}}}}"#
    );
    let config_digest = seawall_model::Digest::of(config.as_bytes()).to_string();
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config_digest}","size":{}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{digest}","size":{}}}]}}"#,
        config.len(),
        bytes.len()
    );
    let hex = |digest: &str| digest.trim_start_matches("sha256:").to_owned();
    fs::write(layer.join(hex(&digest)), bytes).unwrap();
    fs::write(layer.join(hex(&config_digest)), config).unwrap();
    fs::write(layer.join("manifest.json"), manifest).unwrap();
    fs::write(layer.join("version"), "Directory Transport Version: 1.1\n").unwrap();
    let mut copy = Command::new("skopeo");
    copy.args(["copy", "--quiet"])
        .arg(format!("dir:{}", layer.display()))
        .arg(format!("oci:{}:x", layout.display()));
    run(&mut copy)?;
    Some(layout)
}

/// distribution's own token server, with one user.
#[derive(Debug)]
pub(crate) struct TokenServer {
    child: Child,
    host: String,
    certificate: PathBuf,
    /// Certificate and key of registries that believe its tokens.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
}

impl TokenServer {
    pub(crate) fn start(dir: &Path, user: &str, password: &str) -> Option<Self> {
        TokenServer::start_tls(dir, user, password, None)
    }

    /// The same with a certificate and its key.
    pub(crate) fn start_tls(
        dir: &Path,
        user: &str,
        password: &str,
        tls: Option<(&Path, &Path)>,
    ) -> Option<Self> {
        if !have(&["token-server", "openssl"]) {
            return None;
        }
        htpasswd(dir, user, password)?;
        let signing = dir.join("signing");
        fs::create_dir(&signing).unwrap();
        let authority = Authority::new(&signing, "tokens")?;
        let key = dir.join("signing.key");
        let mut command = Command::new("openssl");
        command
            .args(["ec", "-in"])
            .arg(signing.join("authority.key"));
        run(command.arg("-out").arg(&key))?;
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = free.local_addr().unwrap().to_string();
        drop(free);
        let mut command = Command::new("token-server");
        if let Some((certificate, key)) = tls {
            command
                .arg("-tlscert")
                .arg(certificate)
                .arg("-tlskey")
                .arg(key);
        }
        let child = command
            .args(["-addr", &host, "-issuer", "tests", "-realm", "tests"])
            .arg("-passwd")
            .arg(dir.join("htpasswd"))
            .arg("-key")
            .arg(&key)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(&host).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        Some(TokenServer {
            child,
            host,
            certificate: authority.certificate(),
            tls: None,
        })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// A registry that believes its tokens and sends clients to `realm`.
    pub(crate) fn registry(&self, realm: &str) -> Option<Registry> {
        let auth = format!(
            "  token: {{realm: \"{realm}\", service: \"tests service\", issuer: tests, \
             rootcertbundle: {}}}\n",
            self.certificate.display()
        );
        Registry::start(&Setup {
            auth: Some(auth),
            tls: self.tls.clone(),
            ..Setup::default()
        })
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
