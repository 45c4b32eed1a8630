//! What registries and files about them say: challenges, credentials, lists,
//! manifests, and the names and addresses in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_registry::{Address, Reference, answers, challenge, credentials};

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    match first % 8 {
        0 => challenges(rest),
        1 => {
            if let Ok(name) = "r.io/team/app".parse::<Reference>() {
                credentials::hostile(rest, name.repository());
            }
        }
        2 => {
            let words = answers::refusal_words(rest);
            assert!(words.chars().count() <= 301);
            assert!(!words.chars().any(char::is_control));
        }
        3 => drop(answers::tags(rest)),
        4 => index(rest),
        5 => drop(answers::about(rest)),
        6 => link(rest),
        _ => reference(rest),
    }
});

/// Whatever is understood says the same when it is written out and read again.
fn challenges(bytes: &[u8]) {
    let fields = bytes.split(|byte| *byte == b'\n');
    let Ok(all) = challenge::parse(fields) else {
        return;
    };
    let mut written = Vec::new();
    for one in &all {
        let mut field = one.scheme.clone();
        if let Some(token) = &one.token {
            field.push_str(&format!(" {token}"));
        }
        for (index, (name, value)) in one.parameters.iter().enumerate() {
            let comma = if index == 0 { " " } else { "," };
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            field.push_str(&format!("{comma}{name}=\"{value}\""));
        }
        written.push(field);
    }
    // Quotes and escapes may make it longer than what is read.
    if let Ok(again) = challenge::parse(written.iter().map(|field| field.as_bytes())) {
        assert_eq!(again, all);
    }
}

/// What is read can be written and read again.
fn index(bytes: &[u8]) {
    let Ok(read) = answers::index(bytes) else {
        return;
    };
    let entries: Vec<_> = read
        .entries
        .iter()
        .map(|digest| format!("{{\"digest\":\"{digest}\"}}"))
        .collect();
    let written = format!("{{\"manifests\":[{}]}}", entries.join(","));
    let again = answers::index(written.as_bytes()).unwrap();
    assert_eq!(again.entries, read.entries);
    assert_eq!(again.foreign, 0);
}

/// Wherever a link leads is an address that means the same when it is read
/// again, and that shows neither query nor password.
fn link(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let base = Address::parse("https://r.example:5000/v2/a/tags/list?n=1").unwrap();
    for target in answers::next_link(text).into_iter().chain([text]) {
        let Ok(next) = base.join(target) else {
            continue;
        };
        let again = Address::parse(&format!("{}{}", next.origin(), next.path())).unwrap();
        assert_eq!(again, next);
        let shown = next.to_string();
        assert!(
            !shown.contains(['?', '@', ' ', '\n']) || next.path().contains('@'),
            "{shown}"
        );
        assert!(!next.host().contains(['@', '/', '?', '#']));
    }
}

/// A name is written as it is read.
fn reference(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(name) = text.parse::<Reference>() {
        assert_eq!(name.to_string().parse(), Ok(name));
    }
}
