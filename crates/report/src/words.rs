//! Sentences that several formats share.

use std::collections::{BTreeMap, btree_map::Entry};

use seawall_model::{
    BaseEvidence, Brought, EarlierFinding, Finding, LicenseCount, Location, Package, Report,
    Severity, Status, Summary, Suppressor, Target, TargetKind, Vulnerability,
    vex::{Claim, VexStatus},
};

use crate::plain::clipped;

/// Letters of a name or a path that are shown.
pub(crate) const NAME: usize = 120;
/// Letters of a version that are shown.
pub(crate) const VERSION: usize = 60;
/// Letters of a sentence that are shown.
pub(crate) const SENTENCE: usize = 400;

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
        let new = if summary.baseline.is_some() {
            "new "
        } else {
            ""
        };
        return format!("no {new}findings in {packages}{}", left_out(summary));
    }
    let parts: Vec<String> = Severity::ALL
        .into_iter()
        .filter_map(|severity| {
            let number = summary.by_severity.get(&severity)?;
            Some(format!("{number} {severity}"))
        })
        .collect();
    let what = match summary.baseline {
        Some(_) => "new finding",
        None => "finding",
    };
    let mut text = format!("{} in {packages}: {}", count(total, what), parts.join(", "));
    if summary.fixable > 0 {
        text += &format!("; {} can be mended", summary.fixable);
    }
    if summary.exploited > 0 {
        text += &format!("; {} known to be exploited", summary.exploited);
    }
    text + &left_out(summary)
}

/// What a reader of the counts alone would miss.
fn left_out(summary: &Summary) -> String {
    let mut text = String::new();
    if let Some((known, gone)) = summary.baseline {
        text += &format!("; {known} known to the baseline, {gone} of its findings gone");
    }
    if summary.suppressed > 0 {
        text += &format!("; {} suppressed", summary.suppressed);
    }
    if summary.gaps > 0 {
        text += &format!("; {}", count(summary.gaps, "gap"));
    }
    text
}

/// `alpine.tar (image, Alpine Linux v3.10, linux/amd64)`; an image that is no
/// file comes `from` somewhere.
pub(crate) fn target(target: &Target) -> String {
    let from = match target.scheme.as_str() {
        "docker" => " from Docker",
        "podman" => " from Podman",
        "containerd" => " from containerd",
        "registry" => " from its registry",
        _ => "",
    };
    let mut about = vec![format!("{}{from}", target.kind.as_str())];
    about.extend(target.os.as_ref().map(|os| clipped(&os.name, NAME)));
    about.extend(target.platform.as_deref().map(|text| clipped(text, NAME)));
    format!("{} ({})", clipped(&target.name, NAME), about.join(", "))
}

/// What a reader of a target's findings should know of all of them: which base
/// brought them, and which packages the distribution answers for.
pub(crate) fn remarks(report: &Report, index: usize) -> Vec<String> {
    let mut remarks = Vec::new();
    let Some(one) = report.targets.get(index) else {
        return remarks;
    };
    if let Some(base) = &one.base {
        let name = base.name.as_deref().unwrap_or("without a known name");
        let mut text = format!(
            "base image {} ({} of {}, told by {})",
            clipped(name, NAME),
            base.layers,
            count(one.layers.len(), "layer"),
            by(base.evidence),
        );
        let own = report.findings.iter();
        let own = own.filter(|finding| finding.target == index);
        let brought: Vec<_> = own.filter_map(|one| report.brought_by(one)).collect();
        if !brought.is_empty() {
            let is_base = |one: &&Brought<'_>| matches!(one, Brought::Base(_));
            let of_base = brought.iter().filter(is_base).count();
            text += &format!(": brings {of_base} of {}", count(brought.len(), "finding"));
        }
        remarks.push(text);
    }
    let owned = report
        .packages
        .iter()
        .zip(&report.package_targets)
        .filter(|(package, at)| {
            **at == index && package.owner.as_ref().is_some_and(|owner| owner.answers)
        })
        .count();
    if owned > 0 {
        let verb = if owned == 1 { "belongs" } else { "belong" };
        remarks.push(format!(
            "{} {verb} to the distribution's packages and {} judged by its advisories alone",
            count(owned, "language package"),
            if owned == 1 { "is" } else { "are" },
        ));
    }
    remarks
}

fn by(evidence: BaseEvidence) -> &'static str {
    match evidence {
        BaseEvidence::Layers => "its layers",
        BaseEvidence::Dockerfile => "the Dockerfile",
        BaseEvidence::Declared => "annotations or labels",
        BaseEvidence::History => "the history",
        BaseEvidence::Distribution => "its distribution",
    }
}

/// Where a package was found: `layer 2` or `api/Cargo.lock:12`.
pub(crate) fn place(package: &Package, target: Option<&Target>) -> String {
    let path = &package.origin.path;
    match (&package.origin.range, package.origin.layer) {
        (Some(range), _) => format!("{}:{}", clipped(path, NAME), range.start.line),
        (None, Some(layer)) => {
            let layers = target.map_or(0, |target| target.layers.len());
            format!("layer {} of {layers}", layer + 1)
        }
        (None, None) if target.is_some_and(|target| target.kind == TargetKind::Sbom) => {
            "in the SBOM".to_owned()
        }
        (None, None) => clipped(path, NAME),
    }
}

/// Findings by the package they are about, in the order of the first of each.
pub(crate) fn by_package(report: &Report, target: usize) -> Vec<(Option<usize>, Vec<&Finding>)> {
    let mut groups: Vec<(Option<usize>, Vec<&Finding>)> = Vec::new();
    // What is no package's is in a file or in the target as a whole.
    let mut index: BTreeMap<(Option<usize>, bool), usize> = BTreeMap::new();
    let key = |finding: &Finding| {
        let in_file = finding.package.is_none() && finding.location.path().is_some();
        (finding.package, in_file)
    };
    for finding in report
        .findings
        .iter()
        .filter(|finding| finding.target == target)
    {
        match index.get(&key(finding)).and_then(|at| groups.get_mut(*at)) {
            Some((_, group)) => group.push(finding),
            None => {
                index.insert(key(finding), groups.len());
                groups.push((finding.package, vec![finding]));
            }
        }
    }
    groups
}

/// What findings that are no package's are about.
pub(crate) fn without_package(findings: &[&Finding]) -> &'static str {
    let in_file = findings.first().and_then(|one| one.location.path());
    in_file.map_or("the target itself", |_| "its files")
}

/// Where a finding that is no package's stands: `app/.env:3, layer 2`.
pub(crate) fn spot(finding: &Finding) -> Option<String> {
    let Location::File { path, layer, range } = &finding.location else {
        return None;
    };
    if finding.package.is_some() {
        return None;
    }
    let mut spot = clipped(path, NAME);
    if let Some(range) = range {
        spot += &format!(":{}", range.start.line);
    }
    if let Some(layer) = layer {
        spot += &format!(", layer {}", layer + 1);
    }
    Some(spot)
}

/// The id that a finding is known by.
pub(crate) fn id(finding: &Finding) -> &str {
    finding
        .vulnerability
        .as_ref()
        .map_or(finding.rule, |flaw| flaw.id.as_str())
}

/// Where a flaw is described; only ids of a plain form become addresses.
pub(crate) fn address(id: &str) -> Option<String> {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'_' | b'.');
    if id.is_empty() || id.len() > VERSION || !id.bytes().all(is_plain) {
        return None;
    }
    Some(if id.starts_with("CVE-") {
        format!("https://nvd.nist.gov/vuln/detail/{id}")
    } else {
        format!("https://osv.dev/vulnerability/{id}")
    })
}

/// What stands where a flaw has no version that mends it.
pub(crate) fn unfixed(flaw: &Vulnerability) -> Option<String> {
    flaw.fixed.is_empty().then(|| match flaw.status {
        Status::Affected | Status::Fixed => "no fix yet".to_owned(),
        status => status.as_str().replace('-', " "),
    })
}

/// `known to be exploited since 2023-04-07, also by ransomware`.
pub(crate) fn exploited(flaw: &Vulnerability) -> Option<String> {
    let kev = flaw.kev.as_ref()?;
    let ransom = if kev.ransomware {
        ", also by ransomware"
    } else {
        ""
    };
    Some(format!("known to be exploited since {}{ransom}", kev.added))
}

/// `EPSS 94.2 %`.
pub(crate) fn likely(flaw: &Vulnerability) -> Option<String> {
    flaw.epss
        .map(|epss| format!("EPSS {:.1} %", epss.score * 100.0))
}

/// The finding's message where it says more than package and id, which every
/// format shows anyhow.
pub(crate) fn message(finding: &Finding) -> Option<&str> {
    (finding.rule != "package/known-vulnerability").then_some(&finding.message)
}

/// Splits a sentence at backticks: every second part is a value.
pub(crate) fn values(text: &str) -> Vec<(bool, String)> {
    let parts: Vec<&str> = text.split('`').collect();
    // A lone backtick is text.
    if parts.len().is_multiple_of(2) {
        return vec![(false, text.to_owned())];
    }
    let parts = parts.into_iter().enumerate();
    parts
        .map(|(at, part)| (at % 2 == 1, part.to_owned()))
        .collect()
}

/// What stands beside a flaw's id: what it was, known exploitation, likelihood,
/// status.
pub(crate) fn notes(report: &Report, finding: &Finding) -> Vec<String> {
    let mut notes = Vec::from_iter(worse(report, finding));
    if let Some(flaw) = finding.vulnerability.as_deref() {
        let claimed = flaw.claim.as_deref().map(claim);
        let own = [exploited(flaw), likely(flaw), unfixed(flaw), claimed];
        notes.extend(own.into_iter().flatten());
    }
    notes
}

/// `worse than before (it was medium)`: why a finding that the baseline has is
/// new all the same.
pub(crate) fn worse(report: &Report, finding: &Finding) -> Option<String> {
    let before = report.baseline.as_ref()?.before(finding)?;
    let flaw = finding.vulnerability.as_deref();
    let mut why = Vec::new();
    if before.severity < finding.severity {
        why.push(format!("it was {}", before.severity));
    }
    if !before.exploited && flaw.is_some_and(|flaw| flaw.kev.is_some()) {
        why.push("it was not known to be exploited".to_owned());
    }
    if why.is_empty() {
        why.push(match before.epss {
            Some(score) => format!("its EPSS was {:.1} %", score * 100.0),
            None => "it had no EPSS".to_owned(),
        });
    }
    Some(format!("worse than before ({})", why.join(", ")))
}

/// What a statement says: `vex.json says not affected (component_not_present): …`.
pub(crate) fn claim(claim: &Claim) -> String {
    let status = match claim.status {
        VexStatus::NotAffected => "not affected",
        VexStatus::Affected => "affected",
        VexStatus::Fixed => "fixed",
        VexStatus::UnderInvestigation => "under investigation",
    };
    let mut text = format!("{} says {status}", claim.place);
    text.extend(claim.justification.iter().map(|why| format!(" ({why})")));
    let prose = claim.impact.as_deref().or(claim.action.as_deref());
    text.extend(prose.map(|prose| format!(": {}", prose.trim())));
    text
}

/// How many findings of a target the baseline knows.
pub(crate) fn known(report: &Report, target: usize) -> usize {
    let all = report.baseline.iter().flat_map(|one| &one.known);
    all.filter(|one| one.target == target).count()
}

/// What is no longer there, as the baseline told it; empty without one.
pub(crate) fn gone(report: &Report) -> &[EarlierFinding] {
    report.baseline.as_ref().map_or(&[], |one| &one.gone)
}

/// Who took a finding out, and why: `seawall.toml:3: no way to reach it`.
pub(crate) fn suppressor(by: &Suppressor) -> String {
    match by {
        Suppressor::Setting {
            place,
            reason,
            justification,
            expires,
        } => {
            let mut why: Vec<String> = justification.iter().cloned().collect();
            why.extend((!reason.is_empty()).then(|| reason.clone()));
            if why.is_empty() {
                why.push("no reason given".to_owned());
            }
            why.extend(expires.iter().map(|last| format!("until {last}")));
            format!("{place}: {}", why.join(", "))
        }
        Suppressor::Vex(own) => claim(own),
    }
}

/// Everything that took a finding out.
pub(crate) fn suppressors(all: &[Suppressor]) -> String {
    let texts: Vec<String> = all.iter().map(suppressor).collect();
    texts.join("; ")
}

/// Licences by category: its name, how many packages, and each licence with
/// its number.
pub(crate) fn by_category(all: &[LicenseCount]) -> Vec<(&str, usize, Vec<String>)> {
    let mut groups: Vec<(&str, usize, Vec<String>)> = Vec::new();
    for one in all {
        let (name, text) = match &one.license {
            Some(license) => (
                one.category.unwrap_or("other"),
                Some(format!("{license} ({})", one.packages)),
            ),
            None => ("unknown", None),
        };
        match groups.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, packages, texts)) => {
                *packages += one.packages;
                texts.extend(text);
            }
            None => groups.push((name, one.packages, text.into_iter().collect())),
        }
    }
    groups
}

/// One upgrade that a reader can make next.
pub(crate) struct Upgrade<'a> {
    /// The package to upgrade: the source package where one was named, since
    /// its version is the one that advisories go by.
    pub(crate) name: &'a str,
    /// The lowest version that mends all that can be mended; `None` where
    /// versions of this kind have no known order.
    pub(crate) version: Option<&'a str>,
    /// How many findings it mends.
    pub(crate) findings: usize,
}

/// The upgrades that mend anything, those that mend most first.
pub(crate) fn upgrades(report: &Report) -> Vec<Upgrade<'_>> {
    let mut all: BTreeMap<(&str, &str), Upgrade<'_>> = BTreeMap::new();
    for finding in &report.findings {
        let package = finding.package.and_then(|at| report.packages.get(at));
        let fixed = finding
            .vulnerability
            .as_deref()
            .and_then(|flaw| flaw.fixed.first());
        let (Some(package), Some(fixed)) = (package, fixed) else {
            continue;
        };
        let source = package.source.as_ref();
        let name = source.map_or(package.name.as_str(), |source| source.name.as_str());
        let order = seawall_versions::by_purl_type(&package.kind).map(|scheme| scheme.compare);
        match all.entry((&package.kind, name)) {
            Entry::Vacant(entry) => {
                entry.insert(Upgrade {
                    name,
                    version: Some(fixed),
                    findings: 1,
                });
            }
            Entry::Occupied(mut entry) => {
                let one = entry.get_mut();
                one.findings += 1;
                one.version = match (order, one.version) {
                    (_, Some(known)) if known == fixed => Some(known),
                    (Some(compare), Some(known)) if compare(known, fixed).is_lt() => Some(fixed),
                    (Some(_), known) => known,
                    (None, _) => None,
                };
            }
        }
    }
    let mut all: Vec<_> = all.into_values().collect();
    all.sort_by(|a, b| b.findings.cmp(&a.findings).then_with(|| a.name.cmp(b.name)));
    all
}
