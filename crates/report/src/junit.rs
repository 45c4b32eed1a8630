//! JUnit's XML: a suite for each target, a case for each package with
//! findings, one for each gap, as an error, and one for each suppressed finding,
//! as skipped.

use std::io::{self, Write as _};

use seawall_formats::text::escape_xml as escape;
use seawall_model::Report;

use crate::{
    Error, Options,
    words::{by_package, count, id, notes, spot, suppressors, target},
};

pub(crate) fn write(
    report: &Report,
    _: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    let mut suites = Vec::new();
    let (mut all, mut all_failed, mut all_errors) = (0, 0, 0);
    for (index, one) in report.targets.iter().enumerate() {
        let groups = by_package(report, index);
        let gaps: Vec<_> = report
            .gaps
            .iter()
            .filter(|gap| gap.target == index)
            .collect();
        let packages = report
            .package_targets
            .iter()
            .filter(|at| **at == index)
            .count();
        let named = groups
            .iter()
            .filter(|(package, _)| package.is_some())
            .count();
        let clean = packages.saturating_sub(named);
        // One case stands for all packages without findings.
        let suppressed: Vec<_> = report
            .suppressed
            .iter()
            .filter(|one| one.finding.target == index)
            .collect();
        let tests = groups.len() + gaps.len() + suppressed.len() + usize::from(clean > 0);
        (all, all_failed, all_errors) = (
            all + tests,
            all_failed + groups.len(),
            all_errors + gaps.len(),
        );
        let name = escape(&target(one));
        writeln!(
            suites,
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{}\" errors=\"{}\" \
             skipped=\"{}\" time=\"0\">",
            groups.len(),
            gaps.len(),
            suppressed.len()
        )?;
        if clean > 0 {
            writeln!(
                suites,
                "    <testcase classname=\"{name}\" name=\"{} without {}findings\" \
                 time=\"0\"/>",
                count(clean, "package"),
                if report.baseline.is_some() {
                    "new "
                } else {
                    ""
                },
            )?;
        }
        for (package, findings) in groups {
            let package = package.and_then(|at| report.packages.get(at));
            let case = package.map_or_else(
                || one.name.clone(),
                |one| format!("{} {}", one.name, one.version),
            );
            writeln!(
                suites,
                "    <testcase classname=\"{name}\" name=\"{}\" time=\"0\">",
                escape(&case)
            )?;
            let worst = findings
                .iter()
                .map(|one| one.severity)
                .max()
                .unwrap_or_default();
            // Escaped one by one: a line break inside a name starts no line.
            let lines: Vec<String> = findings
                .iter()
                .map(|one| {
                    let mut line = format!("{}: {} ({})", one.severity, one.message, id(one));
                    line.extend(spot(one).map(|spot| format!("; {spot}")));
                    line.extend(one.fix.as_ref().map(|fix| format!("; {}", fix.title)));
                    line.extend(notes(report, one).iter().map(|note| format!("; {note}")));
                    escape(&line)
                })
                .collect();
            writeln!(
                suites,
                "      <failure message=\"{}, the worst {worst}\" type=\"{worst}\">{}</failure>",
                count(findings.len(), "finding"),
                lines.join("\n")
            )?;
            writeln!(suites, "    </testcase>")?;
        }
        for suppressed in suppressed {
            let finding = &suppressed.finding;
            writeln!(
                suites,
                "    <testcase classname=\"{name}\" name=\"suppressed: {}\" time=\"0\">\n      \
                 <skipped message=\"{}\"/>\n    </testcase>",
                escape(&format!("{} ({})", finding.message, id(finding))),
                escape(&suppressors(&suppressed.by))
            )?;
        }
        for gap in gaps {
            writeln!(
                suites,
                "    <testcase classname=\"{name}\" name=\"gap: {}\" time=\"0\">\n      \
                 <error message=\"{}\" type=\"{}\"/>\n    </testcase>",
                escape(&gap.subject),
                escape(&gap.reason),
                gap.kind.as_str()
            )?;
        }
        writeln!(suites, "  </testsuite>")?;
    }
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"seawall\" tests=\"{all}\" failures=\"{all_failed}\" \
         errors=\"{all_errors}\" time=\"0\">"
    )?;
    out.write_all(&suites)?;
    writeln!(out, "</testsuites>")?;
    Ok(())
}
