//! OSV records and shards.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_advisories::hostile;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    match first % 2 {
        0 => drop(hostile::osv(rest)),
        _ => drop(hostile::shard(rest)),
    }
});
