//! Distributions, from the files that their releases really have.

use seawall_model::Os;

use crate::support::{gaps, tree, write};

/// A tree with these files and one package, and the distribution it is.
fn os(files: &[(&str, &str)]) -> Option<Os> {
    let root = tempfile::tempdir().unwrap();
    for (path, content) in files {
        write(root.path(), path, content);
    }
    tree(root.path()).os
}

#[test]
fn real_release_files() {
    let tell = |files: &[(&str, &str)]| {
        let os = os(files).unwrap();
        let codename = os.codename.unwrap_or_default();
        [os.id, os.version, codename].join("|")
    };
    // Debian's testing and unstable have no VERSION_ID.
    let sid = "PRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\nNAME=\"Debian GNU/Linux\"\n\
        VERSION_CODENAME=trixie\nID=debian\nHOME_URL=\"https://www.debian.org/\"\n";
    assert_eq!(tell(&[("usr/lib/os-release", sid)]), "debian||trixie");
    let older_sid = "PRETTY_NAME=\"Debian GNU/Linux bullseye/sid\"\nID=debian\n";
    assert_eq!(
        tell(&[
            ("etc/os-release", older_sid),
            ("etc/debian_version", "bullseye/sid\n")
        ]),
        "debian||bullseye"
    );
    // The point release counts, where os-release is behind it.
    let alpine = "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.10.4\n";
    assert_eq!(
        tell(&[
            ("etc/os-release", alpine),
            ("etc/alpine-release", "3.10.9\n")
        ]),
        "alpine|3.10.9|"
    );
    let wolfi = "ID=wolfi\nNAME=\"Wolfi\"\nPRETTY_NAME=\"Wolfi\"\nVERSION_ID=\"20230201\"\n";
    assert_eq!(tell(&[("etc/os-release", wolfi)]), "wolfi|20230201|");
    // CentOS 6 and Amazon Linux's first have no os-release.
    assert_eq!(
        tell(&[
            ("etc/centos-release", "CentOS release 6.10 (Final)\n"),
            ("etc/redhat-release", "CentOS release 6.10 (Final)\n"),
        ]),
        "centos|6.10|"
    );
    assert_eq!(
        tell(&[("etc/system-release", "Amazon Linux AMI release 2018.03\n")]),
        "amzn|2018.03|"
    );
    // Oracle Linux calls itself Red Hat in Red Hat's file.
    assert_eq!(
        tell(&[
            (
                "etc/redhat-release",
                "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n"
            ),
            ("etc/oracle-release", "Oracle Linux Server release 6.10\n"),
        ]),
        "ol|6.10|"
    );
    assert_eq!(
        tell(&[(
            "etc/lsb-release",
            "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_CODENAME=lucid\n"
        )]),
        "ubuntu|10.04|lucid"
    );
    assert_eq!(tell(&[("etc/debian_version", "6.0.10\n")]), "debian|6|");
    assert_eq!(os(&[("etc/passwd", "root:x:0:0::/root:/bin/sh\n")]), None);
}

#[test]
fn one_without_the_other_is_a_gap() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "lib/apk/db/installed",
        "P:musl\nV:1.2.3-r4\n\n",
    );
    assert_eq!(
        gaps(&tree(root.path())),
        [
            "missing etc/os-release: there are a distribution's packages, but nothing says which \
          distribution it is"
        ]
    );
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "etc/os-release",
        "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian 12\"\n",
    );
    assert_eq!(
        gaps(&tree(root.path())),
        [
            "missing package database: it is Debian 12, but no database of installed packages could \
          be read"
        ]
    );
}
