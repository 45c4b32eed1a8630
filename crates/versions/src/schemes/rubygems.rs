//! RubyGems: `Gem::Version` (`lib/rubygems/version.rb`).

use std::cmp::Ordering;

use crate::{
    Scheme,
    compare::{digits, starts_with_digit, take_digits, take_while, valid_first},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "rubygems",
    osv: &["RubyGems"],
    purl_types: &["gem"],
    compare: |a, b| valid_first((a, parse(a)), (b, parse(b)), |a, b| compare(a, b)),
    is_valid: |version| parse(version).is_some(),
    normalise_name: same_name,
};

/// `Gem::Version::ANCHORED_VERSION_PATTERN`; nothing at all counts as `0`.
fn parse(text: &str) -> Option<&str> {
    let text = text.trim_ascii();
    let (release, pre) = match text.split_once('-') {
        Some((release, pre)) => (release, Some(pre)),
        None => (text, None),
    };
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_pre = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let mut parts = release.split('.');
    let first = parts.next().unwrap_or("");
    let is_readable = !first.is_empty()
        && first.bytes().all(|byte| byte.is_ascii_digit())
        && parts.all(is_part)
        && pre.is_none_or(|pre| pre.split('.').all(is_pre));
    (is_readable || text.is_empty()).then_some(text)
}

/// Numbers and words in turn; a dash reads as the word `pre`. Zeros that come
/// before the first word or the end are dropped (`canonical_segments`).
struct Segments<'a> {
    left: &'a str,
    /// Zeros that count only if a number other than zero follows them.
    zeros: usize,
    /// The number that follows them.
    next: Option<&'a str>,
    is_behind_word: bool,
}

impl<'a> Segments<'a> {
    fn new(left: &'a str) -> Self {
        Segments {
            left,
            zeros: 0,
            next: None,
            is_behind_word: false,
        }
    }

    fn run(&mut self) -> Option<&'a str> {
        loop {
            if let Some(rest) = self.left.strip_prefix('-') {
                self.left = rest;
                return Some("pre");
            }
            let run = match starts_with_digit(self.left) {
                true => take_digits(&mut self.left),
                false => take_while(&mut self.left, |byte| byte.is_ascii_alphabetic()),
            };
            if !run.is_empty() {
                return Some(run);
            }
            // A dot, or the end.
            self.left = self.left.strip_prefix('.')?;
        }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.zeros > 0 && self.next.is_some() {
            self.zeros -= 1;
            return Some("0");
        }
        if let Some(next) = self.next.take() {
            return Some(next);
        }
        while let Some(run) = self.run() {
            if !starts_with_digit(run) {
                if !self.is_behind_word {
                    self.zeros = 0;
                    self.is_behind_word = true;
                }
            } else if run.bytes().all(|byte| byte == b'0') {
                self.zeros += 1;
                continue;
            }
            if self.zeros == 0 {
                return Some(run);
            }
            self.zeros -= 1;
            self.next = Some(run);
            return Some("0");
        }
        None
    }
}

fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (Segments::new(a), Segments::new(b));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => {
                // What is not there counts as zero, and a word sorts below any
                // number.
                let (a, b) = (a.unwrap_or("0"), b.unwrap_or("0"));
                match (starts_with_digit(a), starts_with_digit(b)) {
                    (true, true) => digits(a, b),
                    (false, false) => a.cmp(b),
                    (a, b) => a.cmp(&b),
                }
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}
