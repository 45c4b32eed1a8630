//! Servers for tests: they serve, and misbehave as they are told to.

use std::{process::Command, time::Duration};

use seawall_testkit::{
    Act, Answer, Authority, Delivery, Latency, Proxy, Registry, Setup, htpasswd, request, run,
};

/// The answer to one request.
fn get(host: &str, target: &str, extra: &str) -> String {
    request(host, "GET", target, extra)
}

#[test]
fn registries_start_and_count_what_they_are_asked() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let answer = get(registry.host(), "/v2/", "");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(registry.asked("GET /v2/ "), 1);
    let Some(registry) = Registry::start_oci() else {
        return;
    };
    let answer = get(registry.host(), "/v2/", "");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_registry_asks_for_the_password_of_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let Some(auth) = htpasswd(dir.path(), "user", "secret") else {
        return;
    };
    let setup = Setup {
        auth: Some(auth),
        ..Setup::default()
    };
    let Some(registry) = Registry::start(&setup) else {
        return;
    };
    let answer = get(registry.host(), "/v2/", "");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let header = "Authorization: Basic dXNlcjpzZWNyZXQ=\r\n";
    let answer = get(registry.host(), "/v2/", header);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_registry_with_a_certificate_speaks_tls() {
    let dir = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(dir.path(), "test") else {
        return;
    };
    let tls = authority.sign("server", "IP:127.0.0.1", 30);
    let Some(registry) = Registry::start(&Setup {
        tls,
        ..Setup::default()
    }) else {
        return;
    };
    // OpenSSL's own client holds the certificate against the authority.
    let mut client = Command::new("openssl");
    client
        .args([
            "s_client",
            "-brief",
            "-verify_return_error",
            "-verify_ip",
            "127.0.0.1",
        ])
        .args(["-connect", registry.host(), "-CAfile"])
        .arg(authority.certificate());
    assert!(run(&mut client).is_some());
}

#[test]
fn a_proxy_passes_edits_and_breaks() {
    let origin = Proxy::alone(|_| Answer::new(200, "0123456789")).unwrap();
    let proxy = Proxy::start(&origin.host(), |asked| match asked.target.as_str() {
        "/pass" => Act::Pass,
        "/cut" => Act::Deliver(Delivery::Cut(4)),
        "/edit" => Act::Edit(|answer| Answer::new(201, answer.body).with("x-y", "z")),
        _ => Act::Hang,
    })
    .unwrap();
    let host = proxy.host();
    assert!(get(&host, "/pass", "").ends_with("content-length: 10\r\n\r\n0123456789"));
    assert!(get(&host, "/cut", "").ends_with("content-length: 10\r\n\r\n0123"));
    let edited = get(&host, "/edit", "");
    assert!(edited.starts_with("HTTP/1.1 201"), "{edited}");
    assert!(edited.contains("x-y: z"), "{edited}");
    assert_eq!(get(&host, "/hang", "X-Mine: 1\r\n"), "");
    let asked = proxy.asked();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[3].header("x-mine"), Some("1"));
    assert_eq!(proxy.connections(), 4);
}

#[test]
fn latency_delays_but_changes_nothing() {
    let origin = Proxy::alone(|_| Answer::new(200, vec![b'x'; 1 << 20])).unwrap();
    let way = Latency::start(&origin.host(), Duration::from_millis(1)).unwrap();
    let answer = get(&way.host(), "/", "");
    assert!(answer.ends_with(&"x".repeat(1 << 20)));
    assert_eq!(way.received(), answer.len() as u64);
}
