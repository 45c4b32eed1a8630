//! The pom.xml files of a project together: what each inherits of its parents
//! and which versions they manage, as far as these are in the project too.
//! Nothing else is asked, so that a version that stands elsewhere is a gap.

mod context;
mod model;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    rc::Rc,
};

use seawall_image::View;
use seawall_model::{Gap, GapKind, Origin, Package, Relation};

use self::{
    context::{Budget, Context, Contexts, End, Key, Known, MOST_PARENTS, Unknown},
    model::{Dependency, Model, Part, Place, Value},
};
use crate::{Inventory, declared::MOST_PACKAGES, document, purl::Purl, text::list};

/// Steps that all files of a project may take together. A project of thousands
/// of modules takes some millions.
const MOST_STEPS: u64 = 50_000_000;

/// All projects of a target.
struct Project<'v> {
    paths: Vec<&'v str>,
    layers: Vec<Option<usize>>,
    models: Vec<Model<'v>>,
    /// The first model of each file.
    by_path: HashMap<&'v str, usize>,
    /// By group, artifact and version, as they are written.
    as_written: HashMap<(&'v str, &'v str, &'v str), usize>,
    /// The same with properties put in.
    by_name: HashMap<(String, String, String), usize>,
    /// Properties that options set for all projects below a folder.
    options: HashMap<&'v str, HashMap<&'v str, Value<'v>>>,
    budget: Budget,
}

/// Turns the evidence of `analyser` into packages.
pub(crate) fn read(analyser: &str, view: &View, inventory: &mut Inventory) {
    let mut project = Project::new(analyser, view, inventory);
    if project.models.is_empty() {
        return;
    }
    let names = (0..project.models.len()).filter_map(|at| {
        let name = Context::bare(&project, at, None).coordinates()?;
        Some((name, at))
    });
    project.by_name = names.collect();
    let mut reader = Reader {
        contexts: Contexts::new(&project),
        project: &project,
        packages: Vec::new(),
        seen: HashMap::new(),
        gaps: Vec::new(),
        is_over: false,
    };
    for at in 0..project.models.len() {
        reader.model(at);
    }
    reader.finish(inventory);
}

impl<'v> Project<'v> {
    fn new(analyser: &str, view: &'v View, inventory: &mut Inventory) -> Self {
        let mut project = Project {
            paths: Vec::new(),
            layers: Vec::new(),
            models: Vec::new(),
            by_path: HashMap::new(),
            as_written: HashMap::new(),
            by_name: HashMap::new(),
            options: HashMap::new(),
            budget: Budget::new(MOST_STEPS),
        };
        for evidence in view.files.iter().filter(|one| one.analyser == analyser) {
            let file = project.paths.len();
            let path = evidence.path.as_str();
            let (models, gaps) = model::models(evidence, file);
            // Maven reads them of the folder that it is started in.
            if let Some(folder) = path.strip_suffix(".mvn/maven.config") {
                let options = model::options(evidence, file);
                project
                    .options
                    .insert(folder.trim_end_matches('/'), options);
            } else if path.ends_with("pom.xml") && models.is_empty() && gaps.is_empty() {
                let reason = "it is no `project` in XML";
                inventory
                    .gaps
                    .push(Gap::new(GapKind::Damaged, path, reason));
            }
            inventory.gaps.extend(gaps);
            project.paths.push(&evidence.path);
            let layer = (!view.layers.is_empty()).then_some(evidence.layer);
            project.layers.push(layer);
            for model in models {
                let at = project.models.len();
                project.by_path.entry(&evidence.path).or_insert(at);
                project.as_written.entry(model.name()).or_insert(at);
                project.models.push(model);
            }
        }
        project
    }

    /// A project with its parents: the file that its path leads to, if that is
    /// the one that is meant, or else any project of the name.
    fn lineage(&self, at: usize) -> (Vec<&Model<'v>>, End<'v>) {
        let mut lineage = Vec::new();
        let mut seen = HashSet::new();
        let mut next = Some(at);
        while let Some(model) = next.and_then(|at| self.models.get(at)) {
            lineage.push(model);
            let Some(parent) = model.parent else {
                return (lineage, End::Root);
            };
            seen.extend(next);
            let name = (parent.group, parent.artifact, parent.version.text);
            let beside = self.beside(model.file, parent.path);
            let beside = beside.and_then(|path| self.by_path.get(path.as_str()));
            let found = beside
                .filter(|at| self.models.get(**at).is_some_and(|one| one.name() == name))
                .or_else(|| self.as_written.get(&name));
            let Some(found) = found else {
                return (lineage, End::Outside(parent));
            };
            if seen.contains(found) || lineage.len() == MOST_PARENTS {
                break;
            }
            next = Some(*found);
        }
        (lineage, End::Cycle)
    }

    /// What options set for a file: those of the nearest folder above it.
    fn options(&self, file: usize) -> Option<&HashMap<&'v str, Value<'v>>> {
        let mut folder = self.paths.get(file).copied()?;
        while !folder.is_empty() {
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
            if let Some(options) = self.options.get(folder) {
                return Some(options);
            }
        }
        None
    }

    /// The file that a path in another file leads to.
    fn beside(&self, file: usize, path: &str) -> Option<String> {
        let from = self.paths.get(file).filter(|_| !path.is_empty())?;
        let target = document::beside(from, path)?;
        Some(match target.rsplit('/').next() {
            Some(name) if name.ends_with(".xml") => target,
            _ if target.is_empty() => "pom.xml".to_owned(),
            _ => format!("{target}/pom.xml"),
        })
    }

    /// The project of this name, if it is here.
    fn find(&self, group: &str, artifact: &str, version: &str) -> Option<usize> {
        let name = (group.to_owned(), artifact.to_owned(), version.to_owned());
        self.by_name.get(&name).copied()
    }
}

/// A package and where its version is written: the same one in several files is
/// one place to edit.
type Seen = (String, String, String, usize);

/// Why the version of a dependency is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// Nothing here manages it; these projects, which are not here, may: see
    /// [`Context::elsewhere`].
    Elsewhere(Rc<str>),
    /// Nothing manages it.
    Nowhere,
    /// A property has no value here.
    Property(String),
    /// A property leads back to itself.
    Cycle(String),
    /// Several versions will do.
    Range,
    /// It grows beyond every bound.
    Limit,
}

struct Reader<'p, 'v> {
    project: &'p Project<'v>,
    contexts: Contexts<'p, 'v>,
    packages: Vec<Package>,
    seen: HashMap<Seen, usize>,
    gaps: Vec<Gap>,
    is_over: bool,
}

impl<'p, 'v> Reader<'p, 'v> {
    fn model(&mut self, at: usize) {
        let Some(model) = self.project.models.get(at) else {
            return;
        };
        let context = Context::bare(self.project, at, None).whole(&mut self.contexts, 0);
        let path = self.path(model.file);
        if matches!(context.end, End::Cycle) {
            let reason = "its parents lead back to one of them, or there are too many";
            self.gap(GapKind::Damaged, path, reason);
        }
        self.modules(model);
        let mut unknown = BTreeMap::new();
        let mut declared = HashSet::new();
        for part in context.parts.clone() {
            self.part(&context, part, &mut declared, &mut unknown);
        }
        // What is asked for only in a profile that somebody has to choose.
        for profile in model.profiles.iter().filter(|one| !one.is_active) {
            if profile.part.declared.is_empty() {
                continue;
            }
            let context = Context::bare(self.project, at, Some(&profile.part));
            let context = context.whole(&mut self.contexts, 0);
            let mut declared = HashSet::new();
            self.part(&context, &profile.part, &mut declared, &mut unknown);
        }
        for (cause, names) in unknown {
            let (kind, reason) = cause.reason(&names);
            self.gap(kind, path, &reason);
        }
    }

    fn path(&self, file: usize) -> &'v str {
        self.project.paths.get(file).copied().unwrap_or_default()
    }

    fn gap(&mut self, kind: GapKind, path: &str, reason: &str) {
        self.gaps.push(Gap::new(kind, path, reason));
    }

    /// Says which modules are not there.
    fn modules(&mut self, model: &Model<'v>) {
        let parts = model.profiles.iter().map(|profile| &profile.part);
        let modules = parts.chain([&model.main]).flat_map(|part| &part.modules);
        let missing: Vec<&str> = modules
            .map(|module| module.text)
            .filter(|module| {
                let path = self.project.beside(model.file, module);
                !path.is_some_and(|path| self.project.by_path.contains_key(path.as_str()))
            })
            .collect();
        if !missing.is_empty() {
            let reason = format!("its modules {} are not there", list(missing));
            self.gap(GapKind::Missing, self.path(model.file), &reason);
        }
    }

    /// Adds the dependencies of one part that none before it has `declared`.
    fn part(
        &mut self,
        context: &Context<'p, 'v>,
        part: &'p Part<'v>,
        declared: &mut HashSet<Key>,
        unknown: &mut BTreeMap<Cause, BTreeSet<String>>,
    ) {
        // Of two in one file the last one counts.
        for one in part.declared.iter().rev() {
            if !self.project.budget.take(1) {
                return;
            }
            let key = context.key(one);
            if !declared.contains(&key) {
                self.dependency(context, one, &key, unknown);
                declared.insert(key);
            }
        }
    }

    fn dependency(
        &mut self,
        context: &Context<'p, 'v>,
        one: &Dependency<'v>,
        key: &Key,
        unknown: &mut BTreeMap<Cause, BTreeSet<String>>,
    ) {
        let managed = context.managed(key);
        let name = format!("{}:{}", key.group, key.artifact);
        let scope = match context.plain(one.scope) {
            Some(scope) if !scope.is_empty() => scope,
            _ => managed
                .as_ref()
                .map(|it| it.scope.clone())
                .unwrap_or_default(),
        };
        let told = match (one.version.text, managed) {
            ("", Some(managed)) => managed.version.map_err(Cause::from),
            ("", None) if context.outside.is_empty() => Err(Cause::Nowhere),
            ("", None) => Err(Cause::Elsewhere(context.elsewhere(false))),
            _ => context
                .expand(one.version)
                .map_err(|unknown| match unknown {
                    // A parent that is not here may give it a value.
                    Unknown::Property(_) if matches!(context.end, End::Outside(_)) => {
                        Cause::Elsewhere(context.elsewhere(true))
                    }
                    unknown => unknown.into(),
                }),
        };
        let known = told.and_then(|known| match single(&known.text) {
            Some(version) => Ok(Known {
                text: version.to_owned(),
                place: known.place,
            }),
            None => Err(Cause::Range),
        });
        let (version, place) = match known {
            Ok(known) => (known.text, known.place),
            Err(cause) => {
                unknown.entry(cause).or_default().insert(name.clone());
                (String::new(), one.version.place)
            }
        };
        // One of the project's own.
        if self
            .project
            .find(&key.group, &key.artifact, &version)
            .is_some()
        {
            return;
        }
        let is_development = matches!(scope.as_str(), "test" | "provided");
        self.push(name, version, key, place, is_development);
    }

    fn push(&mut self, name: String, version: String, key: &Key, place: Place, development: bool) {
        let kind = if key.kind == "jar" {
            ""
        } else {
            key.kind.as_str()
        };
        let purl = Purl::new("maven", &name, &version)
            .qualifier("classifier", &key.classifier)
            .qualifier("type", kind)
            .build();
        let seen = (name, version, purl, place.file);
        if let Some(one) = self
            .seen
            .get(&seen)
            .and_then(|at| self.packages.get_mut(*at))
        {
            one.relation.development &= development;
            return;
        }
        if self.packages.len() >= MOST_PACKAGES {
            self.is_over = true;
            return;
        }
        let origin = Origin {
            path: self.path(place.file).to_owned(),
            layer: self.project.layers.get(place.file).copied().flatten(),
            range: place.range,
            ..Origin::default()
        };
        let (name, version, purl, _) = seen.clone();
        self.seen.insert(seen, self.packages.len());
        self.packages.push(Package {
            relation: Relation {
                direct: Some(true),
                development,
            },
            ..Package::new("maven", name, version, purl, origin)
        });
    }

    fn finish(mut self, inventory: &mut Inventory) {
        // The one on top of the others stands for all.
        let first = self
            .project
            .paths
            .iter()
            .min_by_key(|path| path.matches('/').count());
        let first = first.copied().unwrap_or_default();
        if self.is_over {
            let reason = format!("there are more than {MOST_PACKAGES} packages");
            self.gap(GapKind::Limit, first, &reason);
        }
        if self.project.budget.is_spent() {
            let reason = "putting its files together takes too many steps";
            self.gap(GapKind::Limit, first, reason);
        }
        if !self.packages.is_empty() {
            self.gap(
                GapKind::Missing,
                first,
                "Maven keeps no lock file: what its dependencies bring is known only of what is \
                 built, or of a bill of materials",
            );
        }
        inventory.packages.append(&mut self.packages);
        inventory.gaps.append(&mut self.gaps);
    }
}

/// The one version that will do: a plain one, or `[1.0]`; none where there may
/// be several (Maven, "Dependency Version Requirement Specification").
fn single(version: &str) -> Option<&str> {
    let version = version.trim();
    if let Some(range) = version.strip_prefix('[') {
        let one = range.strip_suffix(']')?.trim();
        return (!one.contains([',', '[', '(']) && !one.is_empty()).then_some(one);
    }
    let is_open = version.starts_with('(') || matches!(version, "LATEST" | "RELEASE" | "");
    (!is_open).then_some(version)
}

impl From<Unknown> for Cause {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Property(name) => Cause::Property(name),
            Unknown::Cycle(name) => Cause::Cycle(name),
            Unknown::Limit => Cause::Limit,
        }
    }
}

impl Cause {
    fn reason(&self, names: &BTreeSet<String>) -> (GapKind, String) {
        let names = list(names);
        match self {
            Cause::Elsewhere(places) => {
                let reason = format!(
                    "the version of {names} stands in what is not in the project: {places}"
                );
                (GapKind::Missing, reason)
            }
            Cause::Nowhere => (GapKind::Damaged, format!("nothing gives {names} a version")),
            Cause::Property(property) => (
                GapKind::Missing,
                format!("the version of {names} is `${{{property}}}`, which nothing gives a value"),
            ),
            Cause::Cycle(property) => (
                GapKind::Damaged,
                format!("the version of {names} is `${{{property}}}`, which leads back to itself"),
            ),
            Cause::Range => (
                GapKind::Missing,
                format!(
                    "several versions of {names} will do, of which Maven takes one when it builds"
                ),
            ),
            Cause::Limit => (
                GapKind::Limit,
                format!("the version of {names} takes too many properties, or is longer than any"),
            ),
        }
    }
}
