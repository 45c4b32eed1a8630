//! Images for several platforms: indexes, nested ones, tags and digests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use seawall_image::{Digest, Error, Image, Limits, NoProgress, Options, Source, open};
use serde_json::{Value, json};

use crate::support::{KEEP, kept, pack, run, shared};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A layout that skopeo made of two real images, whose index is ours.
struct Layout {
    _kept: tempfile::TempDir,
    dir: PathBuf,
    /// Alpine 3.10 as published.
    amd64: Value,
    /// Alpine 3.11 under another architecture.
    arm64: Value,
}

impl Layout {
    fn new() -> Option<Self> {
        let images = ["images/alpine-310.tar.gz", "images/alpine-311.tar.gz"];
        let [old, new] = images.map(shared);
        if !run("skopeo", &["--version"]) {
            return None;
        }
        let kept = tempfile::tempdir().unwrap();
        let dir = kept.path().join("layout");
        for (image, tag) in [(old?, "old"), (new?, "new")] {
            let plain = kept.path().join(tag);
            fs::copy(image, plain.with_extension("tar.gz")).unwrap();
            let packed = plain.with_extension("tar.gz");
            assert!(run("gzip", &["-d", packed.to_str().unwrap()]));
            let from = format!(
                "docker-archive:{}",
                plain.with_extension("tar").to_str().unwrap()
            );
            let to = format!("oci:{}:{tag}", dir.to_str().unwrap());
            assert!(run(
                "skopeo",
                &["--insecure-policy", "copy", "-q", &from, &to]
            ));
        }
        let mut layout = Layout {
            _kept: kept,
            dir,
            amd64: Value::Null,
            arm64: Value::Null,
        };
        let index = layout.json("index.json");
        let one = |at: usize| index["manifests"][at].clone();
        layout.amd64 = layout.descriptor(&one(0), MANIFEST, "linux", "amd64");
        // The configuration has to agree with what the index says of it.
        let mut manifest = layout.blob(&one(1));
        let mut config = layout.blob(&manifest["config"]);
        config["architecture"] = "arm64".into();
        let config = layout.put(&config);
        manifest["config"]["digest"] = config["digest"].clone();
        manifest["config"]["size"] = config["size"].clone();
        let manifest = layout.put(&manifest);
        layout.arm64 = layout.descriptor(&manifest, MANIFEST, "linux", "arm64");
        Some(layout)
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.dir.join(name)).unwrap()).unwrap()
    }

    fn blob(&self, descriptor: &Value) -> Value {
        let digest = descriptor["digest"].as_str().unwrap();
        self.json(&format!("blobs/{}", digest.replace(':', "/")))
    }

    fn put(&self, document: &Value) -> Value {
        let bytes = document.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        let path = self.dir.join("blobs/sha256").join(digest.hex());
        let size = bytes.len();
        fs::write(path, bytes).unwrap();
        json!({"digest": digest.to_string(), "size": size})
    }

    fn descriptor(&self, blob: &Value, media: &str, os: &str, architecture: &str) -> Value {
        json!({"mediaType": media, "digest": blob["digest"], "size": blob["size"],
            "platform": {"os": os, "architecture": architecture}})
    }

    /// An index of these as a blob, described under a tag.
    fn nest(&self, manifests: &[Value], tag: &str) -> Value {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        let blob = self.put(&index);
        json!({"mediaType": INDEX, "digest": blob["digest"], "size": blob["size"],
            "annotations": {"org.opencontainers.image.ref.name": tag}})
    }

    fn top(&self, manifests: &[Value]) {
        let index = json!({"schemaVersion": 2, "manifests": manifests});
        fs::write(self.dir.join("index.json"), index.to_string()).unwrap();
    }

    fn read(&self, reference: Option<&str>, platform: Option<&str>) -> Result<Image, Error> {
        let source = Source::OciLayout {
            dir: self.dir.clone(),
            reference: reference.map(str::to_owned),
        };
        read(source, platform)
    }

    fn fails(&self, reference: Option<&str>, platform: Option<&str>) -> String {
        self.read(reference, platform).unwrap_err().to_string()
    }

    /// The layout as one file.
    fn archive(&self, to: &Path) -> PathBuf {
        pack(&self.dir, to, &[]);
        to.to_owned()
    }
}

fn read(source: Source, platform: Option<&str>) -> Result<Image, Error> {
    open(
        source,
        &Options {
            analysers: KEEP,
            platform: platform.map(|text| text.parse().unwrap()),
            cache: None,
            limits: Limits::default(),
            progress: &NoProgress,
        },
    )
}

/// The release of Alpine in it: which image was chosen.
fn release(image: &Image) -> String {
    let files = kept(image);
    let (_, text) = files
        .iter()
        .find(|(path, _)| path.ends_with("os-release"))
        .unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_ID="));
    line.unwrap().to_owned()
}

fn tagged(descriptor: &Value, tag: &str) -> Value {
    let mut descriptor = descriptor.clone();
    descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
    descriptor
}

#[test]
fn the_platform_decides() {
    let Some(layout) = Layout::new() else { return };
    let both = [layout.amd64.clone(), layout.arm64.clone()];
    // An attestation as BuildKit adds one, of a platform that nobody has.
    let mut note = layout.descriptor(&layout.amd64, MANIFEST, "unknown", "unknown");
    note["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    let [first, second] = both.clone();
    let nested = layout.nest(&[note, first, second], "v1");
    let twice = layout.nest(std::slice::from_ref(&nested), "v1");
    for (what, top) in [
        ("flat", both.to_vec()),
        ("nested", vec![nested.clone()]),
        ("nested twice", vec![twice]),
    ] {
        layout.top(&top);
        for (platform, release) in [
            ("linux/amd64", "3.10.4"),
            ("linux/arm64", "3.11.5"),
            ("linux/arm64/v8", "3.11.5"),
        ] {
            let image = layout.read(None, Some(platform)).unwrap();
            assert_eq!(self::release(&image), release, "{what} {platform}");
            let is = image.platform.unwrap().to_string();
            assert_eq!(is, platform.trim_end_matches("/v8"), "{what}");
        }
        if cfg!(target_arch = "x86_64") {
            assert_eq!(release(&layout.read(None, None).unwrap()), "3.10.4");
        }
        let absent = layout.fails(None, Some("linux/s390x"));
        assert_eq!(
            absent, "there is no image for linux/s390x; there are linux/amd64, linux/arm64",
            "{what}"
        );
        let windows = layout.fails(None, Some("windows/amd64"));
        assert!(windows.contains("no image for windows/amd64"), "{windows}");
    }
    // The same from an archive: on disk, as a stream, and packed.
    layout.top(&[nested]);
    let tar = layout.archive(&layout.dir.with_extension("tar"));
    assert!(run("gzip", &["-k", tar.to_str().unwrap()]));
    let packed = tar.with_extension("tar.gz");
    let sources = || {
        let stream = fs::File::open(&tar).unwrap();
        [
            Source::Archive(tar.clone()),
            Source::Archive(packed.clone()),
            Source::Stream(Box::new(stream)),
        ]
    };
    for source in sources() {
        let image = read(source, Some("linux/arm64")).unwrap();
        assert_eq!(release(&image), "3.11.5");
    }
    for source in sources() {
        let error = read(source, Some("linux/s390x")).unwrap_err();
        assert!(
            error.to_string().contains("there are linux/amd64"),
            "{error}"
        );
    }
}

#[test]
fn a_tag_or_a_digest_decides() {
    let Some(layout) = Layout::new() else { return };
    // Both for one platform: nothing but the name tells them apart.
    let (mut old, mut new) = (layout.amd64.clone(), layout.blob(&layout.arm64));
    let mut config = layout.blob(&new["config"]);
    config["architecture"] = "amd64".into();
    new["config"]["digest"] = layout.put(&config)["digest"].clone();
    let new = layout.put(&new);
    let mut new = layout.descriptor(&new, MANIFEST, "linux", "amd64");
    for with_platform in [true, false] {
        if !with_platform {
            for one in [&mut old, &mut new] {
                one.as_object_mut().unwrap().remove("platform");
            }
        }
        layout.top(&[tagged(&old, "old"), tagged(&new, "new")]);
        for platform in [None, Some("linux/amd64")] {
            let several = layout.fails(None, platform);
            assert_eq!(
                several,
                "there are several images, one has to be named: old, new"
            );
            for (reference, release) in [("old", "3.10.4"), ("new", "3.11.5")] {
                let image = layout.read(Some(reference), platform).unwrap();
                assert_eq!(self::release(&image), release);
                assert_eq!(image.repo_tags, [reference]);
            }
            for (one, release) in [(&old, "3.10.4"), (&new, "3.11.5")] {
                let digest = one["digest"].as_str().unwrap();
                let image = layout.read(Some(digest), platform).unwrap();
                assert_eq!(self::release(&image), release);
                assert_eq!(image.manifest_digest.unwrap().to_string(), digest);
            }
        }
    }
    let none = layout.fails(Some("newest"), None);
    assert_eq!(
        none,
        "there is no `newest` in the image; there are old, new"
    );
    let zeros = format!("sha256:{}", "0".repeat(64));
    assert!(layout.fails(Some(&zeros), None).contains(&zeros));
    // Several names of one image are no question.
    layout.top(&[tagged(&old, "1"), tagged(&old, "1.0")]);
    let image = layout.read(None, None).unwrap();
    assert_eq!(
        (release(&image), image.repo_tags),
        ("3.10.4".into(), vec!["1".into(), "1.0".into()])
    );
    // A digest reaches into a nested index, past what this machine would run.
    let nested = layout.nest(&[layout.amd64.clone(), layout.arm64.clone()], "v1");
    layout.top(std::slice::from_ref(&nested));
    let inner = layout.arm64["digest"].as_str();
    assert_eq!(release(&layout.read(inner, None).unwrap()), "3.11.5");
    let own = nested["digest"].as_str();
    assert_eq!(
        release(&layout.read(own, Some("linux/arm64")).unwrap()),
        "3.11.5"
    );
    assert!(
        layout
            .fails(inner, Some("linux/amd64"))
            .contains("there is linux/arm64")
    );
}

/// What Docker has saved since it keeps images in containerd's store: its own
/// manifest names this machine's platform, the index all of them.
#[test]
fn an_index_beside_dockers_manifest_has_the_other_platforms() {
    let Some(layout) = Layout::new() else { return };
    let mut nested = layout.nest(&[layout.amd64.clone(), layout.arm64.clone()], "1");
    nested["annotations"]["io.containerd.image.name"] = "docker.io/library/two:1".into();
    layout.top(&[nested]);
    let image = layout.blob(&layout.amd64);
    let path = |one: &Value| {
        format!(
            "blobs/{}",
            one["digest"].as_str().unwrap().replace(':', "/")
        )
    };
    let layers: Vec<String> = image["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(path)
        .collect();
    let manifest = json!([{"Config": path(&image["config"]), "RepoTags": ["two:1"],
        "Layers": layers}]);
    fs::write(layout.dir.join("manifest.json"), manifest.to_string()).unwrap();
    let tar = layout.archive(&layout.dir.with_extension("tar"));
    let sources = || {
        let stream = fs::File::open(&tar).unwrap();
        [
            Source::Archive(tar.clone()),
            Source::Stream(Box::new(stream)),
        ]
    };
    for (platform, release, tag) in [
        ("linux/amd64", "3.10.4", "two:1"),
        ("linux/arm64", "3.11.5", "docker.io/library/two:1"),
    ] {
        for source in sources() {
            let image = read(source, Some(platform)).unwrap();
            assert_eq!(self::release(&image), release);
            assert_eq!(image.repo_tags, [tag]);
        }
    }
    for source in sources() {
        let error = read(source, Some("linux/s390x")).unwrap_err().to_string();
        assert!(
            error.contains("there are linux/amd64, linux/arm64"),
            "{error}"
        );
    }
}

#[test]
fn an_index_that_is_wrong_is_refused() {
    let Some(layout) = Layout::new() else { return };
    // Deeper than any real one.
    let mut deep = layout.amd64.clone();
    for _ in 0..8 {
        deep = layout.nest(&[deep], "deep");
    }
    layout.top(&[deep]);
    let error = layout.fails(None, None);
    assert!(error.contains("the depth of image indexes"), "{error}");
    // Empty ones.
    let empty = layout.nest(&[], "empty");
    for top in [vec![], vec![empty]] {
        layout.top(&top);
        let error = layout.fails(None, None);
        assert!(error.ends_with("there is nothing"), "{error}");
    }
    fs::write(layout.dir.join("index.json"), r#"{"manifests": null}"#).unwrap();
    assert!(layout.fails(None, None).ends_with("there is nothing"));
    // A digest that would climb out, and one of another kind.
    for bad in [
        "sha256:../../../etc/passwd",
        "../../etc/passwd",
        "sha512:00",
        "",
    ] {
        let mut descriptor = layout.amd64.clone();
        descriptor["digest"] = bad.into();
        layout.top(&[descriptor]);
        let error = layout.read(None, None).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{bad}: {error}");
    }
    // The manifest is not there; then it is there and is another one.
    layout.top(std::slice::from_ref(&layout.amd64));
    let digest = layout.amd64["digest"].as_str().unwrap();
    let path = layout.dir.join("blobs").join(digest.replace(':', "/"));
    let whole = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let error = layout.read(None, None).unwrap_err();
    assert!(matches!(error, Error::Missing(_)), "{error}");
    fs::write(&path, [whole.as_slice(), b"\n"].concat()).unwrap();
    let error = layout.read(None, None).unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error}");
    fs::write(&path, &whole).unwrap();
    layout.read(None, None).unwrap();
    // The index promises what the configuration denies.
    let mut lie = layout.amd64.clone();
    lie["platform"]["architecture"] = "arm64".into();
    layout.top(&[lie]);
    let error = layout.fails(None, Some("linux/arm64"));
    assert!(error.contains("there is linux/amd64"), "{error}");
}
