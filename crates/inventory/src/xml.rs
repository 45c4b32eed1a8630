//! XML with spans: the elements of a file in one tree, as far as the file can
//! be read. What a document type declares is not looked at, so that no entity
//! grows.

use std::borrow::Cow;

use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};
use seawall_model::{GapKind, Span};

use crate::declared::{Declarations, span_of};

/// Elements of one file: as many as entries of a lock file in JSON.
const MOST_ELEMENTS: usize = 1_000_000;
/// How deep elements may nest.
const MOST_LEVELS: usize = 256;
/// Attributes of one element.
const MOST_ATTRIBUTES: usize = 64;

/// The elements of a file, in its order.
#[derive(Debug, Default)]
pub(crate) struct Tree<'a> {
    elements: Vec<Node<'a>>,
    attributes: Vec<Attribute<'a>>,
}

#[derive(Debug, Default)]
struct Node<'a> {
    /// Without its prefix.
    name: &'a str,
    start: usize,
    text: Cow<'a, str>,
    span: Span,
    /// Whether the text holds an entity that only a declaration tells.
    is_unknown: bool,
    attributes: (usize, usize),
    first: Option<usize>,
    last: Option<usize>,
    next: Option<usize>,
}

#[derive(Debug)]
struct Attribute<'a> {
    name: &'a str,
    value: Cow<'a, str>,
    span: Span,
}

/// One element of a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'t, 'a> {
    tree: &'t Tree<'a>,
    node: &'t Node<'a>,
}

/// A text and where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'t> {
    pub(crate) value: &'t str,
    pub(crate) span: Span,
}

impl<'t, 'a> Element<'t, 'a> {
    pub(crate) fn name(self) -> &'a str {
        self.node.name
    }

    /// Where its tag starts.
    pub(crate) fn start(self) -> usize {
        self.node.start
    }

    /// Its text, without the space around it.
    pub(crate) fn text(self) -> Text<'t> {
        Text {
            value: &self.node.text,
            span: self.node.span,
        }
    }

    /// The elements in it.
    pub(crate) fn children(self) -> impl Iterator<Item = Element<'t, 'a>> {
        let of = move |index: usize| self.tree.elements.get(index);
        let first = self.node.first.and_then(of);
        std::iter::successors(first, move |node| node.next.and_then(of)).map(move |node| Element {
            tree: self.tree,
            node,
        })
    }

    /// The first element of this name in it.
    pub(crate) fn child(self, name: &str) -> Option<Element<'t, 'a>> {
        self.children().find(|child| child.name() == name)
    }

    /// The text of the first element of this name in it; nothing when there is
    /// none.
    pub(crate) fn text_of(self, name: &str) -> Text<'t> {
        self.child(name).map(Element::text).unwrap_or_default()
    }

    /// The value of an attribute, whose name may be written in any case.
    pub(crate) fn attribute(self, name: &str) -> Option<Text<'t>> {
        let (start, end) = self.node.attributes;
        let all = self.tree.attributes.get(start..end)?;
        let one = all.iter().find(|one| one.name.eq_ignore_ascii_case(name))?;
        Some(Text {
            value: &one.value,
            span: one.span,
        })
    }
}

/// Why a file could be read no further, and where that is.
pub(crate) type Stop = (GapKind, usize, String);

impl<'a> Tree<'a> {
    /// Reads a file, and says what is wrong with it; an error is that it has no
    /// element named `root` on top.
    pub(crate) fn read(
        text: &'a str,
        root: &str,
        out: &mut Declarations<'_>,
    ) -> Result<Self, String> {
        let (tree, stop) = Tree::parse(text);
        let is_it = tree.root().is_some_and(|top| top.name() == root);
        match stop {
            Some((_, at, what)) if !is_it => {
                return Err(format!(
                    "it is no `{root}` in XML: {what} ({})",
                    out.place(at)
                ));
            }
            Some((kind, at, what)) => {
                let reason = format!("{what} ({})", out.place(at));
                out.gap(kind, &reason);
            }
            None if !is_it => return Err(format!("it is no `{root}` in XML")),
            None => {}
        }
        let unknown = tree.elements.iter().filter(|node| node.is_unknown);
        for node in unknown {
            let what = format!("`{}` holds an entity that is not known", node.name);
            out.problem(node.start, &what);
        }
        Ok(tree)
    }

    /// Reads a file, as far as it can be read, and says why no further.
    pub(crate) fn parse(text: &'a str) -> (Self, Option<Stop>) {
        let mut tree = Tree::default();
        let mut open = Vec::new();
        let stop = tree.fill(text, &mut open).err();
        // A text without an end is half a text.
        for at in open {
            if let Some(node) = tree.elements.get_mut(at) {
                (node.text, node.span) = Default::default();
            }
        }
        tree.finish();
        (tree, stop)
    }

    pub(crate) fn root(&self) -> Option<Element<'_, 'a>> {
        let node = self.elements.first()?;
        Some(Element { tree: self, node })
    }

    /// `open` holds the elements from the top down to where the reader is.
    fn fill(&mut self, text: &'a str, open: &mut Vec<usize>) -> Result<(), Stop> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        loop {
            let before = offset(reader.buffer_position());
            let event = reader.read_event();
            let after = offset(reader.buffer_position());
            let damaged = |what: String| (GapKind::Damaged, before, what);
            match event {
                Err(error) => {
                    let at = offset(reader.error_position());
                    return Err((GapKind::Damaged, at, format!("it is no XML: {error}")));
                }
                Ok(Event::Start(tag)) => {
                    if open.is_empty() && !self.elements.is_empty() {
                        return Err(damaged("it has more than one element on top".to_owned()));
                    }
                    let limit = if open.len() == MOST_LEVELS {
                        Some(format!(
                            "elements are nested more than {MOST_LEVELS} levels deep"
                        ))
                    } else if self.elements.len() == MOST_ELEMENTS {
                        Some(format!("there are more than {MOST_ELEMENTS} elements"))
                    } else {
                        None
                    };
                    if let Some(what) = limit {
                        return Err((GapKind::Limit, before, what));
                    }
                    open.push(self.push(text, before, &tag, open.last().copied()));
                }
                Ok(Event::End(_)) => drop(open.pop()),
                Ok(Event::Text(_)) => {
                    let piece = text.get(before..after).unwrap_or_default();
                    self.text(open, piece, Span::new(before, after));
                }
                Ok(Event::CData(piece)) => {
                    if let Some(span) = span_of(text, &piece) {
                        let piece = text.get(span.start..span.end).unwrap_or_default();
                        self.text(open, piece, span);
                    }
                }
                Ok(Event::GeneralRef(entity)) => {
                    let letter = letter(&entity).map(String::from);
                    if let Some(node) = open.last().and_then(|at| self.elements.get_mut(*at)) {
                        node.is_unknown |= letter.is_none();
                    }
                    let piece = letter.unwrap_or_default();
                    self.text(open, piece, Span::new(before, after));
                }
                Ok(Event::Eof) => {
                    let name = open.last().and_then(|at| self.elements.get(*at));
                    return match name {
                        Some(node) => Err(damaged(format!(
                            "it ends within `{}`: it may have been cut off",
                            node.name
                        ))),
                        None => Ok(()),
                    };
                }
                Ok(_) => {}
            }
        }
    }
}

impl<'a> Tree<'a> {
    /// Adds an element below `above`.
    fn push(
        &mut self,
        text: &'a str,
        start: usize,
        tag: &BytesStart<'_>,
        above: Option<usize>,
    ) -> usize {
        // What the reader hands out lies in the text, where it can be borrowed
        // for longer.
        let own = |part: &str| {
            let span = span_of(text, part).unwrap_or_default();
            text.get(span.start..span.end).unwrap_or_default()
        };
        let from = self.attributes.len();
        // Its check for two of one name compares each with all before it.
        let mut all = tag.attributes();
        for one in all.with_checks(false).take(MOST_ATTRIBUTES).flatten() {
            let name = own(one.key.local_name().into_inner());
            let raw = own(&one.value);
            let value = quick_xml::escape::unescape(raw).unwrap_or(Cow::Borrowed(""));
            let span = span_of(text, raw).unwrap_or_default();
            self.attributes.push(Attribute { name, value, span });
        }
        let index = self.elements.len();
        self.elements.push(Node {
            name: own(tag.local_name().into_inner()),
            start,
            attributes: (from, self.attributes.len()),
            ..Node::default()
        });
        let Some(above) = above.and_then(|at| self.elements.get_mut(at)) else {
            return index;
        };
        above.first.get_or_insert(index);
        let before = above.last.replace(index);
        if let Some(before) = before.and_then(|at| self.elements.get_mut(at)) {
            before.next = Some(index);
        }
        index
    }

    /// Adds a piece of text to the element that is open.
    fn text(&mut self, open: &[usize], piece: impl Into<Cow<'a, str>>, span: Span) {
        let Some(node) = open.last().and_then(|at| self.elements.get_mut(*at)) else {
            return;
        };
        let piece = piece.into();
        // No piece that is blank is kept as the first one.
        let blank = node.text.is_empty();
        if piece.trim().is_empty() && blank {
            return;
        }
        if blank {
            node.text = piece;
            node.span = span;
        } else {
            node.text.to_mut().push_str(&piece);
            node.span.end = span.end;
        }
    }

    /// Takes the space around every text away.
    fn finish(&mut self) {
        for node in &mut self.elements {
            if node.is_unknown {
                (node.text, node.span) = Default::default();
                continue;
            }
            let before = node.text.len() - node.text.trim_start().len();
            let after = node.text.len() - node.text.trim_end().len();
            if before + after == 0 {
                continue;
            }
            node.span = Span::new(node.span.start + before, node.span.end - after);
            node.text = match std::mem::take(&mut node.text) {
                Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
                Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
            };
        }
    }
}

/// The letter that a reference stands for: one by number, or one of the five
/// that XML knows by name.
fn letter(entity: &BytesRef<'_>) -> Option<char> {
    if let Ok(Some(letter)) = entity.resolve_char_ref() {
        return Some(letter);
    }
    quick_xml::escape::resolve_xml_entity(entity)?
        .chars()
        .next()
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}
