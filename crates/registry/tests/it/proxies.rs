//! Proxies, as the environment names them: in a process of its own, because
//! the environment belongs to all tests.

use std::{env, process::Command};

use seawall_model::Digest;
use seawall_registry::{Client, Settings};
use seawall_testkit::{Answer, Proxy};

use crate::{
    stage::{hasty, named, repository},
    support::said,
};

/// What the child asks for.
const NAME: &str = "SEAWALL_TEST_ASKS";

/// Does nothing unless it is the child.
#[test]
fn child() {
    let Ok(host) = env::var(NAME) else { return };
    let client = Client::new(&Settings {
        tries: 0,
        ..hasty()
    });
    let error = client.manifest(&named(&host, "app:1")).unwrap_err();
    assert!(said(&error).contains("cannot fetch"), "{}", said(&error));
    let error = client.open(&repository(&host, "app"), Digest::of(b""), None);
    assert!(error.is_err());
}

/// Asks for something of `host` in a process with these variables.
fn ask(host: &str, variables: &[(&str, &str)]) {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "proxies::child"]).env(NAME, host);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        child.env_remove(name).env_remove(name.to_lowercase());
    }
    child.envs(variables.iter().copied());
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}

#[test]
fn a_registry_is_asked_for_through_the_proxy_and_this_machine_is_not() {
    let proxy = Proxy::alone(|_| Answer::new(502, "")).unwrap();
    let address = format!("http://{}", proxy.host());
    ask("registry.invalid", &[("HTTPS_PROXY", &address)]);
    let asked = proxy.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    for asked in asked {
        assert_eq!(asked.method, "CONNECT");
        assert_eq!(asked.target, "registry.invalid:443");
    }
    // Exempt, by its name and because it is here.
    let variables = [
        ("HTTPS_PROXY", address.as_str()),
        ("NO_PROXY", "registry.invalid"),
    ];
    ask("registry.invalid", &variables);
    let server = Proxy::alone(|_| Answer::new(500, "")).unwrap();
    let all = [("ALL_PROXY", address.as_str())];
    let mut child = Command::new(env::current_exe().unwrap());
    child
        .args(["--exact", "proxies::child"])
        .env(NAME, server.host());
    child.envs(all);
    child.output().unwrap();
    assert_eq!(server.asked().len(), 1);
    assert_eq!(proxy.asked().len(), 2);
}
