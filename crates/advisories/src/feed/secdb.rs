//! The form of Alpine's secdb, which Wolfi and Chainguard share:
//! `packages[].pkg` has a `name` (of an origin package) and `secfixes`, from a
//! version to the flaws that it mends. Each line of a version holds the ids of
//! one flaw, with blanks between them. Version `0` says that the package never
//! had the flaw.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Collector, Input, Layout,
    json::{self, Part},
};
use crate::osv::{EventKind, OsvAffected, OsvRange, OsvRecord};

#[derive(Deserialize)]
struct Entry {
    pkg: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    secfixes: BTreeMap<String, Option<Vec<String>>>,
}

/// The one file of a publisher without releases. A folder may be a mirror of the
/// publisher's `folder`, or of what it lies in.
pub(crate) fn only_file(layout: &Layout<'_>, folder: &str) -> Vec<String> {
    let name = "security.json".to_owned();
    let below = format!("{folder}/{name}");
    vec![if layout.may_have(&name) { name } else { below }]
}

/// Reads a file of the release that `ecosystem` names (`Alpine:v3.20`). Ids of
/// records begin with `prefix`, as OSV's do, but for those that bear GitHub's.
pub(crate) fn read(
    input: Input,
    collector: &mut Collector,
    ecosystem: &str,
    prefix: &str,
) -> Result<(), String> {
    let file = input.name.clone();
    let mut number = 0usize;
    json::items(input.unpacked()?, "packages", &mut |part| {
        if let Part::Item(value) = part {
            match package(&value) {
                Ok(package) => add(collector, &package, ecosystem, prefix, &file),
                Err(why) => collector.refuse(&format!("{file}: package {number}"), why),
            }
            number += 1;
        }
        Ok(())
    })
}

fn package(value: &Value) -> Result<Package, String> {
    let entry = Entry::deserialize(value).map_err(|error| error.to_string())?;
    if entry.pkg.name.is_empty() {
        return Err("it has no name".to_owned());
    }
    Ok(entry.pkg)
}

/// What is known of one flaw of one package.
#[derive(Default)]
struct Flaw<'p> {
    aliases: Vec<&'p str>,
    versions: Vec<&'p str>,
}

fn add(collector: &mut Collector, package: &Package, ecosystem: &str, prefix: &str, file: &str) {
    let mut flaws: BTreeMap<&str, Flaw<'_>> = BTreeMap::new();
    for (version, lines) in &package.secfixes {
        for line in lines.iter().flatten() {
            let ids = ids(line);
            if ids.is_empty() {
                let what = format!("{file}: `{}` {version}", package.name);
                collector.refuse(&what, format!("`{line}` names no flaw"));
                continue;
            }
            let (cves, others): (Vec<&str>, Vec<&str>) =
                ids.into_iter().partition(|id| id.starts_with("CVE-"));
            let (named, aliases) = match cves.as_slice() {
                [] => others.split_at(1.min(others.len())),
                cves => (cves, others.as_slice()),
            };
            for id in named {
                let flaw = flaws.entry(id).or_default();
                flaw.versions.push(version);
                flaw.aliases.extend(aliases);
            }
        }
    }
    unite(&mut flaws);
    for (id, mut flaw) in flaws {
        flaw.aliases.sort_unstable();
        flaw.aliases.dedup();
        let ranges = flaw.versions.iter().map(|version| OsvRange {
            semver: false,
            events: vec![
                (EventKind::Introduced, "0".to_owned()),
                (EventKind::Fixed, (*version).to_owned()),
            ],
        });
        // Each version by itself: where the flaw was mended twice, the later
        // one counts, and `0` says nothing beside another.
        let affected = ranges.map(|range| OsvAffected {
            ecosystem: ecosystem.to_owned(),
            name: package.name.clone(),
            ranges: vec![range],
            ..OsvAffected::default()
        });
        // An id of GitHub's is the flaw's own name, which others know it by.
        let is_bare = id.starts_with("GHSA-");
        collector.add(&OsvRecord {
            id: match is_bare {
                true => id.to_owned(),
                false => format!("{prefix}{id}"),
            },
            aliases: flaw.aliases.iter().map(|&alias| alias.to_owned()).collect(),
            upstream: match is_bare {
                true => Vec::new(),
                false => vec![id.to_owned()],
            },
            affected: affected.collect(),
            ..OsvRecord::default()
        });
    }
}

/// Gives what stands under a flaw's other name alone (`XSA-252`) to its CVE.
fn unite(flaws: &mut BTreeMap<&str, Flaw<'_>>) {
    let (cves, others): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(flaws)
        .into_iter()
        .partition(|(id, _)| id.starts_with("CVE-"));
    *flaws = cves;
    for (id, other) in others {
        let mut of_cve = flaws
            .values_mut()
            .filter(|flaw| flaw.aliases.contains(&id))
            .peekable();
        if of_cve.peek().is_some() {
            for flaw in of_cve {
                flaw.versions.extend(&other.versions);
            }
        } else {
            flaws.insert(id, other);
        }
    }
}

/// The ids of a line: `CVE-2018-7540 XSA-252`, but no word of a remark (`(+
/// regression fix)`). A few lines name a patch; projects that have no dash in
/// their ids (`VSV00001`) stand alone.
fn ids(line: &str) -> Vec<&str> {
    let words = || {
        let words = line.split_whitespace();
        words.map(|word| word.strip_suffix(".patch").unwrap_or(word))
    };
    let ids: Vec<&str> = words().filter(|word| is_id(word)).collect();
    if !ids.is_empty() {
        return ids;
    }
    let has_number = |word: &&str| word.bytes().any(|byte| byte.is_ascii_digit());
    words().find(has_number).into_iter().collect()
}

/// `CVE-2019-14697`, `XSA-248`, `GHSA-…`, and `CVE-????-?????` before the number
/// was known.
fn is_id(word: &str) -> bool {
    let Some((publisher, rest)) = word.split_once('-') else {
        return false;
    };
    let is_upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'?');
    !publisher.is_empty()
        && publisher.bytes().all(is_upper)
        && rest.bytes().all(is_plain)
        && rest.bytes().any(|byte| byte != b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_flaws_in_many_ways() {
        for (line, expected) in [
            ("CVE-2019-14697", &["CVE-2019-14697"][..]),
            ("CVE-2018-7540 XSA-252", &["CVE-2018-7540", "XSA-252"]),
            ("CVE-2017-2616 (+ regression fix)", &["CVE-2017-2616"]),
            ("CVE-2017-8073.patch", &["CVE-2017-8073"]),
            ("CVE-????-?????  XSA-284", &["CVE-????-?????", "XSA-284"]),
            ("GHSA-jq35-85cj-fj4p", &["GHSA-jq35-85cj-fj4p"]),
            ("VSV00001", &["VSV00001"]),
            ("wnpa-sec-2020-01", &["wnpa-sec-2020-01"]),
            ("see the log", &[]),
            ("", &[]),
        ] {
            assert_eq!(ids(line), expected, "{line}");
        }
    }
}
