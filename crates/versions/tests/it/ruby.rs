//! `Gem::Version`.

use std::process::Command;

use crate::support::{advisories, agree, ask, generate, have, lines, pairs, scheme};

const GEM: &str = r#"
STDIN.each_line(chomp: true) do |line|
  a, b = line.split("\t", 2)
  ok = Gem::Version.correct?(a) && Gem::Version.correct?(b)
  puts ok ? (Gem::Version.new(a) <=> Gem::Version.new(b)) : "?"
end
"#;

#[test]
fn rubygems_agrees() {
    if !have(&["ruby"]) {
        return;
    }
    let scheme = scheme("RubyGems");
    let mut versions = generate(6, 5000, |dice| {
        let mut text = dice.number();
        for _ in 0..dice.below(6) {
            text += dice.pick(&[".", ".", ".", "-", ".a", ".b", ".rc", ".pre", "--", "."]);
            text += &dice.number();
            text += dice.pick(&["", "", "", "a", ".0", ".0.0", "x1", "_"]);
        }
        text
    });
    versions.extend(advisories("RubyGems"));
    let pairs = pairs(scheme, &versions, 30_000);
    let mut ruby = Command::new("ruby");
    let answers = ask(ruby.args(["-e", GEM]), &lines(&pairs));
    agree(scheme, &pairs, &answers, 20_000);
    let alone: Vec<_> = versions
        .iter()
        .map(|version| (version.clone(), version.clone()))
        .collect();
    let answers = ask(Command::new("ruby").args(["-e", GEM]), &lines(&alone));
    for ((version, _), answer) in alone.iter().zip(answers) {
        assert_eq!((scheme.is_valid)(version), answer != "?", "{version}");
    }
}
