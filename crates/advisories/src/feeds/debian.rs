//! Debian's security tracker: the state of every flaw in every release that is
//! looked after.
//!
//! <https://security-tracker.debian.org/tracker/data/json>, one file (70 MB):
//! source package, then flaw (`CVE-…`, or `TEMP-…` before it has a number),
//! then `releases` by code name with `status` (`resolved`, `open`,
//! `undetermined`), `fixed_version` (`0`: this release never had the flaw),
//! `urgency` (`unimportant` and `end-of-life` among its words), and, where no
//! advisory is to come, `nodsa` (why, in prose) and `nodsa_reason` (`ignored`,
//! `postponed`, or empty).
//!
//! A release that Debian no longer looks after is not in it; what its packages
//! have is then not known here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    codenames,
    feed::{
        Collector, Feed, Input, Layout,
        json::{self, Part},
        summary,
    },
    osv::{EventKind, OsvAffected, OsvRange, OsvRecord},
};

pub(crate) static FEED: Feed = Feed {
    name: "debian-tracker",
    ecosystems: &["Debian"],
    beside_osv: true,
    address: "https://security-tracker.debian.org/tracker/data",
    leaves_out: &["releases whose support is over", "dates", "CVSS vectors"],
    files,
    read,
};

fn files(_: &Layout<'_>) -> Result<Vec<String>, String> {
    Ok(vec!["json".to_owned()])
}

#[derive(Deserialize)]
struct Flaw {
    #[serde(default)]
    description: String,
    /// An empty list where there is none.
    releases: Value,
}

#[derive(Deserialize)]
struct Release {
    status: String,
    #[serde(default)]
    fixed_version: Option<String>,
    #[serde(default)]
    urgency: String,
    #[serde(default)]
    nodsa: Option<String>,
    #[serde(default)]
    nodsa_reason: Option<String>,
}

fn read(input: Input, collector: &mut Collector) -> Result<(), String> {
    json::entries(input.unpacked()?, &mut |part| {
        if let Part::Entry(package, flaw, value) = part
            && let Err(why) = add(collector, package, flaw, &value)
        {
            collector.refuse(&format!("{package}: {flaw}"), why);
        }
        Ok(())
    })
}

fn add(collector: &mut Collector, package: &str, id: &str, value: &Value) -> Result<(), String> {
    let flaw = Flaw::deserialize(value).map_err(|error| error.to_string())?;
    let releases = match &flaw.releases {
        Value::Array(none) if none.is_empty() => return Ok(()),
        releases => BTreeMap::<String, Release>::deserialize(releases),
    };
    let releases = releases.map_err(|error| error.to_string())?;
    let mut affected = Vec::new();
    for (codename, release) in &releases {
        // Testing and unstable go by the code name of the release to come; `sid`
        // never becomes one.
        let Some(number) = codenames::debian(codename) else {
            if codename != "sid" {
                collector.leave_out(format!("the release `{codename}` is not known"));
            }
            continue;
        };
        affected.push(OsvAffected {
            ecosystem: format!("Debian:{number}"),
            name: package.to_owned(),
            ..state(release)?
        });
    }
    let is_cve = id.starts_with("CVE-");
    collector.add(&OsvRecord {
        id: format!("DEBIAN-{id}"),
        upstream: if is_cve {
            vec![id.to_owned()]
        } else {
            Vec::new()
        },
        aliases: if is_cve {
            Vec::new()
        } else {
            vec![id.to_owned()]
        },
        summary: summary(&flaw.description),
        affected,
        ..OsvRecord::default()
    });
    Ok(())
}

/// What the tracker says of a flaw in a release.
fn state(release: &Release) -> Result<OsvAffected, String> {
    let fixed = release
        .fixed_version
        .as_deref()
        .filter(|fix| !fix.is_empty());
    let mut events = vec![(EventKind::Introduced, "0".to_owned())];
    let state = match (release.status.as_str(), fixed) {
        ("resolved", Some(fix)) => {
            events.push((EventKind::Fixed, fix.to_owned()));
            ""
        }
        ("resolved", None) => return Err("it is resolved in no version".to_owned()),
        ("open" | "undetermined", _) if release.urgency == "end-of-life" => "end-of-life",
        ("undetermined", _) => "undetermined",
        ("open", _) => match (&release.nodsa_reason, &release.nodsa) {
            (Some(reason), _) if reason == "ignored" => "ignored",
            (Some(reason), _) if reason == "postponed" => "postponed",
            (None, None) => "",
            _ => "no-dsa",
        },
        (other, _) => return Err(format!("`{other}` is no status that is known")),
    };
    // What the tracker calls end-of-life or not yet assigned judges nothing.
    Ok(OsvAffected {
        ranges: vec![OsvRange {
            semver: false,
            events,
        }],
        state: state.to_owned(),
        severity: release.urgency.trim_end_matches('*').to_owned(),
        ..OsvAffected::default()
    })
}
