//! Licences: as package managers write them, as SPDX expressions (SPDX 2.3,
//! annex D), by category, and under a policy.
//!
//! The crate knows texts, not packages; it reads no file.

mod category;
mod gnu;
mod known;
mod normal;
mod policy;

pub use category::{Category, category};
pub use normal::{normalise, of_package};
pub use policy::{EntryError, List, Policy, Strictness, Verdict};
