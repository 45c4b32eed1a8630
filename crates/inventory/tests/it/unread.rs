//! Kinds of packages that are not read are said, with their number.

use crate::support::{gaps, tree, write};

#[test]
fn each_kind_is_one_gap_with_its_count() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "etc/os-release", "ID=debian\nVERSION_ID=12\n");
    write(
        root,
        "var/lib/dpkg/status",
        "Package: python3-owned\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
    );
    let owned = "var/lib/snapd/snaps/owned_1.snap";
    write(
        root,
        "var/lib/dpkg/info/python3-owned.list",
        format!("/.\n/{owned}\n"),
    );
    write(root, owned, "");
    write(root, "var/lib/snapd/snaps/core_1.snap", "");
    for number in 0..300 {
        let desc = format!("var/lib/pacman/local/p{number}-1/desc");
        write(root, &desc, "");
    }
    assert_eq!(
        gaps(&tree(root)),
        [
            "unsupported snapd: 1 snap is there that is not read",
            "unsupported var/lib/pacman: 300 pacman packages are there that are not read",
        ]
    );
}
