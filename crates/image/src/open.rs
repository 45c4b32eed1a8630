//! From a place to an image.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    num::NonZero,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use seawall_model::{Gap, GapKind, ImageLayer};

use crate::{
    Analyser, Cache, Digest, Error, Evidence, ImageConfig, LayerError, Limits, Platform, Progress,
    View, archive,
    chunks::Cores,
    collect::Budget,
    daemon,
    evidence::LayerEvidence,
    layer::{Reading, ScannedLayer, hash_layer, scan_layer},
    manifest::{Plan, PlannedLayer},
    matcher::Matcher,
    oci, rootfs, squash, stream,
};

/// Where an image, or what is read like one, is found.
pub enum Source {
    /// A docker-archive or an OCI archive: plain, gzip or zstd.
    Archive(PathBuf),
    /// The same from a stream.
    Stream(Box<dyn Read + Send>),
    /// An OCI image layout.
    OciLayout {
        /// Its folder.
        dir: PathBuf,
        /// A tag or a digest; needed when there are several images.
        reference: Option<String>,
    },
    /// The root file system of an installed system.
    RootFs(PathBuf),
    /// A project's folder.
    Directory(PathBuf),
    /// One file of a project.
    File(PathBuf),
    /// An image of Docker or Podman.
    Engine {
        /// The engine's socket.
        socket: PathBuf,
        /// The image's name or id.
        name: String,
        /// `docker` or `podman`.
        scheme: &'static str,
    },
}

/// How to read.
pub struct Options<'a> {
    /// What is looked for.
    pub analysers: &'a [&'static dyn Analyser],
    /// The platform to take from an image for several; this machine's without.
    pub platform: Option<Platform>,
    /// Evidence of layers seen before.
    pub cache: Option<&'a Cache>,
    /// Bounds on hostile input.
    pub limits: Limits,
    /// Who is told how far it is.
    pub progress: &'a dyn Progress,
}

/// An image that was read.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// What the analysers found.
    pub view: View,
    /// Its configuration; empty for a folder.
    pub config: ImageConfig,
    /// Annotations of its manifest, and of the entry that names it in an index
    /// (OCI image-spec 1.1, annotations.md).
    pub annotations: BTreeMap<String, String>,
    /// Digest of the configuration: the image's id.
    pub digest: Option<Digest>,
    /// Digest of the manifest.
    pub manifest_digest: Option<Digest>,
    /// Its platform.
    pub platform: Option<Platform>,
    /// Its names.
    pub repo_tags: Vec<String>,
    /// Layers whose evidence was known already.
    pub from_cache: usize,
}

/// Opens and reads an image.
///
/// # Errors
/// When it cannot be read, or is not what its digests say. What can be read in
/// part is a gap of the view.
pub fn open(source: Source, options: &Options<'_>) -> Result<Image, Error> {
    let matcher = Matcher::new(options.analysers);
    let run = Run {
        matcher: &matcher,
        options,
        spool: Budget::new(options.limits.spool_bytes),
        kept: Budget::new(options.limits.image_evidence),
        cores: Cores::new(),
    };
    match source {
        Source::Archive(path) => archive::open(&path, &run),
        Source::Stream(stream) => stream::open(stream, "standard input", &run),
        Source::OciLayout { dir, reference } => oci::open(&dir, reference.as_deref(), &run),
        Source::RootFs(path) => rootfs::open(&path, rootfs::Walk::System, &run),
        Source::Directory(path) => rootfs::open(&path, rootfs::Walk::Project, &run),
        Source::File(path) => rootfs::open_file(&path, &run),
        Source::Engine {
            socket,
            name,
            scheme,
        } => daemon::open(&socket, &name, scheme, &run),
    }
}

/// What every source works with.
pub(crate) struct Run<'a> {
    pub(crate) matcher: &'a Matcher<'a>,
    pub(crate) options: &'a Options<'a>,
    pub(crate) spool: Budget,
    pub(crate) kept: Budget,
    pub(crate) cores: Cores,
}

impl Run<'_> {
    pub(crate) fn reading(&self, hash_stored: bool) -> Reading<'_> {
        Reading {
            matcher: self.matcher,
            limits: &self.options.limits,
            spool: &self.spool,
            kept: &self.kept,
            cores: &self.cores,
            progress: self.options.progress,
            hash_stored,
        }
    }
}

/// Blobs that can be read more than once and side by side.
pub(crate) trait Blobs: Sync {
    /// The stored bytes of a layer, from their start.
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read + '_>>>;
    /// How many they are, to start with the largest.
    fn size(&self, name: &str) -> u64;
}

/// What is known of a layer once it is read.
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
        .filter(|layer| !layer.foreign && !matches!(blobs.open(&layer.name), Ok(Some(_)) | Err(_)))
        .map(|layer| layer.name.as_str())
        .collect();
    if !missing.is_empty() {
        return Err(Error::Missing(missing.join("`, `")));
    }
    let mut order: Vec<usize> = (0..plan.layers.len()).collect();
    // The largest first, so that it does not start when all others are done.
    order.sort_by_key(|index| {
        std::cmp::Reverse(
            plan.layers
                .get(*index)
                .map_or(0, |layer| blobs.size(&layer.name)),
        )
    });
    let results: Mutex<Vec<(usize, Result<ReadLayer, Error>)>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
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
        for _ in 1..cores.min(plan.layers.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    let layers = results
        .into_iter()
        .map(|(_, result)| result)
        .collect::<Result<Vec<_>, _>>()?;
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
            .open(&layer.name)
            .map_err(LayerError::Read)
            .map_err(failed)?;
        opened.ok_or_else(|| Error::Missing(layer.name.clone()))
    };
    if let Some(cache) = run.options.cache
        && let Some(evidence) = cached(cache, layer, run, open)?
    {
        return Ok(ReadLayer {
            evidence,
            stored: layer.stored,
            cached: true,
        });
    }
    run.options.progress.label(&layer.name);
    let scanned =
        scan_layer(&mut *open()?, &run.reading(layer.stored.is_some())).map_err(failed)?;
    accept(layer, scanned, run)
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

/// Passes over layers again for files that are stored under another name than
/// the one that is wanted: more are a loop.
const MOST_PASSES: usize = 3;

/// Lays layers on each other.
pub(crate) fn assemble(
    plan: Plan,
    mut layers: Vec<ReadLayer>,
    run: &Run<'_>,
    blobs: Option<&dyn Blobs>,
) -> Result<Image, Error> {
    let squash = |layers: &[ReadLayer]| {
        let all: Vec<&LayerEvidence> = layers.iter().map(|layer| &layer.evidence).collect();
        squash::squash(&all, run.matcher)
    };
    let mut squashed = squash(&layers);
    for _ in 0..MOST_PASSES {
        let Some(blobs) = blobs.filter(|_| !squashed.unresolved.is_empty()) else {
            break;
        };
        if !second_pass(&plan, &mut layers, &squashed.unresolved, blobs, run)? {
            break;
        }
        squashed = squash(&layers);
    }
    let mut gaps: Vec<Gap> = layers
        .iter()
        .flat_map(|layer| layer.evidence.gaps.iter().cloned())
        .collect();
    // A symbolic link that leads nowhere is common and harmless; a hard link
    // has content somewhere. From a stream neither can be told.
    gaps.extend(
        squashed
            .unresolved
            .iter()
            .filter(|one| one.layer.is_some() || blobs.is_none())
            .map(|one| {
                let reason = format!("it is a link to `{}`, which was not captured", one.target);
                Gap::new(GapKind::Missing, one.path.clone(), reason)
            }),
    );
    gaps.sort();
    gaps.dedup();
    let from_cache = layers.iter().filter(|layer| layer.cached).count();
    let described = plan
        .layers
        .iter()
        .zip(&layers)
        .map(|(planned, read)| ImageLayer {
            diff_id: planned.diff_id.to_string(),
            digest: read
                .stored
                .or(planned.stored)
                .filter(|stored| *stored != planned.diff_id)
                .map(|stored| stored.to_string()),
            size: read.evidence.size,
            created_by: planned.created_by.clone(),
            line: None,
        });
    Ok(Image {
        view: View {
            layers: described.collect(),
            files: squashed.files,
            hidden: squashed.hidden,
            gaps,
        },
        digest: Some(plan.digest),
        manifest_digest: plan.manifest_digest,
        platform: plan.config.platform.clone(),
        repo_tags: plan.tags,
        annotations: plan.annotations,
        config: plan.config,
        from_cache,
    })
}

/// Reads layers again for the content of links. Whether anything was found.
fn second_pass(
    plan: &Plan,
    layers: &mut [ReadLayer],
    unresolved: &[squash::Unresolved],
    blobs: &dyn Blobs,
    run: &Run<'_>,
) -> Result<bool, Error> {
    let mut found = false;
    for (index, (planned, read)) in plan.layers.iter().zip(layers).enumerate() {
        let wanted: Vec<_> = unresolved
            .iter()
            .filter(|one| one.layer.is_none_or(|layer| layer == index))
            .map(|one| (one.analyser, one.target.clone()))
            .collect();
        if wanted.is_empty() || planned.foreign {
            continue;
        }
        let failed = |cause| Error::Layer {
            name: planned.name.clone(),
            cause,
        };
        let blob = blobs
            .open(&planned.name)
            .map_err(LayerError::Read)
            .map_err(failed)?;
        let Some(mut blob) = blob else { continue };
        let matcher = run.matcher.only(&wanted);
        let reading = Reading {
            matcher: &matcher,
            ..run.reading(false)
        };
        let scanned = scan_layer(&mut *blob, &reading).map_err(failed)?;
        if scanned.diff_id != planned.diff_id {
            let (name, expected) = (planned.name.clone(), planned.diff_id);
            return Err(Error::Digest {
                name,
                expected,
                computed: scanned.diff_id,
            });
        }
        // Why what was found could not be used; what else went wrong is known.
        read.evidence.gaps.extend(scanned.evidence.gaps);
        if scanned.evidence.files.is_empty() {
            continue;
        }
        found = true;
        read.evidence.files.extend(scanned.evidence.files);
        read.evidence.cut_short |= scanned.evidence.cut_short;
        if let Some(cache) = run.options.cache
            && !read.evidence.cut_short
        {
            cache.put(&planned.diff_id, run.matcher, &read.evidence);
        }
    }
    Ok(found)
}

/// The view of one lone tree.
pub(crate) fn single(evidence: &LayerEvidence, run: &Run<'_>) -> (Vec<Evidence>, squash::Squashed) {
    let mut squashed = squash::squash(&[evidence], run.matcher);
    (std::mem::take(&mut squashed.files), squashed)
}
