//! Whether a name in a statement means a package or a target.

use seawall_model::{Identity, Os, Package, Target, purl::ParsedPurl, vex::Name};

use crate::vers;

/// Where a statement's names are looked up.
#[derive(Clone, Copy, Default)]
pub(super) struct Scope<'a> {
    /// What is known of the finding's target.
    pub(super) identity: Option<&'a Identity>,
    /// Whether the statement's document is that target's own bill of
    /// materials.
    pub(super) is_inside: bool,
}

/// A package with its package URLs taken apart.
pub(super) struct Known<'a> {
    package: &'a Package,
    own: Option<ParsedPurl>,
    /// The source package, as distributions name it: `?arch=source`.
    source: Option<ParsedPurl>,
}

impl<'a> Known<'a> {
    pub(super) fn new(package: &'a Package) -> Self {
        let own = seawall_model::purl::parse(&package.purl);
        let source = package.source.as_ref().zip(own.as_ref());
        let source = source.map(|(source, own)| {
            // An rpm's epoch is a qualifier, a Debian package's part of the
            // version.
            let (epoch, version) = match source.version.split_once(':') {
                Some((epoch, version)) if own.kind == "rpm" => (Some(epoch), version),
                _ => (None, source.version.as_str()),
            };
            // The name of a source rpm has none; it is its packages'.
            let epoch = epoch.or_else(|| own.qualifier("epoch"));
            let epoch = epoch.map(|epoch| ("epoch".to_owned(), epoch.to_owned()));
            ParsedPurl {
                name: source.name.clone(),
                version: version.to_owned(),
                qualifiers: epoch.into_iter().collect(),
                ..own.clone()
            }
        });
        Known {
            package,
            own,
            source,
        }
    }

    pub(super) fn is_of_distribution(&self) -> bool {
        matches!(self.package.kind.as_ref(), "deb" | "apk" | "rpm")
    }

    pub(super) fn module(&self) -> Option<&str> {
        self.package.module.as_deref()
    }

    /// Whether `name` means this package, which lies in the target of `scope`.
    pub(super) fn is(&self, name: &Name, scope: Scope<'_>) -> bool {
        match name {
            Name::Purl { purl, versions } => {
                let range = versions.as_deref();
                let is_source = purl
                    .qualifier("arch")
                    .is_some_and(|arch| matches!(arch, "src" | "source"));
                if is_source {
                    self.source
                        .as_ref()
                        .is_some_and(|own| means(purl, range, own, &["arch"]))
                } else {
                    self.own
                        .as_ref()
                        .is_some_and(|own| means(purl, range, own, &[]))
                }
            }
            Name::Hash(hash) => self.package.hashes.contains(hash),
            Name::BomLink {
                reference: Some(reference),
                versions,
                ..
            } => {
                let bom = scope.identity.and_then(|identity| identity.bom.as_ref());
                let Some(purl) = bom.and_then(|bom| bom.purls.get(reference)) else {
                    return false;
                };
                let fits = versions.as_deref().is_none_or(|range| {
                    vers::contains(range, &self.package.kind, &self.package.version)
                });
                is_linked(name, scope) && *purl == self.package.purl && fits
            }
            Name::BomLink { .. } | Name::Cpe(_) => false,
            Name::Iri(text) => *text == self.package.purl,
        }
    }
}

/// Whether a package URL of a statement means `own`: what it leaves out may be
/// anything, what it says must be so.
fn means(purl: &ParsedPurl, range: Option<&str>, own: &ParsedPurl, but: &[&str]) -> bool {
    let qualifies = |(key, value): &(String, String)| {
        but.contains(&key.as_str()) || own.qualifier(key) == Some(value)
    };
    purl.kind == own.kind
        && same(namespace(purl), namespace(own), &purl.kind)
        && same(&purl.name, &own.name, &purl.kind)
        && (purl.version.is_empty() || same_version(&purl.version, own))
        && range.is_none_or(|range| vers::contains(range, &own.kind, &own.version))
        && (purl.subpath.is_empty() || purl.subpath == own.subpath)
        && purl.qualifiers.iter().all(qualifies)
}

/// Names of one kind compared as their package URLs' type has it.
fn same(a: &str, b: &str, kind: &str) -> bool {
    match kind {
        "pypi" => {
            let form = |text: &str| text.to_lowercase().replace(['_', '.'], "-");
            form(a) == form(b)
        }
        "golang" | "deb" | "apk" | "rpm" | "composer" | "github" | "githubactions" | "hex"
        | "nuget" | "oci" => a.eq_ignore_ascii_case(b),
        _ => a == b,
    }
}

fn same_version(version: &str, own: &ParsedPurl) -> bool {
    // `v1.2.3` is what Go calls it, `1.2.3` what many write.
    let plain = |text: &'_ str| text.strip_prefix('v').unwrap_or(text).to_owned();
    version == own.version || (own.kind == "golang" && plain(version) == plain(&own.version))
}

/// The namespace of a distribution's packages, whoever wrote it: vendors use
/// their name, scanners the distribution's id.
fn namespace(purl: &ParsedPurl) -> &str {
    match (purl.kind.as_str(), purl.namespace.as_str()) {
        ("rpm", "rhel") => "redhat",
        ("rpm", "ol") => "oracle",
        ("rpm", "oraclelinux") => "oracle",
        ("rpm", "amzn") => "amazon",
        ("rpm", "opensuse-leap" | "opensuse-tumbleweed") => "opensuse",
        ("rpm", "sles" | "sled") => "suse",
        (_, own) => own,
    }
}

/// Whether `name` (`pkg:rpmmod/redhat/nodejs@18`) means the module that a
/// package is of, `nodejs:18:8090020231019:…`.
pub(super) fn is_module(name: &Name, module: Option<&str>) -> bool {
    let (Name::Purl { purl, .. }, Some(module)) = (name, module) else {
        return false;
    };
    let mut own = module.split(':');
    let mut stated = std::iter::once(purl.name.as_str()).chain(purl.version.split(':'));
    purl.kind == "rpmmod"
        && stated
            .by_ref()
            .filter(|part| !part.is_empty())
            .all(|part| own.next() == Some(part))
}

/// Whether a BOM-Link leads into the bill of materials of the target.
fn is_linked(name: &Name, scope: Scope<'_>) -> bool {
    let Name::BomLink {
        serial, version, ..
    } = name
    else {
        return false;
    };
    let Some(bom) = scope.identity.and_then(|identity| identity.bom.as_ref()) else {
        return false;
    };
    // Without a serial number the statement's own document is meant, and no
    // other that happens to use the same references.
    (serial.is_none() && scope.is_inside)
        || (serial.is_some()
            && *serial == bom.serial
            && (version.is_none() || bom.version.is_none_or(|own| Some(own) == *version)))
}

/// Whether `name` means the target as a whole.
pub(super) fn is_target(name: &Name, target: &Target, scope: Scope<'_>) -> bool {
    let identity = scope.identity;
    match name {
        Name::Purl { purl, versions } => {
            let is_image = identity.is_some_and(|identity| image(purl, identity));
            let bom = identity.and_then(|identity| identity.bom.as_ref());
            let subject = bom.and_then(|bom| bom.purls.get(bom.subject.as_ref()?));
            let subject = subject.and_then(|text| seawall_model::purl::parse(text));
            is_image || subject.is_some_and(|own| means(purl, versions.as_deref(), &own, &[]))
        }
        Name::Cpe(cpe) => target.os.as_ref().is_some_and(|os| platform(cpe, os)),
        Name::Hash(hash) => identity.is_some_and(|identity| {
            let text = hash.to_string();
            identity.digests.contains(&text)
        }),
        Name::BomLink { reference, .. } => {
            let bom = identity.and_then(|identity| identity.bom.as_ref());
            let is_whole = reference.is_none() || bom.is_some_and(|bom| *reference == bom.subject);
            is_whole && is_linked(name, scope)
        }
        Name::Iri(text) => {
            *text == target.name
                || identity.is_some_and(|identity| {
                    identity.names.contains(text) || identity.digests.contains(text)
                })
        }
    }
}

/// Whether an image's package URL (types `oci` and `docker`) means the image
/// known by `identity`. A digest is proof enough, whatever the image is called
/// here; without one, the name must be the same.
fn image(purl: &ParsedPurl, identity: &Identity) -> bool {
    if !matches!(purl.kind.as_str(), "oci" | "docker") {
        return false;
    }
    let arch = purl.qualifier("arch");
    if arch.is_some() && identity.arch.is_some() && arch != identity.arch.as_deref() {
        return false;
    }
    if purl.version.contains(':') {
        return identity.digests.contains(&purl.version);
    }
    // A digest is often written without its algorithm, or a tag in its place.
    if is_digest(&purl.version) {
        let mut digests = identity.digests.iter();
        return digests.any(|own| {
            own.split_once(':')
                .is_some_and(|(_, hex)| hex.eq_ignore_ascii_case(&purl.version))
        });
    }
    let tag = match (purl.version.as_str(), purl.qualifier("tag")) {
        ("", tag) => tag,
        (version, Some(tag)) if version != tag => return false,
        (version, _) => Some(version),
    };
    identity.names.iter().any(|name| {
        let own = Reference::parse(name);
        let repository = match (purl.kind.as_str(), purl.qualifier("repository_url")) {
            ("docker", host) => {
                let path = format!("{}/{}", purl.namespace, purl.name);
                let host = host.map(|host| format!("{}/", host.trim_end_matches('/')));
                Some(host.unwrap_or_default() + path.trim_start_matches('/'))
            }
            (_, url) => url.map(str::to_owned),
        };
        let last = own.repository.rsplit('/').next().unwrap_or_default();
        last.eq_ignore_ascii_case(&purl.name)
            && repository.is_none_or(|url| Reference::parse(&url).repository == own.repository)
            && tag.is_none_or(|tag| own.tag.as_deref() == Some(tag))
    })
}

/// Whether a version is a SHA-256, SHA-384 or SHA-512 in hexadecimal digits.
fn is_digest(version: &str) -> bool {
    matches!(version.len(), 64 | 96 | 128) && version.bytes().all(|one| one.is_ascii_hexdigit())
}

/// A name of an image taken apart.
struct Reference {
    /// With its registry, in lower case: `docker.io/library/alpine`.
    repository: String,
    tag: Option<String>,
}

impl Reference {
    fn parse(text: &str) -> Self {
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        let text = text.split_once('@').map_or(text, |(name, _)| name);
        // A colon before the last slash belongs to the registry's port.
        let (name, tag) = match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.to_owned())),
            _ => (text, None),
        };
        let name = name.trim_matches('/').to_lowercase();
        let name = name.strip_prefix("index.").unwrap_or(&name);
        let (host, path) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
            _ => ("docker.io", name),
        };
        let library = if host == "docker.io" && !path.contains('/') {
            "library/"
        } else {
            ""
        };
        Reference {
            repository: format!("{host}/{library}{path}"),
            tag,
        }
    }
}

/// Distributions by their id, with vendor and product of their CPE names.
const PLATFORMS: [(&str, &str, &str); 16] = [
    ("almalinux", "almalinux", "almalinux"),
    ("alpine", "alpinelinux", "alpine_linux"),
    ("amzn", "amazon", "linux"),
    ("centos", "centos", "centos"),
    ("debian", "debian", "debian_linux"),
    ("fedora", "fedoraproject", "fedora"),
    ("ol", "oracle", "linux"),
    ("opensuse-leap", "opensuse", "leap"),
    ("photon", "vmware", "photon_os"),
    ("rhel", "redhat", "enterprise_linux"),
    ("rocky", "rocky", "rocky"),
    ("rocky", "resf", "rocky_linux"),
    ("sles", "suse", "sles"),
    ("sles", "suse", "linux_enterprise_server"),
    ("ubuntu", "canonical", "ubuntu_linux"),
    ("azurelinux", "microsoft", "azure_linux"),
];

/// Whether a CPE name (2.2 or 2.3) means this distribution and release: `9`
/// means every release 9.x.
fn platform(cpe: &str, os: &Os) -> bool {
    let rest = cpe.strip_prefix("cpe:2.3:").or(cpe.strip_prefix("cpe:/"));
    let Some(rest) = rest else {
        return false;
    };
    let mut parts = rest.split(':').map(|part| part.replace('\\', ""));
    let mut next = || parts.next().unwrap_or_default().to_lowercase();
    let (_, vendor, product, mut version, update) = (next(), next(), next(), next(), next());
    let is_known = PLATFORMS.contains(&(os.id.as_str(), vendor.as_str(), product.as_str()));
    if let Some(pack) = update.strip_prefix("sp") {
        version = format!("{version}.{pack}");
    }
    let is_any = matches!(version.as_str(), "" | "*" | "-");
    let behind = os.version.strip_prefix(version.as_str());
    is_known && (is_any || behind.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

#[cfg(test)]
mod tests {
    use seawall_model::{Origin, Source};

    use super::*;

    fn purl(text: &str) -> Name {
        Name::Purl {
            purl: seawall_model::purl::parse(text).unwrap(),
            versions: None,
        }
    }

    fn is(statement: &str, own: &str) -> bool {
        let kind = seawall_model::purl::parse(own).unwrap().kind;
        let package = Package::new(kind, "", "", own, Origin::default());
        Known::new(&package).is(&purl(statement), Scope::default())
    }

    /// Cases of go-vex (`TestPurlMatches`), which Trivy and Grype use.
    #[test]
    fn package_urls_match_by_what_they_say() {
        for (statement, own, want) in [
            (
                "pkg:apk/wolfi/curl@8.1.2-r0",
                "pkg:apk/wolfi/curl@8.1.2-r0",
                true,
            ),
            (
                "pkg:apk/wolfi/curl@8.1.2-r0",
                "pkg:apk/wolfi/curl@8.1.2-r0?arch=x86_64",
                true,
            ),
            (
                "pkg:apk/wolfi/curl",
                "pkg:apk/wolfi/curl@8.1.2-r0?arch=x86_64",
                true,
            ),
            (
                "pkg:apk/wolfi/curl?arch=x86_64",
                "pkg:apk/wolfi/curl@8.1.2-r0",
                false,
            ),
            (
                "pkg:apk/wolfi/curl?arch=x86_64",
                "pkg:apk/wolfi/curl@8.1.2-r0?arch=arm64",
                false,
            ),
            (
                "pkg:apk/alpine/curl@8.1.2-r0",
                "pkg:apk/wolfi/curl@8.1.2-r0",
                false,
            ),
            (
                "pkg:apk/wolfi/curl@8.1.2-r1",
                "pkg:apk/wolfi/curl@8.1.2-r0",
                false,
            ),
            ("pkg:rpm/redhat/bash", "pkg:rpm/rhel/bash@5.1", true),
            ("pkg:pypi/Foo.Bar_baz", "pkg:pypi/foo-bar-baz@1", true),
            (
                "pkg:golang/github.com/A/b@1.0.0",
                "pkg:golang/github.com/A/B@v1.0.0",
                true,
            ),
            ("pkg:npm/A", "pkg:npm/a@1", false),
            ("pkg:npm/a#lib", "pkg:npm/a@1#lib", true),
            ("pkg:npm/a", "pkg:npm/a@1#lib", true),
            ("pkg:npm/a#lib", "pkg:npm/a@1", false),
            ("pkg:npm/a#lib", "pkg:npm/a@1#src", false),
        ] {
            assert_eq!(is(statement, own), want, "{statement} {own}");
        }
    }

    #[test]
    fn a_source_package_stands_for_what_was_built_from_it() {
        let mut package = Package::new(
            "deb",
            "libssl3",
            "3.0-1",
            "pkg:deb/debian/libssl3@3.0-1?arch=amd64",
            Origin::default(),
        );
        package.source = Some(Source {
            name: "openssl".into(),
            version: "3.0-1".into(),
        });
        let is = |text| Known::new(&package).is(&purl(text), Scope::default());
        assert!(
            is("pkg:deb/debian/openssl?arch=source") && is("pkg:deb/debian/openssl@3.0-1?arch=src")
        );
        assert!(!is("pkg:deb/debian/openssl@3.0-2?arch=source"));
        assert!(
            !is("pkg:deb/debian/openssl"),
            "a binary package of that name"
        );
        assert!(is("pkg:deb/debian/libssl3"));
    }

    #[test]
    fn an_image_is_known_by_digest_or_by_name() {
        let identity = Identity {
            names: vec!["alpine:3.10".into(), "ghcr.io/acme/shop:1".into()],
            digests: vec![format!("sha256:{:064}", 7)],
            arch: Some("amd64".into()),
            bom: None,
        };
        let is = |text: &str| image(&seawall_model::purl::parse(text).unwrap(), &identity);
        assert!(is(&format!("pkg:oci/anything@sha256%3A{:064}", 7)));
        assert!(!is(&format!("pkg:oci/alpine@sha256%3A{:064}", 8)));
        assert!(is("pkg:oci/alpine") && is("pkg:oci/alpine?tag=3.10&arch=amd64"));
        assert!(is(
            "pkg:oci/alpine?repository_url=index.docker.io%2Flibrary%2Falpine"
        ));
        assert!(is("pkg:oci/shop?repository_url=ghcr.io/acme/shop&tag=1"));
        assert!(
            is("pkg:docker/library/alpine@3.10")
                && is("pkg:docker/acme/shop?repository_url=ghcr.io")
        );
        assert!(is("pkg:oci/alpine@3.10") && is("pkg:oci/alpine@3.10?tag=3.10"));
        assert!(!is("pkg:oci/alpine@3.20") && !is("pkg:oci/alpine@latest"));
        assert!(!is("pkg:oci/alpine@3.10?tag=3.11") && !is("pkg:oci/alpine@3.11?tag=3.10"));
        assert!(is(&format!("pkg:oci/anything@{:064}", 7)));
        assert!(!is(&format!("pkg:oci/alpine@{:064}", 8)));
        assert!(!is("pkg:oci/alpine?tag=3.11") && !is("pkg:oci/alpine?arch=arm64"));
        assert!(!is("pkg:oci/alpine?repository_url=ghcr.io/acme/alpine") && !is("pkg:npm/alpine"));
    }

    #[test]
    fn a_module_is_of_its_stream() {
        let module = Some("nodejs:18:8090020231019152822:a75119d5");
        assert!(is_module(&purl("pkg:rpmmod/redhat/nodejs@18"), module));
        assert!(is_module(
            &purl("pkg:rpmmod/redhat/nodejs@18:8090020231019152822"),
            module
        ));
        assert!(is_module(&purl("pkg:rpmmod/redhat/nodejs"), module));
        assert!(!is_module(&purl("pkg:rpmmod/redhat/nodejs@16"), module));
        assert!(!is_module(&purl("pkg:rpmmod/redhat/nodejs@18"), None));
    }

    #[test]
    fn a_platform_is_of_its_release() {
        let os = |id: &str, version: &str| Os {
            id: id.into(),
            version: version.into(),
            name: String::new(),
            codename: None,
            like: Vec::new(),
        };
        assert!(platform(
            "cpe:/o:redhat:enterprise_linux:9",
            &os("rhel", "9.4")
        ));
        assert!(platform(
            "cpe:/a:redhat:enterprise_linux:9::appstream",
            &os("rhel", "9.4")
        ));
        assert!(platform(
            "cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:*:*",
            &os("debian", "12")
        ));
        assert!(platform("cpe:/o:suse:sles:15:sp5", &os("sles", "15.5")));
        assert!(!platform(
            "cpe:/o:redhat:enterprise_linux:9",
            &os("rhel", "8.9")
        ));
        assert!(!platform(
            "cpe:/o:redhat:enterprise_linux:9",
            &os("almalinux", "9.4")
        ));
        assert!(!platform(
            "cpe:/o:redhat:enterprise_linux:1",
            &os("rhel", "10.0")
        ));
        assert!(
            !platform("cpe:/a:redhat:rhel_eus:9.2", &os("rhel", "9.2")),
            "nothing says that it is EUS"
        );
    }
}
