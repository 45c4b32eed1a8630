//! SARIF 2.1.0 (OASIS), as GitHub's code scanning and editors read it.

use std::io;

use seawall_model::{Finding, Location, Report, Rule, Severity, TargetKind};
use serde_json::{Map, Value, json};

use crate::{Error, Options, words::id};

pub(crate) fn write(
    report: &Report,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    // A flaw is a rule of its own here: viewers group and explain by rule.
    let mut rules: Vec<Value> = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    let mut results = Vec::new();
    for finding in &report.findings {
        let rule_id = id(finding).to_owned();
        let index = match ids.iter().position(|known| *known == rule_id) {
            Some(index) => index,
            None => {
                let rule = report.rules.iter().find(|rule| rule.id == finding.rule);
                rules.push(rule_object(report, finding, rule.copied()));
                ids.push(rule_id.clone());
                ids.len() - 1
            }
        };
        results.push(result(report, finding, &rule_id, index));
    }
    let notifications: Vec<Value> = report
        .gaps
        .iter()
        .map(|gap| {
            json!({
                "level": "warning",
                "descriptor": {"id": gap.kind.as_str()},
                "message": {"text": format!("{}: {}", gap.subject, gap.reason)},
            })
        })
        .collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "Seawall",
                "version": options.version,
                "semanticVersion": options.version,
                "informationUri": "https://github.com/seawall/seawall",
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)?;
    Ok(())
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium | Severity::Unknown => "warning",
        Severity::Low => "note",
    }
}

/// GitHub sorts by this number: over 9.0 critical, 7.0 high, 4.0 medium.
fn security_severity(finding: &Finding) -> String {
    let scores = finding.vulnerability.iter().flat_map(|flaw| &flaw.cvss);
    let score = scores.map(|cvss| cvss.score).next();
    let (low, high, middle) = match finding.severity {
        Severity::Critical => (9.0, 10.0, 9.5),
        Severity::High => (7.0, 8.9, 8.0),
        Severity::Medium => (4.0, 6.9, 5.5),
        Severity::Unknown => (4.0, 6.9, 4.0),
        Severity::Low => (0.1, 3.9, 2.0),
    };
    // The score says more where it agrees with the severity.
    let score = score
        .filter(|score| (low..=high).contains(score))
        .unwrap_or(middle);
    format!("{score:.1}")
}

fn rule_object(report: &Report, finding: &Finding, rule: Option<&Rule>) -> Value {
    let doc = rule.map_or("", |rule| rule.doc);
    let mut tags = vec!["security".to_owned(), finding.rule.to_owned()];
    tags.extend(
        finding
            .vulnerability
            .as_ref()
            .and_then(|flaw| flaw.kev.as_ref())
            .map(|_| "kev".to_owned()),
    );
    let mut object = json!({
        "id": id(finding),
        "name": finding.rule,
        "shortDescription": {"text": short(report, finding)},
        "help": {"text": doc, "markdown": doc},
        "defaultConfiguration": {"level": level(finding.severity)},
        "properties": {
            "tags": tags,
            "precision": "very-high",
            "security-severity": security_severity(finding),
        },
    });
    if let (Some(flaw), Some(map)) = (&finding.vulnerability, object.as_object_mut()) {
        let address = if flaw.id.starts_with("CVE-") {
            format!("https://nvd.nist.gov/vuln/detail/{}", flaw.id)
        } else {
            format!("https://osv.dev/vulnerability/{}", flaw.id)
        };
        map.insert("helpUri".to_owned(), address.into());
    } else if let (Some(first), Some(map)) = (
        rule.and_then(|rule| rule.references.first()),
        object.as_object_mut(),
    ) {
        map.insert("helpUri".to_owned(), (*first).into());
    }
    object
}

fn short(report: &Report, finding: &Finding) -> String {
    let title = finding
        .vulnerability
        .as_ref()
        .and_then(|flaw| flaw.summary.clone());
    title.unwrap_or_else(|| {
        let package = finding.package.and_then(|index| report.packages.get(index));
        match package {
            Some(package) => format!("{} in {}", id(finding), package.name),
            None => finding.message.clone(),
        }
    })
}

fn result(report: &Report, finding: &Finding, rule: &str, index: usize) -> Value {
    let mut text = finding.message.clone();
    if let Some(fix) = &finding.fix {
        text += &format!("; {}", fix.title);
    }
    json!({
        "ruleId": rule,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": {"text": text},
        "locations": [location(report, finding)],
        "partialFingerprints": {"seawall/v1": finding.fingerprint.to_string()},
        "properties": {
            "severity": finding.severity.as_str(),
            "aliases": finding.aliases,
        },
    })
}

fn location(report: &Report, finding: &Finding) -> Value {
    let target = report.targets.get(finding.target);
    let mut physical = Map::new();
    let (path, range) = match &finding.location {
        Location::File { path, range, .. } if !path.is_empty() => (path.as_str(), *range),
        // A result must lie somewhere: the target itself, then.
        _ => (target.map_or("", |target| target.name.as_str()), None),
    };
    // Paths of a project lie below the checkout; a folder scanned by name
    // stands before them.
    let below = target
        .filter(|target| matches!(target.kind, TargetKind::Directory))
        .map(|target| target.name.trim_start_matches("./").trim_matches('/'))
        .filter(|name| !matches!(*name, "" | ".") && !name.starts_with(".."));
    let uri = match below {
        Some(dir) => format!("{dir}/{path}"),
        None => path.to_owned(),
    };
    physical.insert("artifactLocation".to_owned(), json!({"uri": encode(&uri)}));
    let region = match range {
        Some(range) => json!({
            "startLine": range.start.line,
            "startColumn": range.start.column,
            "endLine": range.end.line,
            "endColumn": range.end.column,
        }),
        None => json!({"startLine": 1}),
    };
    physical.insert("region".to_owned(), region);
    let package = finding.package.and_then(|index| report.packages.get(index));
    let mut logical = Vec::new();
    if let Some(package) = package {
        logical.push(json!({
            "name": package.name,
            "fullyQualifiedName": package.purl,
            "kind": "package",
        }));
    }
    json!({"physicalLocation": physical, "logicalLocations": logical})
}

/// A relative reference (RFC 3986): slashes stay, a colon in the first part
/// would make a scheme of it.
fn encode(path: &str) -> String {
    path.trim_start_matches('/')
        .bytes()
        .fold(String::new(), |mut out, byte| {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                    out.push(char::from(byte));
                }
                _ => out += &format!("%{byte:02X}"),
            }
            out
        })
}
