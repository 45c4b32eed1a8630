//! Layers laid on each other, and what they leave open looked for.

use std::collections::HashSet;

use seawall_model::{Gap, GapKind, ImageLayer};

use crate::{
    Error, Image, LayerError, View,
    evidence::LayerEvidence,
    layer::Reading,
    manifest::Plan,
    matcher::Index,
    open::Run,
    read::{Blobs, ReadLayer, scan},
    squash,
};

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
        index_digest: None,
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
        let wanted = held(&read.evidence, wanted);
        if wanted.is_empty() || planned.foreign {
            continue;
        }
        let failed = |cause| Error::Layer {
            name: planned.name.clone(),
            cause,
        };
        let blob = blobs
            .open(planned)
            .map_err(LayerError::Read)
            .map_err(failed)?;
        let Some(mut blob) = blob else { continue };
        let matcher = run.matcher.only(&wanted);
        let reading = Reading {
            matcher: &matcher,
            ..run.reading(planned.stored.is_some())
        };
        let scanned = scan(planned, &mut *blob, blobs, &reading)?;
        if scanned.diff_id != planned.diff_id {
            let (name, expected) = (planned.name.clone(), planned.diff_id);
            return Err(Error::Digest {
                name,
                expected,
                computed: scanned.diff_id,
            });
        }
        read.evidence.searched.extend(wanted);
        // Why what was found could not be used; what else went wrong is known.
        read.evidence.gaps.extend(scanned.evidence.gaps);
        found |= !scanned.evidence.files.is_empty();
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

/// Those of the wanted files that lie in the layer and were not looked for in
/// it before: another pass is for them alone. A link that leads nowhere, or to
/// a directory, costs none.
fn held(evidence: &LayerEvidence, mut wanted: Vec<(Index, String)>) -> Vec<(Index, String)> {
    wanted.retain(|one| !evidence.searched.contains(one));
    if wanted.is_empty() {
        return wanted;
    }
    let targets: HashSet<&str> = wanted.iter().map(|(_, target)| target.as_str()).collect();
    let mut there: HashSet<String> = HashSet::new();
    evidence.paths.for_each(|path, is_dir| {
        if !is_dir && targets.contains(path) {
            there.insert(path.to_owned());
        }
    });
    wanted.retain(|(_, target)| there.contains(target));
    wanted
}
