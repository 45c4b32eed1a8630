//! From packages and a database to matches.
//!
//! Packages become subjects (the name and version that advisories go by), each
//! subject's records are judged, and what affects it is gathered into one match
//! per source package and flaw. Nothing here reads a clock or a file.

mod build;
mod cluster;
mod gaps;
pub(crate) mod judge;
mod minor;
pub(crate) mod owner;
pub(crate) mod range;
pub(crate) mod subject;
pub(crate) mod weigh;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use seawall_model::{Confidence, Gap, Os, Package, Severity, Vulnerability};

use crate::{
    Candidate, RecordKind, Store, StoreError, feed,
    matching::{
        cluster::{Facts, Looked},
        subject::{Authority, Subject},
    },
    shard::base,
};

/// What to match.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The distribution of the target.
    pub os: Option<&'a Os>,
    /// Its packages.
    pub packages: &'a [Package],
    /// The day to judge ages by, `YYYY-MM-DD`.
    pub today: &'a str,
    /// Whether the database is the starter one: its end is then always a gap.
    pub starter: bool,
    /// Age in days from which a shard's newest advisory makes a gap. `None`
    /// never does.
    pub max_age: Option<u32>,
    /// Whether the packages come from a document in which an rpm epoch may be
    /// left out. A missing one is then taken to be the advisory's; from an rpm
    /// database it is 0, as rpm has it.
    pub epochs_left_out: bool,
}

/// What matched, and what could not be matched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matches {
    /// Sorted by package, then by the flaw's id.
    pub matches: Vec<Match>,
    /// Sorted.
    pub gaps: Vec<Gap>,
    /// Names of the shards that were asked, sorted.
    pub shards_used: Vec<String>,
    /// Set when the distribution's release gets no more fixes.
    pub end_of_life: Option<EndOfLife>,
    /// The same for a release that will get none from a day on that is known.
    pub end_to_come: Option<EndOfLife>,
    /// Indices of the packages that the distribution alone answers for, since
    /// packages of its own brought them; sorted.
    pub left_to_distribution: Vec<usize>,
}

/// One flaw of one package.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// Index of the package.
    pub package: usize,
    /// Indices of the other packages that share the finding: binaries of the
    /// same source package, the same package named twice in one file.
    pub also: Vec<usize>,
    /// What the deciding record warns of.
    pub kind: RecordKind,
    /// The first of the vulnerability's severities.
    pub severity: Severity,
    /// Low when the version is none that its package manager would accept: it
    /// was compared all the same, with what sense it makes. Low too when a build
    /// for live patches or certified cryptography was compared with fixes of the
    /// plain package, for want of one of its own line.
    pub confidence: Confidence,
    /// The flaw.
    pub vulnerability: Vulnerability,
    /// The range that holds the version: `< 1.1.22-r4`.
    pub range: String,
}

/// When a release gets no more fixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndOfLife {
    /// What people call the distribution.
    pub name: &'static str,
    /// The release, as endoflife.date writes it.
    pub cycle: String,
    /// The day, `YYYY-MM-DD`; empty when it is not known.
    pub date: String,
}

/// The shards that the packages need, so that only those are fetched; sorted.
/// Where a release is spread over several shards, the ecosystem's name stands
/// for them.
pub fn shards_needed(os: Option<&Os>, packages: &[Package]) -> Vec<String> {
    let mut needed = BTreeSet::new();
    for package in packages {
        if let Some(ecosystem) = subject::language(&package.kind) {
            needed.insert(ecosystem.to_owned());
        } else if subject::is_system(&package.kind)
            && let Some((distro, shards)) = subject::distribution(os)
            && distro.packages == package.kind
        {
            needed.insert(match shards {
                crate::distros::Shards::One(name) => name,
                _ => distro.ecosystem.unwrap_or_default().to_owned(),
            });
        }
    }
    needed.into_iter().collect()
}

/// The shards of a database that answer for a target.
pub(crate) struct Shards<'s> {
    distribution: Vec<&'s str>,
    all: Vec<&'s str>,
}

impl<'s> Shards<'s> {
    pub(crate) fn new(store: &'s dyn Store, os: Option<&Os>) -> Self {
        let all = store.shards();
        let distribution = subject::distribution(os).map_or_else(Vec::new, |(_, shards)| {
            all.iter()
                .copied()
                .filter(|name| shards.fits(feed::release(name)))
                .collect()
        });
        Shards { distribution, all }
    }

    /// Feeds of an ecosystem that have shards, but none of the target's
    /// release.
    pub(crate) fn silent_feeds(&self, ecosystem: &str) -> Vec<&'s str> {
        let of = |shards: &[&'s str]| -> BTreeSet<&'s str> {
            let own = shards.iter().filter(|shard| base(shard) == ecosystem);
            own.filter_map(|shard| feed::of_shard(shard)).collect()
        };
        let answering = of(&self.distribution);
        of(&self.all).difference(&answering).copied().collect()
    }

    /// The shards that answer for an authority. Records of packages made to do
    /// harm lie apart.
    pub(crate) fn of(&self, authority: Authority) -> impl Iterator<Item = &'s str> {
        let (distribution, ecosystem) = match authority {
            Authority::Distribution(_) => (self.distribution.as_slice(), None),
            Authority::Ecosystem(ecosystem) => (&[] as &[&str], Some(ecosystem)),
        };
        let own = self.all.iter().copied().filter(move |shard| {
            ecosystem.is_some_and(|ecosystem| {
                shard
                    .strip_prefix(ecosystem)
                    .is_some_and(|rest| matches!(rest, "" | ":malicious"))
            })
        });
        distribution.iter().copied().chain(own)
    }
}

/// Subjects are cheap one by one; below this number a second thread costs more
/// than it brings.
const FEW_SUBJECTS: usize = 128;

/// Matches the packages of a target against a database.
pub fn find(store: &dyn Store, request: &Request<'_>) -> Matches {
    let shards = Shards::new(store, request.os);
    let left = owner::left_to_distribution(store, &shards, request);
    let (subjects, unserved) = subject::subjects(request, &left);
    let (end_of_life, end_to_come) = match end_of_life(store, request) {
        Some((end, true)) => (Some(end), None),
        Some((end, false)) => (None, Some(end)),
        None => (None, None),
    };
    // Many versions of one package (a tree of node_modules is full of them) are
    // judged by records that are read once.
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    let name = |at: &usize| subjects.get(*at).map(Subject::key);
    order.sort_by_key(name);
    let groups: Vec<&[usize]> = order.chunk_by(|a, b| name(a) == name(b)).collect();
    let look_up = |group: &&[usize]| {
        let of_name: Vec<&Subject<'_>> = group.iter().filter_map(|at| subjects.get(*at)).collect();
        look_up(store, &shards, &of_name, end_of_life.is_some())
    };
    let results: Vec<(Vec<Looked>, Vec<StoreError>)> = if subjects.len() < FEW_SUBJECTS {
        groups.iter().map(look_up).collect()
    } else {
        groups.par_iter().map(look_up).collect()
    };
    let mut found: Vec<Looked> = Vec::new();
    found.resize_with(subjects.len(), Looked::default);
    let mut damage = Vec::new();
    for (group, (of_group, errors)) in groups.iter().zip(results) {
        for (at, of_subject) in group.iter().zip(of_group) {
            if let Some(slot) = found.get_mut(*at) {
                *slot = of_subject;
            }
        }
        damage.extend(errors);
    }
    let mut gaps = gaps::damaged(damage);
    gaps.extend(gaps::unserved(request, &unserved));
    gaps.extend(gaps::doubtful(&subjects));
    let (more, shards_used) = gaps::coverage(store, request, &shards, &subjects);
    gaps.extend(more);
    gaps.sort();
    gaps.dedup();
    Matches {
        matches: cluster::merge(&subjects, found),
        gaps,
        shards_used,
        end_of_life,
        end_to_come,
        left_to_distribution: {
            let mut left: Vec<usize> = left.into_iter().collect();
            left.sort_unstable();
            left
        },
    }
}

/// What affects each of the subjects, which are of one name.
fn look_up(
    store: &dyn Store,
    shards: &Shards<'_>,
    subjects: &[&Subject<'_>],
    end_of_life: bool,
) -> (Vec<Looked>, Vec<StoreError>) {
    let Some(first) = subjects.first() else {
        return (Vec::new(), Vec::new());
    };
    let mut candidates: BTreeMap<(Option<&str>, &str), Vec<Candidate<'_>>> = BTreeMap::new();
    let mut errors = Vec::new();
    for shard in shards.of(first.authority) {
        match store.candidates(shard, &first.name) {
            Ok(more) if more.is_empty() => {}
            Ok(more) => candidates
                .entry((feed::of_shard(shard), shard))
                .or_default()
                .extend(more),
            Err(error) => errors.push(error),
        }
    }
    if candidates.is_empty() {
        return (Vec::new(), errors);
    }
    let records = cluster::by_record(candidates);
    let mut facts = Facts::new(store);
    let mut of_subject = |subject: &&Subject<'_>| {
        let judged = cluster::judge_all(subject, &records);
        let found = match cluster::gather(&mut facts, subject, &judged, end_of_life) {
            Ok(found) => found,
            Err((found, error)) => {
                errors.push(error);
                found
            }
        };
        Looked {
            cleared: cluster::cleared(subject, &judged),
            found,
        }
    };
    let found = subjects.iter().map(&mut of_subject).collect();
    (found, errors)
}

/// When the distribution's release ends, and whether it has.
fn end_of_life(store: &dyn Store, request: &Request<'_>) -> Option<(EndOfLife, bool)> {
    let os = request.os?;
    let distro = crate::distros::by_id(&os.id)?;
    let cycle = distro.cycle(os)?;
    let date = store.end_of_life(distro.product?, &cycle)?;
    let end = EndOfLife {
        name: distro.name,
        cycle,
        date: date.to_owned(),
    };
    // Dates of this form compare as text.
    Some((end, date.is_empty() || date <= request.today))
}
