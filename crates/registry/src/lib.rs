//! A synchronous client of OCI and Docker registries (OCI distribution-spec
//! 1.1).
//!
//! A [`Reference`] names an image, a [`Client`] fetches its manifest and its
//! blobs. Everything that comes is bounded, and what has a digest is held
//! against it: a manifest before it is given out, a blob by whoever reads it.

mod address;
mod auth;
pub mod challenge;
mod client;
pub mod credentials;
mod error;
mod hosts;
mod http;
mod machine;
mod realm;
mod reference;
mod secret;
mod tokens;

pub use address::{Address, AddressError};
pub use auth::{AuthError, Authority, Scope};
pub use client::{Client, Manifest, Settings};
pub use credentials::{Credential, CredentialError, Credentials};
pub use error::Error;
pub use hosts::{Host, Hosts, Identity};
pub use machine::Machine;
pub use realm::RealmError;
pub use reference::{ParseReferenceError, Reference, Repository};
pub use secret::Secret;
