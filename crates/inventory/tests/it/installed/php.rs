//! PHP's packages: what Composer and PEAR install, against their own lists and
//! Syft; WordPress.

use std::{collections::BTreeSet, path::Path, process::Command};

use super::{asked, find, of_kind, purls, rows};
use crate::support::{gaps, have, run, syft, tree, write};

fn composer(dir: &Path, arguments: &[&str]) -> String {
    let mut composer = Command::new("composer");
    composer
        .args(arguments)
        .arg("--no-interaction")
        .current_dir(dir);
    composer
        .env("COMPOSER_ALLOW_SUPERUSER", "1")
        .env("COMPOSER_HOME", dir.join("../home"));
    run(&mut composer)
}

#[test]
fn packages_are_those_of_composer() {
    if !have(&["composer", "php", "tar", "syft", "jq"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let archives = work.path().join("archives");
    std::fs::create_dir_all(&archives).unwrap();
    let mut packages = Vec::new();
    for (name, version, rest) in [
        (
            "acme/one",
            "1.2.0",
            r#","license":["MIT","LGPL-2.1-only"],"require":{"php":">=5","acme/two":"^2"}"#,
        ),
        ("acme/two", "v2.0.0-beta3", r#","license":"BSD-3-Clause""#),
        ("acme/tool", "0.1", r#","require":{"acme/two":"*"}"#),
    ] {
        let dir = work.path().join("package");
        drop(std::fs::remove_dir_all(&dir));
        let about = format!(r#""name":"{name}","version":"{version}"{rest}"#);
        write(&dir, "composer.json", format!("{{{about}}}"));
        let file = archives.join(format!("{}.tar", name.replace('/', "-")));
        run(Command::new("tar")
            .arg("-cf")
            .arg(&file)
            .arg("composer.json")
            .current_dir(&dir));
        let sum = run(Command::new("sha1sum").arg(&file));
        packages.push(format!(
            r#"{{"type":"package","package":{{{about},"dist":{{"type":"tar","url":"{}","shasum":"{}"}}}}}}"#,
            file.display(),
            sum.split(' ').next().unwrap()
        ));
    }
    let root = work.path().join("root");
    let app = root.join("srv/app");
    write(
        &app,
        "composer.json",
        format!(
            r#"{{"name":"acme/app","repositories":[{},{{"packagist.org":false}}],"minimum-stability":"beta",
                "require":{{"acme/one":"*"}},"require-dev":{{"acme/tool":"*"}}}}"#,
            packages.join(",")
        ),
    );
    composer(&app, &["install", "--quiet", "--no-progress"]);
    let inventory = tree(&root);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let said = composer(&app, &["show", "--format=json"]);
    write(work.path(), "show.json", said);
    let list = ".installed[] | .name + \" \" + .version";
    let said = run(Command::new("jq")
        .args(["-r", list])
        .arg(work.path().join("show.json")));
    let theirs: BTreeSet<String> = said.lines().map(str::to_owned).collect();
    assert_eq!(rows(&inventory, "composer"), theirs);
    assert_eq!(purls(&inventory, "composer"), syft(&root, "php-composer"));

    let one = find(&inventory, "acme/one", "1.2.0");
    assert_eq!(
        asked(one).into_iter().collect::<Vec<_>>(),
        ["acme/two v2.0.0-beta3"]
    );
    assert_eq!(one.licenses, ["MIT", "LGPL-2.1-only"]);
    let sum = run(Command::new("sha1sum").arg(archives.join("acme-one.tar")));
    assert_eq!(one.hashes[0].hex, sum.split(' ').next().unwrap());
    assert!(!one.relation.development);
    assert!(find(&inventory, "acme/tool", "0.1").relation.development);
}

#[test]
fn lists_of_both_composers() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let list = r#"[{"name":"a/b","version":"1.0","license":["MIT"]},{"name":"c/d"},7]"#;
    write(root, "old/vendor/composer/installed.json", list);
    write(
        root,
        "new/vendor/composer/installed.json",
        format!(r#"{{"packages":{list}}}"#),
    );
    write(root, "bad/vendor/composer/installed.json", "{}");
    write(root, "other/installed.json", "{}");
    let deep = "[".repeat(1 << 20);
    write(root, "deep/vendor/composer/installed.json", deep);
    let inventory = tree(root);
    assert_eq!(of_kind(&inventory, "composer").len(), 2);
    assert_eq!(
        gaps(&inventory),
        [
            "damaged bad/vendor/composer/installed.json: it is no list of Composer: it has no \
             `packages`",
            "damaged deep/vendor/composer/installed.json: it is no JSON: EOF while parsing a list \
             at line 1 column 1048576",
            "damaged new/vendor/composer/installed.json: 2 packages have no name or no version",
            "damaged old/vendor/composer/installed.json: 2 packages have no name or no version",
        ]
    );
}

/// The packages that Debian's `php-pear` brings, in the registry that PEAR
/// wrote.
#[test]
fn packages_are_those_of_pear() {
    if !have(&["pear", "syft", "jq"]) {
        return;
    }
    let said = run(Command::new("pear").args(["config-get", "php_dir"]));
    let folder = Path::new(said.trim());
    let root = tempfile::tempdir().unwrap();
    let inside = root
        .path()
        .join(folder.strip_prefix("/").unwrap())
        .join(".registry");
    std::fs::create_dir_all(inside.parent().unwrap()).unwrap();
    run(Command::new("cp")
        .arg("-r")
        .arg(folder.join(".registry"))
        .arg(&inside));
    let inventory = tree(root.path());
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let said = run(Command::new("pear").args(["list", "-a"]));
    // `Archive_Tar 1.4.14 stable`, under the head of each channel.
    let mut channel = "";
    let mut theirs = BTreeSet::new();
    for line in said.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [
                "INSTALLED" | "Installed",
                "PACKAGES," | "packages,",
                _,
                of,
                ..,
            ] => {
                channel = of.trim_end_matches(':');
            }
            [
                name,
                version,
                "stable" | "beta" | "alpha" | "devel" | "snapshot",
            ] => {
                theirs.insert(format!("{channel}/{name} {version}").to_lowercase());
            }
            _ => {}
        }
    }
    let ours: BTreeSet<String> = rows(&inventory, "pear")
        .iter()
        .map(|row| row.to_lowercase())
        .collect();
    assert_eq!(ours, theirs);
    assert!(theirs.len() >= 4, "{said}");
    assert_eq!(purls(&inventory, "pear"), syft(root.path(), "php-pear"));
    let tar = of_kind(&inventory, "pear")
        .into_iter()
        .find(|one| one.name.ends_with("/Archive_Tar"));
    let tar = tar.unwrap();
    assert!(!tar.licenses.is_empty());
    assert!(
        tar.files
            .iter()
            .any(|file| file == "usr/share/php/Archive/Tar.php"),
        "{tar:?}"
    );
}

/// Headers as the handbooks of WordPress show them.
#[test]
fn wordpress_says_what_it_is() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(
        root,
        "var/www/wp-includes/version.php",
        "<?php\n/**\n * WordPress Version\n *\n * @global string $wp_version\n */\n\
         $wp_version = '6.4.2';\n$wp_db_version = 56657;\n",
    );
    let plugins = "var/www/wp-content/plugins";
    write(
        root,
        &format!("{plugins}/my-basics/my-basics.php"),
        "<?php\n/*\n * Plugin Name:       My Basics Plugin\n * Plugin URI:        https://example.com/\n\
         \x20* Version:           1.10.3\n * Requires PHP:      7.2\n * License:           GPL v2 or later\n\
         \x20* Requires Plugins:  hello, gone\n */\n",
    );
    write(
        root,
        &format!("{plugins}/my-basics/uninstall.php"),
        "<?php // Version: 9\n",
    );
    write(
        root,
        &format!("{plugins}/hello.php"),
        "<?php /* plugin name: Hello Dolly\r\nVersion: 1.7.2 */",
    );
    write(
        root,
        &format!("{plugins}/index.php"),
        "<?php // Silence is golden.\n",
    );
    write(
        root,
        "var/www/wp-content/themes/child/style.css",
        "/*\nTheme Name: Child\nTemplate: parent\nVersion: 2.0\nLicense: GPL-2.0\n*/\n",
    );
    write(
        root,
        "var/www/wp-content/themes/parent/style.css",
        "@charset \"UTF-8\";\n/*!\nTheme Name: Parent\nVersion: 1.0.1\n*/\n",
    );
    write(
        root,
        "srv/wp-includes/version.php",
        "<?php\n$wp_version = VERSION;\n",
    );
    let inventory = tree(root);
    assert_eq!(
        purls(&inventory, "wordpress"),
        [
            "pkg:wordpress/plugin/hello@1.7.2",
            "pkg:wordpress/plugin/my-basics@1.10.3",
            "pkg:wordpress/theme/child@2.0",
            "pkg:wordpress/theme/parent@1.0.1",
            "pkg:wordpress/wordpress@6.4.2",
        ]
    );
    let asks = |name: &str, version: &str| -> Vec<String> {
        asked(find(&inventory, name, version)).into_iter().collect()
    };
    assert_eq!(asks("plugin/my-basics", "1.10.3"), ["plugin/hello 1.7.2"]);
    assert_eq!(asks("theme/child", "2.0"), ["theme/parent 1.0.1"]);
    assert_eq!(
        gaps(&inventory),
        ["damaged srv/wp-includes/version.php: it names no version of WordPress"]
    );
}
