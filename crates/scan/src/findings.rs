//! From matches to findings.

use seawall_advisories::{EndOfLife, Match, RecordKind};
use seawall_model::{
    Applicability, Brought, Finding, Fingerprint, Fix, Location, Package, Remedy, Rule, Severity,
    Target, Vulnerability,
};

use crate::{Inspected, rules};

/// The rule that a kind of advisory breaks.
fn rule_of(kind: RecordKind) -> &'static Rule {
    match kind {
        RecordKind::Vulnerability => &rules::known_vulnerability::RULE,
        RecordKind::Malicious => &rules::malicious::RULE,
        RecordKind::Unmaintained => &rules::unmaintained::RULE,
        RecordKind::Unsound | RecordKind::Notice => &rules::unsound::RULE,
    }
}

/// One match as a finding. `base` is the index of the target's first package in
/// the report.
pub(crate) fn of_match(
    found: Match,
    one: &Inspected,
    target: usize,
    base: usize,
) -> Option<Finding> {
    let packages = &one.packages;
    let package = packages.get(found.package)?;
    let rule = rule_of(found.kind);
    // A notice that bears a severity of its own keeps it; the rule's word is
    // for those that nobody has judged.
    let severity = match (rule.severity, found.severity) {
        (Severity::Critical, _) => Severity::Critical,
        (own, Severity::Unknown) => own,
        (_, known) => known,
    };
    let related = found
        .also
        .iter()
        .filter_map(|index| packages.get(*index))
        .filter(|other| other.origin.path != package.origin.path)
        .map(location)
        .collect();
    Some(Finding {
        target,
        rule: rule.id,
        aliases: found.vulnerability.aliases.clone(),
        severity,
        confidence: rule.confidence.min(found.confidence),
        message: message(found.kind, package, &found.vulnerability),
        fingerprint: Fingerprint::of(&[
            rule.id,
            &package.origin.path,
            &package.kind,
            &package.name,
            &found.vulnerability.id,
        ]),
        location: location(package),
        related,
        package: Some(base + found.package),
        fix: upgrade(package, &found.vulnerability, &one.target),
        vulnerability: Some(Box::new(found.vulnerability)),
    })
}

fn location(package: &Package) -> Location {
    Location::File {
        path: package.origin.path.clone(),
        layer: package.origin.layer,
        range: package.origin.range,
    }
}

fn message(kind: RecordKind, package: &Package, flaw: &Vulnerability) -> String {
    let Package { name, version, .. } = package;
    let id = &flaw.id;
    match kind {
        RecordKind::Vulnerability => format!("`{name}` {version} is affected by {id}"),
        RecordKind::Malicious => format!("`{name}` {version} was made to do harm ({id})"),
        RecordKind::Unmaintained => format!("nobody maintains `{name}` any more ({id})"),
        RecordKind::Unsound => format!("`{name}` {version} is unsound ({id})"),
        RecordKind::Notice => format!("notice was given of `{name}` {version} ({id})"),
    }
}

fn upgrade(package: &Package, flaw: &Vulnerability, target: &Target) -> Option<Fix> {
    let version = flaw.fixed.first()?;
    let name = package
        .source
        .as_ref()
        .map_or(&package.name, |source| &source.name);
    Some(Fix {
        title: format!("upgrade `{name}` to {version}{}", whence(package, target)),
        applicability: Applicability::DisplayOnly,
        remedy: Remedy::Upgrade {
            version: version.clone(),
        },
    })
}

/// What has to be changed for it: the base image, or a line of the Dockerfile.
fn whence(package: &Package, target: &Target) -> String {
    let brought = package.origin.layer.and_then(|at| target.brought_by(at));
    match brought {
        Some(Brought::Base(base)) => match &base.name {
            Some(name) => format!(": it comes with the base image `{name}`"),
            None => ": it comes with the base image".to_owned(),
        },
        Some(Brought::Step(layer)) => match (layer.line, &target.dockerfile) {
            (Some(line), Some(file)) => format!(": `{file}` line {line} brings it"),
            _ => String::new(),
        },
        None => String::new(),
    }
}

/// The finding that a target's distribution is past its end.
pub(crate) fn of_end_of_life(end: &EndOfLife, target: &Target, index: usize) -> Finding {
    let rule = &rules::end_of_life::RULE;
    let name = target.os.as_ref().map_or(end.name, |os| os.name.as_str());
    let since = if end.date.is_empty() {
        String::new()
    } else {
        format!(" since {}", end.date)
    };
    of_target(
        rule,
        index,
        format!("`{name}` gets no more security fixes{since}"),
        &[rule.id, end.name, &end.cycle],
    )
}

/// Days before a release's end in which that is worth a word.
const SOON: i32 = 90;

/// The finding that a target's distribution is near its end on the day
/// `today`; `None` when it is not.
pub(crate) fn of_end_to_come(
    end: &EndOfLife,
    target: &Target,
    index: usize,
    today: &str,
) -> Option<Finding> {
    let rule = &rules::ends_soon::RULE;
    let day = |text: &str| text.parse::<jiff::civil::Date>().ok();
    let left = day(today)?.until(day(&end.date)?).ok()?.get_days();
    let name = target.os.as_ref().map_or(end.name, |os| os.name.as_str());
    (left <= SOON).then(|| {
        of_target(
            rule,
            index,
            format!(
                "`{name}` gets no more security fixes from {} on, in {left} days",
                end.date
            ),
            &[rule.id, end.name, &end.cycle],
        )
    })
}

/// A finding of a target as a whole.
fn of_target(rule: &'static Rule, index: usize, message: String, print: &[&str]) -> Finding {
    Finding {
        target: index,
        rule: rule.id,
        aliases: Vec::new(),
        severity: rule.severity,
        confidence: rule.confidence,
        message,
        fingerprint: Fingerprint::of(print),
        location: Location::Target,
        related: Vec::new(),
        package: None,
        vulnerability: None,
        fix: None,
    }
}
