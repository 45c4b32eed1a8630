//! Annotations of GitHub's workflows: lines that its runner turns into remarks
//! beside a change ("Workflow commands for GitHub Actions", Setting an error
//! message).
//!
//! GitHub keeps ten of each level from one step and drops the rest without a
//! word, so the worst stand first, no more than ten are written, and what is
//! left out is counted in a last notice and listed as plain lines of the log.

use std::io;

use seawall_model::{Finding, Report, Severity};

use crate::{
    Error, Options,
    files::{Spot, spot},
    plain::{OLD_COMMAND, clipped, inert},
    words::{NAME, SENTENCE, count, id, notes, summary},
};

/// Annotations of one level that GitHub keeps from one step.
const MOST: usize = 10;
/// Gaps that the annotation about gaps names.
const GAPS: usize = 5;

/// The levels, worst first, as the runner names them.
const LEVELS: [&str; 3] = ["error", WARNING, NOTICE];
const WARNING: &str = "warning";
const NOTICE: &str = "notice";

fn level(severity: Severity) -> usize {
    match severity {
        Severity::Critical | Severity::High => 0,
        Severity::Medium | Severity::Unknown => 1,
        Severity::Low => 2,
    }
}

pub(crate) fn write(
    report: &Report,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|one| std::cmp::Reverse(one.severity));
    let gaps = usize::from(!report.gaps.is_empty());
    // The gaps take a warning; what is left out takes a notice.
    let mut room = [MOST, MOST - gaps, MOST];
    let of_level = |at| {
        findings
            .iter()
            .filter(|one| level(one.severity) == at)
            .count()
    };
    let is_over = room
        .iter()
        .enumerate()
        .any(|(at, room)| of_level(at) > *room);
    if let ([.., notices], true) = (&mut room, is_over) {
        *notices -= 1;
    }
    let mut rest = Vec::new();
    for finding in findings {
        let at = level(finding.severity);
        match room.get_mut(at) {
            Some(left) if *left > 0 => {
                *left -= 1;
                writeln!(out, "{}", annotation(report, finding, options))?;
            }
            _ => rest.push(finding),
        }
    }
    if gaps > 0 {
        let title = format!("{} not looked at", count(report.gaps.len(), "gap"));
        let mut lines: Vec<String> = report.gaps.iter().take(GAPS).map(gap).collect();
        lines.extend(
            (report.gaps.len() > GAPS)
                .then(|| format!("and {} more, in the log", report.gaps.len() - GAPS)),
        );
        let properties = [("title", title)];
        writeln!(out, "{}", command(WARNING, &properties, &lines.join("\n")))?;
    }
    let unnamed = report.gaps.get(GAPS..).unwrap_or_default();
    if !rest.is_empty() || !unnamed.is_empty() {
        writeln!(out, "::group::seawall: what no annotation shows")?;
        for finding in &rest {
            writeln!(out, "{}", inert(sentence(report, finding, options)))?;
        }
        for one in unnamed {
            writeln!(out, "{}", inert(format!("gap: {}", gap(one))))?;
        }
        writeln!(out, "::endgroup::")?;
    }
    let all = summary(&report.summary());
    writeln!(out, "{}", inert(format!("seawall: {all}")))?;
    if !rest.is_empty() {
        let text = format!(
            "{} not shown here, since GitHub takes ten annotations of a level from one step; the \
             log of the step lists them ({all})",
            match rest.len() {
                1 => "1 finding is".to_owned(),
                many => format!("{many} findings are"),
            }
        );
        let properties = [("title", "seawall".to_owned())];
        writeln!(out, "{}", command(NOTICE, &properties, &text))?;
    }
    Ok(())
}

fn gap(gap: &seawall_model::Gap) -> String {
    format!(
        "{}: {}",
        clipped(&gap.subject, NAME),
        clipped(&gap.reason, SENTENCE)
    )
}

/// What is wrong and what mends it.
fn about(report: &Report, finding: &Finding, spot: &Spot) -> String {
    let mut parts = vec![clipped(&finding.message, SENTENCE)];
    parts.extend(
        finding
            .fix
            .as_ref()
            .map(|fix| clipped(&fix.title, SENTENCE)),
    );
    let notes = notes(report, finding);
    parts.extend(notes.iter().map(|note| clipped(note, SENTENCE)));
    parts.extend(spot.inside.as_deref().map(|place| clipped(place, NAME)));
    if report.targets.len() > 1 && spot.inside.is_none() {
        let target = report.targets.get(finding.target);
        parts.extend(target.map(|one| format!("in {}", clipped(&one.name, NAME))));
    }
    parts.join("; ")
}

/// A finding as one line of the log.
fn sentence(report: &Report, finding: &Finding, options: &Options<'_>) -> String {
    let spot = spot(report, finding, options);
    let place = spot.file.as_deref().map(|file| {
        let line = spot.line.map(|line| format!(":{line}"));
        format!("{}{}: ", clipped(file, NAME), line.unwrap_or_default())
    });
    format!(
        "{} {}: {}{}",
        finding.severity,
        clipped(id(finding), NAME),
        place.unwrap_or_default(),
        about(report, finding, &spot)
    )
}

fn annotation(report: &Report, finding: &Finding, options: &Options<'_>) -> String {
    let spot = spot(report, finding, options);
    let title = format!("{} ({})", clipped(id(finding), NAME), finding.severity);
    let mut properties = vec![("title", title)];
    if let Some(file) = &spot.file {
        properties.push(("file", file.clone()));
        let line = spot.line.map(|line| ("line", line.to_string()));
        properties.extend(line);
        if let Some(range) = spot.range {
            // The end is the place behind the last letter; GitHub wants the last
            // one, and columns only on one line.
            let (start, end) = (range.start, range.end);
            let last = match end.column {
                1 if end.line > start.line => end.line - 1,
                _ => end.line,
            };
            properties.push(("endLine", last.to_string()));
            if start.line == end.line {
                let last = end.column.saturating_sub(1).max(start.column);
                properties.push(("col", start.column.to_string()));
                properties.push(("endColumn", last.to_string()));
            }
        }
    }
    let level = LEVELS.get(level(finding.severity)).copied();
    command(
        level.unwrap_or_default(),
        &properties,
        &about(report, finding, &spot),
    )
}

/// One command, its values escaped so that they end neither a property nor the
/// line (the runner's `ActionCommand`).
fn command(name: &str, properties: &[(&str, String)], message: &str) -> String {
    let properties: Vec<String> = properties
        .iter()
        .map(|(name, value)| {
            let value = data(value).replace(':', "%3A").replace(',', "%2C");
            format!("{name}={value}")
        })
        .collect();
    format!("::{name} {}::{}", properties.join(","), data(message))
}

fn data(text: &str) -> String {
    let text = text.replace(OLD_COMMAND, "#\u{FFFD}[");
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}
