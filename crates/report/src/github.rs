//! A snapshot for GitHub's dependency submission API (REST API, "Create a
//! snapshot of dependencies for a repository").

use std::{collections::BTreeMap, io};

use seawall_formats::text;
use seawall_model::Report;
use serde::Serialize;

use crate::{Error, Options};

#[derive(Serialize)]
struct Wire<'a> {
    version: u32,
    sha: &'a str,
    #[serde(rename = "ref")]
    reference: &'a str,
    job: Job<'a>,
    detector: Detector<'a>,
    scanned: &'a str,
    manifests: BTreeMap<String, Manifest>,
}

#[derive(Serialize)]
struct Job<'a> {
    id: &'a str,
    correlator: &'a str,
}

#[derive(Serialize)]
struct Detector<'a> {
    name: &'static str,
    version: &'a str,
    url: &'static str,
}

#[derive(Serialize)]
struct Manifest {
    name: String,
    file: File,
    resolved: BTreeMap<String, Resolved>,
}

#[derive(Serialize)]
struct File {
    source_location: String,
}

#[derive(Serialize)]
struct Resolved {
    package_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    relationship: Option<&'static str>,
    scope: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<String>,
}

pub(crate) fn write(
    report: &Report,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    let snapshot = options.snapshot.ok_or(Error::Snapshot("the run"))?;
    let is_commit =
        snapshot.sha.len() == 40 && snapshot.sha.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_commit {
        return Err(Error::Snapshot("a commit of 40 hexadecimal digits"));
    }
    if !snapshot.reference.starts_with("refs/") {
        return Err(Error::Snapshot("a branch as in `refs/heads/main`"));
    }
    let graph = report.graph();
    let mut manifests: BTreeMap<String, Manifest> = BTreeMap::new();
    let all = report.packages.iter().zip(&report.package_targets);
    for ((package, target), wanted) in all.zip(&graph) {
        let name = match report.targets.get(*target) {
            // A project's files are the repository's own.
            Some(target) if report.targets.len() > 1 || !target.layers.is_empty() => {
                format!("{}:{}", target.name, package.origin.path)
            }
            Some(target) if package.origin.path.is_empty() => target.name.clone(),
            _ => package.origin.path.clone(),
        };
        let manifest = manifests.entry(name).or_insert_with_key(|name| Manifest {
            name: name.clone(),
            file: File {
                source_location: name.clone(),
            },
            resolved: BTreeMap::new(),
        });
        let mut dependencies: Vec<String> = wanted
            .iter()
            .filter_map(|index| report.packages.get(*index))
            .map(|wanted| wanted.purl.clone())
            .collect();
        dependencies.sort();
        dependencies.dedup();
        let relation = package.relation;
        manifest.resolved.insert(
            package.purl.clone(),
            Resolved {
                package_url: package.purl.clone(),
                relationship: relation
                    .direct
                    .map(|direct| if direct { "direct" } else { "indirect" }),
                scope: if relation.development {
                    "development"
                } else {
                    "runtime"
                },
                dependencies,
            },
        );
    }
    let wire = Wire {
        version: 0,
        sha: &snapshot.sha,
        reference: &snapshot.reference,
        job: Job {
            id: &snapshot.job,
            correlator: &snapshot.correlator,
        },
        detector: Detector {
            name: "seawall",
            version: options.version,
            url: "https://github.com/seawall/seawall",
        },
        scanned: &snapshot.scanned,
        manifests,
    };
    out.write_all(text::json(&wire)?.as_bytes())?;
    Ok(())
}
