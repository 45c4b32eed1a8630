//! The nouns of Seawall.
//!
//! Every other crate speaks in these terms: a [`Target`] was looked at, it
//! holds [`Package`]s, a [`Rule`] was broken at a [`Location`], which makes a
//! [`Finding`], perhaps with a [`Fix`]; what could not be looked at is a
//! [`Gap`]; all of it is a [`Report`].
//!
//! The crate does no I/O, knows no wire format and depends on a hash function alone. Types
//! are not serialisable on purpose: the crates `report` and `formats` own the
//! wire.

mod baseline;
mod causes;
mod digest;
mod finding;
mod fingerprint;
mod fix;
mod gap;
mod location;
mod package;
pub mod purl;
mod report;
mod rule;
mod severity;
mod suppressed;
mod target;
mod text;
pub mod vex;
mod vulnerability;

pub use baseline::{Baseline, Earlier, EarlierFinding, EarlierGap, EarlierTarget};
pub use causes::in_full;
pub use digest::{Digest, ParseDigestError};
pub use finding::Finding;
pub use fingerprint::Fingerprint;
pub use fix::{Applicability, Edit, Fix, Remedy};
pub use gap::{Gap, GapKind};
pub use location::{Location, TextRange};
pub use package::{
    FileList, Hash, HashAlgorithm, Origin, Owner, Package, Relation, Requirement, Source,
    Technique, graph,
};
pub use report::{DatabaseInfo, DatabaseKind, LicenseCount, Report, Summary};
pub use rule::{Confidence, Persona, Rule};
pub use severity::{ParseSeverityError, Severity};
pub use suppressed::{Suppressed, Suppressor};
pub use target::{
    Base, BaseEvidence, Bom, Brought, Identity, ImageLayer, Os, Target, TargetKind, normal,
};
pub use text::{LineColumn, LineIndex, Span};
pub use vulnerability::{Cvss, Epss, Kev, SeverityOpinion, Status, Vulnerability};
