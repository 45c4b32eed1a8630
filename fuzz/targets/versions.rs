//! Every order is one: turning two versions round turns the answer round, and
//! three agree with each other.
#![no_main]

use std::cmp::Ordering;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let all = seawall_versions::all();
    let scheme = all[usize::from(*first) % all.len()];
    let text = String::from_utf8_lossy(rest);
    let mut parts = text.splitn(3, '\n');
    let (a, b, c) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    assert_eq!((scheme.compare)(a, a), Ordering::Equal);
    let ab = (scheme.compare)(a, b);
    assert_eq!(ab, (scheme.compare)(b, a).reverse());
    let bc = (scheme.compare)(b, c);
    if ab == bc {
        assert_eq!(
            (scheme.compare)(a, c),
            ab,
            "{} {a:?} {b:?} {c:?}",
            scheme.name
        );
    }
});
