//! Images of registries and of their mirrors.

use std::{fs, sync::Arc};

use seawall_image::{Cache, Error, Image, Limits, NoProgress, Options, Registries, Source, open};
use seawall_registry::{Client, Host, Hosts, Settings};
use seawall_testkit::{Act, Answer, Proxy, Registry, Setup};

use crate::support::{KEEP, run, shared};

/// Alpine as it was published, `alpine:1` and `alpine:2`.
fn stage() -> Option<Registry> {
    let registry = Registry::start(&Setup::default())?;
    let packed = registry.dir().join("alpine.tar.gz");
    fs::copy(shared("images/alpine-310.tar.gz")?, &packed).unwrap();
    assert!(run("gzip", &["-d", packed.to_str().unwrap()]));
    let source = format!("docker-archive:{}", packed.with_extension("").display());
    registry.copy(&source, "alpine:1", &[])?;
    let source = format!("docker://{}/alpine:1", registry.host());
    registry.copy(&source, "alpine:2", &["--preserve-digests"])?;
    Some(registry)
}

fn registries(host: &str, mirrors: &[String]) -> Arc<Registries> {
    let mut hosts = Hosts::default();
    let mirrors = mirrors.to_vec();
    hosts.set(
        host,
        Host {
            mirrors,
            ..Host::default()
        },
    );
    let settings = Settings {
        hosts,
        ..Settings::default()
    };
    Arc::new(Registries::new(Client::new(&settings)))
}

fn read(registries: &Arc<Registries>, host: &str, cache: Option<&Cache>) -> Result<Image, Error> {
    let options = Options {
        analysers: KEEP,
        platform: None,
        cache,
        limits: Limits::default(),
        progress: &NoProgress,
    };
    let source = Source::Registry {
        registries: Arc::clone(registries),
        reference: format!("{host}/alpine:1").parse().unwrap(),
    };
    open(source, &options)
}

/// The layer, of the right length, and broken after the header of gzip.
fn broken(mut answer: Answer) -> Answer {
    if answer.body.len() > 100_000 {
        answer.body[20..].reverse();
    }
    answer
}

#[test]
fn other_bytes_than_those_of_the_digest_are_named_and_had_elsewhere() {
    let Some(registry) = stage() else { return };
    let liar = Proxy::start(registry.host(), |_| Act::Edit(broken)).unwrap();
    let alone = registries(&liar.host(), &[]);
    let error = read(&alone, &liar.host(), None).unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, Error::Sent { .. }), "{error:?}");
    assert!(said.contains(&liar.host()), "{said}");
    let host = registry.host();
    let right = read(&registries(host, &[]), host, None).unwrap();
    let mirrored = registries(host, &[liar.host()]);
    let again = read(&mirrored, host, None).unwrap();
    assert_eq!(again.view.files.len(), right.view.files.len());
    let notes = mirrored.client().notes();
    assert!(
        notes.iter().any(|note| note.contains("left alone")),
        "{notes:?}"
    );
}

#[test]
fn tags_of_one_image_fetch_its_manifest_once_and_not_again() {
    let Some(registry) = stage() else { return };
    let proxy = Proxy::start(registry.host(), |_| Act::Pass).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path(), 1 << 30);
    for expected in [1, 0] {
        let before = proxy.asked().len();
        let all = registries(&proxy.host(), &[]);
        let tag = |tag: &str| format!("{}/alpine:{tag}", proxy.host()).parse().unwrap();
        let first = all.resolve(&tag("1"), Some(&cache)).unwrap();
        assert_eq!(all.resolve(&tag("2"), Some(&cache)).unwrap(), first);
        let asked = proxy.asked();
        let fetched = asked[before..].iter().filter(|one| one.method == "GET");
        assert_eq!(fetched.count(), expected);
        assert_eq!(asked.len() - before, 2 + expected);
    }
}

#[test]
fn a_registry_that_is_silent_is_not_asked_where_its_mirror_answers() {
    let Some(registry) = stage() else { return };
    let silent = Proxy::start(registry.host(), |_| Act::Hang).unwrap();
    let mirror = Proxy::start(registry.host(), |_| Act::Pass).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path(), 1 << 30);
    let host = silent.host();
    read(&registries(&host, &[mirror.host()]), &host, Some(&cache)).unwrap();
    let before = mirror.asked().len();
    read(&registries(&host, &[mirror.host()]), &host, Some(&cache)).unwrap();
    assert_eq!(silent.asked(), []);
    let asked = mirror.asked();
    let asked: Vec<_> = asked[before..]
        .iter()
        .map(|one| one.method.as_str())
        .collect();
    assert_eq!(asked, ["HEAD"]);
}
