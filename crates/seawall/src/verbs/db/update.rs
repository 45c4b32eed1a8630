//! `seawall db update`

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use seawall_advisories::{From, UpdateError, UpdateRequest, Updated};

use crate::{
    Outcome,
    database::{self, Choice, Downloads, Named},
    errors::{explained, hinted},
    printer::Printer,
    settings,
};

/// What can be typed behind `db update`.
#[derive(Debug, Args)]
#[command(after_help = "\
From a place that `seawall db build` made, shards are taken as they are, and once one is here only
what has changed of it. Such a place needs the key of its publisher (--pubkey, or `key` in
seawall.toml), a folder on this machine too; with a key nothing else is taken.

Else DIR holds ECOSYSTEM/all.zip as OSV's bucket does, and perhaps beside them kev.json, epss.csv.gz,
endoflife.json, and CVSS vectors: cvss.csv, nvdcve-2.0-*.json.gz, or the folder cves of cvelistV5.
docs/database.md lists every name. With OSV's own bucket, known exploited vulnerabilities, EPSS and
end-of-life dates come from CISA, FIRST's publisher and endoflife.date.

DIR may hold feeds/NAME, with the files of a distribution's own feed in its publisher's layout.
docs/feeds.md lists every feed.

Examples:
  seawall db update Debian PyPI npm
  seawall db update --feed debian-tracker Debian
  seawall db update --from /srv/osv
  seawall db update --from https://advisories.example --pubkey seawall.pub Debian:12 npm")]
pub(crate) struct Update {
    /// Ecosystems, as OSV writes them; without any, all that DIR holds or that are here already.
    #[arg(value_name = "ECOSYSTEM")]
    ecosystems: Vec<String>,
    /// A folder or an address; OSV's public bucket without.
    #[arg(long, value_name = "DIR|URL", env = "SEAWALL_DB_FROM")]
    from: Option<String>,
    /// A distribution's own feed, from a folder, an address, or its publisher.
    #[arg(long = "feed", value_name = "NAME[=DIR|URL]")]
    feeds: Vec<String>,
    /// Key of the publisher: the line that minisign shows, or a file with it.
    #[arg(long, value_name = "KEY|FILE", env = "SEAWALL_DB_PUBKEY")]
    pubkey: Option<String>,
    /// Folder of the database.
    #[arg(long, value_name = "DIR", env = "SEAWALL_DB")]
    db: Option<PathBuf>,
    /// Settings file; seawall.toml here without.
    #[arg(long, value_name = "FILE", env = "SEAWALL_CONFIG")]
    config: Option<PathBuf>,
}

pub(super) fn run(arguments: Update, printer: &Printer) -> Result<Outcome> {
    let file = settings::read(arguments.config.as_deref())?;
    let choice = Choice::new(
        Named {
            dir: arguments.db,
            from: arguments.from,
            feeds: arguments.feeds,
            key: arguments.pubkey,
            offline: false,
        },
        &file,
    )?;
    let dir = choice.dir;
    let (_, now) = settings::today();
    let bars = printer.bars();
    let progress = Downloads(bars.bytes("fetching advisories"));
    let from = From::parse(&choice.from);
    let has_names = !arguments.ecosystems.is_empty();
    let updated = seawall_advisories::update(&UpdateRequest {
        from,
        dir: &dir,
        ecosystems: arguments.ecosystems,
        feeds: choice.feeds,
        key: choice.key,
        now,
        patience: seawall_advisories::PATIENCE,
        progress: &progress,
    })
    .map_err(|error| told(error, &dir, has_names))?;
    drop(progress);
    database::told(&updated, printer);
    let outcome = refused(&updated, printer);
    let mut said = format!(
        "{} advisories of {} in `{}`",
        updated.records,
        if updated.built.is_empty() {
            "nothing new".to_owned()
        } else {
            updated.built.join(", ")
        },
        dir.display()
    );
    if !updated.unchanged.is_empty() {
        said += &format!("; unchanged: {}", updated.unchanged.join(", "));
    }
    printer.note(&said);
    if !updated.missing.is_empty() {
        let missing: Vec<&str> = updated.missing.iter().map(|kind| kind.what()).collect();
        printer.note(&format!("not there: {}", missing.join(", ")));
    }
    Ok(outcome)
}

/// What went wrong, with what to do about it. `dir` is the database's folder.
pub(super) fn told(error: UpdateError, dir: &Path, has_names: bool) -> anyhow::Error {
    let hint = match &error {
        UpdateError::Nothing(from) if !has_names => {
            return hinted(
                format!("nothing says which ecosystems of `{from}` are wanted"),
                "name them: `seawall db update Debian PyPI`",
            );
        }
        UpdateError::Open(_) => {
            return match error {
                UpdateError::Open(error) => database::unusable(error, dir),
                error => anyhow::Error::new(error),
            };
        }
        UpdateError::KeyNeeded { .. } => {
            "ask the publisher for it: `--pubkey KEY`, or `key` under `[database]` in seawall.toml"
        }
        UpdateError::NotSigned { .. } => {
            "without a key (`--pubkey`, SEAWALL_DB_PUBKEY, `key` in seawall.toml) dumps are read as they are"
        }
        UpdateError::RolledBack { .. } => {
            "the place may be a mirror that stands still; the database is as it was"
        }
        UpdateError::Ahead { .. } => "set the clock, or tell the publisher to",
        UpdateError::Signature { .. } => {
            "the database is as it was; nothing of that place was used"
        }
        _ => return anyhow::Error::new(error),
    };
    let message = error.to_string();
    match error {
        UpdateError::Signature { cause, .. } => explained(cause, message, hint),
        _ => hinted(message, hint),
    }
}

/// Says what could not be read, and what was asked for and is not there.
pub(super) fn refused(updated: &Updated, printer: &Printer) -> Outcome {
    for refused in updated.refused.iter().take(20) {
        printer.warning(&format!("cannot be read: {refused}"));
    }
    if updated.refused.len() > 20 {
        printer.warning(&format!("… and {} more", updated.refused.len() - 20));
    }
    for absent in &updated.absent {
        printer.warning(&format!("`{absent}` is not published there"));
    }
    match updated.refused.is_empty() && updated.absent.is_empty() {
        true => Outcome::Done,
        false => Outcome::Incomplete,
    }
}
