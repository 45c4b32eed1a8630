//! .NET programs: what was published with them.

use std::path::{Path, PathBuf};

use seawall_inventory::hostile;

use crate::support::{Random, gaps, have, project, purls, syft, tree, write};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/dotnet")
}

#[test]
fn packages_of_a_program_are_those_that_syft_finds() {
    if !have(&["syft", "jq"]) {
        return;
    }
    let inventory = tree(&data());
    assert_eq!(gaps(&inventory), [""; 0]);
    // The framework itself is told by its folder; Syft needs its programs.
    let framework = "pkg:nuget/Microsoft.NETCore.App@3.1.23".to_owned();
    let ours = purls(&inventory);
    assert!(ours.contains(&framework), "{ours:?}");
    let rest: Vec<String> = ours.into_iter().filter(|purl| *purl != framework).collect();
    let theirs: Vec<String> = syft(&data(), "dotnet");
    assert_eq!(rest, theirs);
    assert_eq!(rest.len(), 8);
    assert_eq!(purls(&project(&data())), purls(&inventory));
}

#[test]
fn edges_and_hashes_are_kept() {
    let inventory = tree(&data());
    let one = |name: &str| {
        inventory
            .packages
            .iter()
            .find(|one| one.name == name)
            .unwrap()
    };
    let runtime = one("Python.Runtime");
    assert!(
        runtime
            .requires
            .iter()
            .any(|one| one.name == "Microsoft.CSharp")
    );
    assert_eq!(runtime.relation.direct, None);
    let csharp = one("Microsoft.CSharp");
    assert_eq!(csharp.relation.direct, Some(true));
    // `jq -r '.libraries["Microsoft.CSharp/4.7.0"].sha512' | cut -d- -f2 | base64 -d | xxd -p`
    let hash = csharp.hashes[0].to_string();
    assert!(hash.starts_with("sha512:a538fe0f7b895b2377"), "{hash}");
}

#[test]
fn what_is_no_list_is_said() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a/cut.deps.json", "{\"libraries\":{");
    write(
        root.path(),
        "a/odd.deps.json",
        "{\"libraries\":{\"nameless\":{}}}",
    );
    write(root.path(), "a/other.json", "{");
    let gaps = gaps(&tree(root.path()));
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert!(gaps[0].starts_with("damaged a/cut.deps.json: it is no deps.json of .NET: EOF"));
    assert_eq!(
        gaps[1],
        "damaged a/odd.deps.json: `nameless` is no name with a version"
    );
}

#[test]
fn an_assembly_alone_says_what_it_is() {
    if !have(&["syft", "jq"]) {
        return;
    }
    let assembly = data().with_file_name("assembly");
    let inventory = tree(&assembly);
    assert_eq!(purls(&inventory), ["pkg:nuget/System.Web@3.1.23"]);
    // Syft takes the version of the file in place of the product's.
    let theirs = syft(&assembly, "dotnet");
    assert_eq!(theirs, ["pkg:nuget/System.Web@4.700.22.12208"]);

    // Beside a list it is part of what that names.
    let root = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(assembly.join("System.Web.dll")).unwrap();
    let list = "{\"libraries\":{\"app/1.0.0\":{\"type\":\"project\"}}}";
    write(root.path(), "opt/app/app.deps.json", list);
    write(root.path(), "opt/app/refs/System.Web.dll", &bytes);
    write(root.path(), "opt/other/System.Web.dll", &bytes);
    let inventory = tree(root.path());
    let paths: Vec<_> = inventory
        .packages
        .iter()
        .map(|one| one.origin.path.as_str())
        .collect();
    assert_eq!(paths, ["opt/other/System.Web.dll", "opt/app/app.deps.json"]);
}

#[test]
fn changed_assemblies_never_panic() {
    let whole = std::fs::read(data().with_file_name("assembly").join("System.Web.dll")).unwrap();
    let mut random = Random(5);
    for _ in 0..3000 {
        let mut bytes = whole.clone();
        for _ in 0..=random.below(8) {
            let at = random.below(bytes.len());
            bytes[at] = [0, 1, 0xFF, 0x7F, 0x80, 0x10][random.below(6)];
        }
        bytes.truncate(random.below(bytes.len()) + 1);
        drop(hostile::evidence("dotnet-assembly", "x.dll", &bytes));
    }
}

/// A ring of packages, and very many of them.
#[test]
fn rings_and_crowds_come_to_an_end() {
    let root = tempfile::tempdir().unwrap();
    let part = |number: usize| {
        let next = (number + 1) % 60_000;
        format!(
            "\"p{number}/1\":{{\"dependencies\":{{\"p{next}\":\"1\"}},\"runtime\":{{\"a.dll\":{{}}}}}}"
        )
    };
    let parts: Vec<String> = (0..60_000).map(part).collect();
    let libraries: Vec<String> = (0..60_000)
        .map(|number| format!("\"p{number}/1\":{{\"type\":\"package\"}}"))
        .collect();
    let file = format!(
        "{{\"runtimeTarget\":{{\"name\":\"t\"}},\"targets\":{{\"t\":{{{}}}}},\"libraries\":{{{}}}}}",
        parts.join(","),
        libraries.join(",")
    );
    write(root.path(), "app.deps.json", file);
    let inventory = tree(root.path());
    assert_eq!(inventory.packages.len(), 50_000);
    assert_eq!(
        gaps(&inventory),
        ["limit app.deps.json: there are more than 50000 packages"]
    );
}
