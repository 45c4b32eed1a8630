//! Many readers beside an updater, and readers of damaged files.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use seawall_advisories::{Database, From, Request, Store as _, find};
use seawall_model::{Origin, Package};

use crate::{
    shared,
    support::{Place, bring, ids, names, record, replace, shard_file},
};

#[test]
fn a_hundred_readers_see_one_database_or_the_other() {
    let places = [Place::new(), Place::new()];
    for (index, place) in places.iter().enumerate() {
        // Several shards, so that a mixture would show.
        for ecosystem in ["PyPI", "npm", "Go", "RubyGems"] {
            let id = format!("{ecosystem}-{index}");
            let text = record(&id, &[(ecosystem, "one")]);
            place.dump(ecosystem, &[("1.json", text.as_bytes())]);
        }
    }
    let home = Place::new();
    let database = home.database();
    let update = |place: &Place| bring(From::Dir(place.dumps()), &database, &[]).unwrap();
    update(&places[0]);
    let (is_over, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    let seen = [AtomicUsize::new(0), AtomicUsize::new(0)];
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let open = Database::open(&database).unwrap();
                    let found: Vec<String> = ["PyPI", "npm", "Go", "RubyGems"]
                        .iter()
                        .flat_map(|shard| ids(&open, shard, "one"))
                        .collect();
                    assert_eq!(found.len(), 4);
                    let index = usize::from(found[0].ends_with('1'));
                    let end = format!("-{index}");
                    assert!(found.iter().all(|id| id.ends_with(&end)), "{found:?}");
                    seen[index].fetch_add(1, Ordering::Relaxed);
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 1..30 {
            update(&places[round % 2]);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let seen = seen.map(AtomicUsize::into_inner);
    assert!(seen[0] > 20 && seen[1] > 20, "{seen:?}");
    // Two generations of four shards, the index and the lock.
    assert_eq!(names(&database).len(), 10, "{:?}", names(&database));
}

#[test]
fn updaters_wait_for_one_another() {
    let places: Vec<Place> = ["PyPI", "npm", "Go", "RubyGems", "Maven", "NuGet"]
        .iter()
        .map(|ecosystem| {
            let place = Place::new();
            let text = record("A-1", &[(ecosystem, "one")]);
            place.dump(ecosystem, &[("1.json", text.as_bytes())]);
            place
        })
        .collect();
    let home = Place::new();
    thread::scope(|scope| {
        for place in &places {
            scope.spawn(|| bring(From::Dir(place.dumps()), &home.database(), &[]).unwrap());
        }
    });
    let database = home.open();
    // None of them undid what another did.
    assert_eq!(
        database.shards(),
        ["Go", "Maven", "NuGet", "PyPI", "RubyGems", "npm"]
    );
}

#[test]
fn a_flipped_bit_anywhere_is_found_or_makes_no_difference() {
    let Some(shared) = shared() else { return };
    let place = Place::new();
    let from = From::Dir(shared.join("advisories"));
    bring(from, &place.database(), &["npm"]).unwrap();
    let names: Vec<String> = [
        "lodash",
        "handlebars",
        "marked",
        "ws",
        "express",
        "st",
        "qs",
        "no-such",
    ]
    .iter()
    .map(|name| (*name).to_owned())
    .collect();
    let packages: Vec<Package> = names
        .iter()
        .map(|name| Package::new("npm", name, "0.1.0", "", Origin::default()))
        .collect();
    let request = Request {
        os: None,
        packages: &packages,
        today: "2026-11-23",
        starter: false,
        max_age: None,
        epochs_left_out: false,
    };
    let matched = |database: &Database| {
        let found = find(database, &request);
        let mut all: Vec<String> = found.matches.iter().map(|one| format!("{one:?}")).collect();
        all.sort();
        (all, found.gaps.len())
    };
    let good = matched(&place.open());
    assert!(good.0.len() > 8, "{}", good.0.len());
    let (mut errors, mut gaps, mut same) = (0, 0, 0);
    let database = place.database();
    let files = [
        shard_file(&database, "npm-"),
        shard_file(&database, "facts-kev"),
        shard_file(&database, "facts-cvss"),
        shard_file(&database, "facts-end"),
        database.join("index.json"),
    ];
    for path in &files {
        let whole = fs::read(path).unwrap();
        for step in 0..120 {
            let mut bad = whole.clone();
            let at = step * whole.len() / 120;
            if step % 6 == 0 {
                bad.truncate(at);
            } else {
                bad[at] ^= 1 << (step % 8);
            }
            replace(path, &bad);
            match Database::open(&database) {
                Err(error) => {
                    let text = error.to_string();
                    assert!(
                        text.contains("damaged") || text.contains("cannot read"),
                        "{text}"
                    );
                    errors += 1;
                }
                Ok(open) => {
                    let bad = matched(&open);
                    match bad.1 > good.1 {
                        true => gaps += 1,
                        false => {
                            assert_eq!(bad.0, good.0, "{} {step}", path.display());
                            same += 1;
                        }
                    }
                }
            }
        }
        replace(path, &whole);
    }
    eprintln!("{errors} errors, {gaps} gaps, {same} without a difference");
    assert!(
        errors > 150 && gaps > 20 && same > 20,
        "{errors} {gaps} {same}"
    );
}
