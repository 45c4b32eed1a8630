//! A synchronous client of OCI and Docker registries (OCI distribution-spec
//! 1.1).
//!
//! A [`Reference`] names an image, a [`Client`] fetches its manifest and its
//! blobs. Everything that comes is bounded, and what has a digest is held
//! against it: a manifest before it is given out, a blob by whoever reads it.

mod address;
pub mod answers;
mod auth;
mod blob;
pub mod challenge;
mod client;
pub mod credentials;
mod error;
mod hosts;
mod http;
mod lock;
mod machine;
mod manifest;
mod pages;
mod places;
mod push;
mod realm;
mod reference;
mod referrers;
mod retry;
mod secret;
mod settings;
mod tags;
mod tls;
mod tokens;
mod transport;

pub use address::{Address, AddressError};
pub use auth::{AuthError, Authority, Scope};
pub use blob::Blob;
pub use client::Client;
pub use credentials::{Credential, CredentialError, Credentials};
pub use error::Error;
pub use hosts::{Host, Hosts, HostsError, Identity, Way};
pub use machine::Machine;
pub use manifest::Manifest;
pub use push::{Artifact, Descriptor, Layer, Listed, Pushed};
pub use realm::RealmError;
pub use reference::{
    ParseReferenceError, Reference, Repository, is_attachment_tag, without_credentials,
};
pub use referrers::{Referrer, Referrers};
pub use secret::Secret;
pub use settings::Settings;
