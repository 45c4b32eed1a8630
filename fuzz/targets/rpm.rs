//! The forms of rpm's database. The first byte chooses one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_inventory::hostile;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    match first % 8 {
        0 => drop(hostile::rpm(rest)),
        1 => drop(hostile::rpm_ndb(rest)),
        2 => drop(hostile::rpm_berkeley(rest)),
        3 => joined(rest, false),
        4 => joined(rest, true),
        _ => drop(hostile::rpm_header(rest)),
    }
});

/// A database and its log, after the length of the database. The sums over the
/// log are made right, so that its pages are looked at.
fn joined(data: &[u8], is_signed: bool) {
    let Some((length, rest)) = data.split_first_chunk::<2>() else {
        return;
    };
    let length = usize::from(u16::from_le_bytes(*length));
    let (database, log) = rest.split_at(length.min(rest.len()));
    let mut log = log.to_vec();
    if !is_signed {
        sign(&mut log);
    }
    drop(hostile::rpm_joined(database, &log));
}

fn sign(log: &mut [u8]) {
    let Some((head, frames)) = log.split_at_mut_checked(32) else {
        return;
    };
    let big_endian = head[3] & 1 == 1;
    let add = |sum: [u32; 2], bytes: &[u8]| {
        bytes.chunks_exact(8).fold(sum, |[low, high], pair| {
            let word = |at: usize| {
                let bytes = [pair[at], pair[at + 1], pair[at + 2], pair[at + 3]];
                match big_endian {
                    true => u32::from_be_bytes(bytes),
                    false => u32::from_le_bytes(bytes),
                }
            };
            let low = low.wrapping_add(word(0)).wrapping_add(high);
            [low, high.wrapping_add(word(4)).wrapping_add(low)]
        })
    };
    let put = |bytes: &mut [u8], sum: [u32; 2]| {
        bytes[..4].copy_from_slice(&sum[0].to_be_bytes());
        bytes[4..8].copy_from_slice(&sum[1].to_be_bytes());
    };
    let mut sum = add([0; 2], &head[..24]);
    put(&mut head[24..], sum);
    let page = u32::from_be_bytes([head[8], head[9], head[10], head[11]]) as usize;
    if !(512..=65536).contains(&page) {
        return;
    }
    for frame in frames.chunks_exact_mut(page + 24) {
        frame[8..16].copy_from_slice(&head[16..24]);
        sum = add(add(sum, &frame[..8]), &frame[24..]);
        put(&mut frame[16..], sum);
    }
}
