//! The formats of `others.rs` with damaged entries, changed bytes and sizes that
//! nobody has.

use std::fs;

use super::{data, file, others::CASES, project};
use crate::support::{Random, gaps};

/// One entry of a wrong shape, and what is said of it; `good 1.0.0` beside it is
/// read.
#[test]
fn a_damaged_entry_hides_no_other() {
    let json = |list: &str, bad: &str, good: &str| format!("{{\n{list}\n{bad},\n{good}]}}");
    let nuget = |bad: &str| {
        format!(
            "{{\"version\": 1, \"dependencies\": {{\"net8.0\": {{\n\n\"bad\": {bad},\n\"good\": \
             {{\"type\": \"Direct\", \"resolved\": \"1.0.0\"}}}}}}}}"
        )
    };
    let pin = |bad: &str| {
        let good = "{\"identity\": \"good\", \"state\": {\"version\": \"1.0.0\"}}";
        json("\"version\": 3, \"pins\": [", bad, good)
    };
    let renv = |bad: &str| {
        format!(
            "{{\n\"Packages\": {{\n\"bad\": {bad},\n\"good\": {{\"Package\": \"good\", \"Version\": \"1.0.0\"}}}}}}"
        )
    };
    let pods = |bad: &str| format!("\nPODS:\n- {bad}\n- good (1.0.0)\nCOCOAPODS: 1.0\n");
    let julia = |bad: &str| {
        format!(
            "manifest_format = \"2.0\"\n\n[[deps.bad]]\n{bad}\n\n[[deps.good]]\nuuid = \"x\"\nversion = \"1.0.0\"\n"
        )
    };
    let steps = |bad: &str| {
        format!("jobs:\n  x:\n    steps:\n    - uses: {bad}\n    - uses: good/it@1.0.0\n")
    };
    let cases = [
        ("packages.lock.json", nuget("[]"), "an entry is no object (line 3, column 8)"),
        ("packages.lock.json", nuget("{}"), "a package has no version (line 3, column 2)"),
        ("packages.lock.json", nuget("{\"resolved\": 5}"), "an entry is damaged: "),
        ("Package.resolved", pin("5"), "an entry is no object (line 3, column 1)"),
        ("Package.resolved", pin("{}"), "a package has no name (line 3, column 1)"),
        ("Package.resolved", pin("{\"identity\": \"x\"}"), "a package has no version (line 3, column "),
        ("conan.lock", json("\"requires\": [", "[]", "\"good/1.0.0\""), "a reference is no text (line 3, column 1)"),
        ("conan.lock", json("\"requires\": [", "\"bad\"", "\"good/1.0.0\""), "a reference has no name or no version (line 3, column 2)"),
        ("conan.lock", json("\"requires\": [", "\"bad/[>1]\"", "\"good/1.0.0\""), "a reference has no name or no version (line 3, column 2)"),
        ("renv.lock", renv("{}"), "a package has no name or no version (line 3, column 2)"),
        ("renv.lock", renv("{\"Version\": {}}"), "an entry is damaged: "),
        ("Podfile.lock", pods("bad"), "a pod has no name or no version (line 3, column 3)"),
        ("Podfile.lock", pods("{}"), "a pod has no name or no version (line 3, column 3)"),
        ("Manifest.toml", julia("uuid = 5"), "a package has no `uuid` (line 3, column 8)"),
        ("Manifest.toml", julia("uuid = "), "it is no TOML: "),
        (".github/workflows/a.yml", steps("bad"), "`uses` names no action (line 4, column 13)"),
        (".github/workflows/a.yml", steps("a/b@"), "`uses` names no action (line 4, column 13)"),
        (".github/workflows/a.yml", steps("[]"), "`uses` names no action (line 4, column 13)"),
        (
            "gradle.lockfile",
            "# x\n\nbad:1=a\ngood:good:1.0.0=a\nempty=\n".to_owned(),
            "a line is no module with its version (line 3, column 1)",
        ),
        (
            "libs.versions.toml",
            "\n[libraries]\nbad = \"bad\"\ngood = \"good:good:1.0.0\"\n".to_owned(),
            "an entry names no module (line 3, column 8)",
        ),
        (
            "packages.config",
            "<packages>\n\n<package id='bad'/>\n<package id='good' version='1.0.0'/></packages>".to_owned(),
            "a package has no name or no version (line 3, column 1)",
        ),
        (
            "paket.lock",
            "NUGET\n  remote: x\n    bad\n    good (1.0.0)\n".to_owned(),
            "a package has no name or no version (line 3, column 5)",
        ),
        (
            "cabal.project.freeze",
            "\n\nconstraints: any.bad ==x,\n             any.good ==1.0.0\n".to_owned(),
            "a package has no name or no single version (line 3, column 14)",
        ),
        (
            "stack.yaml.lock",
            "\npackages:\n- completed: {}\n- completed:\n    hackage: good-1.0.0@sha256:1,2\nsnapshots: []\n".to_owned(),
            "a package has no name or no version (line 3, column 14)",
        ),
        (
            "Cartfile.resolved",
            "\n\ngithub \"bad\"\ngit \"https://example.org/good\" \"1.0.0\"\n".to_owned(),
            "a line is no dependency with its version (line 3, column 1)",
        ),
    ];
    for (name, text, expected) in cases {
        let inventory = file(name, &text);
        let said = gaps(&inventory);
        assert_eq!(said.len(), 1, "{text}: {said:?}");
        assert!(
            said[0].starts_with(&format!("damaged {name}: {expected}")),
            "{text}: {said:?}"
        );
        assert!(said[0].contains("(line "), "{said:?}");
        let names = super::names(&inventory);
        assert!(
            names.len() == 1 && names[0].contains("good") && names[0].ends_with(" 1.0.0"),
            "{text}: {names:?}"
        );
    }
}

/// Bytes changed anywhere, a hundred times in every file.
#[test]
fn changed_bytes_never_panic() {
    let mut random = Random(7);
    let mut count = 0;
    for (case, _, _) in CASES {
        for one in &project(&data(case)).packages {
            let path = &one.origin.path;
            let whole = fs::read(data(case).join(path)).unwrap();
            for _ in 0..100 / CASES.len() {
                let mut bytes = whole.clone();
                for _ in 0..=random.below(6) {
                    let at = random.below(bytes.len());
                    bytes[at] = b"\n :\0\xFF\xC3(){}[]<>\"'$=/-,"[random.below(21)];
                }
                bytes.truncate(random.below(bytes.len()) + 1);
                count += file(path, &bytes).packages.len();
            }
        }
    }
    assert!(count > 100, "{count}");
}

/// Shapes that make careless readers slow: each comes to its end, with a word
/// about what was too much.
#[test]
fn huge_files_come_to_an_end() {
    let many = 1_000_010;
    let lock = format!(
        "{{\"version\": 1, \"dependencies\": {{\"n\": {{{}\"z\": {{}}}}}}}}",
        "\"a\":{},".repeat(many)
    );
    let said = gaps(&file("packages.lock.json", lock));
    assert!(
        said.iter()
            .any(|gap| gap.starts_with("limit packages.lock.json: there are more than")),
        "{said:?}"
    );
    let lines: String = (0..250_010).map(|at| format!("g:a{at}:1=x\n")).collect();
    let inventory = file("gradle.lockfile", lines);
    assert_eq!(inventory.packages.len(), 250_000);
    let said = gaps(&inventory);
    assert!(
        said.iter()
            .any(|gap| gap == "limit gradle.lockfile: there are more than 250000 packages"),
        "{said:?}"
    );
    let deep = format!("{{\"pins\": {}", "[".repeat(100_000));
    let said = gaps(&file("Package.resolved", deep));
    assert!(said[0].contains("it is no lock file of Swift"), "{said:?}");
    for name in ["conan.lock", "renv.lock"] {
        let deep = format!(
            "{{\"requires\": {0}, \"Packages\": {0}",
            "{\"a\":".repeat(100_000)
        );
        assert_eq!(gaps(&file(name, deep)).len(), 1, "{name}");
    }
}
