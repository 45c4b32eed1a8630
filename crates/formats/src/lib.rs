//! Documents that others write: read without loss.

pub mod cyclonedx;
mod purl;

pub use purl::{ParsedPurl, parse as parse_purl};
