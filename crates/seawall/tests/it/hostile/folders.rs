//! Folders with things in them that no package manager put there.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::Value;

use super::{
    Bounded,
    craft::{APK, DEBIAN, OS_RELEASE},
    gap_decides, has_gap, need, packages, report, with_gap,
};
use crate::support::{Home, Said, skip};

/// A root file system with files of this content.
fn root(home: &Home, files: &[(&str, &str)]) -> PathBuf {
    let root = home.path().join("root");
    let _ = fs::remove_dir_all(&root);
    for (name, content) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    root
}

fn scan(home: &Home, target: &str) -> Said {
    Bounded::new(home).scan(&["--format", "json", "--packages", target])
}

fn make(program: &str, arguments: &[&str], path: &Path) {
    let status = Command::new(program)
        .arg(path)
        .args(arguments)
        .status()
        .unwrap();
    assert!(status.success(), "{program}");
}

#[test]
fn pipes_sockets_and_devices_are_not_waited_for() {
    if !need(&["prlimit", "mkfifo", "mknod"]) {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        skip("devices are made by root alone");
        return;
    }
    let home = Home::new();
    let makers: [fn(&Path); 3] = [
        |path| make("mkfifo", &[], path),
        |path| make("mknod", &["c", "1", "5"], path),
        |path| drop(UnixListener::bind(path).unwrap()),
    ];
    for maker in makers {
        let dir = root(
            &home,
            &[("etc/os-release", OS_RELEASE), ("lib/apk/db/lock", "")],
        );
        let db = dir.join("lib/apk/db/installed");
        maker(&db);
        // Nobody wants this one.
        maker(&dir.join("etc/x"));
        let found = with_gap(
            &scan(&home, "rootfs:root"),
            "lib/apk/db/installed",
            "no regular file",
        );
        assert!(packages(&found).is_empty());
        gap_decides(&home, "rootfs:root");
        // Behind a link too, where the kernel would wait.
        fs::rename(&db, dir.join("etc/y")).unwrap();
        symlink("/etc/y", &db).unwrap();
        with_gap(
            &scan(&home, "rootfs:root"),
            "lib/apk/db/installed",
            "it is a link to `etc/y`",
        );
        // A lock file of a project.
        let project = home.path().join("project");
        let _ = fs::remove_dir_all(&project);
        fs::create_dir(&project).unwrap();
        maker(&project.join("Cargo.lock"));
        with_gap(&scan(&home, "dir:project"), "Cargo.lock", "no regular file");
        // Layouts: the index, and a blob.
        let layout = home.path().join("layout");
        let _ = fs::remove_dir_all(&layout);
        fs::create_dir(&layout).unwrap();
        maker(&layout.join("index.json"));
        let said = scan(&home, "oci:layout");
        super::refused(&said, &["layout/index.json"]);
        for target in [
            "file:project/Cargo.lock",
            "dir:project/Cargo.lock",
            "rootfs:project/Cargo.lock",
        ] {
            super::refused(&scan(&home, target), &["project/Cargo.lock"]);
        }
    }
}

#[test]
fn what_may_not_be_read_is_a_gap() {
    if !need(&["prlimit", "setpriv"]) {
        return;
    }
    let home = Home::new();
    let files = [
        ("etc/os-release", DEBIAN),
        ("var/lib/dpkg/status", ""),
        ("opt/x/y", ""),
    ];
    let dir = root(&home, &files);
    let forbid = |name: &str| {
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o000)).unwrap();
    };
    let allow =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    allow(home.path(), 0o755);
    // Root reads everything.
    let nobody = [
        "setpriv",
        "--reuid",
        "65534",
        "--regid",
        "65534",
        "--clear-groups",
    ];
    let scan = || {
        let run = Bounded::new(&home);
        let is_root = rustix::process::geteuid().is_root();
        let run = if is_root { run.within(&nobody) } else { run };
        run.scan(&["--format", "json", "--packages", "rootfs:root"])
    };
    forbid("var/lib/dpkg/status");
    forbid("opt/x");
    let found = with_gap(&scan(), "var/lib/dpkg/status", "Permission denied");
    assert!(
        has_gap(&found, "opt/x", "Permission denied"),
        "{:#}",
        found["gaps"]
    );
    forbid("var/lib");
    with_gap(&scan(), "var/lib", "Permission denied");
    allow(&dir.join("var/lib"), 0o755);
    forbid("");
    super::refused(&scan(), &["cannot read `root`", "Permission denied"]);
    allow(&dir, 0o755);
}

#[test]
fn links_are_not_followed_out_of_a_root() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    let outside = home.path().join("outside");
    fs::write(&outside, "P:outside\nV:1\n\n").unwrap();
    fs::create_dir_all(home.path().join("other/apk/db")).unwrap();
    fs::copy(&outside, home.path().join("other/apk/db/installed")).unwrap();
    let db = "lib/apk/db/installed";
    for target in [
        outside.to_str().unwrap(),
        "../../../../outside",
        "/proc/self/cwd/outside",
    ] {
        let dir = root(
            &home,
            &[("etc/os-release", OS_RELEASE), ("lib/apk/db/lock", "")],
        );
        symlink(target, dir.join(db)).unwrap();
        assert!(
            packages(&report(&scan(&home, "rootfs:root"))).is_empty(),
            "{target}"
        );
    }
    for target in [home.path().join("other").to_str().unwrap(), "../other"] {
        let dir = root(&home, &[("etc/os-release", OS_RELEASE)]);
        symlink(target, dir.join("lib")).unwrap();
        assert!(
            packages(&report(&scan(&home, "rootfs:root"))).is_empty(),
            "{target}"
        );
    }
    // A link inside leads where it does in the running system.
    let dir = root(
        &home,
        &[("etc/os-release", OS_RELEASE), ("data/installed", APK)],
    );
    fs::create_dir_all(dir.join("lib/apk")).unwrap();
    symlink("/data", dir.join("lib/apk/db")).unwrap();
    assert_eq!(
        packages(&report(&scan(&home, "rootfs:root"))),
        ["musl", "zlib"]
    );
    // A loop has no end and nothing in it.
    let dir = root(&home, &[("lib/apk/db/installed", APK)]);
    fs::create_dir_all(dir.join("etc")).unwrap();
    symlink("os-release", dir.join("etc/os-release")).unwrap();
    symlink("..", dir.join("lib/up")).unwrap();
    assert_eq!(
        packages(&report(&scan(&home, "rootfs:root"))),
        ["musl", "zlib"]
    );
}

#[test]
fn a_link_in_place_of_a_lock_file_is_read_or_said() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    fs::write(home.path().join("out.txt"), "outside==1\n").unwrap();
    let files = [
        ("pins/web.in", "flask==0.5\n"),
        ("requirements.txt", "django==1.0\n"),
    ];
    let dir = root(&home, &files);
    for (name, target) in [
        ("a", "../pins/web.in"),
        ("b", "../requirements.txt"),
        ("c", "../../out.txt"),
        ("d", "nothing"),
        ("e", "requirements.txt"),
        ("f", home.path().join("out.txt").to_str().unwrap()),
    ] {
        fs::create_dir(dir.join(name)).unwrap();
        symlink(target, dir.join(name).join("requirements.txt")).unwrap();
    }
    let said = scan(&home, "dir:root");
    let found = with_gap(&said, "c/requirements.txt", "out of the folder");
    let mut names = packages(&found);
    names.sort_unstable();
    assert_eq!(names, ["django", "flask"]);
    for (subject, reason) in [
        ("d/requirements.txt", "it is a link to `nothing`"),
        ("e/requirements.txt", "symbolic links"),
        ("f/requirements.txt", "out of the folder"),
    ] {
        assert!(
            has_gap(&found, subject, reason),
            "{subject}: {:#}",
            found["gaps"]
        );
    }
}

#[test]
fn names_that_are_no_text_and_deep_folders_are_walked() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    let dir = root(&home, &[("requirements.txt", "django==1.0\n")]);
    let strange = dir.join(OsStr::from_bytes(b"caf\xE9"));
    fs::create_dir(&strange).unwrap();
    fs::write(strange.join("requirements.txt"), "flask==0.5\n").unwrap();
    let found: Value = report(&scan(&home, "dir:root"));
    let mut names = packages(&found);
    names.sort_unstable();
    assert_eq!(names, ["django", "flask"]);
    // Deeper than a path can name; made step by step.
    let script =
        "i=0; while [ $i -lt 1500 ]; do mkdir dddd && cd -P dddd || exit 1; i=$((i+1)); done";
    let status = Command::new("sh")
        .args(["-c", script])
        .current_dir(&dir)
        .status()
        .unwrap();
    assert!(status.success());
    let found = report(&scan(&home, "dir:root"));
    assert_eq!(packages(&found).len(), 2);
    let mut gaps = found["gaps"].as_array().unwrap().iter();
    assert!(gaps.any(|gap| gap["subject"].as_str().unwrap().contains("dddd/dddd")));
    // The standard library removes it step by step as well.
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_folder_that_changes_meanwhile_is_walked_to_its_end() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    let dir = root(
        &home,
        &[
            ("etc/os-release", OS_RELEASE),
            ("lib/apk/db/installed", APK),
        ],
    );
    fs::write(home.path().join("outside"), "P:outside\nV:1\n\n").unwrap();
    for at in 0..200 {
        fs::create_dir_all(dir.join(format!("d{at}/e"))).unwrap();
        fs::write(dir.join(format!("d{at}/e/requirements.txt")), "a==1\n").unwrap();
    }
    let done = AtomicBool::new(false);
    let db = dir.join("lib/apk/db/installed");
    thread::scope(|scope| {
        scope.spawn(|| {
            // Files come and go, a folder turns into a link out of the root
            // and back, the database into a shorter one, a link and a pipe.
            while !done.load(Ordering::Relaxed) {
                for at in 0..200 {
                    let e = dir.join(format!("d{at}/e"));
                    let _ = fs::remove_dir_all(&e);
                    let _ = symlink(home.path(), &e);
                    let _ = fs::remove_file(&e);
                    let _ = fs::create_dir(&e);
                }
                let _ = fs::write(&db, "P:musl\nV:1.1.22-r3\n\n");
                let _ = fs::remove_file(&db);
                let _ = symlink(home.path().join("outside"), &db);
                let _ = fs::remove_file(&db);
                let _ = Command::new("mkfifo").arg(&db).status();
                let _ = fs::remove_file(&db);
                let _ = fs::write(&db, APK);
            }
        });
        for _ in 0..40 {
            for target in ["rootfs:root", "dir:root"] {
                let found: Value = report(&scan(&home, target));
                assert!(!packages(&found).contains(&"outside"), "{found}");
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_folder_mounted_in_itself_has_an_end() {
    if !need(&["prlimit", "unshare", "mount"]) {
        return;
    }
    let home = Home::new();
    let dir = root(&home, &[("requirements.txt", "django==1.0\n")]);
    fs::create_dir(dir.join("loop")).unwrap();
    let script = "mount --rbind root root/loop && mount --rbind root root/loop/loop && exec \"$@\"";
    let said = Bounded::new(&home)
        .within(&["unshare", "-m", "sh", "-c", script, "sh"])
        .scan(&["--format", "json", "--packages", "dir:root"]);
    if said.err.contains("unshare failed") || said.err.contains("mount:") {
        skip(&format!("no file system can be mounted here: {}", said.err));
        return;
    }
    assert!(packages(&report(&said)).contains(&"django"));
}
