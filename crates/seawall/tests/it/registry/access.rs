//! Registries that ask who we are: flags, settings and environment.

use std::{fs, process::Command};

use seawall_testkit::{Authority, Registry, Setup, have, htpasswd, run};

use super::{home, json_of};
use crate::support::{Home, Said, said, shared};

const LOGIN: &str = "user:hunter2 ä";

/// A registry with TLS and a password, and an image in it.
struct Guarded {
    registry: Registry,
    authority: Authority,
    home: Home,
}

fn guarded() -> Option<Guarded> {
    let home = home();
    let authority = Authority::new(home.path(), "tests")?;
    let tls = Some(authority.sign("server", "IP:127.0.0.1", 3)?);
    let auth = Some(htpasswd(home.path(), "user", "hunter2 ä")?);
    let registry = Registry::start(&Setup {
        tls,
        auth,
        ..Setup::default()
    })?;
    let packed = shared("images/alpine-310.tar.gz")?;
    let plain = home.path().join("alpine.tar");
    let unpacked = run(Command::new("gzip").arg("-dc").arg(packed))?;
    fs::write(&plain, unpacked.stdout).unwrap();
    let source = format!("docker-archive:{}", plain.display());
    registry.copy(&source, "lib/alpine:3.10", &["--dest-creds", LOGIN])?;
    Some(Guarded {
        registry,
        authority,
        home,
    })
}

impl Guarded {
    fn scan(&self, target: &str, flags: &[&str], variables: &[(&str, &str)]) -> Said {
        let mut all = vec![
            "scan",
            "--verbose",
            "--no-cache",
            "--packages",
            "--format",
            "json",
        ];
        all.extend(flags);
        all.push(target);
        let mut command = self.home.command(&all);
        command.envs(variables.iter().copied());
        let said = said(&command.output().unwrap());
        for text in [&said.out, &said.err] {
            assert!(!text.contains("hunter2"), "{text}");
        }
        said
    }
}

#[test]
fn a_password_in_a_name_is_shown_nowhere() {
    let home = home();
    for arguments in [
        &["scan", "registry:joe:hunter2@127.0.0.1:1/app"][..],
        &[
            "scan",
            "joe:hunter2@127.0.0.1:1/app",
            "docker:joe:hunter2@127.0.0.1:1/app",
        ],
        &["scan", "--all-tags", "registry:joe:hunter2@127.0.0.1:1/app"],
        &["scan", "--base", "joe:hunter2@127.0.0.1:1/app", "."],
        &["sbom", "https://joe:hunter2@127.0.0.1:1/app"],
    ] {
        let mut command = home.command(arguments);
        command.arg("--verbose");
        let said = said(&command.output().unwrap());
        assert_eq!(said.code, 2, "{arguments:?}: {}", said.err);
        assert!(said.err.contains("…@127.0.0.1:1/app"), "{}", said.err);
        let hint = "credentials do not belong in a name";
        assert!(said.err.contains(hint), "{}", said.err);
        for text in [&said.out, &said.err] {
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}

#[test]
fn a_guarded_registry_is_read_by_whoever_may() {
    let Some(guarded) = guarded() else { return };
    if !have(&["skopeo"]) {
        return;
    }
    let host = guarded.registry.host();
    let target = format!("registry:{host}/lib/alpine:3.10");
    let certificate = guarded.authority.certificate().display().to_string();
    let trust = format!("--registry-ca={host}={certificate}");
    // Loopback is spoken to without TLS until something of TLS is set.
    let plain = guarded.scan(&target, &[], &[]);
    assert_eq!(plain.code, 2, "{}", plain.err);
    let other = guarded.home.path().join("other");
    fs::create_dir(&other).unwrap();
    let stranger = Authority::new(&other, "other").unwrap();
    let stranger = format!("--registry-ca={}", stranger.certificate().display());
    let said = guarded.scan(&target, &[&stranger], &[]);
    assert_eq!(said.code, 2);
    assert!(
        said.err
            .contains("is signed by an authority that is not trusted"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("hint: ") && said.err.contains("--registry-ca"),
        "{}",
        said.err
    );
    let said = guarded.scan(&target, &[&trust], &[]);
    assert_eq!(said.code, 2);
    let none = format!("`{host}` asks for credentials, and there are none for it");
    assert!(said.err.contains(&none), "{}", said.err);
    // A login of another tool, by flag.
    let file = guarded.home.path().join("auth.json");
    let mut login = Command::new("skopeo");
    login.args([
        "login",
        "--tls-verify=false",
        "-u",
        "user",
        "-p",
        "hunter2 ä",
    ]);
    run(login.arg("--authfile").arg(&file).arg(host)).unwrap();
    let auth = format!("--registry-auth={}", file.display());
    let by_flag = guarded.scan(&target, &[&trust, &auth], &[]);
    let report = json_of(&by_flag);
    assert_eq!(report["packages"].as_array().unwrap().len(), 14);
    let whose = format!("note: `{host}` gets the credentials from `auths.{host}` of `");
    assert!(by_flag.err.contains(&whose), "{}", by_flag.err);
    // By environment: for the registry that is named, and for no other.
    let variables = |host| {
        [
            ("SEAWALL_REGISTRY", host),
            ("SEAWALL_REGISTRY_USERNAME", "user"),
            ("SEAWALL_REGISTRY_PASSWORD", "hunter2 ä"),
        ]
    };
    let said = guarded.scan(&target, &[&trust], &variables(host));
    assert_eq!(json_of(&said)["packages"], report["packages"]);
    assert!(
        said.err
            .contains("`SEAWALL_REGISTRY_PASSWORD` in the environment"),
        "{}",
        said.err
    );
    let said = guarded.scan(&target, &[&trust], &variables("example.com"));
    assert!(said.err.contains(&none), "{}", said.err);
    let said = guarded.scan(&target, &[&trust], &variables(host)[1..]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("does not say for which registry"),
        "{}",
        said.err
    );
    // By settings, and through a mirror, whose own credentials count.
    let toml = format!(
        "database.update = \"never\"\n[registries]\nauth = [{file:?}]\n\
         [[registry]]\nhost = \"{host}\"\nca = [{certificate:?}]\n\
         [[registry]]\nhost = \"r.invalid\"\nmirrors = [\"{host}/lib\"]\n"
    );
    fs::write(guarded.home.path().join("seawall.toml"), toml).unwrap();
    for target in [target.as_str(), "registry:r.invalid/alpine:3.10"] {
        let said = guarded.scan(target, &[], &[]);
        assert_eq!(json_of(&said)["packages"], report["packages"], "{target}");
    }
}
