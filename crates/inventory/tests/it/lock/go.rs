//! go.mod against `go list` (kept beside it) and `go mod edit` (run here).

use std::{collections::BTreeSet, fs, process::Command};

use super::{data, file, names, project};
use crate::support::{gaps, have, run, write};

fn rows(name: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(data("go").join(name)).unwrap();
    let name_and_version = |line: &str| {
        let mut parts = line.split('\t');
        format!("{} {}", parts.next().unwrap(), parts.next().unwrap())
    };
    text.lines().map(name_and_version).collect()
}

/// go.mod names every module that the build, its tests and its tools take a
/// package from (`go list -deps -test ./... tool`), and none that `go list -m
/// all` has at another version. What `go list -m all` has besides gives no
/// package to the build: that is why go.mod leaves it out (Go Modules
/// Reference, "Module graph pruning").
#[test]
fn modules_are_those_of_the_build() {
    let (all, built) = (rows("listing.tsv"), rows("built.tsv"));
    let inventory = project(&data("go"));
    let ours: BTreeSet<String> = names(&inventory).into_iter().collect();
    assert!(
        built.len() > 10 && built.is_subset(&ours),
        "{built:?} {ours:?}"
    );
    let rest: Vec<&String> = ours.difference(&all).collect();
    assert_eq!(rest, ["stdlib 1.25.3"]);
    let needless: Vec<&String> = ours
        .difference(&built)
        .filter(|name| *name != "stdlib 1.25.3")
        .collect();
    // Of tests of the modules that are used.
    assert_eq!(needless, ["gotest.tools/v3 v3.5.2"]);
    for line in fs::read_to_string(data("go").join("listing.tsv"))
        .unwrap()
        .lines()
    {
        let parts: Vec<&str> = line.split('\t').collect();
        let found = inventory.packages.iter().find(|one| one.name == parts[0]);
        if let Some(found) = found {
            assert_eq!(found.relation.direct, Some(parts[2] == "yes"), "{line}");
        }
    }
}

/// Go's own reader of go.mod, on odd but valid ones.
#[test]
fn go_mod_edit_reads_the_same() {
    if !have(&["go", "jq"]) {
        return;
    }
    let odd = "\u{FEFF}";
    let texts = [
        fs::read_to_string(data("go").join("go.mod")).unwrap(),
        "module a.b/c\r\ngo 1.21\r\nrequire (\r\n\tx.y/z v1.0.0\r\n)\r\n".to_owned(),
        "module \"a.b/c\"\ngo 1.21\nrequire(\nx.y/z v1.0.0 // indirect; why\n\"q.r/s\" v2.0.0+incompatible\n)\nrequire ()\n".to_owned(),
        "// a comment\nmodule a.b/c\n\n\n// go 1.1\ngo 1.22.0\n\nrequire x.y/z v0.0.0-20200101000000-0123456789ab//indirect\n\
         exclude x.y/z v1.0.0\nretract (\nv1.0.0 // why\n[v1.1.0, v1.2.0]\n)\ngodebug default=go1.21\ntool (\n x.y/z/cmd\n)\n".to_owned(),
        "module a.b/c\ngo 1.25\ntoolchain default\nignore ./node_modules\nrequire x.y/z v1.0.0\nreplace x.y/z v1.0.0 => x.y/fork v1.0.1\n".to_owned(),
    ];
    assert!(!texts.iter().any(|text| text.starts_with(odd)));
    for text in texts {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "go.mod", &text);
        let script = "go mod edit -json | jq -r '
            (.Replace // []) as $r | .Require[] | . as $q |
            ([$r[] | select(.Old.Path == $q.Path and (.Old.Version // $q.Version) == $q.Version)]
                | sort_by(.Old.Version == null) | first) as $n |
            if $n == null then [.Path, .Version, (.Indirect // false | not)]
            elif $n.New.Version == null then empty
            else [$n.New.Path, $n.New.Version, (.Indirect // false | not)] end | map(tostring) | join(\" \")'";
        let mut command = Command::new("sh");
        let said = run(command.args(["-c", script]).current_dir(root.path()));
        let theirs: BTreeSet<String> = said.lines().map(str::to_owned).collect();
        let inventory = project(root.path());
        let mut ours = super::directs(&inventory);
        ours.retain(|row| !row.starts_with("stdlib "));
        assert_eq!(ours, theirs, "{text}");
        assert!(!ours.is_empty());
        assert_eq!(gaps(&inventory), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_go_refuses_is_a_gap() {
    for (text, expected, rest) in [
        (
            "module a.b/c\ngo 1.21\nrequire x.y/z\nrequire x.y/w v1.0.0\n",
            "damaged go.mod: a line of `require` has too few or too many words (line 3, column 1)",
            "x.y/w v1.0.0",
        ),
        (
            "module a.b/c\ngo 1.21\nrequire (\n\tx.y/w v1.0.0\n\tx.y/",
            "damaged go.mod: a block has no end: the file may have been cut off (line 3, column 1), \
             and 1 more entries are damaged",
            "x.y/w v1.0.0",
        ),
        (
            "module a.b/c\ngo 1.21\nrequires x.y/z v1.0.0\nrequire x.y/w v1.0.0\nreplace a b c d\n",
            "damaged go.mod: go.mod has no such directive (line 3, column 1), and 1 more entries are damaged",
            "x.y/w v1.0.0",
        ),
    ] {
        let inventory = file("go.mod", text);
        assert_eq!(gaps(&inventory), [expected]);
        assert_eq!(names(&inventory), ["stdlib 1.21", rest]);
        if have(&["go"]) {
            let root = tempfile::tempdir().unwrap();
            write(root.path(), "go.mod", text);
            let done = Command::new("go")
                .args(["mod", "edit", "-json"])
                .current_dir(root.path())
                .output()
                .unwrap();
            assert!(!done.status.success(), "{text}");
        }
    }
}
