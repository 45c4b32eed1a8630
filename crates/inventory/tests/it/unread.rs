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
    let owned = "opt/owned/owned.egg";
    write(
        root,
        "var/lib/dpkg/info/python3-owned.list",
        format!("/.\n/{owned}\n"),
    );
    write(root, owned, "");
    for number in 0..300 {
        write(root, &format!("opt/eggs/p{number}.egg"), "");
    }
    assert_eq!(
        gaps(&tree(root)),
        ["unsupported eggs: 300 Python eggs are there that are not read",]
    );
}
