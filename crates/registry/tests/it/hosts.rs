//! What the files of Docker, Podman and containerd say of registries.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use seawall_registry::{Client, Host, Hosts, HostsError, Machine, Reference, Settings, Way};
use seawall_testkit::{Authority, Registry, Setup, have, run};

use crate::support::{push, said};

struct Root(tempfile::TempDir);

impl Root {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Root(dir)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn machine(&self) -> Machine {
        Machine::below(self.0.path(), &[("HOME", &self.path("home"))])
    }

    fn hosts(&self) -> Hosts {
        Hosts::of_machine(&self.machine())
    }
}

fn ways(hosts: &Hosts, name: &str) -> Result<Vec<Way>, HostsError> {
    let name: Reference = name.parse().unwrap();
    hosts.ways(name.repository())
}

fn names(hosts: &Hosts, name: &str) -> Vec<String> {
    let ways = ways(hosts, name).unwrap();
    ways.iter().map(|way| way.repository.to_string()).collect()
}

#[test]
fn registries_conf_of_podman() {
    // The manual page's own examples, and what it says in words.
    let root = Root::new(&[
        (
            "etc/containers/registries.conf",
            r#"
unqualified-search-registries = ["example.com"]
[[registry]]
prefix = "example.com/foo"
insecure = false
blocked = false
location = "internal-registry-for-example.com/bar"
[[registry.mirror]]
location = "example-mirror-0.local/mirror-for-foo"
[[registry.mirror]]
location = "example-mirror-1.local/mirrors/foo"
insecure = true
[[registry.mirror]]
location = "digests.local/foo"
pull-from-mirror = "digest-only"
[[registry]]
prefix = "example.com/foo/deep"
blocked = true
[[registry]]
prefix = "*.example.org"
[[registry.mirror]]
location = "all.local"
[[registry]]
location = "registry.com"
insecure = true
"#,
        ),
        (
            "etc/containers/registries.conf.d/10.conf",
            "[[registry]]\nlocation = \"late.com\"\n[[registry.mirror]]\nlocation = \"first.local\"\n",
        ),
        (
            "etc/containers/registries.conf.d/20.conf",
            "[[registry]]\nlocation = \"late.com\"\n[[registry.mirror]]\nlocation = \"second.local\"\n",
        ),
        ("etc/containers/registries.conf.d/30.txt", "not toml ["),
    ]);
    let hosts = root.hosts();
    // The mirror without TLS is not asked for us.
    let expected = [
        "example-mirror-0.local/mirror-for-foo/image",
        "internal-registry-for-example.com/bar/image",
    ];
    assert_eq!(names(&hosts, "example.com/foo/image:latest"), expected);
    assert_eq!(names(&hosts, "example.com/foobar"), ["example.com/foobar"]);
    assert_eq!(
        names(&hosts, "a.example.org/x"),
        ["all.local/x", "a.example.org/x"]
    );
    assert_eq!(names(&hosts, "example.org/x"), ["example.org/x"]);
    assert_eq!(
        names(&hosts, "late.com/x"),
        ["second.local/x", "late.com/x"]
    );
    let error = ways(&hosts, "example.com/foo/deep/x")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("`example.com/foo/deep/x` is blocked by `example.com/foo/deep` in `"),
        "{error}"
    );
    assert!(
        error.ends_with("/etc/containers/registries.conf`"),
        "{error}"
    );
    // What others may do is known, and nothing more.
    assert!(!hosts.of("registry.com").plain_http);
    let file = root.path("etc/containers/registries.conf");
    assert_eq!(hosts.insecure_for_others("registry.com"), Some(file));
    assert_eq!(hosts.insecure_for_others("late.com"), None);
    // Where the user says so, the mirror without TLS is asked too.
    let mut hosts = root.hosts();
    let plain_http = true;
    hosts.set(
        "example-mirror-1.local",
        Host {
            plain_http,
            ..Host::default()
        },
    );
    assert_eq!(names(&hosts, "example.com/foo/a").len(), 3);
    // The user's own settings stand before all.
    hosts.set(
        "example.com",
        Host {
            mirrors: vec!["own.local/x".to_owned()],
            ..Host::default()
        },
    );
    let expected = [
        "own.local/x/foo/a",
        "internal-registry-for-example.com/bar/a",
    ];
    assert_eq!(names(&hosts, "example.com/foo/a"), expected);
}

#[test]
fn skopeo_goes_the_same_way() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let Some(_) = push(&registry, "mirrors/team/app:1", None) else {
        return;
    };
    if !have(&["skopeo"]) {
        return;
    }
    let host = registry.host();
    let text = format!(
        "[[registry]]\nprefix = \"example.invalid/team\"\nlocation = \"example.invalid/other\"\n\
         [[registry.mirror]]\nlocation = \"{host}/mirrors/team\"\ninsecure = true\n"
    );
    let root = Root::new(&[("r.conf", &text)]);
    let file = root.path("r.conf");
    let mut inspect = Command::new("skopeo");
    inspect.arg("--registries-conf").arg(&file);
    inspect.args(["inspect", "--raw", "docker://example.invalid/team/app:1"]);
    run(&mut inspect).unwrap();
    assert_eq!(registry.asked("GET /v2/mirrors/team/app/manifests/1"), 1);
    let variables: [(&str, &Path); 1] = [("CONTAINERS_REGISTRIES_CONF", &file)];
    let hosts = Hosts::of_machine(&Machine::below(&root.path(""), &variables));
    let expected = [
        format!("{host}/mirrors/team/app"),
        "example.invalid/other/app".to_owned(),
    ];
    assert_eq!(names(&hosts, "example.invalid/team/app:1"), expected);
}

#[test]
fn the_daemon_and_containerd_have_mirrors_too() {
    // The examples of Docker's and containerd's documentation.
    let daemon = r#"{"registry-mirrors": ["https://mirror.gcr.io/", "http://plain.local:5000"],
        "insecure-registries": ["10.0.0.1:5000"], "log-driver": "json-file"}"#;
    let hosts_toml = r#"
server = "https://registry-1.docker.io"
ca = "own.pem"
[host."https://public-mirror.example.com"]
  capabilities = ["pull", "resolve"]
[host."https://docker-mirror.internal"]
  capabilities = ["pull", "resolve"]
  ca = "docker-mirror.crt"
[host."https://a-last.example.com"]
  capabilities = ["pull"]
[host."https://b-strange.example.com/v2/other"]
  override_path = true
"#;
    let root = Root::new(&[("etc/docker/daemon.json", daemon)]);
    let hosts = root.hosts();
    let expected = ["mirror.gcr.io/library/debian", "docker.io/library/debian"];
    assert_eq!(names(&hosts, "debian:12"), expected);
    assert_eq!(names(&hosts, "quay.io/a"), ["quay.io/a"]);
    assert!(hosts.insecure_for_others("10.0.0.1:5000").is_some());
    let root = Root::new(&[
        ("etc/docker/daemon.json", daemon),
        ("etc/containerd/certs.d/docker.io/hosts.toml", hosts_toml),
        (
            "etc/containerd/certs.d/r.io_5000_/hosts.toml",
            "[host.\"https://m.io\"]\n",
        ),
        (
            "etc/containerd/certs.d/_default/hosts.toml",
            "[host.\"https://all.io\"]\n",
        ),
    ]);
    let hosts = root.hosts();
    let expected = [
        "public-mirror.example.com/library/debian",
        "docker-mirror.internal/library/debian",
        "docker.io/library/debian",
    ];
    assert_eq!(names(&hosts, "debian:12"), expected);
    assert_eq!(names(&hosts, "r.io:5000/a"), ["m.io/a", "r.io:5000/a"]);
    assert_eq!(names(&hosts, "quay.io/a"), ["quay.io/a"]);
    let own = root.path("etc/containerd/certs.d/docker.io/own.pem");
    assert_eq!(hosts.of("docker.io").authorities, [own]);
}

#[test]
fn folders_of_certificates() {
    let root = Root::new(&[
        ("etc/docker/certs.d/r.io:5000/ca.crt", ""),
        ("etc/docker/certs.d/r.io:5000/client.cert", ""),
        ("etc/docker/certs.d/r.io:5000/client.key", ""),
        ("etc/containers/certs.d/r.io:5000/other.crt", ""),
        ("etc/containers/certs.d/r.io:5000/lone.cert", ""),
        ("home/.config/containers/certs.d/r.io:5000/a.cert", ""),
        ("home/.config/containers/certs.d/r.io:5000/a.key", ""),
        (
            "etc/containerd/certs.d/c.io/hosts.toml",
            "client = [[\"/c.cert\", \"k/c.key\"]]\n",
        ),
        (
            "etc/containerd/certs.d/d.io/hosts.toml",
            "client = \"d.pem\"\nca = [\"x\", \"y\"]\n",
        ),
        ("etc/secret.crt", ""),
    ]);
    let hosts = root.hosts();
    let host = hosts.of("r.io:5000");
    let paths = |paths: &[&str]| paths.iter().map(|path| root.path(path)).collect::<Vec<_>>();
    let expected = paths(&[
        "etc/containers/certs.d/r.io:5000/other.crt",
        "etc/docker/certs.d/r.io:5000/ca.crt",
    ]);
    assert_eq!(host.authorities, expected);
    let identity = host.identity.unwrap();
    let folder = root.path("home/.config/containers/certs.d/r.io:5000");
    assert_eq!(
        (identity.certificate, identity.key),
        (folder.join("a.cert"), folder.join("a.key"))
    );
    let identity = hosts.of("c.io").identity.unwrap();
    assert_eq!(identity.certificate, PathBuf::from("/c.cert"));
    assert_eq!(
        identity.key,
        root.path("etc/containerd/certs.d/c.io/k/c.key")
    );
    let host = hosts.of("d.io");
    let identity = host.identity.unwrap();
    assert_eq!(identity.certificate, identity.key);
    assert_eq!(host.authorities.len(), 2);
    for name in ["r.io", "..", "../..", ".", ""] {
        assert_eq!(hosts.of(name), Host::default(), "{name}");
    }
}

#[test]
fn damaged_files_are_named() {
    for (path, text, why) in [
        (
            "etc/containers/registries.conf",
            "[[registry]\n",
            "registries.conf",
        ),
        (
            "etc/containers/registries.conf",
            "[registry]\n",
            "`registry` is no list of tables",
        ),
        (
            "etc/containers/registries.conf",
            "[[registry]]\n",
            "neither `prefix` nor `location`",
        ),
        (
            "etc/containers/registries.conf",
            "[[registry]]\nlocation = 7\n",
            "`location` is no text",
        ),
        (
            "etc/containers/registries.conf",
            "[[registry]]\nlocation = \"a\"\nblocked = \"no\"\n",
            "`blocked` is neither true nor false",
        ),
        (
            "etc/containers/registries.conf",
            "[[registry]]\nprefix = \"docker.io\"\nlocation = \"../x\"\n",
            "is no place for",
        ),
        (
            "etc/docker/daemon.json",
            "{\"registry-mirrors\": 7}",
            "daemon.json",
        ),
    ] {
        let root = Root::new(&[(path, text)]);
        let error = ways(&root.hosts(), "debian").unwrap_err().to_string();
        assert!(
            error.contains(why) && error.contains(path),
            "{text}: {error}"
        );
    }
    let mut hosts = Hosts::default();
    for mirror in ["", "a b", "../x", "x.io/../y", "x.io/A", "user:pw@x.io"] {
        let mirrors = vec![mirror.to_owned()];
        hosts.set(
            "docker.io",
            Host {
                mirrors,
                ..Host::default()
            },
        );
        let error = ways(&hosts, "debian").unwrap_err().to_string();
        assert!(
            error.contains("cannot be a mirror of `docker.io`") && !error.contains("pw"),
            "{mirror}: {error}"
        );
    }
}

#[test]
fn what_others_may_do_is_a_hint_and_no_permission() {
    let dir = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(dir.path(), "x") else {
        return;
    };
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let host = registry.host();
    let daemon = format!(r#"{{"insecure-registries": ["{host}"]}}"#);
    let root = Root::new(&[("etc/docker/daemon.json", &daemon)]);
    let mut hosts = root.hosts();
    // Where TLS is set up even loopback has it.
    let authorities = vec![authority.certificate()];
    hosts.set(
        host,
        Host {
            authorities,
            ..Host::default()
        },
    );
    let client = Client::new(&Settings {
        hosts,
        ..Settings::default()
    });
    let name: Reference = format!("{host}/app:1").parse().unwrap();
    let error = client.manifest(&name).unwrap_err();
    let text = said(&error);
    assert!(text.contains("does not speak TLS; `"), "{text}");
    assert!(
        text.contains("etc/docker/daemon.json` lets others do without"),
        "{text}"
    );
    assert!(error.hint().unwrap().contains("--plain-http"));
    assert_eq!(registry.asked("GET "), 0);
}
