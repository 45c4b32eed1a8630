//! Puts blobs and manifests into a registry, as they are (OCI
//! distribution-spec 1.1, "Push").

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
};

use seawall_image::Digest;
use seawall_testkit::{Registry, run};
use serde_json::{Value, json};

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A repository of a registry that takes what it is given.
pub(super) struct Push<'a> {
    pub(super) host: &'a str,
    pub(super) repository: &'a str,
}

impl<'a> Push<'a> {
    /// The repository `app`.
    pub(super) fn app(registry: &'a Registry) -> Self {
        Push {
            host: registry.host(),
            repository: "app",
        }
    }

    fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.host).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: \
             {kind}\r\ncontent-length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 20"),
            "{method} {path}: {answer}"
        );
        answer
    }

    /// Puts a blob; gives its descriptor.
    pub(super) fn blob(&self, kind: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        let path = format!("/v2/{}/blobs/uploads/", self.repository);
        let answer = self.ask("POST", &path, kind, b"");
        let place = answer
            .lines()
            .find_map(|line| line.strip_prefix("Location: "))
            .unwrap();
        let (_, place) = place.split_once(self.host).unwrap();
        let place = format!("{}&digest={digest}", place.trim());
        self.ask("PUT", &place, "application/octet-stream", bytes);
        json!({"mediaType": kind, "digest": digest.to_string(), "size": bytes.len()})
    }

    /// Puts a manifest or index under a tag or its digest; gives its
    /// descriptor.
    pub(super) fn manifest(&self, tag: Option<&str>, document: &Value) -> Value {
        let bytes = document.to_string();
        let digest = Digest::of(bytes.as_bytes()).to_string();
        let kind = document["mediaType"].as_str().unwrap();
        let tag = tag.unwrap_or(&digest);
        let path = format!("/v2/{}/manifests/{tag}", self.repository);
        self.ask("PUT", &path, kind, bytes.as_bytes());
        json!({"mediaType": kind, "digest": digest, "size": bytes.len()})
    }

    /// Puts an image of these layers: the stored bytes, and the diff id.
    pub(super) fn image(
        &self,
        tag: Option<&str>,
        layers: &[&Layer],
        config: &[(&str, Value)],
    ) -> Value {
        let ids: Vec<String> = layers
            .iter()
            .map(|layer| layer.diff_id.to_string())
            .collect();
        let mut document = json!({"architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": ids}});
        for (name, value) in config {
            document[*name] = value.clone();
        }
        let config = self.blob(CONFIG, document.to_string().as_bytes());
        let layers: Vec<Value> = layers
            .iter()
            .map(|layer| layer.descriptor.clone())
            .collect();
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
            "config": config, "layers": layers});
        self.manifest(tag, &manifest)
    }

    /// Puts a layer with these files, packed by GNU tar and gzip.
    pub(super) fn layer(&self, dir: &Path, name: &str, fill: impl FnOnce(&Path)) -> Layer {
        let tar = archive(dir, name, fill);
        let diff_id = Digest::of(&fs::read(&tar).unwrap());
        run(Command::new("gzip").arg("-nkf").arg(&tar)).unwrap();
        let packed = fs::read(tar.with_extension("tar.gz")).unwrap();
        Layer {
            descriptor: self.blob(LAYER, &packed),
            diff_id,
        }
    }
}

/// A layer in a registry.
#[derive(Clone)]
pub(super) struct Layer {
    pub(super) descriptor: Value,
    pub(super) diff_id: Digest,
}

impl Layer {
    pub(super) fn digest(&self) -> &str {
        self.descriptor["digest"].as_str().unwrap()
    }
}

/// A tar of what `fill` puts into a folder.
pub(super) fn archive(dir: &Path, name: &str, fill: impl FnOnce(&Path)) -> PathBuf {
    let root = dir.join(name);
    fs::create_dir_all(&root).unwrap();
    fill(&root);
    let tar = dir.join(format!("{name}.tar"));
    let mut command = Command::new("tar");
    command.args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "-cf"]);
    run(command.arg(&tar).arg("-C").arg(&root).arg(".")).unwrap();
    tar
}

/// Writes a file and the folders above it.
pub(super) fn write(root: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
