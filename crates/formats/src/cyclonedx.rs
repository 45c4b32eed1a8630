//! CycloneDX, versions 1.2 to 1.7, as JSON (ECMA-424).

use std::borrow::Cow;

use seawall_model::{Gap, GapKind, Origin, Os, Package, Source};
use serde::Deserialize;

use crate::purl::{self, ParsedPurl};

/// What a bill of materials says.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it describes: name and version of `metadata.component`.
    pub name: Option<String>,
    /// `1.6`.
    pub spec_version: String,
    /// `urn:uuid:…`.
    pub serial: Option<String>,
    /// Every component with a purl, in the document's order.
    pub packages: Vec<Package>,
    /// The distribution.
    pub os: Option<Os>,
    /// What could not be used.
    pub gaps: Vec<Gap>,
}

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no JSON, or not of the right shape.
    #[error("it is no CycloneDX document in JSON")]
    Json(#[source] serde_json::Error),
    /// It is another kind of document.
    #[error("it is {0}, which is not read: convert it to CycloneDX JSON")]
    Other(&'static str),
    /// It holds more than is read.
    #[error("it has more than {COMPONENTS} components")]
    Large,
}

/// Components of one document.
const COMPONENTS: usize = 2_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDocument<'a> {
    #[serde(borrow, default)]
    bom_format: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    spec_version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    serial_number: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
    #[serde(borrow, default)]
    components: Option<Vec<Component<'a>>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow, default)]
    component: Option<Component<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Component<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    purl: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    licenses: Option<Vec<License<'a>>>,
    #[serde(borrow, default)]
    properties: Option<Vec<Property<'a>>>,
    #[serde(borrow, default)]
    components: Option<Vec<Component<'a>>>,
}

#[derive(Deserialize)]
struct License<'a> {
    #[serde(borrow, default)]
    expression: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    license: Option<NamedLicense<'a>>,
}

#[derive(Deserialize)]
struct NamedLicense<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Property<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    value: Option<Cow<'a, str>>,
}

impl Component<'_> {
    /// The value of the first property with one of these names.
    fn property(&self, names: &[&str]) -> Option<&str> {
        let all = self.properties.as_deref().unwrap_or_default();
        let found = names
            .iter()
            .find_map(|name| all.iter().find(|one| one.name == *name));
        found
            .and_then(|one| one.value.as_deref())
            .filter(|value| !value.is_empty())
    }
}

/// Reads a document.
///
/// # Errors
/// When it is none, or one that is not read. Components that cannot be used
/// are gaps.
pub fn read(bytes: &[u8]) -> Result<Document, Error> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Some(other) = other_format(bytes) {
        return Err(Error::Other(other));
    }
    let wire: WireDocument<'_> = serde_json::from_slice(bytes).map_err(Error::Json)?;
    if wire.bom_format.as_deref() != Some("CycloneDX") {
        let is_spdx = bytes
            .windows(13)
            .take(4096)
            .any(|piece| piece == b"\"spdxVersion\"");
        let what = if is_spdx {
            "an SPDX document"
        } else {
            "a JSON document of another kind"
        };
        return Err(Error::Other(what));
    }
    let mut reader = Reader::default();
    let subject = wire.metadata.and_then(|metadata| metadata.component);
    let name = subject.as_ref().map(|component| match &component.version {
        Some(version) if !version.is_empty() && !version.starts_with("sha256:") => {
            format!("{}:{version}", component.name)
        }
        _ => component.name.clone().into_owned(),
    });
    reader.components(
        subject
            .iter()
            .flat_map(|one| one.components.as_deref().unwrap_or_default()),
    )?;
    reader.components(wire.components.as_deref().unwrap_or_default())?;
    reader.finish();
    Ok(Document {
        name: name.filter(|name| !name.is_empty()),
        spec_version: wire.spec_version.unwrap_or_default().into_owned(),
        serial: wire.serial_number.map(Cow::into_owned),
        packages: reader.packages,
        os: reader.os.or(reader.os_of_purls),
        gaps: reader.gaps,
    })
}

fn other_format(bytes: &[u8]) -> Option<&'static str> {
    let head = bytes.trim_ascii_start();
    if head.starts_with(b"<") {
        return Some("an XML document");
    }
    head.starts_with(b"SPDXVersion:")
        .then_some("an SPDX document in tag-value form")
}

#[derive(Default)]
struct Reader {
    packages: Vec<Package>,
    os: Option<Os>,
    /// What the `distro` qualifiers say, when no component does.
    os_of_purls: Option<Os>,
    without_purl: usize,
    malformed: usize,
    seen: usize,
    gaps: Vec<Gap>,
}

impl Reader {
    fn components<'c, 'a: 'c>(
        &mut self,
        list: impl IntoIterator<Item = &'c Component<'a>>,
    ) -> Result<(), Error> {
        // The parser bounds the depth.
        for component in list {
            self.seen += 1;
            if self.seen > COMPONENTS {
                return Err(Error::Large);
            }
            self.component(component);
            self.components(component.components.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }

    fn component(&mut self, component: &Component<'_>) {
        if component.kind == "operating-system" {
            let id = component
                .property(&["syft:distro:id"])
                .unwrap_or(&component.name);
            let version = component.property(&["syft:distro:versionID"]);
            let version = version.or(component.version.as_deref()).unwrap_or_default();
            self.os.get_or_insert_with(|| os(id, version));
            return;
        }
        let Some(text) = component.purl.as_deref() else {
            // Files are evidence, not packages.
            self.without_purl += usize::from(component.kind != "file");
            return;
        };
        let Some(purl) = purl::parse(text) else {
            self.malformed += 1;
            return;
        };
        // Distributions are written as packages by some.
        let is_distribution = matches!(purl.kind.as_str(), "deb" | "apk" | "rpm");
        if is_distribution && self.os_of_purls.is_none() {
            self.os_of_purls = purl.qualifier("distro").map(|distro| {
                let (id, version) = distro_parts(distro, &purl.namespace);
                os(id, version)
            });
        }
        self.packages.push(package(component, text, &purl));
    }

    fn finish(&mut self) {
        let mut gap = |count: usize, what: &str| {
            if count > 0 {
                let reason = format!("{count} components {what}");
                self.gaps
                    .push(Gap::new(GapKind::Missing, "components", reason));
            }
        };
        gap(
            self.without_purl,
            "have no package URL, so that nothing can be said of them",
        );
        gap(self.malformed, "have a package URL that is none");
    }
}

fn os(id: &str, version: &str) -> Os {
    Os {
        id: id.to_lowercase(),
        version: version.to_owned(),
        name: format!("{id} {version}").trim().to_owned(),
        codename: None,
        like: Vec::new(),
    }
}

/// `debian-12`, `alpine-3.18.4`, `opensuse-leap-15.5`, and a bare `bookworm`
/// or `3.18`.
fn distro_parts<'a>(distro: &'a str, namespace: &'a str) -> (&'a str, &'a str) {
    match distro.rsplit_once('-') {
        Some((id, version)) if version.starts_with(|first: char| first.is_ascii_digit()) => {
            (id, version)
        }
        _ if distro.starts_with(|first: char| first.is_ascii_digit()) => (namespace, distro),
        _ if distro == namespace => (namespace, ""),
        _ => match CODENAMES
            .iter()
            .find(|(codename, _, _)| *codename == distro)
        {
            Some((_, id, version)) => (id, version),
            None => (distro, ""),
        },
    }
}

/// Codenames that tools write in the place of a version.
const CODENAMES: [(&str, &str, &str); 11] = [
    ("stretch", "debian", "9"),
    ("buster", "debian", "10"),
    ("bullseye", "debian", "11"),
    ("bookworm", "debian", "12"),
    ("trixie", "debian", "13"),
    ("forky", "debian", "14"),
    ("xenial", "ubuntu", "16.04"),
    ("bionic", "ubuntu", "18.04"),
    ("focal", "ubuntu", "20.04"),
    ("jammy", "ubuntu", "22.04"),
    ("noble", "ubuntu", "24.04"),
];

fn package(component: &Component<'_>, text: &str, purl: &ParsedPurl) -> Package {
    let is_distribution = matches!(purl.kind.as_str(), "deb" | "apk" | "rpm");
    // A distribution's namespace is its id, a language's part of the name.
    let name = match purl.kind.as_str() {
        _ if is_distribution || purl.namespace.is_empty() => purl.name.clone(),
        "maven" => format!("{}:{}", purl.namespace, purl.name),
        _ => format!("{}/{}", purl.namespace, purl.name),
    };
    let mut version = purl.version.clone();
    if version.is_empty() {
        version = component.version.as_deref().unwrap_or_default().to_owned();
    }
    if let Some(epoch) = purl.qualifier("epoch").filter(|_| purl.kind == "rpm")
        && !version.contains(':')
    {
        version = format!("{epoch}:{version}");
    }
    let licenses = component
        .licenses
        .as_deref()
        .unwrap_or_default()
        .iter()
        .filter_map(|one| {
            let named = one.license.as_ref();
            let id = named.and_then(|license| license.id.as_ref().or(license.name.as_ref()));
            one.expression
                .as_ref()
                .or(id)
                .map(|text| text.clone().into_owned())
        });
    Package {
        arch: purl.qualifier("arch").map(str::to_owned),
        source: is_distribution
            .then(|| source(component, purl, &name, &version))
            .flatten(),
        module: purl
            .qualifier("rpmmod")
            .or_else(|| {
                component.property(&[
                    "syft:metadata:modularityLabel",
                    "aquasecurity:trivy:Modularitylabel",
                ])
            })
            .map(str::to_owned),
        licenses: licenses.collect(),
        ..Package::new(purl.kind.clone(), name, version, text, Origin::default())
    }
}

/// The source package: the `upstream` qualifier (`name` or `name@version`), or
/// what Trivy and Syft keep among the properties.
fn source(
    component: &Component<'_>,
    purl: &ParsedPurl,
    name: &str,
    version: &str,
) -> Option<Source> {
    if let Some(upstream) = purl.qualifier("upstream") {
        // Syft names the source rpm's file.
        if let Some(stem) = upstream.strip_suffix(".src.rpm") {
            let mut parts = stem.rsplitn(3, '-');
            let (release, number, name) = (parts.next(), parts.next(), parts.next());
            let version = number
                .zip(release)
                .map(|(number, release)| format!("{number}-{release}"));
            return name.zip(version).map(|(name, version)| Source {
                name: name.into(),
                version,
            });
        }
        let (name, own) = upstream.split_once('@').unwrap_or((upstream, version));
        return Some(Source {
            name: name.to_owned(),
            version: own.to_owned(),
        });
    }
    let property = |name: &str| component.property(&[&format!("aquasecurity:trivy:{name}")]);
    if let Some(source) = property("SrcName") {
        let epoch = property("SrcEpoch")
            .map(|epoch| format!("{epoch}:"))
            .unwrap_or_default();
        let release = property("SrcRelease").map(|release| format!("-{release}"));
        let own = property("SrcVersion")
            .map(|own| format!("{epoch}{own}{}", release.unwrap_or_default()));
        let version = own.unwrap_or_else(|| version.to_owned());
        return Some(Source {
            name: source.to_owned(),
            version,
        });
    }
    let names = ["syft:metadata:source", "syft:metadata:originPackage"];
    let own = component
        .property(&["syft:metadata:sourceVersion"])
        .unwrap_or(version);
    let source = component.property(&names).unwrap_or(name);
    (purl.kind != "rpm").then(|| Source {
        name: source.to_owned(),
        version: own.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purls_are_echoed_byte_for_byte() {
        let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[
            {"type":"library","name":"x","purl":"pkg:deb/debian/x@1%3A2?distro=debian-12&upstream=y%402"},
            {"type":"library","name":"n","components":[
                {"type":"library","name":"B","purl":"pkg:golang/github.com/A/B@v1.0.0"}]},
            {"type":"library","name":"bad","purl":"pkg:"},
            {"type":"file","name":"f"}]}"#;
        let document = read(text.as_bytes()).unwrap();
        let purls: Vec<_> = document
            .packages
            .iter()
            .map(|one| one.purl.as_str())
            .collect();
        assert_eq!(
            purls[0],
            "pkg:deb/debian/x@1%3A2?distro=debian-12&upstream=y%402"
        );
        assert_eq!(document.packages[0].version, "1:2");
        assert_eq!(document.packages[0].source.as_ref().unwrap().name, "y");
        assert_eq!(document.packages[1].name, "github.com/A/B");
        let os = document.os.unwrap();
        assert_eq!((os.id.as_str(), os.version.as_str()), ("debian", "12"));
        assert_eq!(document.gaps.len(), 2);
    }

    #[test]
    fn distributions_with_dashes() {
        assert_eq!(
            distro_parts("opensuse-leap-15.5", "opensuse"),
            ("opensuse-leap", "15.5")
        );
        assert_eq!(distro_parts("3.18.4", "alpine"), ("alpine", "3.18.4"));
        assert_eq!(distro_parts("bookworm", "debian"), ("debian", "12"));
        assert_eq!(
            distro_parts("wolfi-20230201", "wolfi"),
            ("wolfi", "20230201")
        );
    }

    #[test]
    fn what_is_none_is_named() {
        let deep = format!(
            "{}{}",
            r#"{"bomFormat":"CycloneDX","components":"#,
            "[".repeat(100_000)
        );
        assert!(matches!(read(deep.as_bytes()), Err(Error::Json(_))));
        assert!(matches!(
            read(b"<bom/>"),
            Err(Error::Other("an XML document"))
        ));
        assert!(matches!(
            read(br#"{"spdxVersion":"SPDX-2.3"}"#),
            Err(Error::Other("an SPDX document"))
        ));
        assert!(matches!(read(b"{}"), Err(Error::Other(_))));
        assert!(matches!(read(b""), Err(Error::Json(_))));
    }
}
