//! `seawall db info`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use seawall_advisories::{Database, OpenError, Origin, ShardInfo};

use crate::{Outcome, database, printer::Printer, settings};

/// What can be typed behind `db info`.
#[derive(Debug, Args)]
#[command(after_help = "\
KIB is the shard, OVERLAY what was changed since, both in KiB. ASKED says when the place was asked
last. Of what `seawall db build` published FROM says when the index was made and which key signed
it; of OSV's bucket up to when its list of changes was followed.

Examples:
  seawall db info
  seawall db info --db /var/lib/seawall/db")]
pub(crate) struct Info {
    /// Folder of the database.
    #[arg(long, value_name = "DIR", env = "SEAWALL_DB")]
    db: Option<PathBuf>,
    /// Settings file; seawall.toml here without.
    #[arg(long, value_name = "FILE", env = "SEAWALL_CONFIG")]
    config: Option<PathBuf>,
}

pub(super) fn run(arguments: Info, printer: &Printer) -> Result<Outcome> {
    let file = settings::read(arguments.config.as_deref())?;
    let dir = arguments
        .db
        .or(file.database.dir)
        .unwrap_or_else(settings::database_home);
    let database = match Database::open(&dir) {
        Ok(database) => database,
        Err(OpenError::None(_)) => {
            printer.note(&format!(
                "there is no database in `{}`: this is the starter database of this release",
                dir.display()
            ));
            Database::starter(&[])
        }
        Err(error) => return Err(database::unusable(error, &dir)),
    };
    let (today, now) = settings::today();
    let mut table = format!(
        "{:<28} {:>9} {:>9} {:>10} {:>8}  {:<10}  {:>8}  {:<10}  {}\n",
        "SHARD", "RECORDS", "PACKAGES", "KIB", "OVERLAY", "NEWEST", "AGE", "ASKED", "FROM"
    );
    for shard in database.info() {
        let day = shard.newest.get(..10).unwrap_or("-");
        let asked = match shard.checked {
            0 => "-".to_owned(),
            then => format!("{} h ago", now.saturating_sub(then) / 3600),
        };
        table += &format!(
            "{:<28} {:>9} {:>9} {:>10} {:>8}  {:<10}  {:>8}  {:<10}  {}\n",
            shard.name,
            counted(shard.records),
            counted(shard.packages),
            (shard.bytes - shard.overlay).div_ceil(1024),
            counted(shard.overlay.div_ceil(1024)),
            day,
            age(day, &today),
            asked,
            origin(shard)
        );
    }
    table += &of_feeds(&database);
    printer.text(&table)?;
    Ok(Outcome::Done)
}

/// What the feeds that are there leave out, by their publishers' design and when
/// they were built.
fn of_feeds(database: &Database) -> String {
    let mut text = String::new();
    for feed in seawall_advisories::feeds() {
        let is_own = |name: &str| {
            name.split_once('@')
                .is_some_and(|(_, own)| own == feed.name)
        };
        let mut own = database.info().iter().filter(|info| is_own(&info.name));
        let Some(first) = own.next() else {
            continue;
        };
        text += &format!("\n{} ({})\n", feed.name, feed.address);
        let built = first.left_out.iter().map(String::as_str);
        for line in feed.leaves_out.iter().copied().chain(built) {
            text += &format!("  leaves out: {line}\n");
        }
    }
    text
}

/// Where a shard came from, and who vouches for it.
fn origin(shard: &ShardInfo) -> String {
    let Origin {
        from,
        signed,
        until,
        ..
    } = &shard.origin;
    match (signed, until) {
        (Some((key, made)), _) => format!("{from}, made {made}, signed by {key}"),
        (None, Some(until)) => format!("{from}, changes to {until}"),
        (None, None) if from.is_empty() => "-".to_owned(),
        (None, None) => from.clone(),
    }
}

/// Facts are no records of packages.
fn counted(number: u64) -> String {
    match number {
        0 => "-".to_owned(),
        number => number.to_string(),
    }
}

/// Days between two dates, as people say it.
fn age(day: &str, today: &str) -> String {
    let (Ok(from), Ok(to)) = (
        day.parse::<jiff::civil::Date>(),
        today.parse::<jiff::civil::Date>(),
    ) else {
        return "-".to_owned();
    };
    match to.since((jiff::Unit::Day, from)) {
        Ok(span) => format!("{} d", span.get_days()),
        Err(_) => "-".to_owned(),
    }
}
