//! yarn.lock: of Yarn 1 (`@yarnpkg/lockfile`) and of Yarn 2 and later
//! (`@yarnpkg/parsers`, Syml), which say of packages what `package.json` beside
//! them does not say and the other way round.

use std::{borrow::Cow, collections::HashMap};

use seawall_model::{GapKind, Hash, HashAlgorithm, Span};
use serde::Deserialize;

use crate::{
    declared::{Declarations, Declared, git, lock_file, span_of},
    integrity::integrity,
    json,
    links::Links,
    manifest::{self, Asked, Manifest},
    npm,
};

lock_file!(
    "yarn-lock",
    "npm",
    [Interest::Name("yarn.lock")],
    parse,
    [&PackageJson],
    |view, inventory| manifest::relations(
        view,
        inventory,
        ("yarn-lock", "package-json", "package.json")
    )
);

manifest::manifest!(PackageJson, "package-json", "package.json", package_json);

/// The newest version of the format of Yarn 2 and later that is known.
const NEWEST: u32 = 10;

/// What package.json asks for (npm, "package.json").
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Project<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dependencies: Ranges<'a>,
    #[serde(borrow)]
    dev_dependencies: Ranges<'a>,
    #[serde(borrow)]
    optional_dependencies: Ranges<'a>,
}

/// Names and ranges.
#[derive(Default)]
struct Ranges<'a>(Vec<(json::Key<'a>, json::Key<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Ranges<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::pairs(deserializer).map(Ranges)
    }
}

fn package_json(text: &str, out: &mut Manifest) {
    let Ok(project) = serde_json::from_str::<Project<'_>>(text) else {
        return;
    };
    out.named(project.name.as_deref().unwrap_or_default());
    let optional = &project.optional_dependencies.0;
    for (kind, is_development, is_optional) in [
        (&project.dependencies.0, false, false),
        (&project.dev_dependencies.0, true, false),
        (optional, false, true),
    ] {
        for (name, range) in kind {
            out.push(Asked {
                name: &name.0,
                range: &range.0,
                is_development,
                is_optional,
            });
        }
    }
}

/// One entry: what it answers to, and what that is.
#[derive(Default)]
struct Entry<'a> {
    span: Span,
    asked: Vec<&'a str>,
    version: &'a str,
    /// Yarn 1: the address that it comes from.
    resolved: &'a str,
    /// Yarn 2 and later: `name@protocol:reference`.
    resolution: &'a str,
    hashes: Vec<Hash>,
    needs: Vec<(&'a str, &'a str)>,
}

/// What the lines so far say of the file.
#[derive(Default)]
struct State<'a> {
    entries: Vec<Entry<'a>>,
    is_known: bool,
    /// The key at the second level whose lines follow.
    section: &'a str,
    is_metadata: bool,
    has_metadata: bool,
    version: Option<u32>,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let mut state = State::default();
    for line in text.lines() {
        state.line(text, line, out);
    }
    if state.version.is_some_and(|version| version > NEWEST) {
        let reason = "its format is newer than what is known of Yarn";
        out.gap(GapKind::Unsupported, reason);
    }
    if !state.is_known {
        return Err("it is no lock file of Yarn: it has no line that one has".to_owned());
    }
    if !text.ends_with('\n') {
        let reason = "its last line has no end: it may have been cut off";
        out.gap(GapKind::Damaged, reason);
    }
    // Since Yarn 2 the project itself is an entry, as is each one of its kind.
    let mut asked = state.entries.iter().flat_map(|entry| &entry.asked);
    let has_root = asked.any(|asked| asked.ends_with("@workspace:."));
    if state.has_metadata && !has_root && !out.is_over() {
        let reason = "it has no entry of the project itself: it may have been cut off";
        out.gap(GapKind::Damaged, reason);
    }
    push(&state.entries, state.has_metadata, out);
    Ok(())
}

impl<'a> State<'a> {
    fn line(&mut self, text: &str, line: &'a str, out: &mut Declarations<'_>) {
        let code = line.trim_start_matches(' ');
        if code.trim_end().is_empty() {
            return;
        }
        if code.starts_with('#') {
            self.is_known |= code.starts_with("# yarn lockfile v");
            return;
        }
        let offset = span_of(text, code).unwrap_or_default().start;
        let known = match line.len() - code.len() {
            0 => self.head(text, code, out),
            2 => self.field(code),
            4 => self.need(code),
            // Of `dependenciesMeta` and the like.
            _ => Some(()),
        };
        if known.is_none() {
            out.problem(offset, "a line is none of a lock file of Yarn");
        }
    }

    /// `"a@^1", b@^2:` in Yarn 1, `"a@npm:^1, a@npm:^2":` since; a long one
    /// stands behind `? ` and its colon in the next line.
    fn head(&mut self, text: &str, code: &'a str, out: &mut Declarations<'_>) -> Option<()> {
        let code = code.trim_end();
        if code == ":" {
            return Some(());
        }
        let keys = match code.strip_prefix("? ") {
            Some(keys) => keys,
            None => code.strip_suffix(':')?,
        };
        self.section = "";
        self.is_metadata = keys == "__metadata";
        if self.is_metadata {
            (self.is_known, self.has_metadata) = (true, true);
            return Some(());
        }
        if !out.has_room(self.entries.len()) {
            return Some(());
        }
        let asked = descriptors(keys);
        npm::split(asked.first()?)?;
        self.entries.push(Entry {
            span: span_of(text, keys).unwrap_or_default(),
            asked,
            ..Entry::default()
        });
        Some(())
    }

    fn field(&mut self, code: &'a str) -> Option<()> {
        let (key, value) = pair(code)?;
        self.section = "";
        if self.is_metadata {
            if key == "version" {
                self.version = value.parse().ok();
            }
            return Some(());
        }
        let entry = self.entries.last_mut()?;
        match key {
            "version" => entry.version = value,
            "resolved" => entry.resolved = value,
            "resolution" => entry.resolution = value,
            "integrity" => entry.hashes = integrity(value),
            // Of the archive that Yarn makes of the package's own, behind the
            // way in which it was packed.
            "checksum" => {
                let hex = value.rsplit('/').next().unwrap_or(value);
                entry.hashes.extend(Hash::new(HashAlgorithm::Sha512, hex));
            }
            _ if value.is_empty() => self.section = key,
            _ => {}
        }
        Some(())
    }

    fn need(&mut self, code: &'a str) -> Option<()> {
        if matches!(self.section, "dependencies" | "optionalDependencies") {
            let need = pair(code).filter(|(_, range)| !range.is_empty())?;
            self.entries.last_mut()?.needs.push(need);
        }
        Some(())
    }
}

/// The descriptors at the head of an entry, each in quotes or all together.
fn descriptors(keys: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = keys;
    while !rest.is_empty() {
        let (one, after) = word(rest, ',');
        // Several in one pair of quotes.
        all.extend(one.split(", ").map(str::trim));
        rest = after.trim_start_matches([',', ' ']);
    }
    all
}

/// The text up to `end`, or in quotes, and what follows.
fn word(text: &str, end: char) -> (&str, &str) {
    match text.strip_prefix('"') {
        // Names and ranges hold no quotes.
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => match text.find(end) {
            Some(at) => text.split_at_checked(at).unwrap_or((text, "")),
            None => (text, ""),
        },
    }
}

/// `key "value"` in Yarn 1, `key: value` since.
fn pair(code: &str) -> Option<(&str, &str)> {
    let code = code.trim_end();
    let (key, rest) = match code.starts_with('"') {
        true => word(code, ' '),
        false => {
            let at = code.find([' ', ':'])?;
            code.split_at_checked(at)?
        }
    };
    let rest = rest.strip_prefix(':').unwrap_or(rest).trim_start();
    // A quote that does not end is a line that was cut off.
    let value = match rest.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => rest,
    };
    (!key.is_empty()).then_some((key, value))
}

/// What an entry is.
struct Found<'a> {
    name: &'a str,
    from: Option<(&'static str, String)>,
}

impl<'a> Entry<'a> {
    /// `None` for a folder of this machine.
    fn found(&self) -> Option<Found<'a>> {
        match self.resolution {
            "" => self.found_by_address(),
            resolution => {
                let (name, reference) = npm::split(resolution)?;
                Found::new(name, reference)
            }
        }
    }

    fn found_by_address(&self) -> Option<Found<'a>> {
        let (name, range) = npm::split(self.asked.first()?)?;
        // An alias.
        if let Some((name, _)) = range.strip_prefix("npm:").and_then(npm::split) {
            return Some(Found { name, from: None });
        }
        let is_git = self.resolved.starts_with("git") || self.resolved.contains(".git#");
        if is_git {
            let from = Some(git(self.resolved, None));
            return Some(Found { name, from });
        }
        if range.starts_with("file:") || range.starts_with("link:") {
            let is_archive = self.resolved.split('#').next();
            return is_archive
                .filter(|path| path.ends_with(".tgz") || path.ends_with(".tar.gz"))
                .map(|_| Found { name, from: None });
        }
        if range.contains("://") || range.contains('/') {
            return Found::new(name, self.resolved.split('#').next().unwrap_or_default());
        }
        Some(Found { name, from: None })
    }
}

impl<'a> Found<'a> {
    fn new(name: &'a str, reference: &'a str) -> Option<Self> {
        let protocol = reference.split(':').next().unwrap_or_default();
        let archive = reference.split("::").next().unwrap_or(reference);
        let is_archive = archive.ends_with(".tgz") || archive.ends_with(".tar.gz");
        match protocol {
            "workspace" | "link" | "portal" | "exec" => None,
            "file" if !is_archive => None,
            _ if reference.contains("#commit=") => {
                let (address, commit) = reference.split_once('#')?;
                let commit = commit.rsplit("commit=").next();
                let from = Some(git(address, commit));
                Some(Found { name, from })
            }
            "http" | "https" => Some(Found {
                name: npm::registry_name(archive).unwrap_or(name),
                from: Some(("download_url", archive.to_owned())),
            }),
            _ => Some(Found { name, from: None }),
        }
    }
}

fn push(entries: &[Entry<'_>], is_new: bool, out: &mut Declarations<'_>) {
    let mut answers = HashMap::new();
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut links = Links::default();
    for (at, entry) in entries.iter().enumerate() {
        for asked in &entry.asked {
            answers.insert(*asked, at);
            // Yarn 1 notes peers of the same name several times over.
            let name = npm::split(asked).map_or(*asked, |(name, _)| name);
            names.entry(name).or_insert(at);
            links.there(name);
        }
        for (name, _) in &entry.needs {
            links.needed(name);
        }
    }
    let all: Vec<Option<Found<'_>>> = entries.iter().map(Entry::found).collect();
    let target = |need: &(&str, &str)| {
        let (name, range) = need;
        let exact = format!("{name}@{range}");
        let at = answers
            .get(exact.as_str())
            .or_else(|| answers.get(format!("{name}@npm:{range}").as_str()))
            .or_else(|| names.get(name))?;
        let found = all.get(*at)?.as_ref()?;
        Some((found.name, entries.get(*at).map(|entry| entry.version)))
    };
    for (entry, found) in entries.iter().zip(&all) {
        let is_address = entry
            .asked
            .first()
            .is_some_and(|asked| asked.contains("://"));
        let needed = if is_new {
            entry.resolution
        } else {
            entry.resolved
        };
        if needed.is_empty() && (is_new || is_address) {
            out.problem(
                entry.span.start,
                "a package does not say where it comes from",
            );
            continue;
        }
        let Some(found) = found else {
            continue;
        };
        if entry.version.is_empty() {
            out.problem(entry.span.start, "a package has no version");
            continue;
        }
        let mut hashes = entry.hashes.clone();
        // Before Yarn 1.10 the digest was a part of the address.
        if hashes.is_empty() && entry.resolution.is_empty() {
            let hex = entry.resolved.rsplit_once('#').map(|(_, hex)| hex);
            hashes.extend(hex.and_then(|hex| Hash::new(HashAlgorithm::Sha1, hex)));
        }
        if found
            .from
            .as_ref()
            .is_some_and(|(key, _)| *key == "vcs_url")
            && entry.resolution.is_empty()
        {
            // What looks like a digest is the revision.
            hashes.clear();
        }
        out.push(&Declared {
            name: found.name,
            version: entry.version,
            span: entry.span,
            from: found.from.clone(),
            hashes,
            requires: out.gather(entry.needs.iter().filter_map(target)),
            ..Declared::default()
        });
        for asked in &entry.asked {
            out.answers(asked, found.name, entry.version);
            // package.json leaves out the protocol that is the default.
            if let Some((name, range)) = npm::split(asked)
                && let Some(range) = range.strip_prefix("npm:")
            {
                out.answers(&format!("{name}@{range}"), found.name, entry.version);
            }
        }
    }
    links.finish(out);
}
