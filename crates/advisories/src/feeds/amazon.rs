//! Amazon Linux's advisories (ALAS): `updateinfo.xml` of its package
//! repositories, which names the packages of an advisory by version. (The pages
//! and the RSS of <https://alas.aws.amazon.com> have the same in prose.)
//!
//! <https://cdn.amazonlinux.com>: `2/core/latest/x86_64/mirror.list` and
//! `al2023/core/mirrors/latest/x86_64/mirror.list` hold the address of the
//! newest state of a repository, whose `repodata/repomd.xml` names the file.
//! `2/extras-catalog.json` lists the topics of Amazon Linux 2, each a repository
//! `2/extras/TOPIC`. One architecture serves: an advisory names the packages of
//! all. A folder is a mirror of these; the first Amazon Linux has a server of
//! its own (`2018.03/updates/x86_64/mirror.list`).
//!
//! The id tells the release and the topic: `ALAS-2018-939` is of the first
//! Amazon Linux, `ALAS2KERNEL-5.10-2022-001` of the topic `kernel-5.10` of the
//! second, `ALAS2023-2023-003` of 2023.
//!
//! A topic brings another version of a package that the core may have too (the
//! core's `kernel` is 4.14). Which repository an installed package came from is
//! not known, so that an advisory of a topic is taken to be about versions of
//! the number that the topic bears.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    feed::{
        Collector, Feed, Input, Layout,
        xml::{self, Tree},
    },
    osv::{EventKind, OsvAffected, OsvRange, OsvRecord},
};

pub(crate) static FEED: Feed = Feed {
    name: "amazon",
    ecosystems: &["Amazon Linux"],
    beside_osv: false,
    address: ADDRESS,
    leaves_out: &[
        "flaws that no advisory mends yet, those that were looked at and are none among them",
        "the first Amazon Linux, unless its server or a mirror of it is named",
        "CVSS vectors",
    ],
    files,
    read,
};

const ADDRESS: &str = "https://cdn.amazonlinux.com";
/// Bytes of a list of mirrors, topics or files.
const LIST_LIMIT: u64 = 4 << 20;

fn files(layout: &Layout<'_>) -> Result<Vec<String>, String> {
    if let Some(mut names) = layout.list("")? {
        names.retain(|name| {
            let name = name.rsplit_once("updateinfo.xml").map(|(_, rest)| rest);
            name.is_some_and(|rest| matches!(rest, "" | ".gz" | ".bz2" | ".xz" | ".zst"))
        });
        return Ok(names);
    }
    let mut names = Vec::new();
    // A list that is not there is named among the files, which says that it is
    // missing.
    let mut add = |list: String, is_needed: bool| -> Result<bool, String> {
        let Some(repository) = repository(layout, &list)? else {
            names.extend(is_needed.then_some(list));
            return Ok(false);
        };
        names.extend(update_info(layout, &repository)?);
        Ok(true)
    };
    add(
        "al2023/core/mirrors/latest/x86_64/mirror.list".to_owned(),
        true,
    )?;
    if layout.place() != ADDRESS {
        add("2018.03/updates/x86_64/mirror.list".to_owned(), false)?;
    }
    if add("2/core/latest/x86_64/mirror.list".to_owned(), true)? {
        for topic in topics(layout)? {
            add(format!("2/extras/{topic}/latest/x86_64/mirror.list"), true)?;
        }
    }
    Ok(names)
}

#[derive(Deserialize)]
struct Catalog {
    topics: Vec<Topic>,
}

#[derive(Deserialize)]
struct Topic {
    n: String,
}

/// The topics of Amazon Linux 2. Without their list all of them would be gone.
fn topics(layout: &Layout<'_>) -> Result<Vec<String>, String> {
    let name = "2/extras-catalog.json";
    let bytes = layout.index(name, LIST_LIMIT)?;
    let bytes = bytes.ok_or_else(|| format!("there is no `{name}`"))?;
    let catalog: Catalog =
        serde_json::from_slice(&bytes).map_err(|error| format!("{name}: {error}"))?;
    let is_plain = |name: &String| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
        name.bytes().all(plain) && !name.starts_with('.')
    };
    let topics = catalog.topics.into_iter().map(|topic| topic.n);
    Ok(topics.filter(is_plain).collect())
}

/// The path of the repository that a list of mirrors leads to. Its lines name
/// the publisher's server, in whose place ours stands.
fn repository(layout: &Layout<'_>, list: &str) -> Result<Option<String>, String> {
    let Some(bytes) = layout.index(list, LIST_LIMIT)? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    let path = line.and_then(|line| {
        let (_, rest) = line.split_once("://")?;
        let (_, path) = rest.split_once('/')?;
        Some(path.trim_end_matches('/'))
    });
    match path.filter(|path| is_below(path)) {
        Some(path) => Ok(Some(path.to_owned())),
        None => Err(format!("{list}: it names no mirror")),
    }
}

/// The path of a repository's `updateinfo.xml`; some have none.
fn update_info(layout: &Layout<'_>, repository: &str) -> Result<Option<String>, String> {
    let name = format!("{repository}/repodata/repomd.xml");
    let bytes = layout.index(&name, LIST_LIMIT)?;
    let bytes = bytes.ok_or_else(|| format!("there is no `{name}`"))?;
    let mut found = None;
    xml::walk(
        bytes.as_slice(),
        |path| path.last().is_some_and(|name| name == "data"),
        &mut |data| {
            if data.attribute("type") == "updateinfo" {
                let location = data.child("location");
                found = location.map(|location| location.attribute("href").to_owned());
            }
            Ok(())
        },
    )
    .map_err(|why| format!("{name}: {why}"))?;
    match found {
        Some(href) if is_below(&href) => Ok(Some(format!("{repository}/{href}"))),
        Some(href) => Err(format!("{name}: `{href}` leads out of the repository")),
        None => Ok(None),
    }
}

/// Whether a path stays below where it starts.
fn is_below(path: &str) -> bool {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    path.split('/').all(is_plain) && !path.contains(['?', '#', ':'])
}

fn read(input: Input, collector: &mut Collector) -> Result<(), String> {
    let is_update = |path: &[String]| path.last().is_some_and(|name| name == "update");
    xml::walk(input.unpacked()?, is_update, &mut |update| {
        let id = update.text_of("id");
        if !matches!(update.attribute("type"), "" | "security") {
            return Ok(());
        }
        match record(&update) {
            Ok(record) => collector.add(&record),
            Err(why) => collector.refuse(id, why),
        }
        Ok(())
    })
}

fn record(update: &Tree) -> Result<OsvRecord, String> {
    let id = update.text_of("id");
    let of = Of::parse(id).ok_or("its id is none of Amazon Linux's")?;
    let ecosystem = format!("Amazon Linux:{}", of.release);
    let mut cves: Vec<String> = update
        .all("references")
        .flat_map(|references| references.all("reference"))
        .map(|reference| reference.attribute("id"))
        .filter(|id| id.starts_with("CVE-"))
        .map(str::to_owned)
        .collect();
    cves.sort();
    cves.dedup();
    // Versions of each package, with the architectures that have them.
    let mut packages: BTreeMap<&str, BTreeMap<(String, String), BTreeSet<&str>>> = BTreeMap::new();
    let collections = update
        .all("pkglist")
        .flat_map(|list| list.all("collection"));
    for package in collections.flat_map(|collection| collection.all("package")) {
        let (name, version) = (package.attribute("name"), package.attribute("version"));
        let release = package.attribute("release");
        if name.is_empty() || version.is_empty() || release.is_empty() {
            return Err("one of its packages has no name, version or release".to_owned());
        }
        let epoch = match package.attribute("epoch") {
            "" | "0" => String::new(),
            epoch => format!("{epoch}:"),
        };
        let introduced = match of.number.filter(|number| is_of(version, number)) {
            Some(number) => format!("{epoch}{number}"),
            None => "0".to_owned(),
        };
        let fixed = format!("{epoch}{version}-{release}");
        let versions = packages.entry(name).or_default();
        let archs = versions.entry((introduced, fixed)).or_default();
        archs.insert(package.attribute("arch"));
    }
    if packages.is_empty() {
        return Err("it names no packages".to_owned());
    }
    let mut affected = Vec::new();
    for (name, versions) in packages {
        // Almost always all architectures have one version.
        let differ = versions.len() > 1;
        for ((introduced, fixed), archs) in versions {
            let archs: Vec<&str> = archs.into_iter().collect();
            let is_bound = differ && !archs.contains(&"");
            affected.push(OsvAffected {
                ecosystem: ecosystem.clone(),
                name: name.to_owned(),
                ranges: vec![OsvRange {
                    semver: false,
                    events: vec![
                        (EventKind::Introduced, introduced),
                        (EventKind::Fixed, fixed),
                    ],
                }],
                arch: match is_bound {
                    true => archs.join("|"),
                    false => String::new(),
                },
                ..OsvAffected::default()
            });
        }
    }
    let date = |name: &str| {
        update
            .child(name)
            .map(|child| date(child.attribute("date")))
    };
    Ok(OsvRecord {
        id: id.to_owned(),
        upstream: cves,
        published: date("issued").unwrap_or_default(),
        modified: date("updated").unwrap_or_default(),
        vendor_severity: update.text_of("severity").to_ascii_lowercase(),
        summary: update.text_of("title").to_owned(),
        affected,
        ..OsvRecord::default()
    })
}

/// What an id says.
#[derive(Debug, PartialEq)]
struct Of<'i> {
    /// `1`, `2`, `2023`.
    release: &'i str,
    /// The number that the topic bears: `5.10` of `kernel-5.10`.
    number: Option<&'i str>,
}

impl<'i> Of<'i> {
    /// Understands `ALAS`, release, topic, `-`, year, `-`, number.
    fn parse(id: &'i str) -> Option<Self> {
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (rest, number) = id.strip_prefix("ALAS")?.rsplit_once('-')?;
        let (head, year) = rest.rsplit_once('-')?;
        if !is_number(number) || !is_number(year) {
            return None;
        }
        let topic = head.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let release = head.strip_suffix(topic)?;
        let is_digit = |byte: char| byte.is_ascii_digit() || byte == '.';
        let name = topic.trim_end_matches(is_digit);
        let number = topic.strip_prefix(name).unwrap_or_default();
        Some(Of {
            release: if release.is_empty() { "1" } else { release },
            number: Some(number)
                .filter(|number| number.starts_with(|first: char| first.is_ascii_digit())),
        })
    }
}

/// Whether a version is of a number: `5.10.75` of `5.10`.
fn is_of(version: &str, number: &str) -> bool {
    version
        .strip_prefix(number)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// `2023-02-17 20:42:00` and `2018-01-11 21:05`, in RFC 3339.
fn date(text: &str) -> String {
    match text.split_once(' ') {
        Some((day, time)) if time.len() == 5 => format!("{day}T{time}:00Z"),
        Some((day, time)) => format!("{day}T{time}Z"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_the_release_and_the_number_of_the_topic() {
        for (id, expected) in [
            ("ALAS-2018-939", Some(("1", None))),
            ("ALAS2-2018-939", Some(("2", None))),
            ("ALAS2KERNEL-5.10-2022-013", Some(("2", Some("5.10")))),
            ("ALAS2GOLANG1.19-2023-001", Some(("2", Some("1.19")))),
            ("ALAS2REDIS6-2023-001", Some(("2", Some("6")))),
            ("ALAS2DOCKER-2023-030", Some(("2", None))),
            ("ALAS2NITRO-ENCLAVES-2023-001", Some(("2", None))),
            ("ALAS2MATE-DESKTOP1.X-2023-001", Some(("2", None))),
            ("ALAS2023-2023-003", Some(("2023", None))),
            ("ALAS2023LIVEPATCH-2023-001", Some(("2023", None))),
            ("RHSA-2023:0001", None),
            ("ALAS", None),
            ("ALAS-x-1", None),
        ] {
            let found = Of::parse(id).map(|of| (of.release, of.number));
            assert_eq!(found, expected, "{id}");
        }
    }

    #[test]
    fn dates_are_written_as_osv_writes_them() {
        assert_eq!(date("2023-02-17 20:42:00"), "2023-02-17T20:42:00Z");
        assert_eq!(date("2018-01-11 21:05"), "2018-01-11T21:05:00Z");
        assert_eq!(date(""), "");
    }
}
