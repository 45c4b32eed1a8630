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
const FIRST: u32 = 2002;
/// No server is asked for years beyond this one.
const LAST: u32 = 2100;
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
    let mut names = Vec::new();
    for year in FIRST..=LAST {
        if layout
            .index(&format!("{}{year}.meta", nvd::PREFIX), META_LIMIT)?
            .is_none()
        {
            break;
        }
        names.push(of(&year.to_string()));
    }
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
