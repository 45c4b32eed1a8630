//! Proxies, as the environment names them: in a process of its own, because
//! the environment belongs to all tests.

use std::{env, process::Command};

use seawall_model::Digest;
use seawall_registry::{Client, Host, Settings};
use seawall_testkit::{Answer, Proxy};

use crate::{
    stage::{hasty, named, repository},
    support::said,
};

/// What the child asks for.
const NAME: &str = "SEAWALL_TEST_ASKS";

/// What the other child asks for.
const PLAIN: &str = "SEAWALL_TEST_ASKS_PLAINLY";

/// Does nothing unless it is the child: asks for a manifest without TLS, and
/// prints what comes of it.
#[test]
fn plain_child() {
    let Ok(host) = env::var(PLAIN) else { return };
    let mut settings = Settings {
        tries: 0,
        ..hasty()
    };
    let plain_http = true;
    settings.hosts.set(
        &host,
        Host {
            plain_http,
            ..Host::default()
        },
    );
    let got = Client::new(&settings).manifest(&named(&host, "app:1"));
    match got {
        Ok(manifest) => println!("got {} bytes", manifest.bytes.len()),
        Err(error) => println!("{}", said(&error)),
    }
}

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
    run_child("proxies::child", (NAME, host), variables);
}

/// Runs a test in a process with these variables, and gives what it prints.
fn run_child(test: &str, (name, host): (&str, &str), variables: &[(&str, &str)]) -> String {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env(name, host);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        child.env_remove(name).env_remove(name.to_lowercase());
    }
    child.envs(variables.iter().copied());
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
    text
}

#[test]
fn where_a_registry_leads_is_reached_through_a_proxy_on_this_machine() {
    const BODY: &str = r#"{"schemaVersion":2,"layers":[]}"#;
    let form = "application/vnd.oci.image.manifest.v1+json";
    // A tunnel ends at the proxy itself, which answers as everybody.
    let proxy = Proxy::alone(
        move |asked| match asked.header("host").unwrap_or_default() {
            _ if asked.method == "CONNECT" && asked.target.ends_with(":443") => {
                Answer::new(502, "")
            }
            _ if asked.method == "CONNECT" => Answer::new(200, ""),
            "registry.invalid" => Answer::new(307, "").with("location", "http://cdn.invalid/x"),
            "cdn.invalid" => Answer::new(200, BODY).with("content-type", form),
            "link.invalid" => Answer::new(307, "").with("location", "http://169.254.169.254/x"),
            "odd.invalid" => Answer::new(307, "").with("location", "http://0xa9fea9fe/x"),
            "here.invalid" => Answer::new(307, "").with("location", "http://127.0.0.1:1/x"),
            "tokens.invalid" => Answer::new(401, "").with(
                "www-authenticate",
                "Bearer realm=\"https://auth.invalid/token\"",
            ),
            "metadata.invalid" => Answer::new(401, "").with(
                "www-authenticate",
                "Bearer realm=\"https://169.254.169.254/token\"",
            ),
            other => Answer::new(500, other),
        },
    )
    .unwrap();
    let address = format!("http://{}", proxy.host());
    // Its own host is exempt in most environments.
    for exempt in ["", "localhost,127.0.0.1"] {
        let variables = [("ALL_PROXY", address.as_str()), ("NO_PROXY", exempt)];
        let said = |host| run_child("proxies::plain_child", (PLAIN, host), &variables);
        let expected = format!("got {} bytes", BODY.len());
        let text = said("registry.invalid");
        assert!(text.contains(&expected), "{text}");
        let text = said("tokens.invalid");
        assert!(text.contains("auth.invalid/token"), "{text}");
        for host in [
            "link.invalid",
            "odd.invalid",
            "here.invalid",
            "metadata.invalid",
        ] {
            let text = said(host);
            assert!(text.contains("which only this machine"), "{text}");
        }
    }
    let asked = proxy.asked().into_iter();
    let mut tunnels: Vec<_> = asked
        .filter(|asked| asked.method == "CONNECT")
        .map(|asked| asked.target)
        .collect();
    tunnels.sort();
    tunnels.dedup();
    let expected = [
        "auth.invalid:443",
        "cdn.invalid:80",
        "here.invalid:80",
        "link.invalid:80",
        "metadata.invalid:80",
        "odd.invalid:80",
        "registry.invalid:80",
        "tokens.invalid:80",
    ];
    assert_eq!(tunnels, expected);
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
