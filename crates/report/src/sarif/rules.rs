//! What a result is about: one rule for each flaw, and for each other rule.

use seawall_model::{Confidence, Finding, Gap, GapKind, Report, Rule, Severity, Vulnerability};
use serde_json::{Value, json};

use super::{level, literal};
use crate::{
    plain::plain,
    words::{address, exploited, id, likely},
};

/// The rule that `findings` break; they share its id.
pub(super) fn object(report: &Report, findings: &[&Finding]) -> Option<Value> {
    // A flaw may be worse in one package than in another: the rule is as bad
    // as its worst result.
    let finding = *findings.iter().max_by_key(|one| one.severity)?;
    let rule = report
        .rules
        .iter()
        .copied()
        .find(|rule| rule.id == finding.rule);
    let flaw = finding.vulnerability.as_deref();
    let mut tags = vec!["security".to_owned(), finding.rule.to_owned()];
    let is_exploited = flaw.is_some_and(|flaw| flaw.kev.is_some());
    tags.extend(is_exploited.then(|| "kev".to_owned()));
    let facts = flaw.map_or_else(Vec::new, facts);
    let doc = rule.map_or("", |rule| rule.doc.trim_end());
    let mut object = json!({
        "id": id(finding),
        "shortDescription": {"text": literal(&title(report, finding))},
        "fullDescription": {"text": literal(&description(finding, rule))},
        "help": {"text": help(&facts, doc), "markdown": help_markdown(&facts, doc)},
        "defaultConfiguration": {"level": level(finding.severity)},
        "properties": {
            "tags": tags,
            "precision": match finding.confidence {
                Confidence::High => "very-high",
                Confidence::Medium => "high",
                Confidence::Low => "low",
            },
            "security-severity": security_severity(finding),
        },
    });
    let map = object.as_object_mut()?;
    if flaw.is_some() {
        map.insert("name".to_owned(), finding.rule.into());
    }
    let reference = rule.and_then(|rule| rule.references.first());
    let link = match flaw {
        Some(flaw) => address(&flaw.id),
        None => reference.map(|first| (*first).to_owned()),
    };
    if let Some(link) = link {
        map.insert("helpUri".to_owned(), link.into());
    }
    Some(object)
}

fn title(report: &Report, finding: &Finding) -> String {
    let flaw = finding.vulnerability.as_deref();
    let package = finding.package.and_then(|at| report.packages.get(at));
    match (flaw, package) {
        (
            Some(Vulnerability {
                summary: Some(summary),
                ..
            }),
            _,
        ) => summary.clone(),
        (Some(flaw), Some(package)) => format!("{} in {}", flaw.id, package.name),
        _ => finding.message.clone(),
    }
}

fn description(finding: &Finding, rule: Option<&Rule>) -> String {
    let summary = rule.map_or(finding.rule, |rule| rule.summary);
    match finding.vulnerability.as_deref() {
        Some(flaw) => {
            let about = flaw.summary.as_deref().unwrap_or(summary);
            format!("{}: {about}", flaw.id)
        }
        None => summary.to_owned(),
    }
}

/// What is known of a flaw, by name.
fn facts(flaw: &Vulnerability) -> Vec<(&'static str, String)> {
    let date = flaw.published.as_deref().and_then(|date| date.get(..10));
    let score = flaw.cvss.first();
    let all = [
        (
            "also known as",
            (!flaw.aliases.is_empty()).then(|| flaw.aliases.join(", ")),
        ),
        ("exploitation", exploited(flaw)),
        ("likelihood", likely(flaw)),
        (
            "CVSS",
            score.map(|one| format!("{:.1} ({})", one.score, one.vector)),
        ),
        ("published", date.map(str::to_owned)),
        ("described at", address(&flaw.id)),
    ];
    let known = all
        .into_iter()
        .filter_map(|(name, value)| Some((name, plain(&value?))));
    known.collect()
}

/// The page behind a rule: facts of the flaw, then what the rule means.
fn help(facts: &[(&str, String)], doc: &str) -> String {
    let lines = facts
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"));
    format!("{}\n{doc}", lines.collect::<String>())
        .trim_start()
        .to_owned()
}

/// [`help`] with each value as code, in which nothing is markup.
fn help_markdown(facts: &[(&str, String)], doc: &str) -> String {
    let lines = facts.iter().map(|(name, value)| match *name {
        "described at" => format!("- {name} <{value}>\n"),
        _ => format!("- {name}: `{}`\n", value.replace('`', "'")),
    });
    format!("{}\n{doc}", lines.collect::<String>())
        .trim_start()
        .to_owned()
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

/// The kinds of gaps, sorted.
pub(super) fn gap_kinds(gaps: &[&Gap]) -> Vec<GapKind> {
    let mut kinds: Vec<GapKind> = gaps.iter().map(|gap| gap.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// What the notifications of gaps mean.
pub(super) fn gaps(gaps: &[&Gap]) -> Vec<Value> {
    gap_kinds(gaps)
        .into_iter()
        .map(|kind| {
            let text = match kind {
                GapKind::NoAdvisories => "there are no advisories for something that is there",
                GapKind::StaleAdvisories => "the advisories end before today",
                GapKind::Unsupported => "something is there that is not read",
                GapKind::Damaged => "something is damaged",
                GapKind::Limit => "something goes beyond a limit",
                GapKind::Missing => "something that was named is not there",
            };
            json!({
                "id": kind.as_str(),
                "shortDescription": {"text": text},
                "fullDescription": {"text": text},
                "help": {"text": "a clean result says nothing about what was not looked at"},
                "defaultConfiguration": {"level": "warning"},
            })
        })
        .collect()
}
