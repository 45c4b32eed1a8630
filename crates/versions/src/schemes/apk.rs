//! apk: `1.2.3a_rc4~0a1b2c-r5` (apk-package(5); apk-tools 3, `src/version.c`).
//!
//! Since apk-tools 3 a number behind a dot is compared as a string when it or
//! the other one begins with a zero (`1.010` < `1.02`); apk-tools 2 compared
//! zeros by count and the rest by value. A letter in front of digits (`6b1`)
//! was allowed then and is not now.

use std::cmp::Ordering;

use crate::{
    Scheme,
    compare::{digits, take_digits, take_while},
    same_name,
};

pub(crate) static SCHEME: Scheme = Scheme {
    name: "apk",
    osv: &[
        "Alpaquita",
        "Alpine",
        "BellSoft Hardened Containers",
        "Chainguard",
        "CleanStart",
        "MinimOS",
        "Wolfi",
    ],
    purl_types: &["apk"],
    compare,
    is_valid,
    normalise_name: same_name,
};

/// Before the plain version, and behind it.
const SUFFIXES: [(&str, i8); 9] = [
    ("alpha", -4),
    ("beta", -3),
    ("pre", -2),
    ("rc", -1),
    ("cvs", 1),
    ("svn", 2),
    ("git", 3),
    ("hg", 4),
    ("p", 5),
];

/// Kinds of tokens in the order in which they may follow each other, which
/// also decides between two versions where one has a token that the other has
/// not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    First,
    Number,
    Letter,
    Suffix,
    SuffixNumber,
    Hash,
    Revision,
    End,
    Invalid,
}

/// The tokens of a version, one at a time; nothing is stored.
struct Tokens<'a> {
    left: &'a str,
    kind: Kind,
    text: &'a str,
    /// Weight of the suffix, when `kind` is one.
    weight: i8,
}

impl<'a> Tokens<'a> {
    fn new(version: &'a str) -> Self {
        let mut tokens = Tokens {
            left: version,
            kind: Kind::First,
            text: "",
            weight: 0,
        };
        tokens.number(Kind::First);
        tokens
    }

    fn number(&mut self, kind: Kind) {
        self.text = take_digits(&mut self.left);
        self.kind = if self.text.is_empty() {
            Kind::Invalid
        } else {
            kind
        };
    }

    fn advance(&mut self) {
        let before = self.kind;
        let Some(first) = self.left.bytes().next() else {
            self.kind = Kind::End;
            return;
        };
        let step = self.left;
        let behind = |count: usize| step.get(count..).unwrap_or("");
        self.kind = Kind::Invalid;
        match first {
            b'a'..=b'z' if before <= Kind::Number => {
                (self.text, self.left) = step.split_at_checked(1).unwrap_or((step, ""));
                self.kind = Kind::Letter;
            }
            b'.' if before <= Kind::Number => {
                self.left = behind(1);
                self.number(Kind::Number);
            }
            b'0'..=b'9' if before == Kind::Suffix => self.number(Kind::SuffixNumber),
            b'_' if before <= Kind::SuffixNumber => {
                self.left = behind(1);
                self.text = take_while(&mut self.left, |byte| byte.is_ascii_lowercase());
                if let Some((_, weight)) = SUFFIXES.iter().find(|(name, _)| *name == self.text) {
                    self.weight = *weight;
                    self.kind = Kind::Suffix;
                }
            }
            b'~' if before < Kind::Hash => {
                self.left = behind(1);
                self.text = take_while(&mut self.left, |byte| byte.is_ascii_hexdigit());
                if !self.text.is_empty() {
                    self.kind = Kind::Hash;
                }
            }
            b'-' if before < Kind::Revision && step.starts_with("-r") => {
                self.left = behind(2);
                self.number(Kind::Revision);
            }
            _ => {}
        }
    }

    /// Where the version stands in relation to one that ends here: only
    /// suffixes of pre-releases, and what makes no sense, come before the end.
    fn rank(&self) -> i8 {
        match self.kind {
            Kind::Suffix if self.weight < 0 => -2,
            Kind::Invalid => -1,
            Kind::End => 0,
            Kind::Revision => 1,
            Kind::Hash => 2,
            Kind::SuffixNumber => 3,
            Kind::Suffix => 4,
            Kind::Letter => 5,
            Kind::Number => 6,
            Kind::First => 7,
        }
    }
}

fn is_valid(version: &str) -> bool {
    let mut tokens = Tokens::new(version);
    while tokens.kind < Kind::End {
        tokens.advance();
    }
    tokens.kind == Kind::End
}

/// What stands before the first token that makes no sense counts, as it does
/// for apk: a slip in an advisory (`2.7.16-33`) must not hide what is far older.
fn compare(first: &str, second: &str) -> Ordering {
    let (mut a, mut b) = (Tokens::new(first), Tokens::new(second));
    while a.kind == b.kind && a.kind < Kind::End {
        let order = match a.kind {
            Kind::Number if a.text.starts_with('0') || b.text.starts_with('0') => {
                a.text.cmp(b.text)
            }
            Kind::First | Kind::Number | Kind::SuffixNumber | Kind::Revision => {
                digits(a.text, b.text)
            }
            Kind::Suffix => a.weight.cmp(&b.weight),
            _ => a.text.cmp(b.text),
        };
        if order.is_ne() {
            return order;
        }
        a.advance();
        b.advance();
    }
    if (a.kind, b.kind) == (Kind::Invalid, Kind::Invalid) {
        return first.cmp(second);
    }
    a.rank().cmp(&b.rank())
}
