//! OSV records, shards, files of facts and of feeds, published indices, keys and
//! signatures.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_advisories::hostile;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    match first % 6 {
        0 => drop(hostile::osv(rest)),
        1 => drop(hostile::shard(rest)),
        2 => drop(hostile::facts(rest)),
        3 => drop(hostile::feeds(rest)),
        4 => drop(hostile::published(rest)),
        _ => drop(hostile::minisign(rest)),
    }
});
