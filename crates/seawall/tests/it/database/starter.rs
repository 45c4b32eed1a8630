//! The starter database, where there is no other.

use std::fs;

use serde_json::Value;

use super::gaps;
use crate::support::Home;

#[test]
fn what_the_starter_database_does_not_cover_is_a_gap() {
    let home = Home::new();
    let system = |name: &str, release: &str, database: &str, content: &str| {
        let path = home.path().join(name);
        fs::create_dir_all(path.join("etc")).unwrap();
        fs::create_dir_all(path.join(database).parent().unwrap()).unwrap();
        fs::write(path.join("etc/os-release"), release).unwrap();
        fs::write(path.join(database), content).unwrap();
        format!("rootfs:{}", path.display())
    };
    let dpkg = "Package: openssl\nStatus: install ok installed\nVersion: 1.1.1k-1\nArchitecture: amd64\n\n";
    let apk = "P:busybox\nV:1.31.1-r9\nA:x86_64\no:busybox\n\n";
    let debian = |version: &str| {
        format!("ID=debian\nVERSION_ID=\"{version}\"\nPRETTY_NAME=\"Debian {version}\"\n")
    };
    let alpine = |version: &str| {
        format!("ID=alpine\nVERSION_ID={version}\nPRETTY_NAME=\"Alpine {version}\"\n")
    };
    let ubuntu = "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"22.04\"\nPRETTY_NAME=\"Ubuntu 22.04\"\n";
    let (status, installed) = ("var/lib/dpkg/status", "lib/apk/db/installed");
    for (target, wants) in [
        (
            system("deb11", &debian("11"), status, dpkg),
            [
                "Debian:11",
                "the starter database was used, whose newest dated advisory for it is of 2023-",
            ],
        ),
        (
            system("deb12", &debian("12"), status, dpkg),
            ["Debian:12", "the starter database has no advisories for it"],
        ),
        (
            system("alp311", &alpine("3.11.6"), installed, apk),
            ["Alpine:v3.11", "the starter database was used"],
        ),
        (
            system("alp318", &alpine("3.18.4"), installed, apk),
            [
                "Alpine:v3.18",
                "the starter database has no advisories for it",
            ],
        ),
        (
            system("ubuntu", ubuntu, status, dpkg),
            [
                "Ubuntu:22.04",
                "the starter database has no advisories for it",
            ],
        ),
    ] {
        let said = home.scan(&["--format", "json", &target]);
        assert!(
            said.err
                .contains("the starter database of this release serves"),
            "{}",
            said.err
        );
        let report: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(report["database"]["kind"], "starter");
        for want in wants {
            assert!(
                gaps(&said.out).contains(want),
                "{want}: {}",
                gaps(&said.out)
            );
        }
        // Never a pass: what was found, or that not all could be.
        assert_ne!(
            home.scan(&["--fail-on", "low", &target]).code,
            0,
            "{target}"
        );
    }
    let info = home.run(&["db", "info"]);
    assert!(
        info.err.contains("this is the starter database"),
        "{}",
        info.err
    );
    assert!(info.out.contains("Debian:11"), "{}", info.out);
}
