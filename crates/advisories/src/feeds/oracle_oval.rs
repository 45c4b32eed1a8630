//! Oracle Linux's OVAL definitions: one for each of its advisories
//! (`linux.oracle.com/security/oval`).
//!
//! ```text
//! com.oracle.elsa-all.xml.bz2     all advisories
//! com.oracle.elsa-YEAR.xml.bz2    those of a year
//! ```
//!
//! They say what is mended; that a package will not be mended, or is not
//! affected, nobody says.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    feed::{
        Collector, Feed, Input, Layout,
        oval::{self, Definition, Older},
    },
    osv::{EventKind, OsvAffected, OsvRange, OsvRecord},
};

pub(crate) static FEED: Feed = Feed {
    name: "oracle-oval",
    ecosystems: &["Oracle Linux"],
    beside_osv: false,
    address: "https://linux.oracle.com/security/oval",
    leaves_out: &["flaws that no fix is there for", "CVSS vectors"],
    files,
    read,
};

const ALL: &str = "com.oracle.elsa-all.xml.bz2";

fn files(layout: &Layout<'_>) -> Result<Vec<String>, String> {
    let Some(names) = layout.list("")? else {
        return Ok(vec![ALL.to_owned()]);
    };
    let of_feed = |name: &String| {
        let packed = name.strip_suffix(".bz2").unwrap_or(name);
        packed.starts_with("com.oracle.elsa-") && packed.ends_with(".xml")
    };
    let names: Vec<String> = names.into_iter().filter(of_feed).collect();
    // The years are in the whole; a file and what it was packed from are one.
    if let Some(whole) = names.iter().find(|name| name.contains("-all.xml")) {
        return Ok(vec![whole.clone()]);
    }
    let packed: BTreeSet<String> = names
        .iter()
        .filter(|name| name.ends_with(".bz2"))
        .cloned()
        .collect();
    let is_first = |name: &String| !packed.contains(&format!("{name}.bz2"));
    Ok(names.into_iter().filter(is_first).collect())
}

fn read(input: Input, collector: &mut Collector) -> Result<(), String> {
    let mut each = |definition: Result<Definition, (String, String)>| match definition {
        Ok(definition) => match record(&definition) {
            Ok(record) => collector.add(&record),
            Err((what, why)) => collector.refuse(&what, why),
        },
        Err((id, why)) => collector.refuse(&id, why),
    };
    oval::read(input.unpacked()?, &mut each)
}

fn record(definition: &Definition) -> Result<OsvRecord, (String, String)> {
    let metadata = &definition.metadata;
    let title = metadata.text_of("title");
    let references = |source: &'static str| {
        let of_source = move |one: &&crate::feed::xml::Tree| {
            one.attribute("source").eq_ignore_ascii_case(source)
        };
        metadata.all("reference").filter(of_source)
    };
    let id = references("elsa").map(|one| one.attribute("ref_id")).next();
    let id = id
        .or_else(|| Some(title.split_once(':')?.0))
        .unwrap_or_default();
    if !id.starts_with("EL") {
        return Err((title.to_owned(), "it names no advisory".to_owned()));
    }
    let advisory = metadata.child("advisory");
    let of_advisory = |name| advisory.map_or("", |advisory| advisory.text_of(name));
    let issued = advisory.and_then(|advisory| advisory.child("issued"));
    let issued = issued.map_or("", |issued| issued.attribute("date"));
    let mut cves: BTreeSet<String> = references("CVE")
        .map(|one| one.attribute("ref_id").to_owned())
        .collect();
    let listed = advisory
        .into_iter()
        .flat_map(|advisory| advisory.all("cve"));
    cves.extend(listed.map(|cve| cve.text.clone()));
    cves.retain(|cve| cve.starts_with("CVE-"));
    let affected = affected(&definition.older).map_err(|why| (id.to_owned(), why))?;
    let severity = of_advisory("severity").to_ascii_lowercase();
    let summary = title.strip_prefix(id).unwrap_or(title);
    Ok(OsvRecord {
        id: id.to_owned(),
        upstream: cves.into_iter().collect(),
        published: date(issued),
        modified: date(issued),
        // The one word that is none.
        vendor_severity: if severity == "n/a" {
            String::new()
        } else {
            severity
        },
        summary: summary.trim_start_matches(':').trim().to_owned(),
        affected,
        ..OsvRecord::default()
    })
}

fn date(day: &str) -> String {
    if day.is_empty() {
        return String::new();
    }
    format!("{day}T00:00:00Z")
}

/// One entry for each version of a package; of certain architectures only where
/// the versions differ by them.
fn affected(older: &[Older]) -> Result<Vec<OsvAffected>, String> {
    let mut packages: BTreeMap<(&str, &str, &str), BTreeMap<&str, BTreeSet<&str>>> =
        BTreeMap::new();
    for one in older {
        let release = one.release.as_ref();
        let (_, pattern) = release
            .filter(|(name, _)| name == "oraclelinux-release")
            .ok_or_else(|| format!("`{}` is of no release", one.name))?;
        let versions = packages
            .entry((pattern, &one.name, &one.module))
            .or_default();
        versions.entry(&one.version).or_default().insert(&one.arch);
    }
    let mut affected = Vec::new();
    for ((pattern, name, module), versions) in packages {
        let release = pattern.trim_start_matches('^');
        if release.is_empty() || !release.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("`{pattern}` is no release"));
        }
        let differ = versions.len() > 1;
        for (version, archs) in versions {
            let archs: Vec<&str> = archs.into_iter().collect();
            let is_bound = differ && archs.iter().all(|arch| !arch.is_empty());
            let version = version.strip_prefix("0:").unwrap_or(version);
            affected.push(OsvAffected {
                ecosystem: format!("Oracle Linux:{release}"),
                name: name.to_owned(),
                ranges: vec![OsvRange {
                    semver: false,
                    events: vec![
                        (EventKind::Introduced, "0".to_owned()),
                        (EventKind::Fixed, version.to_owned()),
                    ],
                }],
                module: module.to_owned(),
                arch: if is_bound {
                    archs.join("|")
                } else {
                    String::new()
                },
                ..OsvAffected::default()
            });
        }
    }
    Ok(affected)
}
