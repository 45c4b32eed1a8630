//! Which advisories a run uses: the installed database, brought up to date when
//! that is allowed, or the starter one.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use seawall_advisories::{
    Database, FactKind, FeedChoice, FetchProgress, From, OpenError, PUBLIC_BUCKET, PublicKey,
    UpdateRequest, Updated,
};
use seawall_model::{Gap, GapKind};
use seawall_policy::Thresholds;

use crate::{
    errors::explained,
    keys,
    printer::Printer,
    progress::ByteBar,
    settings::{self, Update},
};

/// How the database is found and kept.
pub(crate) struct Choice {
    pub(crate) dir: PathBuf,
    pub(crate) offline: bool,
    pub(crate) update: Update,
    pub(crate) from: String,
    pub(crate) feeds: Vec<FeedChoice>,
    /// Whose signature counts.
    pub(crate) key: Option<PublicKey>,
}

/// What flags and the environment say of it.
#[derive(Default)]
pub(crate) struct Named {
    pub(crate) dir: Option<PathBuf>,
    pub(crate) from: Option<String>,
    pub(crate) feeds: Vec<String>,
    pub(crate) key: Option<String>,
    pub(crate) offline: bool,
}

impl Choice {
    /// By flags first, then by the file.
    pub(crate) fn new(named: Named, file: &settings::File) -> Result<Self> {
        let own = &file.database;
        let key = named.key.as_ref().or(own.key.as_ref());
        // An empty one takes back what the file says.
        let key = key.filter(|key| !key.is_empty());
        Ok(Choice {
            dir: named
                .dir
                .or_else(|| own.dir.clone())
                .unwrap_or_else(settings::database_home),
            offline: named.offline || file.offline.unwrap_or(false),
            update: own.update.unwrap_or(Update::Auto),
            from: named
                .from
                .or_else(|| own.from.clone())
                .unwrap_or_else(|| PUBLIC_BUCKET.to_owned()),
            feeds: match named.feeds.is_empty() {
                true => &own.feeds,
                false => &named.feeds,
            }
            .iter()
            .map(|one| FeedChoice::parse(one))
            .collect(),
            key: key.map(|key| keys::public(key)).transpose()?,
        })
    }
}

/// The database's records may be this old, in days, before a report says so.
pub(crate) const MAX_AGE: u32 = 30;

/// A shard is asked for again after a day.
const DAY: u64 = 24 * 60 * 60;

/// Opens a database that serves the shards needed.
pub(crate) fn open(choice: &Choice, needed: &[String], printer: &Printer) -> Result<Database> {
    let (_, now) = settings::today();
    let installed = open_installed(&choice.dir)?;
    let names = needed.iter().map(|shard| unit(choice, shard));
    let mut wanted = to_fetch(installed.as_ref(), names, now);
    let feeds = feeds_to_fetch(choice, installed.as_ref(), needed, now, &mut wanted);
    let may_fetch = !choice.offline && choice.update == Update::Auto;
    if !wanted.is_empty() && may_fetch {
        printer.detail(&format!("fetching advisories: {}", wanted.join(", ")));
        match fetch(choice, wanted.clone(), feeds, now, printer) {
            Ok(()) => {
                if let Some(database) = open_installed(&choice.dir)? {
                    return Ok(database);
                }
            }
            Err(error) => printer.warning(&format!(
                "advisories could not be fetched ({}), so that what is here has to serve",
                error.root_cause()
            )),
        }
    }
    match installed {
        Some(database) => Ok(database),
        None => {
            printer.note(
                "there is no advisory database here: the starter database of this release serves. \
                 `seawall db update` fetches a current one",
            );
            let bases: Vec<String> = needed.iter().map(|shard| base(shard).to_owned()).collect();
            Ok(Database::starter(&bases))
        }
    }
}

fn open_installed(dir: &Path) -> Result<Option<Database>> {
    match Database::open(dir) {
        Ok(database) => Ok(Some(database)),
        Err(OpenError::None(_)) => Ok(None),
        Err(error) => Err(unusable(error, dir)),
    }
}

/// A database that is there and cannot be read.
pub(crate) fn unusable(error: OpenError, dir: &Path) -> anyhow::Error {
    let dir = dir.display();
    let message = format!("cannot use the advisory database in `{dir}`");
    let hint = format!("remove the folder and run `seawall db update --db {dir}`");
    explained(error, message, hint)
}

/// `Debian` of `Debian:12` and of `Debian:12@debian-tracker`.
fn base(shard: &str) -> &str {
    shard.split([':', '@']).next().unwrap_or(shard)
}

/// What is fetched for a shard: a publisher's shards are taken one by one,
/// dumps by ecosystem.
fn unit<'n>(choice: &Choice, shard: &'n str) -> &'n str {
    match choice.key {
        Some(_) => shard,
        None => base(shard),
    }
}

/// Whether a place is to be asked again. A database that was built from a folder
/// has its own ways of staying current: 0 says that nobody was asked. A time of
/// the future is one of a clock that was wrong, and none.
fn is_due(checked: u64, now: u64) -> bool {
    checked > 0 && checked.abs_diff(now) > DAY
}

/// What is needed and missing, or was not asked for today.
fn to_fetch<'n>(
    installed: Option<&Database>,
    needed: impl Iterator<Item = &'n str>,
    now: u64,
) -> Vec<String> {
    let mut wanted = BTreeSet::new();
    for name in needed {
        let known = installed.and_then(|database| {
            let mut all = database.info().iter();
            all.find(|info| info.name == name || base(&info.name) == name)
                .map(|info| info.checked)
        });
        if known.is_none_or(|checked| is_due(checked, now)) {
            wanted.insert(name.to_owned());
        }
    }
    wanted.into_iter().collect()
}

/// Feeds of the settings that are needed and missing, or that were not asked
/// for today. Their ecosystems are `wanted` with them.
fn feeds_to_fetch(
    choice: &Choice,
    installed: Option<&Database>,
    needed: &[String],
    now: u64,
    wanted: &mut Vec<String>,
) -> Vec<FeedChoice> {
    let known = seawall_advisories::feeds();
    let mut feeds = Vec::new();
    for feed in &choice.feeds {
        let Some(own) = known.iter().find(|one| one.name == feed.name) else {
            // A name that nobody knows is the update's to refuse.
            feeds.push(feed.clone());
            continue;
        };
        let needs = |shard: &&String| own.ecosystems.contains(&base(shard));
        let Some(shard) = needed.iter().find(needs) else {
            continue;
        };
        let checked = installed.and_then(|database| {
            let mut all = database.info().iter();
            let is_own = |name: &str| {
                name.split_once('@')
                    .is_some_and(|(_, own)| own == feed.name)
            };
            all.find(|info| is_own(&info.name)).map(|info| info.checked)
        });
        if checked.is_none_or(|checked| is_due(checked, now)) {
            feeds.push(feed.clone());
            let ecosystem = unit(choice, shard).to_owned();
            if !wanted.contains(&ecosystem) {
                wanted.push(ecosystem);
            }
        }
    }
    feeds
}

fn fetch(
    choice: &Choice,
    ecosystems: Vec<String>,
    feeds: Vec<FeedChoice>,
    now: u64,
    printer: &Printer,
) -> Result<()> {
    let bars = printer.bars();
    let progress = Downloads(bars.bytes("fetching advisories"));
    let updated = seawall_advisories::update(&UpdateRequest {
        from: From::parse(&choice.from),
        dir: &choice.dir,
        ecosystems,
        feeds,
        key: choice.key.clone(),
        now,
        patience: seawall_advisories::PATIENCE,
        progress: &progress,
    })
    .with_context(|| format!("cannot update the database in `{}`", choice.dir.display()))?;
    for refused in &updated.refused {
        printer.warning(&format!("cannot be read: {refused}"));
    }
    told(&updated, printer);
    Ok(())
}

/// Says which ways an update went.
pub(crate) fn told(updated: &Updated, printer: &Printer) {
    for fallback in &updated.fallbacks {
        printer.warning(fallback);
    }
    for detail in &updated.details {
        printer.detail(&format!("read as a whole: {detail}"));
    }
}

/// What a condition asks for and the database lacks: nothing found is no pass.
pub(crate) fn unanswered(thresholds: &Thresholds, database: &Database) -> Vec<Gap> {
    let asked = [
        (thresholds.exploited, FactKind::Exploited, "--fail-on-kev"),
        (thresholds.epss.is_some(), FactKind::Epss, "--fail-on-epss"),
    ];
    let lacking = asked
        .into_iter()
        .filter(|(is_asked, kind, _)| *is_asked && !database.has(*kind));
    lacking
        .map(|(_, kind, flag)| {
            let reason = format!("the database has none, and `{flag}` asks for them");
            Gap::new(GapKind::Missing, kind.what(), reason)
        })
        .collect()
}

/// Says at the terminal that advisories are old: in a report it is one gap
/// among others, and nothing found is then no good news.
pub(crate) fn warn_of_age(database: &Database, gaps: &[Gap], printer: &Printer) {
    // Of the starter database that was said already.
    if database.is_starter() {
        return;
    }
    let old = gaps
        .iter()
        .filter(|gap| gap.kind == GapKind::StaleAdvisories);
    let mut old: Vec<String> = old
        .map(|gap| format!("`{}`: {}", gap.subject, gap.reason))
        .collect();
    old.sort();
    old.dedup();
    if !old.is_empty() {
        printer.warning(&format!(
            "advisories are old ({}): what was found since is not known here; `seawall db update` fetches newer ones",
            old.join("; ")
        ));
    }
}

/// Shows downloads.
pub(crate) struct Downloads(pub(crate) ByteBar);

impl FetchProgress for Downloads {
    fn bytes(&self, label: &str, bytes: u64) {
        self.0.show(label, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_asked_once_a_day_and_after_a_clock_that_was_wrong() {
        let now = 1_800_000_000;
        let due = [
            0,
            1,
            now - DAY - 1,
            now - DAY,
            now,
            now + DAY,
            now + DAY + 1,
        ];
        assert_eq!(
            due.map(|checked| is_due(checked, now)),
            [false, true, true, false, false, false, true]
        );
    }
}
