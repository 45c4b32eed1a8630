//! VEX in CSAF 2.0 (OASIS): the profiles `csaf_vex` and
//! `csaf_security_advisory`, section 4.4 and 4.5.

use std::collections::{BTreeMap, HashMap};

use super::{Error, PRODUCTS, Time, hash, name};
use crate::csaf::{
    self, Branch, FullProduct, List, ProductStatus, ProductTree, Scoped, Text, Vulnerability,
};
use seawall_model::{
    purl::ParsedPurl,
    vex::{Claim, Document, Name, Product, Statement, VexStatus},
};

/// A relationship inside a relationship: a package in a module in a release.
const NESTED: usize = 8;

pub(super) fn read(bytes: &[u8]) -> Result<Document, Error> {
    let wire = csaf::read(bytes).map_err(|cause| Error::Json {
        format: "CSAF 2.0",
        cause,
    })?;
    let tracking = &wire.document.tracking;
    let date = tracking.current_release_date.some();
    let of_document = || "the document".to_owned();
    let time = date
        .map(|text| Time::parse(text, &of_document))
        .transpose()?;
    let tree = Tree::new(&wire.product_tree);
    let mut document = Document {
        id: tracking.id.to_string(),
        ..Document::default()
    };
    if &*tracking.status == "draft" {
        document
            .problems
            .push("it is a draft by its own word".to_owned());
    }
    let publisher = &wire.document.publisher;
    let claim = |said: &Said<'_>| Claim {
        document: String::new(),
        place: String::new(),
        number: 0,
        author: publisher.name.some().map(str::to_owned),
        status: said.status,
        justification: said.justification.map(str::to_owned),
        impact: said.impact.map(str::to_owned),
        action: said.action.map(str::to_owned),
        order: time.as_ref().map_or(i128::MIN, |time| time.order),
        time: time.as_ref().map(|time| time.text.clone()),
    };
    let mut lost = Lost::default();
    let mut products = 0;
    for one in wire.vulnerabilities.iter() {
        let mut ids: Vec<String> = one.cve.some().map(str::to_owned).into_iter().collect();
        ids.extend(one.ids.iter().map(|id| id.text.to_string()));
        for (said, named) in tree.said(one) {
            products += named.len();
            if products > PRODUCTS {
                return Err(Error::Large);
            }
            let known: Vec<Product> = named
                .iter()
                .filter_map(|id| tree.product(id, &mut lost))
                .collect();
            document.statements.push(Statement {
                ids: ids.clone(),
                products: known,
                claim: claim(&said),
            });
        }
    }
    document.problems.extend(lost.problems());
    Ok(document)
}

/// Products that statements name and that cannot be told.
#[derive(Default)]
struct Lost {
    unknown: usize,
    circular: usize,
    unnamed: usize,
}

impl Lost {
    fn problems(&self) -> impl Iterator<Item = String> {
        let all = [
            (self.unknown, "products are not in the product tree"),
            (
                self.circular,
                "products are parts of themselves, or of too many others",
            ),
            (
                self.unnamed,
                "products have neither a package URL, nor a CPE name, nor a digest",
            ),
        ];
        let some = all.into_iter().filter(|(count, _)| *count > 0);
        some.map(|(count, what)| format!("{count} {what}, so that what is said of them is lost"))
    }
}

/// What is said of some products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Said<'a> {
    /// Place in the order: what is affected comes last, and so has the last
    /// word where a document contradicts itself.
    rank: usize,
    status: VexStatus,
    justification: Option<&'a str>,
    impact: Option<&'a str>,
    action: Option<&'a str>,
}

/// Lists of `product_status` (CSAF 2.0, 3.2.3.9), and what they mean.
fn lists<'s, 'a>(status: &'s ProductStatus<'a>) -> [(&'s List<Text<'a>>, VexStatus); 7] {
    [
        (&status.known_not_affected, VexStatus::NotAffected),
        (&status.first_fixed, VexStatus::Fixed),
        (&status.fixed, VexStatus::Fixed),
        (&status.under_investigation, VexStatus::UnderInvestigation),
        (&status.first_affected, VexStatus::Affected),
        (&status.last_affected, VexStatus::Affected),
        (&status.known_affected, VexStatus::Affected),
    ]
}

enum Node<'a> {
    Product(Vec<Name>),
    /// A component, and what it is a part of.
    Part(Component<'a>, &'a str),
}

enum Component<'a> {
    /// Another product.
    Id(&'a str),
    /// By the relationship's own names.
    Named(Vec<Name>),
}

struct Tree<'a> {
    nodes: HashMap<&'a str, Node<'a>>,
    groups: HashMap<&'a str, &'a [Text<'a>]>,
}

impl<'a> Tree<'a> {
    fn new(wire: &'a ProductTree<'a>) -> Self {
        let mut tree = Tree {
            nodes: HashMap::new(),
            groups: HashMap::new(),
        };
        for product in wire.full_product_names.iter() {
            tree.add(product, None);
        }
        for branch in wire.branches.iter() {
            tree.branch(branch, None);
        }
        for one in wire.relationships.iter() {
            let mut own = names(&one.full_product_name, None);
            // A CPE name says where the component is, not what it is.
            own.retain(|name| !matches!(name, Name::Cpe(_)));
            let whole = &one.relates_to_product_reference;
            let has_purl = own.iter().any(|name| matches!(name, Name::Purl { .. }));
            let node = if has_purl {
                Node::Part(Component::Named(own), whole)
            } else if own.is_empty() {
                Node::Part(Component::Id(&one.product_reference), whole)
            } else {
                Node::Product(own)
            };
            tree.nodes.insert(&one.full_product_name.product_id, node);
        }
        let groups = wire.product_groups.iter();
        tree.groups
            .extend(groups.map(|one| (&*one.group_id, &*one.product_ids)));
        tree
    }

    /// `version` is the nearest branch around this one that says of which
    /// version what lies in it is. The parser bounds the depth.
    fn branch(&mut self, branch: &'a Branch<'a>, version: Option<&'a Branch<'a>>) {
        let is_version = matches!(
            &*branch.category,
            "product_version" | "product_version_range"
        );
        let version = if is_version { Some(branch) } else { version };
        if let Some(product) = &branch.product {
            self.add(product, version);
        }
        for inner in branch.branches.iter() {
            self.branch(inner, version);
        }
    }

    fn add(&mut self, product: &'a FullProduct<'a>, version: Option<&Branch<'_>>) {
        let node = Node::Product(names(product, version));
        self.nodes.insert(&product.product_id, node);
    }

    /// The product with this id: the outermost of its relationships, with the
    /// innermost as its part and what is between as what that part lies in.
    fn product(&self, id: &str, lost: &mut Lost) -> Option<Product> {
        let mut within = Vec::new();
        let mut part = None;
        let mut open = id;
        for _ in 0..NESTED {
            match self.nodes.get(open) {
                None => {
                    lost.unknown += 1;
                    return None;
                }
                Some(Node::Part(component, whole)) => {
                    let names = match self.component(component) {
                        Some(names) if !names.is_empty() => names,
                        Some(_) => {
                            lost.unnamed += 1;
                            return None;
                        }
                        None => {
                            lost.circular += 1;
                            return None;
                        }
                    };
                    if part.is_none() {
                        part = Some(names);
                    } else {
                        within.push(names);
                    }
                    open = whole;
                }
                Some(Node::Product(names)) if names.is_empty() => {
                    lost.unnamed += 1;
                    return None;
                }
                Some(Node::Product(names)) => {
                    return Some(Product {
                        names: names.clone(),
                        within,
                        parts: part.into_iter().collect(),
                    });
                }
            }
        }
        lost.circular += 1;
        None
    }

    /// The names of a component, which may be a relationship of its own.
    fn component(&self, component: &Component<'_>) -> Option<Vec<Name>> {
        let mut open = component;
        for _ in 0..NESTED {
            let id = match open {
                Component::Named(names) => return Some(names.clone()),
                Component::Id(id) => id,
            };
            match self.nodes.get(id) {
                Some(Node::Product(names)) => return Some(names.clone()),
                Some(Node::Part(component, _)) => open = component,
                None => return Some(Vec::new()),
            }
        }
        None
    }

    fn of<'s>(&'s self, scoped: &'s Scoped<'_>) -> impl Iterator<Item = &'s str> {
        let groups = scoped.group_ids.iter().flat_map(|ids| ids.iter());
        let of_groups = groups
            .filter_map(|id| self.groups.get(&**id))
            .flat_map(|ids| ids.iter());
        let own = scoped.product_ids.iter().flat_map(|ids| ids.iter());
        own.chain(of_groups).map(|id| &**id)
    }

    /// Everything that is said of one vulnerability, with the ids of the
    /// products that it is said of.
    fn said<'v>(&'v self, one: &'v Vulnerability<'_>) -> BTreeMap<Said<'v>, Vec<&'v str>> {
        let mut flags: HashMap<&str, &str> = HashMap::new();
        for flag in one.flags.iter() {
            for id in self.of(flag) {
                flags.extend(flag.label.some().map(|label| (id, label)));
            }
        }
        let mut impacts: HashMap<&str, &str> = HashMap::new();
        // A threat without products is said of all.
        let mut impact_of_all = None;
        let is_impact = |one: &&Scoped<'_>| &*one.category == "impact";
        for threat in one.threats.iter().filter(is_impact) {
            let is_of_all = threat.product_ids.is_none() && threat.group_ids.is_none();
            if is_of_all {
                impact_of_all = threat.details.some();
            }
            for id in self.of(threat) {
                impacts.extend(threat.details.some().map(|details| (id, details)));
            }
        }
        let mut actions: HashMap<&str, &str> = HashMap::new();
        for remediation in one.remediations.iter() {
            // The vendor's fix comes before what works around the flaw.
            if let Some(details) = remediation.details.some() {
                for id in self.of(remediation) {
                    actions.entry(id).or_insert(details);
                }
            }
        }
        let mut all: BTreeMap<Said<'_>, Vec<&str>> = BTreeMap::new();
        for (rank, (list, status)) in lists(&one.product_status).into_iter().enumerate() {
            for id in list.iter().map(|id| &**id) {
                let is_not = status == VexStatus::NotAffected;
                let impact = impacts.get(id).copied().or(impact_of_all);
                let said = Said {
                    rank,
                    status,
                    justification: flags.get(id).copied().filter(|_| is_not),
                    impact: impact.filter(|_| is_not),
                    action: actions.get(id).copied().filter(|_| !is_not),
                };
                all.entry(said).or_default().push(id);
            }
        }
        all
    }
}

/// By what a product is named; `version` is the branch that says of which
/// version it is.
fn names(product: &FullProduct<'_>, version: Option<&Branch<'_>>) -> Vec<Name> {
    let Some(helper) = &product.product_identification_helper else {
        return Vec::new();
    };
    let mut all = Vec::new();
    if let Some(Name::Purl { purl, .. }) = helper.purl.some().map(name) {
        let versions = version.and_then(|branch| versions(branch, &purl));
        all.push(Name::Purl { purl, versions });
    }
    all.extend(helper.cpe.some().map(|cpe| Name::Cpe(cpe.to_owned())));
    let hashes = helper.hashes.iter().flat_map(|one| one.file_hashes.iter());
    all.extend(hashes.filter_map(|one| hash(&one.algorithm, &one.value).map(Name::Hash)));
    let uris = helper.x_generic_uris.iter().map(|one| &one.uri);
    all.extend(uris.chain(helper.sbom_urls.iter()).map(|text| name(text)));
    all
}

/// The versions that a branch means beside a package URL without one. Red Hat
/// names a package where its version should stand; that is none.
fn versions(branch: &Branch<'_>, purl: &ParsedPurl) -> Option<String> {
    let last = branch.name.rsplit('/').next().unwrap_or_default();
    let is_name = last.eq_ignore_ascii_case(&purl.name);
    let is_said = &*branch.category == "product_version" && (is_name || !purl.version.is_empty());
    (!is_said).then(|| branch.name.to_string())
}
