//! What every format says in its own words: parts with references, and which
//! of them asks for which. From parts a [`Document`] grows.

use std::{borrow::Cow, collections::HashMap};

use seawall_model::{
    Gap, GapKind, Hash, Origin, Os, Package, Requirement, Source, TargetKind, Technique,
};

use crate::{
    Document, Error, facts, os,
    purl::{self, ParsedPurl},
};

/// Packages of one document: ten times as many as the largest images have.
pub(crate) const MOST_PARTS: usize = 500_000;
/// Bytes of a name or a version; what is longer is none.
const MOST_NAME: usize = 4096;
/// Bytes of all names in the dependency graph. A document may repeat long
/// names by short references: its size does not bound them.
const MOST_GRAPH: usize = 128 << 20;

/// One thing that a document lists.
#[derive(Debug, Default)]
pub(crate) struct Part<'a> {
    /// What the document calls it.
    pub(crate) reference: Cow<'a, str>,
    pub(crate) role: Role,
    pub(crate) name: Cow<'a, str>,
    pub(crate) version: Cow<'a, str>,
    /// Empty when there is none.
    pub(crate) purl: Cow<'a, str>,
    pub(crate) licenses: Vec<String>,
    pub(crate) hashes: Vec<Hash>,
    /// Where it was found; empty when it is not said.
    pub(crate) path: Cow<'a, str>,
    pub(crate) properties: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// What a part is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// A package.
    #[default]
    Package,
    /// What the document is about.
    Root,
    /// A distribution.
    System,
    /// A file, which is evidence and no package.
    File,
    /// A lock file or the like: what it contains was found there.
    Holder,
}

impl Part<'_> {
    /// The value of the first property with one of these names, in their order.
    pub(crate) fn property(&self, names: &[&str]) -> Option<&str> {
        let found = names
            .iter()
            .find_map(|name| self.properties.iter().find(|(own, _)| own == name));
        found
            .map(|(_, value)| value.as_ref())
            .filter(|value| !value.is_empty())
    }
}

/// What a reference leads to.
#[derive(Clone, Copy, Debug)]
enum Node {
    Package(u32),
    Root,
    Holder(u32),
    Other,
}

/// A document in the making.
pub(crate) struct Builder {
    document: Document,
    /// What the `distro` qualifiers say, when nothing else does.
    os_of_purls: Option<Os>,
    nodes: HashMap<String, Node>,
    holders: Vec<String>,
    /// The first asks for the second.
    edges: Vec<(u32, u32)>,
    direct: Vec<u32>,
    has_root: bool,
    parts: usize,
    without_purl: usize,
    malformed: usize,
    repeated: usize,
}

impl Builder {
    pub(crate) fn new(document: Document) -> Self {
        Builder {
            document,
            os_of_purls: None,
            nodes: HashMap::new(),
            holders: Vec::new(),
            edges: Vec::new(),
            direct: Vec::new(),
            has_root: false,
            parts: 0,
            without_purl: 0,
            malformed: 0,
            repeated: 0,
        }
    }

    /// The document as far as it is there.
    pub(crate) fn document(&mut self) -> &mut Document {
        &mut self.document
    }

    /// Adds a part.
    pub(crate) fn part(&mut self, part: &Part<'_>) -> Result<(), Error> {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Err(Error::Large);
        }
        let node = self.node(part);
        if part.reference.is_empty() {
            return Ok(());
        }
        match self.nodes.entry(part.reference.clone().into_owned()) {
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(node);
            }
            std::collections::hash_map::Entry::Occupied(_) => self.repeated += 1,
        }
        Ok(())
    }

    fn node(&mut self, part: &Part<'_>) -> Node {
        match part.role {
            Role::Root => {
                // Of several the first one speaks for the document.
                if !std::mem::replace(&mut self.has_root, true) {
                    facts::read_root(part, &mut self.document);
                }
                return Node::Root;
            }
            Role::System => {
                self.system(part);
                return Node::Other;
            }
            Role::File => return Node::Other,
            Role::Holder => {
                self.holders.push(relative(&part.name).to_owned());
                return Node::Holder(index(self.holders.len() - 1));
            }
            Role::Package => {}
        }
        if part.purl.is_empty() {
            self.without_purl += 1;
            return Node::Other;
        }
        let Some(purl) = purl::parse(&part.purl) else {
            self.malformed += 1;
            return Node::Other;
        };
        // An image among the parts of another one is no package.
        if matches!(purl.kind.as_str(), "oci" | "docker") {
            return Node::Other;
        }
        let mut package = package(part, &purl);
        if package.name.len().max(package.version.len()) > MOST_NAME {
            self.malformed += 1;
            return Node::Other;
        }
        if is_system(&purl.kind) && self.os_of_purls.is_none() {
            self.os_of_purls = purl
                .qualifier("distro")
                .map(|distro| os::of_qualifier(distro, &purl.namespace));
        }
        facts::read_package(part, &self.document.target.layers, &mut package);
        self.document.packages.push(package);
        Node::Package(index(self.document.packages.len() - 1))
    }

    fn system(&mut self, part: &Part<'_>) {
        if self.document.target.os.is_some() {
            return;
        }
        let id = part.property(&["syft:distro:id"]).unwrap_or(&part.name);
        let version = part.property(&["syft:distro:versionID"]);
        let mut os = os::plain(id, version.unwrap_or(&part.version));
        if let Some(name) = part.property(&["syft:distro:prettyName"]) {
            name.clone_into(&mut os.name);
        }
        os.codename = part
            .property(&["syft:distro:versionCodename"])
            .map(str::to_owned);
        os.like = part
            .properties
            .iter()
            .filter(|(name, _)| name.starts_with("syft:distro:idLike"))
            .map(|(_, value)| value.clone().into_owned())
            .collect();
        self.document.target.os = Some(os);
    }

    /// Says that `from` asks for `to`, or holds it. Both must have been added;
    /// what was not is no package and left out.
    pub(crate) fn edge(&mut self, from: &str, to: &str) {
        let Some(Node::Package(to)) = self.nodes.get(to).copied() else {
            return;
        };
        match self.nodes.get(from).copied() {
            Some(Node::Package(from)) if from != to => self.edges.push((from, to)),
            Some(Node::Root) => self.direct.push(to),
            Some(Node::Holder(holder)) => {
                let path = self.holders.get(holder as usize);
                let package = self.document.packages.get_mut(to as usize);
                if let (Some(path), Some(package)) = (path, package)
                    && package.origin.path.is_empty()
                {
                    package.origin.path.clone_from(path);
                }
            }
            _ => {}
        }
    }

    /// Says that a package is needed for development only.
    pub(crate) fn development(&mut self, reference: &str) {
        if let Some(Node::Package(at)) = self.nodes.get(reference)
            && let Some(package) = self.document.packages.get_mut(*at as usize)
        {
            package.relation.development = true;
        }
    }

    pub(crate) fn finish(mut self) -> Document {
        self.connect();
        let mut document = self.document;
        if document.target.os.is_none() {
            document.target.os = self.os_of_purls;
        }
        let mut gap = |count: usize, what: &str| {
            if count > 0 {
                let reason = format!("{count} components {what}");
                let gap = Gap::new(GapKind::Missing, "components", reason);
                document.gaps.push(gap);
            }
        };
        gap(
            self.without_purl,
            "have no package URL, so that nothing can be said of them",
        );
        gap(self.malformed, "have a package URL that is none");
        gap(
            self.repeated,
            "bear a reference that another one bears: what asks for them is not known",
        );
        document
    }

    fn connect(&mut self) {
        let packages = &mut self.document.packages;
        // What a project names itself stands right below it. An image has all
        // of its packages there.
        // Where nothing was left out each one says so itself.
        let is_foreign = self.document.epochs_left_out;
        if is_foreign
            && self.document.target.describes != Some(TargetKind::Image)
            && !self.direct.is_empty()
        {
            let mut is_direct = vec![false; packages.len()];
            for at in &self.direct {
                if let Some(one) = is_direct.get_mut(*at as usize) {
                    *one = true;
                }
            }
            for (package, is_direct) in packages.iter_mut().zip(is_direct) {
                package.relation.direct = package.relation.direct.or(Some(is_direct));
            }
        }
        self.edges.sort_unstable();
        self.edges.dedup();
        let mut bytes = 0;
        for (from, to) in &self.edges {
            let (from, to) = (*from as usize, *to as usize);
            let wanted = match (packages.get(from), packages.get(to)) {
                // A requirement is one of its own kind.
                (Some(from), Some(to)) if from.kind == to.kind => Requirement {
                    name: to.name.clone(),
                    version: Some(to.version.clone()).filter(|version| !version.is_empty()),
                },
                _ => continue,
            };
            bytes += wanted.name.len() + wanted.version.as_ref().map_or(0, String::len);
            if bytes > MOST_GRAPH {
                let reason = format!("the names in it take more than {MOST_GRAPH} bytes");
                let gap = Gap::new(GapKind::Limit, "dependency graph", reason);
                self.document.gaps.push(gap);
                break;
            }
            if let Some(package) = packages.get_mut(from) {
                package.requires.push(wanted);
            }
        }
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A path as [`Origin::path`] has it.
pub(crate) fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}

/// Whether packages of this purl type are a distribution's.
fn is_system(kind: &str) -> bool {
    matches!(kind, "deb" | "apk" | "rpm" | "alpm")
}

/// The package that a purl and what stands beside it speak of.
pub(crate) fn package(part: &Part<'_>, purl: &ParsedPurl) -> Package {
    let is_system = is_system(&purl.kind);
    // A distribution's namespace is its id, a language's part of the name.
    let name = match purl.kind.as_str() {
        _ if is_system || purl.namespace.is_empty() => purl.name.clone(),
        "maven" => format!("{}:{}", purl.namespace, purl.name),
        _ => format!("{}/{}", purl.namespace, purl.name),
    };
    let mut version = purl.version.clone();
    if version.is_empty() {
        version = part.version.clone().into_owned();
    }
    if let Some(epoch) = purl.qualifier("epoch").filter(|_| purl.kind == "rpm")
        && !version.contains(':')
    {
        version = format!("{epoch}:{version}");
    }
    let module = purl.qualifier("rpmmod").or_else(|| {
        part.property(&[
            "syft:metadata:modularityLabel",
            "aquasecurity:trivy:Modularitylabel",
        ])
    });
    let path = match part.path.as_ref() {
        "" => part
            .property(&["syft:location:0:path", "aquasecurity:trivy:FilePath"])
            .unwrap_or_default(),
        path => path,
    };
    let origin = Origin {
        path: relative(path).to_owned(),
        ..Origin::default()
    };
    Package {
        arch: purl.qualifier("arch").map(str::to_owned),
        source: is_system
            .then(|| source(part, purl, &name, &version))
            .flatten(),
        module: module.map(str::to_owned),
        licenses: part.licenses.clone(),
        hashes: part.hashes.clone(),
        technique: Technique::Sbom,
        ..Package::new(purl.kind.clone(), name, version, part.purl.as_ref(), origin)
    }
}

/// The source package: the `upstream` qualifier (`name` or `name@version`), or
/// what Trivy and Syft keep among the properties.
fn source(part: &Part<'_>, purl: &ParsedPurl, name: &str, version: &str) -> Option<Source> {
    if let Some(upstream) = purl.qualifier("upstream") {
        // Syft names the source rpm's file.
        if let Some(source) = source_rpm(upstream) {
            return source;
        }
        let (name, own) = upstream.split_once('@').unwrap_or((upstream, version));
        return Some(Source {
            name: name.to_owned(),
            version: own.to_owned(),
        });
    }
    let property = |name: &str| part.property(&[&format!("aquasecurity:trivy:{name}")]);
    if let Some(source) = property("SrcName") {
        let epoch = property("SrcEpoch")
            .map(|epoch| format!("{epoch}:"))
            .unwrap_or_default();
        let release = property("SrcRelease").map(|release| format!("-{release}"));
        let own = property("SrcVersion")
            .map(|own| format!("{epoch}{own}{}", release.unwrap_or_default()));
        let version = own.unwrap_or_else(|| version.to_owned());
        return Some(Source {
            name: source.to_owned(),
            version,
        });
    }
    if let Some(source) = part
        .property(&["syft:metadata:sourceRpm"])
        .and_then(source_rpm)
    {
        return source;
    }
    let names = ["syft:metadata:source", "syft:metadata:originPackage"];
    let own = part
        .property(&["syft:metadata:sourceVersion"])
        .unwrap_or(version);
    let source = part.property(&names).unwrap_or(name);
    (purl.kind != "rpm").then(|| Source {
        name: source.to_owned(),
        version: own.to_owned(),
    })
}

/// `name-version-release.src.rpm`.
fn source_rpm(file: &str) -> Option<Option<Source>> {
    let stem = file.strip_suffix(".src.rpm")?;
    let mut parts = stem.rsplitn(3, '-');
    let (release, number, name) = (parts.next(), parts.next(), parts.next());
    let version = number
        .zip(release)
        .map(|(number, release)| format!("{number}-{release}"));
    Some(name.zip(version).map(|(name, version)| Source {
        name: name.into(),
        version,
    }))
}
