//! Documents of CSAF 2.0 (OASIS, section 3) as they are written: borrowed from
//! the text, without what nobody asks for (notes, references, history). Where
//! the standard wants something that is missing, it is empty.

use serde::Deserialize;

pub use crate::wire::{List, Text};

/// A document (3.2).
#[derive(Debug, Deserialize)]
pub struct Document<'a> {
    /// About the document itself (3.2.1).
    #[serde(borrow)]
    pub document: About<'a>,
    /// What there is to speak of (3.2.2).
    #[serde(borrow, default)]
    pub product_tree: ProductTree<'a>,
    /// What is said of it (3.2.3).
    #[serde(borrow, default)]
    pub vulnerabilities: List<Vulnerability<'a>>,
}

/// `document`.
#[derive(Debug, Deserialize)]
pub struct About<'a> {
    /// How grave it is, in the publisher's words.
    #[serde(borrow, default)]
    pub aggregate_severity: Severity<'a>,
    /// Who says it.
    #[serde(borrow, default)]
    pub publisher: Publisher<'a>,
    /// `csaf_vex`, `csaf_security_advisory`.
    #[serde(borrow, default)]
    pub category: Text<'a>,
    /// Id, dates, status.
    #[serde(borrow, default)]
    pub tracking: Tracking<'a>,
}

/// `document.aggregate_severity`.
#[derive(Debug, Default, Deserialize)]
pub struct Severity<'a> {
    /// The word.
    #[serde(borrow, default)]
    pub text: Text<'a>,
}

/// `document.publisher`.
#[derive(Debug, Default, Deserialize)]
pub struct Publisher<'a> {
    /// What it calls itself.
    #[serde(borrow, default)]
    pub name: Text<'a>,
}

/// `document.tracking`.
#[derive(Debug, Default, Deserialize)]
pub struct Tracking<'a> {
    /// The document's id.
    #[serde(borrow, default)]
    pub id: Text<'a>,
    /// RFC 3339.
    #[serde(borrow, default)]
    pub initial_release_date: Text<'a>,
    /// RFC 3339.
    #[serde(borrow, default)]
    pub current_release_date: Text<'a>,
    /// `draft`, `interim`, `final`.
    #[serde(borrow, default)]
    pub status: Text<'a>,
}

/// `product_tree`.
#[derive(Debug, Default, Deserialize)]
pub struct ProductTree<'a> {
    /// Vendors, products, versions, one in another.
    #[serde(borrow, default)]
    pub branches: List<Branch<'a>>,
    /// Products outside of the branches.
    #[serde(borrow, default)]
    pub full_product_names: List<FullProduct<'a>>,
    /// Products that are parts of others.
    #[serde(borrow, default)]
    pub relationships: List<Relationship<'a>>,
    /// Products under a name.
    #[serde(borrow, default)]
    pub product_groups: List<ProductGroup<'a>>,
}

/// A branch. The parser bounds how deep they nest.
#[derive(Debug, Deserialize)]
pub struct Branch<'a> {
    /// `vendor`, `product_name`, `product_version`, `architecture`, …
    #[serde(borrow, default)]
    pub category: Text<'a>,
    /// Its name.
    #[serde(borrow, default)]
    pub name: Text<'a>,
    /// A leaf's product.
    #[serde(borrow, default)]
    pub product: Option<FullProduct<'a>>,
    /// What is in it.
    #[serde(borrow, default)]
    pub branches: List<Branch<'a>>,
}

/// A product.
#[derive(Debug, Deserialize)]
pub struct FullProduct<'a> {
    /// Its name.
    #[serde(borrow, default)]
    pub name: Text<'a>,
    /// By which the document speaks of it.
    #[serde(borrow, default)]
    pub product_id: Text<'a>,
    /// By which others know it.
    #[serde(borrow, default)]
    pub product_identification_helper: Option<Helper<'a>>,
}

/// `product_identification_helper`.
#[derive(Debug, Default, Deserialize)]
pub struct Helper<'a> {
    /// A package URL.
    #[serde(borrow, default)]
    pub purl: Text<'a>,
    /// A CPE name, 2.2 or 2.3.
    #[serde(borrow, default)]
    pub cpe: Text<'a>,
    /// Digests of its files.
    #[serde(borrow, default)]
    pub hashes: List<Hashes<'a>>,
    /// Bills of materials.
    #[serde(borrow, default)]
    pub sbom_urls: List<Text<'a>>,
    /// Whatever else.
    #[serde(borrow, default)]
    pub x_generic_uris: List<GenericUri<'a>>,
}

/// Digests of one file.
#[derive(Debug, Deserialize)]
pub struct Hashes<'a> {
    /// One for each algorithm.
    #[serde(borrow, default)]
    pub file_hashes: List<FileHash<'a>>,
}

/// A digest.
#[derive(Debug, Deserialize)]
pub struct FileHash<'a> {
    /// `sha256`.
    #[serde(borrow, default)]
    pub algorithm: Text<'a>,
    /// Hexadecimal.
    #[serde(borrow, default)]
    pub value: Text<'a>,
}

/// A name of a namespace of its own.
#[derive(Debug, Deserialize)]
pub struct GenericUri<'a> {
    /// The name.
    #[serde(borrow, default)]
    pub uri: Text<'a>,
}

/// A product as a part of another.
#[derive(Debug, Deserialize)]
pub struct Relationship<'a> {
    /// The part.
    #[serde(borrow, default)]
    pub product_reference: Text<'a>,
    /// The whole.
    #[serde(borrow, default)]
    pub relates_to_product_reference: Text<'a>,
    /// The part in the whole.
    #[serde(borrow)]
    pub full_product_name: FullProduct<'a>,
}

/// Products under a name.
#[derive(Debug, Deserialize)]
pub struct ProductGroup<'a> {
    /// The name.
    #[serde(borrow, default)]
    pub group_id: Text<'a>,
    /// The products.
    #[serde(borrow, default)]
    pub product_ids: List<Text<'a>>,
}

/// What is said of one vulnerability.
#[derive(Debug, Deserialize)]
pub struct Vulnerability<'a> {
    /// `CVE-2024-7348`.
    #[serde(borrow, default)]
    pub cve: Text<'a>,
    /// Ids of others.
    #[serde(borrow, default)]
    pub ids: List<OtherId<'a>>,
    /// One line.
    #[serde(borrow, default)]
    pub title: Text<'a>,
    /// RFC 3339: when it became known.
    #[serde(borrow, default)]
    pub release_date: Text<'a>,
    /// Which products are in which state.
    #[serde(borrow, default)]
    pub product_status: ProductStatus<'a>,
    /// Why some are not affected.
    #[serde(borrow, default)]
    pub flags: List<Scoped<'a>>,
    /// What it does to some.
    #[serde(borrow, default)]
    pub threats: List<Scoped<'a>>,
    /// What can be done for some.
    #[serde(borrow, default)]
    pub remediations: List<Scoped<'a>>,
    /// How grave it is for some.
    #[serde(borrow, default)]
    pub scores: List<Score<'a>>,
}

/// An id that is no CVE.
#[derive(Debug, Deserialize)]
pub struct OtherId<'a> {
    /// The id.
    #[serde(borrow, default)]
    pub text: Text<'a>,
}

/// `product_status` (3.2.3.9): ids of products.
#[derive(Debug, Default, Deserialize)]
#[expect(missing_docs, reason = "the names are the standard's")]
pub struct ProductStatus<'a> {
    #[serde(borrow, default)]
    pub first_affected: List<Text<'a>>,
    #[serde(borrow, default)]
    pub first_fixed: List<Text<'a>>,
    #[serde(borrow, default)]
    pub fixed: List<Text<'a>>,
    #[serde(borrow, default)]
    pub known_affected: List<Text<'a>>,
    #[serde(borrow, default)]
    pub known_not_affected: List<Text<'a>>,
    #[serde(borrow, default)]
    pub last_affected: List<Text<'a>>,
    #[serde(borrow, default)]
    pub recommended: List<Text<'a>>,
    #[serde(borrow, default)]
    pub under_investigation: List<Text<'a>>,
}

/// A flag, a threat or a remediation: something said of some products.
#[derive(Debug, Deserialize)]
pub struct Scoped<'a> {
    /// A flag's word.
    #[serde(borrow, default)]
    pub label: Text<'a>,
    /// A threat's or a remediation's kind.
    #[serde(borrow, default)]
    pub category: Text<'a>,
    /// In words.
    #[serde(borrow, default)]
    pub details: Text<'a>,
    /// Where to read on.
    #[serde(borrow, default)]
    pub url: Text<'a>,
    /// The products; where there are neither these nor groups, all.
    #[serde(borrow, default)]
    pub product_ids: Option<List<Text<'a>>>,
    /// Products by the names of their groups.
    #[serde(borrow, default)]
    pub group_ids: Option<List<Text<'a>>>,
}

/// A score (3.2.3.13).
#[derive(Debug, Deserialize)]
pub struct Score<'a> {
    /// CVSS 3.0 or 3.1.
    #[serde(borrow, default)]
    pub cvss_v3: Option<Cvss<'a>>,
}

/// What is kept of a score: the rest follows from its vector.
#[derive(Debug, Deserialize)]
pub struct Cvss<'a> {
    /// `CVSS:3.1/…`.
    #[serde(borrow, default, rename = "vectorString")]
    pub vector: Text<'a>,
}

/// Reads a document whose lists are bounded.
///
/// # Errors
/// When it is no JSON, or has not the shape of a document.
pub fn read(bytes: &[u8]) -> Result<Document<'_>, serde_json::Error> {
    crate::wire::lists_bounded(bytes)
}
