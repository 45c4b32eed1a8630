//! Finds secrets in bytes that stream by.
//!
//! One automaton over all keywords looks at every byte; what stands around a
//! keyword is held against the detectors that it belongs to, inside a bounded
//! window. Memory is bounded by the largest window, whatever a file's size or
//! the length of its lines.
//!
//! A secret never leaves this crate: a [`Secret`] has its place, its first
//! characters where its kind allows that, and a mark that tells it from others
//! without giving it away.

mod allow;
mod assigned;
mod base64;
mod checks;
mod der;
mod detector;
mod engine;
mod example;
mod found;
mod gate;
mod kubernetes;
mod paths;
mod pem;
mod place;
mod redact;
mod rules;
mod scanner;
mod urls;
mod utf16;

mod detectors {
    include!(concat!(env!("OUT_DIR"), "/detectors.rs"));
}

pub use detector::Detector;
pub use engine::version;
pub use example::expand;
pub use found::{Found, Secret};
pub use paths::wants;
pub use redact::redact;
pub use rules::{rule, rules};
pub use scanner::Scanner;

/// Every detector, by group.
pub fn detectors() -> impl Iterator<Item = &'static Detector> {
    detectors::ALL.iter().flat_map(|group| group.iter())
}

/// The detector with this id.
pub fn detector(id: &str) -> Option<&'static Detector> {
    detectors().find(|one| one.id == id)
}

/// The secrets in a text that lies in memory, as if it were the file at `path`.
pub fn scan(path: &str, text: &[u8]) -> Found {
    let mut scanner = Scanner::new(path, text.len() as u64);
    scanner.feed(text);
    scanner.finish()
}
