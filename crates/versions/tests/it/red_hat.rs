//! rpm.

use std::{fs, process::Command};

use crate::support::{advisories, agree, ask, generate, have, lines, pairs, scheme};

const LUA: &str = r#"
for line in io.lines(os.getenv("PAIRS")) do
    local a, b = line:match("^(.-)\t(.*)$")
    local ok, order = pcall(rpm.vercmp, a, b)
    io.write(ok and math.floor(order) or "?", "\n")
end
"#;

#[test]
fn rpm_agrees() {
    if !have(&["rpm"]) {
        return;
    }
    let scheme = scheme("AlmaLinux");
    let mut versions = generate(3, 3000, |dice| {
        let epoch = dice.maybe(|dice| format!("{}:", dice.below(3)));
        let mut text = dice.numbers(1, 3);
        for _ in 0..dice.below(3) {
            text += dice.pick(&[
                "~", "^", "~rc", "^git", "a", "b", ".", "..", "_", "+", "Z", "el",
            ]);
            text += &dice.maybe(super::support::Dice::number);
        }
        format!(
            "{epoch}{text}-{}{}",
            dice.numbers(1, 2),
            dice.pick(&[".el8", ".el9_2", "", "~1"])
        )
    });
    versions.extend(advisories("AlmaLinux"));
    // rpm takes an absent release as it pleases; see the crate's table.
    versions.retain(|version| version.contains('-'));
    let pairs = pairs(scheme, &versions, 20_000);
    let file = std::env::temp_dir().join(format!("seawall-rpm-{}", std::process::id()));
    fs::write(&file, lines(&pairs)).unwrap();
    let script = file.with_extension("lua");
    fs::write(&script, LUA).unwrap();
    let mut rpm = Command::new("rpm");
    rpm.env("PAIRS", &file).env("SCRIPT", &script);
    rpm.args(["--eval", "%{lua: dofile(os.getenv('SCRIPT'))}"]);
    let answers = ask(&mut rpm, "");
    fs::remove_file(&file).unwrap();
    fs::remove_file(&script).unwrap();
    let answers: Vec<String> = answers
        .into_iter()
        .filter(|line| !line.is_empty())
        .collect();
    agree(scheme, &pairs, &answers, 25_000);
}
