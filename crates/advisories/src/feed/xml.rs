//! XML as a stream: a large document is walked element by element, and the
//! small ones of interest are taken out as trees. Document types are refused,
//! so that no entity is declared, let alone expanded.

use std::io::BufRead;

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

/// How deep elements may nest.
const MOST_LEVELS: usize = 128;
/// Elements of one tree.
const MOST_ELEMENTS: usize = 2_000_000;
/// Attributes of one element.
const MOST_ATTRIBUTES: usize = 64;
/// Bytes between two elements, and of one tree's texts.
const TEXT_LIMIT: usize = 64 << 20;

/// One element with all that is in it. Names are without their prefix.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// Its own text, trimmed.
    pub(crate) text: String,
    pub(crate) children: Vec<Tree>,
}

impl Tree {
    /// The value of an attribute; empty when there is none.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        let mut all = self.attributes.iter();
        all.find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    /// The children of a name.
    pub(crate) fn all<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t Tree> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Tree> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of a name; empty when there is none.
    pub(crate) fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| &child.text)
    }
}

/// Walks a document. `wanted` is asked of every element outside of trees, by
/// its name and those of all that it lies in, from the outermost on; where it
/// says yes, `each` gets the whole element as a tree.
///
/// # Errors
/// When the document is no XML, is cut off, declares a document type, or has an
/// entity that is none of the five that XML knows.
pub(crate) fn walk(
    input: impl BufRead,
    wanted: impl Fn(&[String]) -> bool,
    each: &mut dyn FnMut(Tree) -> Result<(), String>,
) -> Result<(), String> {
    let mut reader = Reader::from_reader(input);
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    let mut path: Vec<String> = Vec::new();
    // The elements of the tree that is being built, from its top down.
    let mut open: Vec<Tree> = Vec::new();
    let (mut elements, mut texts) = (0, 0);
    let mut is_begun = false;
    loop {
        buffer.clear();
        let at = reader.buffer_position();
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|error| format!("byte {}: {error}", reader.error_position()))?;
        let failed = |what: &str| format!("byte {at}: {what}");
        match event {
            Event::Start(tag) => {
                if path.is_empty() && is_begun {
                    return Err(failed("there is a second element on top"));
                }
                is_begun = true;
                if path.len() == MOST_LEVELS {
                    return Err(failed(&format!(
                        "elements are nested more than {MOST_LEVELS} levels deep"
                    )));
                }
                let name = tag.local_name().into_inner().to_owned();
                path.push(name.clone());
                if open.is_empty() {
                    if !wanted(&path) {
                        continue;
                    }
                    (elements, texts) = (0, 0);
                }
                elements += 1;
                if elements > MOST_ELEMENTS {
                    return Err(failed(&format!(
                        "an element holds more than {MOST_ELEMENTS} others"
                    )));
                }
                open.push(Tree {
                    attributes: attributes(&tag).map_err(|why| failed(&why))?,
                    name,
                    ..Tree::default()
                });
            }
            Event::End(_) => {
                path.pop();
                let Some(mut done) = open.pop() else { continue };
                done.text = done.text.trim().to_owned();
                match open.last_mut() {
                    Some(above) => above.children.push(done),
                    None => each(done).map_err(|why| failed(&why))?,
                }
            }
            Event::Text(text) => add(&mut open, &mut texts, &text).map_err(|why| failed(&why))?,
            Event::CData(text) => add(&mut open, &mut texts, &text).map_err(|why| failed(&why))?,
            Event::GeneralRef(entity) => {
                let letter = entity.resolve_char_ref().ok().flatten().map(String::from);
                let known = quick_xml::escape::resolve_xml_entity(&entity).map(str::to_owned);
                let letter = letter.or(known).ok_or_else(|| {
                    failed(&format!("the entity `&{};` is not declared", &*entity))
                })?;
                add(&mut open, &mut texts, &letter).map_err(|why| failed(&why))?;
            }
            Event::DocType(_) => return Err(failed("document types are refused")),
            Event::Eof => {
                return match path.last() {
                    Some(name) => Err(format!("it ends within `{name}`: it was cut off")),
                    None if !is_begun => Err("it has no element".to_owned()),
                    None => Ok(()),
                };
            }
            _ => {}
        }
    }
}

fn add(open: &mut [Tree], texts: &mut usize, text: &str) -> Result<(), String> {
    let Some(last) = open.last_mut() else {
        return Ok(());
    };
    *texts += text.len();
    if *texts > TEXT_LIMIT {
        return Err(format!(
            "an element has more than {TEXT_LIMIT} bytes of text"
        ));
    }
    last.text.push_str(text);
    Ok(())
}

fn attributes(tag: &BytesStart<'_>) -> Result<Vec<(String, String)>, String> {
    let mut attributes = Vec::new();
    // Its check for two of one name compares each with all before it.
    for one in tag.attributes().with_checks(false) {
        let one = one.map_err(|error| error.to_string())?;
        if attributes.len() == MOST_ATTRIBUTES {
            return Err(format!(
                "an element has more than {MOST_ATTRIBUTES} attributes"
            ));
        }
        let value = quick_xml::escape::unescape(&one.value).map_err(|error| error.to_string())?;
        let name = one.key.local_name().into_inner().to_owned();
        attributes.push((name, value.into_owned()));
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(text: &str) -> Result<Vec<Tree>, String> {
        let mut trees = Vec::new();
        let wanted = |path: &[String]| path.last().is_some_and(|name| name == "update");
        walk(text.as_bytes(), wanted, &mut |tree| {
            trees.push(tree);
            Ok(())
        })?;
        Ok(trees)
    }

    #[test]
    fn the_wanted_elements_come_as_trees() {
        let text = "<?xml version=\"1.0\"?><updates><x:update a=\"1 &amp; 2\"><id>A &lt; B</id>\
                    <b/><![CDATA[ <raw> ]]></x:update><other>x</other><update/></updates>";
        let trees = walked(text).unwrap();
        assert_eq!(trees.len(), 2);
        assert_eq!(trees[0].attribute("a"), "1 & 2");
        assert_eq!(trees[0].text_of("id"), "A < B");
        assert_eq!(trees[0].text, "<raw>");
        assert_eq!(trees[0].children.len(), 2);
    }

    #[test]
    fn bombs_and_cuts_are_refused() {
        for (text, want) in [
            (
                "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><updates/>".to_owned(),
                "document types are refused",
            ),
            (
                "<updates><update>&a;</update></updates>".to_owned(),
                "the entity `&a;` is not declared",
            ),
            ("<updates><update><id>A".to_owned(), "it was cut off"),
            ("<a/><b/>".to_owned(), "a second element on top"),
            (String::new(), "it has no element"),
            ("<html><p></html>".to_owned(), "byte "),
            ("<a>".repeat(1000), "nested more than 128"),
        ] {
            let error = walked(&text).unwrap_err();
            assert!(error.contains(want), "{text}: {error}");
        }
    }
}
