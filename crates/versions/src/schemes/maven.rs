//! Maven: `ComparableVersion` of Maven 3.9 (`maven-artifact`; Maven, "Version
//! Order Specification").
//!
//! A version is a list of numbers and words whose last item may be a list
//! again: a dash, a change between digits and letters, and a dot in front of a
//! word that a digit or the end follows, each open one. Since every list is the
//! last item of the one around it, the whole is a flat sequence here, with a
//! mark where a list opens, and no nesting can exhaust the stack.
//!
//! Maven's comparison is no order on all strings: an absent item equals `0` and
//! `ga`, but `0` is newer than `sp`, which is newer than an absent item, so that
//! `1-0-alpha` < `1` < `1-sp` < `1-0-alpha`. Here what follows is first compared
//! by whether it makes a version older or newer than one that ends there. That
//! decides differently only where Maven runs in such a circle.

use std::{borrow::Cow, cmp::Ordering};

use crate::{
    Scheme,
    compare::{digits, take_digits, valid_first},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "maven",
    osv: &["Maven", "Echo:Maven", "Root:Maven"],
    purl_types: &["maven"],
    compare: |a, b| {
        let (first, second) = (lower_case(a), lower_case(b));
        valid_first((a, parse(&first)), (b, parse(&second)), |a, b| {
            compare(a, b)
        })
    },
    is_valid: |version| parse(&lower_case(version)).is_some(),
    normalise_name: same_name,
};

fn lower_case(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    match text
        .bytes()
        .any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii())
    {
        true => Cow::Owned(text.to_lowercase()),
        false => Cow::Borrowed(text),
    }
}

/// Items in the order in which they outrank each other at the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item<'a> {
    Word(Word<'a>),
    /// A list opens; all that follows belongs to it.
    List,
    Number(&'a str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word<'a> {
    Alpha,
    Beta,
    Milestone,
    Candidate,
    Snapshot,
    Release,
    ServicePack,
    /// Behind all known ones, by their letters.
    Other(&'a str),
}

fn word(text: &str, is_before_digit: bool) -> Word<'_> {
    match text {
        "a" if is_before_digit => Word::Alpha,
        "b" if is_before_digit => Word::Beta,
        "m" if is_before_digit => Word::Milestone,
        "alpha" => Word::Alpha,
        "beta" => Word::Beta,
        "milestone" => Word::Milestone,
        "rc" | "cr" => Word::Candidate,
        "snapshot" => Word::Snapshot,
        "" | "ga" | "final" | "release" => Word::Release,
        "sp" => Word::ServicePack,
        other => Word::Other(other),
    }
}

impl Item<'_> {
    /// Whether the item makes a version older or newer than one without it.
    fn sign(&self) -> Ordering {
        match self {
            Item::Word(word) => word.cmp(&Word::Release),
            Item::List => Ordering::Equal,
            Item::Number(number) => digits(number, ""),
        }
    }
}

/// The items, each with whether it and all that follows make a version older
/// or newer than one that ends in front of it.
fn parse(text: &str) -> Option<Vec<(Ordering, Item<'_>)>> {
    if text.is_empty() {
        return None;
    }
    let mut items: Vec<(Ordering, Item<'_>)> = Vec::with_capacity(12);
    let mut left = text;
    // Whether the innermost list has no item yet.
    let mut is_new = true;
    let push = |items: &mut Vec<_>, item| items.push((Ordering::Equal, item));
    loop {
        let number = take_digits(&mut left);
        if !number.is_empty() {
            push(&mut items, Item::Number(number));
            is_new = false;
            if !matches!(left.bytes().next(), None | Some(b'.' | b'-')) {
                push(&mut items, Item::List);
                is_new = true;
            }
        }
        let is_separator = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
        let end = left.bytes().position(is_separator).unwrap_or(left.len());
        let (letters, rest) = left.split_at_checked(end)?;
        left = rest;
        let next = left.bytes().next();
        if !letters.is_empty() {
            let is_before_digit = next.is_some_and(|byte| byte.is_ascii_digit());
            // `1.0.x1` reads as `1.0-x1`.
            if (is_before_digit || next.is_none()) && !is_new {
                push(&mut items, Item::List);
            }
            push(&mut items, Item::Word(word(letters, is_before_digit)));
            is_new = false;
            if is_before_digit {
                push(&mut items, Item::List);
                is_new = true;
                continue;
            }
        }
        if number.is_empty() && letters.is_empty() && next.is_some() {
            push(&mut items, Item::Number("0"));
            is_new = false;
        }
        match next {
            Some(b'.') => left = left.strip_prefix('.')?,
            Some(b'-') => {
                left = left.strip_prefix('-')?;
                push(&mut items, Item::List);
                is_new = true;
            }
            _ => break,
        }
    }
    Some(normalise(items))
}

/// Drops items that say nothing from the end of each list, looking past the
/// list that is its last item.
fn normalise(items: Vec<(Ordering, Item<'_>)>) -> Vec<(Ordering, Item<'_>)> {
    let mut kept = items;
    let mut is_end = true;
    let mut sign = Ordering::Equal;
    let mut write = kept.len();
    for read in (0..kept.len()).rev() {
        let Some(item) = kept.get(read).map(|(_, item)| *item) else {
            continue;
        };
        let is_dropped = match item {
            // A list with nothing left in it.
            Item::List => write == kept.len(),
            _ => is_end && item.sign().is_eq(),
        };
        is_end = is_end && is_dropped || item == Item::List;
        if is_dropped {
            continue;
        }
        sign = item.sign().then(sign);
        write -= 1;
        if let Some(place) = kept.get_mut(write) {
            *place = (sign, item);
        }
    }
    kept.drain(..write);
    kept
}

fn compare(a: &[(Ordering, Item<'_>)], b: &[(Ordering, Item<'_>)]) -> Ordering {
    let (mut a, mut b) = (a.iter(), b.iter());
    loop {
        let (first, second) = (a.next(), b.next());
        let sign = |item: Option<&(Ordering, Item<'_>)>| item.map_or(Ordering::Equal, |it| it.0);
        let order = sign(first).cmp(&sign(second));
        if order.is_ne() {
            return order;
        }
        let (Some((_, first)), Some((_, second))) = (first, second) else {
            return Ordering::Equal;
        };
        let rank = |item: &Item<'_>| match item {
            Item::Word(_) => 0,
            Item::List => 1,
            Item::Number(_) => 2,
        };
        let order = match (first, second) {
            (Item::Word(a), Item::Word(b)) => a.cmp(b),
            (Item::Number(a), Item::Number(b)) => digits(a, b),
            (a, b) => rank(a).cmp(&rank(b)),
        };
        if order.is_ne() {
            return order;
        }
    }
}
