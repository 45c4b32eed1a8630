//! OSV records to a compact database, and from the database to matches.

mod record;

pub use record::{Affected, Event, Range, Record, RecordKind};
