//! All that a run found.

use std::collections::BTreeMap;

use crate::{
    Baseline, Brought, Finding, Gap, Identity, Location, Package, Rule, Severity, Suppressed,
    Target, graph,
};

/// All that a run found. Deterministic: the same input gives the same report.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was looked at.
    pub targets: Vec<Target>,
    /// What the advisories came from; `None` when none were asked for.
    pub database: Option<DatabaseInfo>,
    /// The rules that the findings name, sorted by id.
    pub rules: Vec<&'static Rule>,
    /// What was found, worst first.
    pub findings: Vec<Finding>,
    /// The packages of all targets; [`Finding::package`] points here.
    pub packages: Vec<Package>,
    /// For each package the index of its target.
    pub package_targets: Vec<usize>,
    /// What could not be looked at.
    pub gaps: Vec<Gap>,
    /// Findings that a suppression took out of `findings`, in their order.
    pub suppressed: Vec<Suppressed>,
    /// The licences of all packages, when they were asked for: by category,
    /// the mildest first, then by name.
    pub licenses: Option<Vec<LicenseCount>>,
    /// What an earlier report knew of it, where one was given.
    pub baseline: Option<Baseline>,
    /// For each target by what else it may be named; may be shorter.
    pub identities: Vec<Identity>,
}

/// How many packages are under a licence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LicenseCount {
    /// What it asks for, as `seawall-licenses` sorts them; `None` for a licence
    /// of no category and for packages whose licence is not known.
    pub category: Option<&'static str>,
    /// The SPDX expression; `None` for packages whose licence is not known.
    pub license: Option<String>,
    /// How many packages.
    pub packages: usize,
}

/// Where advisories came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// Which database.
    pub kind: DatabaseKind,
    /// A digest over the shards used.
    pub digest: String,
    /// The newest advisory in it, RFC 3339.
    pub built: String,
    /// The shards used, sorted: `Alpine:v3.10`, `PyPI`.
    pub ecosystems: Vec<String>,
}

/// Which advisory database served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatabaseKind {
    /// One that `seawall db update` made.
    Installed,
    /// The one inside the binary.
    Starter,
}

impl DatabaseKind {
    /// The name used in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            DatabaseKind::Installed => "installed",
            DatabaseKind::Starter => "starter",
        }
    }
}

/// Counts over a report.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Summary {
    /// Findings by severity.
    pub by_severity: BTreeMap<Severity, usize>,
    /// Findings that a newer version mends.
    pub fixable: usize,
    /// Findings in CISA's catalogue of known exploited vulnerabilities.
    pub exploited: usize,
    /// Packages looked at.
    pub packages: usize,
    /// Gaps.
    pub gaps: usize,
    /// Findings suppressed.
    pub suppressed: usize,
    /// Findings left out since an earlier report has them, and findings of that
    /// report that are there no more; `None` without one.
    pub baseline: Option<(usize, usize)>,
}

impl Report {
    /// The dependency graph: for each package the indices of those that it asks
    /// for, which are packages of its own target ([`graph`]).
    pub fn graph(&self) -> Vec<Vec<usize>> {
        let mut all = Vec::with_capacity(self.packages.len());
        // Packages of one target stand together.
        for targets in self.package_targets.chunk_by(|a, b| a == b) {
            let start = all.len();
            let end = start + targets.len();
            let own = graph(self.packages.get(start..end).unwrap_or_default());
            all.extend(
                own.into_iter()
                    .map(|to| to.into_iter().map(|at| at + start).collect()),
            );
        }
        all
    }

    /// Who brought what a finding is about, in images whose base is known.
    pub fn brought_by(&self, finding: &Finding) -> Option<Brought<'_>> {
        let Location::File {
            layer: Some(layer), ..
        } = finding.location
        else {
            return None;
        };
        self.targets.get(finding.target)?.brought_by(layer)
    }

    /// Counts over the report.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            packages: self.packages.len(),
            gaps: self.gaps.len(),
            suppressed: self.suppressed.len(),
            baseline: (self.baseline.as_ref()).map(|one| (one.known.len(), one.gone.len())),
            ..Summary::default()
        };
        for finding in &self.findings {
            *summary.by_severity.entry(finding.severity).or_default() += 1;
            summary.fixable += usize::from(finding.fix.is_some());
            let exploited = finding
                .vulnerability
                .as_ref()
                .is_some_and(|flaw| flaw.kev.is_some());
            summary.exploited += usize::from(exploited);
        }
        summary
    }
}
