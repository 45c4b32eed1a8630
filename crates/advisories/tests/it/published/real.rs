//! Over the real advisories: every question by name and by id has the same
//! answer through an overlay as without one.

use std::{collections::BTreeSet, fs::File, io::Read as _, path::Path};

use seawall_advisories::{Database, Store as _};
use serde_json::Value;

use super::Service;
use seawall_testkit::shared;

const ECOSYSTEMS: &[&str] = &["Debian", "PyPI", "npm"];

/// The records of a dump.
fn read(dir: &Path, ecosystem: &str) -> Vec<Value> {
    let file = File::open(dir.join(ecosystem).join("all.zip")).unwrap();
    let mut zip = zip::ZipArchive::new(file).unwrap();
    (0..zip.len())
        .map(|index| {
            let mut bytes = Vec::new();
            zip.by_index(index)
                .unwrap()
                .read_to_end(&mut bytes)
                .unwrap();
            serde_json::from_slice(&bytes).unwrap()
        })
        .collect()
}

fn write(service: &Service, ecosystem: &str, records: &[Value]) {
    let texts: Vec<(String, String)> = records
        .iter()
        .map(|record| {
            (
                format!("{}.json", record["id"].as_str().unwrap()),
                record.to_string(),
            )
        })
        .collect();
    let entries: Vec<(&str, &[u8])> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    service.dumps.dump(ecosystem, &entries);
}

/// The state of a dump some rounds ago: of fifty records one is not there yet,
/// one still there, one has other words, one other packages, and one other
/// aliases, so that what other records are aliases of changes too.
fn as_of(records: &[Value], round: usize) -> Vec<Value> {
    let mut all = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let mut record = record.clone();
        match (index + round) % 250 {
            0 if round < 3 => continue,
            50 if round > 1 => continue,
            100 => record["summary"] = Value::from(format!("as of round {round}")),
            150 => record["affected"][0]["package"]["name"] = Value::from(format!("was-{round}")),
            200 => {
                let alias = format!("CVE-1999-{:04}", (index / 500) * 10 + round);
                record["aliases"] = Value::from(vec![alias]);
            }
            _ => {}
        }
        all.push(record);
    }
    all
}

/// Asks both for every name and every id that any record has.
fn compare(ours: &Database, plain: &Database, records: &[Value]) -> usize {
    let shards: Vec<String> = plain.info().iter().map(|info| info.name.clone()).collect();
    let own: Vec<String> = ours.info().iter().map(|info| info.name.clone()).collect();
    assert_eq!(own, shards);
    let mut compared = 0;
    let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for record in records {
        for key in ["aliases", "upstream", "related"] {
            let more = record[key].as_array().into_iter().flatten();
            ids.extend(more.filter_map(Value::as_str));
        }
        ids.extend(record["id"].as_str());
        for entry in record["affected"].as_array().into_iter().flatten() {
            let (ecosystem, name) = (&entry["package"]["ecosystem"], &entry["package"]["name"]);
            let (Some(ecosystem), Some(name)) = (ecosystem.as_str(), name.as_str()) else {
                continue;
            };
            let normal = seawall_versions::by_osv(ecosystem).map_or_else(
                || name.to_owned(),
                |scheme| (scheme.normalise_name)(name).into_owned(),
            );
            names.insert((ecosystem, normal));
        }
    }
    for (shard, name) in &names {
        for shard in [(*shard).to_owned(), format!("{shard}:malicious")] {
            let theirs = plain.candidates(&shard, name).unwrap();
            assert_eq!(
                ours.candidates(&shard, name).unwrap(),
                theirs,
                "{shard}: {name}"
            );
            compared += theirs.len();
        }
    }
    for id in ids {
        assert_eq!(ours.by_id(id).unwrap(), plain.by_id(id).unwrap(), "{id}");
        assert_eq!(ours.cvss(id).unwrap(), plain.cvss(id).unwrap(), "{id}");
        compared += 1;
    }
    for shard in &shards {
        assert_eq!(ours.newest(shard), plain.newest(shard), "{shard}");
    }
    for (ours, plain) in ours.info().iter().zip(plain.info()) {
        let about = |info: &seawall_advisories::ShardInfo| {
            (
                info.name.clone(),
                info.records,
                info.packages,
                info.newest.clone(),
                info.sha256.clone(),
            )
        };
        assert_eq!(about(ours), about(plain));
    }
    compared
}

#[test]
fn what_is_read_through_an_overlay_is_what_the_whole_would_say() {
    let Some(advisories) = shared("advisories") else {
        return;
    };
    let mut service = Service::new();
    let dumps: Vec<(&str, Vec<Value>)> = ECOSYSTEMS
        .iter()
        .map(|ecosystem| (*ecosystem, read(&advisories, ecosystem)))
        .collect();
    let mut seen: Vec<Value> = Vec::new();
    let mut compared = 0;
    for round in 0..3 {
        for (ecosystem, records) in &dumps {
            let records = as_of(records, round);
            write(&service, ecosystem, &records);
            seen.extend(records);
        }
        let published = service.publish();
        let updated = service.take().unwrap();
        assert!(updated.fallbacks.is_empty(), "{updated:?}");
        if round > 0 {
            assert!(published.overlays >= 5, "{published:?}");
        }
        let ours = service.dumps.open();
        let with_overlay = ours.info().iter().filter(|info| info.overlay > 0).count();
        assert!(round == 0 || with_overlay >= 5, "{round}: {with_overlay}");
        compared += compare(&ours, &service.plain(), &seen);
    }
    eprintln!("{compared} answers compared");
    assert!(compared > 100_000, "{compared}");
}

#[test]
fn a_hundred_changed_records_cost_a_machine_less_than_200_kb() {
    let Some(advisories) = shared("advisories") else {
        return;
    };
    let mut service = Service::new();
    // Of a small dump a hundred are too many for an overlay.
    let mut dumps: Vec<(&str, Vec<Value>)> = ["Debian", "PyPI"]
        .into_iter()
        .map(|ecosystem| (ecosystem, read(&advisories, ecosystem)))
        .collect();
    for (ecosystem, records) in &dumps {
        write(&service, ecosystem, records);
    }
    service.publish();
    for (ecosystem, records) in &mut dumps {
        let step = records.len() / 100;
        for index in 0..100 {
            let record = &mut records[index * step];
            record["modified"] = Value::from("2026-11-20T00:00:00Z");
            let details = record["details"].as_str().unwrap_or_default();
            record["details"] = Value::from(format!("{details} Changed."));
            record["summary"] = Value::from(format!("The flaw number {index} of this day."));
        }
        write(&service, ecosystem, records);
    }
    service.publish();
    for (ecosystem, _) in dumps {
        let mut overlays = service.served(".overlay.zst");
        overlays.retain(|name| name.starts_with(ecosystem));
        let sizes = overlays.iter().map(|name| {
            let metadata = std::fs::metadata(service.out().join(name));
            metadata.unwrap().len()
        });
        let bytes: u64 = sizes.sum();
        eprintln!("{ecosystem}: {bytes} bytes in {} overlays", overlays.len());
        assert!((1000..200_000).contains(&bytes), "{ecosystem}: {bytes}");
    }
}
