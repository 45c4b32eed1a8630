//! `node_modules` as npm makes it, against `npm ls` and Syft.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{asked, find, of_kind, purls};
use crate::support::{gaps, have, run, syft, tree, write};

/// A registry on the loopback, ended with it.
struct Registry(Child, String);

impl Registry {
    /// Serves the packages `name@version` with the rest of each manifest.
    fn new(dir: &Path, packages: &[(&str, &str, &str)]) -> Self {
        for (name, version, rest) in packages {
            let folder = format!("{}-{version}", name.replace(['@', '/'], "-"));
            let manifest = format!(r#"{{"name":"{name}","version":"{version}"{rest}}}"#);
            write(dir, &format!("{folder}/package.json"), manifest);
            // What packages bring along beside their own manifest.
            write(
                dir,
                &format!("{folder}/dist/package.json"),
                r#"{"type":"module"}"#,
            );
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/installed/registry.js");
        let mut child = Command::new("node")
            .arg(script)
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut port).unwrap();
        Registry(child, format!("http://127.0.0.1:{}/", port.trim()))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

fn npm(dir: &Path, registry: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(dir);
    command.args(["--no-audit", "--no-fund", "--no-update-notifier"]);
    command.args(["--registry", registry]);
    command.args(["--cache".as_ref(), dir.join("../cache").as_os_str()]);
    run(&mut command)
}

/// One folder of `npm ls --long`: name, version, whether it is for development
/// only, and what it asks for.
type Listed = BTreeMap<PathBuf, (String, String, bool, BTreeSet<String>)>;

/// The `npm ls` of a project, flat: where packages are listed again below
/// others, npm leaves out what they ask for.
fn listed(dir: &Path, registry: &str) -> Listed {
    let mut all = list(dir, registry, &[]);
    let needed = list(dir, registry, &["--omit=dev"]);
    for (path, one) in &mut all {
        one.2 = !needed.contains_key(path);
    }
    all
}

fn list(dir: &Path, registry: &str, more: &[&str]) -> Listed {
    let arguments = [&["ls", "--all", "--json", "--long"], more].concat();
    let said = npm(dir, registry, &arguments);
    let file = dir.join("../ls.json");
    std::fs::write(&file, said).unwrap();
    let flat = r#"[.. | objects | select(has("path") and has("version"))]
        | .[] | [.path, .name, .version,
            ([(.dependencies // {})[] | select(has("version")) | .name + " " + .version] | join(","))]
        | @tsv"#;
    let said = run(Command::new("jq").args(["-r", flat]).arg(&file));
    let mut all = Listed::new();
    for line in said.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [path, name, version, asks] = fields.as_slice() else {
            panic!("{line}");
        };
        let asks = asks.split(',').filter(|one| !one.is_empty());
        let asks: BTreeSet<String> = asks.map(str::to_owned).collect();
        let path = Path::new(path).strip_prefix(dir.canonicalize().unwrap());
        let one = (name.to_string(), version.to_string(), false, asks);
        let slot = all.entry(path.unwrap().to_owned());
        let kept = slot.or_insert_with(|| one.clone());
        if kept.3.is_empty() {
            kept.3 = one.3;
        }
    }
    all.remove(Path::new(""));
    all
}

#[test]
fn node_modules_are_those_of_npm() {
    if !have(&["npm", "node", "tar", "jq", "syft"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let registry = Registry::new(
        &work.path().join("packages"),
        &[
            (
                "one",
                "1.0.0",
                r#","license":"MIT","dependencies":{"two":"^1.0.0","@s/three":"1"}"#,
            ),
            (
                "two",
                "1.2.0",
                r#","licenses":[{"type":"BSD-3-Clause","url":"x"},{"type":"MIT"}]"#,
            ),
            ("two", "2.0.0-rc.1", r#","license":{"type":"ISC"}"#),
            (
                "@s/three",
                "1.0.0",
                r#","dependencies":{"two":"2.0.0-rc.1"},"optionalDependencies":{"absent":"1"}"#,
            ),
            ("four", "4.0.0", r#","peerDependencies":{"one":"1"}"#),
            (
                "tool",
                "0.1.0",
                r#","dependencies":{"two":"^1.0.0","deep":"1"}"#,
            ),
            ("deep", "1.0.0+build.5", r#","dependencies":{"tool":"0"}"#),
        ],
    );
    let app = work.path().join("root/srv/app");
    write(
        &app,
        "package.json",
        r#"{"name":"app","version":"1.0.0","license":"UNLICENSED",
            "dependencies":{"one":"1","four":"4","other-name":"npm:two@1"},
            "devDependencies":{"tool":"0"}}"#,
    );
    npm(&app, &registry.1, &["install"]);
    // A copy that a package brings along, and test data of it.
    write(
        &app,
        "node_modules/one/vendor/copy/package.json",
        r#"{"name":"copied","version":"7.0.0"}"#,
    );
    write(
        &app,
        "node_modules/one/test/package.json",
        r#"{"name":"fixture","version":"0.1.0","private":true}"#,
    );
    write(&app, "node_modules/one/test/bad/package.json", "{");

    let root = work.path().join("root");
    let inventory = tree(&root);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let ours: Listed = of_kind(&inventory, "npm")
        .into_iter()
        .filter(|one| one.name != "copied")
        .map(|one| {
            let path = Path::new(&one.origin.path).parent().unwrap();
            let path = path.strip_prefix("srv/app").unwrap().to_owned();
            let (name, version) = (one.name.clone(), one.version.clone());
            (path, (name, version, one.relation.development, asked(one)))
        })
        .collect();
    let theirs = listed(&app, &registry.1);
    assert_eq!(ours, theirs);
    assert!(theirs.len() >= 8, "{theirs:?}");

    let one = find(&inventory, "one", "1.0.0");
    assert_eq!(
        (one.relation.direct, one.relation.development),
        (Some(true), false)
    );
    // What npm checked when it unpacked the archive.
    let lock = app.join("node_modules/.package-lock.json");
    let script = "const lock = JSON.parse(require('fs').readFileSync(process.argv[1]));
        const [, digest] = lock.packages['node_modules/one'].integrity.split('-');
        process.stdout.write(Buffer.from(digest, 'base64').toString('hex'))";
    let digest = run(Command::new("node").args(["-e", script]).arg(lock));
    assert_eq!(one.hashes[0].hex, digest);
    let three = find(&inventory, "@s/three", "1.0.0");
    assert_eq!(three.relation.direct, Some(false));
    assert_eq!(three.purl, "pkg:npm/%40s/three@1.0.0");
    let licenses = |name: &str, version: &str| find(&inventory, name, version).licenses.clone();
    assert_eq!(licenses("one", "1.0.0"), ["MIT"]);
    assert_eq!(licenses("two", "1.2.0"), ["BSD-3-Clause", "MIT"]);
    assert_eq!(licenses("two", "2.0.0-rc.1"), ["ISC"]);

    // Syft takes the project itself and the test data for packages.
    let ours: BTreeSet<String> = purls(&inventory, "npm").into_iter().collect();
    let theirs: BTreeSet<String> = syft(&root, "npm").into_iter().collect();
    let more: Vec<&String> = theirs.difference(&ours).collect();
    assert_eq!(more, ["pkg:npm/app@1.0.0", "pkg:npm/fixture@0.1.0"]);
    assert_eq!(ours.difference(&theirs).count(), 0);
}

/// pnpm's store, whose links say what serves what (see `data/make-installed`).
#[test]
fn a_store_serves_what_pnpm_linked() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/installed/pnpm");
    let inventory = tree(&data);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let mut ours = BTreeSet::new();
    for one in of_kind(&inventory, "npm") {
        for asked in asked(one) {
            let asked = asked.replace(' ', "@");
            ours.insert(format!("{}@{}\t{asked}", one.name, one.version));
        }
    }
    let listing = std::fs::read_to_string(data.join("listing.tsv")).unwrap();
    let theirs: BTreeSet<String> = listing.lines().map(str::to_owned).collect();
    assert_eq!(ours, theirs);
    assert_eq!(purls(&inventory, "npm").len(), 6);
}

/// The archives that Yarn 4 keeps: packages where its Plug'n'Play runs them.
#[test]
fn what_yarn_runs_from_archives_is_there() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/installed/yarn/.yarn/cache");
    let root = tempfile::tempdir().unwrap();
    let cache = root.path().join("app/.yarn/cache");
    std::fs::create_dir_all(&cache).unwrap();
    for file in std::fs::read_dir(data).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), cache.join(file.file_name())).unwrap();
    }
    write(&cache, "cut-npm-1.0.0.zip", "PK\x03\x04");
    assert_eq!(purls(&tree(root.path()), "npm"), Vec::<String>::new());
    write(root.path(), "app/.pnp.cjs", "");
    let inventory = tree(root.path());
    assert_eq!(
        purls(&inventory, "npm"),
        ["pkg:npm/%40s/two@2.0.0", "pkg:npm/one@1.0.0"]
    );
    let one = find(&inventory, "one", "1.0.0");
    assert_eq!(
        one.origin.inside.as_deref(),
        Some("node_modules/one/package.json")
    );
    assert_eq!(asked(one).into_iter().collect::<Vec<_>>(), ["@s/two 2.0.0"]);
    let gaps = gaps(&inventory).join("\n");
    assert!(gaps.contains("app/.yarn/cache/cut-npm-1.0.0.zip"), "{gaps}");
}
