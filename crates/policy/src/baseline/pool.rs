//! What of an earlier report's findings is left to compare with.

use std::collections::{HashMap, VecDeque};

use seawall_model::{Earlier, EarlierFinding, Finding, Fingerprint, Severity};

/// How bad: the severity, whether it is known to be exploited, whether its
/// chance of that reaches the threshold.
pub(super) type Rank = (Severity, bool, bool);

/// The earlier report's findings that nothing of this one was compared with.
pub(super) struct Pool<'a> {
    earlier: &'a Earlier,
    pairs: &'a [Option<usize>],
    epss: Option<f64>,
    left: HashMap<(usize, Fingerprint), Left>,
}

/// Those of one fingerprint, by their indices.
#[derive(Default)]
struct Left {
    /// The least first.
    fitting: VecDeque<usize>,
    /// What a finding of this report turned out worse than.
    lesser: Vec<usize>,
}

impl<'a> Pool<'a> {
    pub(super) fn new(earlier: &'a Earlier, pairs: &'a [Option<usize>], epss: Option<f64>) -> Self {
        let mut pool = Pool {
            earlier,
            pairs,
            epss,
            left: HashMap::new(),
        };
        let mut order: Vec<(usize, &EarlierFinding)> =
            earlier.findings.iter().enumerate().collect();
        order.sort_by_key(|(_, one)| pool.rank_before(one));
        for (at, one) in order {
            let left = pool.left.entry((one.target, one.fingerprint));
            left.or_default().fitting.push_back(at);
        }
        pool
    }

    fn rank(&self, severity: Severity, exploited: bool, epss: Option<f64>) -> Rank {
        let reaches = self.epss.zip(epss).is_some_and(|(least, is)| is >= least);
        (severity, exploited, reaches)
    }

    fn rank_before(&self, one: &EarlierFinding) -> Rank {
        self.rank(one.severity, one.exploited, one.epss)
    }

    pub(super) fn rank_now(&self, one: &Finding) -> Rank {
        let (exploited, epss) = risk(one);
        self.rank(one.severity, exploited, epss)
    }

    fn left(&mut self, target: usize, print: Fingerprint) -> Option<&mut Left> {
        let at = self.pairs.get(target).copied().flatten()?;
        self.left.get_mut(&(at, print))
    }

    /// Takes what `one` was, where it is no worse than that. Asked in the order
    /// of [`Pool::rank_now`]: what is too little for one is for the next, too.
    pub(super) fn knows(&mut self, one: &Finding) -> bool {
        let (now, earlier) = (self.rank_now(one), self.earlier);
        loop {
            let left = self.left(one.target, one.fingerprint);
            let Some(at) = left.and_then(|left| left.fitting.pop_front()) else {
                return false;
            };
            let before = earlier
                .findings
                .get(at)
                .map(|before| self.rank_before(before));
            if before
                .is_some_and(|before| now.0 <= before.0 && now.1 <= before.1 && now.2 <= before.2)
            {
                return true;
            }
            if let Some(left) = self.left(one.target, one.fingerprint) {
                left.lesser.push(at);
            }
        }
    }

    /// Takes any of a fingerprint.
    pub(super) fn take(&mut self, target: usize, print: Fingerprint) -> Option<&'a EarlierFinding> {
        let left = self.left(target, print)?;
        let at = left.lesser.pop().or_else(|| left.fitting.pop_front())?;
        self.earlier.findings.get(at)
    }

    /// What was not taken, in the report's order.
    pub(super) fn rest(self) -> impl Iterator<Item = &'a EarlierFinding> {
        let left = self.left.into_values();
        let mut all: Vec<usize> = left
            .flat_map(|left| left.fitting.into_iter().chain(left.lesser))
            .collect();
        all.sort_unstable();
        let findings = &self.earlier.findings;
        all.into_iter().filter_map(|at| findings.get(at))
    }
}

/// Whether it is known to be exploited, and the chance that it is.
pub(super) fn risk(finding: &Finding) -> (bool, Option<f64>) {
    let flaw = finding.vulnerability.as_deref();
    let epss = flaw.and_then(|flaw| flaw.epss).map(|epss| epss.score);
    (flaw.is_some_and(|flaw| flaw.kev.is_some()), epss)
}
