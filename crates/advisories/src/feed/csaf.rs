//! VEX documents of distributions in CSAF 2.0: one document a flaw, whose
//! products are packages in releases.
//!
//! Publishers differ in how they name a release, a package and an advisory: that
//! is a [`Dialect`], one in each feed's file. What is the same stands here: the
//! product tree, the lists of `product_status` and which of them has the last
//! word, remediations, severities and scores.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap, HashSet, btree_map::Entry},
    io::Read,
};

use rayon::prelude::*;
use seawall_formats::csaf::{
    Branch, Document, FullProduct, ProductTree, Scoped, Text, Vulnerability,
};

use crate::{
    feed::{Collector, Input, tar},
    osv::{EventKind, OsvAffected, OsvRange, OsvRecord},
};

/// Bytes of one document. The largest, about the HTTP/2 flaw of 2023, has 17 MB.
const DOCUMENT_LIMIT: u64 = 64 << 20;
/// Bytes of documents that are read at once.
const TAKEN: usize = 64 << 20;

/// The state of a package that a flaw does not concern.
const NOT_AFFECTED: &str = "not-affected";

/// Products in a product: a package in a module in a release is three.
const MOST_PARTS: usize = 8;

/// Products of groups that the statements of one document may come to. Nobody
/// of those that are read here has groups.
const MOST_OF_GROUPS: usize = 4_000_000;

/// How one publisher writes its documents.
pub(crate) struct Dialect {
    /// The ecosystem and release of a product, as OSV writes it; `None` for what
    /// is no release of the distribution.
    pub(crate) release: fn(&Leaf<'_>) -> Option<Release>,
    /// What a component is; `None` for what is no package to match (source
    /// packages, symbols for debuggers, container images).
    pub(crate) package: fn(&Place<'_>) -> Option<Package>,
    /// The advisory that a remediation's address leads to.
    pub(crate) advisory: fn(&str) -> Option<&str>,
    /// The state of packages that no fix is there for, from the category and the
    /// details of a remediation; empty for just affected.
    pub(crate) state: fn(&str, &str) -> &'static str,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    /// As OSV writes it.
    pub(crate) name: String,
    /// Whether this is its longer support: fixes that count where the release
    /// itself says no better.
    pub(crate) is_extended: bool,
}

/// A package of a release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// `name:stream`; or empty.
    pub(crate) module: String,
    /// With its epoch; empty where a document speaks of all versions.
    pub(crate) version: String,
    /// The name of its source package, where the document has it.
    pub(crate) source: String,
    /// Whether it is a source package: that it is mended is known, but none is
    /// ever installed.
    pub(crate) is_source: bool,
}

/// A product of the tree's branches.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Leaf<'d> {
    pub(crate) id: &'d str,
    /// The name of its branch.
    pub(crate) name: &'d str,
    pub(crate) purl: &'d str,
    pub(crate) cpe: &'d str,
}

/// A component, what it lies in, from the inside out, and the outermost product.
#[derive(Debug)]
pub(crate) struct Place<'d> {
    pub(crate) component: Leaf<'d>,
    pub(crate) within: Vec<Leaf<'d>>,
}

/// The products of a document by their ids.
struct Tree<'d> {
    leaves: HashMap<&'d str, Leaf<'d>>,
    /// Part and whole.
    relations: HashMap<&'d str, (&'d str, &'d str)>,
    groups: HashMap<&'d str, &'d [Text<'d>]>,
    /// Products of groups that statements came to.
    of_groups: Cell<usize>,
}

impl<'d> Tree<'d> {
    fn new(wire: &'d ProductTree<'d>) -> Self {
        let relations = wire.relationships.iter().map(|one| {
            let parts: (&str, &str) = (&one.product_reference, &one.relates_to_product_reference);
            (&*one.full_product_name.product_id, parts)
        });
        let groups = wire.product_groups.iter();
        let mut tree = Tree {
            leaves: HashMap::new(),
            relations: relations.collect(),
            groups: groups
                .map(|one| (&*one.group_id, &*one.product_ids))
                .collect(),
            of_groups: Cell::new(0),
        };
        tree.add(&wire.branches);
        for product in wire.full_product_names.iter() {
            tree.add_leaf(product, &product.name);
        }
        tree
    }

    /// The parser bounds how deep branches nest.
    fn add(&mut self, branches: &'d [Branch<'d>]) {
        for branch in branches {
            if let Some(product) = &branch.product {
                self.add_leaf(product, &branch.name);
            }
            self.add(&branch.branches);
        }
    }

    fn add_leaf(&mut self, product: &'d FullProduct<'d>, name: &'d str) {
        let helper = product.product_identification_helper.as_ref();
        let leaf = Leaf {
            id: &product.product_id,
            name,
            purl: helper.map_or("", |helper| &helper.purl),
            cpe: helper.map_or("", |helper| &helper.cpe),
        };
        self.leaves.insert(leaf.id, leaf);
    }

    /// The products that an id is made of, from the inside out. A component that
    /// is not described is known by its id alone.
    ///
    /// # Errors
    /// When the id, or what it is a part of, stands nowhere in the tree; when a
    /// product is a part of itself, or of too many others.
    fn parts(&self, id: &'d str) -> Result<Vec<Leaf<'d>>, String> {
        let mut parts = Vec::new();
        let mut open = vec![id];
        let mut steps = 0;
        while let Some(id) = open.pop() {
            steps += 1;
            if steps > 2 * MOST_PARTS {
                return Err(format!(
                    "product `{id}` is a part of itself, or of more than {MOST_PARTS} others"
                ));
            }
            match self.relations.get(id) {
                Some((part, whole)) => open.extend([*whole, *part]),
                None => parts.push(self.leaves.get(id).copied().unwrap_or(Leaf {
                    id,
                    ..Leaf::default()
                })),
            }
        }
        match parts.last() {
            Some(outermost) if !self.leaves.contains_key(outermost.id) => Err(format!(
                "product `{}` is not in its product tree",
                outermost.id
            )),
            _ => Ok(parts),
        }
    }

    /// The products that something is said of, groups taken apart.
    ///
    /// # Errors
    /// When the document's groups come to more than anybody can want.
    fn of<'s>(&'s self, said: &'s Scoped<'_>) -> Result<Vec<&'s str>, String> {
        let own = said.product_ids.iter().flat_map(|ids| ids.iter());
        let mut products: Vec<&str> = own.map(|id| &**id).collect();
        let groups = said.group_ids.iter().flat_map(|ids| ids.iter());
        let groups: HashSet<&str> = groups.map(|id| &**id).collect();
        for group in groups.iter().filter_map(|id| self.groups.get(id)) {
            let sum = self.of_groups.get() + group.len();
            if sum > MOST_OF_GROUPS {
                return Err(format!(
                    "its groups come to more than {MOST_OF_GROUPS} products"
                ));
            }
            self.of_groups.set(sum);
            products.extend(group.iter().map(|id| &**id));
        }
        Ok(products)
    }
}

/// What is said of one package in one release, but for its fixes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    NotAffected,
    /// Affected, or perhaps, in this state.
    Open(&'static str),
}

type Fixes<'d> = BTreeMap<String, HashSet<&'d str>>;

/// What all statements together say of one package of a release.
#[derive(Default)]
struct Sum<'d> {
    /// Versions that mend it, each with the advisories that bring it.
    fixes: Fixes<'d>,
    /// The same of the longer support.
    extended: Fixes<'d>,
    open: Option<Said>,
    severity: String,
}

/// Reads a document.
///
/// # Errors
/// When it cannot be read at all; what is no document is told to the collector.
pub(crate) fn read(
    input: Input,
    dialect: &Dialect,
    collector: &mut Collector,
) -> Result<(), String> {
    let name = input.name.clone();
    let document = (name, input.bytes(DOCUMENT_LIMIT)?);
    collect(&[document], dialect, collector);
    Ok(())
}

/// Reads an archive of documents, several of them at once.
///
/// # Errors
/// When the archive is damaged.
pub(crate) fn read_archive(
    input: impl Read,
    dialect: &Dialect,
    collector: &mut Collector,
) -> Result<(), String> {
    let mut waiting: Vec<(String, Vec<u8>)> = Vec::new();
    let mut bytes = 0;
    tar::walk(input, |name, document| {
        if !is_document(name) {
            return Ok(());
        }
        waiting.push((name.to_owned(), document.to_owned()));
        bytes += document.len();
        if bytes > TAKEN {
            collect(&waiting, dialect, collector);
            waiting.clear();
            bytes = 0;
        }
        Ok(())
    })?;
    collect(&waiting, dialect, collector);
    Ok(())
}

/// Whether a file is a document, by its name: `2024/cve-2024-7348.json`.
pub(crate) fn is_document(name: &str) -> bool {
    flaw_of(name).is_some()
}

/// The flaw that a file is about, by its name.
fn flaw_of(name: &str) -> Option<String> {
    let stem = name.rsplit('/').next()?.strip_suffix(".json")?;
    stem.starts_with("cve-").then(|| stem.to_ascii_uppercase())
}

/// Notes a document that was taken back, `2024/cve-2024-7348.json`, and when.
pub(crate) fn remove(name: &str, date: &str, collector: &mut Collector) {
    if let Some(flaw) = flaw_of(name) {
        collector.is_newest(&flaw, date);
    }
}

fn collect(documents: &[(String, Vec<u8>)], dialect: &Dialect, collector: &mut Collector) {
    let read = |(name, bytes): &(String, Vec<u8>)| {
        let document = seawall_formats::csaf::read(bytes);
        let document = document.map_err(|error| error.to_string());
        let records = document.and_then(|document| records(&document, dialect));
        (name.clone(), records)
    };
    let all: Vec<(String, Result<Vec<OsvRecord>, String>)> =
        documents.par_iter().map(read).collect();
    for (name, records) in all {
        match records {
            Ok(records) => {
                for record in records {
                    if collector.is_newest(&record.id, &record.modified) {
                        collector.add(&record);
                    }
                }
            }
            Err(why) => collector.refuse(&name, why),
        }
    }
}

/// The records of a document, one for each of its flaws. What it says of one
/// flaw in several places counts together.
///
/// # Errors
/// When what it says cannot be understood.
pub(crate) fn records(
    document: &Document<'_>,
    dialect: &Dialect,
) -> Result<Vec<OsvRecord>, String> {
    let tree = Tree::new(&document.product_tree);
    let mut records: BTreeMap<String, OsvRecord> = BTreeMap::new();
    for flaw in document.vulnerabilities.iter() {
        let record = record(document, &tree, flaw, dialect)?;
        match records.entry(record.id.clone()) {
            Entry::Vacant(first) => {
                first.insert(record);
            }
            Entry::Occupied(mut first) => merge(first.get_mut(), record),
        }
    }
    Ok(records.into_values().collect())
}

/// Adds what a document says of a flaw in another place. Of packages that one
/// place says are affected and another are not, the first is believed.
fn merge(record: &mut OsvRecord, mut other: OsvRecord) {
    fn key(entry: &OsvAffected) -> (&str, &str, &str) {
        (&entry.ecosystem, &entry.name, &entry.module)
    }
    let drop_clear = |from: &mut Vec<OsvAffected>, beside: &[OsvAffected]| {
        let beside: HashSet<_> = beside.iter().map(key).collect();
        from.retain(|entry| entry.state != NOT_AFFECTED || !beside.contains(&key(entry)));
    };
    drop_clear(&mut other.affected, &record.affected);
    drop_clear(&mut record.affected, &other.affected);
    // Grades of their own stay with their packages.
    for entry in &mut other.affected {
        if entry.severity.is_empty() && other.vendor_severity != record.vendor_severity {
            entry.severity.clone_from(&other.vendor_severity);
        }
    }
    record.affected.append(&mut other.affected);
    other.cvss.retain(|vector| !record.cvss.contains(vector));
    record.cvss.append(&mut other.cvss);
    if record.summary.is_empty() {
        record.summary = other.summary;
    }
}

fn record(
    document: &Document<'_>,
    tree: &Tree<'_>,
    flaw: &Vulnerability<'_>,
    dialect: &Dialect,
) -> Result<OsvRecord, String> {
    let id = flaw
        .cve
        .some()
        .or_else(|| document.document.tracking.id.some());
    let id = id.ok_or("it does not say which flaw it is about")?;
    let mut advisories: HashMap<&str, &str> = HashMap::new();
    let mut states: HashMap<&str, &'static str> = HashMap::new();
    for one in flaw.remediations.iter() {
        if &*one.category == "vendor_fix" {
            if let Some(name) = (dialect.advisory)(&one.url) {
                advisories.extend(tree.of(one)?.into_iter().map(|id| (id, name)));
            }
        } else {
            let state = (dialect.state)(&one.category, &one.details);
            states.extend(tree.of(one)?.into_iter().map(|id| (id, state)));
        }
    }
    let mut severities: HashMap<&str, &str> = HashMap::new();
    let mut overall = document
        .document
        .aggregate_severity
        .text
        .to_ascii_lowercase();
    for one in flaw.threats.iter().filter(|one| &*one.category == "impact") {
        severities.extend(tree.of(one)?.into_iter().map(|id| (id, &*one.details)));
        if overall.is_empty() || one.product_ids.is_none() && one.group_ids.is_none() {
            overall = one.details.to_ascii_lowercase();
        }
    }
    let mut sums: BTreeMap<(String, String, String), Sum<'_>> = BTreeMap::new();
    let mut mended: HashSet<(String, String, String)> = HashSet::new();
    let mut releases: HashMap<&str, Option<Release>> = HashMap::new();
    let mut packages: HashMap<Vec<&str>, Option<Package>> = HashMap::new();
    let status = &flaw.product_status;
    // What is affected comes last and has the last word, where a document
    // contradicts itself.
    let lists = [
        (&status.known_not_affected, Some(Said::NotAffected)),
        (
            &status.under_investigation,
            Some(Said::Open("under-investigation")),
        ),
        (&status.known_affected, Some(Said::Open(""))),
        (&status.first_fixed, None),
        (&status.fixed, None),
        (&status.recommended, None),
    ];
    for (list, said) in lists {
        for id in list.iter().map(|id| &**id) {
            let mut parts = tree.parts(id)?;
            let Some(product) = parts.pop().filter(|_| !parts.is_empty()) else {
                // The release as a whole, or a product that has no parts.
                continue;
            };
            let release = releases
                .entry(product.id)
                .or_insert_with(|| (dialect.release)(&product));
            let Some(release) = release else { continue };
            let key = parts.iter().map(|part| part.id).collect();
            let package = packages.entry(key).or_insert_with(|| {
                let within = parts.split_off(1);
                let component = parts.pop()?;
                (dialect.package)(&Place { component, within })
            });
            let Some(package) = package else { continue };
            let is_fix = said.is_none();
            // A fix names a version. That one build is not affected says nothing
            // of others; of one that is, those before and after it are too, as
            // long as there is no fix.
            let is_of_build = !package.version.is_empty();
            if is_fix && !is_of_build {
                return Err(format!("product `{id}` is a fix without a version"));
            }
            if said == Some(Said::NotAffected) && is_of_build {
                continue;
            }
            let key = |name: &str| {
                (
                    release.name.clone(),
                    name.to_owned(),
                    package.module.clone(),
                )
            };
            if is_fix && !package.source.is_empty() && !release.is_extended {
                mended.insert(key(&package.source));
            }
            // What is affected is so in its longer support only as long as no
            // fix is there, which then says it better.
            if package.is_source && is_fix || release.is_extended && !is_fix {
                continue;
            }
            let key = key(&package.name);
            let sum = sums.entry(key).or_default();
            if let Some(severity) = severities.get(id) {
                let severity = severity.to_ascii_lowercase();
                if severity != overall {
                    sum.severity = severity;
                }
            }
            match &said {
                Some(Said::Open("")) => {
                    sum.open = Some(Said::Open(states.get(id).copied().unwrap_or_default()));
                }
                Some(said) => sum.open = Some(said.clone()),
                None => {
                    let fixes = match release.is_extended {
                        true => &mut sum.extended,
                        false => &mut sum.fixes,
                    };
                    let fix = fixes.entry(package.version.clone()).or_default();
                    fix.extend(advisories.get(id).copied());
                }
            }
        }
    }
    let mut cvss: Vec<String> = Vec::new();
    for score in flaw
        .scores
        .iter()
        .filter_map(|score| score.cvss_v3.as_ref())
    {
        if !score.vector.is_empty() && !cvss.iter().any(|known| **known == *score.vector) {
            cvss.push(score.vector.to_string());
        }
    }
    let tracking = &document.document.tracking;
    let published = flaw
        .release_date
        .some()
        .or(tracking.initial_release_date.some());
    Ok(OsvRecord {
        id: id.to_owned(),
        published: published.unwrap_or_default().to_owned(),
        modified: tracking.current_release_date.to_string(),
        cvss,
        vendor_severity: overall,
        summary: flaw.title.to_string(),
        affected: sums
            .into_iter()
            .filter(|(key, sum)| !sum.fixes.is_empty() || !mended.contains(key))
            .flat_map(entries)
            .collect(),
        ..OsvRecord::default()
    })
}

/// The entries of one package in one release. Where there is a fix, the other
/// lists are about what was before it.
fn entries(
    ((ecosystem, name, module), sum): ((String, String, String), Sum<'_>),
) -> Vec<OsvAffected> {
    let entry = |events: Vec<(EventKind, String)>, state: &str, advisory: &str| OsvAffected {
        ecosystem: ecosystem.clone(),
        name: name.clone(),
        ranges: vec![OsvRange {
            semver: false,
            events,
        }],
        state: state.to_owned(),
        severity: sum.severity.clone(),
        module: module.clone(),
        advisory: advisory.to_owned(),
        ..OsvAffected::default()
    };
    let begin = || (EventKind::Introduced, "0".to_owned());
    let is_clear = sum.open == Some(Said::NotAffected);
    let fixes = match sum.fixes.is_empty() && !is_clear {
        true => &sum.extended,
        false => &sum.fixes,
    };
    if fixes.is_empty() {
        let state = match &sum.open {
            None => return Vec::new(),
            Some(Said::NotAffected) => NOT_AFFECTED,
            Some(Said::Open(state)) => state,
        };
        return vec![entry(vec![begin()], state, "")];
    }
    let fixes = fixes.iter().map(|(version, advisories)| {
        // One build may come with several: the first of them brought it.
        let advisory = advisories.iter().min().copied().unwrap_or_default();
        let events = vec![begin(), (EventKind::Fixed, version.clone())];
        entry(events, "", advisory)
    });
    fixes.collect()
}

/// The parts of a CPE name, from vendor to edition, of either form: `redhat`,
/// `enterprise_linux`, `9`, ``, `appstream`.
pub(crate) fn cpe_parts(cpe: &str) -> Option<[String; 5]> {
    let rest = match cpe.strip_prefix("cpe:2.3:") {
        Some(rest) => rest,
        None => cpe.strip_prefix("cpe:/")?,
    };
    let mut parts = rest.split(':').skip(1);
    let mut next = || match parts.next() {
        None | Some("*" | "-") => String::new(),
        Some(part) => part.replace('\\', "").to_ascii_lowercase(),
    };
    Some([next(), next(), next(), next(), next()])
}
