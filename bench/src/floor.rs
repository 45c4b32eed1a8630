//! The least work that reading an image needs: unpack, hash, walk headers, with
//! the same libraries, a thread for each core.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, Result};
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

const CHUNK: usize = 128 << 10;

pub(crate) fn run(arguments: &[PathBuf]) -> Result<()> {
    let hash_only = arguments
        .first()
        .is_some_and(|first| first.as_os_str() == "--hash-only");
    let mut layers: Vec<&PathBuf> = arguments.iter().skip(usize::from(hash_only)).collect();
    layers.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).map_or(0, |it| it.len())));
    let next = AtomicUsize::new(0);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let work = || -> Result<()> {
        while let Some(path) = layers.get(next.fetch_add(1, Ordering::Relaxed)) {
            layer(path, hash_only)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..cores.min(layers.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let own = work();
        for other in others {
            other
                .join()
                .map_err(|_| anyhow::anyhow!("a thread ended early"))??;
        }
        own
    })
}

fn layer(path: &Path, hash_only: bool) -> Result<()> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let mut reader = BufReader::with_capacity(CHUNK, file);
    let first = io::BufRead::fill_buf(&mut reader)?;
    let is_gzip = first.starts_with(&[0x1F, 0x8B]);
    let mut unpacked: Box<dyn Read> = if is_gzip {
        Box::new(MultiGzDecoder::new(reader))
    } else {
        Box::new(reader)
    };
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    let (mut skip, mut entries) = (0u64, 0u64);
    loop {
        let mut filled = 0;
        while filled < buffer.len() {
            let read = unpacked.read(buffer.get_mut(filled..).unwrap_or_default())?;
            if read == 0 {
                break;
            }
            filled += read;
        }
        let chunk = buffer.get(..filled).unwrap_or_default();
        if chunk.is_empty() {
            break;
        }
        hasher.update(chunk);
        if hash_only {
            continue;
        }
        // Chunks are whole blocks, so that a header is never cut in two.
        let mut at = 0;
        while at < chunk.len() {
            let left = (chunk.len() - at) as u64;
            if skip >= left {
                skip -= left;
                break;
            }
            at += usize::try_from(skip)?;
            let Some(header) = chunk.get(at..at + 512) else {
                break;
            };
            at += 512;
            skip = size(header).next_multiple_of(512);
            entries += 1;
        }
    }
    std::hint::black_box((hasher.finalize(), entries));
    Ok(())
}

fn size(header: &[u8]) -> u64 {
    header
        .get(124..135)
        .unwrap_or_default()
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .fold(0, |value, byte| value * 8 + u64::from(byte - b'0'))
}

/// The layers of a docker-archive as files of their own.
pub(crate) fn extract_layers(image: &Path, scratch: &Path) -> Result<Vec<PathBuf>> {
    let name = image
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let dir = scratch.join(format!("{name}.layers"));
    // Those of an earlier run may be another image's.
    if dir.is_dir() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    let status = std::process::Command::new("tar")
        .args([
            "-xf".as_ref(),
            image.as_os_str(),
            "-C".as_ref(),
            dir.as_os_str(),
        ])
        .status()?;
    anyhow::ensure!(status.success(), "tar cannot unpack {}", image.display());
    let mut layers = Vec::new();
    for entry in fs::read_dir(&dir)? {
        let layer = entry?.path().join("layer.tar");
        if layer.is_file() {
            layers.push(layer);
        }
    }
    layers.sort();
    Ok(layers)
}

/// A tar header of an empty file.
fn header(name: &str, size: usize) -> [u8; 512] {
    let mut block = [0; 512];
    let mut put = |at: usize, text: &str| {
        for (to, from) in block.iter_mut().skip(at).zip(text.bytes()) {
            *to = from;
        }
    };
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{size:011o}\0"));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    for (to, from) in block
        .iter_mut()
        .skip(148)
        .zip(format!("{sum:06o}\0 ").bytes())
    {
        *to = from;
    }
    block
}

/// A docker-archive whose one plain layer holds so many empty files.
pub(crate) fn write_empty_files(count: usize, path: &Path) -> Result<()> {
    let name = |index: usize| format!("srv/data/{:03}/file-{index:07}", index / 1000 % 1000);
    let mut hasher = Sha256::new();
    for index in 0..count {
        hasher.update(header(&name(index), 0));
    }
    hasher.update([0; 1024]);
    let hex = |digest: &[u8]| {
        digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["sha256:{}"]}},"history":[]}}"#,
        hex(&hasher.finalize())
    );
    let config_name = format!("{}.json", hex(&Sha256::digest(&config)));
    let manifest = format!(
        r#"[{{"Config":"{config_name}","RepoTags":["empty:{count}"],"Layers":["l/layer.tar"]}}]"#
    );
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    for (name, text) in [
        (config_name.as_str(), &config),
        ("manifest.json", &manifest),
    ] {
        out.write_all(&header(name, text.len()))?;
        out.write_all(text.as_bytes())?;
        out.write_all(&vec![0; text.len().next_multiple_of(512) - text.len()])?;
    }
    out.write_all(&header("l/layer.tar", count * 512 + 1024))?;
    for index in 0..count {
        out.write_all(&header(&name(index), 0))?;
    }
    out.write_all(&[0; 2048])?;
    out.flush()?;
    Ok(())
}
