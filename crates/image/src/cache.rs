//! Evidence of layers seen before.
//!
//! One file a layer and set of analysers, so that any number of processes can
//! read and write side by side: each entry is written under a name of its own
//! and renamed. The cache never makes a run fail: whatever goes wrong with it
//! is a layer not seen before.

use std::{
    fs::{self, File, FileTimes},
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use seawall_model::{Gap, GapKind};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::{
    Digest,
    evidence::{FileEvidence, HardLink, LayerEvidence, PathLog, put_number, take, take_number},
    matcher::{Index, Matcher},
};

/// Raised whenever the format below or the meaning of evidence changes.
const FORMAT: u32 = 2;
const MAGIC: &[u8; 8] = b"SEAEVID1";
/// The largest entry that is read, unpacked: evidence is bounded by
/// [`crate::Limits`] when it is made.
const ENTRY_LIMIT: usize = 1 << 30;
/// Fast and small enough: entries are read far more often than written.
const ZSTD_LEVEL: i32 = 1;

/// A folder of evidence, bounded in size.
#[derive(Debug)]
pub struct Cache {
    dir: PathBuf,
    max_bytes: u64,
}

impl Cache {
    /// A cache in `dir`, which need not exist. When it holds more than
    /// `max_bytes`, the entries used longest ago go.
    pub fn new(dir: impl Into<PathBuf>, max_bytes: u64) -> Self {
        Cache {
            dir: dir.into(),
            max_bytes,
        }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn path(&self, layer: &Digest, matcher: &Matcher<'_>) -> PathBuf {
        let mut hasher = Xxh3::new();
        hasher.update(&FORMAT.to_le_bytes());
        hasher.update(matcher.fingerprint().as_bytes());
        self.dir
            .join(format!("{}-{:032x}", layer.hex(), hasher.digest128()))
    }

    /// Whether the layer's evidence is there, without reading it.
    pub(crate) fn has(&self, layer: &Digest, matcher: &Matcher<'_>) -> bool {
        self.path(layer, matcher).is_file()
    }

    /// The evidence of the layer with this diff id. The caller answers for the
    /// digest: computed by us, or vouched for by a daemon.
    pub(crate) fn get(&self, layer: &Digest, matcher: &Matcher<'_>) -> Option<LayerEvidence> {
        let path = self.path(layer, matcher);
        let file = File::open(&path).ok()?;
        let mut bytes = Vec::new();
        (&file)
            .take(ENTRY_LIMIT as u64)
            .read_to_end(&mut bytes)
            .ok()?;
        let evidence = decode_entry(&bytes, matcher);
        match &evidence {
            // Best effort: without it eviction is by age.
            Some(_) => drop(file.set_times(FileTimes::new().set_modified(SystemTime::now()))),
            // A damaged entry would be met again and again.
            None => drop(fs::remove_file(&path)),
        }
        evidence
    }

    /// Keeps the evidence of a layer. Failure is silent: the next run reads the
    /// layer again.
    pub(crate) fn put(&self, layer: &Digest, matcher: &Matcher<'_>, evidence: &LayerEvidence) {
        let _ = self.try_put(layer, matcher, evidence);
    }

    fn try_put(
        &self,
        layer: &Digest,
        matcher: &Matcher<'_>,
        evidence: &LayerEvidence,
    ) -> Option<()> {
        let bytes = encode_entry(evidence, matcher)?;
        if bytes.len() as u64 > self.max_bytes {
            return None;
        }
        fs::create_dir_all(&self.dir).ok()?;
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(&self.dir)
            .ok()?;
        file.write_all(&bytes).ok()?;
        file.persist(self.path(layer, matcher)).ok()?;
        self.evict();
        Some(())
    }

    /// A document kept under its digest, if it still has it.
    pub(crate) fn document(&self, digest: &Digest) -> Option<Vec<u8>> {
        let bytes = fs::read(self.dir.join(format!("{}-document", digest.hex()))).ok()?;
        (Digest::of(&bytes) == *digest).then_some(bytes)
    }

    /// Keeps a document under its digest.
    pub(crate) fn put_document(&self, digest: &Digest, bytes: &[u8]) {
        let _ = fs::create_dir_all(&self.dir);
        let _ = fs::write(self.dir.join(format!("{}-document", digest.hex())), bytes);
    }

    /// The digest of the document that was noted under `key`, a digest of
    /// whatever the caller knows it by.
    pub(crate) fn note(&self, key: &Digest) -> Option<Digest> {
        let text = fs::read_to_string(self.dir.join(format!("{}-note", key.hex()))).ok()?;
        text.parse().ok()
    }

    /// Notes the digest of a document under `key`.
    pub(crate) fn put_note(&self, key: &Digest, document: &Digest) {
        let path = self.dir.join(format!("{}-note", key.hex()));
        let _ = fs::write(path, document.to_string());
    }

    /// Whether the stored bytes with this digest were seen to unpack to a tar
    /// with this diff id.
    pub(crate) fn unpacks_to(&self, stored: &Digest, diff_id: &Digest) -> bool {
        fs::read(self.link_path(stored, diff_id)).is_ok_and(|mark| mark == MAGIC)
    }

    /// Remembers that the stored bytes unpack to the diff id.
    pub(crate) fn put_unpacked(&self, stored: &Digest, diff_id: &Digest) {
        // Both digests are in the name; a lost mark costs one more reading.
        let _ = fs::write(self.link_path(stored, diff_id), MAGIC);
    }

    fn link_path(&self, stored: &Digest, diff_id: &Digest) -> PathBuf {
        let both: Vec<u8> = [stored.bytes().as_slice(), diff_id.bytes()].concat();
        self.dir
            .join(format!("{}-unpacked", Digest::of(&both).hex()))
    }

    /// Removes the entries used longest ago until the rest fits, and what
    /// crashed writers left behind.
    fn evict(&self) {
        let Ok(entries) = fs::read_dir(&self.dir) else {
            return;
        };
        let mut all: Vec<(SystemTime, u64, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let metadata = entry.metadata().ok()?;
                Some((metadata.modified().ok()?, metadata.len(), entry.path()))
            })
            .collect();
        let mut total: u64 = all.iter().map(|(_, size, _)| size).sum();
        if total <= self.max_bytes {
            return;
        }
        all.sort();
        // Down to nine tenths, so that not every entry written evicts one.
        let goal = self.max_bytes / 10 * 9;
        for (_, size, path) in all {
            if total <= goal {
                break;
            }
            // Another process may have been first.
            let _ = fs::remove_file(path);
            total = total.saturating_sub(size);
        }
    }
}

/// Evidence as a file: magic, checksum, zstd frame.
pub(crate) fn encode_entry(evidence: &LayerEvidence, matcher: &Matcher<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let text = |out: &mut Vec<u8>, bytes: &[u8]| {
        put_number(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    };
    put_number(&mut out, evidence.size);
    put_number(&mut out, evidence.files.len() as u64);
    for file in &evidence.files {
        text(&mut out, matcher.analyser(file.analyser)?.name().as_bytes());
        text(&mut out, file.path.as_bytes());
        for number in [file.size, u64::from(file.mode), file.uid, file.gid] {
            put_number(&mut out, number);
        }
        put_number(&mut out, u64::from(file.capability.is_some()));
        text(&mut out, file.capability.as_deref().unwrap_or_default());
        text(&mut out, &file.data);
    }
    put_number(&mut out, evidence.symlinks.len() as u64);
    for (path, target) in &evidence.symlinks {
        text(&mut out, path.as_bytes());
        text(&mut out, target.as_bytes());
    }
    put_number(&mut out, evidence.hard_links.len() as u64);
    for link in &evidence.hard_links {
        text(&mut out, matcher.analyser(link.analyser)?.name().as_bytes());
        text(&mut out, link.path.as_bytes());
        text(&mut out, link.target.as_bytes());
    }
    put_number(&mut out, evidence.searched.len() as u64);
    for (analyser, target) in &evidence.searched {
        text(&mut out, matcher.analyser(*analyser)?.name().as_bytes());
        text(&mut out, target.as_bytes());
    }
    for list in [&evidence.whiteouts, &evidence.opaque] {
        put_number(&mut out, list.len() as u64);
        list.iter().for_each(|path| text(&mut out, path.as_bytes()));
    }
    text(&mut out, evidence.paths.bytes());
    put_number(&mut out, evidence.gaps.len() as u64);
    for gap in &evidence.gaps {
        text(&mut out, gap.kind.as_str().as_bytes());
        text(&mut out, gap.subject.as_bytes());
        text(&mut out, gap.reason.as_bytes());
    }
    let packed = zstd::bulk::compress(&out, ZSTD_LEVEL).ok()?;
    let mut entry = MAGIC.to_vec();
    entry.extend_from_slice(&(out.len() as u64).to_le_bytes());
    entry.extend_from_slice(&xxh3_128(&packed).to_le_bytes());
    entry.extend_from_slice(&packed);
    Some(entry)
}

/// The evidence in a file, or `None` when anything about it is wrong.
pub(crate) fn decode_entry(entry: &[u8], matcher: &Matcher<'_>) -> Option<LayerEvidence> {
    let rest = entry.strip_prefix(MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let (checksum, packed) = rest.split_first_chunk::<16>()?;
    if xxh3_128(packed).to_le_bytes() != *checksum {
        return None;
    }
    let length = usize::try_from(u64::from_le_bytes(*length))
        .ok()
        .filter(|n| *n <= ENTRY_LIMIT)?;
    let bytes = zstd::bulk::decompress(packed, length).ok()?;
    let mut left = bytes.as_slice();
    let evidence = decode(&mut left, matcher)?;
    left.is_empty().then_some(evidence)
}

fn decode(left: &mut &[u8], matcher: &Matcher<'_>) -> Option<LayerEvidence> {
    fn bytes<'a>(left: &mut &'a [u8]) -> Option<&'a [u8]> {
        let length = take_number(left)?;
        take(left, length)
    }
    fn text(left: &mut &[u8]) -> Option<String> {
        String::from_utf8(bytes(left)?.to_vec()).ok()
    }
    let analyser = |left: &mut &[u8]| -> Option<Index> { matcher.index_of(&text(left)?) };
    let mut out = LayerEvidence {
        size: take_number(left)?,
        ..LayerEvidence::default()
    };
    for _ in 0..take_number(left)? {
        let (analyser, path) = (analyser(left)?, text(left)?);
        let size = take_number(left)?;
        let mode = u32::try_from(take_number(left)?).ok()?;
        let (uid, gid) = (take_number(left)?, take_number(left)?);
        let has_capability = take_number(left)? == 1;
        let capability = bytes(left)?;
        let capability = has_capability.then(|| Box::from(capability));
        let data = Arc::from(bytes(left)?);
        out.files.push(FileEvidence {
            analyser,
            path,
            size,
            mode,
            uid,
            gid,
            capability,
            data,
        });
    }
    for _ in 0..take_number(left)? {
        out.symlinks.push((text(left)?, text(left)?));
    }
    for _ in 0..take_number(left)? {
        let (analyser, path, target) = (analyser(left)?, text(left)?, text(left)?);
        out.hard_links.push(HardLink {
            analyser,
            path,
            target,
        });
    }
    for _ in 0..take_number(left)? {
        out.searched.push((analyser(left)?, text(left)?));
    }
    for list in [&mut out.whiteouts, &mut out.opaque] {
        for _ in 0..take_number(left)? {
            list.push(text(left)?);
        }
    }
    out.paths = PathLog::from_bytes(bytes(left)?.to_vec());
    for _ in 0..take_number(left)? {
        let kind = text(left)?;
        const KINDS: [GapKind; 4] = [
            GapKind::Unsupported,
            GapKind::Damaged,
            GapKind::Limit,
            GapKind::Missing,
        ];
        let kind = KINDS.into_iter().find(|known| known.as_str() == kind)?;
        out.gaps.push(Gap::new(kind, text(left)?, text(left)?));
    }
    Some(out)
}
