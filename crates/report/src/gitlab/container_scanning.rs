//! GitLab's report of container scanning, `gl-container-scanning-report.json`
//! (security-report-schemas 15.0.7, container-scanning-report-format.json).

use std::io;

use seawall_model::{Package, Report, Target, TargetKind};
use serde_json::{Value, json};

use super::{Ids, SCHEMA, TEXT, dependency, fits, messages, scan, vulnerability};
use crate::{Error, Format, Options, plain::clipped};

pub(crate) fn write(
    report: &Report,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    let is_about = |at: usize| report.targets.get(at).is_some_and(is_container);
    if !report.targets.is_empty() && !report.targets.iter().any(is_container) {
        return Err(Error::About {
            about: "container scanning",
            wanted: "images",
            instead: Format::GitlabDependencyScanning,
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
            let location = location(target, package);
            Some(vulnerability(
                report, finding, flaw, package, &location, &mut ids,
            ))
        })
        .collect();
    let wire = json!({
        "version": SCHEMA,
        "scan": scan("container", options, &messages(report, &is_about)),
        "vulnerabilities": flaws,
        "remediations": [],
    });
    out.write_all(seawall_formats::text::json(&wire)?.as_bytes())?;
    Ok(())
}

/// What GitLab takes for a container: an image, what it was unpacked to, and a
/// bill of materials of either.
pub(super) fn is_container(target: &Target) -> bool {
    matches!(target.what(), TargetKind::Image | TargetKind::RootFs)
}

fn location(target: &Target, package: &Package) -> Value {
    let text = |text: &str| match clipped(text, TEXT) {
        text if text.is_empty() => "unknown".to_owned(),
        text => text,
    };
    let system = target.os.as_ref().map(|os| {
        let version = match os.version.is_empty() {
            true => String::new(),
            false => format!(":{}", os.version),
        };
        format!("{}{version}", os.id)
    });
    json!({
        "dependency": dependency(package),
        "operating_system": text(system.as_deref().unwrap_or("unknown")),
        "image": text(&target.name),
    })
}
