//! Digests, edges and licences: what several tools say of the same packages, each
//! in a file of its own, is the same.

use std::collections::{BTreeMap, BTreeSet};

use seawall_inventory::Inventory;
use seawall_model::{HashAlgorithm, Package};

use super::{data, file};
use crate::support::{gaps, project, write};

fn key(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

/// What each package of the case asks for.
fn requires(inventory: &Inventory) -> BTreeMap<String, BTreeSet<String>> {
    let edges = seawall_model::graph(&inventory.packages);
    let name = |index: &usize| key(&inventory.packages[*index]);
    inventory
        .packages
        .iter()
        .zip(&edges)
        .map(|(package, edges)| (key(package), edges.iter().map(name).collect()))
        .collect()
}

fn digests(inventory: &Inventory, algorithm: HashAlgorithm) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    for package in &inventory.packages {
        let hashes = package
            .hashes
            .iter()
            .filter(|hash| hash.algorithm == algorithm);
        let hashes: BTreeSet<String> = hashes.map(|hash| hash.hex.clone()).collect();
        if !hashes.is_empty() {
            all.insert(key(package), hashes);
        }
    }
    all
}

/// The registry gives one digest of an archive to every tool. Yarn 2 and later
/// keep that of an archive of their own making.
#[test]
fn digests_of_npms_archives_are_the_same_in_every_format() {
    let expected = digests(&project(&data("npm-3")), HashAlgorithm::Sha512);
    assert!(expected.len() > 30);
    for case in [
        "npm-1", "npm-2", "yarn-1", "pnpm-6", "pnpm-7", "pnpm-8", "pnpm-9", "pnpm-10", "bun",
        "deno-3", "deno-4", "deno-5",
    ] {
        let ours = digests(&project(&data(case)), HashAlgorithm::Sha512);
        let both: Vec<_> = ours
            .iter()
            .filter_map(|(name, hashes)| Some((name, hashes, expected.get(name)?)))
            .collect();
        assert!(both.len() > 28, "{case}: {}", both.len());
        for (name, ours, theirs) in both {
            assert_eq!(ours, theirs, "{case}: {name}");
        }
    }
    for case in ["yarn-3", "yarn-4", "yarn-4-new"] {
        let inventory = project(&data(case));
        let ours = digests(&inventory, HashAlgorithm::Sha512);
        assert!(ours.len() + 1 >= inventory.packages.len(), "{case}");
    }
}

/// The same packages ask for the same ones: as npm has them in `package-lock.json`.
#[test]
fn edges_are_the_same_in_every_format() {
    let expected = requires(&project(&data("npm-3")));
    assert!(expected.values().filter(|edges| !edges.is_empty()).count() > 12);
    for case in [
        "npm-1",
        "npm-2",
        "yarn-1",
        "yarn-3",
        "yarn-4",
        "yarn-4-new",
        "pnpm-6",
        "pnpm-7",
        "pnpm-8",
        "pnpm-9",
        "bun",
        "deno-3",
        "deno-4",
        "deno-5",
    ] {
        let ours = requires(&project(&data(case)));
        let mut met = 0;
        for (name, edges) in ours {
            let Some(theirs) = expected.get(&name) else {
                continue;
            };
            // Peers are edges in some formats; Yarn adds what builds fsevents.
            let is_peer =
                |edge: &&String| edge.starts_with("react ") || edge.starts_with("supports-color ");
            let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| -> Vec<String> {
                a.difference(b)
                    .filter(|edge| !is_peer(edge))
                    .cloned()
                    .collect()
            };
            if name.starts_with("fsevents ") {
                continue;
            }
            // What was resolved at another time may be another version.
            let differs = [only(&edges, theirs), only(theirs, &edges)];
            assert_eq!(
                differs,
                [Vec::<String>::new(), Vec::new()],
                "{case}: {name}"
            );
            met += usize::from(!theirs.is_empty());
        }
        assert!(met > 10, "{case}: {met}");
    }
}

/// PyPI's digests of two archives, from five tools; pip writes that of the wheel
/// that it took alone, PEP 751 has no other for an address.
#[test]
fn digests_of_pythons_archives_are_the_same_in_every_format() {
    let wheel = "8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254";
    let jinja = "6088930bfe239f0e6710546ab9c19c9ef35e29792895fed6e6e31a023a182a61";
    for case in ["poetry", "uv", "pipenv", "pdm", "pylock-pip", "pylock-uv"] {
        let ours = digests(&project(&data(case)), HashAlgorithm::Sha256);
        let of = |name: &str| {
            let found = ours.iter().find(|(one, _)| one.to_lowercase() == name);
            found.map(|(_, hashes)| hashes.clone()).unwrap_or_default()
        };
        assert!(of("six 1.16.0").contains(wheel), "{case}");
        assert!(of("jinja2 3.1.2").contains(jinja), "{case}");
    }
    for case in ["poetry", "uv", "pdm"] {
        let all = requires(&project(&data(case)));
        let found = all
            .iter()
            .find(|(name, _)| name.to_lowercase() == "jinja2 3.1.2");
        let edges: Vec<_> = found
            .unwrap()
            .1
            .iter()
            .map(|edge| edge.to_lowercase())
            .collect();
        assert_eq!(edges.len(), 1, "{case} {edges:?}");
        assert!(edges[0].starts_with("markupsafe "), "{case} {edges:?}");
    }
}

/// Every digest and every edge that the file has is one of a package.
#[test]
fn cargo_and_others_keep_what_the_file_has() {
    let text = std::fs::read_to_string(data("cargo").join("Cargo.lock")).unwrap();
    let inventory = project(&data("cargo"));
    let ours: BTreeSet<String> = digests(&inventory, HashAlgorithm::Sha256)
        .into_values()
        .flatten()
        .collect();
    let theirs: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("checksum = "))
        .map(|hex| hex.trim_matches('"').to_owned())
        .collect();
    assert_eq!(ours, theirs);
    let all = requires(&inventory);
    let edges = |start: &str| {
        let found = all.iter().find(|(name, _)| name.starts_with(start));
        found.map(|(_, edges)| edges.len())
    };
    assert_eq!((edges("rand_chacha "), edges("itoa ")), (Some(2), Some(0)));

    let mix = requires(&project(&data("mix")));
    assert_eq!(
        Vec::from_iter(mix["cowboy 2.10.0"].iter().map(String::as_str)),
        ["cowlib 2.12.1", "ranch 1.8.0"]
    );
    let gems = requires(&project(&data("bundler")));
    assert!(gems["nokogiri 1.16.2"].contains("racc 1.7.3"), "{gems:?}");
    let composer = project(&data("composer"));
    let edges = requires(&composer);
    assert!(
        edges["monolog/monolog 2.9.1"].contains("psr/log 1.1.4"),
        "{edges:?}"
    );
}

/// Licences as npm and Composer copy them from their registries.
#[test]
fn licences_are_those_of_the_registry() {
    let npm = project(&data("npm-3"));
    let of = |name: &str| {
        let found = npm.packages.iter().find(|one| one.name == name);
        found.unwrap().licenses.clone()
    };
    assert_eq!(
        (of("chalk"), of("isexe")),
        (vec!["MIT".into()], vec!["ISC".into()])
    );
    let text = "{\"packages\": {\"node_modules/a\": {\"version\": \"1.0.0\", \"license\": \
        [{\"type\": \"MIT\", \"url\": \"x\"}, {\"type\": \"GPL-2.0\"}]}, \"node_modules/b\": \
        {\"version\": \"1.0.0\", \"license\": {\"type\": \"X11\"}}}}";
    let old = file("package-lock.json", text);
    let licenses: Vec<_> = old
        .packages
        .iter()
        .map(|one| one.licenses.join(","))
        .collect();
    assert_eq!(licenses, ["MIT,GPL-2.0", "X11"]);
    let text = "{\"packages\": [{\"name\": \"a/b\", \"version\": \"1\", \"license\": [\"MIT\", \
        \"Apache-2.0\"], \"require\": []}, {\"name\": \"a/c\", \"version\": \"1\", \"license\": \
        \"MIT\", \"require\": {\"php\": \">=8\", \"ext-json\": \"*\", \"a/b\": \"1\"}}]}";
    let composer = file("composer.lock", text);
    assert_eq!(composer.packages[0].licenses, ["MIT", "Apache-2.0"]);
    assert_eq!(composer.packages[1].licenses, ["MIT"]);
    let edges = requires(&composer);
    assert_eq!(edges["a/c 1"].iter().collect::<Vec<_>>(), ["a/b 1"]);
}

/// Bundler writes the digests of each platform's archive apart (since 2.5).
#[test]
fn gems_have_their_digests() {
    let (a, b) = ("0a".repeat(32), "0b".repeat(32));
    let text = format!(
        "GEM\n  remote: https://rubygems.org/\n  specs:\n    rack (2.2.8)\n      webrick (>= 1)\n    \
         webrick (1.8.1)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rack\n\nCHECKSUMS\n  rack (2.2.8) \
         sha256={a}\n  webrick (1.8.1) sha256={b}\n\nBUNDLED WITH\n   2.5.9\n"
    );
    let inventory = file("Gemfile.lock", text);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let hashes: Vec<String> = inventory
        .packages
        .iter()
        .map(|one| one.hashes[0].hex.clone())
        .collect();
    assert_eq!(hashes, [a, b]);
    assert_eq!(
        requires(&inventory)["rack 2.2.8"]
            .iter()
            .collect::<Vec<_>>(),
        ["webrick 1.8.1"]
    );
}

/// Which modules a go.mod of an old version brings, go.sum beside it knows.
#[test]
fn go_sum_names_what_an_old_go_mod_does_not() {
    let sum = "golang.org/x/net v0.1.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\
        golang.org/x/net v0.1.0/go.mod h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\
        golang.org/x/text v0.3.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\
        golang.org/x/text v0.4.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\
        golang.org/x/sys v0.1.0/go.mod h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let root = tempfile::tempdir().unwrap();
    let go_mod = |version: &str| {
        format!("module a.b/c\n\ngo {version}\n\nrequire golang.org/x/net v0.1.0\n")
    };
    for (version, expected) in [
        (
            "1.16",
            vec!["golang.org/x/net v0.1.0", "golang.org/x/text v0.4.0"],
        ),
        ("1.17", vec!["golang.org/x/net v0.1.0"]),
    ] {
        write(root.path(), "go.mod", go_mod(version));
        write(root.path(), "go.sum", sum);
        let inventory = project(root.path());
        assert_eq!(gaps(&inventory), Vec::<String>::new());
        let rest = inventory.packages.iter().filter(|one| one.name != "stdlib");
        let rest: Vec<&Package> = rest.collect();
        let names: Vec<String> = rest.iter().map(|one| key(one)).collect();
        assert_eq!(names, expected);
        for one in rest {
            let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
            assert_eq!(one.hashes[0].hex, empty);
        }
    }
    std::fs::remove_file(root.path().join("go.sum")).unwrap();
    write(root.path(), "go.mod", go_mod("1.16"));
    let said = gaps(&project(root.path()));
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("there is no go.sum"), "{said:?}");
}
