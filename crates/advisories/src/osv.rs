//! OSV records as JSON (ossf.github.io/osv-schema, version 1.7).
//!
//! Tolerant where it costs nothing: unknown fields are passed over, and what
//! publishers put into their own fields is looked at only where it is known.

use serde::Deserialize;
use serde_json::Value;

use crate::RecordKind;

/// One record, owned.
#[derive(Clone, Debug, Default)]
pub(crate) struct OsvRecord {
    pub(crate) id: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) upstream: Vec<String>,
    pub(crate) kind: RecordKind,
    pub(crate) withdrawn: bool,
    pub(crate) published: String,
    pub(crate) modified: String,
    pub(crate) cvss: Vec<String>,
    pub(crate) vendor_severity: String,
    pub(crate) modules: Vec<String>,
    pub(crate) summary: String,
    pub(crate) affected: Vec<OsvAffected>,
}

/// One `affected` entry, owned.
#[derive(Clone, Debug, Default)]
pub(crate) struct OsvAffected {
    pub(crate) ecosystem: String,
    pub(crate) name: String,
    pub(crate) ranges: Vec<OsvRange>,
    pub(crate) versions: Vec<String>,
    pub(crate) state: String,
    pub(crate) severity: String,
    /// `name:stream`; or empty. OSV has no place for it.
    pub(crate) module: String,
    /// The advisory of this entry alone; or empty. OSV has no place for it.
    pub(crate) advisory: String,
    /// Architectures, `x86_64|aarch64`; or empty. OSV has no place for them.
    pub(crate) arch: String,
}

/// One range, owned.
#[derive(Clone, Debug, Default)]
pub(crate) struct OsvRange {
    pub(crate) semver: bool,
    pub(crate) events: Vec<(EventKind, String)>,
}

/// What an event says; the numbers are those of the shard format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    Introduced = 0,
    Fixed = 1,
    LastAffected = 2,
    Limit = 3,
}

#[derive(Deserialize)]
struct Wire {
    id: String,
    #[serde(default)]
    aliases: Option<Vec<String>>,
    #[serde(default)]
    upstream: Option<Vec<String>>,
    #[serde(default)]
    related: Option<Vec<String>>,
    #[serde(default)]
    withdrawn: Option<String>,
    #[serde(default)]
    published: Option<String>,
    #[serde(default)]
    modified: Option<String>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    severity: Option<Vec<WireSeverity>>,
    #[serde(default)]
    affected: Option<Vec<WireAffected>>,
    #[serde(default)]
    database_specific: Option<Value>,
}

#[derive(Deserialize)]
struct WireSeverity {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    score: Value,
}

#[derive(Deserialize)]
struct WireAffected {
    #[serde(default)]
    package: Option<WirePackage>,
    #[serde(default)]
    ranges: Option<Vec<WireRange>>,
    #[serde(default)]
    versions: Option<Vec<String>>,
    #[serde(default)]
    severity: Option<Vec<WireSeverity>>,
    #[serde(default)]
    ecosystem_specific: Option<Value>,
    #[serde(default)]
    database_specific: Option<Value>,
}

#[derive(Deserialize)]
struct WirePackage {
    #[serde(default)]
    ecosystem: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct WireRange {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    events: Vec<WireEvent>,
}

#[derive(Deserialize)]
struct WireEvent {
    #[serde(default)]
    introduced: Option<String>,
    #[serde(default)]
    fixed: Option<String>,
    #[serde(default)]
    last_affected: Option<String>,
    #[serde(default)]
    limit: Option<String>,
}

/// Distributions whose advisories name their CVEs in `related` (AlmaLinux) or
/// `aliases` (Rocky Linux and others), because `upstream` came later.
fn is_distribution(ecosystem: &str) -> bool {
    let scheme = seawall_versions::by_osv(ecosystem);
    scheme.is_some_and(|scheme| matches!(scheme.name, "dpkg" | "rpm" | "apk"))
}

/// Reads one record.
///
/// # Errors
/// When it is no JSON, or has not the shape of a record.
pub(crate) fn parse(bytes: &[u8]) -> Result<OsvRecord, serde_json::Error> {
    let wire: Wire = serde_json::from_slice(bytes)?;
    let entries = wire.affected.unwrap_or_default();
    let first = entries.first();
    let ecosystem = first
        .and_then(|one| one.package.as_ref())
        .map(|one| one.ecosystem.clone());
    let distribution = ecosystem.as_deref().is_some_and(is_distribution);
    let is_cve = |id: &String| id.starts_with("CVE-");
    let aliases = wire.aliases.unwrap_or_default();
    let mut upstream = wire.upstream.unwrap_or_default();
    // A record named after its CVE is that flaw; any other of a distribution
    // is an advisory about flaws.
    let (aliases, alias_cves): (Vec<String>, Vec<String>) = if distribution {
        aliases.into_iter().partition(|id| !is_cve(id))
    } else {
        (aliases, Vec::new())
    };
    if distribution && upstream.is_empty() {
        upstream = alias_cves;
        if upstream.is_empty() {
            upstream = wire
                .related
                .unwrap_or_default()
                .into_iter()
                .filter(is_cve)
                .collect();
        }
    }
    upstream.sort();
    upstream.dedup();
    let specific = |value: Option<&Value>, key: &str| -> Option<String> {
        value?.get(key)?.as_str().map(str::to_owned)
    };
    let informational =
        first.and_then(|one| specific(one.database_specific.as_ref(), "informational"));
    let categories = first.and_then(|one| one.database_specific.as_ref()?.get("categories"));
    let is_malicious = wire.id.starts_with("MAL-")
        || categories
            .and_then(Value::as_array)
            .is_some_and(|all| all.iter().any(|one| one == "malicious"))
        || wire
            .database_specific
            .as_ref()
            .is_some_and(|own| own.get("malicious-packages-origins").is_some());
    let kind = match informational.as_deref() {
        _ if is_malicious => RecordKind::Malicious,
        Some("unmaintained") => RecordKind::Unmaintained,
        Some("unsound") => RecordKind::Unsound,
        Some(_) => RecordKind::Notice,
        None => RecordKind::Vulnerability,
    };
    let summary = wire.summary.unwrap_or_default();
    // AlmaLinux says both in its titles: `Moderate: httpd:2.4 security update`.
    let title = ecosystem
        .as_deref()
        .filter(|name| name.starts_with("AlmaLinux"));
    let title = title.and_then(|_| summary.split_once(": "));
    let word = title.map(|(word, _)| word.to_ascii_lowercase());
    let vendor_severity = word
        .or_else(|| specific(wire.database_specific.as_ref(), "severity"))
        .unwrap_or_default()
        .to_ascii_lowercase();
    let modules = title.map(|(_, rest)| modules(rest)).unwrap_or_default();
    let mut severities = wire.severity.unwrap_or_default();
    // Some publishers score each package.
    if severities.is_empty() {
        severities = entries
            .iter()
            .find_map(|one| {
                let own = one.severity.as_ref().filter(|list| !list.is_empty())?;
                Some(
                    own.iter()
                        .map(|one| WireSeverity {
                            kind: one.kind.clone(),
                            score: one.score.clone(),
                        })
                        .collect(),
                )
            })
            .unwrap_or_default();
    }
    // Since 1.7 of the schema Ubuntu's priority is one of the severities.
    let own = severities.iter().find(|one| one.kind == "Ubuntu");
    let vendor_severity = match own.and_then(|one| one.score.as_str()) {
        Some(word) if vendor_severity.is_empty() => word.to_ascii_lowercase(),
        _ => vendor_severity,
    };
    let cvss = severities
        .into_iter()
        .filter(|one| one.kind.starts_with("CVSS"))
        .filter_map(|one| one.score.as_str().map(str::to_owned))
        .collect();
    Ok(OsvRecord {
        id: wire.id,
        aliases,
        upstream,
        kind,
        withdrawn: wire.withdrawn.is_some(),
        published: wire.published.unwrap_or_default(),
        // Go's database has records with a date of nought.
        modified: wire
            .modified
            .filter(|date| !date.starts_with("0001-"))
            .unwrap_or_default(),
        cvss,
        vendor_severity,
        modules,
        summary,
        affected: entries.into_iter().filter_map(affected).collect(),
    })
}

/// `name:stream` words of a title.
fn modules(title: &str) -> Vec<String> {
    title
        .split([' ', ',', '/'])
        .filter(|word| {
            word.split_once(':')
                .is_some_and(|(name, stream)| !name.is_empty() && !stream.is_empty())
        })
        .map(str::to_owned)
        .collect()
}

fn affected(wire: WireAffected) -> Option<OsvAffected> {
    let package = wire
        .package
        .filter(|one| !one.name.is_empty() && !one.ecosystem.is_empty())?;
    let text = |key: &str| {
        let own = wire
            .ecosystem_specific
            .as_ref()
            .and_then(|value| value.get(key));
        own.and_then(Value::as_str)
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let severity = match text("urgency") {
        urgency if !urgency.is_empty() => urgency,
        _ => text("ubuntu_priority"),
    };
    let ranges = wire
        .ranges
        .unwrap_or_default()
        .into_iter()
        .filter(|range| range.kind != "GIT");
    Some(OsvAffected {
        ecosystem: package.ecosystem,
        name: package.name,
        ranges: ranges
            .map(|range| OsvRange {
                semver: range.kind == "SEMVER",
                events: range.events.into_iter().flat_map(event).collect(),
            })
            .collect(),
        versions: wire.versions.unwrap_or_default(),
        state: if severity == "end-of-life" {
            "end-of-life".to_owned()
        } else {
            text("state")
        },
        severity,
        ..OsvAffected::default()
    })
}

fn event(wire: WireEvent) -> impl Iterator<Item = (EventKind, String)> {
    [
        (EventKind::Introduced, wire.introduced),
        (EventKind::Fixed, wire.fixed),
        (EventKind::LastAffected, wire.last_affected),
        (EventKind::Limit, wire.limit),
    ]
    .into_iter()
    .filter_map(|(kind, version)| Some((kind, version?)))
}
