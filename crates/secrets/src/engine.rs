//! All detectors made ready: the gate, and their patterns once they are needed.

use std::sync::{LazyLock, OnceLock};

use regex_automata::{Anchored, Input, meta::Regex, util::syntax};
use seawall_model::Confidence;

use crate::{
    Detector, allow,
    assigned::{assignment, speaks_of_a_secret},
    detector::{Candidate, Checked, Shape},
    detectors,
    gate::{Gate, Hit},
    kubernetes,
};

/// All detectors, ready.
pub(crate) struct Engine {
    gate: Gate,
    keywords: Vec<Keyword>,
    detectors: Vec<&'static Detector>,
    /// Compiled when first needed: most runs meet a few of them.
    patterns: Vec<OnceLock<Option<Regex>>>,
    /// Indexes of detectors without keywords, which look at the start of files
    /// of certain names.
    heads: Vec<usize>,
    /// Bytes before a keyword's end that a match may need.
    pub(crate) before: usize,
    /// Bytes behind a keyword's start that a match may need.
    pub(crate) after: usize,
}

struct Keyword {
    length: usize,
    /// Indexes of its detectors.
    detectors: Vec<usize>,
}

/// A secret in the text that was looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    pub(crate) detector: &'static Detector,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) proven: bool,
    pub(crate) note: Option<&'static str>,
}

/// What decides between two that match the same place: whether it is proven, its
/// kind's rank and confidence, and its bytes.
pub(crate) type Worth = (bool, u8, Confidence, usize);

impl Match {
    pub(crate) fn worth(&self) -> Worth {
        let Detector {
            rank, confidence, ..
        } = *self.detector;
        (self.proven, rank, confidence, self.end - self.start)
    }
}

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

pub(crate) fn engine() -> &'static Engine {
    &ENGINE
}

/// A number that changes with the table or this code: what one version makes
/// of a file another need not.
pub fn version() -> u32 {
    /// Raised whenever the code would find other secrets with the same table.
    const CODE: u32 = 3;
    let mut hash = crc32fast::Hasher::new();
    hash.update(&CODE.to_le_bytes());
    for one in detectors::ALL.iter().flat_map(|group| group.iter()) {
        for text in [one.id, one.pattern, &one.entropy.to_string()]
            .iter()
            .chain(one.keywords)
            .chain(one.files)
        {
            hash.update(text.as_bytes());
            hash.update(&[0]);
        }
    }
    hash.finalize()
}

impl Engine {
    fn new() -> Self {
        let all: Vec<&'static Detector> = detectors::ALL
            .iter()
            .flat_map(|group| group.iter())
            .collect();
        let mut words: Vec<&'static str> =
            all.iter().flat_map(|one| one.keywords).copied().collect();
        words.sort_unstable();
        words.dedup();
        let of = |word: &str| {
            let indexes = all.iter().enumerate();
            let own = indexes.filter(|(_, one)| one.keywords.contains(&word));
            own.map(|(index, _)| index).collect()
        };
        let keywords = words.iter().map(|word| Keyword {
            length: word.len(),
            detectors: of(word),
        });
        let lead = all.iter().map(|one| match one.shape {
            Shape::Around(lead) => lead,
            Shape::Code(_) => kubernetes::BACK,
            _ => 64,
        });
        Engine {
            gate: Gate::new(&words),
            keywords: keywords.collect(),
            patterns: all.iter().map(|_| OnceLock::new()).collect(),
            before: lead.max().unwrap_or(0) + 64,
            heads: (0..all.len())
                .filter(|index| all.get(*index).is_some_and(|one| one.keywords.is_empty()))
                .collect(),
            after: all.iter().map(|one| one.reach).max().unwrap_or(0) + 64,
            detectors: all,
        }
    }

    /// Whether the gate could be built.
    #[cfg(test)]
    pub(crate) fn is_whole(&self) -> bool {
        self.gate.is_whole()
    }

    /// Adds every keyword that ends in `text` behind `from`.
    pub(crate) fn hits(&self, text: &[u8], from: usize, hits: &mut Vec<Hit>) {
        self.gate.find(text, from, hits);
    }

    /// The detectors that a keyword belongs to.
    pub(crate) fn detectors_of(&self, hit: Hit) -> impl Iterator<Item = usize> {
        let keyword = self.keywords.get(hit.keyword as usize);
        keyword
            .map_or(&[][..], |keyword| &keyword.detectors)
            .iter()
            .copied()
    }

    /// The detectors that look at the start of a file.
    pub(crate) fn heads(&self) -> impl Iterator<Item = usize> {
        self.heads.iter().copied()
    }

    /// Holds the start of a file against a detector without keywords.
    pub(crate) fn judge_head(&self, index: usize, text: &[u8]) -> Option<Match> {
        let detector = self.detector(index)?;
        let candidate = Candidate {
            text,
            start: 0,
            end: 0,
            limit: text.len().min(detector.reach),
        };
        let (start, end) = self.around(index, &candidate, 0)?;
        self.weigh(
            detector,
            &Candidate {
                start,
                end,
                ..candidate
            },
        )
    }

    pub(crate) fn detector(&self, index: usize) -> Option<&'static Detector> {
        self.detectors.get(index).copied()
    }

    fn pattern(&self, index: usize) -> Option<&Regex> {
        let cell = self.patterns.get(index)?;
        let detector = self.detectors.get(index)?;
        cell.get_or_init(|| compile(detector.pattern)).as_ref()
    }

    /// Holds what stands around a keyword against one of its detectors.
    pub(crate) fn judge(&self, index: usize, text: &[u8], hit: Hit) -> Option<Match> {
        let detector = self.detector(index)?;
        let length = self.keywords.get(hit.keyword as usize)?.length;
        let start = hit.end.checked_sub(length)?;
        let candidate = Candidate {
            text,
            start,
            end: hit.end,
            limit: text.len().min(start + detector.reach),
        };
        let (start, end) = match detector.shape {
            Shape::Token => {
                if !opens(detector, text, start) {
                    return None;
                }
                self.matched(index, &candidate, start)?
            }
            Shape::Assigned => {
                let set = assignment(text, start, hit.end)?;
                if !speaks_of_a_secret(set.name) {
                    return None;
                }
                self.matched(index, &candidate, set.value)?
            }
            Shape::Named => {
                let set = assignment(text, start, hit.end)?;
                self.matched(index, &candidate, set.value)?
            }
            Shape::Around(lead) => self.around(index, &candidate, lead)?,
            Shape::Code(code) => code(&candidate)?,
        };
        self.weigh(
            detector,
            &Candidate {
                start,
                end,
                ..candidate
            },
        )
    }

    /// The secret that starts at `at`.
    fn matched(
        &self,
        index: usize,
        candidate: &Candidate<'_>,
        at: usize,
    ) -> Option<(usize, usize)> {
        let detector = self.detector(index)?;
        let input = Input::new(candidate.text)
            .span(at..candidate.limit.max(at))
            .anchored(Anchored::Yes);
        self.search(index, &input)
            .filter(|(_, _, end)| closes(detector, candidate.text, *end))
            .map(|(start, end, _)| (start, end))
    }

    /// The secret around the keyword.
    fn around(
        &self,
        index: usize,
        candidate: &Candidate<'_>,
        lead: usize,
    ) -> Option<(usize, usize)> {
        let detector = self.detector(index)?;
        let from = candidate.start.saturating_sub(lead);
        let input = Input::new(candidate.text).span(from..candidate.limit);
        let (start, end, whole) = self.search(index, &input)?;
        let is_own =
            opens(detector, candidate.text, start) && closes(detector, candidate.text, whole);
        (is_own && whole > candidate.start).then_some((start, end))
    }

    /// The secret's start and end, and the end of all that matched.
    fn search(&self, index: usize, input: &Input<'_>) -> Option<(usize, usize, usize)> {
        let pattern = self.pattern(index)?;
        let whole = pattern.search(input)?;
        if pattern.captures_len() < 2 {
            return Some((whole.start(), whole.end(), whole.end()));
        }
        let mut captures = pattern.create_captures();
        pattern.search_captures(input, &mut captures);
        let secret = captures.get_group(1)?;
        Some((secret.start, secret.end, whole.end()))
    }

    fn weigh(&self, detector: &'static Detector, candidate: &Candidate<'_>) -> Option<Match> {
        let secret = candidate.secret();
        if secret.is_empty() {
            return None;
        }
        let checked = detector
            .check
            .map_or(Checked::Maybe, |check| check(candidate));
        let (proven, note) = match checked {
            Checked::No => return None,
            Checked::Maybe => (false, None),
            Checked::Proven => (true, None),
            Checked::ProvenBut(note) => (true, Some(note)),
        };
        let is_real =
            proven || (entropy(secret) >= detector.entropy && !allow::is_placeholder(secret));
        is_real.then_some(Match {
            detector,
            start: candidate.start,
            end: candidate.end,
            proven,
            note,
        })
    }
}

/// A pattern over bytes. Tokens are ASCII: without Unicode's classes the
/// automata stay small.
pub(crate) fn compile(pattern: &str) -> Option<Regex> {
    Regex::builder()
        .syntax(
            syntax::Config::new()
                .unicode(false)
                .utf8(false)
                .dot_matches_new_line(false),
        )
        .configure(
            Regex::config()
                .utf8_empty(false)
                .nfa_size_limit(Some(1 << 20)),
        )
        .build(pattern)
        .ok()
}

/// Whether a secret may start at `start`: no letter, digit or other byte of a
/// token before it, but for the letter of an escape (`\nTOKEN`, `%3DTOKEN`).
fn opens(detector: &Detector, text: &[u8], start: usize) -> bool {
    let before = |back: usize| start.checked_sub(back).and_then(|at| text.get(at)).copied();
    let Some(last) = before(1) else { return true };
    if text
        .get(start)
        .is_some_and(|byte| !byte.is_ascii_alphanumeric())
    {
        return true;
    }
    // What sets a name and what parts a path may stand before any secret.
    let is_inside = detector.edge.contains(&last) && !matches!(last, b'=' | b'/');
    if !last.is_ascii_alphanumeric() && !is_inside {
        return true;
    }
    let is_escape = matches!(last, b'n' | b't' | b'r') && before(2) == Some(b'\\');
    let is_percent = last.is_ascii_hexdigit()
        && before(2).is_some_and(|byte| byte.is_ascii_hexdigit())
        && before(3) == Some(b'%');
    is_escape || is_percent
}

/// Whether a secret may end at `end`.
fn closes(detector: &Detector, text: &[u8], end: usize) -> bool {
    let next = text.get(end);
    next.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !detector.edge.contains(byte))
}

/// Shannon entropy, bits a byte.
pub(crate) fn entropy(bytes: &[u8]) -> f32 {
    let mut counts = [0u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = bytes.len() as f32;
    let shares = counts.iter().filter(|count| **count > 0);
    shares
        .map(|count| *count as f32 / total)
        .map(|share| -share * share.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_is_whole_and_every_pattern_compiles() {
        assert!(engine().is_whole());
        for one in detectors::ALL.iter().flat_map(|group| group.iter()) {
            assert!(
                compile(one.pattern).is_some(),
                "{}: {}",
                one.id,
                one.pattern
            );
        }
    }

    #[test]
    fn entropy_is_shannons() {
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b"abab"), 1.0);
        assert_eq!(entropy(b"abcdefgh"), 3.0);
    }
}
