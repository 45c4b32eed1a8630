//! Mirrors: in their order, then the registry; which one answered is told.

use std::time::Duration;

use seawall_registry::{Client, Error, Host, Hosts, HostsError, Settings};
use seawall_testkit::{Act, Answer, Delivery, Proxy, Registry, Setup};

use crate::stage::{Stage, hasty, named, read, repository, stage};

fn with_mirrors(registry: &str, mirrors: &[&str]) -> Settings {
    let mut hosts = Hosts::default();
    let host = Host {
        mirrors: mirrors.iter().map(|mirror| (*mirror).to_owned()).collect(),
        ..Host::default()
    };
    hosts.set(registry, host);
    Settings { hosts, ..hasty() }
}

/// A port on which nothing listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn passing(stage: &Stage) -> Proxy {
    Proxy::start(stage.registry.host(), |_| Act::Pass).unwrap()
}

#[test]
fn the_first_mirror_that_has_it_answers() {
    let Some(stage) = stage() else { return };
    // A pull-through cache of the real kind.
    let Some(cache) = Registry::start(&Setup {
        proxy_of: Some(format!("http://{}", stage.registry.host())),
        ..Setup::default()
    }) else {
        return;
    };
    let origin = passing(&stage);
    let dead = nobody();
    let empty = Proxy::alone(|_| Answer::new(404, "")).unwrap();
    let settings = with_mirrors(&origin.host(), &[&dead, &empty.host(), cache.host()]);
    let client = Client::new(&settings);
    let manifest = client.manifest(&named(&origin.host(), "app:1")).unwrap();
    assert_eq!(manifest.digest, stage.digest);
    assert_eq!(manifest.host, cache.host());
    assert_eq!(manifest.missed.len(), 2);
    assert!(manifest.missed[0].contains(&dead), "{:?}", manifest.missed);
    assert!(
        manifest.missed[1].contains("there is no"),
        "{:?}",
        manifest.missed
    );
    let (digest, size) = stage.large();
    let repository = repository(&origin.host(), "app");
    let blob = client.open(&repository, digest, Some(size)).unwrap();
    assert_eq!(blob.host(), cache.host());
    assert_eq!(read(blob).unwrap().len() as u64, size);
    assert_eq!(origin.asked(), []);
    // The dead one is not tried a second time; what lacks one thing may have
    // another.
    let manifest = client.manifest(&named(&origin.host(), "app:1")).unwrap();
    assert_eq!(manifest.missed.len(), 1);
    assert_eq!(empty.asked().len(), 3);
}

#[test]
fn the_registry_answers_where_no_mirror_does() {
    let Some(stage) = stage() else { return };
    let broken = Proxy::alone(|_| Answer::new(500, "")).unwrap();
    let settings = with_mirrors(stage.registry.host(), &[&broken.host()]);
    let client = Client::new(&settings);
    let manifest = client.manifest(&stage.name("app:1")).unwrap();
    assert_eq!(manifest.host, stage.registry.host());
    // Tried once more, then left alone.
    assert_eq!(broken.asked().len(), 2);
    let error = client.manifest(&stage.name("app:nothing")).unwrap_err();
    assert!(matches!(error, Error::NotThere(_)), "{error:?}");
    assert_eq!(broken.asked().len(), 2);
    // Tags are asked for at the registry itself.
    assert_eq!(client.tags(stage.name("app").repository()).unwrap(), ["1"]);
}

#[test]
fn a_blob_goes_on_at_the_registry_where_its_mirror_dies() {
    let Some(stage) = stage() else { return };
    let (digest, size) = stage.large();
    let mut is_dead = false;
    let mirror = Proxy::start(stage.registry.host(), move |_| {
        let act = if is_dead {
            Act::Say(Answer::new(502, ""), Delivery::Whole)
        } else {
            Act::Deliver(Delivery::Cut(123_456))
        };
        is_dead = true;
        act
    })
    .unwrap();
    let origin = passing(&stage);
    let client = Client::new(&with_mirrors(&origin.host(), &[&mirror.host()]));
    let repository = repository(&origin.host(), "app");
    let mut blob = client.open(&repository, digest, Some(size)).unwrap();
    assert_eq!(blob.host(), mirror.host());
    let bytes = read(&mut blob).unwrap();
    assert_eq!(blob.host(), origin.host());
    assert_eq!(seawall_model::Digest::of(&bytes), digest);
    let asked = origin.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("range"), Some("bytes=123456-"));
}

#[test]
fn the_registry_has_its_own_tries_after_those_of_a_mirror() {
    let Some(stage) = stage() else { return };
    let (digest, size) = stage.large();
    let cutting = |stage: &Stage, mut cuts: usize| {
        Proxy::start(stage.registry.host(), move |_| {
            let is_cut = cuts > 0;
            cuts = cuts.saturating_sub(1);
            match is_cut {
                true => Act::Deliver(Delivery::Cut(1000)),
                false => Act::Pass,
            }
        })
        .unwrap()
    };
    let (mirror, origin) = (cutting(&stage, 100), cutting(&stage, 2));
    let settings = Settings {
        tries: 2,
        ..with_mirrors(&origin.host(), &[&mirror.host()])
    };
    let repository = repository(&origin.host(), "app");
    let client = Client::new(&settings);
    let bytes = read(client.open(&repository, digest, Some(size)).unwrap()).unwrap();
    assert_eq!(seawall_model::Digest::of(&bytes), digest);
    assert_eq!(mirror.asked().len(), 3);
    let ranges: Vec<_> = origin
        .asked()
        .iter()
        .map(|asked| asked.header("range").map(str::to_owned))
        .collect();
    let expected = ["bytes=3000-", "bytes=4000-", "bytes=5000-"];
    assert_eq!(ranges, expected.map(|range| Some(range.to_owned())));
}

#[test]
fn a_mirror_may_stand_below_a_prefix() {
    let Some(stage) = stage() else { return };
    let source = format!("docker://{}/app:1", stage.registry.host());
    if stage
        .registry
        .copy(&source, "cache/hub/app:1", &["--preserve-digests"])
        .is_none()
    {
        return;
    }
    let origin = nobody();
    for mirror in [
        format!("{}/cache/hub", stage.registry.host()),
        format!("http://{}/cache/hub/", stage.registry.host()),
    ] {
        let client = Client::new(&with_mirrors(&origin, &[&mirror]));
        let manifest = client.manifest(&named(&origin, "app:1")).unwrap();
        assert_eq!(manifest.digest, stage.digest);
    }
}

#[test]
fn a_mirror_that_is_none_is_an_error() {
    for mirror in [
        "",
        "mirror",
        "a b",
        "ftp://x.y",
        "user:pass@x.y",
        "x.y/../z",
    ] {
        let client = Client::new(&with_mirrors("127.0.0.1:1", &[mirror]));
        let error = client.manifest(&named("127.0.0.1:1", "app:1")).unwrap_err();
        assert!(
            matches!(error, Error::Hosts(HostsError::Mirror { .. })),
            "{mirror}: {error:?}"
        );
    }
}

#[test]
fn a_mirror_cannot_change_what_has_a_digest() {
    let Some(stage) = stage() else { return };
    let liar = Proxy::alone(|_| Answer::new(200, r#"{"layers":[]}"#)).unwrap();
    let client = Client::new(&with_mirrors(stage.registry.host(), &[&liar.host()]));
    let wanted = stage.name("app").repository().at(stage.digest);
    let manifest = client.manifest(&wanted).unwrap();
    assert_eq!(manifest.host, stage.registry.host());
    assert!(
        manifest.missed[0].contains("digest"),
        "{:?}",
        manifest.missed
    );
}

#[test]
fn what_a_name_stands_for_is_asked_once_of_each_place_in_their_order() {
    let Some(stage) = stage() else { return };
    let mirror = passing(&stage);
    let silent = Proxy::start(stage.registry.host(), |_| Act::Hang).unwrap();
    let client = Client::new(&with_mirrors(&silent.host(), &[&mirror.host()]));
    let name = named(&silent.host(), "app:1");
    assert_eq!(client.digest(&name).unwrap(), Some(stage.digest));
    let asked = mirror.asked();
    assert_eq!((asked.len(), asked[0].method.as_str()), (1, "HEAD"));
    assert_eq!(silent.asked(), []);
    // The other way round, and where nobody answers.
    let client = Client::new(&with_mirrors(&mirror.host(), &[&silent.host()]));
    let name = named(&mirror.host(), "app:1");
    assert_eq!(client.digest(&name).unwrap(), Some(stage.digest));
    assert_eq!(silent.asked().len(), 1);
    let client = Client::new(&hasty());
    let error = client.digest(&named(&silent.host(), "app:1")).unwrap_err();
    assert!(error.is_unreachable(), "{error:?}");
    assert_eq!(silent.asked().len(), 2);
}

#[test]
fn which_mirror_answers_and_why_others_do_not_is_told_once() {
    let Some(stage) = stage() else { return };
    let (dead, mirror) = (nobody(), passing(&stage));
    let settings = with_mirrors(stage.registry.host(), &[&dead, &mirror.host()]);
    let client = Client::new(&settings);
    client.manifest(&stage.name("app:1")).unwrap();
    let (digest, size) = stage.large();
    let repository = repository(stage.registry.host(), "app");
    read(client.open(&repository, digest, Some(size)).unwrap()).unwrap();
    let notes = client.notes();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains(&dead), "{notes:?}");
    assert!(notes[0].contains("refused"), "{notes:?}");
    assert!(notes[1].contains(&mirror.host()), "{notes:?}");
    assert!(notes[1].contains(stage.registry.host()), "{notes:?}");
    // A blob's misses are told too.
    let lacking = Proxy::alone(|_| Answer::new(404, "")).unwrap();
    let client = Client::new(&with_mirrors(stage.registry.host(), &[&lacking.host()]));
    read(client.open(&repository, digest, Some(size)).unwrap()).unwrap();
    let notes = client.notes();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains(&lacking.host()), "{notes:?}");
    assert!(client.notes().is_empty());
}

#[test]
fn a_mirror_that_sent_other_bytes_is_left_alone() {
    let Some(stage) = stage() else { return };
    let (digest, size) = stage.large();
    let mirror = Proxy::start(stage.registry.host(), |_| {
        Act::Edit(|mut answer| {
            answer.body.reverse();
            answer
        })
    })
    .unwrap();
    let client = Client::new(&with_mirrors(stage.registry.host(), &[&mirror.host()]));
    let repository = repository(stage.registry.host(), "app");
    let mut blob = client.open(&repository, digest, Some(size)).unwrap();
    assert_ne!(seawall_model::Digest::of(&read(&mut blob).unwrap()), digest);
    let mirrors = blob.mirrors().to_vec();
    assert_eq!(mirrors, [mirror.host()]);
    let mut blob = client
        .open_anew(&repository, digest, Some(size), &mirrors)
        .unwrap();
    assert_eq!(seawall_model::Digest::of(&read(&mut blob).unwrap()), digest);
    assert!(blob.mirrors().is_empty());
    client.manifest(&stage.name("app:1")).unwrap();
    assert_eq!(mirror.asked().len(), 1);
}

#[test]
fn a_small_answer_that_trickles_has_an_end() {
    let Some(stage) = stage() else { return };
    let slow = Proxy::start(stage.registry.host(), |_| {
        Act::Deliver(Delivery::Slow(1, Duration::from_millis(10)))
    })
    .unwrap();
    let settings = Settings {
        small: Duration::from_millis(100),
        ..hasty()
    };
    let client = Client::new(&settings);
    let error = client.manifest(&named(&slow.host(), "app:1")).unwrap_err();
    assert!(matches!(error, Error::Body { .. }), "{error:?}");
    // Its time is that of all tries.
    assert_eq!(slow.asked().len(), 1);
}
