//! containerd's database of images.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    seawall_engine::containerd::hostile(data, "debian");
});
