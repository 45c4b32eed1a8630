//! CVE records, version 5: CVSS vectors by CVE, of those who assigned them and
//! of authorised data publishers.
//!
//! <https://github.com/CVEProject/cvelistV5>: the repository as one zip
//! (`main.zip`, 600 MB), its releases (`2026-11-23_all_CVEs_at_midnight.zip`, on
//! the server a zip within a zip; `2026-11-23_delta_CVEs_at_1500Z.zip`, what
//! changed on a day), or a checkout. A folder may hold any of these; what a
//! newer delta says of a CVE counts, then the newest release of all.

use crate::{
    facts::{cve_records, cvss::Vectors},
    feed::{Collector, Feed, Input, Layout},
};

pub(crate) static FEED: Feed = Feed {
    name: "cve-list",
    ecosystems: &[],
    beside_osv: true,
    address: "https://github.com/CVEProject/cvelistV5/archive/refs/heads",
    leaves_out: &["all but CVSS vectors by CVE"],
    files,
    read,
};

const WHOLE: &str = "main.zip";

fn files(layout: &Layout<'_>) -> Result<Vec<String>, String> {
    let Some(names) = layout.list("")? else {
        return Ok(vec![WHOLE.to_owned()]);
    };
    let file = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let of = |is: &dyn Fn(&str) -> bool| {
        let mut own: Vec<String> = names
            .iter()
            .filter(|name| is(&file(name)))
            .cloned()
            .collect();
        own.sort_by_key(|name| std::cmp::Reverse(file(name)));
        own
    };
    let mut wanted = of(&|name| cve_records::is_release(name) && name.contains("_delta_"));
    let all = of(&|name| cve_records::is_release(name) && name.contains("_all_"));
    let whole = of(&|name| matches!(name, WHOLE | "cves.zip"));
    let records = of(&cve_records::is_record);
    match all.into_iter().chain(whole).next() {
        Some(newest) => wanted.push(newest),
        None => wanted.extend(records),
    }
    Ok(wanted)
}

fn read(input: Input, collector: &mut Collector) -> Result<(), String> {
    let mut vectors = Vectors::default();
    let name = input.name.clone();
    if name.ends_with(".zip") {
        let mut refused = Vec::new();
        cve_records::read_zip(&mut vectors, input.file(), &name, &mut refused)?;
        for what in refused {
            let (what, why) = what.split_once(": ").unwrap_or((&what, ""));
            collector.refuse(what, why);
        }
    } else {
        let bytes = input.bytes(cve_records::RECORD_LIMIT)?;
        match cve_records::parse(&bytes) {
            Ok(record) => cve_records::add(&mut vectors, &record),
            Err(why) => collector.refuse(&name, why),
        }
    }
    collector.add_vectors(vectors);
    Ok(())
}
