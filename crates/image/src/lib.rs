//! Opens an image from anywhere and streams its layers once.
//!
//! A [`Source`] says where the image is, [`Analyser`]s say which files matter,
//! and [`open`] gives back a [`View`]: what the analysers made of those files
//! once the layers lie on each other. Every layer is unpacked, hashed and
//! walked in one pass; nothing is unpacked to disk, and no tree of all files
//! is kept.

mod analyser;
mod archive;
mod cache;
mod daemon;
mod decompress;
mod digest;
mod error;
mod evidence;
mod layer;
mod limits;
mod manifest;
mod matcher;
mod oci;
mod open;
mod paths;
mod platform;
mod progress;
mod rootfs;
mod squash;
mod stream;
mod tar;
mod view;

pub use analyser::{Analyser, Body, Entry, EntryKind, Interest, Need};
pub use cache::Cache;
pub use digest::{Digest, ParseDigestError};
pub use error::Error;
pub use layer::LayerError;
pub use limits::Limits;
pub use manifest::{HistoryStep, ImageConfig, parse_config};
pub use open::{Image, Options, Source, open};
pub use platform::{ParsePlatformError, Platform};
pub use progress::{NoProgress, Progress};
pub use tar::TarError;
pub use view::{Evidence, View};
