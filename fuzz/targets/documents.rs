//! Documents of others: bills of materials, package URLs, an engine's answers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_formats::{Content, Format};

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    match first % 5 {
        0 => document(rest),
        1 => drop(
            std::str::from_utf8(rest)
                .ok()
                .and_then(seawall_formats::parse_purl),
        ),
        2 => drop(seawall_formats::vex::read(rest, "")),
        3 => drop(seawall_formats::vex::embedded(rest, "")),
        _ => drop(seawall_engine::parse_response_head(rest)),
    }
});

/// Whatever can be read can be written in every format, and read again.
fn document(bytes: &[u8]) {
    let _ = seawall_formats::is_likely(bytes);
    let Ok(document) = seawall_formats::read(bytes) else {
        return;
    };
    let content = Content {
        target: &document.target,
        packages: &document.packages,
        findings: &[],
        version: "0",
        created: None,
    };
    for format in Format::ALL {
        let text = seawall_formats::write(&content, format).unwrap();
        let back = seawall_formats::read(text.as_bytes()).unwrap();
        assert_eq!(back.packages.len(), document.packages.len(), "{format:?}");
    }
}
