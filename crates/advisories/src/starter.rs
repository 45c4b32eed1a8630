//! The database inside the binary, for a machine that has none and may or can
//! fetch none: facts only, no prose.
//!
//! ```text
//! magic     8 bytes
//! count     32 bits: how many shards
//! shards    for each: name, newest, records, packages, SHA-256, packed and
//!           unpacked length, offset behind this table
//! bodies    each shard, packed with zstd
//! ```

use std::{fs::File, io, path::Path};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::{
    UpdateError,
    build::{self, build_shards},
    database::{Database, Origin, ShardInfo, hex},
    facts::{FactKind, Gathered},
    fetch::FetchError,
    shard::Prose,
    table::{Cursor, Damage, Value},
    update::folders,
};

const MAGIC: &[u8; 8] = b"SEASTRT1";

static STARTER: &[u8] = include_bytes!("../data/starter.db");

/// Slow to make and as quick to open as any other level.
const LEVEL: i32 = 22;

/// Facts that go into it, and the files that they come from.
const FACTS: &[(FactKind, &str)] = &[
    (FactKind::Exploited, "kev.json"),
    (FactKind::Cvss, "cvss.csv"),
    (FactKind::EndOfLife, "endoflife.json"),
];

/// Makes the starter database from a folder in the layout of OSV's bucket; the
/// same folder gives the same bytes.
///
/// # Errors
/// When a dump is missing or damaged: a starter database with holes would be
/// believed.
pub fn make_starter(dir: &Path) -> Result<Vec<u8>, UpdateError> {
    let damaged = |name: &str, reason: String| UpdateError::Damaged {
        name: name.to_owned(),
        from: dir.display().to_string(),
        reason,
    };
    let open = |name: &str| {
        let path = dir.join(name);
        let opened = File::open(&path);
        opened.map_err(|cause| UpdateError::from(FetchError::Read { path, cause }))
    };
    let mut shards: Vec<(ShardInfo, Vec<u8>)> = Vec::new();
    for folder in folders(dir)? {
        let name = format!("{folder}/all.zip");
        let dump = build::read_dump(open(&name)?, &folder, Prose::LeftOut)
            .map_err(|reason| damaged(&name, reason))?;
        if let Some((entry, reason)) = dump.refused.first() {
            return Err(damaged(&format!("{folder}/{entry}"), reason.clone()));
        }
        for (name, (bytes, about)) in build_shards(&dump) {
            let info = info(name, about.newest, about.records, about.packages, &bytes);
            shards.push((info, bytes));
        }
    }
    for (kind, name) in FACTS {
        let mut gathered = Gathered::new(*kind);
        gathered.add(name, open(name)?);
        if let Some(reason) = gathered.refused.first() {
            return Err(damaged(name, reason.clone()));
        }
        if let Some((bytes, newest)) = gathered.finish() {
            shards.push((info(kind.shard().to_owned(), newest, 0, 0, &bytes), bytes));
        }
    }
    shards.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    let mut table = Value::default();
    let mut bodies = Vec::new();
    let all: Vec<io::Result<Vec<u8>>> = shards
        .par_iter()
        .map(|(_, bytes)| zstd::bulk::compress(bytes, LEVEL))
        .collect();
    for ((info, _), packed) in shards.iter().zip(all) {
        let packed = packed.map_err(|error| damaged(&info.name, error.to_string()))?;
        table.text(&info.name);
        table.text(&info.newest);
        table.number(info.records);
        table.number(info.packages);
        table.text(&info.sha256);
        table.number(packed.len() as u64);
        table.number(info.bytes);
        table.number(bodies.len() as u64);
        bodies.extend(packed);
    }
    let mut file = MAGIC.to_vec();
    file.extend((shards.len() as u32).to_le_bytes());
    file.extend((table.0.len() as u32).to_le_bytes());
    file.extend(table.0);
    file.extend(bodies);
    Ok(file)
}

fn info(name: String, newest: String, records: u64, packages: u64, bytes: &[u8]) -> ShardInfo {
    ShardInfo {
        name,
        records,
        packages,
        newest,
        bytes: bytes.len() as u64,
        checked: 0,
        read: 0,
        overlay: 0,
        sha256: hex(&Sha256::digest(bytes)),
        left_out: Vec::new(),
        origin: Origin::default(),
    }
}

impl Database {
    /// The starter database. Of its shards only those that `wanted` names are
    /// unpacked (without releases: `Debian` opens `Debian:12`); the others are
    /// listed all the same.
    pub fn starter(wanted: &[String]) -> Self {
        let open = |name: &str| {
            FactKind::of_shard(name).is_some()
                || wanted.iter().any(|one| {
                    name == one
                        || name
                            .strip_prefix(one.as_str())
                            .is_some_and(|rest| rest.starts_with(':'))
                })
        };
        // The bytes are part of the binary: a test opens every shard of them.
        parse(STARTER, &open)
            .and_then(|(info, parts)| Database::from_parts(info, parts))
            .unwrap_or_else(|_| Database::empty())
    }
}

type Parts = (Vec<ShardInfo>, Vec<(String, Vec<u8>)>);

fn parse(file: &[u8], open: &dyn Fn(&str) -> bool) -> Result<Parts, Damage> {
    let bad = || Damage("the starter database is malformed".to_owned());
    let rest = file.strip_prefix(MAGIC).ok_or_else(bad)?;
    let (count, rest) = rest.split_first_chunk::<4>().ok_or_else(bad)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(bad)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| bad())?;
    let (table, bodies) = rest.split_at_checked(length).ok_or_else(bad)?;
    let mut cursor = Cursor(table);
    let mut all = Vec::new();
    let mut parts = Vec::new();
    for _ in 0..u32::from_le_bytes(*count) {
        let mut info = ShardInfo {
            name: cursor.text()?.to_owned(),
            newest: cursor.text()?.to_owned(),
            records: cursor.number()?,
            packages: cursor.number()?,
            sha256: cursor.text()?.to_owned(),
            bytes: 0,
            checked: 0,
            read: 0,
            left_out: Vec::new(),
            overlay: 0,
            origin: Origin::default(),
        };
        let (packed, unpacked, at) = (cursor.count()?, cursor.count()?, cursor.count()?);
        info.bytes = unpacked as u64;
        if open(&info.name) {
            let body = bodies.get(at..at.saturating_add(packed)).ok_or_else(bad)?;
            let bytes = zstd::bulk::decompress(body, unpacked).map_err(|_| bad())?;
            parts.push((info.name.clone(), bytes));
        }
        all.push(info);
    }
    Ok((all, parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[test]
    fn every_shard_of_the_binary_opens() {
        let (info, parts) = parse(STARTER, &|_| true).unwrap();
        assert_eq!(info.len(), parts.len());
        for (info, (name, bytes)) in info.iter().zip(&parts) {
            assert_eq!(hex(&Sha256::digest(bytes)), info.sha256, "{name}");
        }
        let database = Database::from_parts(info, parts).unwrap();
        assert!(
            !database
                .candidates("Alpine:v3.10", "musl")
                .unwrap()
                .is_empty()
        );
        assert_eq!(database.end_of_life("debian", "9").map(str::len), Some(10));
        assert!(database.kev("CVE-2021-44228").unwrap().is_some());
    }

    #[test]
    fn it_fits_its_six_megabytes() {
        assert!(STARTER.len() <= 6_000_000, "{} bytes", STARTER.len());
    }
}
