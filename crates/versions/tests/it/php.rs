//! Composer's own classes.

use std::{path::Path, process::Command};

use crate::support::{advisories, agree, ask, generate, have, lines, pairs, scheme, skip};

const AUTOLOAD: &str = "/usr/share/php/Composer/Semver/autoload.php";

const COMPOSER: &str = r#"
require $argv[1];
use Composer\Semver\{Comparator, VersionParser};
$parser = new VersionParser();
$read = function ($text) use ($parser) {
    try { return $parser->normalize($text); } catch (\UnexpectedValueException $e) { return null; }
};
while (($line = fgets(STDIN)) !== false) {
    [$a, $b] = array_map($read, explode("\t", rtrim($line, "\n"), 2));
    // Composer does not order two branches.
    $both = $a !== null && $b !== null && strncmp($a, 'dev-', 4) === 0 && strncmp($b, 'dev-', 4) === 0;
    if ($a === null || $b === null || ($both && $a !== $b)) echo "?\n";
    elseif (Comparator::lessThan($a, $b)) echo "-1\n";
    elseif (Comparator::greaterThan($a, $b)) echo "1\n";
    else echo "0\n";
}
"#;

#[test]
fn composer_agrees() {
    if !have(&["php"]) || (!Path::new(AUTOLOAD).is_file() && !skip("no Composer\\Semver")) {
        return;
    }
    let scheme = scheme("Packagist");
    let words = [
        "dev", "alpha", "beta", "RC", "rc", "a", "b", "p", "pl", "patch", "stable", "x",
    ];
    let mut versions = generate(12, 6000, |dice| {
        let mut text = dice.pick(&["", "", "", "v", "V"]).to_owned();
        text += &match dice.below(8) {
            0 => format!("20240{}0{}", 1 + dice.below(3), 1 + dice.below(3)),
            1 => format!("2024-0{}-0{}", 1 + dice.below(3), 1 + dice.below(3)),
            2 => {
                return dice
                    .pick(&["dev-main", "dev-1.x", "master", "dev-Feature", "trunk"])
                    .to_owned();
            }
            3 => {
                dice.numbers(1, 3)
                    + dice.pick(&[".x", ".*", ".X"])
                    + dice.pick(&["-dev", "", ".x-dev"])
            }
            _ => dice.numbers(1, 4),
        };
        text += &dice.maybe(|dice| {
            let (before, after) = (
                dice.pick(&["", "-", ".", "_"]),
                dice.pick(&["", "", ".", "-"]),
            );
            format!(
                "{before}{}{after}{}",
                dice.pick(&words),
                dice.maybe(super::support::Dice::number)
            )
        });
        text += dice.pick(&[
            "", "", "", "-dev", ".dev", "@dev", "+build.1", "-", " as 1.0", "@stable",
        ]);
        text
    });
    versions.extend(advisories("Packagist"));
    let pairs = pairs(scheme, &versions, 30_000);
    let mut php = Command::new("php");
    let answers = ask(php.args(["-r", COMPOSER, "--", AUTOLOAD]), &lines(&pairs));
    agree(scheme, &pairs, &answers, 15_000);
}
