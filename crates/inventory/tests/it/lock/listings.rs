//! Every lock file that its tool wrote, against what the same tool lists of it.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use seawall_model::Package;

use super::{data, project};
use crate::support::{gaps, have, run};

/// The cases, their lock files and the purl type of what they name.
const CASES: [(&str, &str, &str); 30] = [
    ("cargo", "Cargo.lock", "cargo"),
    // Version 1, as Cargo 1.40 wrote it.
    ("cargo-1", "Cargo.lock", "cargo"),
    ("npm-1", "package-lock.json", "npm"),
    ("npm-2", "package-lock.json", "npm"),
    ("npm-3", "package-lock.json", "npm"),
    ("composer", "composer.lock", "composer"),
    ("bundler", "Gemfile.lock", "gem"),
    ("poetry", "poetry.lock", "pypi"),
    ("uv", "uv.lock", "pypi"),
    ("go", "go.mod", "golang"),
    ("yarn-1", "yarn.lock", "npm"),
    // As 3.8, 4.12 and 4.18 wrote it.
    ("yarn-3", "yarn.lock", "npm"),
    ("yarn-4", "yarn.lock", "npm"),
    ("yarn-4-new", "yarn.lock", "npm"),
    // Versions 5.3, 5.4, 6.0 and 9.0.
    ("pnpm-6", "pnpm-lock.yaml", "npm"),
    ("pnpm-7", "pnpm-lock.yaml", "npm"),
    ("pnpm-8", "pnpm-lock.yaml", "npm"),
    ("pnpm-9", "pnpm-lock.yaml", "npm"),
    // With a catalog, a patch and an override.
    ("pnpm-10", "pnpm-lock.yaml", "npm"),
    ("bun", "bun.lock", "npm"),
    ("deno-3", "deno.lock", "npm"),
    ("deno-4", "deno.lock", "npm"),
    ("deno-5", "deno.lock", "npm"),
    ("pub", "pubspec.lock", "pub"),
    ("mix", "mix.lock", "hex"),
    ("rebar", "rebar.lock", "hex"),
    ("pipenv", "Pipfile.lock", "pypi"),
    ("pdm", "pdm.lock", "pypi"),
    ("pylock-pip", "pylock.toml", "pypi"),
    ("pylock-uv", "pylock.toml", "pypi"),
];

/// `name version direct development`, a dash where it is not told.
pub(super) fn row(package: &Package) -> String {
    let word = |flag: Option<bool>| match flag {
        Some(true) => "yes",
        Some(false) => "no",
        None => "-",
    };
    // Which files tell what is for development only is a fact of the format.
    let tells = match package.kind.as_ref() {
        "cargo" | "gem" | "golang" => false,
        "hex" => false,
        _ => !["deno.lock", "pylock.toml"].contains(&package.origin.path.as_str()),
    };
    let development = tells.then_some(package.relation.development);
    let (direct, development) = (word(package.relation.direct), word(development));
    format!(
        "{}\t{}\t{direct}\t{development}",
        package.name, package.version
    )
}

pub(super) fn listing(case: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(data(case).join("listing.tsv")).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn packages_are_those_of_the_tool() {
    for (case, file, kind) in CASES {
        let inventory = project(&data(case));
        assert_eq!(gaps(&inventory), Vec::<String>::new(), "{case}");
        let mut ours: BTreeSet<String> = inventory.packages.iter().map(row).collect();
        let mut theirs = listing(case);
        assert!(theirs.len() >= 5, "{case}");
        match case {
            // go.mod: see `go.rs`.
            "go" => continue,
            // npm 6 did not write which packages are the project's own choice,
            // and npm 11 takes those below the first level for the project's as
            // well as those at it.
            "npm-1" => {
                let without_direct = |row: &String| {
                    let parts: Vec<&str> = row.split('\t').collect();
                    format!("{}\t{}\t{}", parts[0], parts[1], parts[3])
                };
                ours = ours.iter().map(without_direct).collect();
                theirs = theirs.iter().map(without_direct).collect();
            }
            _ => {}
        }
        let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| -> Vec<String> {
            a.difference(b).cloned().collect()
        };
        assert_eq!(
            (only(&ours, &theirs), only(&theirs, &ours)),
            (Vec::new(), Vec::new()),
            "{case}: only here, only there"
        );
        for package in &inventory.packages {
            assert_eq!(
                (package.kind.as_ref(), package.origin.path.as_str()),
                (kind, file)
            );
            assert!(
                package.purl.starts_with(&format!("pkg:{kind}/")),
                "{}",
                package.purl
            );
        }
    }
}

/// The line of an entry is one that names the package, and the span is where
/// its bytes are.
#[test]
fn every_place_is_that_of_the_entry() {
    for (case, file, _) in CASES {
        let bytes = fs::read(data(case).join(file)).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for package in &project(&data(case)).packages {
            let range = package.origin.range.unwrap();
            let part = &text[range.span.start..range.span.end];
            let line = lines[range.start.line as usize - 1];
            let before: String = line.chars().take(range.start.column as usize - 1).collect();
            assert!(
                line[before.len()..].starts_with(part),
                "{case}: {}: {line}: {part}",
                package.name
            );
            // An alias or an archive stands under the name that it was given,
            // a replaced module under its own, an organisation's package under
            // that of its application.
            let is_renamed = [
                "old-debug",
                "tarball",
                "rsc.io/quote",
                "go1",
                "1.25",
                "inner",
            ]
            .iter()
            .any(|other| part.contains(other));
            assert!(
                part.contains(&package.name) || is_renamed,
                "{case}: {}: {part}",
                package.name
            );
        }
    }
}

/// npm itself on this machine, on the same files: its own list now.
#[test]
fn npm_lists_the_same_today() {
    if !have(&["npm", "jq"]) {
        return;
    }
    for case in ["npm-1", "npm-2", "npm-3"] {
        let root = tempfile::tempdir().unwrap();
        for name in ["package.json", "package-lock.json"] {
            fs::copy(data(case).join(name), root.path().join(name)).unwrap();
        }
        let script = "npm query '*' --package-lock-only --offline |
            jq -r '.[] | select(.location | contains(\"node_modules\")) |
                select((.resolved // \"\") | startswith(\"file:../\") | not) |
                [.name, .version // \"\"] | join(\" \")'";
        let mut command = Command::new("sh");
        let said = run(command.args(["-c", script]).current_dir(root.path()));
        let theirs: BTreeSet<String> = said.lines().map(str::to_owned).collect();
        let ours: BTreeSet<String> = super::names(&project(root.path())).into_iter().collect();
        assert_eq!(ours, theirs, "{case}");
    }
}

/// composer.lock as PHP reads it.
#[test]
fn php_reads_the_same_composer_lock() {
    if !have(&["php"]) {
        return;
    }
    let script = "$lock = json_decode(file_get_contents($argv[1]), true);
        foreach (['packages', 'packages-dev'] as $key) foreach ($lock[$key] as $one)
            if ($one['dist']['type'] !== 'path')
                echo $one['name'], ' ', $one['version'], ' ', $key === 'packages-dev' ? 1 : 0, \"\\n\";";
    let path = data("composer").join("composer.lock");
    let said = run(Command::new("php").args(["-r", script, "--"]).arg(&path));
    let theirs: BTreeSet<String> = said.lines().map(str::to_owned).collect();
    let inventory = project(&data("composer"));
    let ours: BTreeSet<String> = inventory
        .packages
        .iter()
        .map(|one| {
            format!(
                "{} {} {}",
                one.name,
                one.version,
                u8::from(one.relation.development)
            )
        })
        .collect();
    assert_eq!(ours, theirs);
}

/// Syft's package URLs of the same files, a second opinion on their form.
/// `vcs_url` and its like are left out: Syft writes none.
#[test]
fn purls_are_those_of_syft() {
    if !have(&["syft", "jq"]) {
        return;
    }
    for (case, file, kind) in CASES {
        let only = tempfile::tempdir().unwrap();
        fs::copy(data(case).join(file), only.path().join(file)).unwrap();
        let bare = |purl: &str| purl.split('?').next().unwrap_or_default().to_owned();
        let theirs: BTreeSet<String> = purls_of_syft(only.path(), kind)
            .iter()
            .map(|purl| bare(purl))
            .collect();
        let packages = project(only.path()).packages;
        // Syft has no reader of these.
        if ["bun.lock", "deno.lock", "pylock.toml"].contains(&file) {
            assert_eq!(theirs, BTreeSet::new(), "{case}");
            continue;
        }
        let ours: BTreeSet<String> = packages.iter().map(|one| bare(&one.purl)).collect();
        let more: Vec<&String> = theirs
            .difference(&ours)
            .filter(|purl| !is_only_syfts(case, purl))
            .collect();
        let less: Vec<&str> = packages
            .iter()
            .filter(|one| !theirs.contains(&bare(&one.purl)) && !is_only_ours(case, one))
            .map(|one| one.purl.as_str())
            .collect();
        assert_eq!(
            (more, less),
            (Vec::new(), Vec::new()),
            "{case}: only Syft, only here"
        );
        assert!(ours.intersection(&theirs).count() > 4, "{case}");
    }
}

fn purls_of_syft(root: &Path, kind: &str) -> Vec<String> {
    let script = "SYFT_CHECK_FOR_APP_UPDATE=false syft scan -q -o json \"dir:$1\" |
        jq -r '.artifacts[].purl'";
    let said = run(Command::new("sh").args(["-c", script, "sh"]).arg(root));
    let start = format!("pkg:{kind}/");
    // The specification leaves colons as they are (ECMA-427, 5.4).
    let purls = said.lines().map(|line| line.replace("%3A", ":"));
    purls.filter(|purl| purl.starts_with(&start)).collect()
}

/// What Syft lists besides.
fn is_only_syfts(case: &str, purl: &str) -> bool {
    // The project's own packages and folders, which no registry has.
    const OWN: [&str; 15] = [
        "app",
        "own",
        "tool",
        "shop",
        "member",
        "local-project",
        "%40shop/a",
        "b",
        // Dart's own, of its software development kit.
        "flutter",
        "git.example.org/gitty",
        "packages/b",
        "local",
        "example/local",
        "inner",
        "example.org/inner",
    ];
    let name = purl.split('/').skip(1).collect::<Vec<_>>().join("/");
    let (name, version) = name.split_once('@').unwrap_or((&name, ""));
    OWN.contains(&name)
        || match case {
            // The address of an archive or a repository in place of a version.
            "npm-1" => ["file:", "git%2B", "https:"]
                .iter()
                .any(|start| version.starts_with(start)),
            // The platform of a built gem as a part of its version.
            "bundler" => version.contains('-'),
            // Under the name that the project gives it.
            "yarn-3" | "yarn-4" | "yarn-4-new" => ["old-debug", "tarball"].contains(&name),
            // With what serves as its peer as a part of the version, or with
            // the address and the revision of a repository in place of one.
            "pnpm-6" | "pnpm-7" => version.contains("_react"),
            "pnpm-9" | "pnpm-10" | "rebar" | "mix" | "pipenv" => {
                ["gitty", "inner", "six", "zope-event"].contains(&name)
            }
            // A module without the version that replaces it.
            "go" => purl == "pkg:golang/rsc.io/quote",
            _ => false,
        }
}

/// What Syft leaves out.
fn is_only_ours(case: &str, package: &Package) -> bool {
    const SEVERAL: [&str; 12] = [
        "abbrev",
        "ansi-styles",
        "chalk",
        "color-convert",
        "color-name",
        "debug",
        "has-flag",
        "isexe",
        "ms",
        "nopt",
        "supports-color",
        "which",
    ];
    let name = package.name.as_str();
    let from_address = ["carrier", "gitty", "inherits"].contains(&name);
    match case {
        // What is for development only. Of version 1 Syft does not read what
        // is nested.
        "npm-1" => {
            package.relation.development || package.relation.direct.is_some() || from_address
        }
        "npm-2" | "npm-3" | "composer" => package.relation.development,
        // One version of each name is all that Syft takes from it.
        "yarn-3" | "yarn-4" | "yarn-4-new" => from_address || SEVERAL.contains(&name),
        "pnpm-6" | "pnpm-7" | "pnpm-8" => {
            package.relation.development || from_address || name == "use-sync-external-store"
        }
        "pnpm-9" | "pnpm-10" => from_address,
        "mix" | "rebar" => ["gitty", "acme/inner_audit"].contains(&name),
        // What has no version there; and Syft writes the dot as a dash.
        "pipenv" => package.relation.development || ["six", "zope.event", "gitty"].contains(&name),
        // Listed by its builds for platforms alone.
        "bundler" => package.name == "nokogiri",
        // Go's own library; and a module of which another version is replaced
        // (`golang.org/x/net v0.1.0 => ./inner`), which Syft takes for the one
        // that is required.
        "go" => ["stdlib", "golang.org/x/net", "rsc.io/quote"].contains(&package.name.as_str()),
        _ => false,
    }
}
