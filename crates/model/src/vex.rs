//! What somebody says of a flaw in a product: VEX, as OpenVEX 0.2.0, CSAF 2.0
//! and CycloneDX write it ("Minimum Requirements for Vulnerability
//! Exploitability eXchange (VEX)", CISA, 2023).

use crate::{Hash, purl::ParsedPurl};

/// One document.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Document {
    /// Its own id: an IRI, a tracking id, a serial number; empty without one.
    pub id: String,
    /// The file that it was read from.
    pub place: String,
    /// What it says, in its order.
    pub statements: Vec<Statement>,
    /// Index of the target that it lies in, for statements inside a bill of
    /// materials: they are about nothing else.
    pub target: Option<usize>,
    /// What is wrong with it though it can be used.
    pub problems: Vec<String>,
}

/// One statement: which flaw, in what, and what of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What is said.
    pub claim: Claim,
    /// The flaw's id and its aliases, as written.
    pub ids: Vec<String>,
    /// What it is said of.
    pub products: Vec<Product>,
}

/// What a statement says, without what it says it of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The document's id.
    pub document: String,
    /// The file that it was read from.
    pub place: String,
    /// Which statement of the document, from 1.
    pub number: usize,
    /// Who says it.
    pub author: Option<String>,
    /// Whether the product is affected.
    pub status: VexStatus,
    /// Why it is not, in the words of the document's format.
    pub justification: Option<String>,
    /// Why it is not, in prose.
    pub impact: Option<String>,
    /// What to do about it.
    pub action: Option<String>,
    /// Since when it is said, as written.
    pub time: Option<String>,
    /// The same in nanoseconds since 1970: the latest statement counts.
    pub order: i128,
}

/// Whether a product is affected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VexStatus {
    /// It is not.
    NotAffected,
    /// It is, and something should be done.
    Affected,
    /// It was, and this version is not any more.
    Fixed,
    /// Nobody knows yet.
    UnderInvestigation,
}

impl VexStatus {
    /// All of them.
    pub const ALL: [VexStatus; 4] = [
        VexStatus::NotAffected,
        VexStatus::Affected,
        VexStatus::Fixed,
        VexStatus::UnderInvestigation,
    ];

    /// OpenVEX's word, used in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            VexStatus::NotAffected => "not_affected",
            VexStatus::Affected => "affected",
            VexStatus::Fixed => "fixed",
            VexStatus::UnderInvestigation => "under_investigation",
        }
    }

    /// The status of OpenVEX's word.
    pub fn parse(text: &str) -> Option<Self> {
        VexStatus::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// Whether a flaw with this status is none to care about.
    pub fn suppresses(self) -> bool {
        matches!(self, VexStatus::NotAffected | VexStatus::Fixed)
    }
}

/// Why a product is not affected, in OpenVEX's words (OpenVEX 0.2.0, "Status
/// Justifications"); CSAF's flags are the same.
pub const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

/// What a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Product {
    /// By what it is named; any of these will do.
    pub names: Vec<Name>,
    /// What else its parts must lie in: a module of a distribution. All of
    /// these must hold.
    pub within: Vec<Vec<Name>>,
    /// The parts of it that the statement is about; all of it when empty.
    pub parts: Vec<Vec<Name>>,
}

/// One way to name a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A package URL. What it leaves out (version, qualifiers) may be anything.
    Purl {
        /// The package URL.
        purl: ParsedPurl,
        /// Versions meant, as a `vers` range or as one version, where the
        /// document gives them beside the package URL.
        versions: Option<String>,
    },
    /// A platform, `cpe:/o:…` or `cpe:2.3:o:…`.
    Cpe(String),
    /// A digest of the product itself.
    Hash(Hash),
    /// A component of a bill of materials (CycloneDX, "BOM-Link").
    BomLink {
        /// The document's UUID, lower case; `None` for the document that holds
        /// the statement.
        serial: Option<String>,
        /// The document's version.
        version: Option<u64>,
        /// The component's `bom-ref`; the document's subject without one.
        reference: Option<String>,
        /// Versions meant, as in [`Name::Purl`].
        versions: Option<String>,
    },
    /// Any other name, compared letter by letter.
    Iri(String),
}
