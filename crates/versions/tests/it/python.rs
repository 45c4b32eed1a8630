//! `packaging`, the copy that pip brings where it is not installed by itself.

use std::process::Command;

use crate::support::{advisories, agree, ask, generate, have, lines, pairs, scheme, skip};

const PACKAGING: &str = r#"
import sys
try:
    from packaging.version import Version
except ImportError:
    from pip._vendor.packaging.version import Version
def read(text):
    try:
        return Version(text)
    except Exception:
        return None
for line in sys.stdin:
    a, b = (read(text) for text in line.rstrip("\n").split("\t"))
    print("?" if a is None or b is None else (a > b) - (a < b))
"#;

#[test]
fn packaging_agrees() {
    if !have(&["python3"]) {
        return;
    }
    let probe = [
        "-c",
        "import importlib; \
        importlib.util.find_spec('packaging') or importlib.import_module('pip._vendor.packaging')",
    ];
    let has = Command::new("python3")
        .args(probe)
        .status()
        .is_ok_and(|status| status.success());
    if !has && !skip("Python has neither packaging nor pip") {
        return;
    }
    let scheme = scheme("PyPI");
    let mut versions = generate(5, 6000, |dice| {
        let epoch = dice.pick(&["", "", "", "", "0!", "1!", "v"]);
        let mut text = format!("{epoch}{}", dice.numbers(1, 4));
        let (before, after) = (
            dice.pick(&["", ".", "-", "_"]),
            dice.pick(&["", "", ".", "-", "_"]),
        );
        text += &dice.maybe(|dice| {
            let word = dice.pick(&["a", "b", "rc", "c", "alpha", "Beta", "pre", "preview", "RC"]);
            format!(
                "{before}{word}{after}{}",
                dice.maybe(super::support::Dice::number)
            )
        });
        text += &dice.maybe(|dice| match dice.below(3) {
            0 => format!("-{}", dice.number()),
            _ => {
                let word = dice.pick(&["post", "rev", "r", "POST"]);
                format!(
                    "{after}{word}{before}{}",
                    dice.maybe(super::support::Dice::number)
                )
            }
        });
        text += &dice.maybe(|dice| {
            let number = dice.maybe(super::support::Dice::number);
            format!("{before}dev{after}{number}")
        });
        if dice.below(4) == 0 {
            text += &format!(
                "+{}{}",
                dice.pick(&["", "a.", "ubuntu-", "1_"]),
                dice.number()
            );
            text += dice.pick(&["", ".b", ".1", "-C"]);
        }
        text
    });
    versions.extend(advisories("PyPI"));
    let pairs = pairs(scheme, &versions, 30_000);
    let mut python = Command::new("python3");
    let answers = ask(python.args(["-c", PACKAGING]), &lines(&pairs));
    agree(scheme, &pairs, &answers, 35_000);
    // What one refuses, the other refuses.
    let alone: Vec<_> = versions
        .iter()
        .map(|version| (version.clone(), version.clone()))
        .collect();
    let answers = ask(
        Command::new("python3").args(["-c", PACKAGING]),
        &lines(&alone),
    );
    for ((version, _), answer) in alone.iter().zip(answers) {
        assert_eq!((scheme.is_valid)(version), answer != "?", "{version}");
    }
}
