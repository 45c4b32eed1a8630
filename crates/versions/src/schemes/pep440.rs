//! Python: PEP 440, with the strings that it does not allow below all that it
//! does (as setuptools had it).

use std::{borrow::Cow, cmp::Ordering};

use crate::{
    Scheme,
    compare::{digits, is_number, take_while, valid_first},
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "pep440",
    osv: &["PyPI"],
    purl_types: &["pypi"],
    compare: |a, b| {
        let (first, second) = (a.trim().to_ascii_lowercase(), b.trim().to_ascii_lowercase());
        valid_first((a, parse(&first)), (b, parse(&second)), compare_parsed)
    },
    is_valid: |version| parse(&version.trim().to_ascii_lowercase()).is_some(),
    normalise_name,
};

/// PEP 503: lower case, runs of `-`, `_` and `.` as one dash.
fn normalise_name(name: &str) -> Cow<'_, str> {
    let is_normal = name
        .bytes()
        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !name.contains("--");
    if is_normal {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            _ => out.extend(letter.to_lowercase()),
        }
    }
    Cow::Owned(out)
}

struct Version<'a> {
    epoch: &'a str,
    release: Vec<&'a str>,
    /// `a`, `b` or `rc` with its number.
    pre: Option<(u8, &'a str)>,
    post: Option<&'a str>,
    dev: Option<&'a str>,
    local: Option<Vec<&'a str>>,
}

fn separator(left: &mut &str) -> bool {
    match left.strip_prefix(['-', '_', '.']) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    }
}

fn word<'w>(left: &mut &str, words: &[&'w str]) -> Option<&'w str> {
    let found = words.iter().find(|word| left.starts_with(**word))?;
    *left = left.get(found.len()..)?;
    Some(found)
}

fn number<'a>(left: &mut &'a str) -> &'a str {
    let before = *left;
    separator(left);
    let digits = take_while(left, |letter| letter.is_ascii_digit());
    if digits.is_empty() {
        *left = before;
    }
    digits
}

/// Appendix B of PEP 440.
fn parse(text: &str) -> Option<Version<'_>> {
    let mut left = text.strip_prefix('v').unwrap_or(text);
    let mut epoch = "0";
    if let Some((first, rest)) = left.split_once('!') {
        (epoch, left) = (first, rest);
        if !is_number(epoch) {
            return None;
        }
    }
    let digit = |letter: char| letter.is_ascii_digit();
    let mut release = vec![take_while(&mut left, digit)];
    while let Some(rest) = left
        .strip_prefix('.')
        .filter(|rest| rest.starts_with(digit))
    {
        left = rest;
        release.push(take_while(&mut left, digit));
    }
    if release.first().is_none_or(|first| first.is_empty()) {
        return None;
    }
    let mut version = Version {
        epoch,
        release,
        pre: None,
        post: None,
        dev: None,
        local: None,
    };
    let before = left;
    separator(&mut left);
    match word(
        &mut left,
        &["alpha", "a", "beta", "b", "preview", "pre", "rc", "c"],
    ) {
        Some(found) => {
            let rank = match found {
                "alpha" | "a" => 0,
                "beta" | "b" => 1,
                _ => 2,
            };
            version.pre = Some((rank, number(&mut left)));
        }
        None => left = before,
    }
    let before = left;
    // `1.0-1` is a post-release without its word.
    if let Some(rest) = left
        .strip_prefix('-')
        .filter(|rest| rest.starts_with(digit))
    {
        left = rest;
        version.post = Some(take_while(&mut left, digit));
    } else {
        separator(&mut left);
        match word(&mut left, &["post", "rev", "r"]) {
            Some(_) => version.post = Some(number(&mut left)),
            None => left = before,
        }
    }
    let before = left;
    separator(&mut left);
    match word(&mut left, &["dev"]) {
        Some(_) => version.dev = Some(number(&mut left)),
        None => left = before,
    }
    if let Some(local) = left.strip_prefix('+') {
        let parts: Vec<&str> = local.split(['-', '_', '.']).collect();
        let is_part =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !parts.iter().all(|part| is_part(part)) {
            return None;
        }
        version.local = Some(parts);
        left = "";
    }
    left.is_empty().then_some(version)
}

fn compare_parsed(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    digits(a.epoch, b.epoch)
        .then_with(|| release(&a.release, &b.release))
        .then_with(|| pre_key(a).cmp(&pre_key(b)))
        .then_with(|| match (a.pre, b.pre) {
            (Some(a), Some(b)) => digits(a.1, b.1),
            _ => Ordering::Equal,
        })
        // Without a post-release it comes first, without a dev-release last.
        .then_with(|| match (a.post, b.post) {
            (Some(a), Some(b)) => digits(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
        .then_with(|| match (a.dev, b.dev) {
            (Some(a), Some(b)) => digits(a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        })
        .then_with(|| local(a.local.as_deref(), b.local.as_deref()))
}

/// A dev-release of the plain version sorts before its pre-releases.
fn pre_key(version: &Version<'_>) -> u8 {
    match (version.pre, version.post, version.dev) {
        (None, None, Some(_)) => 0,
        (Some((rank, _)), _, _) => 1 + rank,
        (None, _, _) => 4,
    }
}

fn release(a: &[&str], b: &[&str]) -> Ordering {
    (0..a.len().max(b.len()))
        .map(|index| digits(a.get(index).unwrap_or(&""), b.get(index).unwrap_or(&"")))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn local(a: Option<&[&str]>, b: Option<&[&str]>) -> Ordering {
    let (Some(a), Some(b)) = (a, b) else {
        return a.is_some().cmp(&b.is_some());
    };
    for (a, b) in a.iter().zip(b) {
        let order = match (is_number(a), is_number(b)) {
            (true, true) => digits(a, b),
            (false, false) => a.cmp(b),
            (a, b) => a.cmp(&b),
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}
