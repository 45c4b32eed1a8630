//! The starter database in the repository is the one that the advisories give.

use std::{fs, path::Path};

use seawall_advisories::make_starter;

use crate::shared;

#[test]
fn it_is_made_bit_for_bit() {
    let Some(shared) = shared() else { return };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/starter.db");
    let committed = fs::read(path).unwrap();
    assert!(committed.len() <= 6_000_000, "{} bytes", committed.len());
    let made = make_starter(&shared.join("advisories")).unwrap();
    assert!(
        made == committed,
        "it is out of date: run `cargo xtask starter-db` ({} bytes committed, {} made)",
        committed.len(),
        made.len()
    );
}
