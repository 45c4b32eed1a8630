//! One file on its way past the gate.

use std::collections::HashSet;

use seawall_model::Confidence;
use sha2::{Digest as _, Sha256};

use crate::{
    Detector, Found, Secret,
    engine::{Engine, Match, Worth, engine},
    gate::Hit,
    paths::{ends_in, is_source_of_others},
    place::Place,
    utf16::Utf16,
};

/// Bytes that tell a text from something else.
const HEAD: usize = 1024;
/// Bytes gathered before the gate looks at them.
const BLOCK: usize = 64 << 10;
/// Secrets kept of one file. A file of nothing but secrets is one finding to a
/// reader.
const MOST: usize = 200;

/// Looks for secrets in one file that comes in chunks of any size.
pub struct Scanner {
    engine: &'static Engine,
    path: String,
    /// Whether it is a source of an installed program.
    of_others: bool,
    size: u64,
    state: State,
    /// What has come and may still be needed.
    buffer: Vec<u8>,
    /// Up to here in the buffer the gate has looked.
    gated: usize,
    /// Offset of the buffer's first byte in the text.
    base: u64,
    /// Line and column of the buffer's first byte.
    place: Place,
    hits: Vec<Hit>,
    matches: Vec<Kept>,
    seen: HashSet<[u8; 32]>,
    more: bool,
}

enum State {
    /// Not enough has come to tell what it is.
    Undecided,
    Text,
    Wide(Utf16, usize),
    /// Nothing more is wanted.
    Over,
}

/// A match in the file's own terms.
struct Kept {
    secret: Secret,
    worth: Worth,
    /// Bytes of the text, which is not the file where that is UTF-16.
    from: u64,
    to: u64,
}

impl Scanner {
    /// Starts on the file at `path`, which has `size` bytes.
    pub fn new(path: &str, size: u64) -> Self {
        Scanner {
            engine: engine(),
            path: path.to_owned(),
            of_others: is_source_of_others(path),
            size,
            state: State::Undecided,
            buffer: Vec::new(),
            gated: 0,
            base: 0,
            place: Place::start(false),
            hits: Vec::new(),
            matches: Vec::new(),
            seen: HashSet::new(),
            more: false,
        }
    }

    /// Takes the next bytes. Whether it wants more: it does not of what turns
    /// out to be no text, nor when it has found as much as it keeps.
    pub fn feed(&mut self, bytes: &[u8]) -> bool {
        match &mut self.state {
            State::Over => return false,
            State::Undecided => {
                // The usual file comes whole: nothing of it is copied.
                if self.buffer.is_empty() && bytes.len() as u64 == self.size {
                    self.decide(bytes);
                    if matches!(self.state, State::Text) {
                        self.look(bytes, true);
                        self.state = State::Over;
                        return false;
                    }
                }
                self.buffer.extend_from_slice(bytes);
                let is_undecided = matches!(self.state, State::Undecided);
                if is_undecided && self.buffer.len() < HEAD {
                    return true;
                }
                self.decide_buffered();
            }
            State::Text => self.buffer.extend_from_slice(bytes),
            State::Wide(decoder, _) => decoder.decode(bytes, &mut self.buffer),
        }
        self.advance(false);
        !matches!(self.state, State::Over)
    }

    /// What was found.
    pub fn finish(mut self) -> Found {
        if matches!(self.state, State::Undecided) {
            self.decide_buffered();
        }
        self.advance(true);
        let mut secrets: Vec<Kept> = Vec::new();
        self.matches.sort_by_key(|kept| (kept.from, kept.to));
        for kept in self.matches {
            match secrets.last_mut().filter(|last| last.to > kept.from) {
                Some(last) if last.worth >= kept.worth => {}
                Some(last) => *last = kept,
                None => secrets.push(kept),
            }
        }
        Found {
            secrets: secrets.into_iter().map(|kept| kept.secret).collect(),
            more: self.more,
        }
    }

    fn decide(&mut self, head: &[u8]) {
        let head = head.get(..head.len().min(HEAD)).unwrap_or_default();
        self.state = if let Some((decoder, mark)) = Utf16::recognise(head) {
            self.place = Place::start(true);
            State::Wide(decoder, mark)
        } else if memchr::memchr(0, head).is_none() || self.path.ends_with(".pyc") {
            // Compiled Python holds its strings as they were written.
            State::Text
        } else {
            State::Over
        };
    }

    fn decide_buffered(&mut self) {
        let head = std::mem::take(&mut self.buffer);
        if matches!(self.state, State::Undecided) {
            self.decide(&head);
        }
        match &mut self.state {
            State::Wide(decoder, mark) => {
                let rest = head.get(*mark..).unwrap_or_default();
                decoder.decode(rest, &mut self.buffer);
            }
            _ => self.buffer = head,
        }
    }

    /// Looks at what was gathered, and lets go of what is not needed any more.
    fn advance(&mut self, is_end: bool) {
        let waiting = self.buffer.len().saturating_sub(self.gated);
        let is_due = is_end || waiting >= BLOCK + self.engine.after;
        if !is_due || matches!(self.state, State::Over | State::Undecided) {
            return;
        }
        let buffer = std::mem::take(&mut self.buffer);
        self.look(&buffer, is_end);
        self.buffer = buffer;
        let done = self.gated.saturating_sub(self.engine.before);
        let gone = self.buffer.get(..done).unwrap_or_default();
        self.place = self.place.after(gone);
        self.base += done as u64;
        self.gated -= done;
        self.buffer.drain(..done);
    }

    fn look(&mut self, text: &[u8], is_end: bool) {
        let limit = if is_end {
            text.len()
        } else {
            text.len().saturating_sub(self.engine.after).max(self.gated)
        };
        for found in self.judge(text, limit) {
            self.keep(text, &found);
        }
        self.gated = limit;
    }

    /// What the detectors find by the keywords up to `limit`.
    fn judge(&mut self, text: &[u8], limit: usize) -> Vec<Match> {
        let mut matches = Vec::new();
        let mut hits = std::mem::take(&mut self.hits);
        hits.clear();
        if self.base == 0 && self.gated == 0 {
            for index in self.engine.heads() {
                if self.is_for(index)
                    && let Some(found) = self.engine.judge_head(index, text)
                {
                    matches.push(found);
                }
            }
        }
        let gate = text.get(..limit).unwrap_or_default();
        self.engine.hits(gate, self.gated, &mut hits);
        for hit in &hits {
            for index in self.engine.detectors_of(*hit) {
                if self.is_for(index)
                    && let Some(found) = self.engine.judge(index, text, *hit)
                {
                    matches.push(found);
                }
            }
        }
        self.hits = hits;
        matches
    }

    /// Whether the detector looks at files like this one.
    fn is_for(&self, index: usize) -> bool {
        let detector = self.engine.detector(index);
        // What is no more than likely is less so in other people's programs.
        let is_doubted =
            self.of_others && detector.is_some_and(|one| one.confidence < Confidence::High);
        let files = detector.map_or(&[][..], |one| one.files);
        !is_doubted && (files.is_empty() || files.iter().any(|end| ends_in(&self.path, end)))
    }

    fn keep(&mut self, text: &[u8], found: &Match) {
        let secret = text.get(found.start..found.end).unwrap_or_default();
        let digest = digest(found.detector, secret);
        if self.seen.contains(&digest) {
            return;
        }
        if self.matches.len() >= MOST {
            self.more = true;
            self.state = State::Over;
            return;
        }
        self.seen.insert(digest);
        let start = self
            .place
            .after(text.get(..found.start).unwrap_or_default());
        let end = start.after(secret);
        let (from, to) = (self.base + found.start as u64, self.base + found.end as u64);
        let (offset, length) = match &self.state {
            State::Wide(_, mark) => {
                let units = end.units() - start.units();
                (*mark as u64 + start.units() * 2, units * 2)
            }
            _ => (from, to - from),
        };
        self.matches.push(Kept {
            secret: Secret {
                detector: found.detector,
                offset,
                length,
                start: start.line_column(),
                end: end.line_column(),
                shown: shown(found.detector, secret),
                mark: u16::from_be_bytes([digest[0], digest[1]]),
                note: found.note,
            },
            worth: found.worth(),
            from,
            to,
        });
    }
}

/// All that a detector takes for a secret in a text in memory: as often as it
/// stands there, and whatever else is in the text.
pub(crate) fn every_match(path: &str, text: &[u8]) -> Vec<Match> {
    Scanner::new(path, text.len() as u64).judge(text, text.len())
}

/// A hash of the secret that does not fit other programs' tables.
fn digest(detector: &Detector, secret: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"seawall secret\0");
    hasher.update(detector.id.as_bytes());
    hasher.update(b"\0");
    hasher.update(secret);
    hasher.finalize().into()
}

pub(crate) fn shown(detector: &Detector, secret: &[u8]) -> String {
    // Four of sixteen characters are a kind's mark or nearly so; of a short
    // secret they would be a good part.
    const LEAST: usize = 16;
    let shows = if secret.len() < LEAST {
        0
    } else {
        detector.shows
    };
    let first = secret.iter().take(shows);
    let mut shown: String = first
        .take_while(|byte| byte.is_ascii_graphic() && **byte != b'`')
        .map(|byte| char::from(*byte))
        .collect();
    shown.push('…');
    shown
}
