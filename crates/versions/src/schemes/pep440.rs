//! Python: PEP 440, appendix B, and the order of `packaging.version`. Strings
//! that it does not allow stand below all that it does, as setuptools once had
//! it.

use std::{borrow::Cow, cmp::Ordering};

use crate::{
    Scheme,
    compare::{
        digits, dotted, is_dotted, is_number, shorter_first, starts_with_digit, take_digits,
        valid_first,
    },
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "pep440",
    osv: &["PyPI", "Echo:PyPI", "Root:PyPI", "Root:Python"],
    purl_types: &["pypi"],
    compare: |a, b| {
        let (first, second) = (lower_case(a), lower_case(b));
        valid_first((a, parse(&first)), (b, parse(&second)), compare)
    },
    is_valid: |version| parse(&lower_case(version)).is_some(),
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

fn lower_case(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(text.to_ascii_lowercase()),
        false => Cow::Borrowed(text),
    }
}

struct Version<'a> {
    epoch: &'a str,
    /// Numbers with dots between them.
    release: &'a str,
    /// Rank of `a`, `b` or `rc`, and its number.
    pre: Option<(u8, &'a str)>,
    post: Option<&'a str>,
    dev: Option<&'a str>,
    /// Identifiers with `.`, `-` or `_` between them.
    local: Option<&'a str>,
}

const PRE: [(&str, u8); 8] = [
    ("alpha", 1),
    ("a", 1),
    ("beta", 2),
    ("b", 2),
    ("preview", 3),
    ("pre", 3),
    ("c", 3),
    ("rc", 3),
];
const POST: [(&str, u8); 3] = [("post", 0), ("rev", 0), ("r", 0)];
const DEV: [(&str, u8); 1] = [("dev", 0)];

/// `[-_.]?word[-_.]?[0-9]*`: which word, and its number.
fn segment<'a>(left: &mut &'a str, words: &[(&str, u8)]) -> Option<(u8, &'a str)> {
    let text = left.strip_prefix(['-', '_', '.']).unwrap_or(left);
    let (mut rest, rank) = words
        .iter()
        .find_map(|(word, rank)| Some((text.strip_prefix(word)?, *rank)))?;
    rest = rest.strip_prefix(['-', '_', '.']).unwrap_or(rest);
    let number = take_digits(&mut rest);
    *left = rest;
    Some((rank, number))
}

/// Takes lower case.
fn parse(text: &str) -> Option<Version<'_>> {
    let mut left = text.strip_prefix('v').unwrap_or(text);
    let mut epoch = "0";
    if let Some((first, rest)) = left.split_once('!') {
        (epoch, left) = (first, rest);
    }
    let end = left
        .bytes()
        .position(|byte| !byte.is_ascii_digit() && byte != b'.');
    let (release, _) = left.split_at_checked(end.unwrap_or(left.len()))?;
    // The dot in front of a word belongs to the word.
    let release = release
        .strip_suffix('.')
        .filter(|_| end.is_some())
        .unwrap_or(release);
    left = left.get(release.len()..)?;
    if !is_number(epoch) || !is_dotted(release) {
        return None;
    }
    let pre = segment(&mut left, &PRE);
    // `1.0-1` is a post-release without its word.
    let post = match left
        .strip_prefix('-')
        .filter(|rest| starts_with_digit(rest))
    {
        Some(mut rest) => {
            let number = take_digits(&mut rest);
            left = rest;
            Some(number)
        }
        None => segment(&mut left, &POST).map(|(_, number)| number),
    };
    let dev = segment(&mut left, &DEV).map(|(_, number)| number);
    let local = left.strip_prefix('+');
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_readable = match local {
        Some(local) => local.split(['-', '_', '.']).all(is_part),
        None => left.is_empty(),
    };
    is_readable.then_some(Version {
        epoch,
        release,
        pre,
        post,
        dev,
        local,
    })
}

fn compare(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    digits(a.epoch, b.epoch)
        .then_with(|| dotted(a.release, b.release))
        .then_with(|| phase(a).cmp(&phase(b)))
        .then_with(|| digits(a.pre.map_or("", |pre| pre.1), b.pre.map_or("", |pre| pre.1)))
        // Without a post-release it comes first, without a dev-release last.
        .then_with(|| match (a.post, b.post) {
            (Some(a), Some(b)) => digits(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
        .then_with(|| match (a.dev, b.dev) {
            (Some(a), Some(b)) => digits(a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        })
        .then_with(|| match (a.local, b.local) {
            (Some(a), Some(b)) => {
                let separators = ['-', '_', '.'];
                shorter_first(a.split(separators), b.split(separators), local_part)
            }
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
}

/// A dev-release of the plain version sorts before its pre-releases.
fn phase(version: &Version<'_>) -> u8 {
    match (version.pre, version.post, version.dev) {
        (Some((rank, _)), _, _) => rank,
        (None, None, Some(_)) => 0,
        (None, _, _) => 4,
    }
}

fn local_part(a: &str, b: &str) -> Ordering {
    match (is_number(a), is_number(b)) {
        (true, true) => digits(a, b),
        (false, false) => a.cmp(b),
        (a, b) => a.cmp(&b),
    }
}
