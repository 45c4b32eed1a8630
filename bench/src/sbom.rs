//! Documents of 1,000 packages to match.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

const PACKAGES: usize = 1000;

/// OSV's ecosystems, their purl types, and packages that much was written about.
const ECOSYSTEMS: [(&str, &str, [&str; 5]); 6] = [
    ("npm", "npm", ["lodash", "marked", "ws", "handlebars", "qs"]),
    (
        "PyPI",
        "pypi",
        ["django", "jinja2", "urllib3", "pillow", "requests"],
    ),
    (
        "Go",
        "golang",
        [
            "golang.org/x/crypto",
            "golang.org/x/net",
            "k8s.io/kubernetes",
            "stdlib",
            "gogs.io/gogs",
        ],
    ),
    (
        "crates.io",
        "cargo",
        ["tokio", "hyper", "smallvec", "openssl", "time"],
    ),
    (
        "Packagist",
        "composer",
        [
            "twig/twig",
            "symfony/symfony",
            "drupal/core",
            "typo3/cms",
            "laravel/framework",
        ],
    ),
    (
        "RubyGems",
        "gem",
        ["rack", "nokogiri", "actionpack", "puma", "rails"],
    ),
];

/// Every second package is one that the dumps know a flaw of, each another one,
/// in a version that has it; the others are unknown to them.
pub(crate) fn write_mixed(path: &Path, advisories: &Path) -> Result<()> {
    let mut purls = Vec::new();
    for (ecosystem, kind, _) in ECOSYSTEMS {
        let known = affected(&advisories.join(ecosystem).join("all.zip"))?;
        let wanted = PACKAGES / 2 / ECOSYSTEMS.len() + 1;
        let step = (known.len() / wanted).max(1);
        for (name, version) in known.iter().step_by(step).take(wanted) {
            purls.push(purl(kind, name, version));
            purls.push(format!("pkg:{kind}/unknown-{}@1.0.0", purls.len()));
        }
    }
    purls.truncate(PACKAGES);
    write(path, &purls)
}

/// Every second package is one of thirty that have most advisories, in a
/// version before nearly all of the fixes.
pub(crate) fn write_dense(path: &Path) -> Result<()> {
    let purls: Vec<String> = (0..PACKAGES)
        .filter_map(|index| {
            let (_, kind, names) = ECOSYSTEMS.get(index % ECOSYSTEMS.len())?;
            let major = match *kind {
                "golang" => "v0.1",
                "cargo" => "0.1",
                "composer" => "2.0",
                _ => "1.0",
            };
            let version = format!("{major}.{index}");
            Some(if index % 2 == 0 {
                purl(kind, names.get(index / 7 % names.len())?, &version)
            } else {
                format!("pkg:{kind}/unknown-{index}@{version}")
            })
        })
        .collect();
    write(path, &purls)
}

pub(crate) fn write_empty(path: &Path) -> Result<()> {
    write(path, &[])
}

/// Packages of a dump and a version of each that its first record holds.
fn affected(dump: &Path) -> Result<BTreeMap<String, String>> {
    let file = File::open(dump).with_context(|| dump.display().to_string())?;
    let mut zip = zip::ZipArchive::new(file)?;
    let mut known = BTreeMap::new();
    for at in 0..zip.len() {
        let record: Value = serde_json::from_reader(zip.by_index(at)?)?;
        if record.get("withdrawn").is_some() {
            continue;
        }
        for entry in record["affected"].as_array().into_iter().flatten() {
            let listed = entry["versions"].as_array().and_then(|all| all.last());
            let event = entry["ranges"][0]["events"][0]["introduced"].as_str();
            let version = listed
                .and_then(Value::as_str)
                .or(event)
                .map(|version| if version == "0" { "0.0.1" } else { version });
            if let (Some(name), Some(version)) = (entry["package"]["name"].as_str(), version) {
                known
                    .entry(name.to_owned())
                    .or_insert_with(|| version.to_owned());
            }
        }
    }
    Ok(known)
}

fn purl(kind: &str, name: &str, version: &str) -> String {
    let name = name.replace('@', "%40");
    let version = version.replace('+', "%2B");
    let v = if kind == "golang" && !version.starts_with('v') && name != "stdlib" {
        "v"
    } else {
        ""
    };
    format!("pkg:{kind}/{name}@{v}{version}")
}

fn write(path: &Path, purls: &[String]) -> Result<()> {
    let component = |purl: &String| json!({"type": "library", "name": purl, "purl": purl});
    let components: Vec<Value> = purls.iter().map(component).collect();
    let document = json!({"bomFormat": "CycloneDX", "specVersion": "1.6",
        "components": components});
    fs::write(path, document.to_string())?;
    Ok(())
}
