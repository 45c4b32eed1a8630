//! GitLab's reports. Those of security scanners share everything but where a
//! flaw lies (security-report-schemas 15.0.7, which every GitLab since 16.3
//! takes).

pub(crate) mod code_quality;
pub(crate) mod container_scanning;
mod cvss;
pub(crate) mod dependency_scanning;

use std::collections::HashMap;

use seawall_model::{Finding, Fingerprint, Package, Report, Severity, Vulnerability};
use serde_json::{Value, json};

use crate::{
    Options,
    markdown::{prose, sentence},
    plain::clipped,
    words::{NAME, SENTENCE, VERSION, address, exploited, likely, notes, suppressors},
};

/// The version of the schema that the reports follow.
const SCHEMA: &str = "15.0.7";
/// Identifiers of a flaw that GitLab keeps.
const IDENTIFIERS: usize = 20;
/// Letters of most texts that GitLab's database takes.
const TEXT: usize = 200;
/// CVSS vectors of a flaw that the schema allows.
const VECTORS: usize = 10;
/// Messages of a scan that are written out; the rest is counted.
const MESSAGES: usize = 100;

/// A report of a scanner of GitLab's kind: `container` or `dependency`.
fn scan(kind: &str, options: &Options<'_>, messages: &[Value]) -> Value {
    let scanner = json!({
        "id": "seawall",
        "name": "Seawall",
        "url": "https://github.com/seawall/seawall",
        "vendor": {"name": "Seawall"},
        "version": options.version,
    });
    json!({
        "analyzer": scanner,
        "scanner": scanner,
        "type": format!("{kind}_scanning"),
        "start_time": time(options.run.0),
        "end_time": time(options.run.1),
        "status": "success",
        "messages": messages,
    })
}

/// A time as the schema has it: whole seconds, without a zone.
fn time(text: &str) -> &str {
    let time = text.get(..19).filter(|_| text.is_ascii());
    time.unwrap_or("1970-01-01T00:00:00")
}

/// Findings by which GitLab's scanners are told apart: a flaw of a package, in
/// a target that `is_about` takes.
fn fits(report: &Report, finding: &Finding, is_about: &dyn Fn(usize) -> bool) -> bool {
    let package = finding.package.and_then(|at| report.packages.get(at));
    finding.vulnerability.is_some() && package.is_some() && is_about(finding.target)
}

/// What the report does not hold, and what was not looked at: GitLab shows it
/// beside the scan.
fn messages(report: &Report, is_about: &dyn Fn(usize) -> bool) -> Vec<Value> {
    let gaps = report.gaps.iter().map(|gap| {
        let (subject, reason) = (clipped(&gap.subject, NAME), clipped(&gap.reason, SENTENCE));
        ("warn", format!("not looked at: {subject}: {reason}"))
    });
    let left = report.findings.iter();
    let left = left.filter(|one| !fits(report, one, is_about)).map(|one| {
        let message = clipped(&one.message, SENTENCE);
        (
            "warn",
            format!(
                "found, but no part of this report: {} {message}",
                one.severity
            ),
        )
    });
    let suppressed = report.suppressed.iter().map(|one| {
        let message = clipped(&one.finding.message, SENTENCE);
        let by = clipped(&suppressors(&one.by), SENTENCE);
        ("info", format!("suppressed: {message}; {by}"))
    });
    let baseline = report.baseline.iter().map(|one| {
        let (known, gone) = (one.known.len(), one.gone.len());
        let text = format!("left out: {known} findings that the baseline knows; {gone} are gone");
        ("info", text)
    });
    let mut all: Vec<Value> = baseline
        .chain(gaps)
        .chain(left)
        .chain(suppressed)
        .map(|(level, text)| json!({"level": level, "value": text}))
        .collect();
    if all.len() > MESSAGES {
        let rest = all.len() - MESSAGES;
        all.truncate(MESSAGES);
        all.push(json!({"level": "warn", "value": format!("and {rest} more such messages")}));
    }
    all
}

/// Ids that are one finding's alone, though two may share a fingerprint.
#[derive(Default)]
struct Ids(HashMap<Fingerprint, usize>);

impl Ids {
    /// How many of this fingerprint there were before.
    fn before(&mut self, finding: &Finding) -> usize {
        let times = self.0.entry(finding.fingerprint).or_default();
        *times += 1;
        *times - 1
    }

    /// The finding's fingerprint; the second one with it gets one of its own.
    fn fingerprint(&mut self, finding: &Finding) -> String {
        let own = finding.fingerprint.to_string();
        match self.before(finding) {
            0 => own,
            times => Fingerprint::of(&[&own, &times.to_string()]).to_string(),
        }
    }

    /// A UUID of version 8 (RFC 9562, 5.8), made of the fingerprint, so that
    /// the same report has the same ids.
    fn uuid(&mut self, finding: &Finding) -> String {
        let hex = self.fingerprint(finding);
        let digits: Vec<char> = hex.chars().collect();
        let mut out = String::with_capacity(36);
        for (at, digit) in digits.iter().enumerate() {
            if matches!(at, 8 | 12 | 16 | 20) {
                out.push('-');
            }
            out.push(match at {
                12 => '8',
                // The two bits of the variant.
                16 => match digit.to_digit(16).unwrap_or(0) % 4 {
                    0 => '8',
                    1 => '9',
                    2 => 'a',
                    _ => 'b',
                },
                _ => *digit,
            });
        }
        out
    }
}

/// A flaw of a package as all scanners' reports have it.
fn vulnerability(
    report: &Report,
    finding: &Finding,
    flaw: &Vulnerability,
    package: &Package,
    location: &Value,
    ids: &mut Ids,
) -> Value {
    let mut object = json!({
        "id": ids.uuid(finding),
        "name": clipped(flaw.summary.as_deref().unwrap_or(&flaw.id), TEXT),
        "description": description(report, finding, flaw),
        "severity": severity(finding.severity),
        "identifiers": identifiers(flaw),
        "location": location,
        "details": details(flaw, package),
    });
    let Some(map) = object.as_object_mut() else {
        return object;
    };
    if let Some(fix) = &finding.fix {
        map.insert("solution".to_owned(), clipped(&fix.title, SENTENCE).into());
    }
    if let Some(url) = address(&flaw.id) {
        map.insert("links".to_owned(), json!([{"url": url}]));
    }
    let vectors: Vec<Value> = flaw
        .cvss
        .iter()
        .filter(|one| cvss::is_known(&one.vector))
        .take(VECTORS)
        .map(|one| {
            let vendor = match clipped(&one.source, NAME) {
                source if source.is_empty() => "unknown".to_owned(),
                source => source,
            };
            json!({"vendor": vendor, "vector": one.vector})
        })
        .collect();
    if !vectors.is_empty() {
        map.insert("cvss_vectors".to_owned(), vectors.into());
    }
    object
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Unknown => "Unknown",
        Severity::Low => "Low",
    }
}

/// GitLab shows it as Markdown.
fn description(report: &Report, finding: &Finding, flaw: &Vulnerability) -> String {
    let mut parts = vec![sentence(&finding.message)];
    parts.extend(flaw.summary.as_deref().map(prose));
    parts.extend(notes(report, finding).iter().map(|note| prose(note)));
    parts.join("\n\n")
}

/// Identifiers: the first is what GitLab tells the flaw by.
fn identifiers(flaw: &Vulnerability) -> Vec<Value> {
    let all = std::iter::once(&flaw.id).chain(&flaw.aliases);
    all.take(IDENTIFIERS)
        .map(|id| {
            let text = match clipped(id, NAME) {
                text if text.is_empty() => "unknown".to_owned(),
                text => text,
            };
            let mut object = json!({"type": kind(id), "name": text, "value": text});
            if let (Some(url), Some(map)) = (address(id), object.as_object_mut()) {
                map.insert("url".to_owned(), url.into());
            }
            object
        })
        .collect()
}

/// The type of an identifier as GitLab's own scanners name it: `cve`, `ghsa`,
/// and those of distributions. What has no name there is `osv`, whose records
/// all of them are.
fn kind(id: &str) -> &'static str {
    const KINDS: [(&str, &str); 9] = [
        ("CVE-", "cve"),
        ("GHSA-", "ghsa"),
        ("RHSA-", "rhsa"),
        ("USN-", "usn"),
        ("ELSA-", "elsa"),
        ("DSA-", "dsa"),
        ("PYSEC-", "pysec"),
        ("RUSTSEC-", "rustsec"),
        ("GO-", "go"),
    ];
    let known = KINDS.iter().find(|(start, _)| id.starts_with(start));
    known.map_or("osv", |(_, kind)| kind)
}

/// What GitLab has no field for, by name.
fn details(flaw: &Vulnerability, package: &Package) -> Value {
    let versions = flaw.fixed.iter().map(|one| clipped(one, VERSION));
    let versions: Vec<String> = versions.collect();
    let origin = &package.origin;
    let all = [
        ("purl", "Package URL", Some(package.purl.clone())),
        (
            "path",
            "Found in",
            (!origin.path.is_empty()).then(|| origin.path.clone()),
        ),
        (
            "layer",
            "Layer",
            origin.layer.map(|at| (at + 1).to_string()),
        ),
        (
            "fixed",
            "Fixed in",
            (!versions.is_empty()).then(|| versions.join(", ")),
        ),
        ("exploitation", "Exploitation", exploited(flaw)),
        ("likelihood", "Likelihood", likely(flaw)),
    ];
    all.into_iter()
        .filter_map(|(key, name, value)| {
            let value = clipped(&value?, SENTENCE);
            let field = json!({"type": "text", "name": name, "value": value});
            Some((key.to_owned(), field))
        })
        .collect::<serde_json::Map<String, Value>>()
        .into()
}

/// The package that has a flaw.
fn dependency(package: &Package) -> Value {
    let mut object = json!({
        "package": {"name": clipped(&package.name, TEXT)},
        "version": clipped(&package.version, TEXT),
    });
    if let (Some(direct), Some(map)) = (package.relation.direct, object.as_object_mut()) {
        map.insert("direct".to_owned(), direct.into());
    }
    object
}
