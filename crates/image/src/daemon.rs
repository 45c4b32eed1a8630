//! Images of Docker and Podman, over their socket.
//!
//! The engine vouches for the diff ids that it names. When the evidence of all
//! of them is known, nothing is exported; otherwise the export is read as it
//! comes.

use std::path::Path;

use seawall_engine::{Client, Inspected, Waits};
use serde::{Deserialize, Serialize};

use crate::{
    Digest, Error, Image,
    assemble::assemble,
    manifest::{self, NamedLayer, Plan},
    open::Run,
    read::ReadLayer,
    stream,
};

pub(crate) fn open(
    socket: &Path,
    name: &str,
    scheme: &'static str,
    run: &Run<'_>,
) -> Result<Image, Error> {
    let client = Client::new(socket, Waits::default());
    run.options.progress.label(name);
    let inspected = client.inspect(name)?;
    let key = key(socket, &inspected, run);
    if let Some(image) = known(&key, &inspected, run) {
        return image;
    }
    // By its id: the name may move to another image meanwhile.
    let export = client.export(&inspected.id)?;
    let from = format!("{scheme}'s export of `{name}`");
    let (passed, mut plan) = stream::pass(Box::new(export), &from, run)?;
    plan.tags.clone_from(&inspected.tags);
    let remembered = Remembered::of(&plan).and_then(|all| serde_json::to_vec(&all).ok());
    let image = stream::finish(passed, plan, run)?;
    if let Some(cache) = run.options.cache
        && let Some(bytes) = remembered
    {
        let digest = Digest::of(&bytes);
        cache.put_document(&digest, &bytes);
        cache.put_note(&key, &digest);
    }
    Ok(image)
}

/// Under what an image is remembered. An id is the digest of the configuration
/// with classic storage, that of the manifest or index with containerd's; the
/// latter says nothing of the configuration that was exported, so each engine
/// is believed about its own images only.
fn key(socket: &Path, inspected: &Inspected, run: &Run<'_>) -> Digest {
    let platform = run.options.platform.as_ref().map(ToString::to_string);
    let parts = (socket, &inspected.id, &inspected.diff_ids, platform);
    Digest::of(format!("{parts:?}").as_bytes())
}

/// What an engine's answer leaves out and its export says.
#[derive(Serialize, Deserialize)]
struct Remembered {
    /// The configuration as it is stored.
    config: String,
    /// Digests of the layers as they are stored, where the export gives them.
    stored: Vec<Option<String>>,
}

impl Remembered {
    fn of(plan: &Plan) -> Option<Self> {
        let stored = plan.layers.iter().map(|layer| layer.stored);
        Some(Remembered {
            config: String::from_utf8(plan.raw_config.clone()).ok()?,
            stored: stored
                .map(|stored| stored.map(|digest| digest.to_string()))
                .collect(),
        })
    }
}

/// The image, if all of it is known already.
fn known(key: &Digest, inspected: &Inspected, run: &Run<'_>) -> Option<Result<Image, Error>> {
    let cache = run.options.cache?;
    let document = cache.document(&cache.note(key)?)?;
    let remembered: Remembered = serde_json::from_slice(&document).ok()?;
    if remembered.stored.len() != inspected.diff_ids.len() {
        return None;
    }
    let layers = remembered.stored.iter().enumerate().map(|(index, stored)| {
        let stored = stored.as_ref().and_then(|digest| digest.parse().ok());
        NamedLayer {
            name: format!("layer {}", index + 1),
            stored,
            ..NamedLayer::default()
        }
    });
    let layers = layers.collect();
    let (platform, limits) = (run.options.platform.as_ref(), &run.options.limits);
    let (config, tags) = (remembered.config.as_bytes(), inspected.tags.clone());
    let id = Digest::of(config);
    let plan = match manifest::finish(config, id, None, tags, layers, platform, limits) {
        Ok(plan) => plan,
        Err(error) => return Some(Err(error)),
    };
    let read = plan
        .layers
        .iter()
        .zip(&inspected.diff_ids)
        .map(|(layer, vouched)| {
            if vouched.parse() != Ok(layer.diff_id) {
                return None;
            }
            let evidence = cache.get(&layer.diff_id, run.matcher)?;
            Some(ReadLayer {
                evidence,
                stored: None,
                cached: true,
            })
        });
    let read: Option<Vec<ReadLayer>> = read.collect();
    Some(assemble(plan, read?, run, None))
}
