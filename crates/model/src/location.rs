//! Where a finding points.

use crate::text::{LineColumn, LineIndex, Span};

/// Where a finding points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file of the target, perhaps a stretch of it.
    File {
        /// Path relative to the target's root, with `/` between components.
        path: String,
        /// Index of the layer that the file comes from, in images.
        layer: Option<usize>,
        /// The stretch meant; the whole file without it.
        range: Option<TextRange>,
    },
    /// The target as a whole (its distribution, its configuration).
    Target,
}

impl Location {
    /// The path, where there is one.
    pub fn path(&self) -> Option<&str> {
        match self {
            Location::File { path, .. } => Some(path),
            Location::Target => None,
        }
    }
}

/// A byte span together with the lines and columns of its ends.
///
/// Both are kept because the text itself is gone by the time a report is
/// written: a layer is read once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextRange {
    /// The bytes.
    pub span: Span,
    /// Where the first byte stands.
    pub start: LineColumn,
    /// Where the byte after the last one stands.
    pub end: LineColumn,
}

impl TextRange {
    /// The range of `span` in the text that `index` knows.
    pub fn new(index: &LineIndex<'_>, span: Span) -> Self {
        TextRange {
            span,
            start: index.line_column(span.start),
            end: index.line_column(span.end),
        }
    }
}
