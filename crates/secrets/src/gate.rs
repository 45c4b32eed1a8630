//! The gate: one automaton over every keyword.

use aho_corasick::{
    Anchored, MatchKind, StartKind,
    automaton::{Automaton, StateID},
    dfa::DFA,
};

/// Finds where keywords end.
pub(crate) struct Gate {
    automaton: Option<DFA>,
    start: StateID,
    /// Bytes before a place that decide what ends there.
    memory: usize,
}

/// A keyword in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    /// Offset behind its last byte.
    pub(crate) end: usize,
    /// Which one.
    pub(crate) keyword: u32,
}

/// Stretches that are walked side by side. Each step of an automaton waits for
/// the one before it; four that do not wait for each other keep the processor
/// busy.
const LANES: usize = 4;
/// Shorter texts are not worth the seams between lanes.
const LEAST: usize = 1024;

impl Gate {
    pub(crate) fn new(keywords: &[&str]) -> Self {
        // The keywords are our own constants; a test holds that they compile.
        let automaton = DFA::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .start_kind(StartKind::Unanchored)
            .prefilter(false)
            .build(keywords)
            .ok();
        let start = automaton
            .as_ref()
            .and_then(|dfa| dfa.start_state(Anchored::No).ok());
        let longest = keywords.iter().map(|word| word.len()).max();
        Gate {
            automaton,
            start: start.unwrap_or_default(),
            memory: longest.unwrap_or(1) - 1,
        }
    }

    /// Whether it could be built.
    #[cfg(test)]
    pub(crate) fn is_whole(&self) -> bool {
        self.automaton.is_some()
    }

    /// Adds every keyword that ends in `text` behind `from`, in order.
    pub(crate) fn find(&self, text: &[u8], from: usize, hits: &mut Vec<Hit>) {
        let Some(dfa) = &self.automaton else { return };
        let length = text.len().saturating_sub(from);
        if length < LEAST {
            self.walk(dfa, text, from, text.len(), hits);
            return;
        }
        let lane = length / LANES;
        let starts: [usize; LANES] = std::array::from_fn(|index| from + index * lane);
        let mut states = starts.map(|start| self.warm(dfa, text, start));
        let parts = starts.map(|start| text.get(start..start + lane).unwrap_or_default());
        let mut found: [Vec<Hit>; LANES] = Default::default();
        let [a, b, c, d] = parts;
        for (at, (((a, b), c), d)) in a.iter().zip(b).zip(c).zip(d).enumerate() {
            let bytes = [*a, *b, *c, *d];
            for (state, byte) in states.iter_mut().zip(bytes) {
                *state = dfa.next_state(Anchored::No, *state, byte);
            }
            let special = states.iter().any(|state| dfa.is_special(*state));
            if special {
                for ((state, start), found) in states.iter().zip(starts).zip(&mut found) {
                    matches(dfa, *state, start + at + 1, found);
                }
            }
        }
        for part in &mut found {
            hits.append(part);
        }
        let rest = from + lane * LANES;
        self.walk(dfa, text, rest, text.len(), hits);
    }

    /// The state before `start`: what came before may be the beginning of a
    /// keyword.
    fn warm(&self, dfa: &DFA, text: &[u8], start: usize) -> StateID {
        let before = text.get(start.saturating_sub(self.memory)..start);
        let step = |state, byte: &u8| dfa.next_state(Anchored::No, state, *byte);
        before.unwrap_or_default().iter().fold(self.start, step)
    }

    fn walk(&self, dfa: &DFA, text: &[u8], from: usize, to: usize, hits: &mut Vec<Hit>) {
        let mut state = self.warm(dfa, text, from);
        for (at, byte) in text.get(from..to).unwrap_or_default().iter().enumerate() {
            state = dfa.next_state(Anchored::No, state, *byte);
            if dfa.is_special(state) {
                matches(dfa, state, from + at + 1, hits);
            }
        }
    }
}

fn matches(dfa: &DFA, state: StateID, end: usize, hits: &mut Vec<Hit>) {
    if !dfa.is_match(state) {
        return;
    }
    for index in 0..dfa.match_len(state) {
        hits.push(Hit {
            end,
            keyword: dfa.match_pattern(state, index).as_u32(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_find_what_one_walk_finds() {
        let gate = Gate::new(&["abc", "bcd", "c", "key"]);
        let mut text = Vec::new();
        let mut number = 1u32;
        for _ in 0..5000 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push(b"abcdkeyABC "[(number >> 24) as usize % 11]);
        }
        for from in [0, 1, 2, 3, 777] {
            let mut lanes = Vec::new();
            gate.find(&text, from, &mut lanes);
            let mut one = Vec::new();
            gate.walk(
                gate.automaton.as_ref().unwrap(),
                &text,
                from,
                text.len(),
                &mut one,
            );
            assert_eq!(lanes, one);
            assert!(lanes.iter().any(|hit| hit.keyword == 3));
            assert!(lanes.iter().all(|hit| hit.end > from));
        }
    }
}
