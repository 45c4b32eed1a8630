//! Packagist: Composer's order, which is PHP's `version_compare` over a
//! normalised form; branches (`dev-main`) sort below all releases.

use std::{borrow::Cow, cmp::Ordering};

use crate::{
    Scheme,
    compare::{digits, is_number, valid_first},
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "packagist",
    osv: &["Packagist"],
    purl_types: &["composer"],
    compare: |a, b| valid_first((a, parse(a)), (b, parse(b)), |a, b| compare(a, b)),
    is_valid: |version| parse(version).is_some(),
    normalise_name: |name| {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_lowercase())
        } else {
            Cow::Borrowed(name)
        }
    },
};

/// Numbers and words in turn, lower case; PHP separates where digits and
/// letters meet.
fn parse(text: &str) -> Option<Vec<String>> {
    let text = text.trim().to_lowercase();
    let text = text.strip_prefix('v').unwrap_or(&text);
    // Build metadata and stability flags say nothing of the order.
    let text = text.split(['+', '@']).next().unwrap_or(text);
    let text = text.split(" as ").next().unwrap_or(text);
    // `1.x-dev` stands above every release of 1.
    let dev = text
        .strip_suffix("-dev")
        .filter(|text| text.ends_with(".x") || is_number(text));
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let mut parts: Vec<String> = Vec::new();
    let mut was_digit = None;
    for letter in text.chars() {
        let is_digit = letter.is_ascii_digit();
        if matches!(letter, '.' | '-' | '_') {
            was_digit = None;
            continue;
        }
        match parts.last_mut() {
            Some(last) if was_digit == Some(is_digit) => last.push(letter),
            _ => parts.push(letter.to_string()),
        }
        was_digit = Some(is_digit);
    }
    if dev.is_some() {
        parts.retain(|part| part != "dev");
        for part in parts
            .iter_mut()
            .filter(|part| matches!(part.as_str(), "x" | "*"))
        {
            *part = "9999999".to_owned();
        }
        while parts.len() < 4 {
            parts.push("9999999".to_owned());
        }
        parts.push("dev".to_owned());
        return Some(parts);
    }
    // Four numbers, then words.
    let numbers = parts.iter().take_while(|part| is_number(part)).count();
    let fill = 4usize.saturating_sub(numbers);
    parts.splice(numbers..numbers, std::iter::repeat_n("0".to_owned(), fill));
    Some(parts)
}

/// PHP: any word < dev < alpha < beta < RC < a number < patch.
fn rank(part: Option<&str>) -> i32 {
    match part {
        None => 4,
        Some(part) if is_number(part) => 5,
        Some("dev") => 0,
        Some("alpha" | "a") => 1,
        Some("beta" | "b") => 2,
        Some("rc" | "c") => 3,
        Some("pl" | "p" | "patch" | "stable") => 6,
        Some(_) => -1,
    }
}

fn compare(a: &[String], b: &[String]) -> Ordering {
    for index in 0..a.len().max(b.len()) {
        let (a, b) = (
            a.get(index).map(String::as_str),
            b.get(index).map(String::as_str),
        );
        let order = rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
            (Some(a), Some(b)) if is_number(a) && is_number(b) => digits(a, b),
            (Some(a), Some(b)) if rank(Some(a)) == -1 => a.cmp(b),
            _ => Ordering::Equal,
        });
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}
