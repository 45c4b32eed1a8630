//! Ubuntu's VEX data: the state of every flaw in every release.
//!
//! <https://security-metadata.canonical.com/vex/> has one archive,
//! `vex-all.tar.xz`, of a document for each flaw in the form of OpenVEX:
//! `vex/cve/2024/CVE-2024-0727.json` (those of `vex/usn` say the same by notice).
//! A folder holds the archive, or the documents as the publisher's repository
//! `canonical/ubuntu-security-notices` has them.
//!
//! A statement has products as package URLs: the source package with
//! `arch=source` and its release as `distro`, and all of its binaries, which add
//! nothing. `distro=jammy` is the release as everybody has it; what stands with
//! a pocket (`esm-infra/focal`, `fips/jammy`, `trusty/esm`) is of Ubuntu Pro and
//! is never taken for the release. The version is the mended one in a statement
//! of `fixed`, and the one at hand in all others. Why an `affected` package gets
//! no fix stands in the first words of `action_statement`: the team decided not
//! to, or the release is no longer supported.
//!
//! (Ubuntu's OVAL says which packages are affected, but not why nothing is done;
//! its OSV records are those of OSV's dump; the states in the words of the
//! tracker itself (`needs-triage`, `deferred`, `pending`) are published by no
//! file, only by a repository and page by page.)

use std::{borrow::Cow, collections::HashSet};

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::{
    codenames,
    distros::ubuntu_release,
    feed::{Collector, Feed, Input, Layout, summary, tar},
    osv::{EventKind, OsvAffected, OsvRange, OsvRecord},
};

pub(crate) static FEED: Feed = Feed {
    name: "ubuntu-vex",
    ecosystems: &["Ubuntu"],
    beside_osv: true,
    address: "https://security-metadata.canonical.com/vex",
    leaves_out: &[
        "packages of Ubuntu Pro (ESM, FIPS) and of other pockets",
        "the priority of flaws that are mended or not looked at",
        "whether a fix is deferred or pending",
        "the versions that mend a flaw: OSV's dump has them",
    ],
    files,
    read,
};

const ARCHIVE: &str = "vex-all.tar";
/// Bytes of one document; the largest are those of the kernel.
const DOCUMENT_LIMIT: u64 = 64 << 20;

fn files(layout: &Layout<'_>) -> Result<Vec<String>, String> {
    let Some(mut names) = layout.list("")? else {
        return Ok(vec![format!("{ARCHIVE}.xz")]);
    };
    if let Some(archive) = names.iter().find(|name| is_archive(name)) {
        return Ok(vec![archive.clone()]);
    }
    names.retain(|name| is_document(name));
    Ok(names)
}

fn is_archive(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.starts_with(ARCHIVE)
}

/// Whether a path is that of a flaw's document, not of a notice's.
fn is_document(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("CVE-") && name.ends_with(".json") && !path.contains("osv/")
}

fn read(input: Input, collector: &mut Collector) -> Result<(), String> {
    if !is_archive(&input.name) {
        let name = input.name.clone();
        let document = input.bytes(DOCUMENT_LIMIT)?;
        return match add(collector, &document) {
            // One document of many is a record that cannot be read.
            Err(why) if is_document(&name) => {
                collector.refuse(&name, why);
                Ok(())
            }
            done => done,
        };
    }
    let mut found = 0usize;
    tar::walk(input.unpacked()?, |path, bytes| {
        if is_document(path) {
            found += 1;
            if let Err(why) = add(collector, bytes) {
                collector.refuse(path, why);
            }
        }
        Ok(())
    })?;
    match found {
        0 => Err("there is no `CVE-*.json` in it".to_owned()),
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
struct Document {
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    vulnerability: Vulnerability,
    #[serde(default)]
    timestamp: String,
    products: Vec<Product>,
    status: String,
    #[serde(default)]
    action_statement: String,
    #[serde(default)]
    status_notes: String,
}

#[derive(Deserialize)]
struct Vulnerability {
    name: String,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct Product {
    #[serde(rename = "@id")]
    id: String,
}

fn add(collector: &mut Collector, bytes: &[u8]) -> Result<(), String> {
    let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let mut record = OsvRecord::default();
    let mut mended: HashSet<(String, String)> = HashSet::new();
    for statement in &document.statements {
        let name = statement.vulnerability.name.as_str();
        if !name.starts_with("CVE-") {
            return Err(format!("`{name}` is no CVE"));
        }
        if record.id.is_empty() {
            record.id = format!("UBUNTU-{name}");
            record.upstream = vec![name.to_owned()];
            record.summary = summary(&statement.vulnerability.description);
            record.published = date(&statement.timestamp);
        } else if record.upstream.first().is_none_or(|first| first != name) {
            return Err(format!("it is about more than one flaw: `{name}`"));
        }
        let is_fixed = statement.status == "fixed";
        if let Some(word) = priority(&statement.status_notes).filter(|_| !is_fixed) {
            record.vendor_severity = word;
        }
        for product in &statement.products {
            let Some(source) = Source::parse(&product.id) else {
                continue;
            };
            let Some(codename) = source.codename() else {
                continue;
            };
            let Some(version) = codenames::ubuntu(codename) else {
                if is_fixed {
                    continue;
                }
                collector.leave_out(format!("the release `{codename}` is not known"));
                continue;
            };
            let Some(release) = ubuntu_release(version) else {
                continue;
            };
            let (ecosystem, name) = (format!("Ubuntu:{release}"), source.name.into_owned());
            if is_fixed {
                mended.insert((ecosystem, name));
                continue;
            }
            record.affected.push(OsvAffected {
                ecosystem,
                name,
                ..state(statement)?
            });
        }
    }
    // Of what was mended the version decides, which stands in OSV's dump: another
    // statement that it never was affected must not clear it.
    record.affected.retain(|entry| {
        entry.state != "not-affected"
            || !mended.contains(&(entry.ecosystem.clone(), entry.name.clone()))
    });
    // Many flaws are of Ubuntu Pro alone, or of nothing.
    if !record.affected.is_empty() {
        collector.add(&record);
    }
    Ok(())
}

fn state(statement: &Statement) -> Result<OsvAffected, String> {
    const NOT_TO_BE_FIXED: &str = "decided to not fix it";
    const OVER: &str = "This package (for the given release) is no longer supported";
    let state = match statement.status.as_str() {
        "not_affected" => "not-affected",
        "under_investigation" => "under-investigation",
        "affected" if statement.action_statement.starts_with(OVER) => "end-of-life",
        "affected" if statement.action_statement.contains(NOT_TO_BE_FIXED) => "will-not-fix",
        "affected" => "",
        other => return Err(format!("`{other}` is no status of OpenVEX")),
    };
    Ok(OsvAffected {
        ranges: vec![OsvRange {
            semver: false,
            events: vec![(EventKind::Introduced, "0".to_owned())],
        }],
        state: state.to_owned(),
        ..OsvAffected::default()
    })
}

/// `low` of `Ubuntu Security Team classified this CVE as of Low priority.`
fn priority(notes: &str) -> Option<String> {
    let (_, rest) = notes.split_once("classified this CVE as of ")?;
    let (word, _) = rest.split_once(" priority")?;
    Some(word.to_ascii_lowercase())
}

/// `2024-01-26 09:15:00 UTC`, as older documents have it, in RFC 3339.
fn date(text: &str) -> String {
    match text.strip_suffix(" UTC") {
        Some(plain) => format!("{}Z", plain.replacen(' ', "T", 1)),
        None => text.to_owned(),
    }
}

/// A product that is a source package.
struct Source<'p> {
    name: Cow<'p, str>,
    /// `jammy`, `ubuntu/jammy`, `esm-infra/focal`, `trusty/esm`.
    distro: &'p str,
}

impl<'p> Source<'p> {
    /// Reads `pkg:deb/ubuntu/NAME@VERSION?arch=source&distro=jammy`. Older
    /// documents put `?` between the qualifiers, and `src`.
    fn parse(purl: &'p str) -> Option<Self> {
        let rest = purl.strip_prefix("pkg:deb/ubuntu/")?;
        let (package, qualifiers) = rest.split_once('?')?;
        let name = package.split_once('@').map_or(package, |(name, _)| name);
        let of = |key: &str| {
            let mut all = qualifiers.split(['&', '?']);
            all.find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
        };
        let decoded = |text: &'p str| percent_decode_str(text).decode_utf8().ok();
        matches!(of("arch")?, "source" | "src").then_some(())?;
        Some(Source {
            name: decoded(name).filter(|name| !name.is_empty())?,
            distro: of("distro")?,
        })
    }

    /// The release's code name; `None` for all but the release itself.
    fn codename(&self) -> Option<&'p str> {
        let name = self.distro.strip_prefix("ubuntu/").unwrap_or(self.distro);
        (!name.contains('/')).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_source_packages_of_the_release_itself_count() {
        for (purl, expected) in [
            (
                "pkg:deb/ubuntu/coreutils@8.32-4.1ubuntu1.2?arch=source&distro=jammy",
                Some("coreutils jammy"),
            ),
            (
                "pkg:deb/ubuntu/ansible-core@2.12.0-1ubuntu0.1?arch=src?distro=ubuntu/jammy",
                Some("ansible-core jammy"),
            ),
            (
                "pkg:deb/ubuntu/gcc-10%2B@1%3A1.0?arch=source&distro=noble",
                Some("gcc-10+ noble"),
            ),
            (
                "pkg:deb/ubuntu/openssl@1.0.2g?arch=source&distro=esm-infra/xenial",
                None,
            ),
            (
                "pkg:deb/ubuntu/openssl@1.0.1f?arch=source&distro=trusty/esm",
                None,
            ),
            (
                "pkg:deb/ubuntu/openssl@3.0.2?arch=source&distro=fips-preview/jammy",
                None,
            ),
            (
                "pkg:deb/ubuntu/coreutils@8.32?arch=amd64&distro=jammy",
                None,
            ),
            ("pkg:deb/ubuntu/coreutils@8.32?arch=amd64", None),
            ("pkg:deb/debian/coreutils@8.32?arch=source&distro=sid", None),
        ] {
            let found = Source::parse(purl).and_then(|source| {
                let codename = source.codename()?;
                Some(format!("{} {codename}", source.name))
            });
            assert_eq!(found.as_deref(), expected, "{purl}");
        }
    }
}
