//! Notes of packages, as GNU ld writes them.

use std::{path::Path, process::Command};

use crate::support::{gaps, have, purls, run, syft, tree, write};

const DEBIAN: &str =
    r#"{"type":"deb","os":"debian","osVersion":"12","name":"hello","version":"2.10-3"}"#;
const FEDORA: &str = r#"{"type":"rpm","name":"coreutils","version":"8.32-1.fc33","osCpe":"cpe:/o:fedoraproject:fedora:33"}"#;

fn link(root: &Path, name: &str, note: &str) {
    write(root, "main.c", "int main(void) { return 0; }\n");
    let mut command = Command::new("cc");
    command
        .arg(root.join("main.c"))
        .arg("-o")
        .arg(root.join(name));
    run(command.args(["-Xlinker", &format!("--package-metadata={note}")]));
}

#[test]
fn notes_name_the_packages_that_syft_finds() {
    if !have(&["cc", "syft", "jq"]) {
        return;
    }
    for (note, kind) in [(DEBIAN, "deb"), (FEDORA, "rpm")] {
        let root = tempfile::tempdir().unwrap();
        link(root.path(), "tool", note);
        let inventory = tree(root.path());
        assert_eq!(purls(&inventory), syft(root.path(), kind));
        assert_eq!(inventory.packages.len(), 1);
    }
}

#[test]
fn a_note_adds_only_what_the_database_does_not_have() {
    if !have(&["cc"]) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    // As systemd's own programs in Debian 12 have it.
    link(root, "own", &DEBIAN.replace("debian", "Debian"));
    link(root, "foreign", FEDORA);
    link(root, "listed", &DEBIAN.replace("hello", "bash"));
    link(root, "broken", DEBIAN);
    let mut broken = std::fs::read(root.join("broken")).unwrap();
    let at = broken.windows(7).position(|window| window == b"{\"type\"");
    broken[at.unwrap()] = b'!';
    write(root, "broken", broken);
    write(root, "etc/os-release", "ID=debian\nVERSION_ID=12\n");
    let no_database = gaps(&tree(root));
    let is_said = |gap: &String| gap.contains("no database of installed packages");
    assert!(no_database.iter().any(is_said), "{no_database:?}");
    write(
        root,
        "var/lib/dpkg/status",
        "Package: bash\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
    );
    let inventory = tree(root);
    let mut all: Vec<String> = inventory
        .packages
        .iter()
        .map(|one| format!("{} {}: {}", one.kind, one.name, one.origin.path))
        .collect();
    all.sort();
    assert_eq!(
        all,
        [
            "deb bash: var/lib/dpkg/status",
            "deb hello: own",
            "generic coreutils: foreign"
        ]
    );
    let gaps = gaps(&inventory);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0].starts_with("damaged broken: the note of the program's package is damaged"));
}
