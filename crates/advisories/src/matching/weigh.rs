//! What a distribution's records of one subject say of each flaw, weighed
//! against each other: a feed against the dump, the record of just one flaw
//! against an advisory of many, a build's own line against the plain one.

use std::collections::HashSet;

use crate::{
    Affected, Record,
    matching::{
        judge::{self, Clear, Hit, Judgement},
        subject::Subject,
    },
};

/// A record, its entries of one shard that bear one name, and what came of them
/// for one subject of that name.
pub(crate) struct Judged<'a> {
    pub record: &'a Record<'a>,
    pub entries: &'a [Affected<'a>],
    /// The feed that it is of; `None` for the dump.
    pub feed: Option<&'a str>,
    pub judgement: Judgement<'a>,
    /// Whether any of it is about builds such as the subject.
    is_of_build: bool,
    /// Whether it is about the plain line, of which the subject is none.
    pub is_of_plain_line: bool,
}

impl<'a> Judged<'a> {
    pub(crate) fn new(
        subject: &Subject<'_>,
        record: &'a Record<'a>,
        entries: &'a [Affected<'a>],
        feed: Option<&'a str>,
    ) -> Self {
        Judged {
            record,
            entries,
            feed,
            judgement: judge::judge(subject, record, entries),
            is_of_build: judge::of_its_build(subject, record, entries)
                .next()
                .is_some(),
            is_of_plain_line: judge::is_of_plain_line(subject, entries),
        }
    }

    pub(crate) fn hit(&self) -> Option<&Hit<'a>> {
        match &self.judgement {
            Judgement::Affected(hit) => Some(hit),
            Judgement::Clear(_) => None,
        }
    }

    fn is_same_record(&self, other: &Judged<'_>) -> bool {
        self.feed == other.feed && self.record.id == other.record.id
    }
}

/// The judged records of one subject.
pub(crate) struct Weighed<'j, 'a> {
    judged: &'j [Judged<'a>],
    /// Flaws that a feed speaks of, for builds such as the subject.
    spoken: HashSet<&'a str>,
    /// Flaws that a record speaks of for the subject's own line of builds.
    of_own_line: HashSet<&'a str>,
}

impl<'j, 'a> Weighed<'j, 'a> {
    pub(crate) fn new(judged: &'j [Judged<'a>]) -> Self {
        let flaws = |is_one: &dyn Fn(&Judged<'a>) -> bool| {
            let own = judged.iter().filter(|one| one.is_of_build && is_one(one));
            own.flat_map(|one| flaws_of(one.record)).collect()
        };
        let is_any_of_plain_line = judged.iter().any(|one| one.is_of_plain_line);
        Weighed {
            judged,
            spoken: flaws(&|one| one.feed.is_some()),
            of_own_line: flaws(&|one| is_any_of_plain_line && !one.is_of_plain_line),
        }
    }

    /// Whether a feed speaks of the flaw.
    pub(crate) fn is_spoken(&self, flaw: &str) -> bool {
        self.spoken.contains(flaw)
    }

    /// Whether what a record says of the flaw counts: of one that its own feed
    /// speaks of, the feed alone knows; of one that is mended in the subject's
    /// own line of builds, the plain line says nothing.
    pub(crate) fn counts(&self, one: &Judged<'_>, flaw: &str) -> bool {
        (one.feed.is_some() || !self.is_spoken(flaw)) && !self.is_of_another_line(one, flaw)
    }

    /// Whether a record is of the plain line and the subject's own line has one
    /// of the flaw too.
    pub(crate) fn is_of_another_line(&self, one: &Judged<'_>, flaw: &str) -> bool {
        one.is_of_plain_line && self.of_own_line.contains(flaw)
    }

    /// The record of just this flaw that says that the subject does not have it.
    ///
    /// An advisory speaks of the version that mends all of its flaws; the
    /// publisher's record of one flaw knows better about that one. A record that
    /// says so in one shard and the contrary in another (a service pack and its
    /// modules) says that the subject is affected.
    pub(crate) fn clearing(&self, flaw: &str) -> Option<&'j Judged<'a>> {
        let mut all = self.judged.iter();
        all.find(|one| {
            one.hit().is_none()
                && one.is_of_build
                && !one.record.withdrawn
                && is_record_of(one.record, flaw)
                && self.counts(one, flaw)
                && !self
                    .judged
                    .iter()
                    .any(|other| other.hit().is_some() && other.is_same_record(one))
        })
    }

    /// Flaws that the subject is said not to have, by all that counts of each, and
    /// whether a feed says so: the dump does not clear what a feed knows of the
    /// source package.
    pub(crate) fn cleared(&self) -> Vec<(&'a str, bool)> {
        let mut clear: Vec<&'a str> = Vec::new();
        let mut affected: HashSet<&'a str> = HashSet::new();
        for one in self.judged {
            let counting = flaws_of(one.record)
                .into_iter()
                .filter(|flaw| self.counts(one, flaw));
            match &one.judgement {
                Judgement::Affected(_) => affected.extend(counting),
                Judgement::Clear(Clear::State(_) | Clear::Outside { .. }) => clear.extend(counting),
                Judgement::Clear(_) => {}
            }
        }
        clear.retain(|flaw| !affected.contains(flaw) || self.clearing(flaw).is_some());
        clear.sort_unstable();
        clear.dedup();
        let all = clear.into_iter();
        all.map(|flaw| (flaw, self.is_spoken(flaw))).collect()
    }
}

/// Whether this record is the publisher's own of just this flaw
/// (`DEBIAN-CVE-2024-3094`, `UBUNTU-CVE-…`, `ALPINE-CVE-…`, and the bare CVE in
/// a publisher's VEX).
fn is_record_of(record: &Record<'_>, cve: &str) -> bool {
    record
        .id
        .strip_suffix(cve)
        .is_some_and(|publisher| publisher.is_empty() || publisher.ends_with('-'))
}

pub(crate) fn is_cve(id: &str) -> bool {
    id.starts_with("CVE-")
}

/// The flaws that a distribution's record is about: CVEs where it names any,
/// else itself.
pub(crate) fn flaws_of<'a>(record: &Record<'a>) -> Vec<&'a str> {
    let own = |ids: &[&'a str]| {
        ids.iter()
            .copied()
            .filter(|id| is_cve(id))
            .collect::<Vec<_>>()
    };
    let mut flaws = own(&record.upstream);
    if flaws.is_empty() {
        flaws = own(&record.aliases);
        flaws.truncate(1);
    }
    if flaws.is_empty() {
        flaws.push(record.id);
    }
    flaws
}
