//! All images of a repository: a line for each, and one summary. The findings
//! of hundreds of images are for the other formats.

use std::collections::BTreeMap;

use anstyle::Style;
use seawall_model::{Report, Severity, Target};

use super::{Painter, style, write_database, write_gone};
use crate::{
    Error,
    plain::{clipped, plain},
    words::{NAME, count, summary},
};

/// Digits of a digest that tell images apart.
const DIGITS: usize = 12;
/// Columns of a severity's number.
const COLUMN: usize = 8;
/// Tags of one image that are named; the rest is counted.
const MOST_TAGS: usize = 5;

/// Whether a report is about the images of a repository.
pub(super) fn fits(report: &Report) -> bool {
    report.targets.iter().any(|target| !target.tags.is_empty())
}

pub(super) fn write(report: &Report, painter: &mut Painter<'_>) -> Result<(), Error> {
    let mut numbers: Vec<BTreeMap<Severity, usize>> = vec![BTreeMap::new(); report.targets.len()];
    for finding in &report.findings {
        if let Some(own) = numbers.get_mut(finding.target) {
            *own.entry(finding.severity).or_default() += 1;
        }
    }
    let mut gaps = vec![0usize; report.targets.len()];
    for gap in &report.gaps {
        if let Some(own) = gaps.get_mut(gap.target) {
            *own += 1;
        }
    }
    let severities = || Severity::ALL.into_iter().rev();
    let mut head = format!("{:DIGITS$}", "digest");
    for severity in severities() {
        head += &format!("{:>COLUMN$}", short(severity));
    }
    head += &format!("{:>COLUMN$}  image", "gaps");
    painter.wrapped(("", 0), 2, Style::new().bold(), &head)?;
    for ((target, numbers), gaps) in report.targets.iter().zip(&numbers).zip(&gaps) {
        let mut line = format!("{:DIGITS$}", plain(digits(target)));
        for severity in severities() {
            let cell = match numbers.get(&severity) {
                Some(number) => {
                    let cell = format!("{number:>COLUMN$}");
                    painter.paint(style(severity), &cell)
                }
                None => format!("{:>COLUMN$}", "-"),
            };
            line += &cell;
        }
        line += &format!("{gaps:>COLUMN$}  ");
        let used = DIGITS + COLUMN * (Severity::ALL.len() + 1) + 2;
        painter.wrapped((&line, used), used, Style::new(), &names(target))?;
    }
    painter.line("")?;
    write_gone(report, painter)?;
    let all = report.summary();
    let text = format!(
        "{}: {}",
        count(report.targets.len(), "image"),
        summary(&all)
    );
    painter.wrapped(("", 0), 2, Style::new().bold(), &text)?;
    write_database(report, painter)?;
    if !report.findings.is_empty() || !report.gaps.is_empty() {
        let text = "`--format json`, `html` or `markdown` name every finding and every gap";
        painter.wrapped(("", 0), 2, Style::new(), text)?;
    }
    Ok(())
}

/// A severity's word, fit for a column.
fn short(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critic.",
        Severity::Unknown => "unknown",
        other => other.as_str(),
    }
}

/// What the image is known by in its registry, without what all digests share.
fn digits(target: &Target) -> &str {
    let digest = target.manifest.as_deref().or(target.digest.as_deref());
    let digest = digest.unwrap_or_default();
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    hex.get(..DIGITS).unwrap_or(hex)
}

fn names(target: &Target) -> String {
    let mut text = clipped(&target.name, NAME);
    for tag in target.tags.iter().skip(1).take(MOST_TAGS - 1) {
        text += ", ";
        text += &clipped(tag, NAME);
    }
    if target.tags.len() > MOST_TAGS {
        text += &format!(" and {} more", target.tags.len() - MOST_TAGS);
    }
    text
}
