//! What tells an image's base: images known to the user or to the engine, and
//! the Dockerfile.

use std::{fs::File, io::Read, path::Path};

use seawall_bases::{Dockerfile, Known, Seen};
use seawall_image::Image;
use seawall_model::{Gap, GapKind, Target};

use crate::{InspectError, Place, Settings, find::find};

/// What a user gives to tell bases by.
#[derive(Clone, Debug, Default)]
pub struct Bases {
    known: Vec<Known>,
    dockerfile: Option<(String, Dockerfile)>,
}

/// Bytes of a Dockerfile: BuildKit takes no more than 2 MiB.
const DOCKERFILE_LIMIT: u64 = 2 << 20;
/// Images that an engine is asked about.
const MOST_IMAGES: usize = 500;

impl Bases {
    /// Adds an image that others may be built on. Its layers are not searched.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn add(&mut self, place: &Place, settings: &Settings<'_>) -> Result<(), InspectError> {
        let found = find(place, settings.registries, |source| {
            seawall_image::open(source, &settings.options(&[]))
        })?;
        let image = found.image;
        let layers = image.view.layers;
        self.known.push(Known {
            id: image.digest.map(|id| id.to_string()).unwrap_or_default(),
            name: match image.repo_tags.into_iter().next() {
                Some(tag) => tag,
                None => place.value.clone(),
            },
            digest: image.manifest_digest.map(|digest| digest.to_string()),
            diff_ids: layers.into_iter().map(|layer| layer.diff_id).collect(),
        });
        Ok(())
    }

    /// Reads the Dockerfile that the targets are built from.
    ///
    /// # Errors
    /// When it cannot be read, or holds no stage.
    pub fn dockerfile(&mut self, path: &Path) -> Result<(), InspectError> {
        let reading = |cause| InspectError::Read {
            path: path.to_owned(),
            cause,
        };
        let mut text = String::new();
        let file = File::open(path).map_err(reading)?;
        file.take(DOCKERFILE_LIMIT + 1)
            .read_to_string(&mut text)
            .map_err(reading)?;
        if text.len() as u64 > DOCKERFILE_LIMIT {
            let reason = format!("it has more than {DOCKERFILE_LIMIT} bytes");
            return Err(reading(std::io::Error::other(reason)));
        }
        let file = Dockerfile::parse(&text);
        if file.is_empty() {
            let reason = "it has no `FROM`: it is no Dockerfile";
            return Err(reading(std::io::Error::other(reason)));
        }
        self.dockerfile = Some((path.display().to_string(), file));
        Ok(())
    }
}

/// Tells the base of an image that was read, and which lines made its layers.
pub(crate) fn tell(
    image: &Image,
    target: &mut Target,
    engine: Option<&Path>,
    settings: &Settings<'_>,
) -> Option<Gap> {
    let mut gap = None;
    let fitted = settings.bases.dockerfile.as_ref().and_then(|(name, file)| {
        let fitted = file.fit(&image.config.history);
        match &fitted {
            Some(_) => target.dockerfile = Some(name.clone()),
            None => {
                let reason = "its steps are not those in the image's history: no line of it can be \
                              named";
                gap = Some(Gap::new(GapKind::Missing, name.clone(), reason));
            }
        }
        fitted
    });
    for (layer, line) in fitted.iter().flat_map(|fitted| &fitted.lines) {
        if let Some(layer) = target.layers.get_mut(*layer) {
            layer.line = Some(*line);
        }
    }
    let mut known = settings.bases.known.clone();
    // What is one layer has no base with fewer.
    if let Some(socket) = engine
        && target.layers.len() > 1
    {
        known.extend(of_engine(socket));
    }
    let seen = Seen {
        id: target.digest.as_deref(),
        config: &image.config,
        annotations: &image.annotations,
        layers: &target.layers,
        os: target.os.as_ref(),
    };
    target.base = seawall_bases::recognise(&seen, &known, fitted.as_ref());
    gap
}

/// The images that an engine holds. Without an answer the other signs serve.
fn of_engine(socket: &Path) -> Vec<Known> {
    let client = seawall_engine::Client::new(socket, seawall_engine::Waits::default());
    let images = client.images(MOST_IMAGES).unwrap_or_default();
    let known = images.into_iter().filter_map(|image| {
        let digests = image.raw.get("RepoDigests").and_then(|all| all.as_array());
        let digest = digests
            .and_then(|all| all.first()?.as_str()?.split_once('@'))
            .map(|(_, digest)| digest.to_owned());
        Some(Known {
            name: image.tags.first()?.clone(),
            id: image.id,
            digest,
            diff_ids: image.diff_ids,
        })
    });
    known.collect()
}
