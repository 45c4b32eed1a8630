//! Package databases, lock files, programs and archives. The first two bytes
//! choose the analyser: the next one by a hash of its name, so that a corpus
//! stays what it is when analysers are added.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_image::{Analyser, Interest};
use seawall_inventory::hostile;

fuzz_target!(|data: &[u8]| {
    let Some((key, rest)) = data.split_first_chunk::<2>() else {
        return;
    };
    let key = u16::from_le_bytes(*key);
    match key {
        0 => drop(hostile::os_release(rest)),
        1 => drop(hostile::rpm_header(rest)),
        2 => drop(hostile::copyright(rest)),
        _ => {
            let all = hostile::analysers();
            let one = all
                .iter()
                .min_by_key(|one| hash(one.name()).wrapping_sub(key));
            if let Some(one) = one {
                let path = path(*one, rest.len());
                drop(hostile::evidence(one.name(), &path, rest));
            }
        }
    }
});

/// A path that the analyser wants: many go by it.
fn path(analyser: &dyn Analyser, choice: usize) -> String {
    let all = analyser.interests();
    match all[choice % all.len().max(1)] {
        Interest::Path(path) => path.to_owned(),
        Interest::Name(name) => format!("a/b/{name}"),
        Interest::Suffix(suffix) => format!("a/b/c{suffix}"),
        Interest::In { dir, suffix } => format!("{dir}/a{suffix}"),
        Interest::Below { dir, name } => format!("{dir}/a/b/{name}"),
        _ => "usr/bin/file".to_owned(),
    }
}

/// The low bits of FNV-1a.
fn hash(name: &str) -> u16 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    (name.bytes().fold(0xCBF2_9CE4_8422_2325, step) & 0xFFFF) as u16
}
