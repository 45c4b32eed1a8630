//! Registries that real tools filled, and what is pulled from them.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use seawall_model::Digest;
use seawall_registry::{Client, Credentials, Error, Manifest, Reference, Repository, Settings};
use seawall_testkit::{Registry, Setup, run};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{basic_config, machine, write_config};

/// A registry with an image of two layers, `app:1`, that `crane` pushed.
pub(crate) struct Stage {
    pub(crate) registry: Registry,
    /// The digest that the tool says.
    pub(crate) digest: Digest,
}

pub(crate) fn stage() -> Option<Stage> {
    stage_in(Registry::start(&Setup::default())?)
}

pub(crate) fn stage_in(registry: Registry) -> Option<Stage> {
    let dir = tempfile::tempdir().unwrap();
    let small = layer(&dir, "small", b"hello\n");
    let large = layer(&dir, "large", &noise(600_000));
    let digest = registry.push_layers("app:1", &[&small, &large])?;
    Some(Stage {
        registry,
        digest: digest.parse().unwrap(),
    })
}

/// Bytes that do not compress, always the same.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = |state: &mut u64| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 24) as u8
    };
    (0..length).map(|_| next(&mut state)).collect()
}

/// A layer with one file, as `tar` writes it.
fn layer(dir: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    fs::write(dir.path().join(name), content).unwrap();
    let path = dir.path().join(format!("{name}.tar"));
    let mut tar = Command::new("tar");
    tar.arg("-C")
        .arg(dir.path())
        .arg("-cf")
        .arg(&path)
        .arg(name);
    run(&mut tar).unwrap();
    path
}

impl Stage {
    pub(crate) fn name(&self, name: &str) -> Reference {
        named(self.registry.host(), name)
    }

    /// The large layer of `app:1`: its digest and its size.
    pub(crate) fn large(&self) -> (Digest, u64) {
        let manifest = client().manifest(&self.name("app:1")).unwrap();
        let layers = json(&manifest)["layers"].clone();
        let large = &layers[1];
        let digest = large["digest"].as_str().unwrap().parse().unwrap();
        (digest, large["size"].as_u64().unwrap())
    }
}

pub(crate) fn named(host: &str, name: &str) -> Reference {
    format!("{host}/{name}").parse().unwrap()
}

pub(crate) fn repository(host: &str, name: &str) -> Repository {
    named(host, name).repository().clone()
}

pub(crate) fn json(manifest: &Manifest) -> Value {
    serde_json::from_slice(&manifest.bytes).unwrap()
}

/// Settings under which a test does not wait long, but longer than a busy
/// machine takes to answer.
pub(crate) fn hasty() -> Settings {
    Settings {
        silence: Duration::from_secs(3),
        slowest: 0,
        pause: Duration::from_millis(1),
        longest_pause: Duration::from_secs(2),
        ..Settings::default()
    }
}

pub(crate) fn client() -> Client {
    Client::new(&Settings::default())
}

pub(crate) fn read(mut blob: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    blob.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The client's own error inside one of reading.
pub(crate) fn inner(error: &io::Error) -> &Error {
    error.get_ref().unwrap().downcast_ref().unwrap()
}

/// Settings with one password for one registry, as Docker keeps it in `home`.
pub(crate) fn with_password(host: &str, user: &str, password: &str, home: &Path) -> Settings {
    write_config(home, &basic_config(host, user, password));
    let credentials = Credentials::new(&machine(home, &[]), &[]).unwrap();
    Settings {
        credentials: Arc::new(credentials),
        ..hasty()
    }
}
