//! apk, out of the Alpine images.

use std::{
    fs,
    io::{BufReader, Read},
    path::Path,
    process::Command,
};

use crate::support::{advisories, agree, ask, generate, have, lines, pairs, scheme, shared, skip};

const APK: &str = r#"
tab=$(printf '\t')
while IFS=$tab read -r a b; do
    case $("$ROOT/lib/ld-musl-x86_64.so.1" --library-path "$ROOT/lib:$ROOT/usr/lib" \
            "$ROOT/sbin/apk" version -t "$a" "$b") in
        '<') echo -1 ;; '=') echo 0 ;; '>') echo 1 ;; *) echo '?' ;;
    esac
done
"#;

/// apk-tools 2 takes a number behind a dot that begins with a zero for two
/// (so that `1.0_rc1` is newer than `1.0`), and knows no `~`.
fn is_read_alike(version: &str) -> bool {
    let mut windows = version.as_bytes().windows(3);
    let is_split = |w: &[u8]| w.starts_with(b".0") && (w[2].is_ascii_digit() || w[2] == b'_');
    !windows.any(is_split) && !version.contains('~')
}

/// Unpacks the only layer of the image with `tar`.
fn unpack(image: &Path, root: &Path) {
    let list = Command::new("tar").arg("-tzf").arg(image).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let layer = list
        .lines()
        .find(|name| name.ends_with("layer.tar"))
        .unwrap()
        .to_owned();
    let mut outer = Command::new("tar")
        .arg("-xzOf")
        .arg(image)
        .arg(&layer)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut bytes = Vec::new();
    BufReader::new(outer.stdout.take().unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    assert!(outer.wait().unwrap().success());
    fs::write(root.join("layer.tar"), bytes).unwrap();
    let status = Command::new("tar")
        .arg("-xf")
        .arg(root.join("layer.tar"))
        .arg("-C")
        .arg(root)
        .args(["lib", "sbin/apk", "usr/lib"])
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn apk_agrees() {
    let Some(image) = shared("images/alpine-311.tar.gz") else {
        return;
    };
    if !have(&["tar"]) || (!cfg!(target_arch = "x86_64") && !skip("the image is for x86-64")) {
        return;
    }
    let root = std::env::temp_dir().join(format!("seawall-apk-{}", std::process::id()));
    fs::create_dir_all(&root).unwrap();
    unpack(&image, &root);
    let scheme = scheme("Alpine");
    let mut versions = generate(4, 1500, |dice| {
        let letter = dice.pick(&["", "", "", "a", "b", "z"]);
        let mut text = dice.numbers(1, 4) + letter;
        for _ in 0..dice.below(3) {
            let suffixes = ["alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"];
            text += &format!("_{}", dice.pick(&suffixes));
            text += &dice.maybe(super::support::Dice::number);
        }
        text + &dice.maybe(|dice| format!("-r{}", dice.number()))
    });
    versions.extend(advisories("Alpine"));
    versions.retain(|version| (scheme.is_valid)(version) && is_read_alike(version));
    let pairs = pairs(scheme, &versions, 1000);
    let mut shell = Command::new("sh");
    let answers = ask(shell.args(["-c", APK]).env("ROOT", &root), &lines(&pairs));
    fs::remove_dir_all(&root).unwrap();
    agree(scheme, &pairs, &answers, 3000);
}
