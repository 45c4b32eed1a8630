//! Terms of Elixir and Erlang with spans, as far as their lock files use them:
//! atoms, texts, numbers, lists, tuples and maps of these.

use std::borrow::Cow;

use seawall_model::{GapKind, Span};

use crate::declared::{Declarations, span_of};

/// How deep terms may nest.
const MOST_LEVELS: usize = 32;
/// Terms of one file.
const MOST_TERMS: usize = 4_000_000;

/// One term.
#[derive(Clone, Debug)]
pub(crate) enum Term<'a> {
    /// An atom, a text, a binary or a number: its text, and where it stands
    /// without its marks.
    Word(Cow<'a, str>, Span),
    /// A list, a tuple or a map. What an atom or a text with a colon behind it
    /// names, or an arrow leads to, is a pair of both. Whether it has its end.
    Group(Vec<Term<'a>>, Span, bool),
}

impl<'a> Term<'a> {
    /// The text of a word.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Term::Word(text, _) => Some(text),
            Term::Group(..) => None,
        }
    }

    /// What a list, a tuple or a map holds.
    pub(crate) fn items(&self) -> &[Term<'a>] {
        match self {
            Term::Word(..) => &[],
            Term::Group(items, ..) => items,
        }
    }

    /// Where it stands.
    pub(crate) fn span(&self) -> Span {
        match self {
            Term::Word(_, span) | Term::Group(_, span, _) => *span,
        }
    }

    /// Whether it has its end: what was cut off may lack what changes its meaning.
    pub(crate) fn is_whole(&self) -> bool {
        !matches!(self, Term::Group(_, _, false))
    }

    /// The text of the item at `index`.
    pub(crate) fn text_at(&self, index: usize) -> Option<&str> {
        self.items().get(index)?.text()
    }

    /// The second of the pair whose first is `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&Term<'a>> {
        let mut items = self.items().iter();
        items
            .find(|item| item.text_at(0) == Some(key))
            .and_then(|item| item.items().get(1))
    }
}

/// Whose terms they are: what starts a comment differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Elixir,
    Erlang,
}

/// A group that has no end yet.
struct Open<'a> {
    start: usize,
    end: char,
    items: Vec<Term<'a>>,
    /// A key whose value follows.
    key: bool,
}

/// Reads the terms of a file. What comes before an error is kept; the error is
/// said in `out`.
pub(crate) fn read<'a>(
    text: &'a str,
    language: Language,
    out: &mut Declarations<'_>,
) -> Vec<Term<'a>> {
    let mut reader = Reader {
        text,
        at: 0,
        language,
        open: Vec::new(),
        top: Vec::new(),
        count: 0,
    };
    let problem = reader.run();
    // What was left open is kept as far as it goes.
    let is_open = !reader.open.is_empty();
    while reader.close(false).is_some() {}
    match problem {
        Err(Problem::Damaged(what)) => out.problem(reader.at, what),
        Err(Problem::Limit(what)) => {
            let place = out.place(reader.at);
            out.gap(GapKind::Limit, &format!("{what} ({place})"));
        }
        Ok(()) if is_open => out.problem(text.len(), "it has no end: it may have been cut off"),
        Ok(()) => {}
    }
    reader.top
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    language: Language,
    open: Vec<Open<'a>>,
    top: Vec<Term<'a>>,
    count: usize,
}

enum Problem {
    Damaged(&'static str),
    Limit(String),
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn run(&mut self) -> Result<(), Problem> {
        while let Some(next) = self.rest().chars().next() {
            let rest = self.rest();
            match next {
                _ if next.is_whitespace() || matches!(next, ',' | '.') => {
                    self.at += next.len_utf8();
                }
                '#' if self.language == Language::Elixir => self.skip_line(),
                '%' if rest.starts_with("%{") => self.open('}', 2)?,
                '%' if self.language == Language::Erlang => self.skip_line(),
                '{' => self.open('}', 1)?,
                '[' => self.open(']', 1)?,
                '}' | ']' => {
                    if self.open.last().is_none_or(|open| open.end != next) {
                        return Err(Problem::Damaged("a bracket has no other one"));
                    }
                    self.at += 1;
                    self.close(true);
                }
                '=' if rest.starts_with("=>") => {
                    self.at += 2;
                    self.key();
                }
                '"' => self.quoted()?,
                '<' if rest.starts_with("<<\"") => {
                    self.at += 2;
                    self.quoted()?;
                    if !self.rest().starts_with(">>") {
                        return Err(Problem::Damaged("a binary has no end"));
                    }
                    self.at += 2;
                }
                ':' => {
                    self.at += 1;
                    if self.rest().starts_with('"') {
                        self.quoted()?;
                    } else {
                        self.word()?;
                    }
                }
                _ => self.word()?,
            }
        }
        Ok(())
    }

    fn skip_line(&mut self) {
        let rest = self.rest();
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    fn open(&mut self, end: char, width: usize) -> Result<(), Problem> {
        if self.open.len() >= MOST_LEVELS {
            let reason = format!("it is nested more than {MOST_LEVELS} levels deep");
            return Err(Problem::Limit(reason));
        }
        self.open.push(Open {
            start: self.at,
            end,
            items: Vec::new(),
            key: false,
        });
        self.at += width;
        Ok(())
    }

    fn close(&mut self, is_whole: bool) -> Option<()> {
        let open = self.open.pop()?;
        let span = Span::new(open.start, self.at);
        self.add(Term::Group(open.items, span, is_whole));
        Some(())
    }

    /// A text in quotes; with a colon behind it, a key.
    fn quoted(&mut self) -> Result<(), Problem> {
        self.at += 1;
        let start = self.at;
        let rest = self.rest();
        let mut has_escapes = false;
        let mut bytes = rest.bytes().enumerate();
        let end = loop {
            match bytes.next() {
                Some((at, b'"')) => break at,
                Some((_, b'\\')) => {
                    has_escapes = true;
                    bytes.next();
                }
                Some(_) => {}
                None => return Err(Problem::Damaged("a text has no end")),
            }
        };
        let inner = rest.get(..end).unwrap_or_default();
        self.at += end + 1;
        let text = match has_escapes {
            true => Cow::Owned(inner.replace('\\', "")),
            false => Cow::Borrowed(inner),
        };
        self.push(text, Span::new(start, start + end))
    }

    fn word(&mut self) -> Result<(), Problem> {
        let rest = self.rest();
        let is_part = |letter: char| {
            letter.is_alphanumeric() || matches!(letter, '_' | '@' | '?' | '!' | '-' | '+' | '/')
        };
        let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        // A number may have a point in it.
        let word = rest.get(..end).unwrap_or_default();
        if word.is_empty() {
            return Err(Problem::Damaged("it holds what is no term"));
        }
        let span = span_of(self.text, word).unwrap_or_default();
        self.at += end;
        self.push(word.into(), span)
    }

    fn push(&mut self, text: Cow<'a, str>, span: Span) -> Result<(), Problem> {
        self.count += 1;
        if self.count > MOST_TERMS {
            let reason = format!("it has more than {MOST_TERMS} terms");
            return Err(Problem::Limit(reason));
        }
        self.add(Term::Word(text, span));
        // `key: value`
        let rest = self.rest();
        if rest.starts_with(':') && rest.chars().nth(1).is_some_and(char::is_whitespace) {
            self.at += 1;
            self.key();
        }
        Ok(())
    }

    /// Makes the last term the key of the next one. Only a word is one: pairs
    /// in pairs would nest without an end.
    fn key(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.key = matches!(open.items.last(), Some(Term::Word(..)));
        }
    }

    fn add(&mut self, term: Term<'a>) {
        let Some(open) = self.open.last_mut() else {
            self.top.push(term);
            return;
        };
        match std::mem::take(&mut open.key).then(|| open.items.pop()) {
            Some(Some(key)) => {
                let span = Span::new(key.span().start, term.span().end);
                let is_whole = term.is_whole();
                open.items
                    .push(Term::Group(vec![key, term], span, is_whole));
            }
            _ => open.items.push(term),
        }
    }
}
