//! Packagist: Composer's order, which is PHP's `version_compare` over a
//! normalised form (`Composer\Semver\VersionParser::normalize`). Branches that
//! are no numbers (`dev-main`) stand below all versions.
//!
//! PHP cannot hold numbers beyond 2⁶³ and takes them all as equal; here they
//! keep their value.

use std::{borrow::Cow, cmp::Ordering};

use crate::{
    Scheme,
    compare::{digits, dotted, is_dotted, is_number, shorter_first, take_digits, valid_first},
    schemes::nuget,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "packagist",
    osv: &["Packagist"],
    purl_types: &["composer"],
    compare: |a, b| {
        // Nearly all are plain, and need no parts.
        if let (Some(a), Some(b)) = (bare(a), bare(b)) {
            return dotted(a, b);
        }
        let (first, second) = (lower_case(a), lower_case(b));
        valid_first((a, parse(&first)), (b, parse(&second)), compare)
    },
    is_valid: |version| parse(&lower_case(version)).is_some(),
    normalise_name: nuget::lower_case,
};

/// One to four numbers alone. Longer first numbers are dates, which are not
/// filled up with zeros.
fn bare(text: &str) -> Option<&str> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let is_bare = is_dotted(text)
        && text.bytes().filter(|byte| *byte == b'.').count() < 4
        && text.bytes().take(6).any(|byte| byte == b'.')
        || text.len() < 6 && is_dotted(text);
    is_bare.then_some(text)
}

/// Branches keep their case, all else has none.
fn lower_case(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) && branch(text).is_none() {
        true => Cow::Owned(text.to_ascii_lowercase()),
        false => Cow::Borrowed(text),
    }
}

enum Version<'a> {
    /// A branch that is no number.
    Branch(&'a str),
    Release(Release<'a>),
}

struct Release<'a> {
    /// Numbers (or `x`) with separators between them.
    numbers: &'a str,
    /// What stands for each number that is not there, up to four.
    fill: Option<&'static str>,
    /// Stability, and the numbers behind it.
    stability: Option<(Rank, &'a str)>,
    is_dev: bool,
}

/// PHP's order of words and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Dev,
    Alpha,
    Beta,
    Candidate,
    End,
    Number,
    Patch,
}

const WORDS: [(&str, Option<Rank>); 9] = [
    ("stable", None),
    ("beta", Some(Rank::Beta)),
    ("b", Some(Rank::Beta)),
    ("rc", Some(Rank::Candidate)),
    ("alpha", Some(Rank::Alpha)),
    ("a", Some(Rank::Alpha)),
    ("patch", Some(Rank::Patch)),
    ("pl", Some(Rank::Patch)),
    ("p", Some(Rank::Patch)),
];

/// A branch by its name.
fn branch(text: &str) -> Option<&str> {
    let is_branch = text
        .get(..4)
        .is_some_and(|head| head.eq_ignore_ascii_case("dev-"));
    match text {
        "master" | "trunk" | "default" => Some(text),
        _ => text.get(4..).filter(|_| is_branch),
    }
}

/// Takes lower case but for branches.
fn parse(text: &str) -> Option<Version<'_>> {
    let text = text
        .split_once(" as ")
        .map_or(text, |(version, _)| version.trim_end());
    let text = match text.rsplit_once('@') {
        Some((version, "stable" | "rc" | "beta" | "alpha" | "dev")) => version,
        _ => text,
    };
    if let Some(branch) = branch(text) {
        return Some(Version::Branch(branch));
    }
    // Build metadata.
    let text = match text.split_once('+') {
        Some((version, build)) if !build.is_empty() => version,
        _ => text,
    };
    let text = text.strip_prefix('v').unwrap_or(text);
    let release = plain(text)
        .or_else(|| dated(text))
        .or_else(|| numeric_branch(text))?;
    Some(Version::Release(release))
}

/// One to four numbers, and what follows them.
fn plain(text: &str) -> Option<Release<'_>> {
    let mut left = text;
    // Longer ones are dates.
    let first = take_digits(&mut left);
    if first.is_empty() || first.len() > 5 {
        return None;
    }
    for _ in 0..3 {
        let Some(mut rest) = left.strip_prefix('.') else {
            break;
        };
        if take_digits(&mut rest).is_empty() {
            break;
        }
        left = rest;
    }
    let numbers = text.get(..text.len() - left.len())?;
    modified(numbers, Some("0"), left)
}

/// `[._-]?((stable|beta|…)((?:[.-]?\d+)*)?)?([.-]?dev)?` to the end.
fn modified<'a>(
    numbers: &'a str,
    fill: Option<&'static str>,
    left: &'a str,
) -> Option<Release<'a>> {
    let mut release = Release {
        numbers,
        fill,
        stability: None,
        is_dev: false,
    };
    // A separator may stand alone, or in front of `dev` together with another.
    let without = left.strip_prefix(['.', '_', '-']).unwrap_or(left);
    let mut left = without;
    let word = WORDS
        .iter()
        .find_map(|(word, rank)| Some((left.strip_prefix(word)?, *rank)));
    let mut is_stable = false;
    if let Some((mut rest, rank)) = word {
        let start = rest;
        loop {
            let mut ahead = rest.strip_prefix(['.', '-']).unwrap_or(rest);
            if take_digits(&mut ahead).is_empty() {
                break;
            }
            rest = ahead;
        }
        let counts = start
            .get(..start.len() - rest.len())?
            .trim_start_matches(['.', '-']);
        is_stable = rank.is_none();
        release.stability = rank.map(|rank| (rank, counts));
        left = rest;
    }
    if let Some(rest) = left
        .strip_prefix(['.', '-'])
        .unwrap_or(left)
        .strip_prefix("dev")
    {
        release.is_dev = !is_stable;
        left = rest;
    }
    left.is_empty().then_some(release)
}

/// A date, and perhaps a time: `20100102`, `2010-01-02-10.20.30`.
fn dated(text: &str) -> Option<Release<'_>> {
    let mut left = text;
    if take_digits(&mut left).len() < 4 {
        return None;
    }
    while let Some(mut rest) = left.strip_prefix(['.', ':', '-']) {
        if take_digits(&mut rest).is_empty() {
            break;
        }
        left = rest;
    }
    modified(text.get(..text.len() - left.len())?, None, left)
}

/// `1.x-dev`: above every release of 1.
fn numeric_branch(text: &str) -> Option<Release<'_>> {
    let name = text.strip_suffix("dev")?;
    let numbers = name.strip_suffix(['.', '-']).unwrap_or(name);
    let numbers = numbers.strip_prefix('v').unwrap_or(numbers);
    let mut parts = numbers.split('.');
    let is_readable = parts.next().is_some_and(is_number)
        && parts.all(|part| is_number(part) || matches!(part, "x" | "*"))
        && numbers.split('.').count() <= 4;
    is_readable.then_some(Release {
        numbers,
        fill: Some(BRANCH),
        stability: None,
        is_dev: true,
    })
}

/// What Composer puts in the place of `x`.
const BRANCH: &str = "9999999";

impl<'a> Release<'a> {
    /// The parts that PHP compares one by one.
    fn parts(&self) -> impl Iterator<Item = (Rank, &'a str)> + use<'a> {
        let separators = ['.', ':', '-'];
        let written = self.numbers.split(separators).count();
        let missing = match self.fill {
            Some(_) => 4usize.saturating_sub(written),
            None => 0,
        };
        let numbers = self.numbers.split(separators).map(|number| match number {
            "x" | "*" => (Rank::Number, BRANCH),
            _ => (Rank::Number, number),
        });
        let fill = std::iter::repeat_n((Rank::Number, self.fill.unwrap_or("0")), missing);
        let (word, counts) = match self.stability {
            Some((rank, counts)) => (Some((rank, "")), counts),
            None => (None, ""),
        };
        let counts = counts.split(separators).filter(|count| !count.is_empty());
        numbers
            .chain(fill)
            .chain(word)
            .chain(counts.map(|count| (Rank::Number, count)))
            .chain(self.is_dev.then_some((Rank::Dev, "")))
            // Marks the end, which has a place among the words.
            .chain(std::iter::once((Rank::End, "")))
    }
}

fn compare(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    match (a, b) {
        (Version::Branch(a), Version::Branch(b)) => a.cmp(b),
        (Version::Branch(_), Version::Release(_)) => Ordering::Less,
        (Version::Release(_), Version::Branch(_)) => Ordering::Greater,
        (Version::Release(a), Version::Release(b)) => {
            shorter_first(a.parts(), b.parts(), |a, b| {
                a.0.cmp(&b.0).then_with(|| digits(a.1, b.1))
            })
        }
    }
}
