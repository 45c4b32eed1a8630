//! Images of Docker and Podman, over their socket.
//!
//! The engine vouches for the diff ids that it names. When the evidence of all
//! of them is known, nothing is exported; otherwise the export is read as it
//! comes.

use std::path::Path;

use seawall_engine::{Client, Inspected, Waits};

use crate::{
    Digest, Error, Image,
    manifest::{self, Plan},
    open::{ReadLayer, Run, assemble},
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
    if let Some(image) = known(&inspected, run) {
        return image;
    }
    let export = client.export(name)?;
    let (passed, mut plan) = stream::pass(Box::new(export), scheme, run)?;
    // Engines with classic storage name an image by its configuration; the
    // others by its manifest, of which an export says nothing.
    let is_classic = passed_is(&plan, &inspected);
    if let Some(cache) = run.options.cache.filter(|_| is_classic) {
        cache.put_document(&plan.digest, &plan.raw_config);
    }
    plan.tags = inspected.tags;
    stream::finish(passed, plan, run)
}

fn passed_is(plan: &Plan, inspected: &Inspected) -> bool {
    inspected.id.parse() == Ok(plan.digest)
}

/// The image, if all of it is known already.
fn known(inspected: &Inspected, run: &Run<'_>) -> Option<Result<Image, Error>> {
    let cache = run.options.cache?;
    let id: Digest = inspected.id.parse().ok()?;
    let config = cache.document(&id)?;
    let layers = (0..inspected.diff_ids.len())
        .map(|index| (format!("layer {}", index + 1), None, false))
        .collect();
    let (platform, limits) = (run.options.platform.as_ref(), &run.options.limits);
    let tags = inspected.tags.clone();
    let plan = match manifest::finish(&config, id, None, tags, layers, platform, limits) {
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
