//! Maven: `ComparableVersion` (Maven, "Version Order Specification").

use std::cmp::Ordering;

use crate::{Scheme, compare::digits, same_name};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "maven",
    osv: &["Maven"],
    purl_types: &["maven"],
    compare: |a, b| {
        let (a, b) = (a.to_lowercase(), b.to_lowercase());
        list(&parse(&a), &parse(&b))
    },
    is_valid: |version| !version.is_empty(),
    normalise_name: same_name,
};

/// One item of a version: a number, a qualifier, or a list behind a dash.
#[derive(Debug)]
enum Item {
    Number(String),
    Word(String),
    List(Vec<Item>),
}

/// Lists within lists: a version of dashes alone must not exhaust the stack.
const MOST_DEEP: usize = 64;

fn parse(text: &str) -> Vec<Item> {
    // Lists that are open, innermost last.
    let mut stack: Vec<Vec<Item>> = vec![Vec::new()];
    let open = |stack: &mut Vec<Vec<Item>>| {
        if stack.len() < MOST_DEEP {
            stack.push(Vec::new());
        }
    };
    let push = |stack: &mut Vec<Vec<Item>>, item| {
        if let Some(list) = stack.last_mut() {
            list.push(item);
        }
    };
    let mut run = String::new();
    let mut is_digit = false;
    for letter in text.chars() {
        match letter {
            '.' => {
                push(&mut stack, item(&run, is_digit, false));
                run.clear();
            }
            '-' => {
                push(&mut stack, item(&run, is_digit, false));
                run.clear();
                open(&mut stack);
            }
            _ => {
                let digit = letter.is_ascii_digit();
                if !run.is_empty() && digit != is_digit {
                    // `1a` reads as `1-a`, and `a1` as `a-1`.
                    push(&mut stack, item(&run, is_digit, digit));
                    run.clear();
                    open(&mut stack);
                }
                is_digit = digit;
                run.push(letter);
            }
        }
        if matches!(letter, '.' | '-') {
            is_digit = false;
        }
    }
    if !run.is_empty() {
        push(&mut stack, item(&run, is_digit, false));
    }
    // The innermost lists are closed first; items that say nothing are dropped
    // from their ends.
    let mut inner: Option<Vec<Item>> = None;
    while let Some(mut list) = stack.pop() {
        if let Some(inner) = inner.take() {
            list.push(Item::List(inner));
        }
        trim(&mut list);
        inner = Some(list);
    }
    inner.unwrap_or_default()
}

fn item(run: &str, is_digit: bool, before_digit: bool) -> Item {
    if run.is_empty() {
        return Item::Number("0".to_owned());
    }
    if is_digit {
        return Item::Number(run.to_owned());
    }
    Item::Word(match (run, before_digit) {
        ("a", true) => "alpha".to_owned(),
        ("b", true) => "beta".to_owned(),
        ("m", true) => "milestone".to_owned(),
        ("ga" | "final" | "release", _) => String::new(),
        ("cr", _) => "rc".to_owned(),
        _ => run.to_owned(),
    })
}

fn is_null(item: &Item) -> bool {
    match item {
        Item::Number(number) => number.bytes().all(|byte| byte == b'0'),
        Item::Word(word) => word.is_empty(),
        Item::List(list) => list.is_empty(),
    }
}

/// Drops items that say nothing from the end, up to the first that does; lists
/// are looked past.
fn trim(list: &mut Vec<Item>) {
    let mut index = list.len();
    while index > 0 {
        index -= 1;
        match list.get(index) {
            Some(last) if is_null(last) => {
                list.remove(index);
            }
            Some(Item::List(_)) => {}
            _ => break,
        }
    }
}

const QUALIFIERS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];

/// Known qualifiers in their order, all others behind them by their letters.
fn rank(word: &str) -> (usize, &str) {
    match QUALIFIERS.iter().position(|known| *known == word) {
        Some(rank) => (rank, ""),
        None => (QUALIFIERS.len(), word),
    }
}

fn list(a: &[Item], b: &[Item]) -> Ordering {
    for index in 0..a.len().max(b.len()) {
        let order = compare(a.get(index), b.get(index));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn compare(a: Option<&Item>, b: Option<&Item>) -> Ordering {
    use Item::{List, Number, Word};
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => compare(b, a).reverse(),
        (Some(Number(number)), None) => digits(number, "0"),
        (Some(Word(word)), None) => rank(word).cmp(&rank("")),
        (Some(List(items)), None) => items
            .iter()
            .map(|item| compare(Some(item), None))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal),
        (Some(Number(a)), Some(Number(b))) => digits(a, b),
        (Some(Word(a)), Some(Word(b))) => rank(a).cmp(&rank(b)),
        (Some(List(a)), Some(List(b))) => list(a, b),
        // A number is newest, then a list, then a word.
        (Some(Number(_)), Some(_)) => Ordering::Greater,
        (Some(List(_)), Some(Word(_))) => Ordering::Greater,
        (Some(_), Some(_)) => Ordering::Less,
    }
}
