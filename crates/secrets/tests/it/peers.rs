//! Keys and credentials that real tools made.

use std::{fs, path::Path, process::Command};

use seawall_secrets::scan;

use seawall_testkit::skip;
/// Whether the tool is there and did it.
fn run(dir: &Path, program: &str, arguments: &[&str]) -> bool {
    match Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .env("HOME", dir)
        .output()
    {
        Ok(output) => {
            assert!(
                output.status.success(),
                "{program} {arguments:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            true
        }
        Err(_) => {
            skip(&format!("there is no {program}"));
            false
        }
    }
}

/// The kinds of secrets in a file, with whether each has a note.
fn kinds(dir: &Path, name: &str) -> Vec<(&'static str, bool)> {
    let bytes = fs::read(dir.join(name)).unwrap();
    let found = scan(name, &bytes).secrets.into_iter();
    found
        .map(|one| (one.detector.id, one.note.is_some()))
        .collect()
}

const PLAIN: [(&str, bool); 1] = [("secret/private-key", false)];
const LOCKED: [(&str, bool); 1] = [("secret/private-key", true)];

#[test]
fn keys_of_openssl_are_found_and_encrypted_ones_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    if !run(
        dir,
        "openssl",
        &["genrsa", "-traditional", "-out", "rsa1.pem", "2048"],
    ) {
        return;
    }
    run(dir, "openssl", &["genrsa", "-out", "rsa8.pem", "4096"]);
    run(
        dir,
        "openssl",
        &[
            "ecparam",
            "-name",
            "prime256v1",
            "-genkey",
            "-out",
            "ec.pem",
        ],
    );
    run(
        dir,
        "openssl",
        &["genpkey", "-algorithm", "ed25519", "-out", "ed.pem"],
    );
    run(
        dir,
        "openssl",
        &[
            "pkcs8",
            "-topk8",
            "-in",
            "rsa8.pem",
            "-passout",
            "pass:a1b2c3",
            "-out",
            "locked8.pem",
        ],
    );
    run(
        dir,
        "openssl",
        &[
            "rsa",
            "-traditional",
            "-aes256",
            "-in",
            "rsa8.pem",
            "-passout",
            "pass:a1b2c3",
            "-out",
            "locked1.pem",
        ],
    );
    run(
        dir,
        "openssl",
        &["rsa", "-in", "rsa8.pem", "-pubout", "-out", "public.pem"],
    );
    for name in ["rsa1.pem", "rsa8.pem", "ec.pem", "ed.pem"] {
        assert_eq!(kinds(dir, name), PLAIN, "{name}");
    }
    for name in ["locked1.pem", "locked8.pem"] {
        assert_eq!(kinds(dir, name), LOCKED, "{name}");
    }
    assert_eq!(kinds(dir, "public.pem"), []);
    // As programs hold it: on one line, and line by line in quotes.
    let key = fs::read_to_string(dir.join("rsa8.pem")).unwrap();
    fs::write(
        dir.join("line.js"),
        format!("k = \"{}\"", key.replace('\n', "\\n")),
    )
    .unwrap();
    let lines: Vec<String> = key.lines().map(|line| format!("  '{line}\\n' +")).collect();
    fs::write(dir.join("lines.js"), lines.join("\n")).unwrap();
    fs::write(dir.join("windows.pem"), key.replace('\n', "\r\n")).unwrap();
    fs::write(
        dir.join("indented.yaml"),
        format!(
            "key: |\n{}",
            key.lines()
                .map(|line| format!("    {line}\n"))
                .collect::<String>()
        ),
    )
    .unwrap();
    for name in ["line.js", "lines.js", "windows.pem", "indented.yaml"] {
        assert_eq!(kinds(dir, name), PLAIN, "{name}");
    }
}

#[test]
fn keys_of_ssh_keygen_are_found_and_encrypted_ones_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for (kind, bits) in [("rsa", "3072"), ("ecdsa", "384"), ("ed25519", "256")] {
        for (secret, want) in [("", PLAIN), ("a1b2c3d4", LOCKED)] {
            let name = format!("id_{kind}_{}", secret.len());
            if !run(
                dir,
                "ssh-keygen",
                &[
                    "-q", "-t", kind, "-b", bits, "-N", secret, "-C", "", "-f", &name,
                ],
            ) {
                return;
            }
            assert_eq!(kinds(dir, &name), want, "{name}");
            assert_eq!(kinds(dir, &format!("{name}.pub")), []);
        }
    }
}

#[test]
fn a_password_file_of_htpasswd_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let hashed = Command::new("openssl")
        .args(["passwd", "-apr1", "k4Lm9Qz2"])
        .output();
    let Ok(hashed) = hashed else {
        skip("there is no openssl");
        return;
    };
    let line = format!("deploy:{}", String::from_utf8(hashed.stdout).unwrap());
    fs::write(dir.path().join("htpasswd"), line).unwrap();
    assert_eq!(
        kinds(dir.path(), "htpasswd"),
        [("secret/htpasswd-hash", false)]
    );
}
