//! Hostile registries and token servers: nothing goes where it does not belong.

use std::{path::Path, thread};

use seawall_registry::{Client, Reference};
use seawall_testkit::{Act, Answer, Asked, Delivery, Proxy};

use crate::support::{basic_config, client, said, write_config};

/// A registry that answers everything with 401 and this challenge.
fn registry(challenge: &str) -> Proxy {
    let challenge = challenge.to_owned();
    Proxy::alone(move |_| Answer::new(401, "{}").with("www-authenticate", &challenge)).unwrap()
}

fn ask(client: &Client, host: &str) -> String {
    let name: Reference = format!("{host}/app:1").parse().unwrap();
    said(&client.manifest(&name).unwrap_err())
}

/// A client that knows a password for `host`, and one that knows none.
fn clients(dir: &Path, host: &str) -> [Client; 2] {
    write_config(dir, &basic_config(host, "user", "hunter2"));
    [client(dir), client(&dir.join("nobody"))]
}

fn is_clean(asked: &[Asked]) -> bool {
    // `dXNlcjpodW50ZXIy` is `user:hunter2`.
    !format!("{asked:?}").contains("hunter2") && !format!("{asked:?}").contains("dXNlcjpodW50ZXIy")
}

#[test]
fn a_realm_elsewhere_gets_no_credentials() {
    let dir = tempfile::tempdir().unwrap();
    let other = Proxy::alone(|_| Answer::new(200, r#"{"token": "x"}"#)).unwrap();
    for (realm, with_password, without) in [
        (
            "https://tokens.invalid/x",
            "belongs to another host",
            "cannot fetch",
        ),
        ("http://tokens.invalid/x", "not encrypted", "not encrypted"),
        (
            "ftp://127.0.0.1/x",
            "neither `http:` nor `https:`",
            "neither `http:`",
        ),
        (
            "https://user:pw@127.0.0.1/x",
            "a user or a password in it",
            "a user or",
        ),
        ("/token", "is no address", "is no address"),
        (
            "file:///etc/passwd",
            "neither `http:` nor `https:`",
            "neither `http:`",
        ),
    ] {
        let registry = registry(&format!("Bearer realm=\"{realm}\",service=\"x\""));
        let [known, unknown] = clients(dir.path(), &registry.host());
        let text = ask(&known, &registry.host());
        assert!(text.contains(with_password), "{realm}: {text}");
        let text = ask(&unknown, &registry.host());
        assert!(text.contains(without), "{realm}: {text}");
        assert!(is_clean(&registry.asked()));
    }
    assert_eq!(other.asked().len(), 0);
}

#[test]
fn the_credentials_of_another_registry_stay_where_they_are() {
    let dir = tempfile::tempdir().unwrap();
    // Both on this machine, and both believe to be asked by the other's name.
    let victim = Proxy::alone(|_| Answer::new(200, r#"{"token": "x"}"#)).unwrap();
    let challenge = format!(
        "Bearer realm=\"http://{}/token\",service=\"{}\",scope=\"repository:app:pull\"",
        victim.host(),
        victim.host()
    );
    let evil = registry(&challenge);
    write_config(dir.path(), &basic_config(&victim.host(), "user", "hunter2"));
    let text = ask(&client(dir.path()), &evil.host());
    assert!(
        text.contains("is refused with status 401 without credentials"),
        "{text}"
    );
    assert_eq!(victim.asked().len(), 1);
    assert!(is_clean(&victim.asked()));
    assert!(is_clean(&evil.asked()));
    let basic = registry("Basic realm=\"victim\"");
    let text = ask(&client(dir.path()), &basic.host());
    assert!(text.contains("there are none for it"), "{text}");
    assert!(is_clean(&basic.asked()));
}

#[test]
fn no_more_is_asked_for_than_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = Proxy::alone(|_| Answer::new(200, r#"{"token": "x"}"#)).unwrap();
    let challenge = format!(
        "Bearer realm=\"http://{}/token?a=b\",scope=\"repository:app:pull,push,delete registry:catalog:*\"",
        tokens.host()
    );
    let registry = registry(&challenge);
    write_config(
        dir.path(),
        &basic_config(&registry.host(), "user", "hunter2"),
    );
    ask(&client(dir.path()), &registry.host());
    let asked = tokens.asked();
    assert!(!asked.is_empty());
    for asked in asked {
        assert_eq!(
            asked.target,
            "/token?a=b&scope=repository%3Aapp%3Apull&account=user"
        );
    }
}

#[test]
fn damaged_challenges_and_unknown_schemes_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (challenge, why) in [
        ("Bearer realm=\"x", "asks for credentials in a damaged way"),
        (
            "Negotiate, Digest realm=\"x\"",
            "asks for `negotiate` or `digest`",
        ),
        ("Bearer service=\"x\"", "`bearer` without a realm"),
    ] {
        let registry = registry(challenge);
        for client in clients(dir.path(), &registry.host()) {
            let text = ask(&client, &registry.host());
            assert!(text.contains(why), "{challenge}: {text}");
        }
        assert!(is_clean(&registry.asked()));
    }
}

#[test]
fn token_servers_that_answer_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let endless = || Act::Say(Answer::new(200, " ".repeat(4096)), Delivery::Endless);
    let say = |answer: Answer| Act::Say(answer, Delivery::Whole);
    let answers: [(&str, Act, &str); 8] = [
        ("endless", endless(), "is over the limit of 262144"),
        (
            "no JSON",
            say(Answer::new(200, "<html>hunter2")),
            "is no token in JSON",
        ),
        (
            "no token",
            say(Answer::new(200, "{}")),
            "neither `token` nor",
        ),
        (
            "a header",
            say(Answer::new(200, r#"{"token": "a\r\nX-Y: z"}"#)),
            "strange characters",
        ),
        (
            "a redirect",
            say(Answer::new(307, "").with("location", "https://elsewhere.invalid/")),
            "refuses with status 307",
        ),
        (
            "a refusal",
            say(Answer::new(403, "hunter2")),
            "refuses with status 403",
        ),
        (
            "cut",
            Act::Say(Answer::new(200, r#"{"token": "x"}"#), Delivery::Cut(5)),
            "cannot fetch",
        ),
        ("nothing", Act::Hang, "cannot fetch"),
    ];
    for (what, act, why) in answers {
        let tokens = Proxy::start("127.0.0.1:0", move |_| act.clone()).unwrap();
        let registry = registry(&format!("Bearer realm=\"http://{}/\"", tokens.host()));
        let [known, _] = clients(dir.path(), &registry.host());
        let text = ask(&known, &registry.host());
        assert!(text.contains(why), "{what}: {text}");
        assert!(!text.contains("hunter2"), "{what}: {text}");
    }
}

#[test]
fn many_threads_fail_with_one_question() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = Proxy::alone(|_| {
        thread::sleep(std::time::Duration::from_millis(300));
        Answer::new(403, "")
    })
    .unwrap();
    let registry = registry(&format!("Bearer realm=\"http://{}/\"", tokens.host()));
    let [known, _] = clients(dir.path(), &registry.host());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(ask(&known, &registry.host()).contains("status 403")));
        }
    });
    assert!(tokens.asked().len() < 8, "{}", tokens.asked().len());
}

#[test]
fn an_old_token_server_is_asked_in_the_old_way_and_a_new_one_in_the_new() {
    let dir = tempfile::tempdir().unwrap();
    for (credential, first, second) in [
        (
            r#""username": "user", "password": "hunter2""#,
            "GET",
            "POST",
        ),
        (
            r#""username": "user", "password": "x", "identitytoken": "hunter2""#,
            "POST",
            "GET",
        ),
    ] {
        let tokens = Proxy::alone(move |asked| match asked.method == first {
            true => Answer::new(405, ""),
            false => Answer::new(200, r#"{"access_token": "x"}"#),
        })
        .unwrap();
        let registry = registry(&format!("Bearer realm=\"http://{}/\"", tokens.host()));
        let host = registry.host();
        let config = format!(r#"{{"auths": {{"{host}": {{{credential}}}}}}}"#);
        write_config(dir.path(), &config);
        ask(&client(dir.path()), &host);
        let asked = tokens.asked();
        let methods: Vec<&str> = asked.iter().map(|asked| asked.method.as_str()).collect();
        assert_eq!(methods[..2], [first, second]);
        assert!(registry.asked()[1].header("authorization") == Some("Bearer x"));
    }
}

#[test]
fn a_registry_on_this_machine_does_not_lead_to_its_link() {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry("Bearer realm=\"https://169.254.169.254/latest/meta-data\"");
    let text = ask(&client(dir.path()), &registry.host());
    assert!(
        text.contains("it leads to 169.254.169.254, which only this machine"),
        "{text}"
    );
}
