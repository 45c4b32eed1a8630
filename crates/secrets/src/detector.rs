//! One kind of secret: an entry of the table.

use seawall_model::{Confidence, Severity};

/// How the secret stands beside the keyword.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// It starts with the keyword.
    Token,
    /// The keyword stands in a name that it is given to: `ACME_KEY=…`,
    /// `"acme": "…"`, `acmeToken := "…"`. The name must speak of a secret.
    Assigned,
    /// The same, whatever else the name says.
    Named,
    /// The match may start this many bytes before the keyword.
    Around(usize),
    /// Code looks at what follows the keyword.
    Code(fn(&Candidate<'_>) -> Option<(usize, usize)>),
}

/// A place where a secret may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    /// The text around.
    pub(crate) text: &'a [u8],
    /// Where the keyword starts, later where the secret does.
    pub(crate) start: usize,
    /// Where the keyword ends, later where the secret does.
    pub(crate) end: usize,
    /// No match may go beyond this.
    pub(crate) limit: usize,
}

impl<'a> Candidate<'a> {
    /// The secret.
    pub(crate) fn secret(&self) -> &'a [u8] {
        self.text.get(self.start..self.end).unwrap_or_default()
    }
}

/// What a check says of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    /// It is none.
    No,
    /// It may be one.
    Maybe,
    /// Its own redundancy (a checksum, a signature's form, a key that decodes)
    /// proves that it is one.
    Proven,
    /// The same, with a word on it.
    ProvenBut(&'static str),
}

/// Looks at a candidate more closely than its pattern can.
pub(crate) type Check = fn(&Candidate<'_>) -> Checked;

/// One kind of secret.
#[derive(Debug)]
pub struct Detector {
    /// `secret/kebab-name`.
    pub id: &'static str,
    /// What it finds, lower case but for names, no full stop.
    pub summary: &'static str,
    /// How bad its loss is.
    pub severity: Severity,
    /// How sure a match is to be a secret.
    pub confidence: Confidence,
    /// Lower-case words, one of which stands in every match.
    pub keywords: &'static [&'static str],
    /// The same detector in other tools.
    pub aliases: &'static [&'static str],
    /// Where the format is described.
    pub references: &'static [&'static str],
    /// Texts that hold exactly one secret, of this kind (see [`crate::expand`]).
    pub finds: &'static [&'static str],
    /// Texts that hold none.
    pub passes: &'static [&'static str],
    /// Ends of paths that it looks at; everywhere without.
    pub files: &'static [&'static str],
    pub(crate) shape: Shape,
    /// The secret as a regular expression over bytes; its first group, if it
    /// has one, is the secret proper.
    pub(crate) pattern: &'static str,
    /// Bytes from the keyword's start to the end of the longest match.
    pub(crate) reach: usize,
    /// Bytes beside letters and digits that cannot stand next to the secret:
    /// they would be a part of it.
    pub(crate) edge: &'static [u8],
    /// Least Shannon entropy of the secret, bits a byte.
    pub(crate) entropy: f32,
    pub(crate) check: Option<Check>,
    /// How many of the secret's first characters may be shown.
    pub(crate) shows: usize,
    /// Higher ones win where two match the same place.
    pub(crate) rank: u8,
}

const fn detector(
    id: &'static str,
    summary: &'static str,
    keywords: &'static [&'static str],
    pattern: &'static str,
) -> Detector {
    Detector {
        id,
        summary,
        severity: Severity::High,
        confidence: Confidence::High,
        keywords,
        aliases: &[],
        references: &[],
        finds: &[],
        passes: &[],
        files: &[],
        shape: Shape::Token,
        pattern,
        reach: 512,
        edge: b"_",
        entropy: 2.5,
        check: None,
        shows: 4,
        rank: 2,
    }
}

/// A token that starts with one of its keywords.
pub(crate) const fn token(
    id: &'static str,
    summary: &'static str,
    keywords: &'static [&'static str],
    pattern: &'static str,
) -> Detector {
    detector(id, summary, keywords, pattern)
}

/// A secret without a mark of its own, known by the name that it is given to.
pub(crate) const fn assigned(
    id: &'static str,
    summary: &'static str,
    keywords: &'static [&'static str],
    pattern: &'static str,
) -> Detector {
    Detector {
        shape: Shape::Assigned,
        confidence: Confidence::Medium,
        entropy: 3.0,
        rank: 1,
        ..detector(id, summary, keywords, pattern)
    }
}

/// The value of a setting that is named by its keyword.
pub(crate) const fn named(
    id: &'static str,
    summary: &'static str,
    keywords: &'static [&'static str],
    pattern: &'static str,
) -> Detector {
    Detector {
        shape: Shape::Named,
        rank: 1,
        ..detector(id, summary, keywords, pattern)
    }
}

/// A secret that may start up to `lead` bytes before its keyword.
pub(crate) const fn around(
    id: &'static str,
    summary: &'static str,
    keywords: &'static [&'static str],
    lead: usize,
    pattern: &'static str,
) -> Detector {
    Detector {
        shape: Shape::Around(lead),
        ..detector(id, summary, keywords, pattern)
    }
}

/// A secret that code finds behind its keyword.
pub(crate) const fn coded(
    id: &'static str,
    summary: &'static str,
    keywords: &'static [&'static str],
    code: fn(&Candidate<'_>) -> Option<(usize, usize)>,
) -> Detector {
    Detector {
        shape: Shape::Code(code),
        ..detector(id, summary, keywords, "")
    }
}

impl Detector {
    pub(crate) const fn critical(self) -> Self {
        Detector {
            severity: Severity::Critical,
            ..self
        }
    }

    pub(crate) const fn medium(self) -> Self {
        Detector {
            severity: Severity::Medium,
            ..self
        }
    }

    pub(crate) const fn low(self) -> Self {
        Detector {
            severity: Severity::Low,
            ..self
        }
    }

    /// Matches may be something else.
    pub(crate) const fn likely(self) -> Self {
        Detector {
            confidence: Confidence::Medium,
            ..self
        }
    }

    /// Matches are a guess.
    pub(crate) const fn guess(self) -> Self {
        Detector {
            confidence: Confidence::Low,
            rank: 0,
            ..self
        }
    }

    /// More specific than what else may match here.
    pub(crate) const fn first(self) -> Self {
        Detector { rank: 3, ..self }
    }

    /// Less specific than what else may match here.
    pub(crate) const fn last(self) -> Self {
        Detector { rank: 0, ..self }
    }

    pub(crate) const fn reach(self, reach: usize) -> Self {
        Detector { reach, ..self }
    }

    /// A token of the URL-safe base64 alphabet.
    pub(crate) const fn url_safe(self) -> Self {
        Detector {
            edge: b"_-",
            ..self
        }
    }

    pub(crate) const fn edge(self, edge: &'static [u8]) -> Self {
        Detector { edge, ..self }
    }

    pub(crate) const fn entropy(self, entropy: f32) -> Self {
        Detector { entropy, ..self }
    }

    pub(crate) const fn check(self, check: Check) -> Self {
        Detector {
            check: Some(check),
            ..self
        }
    }

    /// A secret that people make up: nothing of it is shown, and it need not
    /// look random.
    pub(crate) const fn password(self) -> Self {
        Detector {
            shows: 0,
            entropy: 1.5,
            confidence: Confidence::Medium,
            ..self
        }
    }

    pub(crate) const fn files(self, files: &'static [&'static str]) -> Self {
        Detector { files, ..self }
    }

    pub(crate) const fn also(self, aliases: &'static [&'static str]) -> Self {
        Detector { aliases, ..self }
    }

    pub(crate) const fn see(self, references: &'static [&'static str]) -> Self {
        Detector { references, ..self }
    }

    pub(crate) const fn finds(self, finds: &'static [&'static str]) -> Self {
        Detector { finds, ..self }
    }

    pub(crate) const fn passes(self, passes: &'static [&'static str]) -> Self {
        Detector { passes, ..self }
    }
}
