//! What is new against an earlier report.
//!
//! Findings are told by their fingerprints, which hold neither line nor
//! version, target by target. Several with one fingerprint are counted: of three
//! where two were known, one is new.

use std::collections::{HashMap, HashSet};

use seawall_model::{
    Baseline, Earlier, EarlierFinding, EarlierGap, EarlierTarget, Finding, Fingerprint, Report,
    Target, normal,
};

/// What this run looked at, so that what it did not look for is not called gone.
pub struct Scope<'a> {
    /// Whether a finding like this one would have been found.
    pub is_looked_for: &'a dyn Fn(&EarlierFinding) -> bool,
    /// Findings that were left out for another reason, by target.
    pub hidden: &'a [(usize, Fingerprint)],
}

/// What a comparison has to say to the user.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Compared {
    /// The one target of the earlier report, where it is another than this
    /// report's one target; it was compared with it all the same.
    pub other: Option<String>,
    /// Indices of targets that the earlier report does not know.
    pub strangers: Vec<usize>,
}

/// Takes the findings out of `report` that `earlier` has, and notes what became
/// of it in [`Report::baseline`].
pub fn compare(report: &mut Report, earlier: &Earlier, scope: &Scope<'_>) -> Compared {
    let (pairs, compared) = pair(&report.targets, &earlier.targets);
    let mut left: HashMap<(usize, Fingerprint), usize> = HashMap::new();
    for one in &earlier.findings {
        *left.entry((one.target, one.fingerprint)).or_default() += 1;
    }
    let mut take = |target: usize, print: Fingerprint| {
        let at = pairs.get(target).copied().flatten();
        let times = at.and_then(|at| left.get_mut(&(at, print)));
        match times {
            Some(times) if *times > 0 => {
                *times -= 1;
                true
            }
            _ => false,
        }
    };
    // The least is known first: of several alike the worst counts as new.
    let mut order: Vec<(usize, &Finding)> = report.findings.iter().enumerate().collect();
    order.sort_by_key(|(_, one)| one.severity);
    let known: HashSet<usize> = order
        .into_iter()
        .filter(|(_, one)| take(one.target, one.fingerprint))
        .map(|(at, _)| at)
        .collect();
    let all = std::mem::take(&mut report.findings).into_iter().enumerate();
    let (known, new): (Vec<_>, Vec<_>) = all.partition(|(at, _)| known.contains(at));
    let known = known.iter().map(|(_, one)| as_earlier(one)).collect();
    report.findings = new.into_iter().map(|(_, one)| one).collect();
    // What is suppressed or hidden is there: not gone.
    let suppressed = report.suppressed.iter();
    let suppressed = suppressed.map(|one| (one.finding.target, one.finding.fingerprint));
    for (target, print) in suppressed.chain(scope.hidden.iter().copied()) {
        take(target, print);
    }
    let back: HashMap<usize, usize> = pairs
        .iter()
        .enumerate()
        .filter_map(|(at, earlier)| Some(((*earlier)?, at)))
        .collect();
    let (mut gone, mut unseen) = (Vec::new(), 0);
    for one in &earlier.findings {
        match left.get_mut(&(one.target, one.fingerprint)) {
            Some(times) if *times > 0 => *times -= 1,
            _ => continue,
        }
        match back.get(&one.target) {
            Some(at) if (scope.is_looked_for)(one) => gone.push(EarlierFinding {
                target: *at,
                ..one.clone()
            }),
            _ => unseen += 1,
        }
    }
    report.baseline = Some(Baseline {
        digest: earlier.digest.clone(),
        findings: earlier.findings.len(),
        known,
        gone,
        unseen,
        gaps: known_gaps(report, earlier, &pairs),
    });
    compared
}

fn as_earlier(finding: &Finding) -> EarlierFinding {
    EarlierFinding {
        target: finding.target,
        fingerprint: finding.fingerprint,
        rule: finding.rule.to_owned(),
        severity: finding.severity,
        message: finding.message.clone(),
        fixable: finding.fix.is_some(),
    }
}

/// How many gaps the earlier report has too, each of its own counted once.
fn known_gaps(report: &Report, earlier: &Earlier, pairs: &[Option<usize>]) -> usize {
    let mut left: HashMap<&EarlierGap, usize> = HashMap::new();
    for gap in &earlier.gaps {
        *left.entry(gap).or_default() += 1;
    }
    let gaps = report.gaps.iter().filter(|gap| {
        let Some(at) = pairs.get(gap.target).copied().flatten() else {
            return false;
        };
        match left.get_mut(&EarlierGap::new(at, gap.kind, &gap.subject)) {
            Some(times) if *times > 0 => {
                *times -= 1;
                true
            }
            _ => false,
        }
    });
    gaps.count()
}

/// For each target the one of the earlier report that it is compared with.
fn pair(targets: &[Target], earlier: &[EarlierTarget]) -> (Vec<Option<usize>>, Compared) {
    if let ([one], [before]) = (targets, earlier) {
        let is_same = is_kind(one, before)
            && (one.kind.stem(&one.name) == one.kind.stem(&before.name)
                || (one.digest.is_some() && one.digest == before.digest));
        let compared = Compared {
            other: (!is_same).then(|| before.name.clone()),
            strangers: Vec::new(),
        };
        return (vec![Some(0)], compared);
    }
    let mut pairs = vec![None; targets.len()];
    let mut taken = vec![false; earlier.len()];
    // By the whole name first, then without an image's tag.
    let same = |one: &Target, before: &EarlierTarget, whole: bool| {
        let is_same = match whole {
            true => normal(&one.name) == normal(&before.name),
            false => one.kind.stem(&one.name) == one.kind.stem(&before.name),
        };
        is_same && is_kind(one, before)
    };
    for whole in [true, false] {
        for (one, pair) in targets.iter().zip(&mut pairs) {
            if pair.is_some() {
                continue;
            }
            let mut fits = earlier.iter().zip(&mut taken).enumerate();
            let fit = fits.find(|(_, (before, taken))| !**taken && same(one, before, whole));
            if let Some((at, (_, taken))) = fit {
                *taken = true;
                *pair = Some(at);
            }
        }
    }
    let strangers = pairs.iter().enumerate();
    let strangers = strangers.filter_map(|(at, pair)| pair.is_none().then_some(at));
    let compared = Compared {
        other: None,
        strangers: strangers.collect(),
    };
    (pairs, compared)
}

fn is_kind(one: &Target, before: &EarlierTarget) -> bool {
    one.kind.as_str() == before.kind
}

#[cfg(test)]
mod tests {
    use seawall_model::{
        Confidence, EarlierGap, Gap, GapKind, Location, Severity, Suppressed, Suppressor,
        TargetKind,
    };

    use super::*;
    use crate::{Thresholds, Verdict};

    const ALL: Scope<'static> = Scope {
        is_looked_for: &|_| true,
        hidden: &[],
    };

    fn finding(target: usize, id: &str, severity: Severity) -> Finding {
        Finding {
            target,
            rule: "package/known-vulnerability",
            aliases: Vec::new(),
            severity,
            confidence: Confidence::High,
            message: format!("`x` is affected by {id}"),
            fingerprint: Fingerprint::of(&[id]),
            location: Location::Target,
            related: Vec::new(),
            package: None,
            vulnerability: None,
            fix: None,
        }
    }

    fn report(names: &[(TargetKind, &str)], findings: Vec<Finding>) -> Report {
        let targets = names
            .iter()
            .map(|(kind, name)| Target::new(*kind, *name, "x"));
        Report {
            targets: targets.collect(),
            findings,
            ..Report::default()
        }
    }

    /// What a report is to a later one.
    fn earlier(report: &Report) -> Earlier {
        let targets = report.targets.iter().map(|one| EarlierTarget {
            kind: one.kind.as_str().to_owned(),
            name: one.name.clone(),
            digest: one.digest.clone(),
        });
        let gaps = report.gaps.iter();
        let gaps = gaps.map(|gap| EarlierGap::new(gap.target, gap.kind, &gap.subject));
        Earlier {
            digest: "sha256:0".to_owned(),
            targets: targets.collect(),
            findings: report.findings.iter().map(as_earlier).collect(),
            gaps: gaps.collect(),
        }
    }

    const SHOP: [(TargetKind, &str); 1] = [(TargetKind::Image, "shop:1.4")];

    #[test]
    fn several_of_one_fingerprint_are_counted_and_the_worst_is_new() {
        use Severity::{Critical, High, Low};
        let before = report(&SHOP, vec![finding(0, "A", Low), finding(0, "A", Low)]);
        for (now, new, gone) in [
            (vec![Low], vec![], 1),
            (vec![Low, Low], vec![], 0),
            (vec![Critical, Low, High], vec![Critical], 0),
            (vec![], vec![], 2),
        ] {
            let now = now.into_iter().map(|one| finding(0, "A", one)).collect();
            let mut now = report(&SHOP, now);
            let total = now.findings.len();
            let said = compare(&mut now, &earlier(&before), &ALL);
            assert_eq!(said, Compared::default());
            let left: Vec<Severity> = now.findings.iter().map(|one| one.severity).collect();
            let baseline = now.baseline.unwrap();
            assert_eq!((left, baseline.gone.len()), (new, gone));
            assert_eq!(baseline.known.len(), total - now.findings.len());
            assert_eq!((baseline.findings, baseline.unseen), (2, 0));
        }
    }

    #[test]
    fn what_was_not_looked_for_and_what_is_hidden_is_not_gone() {
        let low = |id: &str| finding(0, id, Severity::Low);
        let before = report(&SHOP, vec![low("A"), low("B"), low("C"), low("D")]);
        let mut now = report(&SHOP, vec![]);
        now.suppressed.push(Suppressed {
            finding: low("A"),
            by: vec![Suppressor::Setting {
                place: "seawall.toml:1".to_owned(),
                reason: String::new(),
                justification: None,
                expires: None,
            }],
        });
        let scope = Scope {
            is_looked_for: &|one| !one.message.ends_with('C'),
            hidden: &[(0, Fingerprint::of(&["B"]))],
        };
        compare(&mut now, &earlier(&before), &scope);
        let baseline = now.baseline.unwrap();
        let gone: Vec<&str> = baseline
            .gone
            .iter()
            .map(|one| one.message.as_str())
            .collect();
        assert_eq!((gone, baseline.unseen), (vec!["`x` is affected by D"], 1));
    }

    #[test]
    fn targets_are_compared_with_their_own() {
        let two = [
            (TargetKind::Image, "a:5000/x:1"),
            (TargetKind::Directory, "./api/"),
        ];
        let before = report(
            &two,
            vec![
                finding(0, "A", Severity::Low),
                finding(1, "B", Severity::Low),
            ],
        );
        let now = [
            (TargetKind::Directory, "api"),
            (TargetKind::Directory, "web"),
            (TargetKind::Image, "a:5000/x:2@sha256:1"),
        ];
        let all = (0..3).flat_map(|at| ["A", "B"].map(|id| finding(at, id, Severity::Low)));
        let mut now = report(&now, all.collect());
        let said = compare(&mut now, &earlier(&before), &ALL);
        assert_eq!(said.strangers, [1]);
        let left = now.findings.iter();
        let left: Vec<_> = left.map(|one| (one.target, one.fingerprint)).collect();
        let of = |id: &str| Fingerprint::of(&[id]);
        assert_eq!(
            left,
            [(0, of("A")), (1, of("A")), (1, of("B")), (2, of("B"))]
        );

        // One against one is compared whatever it is called, with a word.
        for (name, digest, want) in [
            ("shop:1.5", None, None),
            ("./shop.tar", None, Some("shop:1.4")),
            ("./shop.tar", Some("sha256:1"), None),
        ] {
            let mut before = report(&SHOP, vec![finding(0, "A", Severity::Low)]);
            let mut now = report(&[(TargetKind::Image, name)], before.findings.clone());
            before.targets[0].digest = digest.map(str::to_owned);
            now.targets[0].digest = digest.map(str::to_owned);
            let said = compare(&mut now, &earlier(&before), &ALL);
            assert_eq!(said.other.as_deref(), want, "{name}");
            assert!(now.findings.is_empty());
        }
    }

    #[test]
    fn a_target_that_is_not_there_has_nothing_gone() {
        let two = [
            (TargetKind::Directory, "api"),
            (TargetKind::Directory, "web"),
        ];
        let before = report(
            &two,
            vec![
                finding(0, "A", Severity::Low),
                finding(1, "B", Severity::Low),
            ],
        );
        let mut now = report(&[(TargetKind::Directory, "web")], vec![]);
        compare(&mut now, &earlier(&before), &ALL);
        let baseline = now.baseline.unwrap();
        assert_eq!((baseline.gone.len(), baseline.unseen), (1, 1));
        assert_eq!(baseline.gone[0].target, 0);
    }

    #[test]
    fn known_gaps_are_shown_and_stand_against_no_verdict_but_new_ones_do() {
        let gap = |subject: &str, reason: &str| Gap::new(GapKind::Damaged, subject, reason);
        let mut before = report(&SHOP, vec![]);
        before.gaps = vec![gap("a", "on Monday")];
        let high = Thresholds {
            severity: Some(Severity::High),
            ..Thresholds::default()
        };
        for (gaps, want) in [
            (vec![gap("a", "on Tuesday")], Verdict::Pass),
            (
                vec![gap("a", "on Tuesday"), gap("b", "x")],
                Verdict::Incomplete { gaps: 1 },
            ),
            (
                vec![gap("a", "x"), gap("a", "x")],
                Verdict::Incomplete { gaps: 1 },
            ),
            (
                vec![Gap::new(GapKind::Limit, "a", "x")],
                Verdict::Incomplete { gaps: 1 },
            ),
        ] {
            let mut now = report(&SHOP, vec![]);
            let count = gaps.len();
            now.gaps = gaps;
            compare(&mut now, &earlier(&before), &ALL);
            assert_eq!(now.gaps.len(), count);
            assert_eq!(high.judge(&now), want);
        }
    }
}
