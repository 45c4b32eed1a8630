//! Sentences that several formats share.

use std::collections::BTreeMap;

use seawall_model::{Finding, Package, Report, Severity, Summary, Target, TargetKind};

/// `1 finding`, `2 findings`.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {one}s")
    }
}

/// `23 findings: 2 critical, 8 high, …; 19 can be mended; 1 known to be exploited`.
pub(crate) fn summary(summary: &Summary) -> String {
    let total: usize = summary.by_severity.values().sum();
    let packages = count(summary.packages, "package");
    if total == 0 {
        return format!("no findings in {packages}");
    }
    let parts: Vec<String> = Severity::ALL
        .into_iter()
        .filter_map(|severity| {
            let number = summary.by_severity.get(&severity)?;
            Some(format!("{number} {severity}"))
        })
        .collect();
    let mut text = format!(
        "{} in {packages}: {}",
        count(total, "finding"),
        parts.join(", ")
    );
    if summary.fixable > 0 {
        text += &format!("; {} can be mended", summary.fixable);
    }
    if summary.exploited > 0 {
        text += &format!("; {} known to be exploited", summary.exploited);
    }
    if summary.suppressed > 0 {
        text += &format!("; {} suppressed", summary.suppressed);
    }
    text
}

/// `alpine.tar (image, Alpine Linux v3.10, linux/amd64)`.
pub(crate) fn target(target: &Target) -> String {
    let mut about = vec![target.kind.as_str().to_owned()];
    about.extend(target.os.as_ref().map(|os| os.name.clone()));
    about.extend(target.platform.clone());
    format!("{} ({})", plain(&target.name), about.join(", "))
}

/// Where a package was found: `layer 2` or `api/Cargo.lock:12`.
pub(crate) fn place(package: &Package, target: Option<&Target>) -> String {
    let path = &package.origin.path;
    match (&package.origin.range, package.origin.layer) {
        (Some(range), _) => format!("{}:{}", plain(path), range.start.line),
        (None, Some(layer)) => {
            let layers = target.map_or(0, |target| target.layers.len());
            format!("layer {} of {layers}", layer + 1)
        }
        (None, None) if target.is_some_and(|target| target.kind == TargetKind::Sbom) => {
            "in the SBOM".to_owned()
        }
        (None, None) => plain(path),
    }
}

/// Findings by the package they are about, in the order of the first of each.
pub(crate) fn by_package(report: &Report, target: usize) -> Vec<(Option<usize>, Vec<&Finding>)> {
    let mut groups: Vec<(Option<usize>, Vec<&Finding>)> = Vec::new();
    let mut index: BTreeMap<Option<usize>, usize> = BTreeMap::new();
    for finding in report
        .findings
        .iter()
        .filter(|finding| finding.target == target)
    {
        match index
            .get(&finding.package)
            .and_then(|at| groups.get_mut(*at))
        {
            Some((_, group)) => group.push(finding),
            None => {
                index.insert(finding.package, groups.len());
                groups.push((finding.package, vec![finding]));
            }
        }
    }
    groups
}

/// The id that a finding is known by.
pub(crate) fn id(finding: &Finding) -> &str {
    finding
        .vulnerability
        .as_ref()
        .map_or(finding.rule, |flaw| flaw.id.as_str())
}

/// What stands beside a flaw's id: known exploitation, likelihood, status.
pub(crate) fn notes(finding: &Finding) -> Vec<String> {
    let mut notes = Vec::new();
    let Some(flaw) = finding.vulnerability.as_deref() else {
        return notes;
    };
    if let Some(kev) = &flaw.kev {
        let ransom = if kev.ransomware {
            ", also by ransomware"
        } else {
            ""
        };
        notes.push(format!("known to be exploited since {}{ransom}", kev.added));
    }
    if let Some(epss) = flaw.epss {
        notes.push(format!("EPSS {:.1} %", epss.score * 100.0));
    }
    if flaw.fixed.is_empty() {
        notes.push(match flaw.status {
            seawall_model::Status::Affected | seawall_model::Status::Fixed => "no fix yet".into(),
            status => status.as_str().replace('-', " "),
        });
    }
    notes
}

/// The one upgrade that mends most, per package: package, version, findings.
pub(crate) fn upgrades(report: &Report) -> Vec<(&Package, &str, usize)> {
    let mut best: BTreeMap<usize, (Vec<&str>, usize)> = BTreeMap::new();
    for finding in &report.findings {
        let (Some(package), Some(flaw)) = (finding.package, finding.vulnerability.as_deref())
        else {
            continue;
        };
        if let Some(fixed) = flaw.fixed.first() {
            let entry = best.entry(package).or_default();
            entry.0.push(fixed);
            entry.1 += 1;
        }
    }
    let mut all: Vec<_> = best
        .into_iter()
        .filter_map(|(package, (versions, number))| {
            // Only where every finding asks for the same version can one be
            // named without comparing.
            let first = *versions.first()?;
            let same = versions.iter().all(|version| *version == first);
            Some((
                report.packages.get(package)?,
                if same { first } else { "" },
                number,
            ))
        })
        .collect();
    all.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.name.cmp(&b.0.name)));
    all
}

/// Text from outside, fit for a terminal: no control characters, which could
/// move the cursor or colour what follows.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if letter.is_control() || is_bidi(letter) {
                '\u{FFFD}'
            } else {
                letter
            }
        })
        .collect()
}

/// Marks that turn the direction of text can hide what a name says.
fn is_bidi(letter: char) -> bool {
    matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}')
}
