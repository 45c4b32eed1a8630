//! What an image holds once its layers lie on each other.

use std::sync::Arc;

use seawall_model::{Gap, ImageLayer};

/// The evidence of an image (or a directory) after whiteouts, opaque
/// directories, replaced files, hard links and symbolic links are resolved.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Files of interest in the finished image, sorted by path, then analyser.
    pub files: Vec<Evidence>,
    /// Files of interest that a later layer replaced or removed, sorted by
    /// path, then layer: what an origin layer is told from, and where secrets
    /// stay readable.
    pub hidden: Vec<Evidence>,
    /// The layers, lowest first; empty for a directory.
    pub layers: Vec<ImageLayer>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// What one analyser made of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Path in the image, as in [`crate::Entry::path`].
    pub path: String,
    /// Name of the analyser.
    pub analyser: &'static str,
    /// Index of the layer; 0 for a directory.
    pub layer: usize,
    /// Index of the layer that replaced or removed it, for what is hidden.
    pub hidden_by: Option<usize>,
    /// Bytes of the file.
    pub size: u64,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// Raw `security.capability`.
    pub capability: Option<Box<[u8]>>,
    /// What the analyser made of the content.
    pub data: Arc<[u8]>,
}

impl View {
    /// The evidence that `analyser` found, by path.
    pub fn of<'a>(&'a self, analyser: &'a str) -> impl Iterator<Item = &'a Evidence> {
        self.files
            .iter()
            .filter(move |evidence| evidence.analyser == analyser)
    }

    /// What `analyser` made of the file at `path`.
    pub fn at(&self, analyser: &str, path: &str) -> Option<&Evidence> {
        let from = self
            .files
            .partition_point(|evidence| evidence.path.as_str() < path);
        self.files
            .get(from..)?
            .iter()
            .take_while(|evidence| evidence.path == path)
            .find(|evidence| evidence.analyser == analyser)
    }

    /// What `analyser` made of every state of the file at `path`, lowest layer
    /// first, the visible one last.
    pub fn history<'a>(&'a self, analyser: &'a str, path: &'a str) -> Vec<&'a Evidence> {
        let mut states: Vec<&Evidence> = self
            .hidden
            .iter()
            .chain(&self.files)
            .filter(|evidence| evidence.path == path && evidence.analyser == analyser)
            .collect();
        states.sort_by_key(|evidence| evidence.layer);
        states
    }
}
