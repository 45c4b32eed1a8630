//! Which statement of which document speaks of a finding.

mod names;

use std::collections::{HashMap, HashSet};

use seawall_model::{
    Finding, Report,
    vex::{Claim, Document, Name, Product, Statement},
};

use self::names::{Known, Scope, is_module, is_target};

/// Statements, by the flaws that they are about.
pub(crate) struct Statements<'a> {
    report: Subjects<'a>,
    documents: &'a [Document],
    by_id: HashMap<String, Vec<(usize, usize)>>,
    used: Vec<Vec<bool>>,
}

/// What statements may be about.
struct Subjects<'a> {
    report: &'a Report,
    packages: Vec<Known<'a>>,
    /// For each package those that ask for it, in the same target.
    parents: Vec<Vec<usize>>,
}

impl<'a> Statements<'a> {
    pub(crate) fn new(report: &'a Report, documents: &'a [Document]) -> Self {
        let mut by_id: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
        for (at, document) in documents.iter().enumerate() {
            for (number, statement) in document.statements.iter().enumerate() {
                for id in &statement.ids {
                    let own = by_id.entry(id.to_ascii_lowercase()).or_default();
                    own.push((at, number));
                }
            }
        }
        let sizes = documents.iter().map(|one| one.statements.len());
        Statements {
            used: sizes.map(|size| vec![false; size]).collect(),
            report: Subjects::new(report, by_id.is_empty()),
            documents,
            by_id,
        }
    }

    /// For each document the statements that were about no finding.
    pub(crate) fn unused(&self) -> Vec<Vec<usize>> {
        let of = |used: &Vec<bool>| {
            let unused = used.iter().enumerate().filter(|(_, used)| !**used);
            unused.map(|(at, _)| at).collect()
        };
        self.used.iter().map(of).collect()
    }

    /// The claim that counts for `finding`: the latest one about its flaw and
    /// its package or target; else, where everything that brought the package
    /// in is said not to be affected, the first of those claims.
    pub(crate) fn latest(&mut self, finding: &Finding) -> Option<&'a Claim> {
        let candidates = self.about(finding)?;
        let own = self.best(&candidates, |product, is_inside| {
            self.report.is_own(product, finding, is_inside)
        });
        for (at, number) in &own.1 {
            self.mark(*at, *number);
        }
        if own.0.is_some() {
            return own.0;
        }
        let (claim, used) = self.of_ancestors(&candidates, finding)?;
        for (at, number) in used {
            self.mark(at, number);
        }
        Some(claim)
    }

    fn mark(&mut self, at: usize, number: usize) {
        if let Some(used) = self.used.get_mut(at).and_then(|all| all.get_mut(number)) {
            *used = true;
        }
    }

    /// Statements about the finding's flaw, by any of its ids, in the order of
    /// documents.
    fn about(&self, finding: &Finding) -> Option<Vec<(usize, usize)>> {
        if self.by_id.is_empty() {
            return None;
        }
        let flaw = finding.vulnerability.as_deref()?;
        let ids = [&flaw.id, &flaw.advisory].into_iter();
        let mut found: Vec<(usize, usize)> = ids
            .chain(&flaw.aliases)
            .filter_map(|id| self.by_id.get(&id.to_ascii_lowercase()))
            .flatten()
            .copied()
            .filter(|(at, _)| {
                let document = self.documents.get(*at);
                document.is_some_and(|one| one.target.is_none_or(|own| own == finding.target))
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        (!found.is_empty()).then_some(found)
    }

    fn statement(&self, (at, number): (usize, usize)) -> Option<&'a Statement> {
        self.documents.get(at)?.statements.get(number)
    }

    /// The latest of `candidates` with a product that fits, and all that fit;
    /// `fits` is told whether the statement stands inside the finding's target.
    /// Among those of the same time the last one counts.
    fn best(
        &self,
        candidates: &[(usize, usize)],
        fits: impl Fn(&Product, bool) -> bool,
    ) -> (Option<&'a Claim>, Vec<(usize, usize)>) {
        let mut best: Option<&Claim> = None;
        let mut fitting = Vec::new();
        for at in candidates {
            let Some(statement) = self.statement(*at) else {
                continue;
            };
            // Candidates of another target are left out by now.
            let document = self.documents.get(at.0);
            let is_inside = document.is_some_and(|one| one.target.is_some());
            let mut products = statement.products.iter();
            if !products.any(|product| fits(product, is_inside)) {
                continue;
            }
            fitting.push(*at);
            if best.is_none_or(|known| known.order <= statement.claim.order) {
                best = Some(&statement.claim);
            }
        }
        (best, fitting)
    }

    /// Goes from the finding's package up to the project. A package that is
    /// said not to be affected blocks the way; when no way is left, the flaw
    /// cannot do harm.
    fn of_ancestors(
        &self,
        candidates: &[(usize, usize)],
        finding: &Finding,
    ) -> Option<(&'a Claim, Vec<(usize, usize)>)> {
        let leaf = finding.package?;
        let mut first = None;
        let mut used = Vec::new();
        let mut seen = HashSet::from([leaf]);
        let mut open = vec![leaf];
        while let Some(at) = open.pop() {
            if self.report.is_root(at) {
                return None;
            }
            for parent in self.report.parents.get(at)? {
                if !seen.insert(*parent) {
                    continue;
                }
                let (claim, fitting) = self.best(candidates, |product, is_inside| {
                    let report = &self.report;
                    report.is_brought_by(product, *parent, finding, is_inside)
                });
                match claim.filter(|claim| claim.status.suppresses()) {
                    Some(claim) => {
                        first.get_or_insert(claim);
                        used.extend(fitting);
                    }
                    None => open.push(*parent),
                }
            }
        }
        first.map(|claim| (claim, used))
    }
}

impl<'a> Subjects<'a> {
    fn new(report: &'a Report, is_idle: bool) -> Self {
        let all: &[_] = if is_idle { &[] } else { &report.packages };
        let mut parents = vec![Vec::new(); all.len()];
        for (at, children) in seawall_model::graph(all).into_iter().enumerate() {
            for child in children {
                let is_same = report.package_targets.get(at) == report.package_targets.get(child);
                if let Some(own) = parents.get_mut(child).filter(|_| is_same && at != child) {
                    own.push(at);
                }
            }
        }
        Subjects {
            report,
            packages: all.iter().map(Known::new).collect(),
            parents,
        }
    }

    /// Whether a package is there for its own sake, as far as is known: only
    /// what is said to be brought in by others may be excused by them.
    fn is_root(&self, at: usize) -> bool {
        let package = self.report.packages.get(at);
        let is_brought_in = package.is_some_and(|one| one.relation.direct == Some(false));
        let has_parents = self.parents.get(at).is_some_and(|all| !all.is_empty());
        !(is_brought_in && has_parents)
    }

    /// Whether a product is the finding's package, or its target as a whole or
    /// with this package as the part that is meant.
    fn is_own(&self, product: &Product, finding: &Finding, is_inside: bool) -> bool {
        let scope = self.scope(finding, is_inside);
        let package = finding.package.and_then(|at| self.packages.get(at));
        let is_package = |names: &[Name]| self.names_package(names, finding.package, scope);
        let is_part = product.parts.iter().any(|part| is_package(part))
            && product.within.iter().all(|names| {
                let module = package.and_then(Known::module);
                names.iter().any(|name| is_module(name, module))
            });
        if product.parts.is_empty() && is_package(&product.names) {
            return true;
        }
        let Some(target) = self.report.targets.get(finding.target) else {
            return false;
        };
        let is_distribution = package.is_some_and(Known::is_of_distribution);
        let mut names = product.names.iter();
        let is_here = names.any(|name| {
            // A platform answers for its own packages alone.
            let answers = !matches!(name, Name::Cpe(_)) || is_distribution;
            answers && is_target(name, target, scope)
        });
        // A part that is an image with its digest is here wherever else it is
        // shipped.
        let is_image = |name: &Name| {
            let has_digest = matches!(name, Name::Purl { purl, .. } if purl.version.contains(':'));
            has_digest && is_target(name, target, scope)
        };
        let is_shipped = product.parts.iter().flatten().any(is_image);
        is_shipped || (is_here && (product.parts.is_empty() || is_part))
    }

    /// Whether a product is the package `parent`, with the finding's package
    /// as the part that is meant or with all its parts.
    fn is_brought_by(
        &self,
        product: &Product,
        parent: usize,
        finding: &Finding,
        is_inside: bool,
    ) -> bool {
        let scope = self.scope(finding, is_inside);
        let mut parts = product.parts.iter();
        self.names_package(&product.names, Some(parent), scope)
            && (product.parts.is_empty()
                || parts.any(|part| self.names_package(part, finding.package, scope)))
    }

    fn scope(&self, finding: &Finding, is_inside: bool) -> Scope<'a> {
        Scope {
            identity: self.report.identities.get(finding.target),
            is_inside,
        }
    }

    fn names_package(&self, names: &[Name], package: Option<usize>, scope: Scope<'_>) -> bool {
        let package = package.and_then(|at| self.packages.get(at));
        package.is_some_and(|package| names.iter().any(|name| package.is(name, scope)))
    }
}

#[cfg(test)]
mod tests;
