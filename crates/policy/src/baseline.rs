//! What is new against an earlier report.
//!
//! Findings are told by their fingerprints, which hold neither line nor
//! version, target by target. Several with one fingerprint are counted: of three
//! where two were known, one is new. One that is worse than it was is new too.

mod gaps;
mod pool;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use seawall_model::{
    Baseline, Earlier, EarlierFinding, EarlierTarget, Finding, Fingerprint, Package, Report,
    Target, normal,
};

use self::{
    gaps::Hiding,
    pool::{Pool, risk},
};

/// What this run looked at, so that what it did not look for is not called gone.
pub struct Scope<'a> {
    /// Whether a finding like this one would have been found.
    pub is_looked_for: &'a dyn Fn(&EarlierFinding) -> bool,
    /// Findings that were left out for another reason, by target.
    pub hidden: &'a [(usize, Fingerprint)],
    /// The chance of exploitation that findings are judged by
    /// ([`crate::Thresholds::epss`]).
    pub epss: Option<f64>,
    /// The ecosystem whose advisories serve a purl type; `None` for the types
    /// of distributions.
    pub ecosystem: fn(&str) -> Option<&'static str>,
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
/// of it in [`Report::baseline`]. A finding that is worse than it was stays.
pub fn compare(report: &mut Report, earlier: &Earlier, scope: &Scope<'_>) -> Compared {
    let (pairs, compared) = pair(&report.targets, &earlier.targets);
    let mut pool = Pool::new(earlier, &pairs, scope.epss);
    // The least is known first: of several alike the worst counts as new.
    let mut order: Vec<(usize, &Finding)> = report.findings.iter().enumerate().collect();
    order.sort_by_key(|(_, finding)| pool.rank_now(finding));
    let (known, rest): (Vec<_>, Vec<_>) = order.into_iter().partition(|(_, one)| pool.knows(one));
    let mut worse: Vec<EarlierFinding> = rest
        .into_iter()
        .rev()
        .filter_map(|(_, one)| {
            let before = pool.take(one.target, one.fingerprint)?;
            Some(EarlierFinding {
                target: one.target,
                ..before.clone()
            })
        })
        .collect();
    worse.sort_by_key(|one| (one.target, one.fingerprint));
    let known: HashSet<usize> = known.into_iter().map(|(at, _)| at).collect();
    let all = std::mem::take(&mut report.findings).into_iter().enumerate();
    let (known, new): (Vec<_>, Vec<_>) = all.partition(|(at, _)| known.contains(at));
    let known = known
        .iter()
        .map(|(_, one)| as_earlier(one, &report.packages));
    let known = known.collect();
    report.findings = new.into_iter().map(|(_, one)| one).collect();
    // What is suppressed or hidden is there: not gone.
    let suppressed = report.suppressed.iter();
    let suppressed = suppressed.map(|one| (one.finding.target, one.finding.fingerprint));
    for (target, print) in suppressed.chain(scope.hidden.iter().copied()) {
        pool.take(target, print);
    }
    let back: HashMap<usize, usize> = pairs
        .iter()
        .enumerate()
        .filter_map(|(at, earlier)| Some(((*earlier)?, at)))
        .collect();
    let is_known = gaps::known(report, earlier, &pairs);
    let hiding: Vec<Hiding<'_>> = (0..report.targets.len())
        .map(|at| Hiding::new(report, &is_known, at, scope.ecosystem))
        .collect();
    let (mut gone, mut unseen) = (Vec::new(), 0);
    for one in pool.rest() {
        let at = back.get(&one.target).copied();
        let hiding = at.and_then(|at| Some((at, hiding.get(at)?)));
        match hiding {
            Some((target, hiding)) if (scope.is_looked_for)(one) && !hiding.is_hidden(one) => {
                gone.push(EarlierFinding {
                    target,
                    ..one.clone()
                });
            }
            _ => unseen += 1,
        }
    }
    report.baseline = Some(Baseline {
        digest: earlier.digest.clone(),
        findings: earlier.findings.len(),
        known,
        worse,
        gone,
        unseen,
        gaps: is_known.into_iter().filter(|is_known| *is_known).count(),
    });
    compared
}

fn as_earlier(finding: &Finding, packages: &[Package]) -> EarlierFinding {
    let (exploited, epss) = risk(finding);
    let package = finding.package.and_then(|at| packages.get(at));
    EarlierFinding {
        target: finding.target,
        fingerprint: finding.fingerprint,
        rule: finding.rule.to_owned(),
        severity: finding.severity,
        message: finding.message.clone(),
        fixable: finding.fix.is_some(),
        exploited,
        epss,
        path: finding.location.path().map(str::to_owned),
        package: package.map(|package| package.kind.to_string()),
    }
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
