//! What rpm stores, in each of the forms that its releases have used: a table
//! of headers, one for each package.

pub(crate) mod berkeley;
pub(crate) mod header;
pub(crate) mod macros;
pub(crate) mod ndb;
pub(crate) mod packages;
pub(crate) mod sqlite;

/// Bytes of one header: the largest have some megabytes.
const HEADER_LIMIT: u64 = 64 << 20;
/// Headers of one database that are looked at: more than the packages that
/// are kept, for keys and leftovers.
const MOST_HEADERS: usize = 1 << 20;
