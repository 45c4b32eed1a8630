//! OSV records to a compact database, and from the database to matches.

mod record;
mod store;

pub use record::{Affected, Event, Range, Record, RecordKind};
pub use store::{Candidate, Store, StoreError};
