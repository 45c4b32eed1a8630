//! What is looked up: packages under the name and version that their
//! advisories go by.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use seawall_model::{Os, Package};
use seawall_versions::Scheme;

use crate::{
    Request,
    distros::{self, Distro, Names, Shards},
};

/// purl type and the OSV ecosystem that serves it (purl-spec, `types`; OSV
/// schema, "Defined ecosystems").
const LANGUAGES: &[(&str, &str)] = &[
    ("bitnami", "Bitnami"),
    ("cargo", "crates.io"),
    ("composer", "Packagist"),
    ("conan", "ConanCenter"),
    ("cran", "CRAN"),
    ("gem", "RubyGems"),
    ("githubactions", "GitHub Actions"),
    ("golang", "Go"),
    ("hackage", "Hackage"),
    ("hex", "Hex"),
    ("julia", "Julia"),
    ("maven", "Maven"),
    ("npm", "npm"),
    ("nuget", "NuGet"),
    ("opam", "opam"),
    ("pub", "Pub"),
    ("pypi", "PyPI"),
    ("swift", "SwiftURL"),
];

/// purl types whose advisories come from the distribution.
const SYSTEM: &[&str] = &["alpm", "apk", "deb", "ebuild", "nix", "rpm", "xbps"];

/// The OSV ecosystem of a purl type that has one of its own.
pub fn language(kind: &str) -> Option<&'static str> {
    LANGUAGES
        .iter()
        .find(|(name, _)| *name == kind)
        .map(|(_, ecosystem)| *ecosystem)
}

/// Whether a distribution answers for packages of this purl type.
pub(crate) fn is_system(kind: &str) -> bool {
    SYSTEM.contains(&kind)
}

/// One name and version to look up, and the packages that it stands for.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    /// Indices of the packages, the one to report first.
    pub packages: Vec<usize>,
    /// The name as advisories write it.
    pub name: Cow<'a, str>,
    /// The version to compare.
    pub version: Cow<'a, str>,
    /// The order.
    pub scheme: &'static Scheme,
    /// Who answers for it.
    pub authority: Authority,
    /// Source package and version under which findings are reported once;
    /// `None` for packages that stand for themselves.
    pub source: Option<(&'a str, &'a str)>,
    /// rpm's modularity.
    pub module: Module<'a>,
    /// Processor architecture of the packages, where it is known.
    pub arch: Option<&'a str>,
    /// Whether an epoch that is not there may have been left out.
    pub epoch_unknown: bool,
    /// Whether the packages are looked up under two names, and this is their
    /// own.
    pub is_own_of_two: bool,
    /// The same of their source package's.
    pub is_source_of_two: bool,
}

impl Subject<'_> {
    /// What its records are found by: subjects of one key share them.
    pub(crate) fn key(&self) -> (bool, &'static str, &str) {
        let authority = self.authority;
        (
            authority.is_distribution(),
            authority.ecosystem(),
            &self.name,
        )
    }
}

/// Who answers for a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// The distribution of the target.
    Distribution(&'static Distro),
    /// An ecosystem of its own: its OSV name.
    Ecosystem(&'static str),
}

impl Authority {
    /// The OSV ecosystem without release.
    pub(crate) fn ecosystem(self) -> &'static str {
        match self {
            Authority::Distribution(distro) => distro.ecosystem.unwrap_or(distro.name),
            Authority::Ecosystem(name) => name,
        }
    }

    pub(crate) fn is_distribution(self) -> bool {
        matches!(self, Authority::Distribution(_))
    }
}

/// What is known of an rpm package's module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Module<'a> {
    /// Not from a module, or not rpm.
    None,
    /// From a module that is not named (Oracle Linux and many SBOMs leave the
    /// label out; the release gives it away).
    Unnamed,
    /// Name and stream.
    Stream(&'a str, &'a str),
}

impl<'a> Module<'a> {
    fn of(package: &'a Package) -> Self {
        if package.kind != "rpm" {
            return Module::None;
        }
        let label = package.module.as_deref().and_then(|label| {
            let mut parts = label.split(':');
            Some((parts.next().filter(|name| !name.is_empty())?, parts.next()?))
        });
        match label {
            Some((name, stream)) => Module::Stream(name, stream),
            None if is_module_build(&package.version) => Module::Unnamed,
            None => Module::None,
        }
    }
}

/// Whether an rpm version was built in a module: `….module_el8.5.0+2609+b30d9eec`
/// (AlmaLinux), `….module+el8.5.0+…` (Red Hat and others).
pub(crate) fn is_module_build(version: &str) -> bool {
    version.contains(".module_el") || version.contains(".module+el")
}

/// A package that is not looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unserved<'a> {
    /// A package of a distribution that does not say which it is.
    NoDistribution,
    /// A distribution that is not in the table, or without a feed.
    Distribution(&'a Os),
    /// A package manager that is not the distribution's.
    Foreign(&'a Os),
    /// The distribution goes by release, and none is named.
    NoRelease(&'a Os),
    /// A purl type without advisories.
    Kind,
    /// There is no version to compare.
    NoVersion,
    /// This package of the distribution brought it, which answers for it.
    Owned(&'a str),
}

/// The shards of the distribution that a target names.
pub(crate) fn distribution(os: Option<&Os>) -> Option<(&'static Distro, Shards)> {
    let os = os?;
    let distro = distros::by_id(&os.id)?;
    Some((distro, distro.shards(os)?))
}

/// Sorts packages into subjects and those that nobody answers for. Those in
/// `left` are the distribution's business.
pub(crate) fn subjects<'a>(
    request: &Request<'a>,
    left: &HashSet<usize>,
) -> (Vec<Subject<'a>>, Vec<(usize, Unserved<'a>)>) {
    let Request { os, packages, .. } = *request;
    let mut collector = Collector {
        subjects: Vec::new(),
        seen: HashMap::new(),
        epoch_unknown: request.epochs_left_out,
    };
    let mut unserved = Vec::new();
    for (index, package) in packages.iter().enumerate() {
        let owner = package.owner.as_ref().filter(|_| left.contains(&index));
        if let Some(owner) = owner {
            unserved.push((index, Unserved::Owned(&owner.name)));
            continue;
        }
        if let Err(reason) = collector.add(os, index, package) {
            unserved.push((index, reason));
        }
    }
    for subject in &mut collector.subjects {
        // Report the binary that bears the source package's name, if it is there.
        let named = |index: &usize| {
            packages
                .get(*index)
                .is_some_and(|package| package.name == *subject.name)
        };
        if let Some(at) = subject.packages.iter().position(named)
            && let Some(start) = subject.packages.get_mut(..=at)
        {
            start.rotate_right(1);
        }
    }
    (collector.subjects, unserved)
}

struct Collector<'a> {
    subjects: Vec<Subject<'a>>,
    seen: HashMap<Key<'a>, usize>,
    epoch_unknown: bool,
}

/// Packages with one key share a lookup and a finding: binaries of one source
/// package, and the same language package named twice in one file.
#[derive(PartialEq, Eq, Hash)]
struct Key<'a> {
    kind: &'a str,
    name: &'a str,
    version: &'a str,
    /// The binary's source for distributions, the path for languages.
    place: &'a str,
    module: Option<&'a str>,
    /// Of an rpm: a fix may be one of its architecture alone.
    arch: Option<&'a str>,
}

impl<'a> Collector<'a> {
    fn add(
        &mut self,
        os: Option<&'a Os>,
        index: usize,
        package: &'a Package,
    ) -> Result<(), Unserved<'a>> {
        if let Some(ecosystem) = language(&package.kind) {
            let scheme = seawall_versions::by_osv(ecosystem).ok_or(Unserved::Kind)?;
            let authority = Authority::Ecosystem(ecosystem);
            let place = package.origin.path.as_str();
            return self.push(
                index,
                package,
                authority,
                scheme,
                &package.name,
                &package.version,
                place,
            );
        }
        if !is_system(&package.kind) {
            return Err(Unserved::Kind);
        }
        let os = os.ok_or(Unserved::NoDistribution)?;
        let distro = distros::by_id(&os.id).ok_or(Unserved::Distribution(os))?;
        let ecosystem = distro.ecosystem.ok_or(Unserved::Distribution(os))?;
        if package.kind != distro.packages {
            return Err(Unserved::Foreign(os));
        }
        distro.shards(os).ok_or(Unserved::NoRelease(os))?;
        let scheme = seawall_versions::by_osv(ecosystem).ok_or(Unserved::Distribution(os))?;
        let authority = Authority::Distribution(distro);
        let source = package.source.as_ref();
        let by_source = source.filter(|_| distro.names != Names::Binary);
        if distro.names == Names::Either || by_source.is_none() {
            let place = source.map_or("", |source| source.name.as_str());
            self.push(
                index,
                package,
                authority,
                scheme,
                &package.name,
                &package.version,
                place,
            )?;
        }
        if let Some(source) =
            by_source.filter(|source| distro.names == Names::Source || source.name != package.name)
        {
            let version = if source.version.is_empty() {
                &package.version
            } else {
                &source.version
            };
            self.push(
                index,
                package,
                authority,
                scheme,
                &source.name,
                version,
                &source.name,
            )?;
        }
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one place, each argument differs by caller"
    )]
    fn push(
        &mut self,
        index: usize,
        package: &'a Package,
        authority: Authority,
        scheme: &'static Scheme,
        name: &'a str,
        version: &'a str,
        place: &'a str,
    ) -> Result<(), Unserved<'a>> {
        let compared = comparable(&package.kind, version).ok_or(Unserved::NoVersion)?;
        let module = package.module.as_deref();
        let key = Key {
            kind: &package.kind,
            name,
            version,
            place,
            module,
            arch: package.arch.as_deref().filter(|_| package.kind == "rpm"),
        };
        if let Some(subject) = self
            .seen
            .get(&key)
            .and_then(|at| self.subjects.get_mut(*at))
        {
            if subject.packages.last() != Some(&index) {
                subject.packages.push(index);
            }
            return Ok(());
        }
        self.seen.insert(key, self.subjects.len());
        let source = package
            .source
            .as_ref()
            .map(|it| (it.name.as_str(), it.version.as_str()));
        let own = std::ptr::eq(version, package.version.as_str());
        let is_of_two = matches!(
            authority,
            Authority::Distribution(distro) if distro.names == Names::Either
        );
        self.subjects.push(Subject {
            packages: vec![index],
            name: (scheme.normalise_name)(name),
            version: Cow::Borrowed(compared),
            scheme,
            authority,
            source: source.filter(|_| authority.is_distribution()),
            module: Module::of(package),
            arch: package.arch.as_deref(),
            // A source rpm's file name never holds the epoch.
            epoch_unknown: package.kind == "rpm" && (self.epoch_unknown || !own),
            is_own_of_two: is_of_two && name == package.name,
            is_source_of_two: is_of_two && name != package.name,
        });
        Ok(())
    }
}

/// The version as it is compared; `None` when there is nothing to compare.
///
/// Go's main module calls itself `(devel)`, or bears a pseudo-version that its
/// tags say nothing about; modules in a module graph bear a `v`, the standard
/// library `go`, which advisories leave out.
///
/// Tags of GitHub Actions such as `v4` and `v4.1`, and branches, lead to the
/// newest of many versions.
fn comparable<'a>(kind: &str, version: &'a str) -> Option<&'a str> {
    let version = version.trim();
    let version = match kind {
        "golang" if version == "(devel)" => return None,
        "githubactions" if version.bytes().filter(|byte| *byte == b'.').count() < 2 => return None,
        "golang" => {
            // `go1.21.0 X:boringcrypto`: experiments are no part of the version.
            let version = version.split_ascii_whitespace().next().unwrap_or_default();
            version
                .strip_prefix("go")
                .or_else(|| version.strip_prefix('v'))
                .filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
                .unwrap_or(version)
        }
        _ => version,
    };
    (!version.is_empty()).then_some(version)
}

#[cfg(test)]
mod tests {
    use seawall_model::{Origin, Source};

    use super::*;

    fn request<'a>(os: Option<&'a Os>, packages: &'a [Package]) -> Request<'a> {
        Request {
            os,
            packages,
            today: "2026-01-01",
            starter: false,
            max_age: None,
            epochs_left_out: false,
        }
    }

    fn package(kind: &'static str, name: &str, version: &str) -> Package {
        Package::new(kind, name, version, "", Origin::default())
    }

    fn debian() -> Os {
        Os {
            id: "debian".to_owned(),
            version: "11".to_owned(),
            name: "Debian 11".to_owned(),
            codename: None,
            like: Vec::new(),
        }
    }

    #[test]
    fn binaries_of_one_source_are_one_subject() {
        let of = |name: &str, version: &str| Package {
            source: Some(Source {
                name: "openssl".to_owned(),
                version: "1.1.1n-0".to_owned(),
            }),
            ..package("deb", name, version)
        };
        let packages = [of("libssl1.1", "1.1.1n-0+b1"), of("openssl", "1.1.1n-0")];
        let os = debian();
        let (subjects, unserved) = subjects(&request(Some(&os), &packages), &HashSet::new());
        assert!(unserved.is_empty());
        assert_eq!(subjects.len(), 1);
        assert_eq!(subjects[0].name, "openssl");
        assert_eq!(subjects[0].version, "1.1.1n-0");
        // The binary that bears the source's name leads.
        assert_eq!(subjects[0].packages, [1, 0]);
    }

    #[test]
    fn the_same_package_in_two_files_is_two_subjects() {
        let mut packages = vec![package("npm", "lodash", "4.17.0"); 3];
        packages[2].origin.path = "other/package-lock.json".to_owned();
        let (subjects, _) = subjects(&request(None, &packages), &HashSet::new());
        assert_eq!(subjects.len(), 2);
        assert_eq!(subjects[0].packages, [0, 1]);
    }

    #[test]
    fn what_nobody_answers_for_is_named() {
        let packages = [
            package("deb", "bash", "5"),
            package("swid", "x", "1"),
            package("npm", "left-pad", ""),
            package("golang", "example.com/main", "(devel)"),
        ];
        let (found, unserved) = subjects(&request(None, &packages), &HashSet::new());
        assert!(found.is_empty());
        let reasons: Vec<_> = unserved.into_iter().map(|(_, reason)| reason).collect();
        assert_eq!(
            reasons,
            [
                Unserved::NoDistribution,
                Unserved::Kind,
                Unserved::NoVersion,
                Unserved::NoVersion
            ]
        );
        let os = debian();
        let foreign = [package("rpm", "bash", "5")];
        let (_, unserved) = subjects(&request(Some(&os), &foreign), &HashSet::new());
        assert_eq!(unserved, [(0, Unserved::Foreign(&os))]);
    }

    #[test]
    fn every_language_has_an_order_of_versions() {
        for (kind, ecosystem) in LANGUAGES {
            let scheme = seawall_versions::by_osv(ecosystem);
            assert!(scheme.is_some(), "{ecosystem}");
            assert_eq!(
                scheme.map(|scheme| scheme.name),
                seawall_versions::by_purl_type(kind).map(|scheme| scheme.name),
                "{kind}"
            );
        }
    }

    #[test]
    fn go_versions_lose_their_prefix() {
        assert_eq!(
            comparable("golang", "go1.21.0 X:boringcrypto"),
            Some("1.21.0")
        );
        assert_eq!(
            comparable("golang", "v1.2.3+incompatible"),
            Some("1.2.3+incompatible")
        );
        assert_eq!(comparable("npm", "v1.2.3"), Some("v1.2.3"));
    }

    #[test]
    fn tags_that_move_are_no_version() {
        for (version, expected) in [
            ("v4.1.7", Some("v4.1.7")),
            ("46.0.1", Some("46.0.1")),
            ("v4", None),
            ("v4.1", None),
            ("main", None),
            ("0c45773b623bea8c8e75f6c82b208c3cf94ea4f9", None),
        ] {
            assert_eq!(comparable("githubactions", version), expected);
        }
    }

    #[test]
    fn modules_are_read_from_label_or_release() {
        let mut rpm = package("rpm", "mod_md", "1:2.0.8-8.module_el8.5.0+2609+b30d9eec");
        assert_eq!(Module::of(&rpm), Module::Unnamed);
        rpm.module = Some("httpd:2.4:8050020:b4937e53".to_owned());
        assert_eq!(Module::of(&rpm), Module::Stream("httpd", "2.4"));
        assert_eq!(
            Module::of(&package("rpm", "bash", "4.4.20-4.el8")),
            Module::None
        );
    }
}
