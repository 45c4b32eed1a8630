//! SARIF 2.1.0 (OASIS), as GitHub's code scanning and editors read it.
//!
//! Each target has a run of its own with a category of its own: what GitHub
//! knows of one is not taken for mended when another is scanned. It takes twenty
//! runs in a file; of more targets there is one run for all.

mod categories;
mod places;
mod rules;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    io,
    ops::Range,
};

use seawall_model::{Finding, Gap, Report, Severity, Suppressor, Target};
use serde_json::{Value, json};

use crate::{
    Error, Options,
    words::{self, suppressor},
};

/// Runs that GitHub takes in one file.
const RUNS: usize = 20;

pub(crate) fn write(
    report: &Report,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    let all = report.targets.len();
    let runs: Vec<Value> = if (1..=RUNS).contains(&all) {
        let ids = categories::of_targets(report, options);
        let ids = ids.iter().enumerate();
        ids.map(|(at, id)| run(report, at..at + 1, id, options))
            .collect()
    } else {
        vec![run(report, 0..all, categories::ALL, options)]
    };
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": runs,
    });
    out.write_all(seawall_formats::text::json(&log)?.as_bytes())?;
    Ok(())
}

/// The run that is about `targets`, known as `id`.
fn run(report: &Report, targets: Range<usize>, id: &str, options: &Options<'_>) -> Value {
    // A flaw is a rule of its own here: viewers group and explain by rule.
    let mut by_rule: Vec<Vec<&Finding>> = Vec::new();
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut results = Vec::new();
    let counted = report.findings.iter().map(|one| (one, None));
    let others = report.suppressed.iter();
    let others = others.map(|one| (&one.finding, Some(one.by.as_slice())));
    let all = counted.chain(others);
    let own: Vec<_> = all
        .filter(|(one, _)| targets.contains(&one.target))
        .collect();
    let has_suppressed = own.iter().any(|(_, by)| by.is_some());
    for (finding, by) in own {
        let rule = match known.entry(words::id(finding)) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                by_rule.push(Vec::new());
                *entry.insert(by_rule.len() - 1)
            }
        };
        if let Some(findings) = by_rule.get_mut(rule) {
            findings.push(finding);
        }
        let times = seen.entry(finding.fingerprint.to_string()).or_default();
        *times += 1;
        let target = finding.target - targets.start;
        let mut result = result(report, finding, (rule, target), *times);
        // All results of a run have them, or none has (SARIF, 3.27.23).
        if let (true, Some(map)) = (has_suppressed, result.as_object_mut()) {
            let all: Vec<Value> = by.unwrap_or_default().iter().map(suppression).collect();
            map.insert("suppressions".to_owned(), all.into());
        }
        results.push(result);
    }
    let rules: Vec<Value> = by_rule
        .iter()
        .filter_map(|findings| rules::object(report, findings))
        .collect();
    let gaps = report.gaps.iter();
    let gaps: Vec<&Gap> = gaps.filter(|gap| targets.contains(&gap.target)).collect();
    let about = report.targets.get(targets.clone()).unwrap_or_default();
    let about: Vec<Value> = about.iter().map(about_target).collect();
    json!({
        "tool": {"driver": {
            "name": "Seawall",
            "version": options.version,
            "semanticVersion": options.version,
            "informationUri": "https://github.com/seawall/seawall",
            "rules": rules,
            "notifications": rules::gaps(&gaps),
        }},
        "automationDetails": {"id": id},
        "originalUriBaseIds": places::bases(report, targets.clone()),
        "invocations": [{
            "executionSuccessful": true,
            "toolExecutionNotifications": notifications(report, &gaps, targets.start),
        }],
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {"targets": about},
    })
}

fn about_target(target: &Target) -> Value {
    json!({
        "kind": target.kind.as_str(),
        "name": target.name,
        "digest": target.digest,
        "platform": target.platform,
        "os": target.os.as_ref().map(|os| os.name.as_str()),
    })
}

/// What could not be looked at in targets from `first` on.
fn notifications(report: &Report, gaps: &[&Gap], first: usize) -> Vec<Value> {
    let kinds = rules::gap_kinds(gaps);
    gaps.iter()
        .map(|gap| {
            let index = kinds.iter().position(|kind| *kind == gap.kind);
            json!({
                "level": "warning",
                "descriptor": {"id": gap.kind.as_str(), "index": index},
                "message": {"text": literal(&format!("{}: {}", gap.subject, gap.reason))},
                "locations": [places::of_target(report, gap.target)],
                "properties": {"target": gap.target - first},
            })
        })
        .collect()
}

fn suppression(by: &Suppressor) -> Value {
    json!({
        "kind": "external",
        "status": "accepted",
        "justification": suppressor(by),
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium | Severity::Unknown => "warning",
        Severity::Low => "note",
    }
}

/// Text that a viewer shows as it is: brackets before a parenthesis would make
/// a link of it (SARIF, 3.11.6), a number in braces a placeholder (3.11.5).
fn literal(text: &str) -> String {
    let mut text = text.to_owned();
    if text.contains("](") {
        text = text.replace('[', "\\[").replace(']', "\\]");
    }
    let has_placeholder = text
        .split('{')
        .skip(1)
        .any(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()));
    if has_placeholder {
        text = text.replace('{', "{{").replace('}', "}}");
    }
    text
}

/// One result with the indices of its rule and its target; `times` counts those
/// with its fingerprint.
fn result(
    report: &Report,
    finding: &Finding,
    (rule, target): (usize, usize),
    times: usize,
) -> Value {
    let mut text = finding.message.clone();
    if let Some(fix) = &finding.fix {
        text += &format!("; {}", fix.title);
    }
    text.extend(words::worse(report, finding).map(|worse| format!("; {worse}")));
    let fingerprint = finding.fingerprint.to_string();
    let mut object = json!({
        "ruleId": words::id(finding),
        "ruleIndex": rule,
        "level": level(finding.severity),
        "message": {"text": literal(&text)},
        "locations": [places::of_finding(report, finding)],
        "partialFingerprints": {
            "seawall/v1": fingerprint,
            // The one that GitHub goes by, in its form: what, and which time.
            "primaryLocationLineHash": format!("{fingerprint}:{times}"),
        },
        "properties": {
            "severity": finding.severity.as_str(),
            "confidence": finding.confidence.as_str(),
            "aliases": finding.aliases,
            "target": target,
        },
    });
    let related: Vec<Value> = finding
        .related
        .iter()
        .map(|place| places::of(report, finding.target, place))
        .collect();
    if let (false, Some(map)) = (related.is_empty(), object.as_object_mut()) {
        map.insert("relatedLocations".to_owned(), related.into());
    }
    object
}
