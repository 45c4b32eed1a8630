//! What could not be matched, by name.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use seawall_model::{Gap, GapKind};

use crate::{
    Store, StoreError, distros,
    matching::{
        Request, Shards,
        subject::{self, Authority, Subject, Unserved},
    },
};

/// One gap for each damaged shard.
pub(super) fn damaged(errors: Vec<StoreError>) -> Vec<Gap> {
    let shards: BTreeMap<String, String> = errors
        .into_iter()
        .map(|error| (error.shard, error.reason))
        .collect();
    shards
        .into_iter()
        .map(|(shard, reason)| Gap::new(GapKind::Damaged, shard, reason))
        .collect()
}

fn packages(count: usize) -> String {
    if count == 1 {
        "1 package was".to_owned()
    } else {
        format!("{count} packages were")
    }
}

/// One gap for each reason and kind of package that nobody answers for.
pub(super) fn unserved(request: &Request<'_>, unserved: &[(usize, Unserved<'_>)]) -> Vec<Gap> {
    let mut counts: BTreeMap<(GapKind, String, String), usize> = BTreeMap::new();
    for (index, reason) in unserved {
        let Some(package) = request.packages.get(*index) else {
            continue;
        };
        let kind = &package.kind;
        let (gap, subject, reason) = match reason {
            // Go's main module has no version before it is released.
            Unserved::NoVersion if package.version.trim() == "(devel)" => continue,
            Unserved::Owned(_) => continue,
            Unserved::NoVersion => (
                GapKind::Unsupported,
                format!("{kind} packages without a version"),
                "there is no version to compare".to_owned(),
            ),
            Unserved::Kind => (
                GapKind::NoAdvisories,
                format!("{kind} packages"),
                "no advisories are known for this kind of package".to_owned(),
            ),
            Unserved::NoDistribution => (
                GapKind::NoAdvisories,
                format!("{kind} packages"),
                "the target does not say which distribution they belong to".to_owned(),
            ),
            Unserved::Distribution(os) => (
                GapKind::NoAdvisories,
                os.name.clone(),
                match distros::by_id(&os.id) {
                    Some(_) => "no feed of advisories exists for this distribution".to_owned(),
                    None => format!("the distribution `{}` is not known", os.id),
                },
            ),
            Unserved::Foreign(os) => (
                GapKind::NoAdvisories,
                format!("{kind} packages"),
                format!("they are not those of {}", os.name),
            ),
            Unserved::NoRelease(os) => (
                GapKind::NoAdvisories,
                os.name.clone(),
                "the target does not say which release it is".to_owned(),
            ),
        };
        *counts.entry((gap, subject, reason)).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|((kind, subject, reason), count)| {
            Gap::new(
                kind,
                subject,
                format!("{reason}: {} not matched", packages(count)),
            )
        })
        .collect()
}

/// One gap for each ecosystem with versions that make no sense in it.
pub(super) fn doubtful(subjects: &[Subject<'_>]) -> Vec<Gap> {
    let mut by_ecosystem: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for subject in subjects {
        if (subject.scheme.is_valid)(&subject.version) {
            continue;
        }
        let example = || format!("`{}` of `{}`", subject.version, subject.name);
        let entry = by_ecosystem
            .entry(subject.authority.ecosystem())
            .or_insert_with(|| (0, example()));
        entry.0 += subject.packages.len();
    }
    by_ecosystem
        .into_iter()
        .map(|(ecosystem, (count, example))| {
            Gap::new(
                GapKind::Unsupported,
                format!("{ecosystem} versions"),
                format!(
                    "{example} is no version there: {} compared in doubt",
                    packages(count)
                ),
            )
        })
        .collect()
}

/// Gaps for shards that are missing or end too early, and the shards used.
pub(super) fn coverage(
    store: &dyn Store,
    request: &Request<'_>,
    shards: &Shards<'_>,
    subjects: &[Subject<'_>],
) -> (Vec<Gap>, Vec<String>) {
    let mut needed: BTreeMap<&str, (Authority, usize)> = BTreeMap::new();
    for subject in subjects {
        let entry = needed
            .entry(subject.authority.ecosystem())
            .or_insert((subject.authority, 0));
        entry.1 += subject.packages.len();
    }
    let mut gaps = Vec::new();
    let mut used = BTreeSet::new();
    for (authority, count) in needed.into_values() {
        let mut found = false;
        for shard in shards.of(authority) {
            found = true;
            used.insert(shard.to_owned());
            if !shard.ends_with(":malicious") {
                gaps.extend(stale(store, request, authority, shard));
                gaps.extend(frozen(store, request, shard));
            }
            let left_out = store.left_out(shard).iter();
            gaps.extend(left_out.map(|what| Gap::new(GapKind::Damaged, shard, what.clone())));
        }
        if found && authority.is_distribution() {
            let release = wanted(request, authority);
            let silent = shards.silent_feeds(authority.ecosystem()).into_iter();
            gaps.extend(silent.map(|feed| {
                Gap::new(
                    GapKind::NoAdvisories,
                    format!("{release}@{feed}"),
                    "the feed has no records of this release: its states are not known",
                )
            }));
        }
        if !found {
            let wanted = wanted(request, authority);
            let database = if request.starter {
                "the starter database"
            } else {
                "the database"
            };
            gaps.push(Gap::new(
                GapKind::NoAdvisories,
                wanted,
                format!(
                    "{database} has no advisories for it: {} not matched",
                    packages(count)
                ),
            ));
        }
    }
    (gaps, used.into_iter().collect())
}

/// The name of the shard that is missing.
fn wanted(request: &Request<'_>, authority: Authority) -> String {
    match (authority, subject::distribution(request.os)) {
        (Authority::Distribution(_), Some((_, distros::Shards::One(name)))) => name,
        (Authority::Distribution(distro), _) => {
            let version = request.os.map_or("", |os| os.version.as_str());
            format!("{} {version}", distro.ecosystem.unwrap_or(distro.name))
                .trim_end()
                .to_owned()
        }
        (Authority::Ecosystem(name), _) => name.to_owned(),
    }
}

/// A gap for a shard whose newest advisory is old.
///
/// A release that gets no more fixes gets no more advisories either: its shard
/// is old only against the day that it ended.
fn stale(
    store: &dyn Store,
    request: &Request<'_>,
    authority: Authority,
    shard: &str,
) -> Option<Gap> {
    let newest = store.newest(shard)?;
    let Some(newest) = newest.get(..10) else {
        return unasked(store, request, shard);
    };
    if request.starter {
        return Some(Gap::new(
            GapKind::StaleAdvisories,
            shard,
            format!(
                "the starter database was used, whose newest dated advisory for it is of {newest}; today is {}",
                request.today
            ),
        ));
    }
    let max_age = request.max_age?;
    // A day ahead it may be by the clocks of others.
    let is_ahead = days_between(newest, request.today).is_some_and(|age| age < -1);
    let past = is_ahead.then(|| store.newest_until(shard, request.today));
    let newest = match &past {
        None => newest,
        Some(past) => match past.as_ref().and_then(|past| past.get(..10)) {
            Some(past) => past,
            None => {
                let reason = format!(
                    "its advisories are of {newest} and no day before {}: their age is not known",
                    request.today
                );
                return Some(Gap::new(GapKind::StaleAdvisories, shard, reason));
            }
        },
    };
    let ended = match authority {
        Authority::Distribution(distro) => request.os.and_then(|os| {
            let ended = store.end_of_life(distro.product?, &distro.cycle(os)?)?;
            (!ended.is_empty()).then_some(ended)
        }),
        Authority::Ecosystem(_) => None,
    };
    let until = ended
        .filter(|ended| *ended < request.today)
        .unwrap_or(request.today);
    let age = days_between(newest, until)?;
    (age > i64::from(max_age)).then(|| {
        Gap::new(
            GapKind::StaleAdvisories,
            shard,
            format!("the newest advisory is of {newest}, {age} days before {until}"),
        )
    })
}

/// A gap for a shard whose publisher signed nothing for long: he does so each
/// day, so that the place stands still, or somebody shows an old state of it.
fn frozen(store: &dyn Store, request: &Request<'_>, shard: &str) -> Option<Gap> {
    let max_age = request.max_age?;
    let made = store.signed(shard)?.get(..10)?;
    let age = days_between(made, request.today)?;
    (age > i64::from(max_age)).then(|| {
        Gap::new(
            GapKind::StaleAdvisories,
            shard,
            format!(
                "its publisher last signed it on {made}, {age} days before {}",
                request.today
            ),
        )
    })
}

/// A gap for a shard whose records have no dates, as those of Debian's tracker
/// and of Alpine's feed: its age is that of the last look at its source.
fn unasked(store: &dyn Store, request: &Request<'_>, shard: &str) -> Option<Gap> {
    let max_age = request.max_age?;
    let asked = store.asked(shard)?;
    let age = days_between(&asked, request.today)?;
    (age > i64::from(max_age)).then(|| {
        Gap::new(
            GapKind::StaleAdvisories,
            shard,
            format!(
                "its advisories have no dates, and they were last asked for on {asked}, {age} \
                 days before {}",
                request.today
            ),
        )
    })
}

/// Days from one date to another; `None` when either is none.
fn days_between(from: &str, to: &str) -> Option<i64> {
    let (from, to): (Date, Date) = (from.parse().ok()?, to.parse().ok()?);
    Some(i64::from(from.until(to).ok()?.get_days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_years() {
        assert_eq!(days_between("2023-04-10", "2026-11-23"), Some(1323));
        assert_eq!(days_between("2024-02-28", "2024-03-01"), Some(2));
        assert_eq!(days_between("nonsense", "2024-03-01"), None);
    }
}
