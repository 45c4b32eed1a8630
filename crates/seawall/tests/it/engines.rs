//! Images of real engines: what the command says of them is what it says of
//! the archives that the engines save.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use seawall_image::Digest;
use serde_json::{Value, json};

use crate::{
    engine::{Engine, Relay},
    support::{Home, Said, said, shared},
};

/// An engine with real images in it.
struct Filled {
    engine: Engine,
    home: Home,
    /// What `alpine:3.10` was loaded from.
    alpine: PathBuf,
}

/// What `seawall/old:1` is built from.
const OLD: &str = "FROM alpine:3.10
COPY outdated /lib/apk/db/installed
ENV A=b
COPY note /srv/note
CMD [\"/bin/sh\"]
";

/// Alpine as it was published; one of several layers with outdated packages;
/// one whose packages a later layer takes away.
fn filled(engine: Option<Engine>) -> Option<Filled> {
    let engine = engine?;
    let alpine = shared("images/alpine-310.tar.gz")?;
    let home = Home::new();
    let plain = engine.dir().join("alpine.tar");
    run(Command::new("gzip").args(["-dc"]).arg(&alpine), &plain);
    engine.tell(&["load", "--input", plain.to_str().unwrap()]);
    let database = engine.dir().join("installed");
    let layer = engine.dir().join("layer.tar");
    let inner = tar(&["-t"], &plain);
    let inner = inner.lines().find(|line| line.ends_with("layer.tar"));
    run(
        Command::new("tar")
            .args(["-xO", "-f"])
            .arg(&plain)
            .arg(inner.unwrap()),
        &layer,
    );
    run(
        Command::new("tar")
            .args(["-xO", "-f"])
            .arg(&layer)
            .arg("lib/apk/db/installed"),
        &database,
    );
    // Every version starts with a nought: older than any that was mended.
    let installed = fs::read_to_string(&database).unwrap();
    let outdated = installed.replace("\nV:", "\nV:0.");
    assert_ne!(installed, outdated);
    engine.build(
        "seawall/old:1",
        OLD,
        &[("outdated", outdated.as_bytes()), ("note", b"hello\n")],
    );
    let bare = without_packages(engine.dir(), &layer);
    engine.tell(&["load", "--input", bare.to_str().unwrap()]);
    Some(Filled {
        engine,
        home,
        alpine,
    })
}

fn run(command: &mut Command, to: &Path) {
    let status = command.stdout(File::create(to).unwrap()).status().unwrap();
    assert!(status.success(), "{command:?}");
}

fn tar(arguments: &[&str], archive: &Path) -> String {
    let mut command = Command::new("tar");
    let output = command.args(arguments).arg("-f").arg(archive).output();
    let said = said(&output.unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    said.out
}

/// `layer`, and on it one that takes its package database away.
fn without_packages(dir: &Path, layer: &Path) -> PathBuf {
    let at = |name: &str| dir.join("bare").join(name);
    fs::create_dir_all(at("change/lib/apk")).unwrap();
    fs::write(at("change/lib/apk/.wh.db"), "").unwrap();
    let pack = |from: &Path, to: &Path| {
        let mut command = Command::new("tar");
        command.arg("-c").arg("-C").arg(from).arg(".");
        run(&mut command, to);
    };
    fs::create_dir_all(at("image")).unwrap();
    fs::copy(layer, at("image/0.tar")).unwrap();
    pack(&at("change"), &at("image/1.tar"));
    let ids = ["0.tar", "1.tar"].map(|name| {
        let bytes = fs::read(at("image").join(name)).unwrap();
        Digest::of(&bytes).to_string()
    });
    let config = json!({"architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": ids},
        "history": [{"created_by": "one"}, {"created_by": "two"}]});
    let config = config.to_string();
    let name = format!("{}.json", Digest::of(config.as_bytes()).hex());
    fs::write(at("image").join(&name), config).unwrap();
    let manifest = json!([{"Config": name, "RepoTags": ["seawall/bare:1"],
        "Layers": ["0.tar", "1.tar"]}]);
    fs::write(at("image/manifest.json"), manifest.to_string()).unwrap();
    pack(&at("image"), &at("image.tar"));
    at("image.tar")
}

impl Filled {
    fn scan(&self, arguments: &[&str]) -> Said {
        self.engine
            .scan(&self.home, &self.engine.socket(), arguments)
    }

    /// The report about one target, but for what the target is called.
    fn report(&self, target: &str) -> Value {
        let options = ["--no-cache", "--packages", "--format", "json", target];
        report(&self.scan(&options))
    }

    fn of_engine(&self, name: &str) -> Value {
        self.report(&format!("{}:{name}", self.engine.scheme))
    }

    fn of_archive(&self, path: &Path) -> Value {
        self.report(&format!("archive:{}", path.display()))
    }

    fn id(&self, name: &str) -> String {
        let id = self.engine.tell(&["inspect", "--format", "{{.Id}}", name]);
        id.trim_start_matches("sha256:").to_owned()
    }
}

fn report(said: &Said) -> Value {
    assert_eq!(said.code, 0, "{}", said.err);
    let mut report: Value = serde_json::from_str(&said.out).unwrap();
    for name in ["name", "scheme"] {
        report["targets"][0][name].take();
    }
    without_base(&mut report);
    report
}

/// An engine knows by its other images what an archive says of itself alone.
fn without_base(report: &mut Value) {
    report["targets"][0]["base"].take();
    for finding in report["findings"].as_array_mut().unwrap() {
        finding["brought_by"].take();
        if finding["fix"].is_object() {
            finding["fix"]["title"].take();
        }
    }
}

/// The base of an image built by the engine, by every sign that there is.
fn a_base_is_told(filled: &Filled) {
    let whole = |arguments: &[&str]| {
        let options = ["--no-cache", "--packages", "--format", "json"];
        let said = filled.scan(&[&options[..], arguments].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        serde_json::from_str::<Value>(&said.out).unwrap()
    };
    let base = |report: &Value| {
        let base = &report["targets"][0]["base"];
        let text = |name: &str| base[name].as_str().unwrap_or_default().to_owned();
        let name = text("name");
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        (name, base["layers"].clone(), text("evidence"))
    };
    let by = |name: &str, evidence: &str| (name.to_owned(), json!(1), evidence.to_owned());
    let target = format!("{}:seawall/old:1", filled.engine.scheme);
    assert_eq!(base(&whole(&[&target])), by("alpine:3.10", "layers"));
    let saved = filled.engine.save("seawall/old:1");
    let saved = saved.to_str().unwrap();
    let alpine = filled.alpine.to_str().unwrap();
    let known = whole(&["--base", alpine, saved]);
    assert_eq!(base(&known), by("alpine:3.10", "layers"));
    // No label names the base: the history and the distribution do.
    assert_eq!(base(&whole(&[saved])), by("alpine:3.10.4", "distribution"));
    let alone = whole(&[alpine]);
    assert_eq!(alone["targets"][0]["base"], Value::Null);

    let dockerfile = filled.engine.dir().join("Dockerfile.old");
    fs::write(&dockerfile, OLD).unwrap();
    let dockerfile = dockerfile.to_str().unwrap();
    let report = whole(&["--dockerfile", dockerfile, saved]);
    assert_eq!(base(&report), by("alpine:3.10", "dockerfile"));
    let lines = report["targets"][0]["layers"].as_array().unwrap();
    let lines: Vec<&Value> = lines.iter().map(|layer| &layer["line"]).collect();
    assert_eq!(lines, [&Value::Null, &json!(2), &json!(4)]);
    // The outdated packages are those of the second line.
    for finding in report["findings"].as_array().unwrap() {
        let Some(title) = finding["fix"]["title"].as_str() else {
            continue;
        };
        assert_eq!(finding["brought_by"], "own");
        let wanted = format!("`{dockerfile}` line 2 brings it");
        assert!(title.ends_with(&wanted), "{title}");
    }
    fs::write(
        filled.engine.dir().join("Dockerfile.other"),
        "FROM x\nRUN make\n",
    )
    .unwrap();
    let other = filled.engine.dir().join("Dockerfile.other");
    let report = whole(&["--dockerfile", other.to_str().unwrap(), saved]);
    let gaps = report["gaps"].to_string();
    assert!(
        gaps.contains("its steps are not those in the image's history"),
        "{gaps}"
    );
}

#[test]
fn the_base_of_a_docker_image_is_told() {
    if let Some(filled) = filled(Engine::docker()) {
        a_base_is_told(&filled);
    }
}

#[test]
fn the_base_of_a_podman_image_is_told() {
    let Some(filled) = filled(Engine::podman()) else {
        return;
    };
    a_base_is_told(&filled);
    // Podman notes the base in the manifest's annotations.
    let archive = filled.engine.dir().join("oci.tar");
    let name = archive.to_str().unwrap();
    let words = ["save", "--format", "oci-archive", "--output", name];
    filled
        .engine
        .tell(&[&words[..], &["seawall/old:1"]].concat());
    declares_its_base(&filled, &archive);
    // Docker 25 and later save the same with a manifest of Docker's beside it.
    let folder = filled.engine.dir().join("oci");
    fs::create_dir(&folder).unwrap();
    tar(&["-x", "-C", folder.to_str().unwrap()], &archive);
    let json = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
    };
    let blob = |digest: &Value| digest.as_str().unwrap().replace("sha256:", "blobs/sha256/");
    let manifest = json(&blob(&json("index.json")["manifests"][0]["digest"]));
    let layers = manifest["layers"].as_array().unwrap().iter();
    let layers: Vec<String> = layers.map(|layer| blob(&layer["digest"])).collect();
    let docker = json!([{"Config": blob(&manifest["config"]["digest"]),
        "RepoTags": ["seawall/old:1"], "Layers": layers}]);
    fs::write(folder.join("manifest.json"), docker.to_string()).unwrap();
    let both = filled.engine.dir().join("both.tar");
    let mut command = Command::new("tar");
    run(command.arg("-c").arg("-C").arg(&folder).arg("."), &both);
    declares_its_base(&filled, &both);
}

fn declares_its_base(filled: &Filled, archive: &Path) {
    let options = ["--no-cache", "--format", "json", archive.to_str().unwrap()];
    let said = filled.scan(&options);
    assert_eq!(said.code, 0, "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    let base = &report["targets"][0]["base"];
    assert_eq!(base["evidence"], "declared", "{base}");
    let name = base["name"].as_str().unwrap();
    assert!(name.ends_with("alpine:3.10"), "{name}");
    let digest = base["digest"].as_str().unwrap();
    assert!(digest.starts_with("sha256:"), "{digest}");
    assert_eq!(base["layers"], 1);
}

/// How many layers, packages and findings there are.
fn numbers(report: &Value) -> [usize; 3] {
    [
        &report["targets"][0]["layers"],
        &report["packages"],
        &report["findings"],
    ]
    .map(|list| list.as_array().unwrap().len())
}

/// Every name of every image gives what the saved archive gives.
fn an_image_is_its_archive(filled: &Filled) {
    let alpine = filled.of_engine("alpine:3.10");
    assert_eq!(numbers(&alpine)[..2], [1, 14]);
    assert_eq!(alpine["targets"][0]["os"]["version"], "3.10.4");
    assert_eq!(alpine, filled.of_archive(&filled.alpine));

    let old = filled.of_engine("seawall/old:1");
    let [layers, packages, findings] = numbers(&old);
    assert_eq!([layers, packages], [3, 14]);
    assert!(findings > 0);
    // Without a database the programs are told by their bytes.
    let bare = filled.of_engine("seawall/bare:1");
    assert_eq!(numbers(&bare)[..2], [2, 4]);
    for package in bare["packages"].as_array().unwrap() {
        assert_eq!(package["technique"], "fingerprint", "{package}");
    }

    for (name, report) in [
        ("alpine:3.10", alpine),
        ("seawall/old:1", old),
        ("seawall/bare:1", bare),
    ] {
        let saved = filled.engine.save(name);
        assert_eq!(filled.of_archive(&saved), report, "{name}");
        let id = filled.id(name);
        assert_eq!(report["targets"][0]["digest"], format!("sha256:{id}"));
        for other in [id.as_str(), id.get(..12).unwrap(), &format!("sha256:{id}")] {
            assert_eq!(filled.of_engine(other), report, "{name} as {other}");
        }
        // Without a scheme it is the engine's too, and so is what it saves
        // into a pipe.
        assert_eq!(filled.report(name), report, "{name}");
        let mut command = filled.home.command(&["scan", "--offline", "--no-cache"]);
        command
            .args(["--packages", "--format", "json", "-"])
            .stdin(File::open(&saved).unwrap());
        let piped = said(&command.output().unwrap());
        assert_eq!(self::report(&piped), report, "{name} through a pipe");
    }
}

#[test]
fn an_image_of_docker_is_its_archive() {
    let Some(filled) = filled(Engine::docker()) else {
        return;
    };
    an_image_is_its_archive(&filled);
    // One layer, no history, no name in its configuration.
    let tree = filled.engine.dir().join("layer.tar");
    filled
        .engine
        .tell(&["import", tree.to_str().unwrap(), "imported:1"]);
    let imported = filled.of_engine("imported:1");
    assert_eq!(numbers(&imported)[..2], [1, 14]);
    assert_eq!(
        imported,
        filled.of_archive(&filled.engine.save("imported:1"))
    );
}

#[test]
fn an_image_of_podman_is_its_archive() {
    let Some(filled) = filled(Engine::podman()) else {
        return;
    };
    an_image_is_its_archive(&filled);
    // Podman gives every image a digest, pulled or not.
    let name = "seawall/old:1";
    let digest = filled
        .engine
        .tell(&["inspect", "--format", "{{.Digest}}", name]);
    let by_digest = filled.of_engine(&format!("localhost/seawall/old@{digest}"));
    assert_eq!(by_digest, filled.of_engine(name));
}

/// What is asked of the engine when evidence is kept.
fn evidence_is_kept(filled: &Filled) {
    let relay = Relay::before(&filled.engine);
    let scan = |name: &str| {
        let target = format!("{}:{name}", filled.engine.scheme);
        let cache = filled.home.path().join("cache");
        let options = ["--cache-dir", cache.to_str().unwrap(), "--packages"];
        let all = [&options[..], &["--format", "json", &target]].concat();
        let said = filled.engine.scan(&filled.home, &relay.socket, &all);
        let mut asked = relay.asked();
        // What follows is about other images.
        let of_image = asked.iter().take_while(|word| *word != "images").count();
        asked.truncate(of_image);
        (report(&said), asked)
    };
    let [both, description] = [vec!["json", "get"], vec!["json"]];
    for name in ["alpine:3.10", "seawall/old:1", "seawall/bare:1"] {
        let fresh = filled.of_engine(name);
        // A layer that is known from another image does not make this one known.
        assert_eq!(scan(name), (fresh.clone(), owned(&both)), "{name}");
        assert_eq!(scan(name), (fresh.clone(), owned(&description)), "{name}");
        let id = filled.id(name);
        assert_eq!(scan(&id), (fresh, owned(&description)), "{name}");
    }
    // The name moves to another image.
    filled.engine.tell(&["tag", "seawall/old:1", "alpine:3.10"]);
    let moved = filled.of_engine("alpine:3.10");
    assert_eq!(numbers(&moved)[0], 3);
    assert_eq!(scan("alpine:3.10"), (moved.clone(), owned(&description)));
    // Kept evidence that was damaged is read anew.
    for entry in fs::read_dir(filled.home.path().join("cache")).unwrap() {
        fs::write(entry.unwrap().path(), "damaged").unwrap();
    }
    assert_eq!(scan("alpine:3.10"), (moved.clone(), owned(&both)));
    assert_eq!(scan("alpine:3.10"), (moved, owned(&description)));
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn docker_is_not_asked_twice_for_an_image() {
    if let Some(filled) = filled(Engine::docker()) {
        evidence_is_kept(&filled);
    }
}

#[test]
fn podman_is_not_asked_twice_for_an_image() {
    if let Some(filled) = filled(Engine::podman()) {
        evidence_is_kept(&filled);
    }
}

/// With room for no file that is larger than a fraction of the image, unlinked
/// or not, the report is the same.
fn nothing_is_copied(filled: &Filled) {
    let target = format!("{}:alpine:3.10", filled.engine.scheme);
    let whole = filled.of_engine("alpine:3.10");
    let host = format!("unix://{}", filled.engine.socket().display());
    let mut command = Command::new("prlimit");
    command
        .args(["--fsize=65536", env!("CARGO_BIN_EXE_seawall"), "scan"])
        .args(["--offline", "--no-cache", "--packages", "--format", "json"])
        .arg(&target)
        .env("HOME", filled.home.path())
        .env("TMPDIR", filled.home.path())
        .env("SOURCE_DATE_EPOCH", "1767225600")
        .env("DOCKER_HOST", &host)
        .env("CONTAINER_HOST", &host);
    assert_eq!(report(&said(&command.output().unwrap())), whole);
    let left = fs::read_dir(filled.home.path()).unwrap().count();
    assert_eq!(left, 0);
}

/// What cannot be had is said in one error that names the image and the
/// engine, and the code is 2.
fn what_cannot_be_had_is_said(filled: &Filled) {
    let scheme = filled.engine.scheme;
    let socket = filled.engine.socket();
    let fails = |name: &str, wanted: &str| {
        let said = filled.scan(&["--no-cache", &format!("{scheme}:{name}")]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
        assert_eq!(said.err.matches("error:").count(), 1, "{}", said.err);
        assert!(said.err.contains(wanted), "{}", said.err);
    };
    let none = |name: &str| format!("there is no image `{name}` at `{}`", socket.display());
    let zeros = "0".repeat(64);
    for name in [
        "nowhere/none:1",
        "alpine:3.99",
        &format!("sha256:{zeros}"),
        &format!("alpine@sha256:{zeros}"),
        "../../containers/json",
        "a//b",
    ] {
        fails(name, &none(name));
    }
    fails("No such?#\u{7}name", "refused with status");
    let said = filled.scan(&[
        "--no-cache",
        "--platform",
        "linux/arm64",
        &format!("{scheme}:alpine:3.10"),
    ]);
    assert_eq!(said.code, 2, "{}", said.err);
    let wanted = "there is no image for linux/arm64; there is linux/amd64";
    assert!(said.err.contains(wanted), "{}", said.err);
}

#[test]
fn docker_streams_and_says_what_is_wrong() {
    let Some(filled) = filled(Engine::docker()) else {
        return;
    };
    nothing_is_copied(&filled);
    what_cannot_be_had_is_said(&filled);
    // A daemon whose store lost a file says so when it is asked to export.
    let motd = find(&filled.engine.dir().join("data/vfs/dir"), "etc/motd");
    assert!(!motd.is_empty());
    for path in motd {
        fs::remove_file(path).unwrap();
    }
    let said = filled.scan(&["--no-cache", "docker:alpine:3.10"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
    assert!(said.err.contains("refused with status 500"), "{}", said.err);
    assert!(said.err.contains("etc/motd"), "{}", said.err);
}

/// The file of this name in each of the folders of a store.
fn find(store: &Path, name: &str) -> Vec<PathBuf> {
    let folders = fs::read_dir(store).unwrap().flatten();
    let files = folders.map(|folder| folder.path().join(name));
    files.filter(|path| path.is_file()).collect()
}

#[test]
fn podman_streams_and_says_what_is_wrong() {
    let Some(filled) = filled(Engine::podman()) else {
        return;
    };
    nothing_is_copied(&filled);
    what_cannot_be_had_is_said(&filled);
}

#[test]
fn an_engine_that_ends_in_the_middle_is_an_error() {
    let Some(filled) = filled(Engine::docker()) else {
        return;
    };
    // A relay that dies with the image half through.
    let socket = filled.engine.dir().join("half");
    let listener = UnixListener::bind(&socket).unwrap();
    let real = filled.engine.socket();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let read = client.read(&mut request).unwrap_or_default();
            let request = request.get(..read).unwrap_or_default();
            let mut engine = UnixStream::connect(&real).unwrap();
            engine.write_all(request).unwrap();
            let _ = io::copy(&mut engine.take(1 << 20), &mut client);
        }
    });
    let said = filled
        .engine
        .scan(&filled.home, &socket, &["--no-cache", "docker:alpine:3.10"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
    assert!(
        said.err.contains("hung up in the middle of the image"),
        "{}",
        said.err
    );
}
