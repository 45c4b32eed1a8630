//! pnpm-lock.yaml, lockfileVersion 5.0 to 9.0 (pnpm, "lockfile types").

use std::collections::{HashMap, HashSet};

use seawall_model::{GapKind, Hash, Span};

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    integrity::integrity,
    links::{Links, Reached},
    npm,
    yaml::{Node, Tree},
};

lock_file!(
    "pnpm-lock-yaml",
    "npm",
    [Interest::Name("pnpm-lock.yaml")],
    parse
);

/// The newest major version of the format that is known.
const NEWEST: u32 = 9;

/// The keys under which a package or a project names what it needs.
const NEEDS: [&str; 2] = ["dependencies", "optionalDependencies"];

/// One package, under its key.
struct Locked<'t> {
    key: &'t str,
    span: Span,
    name: &'t str,
    version: &'t str,
    from: Option<(&'static str, String)>,
    hashes: Vec<Hash>,
    /// Needed for development only, where the file says it (before 9.0).
    is_development: Option<bool>,
    /// A folder of this machine.
    is_own: bool,
}

/// The packages and what leads from one to the other.
struct Graph<'t> {
    major: u32,
    packages: Vec<Locked<'t>>,
    by_key: HashMap<&'t str, usize>,
    edges: Vec<Vec<usize>>,
    links: Links,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let tree = Tree::read(text, "pnpm", out)?;
    // Where pnpm locks itself and other tools, that comes in a document of its
    // own before the project's.
    let mut is_known = false;
    for root in tree.documents() {
        let version = root.text_of("lockfileVersion");
        let major = version.and_then(|version| version.split('.').next()?.parse().ok());
        let Some(major) = major else {
            continue;
        };
        is_known = true;
        if major > NEWEST {
            let reason = "its format is newer than what is known of pnpm";
            out.gap(GapKind::Unsupported, reason);
        }
        read(root, major, out);
    }
    // pnpm writes `{}` for what is empty.
    if !text.ends_with('\n') || text.trim_end().ends_with(':') {
        let reason = "its last line has no end: it may have been cut off";
        out.gap(GapKind::Damaged, reason);
    }
    match is_known || out.has_problem() {
        true => Ok(()),
        false => Err("it is no lock file of pnpm: it has no `lockfileVersion`".to_owned()),
    }
}

fn read(root: Node<'_>, major: u32, out: &mut Declarations<'_>) {
    let mut lock = Graph {
        major,
        packages: Vec::new(),
        by_key: HashMap::new(),
        edges: Vec::new(),
        links: Links::default(),
    };
    let packages = root.get("packages");
    for (key, package) in packages.into_iter().flat_map(Node::entries) {
        if !out.has_room(lock.packages.len()) {
            break;
        }
        let Some(one) = locked(key, package, major) else {
            out.problem(key.span().start, "a package has no name or no version");
            continue;
        };
        lock.by_key.insert(one.key, lock.packages.len());
        lock.packages.push(one);
        lock.edges.push(Vec::new());
    }
    lock.read_edges(root);
    // Since 9.0 what packages need stands apart.
    let lacks = match (root.get("importers"), root.get("snapshots")) {
        (None, _) => Some("importers"),
        (_, None) if !lock.packages.is_empty() => Some("snapshots"),
        _ => None,
    };
    if let Some(lacks) = lacks.filter(|_| major >= 9) {
        let reason = format!("it has no `{lacks}`: it may have been cut off");
        out.gap(GapKind::Damaged, &reason);
    }
    let (mut productive, mut development) = (Vec::new(), Vec::new());
    let projects = root.get("importers");
    let projects = projects.into_iter().flat_map(Node::entries);
    for project in projects.map(|(_, project)| project).chain([root]) {
        lock.needs(project, &NEEDS, &mut productive);
        lock.needs(project, &["devDependencies"], &mut development);
        lock.specified(project);
    }
    let reached = Reached::new(&lock.edges, &productive, &development);
    lock.links.finish(out);
    lock.push(&reached, out);
}

impl<'t> Graph<'t> {
    fn read_edges(&mut self, root: Node<'t>) {
        let section = match self.major {
            9.. => "snapshots",
            _ => "packages",
        };
        let entries = root.get(section);
        for (key, package) in entries.into_iter().flat_map(Node::entries) {
            let Some(at) = key.text().and_then(|key| self.find(key)) else {
                // A snapshot of a package that is not listed.
                if self.major >= 9 {
                    self.links.needed(key.text().unwrap_or_default());
                }
                continue;
            };
            let mut needs = Vec::new();
            self.needs(package, &NEEDS, &mut needs);
            if let Some(edges) = self.edges.get_mut(at) {
                edges.extend(needs);
            }
        }
    }

    fn find(&self, key: &str) -> Option<usize> {
        let exact = self.by_key.get(key);
        let without = self.by_key.get(without_peers(key, self.major));
        exact.or(without).copied()
    }

    /// Adds the packages that stand under `keys` of a project or a package.
    fn needs(&mut self, node: Node<'t>, keys: &[&str], needs: &mut Vec<usize>) {
        let all = keys.iter().filter_map(|key| node.get(key));
        for (name, value) in all.flat_map(Node::entries) {
            // Since 6.0 projects give the range as well.
            let version = value.text().or_else(|| value.text_of("version"));
            let Some((name, version)) = name.text().zip(version) else {
                self.links.needed(name.text().unwrap_or_default());
                continue;
            };
            // A folder of this machine.
            if version.starts_with("link:") {
                continue;
            }
            let separator = if self.major < 6 { '/' } else { '@' };
            let start = if self.major < 9 { "/" } else { "" };
            let target = format!("{start}{name}{separator}{version}");
            let at = self.find(&target).or_else(|| self.find(version));
            match at {
                Some(at) => needs.push(at),
                None => self.links.needed(&target),
            }
        }
    }

    /// Before 6.0 a project's ranges stand apart from, and before, what was taken
    /// for them.
    fn specified(&mut self, project: Node<'t>) {
        let names = |key: &&str| {
            let entries = project.get(key).into_iter().flat_map(Node::entries);
            entries.filter_map(|(name, _)| name.text())
        };
        let taken: HashSet<&str> = NEEDS
            .iter()
            .chain(&["devDependencies"])
            .flat_map(names)
            .collect();
        for name in names(&"specifiers").filter(|name| !taken.contains(name)) {
            self.links.needed(name);
        }
    }

    fn push(&self, reached: &Reached, out: &mut Declarations<'_>) {
        for (at, one) in self.packages.iter().enumerate() {
            if one.is_own {
                continue;
            }
            let edges = self.edges.get(at).into_iter().flatten();
            let requires = edges.filter_map(|target| {
                let target = self.packages.get(*target)?;
                Some((target.name, Some(target.version)))
            });
            out.push(&Declared {
                name: one.name,
                version: one.version,
                direct: Some(reached.is_direct(at)),
                development: one
                    .is_development
                    .unwrap_or_else(|| reached.is_development(at)),
                span: one.span,
                from: one.from.clone(),
                hashes: one.hashes.clone(),
                requires: out.gather(requires),
                ..Declared::default()
            });
        }
    }
}

/// The key without the packages that serve as its peers: `_react@18.2.0` before
/// 6.0, `(react@18.2.0)` since.
fn without_peers(key: &str, major: u32) -> &str {
    match major {
        6.. => key.split('(').next().unwrap_or(key),
        _ => {
            let version = key.rfind('/').map_or(0, |at| at + 1);
            let end = key
                .get(version..)
                .and_then(|version| Some(version.find('_')? + key.len() - version.len()));
            end.and_then(|end| key.get(..end)).unwrap_or(key)
        }
    }
}

/// Name, version and registry in a key: `/name/1.0.0` before 6.0, `/name@1.0.0`
/// before 9.0, `name@1.0.0` since, with a registry that is not the default one
/// in front.
fn named(key: &str, major: u32) -> Option<(&str, &str, Option<&str>)> {
    let key = without_peers(key, major);
    let (registry, rest) = match key.strip_prefix('/') {
        Some(rest) => (None, rest),
        None if major >= 9 => (None, key),
        None => {
            let (registry, rest) = key.split_once('/')?;
            (Some(registry), rest)
        }
    };
    let (name, version) = match major {
        6.. => npm::split(rest)?,
        _ => rest.rsplit_once('/')?,
    };
    Some((name, version, registry))
}

fn locked<'t>(key: Node<'t>, package: Node<'t>, major: u32) -> Option<Locked<'t>> {
    let resolution = package.get("resolution");
    let about = |key| resolution.and_then(|resolution| resolution.text_of(key));
    let text = key.text()?;
    let parts = named(text, major).filter(|(_, version, _)| npm::is_version(version));
    // What comes from elsewhere is named in the entry; since 9.0 the name stands
    // in the key all the same.
    let name = package
        .text_of("name")
        .or_else(|| Some(parts?.0))
        .or_else(|| Some(npm::split(text)?.0))?;
    let version = package.text_of("version").or_else(|| Some(parts?.1));
    let tarball = about("tarball");
    let from = match (about("type"), about("repo")) {
        (Some("git"), Some(repo)) => Some(git(repo, about("commit"))),
        _ => match parts {
            Some((_, _, registry)) => {
                registry.map(|registry| ("repository_url", format!("https://{registry}")))
            }
            None => tarball
                .filter(|tarball| tarball.contains("://"))
                .map(|tarball| ("download_url", tarball.to_owned())),
        },
    };
    let is_own = about("type") == Some("directory");
    // A folder of this machine needs no version, an archive there may have none.
    let version = match version {
        Some(version) => version,
        None if is_own || from.is_some() || tarball.is_some() => "",
        None => return None,
    };
    Some(Locked {
        key: text,
        span: key.span(),
        name,
        version,
        from,
        hashes: integrity(about("integrity").unwrap_or_default()),
        is_development: package.get("dev").map(Node::is_true),
        is_own,
    })
}
