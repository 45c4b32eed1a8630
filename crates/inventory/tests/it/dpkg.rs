//! dpkg's database against `dpkg-query`.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use seawall_inventory::Inventory;

use crate::support::{gaps, have, purls, run, syft, tree, write};

const FORMAT: &str = "${Package}\t${Version}\t${Architecture}\t${source:Package}\t\
                      ${source:Version}\t${db:Status-Status}\n";

fn query(root: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("dpkg-query");
    run(command
        .arg(format!("--admindir={}/var/lib/dpkg", root.display()))
        .args(arguments))
}

/// Every package in the words of `FORMAT`.
fn ours(inventory: &Inventory) -> Vec<String> {
    let mut lines: Vec<String> = inventory
        .packages
        .iter()
        .map(|package| {
            let source = package.source.as_ref().unwrap();
            let arch = package.arch.as_deref().unwrap();
            let fields = [
                &package.name,
                &package.version,
                arch,
                &source.name,
                &source.version,
            ];
            format!("{}\tinstalled", fields.join("\t"))
        })
        .collect();
    lines.sort();
    lines
}

fn theirs(root: &Path) -> Vec<String> {
    let said = query(root, &["-W", &format!("-f={FORMAT}")]);
    let mut lines: Vec<String> = said
        .lines()
        .filter(|line| line.ends_with("\tinstalled"))
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

/// Every package's files, by `name:arch`, as `dpkg-query -L` lists them.
fn same_files(root: &Path, inventory: &Inventory) {
    for package in &inventory.packages {
        let arch = package.arch.as_deref().unwrap();
        let named = format!("{}:{arch}", package.name);
        let said = query(root, &["-L", &named]);
        // Diversions and `/.` are no files of the package.
        let expected: Vec<&str> = said
            .lines()
            .filter(|line| line.starts_with('/') && *line != "/.")
            .map(|line| line.trim_start_matches('/'))
            .collect();
        let found: Vec<&str> = package.files.iter().collect();
        assert_eq!(found, expected, "{named}");
    }
}

#[test]
fn this_machine_agrees_with_dpkg_query() {
    if !have(&["dpkg-query"]) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let here = Path::new("/");
    for file in ["etc/os-release", "var/lib/dpkg/status"] {
        write(root.path(), file, fs::read(here.join(file)).unwrap());
    }
    for entry in fs::read_dir("/var/lib/dpkg/info").unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "list")
        {
            let inside = path.strip_prefix("/").unwrap().to_str().unwrap();
            write(root.path(), inside, fs::read(&path).unwrap());
        }
    }
    let inventory = tree(root.path());
    assert!(
        inventory.packages.len() > 100,
        "{}",
        inventory.packages.len()
    );
    assert_eq!(ours(&inventory), theirs(here));
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    // Asking takes 50 ms a package: a sample of all.
    let mut sample = inventory;
    let every = sample.packages.len() / 60;
    let mut index = 0;
    sample.packages.retain(|_| {
        index += 1;
        index % every == 0
    });
    same_files(here, &sample);
}

#[test]
fn this_machine_agrees_with_syft() {
    if !have(&["syft", "jq"]) || !have(&["dpkg-query"]) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    for file in ["etc/os-release", "var/lib/dpkg/status"] {
        write(
            root.path(),
            file,
            fs::read(Path::new("/").join(file)).unwrap(),
        );
    }
    assert_eq!(purls(&tree(root.path())), syft(root.path(), "deb"));
}

/// A package of three lines in `dir`.
fn build(dir: &Path, control: &str, files: &[&str]) -> String {
    let (name, _) = control.split_once('\n').unwrap();
    let name = name.trim_start_matches("Package: ");
    let arch = control
        .split("Architecture: ")
        .nth(1)
        .unwrap()
        .split('\n')
        .next()
        .unwrap();
    let tree = dir.join(format!("{name}_{arch}"));
    write(
        &tree,
        "DEBIAN/control",
        format!("{control}Maintainer: N <n@example.org>\nDescription: d\n"),
    );
    for file in files {
        write(&tree, file, "x");
    }
    if files.iter().any(|file| file.starts_with("etc/")) {
        let conffiles: Vec<String> = files.iter().map(|file| format!("/{file}\n")).collect();
        write(&tree, "DEBIAN/conffiles", conffiles.concat());
    }
    let package = dir.join(format!("{name}_{arch}.deb"));
    run(Command::new("dpkg-deb")
        .args(["--root-owner-group", "-b"])
        .arg(&tree)
        .arg(&package));
    package.to_str().unwrap().to_owned()
}

/// States, architectures and source versions that this machine may lack.
#[test]
fn odd_packages_agree_with_dpkg_query() {
    if !have(&["dpkg", "dpkg-deb", "dpkg-query"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let root = work.path().join("root");
    for dir in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    write(&root, "var/lib/dpkg/status", "");
    write(
        &root,
        "etc/os-release",
        "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n",
    );
    let build = |control: &str, files: &[&str]| build(work.path(), control, files);
    let plain = build(
        "Package: plain\nVersion: 1:2.0~rc1-3+b1\nArchitecture: amd64\n",
        &["usr/a"],
    );
    let rebuilt = build(
        "Package: rebuilt\nVersion: 1.0-1+b2\nArchitecture: amd64\nSource: built (1.0-1)\n",
        &["usr/b", "usr/share/doc/rebuilt/copyright"],
    );
    let same = |arch: &str| {
        let path = format!("usr/lib/{arch}/c.so");
        build(
            &format!(
                "Package: libsame\nVersion: 3\nArchitecture: {arch}\nMulti-Arch: same\nSource: same\n"
            ),
            &[&path],
        )
    };
    let (amd64, i386) = (same("amd64"), same("i386"));
    let settings = build(
        "Package: settings\nVersion: 4\nArchitecture: all\n",
        &["etc/d", "usr/settings"],
    );
    let unpacked = build(
        "Package: unpacked\nVersion: 5\nArchitecture: all\n",
        &["usr/e"],
    );
    let dpkg = |arguments: &[&str]| {
        let mut command = Command::new("dpkg");
        command
            .arg(format!("--root={}", root.display()))
            .args(["--force-all", "--log=/dev/null"]);
        run(command.args(arguments));
    };
    dpkg(&["--add-architecture", "amd64"]);
    dpkg(&["--add-architecture", "i386"]);
    dpkg(&["-i", &plain, &rebuilt, &amd64, &i386, &settings]);
    dpkg(&["--unpack", &unpacked]);
    dpkg(&["-r", "settings"]);

    let mut inventory = tree(&root);
    let names: Vec<&str> = inventory
        .packages
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    // Its state is `unpacked`, and its files are there.
    assert_eq!(
        names,
        ["libsame", "libsame", "plain", "rebuilt", "unpacked"]
    );
    same_files(&root, &inventory);
    inventory
        .packages
        .retain(|package| package.name != "unpacked");
    assert_eq!(ours(&inventory), theirs(&root));
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let purls: Vec<&str> = inventory
        .packages
        .iter()
        .map(|one| one.purl.as_str())
        .collect();
    assert_eq!(
        purls,
        [
            "pkg:deb/debian/libsame@3?arch=amd64&distro=debian-12&upstream=same",
            "pkg:deb/debian/libsame@3?arch=i386&distro=debian-12&upstream=same",
            "pkg:deb/debian/plain@1:2.0~rc1-3%2Bb1?arch=amd64&distro=debian-12",
            "pkg:deb/debian/rebuilt@1.0-1%2Bb2?arch=amd64&distro=debian-12&upstream=built%401.0-1",
        ]
    );
}

/// Distroless images have one stanza a file and sums instead of lists; the
/// file's name is not always the package's.
#[test]
fn status_d_of_distroless_images() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(
        root,
        "etc/os-release",
        "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Distroless\"\n",
    );
    write(
        root,
        "var/lib/dpkg/status.d/base",
        "Package: base-files\nVersion: 12.4+deb12u5\nArchitecture: amd64\nDescription: x\n y\n",
    );
    write(
        root,
        "var/lib/dpkg/status.d/base.md5sums",
        "d41d8cd98f00b204e9800998ecf8427e  etc/debian_version\n\
         d41d8cd98f00b204e9800998ecf8427e  ./usr/share/with  spaces\n",
    );
    write(
        root,
        "var/lib/dpkg/status.d/libssl3",
        "Package: libssl3\nSource: openssl\nVersion: 3.0.11-1~deb12u2\nArchitecture: amd64\n",
    );
    write(
        root,
        "usr/share/doc/libssl3/copyright",
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n\
         Files: *\nCopyright: x\nLicense: Apache-2.0\n",
    );
    let inventory = tree(root);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let [base, ssl] = inventory.packages.as_slice() else {
        panic!("{inventory:?}")
    };
    assert_eq!(
        base.files.iter().collect::<Vec<_>>(),
        ["etc/debian_version", "usr/share/with  spaces"]
    );
    assert_eq!(ssl.source.as_ref().unwrap().name, "openssl");
    assert_eq!(ssl.licenses, ["Apache-2.0"]);
    assert_eq!(ssl.origin.path, "var/lib/dpkg/status.d/libssl3");
}

/// Licences of this machine's packages against the files themselves.
#[test]
fn licences_are_those_of_the_copyright_files() {
    if !have(&["grep"]) || !Path::new("/usr/share/doc/dpkg/copyright").exists() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let mut names = BTreeMap::new();
    let mut status = String::new();
    for entry in fs::read_dir("/usr/share/doc").unwrap() {
        let path = entry.unwrap().path().join("copyright");
        let Ok(content) = fs::read(&path) else {
            continue;
        };
        let name = path
            .parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        write(
            root.path(),
            &format!("usr/share/doc/{name}/copyright"),
            content,
        );
        status += &format!("Package: {name}\nStatus: install ok installed\nVersion: 1\n\n");
        names.insert(name, path);
    }
    write(root.path(), "var/lib/dpkg/status", status);
    let inventory = tree(root.path());
    let mut compared = 0;
    for package in &inventory.packages {
        // What starts with `Format:` is machine-readable; its licences are
        // what stands behind `License:` at the start of a line.
        let script = "head -1 \"$1\" | grep -q '^Format:' || exit 0
            sed -n 's/^License:[[:space:]]*//p' \"$1\" | sed 's/[[:space:]]*$//' | grep . | LC_ALL=C sort -u";
        let mut command = Command::new("sh");
        let said = command
            .args(["-c", script, "sh"])
            .arg(&names[&package.name])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        if !said.is_empty() {
            compared += 1;
            assert_eq!(
                package.licenses,
                said.lines().collect::<Vec<_>>(),
                "{}",
                package.name
            );
        }
    }
    assert!(compared > 20, "{compared}");
}
