//! Which advisories serve which distribution.
//!
//! A distribution is known by the `ID` of its `os-release`. Kin (`ID_LIKE`) is
//! never taken for the distribution itself: Raspbian rebuilds Debian's packages
//! under other versions, CentOS stops where Red Hat goes on, and a match by the
//! neighbour's advisories would be wrong in both directions. What is not in the
//! table, or has no feed in it, is a gap by name.

use seawall_model::Os;

use crate::codenames;

/// One distribution.
#[derive(Debug, PartialEq, Eq)]
pub struct Distro {
    /// `ID` of `os-release`.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// The OSV ecosystem, without a release, or what OSV would call it where
    /// only the distribution's own feed serves; `None` when there is no feed.
    pub ecosystem: Option<&'static str>,
    /// The purl type of its packages.
    pub packages: &'static str,
    /// Under which of a package's names its advisories go.
    pub names: Names,
    /// endoflife.date's name for it; `None` where that site does not follow it.
    pub product: Option<&'static str>,
    release: Release,
}

/// Under which of a package's names advisories go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// The source package's name and version (dpkg's source, apk's origin).
    Source,
    /// The installed package's own name and version.
    Binary,
    /// Either: Rocky Linux's records do not say which they mean, and builds of
    /// one source package bear one version there; Red Hat and SUSE name the
    /// packages that are mended, and the source packages that are not.
    Either,
}

/// How a release is written after the ecosystem's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Release {
    /// No release: one stream of packages.
    Rolling,
    /// `Debian:12`.
    Debian,
    /// `Ubuntu:22.04:LTS`, `Ubuntu:23.10`.
    Ubuntu,
    /// `Alpine:v3.10`, `Alpine:edge`.
    Alpine,
    /// `AlmaLinux:8`.
    Major,
    /// `Amazon Linux:2`, `Amazon Linux:2023`; the first bore a year and a month.
    Amazon,
    /// `VERSION_ID` as it stands.
    Full,
    /// `openSUSE:Leap 15.5`.
    Leap,
    /// `SUSE:Linux Enterprise Server 15 SP5` and its modules.
    Suse(&'static str),
    /// `SUSE:Linux Enterprise Micro 5.3`, which has no modules.
    Micro(&'static str),
    /// `openEuler:22.03-LTS-SP3`.
    OpenEuler,
    /// `Red Hat:enterprise_linux:9`, and its repositories where each has a shard
    /// of its own (`::baseos`).
    RedHat,
}

const fn distro(
    id: &'static str,
    name: &'static str,
    ecosystem: Option<&'static str>,
    packages: &'static str,
    names: Names,
    product: Option<&'static str>,
    release: Release,
) -> Distro {
    Distro {
        id,
        name,
        ecosystem,
        packages,
        names,
        product,
        release,
    }
}

/// Every distribution that is known by name, sorted by `ID`.
#[rustfmt::skip]
static DISTROS: &[Distro] = &[
    distro("alma", "AlmaLinux", Some("AlmaLinux"), "rpm", Names::Binary, Some("almalinux"), Release::Major),
    distro("almalinux", "AlmaLinux", Some("AlmaLinux"), "rpm", Names::Binary, Some("almalinux"), Release::Major),
    distro("alpaquita", "Alpaquita Linux", Some("Alpaquita"), "apk", Names::Source, None, Release::Full),
    distro("alpine", "Alpine Linux", Some("Alpine"), "apk", Names::Source, Some("alpine-linux"), Release::Alpine),
    distro("amzn", "Amazon Linux", Some("Amazon Linux"), "rpm", Names::Binary, Some("amazon-linux"), Release::Amazon),
    distro("arch", "Arch Linux", None, "alpm", Names::Binary, None, Release::Rolling),
    distro("azurelinux", "Azure Linux", Some("Azure Linux"), "rpm", Names::Source, None, Release::Major),
    distro("bellsoft-hardened-containers", "BellSoft Hardened Containers", Some("BellSoft Hardened Containers"), "apk", Names::Source, None, Release::Full),
    distro("bottlerocket", "Bottlerocket", None, "rpm", Names::Binary, None, Release::Full),
    distro("centos", "CentOS", None, "rpm", Names::Binary, Some("centos"), Release::Major),
    distro("chainguard", "Chainguard", Some("Chainguard"), "apk", Names::Source, None, Release::Rolling),
    distro("debian", "Debian", Some("Debian"), "deb", Names::Source, Some("debian"), Release::Debian),
    distro("echo", "Echo", Some("Echo"), "deb", Names::Source, None, Release::Rolling),
    distro("fedora", "Fedora", None, "rpm", Names::Binary, Some("fedora"), Release::Full),
    distro("gentoo", "Gentoo", None, "ebuild", Names::Binary, None, Release::Rolling),
    distro("kali", "Kali Linux", None, "deb", Names::Source, None, Release::Rolling),
    distro("linuxmint", "Linux Mint", None, "deb", Names::Source, Some("linuxmint"), Release::Full),
    distro("mageia", "Mageia", Some("Mageia"), "rpm", Names::Source, Some("mageia"), Release::Full),
    distro("mariner", "CBL-Mariner", Some("Azure Linux"), "rpm", Names::Source, None, Release::Major),
    distro("minimos", "MinimOS", Some("MinimOS"), "apk", Names::Source, None, Release::Rolling),
    distro("nixos", "NixOS", None, "nix", Names::Binary, Some("nixos"), Release::Full),
    distro("ol", "Oracle Linux", Some("Oracle Linux"), "rpm", Names::Binary, Some("oracle-linux"), Release::Major),
    distro("openEuler", "openEuler", Some("openEuler"), "rpm", Names::Source, None, Release::OpenEuler),
    distro("opensuse-leap", "openSUSE Leap", Some("openSUSE"), "rpm", Names::Either, Some("opensuse"), Release::Leap),
    distro("opensuse-tumbleweed", "openSUSE Tumbleweed", Some("openSUSE"), "rpm", Names::Either, None, Release::Leap),
    distro("photon", "Photon OS", None, "rpm", Names::Binary, None, Release::Full),
    distro("raspbian", "Raspbian", None, "deb", Names::Source, None, Release::Debian),
    distro("rhel", "Red Hat Enterprise Linux", Some("Red Hat"), "rpm", Names::Either, Some("rhel"), Release::RedHat),
    distro("rocky", "Rocky Linux", Some("Rocky Linux"), "rpm", Names::Either, Some("rocky-linux"), Release::Major),
    distro("sl-micro", "SUSE Linux Micro", Some("SUSE"), "rpm", Names::Either, None, Release::Micro("Linux Micro")),
    distro("sle-micro", "SUSE Linux Enterprise Micro", Some("SUSE"), "rpm", Names::Either, None, Release::Micro("Linux Enterprise Micro")),
    distro("sled", "SUSE Linux Enterprise Desktop", Some("SUSE"), "rpm", Names::Either, None, Release::Suse("Linux Enterprise Desktop")),
    distro("sles", "SUSE Linux Enterprise Server", Some("SUSE"), "rpm", Names::Either, Some("sles"), Release::Suse("Linux Enterprise Server")),
    distro("ubuntu", "Ubuntu", Some("Ubuntu"), "deb", Names::Source, Some("ubuntu"), Release::Ubuntu),
    distro("void", "Void Linux", None, "xbps", Names::Binary, None, Release::Rolling),
    distro("wolfi", "Wolfi", Some("Wolfi"), "apk", Names::Source, None, Release::Rolling),
];

/// Every distribution that is known by name, sorted by `ID`.
pub fn all() -> &'static [Distro] {
    DISTROS
}

/// The distribution with this `ID` of `os-release`.
pub fn by_id(id: &str) -> Option<&'static Distro> {
    DISTROS
        .iter()
        .find(|distro| distro.id.eq_ignore_ascii_case(id))
}

/// Which shards hold the advisories of one release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shards {
    /// This one.
    One(String),
    /// Those of one product and of every module of it that bears the release.
    Modules {
        product: String,
        module: &'static str,
        release: String,
    },
    /// That of a stream, and those of its repositories (`::baseos`).
    Stream(String),
}

impl Shards {
    pub(crate) fn fits(&self, shard: &str) -> bool {
        match self {
            Shards::One(name) => name == shard,
            Shards::Modules {
                product,
                module,
                release,
            } => {
                product == shard
                    || shard
                        .strip_prefix(module)
                        .and_then(|rest| rest.strip_suffix(release.as_str()))
                        .is_some_and(|rest| rest.ends_with(' '))
            }
            Shards::Stream(stream) => shard
                .strip_prefix(stream.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::")),
        }
    }
}

impl Distro {
    /// The shards of the release that `os` names; `None` when there is no feed
    /// or when `os` names no release and the feed goes by release.
    pub(crate) fn shards(&self, os: &Os) -> Option<Shards> {
        let ecosystem = self.ecosystem?;
        let one = |release: String| Some(Shards::One(format!("{ecosystem}:{release}")));
        let version = os.version.trim();
        match self.release {
            Release::Rolling => Some(Shards::One(ecosystem.to_owned())),
            Release::Alpine => one(alpine_branch(version)),
            Release::Debian => one(debian_release(os)?),
            Release::Ubuntu => one(ubuntu_release(version)?),
            Release::Major => one(major(version)?.to_owned()),
            Release::Full => one(nonempty(version)?.to_owned()),
            Release::Amazon => one(amazon_release(version)?.to_owned()),
            Release::Leap if self.id == "opensuse-tumbleweed" => one("Tumbleweed".to_owned()),
            Release::Leap => one(format!("Leap {}", nonempty(version)?)),
            Release::OpenEuler => one(open_euler_release(os)?),
            Release::Suse(line) => {
                let product = sles_product(version)?;
                Some(Shards::Modules {
                    product: format!("{ecosystem}:{line} {product}"),
                    module: "SUSE:Linux Enterprise Module for ",
                    release: product,
                })
            }
            Release::Micro(line) => one(format!("{line} {}", nonempty(version)?)),
            Release::RedHat => {
                let major = major(version)?;
                Some(Shards::Stream(format!(
                    "{ecosystem}:enterprise_linux:{major}"
                )))
            }
        }
    }

    /// endoflife.date's name for the release that `os` names.
    pub(crate) fn cycle(&self, os: &Os) -> Option<String> {
        let version = os.version.trim();
        match self.release {
            Release::Rolling => None,
            Release::Debian => debian_release(os),
            Release::Alpine => alpine_branch(version).strip_prefix('v').map(str::to_owned),
            Release::Major | Release::RedHat => major(version).map(str::to_owned),
            Release::Ubuntu
            | Release::Full
            | Release::Amazon
            | Release::Leap
            | Release::Suse(_)
            | Release::Micro(_)
            | Release::OpenEuler => nonempty(version).map(str::to_owned),
        }
    }
}

fn nonempty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn major(version: &str) -> Option<&str> {
    nonempty(version.split('.').next().unwrap_or(version))
}

/// `3.10.4` -> `v3.10`. Between releases edge calls itself `3.23_alpha20251016`,
/// and before that had no version at all: its packages are those of no release.
fn alpine_branch(version: &str) -> String {
    let mut parts = version.split('.');
    let number = |part: Option<&str>| {
        part.filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
            .map(str::to_owned)
    };
    match (number(parts.next()), number(parts.next())) {
        (Some(major), Some(minor)) if !version.contains("_alpha") => format!("v{major}.{minor}"),
        _ => "edge".to_owned(),
    }
}

/// Debian names its release by number up to the first point release; testing
/// and unstable have a codename only, the same for both until the release.
fn debian_release(os: &Os) -> Option<String> {
    let version = os.version.trim();
    if version.starts_with("3.") {
        return Some(version.chars().take(3).collect());
    }
    if version.starts_with(|first: char| first.is_ascii_digit()) {
        return major(version).map(str::to_owned);
    }
    codenames::debian(os.codename.as_deref().unwrap_or(version)).map(str::to_owned)
}

/// `2018.03` -> `1`, `2023` and `2023.5.20240708` -> `2023`.
fn amazon_release(version: &str) -> Option<&str> {
    match version.split_once('.') {
        Some((year, _)) if matches!(year.parse(), Ok(2010..2019)) => Some("1"),
        _ => major(version),
    }
}

/// Every April release of an even year has long-term support (since 6.06, as
/// the one exception in June).
pub(crate) fn ubuntu_release(version: &str) -> Option<String> {
    let mut parts = version.split('.');
    let (year, month) = (parts.next()?, parts.next()?);
    let even = year.parse::<u32>().ok()?.is_multiple_of(2);
    let lts = (even && month == "04") || (year == "6" && month == "06");
    Some(format!("{year}.{month}{}", if lts { ":LTS" } else { "" }))
}

/// `15.5` -> `15 SP5`, `15` -> `15`; from 16 on SUSE writes `16.0`.
fn sles_product(version: &str) -> Option<String> {
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    nonempty(major)?;
    Some(match minor {
        _ if major.parse::<u32>().is_ok_and(|major| major >= 16) => version.to_owned(),
        "0" | "" => major.to_owned(),
        _ => format!("{major} SP{minor}"),
    })
}

/// `VERSION_ID` lacks the service pack; the name has it: `openEuler 22.03
/// (LTS-SP3)`.
fn open_euler_release(os: &Os) -> Option<String> {
    let version = nonempty(os.version.trim())?;
    let pack = os
        .name
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'));
    Some(match pack {
        Some((pack, _)) => format!("{version}-{pack}"),
        None => version.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(id: &str, version: &str) -> Os {
        Os {
            id: id.to_owned(),
            version: version.to_owned(),
            name: format!("{id} {version}"),
            codename: None,
            like: Vec::new(),
        }
    }

    fn shard(os: &Os) -> Option<String> {
        match by_id(&os.id)?.shards(os)? {
            Shards::One(name) => Some(name),
            Shards::Modules { .. } | Shards::Stream(_) => None,
        }
    }

    #[test]
    fn releases_are_written_as_osv_writes_them() {
        for (id, version, expected) in [
            ("alpine", "3.10.4", "Alpine:v3.10"),
            ("alpine", "3.23.0_alpha20251016", "Alpine:edge"),
            ("alpine", "3.24_alpha20260127", "Alpine:edge"),
            ("alpine", "", "Alpine:edge"),
            ("debian", "12", "Debian:12"),
            ("debian", "11.7", "Debian:11"),
            ("debian", "3.1", "Debian:3.1"),
            ("ubuntu", "22.04", "Ubuntu:22.04:LTS"),
            ("ubuntu", "23.10", "Ubuntu:23.10"),
            ("ubuntu", "23.04", "Ubuntu:23.04"),
            ("almalinux", "8.5", "AlmaLinux:8"),
            ("rocky", "9.3", "Rocky Linux:9"),
            ("azurelinux", "3.0", "Azure Linux:3"),
            ("opensuse-leap", "15.5", "openSUSE:Leap 15.5"),
            ("opensuse-tumbleweed", "20260101", "openSUSE:Tumbleweed"),
            ("amzn", "2", "Amazon Linux:2"),
            ("amzn", "2018.03", "Amazon Linux:1"),
            ("amzn", "2023", "Amazon Linux:2023"),
            ("ol", "8.9", "Oracle Linux:8"),
            ("sle-micro", "5.3", "SUSE:Linux Enterprise Micro 5.3"),
            ("sl-micro", "6.0", "SUSE:Linux Micro 6.0"),
            ("wolfi", "20230201", "Wolfi"),
            ("chainguard", "20230214", "Chainguard"),
        ] {
            assert_eq!(
                shard(&os(id, version)).as_deref(),
                Some(expected),
                "{id} {version}"
            );
        }
    }

    #[test]
    fn releases_without_number_go_by_codename() {
        let mut testing = os("debian", "");
        assert_eq!(shard(&testing), None);
        testing.codename = Some("trixie".to_owned());
        assert_eq!(shard(&testing).as_deref(), Some("Debian:13"));
        let mut euler = os("openEuler", "22.03");
        euler.name = "openEuler 22.03 (LTS-SP3)".to_owned();
        assert_eq!(shard(&euler).as_deref(), Some("openEuler:22.03-LTS-SP3"));
    }

    #[test]
    fn kin_is_not_taken_for_the_distribution() {
        for id in ["raspbian", "centos", "fedora", "arch"] {
            let distro = by_id(id).map(|distro| distro.ecosystem);
            assert_eq!(distro, Some(None), "{id}");
        }
        assert!(by_id("pop").is_none());
    }

    #[test]
    fn suse_and_red_hat_take_the_shards_of_one_release_only() {
        let sles = os("sles", "15.5");
        let shards = by_id("sles")
            .and_then(|distro| distro.shards(&sles))
            .unwrap();
        assert!(shards.fits("SUSE:Linux Enterprise Server 15 SP5"));
        // Long-term support is paid for apart: its fixes are no fixes here.
        assert!(!shards.fits("SUSE:Linux Enterprise Server 15 SP5-LTSS"));
        assert!(shards.fits("SUSE:Linux Enterprise Module for Basesystem 15 SP5"));
        assert!(!shards.fits("SUSE:Linux Enterprise Module for Basesystem 15 SP4"));
        let rhel = os("rhel", "9.4");
        let shards = by_id("rhel")
            .and_then(|distro| distro.shards(&rhel))
            .unwrap();
        assert!(shards.fits("Red Hat:enterprise_linux:9"));
        assert!(shards.fits("Red Hat:enterprise_linux:9::baseos"));
        assert!(!shards.fits("Red Hat:enterprise_linux:90"));
        assert!(!shards.fits("Red Hat:rhel_eus:9.2"));
        assert!(!shards.fits("Red Hat:rhel_eus:9.2::baseos"));
        assert!(!shards.fits("Red Hat:enterprise_linux:8::baseos"));
    }

    #[test]
    fn every_feed_has_an_order_of_versions() {
        for ecosystem in all().iter().filter_map(|distro| distro.ecosystem) {
            assert!(seawall_versions::by_osv(ecosystem).is_some(), "{ecosystem}");
        }
    }

    #[test]
    fn the_table_is_sorted() {
        let ids: Vec<String> = all()
            .iter()
            .map(|distro| distro.id.to_ascii_lowercase())
            .collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn cycles_are_written_as_endoflife_date_writes_them() {
        for (id, version, cycle) in [
            ("alpine", "3.10.4", Some("3.10")),
            ("alpine", "", None),
            ("debian", "11.7", Some("11")),
            ("ubuntu", "22.04", Some("22.04")),
            ("almalinux", "8.5", Some("8")),
            ("amzn", "2023", Some("2023")),
            ("wolfi", "20230201", None),
        ] {
            let os = os(id, version);
            let found = by_id(id).and_then(|distro| distro.cycle(&os));
            assert_eq!(found.as_deref(), cycle, "{id} {version}");
        }
    }
}
