//! One page that needs nothing else: no script, style or picture from
//! elsewhere, and readable without its script.

use std::io;

use askama::Template;
use seawall_model::{Finding, Package, Report, Severity, Target};

use crate::{
    Error, Options,
    plain::{OLD_COMMAND, clipped, plain},
    words::{
        NAME, SENTENCE, VERSION, address, by_package, claim, count, exploited, gone, id, likely,
        message, place, remarks, spot, summary, suppressors, target, unfixed, upgrades, values,
        without_package, worse,
    },
};

const STYLE: &str = include_str!("../templates/report.css");
const SCRIPT: &str = include_str!("../templates/report.js");
/// What browsers compare the script with (CSP 3, 8.4): markup that came in by
/// some mistake still runs no script. A test computes it.
const SCRIPT_HASH: &str = "sha256-1FwyF9v9izgHH/m8ZCa9BdWZrwm4nkNlZ6W6q3XFnLM=";

/// Gaps and next steps that stand there at once; the rest unfolds.
const MOST: usize = 8;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    style: &'static str,
    script: &'static str,
    script_hash: &'static str,
    title: String,
    summary: String,
    counts: Vec<(&'static str, usize)>,
    exploited: usize,
    fixable: usize,
    database: String,
    gaps: Vec<Hole>,
    steps: Vec<Step>,
    has_baseline: bool,
    gone: Vec<(&'static str, Vec<(bool, String)>)>,
    suppressed: Vec<Excused>,
    /// How many of each stand there at once.
    most: usize,
    /// Names, as in the classes of cells, and titles of the columns.
    columns: Vec<(&'static str, &'static str)>,
    /// Whether anything is known of exploitation.
    has_risk: bool,
    targets: Vec<Section>,
    version: String,
}

struct Hole {
    subject: String,
    reason: String,
    /// Named only where there are several.
    target: String,
}

struct Excused {
    id: String,
    message: Vec<(bool, String)>,
    why: String,
}

struct Step {
    name: String,
    version: String,
    findings: String,
}

struct Section {
    title: String,
    digest: String,
    packages: String,
    remarks: Vec<String>,
    gaps: usize,
    groups: Vec<Group>,
}

struct Group {
    name: String,
    version: String,
    about: String,
    rows: Vec<Row>,
}

struct Row {
    severity: &'static str,
    /// Smaller is worse: the severity, then the score.
    rank: String,
    score: String,
    vector: String,
    id: String,
    link: String,
    fixed: Vec<String>,
    unfixed: String,
    exploited: String,
    likely: String,
    /// Greater is worse: known exploitation, then the chance of it.
    risk: String,
    /// Text, and whether it is a value that stood in backticks.
    title: Vec<(bool, String)>,
    notes: Vec<String>,
}

pub(crate) fn write(
    report: &Report,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    let numbers = report.summary();
    let number = |one: Severity| numbers.by_severity.get(&one).copied().unwrap_or(0);
    let flaws = || {
        report
            .findings
            .iter()
            .filter_map(|one| one.vulnerability.as_deref())
    };
    let has_risk = flaws().any(|flaw| flaw.kev.is_some() || flaw.epss.is_some());
    let mut columns = vec![
        ("severity", "Severity"),
        ("id", "Id"),
        ("package", "Package"),
        ("version", "Installed"),
        ("fixed", "Fixed in"),
    ];
    columns.extend(has_risk.then_some(("risk", "Exploitation")));
    let page = Page {
        style: STYLE,
        script: SCRIPT,
        script_hash: SCRIPT_HASH,
        title: title(report),
        summary: summary(&numbers),
        counts: Severity::ALL
            .map(|one| (one.as_str(), number(one)))
            .to_vec(),
        exploited: numbers.exploited,
        fixable: flaws().filter(|flaw| !flaw.fixed.is_empty()).count(),
        database: database(report),
        gaps: gaps(report),
        steps: upgrades(report)
            .into_iter()
            .map(|step| Step {
                name: clipped(step.name, NAME),
                version: clipped(step.version.unwrap_or("its newest release"), VERSION),
                findings: count(step.findings, "finding"),
            })
            .collect(),
        has_baseline: report.baseline.is_some(),
        gone: gone(report)
            .iter()
            .map(|one| {
                let message = values(&clipped(&one.message, SENTENCE));
                (one.severity.as_str(), message)
            })
            .collect(),
        suppressed: report
            .suppressed
            .iter()
            .map(|one| Excused {
                id: clipped(id(&one.finding), NAME),
                message: values(&clipped(&one.finding.message, SENTENCE)),
                why: clipped(&suppressors(&one.by), SENTENCE),
            })
            .collect(),
        most: MOST,
        columns,
        has_risk,
        targets: report
            .targets
            .iter()
            .enumerate()
            .map(|(index, one)| section(report, index, one))
            .collect(),
        version: plain(options.version),
    };
    let page = page.render()?.replace(OLD_COMMAND, "#&#35;[");
    out.write_all(page.as_bytes())?;
    Ok(())
}

fn title(report: &Report) -> String {
    let first = report.targets.first().map(|one| clipped(&one.name, NAME));
    match (first, report.targets.len()) {
        (Some(first), 1) => first,
        (Some(first), all) => format!("{first} and {}", count(all - 1, "other target")),
        (None, _) => "nothing".to_owned(),
    }
}

fn database(report: &Report) -> String {
    report
        .database
        .as_ref()
        .map_or_else(String::new, |database| {
            let date = database.built.get(..10).unwrap_or(&database.built);
            let kind = database.kind.as_str();
            if date.is_empty() {
                return format!("{kind} advisory database, whose records have no dates");
            }
            format!("{kind} advisory database, newest record {}", plain(date))
        })
}

fn gaps(report: &Report) -> Vec<Hole> {
    let are_several = report.targets.len() > 1;
    report
        .gaps
        .iter()
        .map(|gap| Hole {
            subject: clipped(&gap.subject, NAME),
            reason: clipped(&gap.reason, SENTENCE),
            target: match report.targets.get(gap.target) {
                Some(target) if are_several => clipped(&target.name, NAME),
                _ => String::new(),
            },
        })
        .collect()
}

fn section(report: &Report, index: usize, one: &Target) -> Section {
    let packages = report.package_targets.iter();
    let packages = packages.filter(|at| **at == index).count();
    let groups = by_package(report, index).into_iter();
    Section {
        title: target(one),
        digest: plain(one.digest.as_deref().unwrap_or_default()),
        packages: count(packages, "package"),
        remarks: remarks(report, index),
        gaps: report.gaps.iter().filter(|gap| gap.target == index).count(),
        groups: groups
            .map(|(package, findings)| {
                let package = package.and_then(|at| report.packages.get(at));
                group(report, one, package, &findings)
            })
            .collect(),
    }
}

fn group(
    report: &Report,
    target: &Target,
    package: Option<&Package>,
    findings: &[&Finding],
) -> Group {
    let rows = findings
        .iter()
        .map(|finding| row(report, finding))
        .collect();
    let Some(package) = package else {
        return Group {
            name: without_package(findings).to_owned(),
            version: String::new(),
            about: count(findings.len(), "finding"),
            rows,
        };
    };
    let source = package.source.as_ref();
    let source = source.filter(|source| source.name != package.name);
    let mut about = vec![plain(&package.kind)];
    about.extend(source.map(|source| format!("source {}", clipped(&source.name, NAME))));
    about.push(place(package, Some(target)));
    about.push(count(findings.len(), "finding"));
    Group {
        name: clipped(&package.name, NAME),
        version: clipped(&package.version, VERSION),
        about: about.join(" · "),
        rows,
    }
}

fn row(report: &Report, finding: &Finding) -> Row {
    let flaw = finding.vulnerability.as_deref();
    let worst = Severity::ALL
        .iter()
        .position(|one| *one == finding.severity);
    let score = flaw.and_then(|flaw| flaw.cvss.first());
    let below = 10.0 - score.map_or(0.0, |score| score.score);
    let chance = flaw
        .and_then(|flaw| flaw.epss)
        .map_or(0.0, |epss| epss.score);
    let is_exploited = flaw.is_some_and(|flaw| flaw.kev.is_some());
    let risk = f64::from(u8::from(is_exploited)) * 1000.0 + chance * 100.0;
    let rule = report.rules.iter().find(|rule| rule.id == finding.rule);
    let link = match flaw {
        Some(flaw) => address(&flaw.id),
        None => rule
            .and_then(|rule| rule.references.first())
            .map(|one| (*one).to_owned()),
    };
    let mut title = Vec::new();
    title.extend(flaw.and_then(|flaw| flaw.summary.as_deref()));
    title.extend(message(finding));
    let mut notes = Vec::from_iter(worse(report, finding));
    notes.extend(spot(finding));
    notes.extend(flaw.and_then(exploited));
    let others = flaw.map_or(&[][..], |flaw| &flaw.aliases);
    notes.extend(flaw.and_then(|flaw| flaw.claim.as_deref()).map(claim));
    notes.extend((!others.is_empty()).then(|| format!("also {}", others.join(", "))));
    Row {
        severity: finding.severity.as_str(),
        rank: format!("{}.{:03.0}", worst.unwrap_or(0), below * 10.0),
        score: score
            .map(|score| format!("{:.1}", score.score))
            .unwrap_or_default(),
        vector: score.map(|score| plain(&score.vector)).unwrap_or_default(),
        id: clipped(id(finding), NAME),
        link: link.unwrap_or_default(),
        fixed: flaw.map_or_else(Vec::new, |flaw| {
            flaw.fixed.iter().map(|one| clipped(one, VERSION)).collect()
        }),
        unfixed: flaw.and_then(unfixed).unwrap_or_default(),
        exploited: flaw
            .and_then(exploited)
            .map(|text| plain(&text))
            .unwrap_or_default(),
        likely: flaw.and_then(likely).unwrap_or_default(),
        risk: if risk > 0.0 {
            format!("{risk:.2}")
        } else {
            String::new()
        },
        title: values(&clipped(&title.join("; "), SENTENCE)),
        notes: notes.iter().map(|note| clipped(note, SENTENCE)).collect(),
    }
}
