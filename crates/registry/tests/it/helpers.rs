//! Programs that keep credentials.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use seawall_registry::{Credentials, Machine, Reference};
use seawall_testkit::{Answer, Proxy, have, run};

use crate::{
    credentials::of,
    support::{client, machine, said, write_config},
};

/// A machine with a helper on its path that is this shell script.
fn helper(dir: &Path, name: &str, script: &str) -> Machine {
    let path = dir.join(format!("docker-credential-{name}"));
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    Machine::below(dir, &[("HOME", dir), ("PATH", dir)])
}

#[test]
fn helpers_are_asked_as_docker_asks_them() {
    let dir = tempfile::tempdir().unwrap();
    write_config(
        dir.path(),
        r#"{"credsStore": "all", "credHelpers": {"own.io": "own", "none.io": ""},
            "auths": {"none.io": {"auth": "YTpi"}, "all.io": {}}}"#,
    );
    helper(
        dir.path(),
        "own",
        r#"read -r server; echo "{\"ServerURL\":\"$server\",\"Username\":\"<token>\",\"Secret\":\"of $server $1\"}""#,
    );
    let machine = helper(
        dir.path(),
        "all",
        r#"read -r server
case "$server" in
  https://index.docker.io/v1/|https://named.io) echo "{\"Username\":\"me\",\"Secret\":\"of $server\"}";;
  *) echo "credentials not found in native keychain"; exit 1;;
esac"#,
    );
    for (name, expected) in [
        ("own.io/a", Some("identity ?:of own.io get")),
        ("debian", Some("me:of https://index.docker.io/v1/")),
        ("named.io/a", Some("me:of https://named.io")),
        ("none.io/a", Some("a:b")),
        ("all.io/a", None),
    ] {
        assert_eq!(of(&machine, &[], name).as_deref(), expected, "{name}");
    }
}

#[test]
fn helpers_that_fail_are_noted_and_show_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let long = "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done";
    for (script, why) in [
        (
            "echo 'the keychain is locked'; exit 1",
            "fails: the keychain is locked",
        ),
        (
            r#"echo '{"Username":"a","Secret":"hunter2"'; exit 1"#,
            "fails",
        ),
        (
            r#"echo '{"Username":"a","Secret":["hunter2"]}'"#,
            "does not answer as it should",
        ),
        ("echo hunter2", "does not answer as it should"),
        (long, "answers with more than 262144 bytes"),
        ("exec 2>&1; exit 3", "fails"),
    ] {
        let machine = helper(dir.path(), "x", script);
        write_config(dir.path(), r#"{"credsStore": "x"}"#);
        let credentials = Credentials::new(&machine, &[]).unwrap();
        let name: Reference = "r.io/a".parse().unwrap();
        let lookup = credentials.find(name.repository()).unwrap();
        assert_eq!(lookup.found, None);
        let notes = lookup.notes.join("\n");
        assert!(notes.contains(why), "{script}: {notes}");
        assert!(!notes.contains("hunter"), "{notes}");
    }
    // One that is not there: the image may be public all the same.
    write_config(dir.path(), r#"{"credsStore": "gone"}"#);
    let registry =
        Proxy::alone(|_| Answer::new(401, "").with("www-authenticate", "Basic realm=x")).unwrap();
    let name: Reference = format!("{}/a:1", registry.host()).parse().unwrap();
    let text = said(&client(dir.path()).manifest(&name).unwrap_err());
    assert!(
        text.contains("`docker-credential-gone`, which `credsStore` of"),
        "{text}"
    );
    assert!(text.contains("cannot be run"), "{text}");
    // Names that would leave the path.
    for name in ["../x", "a/b", "", "a b", "$(x)"] {
        write_config(
            dir.path(),
            &format!(r#"{{"credHelpers": {{"r.io": "{name}"}}}}"#),
        );
        let credentials = Credentials::new(&machine(dir.path(), &[]), &[]).unwrap();
        let of: Reference = "r.io/a".parse().unwrap();
        match credentials.find(of.repository()) {
            Ok(lookup) => assert!(name.is_empty() && lookup.found.is_none()),
            Err(error) => assert!(said(&error).contains("is no name of a program"), "{error}"),
        }
    }
}

#[test]
fn the_helper_of_pass() {
    if !have(&["docker-credential-pass", "pass", "gpg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (gpg, store) = (dir.path().join("gpg"), dir.path().join("store"));
    fs::create_dir(&gpg).unwrap();
    fs::set_permissions(&gpg, fs::Permissions::from_mode(0o700)).unwrap();
    let with = |program: &str| {
        let mut command = Command::new(program);
        command
            .env("GNUPGHOME", &gpg)
            .env("PASSWORD_STORE_DIR", &store);
        command.env("HOME", dir.path());
        command
    };
    let mut key = with("gpg");
    key.args(["--batch", "--passphrase", "", "--quick-generate-key"]);
    run(key.args(["tests@example.org", "default", "default", "never"])).unwrap();
    run(with("pass").args(["init", "tests@example.org"])).unwrap();
    let words = r#"{"ServerURL":"r.io","Username":"me","Secret":"hunter2 ä"}"#;
    let mut shell = with("sh");
    run(shell.args([
        "-c",
        &format!("echo '{words}' | docker-credential-pass store"),
    ]))
    .unwrap();
    write_config(dir.path(), r#"{"credsStore": "pass"}"#);
    let machine = machine(
        dir.path(),
        &[("GNUPGHOME", &gpg), ("PASSWORD_STORE_DIR", &store)],
    );
    assert_eq!(of(&machine, &[], "r.io/a").as_deref(), Some("me:hunter2 ä"));
    assert_eq!(of(&machine, &[], "other.io/a"), None);
    drop(with("gpgconf").args(["--kill", "gpg-agent"]).status());
}
