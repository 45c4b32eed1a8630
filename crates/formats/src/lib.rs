//! Documents that others write: read without loss.

pub mod cyclonedx;

pub use seawall_model::purl::{self, ParsedPurl, parse as parse_purl};
