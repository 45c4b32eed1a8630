//! OSV records, shards, and files of facts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_advisories::hostile;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    match first % 3 {
        0 => drop(hostile::osv(rest)),
        1 => drop(hostile::shard(rest)),
        _ => drop(hostile::facts(rest)),
    }
});
