//! Go programs: `go version -m` says what is in them.

use std::{path::Path, process::Command};

use seawall_model::Technique;

use super::named;
use crate::support::{gaps, have, project, purls, run, syft, tree, write};

/// A module with a library of its own and a replaced one: nothing to fetch.
fn module(root: &Path) {
    write(
        root,
        "go.mod",
        "module example.com/app\n\ngo 1.21\n\nrequire (\n\texample.com/lib v1.4.0\n\
         \texample.com/old v0.1.0\n)\n\nreplace example.com/lib => ./lib\n\
         replace example.com/old => ./old\n",
    );
    write(
        root,
        "main.go",
        "package main\n\nimport (\n\t\"example.com/lib\"\n\t\"example.com/old\"\n)\n\n\
         var version = \"\"\n\nfunc main() { println(version, lib.Name, old.Name) }\n",
    );
    for name in ["lib", "old"] {
        write(
            root,
            &format!("{name}/go.mod"),
            format!("module example.com/{name}\n\ngo 1.21\n"),
        );
        let code = format!("package {name}\n\nconst Name = \"{name}\"\n");
        write(root, &format!("{name}/{name}.go"), code);
    }
}

fn build(root: &Path, out: &Path, environment: &[(&str, &str)], arguments: &[&str]) {
    let mut command = Command::new("go");
    command
        .current_dir(root)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-buildvcs=false");
    command.envs(environment.iter().copied());
    run(command
        .arg("build")
        .args(arguments)
        .arg("-o")
        .arg(out)
        .arg("."));
}

/// Name and version of every module, and the toolchain, as Go says.
fn go_version(file: &Path) -> Vec<String> {
    let said = run(Command::new("go").arg("version").arg("-m").arg(file));
    let mut all: Vec<String> = Vec::new();
    for line in said.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [_, version] if line.contains(": go") => all.push(format!("stdlib {version}")),
            ["mod" | "dep", path, version, ..] => all.push(format!("{path} {version}")),
            _ => {}
        }
    }
    all.sort();
    all
}

#[test]
fn programs_of_all_systems_are_read_as_go_reads_them() {
    if !have(&["go"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    module(work.path());
    for (system, arch, arguments) in [
        ("linux", "amd64", &[][..]),
        ("linux", "arm64", &["-ldflags=-s -w"]),
        // The other byte order.
        ("linux", "s390x", &[]),
        ("darwin", "arm64", &["-trimpath"]),
        ("windows", "amd64", &[]),
        // Narrow words.
        ("windows", "386", &["-ldflags=-s -w"]),
    ] {
        let root = tempfile::tempdir().unwrap();
        let out = root.path().join("opt/app");
        std::fs::create_dir(root.path().join("opt")).unwrap();
        build(
            work.path(),
            &out,
            &[("GOOS", system), ("GOARCH", arch)],
            arguments,
        );
        let inventory = tree(root.path());
        assert_eq!(gaps(&inventory), [""; 0], "{system} {arch}");
        assert_eq!(
            named(&inventory, "golang"),
            go_version(&out),
            "{system} {arch}"
        );
        assert!(
            inventory
                .packages
                .iter()
                .all(|one| one.technique == Technique::Binary)
        );
        // A project's folder may hold it as well.
        assert_eq!(purls(&project(root.path())), purls(&inventory));
    }
}

/// As Apple's `lipo` joins two architectures (`mach-o/fat.h`).
#[test]
fn a_file_of_two_architectures_counts_once() {
    if !have(&["go"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    module(work.path());
    let parts: Vec<Vec<u8>> = ["arm64", "amd64"]
        .iter()
        .map(|arch| {
            let out = work.path().join(arch);
            build(
                work.path(),
                &out,
                &[("GOOS", "darwin"), ("GOARCH", arch)],
                &[],
            );
            std::fs::read(out).unwrap()
        })
        .collect();
    let mut fat = b"\xCA\xFE\xBA\xBE\0\0\0\x02".to_vec();
    let mut at = 0x4000;
    for (part, cpu) in parts.iter().zip([0x0100_000C_u32, 0x0100_0007]) {
        let size = u32::try_from(part.len()).unwrap();
        for field in [cpu, 0, at, size, 14] {
            fat.extend(field.to_be_bytes());
        }
        at += size.next_multiple_of(0x4000);
    }
    for part in &parts {
        fat.resize(fat.len().next_multiple_of(0x4000), 0);
        fat.extend(part);
    }
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "fat", fat);
    let found = named(&tree(root.path()), "golang");
    assert_eq!(found, go_version(&work.path().join("arm64")));
    assert_eq!(found, go_version(&root.path().join("fat")));
}

/// Go's own test data: a program of Go 1.17, where the texts are pointed to.
#[test]
fn the_form_before_go_1_18_is_read() {
    if !have(&["go", "base64"]) {
        return;
    }
    let go = run(Command::new("go").args(["env", "GOROOT"]));
    let source = Path::new(go.trim()).join("src/debug/buildinfo/testdata");
    let root = tempfile::tempdir().unwrap();
    for name in ["go117", "notgo"] {
        let script = "base64 -d \"$1\" >\"$2\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]);
        command.arg(source.join(name).join(format!("{name}.base64")));
        run(command.arg(root.path().join(name)));
    }
    let inventory = tree(root.path());
    assert_eq!(
        named(&inventory, "golang"),
        ["example.com/go117 (devel)", "stdlib go1.17"]
    );
    assert_eq!(gaps(&inventory), [""; 0]);

    // The pointer to the version now leads out of the file.
    let mut program = std::fs::read(root.path().join("go117")).unwrap();
    let magic = b"\xFF Go buildinf:";
    let at = program
        .windows(magic.len())
        .position(|window| window == magic)
        .unwrap();
    program[at + 16..at + 24].fill(0x7F);
    write(root.path(), "go117", program);
    let inventory = tree(root.path());
    assert_eq!(named(&inventory, "golang"), [""; 0]);
    assert_eq!(
        gaps(&inventory),
        ["damaged go117: the Go program's build information points outside the file"]
    );
}

#[test]
fn a_main_module_without_a_version_has_that_of_its_build() {
    if !have(&["go", "git", "syft", "jq"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let work = work.path();
    module(work);
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("app");
    build(work, &out, &[], &["-ldflags=-s -X main.version=1.2.3"]);
    let expected = ["pkg:golang/example.com/app@v1.2.3".to_owned()];
    let main = || {
        let all = purls(&tree(root.path())).into_iter();
        all.filter(|purl| purl.contains("/app")).collect::<Vec<_>>()
    };
    let theirs = || {
        let all = syft(root.path(), "go-module").into_iter();
        all.filter(|purl| purl.contains("/app")).collect::<Vec<_>>()
    };
    assert_eq!(main(), expected);
    assert_eq!(theirs(), expected);

    // Go itself writes a pseudo-version for a clean tree since 1.24; with the
    // revision alone it is the same one.
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command
            .current_dir(work)
            .args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        run(command.args(arguments));
    };
    git(&["init", "-q", "."]);
    git(&["add", "."]);
    git(&["commit", "-qm", "x"]);
    let environment = [("GOFLAGS", "-buildvcs=true")];
    build(work, &out, &environment, &[]);
    assert_eq!(main(), theirs());
    assert_eq!(main().len(), 1);
}

#[test]
fn what_cannot_be_told_is_said() {
    if !have(&["go", "objcopy"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    module(work.path());
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("app");
    build(work.path(), &out, &[], &[]);
    let whole = std::fs::read(&out).unwrap();
    let magic = b"\xFF Go buildinf:";
    let at = whole
        .windows(magic.len())
        .position(|window| window == magic)
        .unwrap();
    let changed = |at: usize, bytes: &[u8]| {
        let mut program = whole.clone();
        program[at..at + bytes.len()].copy_from_slice(bytes);
        program
    };
    // A length beyond any program, one beyond the section, and no magic.
    write(root.path(), "app", changed(at + 32, &[0xFF; 9]));
    write(root.path(), "beyond", changed(at + 32, &[0xFF, 0xFF, 0x1F]));
    write(root.path(), "none", changed(at, b"\0"));
    write(root.path(), "sections", changed(40, &[0xFF; 8]));
    let packed = [&whole[..236], b"UPX!".as_slice(), &[0; 4096]].concat();
    write(root.path(), "packed", packed);
    assert_eq!(
        gaps(&tree(root.path())),
        [
            "unsupported none: it is a Go program without build information: its modules cannot \
             be told",
            "unsupported packed: the program is packed with UPX: what it was linked from cannot \
             be told",
            "damaged app: the Go program's build information has a text of no length",
            "damaged beyond: the Go program's build information lies beyond its section",
        ]
    );
}
