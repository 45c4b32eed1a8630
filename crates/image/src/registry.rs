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
    Digest, Error, Image,
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
    /// Layers that are being read.
    busy: Mutex<BTreeSet<Digest>>,
    ended: Condvar,
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
            busy: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    /// Who asks.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The digest of the manifest or index that a name stands for now. What
    /// came with it is kept for [`crate::open`].
    ///
    /// # Errors
    /// When it is not there or cannot be fetched.
    pub fn resolve(&self, reference: &Reference) -> Result<Digest, Error> {
        let manifest = self.client.manifest(reference)?;
        self.keep(manifest.digest, manifest.bytes);
        Ok(manifest.digest)
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

/// The right to read a layer, until this is dropped.
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
    /// asked whether it still stands for the same: that counts as no download,
    /// of which some registries allow only so many.
    fn top(&self, reference: &Reference) -> Result<Digest, Error> {
        if let Some(digest) = reference.digest() {
            return Ok(digest);
        }
        let cache = self.run.options.cache;
        let known = cache.and_then(|cache| cache.note(&key(reference)));
        let known =
            known.filter(|known| cache.is_some_and(|cache| cache.document(known).is_some()));
        if let Some(known) = known
            && self
                .registries
                .client
                .digest(reference)
                .is_ok_and(|now| now == Some(known))
        {
            return Ok(known);
        }
        self.registries.resolve(reference)
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

impl Blobs for Remote<'_> {
    fn open(&self, layer: &PlannedLayer) -> io::Result<Option<Box<dyn Read + '_>>> {
        let Some(digest) = layer.stored else {
            return Ok(None);
        };
        let registries = Arc::clone(self.registries);
        let repository = self.repository.clone();
        let size = layer.size;
        let (sender, receiver) = sync_channel(QUEUE);
        thread::Builder::new().spawn(move || {
            if let Err(error) = fetch(&registries.client, &repository, digest, size, &sender) {
                // Whoever has hung up has a reason of its own.
                let _ = sender.send(Err(error));
            }
        })?;
        Ok(Some(Box::new(Pieces::new(receiver))))
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
        let digest = layer.stored?;
        let busy = lock(&self.registries.busy);
        let wait = &self.registries.ended;
        let busy = wait.wait_while(busy, |busy| busy.contains(&digest));
        busy.unwrap_or_else(PoisonError::into_inner).insert(digest);
        Some(Claim {
            registries: self.registries,
            digest,
        })
    }
}

/// Brings the stored bytes of a layer, as many as the manifest says.
fn fetch(
    client: &Client,
    repository: &Repository,
    digest: Digest,
    size: Option<u64>,
    to: &SyncSender<Piece>,
) -> io::Result<()> {
    let mut blob = client
        .open(repository, digest, size)
        .map_err(io::Error::other)?;
    let mut buffer = vec![0; PIECE];
    loop {
        let read = match blob.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result?,
        };
        let piece = buffer.get(..read).unwrap_or_default();
        // Without an ear to hear, there is no use in the rest.
        if piece.is_empty() || to.send(Ok(piece.to_vec())).is_err() {
            return Ok(());
        }
    }
}
