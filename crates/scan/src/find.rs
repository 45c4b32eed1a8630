//! Where an image is: each place that may hold it, in order.

use std::{fmt, path::PathBuf, sync::Arc};

use seawall_engine::Kind;
use seawall_image::{Digest, Error, Image, Registries, Source};
use seawall_registry::Reference;

use seawall_model::in_full;

use crate::{InspectError, Place, Scheme, inspect::layout_reference};

/// Where an image without a scheme is looked for.
const ORDER: [Scheme; 4] = [
    Scheme::Docker,
    Scheme::Podman,
    Scheme::Containerd,
    Scheme::Registry,
];

/// A place that does not hold an image.
#[derive(Debug)]
pub struct Tried {
    /// The place.
    pub scheme: Scheme,
    /// Why it was passed over.
    pub why: Why,
}

/// Why a place was passed over.
#[derive(Debug)]
pub enum Why {
    /// It is not on this machine.
    Absent,
    /// It was not to be asked.
    Offline,
    /// It does not have anything of that name, or cannot.
    Not(String),
    /// It was asked.
    Answer(Box<Error>),
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.scheme {
            Scheme::Docker => "Docker",
            Scheme::Podman => "Podman",
            Scheme::Containerd => "containerd",
            Scheme::Registry => "the registry",
            other => other.as_str(),
        };
        write!(f, "{place}: ")?;
        match &self.why {
            Why::Absent => f.write_str("none answers here"),
            Why::Offline => f.write_str("`--offline` forbids to ask it"),
            Why::Not(why) => f.write_str(why),
            Why::Answer(error) => f.write_str(&in_full(error)),
        }
    }
}

/// An image, and where it was found.
pub(crate) struct Found {
    pub(crate) image: Image,
    /// Its place, with a scheme that says which.
    pub(crate) place: Place,
    /// The socket of the engine that has it.
    pub(crate) engine: Option<PathBuf>,
    /// Its name in a registry.
    pub(crate) reference: Option<Reference>,
    /// Where it was not.
    pub(crate) tried: Vec<Tried>,
}

/// Opens the image of a place, or of the first place that has it.
///
/// # Errors
/// When it is in none of them, or cannot be read where it is.
pub(crate) fn find(
    place: &Place,
    registries: Option<&Arc<Registries>>,
    mut open: impl FnMut(Source) -> Result<Image, Error>,
) -> Result<Found, InspectError> {
    let value = place.value.as_str();
    let order: &[Scheme] = match &place.scheme {
        Scheme::Image => &ORDER,
        one => std::slice::from_ref(one),
    };
    let mut tried = Vec::new();
    for scheme in order {
        let mut pass = |why| {
            let scheme = *scheme;
            tried.push(Tried { scheme, why });
        };
        let (mut engine, mut asked) = (None, None);
        let source = match scheme {
            Scheme::Archive if value == "-" => Source::Stream(Box::new(std::io::stdin())),
            Scheme::Archive => Source::Archive(PathBuf::from(value)),
            Scheme::Oci => {
                let (dir, reference) = layout_reference(value);
                Source::OciLayout { dir, reference }
            }
            Scheme::Docker | Scheme::Podman => {
                let kind = match scheme {
                    Scheme::Docker => Kind::Docker,
                    _ => Kind::Podman,
                };
                let Some(socket) = seawall_engine::find(kind) else {
                    pass(Why::Absent);
                    continue;
                };
                engine = Some(socket.clone());
                Source::Engine {
                    socket,
                    name: value.to_owned(),
                    scheme: kind.as_str(),
                }
            }
            Scheme::Registry => {
                let reference = match reference(value) {
                    Ok(reference) => reference,
                    Err(why) => {
                        pass(Why::Not(why));
                        continue;
                    }
                };
                let Some(registries) = registries else {
                    pass(Why::Offline);
                    continue;
                };
                asked = Some(reference.clone());
                Source::Registry {
                    registries: Arc::clone(registries),
                    reference,
                }
            }
            Scheme::Containerd => match containerd(value) {
                Ok(source) => source,
                Err(why) => {
                    pass(why);
                    continue;
                }
            },
            other => return Err(InspectError::NoImage(other.as_str())),
        };
        match open(source) {
            Ok(image) => {
                let (scheme, value) = (*scheme, place.value.clone());
                return Ok(Found {
                    image,
                    place: Place { scheme, value },
                    engine,
                    reference: asked,
                    tried,
                });
            }
            Err(error) if place.scheme == Scheme::Image && is_elsewhere(*scheme, &error) => {
                pass(Why::Answer(Box::new(error)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let name = place.value.clone();
    Err(InspectError::Nowhere { name, tried })
}

/// An image of containerd's own files.
fn containerd(name: &str) -> Result<Source, Why> {
    use seawall_engine::containerd::{Error, find};
    match find(name, None) {
        Ok(Some(found)) => Ok(Source::Content {
            dir: found.content,
            digest: found.digest,
        }),
        Ok(None) => Err(Why::Not("it has no image of that name".to_owned())),
        Err(Error::NoStore(_)) => Err(Why::Absent),
        Err(error) => Err(Why::Not(in_full(&error))),
    }
}

/// Whether a place's answer leaves open that another one has the image. One
/// that has it and breaks off must not be covered up by what another place has
/// under the name.
fn is_elsewhere(scheme: Scheme, error: &Error) -> bool {
    use seawall_engine::Error as Engine;
    match error {
        Error::Engine(error) => matches!(
            error,
            Engine::NoImage { .. }
                | Engine::Connect { .. }
                | Engine::Silent { .. }
                | Engine::Protocol { .. }
                | Engine::Refused { .. }
        ),
        Error::NoPlatform { .. } | Error::Registry(_) => true,
        // It may be told to drop layers that it has unpacked.
        Error::Missing(_) => scheme == Scheme::Containerd,
        _ => false,
    }
}

/// A name that a registry may know. An id would be taken for a name there.
fn reference(name: &str) -> Result<Reference, String> {
    let is_hex = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex(name) || name.parse::<Digest>().is_ok() {
        return Err("an id names an image of an engine only".to_owned());
    }
    let reference: Result<Reference, _> = name.parse();
    reference.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(error: InspectError) -> Vec<String> {
        match error {
            InspectError::Nowhere { tried, .. } => tried
                .iter()
                .map(|one| one.scheme.as_str().to_owned())
                .collect(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn every_place_is_asked_unless_one_is_named() {
        let at = |scheme, value: &str| Place {
            scheme,
            value: value.to_owned(),
        };
        let find = |place: &Place| {
            find(place, None, |_| {
                Err(seawall_engine::Error::NoImage {
                    name: "x".into(),
                    socket: "y".into(),
                }
                .into())
            })
        };
        let Err(error) = find(&at(Scheme::Image, "debian:12")) else {
            panic!("there is no image");
        };
        let text = error.to_string();
        assert!(text.contains("the registry: `--offline` forbids"), "{text}");
        assert_eq!(names(error), ["docker", "podman", "containerd", "registry"]);
        let id = format!("sha256:{}", "a".repeat(64));
        let Err(error) = find(&at(Scheme::Registry, &id)) else {
            panic!("there is no image");
        };
        assert!(error.to_string().contains("an id names"), "{error}");
    }

    #[test]
    fn an_image_that_breaks_off_is_not_looked_for_elsewhere() {
        let broken = Error::Missing("a layer".into());
        assert!(!is_elsewhere(Scheme::Docker, &broken));
        let stalled = seawall_engine::Error::HungUp { socket: "x".into() };
        assert!(!is_elsewhere(Scheme::Docker, &stalled.into()));
    }
}
