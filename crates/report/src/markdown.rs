//! GitHub-flavoured Markdown, for comments and job summaries.

use std::io;

use seawall_model::{Finding, Report};

use crate::{
    Error, Options,
    plain::{OLD_COMMAND, clipped},
    words::{
        NAME, SENTENCE, VERSION, address, by_category, by_package, gone, id, message, notes, place,
        remarks, spot, summary, suppressors, target, values,
    },
};

/// A value from outside, as code: neither markup nor a link nor a mention of
/// somebody (`@babel/core` is a package, and somebody's name).
fn code(text: &str, most: usize) -> String {
    // Nothing in code can be escaped.
    let text = clipped(text, most).replace(OLD_COMMAND, "#\u{FFFD}[");
    if text.trim().is_empty() {
        return String::new();
    }
    // A fence longer than any inside, and spaces to keep them apart
    // (CommonMark, 6.1); a bar would end the cell even inside code (GFM, 4.10).
    let longest = text.split(|letter| letter != '`').map(str::len).max();
    let fence = "`".repeat(longest.unwrap_or(0) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{}{pad}{fence}", text.replace('|', "\\|"))
}

/// A sentence that may hold text from outside: nothing in it is markup.
pub(crate) fn prose(text: &str) -> String {
    let text = clipped(text, SENTENCE);
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '!' => {
                out.push('\\');
                out.push(letter);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '.' if out.ends_with("www") => out.push_str("&#46;"),
            // GitHub tells whoever is named behind it, escaped or not.
            '@' => out.push_str("@\u{200B}"),
            letter => out.push(letter),
        }
    }
    // Bare addresses become links (GFM, 6.9).
    out.replace("://", "&#58;//")
}

/// A message of ours: what stands in backticks is a value from outside.
pub(crate) fn sentence(text: &str) -> String {
    let parts = values(&clipped(text, SENTENCE)).into_iter();
    let parts = parts.map(|(is_code, part)| {
        if is_code {
            code(&part, NAME)
        } else {
            prose(&part)
        }
    });
    parts.collect()
}

/// An id, as a link to its description where there is one.
fn linked(finding: &Finding) -> String {
    let name = code(id(finding), NAME);
    let address = finding
        .vulnerability
        .as_ref()
        .and_then(|flaw| address(&flaw.id));
    match address {
        Some(address) => format!("[{name}]({address})"),
        None => name,
    }
}

pub(crate) fn write(
    report: &Report,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    writeln!(out, "# Seawall report\n")?;
    writeln!(out, "{}\n", prose(&summary(&report.summary())))?;
    for (index, one) in report.targets.iter().enumerate() {
        writeln!(out, "## {}\n", prose(&target(one)))?;
        for remark in remarks(report, index) {
            writeln!(out, "{}\n", prose(&remark))?;
        }
        let groups = by_package(report, index);
        if groups.is_empty() {
            let new = if report.baseline.is_some() {
                "new "
            } else {
                ""
            };
            writeln!(out, "No {new}findings.")?;
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
                let fixed = flaw.map(|flaw| flaw.fixed.as_slice()).unwrap_or_default();
                let fixed: Vec<String> = fixed.iter().map(|one| code(one, VERSION)).collect();
                let mut about: Vec<String> = notes(report, finding)
                    .iter()
                    .map(|note| prose(note))
                    .collect();
                about.extend(package.map(|package| code(&place(package, Some(one)), NAME)));
                about.extend(spot(finding).map(|spot| code(&spot, NAME)));
                about.extend(message(finding).map(sentence));
                let cells = [
                    finding.severity.to_string(),
                    linked(finding),
                    package
                        .map(|package| code(&package.name, NAME))
                        .unwrap_or_default(),
                    package
                        .map(|package| code(&package.version, VERSION))
                        .unwrap_or_default(),
                    fixed.join(", "),
                    about.join("; "),
                ];
                writeln!(out, "| {} |", cells.join(" | "))?;
            }
        }
        writeln!(out)?;
    }
    if let Some(all) = &report.licenses {
        writeln!(out, "## Licences\n")?;
        writeln!(out, "| Category | Packages | Licences |\n|---|---|---|")?;
        for (name, packages, licenses) in by_category(all) {
            writeln!(
                out,
                "| {name} | {packages} | {} |",
                prose(&licenses.join(", "))
            )?;
        }
        writeln!(out)?;
    }
    let gone = gone(report);
    if !gone.is_empty() {
        writeln!(out, "## Gone since the baseline\n")?;
        for one in gone {
            writeln!(out, "- {}: {}", one.severity, sentence(&one.message))?;
        }
        writeln!(out)?;
    }
    if options.suppressed && !report.suppressed.is_empty() {
        writeln!(out, "## Suppressed\n")?;
        for one in &report.suppressed {
            let (found, why) = (sentence(&one.finding.message), suppressors(&one.by));
            writeln!(out, "- {}: {found}; {}", linked(&one.finding), prose(&why))?;
        }
        writeln!(out)?;
    }
    if !report.gaps.is_empty() {
        writeln!(out, "## Not looked at\n")?;
        for gap in &report.gaps {
            let target = report
                .targets
                .get(gap.target)
                .filter(|_| report.targets.len() > 1);
            let of_target = target.map(|one| format!(" (in {})", code(&one.name, NAME)));
            let of_target = of_target.unwrap_or_default();
            let (subject, reason) = (code(&gap.subject, NAME), prose(&gap.reason));
            writeln!(out, "- {subject}: {reason}{of_target}")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "Made by Seawall {}.", prose(options.version))?;
    Ok(())
}
