//! Bytes of any kind past the gate, in chunks of any size: what is found does
//! not hang on the chunks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_secrets::{Scanner, scan};

/// Names at which different detectors look.
const PATHS: [&str; 8] = [
    ".env",
    "Dockerfile",
    "etc/shadow",
    ".npmrc",
    "settings.xml",
    "x.pyc",
    ".pgpass",
    "text",
];

fuzz_target!(|data: &[u8]| {
    let Some(([path, size], text)) = data.split_first_chunk::<2>() else {
        return;
    };
    let path = PATHS[usize::from(*path) % PATHS.len()];
    let whole = scan(path, text);
    let mut scanner = Scanner::new(path, text.len() as u64);
    for chunk in text.chunks(usize::from(*size) + 1) {
        if !scanner.feed(chunk) {
            break;
        }
    }
    let pieces = scanner.finish();
    assert_eq!(whole.secrets.len(), pieces.secrets.len());
    for (one, other) in whole.secrets.iter().zip(&pieces.secrets) {
        assert_eq!(
            (one.detector.id, one.offset, one.length, one.mark),
            (other.detector.id, other.offset, other.length, other.mark)
        );
        assert!(one.shown.chars().count() <= 5);
    }
});
