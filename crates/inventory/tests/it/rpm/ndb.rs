//! Damaged NDB databases.

use seawall_inventory::{Inventory, hostile};

use super::{damage, flipped, forms::Forms, our_files, ours, parse_as};
use crate::support::Random;

fn parse(database: &[u8]) -> Result<Inventory, String> {
    parse_as("rpm-ndb", "var/lib/rpm/Packages.db", database)
}

fn small() -> Option<Vec<u8>> {
    let database = Forms::get()?.read("small");
    let intact = parse(&database).unwrap();
    // The key is a real package here.
    assert_eq!(intact.packages.len(), 5);
    assert_eq!(damage(&intact), Vec::<String>::new());
    Some(database)
}

/// A number that is stored somewhere.
fn number(database: &[u8], at: usize) -> usize {
    u32::from_le_bytes(database[at..at + 4].try_into().unwrap()) as usize
}

fn put(database: &mut [u8], at: usize, number: usize) {
    let bytes = u32::try_from(number).unwrap().to_le_bytes();
    database[at..at + 4].copy_from_slice(&bytes);
}

/// Where the slot of the package at `place` lies, from 0.
fn slot(place: usize) -> usize {
    32 + place * 16
}

/// What is said after a change, and how many packages are left.
fn after(change: impl FnOnce(&mut Vec<u8>)) -> Option<(usize, Vec<String>)> {
    let mut database = small()?;
    change(&mut database);
    let found = parse(&database).unwrap();
    let part = "damaged var/lib/rpm/Packages.db: part of the rpm database cannot be read: ";
    let said = damage(&found);
    let said = said.iter().map(|gap| {
        gap.replace(part, "")
            .replace("damaged var/lib/rpm/Packages.db: ", "")
    });
    let mut said: Vec<String> = said.collect();
    said.sort();
    Some((found.packages.len(), said))
}

#[test]
fn every_kind_of_damage_is_named_and_the_rest_is_read() {
    let Some(database) = small() else { return };
    let block = |place: usize| number(&database, slot(place) + 8);
    let (first, second) = (block(0) * 16, block(1) * 16);
    type Change = Box<dyn Fn(&mut Vec<u8>)>;
    let cases: Vec<(Change, usize, Vec<String>)> = vec![
        (
            Box::new(move |data| data[second + 30] ^= 1),
            5,
            vec![
                "package 2 has a wrong checksum".into(),
                "the header of package `sub3` is not what its digest says".into(),
            ],
        ),
        (
            Box::new(move |data| data[second + 4] ^= 8),
            4,
            vec!["package 2 is malformed".into()],
        ),
        (
            Box::new(move |data| put(data, second + 12, 7)),
            4,
            vec!["package 2 is malformed".into()],
        ),
        // The slot is gone: the package is still there.
        (
            Box::new(|data| data[slot(1) + 4..slot(2)].fill(0)),
            4,
            vec![format!("the package at byte {second} has no slot")],
        ),
        (
            Box::new(|data| data[slot(1)] = b'X'),
            4,
            vec![
                "slot 3 is none".into(),
                format!("the package at byte {second} has no slot"),
            ],
        ),
        (
            Box::new(|data| put(data, slot(1) + 8, 0xFFFF_FFFF)),
            4,
            vec![
                "package 2 lies outside the file".into(),
                format!("the package at byte {second} has no slot"),
            ],
        ),
        (
            Box::new(move |data| put(data, slot(1) + 8, first / 16)),
            4,
            vec![
                "package 2 is malformed".into(),
                "package 2 lies where a slot or another package does".into(),
            ],
        ),
        // Two slots for one package.
        (
            Box::new(|data| data.copy_within(slot(0)..slot(1), slot(9))),
            5,
            vec![
                "package 1 lies where a slot or another package does".into(),
                "package 1 has two slots".into(),
            ],
        ),
        (
            Box::new(|data| put(data, 8, 1)),
            5,
            vec!["package 2 is newer than the database, and 4 more of the kind".into()],
        ),
        (
            Box::new(|data| put(data, 16, 5)),
            5,
            vec!["package 5 has a number that was not given yet, and 1 more of the kind".into()],
        ),
        (
            Box::new(|data| put(data, 12, 0)),
            0,
            vec![format!(
                "the package at byte {first} has no slot, and 5 more of the kind"
            )],
        ),
    ];
    for (number, (change, packages, mut said)) in cases.into_iter().enumerate() {
        said.sort();
        let Some(found) = after(|data| change(data)) else {
            return;
        };
        assert_eq!(found, (packages, said), "case {number}");
    }
    // More pages of slots than there are: what follows is no slot, but the
    // packages are read.
    let (packages, said) = after(|data| put(data, 12, usize::try_from(u32::MAX).unwrap())).unwrap();
    assert_eq!(packages, 5);
    assert!(
        said.iter()
            .any(|gap| gap.contains("should have 4294967295 pages")),
        "{said:?}"
    );
}

/// A flipped bit changes nothing that matters, or is said.
#[test]
fn no_flipped_bit_goes_unsaid() {
    let Some(mut database) = small() else { return };
    let intact = parse(&database).unwrap();
    let expected = (ours(&intact), our_files(&intact));
    let mut random = Random(7);
    let mut bits: Vec<usize> = (0..1200).collect();
    bits.extend((0..6000).map(|_| random.below(database.len() * 8)));
    let (said, refused, harmless) =
        flipped(&mut database, &bits, &expected, |bytes| parse(bytes).ok());
    assert!(
        said > 4000 && refused >= 64 && harmless > 0,
        "{said} {refused} {harmless}"
    );
}

/// Packages from before rpm 4.14 have no SHA-256 of their header, but SHA-1.
#[test]
fn an_older_digest_is_held_against_the_header_too() {
    let Some(mut database) = small() else { return };
    let digests = |database: &[u8]| {
        let said = damage(&parse(database).unwrap());
        let digest = |gap: &&String| gap.contains("is not what its digest says");
        said.iter().filter(digest).count()
    };
    // Their tag in a table of tags, followed by the type of a string.
    let sha256 = [0, 0, 1, 17, 0, 0, 0, 6];
    let places: Vec<usize> = (0..database.len() - 8)
        .filter(|at| database[*at..*at + 8] == sha256)
        .collect();
    assert_eq!(places.len(), 6);
    for at in &places {
        database[*at..*at + 4].copy_from_slice(&[0, 0, 9, 0]);
    }
    assert_eq!(digests(&database), 0);
    // The licence of the last of them.
    let licence = database.windows(9).rposition(|bytes| bytes == b"MIT and G");
    database[licence.unwrap()] ^= 1;
    assert_eq!(digests(&database), 1);
    for at in &places {
        database[*at..*at + 4].copy_from_slice(&sha256[..4]);
    }
    assert_eq!(digests(&database), 1);
}

/// A database cut short loses no package in silence.
#[test]
fn a_database_cut_short_is_said() {
    let Some(database) = small() else { return };
    for end in (1..database.len()).step_by(7) {
        if let Ok(found) = parse(&database[..end]) {
            assert!(!damage(&found).is_empty(), "{end}");
        }
    }
}

/// Many bytes changed at once: an end, without a panic.
#[test]
fn rubbish_comes_to_an_end() {
    let Some(database) = small() else { return };
    let mut random = Random(13);
    for _ in 0..600 {
        let mut other = database.clone();
        for _ in 0..=random.below(40) {
            let at = random.below(other.len());
            other[at] = u8::try_from(random.below(256)).unwrap();
        }
        drop(parse(&other));
        drop(hostile::rpm_ndb(&other));
    }
    for length in [1, 16, 31, 32, 33, 600] {
        assert!(parse(&vec![0xFF; length]).is_err());
    }
}
