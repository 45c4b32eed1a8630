//! npm's own `semver`.

use std::process::Command;

use crate::support::{Dice, advisories, agree, ask, generate, have, lines, pairs, scheme, skip};

/// npm brings its `semver`; it is no module of its own.
const SEMVER: &str = r#"
const path = require("path"), fs = require("fs");
const npm = fs.realpathSync(process.argv[1]);
const semver = require(require.resolve("semver", { paths: [path.dirname(npm)] }));
const lines = fs.readFileSync(0, "utf8").split("\n").filter(line => line);
"#;

fn node(script: &str) -> Option<Command> {
    if !have(&["node"]) || !have(&["npm"]) {
        return None;
    }
    let path = std::env::var_os("PATH")?;
    let npm = std::env::split_paths(&path)
        .map(|folder| folder.join("npm"))
        .find(|p| p.is_file())?;
    let mut node = Command::new("node");
    node.arg("-e").arg(format!("{SEMVER}{script}")).arg(npm);
    // Debian puts npm's modules elsewhere.
    node.env("NODE_PATH", "/usr/share/nodejs");
    let is_there = ask(&mut node, "").is_empty();
    (is_there || skip("npm has no semver")).then_some(node)
}

pub(crate) fn version(dice: &mut Dice) -> String {
    let mut text = dice.numbers(3, 3);
    if dice.below(3) > 0 {
        let words = [
            "0", "1", "2", "10", "a", "b", "rc", "beta", "alpha1", "-", "1a", "A", "x-y",
        ];
        let count = 1 + dice.below(3);
        let pre: Vec<_> = (0..count).map(|_| dice.pick(&words)).collect();
        text += &format!("-{}", pre.join("."));
    }
    text + dice.pick(&["", "", "", "+build", "+1", "+exp.sha"])
}

#[test]
fn semver_agrees() {
    let script = r#"
        for (const line of lines) {
            const [a, b] = line.split("\t").map(text => semver.parse(text));
            console.log(a && b ? semver.compare(a, b) : "?");
        }"#;
    let Some(mut node) = node(script) else { return };
    let mut versions = generate(7, 6000, version);
    versions.extend(advisories("npm"));
    versions.extend(advisories("crates.io"));
    let scheme = scheme("npm");
    let pairs = pairs(scheme, &versions, 30_000);
    agree(scheme, &pairs, &ask(&mut node, &lines(&pairs)), 30_000);
}

fn range(dice: &mut Dice) -> String {
    let part = |dice: &mut Dice| -> String {
        let mut text = dice
            .pick(&["", "", "", "", "", "", "", "v", "="])
            .to_owned();
        let count = 1 + dice.below(3);
        for index in 0..count {
            if index > 0 {
                text += ".";
            }
            // Releases of semver differ on numbers behind an `x`.
            let is_open = ["x.", "*.", "X."].iter().any(|end| text.ends_with(end));
            let parts: &[&str] = match is_open {
                true => &["x", "*", "X"],
                false => &["0", "0", "1", "1", "2", "3", "x", "*", "X"],
            };
            text += dice.pick(parts);
        }
        if count == 3 && dice.below(3) == 0 && !text.ends_with(['x', '*', 'X']) {
            text += dice.pick(&[
                "-0", "-rc.1", "-beta", "-alpha.2", "-1", "+build", "-01", "-",
            ]);
        }
        text
    };
    let mut alternatives = Vec::new();
    for _ in 0..1 + dice.below(2) {
        let alternative = match dice.below(8) {
            0 => format!("{} - {}", part(dice), part(dice)),
            1 => dice
                .pick(&["", "*", " ", "x", "latest", "^", ">", "<0", "1 - "])
                .to_owned(),
            _ => {
                let count = 1 + dice.below(2);
                let one = |dice: &mut Dice| {
                    let operators = [
                        "", "^", "~", "^", "~", ">", ">=", ">=", "<", "<=", "<=", "=", "~>", "^",
                        "==", ">=~",
                    ];
                    let space = dice.pick(&["", "", " "]);
                    format!("{}{space}{}", dice.pick(&operators), part(dice))
                };
                (0..count).map(|_| one(dice)).collect::<Vec<_>>().join(" ")
            }
        };
        alternatives.push(alternative);
    }
    alternatives.join(dice.pick(&["||", " || ", "||"]))
}

#[test]
fn ranges_agree() {
    let script = r#"
        for (const line of lines) {
            const [range, version] = line.split("\t");
            console.log(semver.validRange(range) === null ? "?"
                : semver.satisfies(version, range) ? "1" : "0");
        }"#;
    let Some(mut node) = node(script) else { return };
    let ranges: Vec<_> = generate(8, 5000, range).into_iter().collect();
    let versions: Vec<_> = generate(9, 400, |dice| {
        let core: Vec<_> = (0..3)
            .map(|_| dice.pick(&["0", "0", "1", "1", "2", "3", "4"]))
            .collect();
        let pre = dice.pick(&[
            "", "", "", "-0", "-rc.1", "-beta", "-alpha.2", "-1", "-rc.2",
        ]);
        core.join(".") + pre
    })
    .into_iter()
    .collect();
    let mut dice = Dice::new(10);
    let mut questions = Vec::new();
    for range in &ranges {
        for _ in 0..12 {
            questions.push((range.clone(), versions[dice.below(versions.len())].clone()));
        }
    }
    let answers = ask(&mut node, &lines(&questions));
    assert_eq!(questions.len(), answers.len());
    let (mut wrong, mut inside, mut outside, mut refused) = (Vec::new(), 0, 0, 0);
    for ((range, version), answer) in questions.iter().zip(&answers) {
        let ours = match seawall_versions::npm::satisfies(version, range) {
            None => "?",
            Some(true) => "1",
            Some(false) => "0",
        };
        match answer.as_str() {
            "1" => inside += 1,
            "0" => outside += 1,
            _ => refused += 1,
        }
        if ours != answer {
            wrong.push(format!("`{range}` `{version}`: semver {answer}, we {ours}"));
        }
    }
    let count = wrong.len();
    wrong.truncate(40);
    assert!(wrong.is_empty(), "{count} differ:\n{}", wrong.join("\n"));
    eprintln!("npm ranges: {inside} inside, {outside} outside, {refused} refused");
    assert!(inside > 4000 && outside > 5000 && refused > 1000);
}
