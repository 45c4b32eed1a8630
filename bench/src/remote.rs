//! An image of a registry: scanning it beside downloading it.
//!
//! Everything is measured in one run, in turns: the download alone (all blobs
//! at once by our own client, held against their digests, kept nowhere), the
//! download with unpacking and hashing, which no scan can leave out, skopeo's
//! download to a folder, and the scan; on loopback, behind a way that takes time, and behind one that is as
//! narrow as a fast line besides.

use std::{
    env, fs,
    io::{self, BufReader, Read},
    path::Path,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use flate2::bufread::MultiGzDecoder;
use seawall_model::Digest;
use seawall_registry::{Client, Reference, Settings};
use seawall_testkit::{Latency, Registry, Setup};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    run::{Measured, Runner},
    say,
};

const CHUNK: usize = 128 << 10;
/// Rounds; each measures all of it.
const ROUNDS: usize = 7;
/// Latency that is added, there and back.
const ROUND_TRIP: Duration = Duration::from_millis(20);
/// Bytes a second of a fast line.
const GIGABIT: u64 = 125_000_000;

/// Fetches an image and drops it: `download [--unpack] NAME`.
pub(crate) fn download(arguments: &[String]) -> Result<()> {
    let unpack = arguments.first().is_some_and(|first| first == "--unpack");
    let name = arguments
        .last()
        .context("usage: download [--unpack] NAME")?;
    let reference: Reference = name.parse()?;
    let client = Client::new(&Settings::default());
    let manifest = client.manifest(&reference)?;
    let manifest: Value = serde_json::from_slice(&manifest.bytes)?;
    let layers = manifest["layers"].as_array().context("no layers")?;
    let blobs = layers.iter().map(|layer| (layer, unpack));
    let blobs = blobs.chain([(&manifest["config"], false)]);
    thread::scope(|scope| {
        let all: Vec<_> = blobs
            .map(|(descriptor, unpack)| {
                let (client, reference) = (&client, &reference);
                scope.spawn(move || fetch(client, reference, descriptor, unpack))
            })
            .collect();
        all.into_iter().try_for_each(|one| {
            one.join()
                .map_err(|_| anyhow::anyhow!("a thread ended early"))?
        })
    })
}

/// Bytes hashed as they are taken.
struct Hashing<R> {
    inner: R,
    hasher: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

fn fetch(client: &Client, reference: &Reference, descriptor: &Value, unpack: bool) -> Result<()> {
    let digest: Digest = descriptor["digest"]
        .as_str()
        .context("no digest")?
        .parse()?;
    let size = descriptor["size"].as_u64();
    let mut stored = Hashing {
        inner: client.open(reference.repository(), digest, size)?,
        hasher: Sha256::new(),
    };
    let mut buffer = vec![0; CHUNK];
    if unpack {
        let mut unpacked = MultiGzDecoder::new(BufReader::with_capacity(CHUNK, &mut stored));
        let mut hasher = Sha256::new();
        loop {
            let read = unpacked.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(buffer.get(..read).unwrap_or_default());
        }
        std::hint::black_box(hasher.finalize());
    }
    while stored.read(&mut buffer)? > 0 {}
    let computed = format!("sha256:{:x}", HexOf(&stored.hasher.finalize()));
    ensure!(computed == digest.to_string(), "{digest} is {computed}");
    Ok(())
}

/// Bytes as hexadecimal digits.
struct HexOf<'a>(&'a [u8]);

impl std::fmt::LowerHex for HexOf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Measures the image of `images`, with the database in its scratch folder.
pub(crate) fn run(seawall: &Path, images: &Path) -> Result<()> {
    let Some(registry) = Registry::start(&Setup::default()) else {
        bail!("docker-registry does not start");
    };
    let archive = images.join("gzip.tar");
    registry
        .copy(
            &format!("docker-archive:{}", archive.display()),
            "bench/image:1",
            &[],
        )
        .context("skopeo does not copy the image")?;
    let far = Latency::start(registry.host(), ROUND_TRIP / 2)?;
    let narrow = Latency::narrow(registry.host(), ROUND_TRIP / 2, GIGABIT)?;
    let settings = registry.dir().join("seawall.toml");
    fs::write(&settings, "database.update = \"never\"\n")?;
    let program = env::current_exe()?.display().to_string();
    let text = |path: &Path| path.display().to_string();
    let (seawall, settings) = (text(seawall), text(&settings));
    let db = text(&images.join("scratch/db"));
    say("| what | scan | beside | ratio | to reach |\n|---|---|---|---|---|");
    for (way, host) in [
        ("loopback", registry.host().to_owned()),
        ("20 ms latency", far.host()),
        ("20 ms latency, 1 Gbit/s", narrow.host()),
    ] {
        let name = format!("{host}/bench/image:1");
        let target = format!("registry:{name}");
        let scan = |more: &[&str]| -> Vec<String> {
            let mut words = vec![seawall.as_str(), "scan", &target, "--no-cache"];
            words.extend(["--config", &settings, "--db", &db, "--quiet"]);
            words.extend(["--format", "json", "--output", "/dev/null"]);
            words.extend(more);
            words.into_iter().map(str::to_owned).collect()
        };
        let own = |words: &[&str]| -> Vec<String> {
            let all = [program.as_str(), "download"].into_iter();
            all.chain(words.iter().copied())
                .map(str::to_owned)
                .collect()
        };
        let folder = format!("dir:{}", registry.dir().join("skopeo").display());
        let from = format!("docker://{name}");
        let skopeo = [
            "skopeo",
            "copy",
            "-q",
            "--src-tls-verify=false",
            &from,
            &folder,
        ];
        let commands = [
            own(&[&name]),
            own(&["--unpack", &name]),
            skopeo.map(str::to_owned).to_vec(),
            scan(&["--only", "vulnerabilities"]),
            scan(&[]),
        ];
        let [download, least, skopeo, packages, all] = in_turns(&commands)?;
        for (what, measured) in [("packages alone", packages), ("default scan", all)] {
            for (beside, other, goal) in [
                ("download alone", &download, "1.15"),
                ("download, unpacking and hashing", &least, "–"),
                ("skopeo's download to a folder", &skopeo, "–"),
            ] {
                say(&format!(
                    "| image of a registry, {way}, {what} | {measured} | {beside} {other} | {:.2} \
                     wall, {:.2} CPU | {goal} |",
                    measured.wall / other.wall,
                    measured.cpu / other.cpu
                ));
            }
        }
    }
    Ok(())
}

/// The medians of commands that take turns, so that a busy moment meets all.
fn in_turns<const N: usize>(commands: &[Vec<String>; N]) -> Result<[Measured; N]> {
    let once = Runner { rounds: 1 };
    let mut all: [Vec<Measured>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (command, all) in commands.iter().zip(&mut all) {
            let words: Vec<&str> = command.iter().map(String::as_str).collect();
            all.push(once.run(&words)?);
        }
    }
    let medians = all.map(|mut all| {
        all.sort_by(|a, b| a.wall.total_cmp(&b.wall));
        all.get(all.len() / 2).copied()
    });
    let medians: Option<Vec<Measured>> = medians.into_iter().collect();
    medians
        .and_then(|all| <[Measured; N]>::try_from(all).ok())
        .context("no round was run")
}
