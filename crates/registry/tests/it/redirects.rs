//! Redirects: followed, but never with what belongs to somebody else.

use std::sync::{Arc, Mutex};

use seawall_model::Digest;
use seawall_registry::{Client, Error};
use seawall_testkit::{Act, Answer, Asked, Delivery, Proxy, Registry, Setup, htpasswd};

use crate::stage::{client, hasty, named, noise, read, repository, stage, with_password};

fn to(location: &str) -> Act {
    let answer = Answer::new(307, "").with("location", location);
    Act::Say(answer, Delivery::Whole)
}

/// A store of blobs on another port, with one blob.
fn store(body: &'static [u8]) -> Proxy {
    Proxy::alone(move |_| Answer::new(200, body)).unwrap()
}

#[test]
fn a_blob_in_another_store_is_fetched_without_credentials() {
    let dir = tempfile::tempdir().unwrap();
    let Some(auth) = htpasswd(dir.path(), "user", "secret") else {
        return;
    };
    let Some(registry) = Registry::start(&Setup {
        auth: Some(auth),
        ..Setup::default()
    }) else {
        return;
    };
    let store = store(b"blob");
    let host = store.host();
    let proxy = Proxy::start(registry.host(), move |asked: &Asked| {
        match asked.header("authorization") {
            None => Act::Pass,
            Some(_) => to(&format!("http://{host}/store/blob?signature=x")),
        }
    })
    .unwrap();
    let settings = with_password(&proxy.host(), "user", "secret", dir.path());
    let client = Client::new(&settings);
    let repository = repository(&proxy.host(), "app");
    let blob = client
        .open(&repository, Digest::of(b"blob"), Some(4))
        .unwrap();
    assert_eq!(read(blob).unwrap(), b"blob");
    // The registry was shown the password, the store nothing.
    let shown = proxy.asked().pop().unwrap();
    assert!(shown.header("authorization").unwrap().starts_with("Basic "));
    let [asked] = &store.asked()[..] else {
        unreachable!("{:?}", store.asked())
    };
    assert_eq!(asked.target, "/store/blob?signature=x");
    assert_eq!(asked.header("authorization"), None);
    assert_eq!(asked.header("cookie"), None);
}

#[test]
fn a_store_that_asks_for_credentials_gets_none() {
    let store =
        Proxy::alone(|_| Answer::new(401, "").with("www-authenticate", "Basic realm=\"give me\""))
            .unwrap();
    let host = store.host();
    let proxy = Proxy::start("127.0.0.1:0", move |_| to(&format!("http://{host}/x"))).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let settings = with_password(&store.host(), "user", "secret", dir.path());
    let client = Client::new(&settings);
    let error = client.blob(&repository(&proxy.host(), "app"), Digest::of(b"x"));
    let error = error.err().unwrap();
    assert!(
        matches!(error, Error::Refused { status: 401, .. }),
        "{error:?}"
    );
    assert_eq!(store.asked().len(), 1);
    assert_eq!(store.asked()[0].header("authorization"), None);
}

#[test]
fn a_resumed_blob_is_asked_for_at_the_registry_again() {
    let body = Arc::new(noise(300_000));
    let served = Arc::clone(&body);
    let count = Mutex::new(0);
    let store = Proxy::start("127.0.0.1:0", move |asked| {
        let mut count = count.lock().unwrap();
        *count += 1;
        let from = asked.header("range").unwrap_or("bytes=0-");
        let from = from.trim_start_matches("bytes=").trim_end_matches('-');
        let from: usize = from.parse().unwrap();
        let part = served[from..].to_vec();
        let range = format!("bytes {from}-{}/{}", served.len() - 1, served.len());
        if *count == 1 {
            return Act::Say(Answer::new(200, part), Delivery::Cut(120_000));
        }
        let answer = Answer::new(206, part).with("content-range", &range);
        Act::Say(answer, Delivery::Whole)
    })
    .unwrap();
    let host = store.host();
    // Each address is signed for one time.
    let signed = Mutex::new(0);
    let proxy = Proxy::start("127.0.0.1:0", move |_| {
        let mut signed = signed.lock().unwrap();
        *signed += 1;
        to(&format!("http://{host}/blob?signature={signed}"))
    })
    .unwrap();
    let client = Client::new(&hasty());
    let repository = repository(&proxy.host(), "app");
    let blob = client.open(&repository, Digest::of(&body), None).unwrap();
    assert_eq!(read(blob).unwrap(), *body);
    let asked = store.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].target, "/blob?signature=2");
    assert_eq!(asked[1].header("range"), Some("bytes=120000-"));
}

#[test]
fn where_nothing_good_can_be_nobody_goes() {
    for (location, why) in [
        ("file:///etc/passwd", "neither `http:` nor `https:`"),
        ("ftp://127.0.0.1/x", "neither `http:` nor `https:`"),
        ("gopher:x", "neither `http:` nor `https:`"),
        ("http://user:pass@127.0.0.1/x", "a user or a password"),
        ("http://169.254.169.254/latest/meta-data", "169.254.169.254"),
        ("http://[fe80::1]/x", "fe80::1"),
        ("http://[::ffff:169.254.169.254]/x", "169.254.169.254"),
        ("http://2852039166/x", "169.254.169.254"),
        ("http://a b/x", "no address over HTTP"),
        ("http:\\\\127.0.0.1\\x", "no address over HTTP"),
        ("http://127.0.0.1:99999/x", "no address over HTTP"),
        ("http:///x", "no address over HTTP"),
    ] {
        let proxy = Proxy::start("127.0.0.1:0", move |_| to(location)).unwrap();
        let error = client()
            .blob(&repository(&proxy.host(), "app"), Digest::of(b"x"))
            .err()
            .unwrap();
        assert!(
            matches!(error, Error::Redirect { .. }),
            "{location}: {error:?}"
        );
        assert!(error.to_string().contains(why), "{location}: {error}");
        assert!(!error.to_string().contains("pass@"), "{error}");
        assert_eq!(proxy.asked().len(), 1, "{location}");
    }
    // Without saying where.
    let answer = Answer::new(302, "");
    let proxy = Proxy::alone(move |_| answer.clone()).unwrap();
    let error = client()
        .manifest(&named(&proxy.host(), "app:1"))
        .unwrap_err();
    assert!(
        error.to_string().contains("without saying where"),
        "{error}"
    );
}

#[test]
fn circles_end() {
    let proxy = Proxy::start("127.0.0.1:0", |asked| to(&asked.target)).unwrap();
    let error = client()
        .manifest(&named(&proxy.host(), "app:1"))
        .unwrap_err();
    assert!(error.to_string().contains("10 redirects"), "{error}");
    assert_eq!(proxy.asked().len(), 11);
}

#[test]
fn relative_targets_stay_where_they_are() {
    let Some(stage) = stage() else { return };
    let proxy = Proxy::start(stage.registry.host(), |asked| match asked.target.as_str() {
        "/v2/app/manifests/a" => to("1"),
        "/v2/app/manifests/b" => to("/v2/app/manifests/1"),
        "/v2/app/manifests/c" => to("?x=y"),
        "/v2/app/manifests/c?x=y" => to("../manifests/1"),
        _ => Act::Pass,
    })
    .unwrap();
    for tag in ["a", "b", "c"] {
        let manifest = client().manifest(&named(&proxy.host(), &format!("app:{tag}")));
        assert_eq!(manifest.unwrap().digest, stage.digest, "{tag}");
    }
}

#[test]
fn whoever_leads_back_to_the_registry_gains_no_credentials() {
    let dir = tempfile::tempdir().unwrap();
    let back = Arc::new(Mutex::new(String::new()));
    let target = Arc::clone(&back);
    let store =
        Proxy::alone(move |_| Answer::new(307, "").with("location", &target.lock().unwrap()))
            .unwrap();
    let host = store.host();
    let registry =
        Proxy::alone(
            move |asked| match (asked.target.as_str(), asked.header("authorization")) {
                ("/secret", _) => Answer::new(200, "x"),
                (_, None) => Answer::new(401, "").with("www-authenticate", "Basic realm=x"),
                _ => Answer::new(307, "").with("location", &format!("http://{host}/x")),
            },
        )
        .unwrap();
    *back.lock().unwrap() = format!("http://{}/secret", registry.host());
    let settings = with_password(&registry.host(), "user", "secret", dir.path());
    let client = Client::new(&settings);
    let repository = repository(&registry.host(), "app");
    let blob = client.open(&repository, Digest::of(b"x"), None).unwrap();
    assert_eq!(read(blob).unwrap(), b"x");
    let asked = registry.asked();
    assert_eq!(asked[2].target, "/secret");
    assert_eq!(asked[2].header("authorization"), None);
}

#[test]
fn answers_on_the_way_leave_their_connection_for_the_next() {
    let Some(stage) = stage() else { return };
    let mut count = 0;
    let proxy = Proxy::start(stage.registry.host(), move |asked| {
        count += 1;
        let answer = |status| Answer::new(status, "some words for people");
        match (count, asked.target.as_str()) {
            (1, _) => Act::Say(answer(429), Delivery::Whole),
            (_, "/v2/app/manifests/a") => {
                Act::Say(answer(307).with("location", "1"), Delivery::Whole)
            }
            _ => Act::Pass,
        }
    })
    .unwrap();
    let client = Client::new(&hasty());
    client.manifest(&named(&proxy.host(), "app:a")).unwrap();
    let error = client.manifest(&named(&proxy.host(), "app:none"));
    assert!(matches!(error, Err(Error::NotThere(_))), "{error:?}");
    let repository = repository(&proxy.host(), "app");
    let (digest, size) = stage.large();
    for _ in 0..3 {
        read(client.open(&repository, digest, Some(size)).unwrap()).unwrap();
    }
    assert_eq!(proxy.asked().len(), 7);
    assert_eq!(proxy.connections(), 1);
}
