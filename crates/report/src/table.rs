//! For people at a terminal: by target, then by package, worst first.

mod overview;

use std::io;

use anstyle::{AnsiColor, Style};
use seawall_model::{DatabaseKind, Finding, Package, Report, Severity, Target};

use crate::{
    Error, Options,
    plain::{clipped, inert, plain},
    words::{
        NAME, SENTENCE, Upgrade, VERSION, by_category, by_package, count, gone, id, known, message,
        notes, place, remarks, spot, summary, suppressors, target, upgrades, without_package,
    },
};

/// Findings of one package that are listed; the rest is counted.
const MOST_PER_PACKAGE: usize = 25;
/// Findings of the baseline that are gone and listed; the rest is counted.
const MOST_GONE: usize = 25;
/// Upgrades named as next steps.
const STEPS: usize = 5;
/// Columns that ids line up in; a longer one is text like what follows it.
const LONGEST_ID: usize = 32;

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
        writeln!(self.out, "{}", inert(text.to_owned()))
    }

    /// Writes `head`, which may hold colour and takes `used` columns, and
    /// behind it `text`, broken at spaces; lines after the first are indented.
    fn wrapped(
        &mut self,
        (head, used): (&str, usize),
        indent: usize,
        style: Style,
        text: &str,
    ) -> io::Result<()> {
        let width = self.options.width.max(40);
        let indent = indent.min(width / 2);
        let blank = " ".repeat(indent);
        for (number, line) in broken(text, width, used, indent).iter().enumerate() {
            let before = if number == 0 { head } else { &blank };
            let line = format!("{before}{}", self.paint(style, line));
            self.line(line.trim_end())?;
        }
        Ok(())
    }
}

/// Breaks `text` at spaces into lines of at most `width` columns, of which the
/// first has `used` and the others have `indent` taken already. A word longer
/// than a line is broken where the line ends.
fn broken(text: &str, width: usize, used: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), used);
    let mut starts = true;
    for word in text.split(' ') {
        let mut length = word.chars().count();
        let space = usize::from(!starts);
        if used + space + length <= width {
            line.extend((space > 0).then_some(' '));
            line.push_str(word);
            used += space + length;
            starts = false;
            continue;
        }
        if !starts || used > indent {
            lines.push(std::mem::take(&mut line));
            used = indent;
        }
        let mut letters = word.chars();
        while used + length > width {
            line.extend(letters.by_ref().take(width - used));
            length -= width - used;
            lines.push(std::mem::take(&mut line));
            used = indent;
        }
        line.extend(letters);
        used += length;
        starts = false;
    }
    lines.push(line);
    lines
}

pub(crate) fn write(
    report: &Report,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    let mut painter = Painter { options, out };
    if overview::fits(report) {
        return overview::write(report, &mut painter);
    }
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
    painter.wrapped(("", 0), 2, Style::new().bold().underline(), &target(one))?;
    for remark in remarks(report, index) {
        painter.wrapped(("  ", 2), 4, Style::new(), &remark)?;
    }
    let groups = by_package(report, index);
    for (package, findings) in &groups {
        painter.line("")?;
        match package.and_then(|at| report.packages.get(at)) {
            Some(package) => write_package(package, one, painter)?,
            None => {
                let title = without_package(findings);
                painter.line(&painter.paint(Style::new().bold(), title))?;
            }
        }
        write_findings(report, findings, painter)?;
    }
    let packages = report
        .package_targets
        .iter()
        .filter(|at| **at == index)
        .count();
    if groups.is_empty() {
        let gaps = report.gaps.iter().filter(|gap| gap.target == index).count();
        let suppressed = report.suppressed.iter();
        let suppressed = suppressed.filter(|one| one.finding.target == index).count();
        let known = known(report, index);
        let mut but = Vec::new();
        but.extend((suppressed > 0).then(|| format!("{suppressed} that are suppressed")));
        but.extend((known > 0).then(|| format!("{known} that the baseline knows")));
        let mut but = match but.is_empty() {
            true => String::new(),
            false => format!(" but {}", but.join(" and ")),
        };
        if gaps > 0 {
            but += &format!(", but see {} below", count(gaps, "gap"));
        }
        let looked = if packages == 0 {
            format!("  no packages were found{but}")
        } else {
            // Without a database nobody looked for flaws.
            let what = match (&report.baseline, &report.database) {
                (Some(_), _) => "new findings",
                (None, Some(_)) => "known vulnerabilities",
                (None, None) => "findings",
            };
            format!("  no {what} in {}{but}", count(packages, "package"))
        };
        painter.line(&looked)?;
    }
    if painter.options.packages && packages > 0 {
        painter.line("")?;
        painter.line(&format!("{}:", count(packages, "package")))?;
        let own = report.packages.iter().zip(&report.package_targets);
        for (package, _) in own.filter(|(_, at)| **at == index) {
            let line = format!(
                "{} {}  {}",
                clipped(&package.name, NAME),
                clipped(&package.version, VERSION),
                clipped(&package.licenses.join(", "), SENTENCE)
            );
            painter.wrapped(("  ", 2), 4, Style::new(), line.trim_end())?;
        }
    }
    painter.line("")?;
    Ok(())
}

fn write_package(package: &Package, target: &Target, painter: &mut Painter<'_>) -> io::Result<()> {
    let source = package
        .source
        .as_ref()
        .filter(|source| source.name != package.name)
        .map(|source| format!(", source {}", clipped(&source.name, NAME)));
    let about = format!(
        " {}  ({}{}, {})",
        clipped(&package.version, VERSION),
        plain(&package.kind),
        source.unwrap_or_default(),
        place(package, Some(target)),
    );
    let name = clipped(&package.name, NAME);
    let used = name.chars().count();
    let style = Style::new().bold();
    if used > painter.options.width / 2 {
        // A name as long as a line has that line to itself.
        painter.wrapped(("", 0), 0, style, &name)?;
        return painter.wrapped(("   ", 3), 4, Style::new(), about.trim_start());
    }
    let head = painter.paint(style, &name);
    painter.wrapped((&head, used), 4, Style::new(), &about)
}

fn write_findings(
    report: &Report,
    findings: &[&Finding],
    painter: &mut Painter<'_>,
) -> Result<(), Error> {
    let shown = findings
        .get(..findings.len().min(MOST_PER_PACKAGE))
        .unwrap_or_default();
    let names: Vec<String> = shown
        .iter()
        .map(|finding| clipped(id(finding), NAME))
        .collect();
    let lengths = names.iter().map(|name| name.chars().count());
    let column = lengths.max().unwrap_or(0).min(LONGEST_ID);
    for (finding, name) in shown.iter().zip(names) {
        let severity = painter.paint(style(finding.severity), &format!("{:8}", finding.severity));
        let text = about(report, finding);
        if name.chars().count() > column {
            let head = format!("  {severity} ");
            painter.wrapped((&head, 11), 13, Style::new(), &format!("{name}  {text}"))?;
        } else {
            let head = format!("  {severity} {name:column$}  ");
            let used = 13 + column;
            painter.wrapped((&head, used), used, Style::new(), &text)?;
        }
    }
    if findings.len() > shown.len() {
        let rest = findings.len() - shown.len();
        painter.line(&format!(
            "  … and {rest} more; `--format json` has them all"
        ))?;
    }
    Ok(())
}

/// What stands beside a finding's id: the way out first.
fn about(report: &Report, finding: &Finding) -> String {
    let flaw = finding.vulnerability.as_deref();
    let fixed = flaw.filter(|flaw| !flaw.fixed.is_empty());
    let mut parts: Vec<String> = Vec::new();
    parts.extend(spot(finding));
    parts.extend(fixed.map(|flaw| format!("fixed in {}", flaw.fixed.join(", "))));
    parts.extend(notes(report, finding));
    parts.extend(flaw.and_then(|flaw| flaw.summary.clone()));
    parts.extend(message(finding).map(str::to_owned));
    let parts: Vec<String> = parts.iter().map(|part| clipped(part, SENTENCE)).collect();
    parts.join("; ")
}

fn write_licenses(report: &Report, painter: &mut Painter<'_>) -> io::Result<()> {
    let Some(all) = &report.licenses else {
        return Ok(());
    };
    painter.line(&painter.paint(Style::new().bold(), "licences:"))?;
    for (name, packages, licenses) in by_category(all) {
        let head = format!("  {name:14} {packages:5}  ");
        let used = head.chars().count();
        let text = clipped(&licenses.join(", "), SENTENCE * 4);
        painter.wrapped((&head, used), used, Style::new(), &text)?;
    }
    painter.line("")
}

fn write_suppressed(report: &Report, painter: &mut Painter<'_>) -> io::Result<()> {
    if !painter.options.suppressed || report.suppressed.is_empty() {
        return Ok(());
    }
    let title = "suppressed (found, but said to do no harm or to be accepted):";
    painter.wrapped(("", 0), 2, Style::new().bold(), title)?;
    for one in &report.suppressed {
        let finding = &one.finding;
        let severity = painter.paint(style(finding.severity), &format!("{:8}", finding.severity));
        let text = format!(
            "{}  {}; {}",
            clipped(id(finding), NAME),
            clipped(&finding.message, SENTENCE),
            clipped(&suppressors(&one.by), SENTENCE)
        );
        painter.wrapped((&format!("  {severity} "), 11), 13, Style::new(), &text)?;
    }
    painter.line("")
}

fn write_gone(report: &Report, painter: &mut Painter<'_>) -> io::Result<()> {
    let gone = gone(report);
    if gone.is_empty() {
        return Ok(());
    }
    let title = "gone (the baseline has these, and they are there no more):";
    painter.wrapped(("", 0), 2, Style::new().bold(), title)?;
    for one in gone.iter().take(MOST_GONE) {
        let severity = painter.paint(style(one.severity), &format!("{:8}", one.severity));
        let text = clipped(&one.message, SENTENCE);
        painter.wrapped((&format!("  {severity} "), 11), 13, Style::new(), &text)?;
    }
    if gone.len() > MOST_GONE {
        let rest = gone.len() - MOST_GONE;
        painter.line(&format!(
            "  … and {rest} more; `--format json` has them all"
        ))?;
    }
    painter.line("")
}

fn write_end(report: &Report, painter: &mut Painter<'_>) -> Result<(), Error> {
    write_licenses(report, painter)?;
    write_gone(report, painter)?;
    write_suppressed(report, painter)?;
    if !report.gaps.is_empty() {
        let style = AnsiColor::Yellow.on_default().bold();
        let title = "not looked at (a clean result says nothing about these):";
        painter.wrapped(("", 0), 2, style, title)?;
        let mut last = usize::MAX;
        for gap in &report.gaps {
            if report.targets.len() > 1 && gap.target != last {
                last = gap.target;
                let target = report.targets.get(last);
                let name = target.map_or("", |target| target.name.as_str());
                let name = format!("{}:", clipped(name, NAME));
                painter.wrapped(("  ", 2), 2, Style::new(), &name)?;
            }
            let text = format!(
                "{}: {}",
                clipped(&gap.subject, NAME),
                clipped(&gap.reason, SENTENCE)
            );
            painter.wrapped(("  - ", 4), 4, Style::new(), &text)?;
        }
        painter.line("")?;
    }
    painter.wrapped(("", 0), 2, Style::new().bold(), &summary(&report.summary()))?;
    write_database(report, painter)?;
    write_steps(&upgrades(report), painter)?;
    Ok(())
}

fn write_database(report: &Report, painter: &mut Painter<'_>) -> io::Result<()> {
    if let Some(database) = &report.database
        && !database.ecosystems.is_empty()
    {
        let kind = match database.kind {
            DatabaseKind::Installed => "advisory database",
            DatabaseKind::Starter => "starter database of this release",
        };
        let date = database.built.get(..10).unwrap_or(&database.built);
        let shards = plain(&database.ecosystems.join(", "));
        let text = if date.is_empty() {
            format!("{kind}, whose records have no dates ({shards})")
        } else {
            format!("{kind}, newest record {} ({shards})", plain(date))
        };
        painter.wrapped(("", 0), 2, Style::new(), &text)?;
    }
    Ok(())
}

fn write_steps(steps: &[Upgrade<'_>], painter: &mut Painter<'_>) -> io::Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    painter.line("")?;
    let title = painter.paint(AnsiColor::Green.on_default().bold(), "next step:");
    painter.line(&title)?;
    for step in steps.iter().take(STEPS) {
        let text = format!(
            "upgrade {} to {} ({})",
            clipped(step.name, NAME),
            clipped(step.version.unwrap_or("its newest release"), VERSION),
            count(step.findings, "finding")
        );
        painter.wrapped(("  ", 2), 4, Style::new(), &text)?;
    }
    if steps.len() > STEPS {
        let rest = count(steps.len() - STEPS, "upgrade");
        painter.line(&format!("  and {rest} more; `--format html` has them all"))?;
    }
    Ok(())
}
