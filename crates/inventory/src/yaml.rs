//! YAML with spans (YAML 1.2.2), for lock files and workflows: a tree in which
//! every value knows its bytes. What comes before an error is kept.
//!
//! Depth, the number of values and what aliases make of them are bounded, so
//! that a walk over the whole tree takes no longer than the file is large.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use granit_parser::{Event, Options, Parser, ScalarStyle};
use seawall_model::{GapKind, Span};

use crate::declared::Declarations;

/// Values of one file, those that aliases repeat counted each time. The lock
/// file of a project with 10,000 packages has a tenth of it.
const MOST_VALUES: u32 = 2_000_000;
/// How deep collections may nest.
const MOST_LEVELS: usize = 64;

/// The documents of a file.
#[derive(Debug, Default)]
pub(crate) struct Tree<'a> {
    values: Vec<Value<'a>>,
    /// Items of sequences, and keys and values of mappings by turns.
    children: Vec<u32>,
    roots: Vec<u32>,
    /// What is wrong with the file, and where: nothing behind it was read.
    pub(crate) error: Option<Error>,
    /// Where keys stand that their mapping has already.
    pub(crate) repeated: Vec<usize>,
}

/// Why a file could not be read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Error {
    pub(crate) kind: GapKind,
    pub(crate) reason: String,
    /// The byte at which it was met.
    pub(crate) offset: usize,
}

#[derive(Debug)]
struct Value<'a> {
    shape: Shape<'a>,
    span: Span,
    /// How many values it stands for, itself and aliases included.
    weight: u32,
}

#[derive(Debug)]
enum Shape<'a> {
    Scalar { text: Cow<'a, str>, is_plain: bool },
    Sequence { first: u32, count: u32 },
    Mapping { first: u32, count: u32 },
}

/// One value of a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'t> {
    tree: &'t Tree<'t>,
    value: &'t Value<'t>,
}

impl<'a> Tree<'a> {
    /// Reads a file.
    pub(crate) fn new(text: &'a str) -> Self {
        let mut builder = Builder::default();
        let mut options = Options::default();
        options.set_emit_comments(false);
        options.block_nesting_limit = MOST_LEVELS;
        options.flow_nesting_limit = MOST_LEVELS;
        for event in Parser::new_from_str_with_options(text, options) {
            let result = match event {
                Ok((event, span)) => {
                    let span = span.byte_range().unwrap_or_default();
                    builder.take(event, Span::new(span.start, span.end))
                }
                Err(error) => Err(Error {
                    kind: GapKind::Damaged,
                    reason: error.info(),
                    offset: error.marker().byte_offset().unwrap_or_default(),
                }),
            };
            if let Err(error) = result {
                builder.tree.error = Some(error);
                break;
            }
        }
        builder.finish(text.len())
    }

    /// Reads a file, and says in `out` what is wrong with it; an error is that
    /// no document could be read. `tool` is whose lock file it should be.
    pub(crate) fn read(
        text: &'a str,
        tool: &str,
        out: &mut Declarations<'_>,
    ) -> Result<Self, String> {
        let tree = Tree::new(text);
        for offset in &tree.repeated {
            out.problem(*offset, "a key is there twice");
        }
        if let Some(Error {
            kind,
            reason,
            offset,
        }) = &tree.error
        {
            let place = out.place(*offset);
            let reason = match kind {
                GapKind::Damaged => format!("it is no YAML: {reason} ({place})"),
                _ => format!("{reason} ({place})"),
            };
            out.gap(*kind, &reason);
        }
        if tree.roots.is_empty() && tree.error.is_none() {
            return Err(format!("it is no lock file of {tool}: it is empty"));
        }
        Ok(tree)
    }

    /// The values that the documents are.
    pub(crate) fn documents(&self) -> impl Iterator<Item = Node<'_>> {
        self.roots.iter().filter_map(|index| self.node(*index))
    }

    fn node(&self, index: u32) -> Option<Node<'_>> {
        Some(Node {
            tree: self,
            value: self.values.get(index as usize)?,
        })
    }

    fn children(&self, first: u32, count: u32) -> &[u32] {
        let first = first as usize;
        let range = first..first + count as usize;
        self.children.get(range).unwrap_or_default()
    }
}

impl<'t> Node<'t> {
    /// Where it stands; for an alias, where the value stands that it names.
    pub(crate) fn span(self) -> Span {
        self.value.span
    }

    /// The text of a scalar.
    pub(crate) fn text(self) -> Option<&'t str> {
        match &self.value.shape {
            Shape::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether it is a scalar without quotes: only such a one is a number, a
    /// truth value or null (YAML 1.2.2, 10.3.2).
    pub(crate) fn is_plain(self) -> bool {
        matches!(self.value.shape, Shape::Scalar { is_plain: true, .. })
    }

    /// Whether it is the plain scalar `true`.
    pub(crate) fn is_true(self) -> bool {
        self.is_plain() && self.text() == Some("true")
    }

    /// Whether it is a mapping.
    pub(crate) fn is_mapping(self) -> bool {
        matches!(self.value.shape, Shape::Mapping { .. })
    }

    /// The items of a sequence; none when it is none.
    pub(crate) fn items(self) -> impl Iterator<Item = Node<'t>> {
        let items = match self.value.shape {
            Shape::Sequence { first, count } => self.tree.children(first, count),
            _ => &[],
        };
        items.iter().filter_map(move |index| self.tree.node(*index))
    }

    /// Keys and values of a mapping, in the order of the file; none when it is
    /// none.
    pub(crate) fn entries(self) -> impl Iterator<Item = (Node<'t>, Node<'t>)> {
        let entries = match self.value.shape {
            Shape::Mapping { first, count } => self.tree.children(first, count),
            _ => &[],
        };
        let (pairs, _) = entries.as_chunks::<2>();
        let node = move |index| self.tree.node(index);
        pairs
            .iter()
            .filter_map(move |[key, value]| Some((node(*key)?, node(*value)?)))
    }

    /// The value under a key of a mapping.
    pub(crate) fn get(self, key: &str) -> Option<Node<'t>> {
        let mut entries = self.entries();
        entries
            .find(|(one, _)| one.text() == Some(key))
            .map(|(_, value)| value)
    }

    /// The text under a key of a mapping; none where it is empty or null.
    pub(crate) fn text_of(self, key: &str) -> Option<&'t str> {
        let value = self.get(key)?;
        let text = value.text()?;
        let is_null = value.is_plain() && matches!(text, "" | "~" | "null");
        (!is_null && !text.is_empty()).then_some(text)
    }
}

/// A collection that has no end yet.
#[derive(Debug)]
struct Open {
    is_mapping: bool,
    start: usize,
    anchor: usize,
    /// How many values stood on the stack before it.
    below: usize,
    weight: u32,
}

#[derive(Debug, Default)]
struct Builder<'a> {
    tree: Tree<'a>,
    open: Vec<Open>,
    /// Finished values whose collection is open.
    stack: Vec<u32>,
    /// Finished values by the number of their anchor.
    anchors: HashMap<usize, u32>,
    /// Values, those that aliases repeat included.
    weight: u32,
}

impl<'a> Builder<'a> {
    fn take(&mut self, event: Event<'a>, span: Span) -> Result<(), Error> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let is_plain = style == ScalarStyle::Plain;
                self.push(Shape::Scalar { text, is_plain }, span, 1, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.open(false, span, anchor),
            Event::MappingStart(_, anchor, _) => self.open(true, span, anchor),
            Event::SequenceEnd | Event::MappingEnd => self.close(span.end),
            Event::Alias(anchor) => self.alias(anchor, span),
            _ => Ok(()),
        }
    }

    fn open(&mut self, is_mapping: bool, span: Span, anchor: usize) -> Result<(), Error> {
        // Blocks and flows have limits of their own; here they count together.
        if self.open.len() >= MOST_LEVELS {
            return Err(limit(
                format!("it is nested more than {MOST_LEVELS} levels deep"),
                span,
            ));
        }
        self.open.push(Open {
            is_mapping,
            start: span.start,
            anchor,
            below: self.stack.len(),
            weight: 1,
        });
        Ok(())
    }

    fn close(&mut self, end: usize) -> Result<(), Error> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let first = self.tree.children.len();
        let items = self.stack.split_off(open.below.min(self.stack.len()));
        // A mapping that was cut off behind a key has one value too few.
        let whole = match open.is_mapping {
            true => items.len() & !1,
            false => items.len(),
        };
        let items = items.get(..whole).unwrap_or_default();
        if open.is_mapping {
            self.repeated(items);
        }
        self.tree.children.extend_from_slice(items);
        let (first, count) = (small(first), small(items.len()));
        let shape = match open.is_mapping {
            true => Shape::Mapping { first, count },
            false => Shape::Sequence { first, count },
        };
        let last = items.last().and_then(|last| self.tree.node(*last));
        // A block has no sign at its end: it ends where its last value does.
        let end = last.map_or(end, |last| last.span().end.max(open.start));
        self.push(shape, Span::new(open.start, end), open.weight, open.anchor)
    }

    fn repeated(&mut self, items: &[u32]) {
        let mut keys = HashSet::with_capacity(items.len() / 2);
        let (pairs, _) = items.as_chunks::<2>();
        let keyed = pairs.iter().filter_map(|[key, _]| self.tree.node(*key));
        let repeated: Vec<usize> = keyed
            .filter(|key| key.text().is_some_and(|text| !keys.insert(text)))
            .map(|key| key.span().start)
            .collect();
        self.tree.repeated.extend(repeated);
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Error> {
        let target = self.anchors.get(&anchor).copied();
        let Some((index, target)) =
            target.and_then(|index| Some((index, self.tree.values.get(index as usize)?)))
        else {
            return Err(Error {
                kind: GapKind::Damaged,
                reason: "an alias stands inside of what it names".to_owned(),
                offset: span.start,
            });
        };
        self.count(target.weight, span)?;
        self.add(index);
        Ok(())
    }

    fn push(
        &mut self,
        shape: Shape<'a>,
        span: Span,
        weight: u32,
        anchor: usize,
    ) -> Result<(), Error> {
        self.count(1, span)?;
        let index = small(self.tree.values.len());
        self.tree.values.push(Value {
            shape,
            span,
            weight,
        });
        if anchor != 0 {
            self.anchors.insert(anchor, index);
        }
        self.add(index);
        Ok(())
    }

    /// Adds a finished value to the collection that it stands in.
    fn add(&mut self, index: u32) {
        let weight = self.tree.values.get(index as usize);
        let weight = weight.map_or(0, |value| value.weight);
        match self.open.last_mut() {
            Some(open) => {
                open.weight = open.weight.saturating_add(weight);
                self.stack.push(index);
            }
            None => self.tree.roots.push(index),
        }
    }

    fn count(&mut self, more: u32, span: Span) -> Result<(), Error> {
        self.weight = self.weight.saturating_add(more);
        match self.weight > MOST_VALUES {
            true => Err(limit(
                format!("it has more than {MOST_VALUES} values, those of aliases included"),
                span,
            )),
            false => Ok(()),
        }
    }

    /// Closes what an error left open.
    fn finish(mut self, end: usize) -> Tree<'a> {
        // The values are there already; closing must not fail for their number.
        self.weight = 0;
        while !self.open.is_empty() {
            if self.close(end).is_err() {
                break;
            }
        }
        self.tree
    }
}

fn limit(reason: String, span: Span) -> Error {
    Error {
        kind: GapKind::Limit,
        reason,
        offset: span.start,
    }
}

/// Counts are bounded by [`MOST_VALUES`].
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(node: Node<'_>) -> String {
        match node.text() {
            Some(text) => text.to_owned(),
            None if node.is_mapping() => {
                let entry = |(key, value)| format!("{}={}", flat(key), flat(value));
                let entries: Vec<String> = node.entries().map(entry).collect();
                format!("{{{}}}", entries.join(" "))
            }
            None => {
                let items: Vec<String> = node.items().map(flat).collect();
                format!("[{}]", items.join(" "))
            }
        }
    }

    fn whole(tree: &Tree<'_>) -> String {
        let all: Vec<String> = tree.documents().map(flat).collect();
        all.join("; ")
    }

    #[test]
    fn values_know_their_bytes() {
        let text = "ä: &x {b: 'c', 'd': [1, \"e\\n\"]}\nf:\n- g\n- *x\n---\nh: true\n";
        let tree = Tree::new(text);
        assert_eq!(
            whole(&tree),
            "{ä={b=c d=[1 e\n]} f=[g {b=c d=[1 e\n]}]}; {h=true}"
        );
        let root = tree.documents().next().unwrap();
        let part = |node: Node<'_>| text.get(node.span().start..node.span().end).unwrap();
        let map = root.get("ä").unwrap();
        assert_eq!(part(map.get("b").unwrap()), "'c'");
        assert_eq!(part(map.entries().next().unwrap().0), "b");
        assert_eq!(part(root.get("f").unwrap().items().next().unwrap()), "g");
        assert!(!map.get("b").unwrap().is_plain());
        let second = tree.documents().nth(1).unwrap();
        assert!(second.get("h").unwrap().is_true());
        assert_eq!(second.text_of("h"), Some("true"));
        assert_eq!((tree.error, tree.repeated), (None, vec![]));
    }

    #[test]
    fn what_comes_before_an_error_is_kept() {
        let tree = Tree::new("a: 1\nb:\n  c: [1, 2\n  d: 3\n");
        assert_eq!(whole(&tree), "{a=1 b={c=[1]}}");
        assert_eq!(tree.error.unwrap().kind, GapKind::Damaged);
        let tree = Tree::new("a: 1\nb: *none\n");
        assert_eq!(whole(&tree), "{a=1}");
        assert!(tree.error.is_some());
        let tree = Tree::new("a: 1\na: 2\n");
        assert_eq!(
            (whole(&tree).as_str(), tree.repeated),
            ("{a=1 a=2}", vec![5])
        );
    }

    #[test]
    fn bombs_are_refused() {
        let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (name, of) in ["b", "c", "d", "e", "f", "g", "h"]
            .iter()
            .zip(["a", "b", "c", "d", "e", "f", "g"])
        {
            let items = vec![format!("*{of}"); 10].join(", ");
            text.push_str(&format!("{name}: &{name} [{items}]\n"));
        }
        let tree = Tree::new(&text);
        assert_eq!(tree.error.as_ref().unwrap().kind, GapKind::Limit);
        assert!(whole(&tree).len() < 2 * MOST_VALUES as usize * 2);
        for deep in ["[".repeat(100_000), "- ".repeat(100_000)] {
            assert!(Tree::new(&deep).error.is_some());
        }
        let own = Tree::new("a: &a [*a]\n");
        let reason = own.error.unwrap().reason;
        assert_eq!(reason, "an alias stands inside of what it names");
    }
}
