//! go.mod (Go Modules Reference, "go.mod files").

use std::collections::{HashMap, HashSet};

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{Gap, GapKind, HashAlgorithm, Package, Span};

use crate::{
    Inventory,
    declared::{self, Declarations, Declared, lock_file, span_of},
    document,
    integrity::base64,
    text,
};

lock_file!(
    "go-mod",
    "golang",
    [Interest::Name("go.mod")],
    parse,
    [&Sums],
    with_sums
);

/// go.sum beside it (Go Modules Reference, "go.sum files").
struct Sums;

impl Analyser for Sums {
    fn name(&self) -> &'static str {
        "go-sum"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("go.sum")]
    }

    fn need(&self) -> Need {
        Need::Whole(declared::LOCK_LIMIT)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(declared::evidence(
            "golang",
            text::in_memory(&body)?,
            parse_sums,
        ))
    }
}

/// What go.mod says of itself that it does not name.
const INCOMPLETE: &str = "no indirect modules";

/// `module version h1:DIGEST`: the digest is SHA-256 of the list of the
/// archive's files and their digests (`dirhash.Hash1`). Lines of `version/go.mod`
/// are of go.mod files that were looked at, not of modules that are used.
fn parse_sums(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (name, version, digest) = match words.as_slice() {
            [] => continue,
            [name, version, digest] => (name, version, digest),
            _ => {
                let offset = span_of(text, line).unwrap_or_default().start;
                out.problem(offset, "a line has too few or too many words");
                continue;
            }
        };
        if version.ends_with("/go.mod") {
            continue;
        }
        let hash = digest.strip_prefix("h1:");
        let hash = hash.and_then(|digest| base64(HashAlgorithm::Sha256, digest));
        out.push(&Declared {
            name,
            version,
            direct: Some(false),
            span: span_of(text, name).unwrap_or_default(),
            hashes: hash.into_iter().collect(),
            ..Declared::default()
        });
    }
    Ok(())
}

/// Adds the digests of go.sum to the modules of the go.mod beside it, and, where
/// that does not name them, the modules that only go.sum knows.
fn with_sums(view: &View, inventory: &mut Inventory) {
    let mut sums = Inventory::default();
    declared::read("go-sum", view, &mut sums);
    let mut by_path: HashMap<&str, Vec<&Package>> = HashMap::new();
    for package in &sums.packages {
        let path = package.origin.path.as_str();
        by_path.entry(path).or_default().push(package);
    }
    for evidence in view.of("go-mod") {
        let path = document::beside(&evidence.path, "go.sum");
        let modules = path.and_then(|path| by_path.remove(path.as_str()));
        let is_incomplete = declared::has_remark(evidence, INCOMPLETE);
        let Some(modules) = modules else {
            if is_incomplete {
                inventory.gaps.push(Gap::new(
                    GapKind::Missing,
                    evidence.path.clone(),
                    "before `go 1.17` a go.mod does not name indirect dependencies, and there is \
                     no go.sum; `go mod tidy -go=1.17` makes it name them",
                ));
            }
            continue;
        };
        add(&evidence.path, &modules, is_incomplete, inventory);
    }
    // What is wrong with a go.sum matters where there is a go.mod.
    inventory.gaps.extend(sums.gaps);
}

fn add(path: &str, modules: &[&Package], is_incomplete: bool, inventory: &mut Inventory) {
    let hashes: HashMap<(&str, &str), &Package> = modules
        .iter()
        .map(|one| ((one.name.as_str(), one.version.as_str()), *one))
        .collect();
    let mut named = HashSet::new();
    let all = inventory.packages.iter_mut();
    for package in all.filter(|package| package.origin.path == path) {
        let known = hashes.get(&(package.name.as_str(), package.version.as_str()));
        if let Some(known) = known {
            package.hashes.clone_from(&known.hashes);
        }
        named.insert(package.name.clone());
    }
    if is_incomplete {
        // Of several versions of a module, which stand in their order, the build
        // takes the newest that any module asks for ("Minimal version selection").
        let newest: HashMap<&str, &Package> = modules
            .iter()
            .filter(|one| !named.contains(&one.name))
            .map(|one| (one.name.as_str(), *one))
            .collect();
        inventory.packages.extend(newest.into_values().cloned());
    }
}

/// The directives that there are.
const VERBS: [&str; 10] = [
    "module",
    "go",
    "toolchain",
    "godebug",
    "require",
    "exclude",
    "replace",
    "retract",
    "tool",
    "ignore",
];

/// A line of a directive, its words without quotes.
struct Line<'a> {
    offset: usize,
    verb: &'a str,
    words: Vec<&'a str>,
    is_indirect: bool,
}

/// Splits a line as Go does: a parenthesis is a word of its own.
fn words(code: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for word in code.split_whitespace() {
        let mut rest = word;
        while let Some(at) = rest.find(['(', ')']) {
            let (before, after) = rest.split_at_checked(at).unwrap_or_default();
            let (sign, after) = after.split_at_checked(1).unwrap_or_default();
            words.extend((!before.is_empty()).then_some(before));
            words.push(sign);
            rest = after;
        }
        words.extend((!rest.is_empty()).then_some(rest));
    }
    for word in &mut words {
        *word = word.trim_matches(['"', '`']);
    }
    words
}

fn lines<'a>(text: &'a str, out: &mut Declarations<'_>) -> Vec<Line<'a>> {
    let mut block: Option<(&str, usize)> = None;
    let mut all = Vec::new();
    for line in text.lines() {
        let offset = span_of(text, line).unwrap_or_default().start;
        let (code, comment) = line.split_once("//").unwrap_or((line, ""));
        let comment = comment.trim();
        let is_indirect = comment == "indirect" || comment.starts_with("indirect;");
        let mut words = words(code);
        match words.as_slice() {
            [] => continue,
            [")"] => {
                block = None;
                continue;
            }
            [verb, "("] if block.is_none() => {
                block = Some((verb, offset));
                continue;
            }
            // `require ()`
            [_, "(", ")"] if block.is_none() => continue,
            _ => {}
        }
        let verb = match block {
            Some((verb, _)) => verb,
            None => words.remove(0),
        };
        if !VERBS.contains(&verb) {
            out.problem(offset, "go.mod has no such directive");
            continue;
        }
        all.push(Line {
            offset,
            verb,
            words,
            is_indirect,
        });
    }
    if let Some((_, offset)) = block {
        out.problem(offset, "a block has no end: the file may have been cut off");
    }
    all
}

/// What modules are replaced by: `old [version] => new [version]`.
type Replaced<'l, 'a> = HashMap<(&'a str, Option<&'a str>), &'l [&'a str]>;

fn replaced<'l, 'a>(all: &'l [Line<'a>], out: &mut Declarations<'_>) -> Replaced<'l, 'a> {
    let mut replaced = HashMap::new();
    for line in all.iter().filter(|line| line.verb == "replace") {
        match line.words.as_slice() {
            [old, "=>", new @ ..] if matches!(new.len(), 1 | 2) => {
                replaced.insert((*old, None), new);
            }
            [old, version, "=>", new @ ..] if matches!(new.len(), 1 | 2) => {
                replaced.insert((*old, Some(*version)), new);
            }
            _ => out.problem(line.offset, "a replacement is none"),
        }
    }
    replaced
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let all = lines(text, out);
    if !all
        .iter()
        .any(|line| matches!(line.verb, "module" | "go" | "require"))
    {
        return Err("it is no go.mod: it has no module, go or require line".to_owned());
    }
    let replaced = replaced(&all, out);
    let mut go = None;
    let mut toolchain = None;
    let mut count = 0;
    for line in &all {
        match (line.verb, line.words.as_slice()) {
            ("go", [version]) => go = Some(*version),
            // `go1.21.3-custom` is Go 1.21.3 of somebody's own making, not what
            // comes before 1.21.3 (Go Toolchains, "Version selection").
            ("toolchain", [name]) => {
                let version = name.strip_prefix("go");
                toolchain = version.and_then(|version| version.split(['-', '+']).next());
            }
            ("require", [name, version]) => {
                count += 1;
                let new = replaced
                    .get(&(*name, Some(*version)))
                    .or_else(|| replaced.get(&(*name, None)));
                let (real_name, real_version) = match new {
                    Some([new, version]) => (*new, *version),
                    // A folder of this machine: other people's advisories say
                    // nothing about it.
                    Some(_) => continue,
                    None => (*name, *version),
                };
                let span = span_of(text, name).zip(span_of(text, version));
                out.push(&Declared {
                    name: real_name,
                    version: real_version,
                    direct: Some(!line.is_indirect),
                    span: span
                        .map(|(name, version)| Span::new(name.start, version.end))
                        .unwrap_or_default(),
                    ..Declared::default()
                });
            }
            ("go" | "toolchain" | "require", _) => {
                let what = format!("a line of `{}` has too few or too many words", line.verb);
                out.problem(line.offset, &what);
            }
            _ => {}
        }
    }
    // The standard library is what the toolchain brings; `go` is the least
    // version that will do.
    if let Some(version) = toolchain.or(go) {
        out.push(&Declared {
            name: "stdlib",
            version,
            direct: Some(true),
            span: span_of(text, version).unwrap_or_default(),
            ..Declared::default()
        });
    }
    // Before Go 1.17 go.mod did not list what direct dependencies need.
    let is_old = go.and_then(minor).is_none_or(|minor| minor < 17);
    if is_old && count > 0 {
        out.remark(INCOMPLETE);
    }
    Ok(())
}

/// `21` of `1.21.3`; a major version other than 1 counts as new.
fn minor(version: &str) -> Option<u32> {
    let mut parts = version.split('.');
    match parts.next()? {
        "1" => {
            let digits: String = parts
                .next()?
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            digits.parse().ok()
        }
        _ => Some(u32::MAX),
    }
}
