//! Ubuntu's CVE tracker, in its own words.
//!
//! The repository `ubuntu-cve-tracker` (<https://git.launchpad.net/ubuntu-cve-tracker>)
//! has a file of text for each flaw, `active/CVE-2024-0727`, or `retired/…` once
//! nothing is left to do. A folder is a checkout of it, or of a part; no server
//! has it as one file.
//!
//! A line `RELEASE_PACKAGE: STATE (REMARK)` gives the state of a source package
//! in a release: `DNE` (there is no such package), `needs-triage`, `needed`,
//! `in-progress`, `pending (VERSION)`, `deferred (DATE)`, `ignored (REASON)`,
//! `not-affected (REMARK)`, `released (VERSION)`. Releases with a pocket
//! (`esm-infra/xenial`, `fips/jammy`, `trusty/esm`) are of Ubuntu Pro and are
//! never taken for the release. What was ignored because the support of its
//! release ended is affected all the same: `ignored (end of standard support,
//! was needed)`. (README of the repository; its `scripts/cve_lib.py`.)

use crate::{
    codenames,
    distros::ubuntu_release,
    feed::{Collector, Feed, Input, Layout, summary},
    osv::{EventKind, OsvAffected, OsvRange, OsvRecord},
};

pub(crate) static FEED: Feed = Feed {
    name: "ubuntu-tracker",
    ecosystems: &["Ubuntu"],
    beside_osv: true,
    address: "https://git.launchpad.net/ubuntu-cve-tracker",
    leaves_out: &[
        "packages of Ubuntu Pro (ESM, FIPS) and of other pockets",
        "all, where it is asked for at an address: only a checkout is read",
    ],
    files,
    read,
};

/// Bytes of one file; the largest are those of the kernel.
const FILE_LIMIT: u64 = 4 << 20;

fn files(layout: &Layout<'_>) -> Result<Vec<String>, String> {
    let names = layout.list("")?;
    let mut names = names.ok_or(
        "it is a repository, not a folder of files on a server: name a checkout of it, \
         `ubuntu-tracker=DIR`",
    )?;
    // `ignored` and `embargoed` are lists of other kinds.
    names.retain(|name| {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        file.starts_with("CVE-") && matches!(folder, "" | "active" | "retired")
    });
    Ok(names)
}

fn read(input: Input, collector: &mut Collector) -> Result<(), String> {
    let name = input.name.clone();
    let bytes = input.bytes(FILE_LIMIT)?;
    let text = String::from_utf8_lossy(&bytes);
    match record(&text, collector) {
        Ok(Some(record)) => collector.add(&record),
        Ok(None) => {}
        Err(why) => collector.refuse(&name, why),
    }
    Ok(())
}

/// `None` where no release as everybody has it is concerned.
fn record(text: &str, collector: &mut Collector) -> Result<Option<OsvRecord>, String> {
    let mut record = OsvRecord::default();
    let mut field = "";
    let mut priorities: Vec<(&str, &str)> = Vec::new();
    for line in text.lines() {
        if let Some(more) = line.strip_prefix([' ', '\t']) {
            match field {
                "Description" => {
                    let blank = if record.summary.is_empty() { "" } else { " " };
                    record.summary = format!("{}{blank}{}", record.summary, more.trim());
                }
                "CVSS" => record.cvss.extend(vector(more)),
                _ => {}
            }
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        field = key;
        match key {
            "Candidate" => {
                if !value.starts_with("CVE-") {
                    return Err(format!("`{value}` is no CVE"));
                }
                record.id = format!("UBUNTU-{value}");
                record.upstream = vec![value.to_owned()];
            }
            "PublicDate" => record.published = date(value),
            "Priority" => record.vendor_severity = value.to_ascii_lowercase(),
            "CVSS" => record.cvss.extend(vector(value)),
            _ => {
                if let Some(package) = key.strip_prefix("Priority_") {
                    priorities.push((package, value));
                } else if let Some((release, package)) = key.split_once('_') {
                    add(&mut record, collector, release, package, value)?;
                }
            }
        }
    }
    if record.id.is_empty() {
        return Err("it has no `Candidate`".to_owned());
    }
    record.summary = summary(&record.summary);
    for entry in &mut record.affected {
        let own = priorities
            .iter()
            .find(|(package, _)| *package == entry.name);
        if let Some((_, word)) = own {
            entry.severity = word.to_ascii_lowercase();
        }
    }
    Ok((!record.affected.is_empty()).then_some(record))
}

fn add(
    record: &mut OsvRecord,
    collector: &mut Collector,
    release: &str,
    package: &str,
    value: &str,
) -> Result<(), String> {
    // Lines about patches, tags, upstream's own releases and Ubuntu's other
    // products have the same form.
    const NO_RELEASE: &[&str] = &[
        "upstream",
        "devel",
        "Patches",
        "Tags",
        "Assigned-to",
        "snap",
        "product",
    ];
    let is_word = release.bytes().all(|byte| byte.is_ascii_lowercase());
    if NO_RELEASE.contains(&release) || !is_word || package.is_empty() {
        return Ok(());
    }
    let Some(number) = codenames::ubuntu(release) else {
        collector.leave_out(format!("the release `{release}` is not known"));
        return Ok(());
    };
    let (word, remark) = value.split_once(' ').unwrap_or((value, ""));
    let remark = remark.trim().trim_start_matches('(').trim_end_matches(')');
    let mut events = vec![(EventKind::Introduced, "0".to_owned())];
    let state = match word {
        "DNE" | "" => return Ok(()),
        "needs-triage" => "under-investigation",
        "needed" | "in-progress" | "pending" => "",
        "deferred" => "deferred",
        "ignored" if is_over(remark) => "end-of-life",
        "ignored" => "ignored",
        "not-affected" => "not-affected",
        "released" if remark.is_empty() => {
            return Err(format!("`{release}_{package}` is released in no version"));
        }
        "released" => {
            events.push((EventKind::Fixed, remark.to_owned()));
            ""
        }
        other => return Err(format!("`{other}` is no state that is known")),
    };
    record
        .affected
        .extend(ubuntu_release(number).map(|release| OsvAffected {
            ecosystem: format!("Ubuntu:{release}"),
            name: package.to_owned(),
            ranges: vec![OsvRange {
                semver: false,
                events,
            }],
            state: state.to_owned(),
            ..OsvAffected::default()
        }));
    Ok(())
}

/// Whether a flaw is ignored for the age of the release alone.
fn is_over(reason: &str) -> bool {
    const OVER: &[&str] = &[
        "end of life",
        "end-of-life",
        "end of standard support",
        "out of standard support",
        "end of ESM support",
    ];
    OVER.iter().any(|words| reason.contains(words))
}

/// The vector of ` nvd: CVSS:3.1/AV:L/… [5.5 MEDIUM]`.
fn vector(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    words
        .find(|word| word.starts_with("CVSS:"))
        .map(str::to_owned)
}

/// `2017-06-28` and `2024-01-26 09:15:00 UTC`, in RFC 3339.
fn date(text: &str) -> String {
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    match text.split_once(' ') {
        Some((day, time)) => format!("{day}T{time}Z"),
        None if text.len() == 10 => format!("{text}T00:00:00Z"),
        None => String::new(),
    }
}
