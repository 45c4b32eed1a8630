//! Builds of one fix for several minor releases.
//!
//! A publisher's record of one flaw names every build that mends it. Red Hat
//! mends a flaw in the minor release of the day and again in the next: for
//! 9.2 in `5.14.0-284.11.1.el9_2`, for 9.3 in `5.14.0-362.8.1.el9_3`. A kernel of
//! 9.3 that is older than its own fix is greater than that of 9.2 all the same,
//! and one of 9.2 with its fix is smaller than that of 9.3.

use std::borrow::Cow;

use crate::{
    Affected, Event,
    matching::{judge, subject::Subject},
};

/// The entry that decides for a version, where several entries of one rpm end in
/// different fixes: that of the version's own minor release, else of the next
/// one, else the greatest. `None` where they need not be told apart.
pub(crate) fn deciding<'e, 'a: 'e, 's>(
    subject: &Subject<'_>,
    entries: impl Iterator<Item = (usize, &'e Affected<'a>)> + Clone,
    compared: impl Fn(&Affected<'_>) -> Cow<'s, str>,
) -> Option<usize> {
    if subject.scheme.name != "rpm" || entries.clone().nth(1).is_none() {
        return None;
    }
    let mut own = None;
    let mut fixes = Vec::new();
    for (at, entry) in entries {
        let [range] = entry.ranges.as_slice() else {
            continue;
        };
        let mut ends = range.events.iter().filter_map(|event| match *event {
            Event::Fixed(version) => Some(version),
            _ => None,
        });
        if let (Some(fix), None) = (ends.next(), ends.next()) {
            own = own.or_else(|| of(&compared(entry)));
            fixes.push((at, fix, of(fix), entry.advisory));
        }
    }
    let [(_, _, minor, advisory), rest @ ..] = fixes.as_slice() else {
        return None;
    };
    let differ =
        |(_, _, other, from): &(usize, &str, Option<u32>, &str)| other != minor || from != advisory;
    if !rest.iter().any(differ) {
        return None;
    }
    let greatest = |of: &dyn Fn(Option<u32>) -> bool| {
        let of_it = fixes.iter().filter(|(_, _, minor, _)| of(*minor));
        let (at, ..) = of_it.max_by(|(_, a, ..), (_, b, ..)| judge::compare(subject, a, b))?;
        Some(*at)
    };
    let Some(own) = own else {
        return greatest(&|_| true);
    };
    let later = fixes.iter().filter_map(|(_, _, minor, _)| *minor);
    let next = later.filter(|minor| *minor >= own).min();
    match next {
        Some(next) => greatest(&|minor| minor == Some(next)),
        None => greatest(&|_| true),
    }
}

/// The minor release that a version was built for: 2 of `1-1.el9_2`, 10 of
/// `1-1.module+el8.10.0+2+3`. Builds before the first such release bear none.
fn of(version: &str) -> Option<u32> {
    let (_, release) = version.rsplit_once('-')?;
    let digits = |text: &str| -> Option<u32> {
        let end = text.bytes().position(|byte| !byte.is_ascii_digit());
        let (number, _) = text.split_at_checked(end.unwrap_or(text.len()))?;
        number.parse().ok()
    };
    let (at, separator) = match release.find(".el") {
        Some(at) => (at + ".el".len(), '_'),
        None => {
            let module = release.find(".module")?;
            let within = release.get(module..)?.find("el")?;
            (module + within + "el".len(), '.')
        }
    };
    let rest = release.get(at..)?;
    let major = rest.bytes().position(|byte| !byte.is_ascii_digit())?;
    digits(rest.get(major..)?.strip_prefix(separator)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_releases_stand_in_the_release() {
        for (version, minor) in [
            ("5.14.0-284.11.1.el9_2", Some(2)),
            ("0:1.2-3.el8_10.1", Some(10)),
            ("1:2.0.8-8.module+el8.10.0+22221+6164d1ea", Some(10)),
            ("2.0.8-8.module_el8.5.0+2609+b30d9eec", Some(5)),
            ("3.10.0-957.el7", None),
            ("1.0-1.fc40", None),
            ("1.0", None),
            ("1.0-1.el", None),
        ] {
            assert_eq!(of(version), minor, "{version}");
        }
    }
}
