//! Which of an index's entries is meant.

use super::wire;
use crate::{Error, Platform, config::known};

/// What an index calls an image, the whole name first: containerd writes one
/// beside the bare tag.
pub(super) fn tags_of(one: &wire::Descriptor) -> impl Iterator<Item = &str> {
    let annotations = one.annotations.as_ref();
    [
        "io.containerd.image.name",
        "org.opencontainers.image.ref.name",
    ]
    .into_iter()
    .filter_map(move |name| Some(annotations?.get(name)?.as_str()))
}

/// A name to tell one image from others by.
pub(super) fn name_of(one: &wire::Descriptor) -> String {
    let tag = tags_of(one).next().map(str::to_owned);
    tag.unwrap_or_else(|| one.digest.clone())
}

/// The one manifest that fits.
pub(super) fn choose<'a>(
    candidates: &'a [wire::Descriptor],
    platform: Option<&Platform>,
) -> Result<&'a wire::Descriptor, Error> {
    // Attestations lie beside images under a platform of their own.
    let is_attestation = |one: &&wire::Descriptor| {
        one.platform
            .as_ref()
            .is_some_and(|platform| platform.os == "unknown")
            || one.annotations.as_ref().is_some_and(|notes| {
                notes
                    .get("vnd.docker.reference.type")
                    .is_some_and(|t| t == "attestation-manifest")
            })
    };
    let images: Vec<&wire::Descriptor> = candidates
        .iter()
        .filter(|one| !is_attestation(one))
        .collect();
    let platform_of = |one: &wire::Descriptor| one.platform.as_ref().and_then(known);
    // One image may have several names.
    if let [only, rest @ ..] = images.as_slice()
        && rest.iter().all(|one| one.digest == only.digest)
    {
        // Its configuration is checked against the platform later on.
        let fits = platform
            .zip(platform_of(only))
            .is_none_or(|(asked, is)| asked.accepts(&is));
        if fits {
            return Ok(only);
        }
    }
    let several = |images: &[&wire::Descriptor]| {
        Err(Error::Several(
            images.iter().copied().map(name_of).collect(),
        ))
    };
    let wanted = platform.cloned().unwrap_or_else(Platform::host);
    let fitting: Vec<&wire::Descriptor> = images
        .iter()
        .filter(|one| platform_of(one).is_some_and(|is| wanted.accepts(&is)))
        .copied()
        .collect();
    if let [first, ..] = fitting.as_slice() {
        // One image under two tags, or for two variants, is no question; two
        // images are.
        let is_other = |one: &&wire::Descriptor| {
            one.digest != first.digest
                && platform_of(one) == platform_of(first)
                && tags_of(one).next() != tags_of(first).next()
        };
        if fitting.iter().any(is_other) {
            return several(&fitting);
        }
        return Ok(first);
    }
    if images.iter().all(|one| one.platform.is_none()) && !images.is_empty() {
        return several(&images);
    }
    let mut there: Vec<String> = images
        .iter()
        .map(|one| platform_of(one).map_or_else(|| name_of(one), |platform| platform.to_string()))
        .collect();
    there.dedup();
    Err(Error::NoPlatform { wanted, there })
}
