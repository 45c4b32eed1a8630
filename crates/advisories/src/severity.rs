//! How bad a flaw is, in whose word.
//!
//! The vendor knows how its build is affected, the ecosystem how its package
//! is, a CVSS score only how the flaw would be in the worst place: so they are
//! asked in that order, and all their words are kept.

use std::str::FromStr;

use seawall_model::{Cvss, Severity, SeverityOpinion};

/// The severity that a publisher's word stands for; `None` for a word that
/// judges nothing (`unknown`, Debian's `not yet assigned`).
pub(crate) fn word(word: &str) -> Option<Severity> {
    let word = word.trim();
    let is = |known: &str| word.eq_ignore_ascii_case(known);
    let any = |known: &[&str]| known.iter().any(|known| is(known));
    if is("critical") {
        Some(Severity::Critical)
    } else if any(&["important", "high", "urgent"]) {
        Some(Severity::High)
    } else if any(&["moderate", "medium"]) {
        Some(Severity::Medium)
    } else if any(&["low", "negligible", "unimportant", "minor"]) {
        Some(Severity::Low)
    } else {
        None
    }
}

/// A vector with its score; `None` when it is not valid CVSS.
pub(crate) fn scored(source: &str, vector: &str) -> Option<Cvss> {
    // The longest valid vector, with every metric of CVSS 4.0, has 270 bytes.
    let vector = vector.trim();
    let parsed = cvss::Cvss::from_str(vector)
        .ok()
        .filter(|_| vector.len() < 1000 && is_complete(vector))?;
    Some(Cvss {
        vector: vector.to_owned(),
        score: parsed.score(),
        source: source.to_owned(),
    })
}

/// Whether a vector has all that a base score is made of. The crate asks this
/// of versions 2 and 4, but gives 0 to `CVSS:3.1/AV:N`, which would be low.
fn is_complete(vector: &str) -> bool {
    const BASE: &[&str] = &["AV:", "AC:", "PR:", "UI:", "S:", "C:", "I:", "A:"];
    let has = |metric: &&str| vector.split('/').any(|part| part.starts_with(metric));
    !vector.starts_with("CVSS:3") || BASE.iter().all(has)
}

/// The qualitative rating of a base score (CVSS 3.1, section 5; 4.0, section
/// 6; version 2 has no word for the highest, NVD rates it the same way).
fn rating(vector: &Cvss) -> Severity {
    let critical = vector.vector.starts_with("CVSS:");
    match vector.score {
        score if score >= 9.0 && critical => Severity::Critical,
        score if score >= 7.0 => Severity::High,
        score if score >= 4.0 => Severity::Medium,
        _ => Severity::Low,
    }
}

/// Newest version of CVSS first.
fn version_rank(vector: &Cvss) -> u8 {
    const NEWEST_FIRST: &[&str] = &["CVSS:4", "CVSS:3.1", "CVSS:3"];
    let rank = NEWEST_FIRST
        .iter()
        .position(|prefix| vector.vector.starts_with(prefix));
    u8::try_from(rank.unwrap_or(NEWEST_FIRST.len())).unwrap_or(u8::MAX)
}

/// Collects words and vectors in the order in which they count.
#[derive(Debug, Default)]
pub(crate) struct Opinions {
    words: Vec<SeverityOpinion>,
    vectors: Vec<Cvss>,
}

impl Opinions {
    /// Adds a publisher's word, if it judges.
    pub(crate) fn add_word(&mut self, source: String, text: &str) {
        if let Some(severity) = word(text) {
            let opinion = SeverityOpinion { source, severity };
            if !self.words.contains(&opinion) {
                self.words.push(opinion);
            }
        }
    }

    /// Adds the vectors of one party. Those added before count for more;
    /// among these the newest version of CVSS does.
    pub(crate) fn add_vectors<'v>(&mut self, vectors: impl Iterator<Item = (&'v str, &'v str)>) {
        let mut new: Vec<Cvss> = vectors
            .filter_map(|(source, vector)| scored(source, vector))
            .collect();
        new.sort_by_key(version_rank);
        for vector in new {
            let known = |old: &Cvss| old.vector == vector.vector && old.source == vector.source;
            if !self.vectors.iter().any(known) {
                self.vectors.push(vector);
            }
        }
    }

    /// All opinions, the first of which counts, and the vectors.
    pub(crate) fn finish(self) -> (Vec<SeverityOpinion>, Vec<Cvss>) {
        let mut opinions = self.words;
        opinions.extend(self.vectors.iter().map(|vector| SeverityOpinion {
            source: format!("cvss:{}", vector.source),
            severity: rating(vector),
        }));
        (opinions, self.vectors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_publishers() {
        for (text, expected) in [
            ("Important", Some(Severity::High)),
            ("moderate", Some(Severity::Medium)),
            ("negligible", Some(Severity::Low)),
            ("not yet assigned", None),
            ("", None),
        ] {
            assert_eq!(word(text), expected, "{text}");
        }
    }

    #[test]
    fn vectors_of_every_version_are_scored() {
        let score = |vector| scored("x", vector).map(|it| (it.score, rating(&it)));
        assert_eq!(
            score("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
            Some((9.8, Severity::Critical))
        );
        assert_eq!(
            score("CVSS:3.0/AV:L/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"),
            Some((7.4, Severity::High))
        );
        assert_eq!(
            score("AV:N/AC:L/Au:N/C:C/I:C/A:C"),
            Some((10.0, Severity::High))
        );
        assert_eq!(
            score("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"),
            Some((9.3, Severity::Critical))
        );
        for bad in [
            "",
            "CVSS:3.1",
            "CVSS:9.9/AV:N",
            "CVSS:3.1/AV:Q/AC:L",
            "CVSS:3.1/AV:N",
            "CVSS:3.0/AV:L/AC:H/PR:N/UI:N/S:U/C:H/I:H",
            "AV:N/AC:L/Au:N",
            "CVSS:4.0/AV:N/AC:L/AT:N",
            "nonsense/x:y",
        ] {
            assert_eq!(score(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_vendor_comes_before_the_score_and_the_newer_score_before_the_older() {
        let mut opinions = Opinions::default();
        opinions.add_vectors(
            [
                ("A", "CVSS:3.0/AV:L/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"),
                ("A", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
            ]
            .into_iter(),
        );
        opinions.add_word("vendor:AlmaLinux".to_owned(), "low");
        let (opinions, vectors) = opinions.finish();
        assert_eq!(opinions[0].severity, Severity::Low);
        assert_eq!(vectors[0].score, 9.8);
        assert_eq!(opinions.len(), 3);
    }
}
