//! Targets with many old packages, drawn from the advisories' own bounds and
//! written by real tools or in the shape that those write.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use super::{feed::Feed, programs::run};

/// A docker-archive, as `docker save` writes it, of plain layers.
fn archive(dir: &Path, layers: &[PathBuf]) -> PathBuf {
    let digests: Vec<String> = layers
        .iter()
        .map(|layer| {
            let said = run(Command::new("sha256sum").arg(layer));
            let said = String::from_utf8(said).unwrap();
            said.split_whitespace().next().unwrap().to_owned()
        })
        .collect();
    let diff_ids: Vec<String> = digests.iter().map(|hex| format!("sha256:{hex}")).collect();
    let history: Vec<Value> = digests
        .iter()
        .map(|hex| json!({"created_by": format!("/bin/sh -c #(nop) ADD file:{hex} in / ")}))
        .collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {}, "history": history,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let parts = dir.join("parts");
    fs::create_dir_all(&parts).unwrap();
    fs::write(parts.join("config.json"), config.to_string()).unwrap();
    let mut names = Vec::new();
    for (hex, layer) in digests.iter().zip(layers) {
        fs::create_dir(parts.join(hex)).unwrap();
        fs::rename(layer, parts.join(hex).join("layer.tar")).unwrap();
        names.push(format!("{hex}/layer.tar"));
    }
    let manifest = json!([
        {"Config": "config.json", "RepoTags": ["compared:latest"], "Layers": names},
    ]);
    fs::write(parts.join("manifest.json"), manifest.to_string()).unwrap();
    let image = dir.join("image.tar");
    run(Command::new("tar")
        .arg("-cf")
        .arg(&image)
        .arg("-C")
        .arg(&parts)
        .args(["manifest.json", "config.json"])
        .args(names));
    image
}

fn tar_of(root: &Path, layer: &Path) {
    run(Command::new("tar")
        .args(["--sort=name", "--mtime=@0", "-cf"])
        .arg(layer)
        .arg("-C")
        .arg(root)
        .arg("."));
}

/// A real image's archive without its compression (osv-scanner reads no other).
pub(crate) fn plain(image: &Path, dir: &Path) -> PathBuf {
    let path = dir.join("image.tar");
    fs::write(&path, run(Command::new("gzip").arg("-dc").arg(image))).unwrap();
    path
}

/// A real Alpine image under a layer that takes its packages back to older
/// versions and adds one of every other package that has an advisory.
pub(crate) fn older_alpine(image: &Path, release: &str, feed: &Feed, dir: &Path) -> PathBuf {
    let base = dir.join("base");
    fs::create_dir(&base).unwrap();
    run(Command::new("tar")
        .arg("-xzf")
        .arg(image)
        .arg("-C")
        .arg(&base));
    let base = fs::read_dir(&base)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("layer.tar"))
        .find(|layer| layer.exists())
        .unwrap();
    let installed = "lib/apk/db/installed";
    let text = run(Command::new("tar").arg("-xOf").arg(&base).arg(installed));
    let text = String::from_utf8(text).unwrap();

    let mut drawn: BTreeMap<String, String> = feed
        .draw(&format!("Alpine:{release}"), 0)
        .into_iter()
        .collect();
    let mut older = String::new();
    let mut here = BTreeSet::new();
    for stanza in text.split_terminator("\n\n") {
        let origin = stanza.lines().find_map(|line| line.strip_prefix("o:"));
        let version = origin.and_then(|origin| drawn.get(origin));
        here.extend(origin.map(str::to_owned));
        for line in stanza.lines() {
            match version.filter(|_| line.starts_with("V:")) {
                Some(version) => writeln!(older, "V:{version}").unwrap(),
                None => writeln!(older, "{line}").unwrap(),
            }
        }
        older.push('\n');
    }
    drawn.retain(|name, _| !here.contains(name));
    for (index, (origin, version)) in drawn.iter().enumerate() {
        // Two of three bear another name than what they were built from.
        let name = match index % 3 {
            0 => origin.clone(),
            1 => format!("{origin}-libs"),
            _ => format!("lib{origin}"),
        };
        write!(
            older,
            "C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:{name}\nV:{version}\nA:x86_64\nS:1\nI:4096\n\
             T:{name}\nU:https://example.org\nL:MIT\no:{origin}\nt:1559000000\n\n"
        )
        .unwrap();
    }
    let root = dir.join("root");
    fs::create_dir_all(root.join("lib/apk/db")).unwrap();
    fs::write(root.join(installed), older).unwrap();
    let layer = dir.join("older.tar");
    tar_of(&root, &layer);
    archive(dir, &[base, layer])
}

/// A Debian system with one old package of every source that has an advisory
/// for the release. dpkg-query reads it as it is meant: source package, source
/// version and state of each.
pub(crate) fn old_debian(release: &str, feed: &Feed, dir: &Path) -> PathBuf {
    let root = dir.join("root");
    let os = format!(
        "PRETTY_NAME=\"Debian GNU/Linux {release}\"\nNAME=\"Debian GNU/Linux\"\n\
         VERSION_ID=\"{release}\"\nID=debian\n"
    );
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
    fs::write(root.join("etc/os-release"), os).unwrap();
    let mut status = String::new();
    let mut meant = BTreeSet::new();
    for (index, (source, version)) in feed
        .draw(&format!("Debian:{release}"), 0)
        .into_iter()
        .enumerate()
    {
        // As real binaries stand to their source: bearing its name; another;
        // built once more without a change of the source; with a version of
        // their own, higher or lower; for every architecture.
        let with_version = format!("{source} ({version})");
        let (name, own, field) = match index % 6 {
            0 => (source.clone(), version.clone(), None),
            1 => (format!("lib{source}1"), version.clone(), Some(&source)),
            2 => {
                let own = format!("{version}+b1");
                (format!("lib{source}1"), own, Some(&with_version))
            }
            3 => {
                let own = format!("9:{index}.0-1");
                (format!("{source}-data"), own, Some(&with_version))
            }
            4 => (format!("{source}-doc"), version.clone(), Some(&source)),
            _ => (
                format!("{source}-bin"),
                "0.1-1".to_owned(),
                Some(&with_version),
            ),
        };
        // Some were removed again, but for their settings.
        let state = if index % 40 == 24 {
            "deinstall ok config-files"
        } else {
            "install ok installed"
        };
        let architecture = if index % 6 == 4 { "all" } else { "amd64" };
        writeln!(
            status,
            "Package: {name}\nStatus: {state}\nPriority: optional\nSection: misc\n\
             Maintainer: Nobody <nobody@example.org>\nArchitecture: {architecture}"
        )
        .unwrap();
        if let Some(field) = field {
            writeln!(status, "Source: {field}").unwrap();
        }
        writeln!(status, "Version: {own}\nDescription: {name}\n").unwrap();
        let word = state.rsplit(' ').next().unwrap();
        meant.insert(format!("{name}\t{own}\t{source}\t{version}\t{word}"));
    }
    fs::write(root.join("var/lib/dpkg/status"), status).unwrap();
    let read = run(Command::new("dpkg-query")
        .arg(format!("--admindir={}/var/lib/dpkg", root.display()))
        .args(["-W", "-f"])
        .arg(
            "${Package}\t${Version}\t${source:Package}\t${source:Version}\t\
             ${db:Status-Status}\n",
        ));
    let read = String::from_utf8(read).unwrap();
    assert_eq!(
        read.lines().map(str::to_owned).collect::<BTreeSet<_>>(),
        meant
    );
    let layer = dir.join("layer.tar");
    tar_of(&root, &layer);
    archive(dir, &[layer])
}

/// A go.mod of every module with an advisory that may stand in one, with what
/// go.mod files have beside plain requirements.
pub(crate) fn go_mod(feed: &Feed, go: &str, turn: usize) -> String {
    let mut text = format!("module example.org/compared\n\n{go}\n\nrequire (\n");
    let mut replaced = String::new();
    let mut index = 0;
    for (name, version) in feed.draw("Go", turn) {
        if matches!(name.as_str(), "stdlib" | "toolchain") {
            continue;
        }
        let Some(version) = module_version(&name, &version) else {
            continue;
        };
        index += 1;
        // Every fifth is between two releases, where there is an order of
        // those: after the one drawn.
        let version = match version.strip_suffix("+incompatible") {
            None if index % 5 == 0 && !version.contains('-') => pseudo(&version),
            _ => version,
        };
        let comment = if index % 2 == 0 { " // indirect" } else { "" };
        writeln!(text, "\t{name} {version}{comment}").unwrap();
        match index % 60 {
            7 => writeln!(replaced, "replace {name} => ../{index}").unwrap(),
            17 => writeln!(replaced, "replace {name} => {name} {}", pseudo(&version)).unwrap(),
            27 => writeln!(
                replaced,
                "replace {name} {version} => github.com/gin-gonic/gin v1.{index}.0"
            )
            .unwrap(),
            // Another version than the one required: nothing is replaced.
            37 => writeln!(
                replaced,
                "replace {name} {} => ../{index}",
                pseudo(&version)
            )
            .unwrap(),
            47 => writeln!(replaced, "exclude {name} {}", pseudo(&version)).unwrap(),
            _ => {}
        }
    }
    text + ")\n\n" + &replaced
}

/// The version as a go.mod has it for this path; `None` where the path's major
/// version is another.
fn module_version(name: &str, version: &str) -> Option<String> {
    let core = version.split(['-', '+']).next()?;
    let numbers: Vec<&str> = core.split('.').collect();
    let plain = |number: &&str| {
        !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && (number.len() == 1 || !number.starts_with('0'))
    };
    if numbers.len() != 3 || !numbers.iter().all(plain) || !name.contains('.') {
        return None;
    }
    // A pseudo-version of the records may be one that no module has.
    if version.contains('-') && version.split('-').count() > 2 {
        return None;
    }
    let major: u64 = numbers[0].parse().ok()?;
    let last = name.rsplit('/').next()?;
    let of_path: Option<u64> = last.strip_prefix('v').and_then(|rest| rest.parse().ok());
    let yaml: Option<u64> = last
        .rsplit_once(".v")
        .and_then(|(_, rest)| rest.parse().ok());
    let version = version.strip_suffix("+incompatible").unwrap_or(version);
    match (name.starts_with("gopkg.in/"), of_path, yaml) {
        (true, _, Some(own)) => (own == major).then(|| format!("v{version}")),
        (true, ..) => None,
        (_, Some(own), _) if own >= 2 => (own == major).then(|| format!("v{version}")),
        _ if major >= 2 => Some(format!("v{version}+incompatible")),
        _ => Some(format!("v{version}")),
    }
}

/// A commit after a release: `v1.2.4-0.20200102030405-0123456789ab`.
fn pseudo(version: &str) -> String {
    let (core, end) = match version.split_once('+') {
        Some((core, end)) => (core, format!("+{end}")),
        None => (version, String::new()),
    };
    match core.split_once('-') {
        Some((core, before)) => {
            format!("{core}-{before}.0.20200102030405-0123456789ab{end}")
        }
        None => {
            let (front, patch) = core.rsplit_once('.').unwrap();
            let next = patch.parse::<u64>().unwrap() + 1;
            format!("{front}.{next}-0.20200102030405-0123456789ab{end}")
        }
    }
}

/// The sums of modules that a go.mod of old times does not name.
pub(crate) fn go_sum(feed: &Feed, turn: usize) -> String {
    let mut text = String::new();
    let hash = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for (name, version) in feed.draw("Go", turn).into_iter().step_by(25) {
        if let Some(version) = module_version(&name, &version) {
            writeln!(
                text,
                "{name} {version} {hash}\n{name} {version}/go.mod {hash}"
            )
            .unwrap();
        }
    }
    text
}

/// What follows a requirement that names no single version.
const OPEN: &str = "  # open";

/// The packages of which a requirement names no single version, or, of the
/// included file, all.
pub(crate) fn named(requirements: &str, is_included: bool) -> BTreeSet<String> {
    requirements
        .lines()
        .filter_map(|line| {
            if is_included {
                Some(line)
            } else {
                line.strip_suffix(OPEN)
            }
        })
        .filter_map(|line| line.split(['>', '~', '=']).next())
        .map(|name| name.to_lowercase().replace(['_', '.'], "-"))
        .collect()
}

/// What a requirements.txt includes under a name of its own.
pub(crate) const INCLUDED: &str = "more.txt";

/// A requirements.txt of every package with an advisory, in the many ways of
/// writing one, and a file that it includes.
pub(crate) fn requirements(feed: &Feed) -> (String, String) {
    let mut text = format!("# compared\n-r {INCLUDED}\n--index-url https://example.org/simple\n\n");
    let mut included = String::new();
    let hash = format!("--hash=sha256:{:064}", 0);
    for (index, (name, version)) in feed.draw("PyPI", 0).into_iter().enumerate() {
        let pin = format!("{name}=={version}");
        let line = match index % 24 {
            1 | 13 => format!("{name} == {version}"),
            2 | 14 => format!("{}=={version}  # via something", other_spelling(&name)),
            3 | 15 => format!("{pin} ; python_version >= \"3.6\""),
            4 | 16 => format!("{name}[extra]=={version}"),
            5 | 17 => format!("{pin} \\\n    {hash} \\\n    {hash}"),
            6 => format!("{name}>={version}{OPEN}"),
            7 => format!("{name}~={version}{OPEN}"),
            8 => format!("{name}{OPEN}"),
            9 => format!("{name}==={version}"),
            10 => {
                writeln!(included, "{pin}").unwrap();
                continue;
            }
            _ => pin,
        };
        writeln!(text, "{line}").unwrap();
    }
    (text, included)
}

/// Another spelling of the same name of PyPI.
fn other_spelling(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first
        .into_iter()
        .chain(letters)
        .map(|letter| if letter == '-' { '_' } else { letter })
        .collect()
}

pub(crate) fn poetry_lock(feed: &Feed) -> String {
    let mut text = String::from(
        "# This file is automatically @generated by Poetry 1.8.3 and should not be changed by hand.\n\n",
    );
    for (name, version) in feed.draw("PyPI", 1) {
        let version = json!(version);
        write!(
            text,
            "[[package]]\nname = {name:?}\nversion = {version}\ndescription = \"\"\noptional = false\n\
             python-versions = \">=3.6\"\nfiles = []\n\n"
        )
        .unwrap();
    }
    text + "[metadata]\nlock-version = \"2.0\"\npython-versions = \">=3.8\"\ncontent-hash = \"00\"\n"
}

pub(crate) fn uv_lock(feed: &Feed) -> String {
    let mut text = String::from("version = 1\nrequires-python = \">=3.8\"\n\n");
    text +=
        "[[package]]\nname = \"compared\"\nversion = \"0.1.0\"\nsource = { virtual = \".\" }\n\n";
    for (name, version) in feed.draw("PyPI", 2) {
        let version = json!(version);
        write!(
            text,
            "[[package]]\nname = {name:?}\nversion = {version}\n\
             source = {{ registry = \"https://pypi.org/simple\" }}\n\n"
        )
        .unwrap();
    }
    text
}
