//! Wolfi's secdb, in the form of Alpine's: <https://packages.wolfi.dev/os/security.json>.
//! One stream of packages without releases. Version `0` is given to flaws that
//! were looked at and are none of the package.

use crate::feed::{Collector, Feed, Input, Layout, secdb};

pub(crate) static FEED: Feed = Feed {
    name: "wolfi-secdb",
    ecosystems: &["Wolfi"],
    beside_osv: true,
    address: "https://packages.wolfi.dev/os",
    leaves_out: &[
        "flaws that no version of the package mends yet",
        "severities",
        "dates",
    ],
    files,
    read,
};

fn files(layout: &Layout<'_>) -> Result<Vec<String>, String> {
    Ok(secdb::only_file(layout, "os"))
}

fn read(input: Input, collector: &mut Collector) -> Result<(), String> {
    secdb::read(input, collector, "Wolfi", "WOLFI-")
}
