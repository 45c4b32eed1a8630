//! Why a registry could not give what was asked of it.

use std::{io, path::PathBuf};

use seawall_model::Digest;

use crate::{AddressError, AuthError, CredentialError, HostsError};

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
    /// There is no way to a registry.
    #[error(transparent)]
    Hosts(#[from] HostsError),
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
    #[error("`{url}` is refused with status {status}{}", spoken(.said))]
    Refused {
        /// The address.
        url: String,
        /// HTTP status.
        status: u16,
        /// The registry's own words, bounded and without control characters;
        /// empty where it has none.
        said: String,
    },
    /// The two sides do not agree on TLS.
    #[error("cannot speak TLS with `{url}`: {reason}")]
    Tls {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
        /// What can be done.
        hint: &'static str,
    },
    /// A file with certificates or a key cannot be used.
    #[error("cannot use `{}` for TLS: {reason}", .path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// An address that a registry points to and that is not gone to.
    #[error("`{from}` leads to `{to}`, which is not followed: {why}")]
    Redirect {
        /// The address that was asked.
        from: String,
        /// The address that it points to.
        to: String,
        /// Why.
        why: String,
    },
    /// Something that is understood but not supported.
    #[error("`{name}` is {what}")]
    Unsupported {
        /// What was asked for.
        name: String,
        /// What it is, and why that does not do.
        what: &'static str,
    },
    /// Content that is shorter or longer than it is said to be.
    #[error("`{name}` has {got}, {expected} bytes are expected")]
    Length {
        /// What was asked for.
        name: String,
        /// Bytes that are expected.
        expected: u64,
        /// What there is, in words: `at least 7 bytes`.
        got: String,
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
    /// A registry that names another digest than that of what it sends.
    #[error("the registry says that `{name}` has the digest {told}, it has {computed}")]
    Told {
        /// What was asked for.
        name: String,
        /// The digest of its header, `Docker-Content-Digest`.
        told: Digest,
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

impl Error {
    /// Whether nobody answered, or only a part: the next question to the same
    /// registry most likely ends likewise.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Error::Http { .. } | Error::Body { .. } | Error::Tls { .. } => true,
            Error::Auth(AuthError::Shared(inner)) => inner.is_unreachable(),
            Error::Auth(AuthError::Token { cause, .. }) => cause.is_unreachable(),
            _ => false,
        }
    }

    /// What can be done about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::NotThere(_) => Some(
                "check the name and the tag; a private image looks the same to those who may not \
                 see it",
            ),
            Error::Tls { hint, .. } => Some(hint),
            Error::Auth(AuthError::Shared(error)) => error.hint(),
            Error::Auth(AuthError::Token { cause, .. }) => cause.hint(),
            Error::Auth(AuthError::None { .. } | AuthError::Denied { .. })
            | Error::Refused {
                status: 401 | 403, ..
            } => Some("log in to the registry, or check that the account may do this"),
            Error::Refused { status: 429, .. } => Some(
                "the registry limits how often it is asked: wait, or log in for a higher limit",
            ),
            Error::Unsupported { .. } => {
                Some("push the image again with a current tool, which converts it")
            }
            Error::Http { .. } => Some("check that the registry can be reached from here"),
            _ => None,
        }
    }
}

pub(crate) fn spoken(said: &str) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    }
}
