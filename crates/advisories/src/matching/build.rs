//! Builds that one package name stands for and that are not one line of
//! versions.

use crate::{Affected, Event, matching::subject::Subject};

/// Whether an entry is about builds such as the subject: for its architecture
/// and of its line.
pub(crate) fn fits(subject: &Subject<'_>, entry: &Affected<'_>) -> bool {
    is_of_arch(subject, entry)
        && fix(entry).is_none_or(|fix| line(entry.name, fix) == line(entry.name, &subject.version))
}

/// Whether the subject is of a line that is built anew from the plain one.
pub(crate) fn is_of_side_line(subject: &Subject<'_>) -> bool {
    is_side_line(&subject.version)
}

/// Whether an entry mends the plain line that the subject's is built from.
pub(crate) fn is_plain_of(subject: &Subject<'_>, entry: &Affected<'_>) -> bool {
    let (_, _, kernel) = line(entry.name, &subject.version);
    is_of_arch(subject, entry)
        && fix(entry).is_some_and(|fix| line(entry.name, fix) == (false, false, kernel))
}

fn is_of_arch(subject: &Subject<'_>, entry: &Affected<'_>) -> bool {
    let of_arch = |own: &str| {
        let mut all = entry.arch.split('|');
        entry.arch.is_empty()
            || own == "noarch"
            || all.any(|one| one == "noarch" || family(one) == family(own))
    };
    subject.arch.is_none_or(of_arch)
}

fn fix<'a>(entry: &Affected<'a>) -> Option<&'a str> {
    let mut events = entry.ranges.iter().flat_map(|range| &range.events);
    events.find_map(|event| match *event {
        Event::Fixed(version) => Some(version),
        _ => None,
    })
}

fn is_side_line(version: &str) -> bool {
    version.contains(".ksplice") || version.contains("_fips")
}

/// `i386` and `i686` are one architecture.
fn family(arch: &str) -> &str {
    match arch.as_bytes() {
        [b'i', b'3'..=b'6', b'8', b'6'] => "i386",
        _ => arch,
    }
}

/// Which of the lines of builds a version belongs to.
///
/// Oracle builds libraries anew for Ksplice (`2:2.17-317.ksplice1.el7`) and for
/// certified cryptography (`10:3.6.16-4.0.1.el8_fips`) under greater epochs, so
/// that no other build ever reaches their fixes; and it keeps several Unbreakable
/// Enterprise Kernels under one name, told by their upstream version, with tools
/// that other kernels have too.
fn line<'v>(name: &str, version: &'v str) -> (bool, bool, &'v str) {
    let is_of_kernel = name.starts_with("kernel") || name.ends_with("perf") || name == "bpftool";
    let kernel = if is_of_kernel && version.contains("uek") {
        let version = version.split_once(':').map_or(version, |(_, rest)| rest);
        version
            .split_once('-')
            .map_or(version, |(upstream, _)| upstream)
    } else {
        ""
    };
    (
        version.contains(".ksplice"),
        version.contains("_fips"),
        kernel,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_by_their_versions() {
        let same = |name, a, b| line(name, a) == line(name, b);
        assert!(same("glibc", "0:2.17-317.el7", "0:2.17-326.el7"));
        assert!(!same("glibc", "0:2.17-317.el7", "2:2.17-317.ksplice1.el7"));
        assert!(!same(
            "gnutls",
            "0:3.6.16-4.el8",
            "10:3.6.16-4.0.1.el8_fips"
        ));
        assert!(same(
            "kernel-uek",
            "0:5.4.17-2136.300.7.el8uek",
            "5.4.17-2102.el8uek"
        ));
        assert!(!same(
            "kernel-uek",
            "0:5.4.17-2136.300.7.el8uek",
            "5.15.0-3.el8uek"
        ));
        assert!(!same("perf", "4.14.35-1818.5.4.el7uek", "3.10.0-957.el7"));
        assert_eq!(family("i686"), family("i386"));
    }
}
