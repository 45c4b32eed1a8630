//! Errors as users read them: the chain of causes, and a hint where one helps.

use std::{error::Error, fmt, io};

/// An error that knows what to do about it.
#[derive(Debug)]
pub(crate) struct Hinted {
    message: String,
    hint: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Hinted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// An error of the user's making, with what to do instead.
pub(crate) fn hinted(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Hinted {
        message: message.into(),
        hint: hint.into(),
        cause: None,
    }
    .into()
}

/// What an error means to the user, with what to do about it.
pub(crate) fn explained(
    cause: impl Error + Send + Sync + 'static,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> anyhow::Error {
    Hinted {
        message: message.into(),
        hint: hint.into(),
        cause: Some(Box::new(cause)),
    }
    .into()
}

/// What to do about an error, where something can be said.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(hinted) = cause.downcast_ref::<Hinted>() {
            return Some(hinted.hint.clone());
        }
        if let Some(error) = cause.downcast_ref::<seawall_scan::InspectError>() {
            return inspect_hint(error);
        }
        if let Some(error) = cause.downcast_ref::<seawall_scan::PlaceError>() {
            return place_hint(error);
        }
        None
    })
}

fn place_hint(error: &seawall_scan::PlaceError) -> Option<String> {
    use seawall_scan::PlaceError;
    match error {
        PlaceError::NotThere(path) if !path.starts_with("/") => {
            Some("an image is named without a leading dot or slash, as in `debian:12`".to_owned())
        }
        PlaceError::Credentials(_) => Some(
            "log in to the registry instead (`docker login`, `podman login`), or see \
             `--registry-auth`"
                .to_owned(),
        ),
        _ => None,
    }
}

fn inspect_hint(error: &seawall_scan::InspectError) -> Option<String> {
    use seawall_scan::InspectError;
    match error {
        InspectError::Nowhere { name, tried } => nowhere_hint(name, tried),
        InspectError::Image(error) => image_hint(error),
        _ => None,
    }
}

/// What keeps an image from being found, the likeliest first.
fn nowhere_hint(name: &str, tried: &[seawall_scan::Tried]) -> Option<String> {
    use seawall_engine::Error as Engine;
    use seawall_scan::Why;
    let answers = || {
        tried.iter().filter_map(|one| match &one.why {
            Why::Answer(error) => Some((one, error.as_ref())),
            _ => None,
        })
    };
    let refuses = answers().find_map(|(one, error)| match error {
        seawall_image::Error::Engine(Engine::Connect { socket, cause })
            if cause.kind() == io::ErrorKind::PermissionDenied =>
        {
            Some((one.scheme.as_str(), socket))
        }
        _ => None,
    });
    if let Some((engine, socket)) = refuses {
        return Some(format!(
            "{engine} is there and does not let you in: join the group that owns `{}`, or run \
             this as its owner",
            socket.display()
        ));
    }
    if tried.iter().any(|one| matches!(one.why, Why::Offline)) {
        return Some(format!(
            "leave out `--offline` to ask the registry, or save the image elsewhere and scan the \
             archive: `docker save {name} | seawall scan -`"
        ));
    }
    answers().find_map(|(_, error)| image_hint(error))
}

fn image_hint(error: &seawall_image::Error) -> Option<String> {
    use seawall_image::Error;
    match error {
        Error::NoPlatform { .. } => {
            Some("choose one of them with `--platform OS/ARCHITECTURE`".to_owned())
        }
        Error::Artifact { .. } => {
            Some("name an image; what lies beside one is scanned with it or by itself".to_owned())
        }
        Error::Registry(error) => registry_hint(error),
        _ => None,
    }
}

fn registry_hint(error: &seawall_registry::Error) -> Option<String> {
    use seawall_registry::Error;
    match error {
        Error::Http { .. } => Some(
            "check that the registry can be reached; an image saved elsewhere can be scanned as \
             an archive: `docker save NAME | seawall scan -`"
                .to_owned(),
        ),
        other => other.hint().map(str::to_owned),
    }
}

/// Whether the reader of our output is gone.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
