//! Every entry of the table, by its own examples.

use std::collections::HashSet;

use seawall_secrets::{Detector, detectors, expand, rules, scan};

/// A path at which the detector looks.
fn path(detector: &Detector) -> &'static str {
    match detector.files.first() {
        Some(file) if file.ends_with('*') => ".env",
        Some(file) => file,
        None => "src/settings.txt",
    }
}

fn ids(path: &str, text: &str) -> Vec<&'static str> {
    let found = scan(path, text.as_bytes());
    found
        .secrets
        .iter()
        .map(|secret| secret.detector.id)
        .collect()
}

#[test]
fn there_are_as_many_as_were_promised_and_no_id_twice() {
    let all: Vec<&str> = detectors().map(|one| one.id).collect();
    let unique: HashSet<&str> = all.iter().copied().collect();
    assert_eq!(unique.len(), all.len());
    assert!(all.len() >= 150, "{}", all.len());
    for id in all {
        let name = id.strip_prefix("secret/").expect(id);
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
            "{id}"
        );
    }
}

#[test]
fn every_example_is_found_by_its_own_detector_alone() {
    let mut wrong = Vec::new();
    for one in detectors() {
        for example in one.finds {
            let text = expand(example);
            // Alone, in the middle of a line and between others.
            for around in [text.clone(), format!("# before\n{text}\nafter = 1\n")] {
                let found = ids(path(one), &around);
                if found != [one.id] {
                    wrong.push(format!("{}: {found:?} in {around:?}", one.id));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_counter_example_is_found() {
    let mut wrong = Vec::new();
    for one in detectors() {
        assert!(
            !one.finds.is_empty() && !one.passes.is_empty(),
            "{}",
            one.id
        );
        for example in one.passes {
            let text = expand(example);
            if ids(path(one), &text).contains(&one.id) {
                wrong.push(format!("{}: {text:?}", one.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_keyword_is_lower_case_and_stands_in_an_example() {
    for one in detectors() {
        for word in one.keywords {
            assert_eq!(word.to_ascii_lowercase(), *word, "{}", one.id);
            assert!(word.len() >= 2, "{}: `{word}`", one.id);
        }
        let texts: String = one
            .finds
            .iter()
            .map(|text| expand(text).to_ascii_lowercase())
            .collect();
        assert!(
            one.keywords.is_empty() || one.keywords.iter().any(|word| texts.contains(word)),
            "{}",
            one.id
        );
    }
}

#[test]
fn a_page_never_shows_its_example_whole() {
    for (rule, one) in rules().map(|rule| (rule, seawall_secrets::detector(rule.id).unwrap())) {
        assert!(std::ptr::eq(rule, seawall_secrets::rule(rule.id).unwrap()));
        let text = expand(one.finds[0]);
        let found = scan(path(one), text.as_bytes());
        let secret = &found.secrets[0];
        let (start, end) = (
            secret.offset as usize,
            (secret.offset + secret.length) as usize,
        );
        let whole = text.get(start..end).unwrap();
        assert!(!rule.doc.contains(whole), "{}", rule.id);
        assert!(rule.doc.contains("## What to do"), "{}", rule.id);
        assert!(
            secret.shown.ends_with('…') && secret.shown.chars().count() <= 5,
            "{}",
            rule.id
        );
    }
}
