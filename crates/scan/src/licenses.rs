//! Licences of packages, under a policy and by number.

use std::collections::{BTreeMap, BTreeSet};

use seawall_licenses::{Policy, Verdict, category, of_package};
use seawall_model::{
    Finding, Fingerprint, Gap, GapKind, LicenseCount, Location, Package, Report, Rule, Severity,
    Technique,
};

use crate::{Order, judge::finish, rules};

pub use seawall_licenses::Strictness;

/// What licences packages may be under.
#[derive(Clone, Debug, Default)]
pub struct LicensePolicy {
    /// The lists.
    pub lists: Policy,
    /// What to do about a licence on none of them.
    pub unlisted: Strictness,
    /// What to do about a package whose licence nobody can tell.
    pub unknown: Strictness,
    /// What is different for some packages.
    pub exceptions: Vec<LicenseException>,
}

/// What is different for one package.
#[derive(Clone, Debug, Default)]
pub struct LicenseException {
    /// Its name, or its package URL without what does not matter.
    pub package: String,
    /// The SPDX expression that it is really under.
    pub license: Option<String>,
    /// Licences that it may be under though the lists say otherwise; without
    /// these and without `license`, any.
    pub allow: Policy,
    /// Whether `allow` was given.
    pub is_limited: bool,
}

impl LicenseException {
    fn is_for(&self, package: &Package) -> bool {
        if !self.package.starts_with("pkg:") {
            return self.package == package.name;
        }
        let parse = seawall_model::purl::parse;
        let (Some(own), Some(other)) = (parse(&self.package), parse(&package.purl)) else {
            return false;
        };
        let same = |left: &str, right: &str| left.eq_ignore_ascii_case(right);
        own.kind == other.kind
            && same(&own.namespace, &other.namespace)
            && same(&own.name, &other.name)
            && (own.version.is_empty() || own.version == other.version)
    }
}

/// Where a package's record lies: the name of the file; programs are told by
/// what they are, and have none.
fn file_name(package: &Package) -> &str {
    if !matches!(package.technique, Technique::Manifest | Technique::Sbom) {
        return "programs";
    }
    let path = package.origin.path.as_str();
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether the distribution's package that brought it says what there is to
/// say.
fn is_answered_for(package: &Package) -> bool {
    package.owner.is_some() && package.licenses.is_empty()
}

/// Files in which no package has a licence record none, mostly: by target,
/// kind of package and name of the file.
fn silent(report: &Report) -> BTreeSet<(usize, String, String)> {
    let mut all: BTreeMap<(usize, String, String), bool> = BTreeMap::new();
    for (package, target) in report.packages.iter().zip(&report.package_targets) {
        let key = (
            *target,
            package.kind.to_string(),
            file_name(package).to_owned(),
        );
        *all.entry(key).or_default() |= !package.licenses.is_empty();
    }
    let silent = all.into_iter().filter(|(_, says)| !says);
    silent.map(|(key, _)| key).collect()
}

/// Counts the licences of all packages, by category.
pub fn count_licenses(report: &mut Report) {
    // Known ones first, by category, then by name.
    type Key = (bool, usize, Option<String>);
    let mut all: BTreeMap<Key, (Option<&'static str>, usize)> = BTreeMap::new();
    for package in report.packages.iter().filter(|one| !is_answered_for(one)) {
        let (license, lost) = of_package(&package.licenses);
        let license = license.filter(|_| lost.is_empty());
        let category = license.as_deref().and_then(category);
        let rank = category.map_or(usize::MAX, |one| one as usize);
        let entry = all.entry((license.is_none(), rank, license)).or_default();
        entry.0 = category.map(seawall_licenses::Category::as_str);
        entry.1 += 1;
    }
    let counts = all
        .into_iter()
        .map(|((_, _, license), (category, packages))| LicenseCount {
            category,
            license,
            packages,
        });
    report.licenses = Some(counts.collect());
}

/// Holds the licences of all packages against `policy`: adds findings, and a
/// gap for each kind of file that records no licences. Gives back the indexes
/// of exceptions that are for no package.
pub fn judge_licenses(report: &mut Report, policy: &LicensePolicy, order: Order) -> Vec<usize> {
    let silent = silent(report);
    let mut untold: BTreeMap<(usize, String), usize> = BTreeMap::new();
    let mut used = vec![false; policy.exceptions.len()];
    let mut findings = Vec::new();
    for (index, package) in report.packages.iter().enumerate() {
        let target = report.package_targets.get(index).copied().unwrap_or(0);
        let mut exception = None;
        for (one, used) in policy.exceptions.iter().zip(&mut used) {
            if one.is_for(package) {
                *used = true;
                exception = exception.or(Some(one));
            }
        }
        let key = (
            target,
            package.kind.to_string(),
            file_name(package).to_owned(),
        );
        let is_said = exception.is_some_and(|one| one.license.is_some());
        if is_answered_for(package) {
            continue;
        }
        if silent.contains(&key) && !is_said {
            *untold.entry((target, key.2)).or_default() += 1;
            continue;
        }
        if let Some((rule, strictness, message)) = judged(package, policy, exception) {
            findings.extend(finding(index, package, target, rule, strictness, message));
        }
    }
    report.findings.extend(findings);
    if policy.unknown != Strictness::Allow || !policy.lists.allow.is_empty() {
        report.gaps.extend(untold.into_iter().map(|((target, file), packages)| Gap {
            target,
            ..Gap::new(
                GapKind::Missing,
                file,
                format!("no licences are recorded there, so that nothing can be said of those of {packages} packages"),
            )
        }));
    }
    finish(report, order);
    let unused = used.iter().enumerate().filter(|(_, used)| !**used);
    unused.map(|(at, _)| at).collect()
}

/// Which rule a package breaks, how badly, and in which words.
fn judged(
    package: &Package,
    policy: &LicensePolicy,
    exception: Option<&LicenseException>,
) -> Option<(&'static Rule, Strictness, String)> {
    let Package { name, version, .. } = package;
    let said = exception.and_then(|one| one.license.clone());
    let (license, lost) = match said {
        Some(license) => (Some(license), Vec::new()),
        None => of_package(&package.licenses),
    };
    if let Some(exception) = exception.filter(|one| one.license.is_none()) {
        let is_allowed = !exception.is_limited
            || license.as_deref().is_some_and(|license| {
                let verdict = exception.allow.judge(license, policy.unlisted);
                lost.is_empty() && verdict == Verdict::Allowed
            });
        if is_allowed {
            return None;
        }
    }
    let listed = |names: &[String]| names.join("`, `");
    let verdict = license
        .as_deref()
        .map(|license| policy.lists.judge(license, policy.unlisted));
    let unknown = (license.is_none() || !lost.is_empty()).then(|| {
        let message = match lost.first() {
            None => format!("`{name}` {version} names no licence"),
            Some(first) => format!(
                "`{name}` {version} names a licence that nobody can tell: `{}`",
                shortened(first)
            ),
        };
        (&rules::license_unknown::RULE, policy.unknown, message)
    });
    let known = match verdict {
        Some(Verdict::Denied(names)) => Some((
            &rules::license_denied::RULE,
            Strictness::Deny,
            format!(
                "`{name}` {version} is under `{}`, which the policy denies",
                listed(&names)
            ),
        )),
        Some(Verdict::Unlisted(names)) => Some((
            &rules::license_unlisted::RULE,
            policy.unlisted,
            format!(
                "`{name}` {version} is under `{}`, which the policy does not list",
                listed(&names)
            ),
        )),
        Some(Verdict::Warned(names)) => Some((
            &rules::license_discouraged::RULE,
            Strictness::Warn,
            format!(
                "`{name}` {version} is under `{}`, which the policy warns of",
                listed(&names)
            ),
        )),
        Some(Verdict::Allowed) | None => None,
    };
    // What is known outweighs what is not known beside it, unless the policy
    // minds that more.
    let strictness = |one: &(_, Strictness, String)| one.1;
    match (known, unknown) {
        (Some(known), Some(unknown)) if strictness(&unknown) > strictness(&known) => Some(unknown),
        (known, unknown) => known.or(unknown),
    }
}

/// The beginning of a text that may be a whole licence.
fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    let short: String = line.chars().take(MOST).collect();
    if short.len() < text.trim_end().len() {
        short + "…"
    } else {
        short
    }
}

fn finding(
    index: usize,
    package: &Package,
    target: usize,
    rule: &'static Rule,
    strictness: Strictness,
    message: String,
) -> Option<Finding> {
    let severity = match strictness {
        Strictness::Allow => return None,
        Strictness::Warn => Severity::Low,
        Strictness::Deny => Severity::High,
    };
    let origin = &package.origin;
    Some(Finding {
        target,
        rule: rule.id,
        aliases: Vec::new(),
        severity,
        confidence: rule.confidence,
        message,
        fingerprint: Fingerprint::of(&[rule.id, &origin.path, &package.kind, &package.name]),
        location: Location::File {
            path: origin.path.clone(),
            layer: origin.layer,
            range: origin.range,
        },
        related: Vec::new(),
        package: Some(index),
        vulnerability: None,
        fix: None,
    })
}

#[cfg(test)]
mod tests {
    use seawall_licenses::List;
    use seawall_model::Origin;

    use super::*;

    #[test]
    fn what_nobody_can_tell_does_not_hide_the_rest() {
        let mut policy = LicensePolicy {
            lists: Policy {
                warn: List::new(["MPL-2.0"]).unwrap(),
                deny: List::new(["GPL-3.0-only"]).unwrap(),
                ..Policy::default()
            },
            ..LicensePolicy::default()
        };
        let rule = |license: &str, policy: &LicensePolicy| {
            let mut package = Package::new("npm", "a", "1", "pkg:npm/a@1", Origin::default());
            package.licenses = vec![license.to_owned(), "see the manual".to_owned()];
            let judged = judged(&package, policy, None);
            judged.map(|(rule, strictness, _)| (rule.id, strictness))
        };
        let found = |policy: &LicensePolicy| {
            ["ISC", "MPL-2.0", "GPL-3.0-only"].map(|license| rule(license, policy).unwrap())
        };
        let discouraged = (rules::license_discouraged::RULE.id, Strictness::Warn);
        let denied = (rules::license_denied::RULE.id, Strictness::Deny);
        let unlisted = |strictness| (rules::license_unlisted::RULE.id, strictness);
        let unknown = |strictness| (rules::license_unknown::RULE.id, strictness);
        policy.unlisted = Strictness::Deny;
        policy.unknown = Strictness::Warn;
        assert_eq!(
            found(&policy),
            [unlisted(Strictness::Deny), discouraged, denied]
        );
        policy.unlisted = Strictness::Allow;
        policy.unknown = Strictness::Deny;
        assert_eq!(
            found(&policy),
            [unknown(Strictness::Deny), unknown(Strictness::Deny), denied]
        );
    }
}
