//! GitLab's report of dependency scanning, `gl-dependency-scanning-report.json`
//! (security-report-schemas 15.0.7, dependency-scanning-report-format.json).

use std::{collections::BTreeMap, io};

use seawall_model::{Package, Report, Target, TargetKind};
use serde_json::{Value, json};

use super::{
    Ids, SCHEMA, container_scanning::is_container, dependency, fits, messages, scan, vulnerability,
};
use crate::{
    Error, Format, Options,
    files::in_checkout,
    plain::{clipped, plain},
    words::NAME,
};

pub(crate) fn write(
    report: &Report,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    let is_project = |target: &Target| !is_container(target);
    let is_about = |at: usize| report.targets.get(at).is_some_and(is_project);
    if !report.targets.is_empty() && !report.targets.iter().any(is_project) {
        return Err(Error::About {
            about: "dependency scanning",
            wanted: "projects",
            instead: Format::GitlabContainerScanning,
        });
    }
    let mut ids = Ids::default();
    let findings = report.findings.iter();
    let flaws: Vec<Value> = findings
        .filter(|one| fits(report, one, &is_about))
        .filter_map(|finding| {
            let package = report.packages.get(finding.package?)?;
            let target = report.targets.get(finding.target)?;
            let flaw = finding.vulnerability.as_deref()?;
            let file = file(target, package, options);
            let location = json!({"file": file, "dependency": dependency(package)});
            Some(vulnerability(
                report, finding, flaw, package, &location, &mut ids,
            ))
        })
        .collect();
    let mut files: BTreeMap<(String, &str), Vec<Value>> = BTreeMap::new();
    for (package, at) in report.packages.iter().zip(&report.package_targets) {
        if let Some(target) = report.targets.get(*at).filter(|one| is_project(one)) {
            let key = (file(target, package, options), manager(&package.kind));
            files.entry(key).or_default().push(dependency(package));
        }
    }
    let files: Vec<Value> = files
        .into_iter()
        .map(|((path, manager), dependencies)| {
            let manager = clipped(manager, NAME);
            json!({"path": path, "package_manager": manager, "dependencies": dependencies})
        })
        .collect();
    let wire = json!({
        "version": SCHEMA,
        "scan": scan("dependency", options, &messages(report, &is_about)),
        "vulnerabilities": flaws,
        "remediations": [],
        "dependency_files": files,
    });
    out.write_all(seawall_formats::text::json(&wire)?.as_bytes())?;
    Ok(())
}

/// The file that names a package, from the repository's root.
fn file(target: &Target, package: &Package, options: &Options<'_>) -> String {
    let below = match target.kind {
        TargetKind::Directory => package.origin.path.as_str(),
        _ => "",
    };
    let file = in_checkout(&target.name, below, options.checkout);
    // What lies outside is named as the user did.
    let file = file.unwrap_or_else(|| plain(&format!("{}/{below}", target.name)));
    match file.trim_end_matches('/') {
        "" => "unknown".to_owned(),
        file => file.to_owned(),
    }
}

/// The program behind a kind of packages, as GitLab's own scanner names it.
fn manager(kind: &str) -> &str {
    match kind {
        "pypi" => "pip",
        "gem" => "bundler",
        "golang" => "go",
        kind => kind,
    }
}
