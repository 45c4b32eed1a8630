//! Shards that are made once for many machines: what a machine has that took
//! them by overlays is what it would have from the dumps.

mod hostile;
mod minisign;
mod real;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use seawall_advisories::{
    Database, From, PublicKey, PublishError, PublishRequest, Published, Request, SecretKey,
    Store as _, UpdateError, UpdateRequest, Updated, find, publish, update,
};
use seawall_model::{GapKind, Origin, Package};

use crate::support::{Counted, Place, names, record};

/// A day in 2027.
const NOW: u64 = 1_800_000_000;
const DAY: u64 = 24 * 60 * 60;

/// A publisher with a folder of dumps and a machine with a database.
struct Service {
    dumps: Place,
    key: SecretKey,
    now: u64,
}

impl Service {
    fn new() -> Self {
        Service {
            dumps: Place::new(),
            key: SecretKey::generate().unwrap(),
            now: NOW,
        }
    }

    /// The folder that is served.
    fn out(&self) -> PathBuf {
        self.dumps.dumps().with_file_name("served")
    }

    fn publish(&mut self) -> Published {
        self.now += DAY;
        self.try_publish().unwrap()
    }

    fn try_publish(&self) -> Result<Published, PublishError> {
        publish_to(&self.dumps.dumps(), &self.out(), &self.key, self.now)
    }

    fn take(&self) -> Result<Updated, UpdateError> {
        take(
            From::Dir(self.out()),
            &self.dumps.database(),
            &self.key.public(),
            &[],
        )
    }

    /// A database made of the same dumps without any of this.
    fn plain(&self) -> Database {
        let dir = self.dumps.dumps().with_file_name("plain");
        crate::support::bring(From::Dir(self.dumps.dumps()), &dir, &[]).unwrap();
        Database::open(&dir).unwrap()
    }

    /// Writes an ecosystem's dump of records about a package each.
    fn dump(&self, ecosystem: &str, records: &[(&str, &str)]) {
        let texts: Vec<(String, String)> = records
            .iter()
            .map(|(id, package)| (format!("{id}.json"), record(id, &[(ecosystem, package)])))
            .collect();
        let entries: Vec<(&str, &[u8])> = texts
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_bytes()))
            .collect();
        self.dumps.dump(ecosystem, &entries);
    }

    /// The files of the folder that end so.
    fn served(&self, ending: &str) -> Vec<String> {
        let mut names = names(&self.out());
        names.retain(|name| name.ends_with(ending));
        names
    }
}

fn publish_to(
    dumps: &Path,
    out: &Path,
    key: &SecretKey,
    now: u64,
) -> Result<Published, PublishError> {
    publish(&PublishRequest {
        update: UpdateRequest {
            from: From::Dir(dumps.to_owned()),
            dir: Path::new("unused"),
            ecosystems: Vec::new(),
            feeds: Vec::new(),
            key: None,
            now,
            patience: Duration::from_secs(1),
            progress: &Counted::default(),
        },
        out,
        key,
        now,
    })
}

fn take(
    from: From,
    dir: &Path,
    key: &PublicKey,
    ecosystems: &[&str],
) -> Result<Updated, UpdateError> {
    update(&UpdateRequest {
        from,
        dir,
        ecosystems: ecosystems.iter().map(|one| (*one).to_owned()).collect(),
        feeds: Vec::new(),
        key: Some(key.clone()),
        now: NOW + 400 * DAY,
        patience: Duration::from_secs(1),
        progress: &Counted::default(),
    })
}

/// Hundreds of records, so that one of them is little beside them.
fn many(package: &str) -> Vec<(String, String)> {
    (0..400)
        .map(|index| (format!("A-{index:04}"), format!("{package}{index}")))
        .collect()
}

fn borrowed(records: &[(String, String)]) -> Vec<(&str, &str)> {
    records
        .iter()
        .map(|(id, package)| (id.as_str(), package.as_str()))
        .collect()
}

#[test]
fn the_same_dumps_give_the_same_files() {
    let mut one = Service::new();
    one.dump("PyPI", &borrowed(&many("p")));
    one.publish();
    let other = tempfile::tempdir().unwrap();
    publish_to(&one.dumps.dumps(), other.path(), &one.key, one.now).unwrap();
    let visible = |dir: &Path| -> Vec<(String, Vec<u8>)> {
        let mut all = names(dir);
        all.retain(|name| !name.starts_with('.'));
        let read = |name: String| (name.clone(), fs::read(dir.join(name)).unwrap());
        all.into_iter().map(read).collect()
    };
    assert_eq!(visible(&one.out()), visible(other.path()));
    // Once more without anything new changes nothing, the time neither.
    let before = visible(&one.out());
    let again = one.publish();
    assert!(!again.is_new);
    assert_eq!(visible(&one.out()), before);
}

#[test]
fn files_that_nobody_needs_go_when_no_machine_can_be_fetching_them() {
    let mut service = Service::new();
    let mut records = many("p");
    service.dump("PyPI", &borrowed(&records));
    service.publish();
    let first = service.served(".zst");
    let (mut before, mut last) = (Vec::new(), first.clone());
    for round in 0..14 {
        records.push((format!("B-{round:04}"), "added".to_owned()));
        service.dump("PyPI", &borrowed(&records));
        let published = service.publish();
        assert_eq!(published.overlays, (round + 1).min(8), "{round}");
        let now = service.served(".zst");
        // What the index before this one brought is still there.
        let mut brought = last.iter().filter(|name| !before.contains(*name));
        assert!(brought.all(|one| now.contains(one)), "{round}");
        (before, last) = (last, now.clone());
        // The overlays of two indices, their bases, the shard, the indices.
        assert!(now.len() <= 8 + 8 + 10 + 2, "{now:?}");
    }
    let now = service.served(".zst");
    assert!(
        first
            .iter()
            .filter(|name| name.contains("shard"))
            .all(|one| !now.contains(one))
    );
}

#[test]
fn where_nothing_is_new_the_index_is_signed_anew_and_one_that_is_not_is_old() {
    let mut service = Service::new();
    service.dump("PyPI", &borrowed(&many("p")));
    assert!(service.publish().is_new);
    service.take().unwrap();
    service.now += 2 * DAY;
    let renewed = service.try_publish().unwrap();
    assert!(renewed.is_renewed && !renewed.is_new, "{renewed:?}");
    assert_eq!(renewed.made, "2027-01-18T08:00:00Z");
    assert!(!service.try_publish().unwrap().is_renewed);
    assert_eq!(service.take().unwrap().unchanged, ["PyPI"]);
    let database = service.dumps.open();
    assert_eq!(database.signed("PyPI"), Some("2027-01-18T08:00:00Z"));
    let packages = [Package::new("pypi", "p7", "1", "", Origin::default())];
    let gaps = |today: &str, max_age| -> Vec<String> {
        let request = Request {
            os: None,
            packages: &packages,
            today,
            starter: false,
            max_age: Some(max_age),
            epochs_left_out: false,
        };
        let gaps = find(&database, &request).gaps.into_iter();
        let stale = gaps.filter(|gap| gap.kind == GapKind::StaleAdvisories);
        stale.map(|gap| gap.reason).collect()
    };
    // The records themselves are a year older.
    assert_eq!(gaps("2027-01-20", 1000), Vec::<String>::new());
    assert_eq!(
        gaps("2030-01-18", 1000),
        [
            "its publisher last signed it on 2027-01-18, 1096 days before 2030-01-18",
            "the newest advisory is of 2026-01-02, 1477 days before 2030-01-18"
        ]
    );
    // A publisher that signed days ahead of its clock does not go on so.
    service.now -= 5 * DAY;
    let error = service.try_publish().unwrap_err();
    assert!(
        matches!(&error, PublishError::Ahead { made, .. } if *made == renewed.made),
        "{error}"
    );
}

#[test]
fn a_record_of_the_future_does_not_make_the_others_look_new() {
    let place = Place::new();
    let of =
        |modified: &str| record("A-1", &[("PyPI", "p")]).replace("2026-01-02T03:04:05Z", modified);
    let stale = |records: &[String]| -> Vec<String> {
        let names = ["a.json", "b.json"];
        let entries: Vec<(&str, &[u8])> = names
            .iter()
            .zip(records)
            .map(|(name, text)| (*name, text.as_bytes()))
            .collect();
        place.dump("PyPI", &entries);
        place.update().unwrap();
        let packages = [Package::new("pypi", "p", "1", "", Origin::default())];
        let request = Request {
            os: None,
            packages: &packages,
            today: "2026-06-01",
            starter: false,
            max_age: Some(30),
            epochs_left_out: false,
        };
        let gaps = find(&place.open(), &request).gaps.into_iter();
        gaps.map(|gap| gap.reason).collect()
    };
    let future = of("2999-01-01T00:00:00Z").replace("A-1", "A-2");
    let old = "the newest advisory is of 2026-01-02, 150 days before 2026-06-01";
    assert_eq!(stale(&[of("2026-01-02T00:00:00Z"), future.clone()]), [old]);
    assert!(stale(&[of("2026-05-30T00:00:00Z"), future.clone()]).is_empty());
    // Ahead by what clocks differ.
    assert!(stale(&[of("2026-06-02T00:00:00Z")]).is_empty());
    assert_eq!(
        stale(&[future]),
        ["its advisories are of 2999-01-01 and no day before 2026-06-01: their age is not known"]
    );
}
