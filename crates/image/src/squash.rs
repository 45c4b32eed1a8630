//! Layers laid on each other, over the paths of interest only.
//!
//! No tree of all files is built. What is kept are the files of interest, the
//! symbolic links, and which of them a later layer removes (whiteouts), covers
//! (opaque directories) or replaces (its log of paths).

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::BuildHasherDefault,
};

use crate::{
    Evidence,
    evidence::{FileEvidence, LayerEvidence},
    matcher::{Fnv, Index, Matcher},
    paths::{ancestors, join, resolve_link, split},
};

/// The kernel gives up after so many links too (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// What the layers come to.
#[derive(Debug, Default)]
pub(crate) struct Squashed {
    pub(crate) files: Vec<Evidence>,
    pub(crate) hidden: Vec<Evidence>,
    /// Files of interest that nobody captured because they are known by
    /// another name only: who wants them, and under which name they are.
    pub(crate) unresolved: Vec<Unresolved>,
}

/// A file that is wanted under one name and stored under another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unresolved {
    pub(crate) analyser: Index,
    /// The name that is wanted.
    pub(crate) path: String,
    /// The name that the content is stored under.
    pub(crate) target: String,
    /// The only layer that can hold it; any, for a symbolic link.
    pub(crate) layer: Option<usize>,
}

/// What is visible once some layers lie on each other.
#[derive(Default)]
struct State<'a> {
    /// By canonical path and analyser.
    files: BTreeMap<(String, Index), (usize, &'a FileEvidence)>,
    links: HashMap<String, &'a str, BuildHasherDefault<Fnv>>,
    /// Path, own layer, the layer that hid it.
    hidden: Vec<(String, usize, usize, &'a FileEvidence)>,
    /// The layer that is laid on top.
    upper: usize,
}

/// Lays `layers` on each other, lowest first. Each comes with an index that
/// stands in the result, so that empty layers can be left out.
pub(crate) fn squash(layers: &[&LayerEvidence], matcher: &Matcher<'_>) -> Squashed {
    let mut state = State::default();
    let mut unresolved = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        state.upper = index;
        if index > 0 {
            state.take_away(layer);
        }
        for (path, target) in &layer.symlinks {
            let canonical = state.canonical_parent(path);
            state.links.insert(canonical, target);
        }
        for file in &layer.files {
            let canonical = state.canonical_parent(&file.path);
            state.add(canonical, index, file);
        }
        // Looked up, not searched for: a hostile layer has a million of both.
        let mut same: HashMap<(&str, Index), &FileEvidence> = HashMap::new();
        if !layer.hard_links.is_empty() {
            for file in &layer.files {
                same.entry((&file.path, file.analyser)).or_insert(file);
            }
        }
        for link in &layer.hard_links {
            let canonical = state.canonical_parent(&link.path);
            match same.get(&(link.target.as_str(), link.analyser)) {
                Some(file) => state.add(canonical, index, file),
                None => unresolved.push(Unresolved {
                    analyser: link.analyser,
                    path: canonical,
                    target: link.target.clone(),
                    layer: Some(index),
                }),
            }
        }
    }
    state.finish(matcher, unresolved)
}

impl<'a> State<'a> {
    /// The path with the links in its directories followed. The last component
    /// is left as it is.
    fn canonical_parent(&self, path: &str) -> String {
        if self.links.is_empty() || !ancestors(path).any(|dir| self.links.contains_key(dir)) {
            return path.to_owned();
        }
        let (dir, name) = split(path);
        join(&self.resolve(dir).unwrap_or_else(|| dir.to_owned()), name)
    }

    /// The path with all links followed; `None` in a loop.
    fn resolve(&self, path: &str) -> Option<String> {
        let mut done = String::new();
        let mut left: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut followed = 0;
        while let Some(part) = left.pop() {
            if part.is_empty() {
                continue;
            }
            let here = join(&done, &part);
            let Some(target) = self.links.get(&here) else {
                done = here;
                continue;
            };
            followed += 1;
            if followed > MOST_LINKS {
                return None;
            }
            let target = resolve_link(&done, target);
            left.extend(target.split('/').rev().map(str::to_owned));
            done.clear();
        }
        Some(done)
    }

    fn add(&mut self, path: String, layer: usize, file: &'a FileEvidence) {
        let key = (path, file.analyser);
        if let Some((below, old)) = self.files.insert(key.clone(), (layer, file)) {
            // Within one layer the later name wins and hides nothing.
            if below != layer {
                self.hidden.push((key.0, below, layer, old));
            }
        }
    }

    /// Removes what `layer` removes, covers or replaces.
    fn take_away(&mut self, layer: &LayerEvidence) {
        // Where these lie is decided by what lies below, all of it.
        let whiteouts = layer.whiteouts.iter();
        let whiteouts: Vec<String> = whiteouts.map(|path| self.canonical_parent(path)).collect();
        let opaque = layer.opaque.iter();
        let opaque = opaque.map(|dir| self.resolve(dir).unwrap_or_else(|| dir.clone()));
        let mut below: HashSet<String, BuildHasherDefault<Fnv>> = opaque.collect();
        for path in whiteouts {
            self.remove(&path);
            below.insert(path);
        }
        self.remove_below(&below);
        // Paths that matter, and all above them: a file in the place of any of
        // them takes it away.
        let mut matter: HashSet<&str, BuildHasherDefault<Fnv>> = HashSet::default();
        for path in self
            .files
            .keys()
            .map(|(path, _)| path)
            .chain(self.links.keys())
        {
            matter.insert(path);
            matter.extend(ancestors(path));
        }
        let mut replaced: Vec<(String, bool)> = Vec::new();
        // Entries of one directory stand together: its links are followed once.
        let (mut last_dir, mut last_canonical) = (String::new(), String::new());
        let mut here = String::new();
        layer.paths.for_each(|path, is_dir| {
            let (dir, name) = split(path);
            if dir != last_dir {
                dir.clone_into(&mut last_dir);
                last_canonical = self.resolve(dir).unwrap_or_else(|| dir.to_owned());
            }
            here.clear();
            here.push_str(&last_canonical);
            if !here.is_empty() {
                here.push('/');
            }
            here.push_str(name);
            if matter.contains(here.as_str()) {
                replaced.push((here.clone(), is_dir));
            }
        });
        let mut below = HashSet::default();
        for (path, is_dir) in replaced {
            // A directory replaces a file or a link, and keeps a directory.
            self.remove(&path);
            if !is_dir {
                below.insert(path);
            }
        }
        self.remove_below(&below);
    }

    fn remove(&mut self, path: &str) {
        let keys: Vec<_> = self
            .files
            .range((path.to_owned(), 0)..=(path.to_owned(), Index::MAX))
            .map(|(key, _)| key.clone())
            .collect();
        self.hide(keys);
        self.links.remove(path);
    }

    /// Removes what lies below any of `dirs`: in one pass, since a layer may
    /// remove as many as there are.
    fn remove_below(&mut self, dirs: &HashSet<String, BuildHasherDefault<Fnv>>) {
        if dirs.is_empty() {
            return;
        }
        let is_below = |path: &str| ancestors(path).chain([""]).any(|dir| dirs.contains(dir));
        let keys = self.files.keys().filter(|(path, _)| is_below(path));
        let keys: Vec<_> = keys.cloned().collect();
        self.hide(keys);
        self.links.retain(|path, _| !is_below(path));
    }

    fn hide(&mut self, keys: Vec<(String, Index)>) {
        for key in keys {
            if let Some((layer, file)) = self.files.remove(&key) {
                self.hidden.push((key.0, layer, self.upper, file));
            }
        }
    }

    fn finish(self, matcher: &Matcher<'_>, unresolved: Vec<Unresolved>) -> Squashed {
        let mut squashed = Squashed {
            unresolved,
            ..Squashed::default()
        };
        for (path, index) in matcher.exact_paths() {
            let Some(real) = self.resolve(path) else {
                continue;
            };
            if real == path || real.is_empty() {
                continue;
            }
            // Someone who wants the real name as well has it already.
            if matcher
                .exact_paths()
                .any(|(other, own)| own == index && other == real)
            {
                continue;
            }
            match self.files.get(&(real.clone(), index)) {
                Some((layer, file)) => {
                    squashed
                        .files
                        .extend(evidence(path.to_owned(), *layer, file, matcher));
                }
                None => squashed.unresolved.push(Unresolved {
                    analyser: index,
                    path: path.to_owned(),
                    target: real,
                    layer: None,
                }),
            }
        }
        // A hard link that a later layer covered needs no content.
        squashed.unresolved.retain(|one| {
            one.layer.is_none()
                || self
                    .files
                    .get(&(one.path.clone(), one.analyser))
                    .is_none_or(|(layer, _)| one.layer.is_some_and(|own| own > *layer))
        });
        for ((path, _), (layer, file)) in self.files {
            squashed.files.extend(evidence(path, layer, file, matcher));
        }
        for (path, layer, by, file) in self.hidden {
            let hidden = evidence(path, layer, file, matcher);
            squashed.hidden.extend(hidden.map(|one| Evidence {
                hidden_by: Some(by),
                ..one
            }));
        }
        sort(&mut squashed.files);
        sort(&mut squashed.hidden);
        squashed
    }
}

/// Sorts by path, analyser, layer.
pub(crate) fn sort(files: &mut [Evidence]) {
    files.sort_by(|a, b| (&a.path, a.analyser, a.layer).cmp(&(&b.path, b.analyser, b.layer)));
}

/// A layer's evidence as the view has it.
pub(crate) fn evidence(
    path: String,
    layer: usize,
    file: &FileEvidence,
    matcher: &Matcher<'_>,
) -> Option<Evidence> {
    Some(Evidence {
        path,
        analyser: matcher.analyser(file.analyser)?.name(),
        layer,
        hidden_by: None,
        size: file.size,
        mode: file.mode,
        uid: file.uid,
        gid: file.gid,
        capability: file.capability.clone(),
        data: std::sync::Arc::clone(&file.data),
    })
}
