//! OSV records, shards, files of facts, and files of feeds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_advisories::hostile;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    match first % 4 {
        0 => drop(hostile::osv(rest)),
        1 => drop(hostile::shard(rest)),
        2 => drop(hostile::facts(rest)),
        _ => drop(hostile::feeds(rest)),
    }
});
