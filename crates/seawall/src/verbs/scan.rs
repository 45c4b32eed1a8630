//! `seawall scan [TARGET]...`

mod arguments;
mod look;
mod tags;
mod write;

use std::path::Path;

use anyhow::{Context, Result};
use clap::ValueEnum;
use seawall_model::{Confidence, Finding, Fingerprint, Report, Severity, vex::Document};
use seawall_policy::{Thresholds, Verdict};
use seawall_report::Format;
use seawall_scan::{Judging, LooksFor, Order};

pub(crate) use self::{
    arguments::{Arguments, Looked},
    look::look,
};
use self::{
    arguments::{Judged, Kind, Persona, Sort},
    look::look_at,
    write::write,
};
use crate::{
    Outcome,
    baseline::{self, Asked},
    database,
    errors::hinted,
    printer::Printer,
    settings::{self, File as Settings},
    vex,
};

/// The rule that a regular reviewer leaves out.
const PEDANTIC: &str = "os/ends-soon";

pub(crate) fn run(arguments: &Arguments, printer: &Printer) -> Result<Outcome> {
    let started = settings::now();
    let file = settings::read(arguments.looked.config.as_deref())?;
    refuse_what_is_not_there(&arguments.only)?;
    let thresholds = thresholds(&arguments.judged, &file)?;
    let format =
        setting(arguments.written.format, file.format.as_deref())?.unwrap_or(Format::Table);
    let severity: Option<Severity> = setting(arguments.written.severity, file.severity.as_deref())?;
    let targets = match arguments.targets.as_slice() {
        [] => vec![".".to_owned()],
        given => given.to_vec(),
    };
    let paths = match arguments.judged.vex.as_slice() {
        [] => &file.vex,
        given => given,
    };
    let baseline = arguments.judged.baseline.as_ref().map(Path::new);
    let baseline = baseline.or(file.baseline.as_deref());
    // A baseline that is no use ends the run before it starts.
    let baseline = match baseline.filter(|path| !path.as_os_str().is_empty()) {
        Some(path) => Some((baseline::load(path)?, path)),
        None => None,
    };
    let is_asked = |kind| arguments.only.is_empty() || arguments.only.contains(&kind);
    let looks_for = LooksFor {
        packages: is_asked(Kind::Vulnerabilities) || is_asked(Kind::Licenses),
        secrets: is_asked(Kind::Secrets),
    };
    let mut documents = match is_asked(Kind::Vulnerabilities) {
        true => vex::load(paths, printer)?,
        false => Vec::new(),
    };
    let (mut inspected, failures) = look_at(
        &targets,
        looks_for,
        &arguments.looked,
        &arguments.tags,
        &file,
        printer,
    )?;
    if is_asked(Kind::Vulnerabilities) {
        documents.extend(vex::embedded(&mut inspected));
    }
    let created = inspected
        .first()
        .and_then(|one| settings::created(one.created.as_deref()));
    let (today, _) = settings::today();
    let order = match arguments.written.sort {
        Sort::Severity => Order::Severity,
        Sort::Kev => Order::Exploited,
        Sort::Epss => Order::Likely,
        Sort::Package => Order::Package,
    };
    let ignore_unfixed = arguments.written.ignore_unfixed || file.ignore_unfixed.unwrap_or(false);
    let mut report = if is_asked(Kind::Vulnerabilities) {
        let choice = database::Choice::new(arguments.looked.database(), &file)?;
        let needed = seawall_scan::shards_needed(&inspected);
        let database = database::open(&choice, &needed, printer)?;
        let judging = Judging {
            today: &today,
            starter: database.is_starter(),
            max_age: Some(arguments.looked.max_age(&file)),
            ignore_unfixed,
            order,
        };
        let describe = |used| database.describe(used);
        let mut report = seawall_scan::judge(inspected, &database, describe, &judging);
        report
            .gaps
            .extend(database::unanswered(&thresholds, &database));
        database::warn_of_age(&database, &report.gaps, printer);
        report
    } else {
        seawall_scan::gather(inspected, order)
    };
    if arguments.only.contains(&Kind::Licenses) {
        seawall_scan::count_licenses(&mut report);
    }
    if let Some(policy) = file.licenses.as_ref().filter(|_| is_asked(Kind::Licenses)) {
        for at in seawall_scan::judge_licenses(&mut report, policy, order) {
            let package = policy
                .exceptions
                .get(at)
                .map_or("", |one| one.package.as_str());
            printer.warning(&format!(
                "the licence exception of `{package}` is for no package"
            ));
        }
    }
    let hidden = hide(&mut report, arguments.written.persona);
    suppress(&mut report, &file, &documents, &today, printer);
    if let Some((earlier, path)) = &baseline {
        let asked = Asked {
            vulnerabilities: is_asked(Kind::Vulnerabilities),
            secrets: is_asked(Kind::Secrets),
            licenses: is_asked(Kind::Licenses) && file.licenses.is_some(),
            ignore_unfixed,
            epss: thresholds.epss,
        };
        baseline::apply(&mut report, (earlier, path), &asked, &hidden, printer);
    }
    let verdict = thresholds.judge(&report);
    if let Some(least) = severity {
        show_from(&mut report, least);
    }
    write(
        &report,
        format,
        created.as_deref(),
        &started,
        &arguments.written,
        printer,
    )?;
    for error in &failures {
        printer.error(error);
    }
    let which = match baseline {
        Some(_) => " that the baseline does not cover",
        None => "",
    };
    Ok(outcome(&verdict, !failures.is_empty(), which, printer))
}

/// A flag, else what the file says in its place.
fn setting<T: std::str::FromStr>(flag: Option<T>, file: Option<&str>) -> Result<Option<T>>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    match (flag, file) {
        (Some(flag), _) => Ok(Some(flag)),
        (None, Some(text)) => Ok(Some(
            text.parse().context("a setting of seawall.toml is wrong")?,
        )),
        (None, None) => Ok(None),
    }
}

/// Leaves out what the persona would not say; gives what that was.
fn hide(report: &mut Report, persona: Persona) -> Vec<(usize, Fingerprint)> {
    let is_shown = |one: &Finding| {
        (persona != Persona::Regular || one.rule != PEDANTIC)
            && (persona == Persona::Auditor || one.confidence > Confidence::Low)
    };
    let hidden = report.findings.extract_if(.., |one| !is_shown(one));
    hidden.map(|one| (one.target, one.fingerprint)).collect()
}

/// Leaves out what is less than `least`.
fn show_from(report: &mut Report, least: Severity) {
    report.findings.retain(|one| one.severity >= least);
    let suppressed = &mut report.suppressed;
    suppressed.retain(|one| one.finding.severity >= least);
    if let Some(baseline) = &mut report.baseline {
        baseline.gone.retain(|one| one.severity >= least);
    }
}

fn refuse_what_is_not_there(only: &[Kind]) -> Result<()> {
    let asked = only
        .iter()
        .find(|kind| !matches!(kind, Kind::Vulnerabilities | Kind::Secrets | Kind::Licenses));
    match asked.and_then(ValueEnum::to_possible_value) {
        Some(kind) => Err(hinted(
            format!("`--only {}` is not part of this release", kind.get_name()),
            "this release looks for vulnerabilities, secrets and licences",
        )),
        None => Ok(()),
    }
}

/// All that this release knows, or what was asked for.
fn thresholds(judged: &Judged, file: &Settings) -> Result<Thresholds> {
    Ok(Thresholds {
        severity: setting(judged.fail_on, file.fail_on.as_deref())?,
        unknown: judged.fail_on_unknown,
        exploited: judged.fail_on_kev,
        epss: judged.fail_on_epss,
        allow_gaps: judged.allow_gaps || file.allow_gaps.unwrap_or(false),
    })
}

fn suppress(
    report: &mut Report,
    file: &Settings,
    documents: &[Document],
    today: &str,
    printer: &Printer,
) {
    let outcome = seawall_policy::suppress(report, &file.ignores, documents, today);
    vex::say_unused(documents, &outcome.unused_statements, printer);
    let what = |index: &usize| {
        let one = file.ignores.get(*index)?;
        let id = one
            .id
            .as_deref()
            .or(one.package.as_deref())
            .unwrap_or("a path");
        Some((
            one.place.as_str(),
            id,
            one.expires.as_deref().unwrap_or_default(),
        ))
    };
    for (place, id, _) in outcome.unused.iter().filter_map(what) {
        printer.warning(&format!(
            "{place}: the suppression of `{id}` matches nothing"
        ));
    }
    for (place, id, last) in outcome.expired.iter().filter_map(what) {
        printer.warning(&format!(
            "{place}: the suppression of `{id}` was over on {last}"
        ));
    }
}

/// `which` says which gaps count, where not all do.
fn outcome(verdict: &Verdict, has_failed: bool, which: &str, printer: &Printer) -> Outcome {
    match verdict {
        Verdict::Fail { findings } => {
            printer.detail(&format!("findings at or above the threshold: {findings}"));
            Outcome::Failed
        }
        Verdict::Incomplete { gaps } => {
            let gaps = match gaps {
                1 => format!("is 1 gap{which}"),
                many => format!("are {many} gaps{which}"),
            };
            printer.error(&hinted(
                format!("nothing is at or above the threshold, but there {gaps}"),
                "see the gaps in the report; `--allow-gaps` passes in spite of them",
            ));
            Outcome::Incomplete
        }
        Verdict::Pass if has_failed => Outcome::Incomplete,
        Verdict::Pass => Outcome::Done,
    }
}
