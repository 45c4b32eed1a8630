//! GitLab's report of code quality, `gl-code-quality-report.json`: a list of
//! Code Climate's issues, of which GitLab reads a few fields (Code Climate
//! Engine Specification, Issues; GitLab's documentation, Code Quality report
//! format).

use std::io;

use seawall_model::{Finding, Fingerprint, Report, Severity};
use serde_json::{Value, json};

use super::Ids;
use crate::{
    Error, Options,
    files::{in_checkout, spot},
    plain::{clipped, plain},
    words::{NAME, SENTENCE},
};

pub(crate) fn write(
    report: &Report,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    let mut ids = Ids::default();
    let findings = report.findings.iter();
    let mut issues: Vec<Value> = findings
        .map(|finding| issue(report, finding, options, &ids.fingerprint(finding)))
        .collect();
    issues.extend(report.gaps.iter().enumerate().map(|(at, gap)| {
        let (subject, reason) = (clipped(&gap.subject, NAME), clipped(&gap.reason, SENTENCE));
        let same = |other: &&seawall_model::Gap| {
            (other.kind, &other.subject, other.target) == (gap.kind, &gap.subject, gap.target)
        };
        let earlier = report.gaps.iter().take(at).filter(same).count();
        let target = report.targets.get(gap.target);
        let name = target.map_or("", |one| one.name.as_str());
        let path = in_checkout(name, "", options.checkout);
        let key = [gap.kind.as_str(), name, &gap.subject, &earlier.to_string()];
        json!({
            "type": "issue",
            "check_name": format!("gap/{}", gap.kind.as_str()),
            "description": format!("not looked at: {subject}: {reason}"),
            "categories": ["Security"],
            "severity": "info",
            "fingerprint": Fingerprint::of(&key).to_string(),
            "location": {"path": path.unwrap_or_else(|| shown(name, "")), "lines": {"begin": 1}},
        })
    }));
    out.write_all(seawall_formats::text::json(&issues)?.as_bytes())?;
    Ok(())
}

fn issue(report: &Report, finding: &Finding, options: &Options<'_>, fingerprint: &str) -> Value {
    let spot = spot(report, finding, options);
    let target = report.targets.get(finding.target);
    let name = target.map_or("", |one| one.name.as_str());
    let path = finding.location.path().unwrap_or_default();
    let file = spot.file.unwrap_or_else(|| shown(name, path));
    let begin = spot.line.unwrap_or(1);
    let end = spot.range.map_or(begin, |range| range.end.line);
    let mut text = format!(
        "{}: {}",
        finding.severity,
        clipped(&finding.message, SENTENCE)
    );
    let fix = finding.fix.as_ref();
    text.extend(fix.map(|fix| format!("; {}", clipped(&fix.title, SENTENCE))));
    text.extend(
        spot.inside
            .map(|inside| format!("; {}", clipped(&inside, NAME))),
    );
    json!({
        "type": "issue",
        "check_name": finding.rule,
        "description": text,
        "categories": ["Security"],
        "severity": severity(finding.severity),
        "fingerprint": fingerprint,
        "location": {"path": file, "lines": {"begin": begin, "end": end}},
    })
}

/// A place that is not in the repository, as a path.
fn shown(name: &str, path: &str) -> String {
    let whole = format!("{name}/{path}");
    match plain(whole.trim_matches('/')) {
        text if text.is_empty() => ".".to_owned(),
        text => text,
    }
}

/// Five words for five severities, in their order.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "blocker",
        Severity::High => "critical",
        Severity::Medium => "major",
        Severity::Unknown => "minor",
        Severity::Low => "info",
    }
}
