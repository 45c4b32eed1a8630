//! Opens an image from anywhere and streams its layers once.
//!
//! A [`Source`] says where the image is, [`Analyser`]s say which files matter,
//! and [`open`] gives back a [`View`]: what the analysers made of those files
//! once the layers lie on each other. Every layer is unpacked, hashed and
//! walked in one pass; nothing is unpacked to disk, and no tree of all files
//! is kept.

mod analyser;
mod archive;
mod artifact;
mod assemble;
mod cache;
mod chunks;
mod collect;
mod config;
mod daemon;
mod decompress;
mod error;
mod evidence;
mod layer;
mod limits;
mod loose;
mod manifest;
mod matcher;
mod oci;
mod open;
mod paths;
mod pieces;
mod platform;
mod progress;
mod read;
mod registry;
mod rootfs;
mod squash;
mod stream;
mod tar;
mod view;

/// Entry points for tests with hostile input: each must come to an end without
/// a panic, whatever the bytes.
pub mod hostile {
    use crate::{
        Limits, NoProgress,
        chunks::Cores,
        collect::Budget,
        layer::{Reading, scan_layer},
        matcher::Matcher,
    };

    /// Reads a layer that nobody wants anything of; whether it is whole.
    pub fn layer(mut bytes: &[u8]) -> bool {
        let limits = Limits {
            layer_bytes: 64 << 20,
            ..Limits::default()
        };
        let matcher = Matcher::new(&[]);
        let spool = Budget::new(0);
        let reading = Reading {
            matcher: &matcher,
            limits: &limits,
            spool: &spool,
            kept: &Budget::new(limits.image_evidence),
            cores: &Cores::new(),
            progress: &NoProgress,
            hash_stored: false,
            stored: None,
        };
        scan_layer(&mut bytes, &reading).is_ok()
    }

    /// Decodes an entry of the cache; whether it is one.
    pub fn cache_entry(bytes: &[u8]) -> bool {
        crate::cache::decode_entry(bytes, &Matcher::new(&[])).is_some()
    }
}

pub use analyser::{Analyser, Body, Entry, EntryKind, Interest, Need, Stream};
pub use cache::Cache;
pub use config::{HistoryStep, ImageConfig, parse_config};
pub use error::Error;
pub use layer::LayerError;
pub use limits::Limits;
pub use open::{Image, Options, Source, open};
pub use platform::{ParsePlatformError, Platform};
pub use progress::{NoProgress, Progress};
pub use registry::Registries;
pub use seawall_model::{Digest, ParseDigestError};
pub use tar::TarError;
pub use view::{Evidence, View};
