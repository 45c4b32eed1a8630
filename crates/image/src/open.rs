//! From a place to an image.

use std::{collections::BTreeMap, io::Read, path::PathBuf, sync::Arc};

use seawall_registry::Reference;

use crate::{
    Analyser, Cache, Digest, Error, Evidence, ImageConfig, Limits, Platform, Progress, Registries,
    View, archive, chunks::Cores, collect::Budget, daemon, evidence::LayerEvidence, layer::Reading,
    matcher::Matcher, oci, registry, rootfs, squash, stream,
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
    /// An image of a content store, as containerd has one.
    Content {
        /// The folder that holds `blobs`.
        dir: PathBuf,
        /// The digest of its manifest or index.
        digest: Digest,
    },
    /// An image of a registry.
    Registry {
        /// What is asked.
        registries: Arc<Registries>,
        /// The image.
        reference: Reference,
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
    /// Digest of the index that the manifest was chosen from, for an image of a
    /// registry or a content store: what pins it for all platforms.
    pub index_digest: Option<Digest>,
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
        Source::Content { dir, digest } => oci::open_content(&dir, digest, &run),
        Source::Registry {
            registries,
            reference,
        } => registry::open(&registries, &reference, &run),
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
            stored: None,
        }
    }
}

/// The view of one lone tree.
pub(crate) fn single(evidence: &LayerEvidence, run: &Run<'_>) -> (Vec<Evidence>, squash::Squashed) {
    let mut squashed = squash::squash(&[evidence], run.matcher);
    (std::mem::take(&mut squashed.files), squashed)
}
