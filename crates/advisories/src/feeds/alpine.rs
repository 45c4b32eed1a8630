//! Alpine's secdb: which version of a package mends which flaws.
//!
//! <https://secdb.alpinelinux.org/> has a folder for each release (`v3.20`,
//! `edge`) with a file for each repository (`main.json`, `community.json`),
//! made from the `secfixes` comments of the APKBUILDs. The pages of the folders
//! list what is in them.

use crate::feed::{Collector, Feed, Input, Layout, links, secdb};

pub(crate) static FEED: Feed = Feed {
    name: "alpine-secdb",
    ecosystems: &["Alpine"],
    beside_osv: true,
    address: "https://secdb.alpinelinux.org",
    leaves_out: &[
        "flaws that no version of the package mends yet",
        "severities",
        "dates",
    ],
    files,
    read,
};

/// Bytes of a page that lists a folder.
const PAGE_LIMIT: u64 = 1 << 20;

fn files(layout: &Layout<'_>) -> Result<Vec<String>, String> {
    if let Some(mut names) = layout.list("")? {
        names.retain(|name| release(name).is_some());
        return Ok(names);
    }
    let page = |name: &str| {
        let page = layout.index(name, PAGE_LIMIT)?;
        let page = page.ok_or_else(|| format!("there is no page `/{name}` that lists it"))?;
        Ok::<_, String>(links(&page))
    };
    let mut names = Vec::new();
    for folder in page("")? {
        let Some(release) = folder.strip_suffix('/').filter(|name| is_release(name)) else {
            continue;
        };
        let files = page(&folder)?.into_iter();
        let files = files.map(|file| format!("{release}/{file}"));
        names.extend(files.filter(|name| self::release(name).is_some()));
    }
    Ok(names)
}

fn read(input: Input, collector: &mut Collector) -> Result<(), String> {
    let release = release(&input.name)
        .ok_or("its folder does not say which release it is of: `v3.20/main.json`")?;
    let ecosystem = format!("Alpine:{release}");
    secdb::read(input, collector, &ecosystem, "ALPINE-")
}

/// `v3.20` of `v3.20/main.json`.
fn release(name: &str) -> Option<&str> {
    let (folder, file) = name.rsplit_once('/')?;
    let release = folder.rsplit('/').next().unwrap_or(folder);
    (file.ends_with(".json") && is_release(release)).then_some(release)
}

fn is_release(name: &str) -> bool {
    let is_numbered = |rest: &str| {
        rest.starts_with(|first: char| first.is_ascii_digit())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    name == "edge" || name.strip_prefix('v').is_some_and(is_numbered)
}
