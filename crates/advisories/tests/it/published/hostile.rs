//! A publisher's folder as it may be after somebody had his hands in it, and
//! servers that lie. The old database stays, whatever it is.

use std::{
    collections::BTreeMap,
    error::Error as _,
    fs,
    io::{Read as _, Write as _},
    path::Path,
    sync::{Arc, Mutex},
};

use seawall_advisories::{FactKind, From, SecretKey, UpdateError, Updated};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{DAY, NOW, Service, borrowed, many, publish_to, take};
use crate::{
    server::{Server, nothing, say},
    support::{ids, names},
};

const SIGNATURE: &str = "seawall-index.minisig";

/// What an error says, with its causes.
fn told(error: &UpdateError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text += &format!(": {inner}");
        cause = inner.source();
    }
    text
}

/// A service of two ecosystems whose first state a machine has taken, and whose
/// second is published.
fn between_two_states() -> Service {
    let mut service = Service::new();
    let mut records = many("p");
    service.dump("PyPI", &borrowed(&records));
    service.dump("npm", &borrowed(&many("n")));
    service.publish();
    service.take().unwrap();
    records.push(("B-1".to_owned(), "added".to_owned()));
    service.dump("PyPI", &borrowed(&records));
    service.publish();
    service
}

fn is_index(name: &str) -> bool {
    name.starts_with("seawall-index-")
}

/// The name of the index that is served, as the signature has it.
fn index_name(out: &Path) -> String {
    let signature = fs::read_to_string(out.join(SIGNATURE)).unwrap();
    let name = signature.split("\tfile:").nth(1).unwrap();
    name.split('\t').next().unwrap().to_owned()
}

fn read_index(service: &Service) -> Value {
    let packed = fs::read(service.out().join(index_name(&service.out()))).unwrap();
    serde_json::from_slice(&zstd::stream::decode_all(&packed[..]).unwrap()).unwrap()
}

/// Signs an index as the publisher would.
fn write_index(service: &Service, index: &Value, key: &SecretKey) {
    let packed = zstd::bulk::compress(index.to_string().as_bytes(), 3).unwrap();
    put_index(service, &packed, key);
}

fn put_index(service: &Service, packed: &[u8], key: &SecretKey) {
    let name = format!(
        "seawall-index-{}.json.zst",
        &hex(&Sha256::digest(packed))[..16]
    );
    let signature = key.sign(packed, &format!("timestamp:0\tfile:{name}\thashed"));
    fs::write(service.out().join(SIGNATURE), signature).unwrap();
    fs::write(service.out().join(name), packed).unwrap();
}

/// The database as it is: its files and what it answers.
fn state(service: &Service) -> (Vec<String>, Vec<u8>, Vec<String>) {
    let dir = service.dumps.database();
    let answers = [("PyPI", "p7"), ("PyPI", "added"), ("npm", "n7")]
        .iter()
        .flat_map(|(shard, name)| ids(&service.dumps.open(), shard, name))
        .collect();
    (
        names(&dir),
        fs::read(dir.join("index.json")).unwrap(),
        answers,
    )
}

/// Takes from a folder that was tampered with, which has to be refused for this
/// reason with the old database kept.
fn refused(service: &Service, want: &str) {
    let before = state(service);
    let error = service.take().unwrap_err();
    let text = told(&error);
    assert!(text.contains(want), "wanted `{want}`: {text}");
    assert_eq!(state(service), before, "{text}");
}

#[test]
fn what_was_tampered_with_is_refused_and_the_old_database_kept() {
    let service = between_two_states();
    let out = service.out();
    let name = index_name(&out);
    let index = fs::read(out.join(&name)).unwrap();
    let signature = fs::read_to_string(out.join(SIGNATURE)).unwrap();
    // The index, at every so many bytes.
    for at in (0..index.len()).step_by(index.len() / 7) {
        let mut bad = index.clone();
        bad[at] ^= 1;
        fs::write(out.join(&name), &bad).unwrap();
        refused(
            &service,
            "cannot be trusted: the signature does not fit the content",
        );
    }
    fs::write(out.join(&name), &index[..index.len() / 2]).unwrap();
    refused(&service, "does not fit the content");
    fs::remove_file(out.join(&name)).unwrap();
    refused(&service, "its signature is there, but it is not");
    fs::write(out.join(&name), vec![0; 9 << 20]).unwrap();
    refused(&service, "more than 8388608 bytes");
    fs::write(out.join(&name), &index).unwrap();
    // The signature.
    fs::remove_file(out.join(SIGNATURE)).unwrap();
    refused(&service, "there is no signed index");
    fs::write(out.join(SIGNATURE), "untrusted comment: x\n").unwrap();
    refused(&service, "this is no signature of minisign");
    fs::write(out.join(SIGNATURE), signature.replace("hashed", "hushed")).unwrap();
    refused(&service, "the signature does not fit its comment");
    for comment in [
        "x",
        "timestamp:1\tfile:../index.json\thashed",
        "file:PyPI.json.zst",
    ] {
        fs::write(out.join(SIGNATURE), service.key.sign(&index, comment)).unwrap();
        refused(&service, "its trusted comment names no index");
    }
    let other = SecretKey::generate().unwrap();
    fs::write(out.join(SIGNATURE), other.sign(&index, "x")).unwrap();
    let want = format!(
        "it is signed by the key {}, not by {}",
        other.public().id(),
        service.key.public().id()
    );
    refused(&service, &want);
    // A key with the same id is not the same key.
    let mut forged = other.sign(&index, "x").into_bytes();
    let (ours, theirs) = (
        signature.find('\n').unwrap() + 1,
        forged.iter().position(|byte| *byte == b'\n').unwrap() + 1,
    );
    forged[theirs..theirs + 13].copy_from_slice(&signature.as_bytes()[ours..ours + 13]);
    fs::write(out.join(SIGNATURE), forged).unwrap();
    let error = told(&service.take().unwrap_err());
    assert!(
        error.contains("does not fit") || error.contains("signed by the key"),
        "{error}"
    );
    fs::write(out.join(SIGNATURE), &signature).unwrap();
    // Nothing of that was believed: what is good is taken.
    let updated = service.take().unwrap();
    assert_eq!(
        (updated.built, updated.fallbacks),
        (vec!["PyPI".to_owned()], Vec::new())
    );
    assert_eq!(ids(&service.dumps.open(), "PyPI", "added"), ["B-1"]);
}

#[test]
fn without_a_key_nothing_that_is_published_is_used_and_with_one_nothing_else() {
    let service = between_two_states();
    let before = state(&service);
    let plain = |from| crate::support::bring(from, &service.dumps.database(), &[]);
    let error = plain(From::Dir(service.out())).unwrap_err().to_string();
    assert!(
        error.contains("has a signed index, and no key was given"),
        "{error}"
    );
    // A folder of both layouts is a published one.
    fs::create_dir(service.out().join("PyPI")).unwrap();
    let dump = service.dumps.dumps().join("PyPI/all.zip");
    fs::copy(&dump, service.out().join("PyPI/all.zip")).unwrap();
    let error = plain(From::Dir(service.out())).unwrap_err().to_string();
    assert!(error.contains("no key was given"), "{error}");
    assert_eq!(state(&service), before);
    service.take().unwrap();
    let before = state(&service);
    // Dumps are not signed, and an index that is gone makes nothing a dump.
    let key = service.key.public();
    for dir in [service.dumps.dumps(), {
        fs::remove_file(service.out().join(index_name(&service.out()))).unwrap();
        fs::remove_file(service.out().join(SIGNATURE)).unwrap();
        service.out()
    }] {
        let error = take(From::Dir(dir), &service.dumps.database(), &key, &[]).unwrap_err();
        let want = format!("what is there has to be signed by {}", key.id());
        assert!(error.to_string().contains(&want), "{error}");
    }
    assert_eq!(state(&service), before);
    // Who wants dumps again gets them, and each shard once.
    plain(From::Dir(service.dumps.dumps())).unwrap();
    let database = service.dumps.open();
    let shards: Vec<&str> = database
        .info()
        .iter()
        .map(|info| info.name.as_str())
        .collect();
    assert_eq!(shards, ["PyPI", "npm"]);
}

#[test]
fn an_older_index_is_refused_with_both_dates() {
    let mut service = Service::new();
    service.dump("PyPI", &borrowed(&many("p")));
    service.publish();
    let out = service.out();
    let old = fs::read(out.join(SIGNATURE)).unwrap();
    service.dump("PyPI", &borrowed(&many("q")));
    service.publish();
    service.take().unwrap();
    let new = fs::read(out.join(SIGNATURE)).unwrap();
    // The index before this one is still there.
    fs::write(out.join(SIGNATURE), &old).unwrap();
    let before = fs::read(service.dumps.database().join("index.json")).unwrap();
    let error = service.take().unwrap_err();
    assert!(
        matches!(&error, UpdateError::RolledBack { offered, seen, .. }
            if offered == "2027-01-16T08:00:00Z" && seen == "2027-01-17T08:00:00Z"),
        "{error}"
    );
    // From another mirror too.
    let mirror = service.out().with_file_name("mirror");
    fs::create_dir(&mirror).unwrap();
    for name in names(&out) {
        let path = out.join(&name);
        if path.is_file() {
            fs::copy(path, mirror.join(name)).unwrap();
        }
    }
    let key = service.key.public();
    let error = take(From::Dir(mirror), &service.dumps.database(), &key, &[]).unwrap_err();
    assert!(matches!(error, UpdateError::RolledBack { .. }), "{error}");
    let after = fs::read(service.dumps.database().join("index.json")).unwrap();
    assert_eq!(before, after);
    // The newest is taken again, and one of the far future is not.
    fs::write(out.join(SIGNATURE), &new).unwrap();
    assert_eq!(service.take().unwrap().built.len(), 0);
    service.now = NOW + 800 * DAY;
    service.dump("PyPI", &borrowed(&many("r")));
    service.try_publish().unwrap();
    let error = service.take().unwrap_err();
    assert!(matches!(error, UpdateError::Ahead { .. }), "{error}");
}

#[test]
fn an_index_that_says_what_no_index_may_is_refused_though_it_is_signed() {
    let service = between_two_states();
    let good = read_index(&service);
    // `PyPI` is the first shard.
    let pypi = |change: &dyn Fn(&mut Value)| {
        let mut bad = good.clone();
        change(&mut bad["shards"][0]);
        bad
    };
    let name = |text: &str| pypi(&|shard| shard["whole"]["file"] = json!(text));
    let cases: Vec<(Value, &str)> = vec![
        (
            name("../index.json"),
            "it names a file outside of its folder: `../index.json`",
        ),
        (name("/etc/passwd"), "outside of its folder"),
        (name("a/b"), "outside of its folder"),
        (name("a%2e%2e"), "outside of its folder"),
        (name("..\\x"), "outside of its folder"),
        (name(".hidden"), "outside of its folder"),
        (name(""), "outside of its folder"),
        (name(&"x".repeat(300)), "outside of its folder"),
        (
            pypi(&|shard| shard["overlays"][0]["file"] = json!("../x")),
            "it names a file outside of its folder: `../x`",
        ),
        (
            pypi(&|shard| shard["whole"]["bytes"] = json!(u64::MAX)),
            "would have more than 4294967295 bytes",
        ),
        (
            pypi(&|shard| shard["whole"]["unpacked"] = json!(1u64 << 40)),
            "would have more than",
        ),
        (
            pypi(&|shard| shard["whole"]["bytes"] = json!(-1)),
            "invalid value",
        ),
        (
            pypi(&|shard| shard["whole"]["sha256"] = json!("xyz")),
            "has no SHA-256",
        ),
        (pypi(&|shard| shard["table"] = json!("")), "has no SHA-256"),
        (
            pypi(&|shard| shard["overlays"][0]["base"] = json!("..")),
            "has an overlay for `..`",
        ),
        (
            pypi(&|shard| shard["name"] = json!("a\nb")),
            "it has a shard with the name",
        ),
        (
            pypi(&|shard| shard["name"] = json!("npm")),
            "it has the shard `npm` twice",
        ),
        (
            {
                let mut bad = good.clone();
                bad["made"] = json!("yesterday");
                bad
            },
            "which is no time",
        ),
        (
            {
                let mut bad = good.clone();
                bad["format"] = json!(2);
                bad
            },
            "it has format 2, 1 is expected",
        ),
        (json!([]), "damaged"),
        (json!({ "format": 1 }), "missing field"),
    ];
    for (bad, want) in cases {
        write_index(&service, &bad, &service.key);
        refused(&service, want);
    }
    // A bomb, signed.
    let bomb = zstd::bulk::compress(&vec![b' '; 65 << 20], 3).unwrap();
    put_index(&service, &bomb, &service.key);
    refused(&service, "it unpacks to more than 67108864 bytes");
}

#[test]
fn a_file_that_is_not_the_one_that_was_signed_is_never_used() {
    // Where everything has to be taken whole.
    let service = between_two_states();
    let good = read_index(&service);
    let mut without = good.clone();
    without["shards"][0]["overlays"] = json!([]);
    write_index(&service, &without, &service.key);
    let file = good["shards"][0]["whole"]["file"].as_str().unwrap();
    let path = service.out().join(file);
    let whole = fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 4;
    fs::write(&path, &flipped).unwrap();
    refused(&service, "its SHA-256 is not the one in the signed index");
    fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    refused(&service, "bytes instead of");
    fs::write(&path, [&whole[..], b"more"].concat()).unwrap();
    refused(&service, "it has more than");
    // The shard of another ecosystem.
    let npm = service
        .served(".shard.zst")
        .into_iter()
        .find(|name| name.starts_with("npm-"));
    fs::copy(service.out().join(npm.unwrap()), &path).unwrap();
    let error = told(&service.take().unwrap_err());
    assert!(
        error.contains("bytes instead of")
            || error.contains("SHA-256")
            || error.contains("more than"),
        "{error}"
    );
    fs::remove_file(&path).unwrap();
    refused(&service, "the index names it, and it is not there");
    // A publisher who signs the wrong digest of the table, or a bomb.
    fs::write(&path, &whole).unwrap();
    let mut wrong = without.clone();
    wrong["shards"][0]["table"] = json!("0".repeat(64));
    write_index(&service, &wrong, &service.key);
    refused(&service, "its table is not the one in the signed index");
    let mut bomb = without.clone();
    bomb["shards"][0]["whole"]["unpacked"] = json!(1000);
    write_index(&service, &bomb, &service.key);
    refused(&service, "it unpacks to more than 1000 bytes");
    write_index(&service, &without, &service.key);
    service.take().unwrap();
    assert_eq!(ids(&service.dumps.open(), "PyPI", "added"), ["B-1"]);
}

/// What a machine does where an overlay is not as it should be.
fn around(change: impl Fn(&Path, &Service)) -> Updated {
    let service = between_two_states();
    let [overlay] = service.served(".overlay.zst").try_into().unwrap();
    change(&service.out().join(overlay), &service);
    let updated = service.take().unwrap();
    assert_eq!(updated.built, ["PyPI"]);
    let database = service.dumps.open();
    assert_eq!(ids(&database, "PyPI", "added"), ["B-1"]);
    let info = database
        .info()
        .iter()
        .find(|info| info.name == "PyPI")
        .unwrap();
    let plain = service.plain();
    let same = plain
        .info()
        .iter()
        .find(|info| info.name == "PyPI")
        .unwrap();
    assert_eq!(
        (info.overlay, &info.sha256),
        (0, &same.sha256),
        "it was taken whole"
    );
    updated
}

#[test]
fn an_overlay_that_cannot_be_used_is_told_and_the_shard_taken_whole() {
    let gone = around(|path, _| fs::remove_file(path).unwrap());
    assert!(
        gone.fallbacks[0].contains("the index names it, and it is not there: it is taken whole"),
        "{gone:?}"
    );
    let flipped = around(|path, _| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
    });
    assert!(
        flipped.fallbacks[0].contains("SHA-256 is not the one"),
        "{flipped:?}"
    );
    // A signed index with the overlay of something else.
    let other = around(|path, service| {
        let mut index = read_index(service);
        let whole = index["shards"][1]["whole"].clone();
        let bytes = fs::read(service.out().join(whole["file"].as_str().unwrap())).unwrap();
        fs::write(path, &bytes).unwrap();
        let overlay = &mut index["shards"][0]["overlays"][0];
        overlay["sha256"] = json!(hex(&Sha256::digest(&bytes)));
        overlay["bytes"] = whole["bytes"].clone();
        overlay["unpacked"] = whole["unpacked"].clone();
        write_index(service, &index, &service.key);
    });
    assert!(
        other.fallbacks[0].contains("its overlay is of another shard"),
        "{other:?}"
    );
    let junk = around(|path, service| {
        let mut index = read_index(service);
        let bytes = zstd::bulk::compress(b"no table", 3).unwrap();
        fs::write(path, &bytes).unwrap();
        let overlay = &mut index["shards"][0]["overlays"][0];
        overlay["sha256"] = json!(hex(&Sha256::digest(&bytes)));
        overlay["bytes"] = json!(bytes.len());
        overlay["unpacked"] = json!(8);
        write_index(service, &index, &service.key);
    });
    assert!(junk.fallbacks[0].contains("it is too short"), "{junk:?}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Serves a folder, with answers of its own for some files, and keeps what was
/// asked for.
fn serve(
    service: &Service,
    own: impl Fn(&str, &str, &[u8]) -> Option<crate::server::Answer> + Send + Sync + 'static,
) -> Server {
    let out = service.out();
    Server::new(move |path, head| {
        let name = path.trim_start_matches('/');
        let bytes = fs::read(out.join(name)).unwrap_or_default();
        match own(name, head, &bytes) {
            Some(answer) => answer,
            None if bytes.is_empty() => nothing(),
            None => say("200 OK", "ETag: \"always\"\r\n", &bytes),
        }
    })
}

#[test]
fn a_server_is_asked_for_what_is_wanted_and_for_nothing_twice() {
    let mut service = Service::new();
    service.dump("PyPI", &borrowed(&many("p")));
    service.dump("npm", &borrowed(&many("n")));
    service.dump("Go", &borrowed(&many("g")));
    let kev = "{\"vulnerabilities\":[{\"cveID\":\"CVE-2021-1234\",\"dateAdded\":\"2021-12-10\"}]}";
    service.dumps.file("kev.json", kev);
    service.publish();
    let server = serve(&service, |name, head, _| {
        // The one file that changes in its place.
        assert_eq!(head.contains("cache-control: no-cache"), name == SIGNATURE);
        None
    });
    let key = service.key.public();
    let ask = |names: &[&str]| take(server.from(), &service.dumps.database(), &key, names);
    let asked = || -> Vec<String> {
        let mut all = server.asked();
        all.sort();
        all.iter()
            .map(|path| path.split('-').next().unwrap().to_owned())
            .collect()
    };
    let error = ask(&[]).unwrap_err();
    assert!(matches!(error, UpdateError::Nothing(_)), "{error}");
    server.asked();
    let updated = ask(&["PyPI"]).unwrap();
    assert_eq!(updated.built, ["PyPI", "facts:kev"]);
    assert_eq!(
        updated.missing,
        [FactKind::Epss, FactKind::Cvss, FactKind::EndOfLife]
    );
    assert_eq!(asked(), ["/PyPI", "/facts", "/seawall", "/seawall"]);
    // Nothing is new: three hundred bytes.
    let updated = ask(&["PyPI"]).unwrap();
    assert_eq!(updated.unchanged, ["PyPI", "facts:kev"]);
    assert_eq!(asked(), ["/seawall"]);
    assert_eq!(ask(&[]).unwrap().built.len(), 0);
    assert_eq!(asked(), ["/seawall"]);
    // Another one, and one that nobody publishes.
    let updated = ask(&["npm", "Hackage"]).unwrap();
    assert_eq!(
        (updated.built, updated.absent),
        (vec!["npm".to_owned()], vec!["Hackage".to_owned()])
    );
    let error = ask(&["Hackage"]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`Hackage` is not published in `http://"),
        "{error}"
    );
    asked();
    // A change to one of three.
    let mut records = many("p");
    records.push(("B-1".to_owned(), "added".to_owned()));
    service.dump("PyPI", &borrowed(&records));
    service.now += DAY;
    service.try_publish().unwrap();
    let updated = ask(&[]).unwrap();
    assert_eq!(updated.built, ["PyPI"]);
    assert_eq!(asked(), ["/PyPI", "/seawall", "/seawall"]);
    let database = service.dumps.open();
    assert!(database.info().iter().all(|info| info.checked > NOW));
    let pypi = database
        .info()
        .iter()
        .find(|info| info.name == "PyPI")
        .unwrap();
    assert!(pypi.overlay > 0);
    let signed = pypi.origin.signed.clone().unwrap();
    assert_eq!(
        signed,
        (key.id().to_string(), "2027-01-17T08:00:00Z".to_owned())
    );
}

#[test]
fn servers_that_lie_change_nothing() {
    let service = between_two_states();
    let key = service.key.public();
    let long = |name: &str| {
        let name = name.to_owned();
        move |asked: &str, _: &str, _: &[u8]| {
            // Without a length and without an end in sight.
            (asked.starts_with(&name)).then(|| {
                let mut bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
                bytes.extend(vec![b'u'; 20 << 20]);
                crate::server::Answer {
                    bytes,
                    hangs: false,
                }
            })
        }
    };
    let cases: Vec<(&str, Server, &str)> = vec![
        (
            "endless index",
            serve(&service, long("seawall-index-")),
            "to its end",
        ),
        (
            "endless signature",
            serve(&service, long(SIGNATURE)),
            "to its end",
        ),
        (
            "not modified",
            serve(&service, |name, _, _| {
                is_index(name).then(|| say("304 Not Modified", "", b""))
            }),
            "304",
        ),
        (
            "a page",
            serve(&service, |_, _, _| {
                Some(say("200 OK", "", b"<!DOCTYPE html>"))
            }),
            "there is no signed index",
        ),
        (
            "another's",
            serve(&service, |name, _, _| {
                is_index(name).then(|| say("200 OK", "", b"x"))
            }),
            "does not fit the content",
        ),
        (
            "error",
            serve(&service, |name, _, _| {
                (name.ends_with(".overlay.zst") || name.starts_with("PyPI"))
                    .then(|| say("500 Internal Server Error", "", b""))
            }),
            "500",
        ),
    ];
    let before = state(&service);
    for (what, server, want) in cases {
        let error = take(server.from(), &service.dumps.database(), &key, &[]).unwrap_err();
        let text = told(&error);
        assert!(text.contains(want), "{what}: {text}");
        assert_eq!(state(&service), before, "{what}");
    }
    // Entity tags are not believed: the same one for everything does no harm.
    let server = serve(&service, |_, head, _| {
        assert!(!head.contains("if-none-match"), "{head}");
        None
    });
    let updated = take(server.from(), &service.dumps.database(), &key, &[]).unwrap();
    assert_eq!(updated.built, ["PyPI"]);
}

#[test]
fn a_signature_that_somebody_kept_is_asked_for_again() {
    let mut service = between_two_states();
    let old = fs::read(service.out().join(SIGNATURE)).unwrap();
    service.dump("npm", &borrowed(&many("m")));
    service.publish();
    // The signature of before, once.
    let first = Arc::new(Mutex::new(Some(old)));
    let server = serve(&service, move |name, _, _| {
        // And what it leads to is no longer there.
        let mut first = first.lock().unwrap();
        match (name == SIGNATURE, first.as_ref()) {
            (true, Some(old)) => Some(say("200 OK", "", old)),
            (false, Some(_)) => {
                *first = None;
                Some(nothing())
            }
            (_, None) => None,
        }
    });
    let updated = take(
        server.from(),
        &service.dumps.database(),
        &service.key.public(),
        &[],
    )
    .unwrap();
    assert_eq!(updated.built, ["PyPI", "npm"]);
}

#[test]
fn a_machine_that_was_away_for_long_folds_its_overlay_into_its_base() {
    let mut service = Service::new();
    let mut records = many("p");
    service.dump("PyPI", &borrowed(&records));
    service.publish();
    service.take().unwrap();
    let key = service.key.public();
    let counts: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
    let mut add = |service: &mut Service, round: usize| {
        records.push((format!("B-{round:04}"), "added".to_owned()));
        service.dump("PyPI", &borrowed(&records));
        service.publish();
    };
    // Every state is taken: the base is served for eight of them, then the
    // state of some day is the base, without the shard being fetched again.
    for round in 0..20 {
        add(&mut service, round);
        let counts = Arc::clone(&counts);
        let server = serve(&service, move |name, _, bytes| {
            let kind = name.rsplit('.').nth(1).unwrap_or_default().to_owned();
            *counts.lock().unwrap().entry(kind).or_default() += bytes.len() as u64;
            None
        });
        let updated = take(server.from(), &service.dumps.database(), &key, &[]).unwrap();
        assert_eq!(
            (updated.built.len(), updated.fallbacks.len()),
            (1, 0),
            "{round}: {updated:?}"
        );
        let (ours, plain) = (service.dumps.open(), service.plain());
        assert_eq!(ids(&ours, "PyPI", "added").len(), round + 1);
        assert_eq!(ours.info()[0].sha256, plain.info()[0].sha256, "{round}");
    }
    let counts = counts.lock().unwrap();
    assert!(!counts.contains_key("shard"), "{counts:?}");
    assert!(counts["overlay"] > 0);
    drop(counts);
    // Away for longer than any base is served: the whole.
    for round in 20..30 {
        add(&mut service, round);
    }
    service.take().unwrap();
    let ours = service.dumps.open();
    assert_eq!(
        (ours.info()[0].overlay, ids(&ours, "PyPI", "added").len()),
        (0, 30)
    );
    // A change that is taken back, and one that is large.
    publish_to(
        &service.dumps.dumps(),
        &service.out(),
        &service.key,
        service.now,
    )
    .unwrap();
    service.dump("PyPI", &borrowed(&many("other")));
    let published = service.publish();
    assert_eq!(
        published.overlays, 0,
        "an overlay of everything is no saving"
    );
    service.take().unwrap();
    assert_eq!(ids(&service.dumps.open(), "PyPI", "other7"), ["A-0007"]);
}

#[test]
fn a_tampered_folder_is_not_built_upon() {
    let mut service = between_two_states();
    let mut index = read_index(&service);
    index["made"] = json!("2999-01-01T00:00:00Z");
    write_index(&service, &index, &SecretKey::generate().unwrap());
    service.dump("npm", &borrowed(&many("m")));
    let before = names(&service.out());
    let published = service.publish();
    let after = names(&service.out());
    // Machines may be fetching any of it.
    assert!(before.iter().all(|name| after.contains(name)), "{after:?}");
    let why = published.afresh.unwrap();
    assert!(
        why.contains("cannot be trusted: it is signed by the key"),
        "{why}"
    );
    assert_eq!(
        (published.overlays, published.made.get(..4)),
        (0, Some("2027"))
    );
    service.take().unwrap();
    // A base that was replaced makes no overlay.
    let base = service
        .served(".shard.zst")
        .into_iter()
        .find(|name| name.starts_with("PyPI"));
    let mut packed = Vec::new();
    let path = service.out().join(base.unwrap());
    fs::File::open(&path)
        .unwrap()
        .read_to_end(&mut packed)
        .unwrap();
    let other = zstd::bulk::compress(b"something else", 3).unwrap();
    fs::File::create(&path).unwrap().write_all(&other).unwrap();
    service.dump("PyPI", &borrowed(&many("p")));
    let published = service.publish();
    assert_eq!(published.overlays, 0);
    service.take().unwrap();
    assert_eq!(ids(&service.dumps.open(), "PyPI", "p7"), ["A-0007"]);
}

#[test]
fn a_publisher_that_is_killed_before_the_signature_changes_nothing() {
    let mut service = Service::new();
    let mut records = many("p");
    service.dump("PyPI", &borrowed(&records));
    service.publish();
    let signature = fs::read(service.out().join(SIGNATURE)).unwrap();
    service.take().unwrap();
    for round in 0..3 {
        records.push((format!("B-{round}"), "added".to_owned()));
        service.dump("PyPI", &borrowed(&records));
        service.publish();
        // All but the last of its steps.
        fs::write(service.out().join(SIGNATURE), &signature).unwrap();
        let updated = service.take().unwrap();
        assert_eq!((updated.built.len(), updated.fallbacks.len()), (0, 0));
    }
    let published = service.publish();
    assert_eq!((published.afresh, published.overlays), (None, 1));
    let indices = service.served(".json.zst");
    assert_eq!(indices.len(), 2, "{indices:?}");
    let updated = service.take().unwrap();
    assert_eq!((updated.built.len(), updated.fallbacks.len()), (1, 0));
    assert_eq!(ids(&service.dumps.open(), "PyPI", "added").len(), 3);
}

#[test]
fn a_packed_file_that_was_damaged_in_its_length_is_made_again() {
    let mut service = Service::new();
    service.dump("PyPI", &borrowed(&many("p")));
    service.publish();
    let [shard] = service.served(".shard.zst").try_into().unwrap();
    let path = service.out().join(shard);
    let good = fs::read(&path).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    fs::write(&path, bad).unwrap();
    service.publish();
    assert_eq!(fs::read(&path).unwrap(), good);
    service.take().unwrap();
}
