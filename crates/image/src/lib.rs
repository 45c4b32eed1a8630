//! Opens an image from anywhere and streams its layers once.
//!
//! A [`Source`] says where the image is, [`Analyser`]s say which files matter,
//! and [`open`] gives back a [`View`]: what the analysers made of those files
//! once the layers lie on each other. Every layer is unpacked, hashed and
//! walked in one pass; nothing is unpacked to disk, and no tree of all files
//! is kept.

mod analyser;
mod cache;
mod decompress;
mod digest;
mod evidence;
mod layer;
mod limits;
mod matcher;
mod paths;
mod progress;
mod squash;
mod tar;
mod view;

pub use analyser::{Analyser, Body, Entry, EntryKind, Interest, Need};
pub use cache::Cache;
pub use digest::{Digest, ParseDigestError};
pub use layer::LayerError;
pub use limits::Limits;
pub use progress::{NoProgress, Progress};
pub use tar::TarError;
pub use view::{Evidence, View};
