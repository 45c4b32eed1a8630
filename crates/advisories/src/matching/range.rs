//! Whether a version lies in an advisory's ranges: the algorithm of the OSV
//! schema, section "Evaluation".

use std::{
    cmp::Ordering,
    fmt::{self, Write as _},
};

use seawall_versions::Scheme;

use crate::{Affected, Event, Range};

/// The stretch of a range that holds a version, for people to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stretch<'a> {
    /// From `introduced` (none: from the beginning) up to `end`.
    Between {
        introduced: Option<&'a str>,
        end: Option<End<'a>>,
    },
    /// Named one by one.
    Listed(&'a str),
    /// Every version.
    All,
}

/// Where a stretch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End<'a> {
    /// Before this version.
    Fixed(&'a str),
    /// With this version.
    LastAffected(&'a str),
    /// Before this version, after which nothing is known.
    Limit(&'a str),
}

impl<'a> Stretch<'a> {
    /// The version that mends it.
    pub(crate) fn fixed(self) -> Option<&'a str> {
        match self {
            Stretch::Between {
                end: Some(End::Fixed(version)),
                ..
            } => Some(version),
            _ => None,
        }
    }
}

impl Stretch<'_> {
    /// The version set beside the bounds: `1.0 <= 1.5 < 2.0`.
    pub(crate) fn comparison(self, version: &str) -> String {
        let (introduced, end) = match self {
            Stretch::Between { introduced, end } if introduced.is_some() || end.is_some() => {
                (introduced, end)
            }
            Stretch::Listed(listed) => return format!("{version} is listed as {listed}"),
            Stretch::Between { .. } | Stretch::All => {
                return "every version is affected".to_owned();
            }
        };
        let before = introduced
            .map(|from| format!("{from} <= "))
            .unwrap_or_default();
        let after = match end {
            Some(End::Fixed(to) | End::Limit(to)) => format!(" < {to}"),
            Some(End::LastAffected(to)) => format!(" <= {to}"),
            None => String::new(),
        };
        format!("{before}{version}{after}")
    }
}

impl fmt::Display for Stretch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Stretch::All => f.write_str("every version"),
            Stretch::Listed(version) => write!(f, "= {version}"),
            Stretch::Between {
                introduced: None,
                end: None,
            } => f.write_str("every version"),
            Stretch::Between { introduced, end } => {
                if let Some(version) = introduced {
                    write!(f, ">= {version}")?;
                    if end.is_some() {
                        f.write_str(", ")?;
                    }
                }
                match end {
                    Some(End::Fixed(version) | End::Limit(version)) => write!(f, "< {version}"),
                    Some(End::LastAffected(version)) => write!(f, "<= {version}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// All of an entry's ranges and versions, for people to read: what a version
/// outside of them is held against.
pub(crate) fn describe(affected: &Affected<'_>) -> String {
    let mut text = String::new();
    for range in &affected.ranges {
        let mut first = true;
        for event in &range.events {
            let (sign, version) = match *event {
                Event::Introduced("0") if range.events.len() > 1 => continue,
                Event::Introduced(version) => (">=", version),
                Event::Fixed(version) | Event::Limit(version) => ("<", version),
                Event::LastAffected(version) => ("<=", version),
            };
            let joint = match (first, matches!(event, Event::Introduced(_))) {
                (true, _) if text.is_empty() => "",
                (true, _) | (false, true) => " or ",
                (false, false) => ", ",
            };
            let _ = write!(text, "{joint}{sign} {version}");
            first = false;
        }
    }
    match (text.is_empty(), affected.versions.as_slice()) {
        (_, []) => {}
        (empty, versions) => {
            if !empty {
                text.push_str(" or ");
            }
            match versions {
                [version] => {
                    let _ = write!(text, "= {version}");
                }
                [first, .., last] => {
                    let _ = write!(text, "one of {} from {first} to {last}", versions.len());
                }
                [] => {}
            }
        }
    }
    text
}

/// The first stretch of the entry that holds `version`.
pub(crate) fn holds<'a>(
    scheme: &Scheme,
    affected: &Affected<'a>,
    version: &str,
) -> Option<Stretch<'a>> {
    let listed = || listed(scheme, affected, version).map(Stretch::Listed);
    affected
        .ranges
        .iter()
        .find_map(|range| range_holds(scheme, range, version))
        .or_else(listed)
}

/// Every version that ends a stretch which holds `version`.
pub(crate) fn fixes<'a>(scheme: &Scheme, affected: &Affected<'a>, version: &str) -> Vec<&'a str> {
    let ranges = affected.ranges.iter();
    ranges
        .filter_map(|range| range_holds(scheme, range, version)?.fixed())
        .collect()
}

/// The stretch of one range that holds `version`.
///
/// The schema walks the events in the order of their versions and lets each
/// one that the version has reached set the answer. That answer is what the
/// greatest reached event says, which needs no sorting; of equal versions the
/// later in the record counts, as a stable sort would have it.
fn range_holds<'a>(scheme: &Scheme, range: &Range<'a>, version: &str) -> Option<Stretch<'a>> {
    let compare = order(scheme, range, version);
    let mut limited = None;
    let mut reached: Option<Event<'a>> = None;
    for event in &range.events {
        let past = match *event {
            Event::Limit(limit) => {
                // `*` is the schema's word for infinity.
                let before = limit == "*" || compare(version, limit) == Ordering::Less;
                limited = Some(limited.unwrap_or(false) || before);
                continue;
            }
            Event::Introduced("0") => true,
            Event::Introduced(bound) | Event::Fixed(bound) => {
                compare(version, bound) != Ordering::Less
            }
            Event::LastAffected(bound) => compare(version, bound) == Ordering::Greater,
        };
        let greater = |than: Event<'a>| order_of(compare, *event, than) != Ordering::Less;
        if past && reached.is_none_or(greater) {
            reached = Some(*event);
        }
    }
    let Some(Event::Introduced(from)) = reached else {
        return None;
    };
    if limited == Some(false) {
        return None;
    }
    let introduced = (from != "0").then_some(from);
    Some(Stretch::Between {
        introduced,
        end: end(compare, range, version),
    })
}

/// The nearest event after `version` that ends the stretch.
fn end<'a>(compare: Compare, range: &Range<'a>, version: &str) -> Option<End<'a>> {
    let mut nearest: Option<(&'a str, End<'a>)> = None;
    for event in &range.events {
        let (bound, end) = match *event {
            Event::Fixed(bound) => (bound, End::Fixed(bound)),
            Event::LastAffected(bound) => (bound, End::LastAffected(bound)),
            Event::Limit("*") | Event::Introduced(_) => continue,
            Event::Limit(bound) => (bound, End::Limit(bound)),
        };
        let ahead = match end {
            End::LastAffected(_) => compare(version, bound) != Ordering::Greater,
            End::Fixed(_) | End::Limit(_) => compare(version, bound) == Ordering::Less,
        };
        if ahead && nearest.is_none_or(|(than, _)| compare(bound, than) == Ordering::Less) {
            nearest = Some((bound, end));
        }
    }
    nearest.map(|(_, end)| end)
}

type Compare = fn(&str, &str) -> Ordering;

/// The order that a range goes by: Semantic Versioning 2.0 where it says so
/// and everything in it, the version too, is such a version; the ecosystem's
/// own otherwise (ecosystems that use semver have an order that agrees with it).
fn order(scheme: &Scheme, range: &Range<'_>, version: &str) -> Compare {
    const SEMVER_LIKE: &[&str] = &["semver", "semver-build", "npm", "go"];
    if !range.semver || SEMVER_LIKE.contains(&scheme.name) {
        return scheme.compare;
    }
    let Some(semver) = seawall_versions::by_name("semver") else {
        return scheme.compare;
    };
    let fits = |event: &Event<'_>| match *event {
        Event::Introduced("0") | Event::Limit("*") => true,
        Event::Introduced(bound)
        | Event::Fixed(bound)
        | Event::LastAffected(bound)
        | Event::Limit(bound) => (semver.is_valid)(bound),
    };
    if (semver.is_valid)(version) && range.events.iter().all(fits) {
        semver.compare
    } else {
        scheme.compare
    }
}

/// The order of two events; `introduced: 0` comes before everything.
fn order_of(compare: Compare, a: Event<'_>, b: Event<'_>) -> Ordering {
    let version = |event| match event {
        Event::Introduced("0") => None,
        Event::Introduced(version)
        | Event::Fixed(version)
        | Event::LastAffected(version)
        | Event::Limit(version) => Some(version),
    };
    match (version(a), version(b)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => compare(a, b),
    }
}

/// The listed version that `version` is, under the ecosystem's idea of the
/// same version (`1.0` and `1.0.0` in PyPI).
fn listed<'a>(scheme: &Scheme, affected: &Affected<'a>, version: &str) -> Option<&'a str> {
    let head = leading_number(version);
    affected.versions.iter().copied().find(|listed| {
        // Lists have hundreds of entries; a look at the first digit, then at
        // the first number, spares nearly all comparisons.
        let first = listed.as_bytes().first();
        let other =
            |digit: &u8| (b'1'..=b'9').contains(digit) && head.as_bytes().first() != Some(digit);
        if first.is_some_and(other) {
            return false;
        }
        *listed == version
            || (leading_number(listed) == head
                && (scheme.is_valid)(listed)
                && (scheme.compare)(listed, version) == Ordering::Equal)
    })
}

/// The first number of a version, without zeros before it; empty where there
/// is none.
fn leading_number(version: &str) -> &str {
    let version = version
        .trim_start_matches(['v', 'V'])
        .trim_start_matches('0');
    let end = version
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(version.len());
    version.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn semver() -> &'static Scheme {
        seawall_versions::by_osv("npm").unwrap()
    }

    fn range<'a>(events: &[Event<'a>]) -> Range<'a> {
        Range {
            semver: true,
            events: events.to_vec(),
        }
    }

    fn entry<'a>(ranges: &[Range<'a>], versions: &[&'a str]) -> Affected<'a> {
        Affected {
            ranges: ranges.to_vec(),
            versions: versions.to_vec(),
            ..Affected::default()
        }
    }

    fn held(affected: &Affected<'_>, version: &str) -> Option<String> {
        holds(semver(), affected, version).map(|stretch| stretch.to_string())
    }

    use Event::{Fixed, Introduced, LastAffected, Limit};

    #[test]
    fn several_stretches_in_one_range() {
        let affected = entry(
            &[range(&[
                Introduced("2.0.0"),
                Fixed("2.3.0"),
                Introduced("0"),
                Fixed("1.2.0"),
            ])],
            &[],
        );
        assert_eq!(held(&affected, "1.1.9").as_deref(), Some("< 1.2.0"));
        assert_eq!(held(&affected, "1.2.0"), None);
        assert_eq!(
            held(&affected, "2.0.0").as_deref(),
            Some(">= 2.0.0, < 2.3.0")
        );
        assert_eq!(held(&affected, "2.3.0"), None);
    }

    #[test]
    fn several_fixes_after_one_introduction() {
        let affected = entry(
            &[range(&[Introduced("0"), Fixed("3.0.0"), Fixed("1.2.0")])],
            &[],
        );
        assert_eq!(held(&affected, "1.0.0").as_deref(), Some("< 1.2.0"));
        assert_eq!(held(&affected, "2.0.0"), None);
    }

    #[test]
    fn the_last_affected_version_is_affected() {
        let affected = entry(&[range(&[Introduced("1.0.0"), LastAffected("1.4.0")])], &[]);
        assert_eq!(
            held(&affected, "1.4.0").as_deref(),
            Some(">= 1.0.0, <= 1.4.0")
        );
        assert_eq!(held(&affected, "1.4.1"), None);
        assert_eq!(held(&affected, "0.9.0"), None);
        assert_eq!(fixes(semver(), &affected, "1.2.0"), Vec::<&str>::new());
    }

    #[test]
    fn nothing_is_known_beyond_a_limit() {
        let affected = entry(&[range(&[Introduced("0"), Limit("2.0.0")])], &[]);
        assert_eq!(held(&affected, "1.9.0").as_deref(), Some("< 2.0.0"));
        assert_eq!(held(&affected, "2.0.0"), None);
        let affected = entry(&[range(&[Introduced("0"), Limit("*")])], &[]);
        assert_eq!(held(&affected, "9.0.0").as_deref(), Some("every version"));
    }

    #[test]
    fn introduced_again_where_it_was_fixed() {
        let affected = entry(
            &[range(&[
                Introduced("1.0.0"),
                Fixed("1.5.0"),
                Introduced("1.5.0"),
                Fixed("2.0.0"),
            ])],
            &[],
        );
        assert!(held(&affected, "1.5.0").is_some());
    }

    #[test]
    fn listed_versions_count_beside_ranges() {
        let pep440 = seawall_versions::by_osv("PyPI").unwrap();
        let affected = entry(
            &[range(&[Introduced("3.0"), Fixed("3.1")])],
            &["1.0.0", "2.0"],
        );
        let held = |version| holds(pep440, &affected, version).map(|it| it.to_string());
        assert_eq!(held("1.0").as_deref(), Some("= 1.0.0"));
        assert_eq!(held("2.0").as_deref(), Some("= 2.0"));
        assert_eq!(held("2.0.1"), None);
        assert!(held("3.0.5").is_some());
    }

    #[test]
    fn an_entry_with_neither_holds_nothing() {
        assert_eq!(held(&entry(&[], &[]), "1.0.0"), None);
    }

    #[test]
    fn ranges_are_described_whole() {
        let affected = entry(
            &[
                range(&[
                    Introduced("0"),
                    Fixed("1.2.0"),
                    Introduced("2.0.0"),
                    Fixed("2.3.0"),
                ]),
                range(&[Introduced("4.0.0")]),
            ],
            &["3.9.9"],
        );
        assert_eq!(
            describe(&affected),
            "< 1.2.0 or >= 2.0.0, < 2.3.0 or >= 4.0.0 or = 3.9.9"
        );
    }
}
