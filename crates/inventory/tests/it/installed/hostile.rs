//! Records made to do harm: an end in bounded time, and a word about it.

use std::time::{Duration, Instant};

use seawall_inventory::hostile;

use super::rows;
use crate::support::{Random, gaps, tree, write};

/// Every analyser of installed packages, a path that it takes, and a record
/// that it reads.
const RECORDS: [(&str, &str, &str); 19] = [
    (
        "node-modules",
        "node_modules/a/package.json",
        r#"{"name":"a","version":"1","license":["MIT"],"dependencies":{"b":"1"}}"#,
    ),
    (
        "node-project",
        "package.json",
        r#"{"name":"a","dependencies":{"b":"1"}}"#,
    ),
    (
        "node-modules-lock",
        "node_modules/.package-lock.json",
        r#"{"packages":{"node_modules/a":{"dev":true,"resolved":"git+https://x#1"}}}"#,
    ),
    (
        "python",
        "a-1.dist-info/METADATA",
        "Name: a\nVersion: 1\nLicense: x\n y\nRequires-Dist: b[c]>1; d\n\n",
    ),
    (
        "python-record",
        "a-1.dist-info/RECORD",
        "../a,sha256=x,1\n\"b,\"\"c\",,\n",
    ),
    (
        "python-requires",
        "a-1.egg-info/requires.txt",
        "a>1\n\n[b]\nc\n",
    ),
    (
        "python-direct-url",
        "a-1.dist-info/direct_url.json",
        r#"{"url":"x","archive_info":{"hashes":{"md5":"0f"}}}"#,
    ),
    (
        "gems",
        "specifications/a-1.gemspec",
        "# stub: a 1 ruby lib\nGem::Specification.new do |s|\n s.licenses = [\"MIT\".freeze]\n s.add_dependency(%q<b>.freeze, [\"> 0\"])\nend\n",
    ),
    (
        "composer-installed",
        "vendor/composer/installed.json",
        r#"{"packages":[{"name":"a/b","version":"1","require":{"c/d":"*"}}],"dev-package-names":["a/b"]}"#,
    ),
    (
        "pear",
        ".registry/a.reg",
        "a:2:{s:4:\"name\";s:1:\"a\";s:7:\"version\";a:1:{s:7:\"release\";s:1:\"1\";}}",
    ),
    (
        "wordpress",
        "wp-content/plugins/a/a.php",
        "<?php\n/*\n * Plugin Name: A\n * Version: 1\n */\n",
    ),
    (
        "r-library",
        "library/a/DESCRIPTION",
        "Package: a\nVersion: 1\nImports: b (>= 1),\n c\nLicense: MIT + file LICENSE\nBuilt: R 4\n",
    ),
    (
        "perl-local",
        "perllocal.pod",
        "=head2 x: C<Module> L<A::B|A::B>\n\n=item *\n\nC<VERSION: 1.0>\n",
    ),
    (
        "perl-meta",
        ".meta/A-1/MYMETA.json",
        r#"{"name":"A","version":1.0,"license":["perl_5"],"prereqs":{"runtime":{"requires":{"B":0}}}}"#,
    ),
    (
        "luarocks",
        "rocks-5.1/a/1-1/a-1-1.rockspec",
        "package = 'a'\ndependencies = {\n \"lua >= 5\", [[b]]\n}\nlicense = \"MIT\"\n",
    ),
    (
        "ghc",
        "package.conf.d/a.conf",
        "name: a\nversion: 1\nid: a-1-x\ndepends:\n    base-4.1 b-2-hash\n",
    ),
    (
        "opam",
        ".opam-switch/packages/a.1/opam",
        "license: [\"MIT\" \"ISC\"]\ndepends: [ \"b\" {>= \"1\" & {x}} (\"c\" | \"d\") ]\n",
    ),
    (
        "otp",
        "ebin/a.app",
        "{application, a, [{vsn, \"1\"}, {applications, [kernel,'b c']}]}.\n",
    ),
    (
        "hex-metadata",
        "deps/a/hex_metadata.config",
        "{<<\"name\">>,<<\"a\">>}.\n{<<\"version\">>,<<\"1\">>}.\n{<<\"licenses\">>,[<<\"MIT\">>]}.\n",
    ),
];

#[test]
fn changed_bytes_never_panic() {
    let mut random = Random(11);
    for (analyser, path, record) in RECORDS {
        let whole = hostile::evidence(analyser, path, record.as_bytes());
        assert!(whole.unwrap().is_some(), "{analyser}");
        for _ in 0..1000 {
            let mut bytes = record.as_bytes().to_vec();
            for _ in 0..=random.below(8) {
                let at = random.below(bytes.len());
                bytes[at] = b"\n :\0\xFF\xC3()[]{}\"'<>,%;9"[random.below(20)];
            }
            bytes.truncate(random.below(bytes.len()) + 1);
            drop(hostile::evidence(analyser, path, &bytes));
        }
    }
}

/// Time grows with the size, not with its square, which would take hours: the
/// bound leaves room for a busy machine.
#[test]
fn odd_shapes_take_linear_time() {
    const PIECES: [&str; 22] = [
        "\n",
        " ",
        "\"",
        "'",
        "\\\"",
        "[[",
        "%q<",
        "{",
        "[",
        "a:1:{i:0;",
        "<<\"",
        "{vsn",
        "{application",
        "license = ",
        "license",
        "depends:",
        "dependencies = {",
        "=head2 L<",
        "s.name = ",
        "a: b\n",
        "Requires-Dist: a\n",
        "{\"dependencies\":",
    ];
    for (analyser, path, record) in RECORDS {
        for piece in PIECES {
            for start in ["", record] {
                let text = [start, &piece.repeat((1 << 20) / piece.len())].concat();
                let before = Instant::now();
                drop(hostile::evidence(analyser, path, text.as_bytes()));
                let taken = before.elapsed();
                assert!(
                    taken < Duration::from_secs(60),
                    "{analyser} {piece:?}: {taken:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_damaged_hides_no_other() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let manifest = |name: &str, text: &str| {
        write(root, &format!("app/node_modules/{name}/package.json"), text);
    };
    manifest("good", r#"{"name":"good","version":"1.0.0"}"#);
    manifest("cut", r#"{"name":"cut","version":"1.0."#);
    manifest("list", "[]");
    manifest("empty", "");
    manifest("none", "{}");
    manifest(
        "odd",
        r#"{"name":7,"version":"1.0.0","license":{"a":[]},"dependencies":[1]}"#,
    );
    manifest(
        "twice",
        r#"{"name":"x","version":"0","name":"twice","version":"2.0.0"}"#,
    );
    let deep = format!(
        r#"{{"name":"deep","version":"1.0.0","x":{}"#,
        "[".repeat(1 << 20)
    );
    manifest("deep", &deep);
    let pairs: Vec<String> = (0..1_000_000)
        .map(|at| format!("\"p{at}\":\"1\""))
        .collect();
    let many = format!(
        r#"{{"name":"many","version":"1.0.0","dependencies":{{{}}}}}"#,
        pairs.join(",")
    );
    manifest("many", &many);
    // Sparse: it takes no room on the disk.
    manifest("large", "");
    let large = root.join("app/node_modules/large/package.json");
    std::fs::File::options()
        .write(true)
        .open(large)
        .unwrap()
        .set_len(100 << 20)
        .unwrap();
    let name: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(b"b\xFFd".to_vec());
    let folder = root.join("app/node_modules").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("package.json"),
        r#"{"name":"latin","version":"1.0.0"}"#,
    )
    .unwrap();

    let inventory = tree(root);
    let rows: Vec<String> = rows(&inventory, "npm").into_iter().collect();
    assert_eq!(
        rows,
        [
            "good 1.0.0",
            "latin 1.0.0",
            "many 1.0.0",
            "odd 1.0.0",
            "twice 2.0.0"
        ]
    );
    let gaps = gaps(&inventory);
    let about: Vec<&str> = gaps
        .iter()
        .map(|gap| gap.split(": ").next().unwrap())
        .collect();
    let at = |kind: &str, name: &str| format!("{kind} app/node_modules/{name}/package.json");
    assert_eq!(
        about,
        [
            at("damaged", "cut"),
            at("damaged", "deep"),
            at("damaged", "empty"),
            at("damaged", "list"),
            at("limit", "large"),
            at("limit", "many"),
        ]
    );
}
