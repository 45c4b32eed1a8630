//! Package managers beside dpkg, apk and rpm: databases that the managers
//! themselves wrote (`data/make-databases`) against what they say of them; of
//! those that cannot be had here, files in the form of their documentation.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use seawall_inventory::{Inventory, hostile};
use seawall_model::Package;

use crate::support::{Random, gaps, have, purls, syft, tree, write};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/databases")
        .join(name)
}

/// A copy of a database below a system that says what it is, and what its
/// manager says of it.
fn system(name: &str, release: &str) -> (tempfile::TempDir, Vec<String>) {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "etc/os-release", release);
    copy(&data(name), root.path());
    let listing = fs::read_to_string(data(name).join("listing")).unwrap();
    (root, listing.lines().map(str::to_owned).collect())
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else if entry.file_name() != "listing" {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn by_name(inventory: &Inventory) -> BTreeMap<&str, &Package> {
    let packages = inventory.packages.iter();
    packages.map(|one| (one.name.as_str(), one)).collect()
}

fn requires(package: &Package) -> Vec<&str> {
    package
        .requires
        .iter()
        .map(|one| one.name.as_str())
        .collect()
}

const ARCH: &str = "ID=arch\nNAME=\"Arch Linux\"\nBUILD_ID=rolling\n";

#[test]
fn pacman_agrees_with_its_own_listing() {
    let (root, listing) = system("pacman", ARCH);
    let inventory = tree(root.path());
    let mut ours: Vec<String> = Vec::new();
    for one in &inventory.packages {
        ours.push(format!("package {} {}", one.name, one.version));
        let files = one.files.iter();
        ours.extend(files.map(|file| format!("file {} {file}", one.name)));
    }
    ours.sort();
    let mut theirs = listing;
    theirs.sort();
    assert_eq!(ours, theirs);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let packages = by_name(&inventory);
    let app = packages["sea-app"];
    assert_eq!(
        app.purl,
        "pkg:alpm/arch/sea-app@1:1.2-3?arch=x86_64&distro=arch&upstream=sea-base"
    );
    assert_eq!(app.source.as_ref().unwrap().name, "sea-base");
    assert_eq!(app.licenses, ["MIT", "custom:x"]);
    // By its name and by its library it asks for the same one.
    assert_eq!(requires(app), ["sea-lib"]);
    if have(&["syft", "jq"]) {
        // It leaves the architecture out, and takes the build's id for a
        // release.
        let ours: Vec<String> = purls(&inventory)
            .iter()
            .map(|purl| purl.replace("arch=x86_64&distro=arch", "distro=arch-rolling"))
            .collect();
        assert_eq!(ours, syft(root.path(), "alpm"));
    }
}

#[test]
fn nix_agrees_with_nix_store() {
    let (root, listing) = system("nix", "ID=nixos\nVERSION_ID=\"24.05\"\n");
    let inventory = tree(root.path());
    let mut ours = BTreeSet::new();
    for one in &inventory.packages {
        let inside = one.origin.inside.as_deref().unwrap();
        let hash = &one.hashes[0].hex;
        ours.insert((format!("/{inside}"), hash.clone(), requires(one).join(" ")));
    }
    // What has no version is no package: `builder.sh`.
    let is_package = |path: &str| !path.ends_with("builder.sh");
    let theirs: BTreeSet<_> = listing
        .iter()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|fields| is_package(fields[0]))
        .map(|fields| {
            let references = fields[3].split(' ').filter(|path| is_package(path));
            let names = references.filter_map(|path| path.rsplit('/').next()?.split('-').nth(1));
            let mut names: Vec<&str> = names.collect();
            names.sort_unstable();
            (fields[0].to_owned(), fields[1].to_owned(), names.join(" "))
        })
        .collect();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 3);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let sea = by_name(&inventory)["sea-wall"];
    assert_eq!(sea.version, "2.1");
    assert!(sea.purl.contains("?drvpath="), "{}", sea.purl);
    if have(&["syft", "jq"]) {
        assert_eq!(purls(&inventory), syft(root.path(), "nix"));
    }
}

/// Images that Nix builds have a store without its database.
#[test]
fn a_store_without_a_database_is_read_by_names() {
    let root = tempfile::tempdir().unwrap();
    let base = "nix/store/0c7c96gikmzv87i7lv3vq5s1cmfjd6zf";
    write(
        root.path(),
        &format!("{base}-zlib-1.3.1/lib/libz.so"),
        "\x7FELF",
    );
    write(
        root.path(),
        &format!("{base}-zlib-1.3.1/lib/libz.so.1"),
        "\x7FELF",
    );
    write(
        root.path(),
        &format!("{base}-hello-2.12.1-man/bin/x"),
        "#!/bin/sh\n",
    );
    write(root.path(), &format!("{base}-builder.sh"), "#!/bin/sh\n");
    let inventory = tree(root.path());
    assert_eq!(
        purls(&inventory),
        [
            "pkg:nix/hello@2.12.1?output=man&outputhash=0c7c96gikmzv87i7lv3vq5s1cmfjd6zf",
            "pkg:nix/zlib@1.3.1?outputhash=0c7c96gikmzv87i7lv3vq5s1cmfjd6zf",
        ]
    );
    assert_eq!(
        inventory.packages[0].origin.path,
        format!("{base}-hello-2.12.1-man")
    );
}

#[test]
fn flatpak_agrees_with_its_own_listing() {
    let (root, listing) = system("flatpak", "ID=fedora\nVERSION_ID=40\n");
    let inventory = tree(root.path());
    let mut ours: Vec<String> = inventory
        .packages
        .iter()
        .map(|one| {
            let branch = one.purl.split("branch=").nth(1).unwrap();
            format!("{}\t{branch}\t{}", one.name, one.arch.as_deref().unwrap())
        })
        .collect();
    ours.sort();
    assert_eq!(ours, listing);
    let packages = by_name(&inventory);
    let sea = packages["org.example.Sea"];
    assert_eq!(
        sea.purl,
        "pkg:flatpak/org.example.Sea@2.3.1?arch=x86_64&branch=stable"
    );
    assert_eq!(sea.version, "2.3.1");
    assert_eq!(requires(sea), ["org.example.Platform"]);
}

#[test]
fn a_chiselled_image_agrees_with_the_library_that_writes_manifests() {
    let release = "ID=ubuntu\nVERSION_ID=\"24.04\"\nVERSION_CODENAME=noble\n";
    let (root, listing) = system("chisel", release);
    let inventory = tree(root.path());
    let mut ours: Vec<String> = Vec::new();
    for one in &inventory.packages {
        let arch = one.arch.as_deref().unwrap();
        let hash = &one.hashes[0].hex;
        ours.push(format!(
            "package {} {} {arch} {hash}",
            one.name, one.version
        ));
        let files = one.files.iter();
        ours.extend(files.map(|file| format!("file {} /{file}", one.name)));
    }
    ours.sort();
    // Slices are of packages; folders belong to many.
    let mut theirs: Vec<String> = listing
        .iter()
        .filter(|line| !line.ends_with('/'))
        .map(|line| line.replace("_libs ", " ").replace("_bins ", " "))
        .collect();
    theirs.sort();
    assert_eq!(ours, theirs);
    assert_eq!(
        by_name(&inventory)["libc6"].purl,
        "pkg:deb/ubuntu/libc6@2.39-0ubuntu8.4?arch=amd64&distro=ubuntu-24.04"
    );
    // What dpkg's database has too is read there.
    write(
        root.path(),
        "var/lib/dpkg/status",
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\n\
         Source: glibc\nVersion: 2.39-0ubuntu8.4\n",
    );
    let inventory = tree(root.path());
    assert_eq!(inventory.packages.len(), 2);
    assert_eq!(
        by_name(&inventory)["libc6"].source.as_ref().unwrap().name,
        "glibc"
    );
}

/// OpenWrt's form (opkg, `pkg_parse.c`; OpenWrt documentation, "Opkg package
/// manager").
#[test]
fn opkg_is_read_as_openwrt_writes_it() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(
        root,
        "etc/os-release",
        "ID=\"openwrt\"\nVERSION_ID=\"23.05.3\"\n",
    );
    write(
        root,
        "usr/lib/opkg/status",
        "Package: busybox\nVersion: 1.36.1-1\nDepends: libc, libubus20230605 (>= 2023)\n\
         Status: install user installed\nArchitecture: x86_64\nConffiles:\n /etc/passwd 0a\n\
         Installed-Time: 1711111111\n\n\
         Package: libc\nVersion: 1.2.4-4\nStatus: install hold installed\nEssential: yes\n\
         Architecture: x86_64\nInstalled-Time: 1711111111\nAuto-Installed: yes\n\n\
         Package: libubox-lua\nVersion: 2\nStatus: deinstall user not-installed\n\n\
         Package: ubus\nVersion: 2023-1\nProvides: libubus20230605\nStatus: install user unpacked\n\
         Architecture: x86_64\n\n",
    );
    write(
        root,
        "usr/lib/opkg/info/busybox.list",
        "/bin/busybox\n/bin/ash\t0777\tbusybox\n",
    );
    let inventory = tree(root);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    assert_eq!(
        purls(&inventory),
        [
            "pkg:opkg/openwrt/busybox@1.36.1-1?arch=x86_64&distro=openwrt-23.05.3",
            "pkg:opkg/openwrt/libc@1.2.4-4?arch=x86_64&distro=openwrt-23.05.3",
            "pkg:opkg/openwrt/ubus@2023-1?arch=x86_64&distro=openwrt-23.05.3",
        ]
    );
    let packages = by_name(&inventory);
    let busybox = packages["busybox"];
    assert_eq!(requires(busybox), ["libc", "ubus"]);
    let files: Vec<_> = busybox.files.iter().collect();
    assert_eq!(files, ["bin/busybox", "bin/ash"]);
}

/// Portage's form (PMS; portage(5), `/var/db/pkg`).
#[test]
fn portage_is_read_as_it_writes() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "etc/os-release", "ID=gentoo\nVERSION_ID=\"2.15\"\n");
    let db = "var/db/pkg/app-containers/skopeo-1.5.1-r2";
    write(
        root,
        &format!("{db}/CONTENTS"),
        "dir /usr\ndir /usr/bin\nobj /usr/bin/skopeo 376c02bd3b22804df8fdfdc895e7dbfb 1649284374\n\
         obj /etc/a file.conf 6950eb8e1a4a4a9e1d9f1f3c7c1b8a3d 1649284375\n\
         sym /usr/bin/sk -> skopeo 1649284376\n",
    );
    write(root, &format!("{db}/LICENSE"), "Apache-2.0 BSD\n");
    write(
        root,
        &format!("{db}/RDEPEND"),
        ">=dev-libs/libassuan-2.1:0/9= !!app-old/blocker || ( app-crypt/gpgme app-crypt/other )\n",
    );
    write(root, "var/db/pkg/dev-libs/libassuan-2.5.5/CONTENTS", "");
    write(root, "var/db/pkg/app-crypt/gpgme-1.18.0-r1/CONTENTS", "");
    write(root, "var/db/pkg/app-crypt/-MERGING-gpg-1/CONTENTS", "");
    let inventory = tree(root);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let packages = by_name(&inventory);
    let skopeo = packages["app-containers/skopeo"];
    assert_eq!(skopeo.version, "1.5.1-r2");
    assert_eq!(skopeo.licenses, ["Apache-2.0", "BSD"]);
    assert_eq!(requires(skopeo), ["app-crypt/gpgme", "dev-libs/libassuan"]);
    let files: Vec<_> = skopeo.files.iter().collect();
    assert_eq!(files, ["usr/bin/skopeo", "etc/a file.conf", "usr/bin/sk"]);
    if have(&["syft", "jq"]) {
        // It has neither namespace nor distribution.
        let ours: Vec<String> = purls(&inventory)
            .iter()
            .map(|purl| purl.replace("ebuild/gentoo/", "ebuild/"))
            .map(|purl| purl.split('?').next().unwrap().to_owned())
            .collect();
        let theirs = syft(root, "portage");
        assert_eq!(ours, theirs);
    }
}

/// Void's form (xbps, `pkgdb`; proplib's property lists).
#[test]
fn xbps_is_read_as_it_writes() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(
        root,
        "etc/os-release",
        "ID=\"void\"\nPRETTY_NAME=\"Void Linux\"\n",
    );
    write(
        root,
        "var/db/xbps/pkgdb-0.38.plist",
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>_XBPS_ALTERNATIVES_</key><dict><key>sh</key><array><string>bash</string></array></dict>
<key>bash</key><dict>
  <key>architecture</key><string>x86_64</string><key>automatic-install</key><true/>
  <key>filename-sha256</key><string>0101010101010101010101010101010101010101010101010101010101010101</string>
  <key>license</key><string>GPL-3.0-or-later</string><key>pkgver</key><string>bash-5.2.21_1</string>
  <key>run_depends</key><array><string>glibc&gt;=2.36_1</string><string>virtual-term&gt;=0</string></array>
  <key>state</key><string>installed</string></dict>
<key>glibc</key><dict><key>pkgver</key><string>glibc-2.39_2</string><key>provides</key>
  <array><string>virtual-term-1_1</string></array><key>state</key><string>installed</string></dict>
<key>gone</key><dict><key>pkgver</key><string>gone-1_1</string><key>state</key><string>not-installed</string></dict>
</dict></plist>"#,
    );
    write(
        root,
        "var/db/xbps/.bash-files.plist",
        "<plist version=\"1.0\"><dict><key>dirs</key><array><dict><key>file</key><string>/usr</string>\
         </dict></array><key>files</key><array><dict><key>file</key><string>/usr/bin/bash</string>\
         </dict></array><key>links</key><array><dict><key>file</key><string>/usr/bin/sh</string>\
         <key>target</key><string>bash</string></dict></array></dict></plist>",
    );
    let inventory = tree(root);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let packages = by_name(&inventory);
    assert_eq!(packages.len(), 2);
    let bash = packages["bash"];
    assert_eq!(
        bash.purl,
        "pkg:xbps/void/bash@5.2.21_1?arch=x86_64&distro=void"
    );
    assert_eq!(requires(bash), ["glibc"]);
    assert_eq!(bash.licenses, ["GPL-3.0-or-later"]);
    assert_eq!(bash.hashes.len(), 1);
    let files: Vec<_> = bash.files.iter().collect();
    assert_eq!(files, ["usr/bin/bash", "usr/bin/sh"]);
}

/// Bottlerocket's, Snapcraft's and Homebrew's documented forms.
#[test]
fn bottlerocket_snap_and_homebrew() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(
        root,
        "etc/os-release",
        "ID=bottlerocket\nVERSION_ID=1.20.0\n",
    );
    write(
        root,
        "usr/share/bottlerocket/application-inventory.json",
        r#"{"Content":[{"Name":"bottlerocket-glibc","Publisher":"Bottlerocket","InstalledTime":
        "2024-01-01T00:00:00Z","ApplicationType":"Unspecified","Architecture":"x86_64",
        "Url":"http://www.gnu.org/software/glibc/","Version":"2.38","Release":"1.1700000000.abc.br1",
        "Epoch":"0","Summary":"The GNU libc libraries"}]}"#,
    );
    write(
        root,
        "snap/hello/42/meta/snap.yaml",
        "name: hello\nversion: 2.10\nsummary: x\narchitectures:\n  - amd64\nbase: core20\n\
         license: GPL-3.0\nconfinement: strict\n",
    );
    write(root, "var/lib/snapd/snaps/hello_42.snap", "hsqs");
    write(root, "var/lib/snapd/snaps/core20_2182.snap", "hsqs");
    write(
        root,
        "home/linuxbrew/.linuxbrew/Cellar/jq/1.7.1/INSTALL_RECEIPT.json",
        r#"{"homebrew_version":"4.2.0","runtime_dependencies":[{"full_name":"oniguruma",
        "version":"6.9.9","declared_directly":true}],"source":{"versions":{"stable":"1.7.1"}}}"#,
    );
    write(root, "x/Cellar/INSTALL_RECEIPT.json", "no receipt");
    let inventory = tree(root);
    assert_eq!(
        gaps(&inventory),
        [
            "unsupported var/lib/snapd/snaps/core20_2182.snap: the snap `core20` is packed: what is \
          in it is not read"
        ]
    );
    assert_eq!(
        purls(&inventory),
        [
            "pkg:brew/jq@1.7.1",
            "pkg:generic/snap/hello@2.10?arch=amd64&base=core20",
            "pkg:rpm/bottlerocket/glibc@2.38-1.1700000000.abc.br1?arch=x86_64&distro=bottlerocket-1.20.0",
        ]
    );
    assert_eq!(requires(by_name(&inventory)["jq"]), ["oniguruma"]);
}

/// Each damaged file is a gap of its own; the others are read.
#[test]
fn damaged_databases_are_gaps() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "etc/os-release", ARCH);
    copy(&data("pacman"), root);
    write(
        root,
        "var/lib/pacman/local/cut-1-1/desc",
        "%NAME%\ncut\n\n%VERS",
    );
    write(
        root,
        "nix/var/nix/db/db.sqlite",
        "SQLite format 3\0 and no more",
    );
    write(root, "var/lib/chisel/manifest.wall", "no zstd");
    write(
        root,
        "var/db/xbps/pkgdb-0.38.plist",
        "<plist><dict><key>a</key><dict><key>pkgver",
    );
    write(
        root,
        "usr/share/bottlerocket/application-inventory.json",
        "{\"Content\":3}",
    );
    write(root, "snap/x/1/meta/snap.yaml", "name: [");
    write(root, "opt/Cellar/jq/1/INSTALL_RECEIPT.json", "[");
    write(root, "var/db/pkg/app/noversion/CONTENTS", "");
    write(
        root,
        "var/lib/flatpak/app/a.b.C/x/y/z/metadata",
        "[Application]\nname=d.e.F\n",
    );
    let inventory = tree(root);
    let names: Vec<_> = inventory
        .packages
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["sea-app", "sea-lib"]);
    let subjects: BTreeSet<&str> = inventory
        .gaps
        .iter()
        .map(|gap| gap.subject.as_str())
        .collect();
    let expected = [
        "nix/var/nix/db/db.sqlite",
        "opt/Cellar/jq/1/INSTALL_RECEIPT.json",
        "snap/x/1/meta/snap.yaml",
        "usr/share/bottlerocket/application-inventory.json",
        "var/db/pkg/app/noversion/CONTENTS",
        "var/db/xbps/pkgdb-0.38.plist",
        "var/lib/chisel/manifest.wall",
        "var/lib/flatpak/app/a.b.C/x/y/z/metadata",
        "var/lib/pacman/local/cut-1-1/desc",
    ];
    assert_eq!(subjects, expected.into_iter().collect());
    assert!(
        inventory
            .gaps
            .iter()
            .all(|gap| gap.kind.as_str() == "damaged")
    );
}

#[test]
fn changed_bytes_never_panic() {
    let mut random = Random(29);
    let read = |path: &str| fs::read(data("").join(path)).unwrap();
    let files = [
        ("nix-db", "nix/var/nix/db/db.sqlite", read("nix/nix/var/nix/db/db.sqlite")),
        ("chisel-manifest", "manifest.wall", read("chisel/var/lib/chisel/manifest.wall")),
        (
            "pacman-desc",
            "var/lib/pacman/local/a/desc",
            read("pacman/var/lib/pacman/local/sea-app-1:1.2-3/desc"),
        ),
        ("portage", "var/db/pkg/a/b-1/CONTENTS", b"obj /a b 0 1\nsym /a -> b 1\n".to_vec()),
        ("snap", "meta/snap.yaml", b"name: a\nversion: '1'\narchitectures: [x]\n".to_vec()),
        (
            "xbps-db",
            "var/db/xbps/pkgdb-0.38.plist",
            b"<plist><dict><key>a</key><dict><key>pkgver</key><string>a-1_1</string></dict></dict></plist>"
                .to_vec(),
        ),
    ];
    for (analyser, path, content) in &files {
        assert!(
            matches!(hostile::evidence(analyser, path, content), Ok(Some(_))),
            "{analyser}"
        );
        for _ in 0..300 {
            let mut bytes = content.clone();
            for _ in 0..=random.below(8) {
                let at = random.below(bytes.len());
                bytes[at] = u8::try_from(random.below(256)).unwrap();
            }
            bytes.truncate(random.below(bytes.len()) + 1);
            drop(hostile::evidence(analyser, path, &bytes));
        }
    }
}

/// A manifest of zeros without end, packed.
#[test]
fn a_bomb_in_a_manifest_is_a_gap() {
    if !have(&["zstd", "sh"]) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("var/lib/chisel")).unwrap();
    let target = root.path().join("var/lib/chisel/manifest.wall");
    let script = "head -c 400000000 /dev/zero | zstd -q -o \"$1\"";
    let mut command = std::process::Command::new("sh");
    crate::support::run(command.args(["-c", script, "sh"]).arg(target));
    assert_eq!(
        gaps(&tree(root.path())),
        ["limit var/lib/chisel/manifest.wall: a line of the manifest is too long"]
    );
}
