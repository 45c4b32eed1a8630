use seawall_model::{
    Confidence, EarlierGap, Epss, Gap, GapKind, Kev, Location, Origin, Severity, Suppressed,
    Suppressor, TargetKind, Vulnerability,
};

use super::*;
use crate::{Thresholds, Verdict};

const ALL: Scope<'static> = Scope {
    is_looked_for: &|_| true,
    hidden: &[],
    epss: None,
    ecosystem: |kind| (kind == "pypi").then_some("PyPI"),
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
    let gaps =
        gaps.map(|gap| EarlierGap::new(gap.target, gap.kind.as_str(), &gap.subject, &gap.reason));
    let findings = report.findings.iter();
    Earlier {
        digest: "sha256:0".to_owned(),
        targets: targets.collect(),
        findings: findings
            .map(|one| as_earlier(one, &report.packages))
            .collect(),
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
        (vec![Critical, Low, High], vec![Critical, High], 0),
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
    let before = report(&SHOP, vec![finding(0, "A", Critical), finding(0, "A", Low)]);
    let now = [High, Low, Low].map(|one| finding(0, "A", one));
    let mut now = report(&SHOP, now.to_vec());
    compare(&mut now, &earlier(&before), &ALL);
    assert_eq!(now.findings.len(), 1);
    assert!(now.baseline.unwrap().gone.is_empty());
}

#[test]
fn what_is_worse_than_it_was_is_new_and_says_what_it_was() {
    use Severity::{Critical, High, Low};
    let flaw = |severity, exploited: bool, score: Option<f64>| {
        let mut one = finding(0, "A", severity);
        one.vulnerability = Some(Box::new(Vulnerability {
            kev: exploited.then(|| Kev {
                added: "2025-08-25".into(),
                due: None,
                ransomware: false,
            }),
            epss: score.map(|score| Epss {
                score,
                percentile: 0.5,
            }),
            ..Vulnerability::default()
        }));
        one
    };
    let half = Scope {
        epss: Some(0.5),
        ..ALL
    };
    let low = || flaw(Low, false, Some(0.1));
    for (before, now, is_new) in [
        (low(), flaw(Critical, false, Some(0.1)), true),
        (low(), flaw(Low, true, Some(0.1)), true),
        (low(), flaw(Low, false, Some(0.5)), true),
        (flaw(Low, false, None), flaw(Low, false, Some(0.9)), true),
        (low(), flaw(Low, false, Some(0.4)), false),
        (flaw(Critical, true, Some(0.9)), low(), false),
        (flaw(High, false, None), flaw(Low, true, None), true),
    ] {
        let was = before.severity;
        let before = report(&SHOP, vec![before]);
        let mut now = report(&SHOP, vec![now]);
        let all = now.findings.clone();
        compare(&mut now, &earlier(&before), &half);
        let baseline = now.baseline.unwrap();
        assert_eq!(!now.findings.is_empty(), is_new, "{all:?}");
        assert_eq!(baseline.known.is_empty(), is_new);
        assert!(baseline.gone.is_empty());
        let before = baseline.before(&all[0]);
        assert_eq!(before.map(|one| one.severity), is_new.then_some(was));
    }
    // Without a threshold the chance of exploitation decides nothing.
    let mut now = report(&SHOP, vec![flaw(Low, false, Some(0.9))]);
    compare(&mut now, &earlier(&report(&SHOP, vec![low()])), &ALL);
    assert!(now.findings.is_empty());
}

#[test]
fn what_a_gap_hides_is_not_gone() {
    let mut before = report(&SHOP, vec![finding(0, "A", Severity::Low)]);
    let origin = Origin {
        path: "api/requirements.txt".to_owned(),
        ..Origin::default()
    };
    before.findings[0].location = Location::File {
        path: origin.path.clone(),
        layer: None,
        range: None,
    };
    before.findings[0].package = Some(0);
    let package = Package::new("pypi", "x", "1", "pkg:pypi/x@1", origin);
    before.packages = vec![package];
    use GapKind::{Damaged, Limit, NoAdvisories, StaleAdvisories, Unsupported};
    for (kind, subject, is_hidden) in [
        (Damaged, "api/requirements.txt", true),
        (Limit, "api", true),
        (Limit, "ap", false),
        (Damaged, "web/requirements.txt", false),
        (Damaged, "api/requirements.txt!/part", true),
        (NoAdvisories, "PyPI", true),
        (NoAdvisories, "pypi packages", true),
        (Unsupported, "PyPI versions", true),
        (NoAdvisories, "npm", false),
        (NoAdvisories, "npm packages", false),
        (StaleAdvisories, "PyPI", false),
    ] {
        let mut now = report(&SHOP, vec![]);
        now.gaps = vec![Gap::new(kind, subject, "x")];
        let all = earlier(&before);
        compare(&mut now, &all, &ALL);
        let baseline = now.baseline.unwrap();
        let want = (usize::from(!is_hidden), usize::from(is_hidden));
        assert_eq!((baseline.gone.len(), baseline.unseen), want, "{subject}");
    }
    // The type of a distribution: its release, its package database.
    before.packages[0].kind = "deb".into();
    for (kind, subject, is_hidden) in [
        (NoAdvisories, "Debian:12", true),
        (GapKind::Missing, "package database", true),
        (Damaged, "Debian:12", true),
        (NoAdvisories, "npm packages", false),
        (Damaged, "web/yarn.lock", false),
    ] {
        let mut now = report(&SHOP, vec![]);
        now.gaps = vec![Gap::new(kind, subject, "x")];
        compare(&mut now, &earlier(&before), &ALL);
        let unseen = now.baseline.unwrap().unseen;
        assert_eq!(unseen, usize::from(is_hidden), "{subject}");
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
        ..ALL
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
    let stale = || Gap::new(GapKind::StaleAdvisories, "npm", "x");
    let none = |reason| Gap::new(GapKind::NoAdvisories, "arch", reason);
    before.gaps = vec![gap("a", "at byte 12"), stale(), none("1 package")];
    let high = Thresholds {
        severity: Some(Severity::High),
        ..Thresholds::default()
    };
    for (gaps, want) in [
        (vec![gap("a", "at byte 7")], Verdict::Pass),
        (vec![none("2 packages")], Verdict::Pass),
        (
            vec![gap("a", "it ends too early")],
            Verdict::Incomplete { gaps: 1 },
        ),
        (vec![stale()], Verdict::Incomplete { gaps: 1 }),
        (
            vec![gap("a", "at byte 7"), gap("b", "x")],
            Verdict::Incomplete { gaps: 1 },
        ),
        (
            vec![gap("a", "at byte 1"), gap("a", "at byte 1")],
            Verdict::Incomplete { gaps: 1 },
        ),
        (
            vec![Gap::new(GapKind::Limit, "a", "at byte 1")],
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
