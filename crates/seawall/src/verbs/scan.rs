//! `seawall scan [TARGET]...`

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use seawall_image::{Cache, Limits, Platform, Progress};
use seawall_model::{Report, Severity, vex::Document};
use seawall_policy::{Thresholds, Verdict};
use seawall_report::Format;
use seawall_scan::{Bases, Inspected, Judging, LooksFor, Order};

use crate::{
    Outcome,
    cli::boolish,
    database,
    errors::hinted,
    printer::Printer,
    save::save,
    settings::{self, File as Settings},
    vex,
};

/// What can be typed behind `scan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Targets:
  debian:12                    an image of Docker or Podman (docker:…, podman:…)
  image.tar, image.tar.gz, -   a docker-archive or OCI archive (archive:…)
  layout:v1, layout@sha256:…   an OCI image layout (oci:…)
  /mnt/root                    a root file system (rootfs:…)
  .                            a project: its lock files and its secrets (dir:…)
  bom.json                     an SBOM: CycloneDX, SPDX or Syft's (sbom:…)

Examples:
  seawall scan .
  seawall scan --fail-on high debian:12
  docker save shop | seawall scan -
  seawall scan --format sarif --output seawall.sarif oci:build/image:latest")]
pub(crate) struct Arguments {
    /// What to look at; the current folder without.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,

    /// Look for these only.
    #[arg(
        long,
        value_name = "KINDS",
        value_delimiter = ',',
        env = "SEAWALL_ONLY"
    )]
    only: Vec<Kind>,

    #[command(flatten)]
    judged: Judged,

    #[command(flatten)]
    written: Written,

    #[command(flatten)]
    pub(crate) looked: Looked,
}

/// What decides the exit code.
#[derive(Debug, Args)]
#[command(next_help_heading = "Verdict")]
struct Judged {
    /// Exit with 1 when a finding is this bad or worse, with 2 when none is but something could
    /// not be looked at.
    #[arg(long, value_name = "SEVERITY", env = "SEAWALL_FAIL_ON")]
    fail_on: Option<Severity>,
    /// The same for findings whose severity nobody knows.
    #[arg(long, env = "SEAWALL_FAIL_ON_UNKNOWN", value_parser = boolish())]
    fail_on_unknown: bool,
    /// The same for flaws in CISA's catalogue of known exploited vulnerabilities.
    #[arg(long, env = "SEAWALL_FAIL_ON_KEV", value_parser = boolish())]
    fail_on_kev: bool,
    /// The same for flaws with at least this chance of exploitation (EPSS, 0 to 1).
    #[arg(long, value_name = "CHANCE", env = "SEAWALL_FAIL_ON_EPSS", value_parser = chance)]
    fail_on_epss: Option<f64>,
    /// VEX documents, or folders of them (OpenVEX, CSAF, CycloneDX): what they say is not affected
    /// or fixed does not count.
    #[arg(long, value_name = "FILE", env = "SEAWALL_VEX", value_delimiter = ',')]
    vex: Vec<PathBuf>,
    /// Do not fail because of gaps.
    #[arg(long, env = "SEAWALL_ALLOW_GAPS", value_parser = boolish())]
    allow_gaps: bool,
}

/// What is shown, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
struct Written {
    /// Format of the report: table, json, sarif, junit, html, markdown, cyclonedx, spdx or github.
    #[arg(long, short, value_name = "FORMAT", env = "SEAWALL_FORMAT")]
    format: Option<Format>,
    /// Write the report to this file.
    #[arg(long, short, value_name = "FILE", env = "SEAWALL_OUTPUT")]
    output: Option<PathBuf>,
    /// Show only findings of this severity or worse.
    #[arg(long, value_name = "SEVERITY", env = "SEAWALL_SEVERITY")]
    severity: Option<Severity>,
    /// Leave out flaws that no version mends.
    #[arg(long, env = "SEAWALL_IGNORE_UNFIXED", value_parser = boolish())]
    ignore_unfixed: bool,
    /// Order of the findings.
    #[arg(
        long,
        value_name = "ORDER",
        default_value = "severity",
        env = "SEAWALL_SORT"
    )]
    sort: Sort,
    /// List all packages too.
    #[arg(long, env = "SEAWALL_PACKAGES", value_parser = boolish())]
    packages: bool,
    /// List what was suppressed too, with who said so and why.
    #[arg(long, env = "SEAWALL_SHOW_SUPPRESSED", value_parser = boolish())]
    show_suppressed: bool,
    /// How much doubt a finding may hold.
    #[arg(
        long,
        value_name = "PERSONA",
        default_value = "regular",
        env = "SEAWALL_PERSONA"
    )]
    persona: Persona,
}

/// Where things are, and what may be asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sources")]
pub(crate) struct Looked {
    /// Platform of an image that has several, as in linux/arm64.
    #[arg(long, value_name = "OS/ARCH", env = "SEAWALL_PLATFORM")]
    pub(crate) platform: Option<Platform>,
    /// An image that targets may be built on (several with commas): a base is told by its layers.
    #[arg(
        long,
        value_name = "IMAGE",
        value_delimiter = ',',
        env = "SEAWALL_BASE"
    )]
    pub(crate) base: Vec<String>,
    /// The Dockerfile of the targets: findings then name the line to change.
    #[arg(long, value_name = "FILE", env = "SEAWALL_DOCKERFILE")]
    pub(crate) dockerfile: Option<PathBuf>,
    /// Folder of the advisory database.
    #[arg(long, value_name = "DIR", env = "SEAWALL_DB")]
    pub(crate) db: Option<PathBuf>,
    /// Fetch nothing.
    #[arg(long, env = "SEAWALL_OFFLINE", value_parser = boolish())]
    pub(crate) offline: bool,
    /// Settings file; seawall.toml here without.
    #[arg(long, value_name = "FILE", env = "SEAWALL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Keep no evidence of layers, and use none.
    #[arg(long, env = "SEAWALL_NO_CACHE", value_parser = boolish())]
    pub(crate) no_cache: bool,
    /// Folder of the evidence cache.
    #[arg(long, value_name = "DIR", env = "SEAWALL_CACHE_DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// Kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Known flaws of packages.
    Vulnerabilities,
    /// Dockerfiles, Compose, Kubernetes, image settings.
    Config,
    /// Secrets in files.
    Secrets,
    /// Licences of packages: all of them by number, and what a policy says.
    Licenses,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// Worst first.
    Severity,
    /// Known to be exploited first.
    Kev,
    /// Most likely to be exploited first.
    Epss,
    /// By package.
    Package,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Persona {
    /// What a careful reviewer would say.
    Regular,
    /// Every rule.
    Pedantic,
    /// Also matches of low confidence.
    Auditor,
}

fn chance(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    if (0.0..=1.0).contains(&number) {
        Ok(number)
    } else {
        Err(format!("`{text}` is not between 0 and 1"))
    }
}

/// The database's records may be this old before a report says so.
pub(crate) const MAX_AGE: u32 = 30;

/// The rule that a regular reviewer leaves out.
const PEDANTIC: &str = "os/ends-soon";

pub(crate) fn run(arguments: &Arguments, printer: &Printer) -> Result<Outcome> {
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
    let is_asked = |kind| arguments.only.is_empty() || arguments.only.contains(&kind);
    let looks_for = LooksFor {
        packages: is_asked(Kind::Vulnerabilities) || is_asked(Kind::Licenses),
        secrets: is_asked(Kind::Secrets),
    };
    let mut documents = match is_asked(Kind::Vulnerabilities) {
        true => vex::load(paths, printer)?,
        false => Vec::new(),
    };
    let (mut inspected, failures) = look(&targets, looks_for, &arguments.looked, &file, printer)?;
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
    let mut report = if is_asked(Kind::Vulnerabilities) {
        let choice =
            database::Choice::new(arguments.looked.db.clone(), arguments.looked.offline, &file);
        let needed = seawall_scan::shards_needed(&inspected);
        let database = database::open(&choice, &needed, printer)?;
        let judging = Judging {
            today: &today,
            starter: database.is_starter(),
            max_age: Some(file.database.max_age.unwrap_or(MAX_AGE)),
            ignore_unfixed: arguments.written.ignore_unfixed
                || file.ignore_unfixed.unwrap_or(false),
            order,
        };
        let describe = |used| database.describe(used);
        let mut report = seawall_scan::judge(inspected, &database, describe, &judging);
        report
            .gaps
            .extend(database::unanswered(&thresholds, &database));
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
    if arguments.written.persona == Persona::Regular {
        report.findings.retain(|one| one.rule != PEDANTIC);
    }
    if arguments.written.persona != Persona::Auditor {
        report
            .findings
            .retain(|one| one.confidence > seawall_model::Confidence::Low);
    }
    suppress(&mut report, &file, &documents, &today, printer);
    let verdict = thresholds.judge(&report);
    if let Some(least) = severity {
        report.findings.retain(|finding| finding.severity >= least);
        report
            .suppressed
            .retain(|one| one.finding.severity >= least);
    }
    write(
        &report,
        format,
        created.as_deref(),
        &arguments.written,
        printer,
    )?;
    for error in &failures {
        printer.error(error);
    }
    Ok(outcome(&verdict, !failures.is_empty(), printer))
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

/// What all targets are looked at with.
struct With {
    looks_for: LooksFor,
    platform: Option<Platform>,
    cache: Option<Cache>,
    bases: Bases,
}

impl With {
    fn settings<'a>(&'a self, progress: &'a dyn Progress) -> seawall_scan::Settings<'a> {
        seawall_scan::Settings {
            looks_for: self.looks_for,
            platform: self.platform.clone(),
            cache: self.cache.as_ref(),
            limits: Limits::default(),
            progress,
            bases: &self.bases,
        }
    }
}

/// Looks at every target. One that fails does not keep the others from being
/// reported; if all do, the first error ends the run.
pub(crate) fn look(
    targets: &[String],
    looks_for: LooksFor,
    looked: &Looked,
    file: &Settings,
    printer: &Printer,
) -> Result<(Vec<Inspected>, Vec<anyhow::Error>)> {
    let platform: Option<Platform> = setting(looked.platform.clone(), file.platform.as_deref())?;
    let mib = file.cache.max_mib.unwrap_or(1024);
    let cache = (!looked.no_cache).then(|| {
        let dir = looked.cache_dir.clone().or_else(|| file.cache.dir.clone());
        let dir = dir.unwrap_or_else(|| settings::cache_home().join("layers"));
        Cache::new(dir, mib.saturating_mul(1 << 20))
    });
    let bars = printer.bars();
    let with = With {
        looks_for,
        platform,
        cache,
        bases: Bases::default(),
    };
    let mut bases = Bases::default();
    if let Some(path) = &looked.dockerfile {
        bases.dockerfile(path)?;
    }
    for text in &looked.base {
        let bar = bars.bytes(text);
        let place = seawall_scan::recognise(text)?;
        bases
            .add(&place, &with.settings(&bar))
            .with_context(|| format!("cannot read the base image `{text}`"))?;
    }
    let with = With { bases, ..with };
    let mut inspected = Vec::new();
    let mut failures: Vec<anyhow::Error> = Vec::new();
    for text in targets {
        let bar = bars.bytes(text);
        let settings = with.settings(&bar);
        let result = seawall_scan::recognise(text)
            .map_err(anyhow::Error::new)
            .and_then(|place| Ok(seawall_scan::inspect(&place, &settings)?))
            .with_context(|| format!("cannot scan `{text}`"));
        match result {
            Ok(one) => inspected.push(one),
            Err(error) => failures.push(error),
        }
    }
    if inspected.is_empty() && !failures.is_empty() {
        let first = failures.remove(0);
        for error in &failures {
            printer.error(error);
        }
        return Err(first);
    }
    Ok((inspected, failures))
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

fn write(
    report: &Report,
    format: Format,
    created: Option<&str>,
    written: &Written,
    printer: &Printer,
) -> Result<()> {
    let snapshot = match format {
        Format::Github => Some(snapshot()?),
        _ => None,
    };
    let to_terminal = written.output.is_none() && io::stdout().is_terminal();
    let options = seawall_report::Options {
        version: env!("CARGO_PKG_VERSION"),
        width: if to_terminal { terminal_width() } else { 100 },
        color: written.output.is_none() && printer.colors_result(),
        packages: written.packages,
        suppressed: written.show_suppressed,
        created,
        snapshot: snapshot.as_ref(),
    };
    let mut bytes = Vec::new();
    seawall_report::render(report, format, &options, &mut bytes)?;
    match written.output.as_deref() {
        None => printer.result(&bytes)?,
        Some(path) => {
            save(path, &bytes)
                .with_context(|| format!("cannot write the report to `{}`", path.display()))?;
            let numbers = report.summary();
            let findings: usize = numbers.by_severity.values().sum();
            printer.note(&format!(
                "{findings} findings written to `{}`",
                path.display()
            ));
        }
    }
    Ok(())
}

/// What GitHub wants to know of the run, from the variables that its Actions
/// set; the names for other systems are the same.
fn snapshot() -> Result<seawall_report::Snapshot> {
    let get = |name: &str| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty());
        value.ok_or_else(|| {
            hinted(
                format!("`--format github` needs the variable `{name}`"),
                "GitHub Actions sets it; elsewhere give GITHUB_SHA (the commit) and GITHUB_REF \
                 (refs/heads/NAME)",
            )
        })
    };
    let other = |name: &str, instead: &str| get(name).unwrap_or_else(|_| instead.to_owned());
    let (workflow, job) = (
        other("GITHUB_WORKFLOW", "seawall"),
        other("GITHUB_JOB", "scan"),
    );
    Ok(seawall_report::Snapshot {
        sha: get("GITHUB_SHA")?,
        reference: get("GITHUB_REF")?,
        job: other("GITHUB_RUN_ID", "0"),
        correlator: format!("{workflow} {job}"),
        scanned: settings::now(),
    })
}

/// Columns of the terminal, within what can be read.
fn terminal_width() -> usize {
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse::<usize>().ok());
    let size = columns.or_else(|| {
        rustix::termios::tcgetwinsize(io::stdout())
            .ok()
            .map(|size| size.ws_col.into())
    });
    size.filter(|columns| *columns > 0)
        .unwrap_or(100)
        .clamp(60, 140)
}

fn outcome(verdict: &Verdict, has_failed: bool, printer: &Printer) -> Outcome {
    match verdict {
        Verdict::Fail { findings } => {
            printer.detail(&format!("findings at or above the threshold: {findings}"));
            Outcome::Failed
        }
        Verdict::Incomplete { gaps } => {
            printer.error(&hinted(
                format!("nothing is at or above the threshold, but there are {gaps} gaps"),
                "see the gaps in the report; `--allow-gaps` passes in spite of them",
            ));
            Outcome::Incomplete
        }
        Verdict::Pass if has_failed => Outcome::Incomplete,
        Verdict::Pass => Outcome::Done,
    }
}
