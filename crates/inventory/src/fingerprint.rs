//! Programs that no package manager speaks of, told by bytes that only they
//! have: what a fingerprint is, which files it is looked for in, and how a
//! program of any size is searched.

use std::{
    collections::HashMap,
    fs::File,
    io,
    ops::Range,
    os::unix::fs::FileExt,
    sync::{LazyLock, OnceLock},
};

use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};
use seawall_image::{Body, Interest};

use crate::{document, purl::Purl};

/// Fingerprints that belong together: the table of one file in
/// `fingerprints/`.
pub(crate) struct Group(pub(crate) &'static [Fingerprint]);

/// One program, and how it is told.
pub(crate) struct Fingerprint {
    /// The purl type, and name with namespace, as Syft writes them:
    /// `generic` and `oracle/openjdk`.
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    /// Ends of paths: whole components, in which `*` stands for any letters.
    pub(crate) paths: &'static [&'static str],
    /// What the file holds, the best first: the first one that is met counts.
    pub(crate) patterns: &'static [Pattern],
    /// The version starts with the number in the file's name: `python3.11`
    /// has 3.11.2.
    pub(crate) numbered: bool,
    /// Bytes that the file has to hold somewhere too.
    pub(crate) with: &'static [&'static str],
    /// Bytes that only other programs with the same pattern hold.
    pub(crate) without: &'static [&'static str],
    /// A file, from the folder of this one, that says the same better: when it
    /// does, this one is not reported.
    pub(crate) beside: Option<&'static str>,
}

/// How bytes tell a version.
pub(crate) struct Pattern {
    /// Bytes that are sought first, because that is fast.
    gate: &'static str,
    /// Where the expression is sought.
    place: Place,
    /// A regular expression over bytes, whose groups joined by dots are the
    /// version. It is bounded: no match is longer than [`LONGEST`].
    expression: &'static str,
}

/// Where an expression is sought.
#[derive(Clone, Copy)]
enum Place {
    /// Anywhere: the gate is a part of every match.
    Around,
    /// At most so many bytes before the gate.
    Before(usize),
    /// At most so many bytes behind it.
    After(usize),
}

impl Pattern {
    /// An expression that has the gate within it.
    pub(crate) const fn holding(gate: &'static str, expression: &'static str) -> Self {
        Pattern {
            gate,
            place: Place::Around,
            expression,
        }
    }

    /// An expression that is met at most so many bytes before the gate.
    pub(crate) const fn before(gate: &'static str, bytes: usize, expression: &'static str) -> Self {
        Pattern {
            gate,
            place: Place::Before(bytes),
            expression,
        }
    }

    /// An expression that is met at most so many bytes behind the gate.
    pub(crate) const fn after(gate: &'static str, bytes: usize, expression: &'static str) -> Self {
        Pattern {
            gate,
            place: Place::After(bytes),
            expression,
        }
    }
}

impl Fingerprint {
    /// One of a program that is told by its pattern alone.
    pub(crate) const PLAIN: Fingerprint = Fingerprint {
        kind: "generic",
        name: "",
        paths: &[],
        patterns: &[],
        numbered: false,
        with: &[],
        without: &[],
        beside: None,
    };

    /// The package URL.
    pub(crate) fn purl(&self, version: &str) -> String {
        match self.name.rsplit_once('/') {
            Some((namespace, name)) if self.kind != "golang" => {
                let purl = Purl::new(self.kind, name, version);
                purl.namespace(namespace).build()
            }
            _ => Purl::new(self.kind, self.name, version).build(),
        }
    }
}

/// Bytes of a file that are searched at a time.
const WINDOW: usize = 1 << 20;
/// Bytes of the window before that are searched again: more than a match and
/// the way to its gate can take.
const OVERLAP: usize = 4096;
/// Bytes of a match. Longer ones would make automata that are slow on bytes
/// made to be so.
#[cfg(test)]
const LONGEST: usize = 600;
/// A fingerprint with its expressions, each made when its gate is first met:
/// that takes longer than searching most files.
struct Known {
    fingerprint: &'static Fingerprint,
    expressions: Vec<OnceLock<Option<Regex>>>,
}

impl Known {
    fn expression(&self, index: usize) -> Option<&Regex> {
        let text = self.fingerprint.patterns.get(index)?.expression;
        let slot = self.expressions.get(index)?;
        slot.get_or_init(|| compile(text).ok()).as_ref()
    }
}

fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .dot_matches_new_line(true)
        .build()
}

/// All fingerprints by the last component of their paths.
struct Table {
    known: Vec<Known>,
    /// Index in `known` and the rest of the path.
    names: HashMap<&'static str, Vec<(usize, &'static str)>>,
    /// Those whose last component has a star.
    stars: Vec<(usize, &'static str)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        known: Vec::new(),
        names: HashMap::new(),
        stars: Vec::new(),
    };
    for fingerprint in all() {
        let index = table.known.len();
        table.known.push(Known {
            fingerprint,
            expressions: fingerprint
                .patterns
                .iter()
                .map(|_| OnceLock::new())
                .collect(),
        });
        for path in fingerprint.paths {
            let name = last(path);
            if name.contains('*') {
                table.stars.push((index, path));
            } else {
                table.names.entry(name).or_default().push((index, path));
            }
        }
    }
    table
});

/// Every fingerprint.
pub(crate) fn all() -> impl Iterator<Item = &'static Fingerprint> {
    crate::fingerprints::ALL.iter().flat_map(|group| group.0)
}

/// First bytes of programs: ELF, and Mach-O of 64 bits.
const MAGICS: [&[u8]; 2] = [b"\x7FELF", b"\xCF\xFA\xED\xFE"];

/// The files to look into: by name, and of names with a star those that are
/// programs.
pub(crate) fn interests() -> &'static [Interest] {
    static INTERESTS: LazyLock<Vec<Interest>> = LazyLock::new(|| {
        let mut names: Vec<&str> = TABLE.names.keys().copied().collect();
        names.sort_unstable();
        let names = names.into_iter().map(Interest::Name);
        names.chain(MAGICS.map(Interest::Magic)).collect()
    });
    &INTERESTS
}

/// Whether a fingerprint is looked for in the file at this path.
pub(crate) fn is_wanted(path: &str) -> bool {
    wanted(path).next().is_some()
}

/// The file that says better what the one at `path` says of this program.
pub(crate) fn better(path: &str, name: &str) -> Option<String> {
    let found = wanted(path).find(|known| known.fingerprint.name == name)?;
    document::beside(path, found.fingerprint.beside?)
}

fn wanted(path: &str) -> impl Iterator<Item = &'static Known> {
    let named = TABLE.names.get(last(path)).into_iter().flatten();
    let mut before = usize::MAX;
    named
        .chain(&TABLE.stars)
        .filter(move |(_, pattern)| matches(pattern, path))
        .filter(move |(index, _)| std::mem::replace(&mut before, *index) != *index)
        .filter_map(|(index, _)| TABLE.known.get(*index))
}

fn last(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Whether the path ends with the components of the pattern.
fn matches(pattern: &str, path: &str) -> bool {
    let mut components = path.rsplit('/');
    pattern
        .rsplit('/')
        .all(|wanted| components.next().is_some_and(|name| fits(wanted, name)))
}

/// Whether a name fits a pattern whose stars stand for any letters.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(start) else {
        return false;
    };
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return left.ends_with(piece);
        }
        match left.split_once(piece) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    true
}

/// Bytes of a file that are in memory at one time. Of all windows but the
/// first one the first byte was seen before.
struct Window<'a> {
    bytes: &'a [u8],
    is_first: bool,
    is_last: bool,
}

/// What a file is told to be.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The programs that it is or holds, with their versions.
    pub(crate) told: Vec<(&'static Fingerprint, String)>,
    /// Those of which no version was met, though not all of it was searched.
    pub(crate) unsure: Vec<&'static Fingerprint>,
}

/// The search for one fingerprint in one file.
struct Search {
    known: &'static Known,
    /// What the version starts with.
    start: String,
    /// The best pattern met so far, and its version.
    best: Option<(usize, String)>,
    with: Vec<bool>,
    is_barred: bool,
    /// Whether some gates were left out.
    is_over: bool,
}

impl Search {
    fn new(known: &'static Known, path: &str) -> Self {
        let fingerprint = known.fingerprint;
        Search {
            known,
            start: if fingerprint.numbered {
                number(last(path))
            } else {
                String::new()
            },
            best: None,
            with: vec![false; fingerprint.with.len()],
            is_barred: false,
            is_over: false,
        }
    }

    fn look(&mut self, window: &Window<'_>) {
        let fingerprint = self.known.fingerprint;
        if self.is_barred {
            return;
        }
        let holds = |bytes: &str| memmem::find(window.bytes, bytes.as_bytes()).is_some();
        self.is_barred = fingerprint.without.iter().any(|bytes| holds(bytes));
        for (is_met, bytes) in self.with.iter_mut().zip(fingerprint.with) {
            *is_met = *is_met || holds(bytes);
        }
        let better = self.best.as_ref().map_or(usize::MAX, |(index, _)| *index);
        for (index, pattern) in fingerprint.patterns.iter().enumerate().take(better) {
            if let Some(version) = self.version(index, pattern, window) {
                self.best = Some((index, version));
                return;
            }
        }
    }

    fn version(&mut self, index: usize, pattern: &Pattern, window: &Window<'_>) -> Option<String> {
        let gate = pattern.gate.as_bytes();
        let end = window.bytes.len();
        let mut gates = memmem::find_iter(window.bytes, gate).peekable();
        gates.peek()?;
        let expression = self.known.expression(index)?;
        if let Place::Around = pattern.place {
            // `\A` does not match behind the first byte.
            return self.version_in(expression, window, usize::from(!window.is_first)..end);
        }
        // Gates that stand close to each other have the same surroundings: these
        // are searched for as many bytes as there are.
        let mut left = end.max(WINDOW);
        for at in gates {
            let behind = at + gate.len();
            let place = match pattern.place {
                Place::Around => at..end,
                Place::Before(bytes) => at.saturating_sub(bytes)..at,
                Place::After(bytes) => behind..end.min(behind + bytes),
            };
            match left.checked_sub(place.len()) {
                Some(rest) => left = rest,
                None => {
                    self.is_over = true;
                    return None;
                }
            }
            if let Some(version) = self.version_in(expression, window, place) {
                return Some(version);
            }
        }
        None
    }

    fn version_in(
        &self,
        expression: &Regex,
        window: &Window<'_>,
        place: Range<usize>,
    ) -> Option<String> {
        let bytes = window.bytes.get(..place.end)?;
        let mut at = place.start;
        loop {
            let found = expression.captures_at(bytes, at)?;
            // The end of the window may have cut it: the next one holds all.
            if !window.is_last && found.get_match().start() > WINDOW {
                return None;
            }
            let mut version = String::new();
            let mut end = at;
            for group in found.iter().skip(1).flatten() {
                if !version.is_empty() {
                    version.push('.');
                }
                version.push_str(std::str::from_utf8(group.as_bytes()).ok()?);
                end = group.end();
            }
            if self.fits(&version) {
                return Some(version);
            }
            at = end.max(at + 1);
        }
    }

    fn fits(&self, version: &str) -> bool {
        if !self.known.fingerprint.numbered {
            return true;
        }
        let rest = version.strip_prefix(&self.start);
        // `python3` says too little.
        self.start.contains('.') && rest.is_some_and(|rest| rest.starts_with('.'))
    }

    /// Whether nothing that comes can change the outcome.
    fn is_done(&self) -> bool {
        self.is_barred
            || (self.known.fingerprint.without.is_empty()
                && matches!(self.best, Some((0, _)))
                && self.with.iter().all(|is_met| *is_met))
    }

    fn finish(self, out: &mut Outcome) {
        if self.is_barred || !self.with.iter().all(|is_met| *is_met) {
            return;
        }
        let fingerprint = self.known.fingerprint;
        match self.best {
            Some((_, version)) => out.told.push((fingerprint, version)),
            None if self.is_over => out.unsure.push(fingerprint),
            None => {}
        }
    }
}

/// The first number in a file's name: `3.11` of `libpython3.11.so.1.0`.
fn number(name: &str) -> String {
    name.chars()
        .skip_while(|letter| !letter.is_ascii_digit())
        .take_while(|letter| letter.is_ascii_digit() || *letter == '.')
        .collect::<String>()
        .trim_end_matches('.')
        .to_owned()
}

/// The programs that the file at `path` is or holds, with their versions. It
/// is searched through a window, whatever its size.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn search(path: &str, body: &Body<'_>) -> io::Result<Outcome> {
    let mut searches: Vec<Search> = wanted(path).map(|known| Search::new(known, path)).collect();
    let look = |searches: &mut [Search], window: &Window<'_>| {
        for search in searches.iter_mut() {
            search.look(window);
        }
        searches.iter().all(Search::is_done)
    };
    match body {
        Body::Bytes(bytes) => {
            let window = Window {
                bytes,
                is_first: true,
                is_last: true,
            };
            look(&mut searches, &window);
        }
        Body::File(file, length) => {
            let mut buffer = vec![0; WINDOW + OVERLAP];
            let mut at = 0;
            while at < *length {
                let some = fill(file, &mut buffer, at)?;
                let window = Window {
                    bytes: buffer.get(..some).unwrap_or_default(),
                    is_first: at == 0,
                    is_last: some < buffer.len(),
                };
                if look(&mut searches, &window) || window.is_last {
                    break;
                }
                at += WINDOW as u64;
            }
        }
    }
    let mut out = Outcome::default();
    for search in searches {
        search.finish(&mut out);
    }
    Ok(out)
}

fn fill(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut have = 0;
    while let Some(rest) = buffer.get_mut(have..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, at + have as u64) {
            Ok(0) => break,
            Ok(some) => have += some,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(have)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn every_expression_is_bounded_and_holds_its_gate() {
        for fingerprint in all() {
            let name = fingerprint.name;
            assert!(!fingerprint.patterns.is_empty(), "{name}");
            assert!(!fingerprint.paths.is_empty(), "{name}");
            for pattern in fingerprint.patterns {
                let (gate, text) = (pattern.gate, pattern.expression);
                assert!(!gate.is_empty(), "{name}");
                let expression = compile(text).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(expression.captures_len() > 1, "{name}: no version");
                let hir = regex_syntax::ParserBuilder::new()
                    .unicode(false)
                    .utf8(false)
                    .dot_matches_new_line(true)
                    .build()
                    .parse(text)
                    .unwrap();
                let most = hir.properties().maximum_len();
                assert!(most.is_some_and(|most| most <= LONGEST), "{name}: {most:?}");
                match pattern.place {
                    Place::Before(most) | Place::After(most) => {
                        assert!(most + LONGEST < OVERLAP, "{name}");
                    }
                    Place::Around => {
                        let least = hir.properties().minimum_len();
                        assert!(least.is_some_and(|least| least > gate.len()), "{name}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_program_stands_in_the_docs() {
        let docs = include_str!("../../../docs/programs.md");
        for fingerprint in all() {
            let url = format!("`pkg:{}/{}`", fingerprint.kind, fingerprint.name);
            let row = docs.lines().find(|line| line.contains(&url));
            let row = row.unwrap_or_else(|| panic!("{url}"));
            for path in fingerprint.paths {
                assert!(row.contains(&format!("`{path}`")), "{url} {path}");
            }
        }
        let rows = docs.lines().filter(|line| line.contains("`pkg:"));
        let names: std::collections::HashSet<_> = all().map(|one| (one.kind, one.name)).collect();
        // One line of the text speaks of them all.
        assert_eq!(
            rows.filter(|line| line.starts_with("| ")).count(),
            names.len()
        );
    }

    #[test]
    fn paths_end_with_the_pattern() {
        assert!(matches("bin/java", "usr/lib/jvm/17/bin/java"));
        assert!(!matches("bin/java", "java"));
        assert!(matches("python*", "usr/bin/python3.11"));
        assert!(matches("lib*core*.so*", "a/libQt5core.so.5"));
        assert!(!matches("lib*core*.so*", "a/libQt5.so.5"));
        assert!(!matches("a*a", "a"));
        assert!(is_wanted("usr/sbin/nginx"));
        assert!(!is_wanted("usr/sbin/nginx.conf"));
        assert_eq!(number("libpython3.11.so.1.0"), "3.11");
    }

    #[test]
    fn a_match_across_windows_is_met_once_the_best_first() {
        let mut file = tempfile::tempfile().unwrap();
        let mut bytes = vec![b'x'; 2 * WINDOW + 77];
        let text = b"\0nginx version: nginx/1.25.1\n\0";
        let at = WINDOW + OVERLAP - 9;
        bytes[at..at + text.len()].copy_from_slice(text);
        file.write_all(&bytes).unwrap();
        let body = Body::File(&file, bytes.len() as u64);
        let found = search("usr/sbin/nginx", &body).unwrap().told;
        let found: Vec<_> = found
            .iter()
            .map(|(one, version)| one.purl(version))
            .collect();
        assert_eq!(found, ["pkg:generic/nginx@1.25.1"]);
    }
}
