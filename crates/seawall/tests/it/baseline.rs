//! `--baseline`: what is new against an earlier report.

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::{Home, Said, root};

/// The example's project, to be changed.
fn shop(home: &Home) {
    for entry in [
        "admin/Gemfile.lock",
        "api/go.mod",
        "reports/requirements.txt",
    ] {
        let to = home.path().join("shop").join(entry);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(root().join("examples/shop").join(entry), to).unwrap();
    }
}

fn edit(path: &Path, change: impl Fn(&str) -> String) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, change(&text)).unwrap();
}

/// Scans the project, with more arguments.
fn scan(home: &Home, more: &[&str]) -> Said {
    home.scan(&[&["shop", "--format", "json"], more].concat())
}

fn report(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|_| unreachable!("{}{}", said.out, said.err))
}

fn count(report: &Value, pointer: &str) -> usize {
    report.pointer(pointer).unwrap().as_array().unwrap().len()
}

#[test]
fn only_what_is_new_is_shown_and_judged() {
    let home = Home::new();
    shop(&home);
    let first = scan(&home, &["--output", "known.json"]);
    assert_eq!(first.code, 0, "{}", first.err);
    let known = fs::read_to_string(home.path().join("known.json")).unwrap();
    let known: Value = serde_json::from_str(&known).unwrap();
    let all = count(&known, "/findings");
    assert!(all > 60 && count(&known, "/gaps") > 2);

    // Nothing has changed: what was there, gaps too, stands against nothing.
    // But that the starter database is old is no baseline's to accept.
    let stale = known["gaps"].as_array().unwrap().iter();
    let stale = stale
        .filter(|gap| gap["kind"] == "stale-advisories")
        .count();
    let with = ["--baseline", "known.json", "--fail-on", "low"];
    let old = scan(&home, &with);
    assert_eq!(old.code, 2, "{}", old.err);
    let want = format!("there are {stale} gaps that the baseline does not cover\n");
    assert!(stale > 1 && old.err.contains(&want), "{}", old.err);
    let same = scan(&home, &[&with[..], &["--allow-gaps"]].concat());
    assert_eq!(same.code, 0, "{}", same.err);
    assert!(
        same.err.contains(&format!(
            "note: the baseline `known.json` knows {all} of the findings; 0 of its {all} are gone"
        )),
        "{}",
        same.err
    );
    let now = report(&same);
    assert_eq!(
        (count(&now, "/findings"), count(&now, "/baseline/known")),
        (0, all)
    );
    assert_eq!(count(&now, "/gaps"), count(&known, "/gaps"));
    assert_eq!(scan(&home, &with[2..]).code, 1);

    // Lines move and versions change, a package comes, a file goes.
    let requirements = home.path().join("shop/reports/requirements.txt");
    edit(&requirements, |text| {
        format!("# of the reports\n\naiohttp==3.0\n{text}")
            .replace("django==3.2.0", "django==3.2.1")
    });
    let gems = home.path().join("shop/admin/Gemfile.lock");
    fs::remove_file(gems).unwrap();
    let said = scan(&home, &[&with[..], &["--output", "second.json"]].concat());
    assert_eq!(said.code, 1, "{}", said.err);
    let second = fs::read_to_string(home.path().join("second.json")).unwrap();
    let second: Value = serde_json::from_str(&second).unwrap();
    let new = second["findings"].as_array().unwrap();
    assert!(!new.is_empty());
    for finding in new {
        assert_eq!(finding["package"]["name"], "aiohttp", "{finding}");
        assert_eq!(finding["location"]["line"], 3);
    }
    // One flaw of Django is mended by its new version.
    let is_gone = |one: &&Value| {
        let version = |to: &Value| to == "3.2.1" && one["package"]["name"] == "django";
        one["package"]["type"] == "gem"
            || one["vulnerability"]["fixed"]
                .as_array()
                .unwrap()
                .iter()
                .any(version)
    };
    let gone = known["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(is_gone)
        .count();
    assert_eq!(count(&second, "/baseline/gone"), gone);
    assert!(gone > 60);
    assert_eq!(second["baseline"]["findings"], all);
    assert_eq!(count(&second, "/baseline/known") + gone, all);
    let digest = second["baseline"]["digest"].as_str().unwrap();
    let bytes = fs::read(home.path().join("known.json")).unwrap();
    assert_eq!(digest, seawall_model::Digest::of(&bytes).to_string());
    let schema = fs::read_to_string(root().join("docs/report.schema.json")).unwrap();
    crate::formats::validate(&schema, &second.to_string());

    // A report that was compared is a baseline too, and loses nothing.
    let with = ["--baseline", "second.json", "--fail-on", "low"];
    let third = scan(&home, &[&with[..], &["--allow-gaps"]].concat());
    assert_eq!(third.code, 0, "{}", third.err);
    let third = report(&third);
    let stale = third["gaps"].as_array().unwrap().iter();
    let stale = stale
        .filter(|gap| gap["kind"] == "stale-advisories")
        .count();
    assert_eq!(count(&third, "/findings"), 0);
    assert_eq!(count(&third, "/baseline/gone"), 0);
    assert_eq!(count(&third, "/baseline/known"), all - gone + new.len());

    // A gap that is new counts as one, whatever is known.
    fs::write(home.path().join("shop/Cargo.lock"), "[[package]\nname = 7").unwrap();
    let said = scan(&home, &with);
    assert_eq!(said.code, 2, "{}", said.err);
    let want = format!("there are {} gaps that the baseline", stale + 1);
    assert!(said.err.contains(&want), "{}", said.err);
}

#[test]
fn what_got_worse_is_new_and_what_a_gap_hides_is_not_gone() {
    let home = Home::new();
    shop(&home);
    scan(&home, &["--output", "known.json"]);
    // As if the report were of a day on which one flaw was thought harmless.
    let mut known: Value = {
        let text = fs::read_to_string(home.path().join("known.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let found = known["findings"].as_array_mut().unwrap().iter_mut();
    let one = found
        .into_iter()
        .find(|one| one["severity"] == "critical")
        .unwrap();
    one["severity"] = "low".into();
    let print = one["fingerprint"].clone();
    fs::write(home.path().join("known.json"), known.to_string()).unwrap();
    let with = ["--baseline", "known.json", "--fail-on", "critical"];
    let said = scan(&home, &with);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("; 1 worse than before"), "{}", said.err);
    let now = report(&said);
    assert_eq!(count(&now, "/findings"), 1);
    assert_eq!(now["findings"][0]["fingerprint"], print);
    assert_eq!(now["baseline"]["worse"][0]["severity"], "low");
    assert_eq!(count(&now, "/baseline/gone"), 0);
    let table = home.scan(&["shop", "--baseline", "known.json"]);
    let words: Vec<&str> = table.out.split_whitespace().collect();
    let words = words.join(" ");
    assert!(words.contains("worse than before (it was low)"), "{words}");

    // A damaged lock file mends nothing.
    fs::write(home.path().join("shop/admin/Gemfile.lock"), [0xff; 64]).unwrap();
    let now = report(&scan(&home, &with));
    let gaps = now["gaps"].as_array().unwrap();
    let is_it = |gap: &&Value| gap["subject"] == "admin/Gemfile.lock";
    assert!(gaps.iter().any(|gap| is_it(&gap)), "{gaps:?}");
    let gems = known["findings"].as_array().unwrap().iter();
    let gems = gems.filter(|one| one["package"]["type"] == "gem").count();
    assert!(gems > 0);
    assert_eq!(count(&now, "/baseline/gone"), 0);
    assert_eq!(now["baseline"]["unseen"], gems);
}

#[test]
fn the_environment_and_the_settings_name_it_too() {
    let home = Home::new();
    shop(&home);
    scan(&home, &["--output", "known.json"]);
    let all = [
        "scan",
        "--offline",
        "--no-cache",
        "shop",
        "--allow-gaps",
        "--fail-on",
        "low",
    ];
    let mut command = home.command(&all);
    command.env("SEAWALL_BASELINE", "known.json");
    let said = crate::support::said(&command.output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("no new findings in"), "{}", said.out);
    fs::write(
        home.path().join("seawall.toml"),
        "[scan]\nbaseline = \"known.json\"\n",
    )
    .unwrap();
    let said = home.run(&all);
    assert_eq!(said.code, 0, "{}", said.err);
    // A baseline may be written over while it is applied.
    let said = scan(&home, &["--output", "known.json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(home.run(&all).code, 0);
}

#[test]
fn what_was_not_looked_for_is_not_called_gone() {
    let home = Home::new();
    shop(&home);
    scan(&home, &["--output", "known.json"]);
    let said = scan(&home, &["--baseline", "known.json", "--only", "secrets"]);
    let now = report(&said);
    assert_eq!(count(&now, "/baseline/gone"), 0);
    assert_eq!(now["baseline"]["unseen"], now["baseline"]["findings"]);
    assert!(said.err.contains("were not looked for"), "{}", said.err);
    let said = scan(&home, &["--baseline", "known.json", "--ignore-unfixed"]);
    assert_eq!(count(&report(&said), "/baseline/gone"), 0);
    // What is suppressed is there, and the suppression fits it still.
    fs::write(home.path().join(".seawallignore"), "CVE-2023-36053\n").unwrap();
    let said = scan(&home, &["--baseline", "known.json"]);
    let now = report(&said);
    assert_eq!(count(&now, "/baseline/gone"), 0);
    assert!(count(&now, "/suppressed") > 0);
    assert!(!said.err.contains("matches nothing"), "{}", said.err);
}

#[test]
fn a_baseline_of_something_else_is_said_or_refused() {
    let home = Home::new();
    shop(&home);
    scan(&home, &["--output", "known.json"]);
    fs::create_dir(home.path().join("other")).unwrap();
    let arguments = ["other", "--format", "json", "--baseline", "known.json"];
    let said = home.scan(&arguments);
    assert_eq!(said.code, 0);
    assert!(
        said.err
            .contains("warning: the baseline `known.json` is of `shop`, not of `other`"),
        "{}",
        said.err
    );
    let said = home.scan(&[&["shop"], &arguments[..]].concat());
    assert!(
        said.err
            .contains("warning: the baseline `known.json` has no target `other`"),
        "{}",
        said.err
    );

    let whole = fs::read_to_string(home.path().join("known.json")).unwrap();
    let v2 = whole.replacen("seawall.report/v1", "seawall.report/v2", 1);
    let half = whole.get(..whole.len() / 2).unwrap();
    for (text, want, hint) in [
        (half, "it is no report in JSON", "--format json --output"),
        (
            "{\"runs\": []}",
            "no report of Seawall",
            "--format json --output",
        ),
        ("", "it is no report in JSON", "--format json --output"),
        (
            v2.as_str(),
            "`seawall.report/v2`, not `seawall.report/v1`",
            "anew with this release",
        ),
    ] {
        fs::write(home.path().join("bad.json"), text).unwrap();
        let said = home.scan(&["shop", "--baseline", "bad.json"]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{want}");
        assert!(
            said.err.contains("cannot use `bad.json` as the baseline"),
            "{}",
            said.err
        );
        assert!(said.err.contains(want), "{}", said.err);
        assert!(
            said.err.contains("hint: ") && said.err.contains(hint),
            "{}",
            said.err
        );
    }
    for path in ["missing.json", "."] {
        let said = home.scan(&["shop", "--baseline", path]);
        assert_eq!((said.code, said.out.as_str()), (2, ""));
        let want = format!("cannot read the baseline `{path}`");
        assert!(said.err.contains(&want), "{}", said.err);
        assert!(
            said.err.contains("hint: a baseline is written by"),
            "{}",
            said.err
        );
    }
}
