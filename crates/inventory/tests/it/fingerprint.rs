//! Programs told by their bytes, against the packages that they come from and
//! against what they say of themselves.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use seawall_inventory::{Inventory, hostile};
use seawall_model::Technique;

use crate::support::{Random, gaps, have, run, tree, write};

/// Path, name and version of all programs that were told.
fn told(inventory: &Inventory) -> BTreeSet<(String, String, String)> {
    let told = inventory.packages.iter();
    told.filter(|one| one.technique == Technique::Fingerprint)
        .map(|one| {
            (
                one.origin.path.clone(),
                one.name.clone(),
                one.version.clone(),
            )
        })
        .collect()
}

/// Pieces of programs of Debian and npm (`data/make-fingerprints`), whose versions
/// their packages tell.
#[test]
fn programs_have_the_versions_of_their_packages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fingerprints");
    let expected = fs::read_to_string(root.join("expected.tsv")).unwrap();
    let expected: BTreeSet<_> = expected
        .lines()
        .map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            let mut next = || fields.next().unwrap();
            (next(), next(), next())
        })
        .collect();
    assert!(expected.len() > 70, "{}", expected.len());
    let told = told(&tree(&root));
    let missing: Vec<_> = expected.difference(&told).collect();
    let wrong: Vec<_> = told.difference(&expected).collect();
    assert!(
        missing.is_empty() && wrong.is_empty(),
        "{missing:?} {wrong:?}"
    );
}

/// The program that a command runs, and the libraries of its own project.
fn files(command: &str, library: &str) -> Vec<PathBuf> {
    // What is on PATH may be a script that picks one of several.
    let find = match command {
        "python3" => "readlink -f \"$(python3 -c 'import sys; print(sys.executable)')\"".to_owned(),
        _ => format!("readlink -f \"$(command -v {command})\""),
    };
    let program = run(Command::new("sh").args(["-c", &find]));
    let program = PathBuf::from(program.trim());
    let mut files = vec![program.clone()];
    if !library.is_empty() {
        let said = run(Command::new("ldd").arg(&program));
        let libraries = said.split_whitespace().filter(|word| {
            word.starts_with('/') && word.rsplit('/').next().unwrap().starts_with(library)
        });
        files.extend(libraries.map(|path| fs::canonicalize(path).unwrap()));
    }
    files
}

#[test]
fn live_programs_are_what_they_say_they_are() {
    for (command, argument, library, name) in [
        ("bash", "--version", "", "bash"),
        ("perl", "-v", "libperl", "perl"),
        ("python3", "--version", "libpython", "python"),
        ("node", "--version", "libnode", "node"),
        ("php", "--version", "", "php-cli"),
        ("ruby", "--version", "libruby", "ruby"),
        ("openssl", "version", "", "openssl"),
        ("curl", "--version", "", "curl"),
        ("gzip", "--version", "", "gzip"),
        ("git", "--version", "", "git"),
    ] {
        if !have(&[command]) {
            continue;
        }
        let root = tempfile::tempdir().unwrap();
        for file in files(command, library) {
            let inside = file.strip_prefix("/").unwrap().to_str().unwrap();
            write(root.path(), inside, fs::read(&file).unwrap());
        }
        let inventory = tree(root.path());
        let said = run(Command::new(command).arg(argument));
        let versions: Vec<_> = told(&inventory)
            .into_iter()
            .filter(|(_, own, _)| own == name)
            .map(|(_, _, version)| version)
            .collect();
        assert!(!versions.is_empty(), "{command}: {:?}", told(&inventory));
        for version in &versions {
            assert!(said.contains(version.as_str()), "{said}: {version}");
        }
    }
}

#[test]
fn a_toolchain_of_go_and_one_of_java_and_one_of_rust() {
    let root = tempfile::tempdir().unwrap();
    let mut expected = BTreeSet::new();
    if have(&["go"]) {
        let home = run(Command::new("go").args(["env", "GOROOT"]));
        for file in ["VERSION", "bin/go"] {
            let content = fs::read(Path::new(home.trim()).join(file)).unwrap();
            write(root.path(), &format!("usr/local/go/{file}"), content);
        }
        let said = run(Command::new("go").args(["env", "GOVERSION"]));
        // The program says what the file says, so it is not told twice.
        expected.insert((
            "usr/local/go/VERSION".to_owned(),
            "go".to_owned(),
            said.trim().trim_start_matches("go").to_owned(),
        ));
    }
    if have(&["java"]) {
        let said = "java -XshowSettings:properties -version 2>&1 |
            sed -n 's/^ *java.\\(home\\|runtime.version\\) = //p'";
        let said = run(Command::new("sh").args(["-c", said]));
        let (home, version) = said.trim().split_once('\n').unwrap();
        for file in ["release", "bin/java"] {
            let content = fs::read(Path::new(home).join(file)).unwrap();
            write(root.path(), &format!("opt/java/{file}"), &content);
            if file == "bin/java" {
                write(root.path(), &format!("opt/alone/{file}"), &content);
            }
        }
        for path in ["opt/java/release", "opt/alone/bin/java"] {
            let name = "oracle/openjdk".to_owned();
            expected.insert((path.to_owned(), name, version.to_owned()));
        }
    }
    if have(&["rustc"]) {
        let home = run(Command::new("rustc").args(["--print", "sysroot"]));
        let libraries = Path::new(home.trim()).join("lib/rustlib/x86_64-unknown-linux-gnu/lib");
        let library = fs::read_dir(libraries)
            .unwrap()
            .map(|one| one.unwrap().path());
        let library = { library }.find(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".so")
        });
        let library = library.unwrap();
        let name = library.file_name().unwrap().to_str().unwrap();
        let inside = format!("opt/rust/{name}");
        write(root.path(), &inside, fs::read(&library).unwrap());
        let said = run(Command::new("rustc").arg("--version"));
        let version = said.split_whitespace().nth(1).unwrap().to_owned();
        expected.insert((inside, "rust".to_owned(), version));
    }
    assert_eq!(told(&tree(root.path())), expected);
}

/// The header of a node that was taken out is no second node.
#[test]
fn a_header_speaks_only_where_its_program_is_silent() {
    let root = tempfile::tempdir().unwrap();
    let header = "#define NODE_MAJOR_VERSION 20\n#define NODE_MINOR_VERSION 1\n\
        #define NODE_PATCH_VERSION 2\n";
    write(root.path(), "a/include/node/node_version.h", header);
    write(root.path(), "a/bin/node", "\0node.js/v20.1.2\0");
    write(root.path(), "b/include/node/node_version.h", header);
    let paths: Vec<_> = told(&tree(root.path())).into_iter().collect();
    let of = |path: &str| (path.to_owned(), "node".to_owned(), "20.1.2".to_owned());
    assert_eq!(
        paths,
        [of("a/bin/node"), of("b/include/node/node_version.h")]
    );
}

#[test]
fn bytes_of_any_kind_come_to_an_end() {
    let names = [
        "usr/bin/node",
        "usr/bin/python3.11",
        "x/grafana",
        "x/envoy",
        "x/mongod",
        "x/redis-server",
        "x/java",
        "x/release",
        "x/mysql",
        "x/istio/pilot-agent",
        "x/haproxy",
        "x/ld-musl-x.so.1",
    ];
    let mut random = Random(11);
    for name in names {
        for _ in 0..40 {
            let words = [
                "\0v5.",
                "1.2.3\0",
                "envoy_quic_",
                "HEAD\0",
                "\0java\0",
                "mysql",
                "JAVA_VERSION=\"",
                "-MariaDB",
                "node.js/v",
                "99.99.99",
                "\0go1.",
                "HAProxy version",
                "musl libc (",
                ".",
            ];
            let mut bytes = b"\x7FELF".to_vec();
            for _ in 0..200 {
                bytes.extend(words[random.below(words.len())].bytes());
                bytes.push(u8::try_from(random.below(256)).unwrap());
            }
            hostile::evidence("fingerprint", name, &bytes).unwrap();
        }
    }
    // Every pattern's own start, again and again: time grows with the size.
    for (name, text) in [
        ("x/envoy", "\x001.21.1\0xx"),
        ("x/grafana", "HEAD\0\0aa"),
        ("x/redis-server", "7.0.1a"),
        ("x/java", "\x001.1\0"),
        ("x/haproxy", "1.2.3-aaaaaaa"),
    ] {
        let start = Instant::now();
        let bytes = text.repeat((1 << 20) / text.len());
        hostile::evidence("fingerprint", name, bytes.as_bytes()).unwrap();
        assert!(start.elapsed() < Duration::from_secs(60), "{name}");
    }
}

/// Gates without a version before the one that has it, and so many that not all
/// are looked at.
#[test]
fn many_gates_hide_no_version() {
    let root = tempfile::tempdir().unwrap();
    let padding = "\0".repeat(300);
    let many = format!("HAProxy version{padding}").repeat(1000);
    let version = format!("{padding}2.4.30-a1b2c3d\0HAProxy version\0");
    write(root.path(), "usr/sbin/haproxy", format!("{many}{version}"));
    let dense = "HAProxy version".repeat(1 << 17);
    write(root.path(), "opt/haproxy", format!("{dense}{version}"));
    let inventory = tree(root.path());
    let told: Vec<_> = told(&inventory).into_iter().collect();
    let of = |path: &str| (path.to_owned(), "haproxy".to_owned(), "2.4.30".to_owned());
    assert_eq!(told, [of("usr/sbin/haproxy")]);
    assert_eq!(
        gaps(&inventory),
        [
            "limit opt/haproxy: more of it looks like `haproxy` than is searched: its version \
             cannot be told"
        ]
    );
}

/// A program of 3 GiB that is all holes.
#[test]
fn a_program_beyond_the_limit_is_a_gap() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "usr/bin/node", "\x7FELF");
    write(root.path(), "usr/bin/curl", "\x7FELF curl/8.1.2");
    let file = fs::File::options()
        .write(true)
        .open(root.path().join("usr/bin/node"))
        .unwrap();
    file.set_len(3 << 30).unwrap();
    let inventory = tree(root.path());
    assert_eq!(told(&inventory).len(), 1);
    assert_eq!(
        gaps(&inventory),
        ["limit usr/bin/node: the file has 3221225472 bytes, more than the limit of 1073741824"]
    );
}
