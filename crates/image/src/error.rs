//! Why an image could not be opened.

use std::{io, path::PathBuf};

use crate::{Digest, LayerError, Platform, TarError};

/// Why an image could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A stream broke off.
    #[error("cannot read the image from {from}")]
    Stream {
        /// Where it comes from.
        from: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The outer archive is damaged.
    #[error("{from} is no readable image archive")]
    Archive {
        /// Where it comes from.
        from: String,
        /// What is wrong.
        #[source]
        cause: TarError,
    },
    /// The file is something else.
    #[error("{from} is no image archive: it looks like {what}")]
    NotAnImage {
        /// Where it comes from.
        from: String,
        /// What it looks like.
        what: String,
    },
    /// The engine's answer.
    #[error(transparent)]
    Engine(#[from] seawall_engine::Error),
    /// A manifest, an index or a configuration does not follow its form.
    #[error("`{name}` of the image is malformed: {reason}")]
    Malformed {
        /// The document.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A document or layer that is named and not there.
    #[error("the image names `{0}`, which is not there")]
    Missing(String),
    /// Something that registries keep and that is no image.
    #[error("`{digest}` is no container image: it is {what}")]
    Artifact {
        /// Its manifest.
        digest: Digest,
        /// What it is.
        what: String,
    },
    /// The registry's answer.
    #[error(transparent)]
    Registry(#[from] seawall_registry::Error),
    /// A reference that names nothing.
    #[error("there is no `{wanted}` in the image; there {}", have(.there))]
    NoReference {
        /// What was asked for.
        wanted: String,
        /// What is there.
        there: Vec<String>,
    },
    /// Several images where one is needed.
    #[error("there are several images, one has to be named: {}", .0.join(", "))]
    Several(Vec<String>),
    /// No image for the platform.
    #[error("there is no image for {wanted}; there {}", have(.there))]
    NoPlatform {
        /// What was asked for.
        wanted: Platform,
        /// What is there.
        there: Vec<String>,
    },
    /// Content that is not what its digest says.
    #[error("`{name}` has the digest {computed}, {expected} is expected")]
    Digest {
        /// The document or layer.
        name: String,
        /// What the image says.
        expected: Digest,
        /// What it is.
        computed: Digest,
    },
    /// A layer of other bytes than those of its digest.
    #[error("`{host}` sends `{expected}` with the digest {computed}")]
    Sent {
        /// The registry or mirror: `host[:port]`.
        host: String,
        /// Its digest.
        expected: Digest,
        /// What came.
        computed: Digest,
    },
    /// A layer could not be read.
    #[error("cannot read the layer `{name}`")]
    Layer {
        /// The layer.
        name: String,
        /// Why.
        #[source]
        cause: LayerError,
    },
    /// A bound was met.
    #[error("{what} is over the limit of {limit}")]
    Limit {
        /// What met the bound.
        what: String,
        /// The bound.
        limit: u64,
    },
}

fn have(there: &[String]) -> String {
    match there {
        [] => "is nothing".to_owned(),
        [one] => format!("is {one}"),
        many => format!("are {}", many.join(", ")),
    }
}
