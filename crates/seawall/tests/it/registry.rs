//! Images of registries, through the real binary and real registries.

mod access;
mod chaos;
mod push;
mod tags;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use push::{CONFIG, INDEX, Layer, MANIFEST, Push, write};
use seawall_testkit::{Act, Answer, Asked, Containerd, Delivery, Proxy, Registry, Setup};
use serde_json::{Value, json};

use crate::support::{Home, Said, shared};

/// A home in which nothing asks the network but for images.
fn home() -> Home {
    let home = Home::new();
    fs::write(
        home.path().join("seawall.toml"),
        "database.update = \"never\"\n",
    )
    .unwrap();
    home
}

/// Alpine as it was published, under `lib/alpine:3.10`, and its archive.
fn alpine(registry: &Registry) -> Option<std::path::PathBuf> {
    let packed = shared("images/alpine-310.tar.gz")?;
    let plain = registry.dir().join("alpine.tar");
    let mut command = std::process::Command::new("gzip");
    let unpacked = seawall_testkit::run(command.arg("-dc").arg(packed))?;
    fs::write(&plain, unpacked.stdout).unwrap();
    registry.copy(
        &format!("docker-archive:{}", plain.display()),
        "lib/alpine:3.10",
        &[],
    )?;
    Some(plain)
}

fn json_of(said: &Said) -> Value {
    assert!(said.code < 2, "{}", said.err);
    let report = serde_json::from_str(&said.out);
    assert!(report.is_ok(), "{report:?}: {}", said.err);
    report.unwrap()
}

/// A layer with a package database of Alpine's form, one package.
fn base(push: &Push<'_>, dir: &Path, name: &str, package: &str) -> Layer {
    push.layer(dir, name, |root| {
        let release = "ID=alpine\nVERSION_ID=3.10.0\nPRETTY_NAME=\"Alpine Linux v3.10\"\n";
        write(root, "etc/os-release", release);
        let installed = format!("P:{package}\nV:0.1-r0\nA:x86_64\nL:MIT\n\n");
        write(root, "lib/apk/db/installed", installed);
    })
}

fn names(report: &Value) -> Vec<String> {
    let packages = report["packages"].as_array().unwrap();
    let name = |one: &Value| one["name"].as_str().unwrap().to_owned();
    packages.iter().map(name).collect()
}

/// Paths that were asked for, without what comes before the repository.
fn paths(asked: &[Asked]) -> Vec<String> {
    let path = |one: &Asked| one.target.strip_prefix("/v2/").unwrap_or("").to_owned();
    asked.iter().map(path).collect()
}

#[test]
fn an_image_of_a_registry_is_the_image_of_its_archive() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let Some(archive) = alpine(&registry) else {
        return;
    };
    let home = home();
    let scan = |target: &str| {
        let options = [
            "scan",
            "--no-cache",
            "--packages",
            "--format",
            "json",
            target,
        ];
        json_of(&home.run(&options))
    };
    let of_archive = scan(archive.to_str().unwrap());
    assert!(!names(&of_archive).is_empty());
    let name = format!("{}/lib/alpine:3.10", registry.host());
    let by_tag = scan(&name);
    let manifest = by_tag["targets"][0]["manifest"].as_str().unwrap();
    let by_digest = scan(&format!(
        "registry:{}/lib/alpine@{manifest}",
        registry.host()
    ));
    for report in [&by_tag, &by_digest] {
        let target = &report["targets"][0];
        assert_eq!(target["scheme"], "registry");
        assert_eq!(target["digest"], of_archive["targets"][0]["digest"]);
        for part in ["packages", "gaps", "summary"] {
            assert_eq!(report[part], of_archive[part], "{part}");
        }
        let findings = |report: &Value| {
            let mut all = report["findings"].clone();
            for one in all.as_array_mut().unwrap() {
                // The manifest names the digests of packed layers.
                one["location"].take();
            }
            all
        };
        assert_eq!(findings(report), findings(&of_archive));
    }
    assert_eq!(by_tag["targets"][0]["name"], name);
    let said = home.run(&["scan", "--no-cache", &name]);
    assert!(said.out.contains("image from its registry"), "{}", said.out);
}

#[test]
fn what_is_known_is_not_fetched() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let home = home();
    let dir = registry.dir().join("made");
    let push = Push::app(&registry);
    let first = base(&push, &dir, "first", "musl");
    let empty = push.layer(&dir, "empty", |_| {});
    let last = push.layer(&dir, "last", |root| write(root, "srv/a", "a"));
    // One layer comes twice.
    push.image(Some("1"), &[&first, &empty, &last, &empty], &[]);
    let proxy = Proxy::start(registry.host(), |_| Act::Pass).unwrap();
    let name = format!("registry:{}/app:1", proxy.host());
    let scan = |target: &str| {
        let before = proxy.asked().len();
        let options = ["scan", "--packages", "--format", "json", target];
        let report = json_of(&home.run(&options));
        assert_eq!(names(&report), ["musl"]);
        let asked = proxy.asked();
        (report, paths(&asked[before..]))
    };
    let (report, mut asked) = scan(&name);
    let all = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), all, "something is fetched twice: {asked:?}");
    // The manifest, the configuration and three layers.
    assert_eq!(all, 5, "{asked:?}");
    let (again, asked) = scan(&name);
    assert_eq!(asked, ["app/manifests/1"]);
    assert_eq!(again["packages"], report["packages"]);
    // What is named by its digest is the same for ever.
    let digest = report["targets"][0]["manifest"].as_str().unwrap();
    let (_, asked) = scan(&format!("registry:{}/app@{digest}", proxy.host()));
    assert_eq!(asked, [""; 0]);
    // Another image with a layer that is known.
    let change = push.layer(&dir, "change", |root| write(root, "srv/b", "b"));
    push.image(Some("2"), &[&first, &change], &[]);
    let (_, asked) = scan(&format!("registry:{}/app:2", proxy.host()));
    assert!(asked.contains(&format!("app/blobs/{}", change.digest())));
    assert!(
        !asked.contains(&format!("app/blobs/{}", first.digest())),
        "{asked:?}"
    );
}

#[test]
fn links_between_layers_cost_no_second_fetch_unless_they_lead_somewhere() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let home = home();
    let dir = registry.dir().join("made");
    let push = Push::app(&registry);
    let release = "ID=alpine\nVERSION_ID=3.10.0\nPRETTY_NAME=\"Alpine Linux v3.10\"\n";
    let below = push.layer(&dir, "below", |root| {
        write(root, "opt/release", release);
        write(
            root,
            "lib/apk/db/installed",
            "P:musl\nV:0.1-r0\nA:x86_64\n\n",
        );
    });
    let link = |to: &'static str| {
        move |root: &Path| {
            fs::create_dir_all(root.join("etc")).unwrap();
            std::os::unix::fs::symlink(to, root.join("etc/os-release")).unwrap();
        }
    };
    let nowhere = push.layer(&dir, "nowhere", link("../opt/nothing"));
    let there = push.layer(&dir, "there", link("../opt/release"));
    push.image(Some("nowhere"), &[&below, &nowhere], &[]);
    push.image(Some("there"), &[&below, &there], &[]);
    let proxy = Proxy::start(registry.host(), |_| Act::Pass).unwrap();
    let scan = |tag: &str| {
        let before = proxy.asked().len();
        let target = format!("registry:{}/app:{tag}", proxy.host());
        let report = json_of(&home.run(&["scan", "--format", "json", &target]));
        let asked = proxy.asked();
        (report, paths(&asked[before..]))
    };
    let (report, asked) = scan("nowhere");
    assert!(report["targets"][0]["os"].is_null());
    assert_eq!(asked.len(), 4, "{asked:?}");
    // The file that is wanted under another name than its own is in a layer
    // whose evidence is known without it: that layer alone is read for it.
    let (report, asked) = scan("there");
    assert_eq!(report["targets"][0]["os"]["id"], "alpine");
    let blob = |layer: &Layer| format!("app/blobs/{}", layer.digest());
    let times = |layer| asked.iter().filter(|one| **one == blob(layer)).count();
    assert_eq!((times(&below), times(&there)), (1, 1), "{asked:?}");
    // From then on it is known too.
    let (report, asked) = scan("there");
    assert_eq!(report["targets"][0]["os"]["id"], "alpine");
    assert_eq!(asked, ["app/manifests/there"]);
}

#[test]
fn the_image_for_the_platform_is_chosen() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let home = home();
    let dir = registry.dir().join("made");
    let push = Push::app(&registry);
    let image = |arch: &str| {
        let layer = base(&push, &dir, arch, &format!("for-{arch}"));
        let mut one = push.image(None, &[&layer], &[("architecture", json!(arch))]);
        one["platform"] = json!({"os": "linux", "architecture": arch});
        one
    };
    let (amd64, arm64) = (image("amd64"), image("arm64"));
    let statement = push.blob("application/vnd.in-toto+json", b"{}");
    let mut attestation = push.manifest(
        None,
        &json!({"schemaVersion": 2, "mediaType": MANIFEST,
            "config": push.blob(CONFIG, b"{}"), "layers": [statement]}),
    );
    attestation["platform"] = json!({"os": "unknown", "architecture": "unknown"});
    let attestation_digest = attestation["digest"].as_str().unwrap().to_owned();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX,
        "manifests": [attestation, arm64, amd64]});
    let mut inner = push.manifest(Some("multi"), &index);
    inner["platform"] = json!({"os": "linux", "architecture": "amd64"});
    let outer = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [inner]});
    push.manifest(Some("nested"), &outer);
    let scan = |tag: &str, platform: &str| {
        let target = format!("registry:{}/app{tag}", registry.host());
        let mut options = vec!["scan", "--no-cache", "--packages", "--format", "json"];
        options.extend(["--platform", platform, &target]);
        home.run(&options)
    };
    for (tag, platform, expected) in [
        (":multi", "linux/arm64", "for-arm64"),
        (":multi", "linux/amd64", "for-amd64"),
        (":nested", "linux/amd64", "for-amd64"),
    ] {
        let report = json_of(&scan(tag, platform));
        assert_eq!(names(&report), [expected]);
        assert_eq!(report["targets"][0]["platform"], platform);
    }
    let said = scan(":multi", "linux/s390x");
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(
        said.err.contains("linux/arm64, linux/amd64"),
        "{}",
        said.err
    );
    assert!(said.err.contains("hint: choose one"), "{}", said.err);
    let said = scan(&format!("@{attestation_digest}"), "linux/amd64");
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(
        said.err.contains("an attestation (in-toto)"),
        "{}",
        said.err
    );
}

#[test]
fn what_is_no_image_is_called_by_its_name() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let home = home();
    let push = Push {
        host: registry.host(),
        repository: "shop",
    };
    let chart = push.blob(
        "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
        b"chart",
    );
    push.manifest(
        Some("chart"),
        &json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [chart],
            "config": push.blob("application/vnd.cncf.helm.config.v1+json", b"{}")}),
    );
    let scan = |name: &str| {
        let said = home.run(&["scan", "--no-cache", name]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
        said.err
    };
    let said = scan(&format!("registry:{}/shop:chart", registry.host()));
    assert!(said.contains("it is a Helm chart"), "{said}");
    let old = Proxy::alone(|_| {
        let kind = "application/vnd.docker.distribution.manifest.v1+prettyjws";
        let body = r#"{"schemaVersion": 1, "name": "a", "fsLayers": [], "history": []}"#;
        Answer::new(200, body).with("content-type", kind)
    })
    .unwrap();
    let said = scan(&format!("registry:{}/old:1", old.host()));
    assert!(said.contains("Docker's schema 1"), "{said}");
}

#[test]
fn places_are_asked_in_their_order_and_one_alone_when_named() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let home = home();
    let dir = registry.dir().join("made");
    let push = Push::app(&registry);
    let layer = base(&push, &dir, "one", "musl");
    push.image(Some("1"), &[&layer], &[]);
    let proxy = Proxy::start(registry.host(), |_| Act::Pass).unwrap();
    let name = format!("{}/app:1", proxy.host());
    let scan = |options: &[&str]| {
        let mut all = vec!["scan", "--no-cache", "--verbose"];
        all.extend(options);
        let mut command = home.command(&all);
        command.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
        command.env("CONTAINER_HOST", "unix:///nowhere/podman.sock");
        command.env("SEAWALL_CONTAINERD_ROOT", "/nowhere/containerd");
        crate::support::said(&command.output().unwrap())
    };
    let said = scan(&[&name]);
    assert!(said.code < 2, "{}", said.err);
    let at = |text: &str| {
        said.err
            .find(text)
            .unwrap_or_else(|| panic!("{}", said.err))
    };
    let docker = at("is not in Docker: cannot connect to `/nowhere/docker.sock`");
    let podman = at("is not in Podman: cannot connect to `/nowhere/podman.sock`");
    let found = at("comes from `registry:`");
    assert!(docker < podman && podman < found, "{}", said.err);
    let asked = proxy.asked().len();
    for target in [format!("docker:{name}"), format!("podman:{name}")] {
        let said = scan(&[&target]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
    }
    let said = scan(&["--offline", &name]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("the registry: `--offline` forbids"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("hint: leave out `--offline`"),
        "{}",
        said.err
    );
    assert_eq!(proxy.asked().len(), asked, "the registry was asked");
}

/// The end of the last layer never comes; what was found in another layer, and
/// in the beginning of the last one, is told all the same.
#[test]
fn the_first_evidence_comes_before_the_last_layer_is_down() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let home = home();
    let dir = registry.dir().join("made");
    let push = Push::app(&registry);
    let first = base(&push, &dir, "first", "musl");
    let last = push.layer(&dir, "last", |root| write(root, "srv/a", "a"));
    push.image(Some("1"), &[&first, &last], &[]);
    let slow = last.digest().to_owned();
    let proxy = Proxy::start(registry.host(), move |asked| {
        match asked.target.ends_with(&slow) {
            true => Act::Deliver(Delivery::Stall(20)),
            false => Act::Pass,
        }
    });
    let proxy = proxy.unwrap();
    let target = format!("registry:{}/app:1", proxy.host());
    let mut command = home.command(&["scan", "--no-cache", "--verbose", &target]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = Vec::new();
    for line in lines {
        said.push(line.unwrap());
        if said
            .last()
            .is_some_and(|line| line.contains("the first evidence is"))
        {
            break;
        }
    }
    let is_running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(is_running, "{said:?}");
    assert!(
        said.last().unwrap().contains("`etc/os-release`"),
        "{said:?}"
    );
    assert_eq!(output.stdout, b"", "a report without the last layer");
}

#[test]
fn an_image_of_containerd_is_found_between_the_engines_and_the_registry() {
    let Some(containerd) = Containerd::start() else {
        return;
    };
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let Some(archive) = alpine(&registry) else {
        return;
    };
    let home = home();
    // As `docker save` names it, whatever the archive says.
    let named = registry.dir().join("named.tar");
    let mut copy = std::process::Command::new("skopeo");
    copy.args(["copy", "--quiet"])
        .arg(format!("docker-archive:{}", archive.display()))
        .arg(format!("oci-archive:{}:shop/alpine:3.10", named.display()));
    seawall_testkit::run(&mut copy).unwrap();
    containerd.import("default", &named).unwrap();
    let scan = |target: &str| {
        let options = [
            "scan",
            "--no-cache",
            "--offline",
            "--packages",
            "--format",
            "json",
        ];
        let mut command = home.command(&[&options[..], &[target]].concat());
        command.env("SEAWALL_CONTAINERD_ROOT", containerd.root());
        command.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
        command.env("CONTAINER_HOST", "unix:///nowhere/podman.sock");
        crate::support::said(&command.output().unwrap())
    };
    let listed = containerd.ctr(&["images", "list", "--quiet"]).unwrap();
    let name = String::from_utf8(listed.stdout).unwrap().trim().to_owned();
    let report = json_of(&scan(&name));
    assert_eq!(report["targets"][0]["scheme"], "containerd");
    let of_archive = json_of(&scan(archive.to_str().unwrap()));
    assert_eq!(report["packages"], of_archive["packages"]);
    let said = scan(&format!("containerd:{name}-not"));
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
    assert!(
        said.err.contains("containerd: it has no image"),
        "{}",
        said.err
    );
}
