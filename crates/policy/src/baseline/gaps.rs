//! Which gaps an earlier report has too, and what they hide.

use std::collections::HashMap;

use seawall_model::{Earlier, EarlierFinding, EarlierGap, Gap, GapKind, Report};

/// For each gap of `report` whether the earlier report has it too, each of its
/// own counted once.
///
/// That advisories are old is never known: whoever accepted it then accepted
/// what was missing that day, and every day after more is.
pub(super) fn known(report: &Report, earlier: &Earlier, pairs: &[Option<usize>]) -> Vec<bool> {
    let mut left: HashMap<&EarlierGap, usize> = HashMap::new();
    for gap in &earlier.gaps {
        *left.entry(gap).or_default() += 1;
    }
    let is_known = |gap: &Gap| {
        let Some(at) = pairs.get(gap.target).copied().flatten() else {
            return false;
        };
        let own = EarlierGap::new(at, gap.kind.as_str(), &gap.subject, &gap.reason);
        match left.get_mut(&own) {
            Some(times) if *times > 0 && gap.kind != GapKind::StaleAdvisories => {
                *times -= 1;
                true
            }
            _ => false,
        }
    };
    report.gaps.iter().map(is_known).collect()
}

/// The gaps of one target that findings may be hidden by.
pub(super) struct Hiding<'a> {
    gaps: Vec<(&'a Gap, bool)>,
    ecosystem: fn(&str) -> Option<&'static str>,
}

impl<'a> Hiding<'a> {
    /// Of the gaps of `report` those of `target`; `known` is what [`known`] says.
    pub(super) fn new(
        report: &'a Report,
        known: &[bool],
        target: usize,
        ecosystem: fn(&str) -> Option<&'static str>,
    ) -> Self {
        let gaps = report.gaps.iter().zip(known.iter().copied());
        // Old advisories still say what they said.
        let gaps = gaps
            .filter(|(gap, _)| gap.target == target && gap.kind != GapKind::StaleAdvisories)
            .collect();
        Hiding { gaps, ecosystem }
    }

    /// Whether nobody can tell if `one` is gone. Beside a gap in the advisories
    /// that was there before it was found; it is gone for another reason.
    pub(super) fn is_hidden(&self, one: &EarlierFinding) -> bool {
        self.gaps.iter().any(|(gap, is_known)| {
            let is_on = |path: &str| is_on(path, &gap.subject);
            one.path.as_deref().is_some_and(is_on)
                || (!is_known && self.is_about(gap, one.package.as_deref()))
        })
    }

    /// Whether a gap is about all packages of a purl type: `npm packages`,
    /// `PyPI`, `Go versions`, `Debian:12`.
    fn is_about(&self, gap: &Gap, kind: Option<&str>) -> bool {
        let Some(kind) = kind else { return false };
        let rest = gap.subject.split_once(' ');
        if rest.is_some_and(|(of, rest)| of == kind && rest.starts_with("packages")) {
            return true;
        }
        match (self.ecosystem)(kind) {
            Some(ecosystem) => {
                let rest = gap.subject.strip_prefix(ecosystem);
                rest.is_some_and(|rest| rest.is_empty() || rest == " versions")
            }
            // A distribution's own packages: whatever says nothing of them but
            // of its name, its release or its package database.
            None => {
                !gap.subject.contains(" packages")
                    && (gap.kind == GapKind::NoAdvisories
                        || ["etc/os-release", "package database"].contains(&gap.subject.as_str())
                        || (gap.kind == GapKind::Damaged && !gap.subject.contains('/')))
            }
        }
    }
}

/// Whether what `subject` names is `path`, a folder that it is in, or, where it
/// is an archive, a part of it.
fn is_on(path: &str, subject: &str) -> bool {
    let below = |text: &str, root: &str| {
        let rest = text.strip_prefix(root.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '!']))
    };
    subject.is_empty() || subject == "." || below(path, subject) || below(subject, path)
}
