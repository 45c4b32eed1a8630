//! Held against the `minisign` program, both ways.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use seawall_advisories::{KeyError, PublicKey, SecretKey};

use seawall_testkit::have;

/// Runs minisign with what is typed at it.
fn minisign(dir: &Path, arguments: &[&str], typed: &str) -> (bool, String) {
    let mut child = Command::new("minisign")
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may ask for nothing.
    let _ = stdin.write_all(typed.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn minisign_checks_what_we_sign() {
    if !have(&["minisign"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let key = SecretKey::generate().unwrap();
    fs::write(dir.path().join("key.pub"), key.public().to_file()).unwrap();
    let check = || {
        minisign(
            dir.path(),
            &["-V", "-H", "-p", "key.pub", "-m", "content"],
            "",
        )
    };
    for content in [&b""[..], b"x", &[7; 100_000]] {
        fs::write(dir.path().join("content"), content).unwrap();
        let signature = key.sign(content, "timestamp:1800000000\tfile:content\thashed");
        fs::write(dir.path().join("content.minisig"), &signature).unwrap();
        let (is_good, text) = check();
        assert!(is_good, "{text}");
        assert!(
            text.contains("Trusted comment: timestamp:1800000000\tfile:content"),
            "{text}"
        );
        // And not something else.
        fs::write(dir.path().join("content"), [content, b"y"].concat()).unwrap();
        assert!(!check().0);
        fs::write(dir.path().join("content"), content).unwrap();
        let other = signature.replace("1800000000", "1800000001");
        fs::write(dir.path().join("content.minisig"), other).unwrap();
        assert!(!check().0);
    }
}

#[test]
fn we_check_what_minisign_signs_and_sign_with_its_keys() {
    if !have(&["minisign"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    // A key without a password, and one with; scrypt takes a gigabyte for it.
    for (name, flags, password) in [("open", &["-W"][..], ""), ("locked", &[], "two words")] {
        let (public, secret) = (format!("{name}.pub"), format!("{name}.key"));
        let mut make = vec!["-G", "-f", "-p", &public, "-s", &secret];
        make.extend(flags);
        let (is_made, text) = minisign(dir.path(), &make, &format!("{password}\n{password}\n"));
        assert!(is_made, "{name}: {text}");
        let key = PublicKey::parse(&read(&public)).unwrap();
        assert!(text.contains(&key.to_line()), "{text}");
        assert_eq!(PublicKey::parse(&key.to_line()).unwrap(), key);
        fs::write(dir.path().join("content"), b"some content").unwrap();
        let sign = [
            "-S",
            "-H",
            "-s",
            &secret,
            "-m",
            "content",
            "-t",
            "a comment",
        ];
        let (is_signed, text) = minisign(dir.path(), &sign, &format!("{password}\n"));
        assert!(is_signed, "{name}: {text}");
        let signature = read("content.minisig");
        assert_eq!(
            key.verify(b"some content", &signature).unwrap(),
            "a comment"
        );
        assert_eq!(
            key.verify(b"some content!", &signature).unwrap_err(),
            KeyError::Wrong("the content")
        );
        let other = signature.replace("a comment", "a Comment");
        assert_eq!(
            key.verify(b"some content", &other).unwrap_err(),
            KeyError::Wrong("its comment")
        );
        // The key itself signs the same with us.
        let given = (!password.is_empty()).then_some(password);
        let own = SecretKey::parse(&read(&secret), given).unwrap();
        assert_eq!(own.public(), key);
        let (ours, theirs) = (own.sign(b"some content", "a comment"), signature);
        assert!(
            ours.lines().skip(1).eq(theirs.lines().skip(1)),
            "{ours}{theirs}"
        );
        if !password.is_empty() {
            assert!(SecretKey::needs_password(&read(&secret)).unwrap());
            let wrong = SecretKey::parse(&read(&secret), Some("two")).err();
            assert_eq!(wrong, Some(KeyError::WrongPassword));
            let none = SecretKey::parse(&read(&secret), None).err();
            assert_eq!(none, Some(KeyError::PasswordNeeded));
            // And minisign uses a key that we wrote with a password.
            fs::write(dir.path().join("again.key"), own.to_file("other").unwrap()).unwrap();
            let sign = ["-S", "-H", "-s", "again.key", "-m", "content"];
            let (is_signed, text) = minisign(dir.path(), &sign, "other\n");
            assert!(is_signed, "{text}");
            assert!(
                key.verify(b"some content", &read("content.minisig"))
                    .is_ok()
            );
        }
    }
}

#[test]
fn what_is_no_key_and_no_signature_is_refused_with_the_reason() {
    let key = SecretKey::generate().unwrap();
    let public = key.public();
    let good = key.sign(b"content", "comment");
    assert_eq!(
        good,
        key.sign(b"content", "comment"),
        "it is always the same"
    );
    let line = |at: usize| good.lines().nth(at).unwrap().to_owned();
    let legacy = {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let mut bytes = STANDARD.decode(line(1)).unwrap();
        bytes[1] = b'd';
        good.replace(&line(1), &STANDARD.encode(bytes))
    };
    for (bad, want) in [
        (String::new(), "it does not begin with a comment"),
        (
            "<!DOCTYPE html>\n".to_owned(),
            "it does not begin with a comment",
        ),
        (good.replace(&line(1), ""), "it has 0 bytes instead of 74"),
        (good.replace(&line(1), "****"), "Invalid symbol"),
        (
            good.replace(&line(3), "AAAA"),
            "it has 3 bytes instead of 64",
        ),
        (
            good.replace("trusted comment: comment", ""),
            "no trusted comment",
        ),
        (
            good.replace("comment: comment", "comment: komment"),
            "does not fit its comment",
        ),
        (legacy, "sign with `minisign -SH`"),
    ] {
        let error = public.verify(b"content", &bad).unwrap_err().to_string();
        assert!(error.contains(want), "{bad}: {error}");
    }
    let other = SecretKey::generate().unwrap();
    let error = other.public().verify(b"content", &good).unwrap_err();
    let (by, wanted) = (public.id(), other.public().id());
    assert_eq!(
        error.to_string(),
        format!("it is signed by the key {by}, not by {wanted}")
    );
    for text in ["", "RWx", "untrusted comment: x\n", &good] {
        assert!(PublicKey::parse(text).is_err(), "{text}");
        assert!(SecretKey::parse(text, None).is_err(), "{text}");
    }
    // Every flipped bit of a secret key is seen.
    let file = key.to_file("").unwrap();
    let at = file.find('\n').unwrap() + 1;
    for step in (at + 72..file.len() - 3).step_by(5) {
        let mut bad = file.clone().into_bytes();
        bad[step] = if bad[step] == b'A' { b'B' } else { b'A' };
        let bad = String::from_utf8(bad).unwrap();
        assert!(SecretKey::parse(&bad, None).is_err(), "{step}");
    }
}

#[test]
fn minisign_checks_the_index_by_the_name_in_its_signature() {
    if !have(&["minisign"]) {
        return;
    }
    let mut service = super::Service::new();
    service.dump("PyPI", &[("A-1", "p")]);
    service.publish();
    let [index] = service.served(".json.zst").try_into().unwrap();
    let line = service.key.public().to_line();
    let check = [
        "-V",
        "-H",
        "-m",
        &index,
        "-x",
        "seawall-index.minisig",
        "-P",
        &line,
    ];
    let (is_good, text) = minisign(&service.out(), &check, "");
    assert!(is_good && text.contains(&format!("file:{index}")), "{text}");
}
