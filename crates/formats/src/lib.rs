//! Documents that others write, and that others read: bills of materials of
//! every common format.

mod content;
pub mod csaf;
mod cyclonedx;
mod document;
mod envelope;
mod facts;
mod licenses;
mod os;
mod part;
mod spdx;
mod spdx3;
mod syft;
pub mod text;
pub mod vex;
mod wire;

pub use content::{Content, Format, ParseFormatError, write};
pub use document::{Document, Error, Kind, is_likely, read};
pub use seawall_model::purl::{self, ParsedPurl, parse as parse_purl};
