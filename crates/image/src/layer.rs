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
    /// The stored bytes are other ones than those of the digest.
    #[error("its stored bytes have the digest {computed}, {expected} is expected")]
    Stored {
        /// The digest that the image names.
        expected: Digest,
        /// What came.
        computed: Digest,
    },
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
    /// What it has to be, where that is known.
    pub(crate) stored: Option<Digest>,
}

impl Reading<'_> {
    fn check(&self, computed: Digest) -> Result<(), LayerError> {
        match self.stored.filter(|expected| *expected != computed) {
            Some(expected) => Err(LayerError::Stored { expected, computed }),
            None => Ok(()),
        }
    }
}

/// Reads `input` to its end.
pub(crate) fn scan_layer(
    input: &mut dyn Read,
    reading: &Reading<'_>,
) -> Result<ScannedLayer, LayerError> {
    let mut collector = Collector::new(reading);
    match read_to_end(input, reading, &mut collector) {
        Ok(read) => {
            let mut evidence = collector.finish();
            evidence.size = read.size;
            Ok(ScannedLayer {
                evidence,
                diff_id: read.diff_id,
                stored_digest: read.stored,
            })
        }
        Err(error) => {
            collector.discard();
            Err(error)
        }
    }
}

/// What a whole layer turned out to be.
struct WholeLayer {
    diff_id: Digest,
    size: u64,
    stored: Option<Digest>,
}

fn read_to_end(
    input: &mut dyn Read,
    reading: &Reading<'_>,
    collector: &mut Collector<'_>,
) -> Result<WholeLayer, LayerError> {
    let mut unpacked = Unpacked::new(input, reading.hash_stored).map_err(LayerError::Read)?;
    let mut parser = Parser::new(reading.limits);
    // Bytes that make no sense are read on where it can be told then whether
    // they are the right ones at all. A plain layer is its own stored form.
    let goes_on = reading.stored.is_some() && unpacked.is_plain();
    let mut damage = None;
    let hashed = hash_chunks(
        &mut unpacked,
        reading.cores,
        reading.limits.layer_bytes,
        reading.progress,
        |chunk| {
            if damage.is_none() {
                match parser.feed(chunk, collector) {
                    Err(error) if goes_on => damage = Some(error),
                    fed => fed?,
                }
            }
            Ok(())
        },
    );
    let plain = hashed.as_ref().ok().map(|(digest, _)| *digest);
    let read = match damage {
        Some(error) => Err(error.into()),
        None => hashed.and_then(|hashed| {
            parser.finish()?;
            Ok(hashed)
        }),
    };
    let (diff_id, size) = match read {
        Ok(read) => read,
        Err(error) => {
            let computed = match unpacked.is_plain() {
                true => plain,
                false => unpacked.rest(reading.limits.layer_bytes),
            };
            let wrong = computed.and_then(|computed| reading.check(computed).err());
            return Err(wrong.unwrap_or(error));
        }
    };
    let stored = unpacked.finish(reading.limits.trailing_bytes)?;
    let stored = reading.hash_stored.then_some(stored.unwrap_or(diff_id));
    if let Some(computed) = stored {
        reading.check(computed)?;
    }
    Ok(WholeLayer {
        diff_id,
        size,
        stored,
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
