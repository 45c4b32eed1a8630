//! What a scan gives back.

use seawall_model::LineColumn;

use crate::Detector;

/// All secrets of one file.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// In the order of the file, no two over the same bytes.
    pub secrets: Vec<Secret>,
    /// Whether there were more than are kept.
    pub more: bool,
}

/// One secret, without the secret.
#[derive(Clone, Debug)]
pub struct Secret {
    /// Which kind.
    pub detector: &'static Detector,
    /// Offset of its first byte in the file.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// Where it starts.
    pub start: LineColumn,
    /// Where it ends.
    pub end: LineColumn,
    /// What may be shown of it: its first characters where its kind allows
    /// that, and `…`.
    pub shown: String,
    /// Sixteen bits of a hash of it: they tell it from its neighbours and from
    /// another state of the same file, and leave a guesser of passwords with a
    /// thousand candidates for each that fits.
    pub mark: u16,
    /// Something worth knowing: that a key is encrypted.
    pub note: Option<&'static str>,
}
