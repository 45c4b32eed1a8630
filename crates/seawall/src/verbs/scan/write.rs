//! Writes the report to where it is wanted.

use std::{
    env, fs,
    io::{self, IsTerminal},
    path::PathBuf,
};

use anyhow::{Context, Result};
use seawall_model::Report;
use seawall_report::{Checkout, Format};

use super::arguments::Written;
use crate::{
    errors::{explained, hinted},
    printer::Printer,
    save::save,
    settings,
};

/// Writes `report`; the run started at `started`, RFC 3339.
pub(super) fn write(
    report: &Report,
    format: Format,
    created: Option<&str>,
    started: &str,
    written: &Written,
    printer: &Printer,
) -> Result<()> {
    let snapshot = match format {
        Format::Github => Some(snapshot()?),
        _ => None,
    };
    let (checkout, now) = (checkout(), settings::now());
    let to_terminal = written.output.is_none() && io::stdout().is_terminal();
    let options = seawall_report::Options {
        version: env!("CARGO_PKG_VERSION"),
        width: if to_terminal { terminal_width() } else { 100 },
        color: written.output.is_none() && printer.colors_result(),
        packages: written.packages,
        suppressed: written.show_suppressed,
        created,
        snapshot: snapshot.as_ref(),
        checkout: checkout.as_ref(),
        run: (started, &now),
    };
    let mut bytes = Vec::new();
    seawall_report::render(report, format, &options, &mut bytes).map_err(|error| match error {
        seawall_report::Error::About { instead, .. } => {
            let hint = format!("`--format {}` is about what was scanned", instead.as_str());
            explained(error, format!("cannot write `{}`", format.as_str()), hint)
        }
        error => error.into(),
    })?;
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

/// The repository that is being checked: the one that a CI system names, where
/// Seawall was started in it, else the folder that it was started in.
fn checkout() -> Option<Checkout> {
    let started = env::current_dir().ok()?;
    let named = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"];
    let named = named.iter().filter_map(|name| {
        let path = env::var_os(name).filter(|path| !path.is_empty())?;
        fs::canonicalize(path).ok()
    });
    let mut named = named.filter(|root| started.starts_with(root));
    let root = named.next().unwrap_or_else(|| started.clone());
    let text = |path: PathBuf| path.into_os_string().into_string().ok();
    Some(Checkout {
        root: text(root)?,
        started: text(started)?,
    })
}

/// What GitHub wants to know of the run, from the variables that its Actions
/// set; the names for other systems are the same.
fn snapshot() -> Result<seawall_report::Snapshot> {
    let get = |name: &str| {
        let value = env::var(name).ok().filter(|value| !value.is_empty());
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
    let columns = env::var("COLUMNS")
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
