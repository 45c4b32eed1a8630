//! Why a flaw does or does not concern the packages of a target.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Affected, Event, Record, Request, Store, StoreError, feed,
    matching::{
        Shards,
        judge::{self, Clear, Judgement},
        owner, range,
        subject::{self, Subject, Unserved},
        weigh::{Judged, Weighed, flaws_of},
    },
    shard::base,
};

/// What one record says of one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Index of the package; `None` when no package of the target is concerned.
    pub package: Option<usize>,
    /// Indices of the packages that share the decision.
    pub also: Vec<usize>,
    /// The record's id; empty when there is none.
    pub record: String,
    /// The shard that it lies in; empty when there is none.
    pub shard: String,
    /// The name that was looked up: the source package's, where advisories go
    /// by it.
    pub name: String,
    /// The version that was compared.
    pub version: String,
    /// The ranges of the record for this name.
    pub range: String,
    /// Whether the package is affected.
    pub affected: bool,
    /// The comparison or rule that decided, lower case, no full stop.
    pub reason: String,
}

/// Explains the flaw or advisory `id` for every package that a record of it
/// names. Never empty: what there is no record or no package for is said.
///
/// # Errors
/// When a part of the database that had to be read is damaged.
pub fn explain(
    store: &dyn Store,
    request: &Request<'_>,
    id: &str,
) -> Result<Vec<Decision>, StoreError> {
    let statements = statements(store, id)?;
    if statements.is_empty() {
        let reason = format!("no record of `{id}` is in the database");
        return Ok(vec![Decision {
            reason,
            ..nothing()
        }]);
    }
    let shards = Shards::new(store, request.os);
    let left = owner::left_to_distribution(store, &shards, request);
    let (subjects, unserved) = subject::subjects(request, &left);
    let mut decisions = Vec::new();
    let cleared = cleared(&subjects, &shards, &statements);
    for subject in &subjects {
        let own = of_subject(&shards, subject, &statements, id).into_iter();
        decisions.extend(own.map(|mut decision| {
            let mut packages = decision.package.iter().chain(&decision.also);
            let of_record = statements
                .iter()
                .find(|one| one.record.id == decision.record);
            let flaws = of_record.map_or_else(Vec::new, |one| asked(&one.record, id));
            let is_of_feed = feed::of_shard(&decision.shard).is_some();
            let is_said = |package: &usize| {
                let mut flaws = flaws.iter().map(|flaw| cleared.get(&(*package, *flaw)));
                flaws.all(|said| said.is_some_and(|is_by_feed| *is_by_feed || !is_of_feed))
            };
            if subject.is_source_of_two && decision.affected && packages.all(is_said) {
                decision.affected = false;
                decision.reason = "what is said of the package itself comes before what is said \
                                   of its source package"
                    .to_owned();
            }
            decision
        }));
    }
    for (index, why) in unserved {
        let Some(package) = request.packages.get(index) else {
            continue;
        };
        let name = package
            .source
            .as_ref()
            .map_or(&package.name, |source| &source.name);
        let of_kind = |statement: &&Statement<'_>| {
            let base = base(statement.shard);
            statement.name == name
                && (subject::language(&package.kind) == Some(base)
                    || subject::is_system(&package.kind))
        };
        if let Some(statement) = statements.iter().find(of_kind) {
            decisions.push(Decision {
                package: Some(index),
                name: name.clone(),
                version: package.version.clone(),
                record: statement.record.id.to_owned(),
                shard: statement.shard.to_owned(),
                reason: match why {
                    Unserved::Owned(owner) => format!(
                        "`{owner}`, a package of the distribution, brought it: the distribution's \
                         advisories decide"
                    ),
                    _ => "there are no advisories for such packages of this target, or no version \
                          to compare"
                        .to_owned(),
                },
                ..nothing()
            });
        }
    }
    if decisions.is_empty() {
        decisions.push(unconcerned(&statements));
    }
    decisions.sort_by(|a, b| {
        (a.package, !a.affected, &a.shard, &a.record).cmp(&(
            b.package,
            !b.affected,
            &b.shard,
            &b.record,
        ))
    });
    Ok(decisions)
}

/// The flaws of a record that are asked for: the one that `id` is, or all of the
/// advisory that it is.
fn asked<'a>(record: &Record<'a>, id: &str) -> Vec<&'a str> {
    let all = flaws_of(record);
    match all.iter().find(|flaw| **flaw == id) {
        Some(flaw) => vec![flaw],
        None => all,
    }
}

/// Packages and the flaws that they are said not to have under their own names,
/// where advisories may go by the name of the source package as well; and whether a
/// feed says so.
fn cleared<'a>(
    subjects: &[Subject<'_>],
    shards: &Shards<'_>,
    statements: &'a [Statement<'a>],
) -> BTreeMap<(usize, &'a str), bool> {
    let mut cleared = BTreeMap::new();
    for subject in subjects.iter().filter(|subject| subject.is_own_of_two) {
        let own: Vec<&str> = shards.of(subject.authority).collect();
        let about = statements.iter().filter(|statement| {
            own.contains(&statement.shard)
                && (subject.scheme.normalise_name)(statement.name) == subject.name
        });
        let judged: Vec<Judged<'_>> = about.map(|one| one.judged(subject)).collect();
        for (flaw, is_by_feed) in Weighed::new(&judged).cleared() {
            let packages = subject.packages.iter();
            cleared.extend(packages.map(|at| ((*at, flaw), is_by_feed)));
        }
    }
    cleared
}

/// A record's entries for one name in one shard.
struct Statement<'a> {
    shard: &'a str,
    record: Record<'a>,
    name: &'a str,
    entries: Vec<Affected<'a>>,
}

impl<'a> Statement<'a> {
    fn judged(&'a self, subject: &Subject<'_>) -> Judged<'a> {
        let feed = feed::of_shard(self.shard);
        Judged::new(subject, &self.record, &self.entries, feed)
    }
}

fn statements<'a>(store: &'a dyn Store, id: &str) -> Result<Vec<Statement<'a>>, StoreError> {
    let mut statements: Vec<Statement<'a>> = Vec::new();
    for (shard, candidate) in store.by_id(id)? {
        let same = |known: &&mut Statement<'a>| {
            known.shard == shard
                && known.record.id == candidate.record.id
                && known.name == candidate.affected.name
        };
        match statements.iter_mut().find(same) {
            Some(known) => known.entries.push(candidate.affected),
            None => statements.push(Statement {
                shard,
                record: candidate.record,
                name: candidate.affected.name,
                entries: vec![candidate.affected],
            }),
        }
    }
    Ok(statements)
}

fn of_subject<'a>(
    shards: &Shards<'_>,
    subject: &Subject<'_>,
    statements: &'a [Statement<'a>],
    id: &str,
) -> Vec<Decision> {
    let own: Vec<&str> = shards.of(subject.authority).collect();
    let ecosystem = subject.authority.ecosystem();
    let about = |statement: &&Statement<'_>| {
        base(statement.shard) == ecosystem
            && (subject.scheme.normalise_name)(statement.name) == subject.name
    };
    let (here, foreign): (Vec<&Statement<'_>>, Vec<&Statement<'_>>) = statements
        .iter()
        .filter(about)
        .partition(|statement| own.contains(&statement.shard));
    let judged: Vec<Judged<'_>> = here.iter().map(|one| one.judged(subject)).collect();
    let decide_all = here.iter().zip(&judged);
    let mut decisions: Vec<Decision> = decide_all
        .map(|(statement, judged)| decide(subject, statement, judged))
        .collect();
    if subject.authority.is_distribution() {
        let weighed = Weighed::new(&judged);
        for (decision, one) in decisions.iter_mut().zip(&judged) {
            let flaws = asked(one.record, id);
            let all = |rule: &dyn Fn(&str) -> bool| flaws.iter().all(|flaw| rule(flaw));
            if one.feed.is_none() && all(&|flaw| weighed.is_spoken(flaw)) {
                let feeds: BTreeSet<&str> = judged.iter().filter_map(|one| one.feed).collect();
                let feeds = feeds.into_iter().collect::<Vec<_>>().join("`, `");
                decision.affected = false;
                decision.reason = format!("the distribution's own feed decides: `{feeds}`");
            } else if decision.affected && all(&|flaw| weighed.is_of_another_line(one, flaw)) {
                decision.affected = false;
                OTHER_BUILD.clone_into(&mut decision.reason);
            } else if decision.affected
                && all(&|flaw| weighed.clearing(flaw).is_some())
                && let Some(by) = flaws.first().and_then(|flaw| weighed.clearing(flaw))
            {
                decision.affected = false;
                decision.reason = format!(
                    "`{}`, the record of just this flaw, says otherwise",
                    by.record.id
                );
            }
        }
    }
    if decisions.is_empty()
        && let Some(first) = foreign.first()
    {
        let releases: BTreeSet<&str> = foreign.iter().map(|statement| statement.shard).collect();
        let releases = releases.into_iter().collect::<Vec<_>>().join(", ");
        let here = if own.is_empty() {
            ecosystem.to_owned()
        } else {
            own.join(", ")
        };
        let reason = if own.is_empty() {
            format!("its records are of {releases}; of this release the database has none")
        } else {
            format!("its records are of {releases}; none is of {here}")
        };
        decisions.push(Decision {
            reason,
            ..about_statement(subject, first)
        });
    }
    decisions
}

const OTHER_BUILD: &str = "the advisory is about builds of another kind: another architecture, \
                           another kernel line, or builds for live patches or certified \
                           cryptography";

fn decide(subject: &Subject<'_>, statement: &Statement<'_>, judged: &Judged<'_>) -> Decision {
    let compared = |entry: usize| {
        let entry = statement.entries.get(entry);
        entry
            .map(|entry| judge::compared_version(subject, entry).into_owned())
            .unwrap_or_default()
    };
    let mut decision = about_statement(subject, statement);
    match &judged.judgement {
        Judgement::Affected(hit) => {
            decision.affected = true;
            decision.version = compared(hit.entry);
            decision.reason = hit.stretch.comparison(&decision.version);
        }
        Judgement::Clear(clear) => {
            decision.reason = match clear {
                Clear::Withdrawn => "the publisher withdrew the record".to_owned(),
                Clear::NoFlaw => "the advisory mends bugs, not flaws".to_owned(),
                Clear::ModuleOnly => {
                    "the advisory is about builds of a module, this package is none".to_owned()
                }
                Clear::NotForModules => {
                    "this package was built in a module, the advisory is not about modules"
                        .to_owned()
                }
                Clear::OtherStream => format!(
                    "the advisory is about {}, this package is of another stream",
                    streams(statement).join(", ")
                ),
                Clear::OtherBuild => OTHER_BUILD.to_owned(),
                Clear::State(state) => format!("the publisher says `{state}`"),
                Clear::Rejected => {
                    "the publisher looked and rejected it: fixed in version `0`".to_owned()
                }
                Clear::NoRange => "the record names neither ranges nor versions".to_owned(),
                Clear::Outside { entry } => {
                    decision.version = compared(*entry);
                    outside(subject, statement.entries.get(*entry), &decision.version)
                }
            }
        }
    }
    if judged.is_of_plain_line && !decision.reason.is_empty() {
        decision.reason.push_str(
            ": compared, without its epoch, with the plain build, since nothing is said of its \
             own line",
        );
    }
    decision
}

/// The module streams that a statement is about.
fn streams<'a>(statement: &Statement<'a>) -> Vec<&'a str> {
    let of_entries = statement.entries.iter().map(|entry| entry.module);
    let all = statement.record.modules.iter().copied().chain(of_entries);
    let all: BTreeSet<&str> = all.filter(|module| !module.is_empty()).collect();
    all.into_iter().collect()
}

/// The one comparison that decides, where there is one: with the nearest fix
/// that the version has reached.
fn outside(subject: &Subject<'_>, entry: Option<&Affected<'_>>, version: &str) -> String {
    let Some(entry) = entry else {
        return String::new();
    };
    let reached = |bound: &&str| judge::compare(subject, version, bound).is_ge();
    let events = entry.ranges.iter().flat_map(|range| &range.events);
    let fixes = events.filter_map(|event| match *event {
        Event::Fixed(bound) => Some(bound),
        _ => None,
    });
    match fixes
        .filter(reached)
        .max_by(|a, b| judge::compare(subject, a, b))
    {
        Some(fix) => format!("{version} >= {fix}, which mends it"),
        None => format!("{version} is not {}", range::describe(entry)),
    }
}

fn about_statement(subject: &Subject<'_>, statement: &Statement<'_>) -> Decision {
    let (first, rest) = match subject.packages.as_slice() {
        [first, rest @ ..] => (Some(*first), rest.to_vec()),
        [] => (None, Vec::new()),
    };
    let ranges: BTreeSet<String> = statement.entries.iter().map(range::describe).collect();
    Decision {
        package: first,
        also: rest,
        record: statement.record.id.to_owned(),
        shard: statement.shard.to_owned(),
        name: subject.name.clone().into_owned(),
        version: subject.version.clone().into_owned(),
        range: ranges.into_iter().collect::<Vec<_>>().join("; "),
        affected: false,
        reason: String::new(),
    }
}

/// Says which packages the records name, when the target has none of them.
fn unconcerned(statements: &[Statement<'_>]) -> Decision {
    const SHOWN: usize = 8;
    let names: BTreeSet<(&str, &str)> = statements
        .iter()
        .map(|statement| (base(statement.shard), statement.name))
        .collect();
    let more = names.len().saturating_sub(SHOWN);
    let mut list: Vec<String> = names
        .into_iter()
        .take(SHOWN)
        .map(|(ecosystem, name)| format!("`{name}` ({ecosystem})"))
        .collect();
    if more > 0 {
        list.push(format!("{more} more"));
    }
    let record = statements.first();
    Decision {
        record: record
            .map(|statement| statement.record.id.to_owned())
            .unwrap_or_default(),
        shard: record
            .map(|statement| statement.shard.to_owned())
            .unwrap_or_default(),
        reason: format!(
            "the target has no package that its records name: {}",
            list.join(", ")
        ),
        ..nothing()
    }
}

fn nothing() -> Decision {
    Decision {
        package: None,
        also: Vec::new(),
        record: String::new(),
        shard: String::new(),
        name: String::new(),
        version: String::new(),
        range: String::new(),
        affected: false,
        reason: String::new(),
    }
}
