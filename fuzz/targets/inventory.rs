//! Package databases and lock files; the first byte chooses which.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_inventory::hostile;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    match first % 13 {
        0 => drop(hostile::dpkg(rest)),
        1 => drop(hostile::apk(rest)),
        2 => drop(hostile::rpm(rest)),
        3 => drop(hostile::os_release(rest)),
        4 => drop(hostile::cargo_lock(rest)),
        5 => drop(hostile::composer_lock(rest)),
        6 => drop(hostile::gemfile_lock(rest)),
        7 => drop(hostile::go_mod(rest)),
        8 => drop(hostile::package_lock_json(rest)),
        9 => drop(hostile::poetry_lock(rest)),
        10 => drop(hostile::requirements_txt(rest)),
        11 => drop(hostile::uv_lock(rest)),
        _ => drop(hostile::dpkg(rest)),
    }
});
