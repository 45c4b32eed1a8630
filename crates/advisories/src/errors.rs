//! Why an update fails.

use std::{io, path::PathBuf};

use crate::{FetchError, KeyError, KeyId, OpenError};

/// Why an update failed. The old database is whole.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// Something could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// There is no dump of an ecosystem.
    #[error("there is no `{ecosystem}/all.zip` in `{from}`")]
    NoDump {
        /// The ecosystem.
        ecosystem: String,
        /// Where it was looked for.
        from: String,
    },
    /// There is nothing to build.
    #[error("there is no `ECOSYSTEM/all.zip` in `{0}`")]
    Nothing(String),
    /// A feed that nobody knows is asked for.
    #[error("there is no feed `{name}`, only `{}`", .known.join("`, `"))]
    NoFeed {
        /// What was asked for.
        name: String,
        /// Those that are known.
        known: Vec<&'static str>,
    },
    /// A dump is no zip, or none of the ecosystem that it is named after.
    #[error("`{name}` of `{from}` is damaged: {reason}")]
    Damaged {
        /// The file.
        name: String,
        /// Where it came from.
        from: String,
        /// What is wrong.
        reason: String,
    },
    /// The database cannot be written.
    #[error("cannot write `{}`", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The database there cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A key is given, and there is nothing that it could have signed.
    #[error("there is no signed index in `{from}`, and what is there has to be signed by {key}")]
    NotSigned {
        /// The place.
        from: String,
        /// The key's id.
        key: KeyId,
    },
    /// There is a signed index, and nobody said whose signature counts.
    #[error("`{from}` has a signed index, and no key was given to check it")]
    KeyNeeded {
        /// The place.
        from: String,
    },
    /// The signature is none, of another key, or does not fit.
    #[error("the index of `{from}` cannot be trusted")]
    Signature {
        /// The place.
        from: String,
        /// Why.
        #[source]
        cause: KeyError,
    },
    /// The index is older than one that was seen.
    #[error("the index of `{from}` is of {offered}, older than the one of {seen} that was here")]
    RolledBack {
        /// The place.
        from: String,
        /// When it was made, RFC 3339.
        offered: String,
        /// When the one that was seen was made.
        seen: String,
    },
    /// The index is of the future.
    #[error("the index of `{from}` is of {offered}, and by the clock of this machine it is {now}")]
    Ahead {
        /// The place.
        from: String,
        /// When it was made, RFC 3339.
        offered: String,
        /// Now, RFC 3339.
        now: String,
    },
    /// Nothing of what was asked for is published.
    #[error("`{name}` is not published in `{from}`")]
    NotPublished {
        /// The first that was asked for.
        name: String,
        /// The place.
        from: String,
    },
    /// An advisory shard would be too large for its format.
    #[error("the shard `{0}` would have more than 4 GiB")]
    Large(String),
}
