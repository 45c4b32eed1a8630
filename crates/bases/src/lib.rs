//! Tells which image an image was built on, and where that base ends.
//!
//! The surest sign comes first: the layers of an image that is known, the
//! Dockerfile, what the manifest's annotations declare, then the history of
//! the build, and last the distribution in the lowest layer. Labels are weak,
//! since an image inherits those of its base: one that names a base may name
//! the base's base.

mod boundary;
mod dockerfile;
mod names;
mod step;

use std::collections::BTreeMap;

use seawall_image::{HistoryStep, ImageConfig};
use seawall_model::{Base, BaseEvidence, ImageLayer, Os};

pub use dockerfile::{Dockerfile, Fitted};

/// What is known of the image in question.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Digest of its configuration.
    pub id: Option<&'a str>,
    /// Its configuration.
    pub config: &'a ImageConfig,
    /// Annotations of its manifest.
    pub annotations: &'a BTreeMap<String, String>,
    /// Its layers, lowest first.
    pub layers: &'a [ImageLayer],
    /// Its distribution.
    pub os: Option<&'a Os>,
}

/// An image that may be the base of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Digest of its configuration.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Digest of its manifest, where known.
    pub digest: Option<String>,
    /// Diff ids of its layers, lowest first.
    pub diff_ids: Vec<String>,
}

/// Tells the base, if the image has one.
pub fn recognise(seen: &Seen<'_>, known: &[Known], fitted: Option<&Fitted>) -> Option<Base> {
    by_layers(seen, known)
        .or_else(|| by_dockerfile(fitted))
        .or_else(|| declared(seen))
        .or_else(|| by_run_image(seen))
        .or_else(|| by_history(seen))
}

/// The known image with the most layers, all of which are the lowest of this
/// one. Of several names the first serves.
fn by_layers(seen: &Seen<'_>, known: &[Known]) -> Option<Base> {
    let is_base = |one: &&Known| {
        !one.diff_ids.is_empty()
            && one.diff_ids.len() <= seen.layers.len()
            && seen.id != Some(one.id.as_str())
            && one
                .diff_ids
                .iter()
                .zip(seen.layers)
                .all(|(id, layer)| *id == layer.diff_id)
            // With as many layers either could be the other's base: the one
            // with the shorter history is.
            && (one.diff_ids.len() < seen.layers.len() || ends_before(seen.config))
    };
    let best = known.iter().filter(is_base).min_by(|a, b| {
        let longest = b.diff_ids.len().cmp(&a.diff_ids.len());
        longest.then_with(|| a.name.cmp(&b.name))
    })?;
    Some(Base {
        name: Some(best.name.clone()),
        digest: best.digest.clone().or_else(|| Some(best.id.clone())),
        layers: best.diff_ids.len(),
        evidence: BaseEvidence::Layers,
    })
}

/// Whether the history goes on behind the last layer with a second command.
fn ends_before(config: &ImageConfig) -> bool {
    boundary::steps_of_base(&config.history).is_some()
}

fn by_dockerfile(fitted: Option<&Fitted>) -> Option<Base> {
    let fitted = fitted?;
    let name = fitted.base.clone()?;
    let (name, digest) = match name.split_once('@') {
        Some((name, digest)) => (name.to_owned(), Some(digest.to_owned())),
        None => (name, None),
    };
    Some(Base {
        name: Some(name),
        digest,
        layers: fitted.base_layers,
        evidence: BaseEvidence::Dockerfile,
    })
}

/// `org.opencontainers.image.base.*` (OCI image-spec 1.1, annotations.md).
fn declared(seen: &Seen<'_>) -> Option<Base> {
    let of = |map: &BTreeMap<String, String>, key: &str| {
        let value = map.get(&format!("org.opencontainers.image.base.{key}"))?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    let both = |map| (of(map, "name"), of(map, "digest"));
    let (name, digest) = match both(seen.annotations) {
        (None, None) => both(&seen.config.labels),
        found => found,
    };
    if name.is_none() && digest.is_none() {
        return None;
    }
    let layers = boundary::steps_of_base(&seen.config.history)
        .map(|steps| layers_of(&seen.config.history, steps))
        .filter(|layers| *layers <= seen.layers.len())
        .unwrap_or(1);
    Some(Base {
        name,
        digest: digest.filter(|digest| digest.starts_with("sha256:")),
        layers: layers.min(seen.layers.len()),
        evidence: BaseEvidence::Declared,
    })
}

/// Buildpacks name the run image and its uppermost layer in a label
/// (buildpacks/spec, platform.md, `io.buildpacks.lifecycle.metadata`).
fn by_run_image(seen: &Seen<'_>) -> Option<Base> {
    let label = seen.config.labels.get("io.buildpacks.lifecycle.metadata")?;
    let metadata: serde_json::Value = serde_json::from_str(label).ok()?;
    let run = metadata.get("runImage")?;
    let text = |value: &serde_json::Value, key: &str| {
        let text = value.get(key)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    let top = text(run, "topLayer")?;
    let at = seen.layers.iter().position(|layer| layer.diff_id == top)?;
    let reference = text(run, "reference");
    let digest = reference.as_deref().and_then(|reference| {
        let (_, digest) = reference.split_once('@')?;
        Some(digest.to_owned())
    });
    let stack = metadata
        .get("stack")
        .and_then(|stack| stack.get("runImage"));
    let name = text(run, "image")
        .or_else(|| text(stack?, "image"))
        .or(reference);
    Some(Base {
        name,
        digest,
        layers: at + 1,
        evidence: BaseEvidence::Declared,
    })
}

fn by_history(seen: &Seen<'_>) -> Option<Base> {
    let history = &seen.config.history;
    let steps = boundary::steps_of_base(history)?;
    let of_base = history.get(..steps)?;
    let layers = layers_of(history, steps);
    if layers == 0 || layers > seen.layers.len() {
        return None;
    }
    if let Some(name) = names::by_steps(of_base, seen.os) {
        return Some(Base {
            name: Some(name),
            digest: None,
            layers,
            evidence: BaseEvidence::History,
        });
    }
    Some(Base {
        name: seen.os.map(names::by_distribution),
        digest: None,
        layers,
        evidence: BaseEvidence::Distribution,
    })
}

/// Layers that the first `steps` of a history made.
fn layers_of(history: &[HistoryStep], steps: usize) -> usize {
    let first = history.iter().take(steps);
    first.filter(|step| !step.empty_layer).count()
}
