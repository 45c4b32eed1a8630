//! Lock files made to do harm: an end in bounded time, and a word about it.

use std::path::{Path, PathBuf};

use seawall_image::{Analyser, Interest};
use seawall_inventory::hostile;

use super::{data, file, names};
use crate::support::{Random, gaps};

/// Every file of the test data goes, with bytes changed, through each analyser
/// that would be handed it.
#[test]
fn changed_bytes_never_panic() {
    let mut random = Random(11);
    let mut met = std::collections::BTreeSet::new();
    for path in files(&data("")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let whole = std::fs::read(&path).unwrap();
        let all = hostile::analysers();
        for analyser in all.iter().filter(|one| is_handed(**one, &name)) {
            met.insert(analyser.name());
            for _ in 0..40 {
                let mut bytes = whole.clone();
                for _ in 0..=random.below(12) {
                    let at = random.below(bytes.len());
                    bytes[at] = b"\n \"\\\0\xFF{}[]=<#/.@,"[random.below(17)];
                }
                bytes.truncate(random.below(bytes.len()) + 1);
                drop(hostile::evidence(analyser.name(), &name, &bytes));
            }
        }
    }
    for known in [
        "cargo-lock",
        "gemfile-lock",
        "go-mod",
        "package-lock-json",
        "uv-lock",
    ] {
        assert!(met.contains(known), "{met:?}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (folders, mut files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| self::files(folder)));
    files.retain(|path| std::fs::metadata(path).is_ok_and(|data| data.len() > 0));
    files
}

/// Whether the analyser wants files of this name, wherever they are.
fn is_handed(analyser: &dyn Analyser, name: &str) -> bool {
    analyser.interests().iter().any(|interest| match interest {
        Interest::Name(own) => *own == name,
        Interest::Suffix(suffix) => name.ends_with(suffix),
        _ => false,
    })
}

const DEEP: usize = 100_000;

#[test]
fn deep_nesting_is_refused() {
    let list = "[".repeat(DEEP);
    let map = "{\"a\":".repeat(DEEP);
    let closed = format!("{list}{}", "]".repeat(DEEP));
    // Where nothing looks, depth does no harm; where something does, it is one
    // damaged entry.
    let beside = format!(
        "{{\"x\": {closed}, \"packages\": {{\"node_modules/a\": {{\"version\": \"1\", \"x\": {closed}}}}}}}"
    );
    let npm = file("package-lock.json", &beside);
    assert_eq!((names(&npm), gaps(&npm)), (vec!["a 1".to_owned()], vec![]));
    let nested = format!(
        "{{\"dependencies\": {{\"z\": {{\"version\": \"1\"}}, {}}}}}",
        "\"a\": {\"version\": \"1\", \"dependencies\": {".repeat(2000) + &"}}".repeat(2000)
    );
    let npm = file("package-lock.json", nested);
    assert!(
        gaps(&npm)[0].contains("nested more than 64 levels deep (line 1, column "),
        "{:?}",
        gaps(&npm)
    );
    for text in [
        list,
        map.clone(),
        format!("{{\"packages\": {map}"),
        format!("{{\"packages\": {{\"a\": {map}"),
    ] {
        for name in ["package-lock.json", "composer.lock"] {
            let inventory = file(name, &text);
            assert_eq!(inventory.gaps.len(), 1, "{name}");
            assert!(gaps(&inventory)[0].starts_with(&format!("damaged {name}: ")));
        }
    }
    let keys = vec!["a"; DEEP].join(".");
    for value in [
        format!("x = {closed}"),
        format!("x = {}", "[".repeat(DEEP)),
        format!("x = {}1{}", "{a = ".repeat(DEEP), "}".repeat(DEEP)),
        format!("{keys} = 1"),
        format!("[{keys}]"),
        format!("[[{keys}]]"),
    ] {
        for name in ["Cargo.lock", "poetry.lock", "uv.lock"] {
            let text = format!(
                "version = 1\n[[package]]\nname = \"a\"\nversion = \"1\"\nsource = \"registry+x\"\n[[package]]\n{value}\n[metadata]\n"
            );
            let inventory = file(name, text);
            assert_eq!(names(&inventory), ["a 1"], "{name}");
            let said = gaps(&inventory);
            assert!(
                said[0].starts_with(&format!("damaged {name}: it is no TOML: ")),
                "{said:?}"
            );
            assert!(said[0].contains("(line 7, column "), "{said:?}");
        }
    }
}

/// YAML whose aliases would fill the memory, and what is too deep or has too
/// many values: nothing behind it is read, and that is said.
#[test]
fn yaml_made_to_do_harm_is_bounded() {
    let bomb = {
        let mut text = "x: &a0 [y, y, y, y, y, y, y, y, y, y]\n".to_owned();
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("x{level}: &a{level} [{items}]\n"));
        }
        text
    };
    let many = "  - x\n".repeat(2_100_000);
    for (rest, expected) in [
        (bomb, "limit"),
        (format!("x: {}\n", "[".repeat(DEEP)), "damaged"),
        (format!("{}1\n", "? ".repeat(DEEP)), "damaged"),
        (format!("x:\n{many}"), "limit"),
        ("x: &a [*a]\n".to_owned(), "damaged"),
        ("x: *none\n".to_owned(), "damaged"),
        ("x: \"\\u{0}\n".to_owned(), "damaged"),
    ] {
        let text = format!(
            "lockfileVersion: '6.0'\npackages:\n  /good@1.0.0:\n    resolution: {{}}\n{rest}"
        );
        let inventory = file("pnpm-lock.yaml", text);
        assert_eq!(names(&inventory), ["good 1.0.0"], "{expected}");
        let said = gaps(&inventory);
        assert_eq!(said.len(), 1, "{said:?}");
        let start = format!("{expected} pnpm-lock.yaml: ");
        assert!(said[0].starts_with(&start), "{said:?}");
        assert!(said[0].contains("(line "), "{said:?}");
    }
    let twice = "lockfileVersion: '6.0'\npackages:\n  /a@1.0.0: {}\n  /a@1.0.0: {}\n";
    let inventory = file("pnpm-lock.yaml", twice);
    assert_eq!(names(&inventory), ["a 1.0.0"]);
    assert_eq!(
        gaps(&inventory),
        ["damaged pnpm-lock.yaml: a key is there twice (line 4, column 3)"]
    );
}

/// Terms of Elixir and Erlang that nest without end, or never end.
#[test]
fn terms_made_to_do_harm_are_bounded() {
    for (name, good) in [
        ("mix.lock", "%{\"good\": {:hex, :good, \"1.0.0\"},\n"),
        (
            "rebar.lock",
            "[{<<\"good\">>,{pkg,<<\"good\">>,<<\"1.0.0\">>},0},\n",
        ),
    ] {
        for rest in [
            "[".repeat(DEEP),
            "{".repeat(20),
            "\"".to_owned(),
            "\u{7}".repeat(9),
            // Keys of keys.
            format!("%{{{}", "a=>".repeat(DEEP)),
        ] {
            let inventory = file(name, format!("{good}{rest}"));
            assert_eq!(names(&inventory), ["good 1.0.0"], "{name}");
            assert!(!gaps(&inventory).is_empty(), "{name}");
        }
    }
}

/// One long name that is asked for many times, and many that are asked for by
/// several: what comes out is bounded by more than the file.
#[test]
fn requirements_do_not_grow_beyond_the_file() {
    let graph = |nodes: &[(String, String)]| {
        let node = |(at, (reference, requires)): (usize, &(String, String))| {
            format!(r#""{at}": {{"ref": "{reference}/1.0", "requires": [{requires}]}}"#)
        };
        let nodes: Vec<String> = nodes.iter().enumerate().map(node).collect();
        let nodes = nodes.join(",\n");
        let text = format!(r#"{{"graph_lock": {{"nodes": {{{nodes}}}}}, "version": "0.4"}}"#);
        file("conan.lock", text)
    };
    let one = |name: &str| (name.to_owned(), String::new());
    let many = r#""0", "1", "#.repeat(DEEP) + r#""0""#;
    let inventory = graph(&[
        one(&"a".repeat(4096)),
        one(&"b".repeat(4097)),
        ("c".into(), many),
    ]);
    let found: Vec<(usize, usize)> = { inventory.packages.iter() }
        .map(|one| (one.name.len(), one.requires.len()))
        .collect();
    assert_eq!(found, [(4096, 0), (1, 1)]);
    assert_eq!(gaps(&inventory).len(), 1, "{:?}", gaps(&inventory));

    let mut nodes: Vec<(String, String)> = (0..5000)
        .map(|at| one(&format!("{at}{}", "a".repeat(4000))))
        .collect();
    let all: Vec<String> = (0..5000).map(|at| format!("\"{at}\"")).collect();
    nodes.extend((0..50).map(|at| (format!("c{at}"), all.join(","))));
    let inventory = graph(&nodes);
    assert_eq!(inventory.packages.len(), 5050);
    let requires = inventory.packages.iter().map(|one| one.requires.len());
    assert_eq!(requires.sum::<usize>(), 15_000);
    assert_eq!(
        gaps(&inventory),
        [
            "limit conan.lock: the requirements of its packages take more than 67108864 bytes: \
             the rest of them is left out"
        ]
    );
}

/// Folders in folders, each of which is looked up for every name.
#[test]
fn paths_without_end_are_refused() {
    let path = "a/".repeat(DEEP);
    let needs: Vec<String> = (0..200).map(|at| format!(r#""n{at}": "1""#)).collect();
    let needs = needs.join(",");
    let npm = format!(
        r#"{{"lockfileVersion": 3, "packages": {{
        "node_modules/good": {{"version": "1.0.0"}},
        "node_modules/{path}": {{"version": "1.0.0", "dependencies": {{{needs}}}}},
        "{path}": {{"dependencies": {{{needs}}}}}}}}}"#
    );
    let bun = format!(
        r#"{{"lockfileVersion": 1, "workspaces": {{"x": {{"name": "{path}", "dependencies": {{{needs}}}}}}},
        "packages": {{"good": ["good@1.0.0", "", {{}}, ""],
        "{path}": ["b@1.0.0", "", {{"dependencies": {{{needs}}}}}, ""]}}}}"#
    );
    let old = format!(
        r#"{{"lockfileVersion": 1, "dependencies": {{"good": {{"version": "1.0.0"}},
        "{path}": {{"version": "1.0.0", "requires": {{{needs}}}}}}}}}"#
    );
    for (name, text) in [
        ("package-lock.json", npm),
        ("package-lock.json", old),
        ("bun.lock", bun),
    ] {
        let inventory = file(name, text);
        assert_eq!(names(&inventory), ["good 1.0.0"], "{name}");
        let gaps = gaps(&inventory);
        assert!(
            gaps.iter().any(|gap| gap.contains("longer than any")),
            "{gaps:?}"
        );
    }
}

/// A line of 50 MB, in every format.
#[test]
fn a_line_without_end_is_bounded() {
    let long = "x".repeat(50 << 20);
    let version = "a package's name or version is no such thing (line ";
    for (name, text, expected) in [
        (
            "Cargo.lock",
            format!("[[package]]\nname = \"{long}\"\nversion = \"1\"\nsource = \"r\"\n"),
            "a table has more than 16777216 bytes (line 1, column 1)",
        ),
        (
            "go.mod",
            format!("module a.b/c\ngo 1.21\nrequire {long} v1.0.0\n"),
            version,
        ),
        (
            "Gemfile.lock",
            format!("GEM\n  specs:\n    {long} (1.0)\n\nDEPENDENCIES\n"),
            version,
        ),
        (
            "requirements.txt",
            format!("good==1.0\n{long}==1.0\n"),
            version,
        ),
        (
            "package-lock.json",
            format!("{{\"packages\": {{\"node_modules/a\": {{\"version\": \"{long}\"}}}}}}"),
            version,
        ),
        (
            "composer.lock",
            format!("{{\"packages\": [{{\"name\": \"{long}\", \"version\": \"1\"}}]}}"),
            version,
        ),
    ] {
        let inventory = file(name, text);
        let said = gaps(&inventory);
        assert_eq!(said.len(), 1, "{name}");
        assert!(said[0].contains(expected), "{name}: {said:?}");
        assert!(inventory.packages.len() <= 1);
    }
}

/// Somewhat more than may be.
const MANY: usize = 250_010;

/// Too many packages, in one line or many: the places of all cost one pass, and
/// what is beyond the limit is said.
#[test]
fn too_many_packages_are_said() {
    let many = |one: fn(usize) -> String| -> String { (0..MANY).map(one).collect() };
    let npm = many(|number| format!("\"node_modules/p{number}\":{{\"version\":\"1\"}},"));
    let composer = many(|number| format!("{{\"name\":\"a/p{number}\",\"version\":\"1\"}},"));
    for (name, text) in [
        (
            "package-lock.json",
            format!("{{\"packages\":{{{npm}\"\":{{}}}}}}"),
        ),
        (
            "composer.lock",
            format!("{{\"packages\":[{composer}{{\"name\":\"a/b\",\"version\":\"1\"}}]}}"),
        ),
        ("requirements.txt", many(|number| format!("p{number}==1\n"))),
        (
            "go.mod",
            format!(
                "module a.b/c\ngo 1.21\nrequire (\n{})\n",
                many(|number| format!("a.b/p{number} v1.0.0\n"))
            ),
        ),
        (
            "Gemfile.lock",
            format!(
                "GEM\n  specs:\n{}\nDEPENDENCIES\n",
                many(|number| format!("    p{number} (1)\n"))
            ),
        ),
        (
            "Cargo.lock",
            many(|number| {
                format!("[[package]]\nname = \"p{number}\"\nversion = \"1\"\nsource = \"r\"\n")
            }),
        ),
        (
            "poetry.lock",
            many(|number| format!("[[package]]\nname = \"p{number}\"\nversion = \"1\"\n"))
                + "[metadata]\n",
        ),
        (
            "uv.lock",
            many(|number| {
                format!(
                    "[[package]]\nname = \"p{number}\"\nversion = \"1\"\ndependencies = [{{ name = \"p{}\" }}]\n",
                    MANY - 1 - number
                )
            }),
        ),
        (
            "yarn.lock",
            "# yarn lockfile v1\n\n".to_owned()
                + &many(|number| format!("p{number}@^1:\n  version \"1\"\n")),
        ),
        (
            "bun.lock",
            format!(
                "{{\"lockfileVersion\": 1,\n\"packages\": {{\n{}\n}},}}",
                many(|number| format!("\"p{number}\": [\"p{number}@1\", \"\", {{}}, \"\"],\n"))
            ),
        ),
        (
            "deno.lock",
            format!(
                "{{\"version\": \"5\", \"npm\": {{{}\"a@1\": {{}}}}}}",
                many(|number| format!("\"p{number}@1\": {{}},"))
            ),
        ),
        (
            "mix.lock",
            format!(
                "%{{\n{}}}\n",
                many(|number| format!("\"p{number}\": {{:hex, :p{number}, \"1\"}},\n"))
            ),
        ),
        (
            "pnpm-lock.yaml",
            format!(
                "lockfileVersion: '6.0'\npackages:\n{}",
                many(|number| format!("  /p{number}@1.0.0: {{}}\n"))
            ),
        ),
    ] {
        let inventory = file(name, text);
        assert_eq!(inventory.packages.len(), 250_000, "{name}");
        let said = gaps(&inventory);
        let expected = format!("limit {name}: there are more than 250000 packages");
        assert!(
            said.len() <= 1 + usize::from(name == "go.mod") && said.contains(&expected),
            "{said:?}"
        );
    }
}
