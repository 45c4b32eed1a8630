//! deno.lock, versions 2 to 5 (`deno_lockfile`): packages of npm and of JSR.
//! Version 1, and what older projects import by address, names no packages.

use std::{borrow::Cow, collections::HashMap};

use seawall_model::{GapKind, Hash, HashAlgorithm, Span};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{
    declared::{Declarations, Declared, lock_file, span_of},
    integrity::integrity,
    json::{self, Key},
    links::{Links, Reached},
    npm,
};

lock_file!("deno-lock", "npm", [Interest::Name("deno.lock")], parse);

/// The newest version of the format that is known.
const NEWEST: u64 = 5;

const SECTIONS: [&str; 6] = [
    "specifiers",
    "jsr",
    "npm",
    "packages",
    "workspace",
    "remote",
];

/// An object's entries, not looked into.
#[derive(Default)]
struct Entries<'a>(Vec<(Key<'a>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::pairs(deserializer).map(Entries)
    }
}

/// One package.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Package<'a> {
    #[serde(borrow)]
    integrity: Cow<'a, str>,
    /// Keys of other packages, since version 4 in a list and without the
    /// version where there is one of the name alone.
    #[serde(borrow)]
    dependencies: Option<&'a RawValue>,
    #[serde(borrow)]
    optional_dependencies: Option<&'a RawValue>,
}

/// What the project's own manifests ask for.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Project<'a> {
    #[serde(borrow)]
    dependencies: Vec<Key<'a>>,
    #[serde(borrow)]
    package_json: Option<&'a RawValue>,
}

struct Locked<'a> {
    /// `name@version`, in npm with the packages that serve as its peers behind
    /// it: `_react@18.2.0`.
    key: Cow<'a, str>,
    is_jsr: bool,
    span: Span,
    hashes: Vec<Hash>,
    needs: Vec<Cow<'a, str>>,
}

#[derive(Default)]
struct Graph<'a> {
    all: Vec<Locked<'a>>,
    /// What is asked for, and what answers to it.
    specifiers: HashMap<Cow<'a, str>, Cow<'a, str>>,
    roots: Vec<Cow<'a, str>>,
    has_roots: bool,
    remote: usize,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let sections = json::sections(text, "Deno", &SECTIONS, "version", out)?;
    let version = sections.number;
    if sections.found.is_empty() && version.is_none() {
        return Err("it is no lock file of Deno: it has no `version`".to_owned());
    }
    if version.is_some_and(|version| version > NEWEST) {
        let reason = "its format is newer than what is known of Deno";
        out.gap(GapKind::Unsupported, reason);
    }
    let mut graph = Graph::default();
    for one in &sections.entries {
        let section = SECTIONS.get(one.section).copied().unwrap_or_default();
        match section {
            "remote" => graph.remote += 1,
            "workspace" => graph.workspace(&one.key, one.value),
            "specifiers" => graph.specifier(one.key.clone(), one.value),
            // Version 3 has all below `packages`, version 2 has npm's packages
            // below `npm.packages`.
            "packages" => graph.below(text, &one.key, one.value, out),
            "npm" if version == Some(2) => {
                let kind = if one.key == "packages" {
                    "npm"
                } else {
                    &one.key
                };
                graph.below(text, kind, one.value, out);
            }
            kind => graph.package(text, kind == "jsr", one.key.clone(), one.value, out),
        }
    }
    graph.push(out);
    if graph.remote > 0 {
        let reason = format!(
            "{} modules are imported by their addresses, not as packages",
            graph.remote
        );
        out.gap(GapKind::Unsupported, &reason);
    }
    Ok(())
}

impl<'a> Graph<'a> {
    fn below(&mut self, text: &str, kind: &str, value: &'a RawValue, out: &mut Declarations<'_>) {
        let Ok(entries) = serde_json::from_str::<Entries<'a>>(value.get()) else {
            let start = span_of(text, value.get()).unwrap_or_default().start;
            out.problem(start, "an entry is no object");
            return;
        };
        for (key, value) in entries.0 {
            match kind {
                "specifiers" => self.specifier(key.0, value),
                kind => self.package(text, kind == "jsr", key.0, value, out),
            }
        }
    }

    fn specifier(&mut self, asked: Cow<'a, str>, value: &'a RawValue) {
        if let Ok(Key(answer)) = serde_json::from_str(value.get()) {
            self.specifiers.insert(asked, answer);
        }
    }

    /// `dependencies`, `packageJson` and `members`, which have both in turn.
    fn workspace(&mut self, key: &str, value: &'a RawValue) {
        self.has_roots = true;
        match key {
            "dependencies" => {
                let roots: Vec<Key<'a>> = serde_json::from_str(value.get()).unwrap_or_default();
                self.roots.extend(roots.into_iter().map(|root| root.0));
            }
            "packageJson" => self.project(value),
            "members" => {
                let members: Entries<'a> = serde_json::from_str(value.get()).unwrap_or_default();
                for (_, member) in members.0 {
                    self.project(member);
                }
            }
            _ => {}
        }
    }

    fn project(&mut self, value: &'a RawValue) {
        let mut next = Some(value);
        // A member's package.json has none below it.
        for _ in 0..2 {
            let Some(project) =
                next.and_then(|value| serde_json::from_str::<Project<'a>>(value.get()).ok())
            else {
                return;
            };
            let roots = project.dependencies.into_iter().map(|root| root.0);
            self.roots.extend(roots);
            next = project.package_json;
        }
    }

    fn package(
        &mut self,
        text: &str,
        is_jsr: bool,
        key: Cow<'a, str>,
        value: &'a RawValue,
        out: &mut Declarations<'_>,
    ) {
        if !out.has_room(self.all.len()) {
            return;
        }
        let span = json::place(text, &key, value);
        let Some(about) = json::entry::<Package<'a>>(text, value, out) else {
            return;
        };
        if npm::split(&key).is_none() {
            out.problem(span.start, "a package has no name or no version");
            return;
        }
        let mut hashes = integrity(&about.integrity);
        // JSR's digests bear no name.
        hashes.extend(Hash::new(HashAlgorithm::Sha256, &about.integrity));
        let lists = [about.dependencies, about.optional_dependencies];
        self.all.push(Locked {
            key,
            is_jsr,
            span,
            hashes,
            needs: lists.into_iter().flatten().flat_map(needs).collect(),
        });
    }

    fn push(&self, out: &mut Declarations<'_>) {
        let mut by_key: HashMap<(bool, &str), usize> = HashMap::new();
        let mut by_name: HashMap<(bool, &str), usize> = HashMap::new();
        for (at, one) in self.all.iter().enumerate() {
            by_key.insert((one.is_jsr, one.key.as_ref()), at);
            let name = npm::split(&one.key).map_or("", |(name, _)| name);
            by_name.entry((one.is_jsr, name)).or_insert(at);
        }
        let find = |is_jsr: bool, key: &str| {
            let exact = by_key.get(&(is_jsr, key));
            exact.or_else(|| by_name.get(&(is_jsr, key))).copied()
        };
        // `npm:chalk@^4`, whose answer is `npm:chalk@4.1.2` before version 4 and
        // `4.1.2` since.
        let asked = |asked: &str| {
            let (scheme, rest) = asked.split_once(':')?;
            let answer = self.specifiers.get(asked).map(AsRef::as_ref)?;
            let is_jsr = scheme == "jsr";
            let (name, _) = npm::split(rest).unwrap_or((rest, ""));
            let plain = answer.split_once(':').map_or(answer, |(_, plain)| plain);
            find(is_jsr, plain).or_else(|| find(is_jsr, &format!("{name}@{answer}")))
        };
        let mut links = Links::default();
        let edges: Vec<Vec<usize>> = self
            .all
            .iter()
            .map(|one| {
                let mut targets = Vec::new();
                for need in &one.needs {
                    let target = match need.split_once(':') {
                        Some((scheme, _)) => {
                            let by_scheme = || find(scheme == "jsr", need.split_once(':')?.1);
                            asked(need).or_else(by_scheme)
                        }
                        None => find(one.is_jsr, need),
                    };
                    match target {
                        Some(target) => targets.push(target),
                        None => links.needed(need),
                    }
                }
                targets
            })
            .collect();
        links.finish(out);
        let roots: Vec<usize> = match self.has_roots {
            true => self.roots.iter().filter_map(|root| asked(root)).collect(),
            false => self
                .specifiers
                .keys()
                .filter_map(|root| asked(root))
                .collect(),
        };
        let reached = Reached::new(&edges, &roots, &[]);
        for (at, one) in self.all.iter().enumerate() {
            let Some((name, version)) = name_and_version(one) else {
                continue;
            };
            let needs = edges.get(at).into_iter().flatten();
            let requires = needs.filter_map(|target| {
                let target = self.all.get(*target)?;
                let (name, version) = name_and_version(target)?;
                Some((name, Some(version)))
            });
            out.push(&Declared {
                kind: one.is_jsr.then_some("jsr"),
                name,
                version,
                direct: Some(reached.is_direct(at)),
                span: one.span,
                hashes: one.hashes.clone(),
                requires: out.gather(requires),
                ..Declared::default()
            });
        }
    }
}

fn name_and_version<'l>(one: &'l Locked<'_>) -> Option<(&'l str, &'l str)> {
    let (name, version) = npm::split(&one.key)?;
    // No version has an underscore: what stands behind one are peers.
    Some((name, version.split('_').next().unwrap_or(version)))
}

/// The keys of a list, or the values of an object of names (before version 4).
fn needs(value: &RawValue) -> Vec<Cow<'_, str>> {
    match serde_json::from_str::<Vec<Key<'_>>>(value.get()) {
        Ok(list) => list.into_iter().map(|key| key.0).collect(),
        Err(_) => {
            let entries = serde_json::from_str::<Entries<'_>>(value.get()).unwrap_or_default();
            let key = |(_, value): (Key<'_>, &'_ RawValue)| {
                serde_json::from_str::<String>(value.get())
                    .ok()
                    .map(Cow::Owned)
            };
            entries.0.into_iter().filter_map(key).collect()
        }
    }
}
