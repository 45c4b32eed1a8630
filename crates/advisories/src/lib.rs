//! OSV records to a compact database, and from the database to matches.

mod build;
mod codenames;
mod database;
pub mod distros;
mod explain;
mod facts;
mod feed;
mod fetch;
mod follow;
mod install;
mod matching;
mod minisign;
mod osv;
mod positioned;
mod publish;
mod published;
mod record;
mod severity;
mod shard;
mod starter;
mod store;
mod table;
mod take;
mod unzip;
mod update;

pub use database::{Database, OpenError, Origin, ShardInfo};
pub use explain::{Decision, explain};
pub use facts::FactKind;
pub use feed::{FeedInfo, feeds, update::FeedChoice};
pub use fetch::{FetchError, FetchProgress, From, PATIENCE, PUBLIC_BUCKET};
pub use matching::{EndOfLife, Match, Matches, Request, find, shards_needed};
pub use minisign::{KeyError, KeyId, PublicKey, SecretKey};
pub use publish::{PublishError, PublishRequest, Published, publish};
pub use record::{Affected, Event, Range, Record, RecordKind};
pub use starter::make_starter;
pub use store::{Candidate, Store, StoreError};
pub use update::{UpdateError, UpdateRequest, Updated, update};

/// Entry points for tests with hostile input.
pub mod hostile {
    /// Parses an OSV record; whether it is one.
    pub fn osv(bytes: &[u8]) -> bool {
        crate::osv::parse(bytes).is_ok()
    }

    /// Reads facts as files of every kind; how many of these it could be.
    pub fn facts(bytes: &[u8]) -> usize {
        crate::facts::read_all(bytes)
    }

    /// Reads a file as one of every feed; how many of these it could be.
    pub fn feeds(bytes: &[u8]) -> usize {
        crate::feed::read_all(bytes)
    }

    /// Opens a shard and asks it.
    pub fn shard(bytes: &[u8]) -> bool {
        let opened = crate::shard::Shard::open(crate::table::Bytes::Memory(bytes.to_vec()), None);
        opened.is_ok_and(|shard| shard.by_name("a").is_ok() && shard.by_id("CVE-1").is_ok())
    }
}
