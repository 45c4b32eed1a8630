//! Lock files that were cut off, merged badly, re-encoded or edited by hand:
//! the good rest is read, and the rest is said.

use std::{collections::BTreeSet, fs, process::Command};

use seawall_inventory::Inventory;

use super::{data, file, names};
use crate::support::{gaps, have, write};

/// Every lock file that a tool wrote.
fn all() -> Vec<(&'static str, String)> {
    [
        ("cargo", "Cargo.lock"),
        ("cargo-1", "Cargo.lock"),
        ("npm-1", "package-lock.json"),
        ("npm-3", "package-lock.json"),
        ("composer", "composer.lock"),
        ("bundler", "Gemfile.lock"),
        ("poetry", "poetry.lock"),
        ("uv", "uv.lock"),
        ("go", "go.mod"),
        ("actions", ".github/workflows/build.yml"),
        ("cabal", "cabal.project.freeze"),
        ("carthage", "Cartfile.resolved"),
        ("cocoapods", "Podfile.lock"),
        ("conan-1", "conan.lock"),
        ("conan-2", "conan.lock"),
        ("gradle", "gradle.lockfile"),
        ("gradle-catalog", "gradle/libs.versions.toml"),
        ("gradle-verification", "gradle/verification-metadata.xml"),
        ("julia-1", "Manifest.toml"),
        ("julia-2", "Manifest.toml"),
        ("maven-outside", "pom.xml"),
        ("nuget-assets", "obj/project.assets.json"),
        ("nuget-config", "packages.config"),
        ("nuget-lock", "packages.lock.json"),
        ("paket", "paket.lock"),
        ("renv", "renv.lock"),
        ("sbt", "build.sbt.lock"),
        ("stack", "stack.yaml.lock"),
        ("swift-1", "Package.resolved"),
        ("swift-3", "Package.resolved"),
        ("vcpkg", "vcpkg.json"),
        ("yarn-1", "yarn.lock"),
        ("yarn-4", "yarn.lock"),
        ("pnpm-6", "pnpm-lock.yaml"),
        ("pnpm-8", "pnpm-lock.yaml"),
        ("pnpm-10", "pnpm-lock.yaml"),
        ("bun", "bun.lock"),
        // Before version 4 all packages were one value: cut, there is none.
        ("deno-4", "deno.lock"),
        ("deno-5", "deno.lock"),
        ("pipenv", "Pipfile.lock"),
        ("pdm", "pdm.lock"),
        ("pylock-uv", "pylock.toml"),
        ("pub", "pubspec.lock"),
        ("mix", "mix.lock"),
        ("rebar", "rebar.lock"),
    ]
    .map(|(case, name)| (name, fs::read_to_string(data(case).join(name)).unwrap()))
    .into()
}

/// Those that may end at any line, or behind any table. So may the entries of Yarn
/// 1, of which package.json beside them tells.
const LISTS: [&str; 8] = [
    "Manifest.toml",
    "pdm.lock",
    "pylock.toml",
    "gradle/libs.versions.toml",
    ".github/workflows/build.yml",
    "Cartfile.resolved",
    "go.mod",
    "paket.lock",
];

/// Names with the line that they stand in.
fn places(inventory: &Inventory) -> Vec<(String, u32, u32)> {
    inventory
        .packages
        .iter()
        .map(|one| (one, one.origin.range.unwrap().start))
        .map(|(one, start)| (one.purl.clone(), start.line, start.column))
        .collect()
}

/// Whatever the place of the cut, a list that is shorter is said to be damaged,
/// and none has what the whole file has not.
#[test]
fn a_file_that_was_cut_off_is_said() {
    for (name, text) in all() {
        let usual = file(name, &text);
        let whole: BTreeSet<String> = names(&usual).into_iter().collect();
        let mut shorter = 0;
        for part in 0..60 {
            let (mut at, is_line) = (text.len() * part / 60, part % 2 == 0);
            if is_line {
                at = text[..at].rfind('\n').map_or(0, |at| at + 1);
            }
            let inventory = file(name, &text[..at]);
            let cut: BTreeSet<String> = names(&inventory).into_iter().collect();
            if cut.len() < whole.len() {
                // Some are lists of lines, of which none says that it is the
                // last. A package at the end of Cargo.lock that has lost its
                // source looks like one of the project's own.
                let is_last = cut.len() + 1 == whole.len();
                let is_list = LISTS.contains(&name) || text.contains("# yarn lockfile v1");
                let is_silent = at > 0 && (is_list || (name == "Cargo.lock" && is_last));
                let is_said = !inventory.gaps.is_empty() && gaps(&inventory) != gaps(&usual);
                assert!(is_silent || is_said, "{name} {at}");
                shorter += usize::from(!cut.is_empty());
            }
            let more: Vec<&String> = cut.difference(&whole).collect();
            // A replacement stands behind what it replaces, and the version of a
            // commit behind the commit; one that stands elsewhere may be missing,
            // or that a pod is a folder of this machine.
            const BEHIND: [&str; 5] = [
                ".github/workflows/build.yml",
                "Podfile.lock",
                "go.mod",
                "gradle/libs.versions.toml",
                "vcpkg.json",
            ];
            if BEHIND.contains(&name) {
                continue;
            }
            let is_half =
                |one: &&&String| whole.iter().any(|whole| whole.starts_with(one.as_str()));
            assert!(more.iter().all(|one| is_half(&one)), "{name} {at} {more:?}");
        }
        // What stands before the cut is read.
        assert!(shorter > 10, "{name}: {shorter}");
    }
}

/// Merges that Git makes and cannot finish, in both of its styles.
#[test]
fn both_sides_of_a_merge_are_listed() {
    if !have(&["git"]) {
        return;
    }
    for (name, text) in all() {
        let whole = file(name, &text);
        // Two branches, each with another version of one package in the middle
        // and another one near the end.
        let changed: Vec<String> = [1, 2].map(|side| other_versions(&text, name, side)).into();
        for style in ["-q", "--diff3"] {
            let root = tempfile::tempdir().unwrap();
            for (file, text) in [
                ("base", &text),
                ("ours", &changed[0]),
                ("theirs", &changed[1]),
            ] {
                write(root.path(), file, text);
            }
            let mut command = Command::new("git");
            let command = command.args(["merge-file", "-p", style, "ours", "base", "theirs"]);
            let merged = command.current_dir(root.path()).output().unwrap().stdout;
            let merged = String::from_utf8(merged).unwrap();
            let line = merged
                .lines()
                .position(|line| line.starts_with("<<<<<<< "))
                .unwrap()
                + 1;
            let inventory = file(name, &merged);
            let mut said = gaps(&inventory);
            said.retain(|gap| !gaps(&whole).contains(gap));
            // Where versions are keys, those that were raised here have lost what
            // leads to them.
            if ["pnpm-lock.yaml", "deno.lock"].contains(&name) {
                said.retain(|gap| !gap.contains("packages are needed that it does not list"));
            }
            assert_eq!(
                said,
                [format!(
                    "damaged {name}: it holds a merge conflict that nobody has resolved (line {line}, \
                     column 1): the packages of both sides are listed"
                )]
            );
            let mut both: BTreeSet<String> = names(&file(name, &changed[0])).into_iter().collect();
            both.extend(names(&file(name, &changed[1])));
            let merged: BTreeSet<String> = names(&inventory).into_iter().collect();
            assert_eq!(merged, both, "{name}");
            assert!(both.len() > names(&whole).len(), "{name}");
        }
    }
}

/// The lock file with every third version raised, on one of two branches.
fn other_versions(text: &str, name: &str, side: usize) -> String {
    let inventory = file(name, text);
    let mut spans: Vec<usize> = inventory
        .packages
        .iter()
        .filter(|one| {
            one.version.ends_with(|last: char| last.is_ascii_digit()) && one.name != "stdlib"
        })
        .filter_map(|one| {
            let start = one.origin.range.unwrap().span.start;
            let at = start + text[start..].find(&one.version)?;
            Some(at + one.version.len())
        })
        .collect();
    spans.sort_unstable();
    spans.dedup();
    let mut out = text.to_owned();
    for at in spans.iter().rev().step_by(3) {
        out.insert_str(*at, &side.to_string());
    }
    out
}

#[test]
fn line_ends_and_marks_change_nothing() {
    for (name, text) in all() {
        let plain = file(name, &text);
        let marked = format!("\u{FEFF}{text}");
        let windows = text.replace('\n', "\r\n");
        let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for other in [marked.into_bytes(), windows.into_bytes(), wide] {
            let inventory = file(name, &other);
            assert_eq!(places(&inventory), places(&plain), "{name}");
            assert_eq!(gaps(&inventory), gaps(&plain), "{name}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_said() {
    for (name, text) in all() {
        // In the last quarter, in the middle of a line.
        let mut bytes = text.clone().into_bytes();
        let at = text.len() * 3 / 4 + text[text.len() * 3 / 4..].find(['a', 'e']).unwrap();
        bytes[at] = 0xFF;
        let line = text[..at].matches('\n').count() + 1;
        let inventory = file(name, &bytes);
        let said = gaps(&inventory);
        let start =
            format!("damaged {name}: it holds bytes that are no text (line {line}, column ");
        assert!(
            said.iter().any(|gap| gap.starts_with(&start)),
            "{name}: {said:?}"
        );
        assert!(
            inventory.packages.len() * 2 > file(name, &text).packages.len(),
            "{name}"
        );
    }
}

/// One entry of a wrong shape, and what is said of it; `good 1.0.0` beside it is
/// read.
#[test]
fn an_entry_of_a_wrong_type_hides_no_other() {
    let npm3 = |entry: &str| {
        format!(
            "{{\"lockfileVersion\": 3,\n\"packages\": {{\n{entry},\n\"node_modules/good\": {{\"version\": \"1.0.0\"}}}}}}"
        )
    };
    let npm1 = |entry: &str| {
        format!("{{\n\n\"dependencies\": {{{entry},\n\"good\": {{\"version\": \"1.0.0\"}}}}}}")
    };
    let composer = |entry: &str| {
        format!(
            "{{\n\"packages\": [\n{entry},\n{{\"name\": \"good\", \"version\": \"1.0.0\"}}], \"packages-dev\": null}}"
        )
    };
    let cargo = |entry: &str| {
        format!(
            "version = 4\n\n[[package]]\n{entry}\n\n[[package]]\nname = \"good\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n"
        )
    };
    let poetry = |entry: &str| {
        format!(
            "# Poetry\n\n[[package]]\n{entry}\n\n[[package]]\nname = \"good\"\nversion = \"1.0.0\"\n\n[metadata]\nlock-version = \"2.1\"\n"
        )
    };
    let uv = |entry: &str| {
        format!(
            "version = 1\n\n[[package]]\n{entry}\n\n[[package]]\nname = \"good\"\nversion = \"1.0.0\"\nsource = {{ registry = \"x\" }}\n"
        )
    };
    let gems = |entry: &str| {
        format!("GEM\n  specs:\n    {entry}\n    good (1.0.0)\n\nDEPENDENCIES\n  good\n")
    };
    let yarn = |entry: &str| {
        format!(
            "# yarn lockfile v1\n\n{entry}\n\ngood@^1:\n  version \"1.0.0\"\n  resolved \"x\"\n"
        )
    };
    let pnpm = |entry: &str| {
        format!("lockfileVersion: '6.0'\npackages:\n  {entry}\n  /good@1.0.0: {{}}\n")
    };
    let bun = |entry: &str| {
        format!(
            "{{\"lockfileVersion\": 1,\n\"packages\": {{\n{entry},\n\"good\": [\"good@1.0.0\", \"\", {{}}, \"\"],\n}} }}"
        )
    };
    let deno = |entry: &str| {
        format!("{{\"version\": \"5\",\n\"npm\": {{\n{entry},\n\"good@1.0.0\": {{}}}}}}")
    };
    let pipenv = |entry: &str| {
        format!(
            "{{\"_meta\": {{}},\n\"default\": {{\n{entry},\n\"good\": {{\"version\": \"==1.0.0\"}}}}}}"
        )
    };
    let pub_ = |entry: &str| {
        format!("packages:\n\n  {entry}\n  good: {{version: \"1.0.0\"}}\nsdks: {{}}\n")
    };
    let mix =
        |entry: &str| format!("%{{\n\n  {entry},\n  \"good\": {{:hex, :good, \"1.0.0\"}},\n}}\n");
    let rebar = |entry: &str| {
        format!("[\n\n {entry},\n {{<<\"good\">>,{{pkg,<<\"good\">>,<<\"1.0.0\">>}},0}}].\n")
    };
    let cases = [
        (
            "yarn.lock",
            yarn("bad@^1:\n  resolved \"x\""),
            "a package has no version (line 3, column 1)",
        ),
        (
            "yarn.lock",
            yarn("bad"),
            "a line is none of a lock file of Yarn (line 3, column 1)",
        ),
        (
            "yarn.lock",
            yarn("  version \"1"),
            "a line is none of a lock file of Yarn (line 3, column 3)",
        ),
        (
            "pnpm-lock.yaml",
            pnpm("bad: {}"),
            "a package has no name or no version (line 3, column 3)",
        ),
        (
            "pnpm-lock.yaml",
            pnpm("[bad]: {}"),
            "a package has no name or no version (line 3, column 3)",
        ),
        (
            "bun.lock",
            bun("\"bad\": {}"),
            "an entry is no array (line 3, column 2)",
        ),
        (
            "bun.lock",
            bun("\"bad\": [5]"),
            "a package has no name or no version (line 3, column 2)",
        ),
        (
            "bun.lock",
            bun("\"bad\": [\"bad@1\", \"\", {\"dependencies\": 5}]"),
            "an entry is damaged (line 3, column 2)",
        ),
        (
            "deno.lock",
            deno("\"bad\": {}"),
            "a package has no name or no version (line 3, column 2)",
        ),
        (
            "deno.lock",
            deno("\"bad@1\": {\"integrity\": 5}"),
            "an entry is damaged: invalid type: integer `5`, expected a string (line 3, column 10)",
        ),
        (
            "Pipfile.lock",
            pipenv("\"bad\": {}"),
            "a package has no version (line 3, column 2)",
        ),
        (
            "Pipfile.lock",
            pipenv("\"bad\": {\"version\": []}"),
            "an entry is damaged: invalid type: sequence, expected a string (line 3, column 8)",
        ),
        (
            "pubspec.lock",
            pub_("bad: {version: [1]}"),
            "a package has no name or no version (line 3, column 3)",
        ),
        (
            "pubspec.lock",
            pub_("bad: 5"),
            "a package has no name or no version (line 3, column 3)",
        ),
        (
            "mix.lock",
            mix("\"bad\": {:hex, :bad}"),
            "a package has no name or no version (line 3, column 4)",
        ),
        (
            "mix.lock",
            mix("\"bad\": 5"),
            "a package has no name or no version (line 3, column 4)",
        ),
        (
            "rebar.lock",
            rebar("{<<\"bad\">>,{pkg,<<\"bad\">>},0}"),
            "a package has no name or no version (line 3, column 2)",
        ),
        (
            "rebar.lock",
            rebar("{<<\"bad\">>,5,0}"),
            "a package has a source that is not known (line 3, column 2)",
        ),
        (
            "package-lock.json",
            npm3("\"node_modules/bad\": {\"version\": 5}"),
            "an entry is damaged: invalid type: integer `5`, expected a string (line 3, column 21)",
        ),
        (
            "package-lock.json",
            npm3("\"node_modules/bad\": []"),
            "an entry is no object (line 3, column 21)",
        ),
        (
            "package-lock.json",
            npm3("\"node_modules/bad\": null"),
            "an entry is no object (line 3, column 21)",
        ),
        (
            "package-lock.json",
            npm3("\"node_modules/bad\": {\"version\": \"1\", \"version\": \"2\"}"),
            "an entry is damaged: duplicate field `version` (line 3, column 21)",
        ),
        (
            "package-lock.json",
            npm3("\"node_modules/bad\": {}"),
            "a package has no version (line 3, column 2)",
        ),
        (
            "package-lock.json",
            npm3("\"node_modules/good\": {\"version\": \"1.0.0\"}"),
            "`node_modules/good` is there twice (line 4, column 2)",
        ),
        (
            "package-lock.json",
            npm1("\"bad\": {\"version\": {}}"),
            "an entry is damaged: invalid type: map, expected a string (line 3, column 25)",
        ),
        (
            "package-lock.json",
            npm1("\"bad\": {}"),
            "a package has no version (line 3, column 19)",
        ),
        (
            "composer.lock",
            composer("{\"name\": [\"bad\"], \"version\": \"1\"}"),
            "an entry is damaged: invalid type: sequence, expected a string (line 3, column 1)",
        ),
        (
            "composer.lock",
            composer("{\"name\": \"bad\"}"),
            "a package has no name or no version (line 3, column 1)",
        ),
        (
            "composer.lock",
            composer("7"),
            "an entry is no object (line 3, column 1)",
        ),
        (
            "Cargo.lock",
            cargo("name = 5\nversion = \"1\"\nsource = \"registry+x\""),
            "a package has no name or no version (line 3, column 1)",
        ),
        (
            "Cargo.lock",
            cargo("name = \"bad\"\nversion = \"1\"\nversion = \"2\""),
            "it is no TOML: duplicate-key",
        ),
        (
            "Cargo.lock",
            cargo("name = \"bad\nversion = \"1\""),
            "it is no TOML: ",
        ),
        (
            "poetry.lock",
            poetry("name = \"bad\"\nversion = 1.5"),
            "a package has no name or no version (line 3, column 1)",
        ),
        (
            "poetry.lock",
            poetry("name = \"bad\"\nversion = ["),
            "it is no TOML: ",
        ),
        (
            "uv.lock",
            uv("version = \"1\""),
            "a package has no name or no version (line 3, column 1)",
        ),
        ("uv.lock", uv("name = \"bad\" version"), "it is no TOML: "),
        (
            "Gemfile.lock",
            gems("bad"),
            "a gem has no version (line 3, column 5)",
        ),
        (
            "Gemfile.lock",
            gems("bad (1.0"),
            "a gem has no version (line 3, column 5)",
        ),
    ];
    for (name, text, expected) in cases {
        let inventory = file(name, &text);
        let said = gaps(&inventory);
        assert_eq!(said.len(), 1, "{text}: {said:?}");
        assert!(
            said[0].starts_with(&format!("damaged {name}: {expected}")),
            "{text}: {said:?}"
        );
        assert!(said[0].contains("(line "), "{said:?}");
        assert_eq!(names(&inventory), ["good 1.0.0"], "{text}");
    }
}

/// A whole of a wrong shape.
#[test]
fn what_is_no_lock_file_is_said() {
    for name in [
        "Cargo.lock",
        "package-lock.json",
        "composer.lock",
        "Gemfile.lock",
        "poetry.lock",
        "uv.lock",
        "go.mod",
        ".github/workflows/build.yml",
        "Cartfile.resolved",
        "Manifest.toml",
        "Package.resolved",
        "Podfile.lock",
        "build.sbt.lock",
        "cabal.project.freeze",
        "conan.lock",
        "gradle.lockfile",
        "libs.versions.toml",
        "packages.config",
        "packages.lock.json",
        "paket.lock",
        "pom.xml",
        "project.assets.json",
        "renv.lock",
        "stack.yaml.lock",
        "verification-metadata.xml",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "deno.lock",
        "Pipfile.lock",
        "pdm.lock",
        "pylock.toml",
        "pubspec.lock",
        "mix.lock",
        "rebar.lock",
    ] {
        for text in [
            "",
            "\n",
            "[]",
            "{}",
            "{\"packages\": 5}",
            "null",
            "name = 1\n",
            "<html>\n<body>",
            "\0\0\0\0",
        ] {
            // That is what Rebar3 writes where nothing is needed.
            if (name, text) == ("rebar.lock", "[]") {
                continue;
            }
            let inventory = file(name, text);
            assert!(
                !inventory.gaps.is_empty(),
                "{name} {text:?} {:?}",
                gaps(&inventory)
            );
            assert_eq!(names(&inventory), Vec::<String>::new());
        }
    }
    for (name, text) in [
        (
            "Cargo.lock",
            "version = 5\n[[package]]\nname = \"a\"\nversion = \"1\"\nsource = \"registry+x\"\n",
        ),
        (
            "uv.lock",
            "version = 2\n[[package]]\nname = \"a\"\nversion = \"1\"\n",
        ),
        (
            "poetry.lock",
            "[[package]]\nname = \"a\"\nversion = \"1\"\n[metadata]\nlock-version = \"3.0\"\n",
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '10.0'\nimporters: {}\npackages:\n  a@1: {}\nsnapshots: {}\n",
        ),
        (
            "bun.lock",
            "{\"lockfileVersion\": 9, \"packages\": {\"a\": [\"a@1\", \"\", {}, \"\"]}}",
        ),
        ("deno.lock", "{\"version\": \"6\", \"npm\": {\"a@1\": {}}}"),
        (
            "pdm.lock",
            "[metadata]\nlock_version = \"5.0\"\n[[package]]\nname = \"a\"\nversion = \"1\"\n",
        ),
        (
            "pylock.toml",
            "lock-version = \"2.0\"\n[[packages]]\nname = \"a\"\nversion = \"1\"\n",
        ),
        (
            "package-lock.json",
            "{\"lockfileVersion\": 4, \"packages\": {\"node_modules/a\": {\"version\": \"1\"}}}",
        ),
    ] {
        let inventory = file(name, text);
        assert_eq!(names(&inventory), ["a 1"]);
        assert!(
            gaps(&inventory)[0].starts_with(&format!("unsupported {name}: its format is newer")),
            "{name}"
        );
    }
    // npm writes these where nothing is needed.
    for text in [
        "{\"lockfileVersion\": 1}",
        "{\"lockfileVersion\": 3, \"packages\": {}}",
    ] {
        assert_eq!(gaps(&file("package-lock.json", text)), Vec::<String>::new());
    }
    let twice = "{\"packages\": {\"node_modules/a\": {\"version\": \"1\"}}, \"packages\": {}}";
    let inventory = file("package-lock.json", twice);
    assert_eq!(names(&inventory), ["a 1"]);
    assert_eq!(
        gaps(&inventory),
        [
            "damaged package-lock.json: it is no lock file of npm: `packages` is there twice at line 1 column 61"
        ]
    );
}

/// The purl qualifier that names a repository and its revision, from every tool
/// that locks one.
#[test]
fn repositories_are_named_alike() {
    for (name, text) in all() {
        let inventory = file(name, &text);
        let Some(one) = inventory.packages.iter().find(|one| one.name == "gitty") else {
            assert!(
                !text.contains("gitty.git") || ["composer.lock", "go.mod"].contains(&name),
                "{name}"
            );
            continue;
        };
        let (_, qualifier) = one.purl.split_once('?').unwrap();
        let revision = qualifier
            .strip_prefix("vcs_url=git%2Bhttps:%2F%2Fgit.example.org%2Fgitty.git%40")
            .unwrap();
        assert_eq!(revision.len(), 40, "{name} {qualifier}");
        assert!(text.contains(revision), "{name}");
    }
}
