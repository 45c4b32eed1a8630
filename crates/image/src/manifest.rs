//! From an image's JSON documents to a plan: which layers, in which order,
//! under which digests.
//!
//! Docker's archive format has a `manifest.json` (moby, image/spec); OCI
//! layouts have an `index.json` (OCI image-spec 1.1). Docker writes both since
//! version 25; then Docker's own is followed, since it has the tags.

mod choose;

use std::collections::BTreeMap;

use serde::Deserialize;

use self::choose::{choose, name_of, tags_of};
use crate::{Digest, Error, ImageConfig, Limits, Platform, artifact, config::parse_config};

/// Where documents are found by name.
pub(crate) trait Documents {
    /// The document, if it is there.
    fn document(&self, name: &str) -> Result<Option<Vec<u8>>, Error>;

    /// The manifest or index with this digest: registries keep them apart from
    /// other blobs.
    fn manifest(&self, digest: Digest) -> Result<Option<Vec<u8>>, Error> {
        self.document(&blob_name(digest))
    }
}

/// What to read, in which order.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) config: ImageConfig,
    /// The configuration as it is stored.
    pub(crate) raw_config: Vec<u8>,
    pub(crate) digest: Digest,
    pub(crate) manifest_digest: Option<Digest>,
    pub(crate) tags: Vec<String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) layers: Vec<PlannedLayer>,
}

/// One layer of a plan.
#[derive(Clone, Debug)]
pub(crate) struct PlannedLayer {
    /// Name in the archive or layout.
    pub(crate) name: String,
    pub(crate) diff_id: Digest,
    /// Digest of the stored bytes, when the manifest gives one.
    pub(crate) stored: Option<Digest>,
    /// Stored bytes, when the manifest says how many they are.
    pub(crate) size: Option<u64>,
    pub(crate) created_by: Option<String>,
    /// The layer is kept elsewhere on purpose.
    pub(crate) foreign: bool,
}

mod wire {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use crate::config::{WirePlatform, nullable};

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    pub(super) struct DockerManifest {
        pub(super) config: String,
        #[serde(default)]
        pub(super) repo_tags: Option<Vec<String>>,
        #[serde(default, deserialize_with = "nullable")]
        pub(super) layers: Vec<String>,
    }

    #[derive(Deserialize)]
    pub(super) struct Index {
        #[serde(default, deserialize_with = "nullable")]
        pub(super) manifests: Vec<Descriptor>,
    }

    #[derive(Clone, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Descriptor {
        #[serde(default)]
        pub(super) media_type: String,
        pub(super) digest: String,
        #[serde(default)]
        pub(super) size: Option<u64>,
        #[serde(default)]
        pub(super) platform: Option<WirePlatform>,
        #[serde(default)]
        pub(super) annotations: Option<BTreeMap<String, String>>,
    }

    /// A manifest or an index: media types are not always there.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Either {
        #[serde(default)]
        pub(super) schema_version: Option<u64>,
        #[serde(default)]
        pub(super) artifact_type: Option<String>,
        #[serde(default)]
        pub(super) manifests: Option<Vec<Descriptor>>,
        #[serde(default)]
        pub(super) config: Option<Descriptor>,
        #[serde(default)]
        pub(super) layers: Option<Vec<Descriptor>>,
        #[serde(default)]
        pub(super) annotations: Option<BTreeMap<String, String>>,
    }
}

pub(crate) fn json<'a, T: Deserialize<'a>>(name: &str, bytes: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| Error::Malformed {
        name: name.to_owned(),
        reason: error.to_string(),
    })
}

fn digest(name: &str, text: &str) -> Result<Digest, Error> {
    text.parse()
        .map_err(|error: crate::ParseDigestError| Error::Malformed {
            name: name.to_owned(),
            reason: error.to_string(),
        })
}

/// Plans the image of an archive or a layout.
pub(crate) fn plan(
    documents: &dyn Documents,
    reference: Option<&str>,
    platform: Option<&Platform>,
    limits: &Limits,
) -> Result<Option<Plan>, Error> {
    if let Some(bytes) = documents.document("manifest.json")? {
        let plan = docker(documents, &bytes, reference, platform, limits);
        // Of several platforms Docker names one there, in the index all.
        if let Err(Error::NoPlatform { .. }) = plan
            && let Some(index) = documents.document("index.json")?
        {
            return oci(documents, &index, reference, platform, limits).map(Some);
        }
        return plan.map(Some);
    }
    if let Some(bytes) = documents.document("index.json")? {
        return oci(documents, &bytes, reference, platform, limits).map(Some);
    }
    Ok(None)
}

fn docker(
    documents: &dyn Documents,
    bytes: &[u8],
    reference: Option<&str>,
    platform: Option<&Platform>,
    limits: &Limits,
) -> Result<Plan, Error> {
    let mut images: Vec<wire::DockerManifest> = json("manifest.json", bytes)?;
    let names = |image: &wire::DockerManifest| match &image.repo_tags {
        Some(tags) if !tags.is_empty() => tags.clone(),
        _ => vec![image.config.clone()],
    };
    let all: Vec<String> = images.iter().flat_map(names).collect();
    if let Some(wanted) = reference {
        images.retain(|image| names(image).iter().any(|name| name == wanted));
        if images.is_empty() {
            return Err(Error::NoReference {
                wanted: wanted.to_owned(),
                there: all,
            });
        }
    }
    let image = match images.len() {
        0 => return Err(Error::Missing("an image in manifest.json".into())),
        1 => images.swap_remove(0),
        _ => return Err(Error::Several(all)),
    };
    let name = safe_name(&image.config)?;
    let config = documents
        .document(&name)?
        .ok_or_else(|| Error::Missing(name.clone()))?;
    let computed = Digest::of(&config);
    if let Some(expected) = digest_of_name(&name) {
        check(&name, expected, computed)?;
    }
    let layers = image
        .layers
        .iter()
        .map(|layer| {
            let name = safe_name(layer)?;
            // Docker's new archives name a layer by the digest of what they
            // store.
            let stored = name
                .starts_with("blobs/")
                .then(|| digest_of_name(&name))
                .flatten();
            Ok(NamedLayer {
                name,
                stored,
                ..NamedLayer::default()
            })
        })
        .collect::<Result<_, Error>>()?;
    let tags = image.repo_tags.unwrap_or_default();
    let mut plan = finish(&config, computed, None, tags, layers, platform, limits)?;
    plan.annotations = annotations(documents, computed);
    Ok(plan)
}

/// The annotations that the OCI half of an archive has for the image of this
/// configuration. That half may be absent or damaged: the image is read by the
/// other one.
fn annotations(documents: &dyn Documents, config: Digest) -> BTreeMap<String, String> {
    /// Manifests that are looked into.
    const MOST: usize = 64;
    let read = |name: &str| documents.document(name).ok().flatten();
    let Some(index) = read("index.json") else {
        return BTreeMap::new();
    };
    let Ok(index) = json::<wire::Index>("index.json", &index) else {
        return BTreeMap::new();
    };
    let config = config.to_string();
    let of_image = index.manifests.into_iter().take(MOST).find_map(|entry| {
        let own: Digest = entry.digest.parse().ok()?;
        let bytes = read(&blob_name(own)).filter(|bytes| Digest::of(bytes) == own)?;
        let manifest: wire::Either = json(&entry.digest, &bytes).ok()?;
        if manifest.config?.digest != config {
            return None;
        }
        let mut all = entry.annotations.unwrap_or_default();
        all.extend(manifest.annotations.unwrap_or_default());
        Some(all)
    });
    of_image.unwrap_or_default()
}

/// `blobs/sha256/HEX` or `HEX.json`.
pub(crate) fn digest_of_name(name: &str) -> Option<Digest> {
    let last = name.rsplit('/').next().unwrap_or(name);
    let hex = last.strip_suffix(".json").unwrap_or(last);
    format!("sha256:{hex}").parse().ok()
}

/// A name in an archive never leaves it; this only keeps messages honest.
fn safe_name(name: &str) -> Result<String, Error> {
    let mut normal = String::new();
    if crate::paths::normalise(name.as_bytes(), &mut normal) && !normal.is_empty() {
        return Ok(normal);
    }
    Err(Error::Malformed {
        name: "manifest.json".into(),
        reason: format!("`{name}` is no name of a file in the image"),
    })
}

fn check(name: &str, expected: Digest, computed: Digest) -> Result<(), Error> {
    if expected == computed {
        Ok(())
    } else {
        Err(Error::Digest {
            name: name.to_owned(),
            expected,
            computed,
        })
    }
}

/// The name of a blob in an OCI layout. Only a digest that has passed its
/// strict parser becomes a path.
pub(crate) fn blob_name(digest: Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// Indexes within indexes: more are a loop or an attack.
const MOST_NESTED: usize = 4;

pub(crate) fn oci(
    documents: &dyn Documents,
    bytes: &[u8],
    reference: Option<&str>,
    platform: Option<&Platform>,
    limits: &Limits,
) -> Result<Plan, Error> {
    let index: wire::Index = json("index.json", bytes)?;
    let names: Vec<String> = index.manifests.iter().map(name_of).collect();
    let mut candidates = index.manifests;
    if let Some(wanted) = reference {
        candidates.retain(|one| one.digest == wanted || tags_of(one).any(|tag| tag == wanted));
        if candidates.is_empty() {
            // A digest may also name a platform's manifest in a nested index.
            if let Ok(digest) = wanted.parse::<Digest>()
                && documents.document(&blob_name(digest))?.is_some()
            {
                return manifest(documents, digest, Vec::new(), platform, limits);
            }
            return Err(Error::NoReference {
                wanted: wanted.to_owned(),
                there: names,
            });
        }
    }
    let first = choose(&candidates, platform)?;
    let same = candidates.iter().filter(|one| one.digest == first.digest);
    let tags = same
        .filter_map(|one| tags_of(one).next().map(str::to_owned))
        .collect();
    let mut plan = manifest(
        documents,
        digest("index.json", &first.digest)?,
        tags,
        platform,
        limits,
    )?;
    for (name, value) in first.annotations.iter().flatten() {
        let slot = plan.annotations.entry(name.clone());
        slot.or_insert_with(|| value.clone());
    }
    Ok(plan)
}

/// Plans the image of a manifest, or of the one that fits in an index.
pub(crate) fn manifest(
    documents: &dyn Documents,
    own: Digest,
    tags: Vec<String>,
    platform: Option<&Platform>,
    limits: &Limits,
) -> Result<Plan, Error> {
    let mut own = own;
    for _ in 0..=MOST_NESTED {
        let name = blob_name(own);
        let bytes = documents.manifest(own)?;
        let bytes = bytes.ok_or_else(|| Error::Missing(name.clone()))?;
        check(&name, own, Digest::of(&bytes))?;
        let either: wire::Either = json(&name, &bytes)?;
        match either.manifests {
            Some(manifests) => own = digest(&name, &choose(&manifests, platform)?.digest)?,
            None => return image(documents, own, either, tags, platform, limits),
        }
    }
    Err(Error::Limit {
        what: "the depth of image indexes".into(),
        limit: MOST_NESTED as u64,
    })
}

/// Plans the image of a manifest.
fn image(
    documents: &dyn Documents,
    own: Digest,
    manifest: wire::Either,
    tags: Vec<String>,
    platform: Option<&Platform>,
    limits: &Limits,
) -> Result<Plan, Error> {
    let name = blob_name(own);
    let media_type = manifest.config.as_ref().map(|one| one.media_type.as_str());
    let artifact_type = manifest.artifact_type.as_deref();
    let layers = manifest.layers.iter().flatten();
    let types = layers.map(|layer| layer.media_type.as_str());
    if let Some(what) = artifact::what(manifest.schema_version, artifact_type, media_type, types) {
        return Err(Error::Artifact { digest: own, what });
    }
    let malformed = |reason: &str| Error::Malformed {
        name: name.clone(),
        reason: reason.into(),
    };
    let config = manifest
        .config
        .ok_or_else(|| malformed("it has neither manifests nor a config"))?;
    let config_digest = digest(&name, &config.digest)?;
    let config_name = blob_name(config_digest);
    let config = documents.document(&config_name)?;
    let config = config.ok_or_else(|| Error::Missing(config_name.clone()))?;
    check(&config_name, config_digest, Digest::of(&config))?;
    let layers = manifest
        .layers
        .unwrap_or_default()
        .iter()
        .map(|layer| {
            let stored = digest(&name, &layer.digest)?;
            let foreign = ["nondistributable", "foreign"]
                .iter()
                .any(|w| layer.media_type.contains(w));
            Ok(NamedLayer {
                name: blob_name(stored),
                stored: Some(stored),
                size: layer.size,
                foreign,
            })
        })
        .collect::<Result<_, Error>>()?;
    let mut plan = finish(
        &config,
        config_digest,
        Some(own),
        tags,
        layers,
        platform,
        limits,
    )?;
    plan.annotations = manifest.annotations.unwrap_or_default();
    Ok(plan)
}

/// A layer as a manifest has it.
#[derive(Default)]
pub(crate) struct NamedLayer {
    pub(crate) name: String,
    /// Digest of the stored bytes.
    pub(crate) stored: Option<Digest>,
    /// How many they are.
    pub(crate) size: Option<u64>,
    /// Whether it is kept elsewhere.
    pub(crate) foreign: bool,
}

pub(crate) fn finish(
    raw: &[u8],
    digest_of_config: Digest,
    manifest_digest: Option<Digest>,
    tags: Vec<String>,
    layers: Vec<NamedLayer>,
    platform: Option<&Platform>,
    limits: &Limits,
) -> Result<Plan, Error> {
    let config = parse_config(raw)?;
    if let Some((wanted, is)) = platform.zip(config.platform.as_ref())
        && !wanted.accepts(is)
    {
        let there = vec![is.to_string()];
        return Err(Error::NoPlatform {
            wanted: wanted.clone(),
            there,
        });
    }
    if layers.len() > limits.layers {
        let what = "the number of layers".into();
        return Err(Error::Limit {
            what,
            limit: limits.layers as u64,
        });
    }
    if layers.len() != config.diff_ids.len() {
        return Err(Error::Malformed {
            name: "the configuration".into(),
            reason: format!(
                "it has {} diff ids for {} layers",
                config.diff_ids.len(),
                layers.len()
            ),
        });
    }
    let mut steps = config.history.iter().filter(|step| !step.empty_layer);
    let layers = layers
        .into_iter()
        .zip(&config.diff_ids)
        .map(|(layer, diff_id)| {
            Ok(PlannedLayer {
                name: layer.name,
                diff_id: digest("the configuration", diff_id)?,
                stored: layer.stored,
                size: layer.size,
                created_by: steps.next().map(|step| step.created_by.clone()),
                foreign: layer.foreign,
            })
        })
        .collect::<Result<_, Error>>()?;
    let raw_config = raw.to_vec();
    Ok(Plan {
        digest: digest_of_config,
        manifest_digest,
        tags,
        annotations: BTreeMap::new(),
        layers,
        config,
        raw_config,
    })
}
