//! `site-packages` as pip and setuptools make it, against
//! `importlib.metadata` and Syft.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use super::{asked, find, of_kind, purls, rows};
use crate::support::{gaps, have, have_modules, run, syft, tree, write};

/// Name, version and files of each package in a folder; what each asks for and
/// is there, unless a marker says no.
const LIST: &str = r#"
import importlib.metadata as m, os, re, sys
root, folder = sys.argv[1:]
plain = lambda name: re.sub("[-_.]+", "-", name).lower()
all = [one for one in m.distributions(path=[folder])]
there = {plain(one.metadata["Name"]): one for one in all}
for one in all:
    print(one.metadata["Name"], one.version, sep="\t")
    for file in one.files or []:
        file = os.path.relpath(os.path.normpath(file.locate()), root)
        if not file.startswith(".."):
            print(one.metadata["Name"], "has", file, sep="\t")
    for line in one.requires or []:
        name = plain(re.match("[A-Za-z0-9._-]+", line)[0])
        if name in there and there[name] is not one:
            found = there[name].metadata["Name"] + " " + there[name].version
            print(one.metadata["Name"], "asks for", found, sep="\t")
"#;

/// What Python says of the packages of a folder, against what we say: the
/// number of packages.
fn compare(root: &Path, folder: &Path) -> usize {
    let mut python = Command::new("python3");
    let said = run(python.args(["-c", LIST]).arg(root).arg(folder));
    let theirs: BTreeSet<String> = said.lines().map(str::to_owned).collect();
    let inventory = tree(root);
    // Wheels bring bills of materials along (PEP 770), not all of them whole.
    let mut gaps = gaps(&inventory);
    gaps.retain(|gap| !gap.contains(".dist-info/sboms/"));
    assert_eq!(gaps, Vec::<String>::new());
    let inside = folder.strip_prefix(root).unwrap().to_str().unwrap();
    let ours: BTreeSet<String> = of_kind(&inventory, "pypi")
        .into_iter()
        // Packages bring copies of others along, which Python does not see.
        .filter(|one| {
            let path = one.origin.path.strip_prefix(inside).unwrap();
            let depth = path.trim_start_matches('/').matches('/').count();
            depth == usize::from(!path.ends_with(".egg-info"))
        })
        .flat_map(|one| {
            let files = one.files.iter().map(|file| format!("{}\thas\t{file}", one.name));
            let asked = asked(one).into_iter();
            let asked = asked.map(|it| format!("{}\tasks for\t{it}", one.name));
            let own = format!("{}\t{}", one.name, one.version);
            files.chain(asked).chain([own]).collect::<Vec<_>>()
        })
        .collect();
    let differences: Vec<&String> = ours.symmetric_difference(&theirs).collect();
    assert_eq!(differences, Vec::<&String>::new());
    theirs
        .iter()
        .filter(|row| row.matches('\t').count() == 1)
        .count()
}

/// A project that pip can build, as it stands.
fn project(dir: &Path, metadata: &str) {
    let backend = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/installed/backend.py");
    fs::create_dir_all(dir).unwrap();
    fs::copy(backend, dir.join("backend.py")).unwrap();
    let system = "[build-system]\nrequires = []\nbuild-backend = \"backend\"\n\
        backend-path = [\".\"]\n";
    write(dir, "pyproject.toml", system);
    write(
        dir,
        "METADATA",
        format!("Metadata-Version: 2.1\n{metadata}"),
    );
}

fn pip(folder: &Path, what: &str) {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]);
    pip.args([
        "--disable-pip-version-check",
        "--root-user-action=ignore",
        "--target",
    ]);
    run(pip.arg(folder).arg(what));
}

#[test]
fn site_packages_are_those_of_pip() {
    if !have(&["python3", "git", "syft", "jq"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let root = work.path().canonicalize().unwrap().join("root");
    let folder = root.join("usr/lib/python3/site-packages");
    let projects = work.path().join("projects");
    let one = projects.join("one");
    project(
        &one,
        "Name: Some.Thing_Else\nVersion: 1.0.post1\nLicense-Expression: MIT OR Apache-2.0\n\
         Requires-Dist: two_2 (>=1)\nRequires-Dist: three[x]>2 ; extra == 'more'\n\
         Requires-Dist: absent; python_version < '3'\n\nRequires-Dist: two\nReadme: x\n",
    );
    let two = projects.join("two");
    project(
        &two,
        "Name: Two-2\nVersion: 1!2.0+local.1\nLicense: BSD\n\
         Classifier: License :: OSI Approved :: BSD License\n",
    );
    let three = projects.join("three");
    project(
        &three,
        "Name: three\nVersion: 3\nLicense: a text\n        of two lines\n\
         Classifier: License :: OSI Approved :: MIT License\nRequires-Dist: some-thing.else\n",
    );
    let git = |arguments: &[&str]| {
        let settings = ["-c", "user.name=x", "-c", "user.email=x@x", "-C"];
        run(Command::new("git").args(settings).arg(&two).args(arguments))
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "x"]);
    let commit = git(&["rev-parse", "HEAD"]);
    let wheels = work.path().join("wheels");
    let mut wheel = Command::new("python3");
    wheel.args(["-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps"]);
    run(wheel.args([
        "--wheel-dir".as_ref(),
        wheels.as_os_str(),
        three.as_os_str(),
    ]));
    pip(&folder, one.to_str().unwrap());
    pip(&folder, &format!("git+file://{}", two.display()));
    let three = wheels.join("three-3-py3-none-any.whl");
    pip(&folder, three.to_str().unwrap());

    let inventory = tree(&root);
    let two = find(&inventory, "Two-2", "1!2.0+local.1");
    let url = format!(
        "git+file://{}@{}",
        projects.join("two").display(),
        commit.trim()
    );
    assert!(
        two.purl
            .replace("%2F", "/")
            .replace("%2B", "+")
            .ends_with(&format!("?vcs_url={}", url.replace('@', "%40"))),
        "{}",
        two.purl
    );
    let three = find(&inventory, "three", "3");
    let sum = run(Command::new("sha256sum").arg(wheels.join("three-3-py3-none-any.whl")));
    let hash = three.hashes.first().unwrap();
    assert_eq!(hash.hex, sum.split(' ').next().unwrap());
    let licenses = |name: &str, version: &str| find(&inventory, name, version).licenses.clone();
    assert_eq!(
        licenses("Some.Thing_Else", "1.0.post1"),
        ["MIT OR Apache-2.0"]
    );
    assert_eq!(licenses("Two-2", "1!2.0+local.1"), ["BSD"]);
    assert_eq!(licenses("three", "3"), ["MIT License"]);
    assert_eq!(compare(&root, &folder), 3);
    // Syft writes a dash for a dot too, which the type's definition does not.
    let plain = |purls: Vec<String>| -> BTreeSet<String> {
        let one = |purl: &String| {
            let (name, rest) = purl.split_once('@').unwrap();
            format!("{}@{rest}", name.replace('.', "-"))
        };
        purls.iter().map(one).collect()
    };
    assert_eq!(
        plain(purls(&inventory, "pypi")),
        plain(syft(&root, "python"))
    );
}

/// The packages of this machine's own Python, whatever they are.
#[test]
fn site_packages_are_those_of_python() {
    if !have(&["python3"]) {
        return;
    }
    let script = "import importlib.metadata as m; print(m.distribution('pip').locate_file(''))";
    let folder = run(Command::new("python3").args(["-c", script]));
    let folder = Path::new(folder.trim()).canonicalize().unwrap();
    assert!(compare(&folder, &folder) >= 1);
}

/// Eggs and egg-info of a project with setuptools, against
/// `importlib.metadata`, which reads them one by one.
#[test]
fn eggs_are_those_of_setuptools() {
    if !have(&["python3", "unzip"]) || !have_modules("setuptools") {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let root = work.path().join("root");
    let project = work.path().join("project");
    write(
        &project,
        "setup.py",
        "from setuptools import setup\nsetup(name='Egg_Like', version='1.2', license='MIT',\n\
         py_modules=['m'], install_requires=['other>=1'], extras_require={'x': ['more']})\n",
    );
    write(&project, "m.py", "");
    let setup = |arguments: &[&str]| {
        let mut python = Command::new("python3");
        run(python
            .arg("setup.py")
            .args(["-q"])
            .args(arguments)
            .current_dir(&project))
    };
    setup(&["bdist_egg"]);
    let egg = fs::read_dir(project.join("dist"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let name = egg.file_name().into_string().unwrap();
    fs::create_dir_all(root.join("zipped")).unwrap();
    fs::copy(egg.path(), root.join("zipped").join(&name)).unwrap();
    let unzipped = root.join("unzipped").join(&name);
    fs::create_dir_all(&unzipped).unwrap();
    run(Command::new("unzip")
        .arg("-q")
        .arg(egg.path())
        .arg("-d")
        .arg(&unzipped));
    fs::create_dir_all(root.join("info")).unwrap();
    setup(&[
        "egg_info",
        "--egg-base",
        root.join("info").to_str().unwrap(),
    ]);
    write(
        &root,
        "info/other-3.dist-info/METADATA",
        "Name: other\nVersion: 3\n",
    );

    let inventory = tree(&root);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let mut found = Vec::new();
    for one in of_kind(&inventory, "pypi") {
        if one.name == "other" {
            continue;
        }
        let place = match one.origin.path.as_str() {
            path if path.starts_with("info") => root.join("info"),
            path if path.starts_with("zipped") => root.join(path),
            _ => unzipped.clone(),
        };
        let script = "import importlib.metadata as m, sys
one = next(d for d in m.distributions(path=[sys.argv[1]]) if d.version == '1.2')
print(one.metadata['Name'], one.version, one.metadata['License'])";
        let said = run(Command::new("python3").args(["-c", script]).arg(place));
        let (name, version) = (&one.name, &one.version);
        assert_eq!(
            format!("{name} {version} {}", one.licenses.join(" ")),
            said.trim()
        );
        assert_eq!(asked(one).into_iter().collect::<Vec<_>>(), ["other 3"]);
        found.push(one.origin.path.clone());
    }
    assert_eq!(
        found,
        [
            "info/Egg_Like.egg-info/PKG-INFO".to_owned(),
            format!("unzipped/{name}/EGG-INFO/PKG-INFO"),
            format!("zipped/{name}"),
        ]
    );
}

/// Archives that no tool writes, made by Python's `zipfile`.
#[test]
fn hostile_eggs_are_refused() {
    if !have(&["python3"]) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let script = r#"
import sys, zipfile
from pathlib import Path
root = Path(sys.argv[1])
def egg(name, info, more=()):
    with zipfile.ZipFile(root / name, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("EGG-INFO/PKG-INFO", info)
        for path, text in more:
            archive.writestr(path, text)
egg("good-1-py3.11.egg", "Name: good\nVersion: 1\n")
egg("bomb-2-py3.11.egg", b"\0" * (64 << 20))
egg("other-3-py3.11.egg", "Name: other\nVersion: 3\n", [("EGG-INFO/requires.txt", "x\n" * 100000)])
data = (root / "good-1-py3.11.egg").read_bytes()
at, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
twice = data[at:end] + data[at:end].replace(b"PKG-INFO", b"PKG-INFX")
tail = bytearray(data[end:])
tail[8:12] = (2).to_bytes(2, "little") * 2
tail[12:16] = len(twice).to_bytes(4, "little")
(root / "twice-4-py3.11.egg").write_bytes(data[:at] + twice + tail)
(root / "cut-5-py3.11.egg").write_bytes(data[:-30])
(root / "text-6.egg").write_text("an egg")
"#;
    run(Command::new("python3").args(["-c", script]).arg(root));
    let inventory = tree(root);
    let rows: Vec<String> = rows(&inventory, "pypi").into_iter().collect();
    assert!(rows.contains(&"good 1".to_owned()), "{rows:?}");
    assert!(rows.contains(&"other 3".to_owned()), "{rows:?}");
    let gaps = gaps(&inventory).join("\n");
    for file in [
        "bomb-2-py3.11.egg",
        "cut-5-py3.11.egg",
        "text-6.egg",
        "other-3-py3.11.egg",
    ] {
        assert!(gaps.contains(file), "{file}: {gaps}");
    }
}

#[test]
fn what_is_damaged_hides_no_other() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let metadata = |folder: &str, text: &[u8]| {
        write(root, &format!("lib/{folder}/METADATA"), text);
    };
    metadata("good-1.dist-info", b"Name: good\nVersion: 1\n");
    metadata("empty-2.0.dist-info", b"");
    metadata("none.dist-info", b"\xFF\xFE\0");
    metadata(
        "latin-3.dist-info",
        b"Name: latin\nVersion: 3\nAuthor: M\xFCller\n",
    );
    metadata("~gone-1.dist-info", b"");
    let many = "Requires-Dist: x\n".repeat(300_000);
    metadata(
        "many-4.dist-info",
        format!("Name: many\nVersion: 4\n{many}").as_bytes(),
    );
    let long = "x".repeat(5000);
    metadata(
        "long-5.dist-info",
        format!("Name: {long}\nVersion: 5\n").as_bytes(),
    );
    write(root, "lib/good-1.dist-info/direct_url.json", "{");
    write(
        root,
        "lib/good-1.dist-info/RECORD",
        "../../x,,\n../y,,\n/z,,\n\"\"\"\n",
    );
    let inventory = tree(root);
    assert_eq!(
        rows(&inventory, "pypi").into_iter().collect::<Vec<_>>(),
        ["empty 2.0", "good 1", "latin 3", "many 4"]
    );
    assert_eq!(
        gaps(&inventory),
        [
            "damaged lib/empty-2.0.dist-info/METADATA: it has no name or no version: the name of \
             its folder has to do",
            "damaged lib/good-1.dist-info/direct_url.json: it is no JSON of its kind: EOF while \
             parsing an object at line 1 column 1",
            "damaged lib/long-5.dist-info/METADATA: a package's name or version is no such thing",
            "damaged lib/none.dist-info/METADATA: it has no name or no version",
            "limit lib/many-4.dist-info/METADATA: a package has more than 5000 requirements",
        ]
    );
    let files: Vec<&str> = find(&inventory, "good", "1").files.iter().collect();
    assert_eq!(files, ["y", "z", "lib/\""]);
}
