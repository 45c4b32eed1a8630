//! What the matcher asks of a database.

use seawall_model::{Epss, Kev};

use crate::{Affected, Record};

/// One record together with one of its `affected` entries that bears the name
/// asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate<'a> {
    /// The record.
    pub record: Record<'a>,
    /// The entry.
    pub affected: Affected<'a>,
}

/// A database of advisories, as the matcher sees it: shards by name
/// (`Debian:12`, `Alpine:v3.10`, `PyPI`, `npm:malicious` for records of
/// packages made to do harm, `Debian:12@debian-tracker` for those of a feed),
/// and facts by CVE.
///
/// A trait so that the matcher's tests can stand on records in memory.
pub trait Store: Sync {
    /// Names of all shards, sorted.
    fn shards(&self) -> Vec<&str>;

    /// The newest `modified` or `published` of a shard, RFC 3339; `None` when
    /// there is no such shard.
    fn newest(&self, shard: &str) -> Option<&str>;

    /// The newest date of a shard that is not after `day` (`YYYY-MM-DD`): one
    /// record with a date of the future must not make all others look new.
    fn newest_until(&self, shard: &str, day: &str) -> Option<String> {
        let newest = self.newest(shard)?;
        (newest.get(..10)? <= day).then(|| newest.to_owned())
    }

    /// When the publisher of a shard last signed it, RFC 3339; `None` where it
    /// is not signed.
    fn signed(&self, shard: &str) -> Option<&str> {
        let _ = shard;
        None
    }

    /// The day, `YYYY-MM-DD`, on which the source of a shard was last asked, or
    /// the shard was built from a folder; `None` when it is not known.
    fn asked(&self, shard: &str) -> Option<String> {
        let _ = shard;
        None
    }

    /// What a feed could not give of its shard, a line each.
    fn left_out(&self, shard: &str) -> &[String] {
        let _ = shard;
        &[]
    }

    /// Every candidate of the package `name` (as normalised by the scheme of
    /// the ecosystem) in `shard`; empty when there is none or no such shard.
    ///
    /// # Errors
    /// When a block of the shard that had to be touched is damaged.
    fn candidates<'a>(&'a self, shard: &str, name: &str) -> Result<Vec<Candidate<'a>>, StoreError>;

    /// Every candidate of any shard whose record bears `id` (as id, alias or
    /// upstream), with the name of its shard.
    ///
    /// # Errors
    /// When a block of a shard that had to be touched is damaged.
    fn by_id<'a>(&'a self, id: &str) -> Result<Vec<(&'a str, Candidate<'a>)>, StoreError>;

    /// CVSS vectors known for a CVE: from CVE records (`cve:cna`, `cve:adp`,
    /// `nvd`) and from any ecosystem's record of the same CVE (that record's
    /// id), as (source, vector).
    ///
    /// # Errors
    /// When a block of a shard that had to be touched is damaged.
    fn cvss<'a>(&'a self, cve: &str) -> Result<Vec<(&'a str, &'a str)>, StoreError>;

    /// The entry of a CVE in CISA's catalogue.
    ///
    /// # Errors
    /// When a block of a shard that had to be touched is damaged.
    fn kev(&self, cve: &str) -> Result<Option<Kev>, StoreError>;

    /// The EPSS score of a CVE.
    ///
    /// # Errors
    /// When a block of a shard that had to be touched is damaged.
    fn epss(&self, cve: &str) -> Result<Option<Epss>, StoreError>;

    /// The day on which a product's release cycle ended or will end,
    /// `YYYY-MM-DD` (endoflife.date's product and cycle names: `debian`, `12`).
    /// A cycle that ended on a day unknown has the empty string.
    fn end_of_life(&self, product: &str, cycle: &str) -> Option<&str>;
}

/// A shard that cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the advisory shard `{shard}` is damaged: {reason}")]
pub struct StoreError {
    /// Name of the shard.
    pub shard: String,
    /// What is wrong with it.
    pub reason: String,
}
