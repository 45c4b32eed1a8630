//! GitHub-flavoured Markdown, for comments and job summaries.

use std::io;

use seawall_model::Report;

use crate::{
    Error, Options,
    words::{by_package, id, notes, place, summary, target},
};

/// Text from outside: nothing in it is markup.
fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, letter| {
            match letter {
                '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '!' | '@' => {
                    out.push('\\');
                    out.push(letter);
                }
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '&' => out.push_str("&amp;"),
                letter if letter.is_control() => out.push(' '),
                letter => out.push(letter),
            }
            out
        })
}

pub(crate) fn write(
    report: &Report,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    writeln!(out, "# Seawall report\n")?;
    writeln!(out, "{}\n", escape(&summary(&report.summary())))?;
    for (index, one) in report.targets.iter().enumerate() {
        writeln!(out, "## {}\n", escape(&target(one)))?;
        let groups = by_package(report, index);
        if groups.is_empty() {
            writeln!(out, "No findings.\n")?;
        } else {
            writeln!(
                out,
                "| Severity | Id | Package | Installed | Fixed in | Notes |"
            )?;
            writeln!(out, "|---|---|---|---|---|---|")?;
        }
        for (package, findings) in &groups {
            let package = package.and_then(|at| report.packages.get(at));
            for finding in findings {
                let flaw = finding.vulnerability.as_deref();
                let fixed = flaw.map(|flaw| flaw.fixed.join(", ")).unwrap_or_default();
                let mut about = notes(finding);
                about.extend(package.map(|package| place(package, Some(one))));
                if flaw.is_none() {
                    about.push(finding.message.clone());
                }
                let cells = [
                    finding.severity.to_string(),
                    id(finding).to_owned(),
                    package
                        .map(|package| package.name.clone())
                        .unwrap_or_default(),
                    package
                        .map(|package| package.version.clone())
                        .unwrap_or_default(),
                    fixed,
                    about.join("; "),
                ];
                let cells: Vec<String> = cells.iter().map(|cell| escape(cell)).collect();
                writeln!(out, "| {} |", cells.join(" | "))?;
            }
        }
        writeln!(out)?;
    }
    if !report.gaps.is_empty() {
        writeln!(out, "## Not looked at\n")?;
        for gap in &report.gaps {
            writeln!(out, "- {}: {}", escape(&gap.subject), escape(&gap.reason))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "Made by Seawall {}.", escape(options.version))?;
    Ok(())
}
