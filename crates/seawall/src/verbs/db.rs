//! `seawall db update` and `seawall db info`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use seawall_advisories::{Database, FeedChoice, From, OpenError, PUBLIC_BUCKET, UpdateRequest};

use crate::{
    Outcome,
    database::{self, Downloads},
    errors::hinted,
    printer::Printer,
    settings,
};

/// What can be typed behind `db`.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Fetch or read advisories and build the database from them.
    Update(Update),
    /// Say what is in the database and how old it is.
    Info(Info),
}

/// What can be typed behind `db update`.
#[derive(Debug, Args)]
#[command(after_help = "\
DIR holds ECOSYSTEM/all.zip as OSV's bucket does, and perhaps beside them kev.json, epss.csv.gz,
endoflife.json, and CVSS vectors: cvss.csv, nvdcve-2.0-*.json.gz, or the folder cves of cvelistV5.
docs/database.md lists every name. With OSV's own bucket, known exploited vulnerabilities, EPSS and
end-of-life dates come from CISA, FIRST's publisher and endoflife.date.

DIR may hold feeds/NAME, with the files of a distribution's own feed in its publisher's layout.
docs/feeds.md lists every feed.

Examples:
  seawall db update Debian PyPI npm
  seawall db update --feed debian-tracker Debian
  seawall db update --from /srv/osv")]
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
    /// Folder of the database.
    #[arg(long, value_name = "DIR", env = "SEAWALL_DB")]
    db: Option<PathBuf>,
    /// Settings file; seawall.toml here without.
    #[arg(long, value_name = "FILE", env = "SEAWALL_CONFIG")]
    config: Option<PathBuf>,
}

/// What can be typed behind `db info`.
#[derive(Debug, Args)]
pub(crate) struct Info {
    /// Folder of the database.
    #[arg(long, value_name = "DIR", env = "SEAWALL_DB")]
    db: Option<PathBuf>,
    /// Settings file; seawall.toml here without.
    #[arg(long, value_name = "FILE", env = "SEAWALL_CONFIG")]
    config: Option<PathBuf>,
}

pub(crate) fn run(verb: Verb, printer: &Printer) -> Result<Outcome> {
    match verb {
        Verb::Update(arguments) => update(arguments, printer),
        Verb::Info(arguments) => info(arguments, printer),
    }
}

fn update(arguments: Update, printer: &Printer) -> Result<Outcome> {
    let file = settings::read(arguments.config.as_deref())?;
    let dir = arguments
        .db
        .or(file.database.dir)
        .unwrap_or_else(settings::database_home);
    let from = arguments
        .from
        .or(file.database.from)
        .unwrap_or_else(|| PUBLIC_BUCKET.to_owned());
    let (_, now) = settings::today();
    let bars = printer.bars();
    let progress = Downloads(bars.bytes("fetching advisories"));
    let from = From::parse(&from);
    let feeds = if arguments.feeds.is_empty() {
        &file.database.feeds
    } else {
        &arguments.feeds
    };
    let has_names = !arguments.ecosystems.is_empty();
    let updated = seawall_advisories::update(&UpdateRequest {
        from,
        dir: &dir,
        ecosystems: arguments.ecosystems,
        feeds: feeds.iter().map(|one| FeedChoice::parse(one)).collect(),
        now,
        patience: seawall_advisories::PATIENCE,
        progress: &progress,
    })
    .map_err(|error| match error {
        seawall_advisories::UpdateError::Nothing(from) if !has_names => hinted(
            format!("nothing says which ecosystems of `{from}` are wanted"),
            "name them: `seawall db update Debian PyPI`",
        ),
        seawall_advisories::UpdateError::Open(error) => database::unusable(error, &dir),
        error => anyhow::Error::new(error),
    })?;
    drop(progress);
    for refused in updated.refused.iter().take(20) {
        printer.warning(&format!("cannot be read: {refused}"));
    }
    if updated.refused.len() > 20 {
        printer.warning(&format!("… and {} more", updated.refused.len() - 20));
    }
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
    Ok(if updated.refused.is_empty() {
        Outcome::Done
    } else {
        Outcome::Incomplete
    })
}

fn info(arguments: Info, printer: &Printer) -> Result<Outcome> {
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
        "{:<28} {:>9} {:>9} {:>10}  {:<10}  {:>8}  {}\n",
        "SHARD", "RECORDS", "PACKAGES", "KIB", "NEWEST", "AGE", "ASKED"
    );
    for shard in database.info() {
        let day = shard.newest.get(..10).unwrap_or("-");
        let asked = match shard.checked {
            0 => "-".to_owned(),
            then => format!("{} h ago", now.saturating_sub(then) / 3600),
        };
        table += &format!(
            "{:<28} {:>9} {:>9} {:>10}  {:<10}  {:>8}  {}\n",
            shard.name,
            counted(shard.records),
            counted(shard.packages),
            shard.bytes.div_ceil(1024),
            day,
            age(day, &today),
            asked
        );
    }
    printer.text(&table)?;
    Ok(Outcome::Done)
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
