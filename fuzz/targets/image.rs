//! Layers, image configurations and cache entries.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_image::hostile;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    match first % 3 {
        0 => drop(hostile::layer(rest)),
        1 => drop(seawall_image::parse_config(rest)),
        _ => drop(hostile::cache_entry(rest)),
    }
});
