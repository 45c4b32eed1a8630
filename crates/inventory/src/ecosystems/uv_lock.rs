//! uv.lock.

use std::collections::{HashMap, HashSet};

use seawall_model::{Hash, Requirement, Span};
use toml_span::Value;

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    links::Links,
    toml,
};

lock_file!("uv-lock", "pypi", [Interest::Name("uv.lock")], parse);

/// The newest version of the format that is known.
const NEWEST: i64 = 1;

/// One package of the lock file, with what it needs.
struct Locked {
    name: String,
    version: String,
    span: Span,
    /// A project of the workspace, or another one on this machine.
    is_own: bool,
    from: Option<(&'static str, String)>,
    hashes: Vec<Hash>,
    needs: Vec<Edge>,
    /// What its extras need besides, by extra.
    extras: HashMap<String, Vec<Edge>>,
    /// What its development groups need.
    development: Vec<Edge>,
}

/// One package that another needs.
#[derive(PartialEq, Eq, Hash)]
struct Edge {
    name: String,
    /// Given where there are several of the name.
    version: Option<String>,
    extras: Vec<String>,
}

fn edges(list: &[Value<'_>]) -> Vec<Edge> {
    let extras = |one| toml::items(one, "extra").iter().filter_map(Value::as_str);
    list.iter()
        .filter_map(|one| {
            Some(Edge {
                name: toml::text(one, "name")?.to_owned(),
                version: toml::text(one, "version").map(str::to_owned),
                extras: extras(one).map(str::to_owned).collect(),
            })
        })
        .collect()
}

fn groups(package: &Value<'_>, key: &str) -> HashMap<String, Vec<Edge>> {
    toml::entries(package, key)
        .map(|(name, list)| {
            let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
            (name.to_owned(), edges(list))
        })
        .collect()
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let mut format = toml::Format::default();
    let mut all = Vec::new();
    let mut development = Vec::new();
    let mut links = Links::default();
    toml::tables(text, out, |table, offset, out| {
        format.look(table, &["version", "package"]);
        let version = toml::get(table, "version").and_then(Value::as_integer);
        format.version(version, NEWEST);
        // Groups of a workspace whose root is no project.
        if let Some(manifest) = toml::get(table, "manifest") {
            let groups = groups(manifest, "dependency-groups");
            development.extend(groups.into_values().flatten());
            for member in toml::items(manifest, "members") {
                links.needed(member.as_str().unwrap_or_default());
            }
        }
        for package in toml::items(table, "package") {
            if out.has_room(all.len()) {
                all.extend(locked(package, offset, out));
            }
        }
    });
    push(&all, &development, out);
    for one in &all {
        links.there(&one.name);
        for edge in &one.needs {
            links.needed(&edge.name);
        }
    }
    links.finish(out);
    format.finish("uv", out)
}

fn locked(package: &Value<'_>, offset: usize, out: &mut Declarations<'_>) -> Option<Locked> {
    let source = toml::get(package, "source");
    let has = |kind: &&str| source.is_some_and(|source| toml::get(source, kind).is_some());
    let is_own = ["virtual", "editable", "directory"].iter().any(has);
    let about = |kind| source.and_then(|source| toml::text(source, kind));
    // A project whose version is made when it is built has none here.
    let (name, version, span) = match toml::text(package, "name") {
        Some(name) if is_own => (name, "", Span::default()),
        _ => toml::package(package, offset, out)?,
    };
    let from = match (about("git"), about("url")) {
        (Some(address), _) => Some(git(address, None)),
        (_, Some(url)) => Some(("download_url", url.to_owned())),
        _ => None,
    };
    let development = groups(package, "dev-dependencies");
    let archives = toml::get(package, "sdist").into_iter();
    let archives = archives.chain(toml::items(package, "wheels"));
    let hashes = archives.filter_map(|archive| Hash::parse(toml::text(archive, "hash")?));
    Some(Locked {
        name: name.to_owned(),
        version: version.to_owned(),
        span,
        is_own,
        from,
        hashes: hashes.collect(),
        needs: edges(toml::items(package, "dependencies")),
        extras: groups(package, "optional-dependencies"),
        development: development.into_values().flatten().collect(),
    })
}

/// Which packages an edge leads to.
struct Graph<'l> {
    all: &'l [Locked],
    by_name: HashMap<&'l str, Vec<usize>>,
    by_version: HashMap<(&'l str, &'l str), Vec<usize>>,
}

impl<'l> Graph<'l> {
    fn new(all: &'l [Locked]) -> Self {
        let mut by_name: HashMap<_, Vec<usize>> = HashMap::new();
        let mut by_version: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, one) in all.iter().enumerate() {
            by_name.entry(one.name.as_str()).or_default().push(index);
            let key = (one.name.as_str(), one.version.as_str());
            by_version.entry(key).or_default().push(index);
        }
        Graph {
            all,
            by_name,
            by_version,
        }
    }

    fn targets<'s>(&'s self, edge: &'s Edge) -> impl Iterator<Item = (usize, &'l Locked)> {
        let targets = match &edge.version {
            Some(version) => self.by_version.get(&(edge.name.as_str(), version.as_str())),
            None => self.by_name.get(edge.name.as_str()),
        };
        let targets = targets.map(Vec::as_slice).unwrap_or_default();
        targets
            .iter()
            .filter_map(|index| Some((*index, self.all.get(*index)?)))
    }

    /// All packages that the edges lead to, in the end.
    fn reached(&self, roots: &HashSet<&'l Edge>) -> HashSet<usize> {
        let mut packages = HashSet::new();
        // Edges of one kind lead to the same: each is followed once.
        let mut followed = roots.clone();
        let mut next: Vec<&Edge> = roots.iter().copied().collect();
        while let Some(edge) = next.pop() {
            for (index, target) in self.targets(edge) {
                let needs = packages.insert(index).then_some(&target.needs);
                let extras = edge
                    .extras
                    .iter()
                    .filter_map(|extra| target.extras.get(extra));
                let more = needs.into_iter().chain(extras).flatten();
                next.extend(more.filter(|edge| followed.insert(edge)));
            }
        }
        packages
    }
}

fn push(all: &[Locked], development: &[Edge], out: &mut Declarations<'_>) {
    let graph = Graph::new(all);
    let own = || all.iter().filter(|one| one.is_own);
    let productive: HashSet<&Edge> = own()
        .flat_map(|one| one.needs.iter().chain(one.extras.values().flatten()))
        .collect();
    let development: HashSet<&Edge> = own()
        .flat_map(|one| &one.development)
        .chain(development)
        .collect();
    let named: HashSet<usize> = productive
        .union(&development)
        .flat_map(|edge| graph.targets(edge))
        .map(|(index, _)| index)
        .collect();
    let productive = graph.reached(&productive);
    let development = graph.reached(&development);
    // Nothing is known of a lock file without a project.
    let has_own = own().next().is_some();
    for (index, one) in all.iter().enumerate().filter(|(_, one)| !one.is_own) {
        out.push(&Declared {
            name: &one.name,
            version: &one.version,
            direct: has_own.then(|| named.contains(&index)),
            development: !productive.contains(&index) && development.contains(&index),
            span: one.span,
            from: one.from.clone(),
            hashes: one.hashes.clone(),
            requires: requires(one),
            ..Declared::default()
        });
    }
}

/// What a package needs, with and without its extras.
fn requires(one: &Locked) -> Vec<Requirement> {
    let edges = one.needs.iter().chain(one.extras.values().flatten());
    let requirement = |edge: &Edge| Requirement {
        name: edge.name.clone(),
        version: edge.version.clone(),
    };
    let mut all: Vec<Requirement> = edges.map(requirement).collect();
    all.sort();
    all.dedup();
    all
}
