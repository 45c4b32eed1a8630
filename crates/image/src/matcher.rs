//! Which analysers want an entry: every interest compiled into one look-up.
//!
//! An image has hundreds of thousands of entries and a few hundred of them
//! matter, so the common answer, "nobody", has to cost next to nothing.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use crate::{
    Analyser, EntryKind, Interest, Need,
    paths::{ancestors, split},
};

/// Index of an analyser in its [`Matcher`].
pub(crate) type Index = u16;

/// FNV-1a over short, trusted keys: the tables hold our own constants, and an
/// outsider who finds colliding look-ups gains nothing but misses.
#[derive(Clone, Copy)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xCBF2_9CE4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut step = |value: u64| {
            self.0 = (self.0 ^ value)
                .wrapping_mul(0x0000_0100_0000_01B3)
                .rotate_left(23);
        };
        words
            .iter()
            .for_each(|word| step(u64::from_le_bytes(*word)));
        if rest.is_empty() {
            return;
        }
        // The end counts by its last eight bytes, of which the last word may
        // have had some, and the length: one step in place of seven.
        match bytes.last_chunk::<8>() {
            Some(last) => {
                let length = (bytes.len() as u64).rotate_right(8);
                step(u64::from_le_bytes(*last) ^ length);
            }
            None => rest.iter().for_each(|byte| step(u64::from(*byte))),
        }
    }
}

type Map<V> = HashMap<&'static str, V, BuildHasherDefault<Fnv>>;

/// Who wants files of one name.
#[derive(Default)]
struct Named {
    anywhere: Vec<Index>,
    /// Only below these directories.
    below: Vec<(&'static str, Index)>,
}

/// Who wants files of one directory.
#[derive(Default)]
struct Inside {
    /// These paths.
    paths: Vec<(&'static str, Index)>,
    /// Names that end so.
    suffixes: Vec<(&'static str, Index)>,
}

/// All interests of a set of analysers.
pub(crate) struct Matcher<'a> {
    analysers: &'a [&'static dyn Analyser],
    /// By the last component of the path.
    names: Map<Named>,
    /// By the directory.
    dirs: Map<Inside>,
    suffixes: Map<Vec<Index>>,
    magics: Vec<(&'static [u8], Index)>,
    set_id: Vec<Index>,
    capability: Vec<Index>,
    /// Who wants every regular file.
    any: Vec<Index>,
    /// Paths of a second pass, with the analysers that want them.
    extra: HashMap<String, Vec<Index>>,
    fingerprint: String,
}

/// What is known of an entry when the question is asked.
pub(crate) struct Asked<'e> {
    pub(crate) path: &'e str,
    pub(crate) kind: EntryKind,
    pub(crate) mode: u32,
    pub(crate) has_capability: bool,
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(analysers: &'a [&'static dyn Analyser]) -> Self {
        let mut matcher = Matcher {
            analysers,
            names: Map::default(),
            dirs: Map::default(),
            suffixes: Map::default(),
            magics: Vec::new(),
            set_id: Vec::new(),
            capability: Vec::new(),
            any: Vec::new(),
            extra: HashMap::new(),
            fingerprint: String::new(),
        };
        for (index, analyser) in analysers.iter().enumerate() {
            let index = Index::try_from(index).unwrap_or(Index::MAX);
            for interest in analyser.interests() {
                matcher.add(*interest, index);
            }
        }
        let mut names: Vec<String> = analysers
            .iter()
            .map(|one| format!("{}@{}", one.name(), one.version()))
            .collect();
        names.sort();
        matcher.fingerprint = names.join(",");
        matcher
    }

    fn add(&mut self, interest: Interest, index: Index) {
        match interest {
            Interest::Path(path) => {
                let inside = self.dirs.entry(split(path).0).or_default();
                inside.paths.push((path, index));
            }
            Interest::Name(name) => self.names.entry(name).or_default().anywhere.push(index),
            Interest::Suffix(suffix) => self.suffixes.entry(suffix).or_default().push(index),
            Interest::In { dir, suffix } => {
                let inside = self.dirs.entry(dir).or_default();
                inside.suffixes.push((suffix, index));
            }
            Interest::Below { dir, name } => {
                self.names.entry(name).or_default().below.push((dir, index));
            }
            Interest::Magic(magic) => self.magics.push((magic, index)),
            Interest::SetId => self.set_id.push(index),
            Interest::Capability => self.capability.push(index),
            Interest::Any => self.any.push(index),
        }
    }

    /// The same analysers, wanting these paths only: for a second pass.
    pub(crate) fn only(&self, wanted: &[(Index, String)]) -> Matcher<'a> {
        let mut matcher = Matcher::new(&[]);
        matcher.analysers = self.analysers;
        for (index, path) in wanted {
            matcher.extra.entry(path.clone()).or_default().push(*index);
        }
        matcher
    }

    pub(crate) fn analyser(&self, index: Index) -> Option<&'static dyn Analyser> {
        self.analysers.get(usize::from(index)).copied()
    }

    pub(crate) fn index_of(&self, name: &str) -> Option<Index> {
        let at = self
            .analysers
            .iter()
            .position(|analyser| analyser.name() == name)?;
        Index::try_from(at).ok()
    }

    pub(crate) fn need(&self, index: Index) -> Need {
        self.analyser(index).map_or(Need::Header, Analyser::need)
    }

    /// Names and versions of all analysers: part of a cache's key.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Every path that an analyser wants by its full name.
    pub(crate) fn exact_paths(&self) -> impl Iterator<Item = (&'static str, Index)> {
        self.dirs.values().flat_map(|inside| &inside.paths).copied()
    }

    /// Whether somebody wants files for more than their path.
    pub(crate) fn wants_header(&self) -> bool {
        self.wants_magic()
            || self.wants_any()
            || !self.set_id.is_empty()
            || !self.capability.is_empty()
    }

    /// Whether somebody wants every regular file.
    pub(crate) fn wants_any(&self) -> bool {
        !self.any.is_empty()
    }

    /// Whether somebody wants files for their first bytes.
    pub(crate) fn wants_magic(&self) -> bool {
        !self.magics.is_empty()
    }

    /// Who wants the entry for its path; in `out`, sorted.
    pub(crate) fn by_path(&self, path: &str, out: &mut Vec<Index>) {
        let (dir, name) = split(path);
        if let Some(named) = self.names.get(name) {
            out.extend(&named.anywhere);
            let inside = |dir: &str| ancestors(path).any(|ancestor| ancestor == dir);
            let below = named.below.iter().filter(|(dir, _)| inside(dir));
            out.extend(below.map(|(_, at)| at));
        }
        if let Some(inside) = self.dirs.get(dir) {
            let paths = inside.paths.iter().filter(|(own, _)| *own == path);
            out.extend(paths.map(|(_, at)| at));
            let suffixes = inside.suffixes.iter();
            let suffixes = suffixes.filter(|(suffix, _)| name.ends_with(suffix));
            out.extend(suffixes.map(|(_, at)| at));
        }
        if !self.suffixes.is_empty() {
            for (at, _) in name.match_indices('.') {
                if let Some(all) = name.get(at..).and_then(|suffix| self.suffixes.get(suffix)) {
                    out.extend(all);
                }
            }
        }
        if !out.is_empty() {
            self.keep_wanted(path, out);
        }
        // A second pass reads a link's target under the name of the link.
        if !self.extra.is_empty()
            && let Some(all) = self.extra.get(path)
        {
            out.extend(all);
        }
    }

    fn keep_wanted(&self, path: &str, out: &mut Vec<Index>) {
        out.retain(|at| self.analyser(*at).is_some_and(|one| one.wants(path)));
    }

    /// Who wants the entry for all that its header says; in `out`, sorted and
    /// without repeats.
    pub(crate) fn by_header(&self, entry: &Asked<'_>, out: &mut Vec<Index>) {
        self.by_path(entry.path, out);
        if entry.kind == EntryKind::File {
            if entry.mode & 0o6000 != 0 {
                out.extend(&self.set_id);
            }
            if entry.has_capability {
                out.extend(&self.capability);
            }
            let any = self.any.iter().copied();
            let wants = |at: &Index| self.analyser(*at).is_some_and(|one| one.wants(entry.path));
            out.extend(any.filter(wants));
        }
        if out.len() > 1 {
            out.sort_unstable();
            out.dedup();
        }
    }

    /// Who else wants the file at `path`, which starts like this.
    pub(crate) fn by_magic(&self, path: &str, first: &[u8], out: &mut Vec<Index>) {
        for (magic, index) in &self.magics {
            let starts = first.starts_with(magic) && !out.contains(index);
            if starts && self.analyser(*index).is_some_and(|one| one.wants(path)) {
                out.push(*index);
            }
        }
        out.sort_unstable();
    }
}
