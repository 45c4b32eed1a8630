//! rpm's databases against `rpm -qa`: here the one of SQLite.

mod berkeley;
mod forms;
mod log;
mod ndb;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
};

use seawall_image::{Evidence, View};
use seawall_inventory::{Context, Inventory, hostile};
use tempfile::TempDir;

use crate::support::{Random, gaps, have, purls, run, syft, tree, write};

/// Packages as distributions build them: with and without an epoch, of a
/// module, with thousands of files, with text that is no ASCII, a hundred from
/// one source, and a key, which rpm stores as if it were a package.
const SPEC: &str = r#"
Name: sea-wall
Version: 1.2~rc1^git3
Release: 3.el9
Epoch: 2
License: MIT and GPLv2+
Summary: s
BuildArch: noarch
%description
d
%package -n modular
Summary: s
Epoch: 0
Version: 18.1
Release: 1.module+el9+5+abc
ModularityLabel: nodejs:18:9020020230825:rhel9
License: Künstler-Lizenz
%description -n modular
d
%package -n many-files
Summary: s
%description -n many-files
d
%package -n gpg-pubkey
Summary: s
%description -n gpg-pubkey
d
%{lua:
for i = 1, 100 do
  print("%package -n sub" .. i .. "\nSummary: s\n%description -n sub" .. i .. "\nd\n%files -n sub" .. i .. "\n/opt/sub" .. i .. "\n")
end}
%install
for i in $(seq 1 100); do mkdir -p %{buildroot}/opt/sub$i; touch %{buildroot}/opt/sub$i/f; done
for i in $(seq 1 60); do
  mkdir -p %{buildroot}/usr/share/many/$i
  for j in $(seq 1 50); do : > %{buildroot}/usr/share/many/$i/a-file-with-a-name-of-some-length-$j; done
done
mkdir -p %{buildroot}/usr/bin "%{buildroot}/usr/share/ünï çode"
touch %{buildroot}/usr/bin/sea "%{buildroot}/usr/share/ünï çode/ß"
%files
/usr/bin/sea
"/usr/share/ünï çode"
%files -n modular
%files -n many-files
/usr/share/many
%files -n gpg-pubkey
"#;

/// Another release of one of them, which rpm lets stand beside it.
const SECOND: &str = "
Name: sub1
Version: 9
Release: 1
License: MIT
Summary: s
BuildArch: noarch
%description
d
%files
";

/// A root with packages in it, made once.
fn root() -> Option<&'static Path> {
    static ROOT: OnceLock<Option<TempDir>> = OnceLock::new();
    let root = ROOT.get_or_init(|| {
        if !have(&["rpm", "rpmbuild", "sqlite3"]) {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        install(dir.path(), &build(dir.path(), &[SPEC, SECOND]));
        Some(dir)
    });
    root.as_ref().map(TempDir::path)
}

pub(crate) fn build(work: &Path, specs: &[&str]) -> Vec<PathBuf> {
    for (index, spec) in specs.iter().enumerate() {
        let path = format!("build/{index}.spec");
        write(work, &path, spec);
        let mut command = Command::new("rpmbuild");
        command.args(["-bb", "--quiet", "--define"]);
        command.arg(format!("_topdir {}", work.join("build").display()));
        // What a distribution's macros would run over every file.
        for define in [
            "_build_id_links none",
            "debug_package %{nil}",
            "__os_install_post %{nil}",
        ] {
            command.args(["--define", define]);
        }
        run(command.arg(work.join(path)));
    }
    let rpms = fs::read_dir(work.join("build/RPMS/noarch")).unwrap();
    let mut rpms: Vec<PathBuf> = rpms.map(|entry| entry.unwrap().path()).collect();
    rpms.sort();
    rpms
}

const DATABASE: &str = "var/lib/rpm/rpmdb.sqlite";

pub(crate) fn install(root: &Path, rpms: &[PathBuf]) {
    write(
        root,
        "etc/os-release",
        "ID=\"almalinux\"\nVERSION_ID=\"9.2\"\nID_LIKE=\"rhel\"\n",
    );
    let mut command = rpm(root);
    command.args([
        "--define",
        "_db_backend sqlite",
        "-i",
        "--nodeps",
        "--justdb",
    ]);
    run(command.args(["--nosignature", "--force"]).args(rpms));
    assert!(root.join(DATABASE).exists());
}

pub(crate) fn rpm(root: &Path) -> Command {
    let mut command = Command::new("rpm");
    command
        .arg("--root")
        .arg(root)
        .args(["--define", "_dbpath /var/lib/rpm"]);
    command
}

pub(crate) const FORMAT: &str =
    "%{NAME}\t%{EVR}\t%{ARCH}\t%{SOURCERPM}\t%{MODULARITYLABEL}\t%{LICENSE}\n";

/// What `rpm -qa` says of everything but keys, which hold no software.
pub(crate) fn theirs(root: &Path, format: &str) -> Vec<String> {
    let said = run(rpm(root).args(["-qa", "--qf", format]));
    let mut lines: Vec<String> = said
        .lines()
        .filter(|line| !line.starts_with("gpg-pubkey\t"))
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

/// The same of our packages.
pub(crate) fn ours(inventory: &Inventory) -> Vec<String> {
    let mut lines: Vec<String> = inventory
        .packages
        .iter()
        .map(|package| {
            let source = package.source.as_ref();
            let source = source.map(|one| format!("{}-{}.src.rpm", one.name, one.version));
            let source = source.unwrap_or_default();
            let module = package.module.as_deref().unwrap_or("(none)");
            let arch = package.arch.as_deref().unwrap();
            let licenses = package.licenses.join("\n");
            [
                &package.name,
                &package.version,
                arch,
                &source,
                module,
                &licenses,
            ]
            .join("\t")
        })
        .collect();
    lines.sort();
    lines
}

pub(crate) fn our_files(inventory: &Inventory) -> Vec<String> {
    let mut lines: Vec<String> = inventory
        .packages
        .iter()
        .flat_map(|package| {
            package
                .files
                .iter()
                .map(|file| format!("{}\t/{file}", package.name))
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn a_database_agrees_with_rpm_field_by_field() {
    let Some(root) = root() else { return };
    let inventory = tree(root);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    assert_eq!(inventory.packages.len(), 104);
    assert_eq!(ours(&inventory), theirs(root, FORMAT));
    let files = our_files(&inventory);
    assert!(files.len() > 3000);
    assert_eq!(files, theirs(root, "[%{=NAME}\t%{FILENAMES}\n]"));

    let by_name: BTreeMap<&str, &str> = inventory
        .packages
        .iter()
        .map(|one| (one.name.as_str(), one.purl.as_str()))
        .collect();
    assert_eq!(
        by_name["modular"],
        "pkg:rpm/almalinux/modular@18.1-1.module%2Bel9%2B5%2Babc?arch=noarch&distro=almalinux-9.2\
         &epoch=0&rpmmod=nodejs:18:9020020230825:rhel9&upstream=sea-wall-1.2~rc1%5Egit3-3.el9.src.rpm"
    );
}

/// Syft leaves the module out of the purl, and lists keys.
#[test]
fn a_database_agrees_with_syft() {
    let Some(root) = root().filter(|_| have(&["syft", "jq"])) else {
        return;
    };
    // Beside the root lie the packages themselves, which Syft lists too.
    let other = tempfile::tempdir().unwrap();
    write(
        other.path(),
        DATABASE,
        fs::read(root.join(DATABASE)).unwrap(),
    );
    for (id, version) in [
        ("almalinux", "9.2"),
        ("rhel", "9.4"),
        ("opensuse-leap", "15.5"),
        ("openEuler", "22.03"),
    ] {
        let release = format!("ID=\"{id}\"\nVERSION_ID=\"{version}\"\n");
        write(other.path(), "etc/os-release", release);
        let mut inventory = tree(other.path());
        for package in &mut inventory.packages {
            if let Some(module) = package.module.as_ref() {
                let qualifier = format!("&rpmmod={module}");
                assert!(package.purl.contains(&qualifier), "{}", package.purl);
                package.purl = package.purl.replace(&qualifier, "");
            }
        }
        let mut theirs = syft(other.path(), "rpm");
        // It keeps the case of the namespace, which the type's definition
        // wants in lower case.
        theirs.iter_mut().for_each(|purl| {
            *purl = purl.replace("pkg:rpm/openEuler/", "pkg:rpm/openeuler/");
        });
        theirs.retain(|purl| !purl.contains("/gpg-pubkey@"));
        let ours = purls(&inventory);
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours, theirs);
        }
    }
}

/// Page sizes from the smallest to the largest, and bytes reserved in each.
#[test]
fn every_page_size_is_read() {
    let Some(root) = root() else { return };
    let expected = theirs(root, FORMAT);
    let expected_files = theirs(root, "[%{=NAME}\t%{FILENAMES}\n]");
    for (size, reserved) in [(512, 0), (512, 32), (1024, 0), (8192, 255), (65536, 0)] {
        let other = tempfile::tempdir().unwrap();
        let path = other.path().join(DATABASE);
        write(
            other.path(),
            DATABASE,
            fs::read(root.join(DATABASE)).unwrap(),
        );
        write(
            other.path(),
            "etc/os-release",
            "ID=almalinux\nVERSION_ID=9.2\n",
        );
        run(Command::new("sqlite3")
            .arg(&path)
            .arg("pragma journal_mode=delete"));
        let script = "printf 'pragma page_size=%s;\nvacuum;\n.filectrl reserve_bytes %s\nvacuum;\n' \
            $2 $3 | sqlite3 \"$1\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(&path);
        run(command.args([size.to_string(), reserved.to_string()]));
        let head = fs::read(&path).unwrap();
        let page_size = u16::try_from(size).unwrap_or(1).to_be_bytes();
        assert_eq!(
            (&head[16..18], head[20]),
            (&page_size[..], reserved),
            "{size}"
        );
        let inventory = tree(other.path());
        assert_eq!(gaps(&inventory), Vec::<String>::new(), "{size}");
        assert_eq!(ours(&inventory), expected, "{size}");
        assert_eq!(our_files(&inventory), expected_files, "{size}");
    }
}

/// Packages that were removed leave pages and rows behind.
#[test]
fn removed_packages_are_gone() {
    let Some(root) = root() else { return };
    let other = tempfile::tempdir().unwrap();
    write(
        other.path(),
        DATABASE,
        fs::read(root.join(DATABASE)).unwrap(),
    );
    let mut command = rpm(other.path());
    run(command.args([
        "-e",
        "--nodeps",
        "--justdb",
        "many-files",
        "sub7",
        "sub1-9-1",
    ]));
    let inventory = tree(other.path());
    assert_eq!(inventory.packages.len(), 101);
    assert_eq!(ours(&inventory), theirs(other.path(), FORMAT));
    // There is no os-release here.
    assert_eq!(inventory.gaps.len(), 1, "{:?}", gaps(&inventory));
}

/// The analyser's word on a database, and what becomes of it.
fn parse(database: &[u8]) -> Result<Inventory, String> {
    parse_as("rpm-sqlite", DATABASE, database)
}

pub(crate) fn parse_as(
    analyser: &'static str,
    path: &str,
    database: &[u8],
) -> Result<Inventory, String> {
    let data = hostile::evidence(analyser, path, database)?.unwrap_or_default();
    let evidence = Evidence {
        path: path.to_owned(),
        analyser,
        layer: 0,
        hidden_by: None,
        size: database.len() as u64,
        mode: 0o644,
        uid: 0,
        gid: 0,
        capability: None,
        data: Arc::from(data),
    };
    let view = View {
        files: vec![evidence],
        ..View::default()
    };
    Ok(seawall_inventory::read(&view, Context::Installed))
}

/// Says nothing of a distribution, which none of these has.
pub(crate) fn damage(inventory: &Inventory) -> Vec<String> {
    gaps(inventory)
        .into_iter()
        .filter(|gap| !gap.contains("etc/os-release"))
        .collect()
}

/// A small database for damage: one page holds several packages.
fn small() -> Option<Vec<u8>> {
    let root = root()?;
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join(DATABASE);
    write(
        other.path(),
        DATABASE,
        fs::read(root.join(DATABASE)).unwrap(),
    );
    let keep = "('sub1','sub2','sub3','modular','gpg-pubkey','sea-wall')";
    let delete = |table: &str| {
        format!(
            "delete from {table} where hnum not in (select hnum from Name where key in {keep});"
        )
    };
    // Its other indexes are of no use here.
    let tables = "select name from sqlite_master where type = 'table'
        and name not in ('Packages', 'Name') and name not like 'sqlite%'";
    let tables = run(Command::new("sqlite3").arg(&path).arg(tables));
    let drop: String = tables
        .lines()
        .map(|table| format!("drop table '{table}';"))
        .collect();
    let script = format!(
        "pragma journal_mode=delete; {drop} {} {} pragma page_size=1024; vacuum;",
        delete("Packages"),
        delete("Name"),
    );
    run(Command::new("sqlite3").arg(&path).arg(script));
    Some(fs::read(path).unwrap())
}

/// Flips each of `bits` and reads what comes of it: how often damage was said,
/// nothing was read, and nothing that matters (packages and files) was changed.
pub(crate) fn flipped(
    bytes: &mut [u8],
    bits: &[usize],
    expected: &(Vec<String>, Vec<String>),
    read: impl Fn(&[u8]) -> Option<Inventory>,
) -> (usize, usize, usize) {
    let (mut said, mut refused, mut harmless) = (0, 0, 0);
    for bit in bits {
        bytes[bit / 8] ^= 1 << (bit % 8);
        match read(bytes) {
            None => refused += 1,
            Some(found) if !damage(&found).is_empty() => said += 1,
            Some(found) => {
                assert_eq!(&(ours(&found), our_files(&found)), expected, "bit {bit}");
                harmless += 1;
            }
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    (said, refused, harmless)
}

/// A flipped bit changes nothing that matters, or is said.
#[test]
fn no_flipped_bit_goes_unsaid() {
    let Some(mut database) = small() else { return };
    let intact = parse(&database).unwrap();
    assert_eq!(intact.packages.len(), 6);
    assert_eq!(damage(&intact), Vec::<String>::new());
    let expected = (ours(&intact), our_files(&intact));
    let mut random = Random(7);
    let mut bits: Vec<usize> = (0..800).collect();
    bits.extend((0..6000).map(|_| random.below(database.len() * 8)));
    let (said, refused, harmless) =
        flipped(&mut database, &bits, &expected, |bytes| parse(bytes).ok());
    assert!(
        said > 3000 && refused > 100 && harmless > 0,
        "{said} {refused} {harmless}"
    );
}

/// A database cut short loses no package in silence.
#[test]
fn a_database_cut_short_is_said() {
    let Some(database) = small() else { return };
    let expected = ours(&parse(&database).unwrap());
    let mut random = Random(11);
    for _ in 0..300 {
        let end = random.below(database.len());
        if let Ok(found) = parse(&database[..end]) {
            assert!(
                !damage(&found).is_empty() || ours(&found) == expected,
                "{end}"
            );
        }
    }
}

/// Many bytes changed at once: an end, without a panic.
#[test]
fn rubbish_comes_to_an_end() {
    let Some(database) = small() else { return };
    let mut random = Random(13);
    for round in 0..600 {
        let mut other = database.clone();
        for _ in 0..=random.below(40) {
            let at = random.below(other.len());
            other[at] = u8::try_from(random.below(256)).unwrap();
        }
        if round % 3 == 0 {
            // One page in the place of another: loops and shared pages.
            let pages = other.len() / 1024;
            let (from, to) = (
                random.below(pages) * 1024,
                random.below(pages - 1) * 1024 + 1024,
            );
            other.copy_within(from..from + 1024, to);
        }
        drop(parse(&other));
        drop(hostile::rpm(&other));
    }
    for length in [1, 16, 99, 100, 101, 600] {
        assert!(parse(&vec![0xFF; length]).is_err());
    }
}

/// The manifest that distroless Azure Linux images carry instead, made by
/// rpm's own query with the format that their build uses.
#[test]
fn a_container_manifest_agrees_with_rpm() {
    let Some(root) = root() else { return };
    let format = "%{NAME}\t%{VERSION}-%{RELEASE}\t%{INSTALLTIME}\t%{BUILDTIME}\t%{VENDOR}\t\
                  %{EPOCH}\t%{SIZE}\t%{ARCH}\t%{EPOCHNUM}\t%{SOURCERPM}\n";
    let other = tempfile::tempdir().unwrap();
    let lines = theirs(root, format);
    write(
        other.path(),
        "var/lib/rpmmanifest/container-manifest-2",
        lines.join("\n") + "\n",
    );
    write(
        other.path(),
        "etc/os-release",
        "ID=azurelinux\nVERSION_ID=\"3.0\"\n",
    );
    let inventory = tree(other.path());
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let mut ours: Vec<String> = inventory
        .packages
        .iter()
        .map(|package| {
            let source = package.source.as_ref().unwrap();
            let source = format!("{}-{}.src.rpm", source.name, source.version);
            let arch = package.arch.as_deref().unwrap();
            [&package.name, &package.version, arch, &source].join("\t")
        })
        .collect();
    ours.sort();
    assert_eq!(
        ours,
        theirs(root, "%{NAME}\t%{EVR}\t%{ARCH}\t%{SOURCERPM}\n")
    );
}
