//! .NET programs: what was published with them.

use std::path::{Path, PathBuf};

use crate::support::{gaps, have, project, purls, syft, tree, write};

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
