//! A bucket that is OSV's but for its size: dumps, and lists of what was
//! changed. What a database has that followed the list is what the dump gives.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use seawall_advisories::{
    Database, FetchProgress, From, PublishRequest, SecretKey, Store as _, UpdateRequest, Updated,
    publish, update,
};
use serde_json::{Value, json};

use crate::{
    server::{Answer, Server, nothing, say},
    support::{Counted, Place, replace, shard_file, zip},
};

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 24 * 60 * 60;

/// The records of an ecosystem by id, and how the bucket misbehaves.
#[derive(Clone, Default)]
struct Bucket {
    records: BTreeMap<String, Value>,
    /// Instead of the list that the records give.
    list: Option<String>,
    /// Listed, and not there.
    gone: Vec<String>,
    /// How the dump is named; as long as it stays it is not sent again.
    tag: u32,
}

/// `NOW` and so many hours, RFC 3339.
fn time(hours: i64) -> String {
    // 2027-01-15T08:00:00Z
    let hour = 8 + hours;
    format!(
        "2027-01-{:02}T{:02}:00:00Z",
        15 + hour.div_euclid(24),
        hour.rem_euclid(24)
    )
}

fn record(id: &str, package: &str, aliases: &[&str], hours: i64) -> Value {
    json!({
        "id": id, "modified": time(hours), "published": "2020-01-01T00:00:00Z", "summary": "x",
        "aliases": aliases,
        "affected": [{
            "package": { "ecosystem": "PyPI", "name": package },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "2" }] }],
        }],
    })
}

impl Bucket {
    fn put(&mut self, record: Value) {
        let id = record["id"].as_str().unwrap().to_owned();
        self.records.insert(id, record);
    }

    fn dump(&self) -> Vec<u8> {
        let texts: Vec<(String, String)> = self
            .records
            .iter()
            .map(|(id, record)| (format!("{id}.json"), record.to_string()))
            .collect();
        let entries: Vec<(&str, &[u8])> = texts
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_bytes()))
            .collect();
        zip(&entries)
    }

    fn list(&self) -> String {
        let mut lines: Vec<(String, &String)> = self
            .records
            .iter()
            .map(|(id, record)| (record["modified"].as_str().unwrap().to_owned(), id))
            .collect();
        lines.sort_by(|a, b| b.cmp(a));
        lines
            .iter()
            .map(|(time, id)| format!("{time},{id}\n"))
            .collect()
    }

    fn answer(&self, path: &str, head: &str) -> Answer {
        let name = path.strip_prefix("/PyPI/").unwrap_or_default();
        let tag = format!("\"{}\"", self.tag);
        match name {
            "all.zip" if head.contains(&format!("if-none-match: {tag}")) => {
                say("304 Not Modified", "", b"")
            }
            "all.zip" => say("200 OK", &format!("ETag: {tag}\r\n"), &self.dump()),
            "modified_id.csv" => {
                let list = self.list.clone().unwrap_or_else(|| self.list());
                match list.as_str() {
                    "404" => nothing(),
                    list => say("200 OK", "", list.as_bytes()),
                }
            }
            _ => {
                let id = name.strip_suffix(".json").unwrap_or_default();
                let record = self
                    .records
                    .get(id)
                    .filter(|_| !self.gone.iter().any(|one| one == id));
                record.map_or_else(nothing, |record| {
                    say("200 OK", "", record.to_string().as_bytes())
                })
            }
        }
    }
}

/// A bucket that is served, and a machine that follows it.
struct Follower {
    bucket: Arc<Mutex<Bucket>>,
    server: Server,
    home: Place,
    now: u64,
}

impl Follower {
    /// Six hundred records, all of some years ago, and a database of them.
    fn new() -> Self {
        let mut bucket = Bucket::default();
        for index in 0..600 {
            let mut old = record(&format!("A-{index:03}"), &format!("p{index}"), &[], 0);
            old["modified"] = json!(format!("2025-{:02}-01T00:00:00Z", 1 + index % 12));
            bucket.put(old);
        }
        bucket.put(record("A-new", "new", &["CVE-2027-0001"], -1));
        let bucket = Arc::new(Mutex::new(bucket));
        let served = Arc::clone(&bucket);
        let follower = Follower {
            bucket,
            server: Server::new(move |path, head| served.lock().unwrap().answer(path, head)),
            home: Place::new(),
            now: NOW,
        };
        assert_eq!(follower.update().built, ["PyPI"]);
        assert!(follower.asked().contains(&"/PyPI/all.zip".to_owned()));
        follower
    }

    fn update(&self) -> Updated {
        update(&UpdateRequest {
            from: self.server.from(),
            dir: &self.home.database(),
            ecosystems: vec!["PyPI".to_owned()],
            feeds: Vec::new(),
            key: None,
            now: self.now,
            patience: Duration::from_secs(5),
            progress: &Counted::default(),
        })
        .unwrap()
    }

    /// What was asked for, without facts and signatures.
    fn asked(&self) -> Vec<String> {
        let mut asked = self.server.asked();
        asked.retain(|path| path.starts_with("/PyPI/"));
        asked.sort();
        asked
    }

    /// Changes the bucket; its dump with it.
    fn change(&mut self, change: impl FnOnce(&mut Bucket)) {
        let mut bucket = self.bucket.lock().unwrap();
        bucket.tag += 1;
        change(&mut bucket);
    }

    /// Every record says the same here as in a database made of the dump.
    fn compare(&self) -> Database {
        let bucket = self.bucket.lock().unwrap().clone();
        let other = Place::new();
        other.file("PyPI/all.zip", bucket.dump());
        other.update().unwrap();
        let (ours, plain) = (self.home.open(), other.open());
        let mut ids: Vec<String> = bucket.records.keys().cloned().collect();
        ids.extend((1..60).map(|index| format!("CVE-2027-{index:04}")));
        ids.extend((0..600).map(|index| format!("A-{index:03}")));
        for id in ids {
            assert_eq!(ours.by_id(&id).unwrap(), plain.by_id(&id).unwrap(), "{id}");
        }
        for record in bucket.records.values() {
            let name = record["affected"][0]["package"]["name"].as_str().unwrap();
            let (ours, plain) = (
                ours.candidates("PyPI", name),
                plain.candidates("PyPI", name),
            );
            assert_eq!(ours.unwrap(), plain.unwrap(), "{name}");
        }
        let about = |database: &Database| {
            let info = &database.info()[0];
            (info.records, info.packages, info.newest.clone())
        };
        assert_eq!(about(&ours), about(&plain));
        ours
    }

    /// After a change that the list does not serve for, the dump does.
    fn falls_back(&mut self, why: &str, change: impl FnOnce(&mut Bucket)) {
        self.change(change);
        let updated = self.update();
        assert_eq!(updated.built, ["PyPI"], "{why}");
        assert!(
            updated.details.iter().any(|one| one.contains(why)),
            "{why}: {updated:?}"
        );
        assert!(self.asked().contains(&"/PyPI/all.zip".to_owned()), "{why}");
        self.compare();
    }
}

/// The closed aliases of a record.
fn aliases(database: &Database, id: &str) -> Vec<String> {
    let found = database.by_id(id).unwrap();
    let own = found.iter().find(|(_, one)| one.record.id == id).unwrap();
    own.1
        .record
        .aliases
        .iter()
        .map(|alias| (*alias).to_owned())
        .collect()
}

#[test]
fn only_what_was_changed_is_fetched() {
    let mut follower = Follower::new();
    // Nothing was.
    assert_eq!(follower.update().unchanged, ["PyPI"]);
    assert_eq!(follower.asked(), ["/PyPI/modified_id.csv"]);
    // A new one, one with other aliases, one that is now about something else,
    // and one that was withdrawn: other records' aliases change with them.
    follower.change(|bucket| {
        bucket.put(record(
            "B-1",
            "added",
            &["CVE-2027-0001", "CVE-2027-0002"],
            1,
        ));
        bucket.put(record("A-007", "p7", &["CVE-2027-0002"], 2));
        bucket.put(record("A-008", "elsewhere", &[], 2));
        let mut withdrawn = record("A-009", "p9", &[], 3);
        withdrawn["withdrawn"] = json!(time(3));
        bucket.put(withdrawn);
    });
    follower.now += DAY;
    let updated = follower.update();
    assert_eq!(
        (updated.built.len(), updated.records),
        (1, 4),
        "{updated:?}"
    );
    assert_eq!(
        follower.asked(),
        [
            "/PyPI/A-007.json",
            "/PyPI/A-008.json",
            "/PyPI/A-009.json",
            "/PyPI/B-1.json",
            "/PyPI/modified_id.csv"
        ]
    );
    let ours = follower.compare();
    assert!(ours.info()[0].overlay > 0);
    assert_eq!(
        ours.info()[0].origin.until.as_deref(),
        Some("2027-01-15T11:00:00Z")
    );
    assert_eq!(
        aliases(&ours, "A-new"),
        ["A-007", "B-1", "CVE-2027-0001", "CVE-2027-0002"]
    );
    // The link between them is taken away again.
    follower.change(|bucket| {
        bucket.put(record("B-1", "added", &["CVE-2027-0002"], 5));
        let mut other = record("A-010", "p10", &[], 6);
        other["affected"][0]["package"]["ecosystem"] = json!("npm");
        bucket.put(other);
    });
    assert_eq!(follower.update().records, 2);
    let ours = follower.compare();
    assert_eq!(aliases(&ours, "A-new"), ["CVE-2027-0001"]);
    assert!(
        ours.by_id("A-010").unwrap().is_empty(),
        "it is about npm now"
    );
    // Many days of it: an overlay that grows too large becomes the shard.
    let mut folded = 0;
    for round in 0..12 {
        follower.asked();
        follower.change(|bucket| {
            for index in 0..25 {
                let number = 20 + round * 25 + index;
                bucket.put(record(
                    &format!("A-{number:03}"),
                    "again",
                    &[],
                    10 + round as i64,
                ));
            }
        });
        let updated = follower.update();
        assert_eq!(updated.records, 25 + usize::from(round < 40), "{updated:?}");
        assert!(!follower.asked().contains(&"/PyPI/all.zip".to_owned()));
        folded += usize::from(follower.compare().info()[0].overlay == 0);
    }
    assert!((1..6).contains(&folded), "{folded}");
}

#[test]
fn the_dump_is_read_again_where_the_list_makes_no_sense() {
    let mut follower = Follower::new();
    let mut count = 0;
    let mut put = |bucket: &mut Bucket| {
        count += 1;
        bucket.list = None;
        bucket.gone.clear();
        bucket.put(record(&format!("C-{count}"), "changed", &[], count));
    };
    let cut = |bucket: &Bucket, lines: usize| -> String {
        bucket.list().split_inclusive('\n').take(lines).collect()
    };
    follower.falls_back("there is no list", |bucket| {
        put(bucket);
        bucket.list = Some("404".to_owned());
    });
    follower.falls_back("the list ends before what is here", |bucket| {
        put(bucket);
        bucket.list = Some(cut(bucket, 2));
    });
    follower.falls_back("the list ends before what is here", |bucket| {
        put(bucket);
        bucket.list = Some(String::new());
    });
    follower.falls_back("the list ends in the middle of a line", |bucket| {
        put(bucket);
        let list = cut(bucket, 2);
        bucket.list = Some(list[..list.len() - 3].to_owned());
    });
    follower.falls_back("the list is not sorted", |bucket| {
        put(bucket);
        let mut lines: Vec<String> = bucket
            .list()
            .lines()
            .map(|line| format!("{line}\n"))
            .collect();
        lines.swap(0, 1);
        lines.swap(1, 300);
        bucket.list = Some(lines.concat());
    });
    follower.falls_back("the list is behind what is here", |bucket| {
        put(bucket);
        let list = bucket.list();
        bucket.list = Some(
            list.lines()
                .filter(|line| line.starts_with("2025"))
                .map(|line| format!("{line}\n"))
                .collect(),
        );
    });
    follower.falls_back("the list has no times", |bucket| {
        put(bucket);
        bucket.list = Some("<html>,\n".to_owned());
    });
    follower.falls_back("the list is none", |bucket| {
        put(bucket);
        bucket.list = Some("<html>\n".to_owned());
    });
    follower.falls_back("the list has an id that is none", |bucket| {
        put(bucket);
        bucket.list = Some(format!("{},../../x\n{}", time(40), bucket.list()));
    });
    follower.falls_back("a record is listed and not there", |bucket| {
        put(bucket);
        bucket.gone = bucket.records.keys().cloned().collect();
    });
    follower.falls_back("a record has another id than it is listed with", |bucket| {
        put(bucket);
        let mut other = record("A-001", "p", &[], 41);
        other["id"] = json!("A-002");
        bucket.records.insert("A-001".to_owned(), other);
    });
    // As long as it says so, there are two records of that id.
    follower.falls_back("two records have the same id", |bucket| {
        put(bucket);
        bucket.records.remove("A-001");
    });
    follower.falls_back("too many records were changed", |bucket| {
        put(bucket);
        for index in 0..200 {
            bucket.put(record(&format!("D-{index}"), "many", &[], 30));
        }
    });
}

#[test]
fn clocks_that_are_wrong_hide_no_change() {
    let mut follower = Follower::new();
    // A record of the far future does not move the mark.
    follower.change(|bucket| {
        let mut future = record("F-1", "future", &[], 0);
        future["modified"] = json!("2999-01-01T00:00:00Z");
        bucket.put(future);
        bucket.put(record("B-1", "one", &[], 1));
    });
    follower.now += DAY;
    assert_eq!(follower.update().records, 2);
    follower.change(|bucket| bucket.put(record("B-2", "two", &[], 2)));
    assert_eq!(follower.update().records, 1);
    // A machine whose clock stands in the past.
    follower.now = 1_000_000_000;
    follower.change(|bucket| bucket.put(record("B-3", "three", &[], 3)));
    follower.update();
    follower.compare();
    // And one whose clock is far ahead: the dump is read, and then followed.
    follower.now = NOW + 900 * DAY;
    follower.change(|bucket| bucket.put(record("B-4", "four", &[], 4)));
    follower.asked();
    follower.update();
    assert!(follower.asked().contains(&"/PyPI/all.zip".to_owned()));
    follower.change(|bucket| bucket.put(record("B-5", "five", &[], 5)));
    follower.update();
    follower.compare();
}

#[test]
fn records_that_are_gone_go_with_the_next_whole_dump() {
    let mut follower = Follower::new();
    follower.change(|bucket| drop(bucket.records.remove("A-100")));
    follower.now += DAY;
    assert_eq!(follower.update().unchanged, ["PyPI"]);
    assert!(!follower.home.open().by_id("A-100").unwrap().is_empty());
    follower.now += 8 * DAY;
    assert_eq!(follower.update().built, ["PyPI"]);
    assert!(follower.compare().by_id("A-100").unwrap().is_empty());
    // An unchanged dump is not sent again, and the list followed from there.
    follower.now += 8 * DAY;
    follower.asked();
    assert_eq!(follower.update().unchanged, ["PyPI"]);
    assert_eq!(follower.asked(), ["/PyPI/all.zip"]);
    follower.change(|bucket| bucket.put(record("B-1", "one", &[], 2)));
    follower.now += DAY;
    assert_eq!(follower.update().records, 1);
    follower.compare();
}

struct Nobody;

impl FetchProgress for Nobody {
    fn bytes(&self, _: &str, _: u64) {}
}

const NOBODY: Nobody = Nobody;

/// Publishes the bucket as it is, and takes that into the follower's database.
fn mirror(follower: &Follower, out: &Path, key: &SecretKey) -> Updated {
    let dumps = Place::new();
    dumps.file("PyPI/all.zip", follower.bucket.lock().unwrap().dump());
    let request = |from, key: Option<&SecretKey>, dir| UpdateRequest {
        from,
        dir,
        ecosystems: Vec::new(),
        feeds: Vec::new(),
        key: key.map(SecretKey::public),
        now: follower.now,
        patience: Duration::from_secs(5),
        progress: &NOBODY,
    };
    publish(&PublishRequest {
        update: request(From::Dir(dumps.dumps()), None, Path::new("unused")),
        out,
        key,
        now: follower.now,
    })
    .unwrap();
    let dir = follower.home.database();
    update(&request(From::Dir(out.to_owned()), Some(key), &dir)).unwrap()
}

#[test]
fn a_mirror_in_between_hides_no_change() {
    let mut follower = Follower::new();
    let (out, key) = (tempfile::tempdir().unwrap(), SecretKey::generate().unwrap());
    // The mirror has what is older than all that was followed since.
    assert_eq!(mirror(&follower, out.path(), &key).unchanged, ["PyPI"]);
    follower.change(|bucket| bucket.put(record("B-1", "one", &[], 1)));
    follower.now += 5 * DAY;
    follower.update();
    follower.change(|bucket| bucket.put(record("B-2", "two", &[], 100)));
    follower.update();
    let taken = update(&UpdateRequest {
        from: From::Dir(out.path().to_owned()),
        dir: &follower.home.database(),
        ecosystems: Vec::new(),
        feeds: Vec::new(),
        key: Some(key.public()),
        now: follower.now,
        patience: Duration::from_secs(5),
        progress: &NOBODY,
    });
    assert_eq!(taken.unwrap().built, ["PyPI"]);
    assert!(follower.home.open().by_id("B-1").unwrap().is_empty());
    follower.asked();
    // Neither the mark nor the entity tag of the dump is about the mirror's.
    follower.update();
    assert!(follower.asked().contains(&"/PyPI/all.zip".to_owned()));
    let ours = follower.compare();
    assert_eq!(ours.info()[0].origin.signed, None);
    // What was followed since passes for nothing that was signed.
    let again = mirror(&follower, out.path(), &key);
    assert_eq!(again.built.len() + again.unchanged.len(), 1, "{again:?}");
    let signed = follower.home.open().info()[0].origin.signed.clone();
    assert_eq!(signed.unwrap().0, key.public().id().to_string());
}

#[test]
fn a_date_of_the_future_at_the_head_of_the_list_moves_no_mark() {
    let mut follower = Follower::new();
    follower.change(|bucket| {
        let mut future = record("F-1", "future", &[], 0);
        future["modified"] = json!("2999-01-01T00:00:00Z");
        bucket.put(future);
        bucket.put(record("B-1", "one", &[], 1));
    });
    // Asked days after what the list has.
    follower.now += 6 * DAY;
    follower.update();
    let until = follower.home.open().info()[0].origin.until.clone();
    assert_eq!(until.as_deref(), Some("2027-01-15T09:00:00Z"));
    // What came into the list late, behind the clock.
    follower.change(|bucket| bucket.put(record("B-2", "two", &[], 30)));
    assert_eq!(follower.update().records, 1);
    let ours = follower.compare();
    // And the day of the newest is known beside it.
    assert_eq!(ours.newest("PyPI"), Some("2999-01-01T00:00:00Z"));
    assert_eq!(
        ours.newest_until("PyPI", "2027-02-01").as_deref(),
        Some("2027-01-16T14:00:00Z")
    );
    assert_eq!(ours.newest_until("PyPI", "2001-01-01"), None);
}

#[test]
fn a_shard_that_is_damaged_here_is_fetched_again() {
    let follower = Follower::new();
    let (dir, out) = (follower.home.database(), tempfile::tempdir().unwrap());
    let damage = || {
        let path = shard_file(&dir, "PyPI");
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        replace(&path, &bytes);
    };
    damage();
    assert_eq!(follower.update().built, ["PyPI"]);
    follower.compare();
    let key = SecretKey::generate().unwrap();
    mirror(&follower, out.path(), &key);
    damage();
    let again = mirror(&follower, out.path(), &key);
    assert!(
        again.fallbacks[0].contains("it is damaged here: it is taken whole"),
        "{again:?}"
    );
    follower.compare();
}
