//! conan.lock: the graph of Conan 1 (version 0.4) and the list of Conan 2
//! (version 0.5; Conan, "Lockfiles").

use std::collections::{HashMap, HashSet};

use seawall_model::{Requirement, Span};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    declared::{Declarations, Declared, lock_file, span_of},
    json::{self, Key},
};

lock_file!("conan-lock", "conan", [Interest::Name("conan.lock")], parse);

/// The list of Conan 2, what it builds with, and the graph of Conan 1.
const SECTIONS: [&str; 5] = [
    "requires",
    "build_requires",
    "python_requires",
    "config_requires",
    "graph_lock/*",
];
const GRAPH: usize = 4;

/// A node of the graph.
#[derive(Deserialize)]
struct Locked<'a> {
    #[serde(borrow, rename = "ref")]
    reference: Option<Key<'a>>,
    /// Where its recipe lies, if it is one of the project's own.
    path: Option<&'a RawValue>,
    #[serde(borrow)]
    context: Option<Key<'a>>,
    #[serde(borrow, default)]
    requires: Vec<Key<'a>>,
    #[serde(borrow, default)]
    build_requires: Vec<Key<'a>>,
}

impl Locked<'_> {
    fn reference(&self) -> Option<&str> {
        self.reference.as_ref().map(AsRef::as_ref)
    }
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let sections = json::sections(text, "Conan", &SECTIONS, "", out)?;
    if sections.found.is_empty() {
        return Err("it is no lock file of Conan: it has no `requires` or `graph_lock`".to_owned());
    }
    let (nodes, list): (Vec<_>, Vec<_>) = sections
        .entries
        .iter()
        .partition(|entry| entry.section == GRAPH);
    graph(text, &nodes, out);
    for entry in list {
        match serde_json::from_str::<Key<'_>>(entry.value.get()) {
            Ok(reference) => {
                let is_build = entry.section > 0;
                push(text, &reference.0, entry.value, is_build, None, out);
            }
            Err(_) => {
                let start = span_of(text, entry.value.get()).unwrap_or_default().start;
                out.problem(start, "a reference is no text");
            }
        }
    }
    Ok(())
}

fn graph(text: &str, nodes: &[&json::Entry<'_>], out: &mut Declarations<'_>) {
    let mut all = Vec::new();
    for member in nodes.iter().filter(|entry| entry.group == "nodes") {
        if !out.has_room(all.len()) {
            break;
        }
        if let Some(one) = json::entry::<Locked<'_>>(text, member.value, out) {
            all.push((member, one));
        }
    }
    let by_number: HashMap<&str, &Locked<'_>> = all
        .iter()
        .map(|(member, one)| (member.key.as_ref(), one))
        .collect();
    let is_own = |one: &Locked<'_>| one.path.is_some();
    let direct: HashSet<&str> = all
        .iter()
        .filter(|(_, one)| is_own(one))
        .flat_map(|(_, one)| one.requires.iter().chain(&one.build_requires))
        .map(AsRef::as_ref)
        .collect();
    for (member, one) in &all {
        let Some(reference) = one.reference().filter(|_| !is_own(one)) else {
            continue;
        };
        let requires = one.requires.iter().filter_map(|number| {
            let reference = by_number.get(number.as_ref())?.reference()?;
            let found = Reference::new(reference)?;
            Some((found.name, Some(found.version)))
        });
        let known = Known {
            direct: direct.contains(member.key.as_ref()),
            requires: out.gather(requires),
        };
        let is_build = one.context.as_ref().is_some_and(|it| it.0 == "build");
        push(text, reference, member.value, is_build, Some(known), out);
    }
}

/// What the graph tells of a package and a list does not.
struct Known {
    direct: bool,
    requires: Vec<Requirement>,
}

/// `name/version[@user/channel][#revision[%time]][:package]`.
struct Reference<'a> {
    name: &'a str,
    version: &'a str,
    revision: &'a str,
}

impl<'a> Reference<'a> {
    fn new(text: &'a str) -> Option<Self> {
        let (reference, revision) = text.split_once('#').unwrap_or((text, ""));
        let reference = reference.split('%').next()?;
        let (name, rest) = reference.split_once('/')?;
        let version = rest.split(['@', ':']).next()?;
        (!name.is_empty() && !version.is_empty()).then(|| Reference {
            name,
            version,
            revision: revision.split(['%', ':']).next().unwrap_or_default(),
        })
    }
}

fn push(
    text: &str,
    reference: &str,
    value: &RawValue,
    development: bool,
    known: Option<Known>,
    out: &mut Declarations<'_>,
) {
    let span = span_of(text, reference).or_else(|| span_of(text, value.get()));
    let span = span.unwrap_or_default();
    // A version in brackets is a range that nobody has resolved.
    let Some(one) = Reference::new(reference).filter(|one| !one.version.starts_with('[')) else {
        out.problem(span.start, "a reference has no name or no version");
        return;
    };
    let end = span_of(text, one.version).map_or(span.end, |version| version.end);
    // `0` is what Conan 1 writes where revisions are not used.
    let revision = Some(one.revision).filter(|revision| *revision != "0");
    let (direct, requires) = match known {
        Some(known) => (Some(known.direct), known.requires),
        None => (None, Vec::new()),
    };
    out.push(&Declared {
        name: one.name,
        version: one.version,
        direct,
        development,
        span: Span::new(span.start, end),
        from: revision.map(|revision| ("rrev", revision.to_owned())),
        requires,
        ..Declared::default()
    });
}
