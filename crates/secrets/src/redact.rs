//! Texts that are shown, without the secrets in them.

use std::collections::HashMap;

use aho_corasick::AhoCorasick;

use crate::{
    engine::Match,
    scanner::{every_match, shown},
};

/// The text with every secret in it replaced by what may be shown of it.
///
/// More is hidden than a scan reports: every place where a secret's bytes
/// stand, however many, and all that any detector takes for one.
pub fn redact(path: &str, text: &str) -> String {
    let bytes = text.as_bytes();
    let matches = every_match(path, bytes);
    if matches.is_empty() {
        return text.to_owned();
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for (start, end, secret) in hidden(bytes, &matches) {
        out.extend_from_slice(bytes.get(from..start).unwrap_or_default());
        let own = bytes.get(secret.start..secret.end).unwrap_or_default();
        out.extend_from_slice(shown(secret.detector, own).as_bytes());
        from = end;
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    // A secret may end inside a character: the rest of that is no text.
    String::from_utf8_lossy(&out).into_owned()
}

/// Stretches to hide, in order and apart from each other, each with the match
/// that says most of it.
fn hidden<'a>(text: &[u8], matches: &'a [Match]) -> Vec<(usize, usize, &'a Match)> {
    let mut by_secret: HashMap<&[u8], &Match> = HashMap::new();
    for found in matches {
        let secret = text.get(found.start..found.end).unwrap_or_default();
        let best = by_secret.entry(secret).or_insert(found);
        if found.worth() > best.worth() {
            *best = found;
        }
    }
    let (secrets, best): (Vec<&[u8]>, Vec<&Match>) = by_secret.into_iter().unzip();
    let mut places: Vec<_> = matches
        .iter()
        .map(|one| (one.start, one.end, one))
        .collect();
    if let Ok(automaton) = AhoCorasick::new(secrets) {
        for place in automaton.find_overlapping_iter(text) {
            if let Some(secret) = best.get(place.pattern().as_usize()) {
                places.push((place.start(), place.end(), secret));
            }
        }
    }
    places.sort_by_key(|(start, end, _)| (*start, *end));
    let mut apart: Vec<(usize, usize, &Match)> = Vec::new();
    for (start, end, secret) in places {
        match apart.last_mut().filter(|(_, last, _)| *last > start) {
            Some((_, last, best)) => {
                *last = end.max(*last);
                if secret.worth() > best.worth() {
                    *best = secret;
                }
            }
            None => apart.push((start, end, secret)),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expand;

    fn token(number: u32) -> String {
        let text = expand(&format!("{number} ghp_<crc:30>"));
        text.split_once(' ').unwrap().1.to_owned()
    }

    #[test]
    fn every_occurrence_is_hidden() {
        let one = token(1);
        let text = format!("RUN curl -H 'token {one}' a && b{one}c; echo {one}");
        let safe = redact("Dockerfile", &text);
        assert_eq!(safe, "RUN curl -H 'token ghp_…' a && bghp_…c; echo ghp_…");
    }

    #[test]
    fn more_secrets_than_a_scan_keeps_are_hidden() {
        let all: Vec<String> = (0..250).map(token).collect();
        let safe = redact("Dockerfile", &all.join(" "));
        assert_eq!(safe, ["ghp_…"; 250].join(" "));
    }

    #[test]
    fn a_nul_hides_nothing_from_it() {
        let one = token(1);
        assert_eq!(redact("Dockerfile", &format!("\0 {one}")), "\0 ghp_…");
    }

    #[test]
    fn all_of_a_secret_around_another_is_hidden() {
        let (one, rest) = (token(1), expand("<b62:20>"));
        let text = format!("DB_PASSWORD={rest}-{one}-{rest}");
        let safe = redact(".env", &text);
        assert!(!safe.contains(&rest), "{safe}");
        assert_eq!(safe, "DB_PASSWORD=ghp_…");
    }

    #[test]
    fn what_holds_none_stays_as_it_is() {
        assert_eq!(redact("Dockerfile", "RUN make \u{e9}"), "RUN make \u{e9}");
    }
}
