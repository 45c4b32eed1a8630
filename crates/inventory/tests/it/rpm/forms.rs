//! The same packages in every form of the database.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use seawall_inventory::Inventory;
use tempfile::TempDir;

use super::{FORMAT, ours, theirs};
use crate::support::{gaps, have, purls, run, syft, tree, write};

/// The databases that `make-rpm` made, unpacked once.
pub(crate) struct Forms(TempDir);

impl Forms {
    /// `None` where a tool is missing.
    pub(crate) fn get() -> Option<&'static Forms> {
        static FORMS: OnceLock<Option<Forms>> = OnceLock::new();
        let unpack = || {
            if !have(&["tar", "zstd"]) {
                return None;
            }
            let dir = tempfile::tempdir().unwrap();
            let archive = Path::new(env!("CARGO_MANIFEST_DIR"));
            let archive = archive.join("tests/data/rpm/databases.tar.zst");
            run(Command::new("tar")
                .args(["--zstd", "-xf"])
                .arg(archive)
                .arg("-C")
                .arg(dir.path()));
            Some(Forms(dir))
        };
        FORMS.get_or_init(unpack).as_ref()
    }

    /// A database: `ndb`, `small` (also NDB) or `sqlite`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let file = match name {
            "sqlite" => "rpmdb.sqlite",
            _ => "Packages.db",
        };
        let folder = self.0.path().join(name).join("usr/lib/sysimage/rpm");
        folder.join(file)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }
}

/// A root with files in it, of AlmaLinux unless they say otherwise.
pub(crate) fn root(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let release = "ID=almalinux\nVERSION_ID=9.2\nPRETTY_NAME=A\n";
    write(dir.path(), "etc/os-release", release);
    for (path, content) in files {
        write(dir.path(), path, content);
    }
    dir
}

/// All that is known of the packages but where it was read.
pub(crate) fn facts(mut inventory: Inventory) -> Vec<String> {
    let packages = inventory.packages.iter_mut();
    let facts = packages.map(|package| {
        package.origin.path.clear();
        format!("{package:?}")
    });
    facts.collect()
}

/// What the SQLite database says, which rpm confirms.
pub(crate) fn sqlite(forms: &Forms) -> Vec<String> {
    let dir = root(&[("var/lib/rpm/rpmdb.sqlite", &forms.read("sqlite"))]);
    let inventory = tree(dir.path());
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    assert_eq!(inventory.packages.len(), 309);
    if have(&["rpm"]) {
        assert_eq!(ours(&inventory), theirs(dir.path(), FORMAT));
    }
    facts(inventory)
}

#[test]
fn ndb_agrees_with_sqlite_in_everything() {
    let Some(forms) = Forms::get() else { return };
    for folder in ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"] {
        let dir = root(&[(&format!("{folder}/Packages.db"), &forms.read("ndb"))]);
        let inventory = tree(dir.path());
        assert_eq!(gaps(&inventory), Vec::<String>::new());
        let sea = inventory.packages.iter().find(|one| one.name == "sea-wall");
        let needs: Vec<&str> = { &sea.unwrap().requires }
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(needs, ["many-files", "modular", "sub7", "sub9"]);
        assert_eq!(facts(inventory), sqlite(forms));
    }
}

#[test]
fn ndb_agrees_with_syft() {
    let Some(forms) = Forms::get().filter(|_| have(&["syft", "jq"])) else {
        return;
    };
    let dir = root(&[("usr/lib/sysimage/rpm/Packages.db", &forms.read("ndb"))]);
    agree_with_syft(dir.path());
}

/// Syft leaves the module out of the purl, and lists keys.
pub(crate) fn agree_with_syft(root: &Path) {
    let mut inventory = tree(root);
    assert_eq!(inventory.packages.len(), 309);
    for package in &mut inventory.packages {
        if let Some(module) = package.module.as_ref() {
            package.purl = package.purl.replace(&format!("&rpmmod={module}"), "");
        }
    }
    let mut theirs = syft(root, "rpm");
    theirs.retain(|purl| !purl.contains("/gpg-pubkey@"));
    assert_eq!(purls(&inventory), theirs);
}

/// rpm looks for SQLite first and for Berkeley DB last, in one folder.
#[test]
fn of_several_databases_the_one_counts_that_rpm_reads() {
    let Some(forms) = Forms::get() else { return };
    let (sqlite, ndb, small) = (forms.read("sqlite"), forms.read("ndb"), forms.read("small"));
    let count = |files: &[(&str, &[u8])]| {
        let inventory = tree(root(files).path());
        (inventory.packages.len(), gaps(&inventory))
    };
    const SQLITE: &str = "var/lib/rpm/rpmdb.sqlite";
    const NDB: &str = "var/lib/rpm/Packages.db";
    const BERKELEY: &str = "var/lib/rpm/Packages";
    let none = Vec::<String>::new();
    // Left behind: all that it names is in the other.
    assert_eq!(
        count(&[(SQLITE, &sqlite), (NDB, &small)]),
        (309, none.clone())
    );
    // Empty ones are passed over, whichever comes first.
    let empty = [(SQLITE, &b""[..]), (NDB, &ndb), (BERKELEY, b"")];
    assert_eq!(count(&empty), (309, none.clone()));
    // A folder that another one points to, or that was copied.
    let both = [
        (SQLITE, &sqlite[..]),
        ("usr/lib/sysimage/rpm/Packages.db", &ndb),
    ];
    assert_eq!(count(&both), (309, none));
    // A damaged one does not hide the other.
    let (packages, said) = count(&[(SQLITE, b"no database at all"), (NDB, &ndb)]);
    assert_eq!(packages, 309);
    assert_eq!(
        said,
        [
            "damaged var/lib/rpm/rpmdb.sqlite: the rpm database cannot be read: it is no SQLite 3 \
          database"
        ]
    );
}

#[test]
fn what_is_no_database_is_named() {
    let dir = root(&[
        ("usr/lib/sysimage/rpm/Packages.db", b"RpmP"),
        (
            "usr/share/rpm/Packages.db",
            &[b"RpmP\x01".as_slice(), &[0; 40]].concat(),
        ),
        ("var/lib/rpm/Packages", b"x"),
        ("var/lib/rpm/rpmdb.sqlite", b"no database at all"),
        ("var/lib/rpm/rpmdb.sqlite-wal", &[0; 4200]),
    ]);
    let said = gaps(&tree(dir.path()));
    let cannot = "the rpm database cannot be read";
    for expected in [
        format!("damaged usr/lib/sysimage/rpm/Packages.db: {cannot}: it is no NDB database of rpm"),
        format!(
            "damaged usr/share/rpm/Packages.db: {cannot}: version 1 of the NDB format is not known"
        ),
        format!("damaged var/lib/rpm/Packages: {cannot}: it is no Berkeley DB"),
        format!("damaged var/lib/rpm/rpmdb.sqlite: {cannot}: it is no SQLite 3 database"),
        "damaged var/lib/rpm/rpmdb.sqlite-wal: the write-ahead log of the rpm database cannot be \
         read: it is no write-ahead log of SQLite"
            .to_owned(),
        "missing package database: it is A, but no database of installed packages could be read"
            .to_owned(),
    ] {
        assert!(said.contains(&expected), "{expected} is not in {said:#?}");
    }
}
