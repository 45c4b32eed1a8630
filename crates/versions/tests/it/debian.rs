//! dpkg.

use std::process::Command;

use crate::support::{Dice, advisories, agree, ask, generate, have, lines, pairs, scheme};

/// One shell asks the tool for each pair; it answers by its exit code.
const DPKG: &str = r#"
tab=$(printf '\t')
while IFS=$tab read -r a b; do
    if dpkg --compare-versions "$a" lt "$b"; then echo -1
    elif dpkg --compare-versions "$a" eq "$b"; then echo 0
    elif dpkg --compare-versions "$a" gt "$b"; then echo 1
    else echo '?'; fi
done
"#;

fn upstream(dice: &mut Dice) -> String {
    let mut text = dice.numbers(1, 3);
    for _ in 0..dice.below(3) {
        text += dice.pick(&[
            "~", "+", "~rc", "+dfsg", "a", "b", ".", "~~", "-", "ubuntu", "Z",
        ]);
        text += &dice.number();
    }
    text
}

#[test]
fn dpkg_agrees() {
    if !have(&["dpkg"]) {
        return;
    }
    let scheme = scheme("Debian");
    let mut versions = generate(1, 1500, |dice| {
        let epoch = dice.maybe(|dice| format!("{}:", dice.below(3)));
        let revision = dice.maybe(|dice| format!("-{}", dice.numbers(1, 2)));
        let odd = dice.pick(&["", "", "", "~", "+b1", "~bpo10+1", ".1~"]);
        format!("{epoch}{}{revision}{odd}", upstream(dice))
    });
    versions.extend(advisories("Debian"));
    let pairs = pairs(scheme, &versions, 1000);
    let mut shell = Command::new("sh");
    let answers = ask(shell.args(["-c", DPKG]), &lines(&pairs));
    agree(scheme, &pairs, &answers, 2000);
}
