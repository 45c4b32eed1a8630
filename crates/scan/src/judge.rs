//! From targets and advisories to a report.

use std::{cmp::Reverse, collections::BTreeSet};

use seawall_advisories::{Decision, Request, Store, StoreError};
use seawall_model::{DatabaseInfo, Finding, Location, Report};

use crate::{Inspected, findings};

/// What a judgement needs beside targets and advisories.
#[derive(Clone, Debug)]
pub struct Judging<'a> {
    /// The day of the run, `YYYY-MM-DD`: results hang on no clock.
    pub today: &'a str,
    /// Whether the starter database serves.
    pub starter: bool,
    /// Age in days from which a shard's newest record makes a gap.
    pub max_age: Option<u32>,
    /// Leaves out flaws that no version mends.
    pub ignore_unfixed: bool,
    /// The order of findings.
    pub order: Order,
}

/// The order of findings in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// Worst first; among equals the exploited, then the likely ones.
    #[default]
    Severity,
    /// Known to be exploited first, then by severity.
    Exploited,
    /// Most likely to be exploited first, then by severity.
    Likely,
    /// By package.
    Package,
}

/// Judges all targets into one report.
pub fn judge(
    inspected: Vec<Inspected>,
    store: &dyn Store,
    database: impl FnOnce(Vec<String>) -> DatabaseInfo,
    judging: &Judging<'_>,
) -> Report {
    let mut report = Report::default();
    let mut shards = Vec::new();
    for (index, mut one) in inspected.into_iter().enumerate() {
        let base = report.packages.len();
        let matches = seawall_advisories::find(store, &request(&one, judging));
        shards.extend(matches.shards_used);
        for index in matches.left_to_distribution {
            let owner = one
                .packages
                .get_mut(index)
                .and_then(|one| one.owner.as_mut());
            if let Some(owner) = owner {
                owner.answers = true;
            }
        }
        if let Some(end) = &matches.end_of_life {
            report
                .findings
                .push(findings::of_end_of_life(end, &one.target, index));
        }
        if let Some(end) = &matches.end_to_come {
            let soon = findings::of_end_to_come(end, &one.target, index, judging.today);
            report.findings.extend(soon);
        }
        let end = matches.end_of_life.or(matches.end_to_come);
        one.target.end_of_life = end.map(|end| end.date).filter(|date| !date.is_empty());
        report.findings.extend(
            matches
                .matches
                .into_iter()
                .filter(|found| !judging.ignore_unfixed || !found.vulnerability.fixed.is_empty())
                .filter_map(|found| findings::of_match(found, &one, index, base)),
        );
        one.gaps.extend(matches.gaps);
        add(&mut report, one);
    }
    shards.sort();
    shards.dedup();
    report.database = Some(database(shards));
    finish(&mut report, judging.order);
    report
}

/// All targets in one report, held against no advisories.
pub fn gather(inspected: Vec<Inspected>, order: Order) -> Report {
    let mut report = Report::default();
    for one in inspected {
        add(&mut report, one);
    }
    finish(&mut report, order);
    report
}

/// Adds a target with its packages, its own findings and its gaps.
fn add(report: &mut Report, one: Inspected) {
    let index = report.targets.len();
    report
        .findings
        .extend(one.findings.into_iter().map(|finding| Finding {
            target: index,
            ..finding
        }));
    let mut gaps = one.gaps;
    gaps.sort();
    gaps.dedup();
    for gap in &mut gaps {
        gap.target = index;
    }
    report.gaps.extend(gaps);
    report
        .package_targets
        .extend(std::iter::repeat_n(index, one.packages.len()));
    report.packages.extend(one.packages);
    report.targets.push(one.target);
    report.identities.push(one.identity);
}

/// Puts findings into their order, and names their rules.
pub(crate) fn finish(report: &mut Report, order: Order) {
    sort(report, order);
    let named: BTreeSet<&str> = report.findings.iter().map(|one| one.rule).collect();
    report.rules = named.into_iter().filter_map(crate::rule).collect();
}

fn request<'a>(one: &'a Inspected, judging: &'a Judging<'_>) -> Request<'a> {
    Request {
        os: one.target.os.as_ref(),
        packages: &one.packages,
        today: judging.today,
        starter: judging.starter,
        max_age: judging.max_age,
        epochs_left_out: one.epochs_left_out,
    }
}

/// Says for each package of `one` that a record of `id` names why it did or did
/// not match.
///
/// # Errors
/// When a part of the database that had to be read is damaged.
pub fn explain(
    one: &Inspected,
    store: &dyn Store,
    id: &str,
    judging: &Judging<'_>,
) -> Result<Vec<Decision>, StoreError> {
    seawall_advisories::explain(store, &request(one, judging), id)
}

/// The shards that these targets need.
pub fn shards_needed(inspected: &[Inspected]) -> Vec<String> {
    let mut shards: Vec<String> = inspected
        .iter()
        .flat_map(|one| seawall_advisories::shards_needed(one.target.os.as_ref(), &one.packages))
        .collect();
    shards.sort();
    shards.dedup();
    shards
}

fn sort(report: &mut Report, order: Order) {
    let Report {
        findings, packages, ..
    } = report;
    let exploited = |finding: &Finding| {
        finding
            .vulnerability
            .as_ref()
            .is_some_and(|flaw| flaw.kev.is_some())
    };
    // Sorting needs a total order; six digits of a probability are enough.
    let likely = |finding: &Finding| {
        let epss = finding.vulnerability.as_ref().and_then(|flaw| flaw.epss);
        epss.map_or(0, |epss| (epss.score.clamp(0.0, 1.0) * 1e6) as u32)
    };
    let name = |finding: &Finding| {
        let package = finding.package.and_then(|index| packages.get(index));
        package.map(|package| (package.name.clone(), package.version.clone()))
    };
    let id = |finding: &Finding| {
        finding
            .vulnerability
            .as_ref()
            .map(|flaw| flaw.id.clone())
            .unwrap_or_default()
    };
    // Findings that are no flaw of a package: by rule and place.
    let place = |finding: &Finding| {
        let path = finding.location.path().unwrap_or_default().to_owned();
        (
            finding.rule,
            path,
            line(&finding.location),
            finding.fingerprint,
        )
    };
    findings.sort_by_cached_key(|finding| {
        let severity = Reverse(finding.severity);
        let known = Reverse(exploited(finding));
        let chance = Reverse(likely(finding));
        let first = match order {
            Order::Severity => (severity.0 as u32, u32::from(known.0), chance.0),
            Order::Exploited => (u32::from(known.0), severity.0 as u32, chance.0),
            Order::Likely => (chance.0, severity.0 as u32, u32::from(known.0)),
            Order::Package => (0, 0, 0),
        };
        (
            finding.target,
            Reverse(first),
            name(finding),
            severity,
            id(finding),
            finding.package,
            place(finding),
        )
    });
}

fn line(location: &Location) -> u32 {
    match location {
        Location::File {
            range: Some(range), ..
        } => range.start.line,
        _ => 0,
    }
}
