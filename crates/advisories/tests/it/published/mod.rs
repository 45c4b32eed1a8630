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
    Database, From, PublicKey, PublishError, PublishRequest, Published, SecretKey, UpdateError,
    UpdateRequest, Updated, publish, update,
};

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
        // The overlays of two indices, their bases, the shard, the index.
        assert!(now.len() <= 8 + 8 + 10 + 1, "{now:?}");
    }
    let now = service.served(".zst");
    assert!(
        first
            .iter()
            .filter(|name| name.contains("shard"))
            .all(|one| !now.contains(one))
    );
}
