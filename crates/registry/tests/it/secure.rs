//! TLS: own authorities, client certificates, and what is said when it does
//! not work.

use std::{fs, path::PathBuf};

use seawall_model::Digest;
use seawall_registry::{Client, Error, Host, Hosts, Identity, Settings};
use seawall_testkit::{Act, Answer, Authority, Proxy, Registry, Setup, htpasswd};
use tempfile::TempDir;

use crate::{
    stage::{hasty, named, repository},
    support::{basic_config, machine, write_config},
};

struct Secure {
    dir: TempDir,
    authority: Authority,
    registry: Registry,
}

/// A registry with a certificate for `names` that is good for `days`.
fn secure(names: &str, days: i32, setup: Setup) -> Option<Secure> {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new(dir.path(), "tests")?;
    let tls = authority.sign("server", names, days)?;
    let tls = Some(tls);
    let registry = Registry::start(&Setup { tls, ..setup })?;
    Some(Secure {
        dir,
        authority,
        registry,
    })
}

fn with(host: &str, set: Host) -> Settings {
    let mut hosts = Hosts::default();
    hosts.set(host, set);
    Settings { hosts, ..hasty() }
}

impl Secure {
    /// What is set for the registry, with its authority.
    fn trusting(&self) -> Host {
        Host {
            authorities: vec![self.authority.certificate()],
            ..Host::default()
        }
    }

    fn push_and_pull(&self, set: Host) -> Result<Vec<u8>, Error> {
        let client = Client::new(&with(self.registry.host(), set));
        let repository = repository(self.registry.host(), "app");
        client.push_manifest(&repository, Some("1"), INDEX, EMPTY)?;
        Ok(client.manifest(&repository.tagged("1").unwrap())?.bytes)
    }
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const EMPTY: &[u8] =
    br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

#[test]
fn an_authority_of_ones_own_is_believed_for_its_registry() {
    let Some(secure) = secure("IP:127.0.0.1", 30, Setup::default()) else {
        return;
    };
    assert_eq!(secure.push_and_pull(secure.trusting()).unwrap(), EMPTY);
    // One authority for another.
    let dir = tempfile::tempdir().unwrap();
    let other = Authority::new(dir.path(), "other").unwrap();
    let error = secure
        .push_and_pull(Host {
            authorities: vec![other.certificate()],
            ..Host::default()
        })
        .unwrap_err();
    let Error::Tls { reason, .. } = &error else {
        unreachable!("{error:?}")
    };
    assert!(reason.contains("not trusted"), "{reason}");
    assert!(error.hint().unwrap().contains("PEM"), "{error}");
}

#[test]
fn what_is_wrong_with_a_certificate_is_named() {
    for (names, days, part) in [
        ("DNS:other.example", 30, "is for another name"),
        ("IP:127.0.0.2", 30, "is for another name"),
        ("IP:127.0.0.1", 0, "has expired"),
    ] {
        let Some(secure) = secure(names, days, Setup::default()) else {
            return;
        };
        if days == 0 {
            std::thread::sleep(std::time::Duration::from_millis(1100));
        }
        let error = secure.push_and_pull(secure.trusting()).unwrap_err();
        assert!(matches!(error, Error::Tls { .. }), "{error:?}");
        assert!(error.to_string().contains(part), "{names}: {error}");
        assert!(
            error.to_string().contains(secure.registry.host()),
            "{error}"
        );
    }
}

#[test]
fn a_registry_without_tls_is_told_from_a_bad_certificate() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new(dir.path(), "tests").unwrap();
    let set = Host {
        authorities: vec![authority.certificate()],
        ..Host::default()
    };
    let client = Client::new(&with(registry.host(), set.clone()));
    let error = client
        .manifest(&named(registry.host(), "app:1"))
        .unwrap_err();
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
    assert!(error.hint().unwrap().contains("plain HTTP"), "{error}");
    // Asked for, it is spoken to without.
    let set = Host {
        plain_http: true,
        ..set
    };
    let client = Client::new(&with(registry.host(), set));
    let error = client
        .manifest(&named(registry.host(), "app:1"))
        .unwrap_err();
    assert!(matches!(error, Error::NotThere(_)), "{error:?}");
}

#[test]
fn a_registry_with_tls_says_so_to_whoever_comes_without() {
    let Some(secure) = secure("IP:127.0.0.1", 30, Setup::default()) else {
        return;
    };
    let error = secure.push_and_pull(Host::default()).unwrap_err();
    assert!(error.to_string().contains("HTTPS server"), "{error}");
}

#[test]
fn a_client_certificate_opens_a_registry_that_asks_for_one() {
    let dir = tempfile::tempdir().unwrap();
    let Some(people) = Authority::new(dir.path(), "people") else {
        return;
    };
    let Some(secure) = secure(
        "IP:127.0.0.1",
        30,
        Setup {
            client_authority: Some(people.certificate()),
            ..Setup::default()
        },
    ) else {
        return;
    };
    let error = secure.push_and_pull(secure.trusting()).unwrap_err();
    assert!(error.to_string().contains("client certificate"), "{error}");
    assert!(
        error.hint().unwrap().contains("client certificate"),
        "{error}"
    );
    let (certificate, key) = people.sign("me", "DNS:me", 30).unwrap();
    let identity = Some(Identity { certificate, key });
    let set = Host {
        identity: identity.clone(),
        ..secure.trusting()
    };
    assert_eq!(secure.push_and_pull(set).unwrap(), EMPTY);
    // Signed by nobody that the registry knows.
    let (certificate, key) = secure.authority.sign("stranger", "DNS:x", 30).unwrap();
    let set = Host {
        identity: Some(Identity { certificate, key }),
        ..secure.trusting()
    };
    let error = secure.push_and_pull(set).unwrap_err();
    assert!(error.to_string().contains("client certificate"), "{error}");
}

#[test]
fn files_that_do_not_fit_are_named() {
    let Some(secure) = secure("IP:127.0.0.1", 30, Setup::default()) else {
        return;
    };
    let path = |name: &str| secure.dir.path().join(name);
    fs::write(path("empty.pem"), "").unwrap();
    fs::write(
        path("text.pem"),
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let authority = |path: PathBuf| Host {
        authorities: vec![path],
        ..Host::default()
    };
    let (one, one_key) = secure.authority.sign("one", "DNS:one", 30).unwrap();
    let (_, other_key) = secure.authority.sign("two", "DNS:two", 30).unwrap();
    let identity = |certificate: &PathBuf, key: &PathBuf| Host {
        identity: Some(Identity {
            certificate: certificate.clone(),
            key: key.clone(),
        }),
        ..secure.trusting()
    };
    let mut encrypt = std::process::Command::new("openssl");
    encrypt.args(["pkey", "-aes128", "-passout", "pass:x", "-in"]);
    encrypt.arg(&one_key).arg("-out").arg(path("locked.key"));
    seawall_testkit::run(&mut encrypt).unwrap();
    for (set, part) in [
        (authority(path("nothing.pem")), "No such file"),
        (authority(secure.dir.path().to_owned()), "it is no file"),
        (authority(path("empty.pem")), "no certificate in it"),
        (authority(path("text.pem")), "text.pem"),
        (authority(one_key.clone()), "no certificate in it"),
        (identity(&one, &other_key), "it is not the key of"),
        (identity(&one, &one), "no private key in it"),
        (identity(&one, &path("locked.key")), "encrypted"),
        (identity(&one_key, &one_key), "no certificate in it"),
        (identity(&one, &path("nothing.key")), "No such file"),
    ] {
        let error = secure.push_and_pull(set).unwrap_err();
        assert!(matches!(error, Error::Certificate { .. }), "{error:?}");
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

/// A registry with TLS and a password that sends its clients to a store
/// without TLS: they do not go there, and the store hears nothing.
#[test]
fn tls_is_not_given_up_on_the_way_to_a_blob() {
    let store = Proxy::alone(|_| Answer::new(200, "blob")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let Some(auth) = htpasswd(dir.path(), "user", "secret") else {
        return;
    };
    let Some(secure) = secure(
        "IP:127.0.0.1",
        30,
        Setup {
            auth: Some(auth),
            redirect_to: Some(format!("http://{}/store", store.host())),
            ..Setup::default()
        },
    ) else {
        return;
    };
    let host = secure.registry.host();
    write_config(dir.path(), &basic_config(host, "user", "secret"));
    let credentials = seawall_registry::Credentials::new(&machine(dir.path(), &[]), &[]).unwrap();
    let settings = Settings {
        credentials: credentials.into(),
        ..with(host, secure.trusting())
    };
    let client = Client::new(&settings);
    let repository = repository(host, "app");
    let digest = client.push_blob(&repository, b"blob").unwrap();
    let error = client.open(&repository, digest, Some(4)).unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error:?}");
    assert!(error.to_string().contains("gives TLS up"), "{error}");
    assert_eq!(store.asked(), []);
}

/// The same without TLS: the real registry's redirect is followed, without the
/// password.
#[test]
fn a_real_registrys_redirect_gets_no_password() {
    let store = Proxy::alone(|_| Answer::new(200, "blob")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let Some(auth) = htpasswd(dir.path(), "user", "secret") else {
        return;
    };
    let Some(registry) = Registry::start(&Setup {
        auth: Some(auth),
        redirect_to: Some(format!("http://{}/store", store.host())),
        ..Setup::default()
    }) else {
        return;
    };
    let proxy = Proxy::start(registry.host(), |_| Act::Pass).unwrap();
    let settings = crate::stage::with_password(&proxy.host(), "user", "secret", dir.path());
    let client = Client::new(&settings);
    let repository = repository(&proxy.host(), "app");
    let digest = client.push_blob(&repository, b"blob").unwrap();
    let blob = client.open(&repository, digest, Some(4)).unwrap();
    assert_eq!(Digest::of(&crate::stage::read(blob).unwrap()), digest);
    let asked = proxy.asked();
    assert!(
        asked
            .iter()
            .any(|asked| asked.header("authorization").is_some())
    );
    let [asked] = &store.asked()[..] else {
        unreachable!("{:?}", store.asked())
    };
    assert!(asked.target.ends_with("/data"), "{}", asked.target);
    assert_eq!(asked.header("authorization"), None);
}
