//! Archives made byte by byte, for what no honest tool writes.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use seawall_image::Digest;
use serde_json::json;

/// Two blocks of zeros.
pub(super) const END: [u8; 1024] = [0; 1024];

pub(super) fn octal(size: u64) -> [u8; 12] {
    let mut field = [0; 12];
    field[..11].copy_from_slice(format!("{size:011o}").as_bytes());
    field
}

/// A number in base 256, as GNU tar writes large ones.
pub(super) fn base_256(size: u64) -> [u8; 12] {
    let mut field = [0; 12];
    field[0] = 0x80;
    field[4..].copy_from_slice(&size.to_be_bytes());
    field
}

/// A header block.
pub(super) fn header(name: &[u8], kind: u8, link: &[u8], size: [u8; 12]) -> [u8; 512] {
    let mut block = [0; 512];
    block[..name.len()].copy_from_slice(name);
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(&size);
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link);
    block[257..265].copy_from_slice(b"ustar\x0000");
    sealed(block)
}

/// With its checksum.
pub(super) fn sealed(mut block: [u8; 512]) -> [u8; 512] {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// A header with its content and padding.
pub(super) fn entry(name: &str, kind: u8, link: &str, content: &[u8]) -> Vec<u8> {
    let size = octal(content.len() as u64);
    let mut bytes = header(name.as_bytes(), kind, link.as_bytes(), size).to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

pub(crate) fn file(name: &str, content: impl AsRef<[u8]>) -> Vec<u8> {
    entry(name, b'0', "", content.as_ref())
}

/// A PAX header of these records.
pub(super) fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut content = String::new();
    for (name, value) in records {
        // The length counts itself.
        let rest = name.len() + value.len() + 3;
        let digits = (rest + (rest + 3).to_string().len()).to_string().len();
        content += &format!("{} {name}={value}\n", rest + digits);
    }
    entry("PaxHeaders/x", b'x', "", content.as_bytes())
}

/// A whole tar.
pub(crate) fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.extend(END);
    bytes
}

/// A system of two packages, as a layer.
pub(super) fn alpine() -> Vec<u8> {
    tar(&[
        file("etc/os-release", OS_RELEASE),
        file("lib/apk/db/installed", APK),
    ])
}

pub(crate) const OS_RELEASE: &str = "ID=alpine\nVERSION_ID=3.10.9\n";
pub(super) const DEBIAN: &str = "ID=debian\nVERSION_ID=\"12\"\n";
pub(super) const APK: &str = "P:musl\nV:1.1.22-r3\nA:x86_64\no:musl\n\n\
    P:zlib\nV:1.2.11-r1\nA:x86_64\no:zlib\n\n";

/// What an OCI layout calls a blob.
pub(super) fn blob(bytes: &[u8]) -> String {
    format!("blobs/sha256/{}", Digest::of(bytes).hex())
}

/// An image: its layers as they are stored, each with its diff id.
#[derive(Clone)]
pub(crate) struct Image {
    pub(super) layers: Vec<(Vec<u8>, Digest)>,
}

impl Image {
    /// Layers that are stored unpacked.
    pub(crate) fn plain(layers: &[Vec<u8>]) -> Self {
        let layers = layers
            .iter()
            .map(|layer| (layer.clone(), Digest::of(layer)));
        Image {
            layers: layers.collect(),
        }
    }

    /// One layer that is stored as something else.
    pub(super) fn packed(stored: Vec<u8>, unpacked: &[u8]) -> Self {
        Image {
            layers: vec![(stored, Digest::of(unpacked))],
        }
    }

    pub(super) fn config(&self) -> Vec<u8> {
        let ids: Vec<String> = self.layers.iter().map(|(_, id)| id.to_string()).collect();
        let config = json!({"architecture": "amd64", "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": ids}});
        config.to_string().into_bytes()
    }

    fn names(&self) -> impl Iterator<Item = String> {
        (0..self.layers.len()).map(|at| format!("{at}.tar"))
    }

    /// Entries of a docker-archive, the manifest last.
    pub(super) fn docker_entries(&self) -> Vec<Vec<u8>> {
        let mut entries: Vec<_> = self
            .names()
            .zip(&self.layers)
            .map(|(name, (stored, _))| file(&name, stored))
            .collect();
        entries.push(file("config.json", self.config()));
        let names: Vec<_> = self.names().collect();
        let manifest = json!([{"Config": "config.json", "RepoTags": ["t:1"], "Layers": names}]);
        entries.push(file("manifest.json", manifest.to_string()));
        entries
    }

    pub(crate) fn docker(&self) -> Vec<u8> {
        tar(&self.docker_entries())
    }

    /// Files of an OCI layout: path and content, `index.json` last.
    pub(super) fn layout(&self) -> Vec<(String, Vec<u8>)> {
        let describe = |kind: &str, bytes: &[u8]| {
            json!({"mediaType": format!("application/vnd.oci.image.{kind}"),
                "digest": Digest::of(bytes).to_string(), "size": bytes.len()})
        };
        let config = self.config();
        let layers: Vec<_> = self
            .layers
            .iter()
            .map(|(stored, _)| describe("layer.v1.tar", stored))
            .collect();
        let manifest = json!({"schemaVersion": 2, "config": describe("config.v1+json", &config),
            "layers": layers});
        let manifest = manifest.to_string().into_bytes();
        let index = json!({"schemaVersion": 2,
            "manifests": [describe("manifest.v1+json", &manifest)]});
        let mut files: Vec<_> = self
            .layers
            .iter()
            .map(|(stored, _)| (blob(stored), stored.clone()))
            .collect();
        files.push((blob(&config), config));
        files.push((blob(&manifest), manifest));
        files.push((
            "oci-layout".into(),
            br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec(),
        ));
        files.push(("index.json".into(), index.to_string().into_bytes()));
        files
    }

    pub(crate) fn oci(&self) -> Vec<u8> {
        let files = self.layout();
        let entries: Vec<_> = files
            .iter()
            .map(|(name, bytes)| file(name, bytes))
            .collect();
        tar(&entries)
    }
}

/// What a program makes of its input.
pub(super) fn piped(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success());
    output.stdout
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    piped("gzip", &["-n"], bytes)
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    piped("zstd", &["-q"], bytes)
}
