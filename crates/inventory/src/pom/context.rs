//! One project with everything that it inherits: its properties, and the
//! versions that it manages (Maven, "Introduction to the POM" and "Introduction
//! to the Dependency Mechanism").

use std::{
    cell::{Cell, OnceCell},
    collections::{HashMap, HashSet},
    ptr,
    rc::Rc,
};

use super::{
    Project,
    model::{Dependency, Model, Parent, Part, Place, Value},
};
use crate::text::list;

/// Bytes of a value with all its properties put in.
const MOST_VALUE: usize = 4096;
/// How deep properties may lead to others, and how many may be put into one
/// value.
const MOST_LEVELS: usize = 32;
const MOST_PROPERTIES: usize = 1000;
/// How deep a project may inherit or import.
pub(super) const MOST_PARENTS: usize = 64;

/// A value with its properties put in, and the place where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) text: String,
    pub(super) place: Place,
}

/// Why a value is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// Nothing in the project gives this property a value.
    Property(String),
    /// A property leads back to itself.
    Cycle(String),
    /// It grows beyond a limit.
    Limit,
}

/// What a version is looked up by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) kind: String,
    pub(super) classifier: String,
}

/// What is managed of a dependency.
#[derive(Clone, Debug)]
pub(super) struct Managed {
    pub(super) version: Result<Known, Unknown>,
    pub(super) scope: String,
}

/// A project with its parents.
pub(super) struct Context<'p, 'v> {
    project: &'p Project<'v>,
    /// The project, its parent, and so on up.
    lineage: Vec<&'p Model<'v>>,
    /// Why it goes no further up.
    pub(super) end: End<'v>,
    /// What counts, the project's own before its parent's.
    pub(super) parts: Vec<&'p Part<'v>>,
    properties: HashMap<&'v str, Value<'v>>,
    /// Properties that count before those.
    options: Option<&'p HashMap<&'v str, Value<'v>>>,
    /// Managed ones whose name is made of properties: place among the parts.
    by_property: HashMap<(String, String), Vec<(usize, &'p Dependency<'v>)>>,
    /// Projects that are imported.
    imports: Vec<Rc<Context<'p, 'v>>>,
    /// How deep these import others.
    depth: usize,
    /// Projects that it inherits or imports and that are not here.
    pub(super) outside: Vec<Outside>,
    /// These as a message lists them: all, and the parents.
    listed: [OnceCell<Rc<str>>; 2],
}

/// Where a line of parents ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End<'v> {
    /// With a project that has no parent.
    Root,
    /// With a project whose parent is not here.
    Outside(Parent<'v>),
    /// With one that is in the line already, or too far up.
    Cycle,
}

/// A project that is not here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Outside {
    pub(super) is_parent: bool,
    /// `group:artifact:version`.
    pub(super) name: String,
}

impl std::fmt::Display for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

/// What all contexts of a run may cost together.
#[derive(Debug)]
pub(super) struct Budget(Cell<u64>);

impl Budget {
    pub(super) fn new(steps: u64) -> Self {
        Budget(Cell::new(steps))
    }

    /// Takes from it; `false` when nothing is left.
    pub(super) fn take(&self, steps: usize) -> bool {
        let left = self.0.get().saturating_sub(steps as u64);
        self.0.set(left);
        left > 0
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

/// The contexts of projects that others import, each made once.
pub(super) struct Contexts<'p, 'v> {
    pub(super) project: &'p Project<'v>,
    /// Nothing while it is being made: it imports itself.
    made: HashMap<usize, Option<Rc<Context<'p, 'v>>>>,
}

impl<'p, 'v> Contexts<'p, 'v> {
    pub(super) fn new(project: &'p Project<'v>) -> Self {
        Contexts {
            project,
            made: HashMap::new(),
        }
    }

    fn get(&mut self, at: usize, level: usize) -> Option<Rc<Context<'p, 'v>>> {
        if let Some(made) = self.made.get(&at) {
            return made.clone();
        }
        self.made.insert(at, None);
        let context = Context::bare(self.project, at, None).whole(self, level);
        let context = Rc::new(context);
        self.made.insert(at, Some(Rc::clone(&context)));
        Some(context)
    }
}

impl<'p, 'v> Context<'p, 'v> {
    /// The context of a model, without what it manages; of one with a profile
    /// that is not active of itself, when `profile` is given.
    pub(super) fn bare(project: &'p Project<'v>, at: usize, profile: Option<&'p Part<'v>>) -> Self {
        let (lineage, end) = project.lineage(at);
        let parts: Vec<&Part<'_>> = profile
            .into_iter()
            .chain(lineage.iter().flat_map(|model| model.parts()))
            .collect();
        let mut properties = HashMap::new();
        for part in &parts {
            if !project.budget.take(part.properties.len()) {
                break;
            }
            for (name, value) in &part.properties {
                properties.entry(*name).or_insert(*value);
            }
        }
        let file = project.models.get(at).map(|model| model.file);
        Context {
            project,
            options: file.and_then(|file| project.options(file)),
            lineage,
            end,
            parts,
            properties,
            by_property: HashMap::new(),
            imports: Vec::new(),
            depth: 0,
            outside: Vec::new(),
            listed: Default::default(),
        }
    }

    /// The same with what it manages.
    pub(super) fn whole(mut self, contexts: &mut Contexts<'p, 'v>, level: usize) -> Self {
        if let End::Outside(parent) = self.end {
            let version = self.expand(parent.version);
            let version = version.map_or(parent.version.text.to_owned(), |known| known.text);
            self.outside.push(Outside {
                is_parent: true,
                name: format!("{}:{}:{version}", parent.group, parent.artifact),
            });
        }
        self.names();
        self.import(contexts, level);
        self
    }

    /// Group, artifact and version of the project itself.
    pub(super) fn coordinates(&self) -> Option<(String, String, String)> {
        let text = |name| Some(self.expand(self.word(name)?).ok()?.text);
        Some((text("groupId")?, text("artifactId")?, text("version")?))
    }

    fn names(&mut self) {
        let mut names: HashMap<(String, String), Vec<_>> = HashMap::new();
        for (index, part) in self.parts.iter().enumerate() {
            let all = part.by_property.iter();
            for one in all.filter_map(|at| part.managed.get(*at)) {
                if !self.project.budget.take(1) {
                    return;
                }
                let name = (self.plain(one.group), self.plain(one.artifact));
                if let (Some(group), Some(artifact)) = name {
                    let list = names.entry((group, artifact)).or_default();
                    list.push((index, one));
                }
            }
        }
        self.by_property = names;
    }

    fn import(&mut self, contexts: &mut Contexts<'p, 'v>, level: usize) {
        let mut imports: Vec<Rc<Context<'p, 'v>>> = Vec::new();
        let mut outside = Vec::new();
        let mut seen = HashSet::new();
        for part in &self.parts {
            for one in part.imports.iter().filter_map(|at| part.managed.get(*at)) {
                if !self.project.budget.take(1) {
                    break;
                }
                let key = self.key(one);
                let version = self.expand(one.version);
                let Key {
                    group, artifact, ..
                } = &key;
                let text = version.map_or(one.version.text.to_owned(), |known| known.text);
                let found = self.project.find(group, artifact, &text);
                match found.filter(|_| level < MOST_PARENTS) {
                    Some(at) if seen.insert(at) => {
                        let import = contexts.get(at, level + 1);
                        imports.extend(import.filter(|one| one.depth < MOST_PARENTS));
                    }
                    Some(_) => {}
                    None => outside.push(Outside {
                        is_parent: false,
                        name: format!("{group}:{artifact}:{text}"),
                    }),
                }
            }
        }
        for import in &imports {
            if !self.project.budget.take(import.outside.len()) {
                break;
            }
            outside.extend(import.outside.iter().cloned());
        }
        let depth = imports.iter().map(|import| import.depth + 1).max();
        self.depth = depth.unwrap_or_default();
        self.imports = imports;
        self.outside.extend(outside);
        self.outside.sort();
        self.outside.dedup();
    }

    /// The projects that are not here, or the parents among them, as a message
    /// lists them.
    pub(super) fn elsewhere(&self, only_parents: bool) -> Rc<str> {
        let [all, parents] = &self.listed;
        let listed = if only_parents { parents } else { all };
        let outside = self.outside.iter();
        let outside = outside.filter(|one| one.is_parent || !only_parents);
        let list = || list(outside.map(ToString::to_string)).into();
        Rc::clone(listed.get_or_init(list))
    }

    /// What a dependency goes by.
    pub(super) fn key(&self, one: &Dependency<'v>) -> Key {
        let text = |text: &str| self.plain(text).unwrap_or_else(|| text.to_owned());
        Key {
            group: text(one.group),
            artifact: text(one.artifact),
            kind: text(one.kind),
            classifier: text(one.classifier),
        }
    }

    /// What the project, its parents and its imports manage of a dependency.
    /// What is written counts before all that is imported, and of imports the
    /// first one.
    pub(super) fn managed(&self, key: &Key) -> Option<Managed> {
        // Each is asked once, however many ways lead to it.
        let mut seen = HashSet::new();
        let mut next = vec![self];
        while let Some(context) = next.pop() {
            if !self.project.budget.take(1) {
                return None;
            }
            if !seen.insert(ptr::from_ref(context)) {
                continue;
            }
            let written = context.written(key);
            if written.is_some() {
                return written;
            }
            next.extend(context.imports.iter().rev().map(Rc::as_ref));
        }
        None
    }

    /// What the project and its parents manage of a dependency themselves.
    fn written(&self, key: &Key) -> Option<Managed> {
        let name = (key.group.as_str(), key.artifact.as_str());
        let named = self
            .by_property
            .get(&(key.group.clone(), key.artifact.clone()));
        for (index, part) in self.parts.iter().enumerate() {
            if !self.project.budget.take(1) {
                return None;
            }
            let written = part.by_name.get(&name).into_iter().flatten();
            let written = written.filter_map(|at| part.managed.get(*at));
            let named = named.into_iter().flatten();
            let named = named.filter(|(at, _)| *at == index).map(|(_, one)| *one);
            for one in written.chain(named) {
                if !self.project.budget.take(1) {
                    return None;
                }
                if self.key(one) == *key {
                    return Some(Managed {
                        version: self.expand(one.version),
                        scope: self.plain(one.scope).unwrap_or_default(),
                    });
                }
            }
        }
        None
    }

    /// A text with its properties put in, where they are known.
    pub(super) fn plain(&self, text: &str) -> Option<String> {
        if !text.contains("${") {
            return Some(text.to_owned());
        }
        let value = Value {
            text,
            place: Place::default(),
        };
        self.expand(value).ok().map(|known| known.text)
    }

    /// A value with its properties put in. Its place is that of the property,
    /// when it is nothing but one.
    pub(super) fn expand(&self, value: Value<'_>) -> Result<Known, Unknown> {
        let mut left = MOST_PROPERTIES;
        self.expand_below(value, &mut Vec::new(), &mut left)
    }

    fn expand_below(
        &self,
        value: Value<'_>,
        above: &mut Vec<String>,
        left: &mut usize,
    ) -> Result<Known, Unknown> {
        let mut text = String::new();
        // Where the text is written, when all of it is one property's.
        let mut place = None;
        let mut is_own = false;
        let mut rest = value.text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                break;
            };
            is_own |= !before.is_empty();
            text.push_str(before);
            rest = after;
            if !self.project.budget.take(1) || text.len() > MOST_VALUE {
                return Err(Unknown::Limit);
            }
            *left = left.checked_sub(1).ok_or(Unknown::Limit)?;
            if above.iter().any(|one| one == name) {
                return Err(Unknown::Cycle(name.to_owned()));
            }
            if above.len() == MOST_LEVELS {
                return Err(Unknown::Limit);
            }
            let found = self.lookup(name);
            let found = found.ok_or_else(|| Unknown::Property(name.to_owned()))?;
            above.push(name.to_owned());
            let known = self.expand_below(found, above, left)?;
            above.pop();
            text.push_str(&known.text);
            if !known.text.is_empty() {
                place.get_or_insert(known.place);
            }
        }
        is_own |= !rest.is_empty();
        text.push_str(rest);
        if text.len() > MOST_VALUE {
            return Err(Unknown::Limit);
        }
        Ok(Known {
            text,
            place: place.filter(|_| !is_own).unwrap_or(value.place),
        })
    }

    /// What a property stands for: the project's own words under `project.` (or
    /// `pom.`), then options, then properties, then the project's own words under no name.
    fn lookup(&self, name: &str) -> Option<Value<'v>> {
        let own = name
            .strip_prefix("project.")
            .or_else(|| name.strip_prefix("pom."));
        own.and_then(|name| self.word(name))
            .or_else(|| self.options?.get(name).copied())
            .or_else(|| self.properties.get(name).copied())
            .or_else(|| self.word(name))
    }

    fn word(&self, name: &str) -> Option<Value<'v>> {
        let model = self.lineage.first()?;
        let parent = model.parent.as_ref();
        let of_parent = |text: &'v str| Value {
            text,
            place: Place::default(),
        };
        let value = match name {
            "groupId" => match model.group.text {
                "" => of_parent(parent?.group),
                _ => model.group,
            },
            "artifactId" => model.artifact,
            "version" => match model.version.text {
                "" => parent?.version,
                _ => model.version,
            },
            "packaging" => model.packaging,
            "parent.groupId" => of_parent(parent?.group),
            "parent.artifactId" => of_parent(parent?.artifact),
            "parent.version" => parent?.version,
            _ => return None,
        };
        (!value.text.is_empty()).then_some(value)
    }
}
