//! OSV records to a compact database, and from the database to matches.

pub mod distros;
mod explain;
mod matching;
mod record;
mod severity;
mod store;

pub use explain::{Decision, explain};
pub use matching::{EndOfLife, Match, Matches, Request, find, shards_needed};
pub use record::{Affected, Event, Range, Record, RecordKind};
pub use store::{Candidate, Store, StoreError};
