//! Documents of others: bills of materials, package URLs, an engine's answers.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    match first % 3 {
        0 => drop(seawall_formats::read(rest)),
        1 => drop(
            std::str::from_utf8(rest)
                .ok()
                .and_then(seawall_formats::parse_purl),
        ),
        _ => drop(seawall_engine::parse_response_head(rest)),
    }
});
