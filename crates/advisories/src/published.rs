//! What a publisher serves: shards made once for many machines, and how the
//! signed index names them. Any static web server or folder will do.
//!
//! ```text
//! seawall-index.minisig            the signature, which names the index
//! seawall-index-DIGEST.json.zst    the index, packed JSON
//! NAME-TABLE.shard.zst             a shard, named by SHA-256 of its table
//! NAME-BASE-TABLE.overlay.zst      what makes the shard TABLE of the shard BASE
//! ```
//!
//! Only the signature is ever replaced: all others have names of their content,
//! so that no two files have to change at once, and caches may keep them.
//!
//! Nothing of the index is unpacked before its signature was checked, and
//! nothing of any other file before its length and SHA-256 were.

use std::{collections::BTreeSet, io::Read};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::database::hex;

/// How an index is named; a source of the database is it, `#` and a shard.
pub(crate) const INDEX: &str = "seawall-index";
const INDEX_END: &str = ".json.zst";
/// Its signature, whose trusted comment names it.
pub(crate) const SIGNATURE: &str = "seawall-index.minisig";
const FORMAT: u32 = 1;

/// Bytes of an index, packed and not: thirty times what all of OSV takes.
pub(crate) const INDEX_LIMIT: u64 = 8 << 20;
const INDEX_UNPACKED: u64 = 64 << 20;
/// Bytes of a signature.
pub(crate) const SIGNATURE_LIMIT: u64 = 4 << 10;
/// Bytes of a shard; its format has offsets of 32 bits.
pub(crate) const SHARD_LIMIT: u64 = u32::MAX as u64;
/// Shards of an index; OSV has some four hundred.
const SHARDS: usize = 20_000;
const OVERLAYS: usize = 64;
const NAME_LIMIT: usize = 200;

/// A signed index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PublishedIndex {
    pub(crate) format: u32,
    /// When it was made, RFC 3339 in whole seconds of UTC. Never goes back.
    pub(crate) made: String,
    /// Sorted by name.
    pub(crate) shards: Vec<PublishedShard>,
}

/// One shard in a signed index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PublishedShard {
    pub(crate) name: String,
    pub(crate) newest: String,
    pub(crate) records: u64,
    pub(crate) packages: u64,
    /// What a feed could not give of it, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) left_out: Vec<String>,
    pub(crate) whole: PublishedFile,
    /// SHA-256 of the table in `whole`.
    pub(crate) table: String,
    /// From bases that are still served, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) overlays: Vec<PublishedOverlay>,
}

/// One packed file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PublishedFile {
    pub(crate) file: String,
    /// Of the packed file.
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    pub(crate) unpacked: u64,
}

/// An overlay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PublishedOverlay {
    /// How the SHA-256 of the base's table begins ([`short`]).
    pub(crate) base: String,
    #[serde(flatten)]
    pub(crate) packed: PublishedFile,
}

/// The name of an index by its bytes.
pub(crate) fn index_name(packed: &[u8]) -> String {
    let digest = hex(&Sha256::digest(packed));
    format!("{INDEX}-{}{INDEX_END}", short(&digest))
}

/// Whether a file is an index by its name.
pub(crate) fn is_index(name: &str) -> bool {
    let digest = name
        .strip_prefix(INDEX)
        .and_then(|rest| rest.strip_prefix('-'));
    let digest = digest.and_then(|rest| rest.strip_suffix(INDEX_END));
    digest.is_some_and(|digest| is_digest(digest, 16))
}

/// The trusted comment of an index's signature, in the form of minisign's own.
pub(crate) fn comment(made: Option<Timestamp>, index: &str) -> String {
    let seconds = made.map_or(0, Timestamp::as_second);
    format!("timestamp:{seconds}\tfile:{index}\thashed")
}

/// The name of the index in such a comment.
///
/// # Errors
/// When there is none.
pub(crate) fn named(comment: &str) -> Result<&str, String> {
    let mut fields = comment.split('\t');
    let name = fields.find_map(|field| field.strip_prefix("file:"));
    let name = name.filter(|name| is_index(name));
    name.ok_or_else(|| format!("its trusted comment names no index: `{comment}`"))
}

/// As much of a digest as names a file.
pub(crate) fn short(sha256: &str) -> &str {
    sha256.get(..16).unwrap_or(sha256)
}

/// The name of a shard as a part of names of files.
pub(crate) fn safe(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}

/// Whether it costs less to take the overlay: past a quarter of the shard it
/// is the shard that is taken, or else overlays would grow without end.
pub(crate) fn is_worthwhile(overlay: u64, whole: u64) -> bool {
    overlay.saturating_mul(4) <= whole
}

impl PublishedShard {
    /// The overlay for a base.
    pub(crate) fn overlay_from(&self, base: &str) -> Option<&PublishedOverlay> {
        self.overlays.iter().find(|one| one.base == short(base))
    }

    /// Every file that it needs.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PublishedFile> {
        let overlays = self.overlays.iter().map(|overlay| &overlay.packed);
        std::iter::once(&self.whole).chain(overlays)
    }
}

impl PublishedIndex {
    pub(crate) fn new(made: String, shards: Vec<PublishedShard>) -> Self {
        PublishedIndex {
            format: FORMAT,
            made,
            shards,
        }
    }

    /// The bytes of the index file.
    pub(crate) fn pack(&self) -> Result<Vec<u8>, String> {
        let json = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        pack(&json)
    }

    /// Reads an index whose signature was checked.
    ///
    /// # Errors
    /// When it is none, of a later format, or says what no index may.
    pub(crate) fn parse(packed: &[u8]) -> Result<Self, String> {
        let json = unpack_at_most(packed, INDEX_UNPACKED)?;
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let said = |error: serde_json::Error| error.to_string();
        let Format { format } = serde_json::from_slice(&json).map_err(said)?;
        if format != FORMAT {
            return Err(format!("it has format {format}, {FORMAT} is expected"));
        }
        let index: PublishedIndex = serde_json::from_slice(&json).map_err(said)?;
        index.check()?;
        Ok(index)
    }

    /// When it was made.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        self.made.parse().ok()
    }

    fn check(&self) -> Result<(), String> {
        if self.time().is_none() {
            return Err(format!("it was made at `{}`, which is no time", self.made));
        }
        if self.shards.len() > SHARDS {
            return Err(format!("it names more than {SHARDS} shards"));
        }
        let mut names = BTreeSet::new();
        for shard in &self.shards {
            let name = &shard.name;
            if name.is_empty() || name.len() > NAME_LIMIT || name.chars().any(char::is_control) {
                return Err(format!("it has a shard with the name {name:?}"));
            }
            if !names.insert(name) {
                return Err(format!("it has the shard `{name}` twice"));
            }
            if shard.overlays.len() > OVERLAYS {
                return Err(format!("`{name}` has more than {OVERLAYS} overlays"));
            }
            if !is_digest(&shard.table, 64) {
                return Err(format!("the table of `{name}` has no SHA-256"));
            }
            let bases = shard.overlays.iter().map(|one| &one.base);
            if let Some(base) = bases.clone().find(|base| !is_digest(base, 16)) {
                return Err(format!("`{name}` has an overlay for `{base}`"));
            }
            shard.files().try_for_each(PublishedFile::check)?;
        }
        Ok(())
    }
}

impl PublishedFile {
    fn check(&self) -> Result<(), String> {
        let file = &self.file;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_inside = !file.is_empty()
            && file.len() <= NAME_LIMIT + 60
            && !file.starts_with('.')
            && file.bytes().all(is_plain);
        if !is_inside {
            return Err(format!("it names a file outside of its folder: `{file}`"));
        }
        if !is_digest(&self.sha256, 64) {
            return Err(format!("`{file}` has no SHA-256"));
        }
        if self.bytes.max(self.unpacked) > SHARD_LIMIT {
            return Err(format!("`{file}` would have more than {SHARD_LIMIT} bytes"));
        }
        Ok(())
    }

    /// What is packed in `bytes`, which came from outside.
    ///
    /// # Errors
    /// When it is not what the index names.
    pub(crate) fn unpack(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        if bytes.len() as u64 != self.bytes {
            let (got, want) = (bytes.len(), self.bytes);
            return Err(format!("it has {got} bytes instead of {want}"));
        }
        if hex(&Sha256::digest(bytes)) != self.sha256 {
            return Err("its SHA-256 is not the one in the signed index".to_owned());
        }
        let unpacked = unpack_at_most(bytes, self.unpacked)?;
        if unpacked.len() as u64 != self.unpacked {
            let (got, want) = (unpacked.len(), self.unpacked);
            return Err(format!("it unpacks to {got} bytes instead of {want}"));
        }
        Ok(unpacked)
    }
}

fn is_digest(text: &str, length: usize) -> bool {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == length && text.bytes().all(is_hex)
}

/// Packed once and fetched many times.
const LEVEL: i32 = 19;

/// Packs; the same for the same.
pub(crate) fn pack(bytes: &[u8]) -> Result<Vec<u8>, String> {
    zstd::bulk::compress(bytes, LEVEL).map_err(|error| error.to_string())
}

/// Unpacks what has to have at most `limit` bytes, whatever it says itself.
pub(crate) fn unpack_at_most(packed: &[u8], limit: u64) -> Result<Vec<u8>, String> {
    let said = |error: std::io::Error| error.to_string();
    let decoder = zstd::stream::read::Decoder::new(packed).map_err(said)?;
    let mut bytes = Vec::new();
    let read = decoder.take(limit + 1).read_to_end(&mut bytes);
    if read.map_err(said)? as u64 > limit {
        return Err(format!("it unpacks to more than {limit} bytes"));
    }
    Ok(bytes)
}
