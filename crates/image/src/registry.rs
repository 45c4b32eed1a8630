//! Images of registries, streamed into the scan.
//!
//! A manifest is asked for by its tag, everything else by its digest, and
//! nothing twice. Each layer is fetched by a thread of its own and read as it
//! comes, behind a bounded queue; there is no copy of it. The registry vouches
//! for the digests of stored bytes, by manifests that are held against their
//! own: a layer whose evidence is known is not fetched.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    num::NonZero,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

use seawall_registry::{Client, Reference, Repository};

use crate::{
    Cache, Digest, Error, Image,
    manifest::{self, Documents, PlannedLayer},
    open::Run,
    pieces::{PIECE, Piece, Pieces, QUEUE},
    read::{Blobs, read_plan},
};

/// Layers that are fetched at one time. Each has a connection of its own, which
/// hides the way to a registry; more only share the machine's cores.
const AT_ONCE: usize = 4;
/// Bytes of manifests and configurations that are kept in memory.
const MOST_DOCUMENTS: usize = 64 << 20;

/// Registries, with what they have answered in this run.
pub struct Registries {
    client: Client,
    documents: Mutex<Kept>,
    /// Where layers came from.
    sources: Mutex<BTreeMap<Digest, Origin>>,
    /// Layers and manifests that are being read.
    busy: Mutex<BTreeSet<Digest>>,
    ended: Condvar,
}

/// Where a layer came from.
struct Origin {
    /// The last registry or mirror that was asked for it.
    host: String,
    /// Mirrors that some of it came from.
    mirrors: Vec<String>,
}

#[derive(Default)]
struct Kept {
    documents: BTreeMap<Digest, Arc<Vec<u8>>>,
    bytes: usize,
}

impl Registries {
    /// Registries that `client` asks.
    pub fn new(client: Client) -> Self {
        Registries {
            client,
            documents: Mutex::default(),
            sources: Mutex::default(),
            busy: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    /// Who asks.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The digest of the manifest or index that a name stands for now. It is
    /// asked for alone at first: that counts as no download, of which some
    /// registries allow only so many. What neither this run nor `cache` knows
    /// is fetched then, once for all names, and kept for [`crate::open`].
    ///
    /// # Errors
    /// When it is not there or cannot be fetched.
    pub fn resolve(&self, reference: &Reference, cache: Option<&Cache>) -> Result<Digest, Error> {
        // Whoever does not answer this may still serve the manifest.
        let Ok(Some(digest)) = self.client.digest(reference) else {
            return self.fetch(reference, cache);
        };
        let _claim = self.claim(digest);
        let is_known = self.kept(&digest).is_some()
            || cache.is_some_and(|cache| cache.document(&digest).is_some());
        if is_known {
            return Ok(digest);
        }
        self.fetch(reference, cache)
    }

    /// The same without asking first.
    fn fetch(&self, reference: &Reference, cache: Option<&Cache>) -> Result<Digest, Error> {
        let manifest = self.client.manifest(reference)?;
        if let Some(cache) = cache {
            cache.put_document(&manifest.digest, &manifest.bytes);
        }
        self.keep(manifest.digest, manifest.bytes);
        Ok(manifest.digest)
    }

    /// Waits until nobody else reads what has this digest.
    fn claim(&self, digest: Digest) -> Claim<'_> {
        let busy = lock(&self.busy);
        let busy = self.ended.wait_while(busy, |busy| busy.contains(&digest));
        busy.unwrap_or_else(PoisonError::into_inner).insert(digest);
        Claim {
            registries: self,
            digest,
        }
    }

    fn kept(&self, digest: &Digest) -> Option<Vec<u8>> {
        let kept = lock(&self.documents);
        kept.documents.get(digest).map(|bytes| bytes.to_vec())
    }

    fn keep(&self, digest: Digest, bytes: Vec<u8>) {
        let mut kept = lock(&self.documents);
        if kept.bytes + bytes.len() <= MOST_DOCUMENTS {
            kept.bytes += bytes.len();
            if let Some(old) = kept.documents.insert(digest, Arc::new(bytes)) {
                kept.bytes -= old.len();
            }
        }
    }
}

/// The right to read a layer or a manifest, until this is dropped.
pub(crate) struct Claim<'a> {
    registries: &'a Registries,
    digest: Digest,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        lock(&self.registries.busy).remove(&self.digest);
        self.registries.ended.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn open(
    registries: &Arc<Registries>,
    reference: &Reference,
    run: &Run<'_>,
) -> Result<Image, Error> {
    let remote = Remote {
        registries,
        repository: reference.repository(),
        run,
    };
    run.options.progress.label(&reference.to_string());
    let top = remote.top(reference)?;
    let (platform, limits) = (run.options.platform.as_ref(), &run.options.limits);
    let plan = manifest::manifest(&remote, top, Vec::new(), platform, limits)?;
    let mut image = read_plan(plan, &remote, run)?;
    if let Some(cache) = run.options.cache {
        cache.put_note(&key(reference), &top);
    }
    image.index_digest = Some(top).filter(|_| image.manifest_digest != Some(top));
    Ok(image)
}

/// One repository.
struct Remote<'a> {
    registries: &'a Arc<Registries>,
    repository: &'a Repository,
    run: &'a Run<'a>,
}

/// Under what the digest of a name is noted.
fn key(reference: &Reference) -> Digest {
    Digest::of(format!("registry {reference}").as_bytes())
}

impl Remote<'_> {
    /// The digest that a name stands for now. Where the name is known, it is
    /// asked first whether it still stands for the same.
    fn top(&self, reference: &Reference) -> Result<Digest, Error> {
        if let Some(digest) = reference.digest() {
            return Ok(digest);
        }
        let cache = self.run.options.cache;
        let known = cache.and_then(|cache| cache.note(&key(reference)));
        let known =
            known.filter(|known| cache.is_some_and(|cache| cache.document(known).is_some()));
        match known {
            Some(_) => self.registries.resolve(reference, cache),
            None => self.registries.fetch(reference, cache),
        }
    }

    /// A document by its digest: from memory, from the cache, or fetched.
    fn find(
        &self,
        digest: Digest,
        fetch: impl FnOnce() -> Result<Vec<u8>, seawall_registry::Error>,
    ) -> Result<Option<Vec<u8>>, Error> {
        let cache = self.run.options.cache;
        if let Some(bytes) = self.registries.kept(&digest) {
            if let Some(cache) = cache {
                cache.put_document(&digest, &bytes);
            }
            return Ok(Some(bytes));
        }
        if let Some(bytes) = cache.and_then(|cache| cache.document(&digest)) {
            return Ok(Some(bytes));
        }
        let bytes = match fetch() {
            Ok(bytes) => bytes,
            Err(seawall_registry::Error::NotThere(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let computed = Digest::of(&bytes);
        if computed != digest {
            return Err(Error::Digest {
                name: format!("{}@{digest}", self.repository),
                expected: digest,
                computed,
            });
        }
        if let Some(cache) = cache {
            cache.put_document(&digest, &bytes);
        }
        self.registries.keep(digest, bytes.clone());
        Ok(Some(bytes))
    }
}

impl Documents for Remote<'_> {
    fn document(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(digest) = manifest::digest_of_name(name) else {
            return Ok(None);
        };
        let limit = self.run.options.limits.json_bytes;
        let mut too_large = false;
        let found = self.find(digest, || {
            let blob = self.registries.client.blob(self.repository, digest)?;
            let mut bytes = Vec::new();
            let read = blob.take(limit + 1).read_to_end(&mut bytes);
            read.map_err(|cause| seawall_registry::Error::Body {
                url: format!("{}@{digest}", self.repository),
                cause,
            })?;
            too_large = bytes.len() as u64 > limit;
            Ok(bytes)
        });
        if too_large {
            return Err(Error::Limit {
                what: format!("the size of `{}@{digest}`", self.repository),
                limit,
            });
        }
        found
    }

    fn manifest(&self, digest: Digest) -> Result<Option<Vec<u8>>, Error> {
        self.find(digest, || {
            let manifest = self.registries.client.manifest(&self.repository.at(digest));
            Ok(manifest?.bytes)
        })
    }
}

impl Remote<'_> {
    /// Brings a layer, from the registry itself where these mirrors sent other
    /// bytes.
    fn fetch(&self, layer: &PlannedLayer, wrong: Vec<String>) -> io::Result<Option<Box<dyn Read>>> {
        let Some(digest) = layer.stored else {
            return Ok(None);
        };
        let registries = Arc::clone(self.registries);
        let repository = self.repository.clone();
        let size = layer.size;
        let (sender, receiver) = sync_channel(QUEUE);
        thread::Builder::new().spawn(move || {
            let wanted = Wanted {
                repository,
                digest,
                size,
                wrong,
            };
            if let Err(error) = wanted.fetch(&registries, &sender) {
                // Whoever has hung up has a reason of its own.
                let _ = sender.send(Err(error));
            }
        })?;
        Ok(Some(Box::new(Pieces::new(receiver))))
    }
}

impl Blobs for Remote<'_> {
    fn open(&self, layer: &PlannedLayer) -> io::Result<Option<Box<dyn Read + '_>>> {
        self.fetch(layer, Vec::new())
    }

    fn open_anew(&self, layer: &PlannedLayer) -> io::Result<Option<Box<dyn Read + '_>>> {
        let mut sources = lock(&self.registries.sources);
        let source = layer.stored.and_then(|digest| sources.remove(&digest));
        drop(sources);
        match source.map(|source| source.mirrors) {
            Some(mirrors) if !mirrors.is_empty() => self.fetch(layer, mirrors),
            _ => Ok(None),
        }
    }

    fn host(&self, layer: &PlannedLayer) -> Option<String> {
        let sources = lock(&self.registries.sources);
        let source = sources.get(&layer.stored?)?;
        let host = source.mirrors.first().unwrap_or(&source.host);
        Some(host.clone())
    }

    fn size(&self, layer: &PlannedLayer) -> u64 {
        layer.size.unwrap_or(0)
    }

    /// That is told when it is fetched.
    fn has(&self, _: &PlannedLayer) -> bool {
        true
    }

    fn vouches(&self) -> bool {
        true
    }

    fn at_once(&self) -> usize {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        cores.max(AT_ONCE)
    }

    fn claim(&self, layer: &PlannedLayer) -> Option<Claim<'_>> {
        Some(self.registries.claim(layer.stored?))
    }
}

/// A layer that is wanted.
struct Wanted {
    repository: Repository,
    digest: Digest,
    /// Its stored bytes, as many as the manifest says.
    size: Option<u64>,
    /// Mirrors that sent other bytes.
    wrong: Vec<String>,
}

impl Wanted {
    /// Brings the stored bytes.
    fn fetch(&self, registries: &Registries, to: &SyncSender<Piece>) -> io::Result<()> {
        let (client, repository) = (&registries.client, &self.repository);
        let blob = match self.wrong.as_slice() {
            [] => client.open(repository, self.digest, self.size),
            wrong => client.open_anew(repository, self.digest, self.size, wrong),
        };
        let mut blob = blob.map_err(io::Error::other)?;
        let mut buffer = vec![0; PIECE];
        let mut host = String::new();
        loop {
            let read = match blob.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            if blob.host() != host {
                host = blob.host().to_owned();
                let source = Origin {
                    host: host.clone(),
                    mirrors: blob.mirrors().to_vec(),
                };
                lock(&registries.sources).insert(self.digest, source);
            }
            let piece = buffer.get(..read).unwrap_or_default();
            // Without an ear to hear, there is no use in the rest.
            if piece.is_empty() || to.send(Ok(piece.to_vec())).is_err() {
                return Ok(());
            }
        }
    }
}
