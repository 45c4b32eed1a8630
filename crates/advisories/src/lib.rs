//! OSV records to a compact database, and from the database to matches.

mod build;
mod codenames;
mod database;
pub mod distros;
mod errors;
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
pub use errors::UpdateError;
pub use explain::{Decision, explain};
pub use facts::FactKind;
pub use feed::{FeedInfo, feeds, update::FeedChoice};
pub use fetch::{FetchError, FetchProgress, From, PATIENCE, PUBLIC_BUCKET};
pub use matching::{EndOfLife, Match, Matches, Request, find, shards_needed, subject::language};
pub use minisign::{KeyError, KeyId, PublicKey, SecretKey};
pub use publish::{PublishError, PublishRequest, Published, publish};
pub use record::{Affected, Event, Range, Record, RecordKind};
pub use starter::make_starter;
pub use store::{Candidate, Store, StoreError};
pub use update::{UpdateRequest, Updated, update};

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

    /// Opens a shard and asks it, alone and as an overlay over itself.
    pub fn shard(bytes: &[u8]) -> bool {
        let table = || crate::table::Bytes::Memory(bytes.to_vec());
        let answers = |overlay| {
            crate::shard::Shard::open(table(), overlay).is_ok_and(|shard| {
                let asked = shard.by_name("a").is_ok() && shard.by_id("CVE-1").is_ok();
                asked && shard.forms().is_ok()
            })
        };
        let alone = answers(None);
        answers(Some(table())) && alone
    }

    /// Reads a publisher's index, as if its signature had been checked.
    pub fn published(bytes: &[u8]) -> bool {
        crate::published::PublishedIndex::parse(bytes).is_ok()
    }

    /// Reads a key, a secret key and a signature; whether it is one of them.
    pub fn minisign(bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let key =
            crate::PublicKey::parse("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3");
        let is_signature = key.is_ok_and(|key| key.verify(b"content", &text).is_ok());
        is_signature
            || crate::PublicKey::parse(&text).is_ok()
            || crate::SecretKey::parse(&text, None).is_ok()
    }
}
