//! From judged records to one match per flaw.
//!
//! An ecosystem's records are joined by their aliases: GO, GHSA and CVE of one
//! flaw are one match. A distribution's advisory is about several flaws: it
//! becomes one match for each CVE, and where several advisories are about one
//! CVE, all of them must be met (the first fix of it was not enough).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use seawall_model::{Confidence, Epss, Kev, Severity, Status, Vulnerability};

use crate::{
    Affected, Candidate, Match, Record, RecordKind, Store, StoreError,
    matching::{
        judge::{self, Hit},
        range,
        subject::Subject,
        weigh::{Judged, Weighed, flaws_of, is_cve},
    },
    severity::Opinions,
};

/// What came of one subject.
#[derive(Default)]
pub(crate) struct Looked {
    pub found: Vec<Found>,
    /// Flaws that a package does not have by what is said of its own name: what
    /// is said of its source package does not count for it. And whether a feed
    /// says so.
    pub cleared: Vec<(String, bool)>,
}

/// One match of one subject, before subjects of one source are merged.
pub(crate) struct Found {
    pub kind: RecordKind,
    pub severity: Severity,
    pub vulnerability: Vulnerability,
    pub range: String,
    /// Whether all that decided is of another line of builds than the package.
    pub is_in_doubt: bool,
    /// Whether a feed says so.
    pub is_of_feed: bool,
}

/// A record and all of its entries of one shard that bear one name.
pub(crate) struct Named<'a> {
    record: Record<'a>,
    entries: Vec<Affected<'a>>,
    feed: Option<&'a str>,
}

/// Every record of every shard once, with all of its entries there. Candidates
/// come by their feed and shard; two sources of one record are two, and so are
/// two shards: a service pack and its modules have builds of their own.
pub(crate) fn by_record<'a>(
    candidates: BTreeMap<(Option<&'a str>, &str), Vec<Candidate<'a>>>,
) -> Vec<Named<'a>> {
    let mut records: Vec<Named<'_>> = Vec::new();
    for ((feed, _), candidates) in candidates {
        let start = records.len();
        for candidate in candidates {
            let own = records.iter_mut().skip(start);
            let last = own
                .rev()
                .find(|named| named.record.id == candidate.record.id);
            match last {
                Some(named) => named.entries.push(candidate.affected),
                None => records.push(Named {
                    record: candidate.record,
                    entries: vec![candidate.affected],
                    feed,
                }),
            }
        }
    }
    records
}

/// Judges a subject by every record of its name.
pub(crate) fn judge_all<'a>(subject: &Subject<'_>, records: &'a [Named<'a>]) -> Vec<Judged<'a>> {
    let judge =
        |named: &'a Named<'a>| Judged::new(subject, &named.record, &named.entries, named.feed);
    records.iter().map(judge).collect()
}

/// Severity, exploitation and its likelihood, as the database has them of CVEs:
/// each is asked for once, however many versions of a package it is about.
pub(crate) struct Facts<'s> {
    store: &'s dyn Store,
    known: HashMap<String, OfCve<'s>>,
}

#[derive(Default)]
struct OfCve<'s> {
    vectors: Vec<(&'s str, &'s str)>,
    kev: Option<Kev>,
    epss: Option<Epss>,
    /// The last fault of the database that was met on the way.
    error: Option<StoreError>,
}

impl<'s> Facts<'s> {
    pub(crate) fn new(store: &'s dyn Store) -> Self {
        Facts {
            store,
            known: HashMap::new(),
        }
    }

    fn of(&mut self, cve: &str) -> &OfCve<'s> {
        let store = self.store;
        self.known.entry(cve.to_owned()).or_insert_with(|| {
            let mut facts = OfCve::default();
            match store.cvss(cve) {
                Ok(vectors) => facts.vectors = vectors,
                Err(error) => facts.error = Some(error),
            }
            match store.kev(cve) {
                Ok(kev) => facts.kev = kev,
                Err(error) => facts.error = Some(error),
            }
            match store.epss(cve) {
                Ok(epss) => facts.epss = epss,
                Err(error) => facts.error = Some(error),
            }
            facts
        })
    }
}

/// Gathers the records that affect a subject into one match per flaw.
///
/// # Errors
/// What was found in spite of it, and the error, when facts of a CVE could not
/// be read.
pub(crate) fn gather(
    facts: &mut Facts<'_>,
    subject: &Subject<'_>,
    judged: &[Judged<'_>],
    end_of_life: bool,
) -> Result<Vec<Found>, (Vec<Found>, StoreError)> {
    let clusters = if subject.authority.is_distribution() {
        by_flaw(judged)
    } else {
        by_alias(judged)
    };
    let mut found = Vec::with_capacity(clusters.len());
    let mut error = None;
    for cluster in &clusters {
        let (one, failed) = finding(facts, subject, cluster, end_of_life);
        found.push(one);
        error = error.or(failed);
    }
    match error {
        None => Ok(found),
        Some(error) => Err((found, error)),
    }
}

/// The flaws that a package is said not to have, under its own name, where
/// advisories may go by that of its source package as well.
pub(crate) fn cleared(subject: &Subject<'_>, judged: &[Judged<'_>]) -> Vec<(String, bool)> {
    if !subject.is_own_of_two {
        return Vec::new();
    }
    let flaws = Weighed::new(judged).cleared().into_iter();
    let kept = flaws.map(|(flaw, is_by_feed)| (flaw.to_owned(), is_by_feed));
    kept.collect()
}

/// Records that make one match.
struct Cluster<'j, 'a> {
    id: &'a str,
    /// Other ids of the flaw.
    aliases: Vec<&'a str>,
    /// The deciding one first.
    records: Vec<&'j Judged<'a>>,
    /// Records that a feed overrules: their severities and texts are known all
    /// the same.
    overruled: Vec<&'j Judged<'a>>,
}

/// Clusters of a distribution's records: one per CVE. Of a flaw that its own
/// feed speaks of, the feed alone knows: fixed or not, in which state.
fn by_flaw<'j, 'a>(judged: &'j [Judged<'a>]) -> Vec<Cluster<'j, 'a>> {
    let weighed = Weighed::new(judged);
    let mut flaws: BTreeMap<&'a str, Vec<&'j Judged<'a>>> = BTreeMap::new();
    for one in judged.iter().filter(|one| one.hit().is_some()) {
        for id in flaws_of(one.record) {
            if weighed.counts(one, id) {
                flaws.entry(id).or_default().push(one);
            }
        }
    }
    flaws
        .into_iter()
        .filter(|(id, _)| weighed.clearing(id).is_none())
        .map(|(id, records)| {
            let mut aliases = Vec::new();
            for one in &records {
                aliases.push(one.record.id);
                aliases.extend(
                    one.hit()
                        .map(|hit| hit.advisory)
                        .filter(|id| !id.is_empty()),
                );
                if one.record.upstream.iter().filter(|id| is_cve(id)).count() <= 1 {
                    aliases.extend(one.record.aliases.iter().chain(&one.record.upstream));
                }
            }
            let others = judged.iter().filter(|one| !weighed.counts(one, id));
            let overruled: Vec<&Judged<'a>> = others
                .filter(|one| flaws_of(one.record).contains(&id) && !one.record.withdrawn)
                .collect();
            aliases.extend(overruled.iter().map(|one| one.record.id));
            Cluster {
                id,
                aliases,
                records,
                overruled,
            }
        })
        .collect()
}

/// Clusters of an ecosystem's records: those that share an id.
fn by_alias<'j, 'a>(judged: &'j [Judged<'a>]) -> Vec<Cluster<'j, 'a>> {
    let hits: Vec<&Judged<'a>> = judged.iter().filter(|one| one.hit().is_some()).collect();
    let mut owner: BTreeMap<&'a str, usize> = BTreeMap::new();
    let mut parent: Vec<usize> = (0..hits.len()).collect();
    for (at, one) in hits.iter().enumerate() {
        for id in std::iter::once(one.record.id).chain(one.record.aliases.iter().copied()) {
            match owner.get(id) {
                Some(other) => join(&mut parent, at, *other),
                None => {
                    owner.insert(id, at);
                }
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<&'j Judged<'a>>> = BTreeMap::new();
    for (at, one) in judged.iter().filter(|one| one.hit().is_some()).enumerate() {
        groups.entry(root(&parent, at)).or_default().push(one);
    }
    groups
        .into_values()
        .map(|records| {
            let mut ids: Vec<&'a str> = records
                .iter()
                .flat_map(|one| {
                    std::iter::once(one.record.id).chain(one.record.aliases.iter().copied())
                })
                .collect();
            ids.sort_unstable();
            ids.dedup();
            let first = records.iter().map(|one| one.record.id).min_by_key(id_rank);
            let cve = ids
                .iter()
                .copied()
                .filter(|id| is_cve(id))
                .min_by_key(|id| cve_order(id));
            Cluster {
                id: cve.or(first).unwrap_or_default(),
                aliases: ids,
                records,
                overruled: Vec::new(),
            }
        })
        .collect()
}

fn root(parent: &[usize], mut at: usize) -> usize {
    while let Some(up) = parent.get(at).copied().filter(|up| *up != at) {
        at = up;
    }
    at
}

fn join(parent: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parent, a), root(parent, b));
    // Towards the lower one, so that the order of the records stays.
    if let Some(slot) = parent.get_mut(a.max(b)) {
        *slot = a.min(b);
    }
}

/// By year and number, so that CVE-2020-9 comes before CVE-2020-10000.
fn cve_order(id: &str) -> (u32, u64, &str) {
    let mut parts = id.split('-').skip(1);
    let year = parts
        .next()
        .and_then(|year| year.parse().ok())
        .unwrap_or(u32::MAX);
    let number = parts
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(u64::MAX);
    (year, number, id)
}

/// The ecosystem's own database first, then GitHub's, then the rest.
fn id_rank<'a>(id: &&'a str) -> (u8, &'a str) {
    const OWN: &[&str] = &[
        "PYSEC-", "GO-", "RUSTSEC-", "RSEC-", "HSEC-", "EEF-", "JLSEC-", "OSEC-", "DRUPAL-",
    ];
    let rank = if OWN.iter().any(|own| id.starts_with(own)) {
        0
    } else {
        u8::from(!id.starts_with("GHSA-")) + 1
    };
    (rank, id)
}

/// Harm first, then flaws, then notices.
fn kind_rank(kind: RecordKind) -> u8 {
    match kind {
        RecordKind::Malicious => 0,
        RecordKind::Vulnerability => 1,
        RecordKind::Unsound => 2,
        RecordKind::Unmaintained => 3,
        RecordKind::Notice => 4,
    }
}

fn finding(
    facts: &mut Facts<'_>,
    subject: &Subject<'_>,
    cluster: &Cluster<'_, '_>,
    end_of_life: bool,
) -> (Found, Option<StoreError>) {
    let mut records: Vec<(&Judged<'_>, &Hit<'_>)> = cluster
        .records
        .iter()
        .filter_map(|one| Some((*one, one.hit()?)))
        .collect();
    if subject.authority.is_distribution() {
        // The advisory whose fix is the last to be reached decides.
        records.sort_by(|(a, a_hit), (b, b_hit)| {
            let fixes = match (highest_fix(subject, a_hit), highest_fix(subject, b_hit)) {
                (Some(a), Some(b)) => judge::compare(subject, b, a),
                (a, b) => a.is_some().cmp(&b.is_some()),
            };
            fixes.then_with(|| a.record.id.cmp(b.record.id))
        });
    } else {
        records.sort_by_key(|(one, _)| (kind_rank(one.record.kind), id_rank(&one.record.id)));
    }

    let fixed = mending(subject, &records);
    let mut vulnerability = Vulnerability {
        id: cluster.id.to_owned(),
        fixed: fixed.into_iter().map(str::to_owned).collect(),
        ..Vulnerability::default()
    };
    let mut aliases: Vec<&str> = cluster
        .aliases
        .iter()
        .copied()
        .filter(|id| *id != cluster.id)
        .collect();
    aliases.sort_unstable();
    aliases.dedup();

    let error = add_facts(
        facts,
        subject,
        cluster,
        &aliases,
        &records,
        &mut vulnerability,
    );
    vulnerability.aliases = aliases.into_iter().map(str::to_owned).collect();

    let mut range = String::new();
    let mut kind = RecordKind::default();
    let mut state = "";
    if let Some((first, hit)) = records.first() {
        let advisory = match hit.advisory {
            "" => first.record.id,
            own => own,
        };
        advisory.clone_into(&mut vulnerability.advisory);
        kind = first.record.kind;
        range = hit.stretch.to_string();
        state = records
            .iter()
            .map(|(_, hit)| hit.state)
            .find(|state| !state.is_empty())
            .unwrap_or("");
        let text = |pick: for<'r> fn(&Record<'r>) -> &'r str| {
            records
                .iter()
                .map(|(one, _)| one)
                .chain(&cluster.overruled)
                .map(|one| pick(one.record))
                .find(|text| is_known(text))
                .map(str::to_owned)
        };
        vulnerability.summary = text(|record| record.summary);
        vulnerability.published = text(|record| record.published);
        vulnerability.modified = text(|record| record.modified);
    }
    vulnerability.status = status(subject, &vulnerability, state, end_of_life);
    let severity = vulnerability
        .severities
        .first()
        .map_or_else(|| unjudged(kind), |opinion| opinion.severity);
    (
        Found {
            kind,
            severity,
            vulnerability,
            range,
            is_of_feed: records.iter().any(|(one, _)| one.feed.is_some()),
            is_in_doubt: records.iter().all(|(one, _)| one.is_of_plain_line),
        },
        error,
    )
}

/// How many ends of ranges are followed. The longest chain in the public feeds
/// has about thirty.
const MOST_STEPS: usize = 256;

/// Versions that mend every record of a cluster, lowest first.
///
/// The end of the range that holds the version is not always one: a publisher
/// may write one range a branch, each ending where the next begins (symfony has
/// a dozen), or fix a flaw twice. So the ends are followed until a version is
/// reached that no record holds.
fn mending<'a>(subject: &Subject<'_>, records: &[(&Judged<'a>, &Hit<'a>)]) -> Vec<&'a str> {
    let mut todo: Vec<&'a str> = records
        .iter()
        .flat_map(|(_, hit)| hit.fixed.iter().copied())
        .collect();
    // The rule for nearly all records: one range that ends where it is mended.
    if let [(one, _)] = records
        && let [entry] = one.entries
        && let [range] = entry.ranges.as_slice()
        && range.events.len() <= 2
    {
        return todo;
    }
    let mut seen = BTreeSet::new();
    let mut fixed = Vec::new();
    while let Some(version) = todo.pop() {
        // A record with thousands of events must not cost their square.
        if seen.len() == MOST_STEPS {
            break;
        }
        if !seen.insert(version) {
            continue;
        }
        let holding = records
            .iter()
            .filter(|(one, _)| judge::would_be_affected(subject, one.record, one.entries, version));
        let mut held = false;
        for (one, _) in holding {
            held = true;
            let own = judge::of_its_build(subject, one.record, one.entries);
            for (_, entry) in own {
                todo.extend(range::fixes(subject.scheme, entry, version));
            }
        }
        if !held {
            fixed.push(version);
        }
    }
    fixed.sort_by(|a, b| judge::compare(subject, a, b));
    fixed
}

fn highest_fix<'a>(subject: &Subject<'_>, hit: &Hit<'a>) -> Option<&'a str> {
    hit.fixed
        .iter()
        .copied()
        .max_by(|a, b| judge::compare(subject, a, b))
}

/// Go's database writes the year 1 for a day that it does not know.
fn is_known(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("0001-")
}

/// What a match is taken for when nobody judged it.
fn unjudged(kind: RecordKind) -> Severity {
    match kind {
        RecordKind::Malicious => Severity::Critical,
        RecordKind::Vulnerability | RecordKind::Unsound => Severity::Unknown,
        RecordKind::Unmaintained | RecordKind::Notice => Severity::Low,
    }
}

fn status(
    subject: &Subject<'_>,
    vulnerability: &Vulnerability,
    state: &str,
    end_of_life: bool,
) -> Status {
    if !vulnerability.fixed.is_empty() {
        return Status::Fixed;
    }
    match state {
        "will-not-fix" | "wont-fix" | "wontfix" | "ignored" => Status::WillNotFix,
        "no-dsa" | "postponed" | "deferred" | "fix-deferred" => Status::Deferred,
        "end-of-life" => Status::EndOfLife,
        "undetermined" | "under-investigation" => Status::UnderInvestigation,
        _ if end_of_life && subject.authority.is_distribution() => Status::EndOfLife,
        _ => Status::Affected,
    }
}

/// Severities, CVSS, KEV and EPSS.
fn add_facts(
    facts: &mut Facts<'_>,
    subject: &Subject<'_>,
    cluster: &Cluster<'_, '_>,
    aliases: &[&str],
    records: &[(&Judged<'_>, &Hit<'_>)],
    vulnerability: &mut Vulnerability,
) -> Option<StoreError> {
    let mut error = None;
    let mut opinions = Opinions::default();
    for (one, hit) in records {
        let source = if subject.authority.is_distribution() {
            format!("vendor:{}", subject.authority.ecosystem())
        } else {
            format!("ecosystem:{}", one.record.id)
        };
        opinions.add_word(source.clone(), hit.severity);
        opinions.add_word(source, one.record.vendor_severity);
    }
    for one in &cluster.overruled {
        let source = format!("vendor:{}", subject.authority.ecosystem());
        for entry in one.entries {
            opinions.add_word(source.clone(), entry.severity);
        }
        opinions.add_word(source, one.record.vendor_severity);
    }
    let records = records.iter().map(|(one, _)| one);
    for one in records.chain(&cluster.overruled) {
        opinions.add_vectors(
            one.record
                .cvss
                .iter()
                .map(|vector| (one.record.id, *vector)),
        );
    }
    for cve in std::iter::once(&cluster.id)
        .chain(aliases)
        .copied()
        .filter(|id| is_cve(id))
    {
        let known = facts.of(cve);
        opinions.add_vectors(known.vectors.iter().copied());
        merge_kev(&mut vulnerability.kev, known.kev.as_ref());
        vulnerability.epss = vulnerability.epss.or(known.epss);
        error = known.error.clone().or(error);
    }
    (vulnerability.severities, vulnerability.cvss) = opinions.finish();
    error
}

/// The earliest entry counts when several CVEs of one flaw have one.
fn merge_kev(kept: &mut Option<Kev>, new: Option<&Kev>) {
    let earlier = |new: &&Kev| kept.as_ref().is_none_or(|kept| new.added < kept.added);
    if let Some(new) = new.filter(earlier) {
        *kept = Some(new.clone());
    }
}

/// Merges the matches of subjects that are binaries of one source package, and
/// sorts all of them.
pub(crate) fn merge(subjects: &[Subject<'_>], found: Vec<Looked>) -> Vec<Match> {
    let count = found.iter().map(|looked| looked.found.len()).sum();
    let mut matches: Vec<Match> = Vec::with_capacity(count);
    let mut of_source: BTreeMap<((&str, &str), String), usize> = BTreeMap::new();
    let mut cleared: HashMap<usize, BTreeMap<String, bool>> = HashMap::new();
    let mut all = Vec::with_capacity(found.len());
    for (subject, looked) in subjects.iter().zip(found) {
        if !looked.cleared.is_empty() {
            let packages = subject.packages.iter();
            for package in packages {
                let own = cleared.entry(*package).or_default();
                own.extend(looked.cleared.iter().cloned());
            }
        }
        all.push((subject, looked.found));
    }
    let has = |package: &usize, one: &Found| {
        let own = cleared.get(package);
        let said = own.and_then(|flaws| flaws.get(&one.vulnerability.id));
        said.is_none_or(|is_by_feed| one.is_of_feed && !is_by_feed)
    };
    for (subject, found) in all {
        let valid = (subject.scheme.is_valid)(&subject.version);
        for one in found {
            let confidence = if valid && !one.is_in_doubt {
                Confidence::High
            } else {
                Confidence::Low
            };
            let packages: Vec<usize> = subject
                .packages
                .iter()
                .copied()
                .filter(|package| !subject.is_source_of_two || has(package, &one))
                .collect();
            let (first, rest) = match packages.as_slice() {
                [first, rest @ ..] => (*first, rest),
                [] => continue,
            };
            if let Some(source) = subject.source {
                let key = (source, one.vulnerability.id.clone());
                if let Some(known) = of_source.get(&key).and_then(|at| matches.get_mut(*at)) {
                    let others = packages.iter().filter(|index| **index != known.package);
                    known.also.extend(others);
                    // Binaries of one source can need different fixes; each is named.
                    for version in one.vulnerability.fixed {
                        if !known.vulnerability.fixed.contains(&version) {
                            known.vulnerability.fixed.push(version);
                        }
                    }
                    known
                        .vulnerability
                        .fixed
                        .sort_by(|a, b| judge::compare(subject, a, b));
                    known.severity = known.severity.max(one.severity);
                    if confidence == Confidence::High {
                        known.confidence = confidence;
                    }
                    continue;
                }
                of_source.insert(key, matches.len());
            }
            matches.push(Match {
                package: first,
                also: rest.to_vec(),
                kind: one.kind,
                severity: one.severity,
                confidence,
                vulnerability: one.vulnerability,
                range: one.range,
            });
        }
    }
    for one in &mut matches {
        one.also.sort_unstable();
        one.also.dedup();
    }
    matches.sort_by(|a, b| {
        (a.package, &a.vulnerability.id, &a.vulnerability.advisory).cmp(&(
            b.package,
            &b.vulnerability.id,
            &b.vulnerability.advisory,
        ))
    });
    matches
}
