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
    let owned = "usr/lib/python3/dist-packages/owned-1.dist-info/METADATA";
    write(
        root,
        "var/lib/dpkg/info/python3-owned.list",
        format!("/.\n/{owned}\n"),
    );
    write(root, owned, "Name: owned");
    for number in 0..300 {
        write(
            root,
            &format!("app/node_modules/p{number}/package.json"),
            "{}",
        );
        write(
            root,
            &format!("app/node_modules/p{number}/lib/package.json"),
            "{}",
        );
        write(
            root,
            &format!("app/node_modules/@s/p{number}/package.json"),
            "{}",
        );
    }
    write(
        root,
        "usr/local/lib/python3.11/site-packages/a-1.dist-info/METADATA",
        "Name: a",
    );
    write(
        root,
        "usr/local/lib/python3.11/site-packages/b-1.egg-info/PKG-INFO",
        "Name: b",
    );
    write(root, "usr/local/bundle/specifications/rake-13.gemspec", "");
    write(root, "opt/app/app.jar", "PK");
    write(root, "opt/net/app.deps.json", "{}");
    write(root, "srv/vendor/composer/installed.json", "{}");
    write(root, "opt/conda/conda-meta/zlib-1.json", "{}");
    assert_eq!(
        gaps(&tree(root)),
        [
            "unsupported .deps.json: 1 .NET dependency file is there that is not read",
            "unsupported conda-meta: 1 Conda package is there that is not read",
            "unsupported gems: 1 Ruby gem is there that is not read",
            "unsupported jars: 1 Java archive is there that is not read",
            "unsupported node_modules: 600 npm packages are there that are not read",
            "unsupported site-packages: 2 Python packages are there that are not read",
            "unsupported vendor/composer: 1 list of Composer packages is there that is not read",
        ]
    );
}
