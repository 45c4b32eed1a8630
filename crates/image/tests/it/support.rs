//! An analyser that keeps files, and archives made by GNU tar.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use seawall_image::{
    Analyser, Body, Cache, Digest, Entry, Error, Image, Interest, Limits, Need, NoProgress,
    Options, Source, open,
};
pub(crate) use seawall_testkit::{shared, skip};

/// Keeps the content of a few files.
struct Keep;

impl Analyser for Keep {
    fn name(&self) -> &'static str {
        "keep"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Path("lib/apk/db/installed"),
            Interest::Path("usr/lib/apk/db/installed"),
            Interest::Path("etc/os-release"),
            Interest::Path("db/main"),
            Interest::Suffix(".keep"),
        ]
    }

    fn need(&self) -> Need {
        Need::Whole(1 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        match body {
            Body::Bytes(bytes) => Ok(Some(bytes.to_vec())),
            Body::File(..) => Err("not in memory".to_owned()),
        }
    }
}

pub(crate) static KEEP: &[&dyn Analyser] = &[&Keep];

pub(crate) fn read(source: Source, cache: Option<&Cache>) -> Result<Image, Error> {
    read_within(source, cache, Limits::default())
}

pub(crate) fn read_within(
    source: Source,
    cache: Option<&Cache>,
    limits: Limits,
) -> Result<Image, Error> {
    open(
        source,
        &Options {
            analysers: KEEP,
            platform: None,
            cache,
            limits,
            progress: &NoProgress,
        },
    )
}

/// Path and content of everything kept.
pub(crate) fn kept(image: &Image) -> Vec<(String, String)> {
    let files = image.view.files.iter();
    files
        .map(|one| {
            (
                one.path.clone(),
                String::from_utf8_lossy(&one.data).into_owned(),
            )
        })
        .collect()
}

pub(crate) fn run(program: &str, arguments: &[&str]) -> bool {
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            assert!(
                output.status.success(),
                "{program}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            true
        }
        Err(_) => {
            skip(&format!("there is no {program}"));
            false
        }
    }
}

/// A docker-archive of layers that are tar files.
pub(crate) fn archive(dir: &Path, layers: &[PathBuf]) -> PathBuf {
    let build = dir.join("build");
    let _ = fs::remove_dir_all(&build);
    fs::create_dir_all(&build).unwrap();
    let mut names = Vec::new();
    let mut ids = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let bytes = fs::read(layer).unwrap();
        ids.push(Digest::of(&bytes).to_string());
        let name = format!("{index}.tar");
        fs::write(build.join(&name), bytes).unwrap();
        names.push(name);
    }
    let config = serde_json::json!({"architecture": "amd64", "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": ids}, "history": []});
    fs::write(build.join("config.json"), config.to_string()).unwrap();
    let manifest =
        serde_json::json!([{"Config": "config.json", "RepoTags": ["t:1"], "Layers": names}]);
    fs::write(build.join("manifest.json"), manifest.to_string()).unwrap();
    let path = dir.join("image.tar");
    assert!(run(
        "tar",
        &[
            "-cf",
            path.to_str().unwrap(),
            "-C",
            build.to_str().unwrap(),
            "."
        ]
    ));
    path
}

/// Packs a folder with GNU tar.
pub(crate) fn pack(from: &Path, to: &Path, options: &[&str]) {
    let mut arguments = vec!["--sort=name", "--owner=0", "--group=0"];
    arguments.extend(options);
    arguments.extend([
        "-cf",
        to.to_str().unwrap(),
        "-C",
        from.to_str().unwrap(),
        ".",
    ]);
    assert!(run("tar", &arguments));
}
