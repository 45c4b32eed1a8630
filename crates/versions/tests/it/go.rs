//! `go/version` of the standard library and `golang.org/x/mod/semver`.

use std::{collections::BTreeSet, fs, process::Command};

use crate::support::{advisories, agree, ask, generate, have, lines, pairs, scheme, skip};

const GO: &str = r#"package main

import (
	"bufio"
	"fmt"
	"go/version"
	"os"
	"strings"

	"golang.org/x/mod/semver"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		a, b, _ := strings.Cut(in.Text(), "\t")
		switch {
		case version.IsValid(a) && version.IsValid(b):
			fmt.Fprintln(out, version.Compare(a, b))
		case semver.IsValid("v"+strings.TrimPrefix(a, "v")) && semver.IsValid("v"+strings.TrimPrefix(b, "v")):
			fmt.Fprintln(out, semver.Compare("v"+strings.TrimPrefix(a, "v"), "v"+strings.TrimPrefix(b, "v")))
		default:
			fmt.Fprintln(out, "?")
		}
	}
}
"#;

/// Builds the program that asks Go; the module proxy must be in reach, or the
/// module in the cache.
fn build() -> Option<std::path::PathBuf> {
    if !have(&["go"]) {
        return None;
    }
    let folder = std::env::temp_dir().join(format!("seawall-go-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("main.go"), GO).unwrap();
    fs::write(folder.join("go.mod"), "module compare\n\ngo 1.22\n").unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new("go")
            .args(arguments)
            .current_dir(&folder)
            .output()
            .unwrap();
        output.status.success() || skip(&String::from_utf8_lossy(&output.stderr))
    };
    let is_built = run(&["get", "golang.org/x/mod@v0.20.0"]) && run(&["build", "-o", "compare"]);
    is_built.then(|| folder.join("compare"))
}

#[test]
fn go_agrees() {
    let Some(program) = build() else { return };
    let scheme = scheme("Go");
    let toolchains = generate(13, 1500, |dice| {
        let minor = dice.pick(&["1", "9", "18", "20", "21", "22", "100"]);
        let end = match dice.below(5) {
            0 => String::new(),
            1 => format!("rc{}", dice.below(12)),
            2 => format!("beta{}", dice.below(3)),
            _ => format!(".{}", dice.number()),
        };
        let mark = dice.pick(&["", "", "", "-bigcorp", " X:boringcrypto", "-rc1"]);
        format!("go1.{minor}{end}{mark}")
    });
    let toolchains = pairs(scheme, &toolchains, 5000);
    let mut modules: BTreeSet<String> = generate(14, 4000, |dice| {
        let version = match dice.below(4) {
            0 => format!(
                "v0.0.0-2024010{}000000-{}bcdef012345",
                dice.below(9),
                dice.below(9)
            ),
            1 => dice.numbers(1, 3),
            _ => super::node::version(dice),
        };
        let end = if version.contains('+') {
            ""
        } else {
            dice.pick(&["", "", "+incompatible"])
        };
        version + end
    });
    modules.extend(advisories("Go"));
    let modules = pairs(scheme, &modules, 20_000);
    for (pairs, least) in [(toolchains, 3000), (modules, 20_000)] {
        let mut go = Command::new(&program);
        let answers = ask(&mut go, &lines(&pairs));
        agree(scheme, &pairs, &answers, least);
    }
    fs::remove_dir_all(program.parent().unwrap()).unwrap();
}
