//! Why a registry could not give what was asked of it.

use std::io;

use seawall_model::Digest;

use crate::{AddressError, AuthError, CredentialError};

/// Why a registry could not give what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such image.
    #[error("there is no `{0}` in the registry")]
    NotThere(String),
    /// An address that is not gone to.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Nothing can be shown to a registry that asks for it.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// Credentials cannot be had.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// The registry cannot be reached, or broke off.
    #[error("cannot fetch `{url}`")]
    Http {
        /// The address.
        url: String,
        /// Why.
        #[source]
        cause: Box<ureq::Error>,
    },
    /// The answer broke off.
    #[error("cannot fetch `{url}` to its end")]
    Body {
        /// The address.
        url: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The registry refused.
    #[error("`{url}` is refused with status {status}")]
    Refused {
        /// The address.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// An answer that does not follow the specification.
    #[error("`{url}` does not answer as a registry: {reason}")]
    Malformed {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// Content that is not what its digest says.
    #[error("`{name}` has the digest {computed}, {expected} is expected")]
    Digest {
        /// What was asked for.
        name: String,
        /// Its digest.
        expected: Digest,
        /// What came.
        computed: Digest,
    },
    /// A bound was met.
    #[error("{what} is over the limit of {limit}")]
    Limit {
        /// What met the bound.
        what: String,
        /// The bound.
        limit: u64,
    },
}
