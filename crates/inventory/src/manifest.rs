//! What a project's own manifest asks for, where its lock file does not say
//! which packages the project itself has chosen.

use std::collections::{HashMap, HashSet};

use seawall_image::{Evidence, View};
use seawall_model::{Gap, GapKind, Package};

use crate::{
    Inventory, declared,
    document::{self, Document},
    links::Reached,
    record::{Reader, Writer},
};

/// Bytes of one manifest.
pub(crate) const LIMIT: u64 = 16 << 20;
/// Requirements of one manifest.
const MOST: usize = 100_000;

/// One thing that a manifest asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The name of the package.
    pub(crate) name: &'a str,
    /// Which versions will do, as the manifest writes it; in Python the extra
    /// that it is for.
    pub(crate) range: &'a str,
    /// For development or tests only.
    pub(crate) is_development: bool,
    /// Whether the project goes without it where it is not to be had.
    pub(crate) is_optional: bool,
}

/// Gathers what a manifest asks for.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    out: Writer,
    count: usize,
}

impl Manifest {
    /// Says what the project itself is called: others of the same repository
    /// may ask for it, and get no package.
    pub(crate) fn named(&mut self, name: &str) {
        self.out.push(&["named", name]);
    }

    /// Adds one thing.
    pub(crate) fn push(&mut self, one: Asked<'_>) {
        self.count += 1;
        if self.count <= MOST {
            let flag = |is: bool| if is { "1" } else { "" };
            let (development, optional) = (flag(one.is_development), flag(one.is_optional));
            self.out
                .push(&["asked", one.name, one.range, development, optional]);
        }
    }

    /// The evidence of the file; that it was read is one, whatever it asks for.
    pub(crate) fn finish(mut self) -> Option<Vec<u8>> {
        self.out.push(&["read"]);
        self.out.finish()
    }
}

/// The text of a manifest, without an unresolved merge: that is said of the
/// lock file beside it.
pub(crate) fn text(bytes: &[u8]) -> String {
    let document = Document::new(bytes);
    let mut sides = document.sides().texts;
    match sides.is_empty() {
        true => String::new(),
        false => sides.swap_remove(0).into_owned(),
    }
}

/// Defines the analyser of a manifest: its unit struct, name, file name and
/// reader, which gets the text.
macro_rules! manifest {
    ($struct:ident, $name:literal, $file:literal, $read:path) => {
        pub(crate) struct $struct;

        impl seawall_image::Analyser for $struct {
            fn name(&self) -> &'static str {
                $name
            }

            fn version(&self) -> u32 {
                1
            }

            fn interests(&self) -> &'static [seawall_image::Interest] {
                &[seawall_image::Interest::Name($file)]
            }

            fn need(&self) -> seawall_image::Need {
                seawall_image::Need::Whole($crate::manifest::LIMIT)
            }

            fn analyse(
                &self,
                _: &seawall_image::Entry<'_>,
                body: seawall_image::Body<'_>,
            ) -> Result<Option<Vec<u8>>, String> {
                let text = $crate::manifest::text($crate::text::in_memory(&body)?);
                let mut manifest = $crate::manifest::Manifest::default();
                $read(&text, &mut manifest);
                Ok(manifest.finish())
            }
        }
    };
}
pub(crate) use manifest;

fn own_name(evidence: &Evidence) -> Option<String> {
    let mut all = Reader::new(&evidence.data);
    let named = all.find(|record| record.get(0) == "named")?;
    named.some(1)
}

fn asked(evidence: &Evidence) -> impl Iterator<Item = (String, String, bool, bool)> {
    Reader::new(&evidence.data)
        .filter(|record| record.get(0) == "asked")
        .map(|record| {
            (
                record.get(1).to_owned(),
                record.get(2).to_owned(),
                !record.get(3).is_empty(),
                !record.get(4).is_empty(),
            )
        })
}

/// Says of the packages of each lock file whether the manifest beside it names
/// them, where the lock file does not tell: by the names of both analysers and
/// that of the manifest's file. `key` brings names into the form in which they
/// are compared.
pub(crate) fn direct(
    view: &View,
    inventory: &mut Inventory,
    (lock, manifest, file): (&str, &str, &str),
    key: fn(&str) -> String,
) {
    let manifests: HashMap<&str, &Evidence> = by_path(view, manifest);
    for evidence in view.of(lock) {
        let path = document::beside(&evidence.path, file);
        let Some(manifest) = path.and_then(|path| manifests.get(path.as_str())) else {
            continue;
        };
        let named: HashSet<String> = asked(manifest).map(|(name, ..)| key(&name)).collect();
        for package in packages(inventory, &evidence.path) {
            if package.relation.direct.is_none() {
                package.relation.direct = Some(named.contains(&key(&package.name)));
            }
        }
    }
}

/// Takes back that a package is for development only, where one of the groups
/// that it is locked for is an extra of the manifest beside the lock file: that
/// file does not tell extras from groups of development. It notes the groups of
/// each package as [`group`] writes them.
pub(crate) fn extras(
    view: &View,
    inventory: &mut Inventory,
    (lock, manifest, file): (&str, &str, &str),
) {
    let manifests = by_path(view, manifest);
    for evidence in view.of(lock) {
        let path = document::beside(&evidence.path, file);
        let Some(manifest) = path.and_then(|path| manifests.get(path.as_str())) else {
            continue;
        };
        let extras: HashSet<String> = asked(manifest)
            .filter(|(_, extra, is_development, _)| !extra.is_empty() && !is_development)
            .map(|(_, extra, ..)| group(&extra))
            .collect();
        let productive: HashSet<(&str, &str)> = declared::answers(evidence)
            .filter(|[group, ..]| extras.contains(*group))
            .map(|[_, name, version]| (name, version))
            .collect();
        for package in packages(inventory, &evidence.path) {
            let key = (package.name.as_str(), package.version.as_str());
            package.relation.development &= !productive.contains(&key);
        }
    }
}

/// How a group is noted.
pub(crate) fn group(name: &str) -> String {
    format!("group {name}")
}

fn by_path<'v>(view: &'v View, analyser: &'v str) -> HashMap<&'v str, &'v Evidence> {
    let all = view.of(analyser);
    all.map(|evidence| (evidence.path.as_str(), evidence))
        .collect()
}

fn packages<'i>(
    inventory: &'i mut Inventory,
    path: &'i str,
) -> impl Iterator<Item = &'i mut Package> {
    let all = inventory.packages.iter_mut();
    all.filter(move |package| package.origin.path == path)
}

/// Says of the packages of each lock file of `lock` whether the project chose
/// them and whether they are for development only, by what the manifests at and
/// below its folder ask for and what the packages ask for in turn. The lock
/// file notes what answers to `name@range`.
pub(crate) fn relations(
    view: &View,
    inventory: &mut Inventory,
    (lock, manifest, file): (&str, &str, &str),
) {
    let manifests = by_path(view, manifest);
    let folder = |path: &str| match path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/"),
        None => String::new(),
    };
    let folders: HashSet<String> = view.of(lock).map(|one| folder(&one.path)).collect();
    // A manifest belongs to the nearest lock file above it.
    let mut members: HashMap<String, Vec<&Evidence>> = HashMap::new();
    for (path, evidence) in &manifests {
        let mut above = folder(path);
        while !folders.contains(&above) && !above.is_empty() {
            above = folder(above.trim_end_matches('/'));
        }
        members.entry(above).or_default().push(evidence);
    }
    for evidence in view.of(lock) {
        let root = document::beside(&evidence.path, file);
        let root = root.and_then(|root| manifests.get(root.as_str()));
        let members = members.get(&folder(&evidence.path));
        if let Some((root, members)) = root.zip(members) {
            relate(evidence, root, members, inventory);
        }
    }
}

fn relate(evidence: &Evidence, root: &Evidence, members: &[&Evidence], inventory: &mut Inventory) {
    let mut missing: Vec<String> = Vec::new();
    let (mut direct, mut productive, mut development) = (HashSet::new(), Vec::new(), Vec::new());
    let mut packages: Vec<&mut Package> = packages(inventory, &evidence.path).collect();
    let mut index: HashMap<(String, String), usize> = HashMap::new();
    let mut names: HashMap<String, usize> = HashMap::new();
    for (at, package) in packages.iter().enumerate() {
        let key = (package.name.clone(), package.version.clone());
        index.entry(key).or_insert(at);
        names.entry(package.name.clone()).or_insert(at);
    }
    let answers: HashMap<&str, usize> = declared::answers(evidence)
        .filter_map(|[asked, name, version]| {
            let at = index.get(&(name.to_owned(), version.to_owned()))?;
            Some((asked, *at))
        })
        .collect();
    let known: HashSet<&str> = declared::answers(evidence)
        .map(|[asked, ..]| asked)
        .collect();
    let own: HashSet<String> = members.iter().filter_map(|one| own_name(one)).collect();
    for member in members {
        // Only of the first manifest is it certain that it belongs to the lock
        // file: another one may be an example that is never installed.
        let is_root = member.path == root.path;
        for (name, range, is_development, is_optional) in asked(member) {
            let asked = format!("{name}@{range}");
            let by_name = names.get(&name).filter(|_| is_root);
            match answers.get(asked.as_str()).or(by_name) {
                Some(at) => {
                    direct.insert(*at);
                    match is_development {
                        true => development.push(*at),
                        false => productive.push(*at),
                    }
                }
                None if !is_root || is_optional || own.contains(&name) => {}
                None if known.contains(asked.as_str()) || is_local(&range) => {}
                None => missing.push(asked),
            }
        }
    }
    let edges: Vec<Vec<usize>> = packages
        .iter()
        .map(|package| {
            let one = |wanted: &seawall_model::Requirement| {
                let version = wanted.version.clone().unwrap_or_default();
                let exact = index.get(&(wanted.name.clone(), version));
                exact.or_else(|| names.get(&wanted.name)).copied()
            };
            package.requires.iter().filter_map(one).collect()
        })
        .collect();
    let reached = Reached::new(&edges, &productive, &development);
    for (at, package) in packages.iter_mut().enumerate() {
        package.relation.direct = Some(direct.contains(&at));
        package.relation.development = reached.is_development(at);
    }
    if let Some(first) = missing.iter().min() {
        let reason = format!(
            "`{}` asks for {} packages that it does not list, such as `{first}`: it is out of date \
             or was cut off",
            root.path,
            missing.len()
        );
        let gap = Gap::new(GapKind::Damaged, evidence.path.clone(), reason);
        inventory.gaps.push(gap);
    }
}

/// Whether a range leads to a folder of this machine, which lock files leave
/// out or list without a version.
fn is_local(range: &str) -> bool {
    ["file:", "link:", "portal:", "workspace:", ".", "/", "~/"]
        .iter()
        .any(|start| range.starts_with(start))
}
