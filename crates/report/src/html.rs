//! One page that needs nothing else: no script, style or picture from
//! elsewhere, and readable without its script.

use std::io;

use askama::Template;
use seawall_model::{Report, Severity};

use crate::{
    Error, Options,
    words::{id, notes, place, summary, target},
};

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    summary: String,
    counts: Vec<(&'static str, usize)>,
    database: String,
    targets: Vec<Section>,
    gaps: Vec<(String, String)>,
    version: String,
}

struct Section {
    title: String,
    digest: String,
    packages: usize,
    rows: Vec<Row>,
}

struct Row {
    severity: &'static str,
    rank: usize,
    id: String,
    link: String,
    package: String,
    kind: String,
    installed: String,
    fixed: String,
    place: String,
    notes: Vec<String>,
    exploited: bool,
    title: String,
}

pub(crate) fn write(
    report: &Report,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    let numbers = report.summary();
    let page = Page {
        title: report
            .targets
            .first()
            .map_or_else(String::new, |target| target.name.clone()),
        summary: summary(&numbers),
        counts: Severity::ALL
            .into_iter()
            .map(|one| {
                (
                    one.as_str(),
                    numbers.by_severity.get(&one).copied().unwrap_or(0),
                )
            })
            .collect(),
        database: report
            .database
            .as_ref()
            .map_or_else(String::new, |database| {
                let date = database.built.get(..10).unwrap_or(&database.built);
                format!(
                    "{} advisory database, newest record {date}",
                    database.kind.as_str()
                )
            }),
        targets: (0..report.targets.len())
            .filter_map(|index| section(report, index))
            .collect(),
        gaps: report
            .gaps
            .iter()
            .map(|gap| (gap.subject.clone(), gap.reason.clone()))
            .collect(),
        version: options.version.to_owned(),
    };
    out.write_all(page.render()?.as_bytes())?;
    Ok(())
}

fn section(report: &Report, index: usize) -> Option<Section> {
    let one = report.targets.get(index)?;
    let rows = report
        .findings
        .iter()
        .filter(|finding| finding.target == index)
        .map(|finding| {
            let package = finding.package.and_then(|at| report.packages.get(at));
            let flaw = finding.vulnerability.as_deref();
            let rank = Severity::ALL
                .iter()
                .position(|severity| *severity == finding.severity);
            let name = id(finding).to_owned();
            Row {
                severity: finding.severity.as_str(),
                rank: rank.unwrap_or(0),
                // Only ids of this form become addresses.
                link: match flaw {
                    Some(_) if is_plain_id(&name) => {
                        format!("https://osv.dev/vulnerability/{name}")
                    }
                    _ => String::new(),
                },
                id: name,
                package: package
                    .map(|package| package.name.clone())
                    .unwrap_or_default(),
                kind: package
                    .map(|package| package.kind.to_string())
                    .unwrap_or_default(),
                installed: package
                    .map(|package| package.version.clone())
                    .unwrap_or_default(),
                fixed: flaw.map(|flaw| flaw.fixed.join(", ")).unwrap_or_default(),
                place: package
                    .map(|package| place(package, Some(one)))
                    .unwrap_or_default(),
                notes: notes(finding),
                exploited: flaw.is_some_and(|flaw| flaw.kev.is_some()),
                title: match flaw.and_then(|flaw| flaw.summary.clone()) {
                    Some(title) => title,
                    None => finding.message.clone(),
                },
            }
        });
    Some(Section {
        title: target(one),
        digest: one.digest.clone().unwrap_or_default(),
        packages: report
            .package_targets
            .iter()
            .filter(|at| **at == index)
            .count(),
        rows: rows.collect(),
    })
}

fn is_plain_id(id: &str) -> bool {
    id.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'_' | b'.'))
}
