//! One record against one subject: affected or not, and why.

use std::{borrow::Cow, cmp::Ordering};

use crate::{
    Affected, Event, Record, RecordKind,
    matching::{
        build, minor,
        range::{self, Stretch},
        subject::{Module, Subject, is_module_build},
    },
};

/// What a record says of a subject.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Judgement<'a> {
    /// It is affected.
    Affected(Hit<'a>),
    /// It is not.
    Clear(Clear<'a>),
}

/// A record that affects a subject.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hit<'a> {
    /// What holds the version.
    pub stretch: Stretch<'a>,
    /// Which entry.
    pub entry: usize,
    /// Versions that end the stretches, in the record's order.
    pub fixed: Vec<&'a str>,
    /// The publisher's state word for it; or empty.
    pub state: &'a str,
    /// The publisher's severity for it; or empty.
    pub severity: &'a str,
    /// The advisory of that entry alone; or empty.
    pub advisory: &'a str,
}

/// Why a record does not affect a subject.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Clear<'a> {
    /// The publisher withdrew it.
    Withdrawn,
    /// It mends bugs, not flaws.
    NoFlaw,
    /// It is about builds of a module, the package is none.
    ModuleOnly,
    /// It is not about builds of a module, the package is one.
    NotForModules,
    /// It is about other streams of the package's module.
    OtherStream,
    /// It is about builds for other architectures, or of another line: live
    /// patches, certified cryptography, another kernel.
    OtherBuild,
    /// The publisher says so, in this word.
    State(&'a str),
    /// Fixed in version `0`: the publisher looked and rejected the flaw.
    Rejected,
    /// It names neither ranges nor versions.
    NoRange,
    /// The version is in none of the ranges of this entry (of every entry, but
    /// one is enough to say why).
    Outside { entry: usize },
}

/// Judges `subject` by the entries of `record` that bear its name.
pub(crate) fn judge<'a>(
    subject: &Subject<'_>,
    record: &Record<'a>,
    entries: &[Affected<'a>],
) -> Judgement<'a> {
    if record.withdrawn {
        return Judgement::Clear(Clear::Withdrawn);
    }
    if subject.authority.is_distribution() && is_bug_fix(record) {
        return Judgement::Clear(Clear::NoFlaw);
    }
    let own = || of_its_build(subject, record, entries);
    if !entries.is_empty() && own().next().is_none() {
        return Judgement::Clear(of_another_module(subject, entries));
    }
    let mut live = live(subject, record, entries).peekable();
    if live.peek().is_none() {
        let said = own().find(|(_, entry)| is_not_affected(entry.state));
        let said = said.map(|(_, entry)| Clear::State(entry.state));
        return Judgement::Clear(said.unwrap_or(Clear::Rejected));
    }
    let others = live.clone();
    let compared = |entry: &Affected<'_>| compared_version(subject, entry);
    let deciding = minor::deciding(subject, live.clone(), compared);
    let hit_of = |(at, entry): (usize, &Affected<'a>), stretch, fixed| Hit {
        stretch,
        entry: at,
        fixed,
        state: entry.state,
        severity: entry.severity,
        advisory: entry.advisory,
    };
    let mut hit: Option<Hit<'a>> = None;
    let mut outside: Option<(usize, &Affected<'a>)> = None;
    for (at, entry) in live.filter(|(at, _)| deciding.is_none_or(|deciding| deciding == *at)) {
        let compared = compared(entry);
        let found = range::holds(subject.scheme, entry, &compared).or_else(|| {
            // A package made to do harm does harm in every version unless
            // the record says otherwise.
            let bare = entry.ranges.is_empty() && entry.versions.is_empty();
            (bare && record.kind == RecordKind::Malicious).then_some(Stretch::All)
        });
        match found {
            Some(stretch) => {
                let fixed = range::fixes(subject.scheme, entry, &compared);
                match &mut hit {
                    Some(hit) => hit.fixed.extend(fixed),
                    None => hit = Some(hit_of((at, entry), stretch, fixed)),
                }
            }
            None => outside = Some((at, entry)),
        }
    }
    // A module build without a label is of any of the streams: the fix of one
    // says nothing of another that has none.
    if let Some((_, mended)) = outside
        && subject.module == Module::Unnamed
    {
        let mut others = others.filter(|(_, entry)| entry.module != mended.module);
        let open = others.find_map(|(at, entry)| {
            let compared = compared(entry);
            let stretch = range::holds(subject.scheme, entry, &compared)?;
            let fixed = range::fixes(subject.scheme, entry, &compared);
            fixed
                .is_empty()
                .then(|| hit_of((at, entry), stretch, fixed))
        });
        if let Some(open) = open {
            return Judgement::Affected(open);
        }
    }
    match (hit, outside) {
        // Several entries of one rpm are builds of one fix for several minor
        // releases (ALSA-2021:1809 has `mod_md` for 8.5 and 8.6): whoever has
        // any of them has the fix.
        (Some(hit), None) => Judgement::Affected(hit),
        (Some(hit), Some(_)) if subject.scheme.name != "rpm" => Judgement::Affected(hit),
        (_, Some((_, entry))) if entry.ranges.is_empty() && entry.versions.is_empty() => {
            Judgement::Clear(Clear::NoRange)
        }
        (_, Some((at, _))) => Judgement::Clear(Clear::Outside { entry: at }),
        (None, None) => Judgement::Clear(Clear::NoRange),
    }
}

/// Whether `version` of the subject would be affected by these entries.
pub(crate) fn would_be_affected(
    subject: &Subject<'_>,
    record: &Record<'_>,
    entries: &[Affected<'_>],
    version: &str,
) -> bool {
    let mut live = live(subject, record, entries);
    let holds = |entry: &Affected<'_>| range::holds(subject.scheme, entry, version).is_some();
    let deciding = minor::deciding(subject, live.clone(), |_| Cow::Borrowed(version));
    if let Some(entry) = deciding.and_then(|at| entries.get(at)) {
        return holds(entry);
    }
    if subject.scheme.name == "rpm" {
        live.all(|(_, entry)| holds(entry))
    } else {
        live.any(|(_, entry)| holds(entry))
    }
}

/// The entries about the subject's builds that can hold a version. Where a record
/// says of one of them that it is not affected, and of another that it is (two
/// streams that the subject may be of, two statements of one package), the other
/// decides.
fn live<'e, 'a>(
    subject: &'e Subject<'_>,
    record: &'e Record<'_>,
    entries: &'e [Affected<'a>],
) -> impl Iterator<Item = (usize, &'e Affected<'a>)> + Clone {
    of_its_build(subject, record, entries)
        .filter(|(_, entry)| !is_not_affected(entry.state) && !is_rejected(entry))
}

/// Bug-fix and enhancement advisories (`ALBA-…`, `ALEA-…`) stand in the same
/// feeds as those of flaws.
fn is_bug_fix(record: &Record<'_>) -> bool {
    const PREFIXES: &[&str] = &["ALBA-", "ALEA-", "RHBA-", "RHEA-", "RLBA-", "RLEA-"];
    PREFIXES.iter().any(|prefix| record.id.starts_with(prefix))
        && !record
            .upstream
            .iter()
            .chain(&record.aliases)
            .any(|id| id.starts_with("CVE-"))
}

fn is_not_affected(state: &str) -> bool {
    matches!(
        state,
        "not-affected" | "not affected" | "known_not_affected" | "rejected"
    )
}

/// Alpine writes a flaw that it rejected as fixed in version `0`, Debian one
/// that its release never had.
fn is_rejected(entry: &Affected<'_>) -> bool {
    let mut events = entry
        .ranges
        .iter()
        .flat_map(|range| &range.events)
        .peekable();
    entry.versions.is_empty()
        && events.peek().is_some()
        && events
            .clone()
            .any(|event| matches!(event, Event::Fixed("0")))
        && events.all(|event| matches!(event, Event::Fixed("0") | Event::Introduced("0")))
}

/// The entries, with their places, that are about builds of the subject's kind:
/// of its module or of none, for its architecture, of its line.
///
/// OSV's records do not label their packages: a fix built in a module shows in
/// its release, and the streams stand in the record.
pub(crate) fn of_its_build<'e, 'a>(
    subject: &'e Subject<'_>,
    record: &'e Record<'_>,
    entries: &'e [Affected<'a>],
) -> impl Iterator<Item = (usize, &'e Affected<'a>)> + Clone {
    let is_rpm = subject.scheme.name == "rpm";
    // An unfixed package has no release to show it.
    let unlabelled = is_rpm && entries.iter().all(|entry| entry.module.is_empty());
    let any_modular = unlabelled && entries.iter().any(is_modular);
    let is_of_plain_line = is_of_plain_line(subject, entries);
    let fits = move |entry: &Affected<'_>| {
        if !is_rpm {
            return true;
        }
        if !(build::fits(subject, entry) || is_of_plain_line && build::is_plain_of(subject, entry))
        {
            return false;
        }
        match (any_modular || is_modular(entry), subject.module) {
            (modular, Module::None) => !modular,
            (false, _) => false,
            (true, Module::Stream(name, stream)) if !entry.module.is_empty() => {
                entry.module.split_once(':') == Some((name, stream))
            }
            (true, Module::Unnamed) if !entry.module.is_empty() => {
                !is_other_stream(subject, std::iter::once(entry.module))
            }
            (true, _) => !is_other_stream(subject, record.modules.iter().copied()),
        }
    };
    entries
        .iter()
        .enumerate()
        .filter(move |(_, entry)| fits(entry))
}

/// Whether the entries are about the plain line of a package alone, and the
/// subject is of one that is built from it.
pub(crate) fn is_of_plain_line(subject: &Subject<'_>, entries: &[Affected<'_>]) -> bool {
    subject.scheme.name == "rpm"
        && build::is_of_side_line(subject)
        && !entries.iter().any(|entry| build::fits(subject, entry))
        && entries
            .iter()
            .any(|entry| build::is_plain_of(subject, entry))
}

/// Whether an entry is about builds of a module.
fn is_modular(entry: &Affected<'_>) -> bool {
    let mut events = entry.ranges.iter().flat_map(|range| &range.events);
    !entry.module.is_empty()
        || events.any(|event| {
            matches!(event, Event::Fixed(version) | Event::LastAffected(version) if is_module_build(version))
        })
}

/// Why none of the entries is about builds of the subject's kind.
fn of_another_module<'a>(subject: &Subject<'_>, entries: &[Affected<'_>]) -> Clear<'a> {
    match subject.module {
        _ if !entries.iter().any(|entry| build::fits(subject, entry)) => Clear::OtherBuild,
        Module::None => Clear::ModuleOnly,
        _ if entries.iter().any(is_modular) => Clear::OtherStream,
        _ => Clear::NotForModules,
    }
}

/// Whether these modules (`name:stream`) are other streams of the subject's.
fn is_other_stream<'m>(subject: &Subject<'_>, modules: impl Iterator<Item = &'m str>) -> bool {
    let streams = modules.filter_map(|module| module.split_once(':'));
    let mut of_name: Option<bool> = None;
    for (module, stream) in streams {
        let fits = match subject.module {
            Module::None => continue,
            Module::Stream(name, own) if name == module => own == stream,
            Module::Stream(..) => continue,
            Module::Unnamed => {
                // Without a label only the package that the module is named
                // after tells its stream: by its version.
                let (source, version) = subject.source.unwrap_or((&subject.name, &subject.version));
                let numbered = stream.starts_with(|first: char| first.is_ascii_digit());
                if source != module || !numbered {
                    continue;
                }
                let version = version.split_once(':').map_or(version, |(_, rest)| rest);
                version
                    .strip_prefix(stream)
                    .is_some_and(|rest| rest.starts_with(['.', '-']) || rest.is_empty())
            }
        };
        of_name = Some(of_name.unwrap_or(false) || fits);
    }
    of_name == Some(false)
}

/// The subject's version as it is compared with an entry.
///
/// rpm takes a missing epoch for 0. Where the epoch may have been left out (a
/// source rpm's file name, a purl without the qualifier) it is taken to be the
/// advisory's: a package whose epoch differs from its fix's is rare, a flood of
/// false matches otherwise certain. A build of a side line bears an epoch above
/// all of the plain ones: against their fixes it is compared without.
pub(crate) fn compared_version<'s>(subject: &'s Subject<'_>, entry: &Affected<'_>) -> Cow<'s, str> {
    let mut version = subject.version.as_ref();
    let is_of_plain_line = build::is_of_side_line(subject)
        && !build::fits(subject, entry)
        && build::is_plain_of(subject, entry);
    if is_of_plain_line {
        version = version.split_once(':').map_or(version, |(_, rest)| rest);
    }
    if (subject.epoch_unknown || is_of_plain_line) && !version.contains(':') {
        let epoch = entry
            .ranges
            .iter()
            .flat_map(|range| &range.events)
            .find_map(|event| {
                let (Event::Fixed(bound) | Event::LastAffected(bound)) = event else {
                    return None;
                };
                let (epoch, _) = bound.split_once(':')?;
                epoch
                    .bytes()
                    .all(|byte| byte.is_ascii_digit())
                    .then_some(epoch)
            });
        if let Some(epoch) = epoch {
            return Cow::Owned(format!("{epoch}:{version}"));
        }
    }
    Cow::Borrowed(version)
}

/// The order of two versions of the subject.
pub(crate) fn compare(subject: &Subject<'_>, a: &str, b: &str) -> Ordering {
    (subject.scheme.compare)(a, b).then_with(|| a.cmp(b))
}
