//! For people at a terminal: by target, then by package, worst first.

use std::io;

use anstyle::{AnsiColor, Style};
use seawall_model::{DatabaseKind, Finding, Report, Severity};

use crate::{
    Error, Options,
    words::{by_package, count, id, notes, place, plain, summary, target, upgrades},
};

/// Findings of one package that are listed; the rest is counted.
const MOST_PER_PACKAGE: usize = 25;
/// Upgrades named as next steps.
const STEPS: usize = 5;

struct Painter<'a> {
    options: &'a Options<'a>,
    out: &'a mut dyn io::Write,
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::Magenta.on_default().bold(),
        Severity::High => AnsiColor::Red.on_default().bold(),
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::Unknown => AnsiColor::Cyan.on_default(),
        Severity::Low => AnsiColor::Blue.on_default(),
    }
}

impl Painter<'_> {
    fn paint(&self, style: Style, text: &str) -> String {
        if self.options.color {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Breaks at spaces; lines after the first are indented.
    fn wrapped(&mut self, indent: usize, text: &str) -> io::Result<()> {
        let width = self.options.width.max(40);
        let start = text.len() - text.trim_start().len();
        let mut line = " ".repeat(start);
        let mut used = start;
        for word in text.trim_start().split(' ') {
            let length = word.chars().count();
            let is_first = line.trim().is_empty();
            if !is_first && used + 1 + length > width {
                self.line(&line)?;
                line = " ".repeat(indent);
                used = indent;
            } else if !is_first {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
        }
        self.line(&line)
    }
}

pub(crate) fn write(
    report: &Report,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    let mut painter = Painter { options, out };
    for index in 0..report.targets.len() {
        write_target(report, index, &mut painter)?;
    }
    write_end(report, &mut painter)?;
    Ok(())
}

fn write_target(report: &Report, index: usize, painter: &mut Painter<'_>) -> Result<(), Error> {
    let Some(one) = report.targets.get(index) else {
        return Ok(());
    };
    let title = painter.paint(Style::new().bold().underline(), &target(one));
    painter.line(&title)?;
    let groups = by_package(report, index);
    for (package, findings) in &groups {
        painter.line("")?;
        match package.and_then(|at| report.packages.get(at)) {
            Some(package) => {
                let name = painter.paint(Style::new().bold(), &plain(&package.name));
                let source = package
                    .source
                    .as_ref()
                    .filter(|source| source.name != package.name);
                let source = source.map(|source| format!(", source {}", plain(&source.name)));
                let head = format!(
                    "{name} {}  ({}{}, {})",
                    plain(&package.version),
                    plain(&package.kind),
                    source.unwrap_or_default(),
                    place(package, Some(one)),
                );
                painter.line(&head)?;
            }
            None => painter.line(&painter.paint(Style::new().bold(), "the target itself"))?,
        }
        write_findings(findings, painter)?;
    }
    let packages = report
        .package_targets
        .iter()
        .filter(|at| **at == index)
        .count();
    if groups.is_empty() {
        let gaps = report.gaps.iter().filter(|gap| gap.target == index).count();
        let but = match gaps {
            0 => String::new(),
            gaps => format!(", but see {} below", count(gaps, "gap")),
        };
        let looked = if packages == 0 {
            format!("  no packages were found{but}")
        } else {
            format!(
                "  no known vulnerabilities in {}{but}",
                count(packages, "package")
            )
        };
        painter.line(&looked)?;
    }
    if painter.options.packages {
        painter.line("")?;
        painter.line(&format!("{}:", count(packages, "package")))?;
        let own = report.packages.iter().zip(&report.package_targets);
        for (package, _) in own.filter(|(_, at)| **at == index) {
            let licenses = package.licenses.join(", ");
            let line = format!("  {} {}  {}", package.name, package.version, licenses);
            painter.line(plain(&line).trim_end())?;
        }
    }
    painter.line("")?;
    Ok(())
}

fn write_findings(findings: &[&Finding], painter: &mut Painter<'_>) -> Result<(), Error> {
    let shown = findings
        .get(..findings.len().min(MOST_PER_PACKAGE))
        .unwrap_or_default();
    let ids = shown
        .iter()
        .map(|finding| id(finding).chars().count())
        .max()
        .unwrap_or(0);
    for finding in shown {
        let severity = painter.paint(style(finding.severity), &format!("{:8}", finding.severity));
        let flaw = finding.vulnerability.as_deref();
        let fixed = flaw.map(|flaw| flaw.fixed.join(", ")).unwrap_or_default();
        let mut text = match (flaw, fixed.as_str()) {
            (None, _) => finding.message.clone(),
            (Some(_), "") => String::new(),
            (Some(_), fixed) => format!("fixed in {fixed}"),
        };
        for note in notes(finding) {
            if !text.is_empty() {
                text += "; ";
            }
            text += &note;
        }
        if let Some(title) = flaw.and_then(|flaw| flaw.summary.as_deref()) {
            text += &format!("; {title}");
        }
        if flaw.is_some() && finding.rule != "package/known-vulnerability" {
            text += &format!("; {}", finding.message);
        }
        let line = format!("  {severity} {:ids$}  {}", id(finding), plain(&text));
        painter.wrapped(13 + ids, line.trim_end())?;
    }
    if findings.len() > shown.len() {
        let rest = findings.len() - shown.len();
        painter.line(&format!(
            "  … and {rest} more; `--format json` has them all"
        ))?;
    }
    Ok(())
}

fn write_end(report: &Report, painter: &mut Painter<'_>) -> Result<(), Error> {
    if !report.gaps.is_empty() {
        let title = painter.paint(
            AnsiColor::Yellow.on_default().bold(),
            "not looked at (a clean result says nothing about these):",
        );
        painter.line(&title)?;
        let mut last = usize::MAX;
        for gap in &report.gaps {
            if report.targets.len() > 1 && gap.target != last {
                last = gap.target;
                let name = report
                    .targets
                    .get(last)
                    .map_or("", |target| target.name.as_str());
                painter.line(&format!("  {}:", plain(name)))?;
            }
            let text = format!("  - {}: {}", plain(&gap.subject), plain(&gap.reason));
            painter.wrapped(4, &text)?;
        }
        painter.line("")?;
    }
    let numbers = report.summary();
    let text = painter.paint(Style::new().bold(), &summary(&numbers));
    painter.line(&text)?;
    if let Some(database) = &report.database {
        let kind = match database.kind {
            DatabaseKind::Installed => "advisory database",
            DatabaseKind::Starter => "starter database of this release",
        };
        let date = database.built.get(..10).unwrap_or(&database.built);
        if !database.ecosystems.is_empty() {
            painter.line(&format!(
                "{kind}, newest record {date} ({})",
                database.ecosystems.join(", ")
            ))?;
        }
    }
    let steps = upgrades(report);
    if !steps.is_empty() {
        painter.line("")?;
        let title = painter.paint(AnsiColor::Green.on_default().bold(), "next step:");
        painter.line(&title)?;
        for (package, version, findings) in steps.iter().take(STEPS) {
            let name = package
                .source
                .as_ref()
                .map_or(&package.name, |source| &source.name);
            let to = if version.is_empty() {
                "its newest release"
            } else {
                version
            };
            painter.line(&format!(
                "  upgrade {} to {} ({})",
                plain(name),
                plain(to),
                count(*findings, "finding")
            ))?;
        }
        if steps.len() > STEPS {
            painter.line(&format!(
                "  and {} more",
                count(steps.len() - STEPS, "package")
            ))?;
        }
    }
    Ok(())
}
