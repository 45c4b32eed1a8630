//! One layer, read once: unpacked, hashed, walked, its evidence taken.

use std::io::{self, Read};

use crate::{
    Digest, Limits, Progress, TarError,
    chunks::{Cores, hash_chunks},
    collect::{Budget, Collector},
    decompress::Unpacked,
    evidence::LayerEvidence,
    matcher::Matcher,
    tar::Parser,
};

/// What reading a layer came to.
#[derive(Debug)]
pub(crate) struct ScannedLayer {
    pub(crate) evidence: LayerEvidence,
    /// Digest of the uncompressed tar.
    pub(crate) diff_id: Digest,
    /// Digest of the bytes as stored, when it was asked for.
    pub(crate) stored_digest: Option<Digest>,
}

/// Why a layer could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The bytes cannot be had or unpacked.
    #[error("cannot read the layer")]
    Read(#[source] io::Error),
    /// The tar is damaged or meets a bound.
    #[error("cannot read the layer's tar")]
    Tar(#[from] TarError),
    /// The layer is larger than allowed.
    #[error("the layer has more than {0} bytes")]
    Size(u64),
}

/// How a layer is read.
pub(crate) struct Reading<'a> {
    pub(crate) matcher: &'a Matcher<'a>,
    pub(crate) limits: &'a Limits,
    pub(crate) spool: &'a Budget,
    /// Bytes of evidence that may still be kept, over all layers.
    pub(crate) kept: &'a Budget,
    pub(crate) cores: &'a Cores,
    pub(crate) progress: &'a dyn Progress,
    /// Whether the digest of the stored bytes is wanted too.
    pub(crate) hash_stored: bool,
}

/// Reads `input` to its end.
pub(crate) fn scan_layer(
    input: &mut dyn Read,
    reading: &Reading<'_>,
) -> Result<ScannedLayer, LayerError> {
    let mut unpacked = Unpacked::new(input, reading.hash_stored).map_err(LayerError::Read)?;
    let mut parser = Parser::new(reading.limits);
    let mut collector = Collector::new(reading);
    let (diff_id, size) = hash_chunks(
        &mut unpacked,
        reading.cores,
        reading.limits.layer_bytes,
        reading.progress,
        |chunk| Ok(parser.feed(chunk, &mut collector)?),
    )?;
    parser.finish()?;
    let mut evidence = collector.finish();
    evidence.size = size;
    let stored = unpacked.finish(reading.limits.trailing_bytes)?;
    // A plain layer is its own stored form, and was hashed once.
    let stored_digest = reading.hash_stored.then_some(stored.unwrap_or(diff_id));
    Ok(ScannedLayer {
        evidence,
        diff_id,
        stored_digest,
    })
}

/// Only hashes `input`: for a layer whose evidence is known already but whose
/// digest nobody vouches for.
pub(crate) fn hash_layer(
    input: &mut dyn Read,
    cores: &Cores,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Digest, LayerError> {
    let (digest, _) = hash_chunks(input, cores, limits.layer_bytes, progress, |_| Ok(()))?;
    Ok(digest)
}
