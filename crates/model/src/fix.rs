//! How a finding is mended.

use crate::Span;

/// How a finding is mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// One line, imperative: "upgrade `musl` to 1.1.22-r4".
    pub title: String,
    /// Who may apply it.
    pub applicability: Applicability,
    /// What to do.
    pub remedy: Remedy,
}

/// Who may apply a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applicability {
    /// For reading only.
    DisplayOnly,
    /// May change what the program does: asked for explicitly.
    Unsafe,
    /// Keeps the meaning.
    Safe,
}

impl Applicability {
    /// The name used in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Applicability::DisplayOnly => "display-only",
            Applicability::Unsafe => "unsafe",
            Applicability::Safe => "safe",
        }
    }
}

/// What a fix does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Sorted, non-overlapping byte edits of the finding's file.
    Edits(Vec<Edit>),
    /// A version of the package to move to.
    Upgrade {
        /// The version.
        version: String,
    },
    /// A command to run.
    Command(Vec<String>),
}

/// One replacement of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// What comes in its place.
    pub text: String,
}
