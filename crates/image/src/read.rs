//! The layers of a plan, read several at a time.

use std::{
    collections::HashMap,
    io::{self, Read},
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use seawall_model::{Gap, GapKind};

use crate::{
    Cache, Digest, Error, Image, LayerError,
    assemble::assemble,
    evidence::LayerEvidence,
    layer::{Reading, ScannedLayer, hash_layer, scan_layer},
    manifest::{Plan, PlannedLayer},
    open::Run,
    registry::Claim,
};

/// Blobs that can be read more than once and side by side.
pub(crate) trait Blobs: Sync {
    /// The stored bytes of a layer, from their start.
    fn open(&self, layer: &PlannedLayer) -> io::Result<Option<Box<dyn Read + '_>>>;
    /// The same from elsewhere, after the last bytes of it that came were other
    /// ones; `None` where there is no other place.
    fn open_anew(&self, layer: &PlannedLayer) -> io::Result<Option<Box<dyn Read + '_>>> {
        let _ = layer;
        Ok(None)
    }
    /// Where the last bytes of it came from, where there are several places.
    fn host(&self, layer: &PlannedLayer) -> Option<String> {
        let _ = layer;
        None
    }
    /// How many they are, to start with the largest.
    fn size(&self, layer: &PlannedLayer) -> u64;
    /// Whether the layer is there, or cannot be told to be missing.
    fn has(&self, layer: &PlannedLayer) -> bool {
        !matches!(self.open(layer), Ok(None))
    }
    /// Whether the digests of stored bytes are vouched for, so that bytes
    /// whose evidence is known need not be had at all.
    fn vouches(&self) -> bool {
        false
    }
    /// How many layers are read at one time.
    fn at_once(&self) -> usize {
        thread::available_parallelism().map_or(1, NonZero::get)
    }
    /// The right to read the layer while nobody else does, where others may be
    /// after the same one: they find its evidence in the cache afterwards.
    fn claim(&self, layer: &PlannedLayer) -> Option<Claim<'_>> {
        let _ = layer;
        None
    }
}

/// What is known of a layer once it is read.
#[derive(Clone)]
pub(crate) struct ReadLayer {
    pub(crate) evidence: LayerEvidence,
    pub(crate) stored: Option<Digest>,
    pub(crate) cached: bool,
}

/// Reads the layers of a plan, several at a time, and lays them on each other.
pub(crate) fn read_plan(plan: Plan, blobs: &dyn Blobs, run: &Run<'_>) -> Result<Image, Error> {
    let missing: Vec<&str> = plan
        .layers
        .iter()
        .filter(|layer| !layer.foreign && !blobs.has(layer))
        .map(|layer| layer.name.as_str())
        .collect();
    if !missing.is_empty() {
        return Err(Error::Missing(missing.join("`, `")));
    }
    // A layer that occurs again is read once.
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (index, layer) in plan.layers.iter().enumerate() {
        first.entry(&layer.name).or_insert(index);
    }
    let mut order: Vec<usize> = first.values().copied().collect();
    // The largest first, so that it does not start when all others are done.
    order.sort_by_key(|index| {
        let size = plan.layers.get(*index).map_or(0, |layer| blobs.size(layer));
        (std::cmp::Reverse(size), *index)
    });
    let results: Mutex<Vec<(usize, Result<ReadLayer, Error>)>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let work = || {
        let _core = run.cores.occupy();
        while let Some(index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some(layer) = plan.layers.get(*index) else {
                continue;
            };
            let result = read_layer(layer, blobs, run);
            let failed = result.is_err();
            results
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((*index, result));
            if failed {
                // The image is lost: no other layer needs to be started.
                next.store(order.len(), Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..blobs.at_once().min(order.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut read: Vec<Option<ReadLayer>> = plan.layers.iter().map(|_| None).collect();
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    for (index, result) in results {
        if let Some(slot) = read.get_mut(index) {
            *slot = Some(result?);
        }
    }
    let mut layers = Vec::with_capacity(read.len());
    for (index, layer) in plan.layers.iter().enumerate() {
        let at = first.get(layer.name.as_str()).copied().unwrap_or(index);
        let original = plan.layers.get(at).unwrap_or(layer);
        if original.diff_id != layer.diff_id {
            return Err(Error::Digest {
                name: layer.name.clone(),
                expected: layer.diff_id,
                computed: original.diff_id,
            });
        }
        let is_last = !plan
            .layers
            .iter()
            .skip(index + 1)
            .any(|l| l.name == layer.name);
        let slot = read.get_mut(at);
        let one = if is_last {
            slot.and_then(Option::take)
        } else {
            slot.and_then(|one| one.clone())
        };
        layers.push(one.ok_or_else(|| Error::Missing(layer.name.clone()))?);
    }
    drop(first);
    assemble(plan, layers, run, Some(blobs))
}

fn read_layer(layer: &PlannedLayer, blobs: &dyn Blobs, run: &Run<'_>) -> Result<ReadLayer, Error> {
    if layer.foreign {
        return Ok(foreign(layer));
    }
    let failed = |cause| Error::Layer {
        name: layer.name.clone(),
        cause,
    };
    let open = || {
        let opened = blobs
            .open(layer)
            .map_err(LayerError::Read)
            .map_err(failed)?;
        opened.ok_or_else(|| Error::Missing(layer.name.clone()))
    };
    let _claim = run.options.cache.and_then(|_| blobs.claim(layer));
    if let Some(cache) = run.options.cache
        && let Some(evidence) = cached(cache, layer, blobs, run, open)?
    {
        return Ok(ReadLayer {
            evidence,
            stored: layer.stored,
            cached: true,
        });
    }
    run.options.progress.label(&layer.name);
    let reading = run.reading(layer.stored.is_some());
    accept(layer, scan(layer, &mut *open()?, blobs, &reading)?, run)
}

/// Reads a layer, held against the digest of its stored bytes where that is
/// known and wanted. Bytes that have another are read from the next place that
/// has the layer; nothing is kept of them.
pub(crate) fn scan(
    layer: &PlannedLayer,
    input: &mut dyn Read,
    blobs: &dyn Blobs,
    reading: &Reading<'_>,
) -> Result<ScannedLayer, Error> {
    let reading = Reading {
        stored: layer.stored.filter(|_| reading.hash_stored),
        ..*reading
    };
    let failed = |cause| {
        let name = layer.name.clone();
        match (cause, blobs.host(layer)) {
            (LayerError::Stored { expected, computed }, Some(host)) => Error::Sent {
                host,
                expected,
                computed,
            },
            (LayerError::Stored { expected, computed }, None) => Error::Digest {
                name,
                expected,
                computed,
            },
            (cause, _) => Error::Layer { name, cause },
        }
    };
    match scan_layer(input, &reading) {
        Err(cause @ LayerError::Stored { .. }) => {
            let error = failed(cause);
            let again = blobs.open_anew(layer);
            match again.map_err(LayerError::Read).map_err(failed)? {
                Some(mut input) => scan_layer(&mut *input, &reading).map_err(failed),
                None => Err(error),
            }
        }
        scanned => scanned.map_err(failed),
    }
}

/// A layer that the image leaves to be fetched from elsewhere.
pub(crate) fn foreign(layer: &PlannedLayer) -> ReadLayer {
    let reason = "the image leaves this layer to be fetched from elsewhere";
    let mut evidence = LayerEvidence::default();
    evidence
        .gaps
        .push(Gap::new(GapKind::Missing, layer.name.clone(), reason));
    ReadLayer {
        evidence,
        stored: layer.stored,
        cached: false,
    }
}

/// Known evidence of a layer, if its bytes, hashed now, prove to be the ones
/// that it was taken from.
fn cached<'b>(
    cache: &Cache,
    layer: &PlannedLayer,
    blobs: &dyn Blobs,
    run: &Run<'_>,
    open: impl Fn() -> Result<Box<dyn Read + 'b>, Error>,
) -> Result<Option<LayerEvidence>, Error> {
    if !cache.has(&layer.diff_id, run.matcher) {
        return Ok(None);
    }
    let failed = |cause| Error::Layer {
        name: layer.name.clone(),
        cause,
    };
    let (limits, progress) = (&run.options.limits, run.options.progress);
    let is_proven = match layer.stored {
        // Stored bytes are hashed without unpacking; that they unpack to this
        // diff id was seen before, by us.
        Some(stored) if stored == layer.diff_id || cache.unpacks_to(&stored, &layer.diff_id) => {
            if blobs.vouches() {
                return Ok(cache.get(&layer.diff_id, run.matcher));
            }
            let computed =
                hash_layer(&mut *open()?, &run.cores, limits, progress).map_err(failed)?;
            if computed != stored {
                return Err(Error::Digest {
                    name: layer.name.clone(),
                    expected: stored,
                    computed,
                });
            }
            true
        }
        Some(_) => false,
        None => {
            let mut unpacked = crate::decompress::Unpacked::new(open()?, false)
                .map_err(LayerError::Read)
                .map_err(failed)?;
            let computed =
                hash_layer(&mut unpacked, &run.cores, limits, progress).map_err(failed)?;
            if computed != layer.diff_id {
                let (name, expected) = (layer.name.clone(), layer.diff_id);
                return Err(Error::Digest {
                    name,
                    expected,
                    computed,
                });
            }
            true
        }
    };
    Ok(if is_proven {
        cache.get(&layer.diff_id, run.matcher)
    } else {
        None
    })
}

/// Holds a layer that was read against its digests, and keeps its evidence.
pub(crate) fn accept(
    layer: &PlannedLayer,
    scanned: ScannedLayer,
    run: &Run<'_>,
) -> Result<ReadLayer, Error> {
    let check = |expected, computed| {
        if expected == computed {
            Ok(())
        } else {
            Err(Error::Digest {
                name: layer.name.clone(),
                expected,
                computed,
            })
        }
    };
    if let Some((expected, computed)) = layer.stored.zip(scanned.stored_digest) {
        check(expected, computed)?;
    }
    check(layer.diff_id, scanned.diff_id)?;
    if let Some(cache) = run.options.cache
        && !scanned.evidence.cut_short
    {
        cache.put(&layer.diff_id, run.matcher, &scanned.evidence);
        if let Some(stored) = scanned
            .stored_digest
            .filter(|stored| *stored != scanned.diff_id)
        {
            cache.put_unpacked(&stored, &layer.diff_id);
        }
    }
    Ok(ReadLayer {
        evidence: scanned.evidence,
        stored: scanned.stored_digest,
        cached: false,
    })
}
