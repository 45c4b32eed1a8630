//! NVD's feeds, version 2.0: CVSS vectors by CVE.
//!
//! <https://nvd.nist.gov/vuln/data-feeds>: a file for the CVEs of each year since
//! 2002 (`nvdcve-2.0-2024.json.gz`, with those before in the first), one with
//! what changed of all in the last eight days (`nvdcve-2.0-modified.json.gz`),
//! and beside each a `.meta` with its time and size. What the newest file says of
//! a CVE counts: the years' come after the one of changes.

use crate::{
    facts::{cvss::Vectors, nvd},
    feed::{Collector, Feed, Input, Layout},
};

pub(crate) static FEED: Feed = Feed {
    name: "nvd",
    ecosystems: &[],
    beside_osv: true,
    address: "https://nvd.nist.gov/feeds/json/cve/2.0",
    leaves_out: &["all but CVSS vectors by CVE"],
    files,
    read,
};

/// The first year that has a file.
const FIRST: u64 = 2002;
/// No server is asked for years beyond this one.
const LAST: u64 = 2100;
/// Bytes of a `.meta`.
const META_LIMIT: u64 = 64 << 10;

fn files(layout: &Layout<'_>) -> Result<Vec<String>, String> {
    if let Some(mut names) = layout.list("")? {
        names.retain(|name| {
            let name = name.rsplit('/').next().unwrap_or(name);
            let is_json = [".json", ".json.gz", ".json.xz", ".json.zst"];
            let is_json = is_json.iter().any(|ending| name.ends_with(ending));
            // `recent` is a part of `modified`.
            is_json && name.starts_with(nvd::PREFIX) && !name.contains("-recent.")
        });
        // `modified` before the years, and the years from the last back.
        names.sort_by(|a, b| b.cmp(a));
        return Ok(names);
    }
    let of = |what: &str| format!("{}{what}.json.gz", nvd::PREFIX);
    // A year that is not there is passed over only where it may be yet to come;
    // the names of the others are told to be missing.
    let mut last = layout.year().saturating_sub(1).min(LAST);
    let mut year = FIRST;
    while year <= LAST {
        let name = format!("{}{year}.meta", nvd::PREFIX);
        if layout.index(&name, META_LIMIT)?.is_some() {
            last = last.max(year);
        } else if year > last {
            break;
        }
        year += 1;
    }
    let years = FIRST..=last;
    let mut names: Vec<String> = years.map(|year| of(&year.to_string())).collect();
    names.push(of("modified"));
    names.reverse();
    Ok(names)
}

fn read(input: Input, collector: &mut Collector) -> Result<(), String> {
    let mut vectors = Vectors::default();
    nvd::read(&mut vectors, input.unpacked()?)?;
    collector.add_vectors(vectors);
    Ok(())
}
