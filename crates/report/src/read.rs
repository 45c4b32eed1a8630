//! What an earlier report of ours says: decisions of whoever ran that scan, and
//! what a later one is compared with.

use seawall_model::{Digest, Earlier, EarlierFinding, EarlierGap, EarlierTarget, Fingerprint};
use serde::{Deserialize, de::DeserializeOwned};

use crate::json::SCHEMA;

/// A flaw that somebody took out of a report, with a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Where it was found.
    pub target: ReportTarget,
    /// The flaw's id.
    pub id: String,
    /// Its other ids.
    pub aliases: Vec<String>,
    /// The package URL of what has it.
    pub purl: Option<String>,
    /// Why it does no harm, in OpenVEX's words.
    pub justification: Option<String>,
    /// The reason in prose; may be empty.
    pub reason: String,
}

/// A target as a report names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ReportTarget {
    /// `image`, `directory`, ….
    pub kind: String,
    /// What the user called it.
    pub name: String,
    /// `docker`, `archive`, ….
    pub scheme: String,
    /// Digest of an image's configuration.
    #[serde(default)]
    pub digest: Option<String>,
    /// Digest of an image's manifest.
    #[serde(default)]
    pub manifest: Option<String>,
    /// `os/architecture`.
    #[serde(default)]
    pub platform: Option<String>,
}

/// Why a report could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON, or not of the right shape.
    #[error("it is no report in JSON")]
    Json(#[from] serde_json::Error),
    /// It is of another format.
    #[error("it is of the format `{0}`, not `{SCHEMA}`")]
    Schema(String),
    /// It is JSON of somebody else.
    #[error("it is JSON, but no report of Seawall: it has no `schema`")]
    Foreign,
    /// It has the right shape, but what it says cannot be.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

/// What every version of the format has.
#[derive(Deserialize)]
struct Head {
    schema: Option<serde_json::Value>,
}

/// Reads a report of this version of the format.
fn wire<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ReadError> {
    // Another version may have another shape: its name comes first.
    let head: Head = serde_json::from_slice(bytes)?;
    match head.schema {
        Some(serde_json::Value::String(schema)) if schema == SCHEMA => {}
        Some(serde_json::Value::String(schema)) => return Err(ReadError::Schema(schema)),
        _ => return Err(ReadError::Foreign),
    }
    Ok(serde_json::from_slice(bytes)?)
}

#[derive(Deserialize)]
struct WireReport {
    targets: Vec<ReportTarget>,
    #[serde(default)]
    suppressed: Vec<Suppressed>,
}

#[derive(Deserialize)]
struct Suppressed {
    target: usize,
    package: Option<Package>,
    vulnerability: Option<Flaw>,
    suppressions: Vec<Suppression>,
}

#[derive(Deserialize)]
struct Package {
    purl: String,
}

#[derive(Deserialize)]
struct Flaw {
    id: String,
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Suppression {
    Setting {
        reason: String,
        justification: Option<String>,
    },
    #[serde(other)]
    Other,
}

/// The decisions that bear a reason or a justification, in the report's order.
/// What a VEX document decided is its author's decision, not ours.
///
/// # Errors
/// When `bytes` is no report of ours in JSON.
pub fn decisions(bytes: &[u8]) -> Result<Vec<Decision>, ReadError> {
    let wire: WireReport = wire(bytes)?;
    let mut all = Vec::new();
    for one in wire.suppressed {
        let (Some(flaw), Some(target)) = (one.vulnerability, wire.targets.get(one.target)) else {
            continue;
        };
        let says_why = one.suppressions.into_iter().find_map(|one| match one {
            Suppression::Setting {
                reason,
                justification,
            } if !reason.is_empty() || justification.is_some() => Some((reason, justification)),
            _ => None,
        });
        let Some((reason, justification)) = says_why else {
            continue;
        };
        all.push(Decision {
            target: target.clone(),
            id: flaw.id,
            aliases: flaw.aliases,
            purl: one.package.map(|package| package.purl),
            justification,
            reason,
        });
    }
    Ok(all)
}

#[derive(Deserialize)]
struct WireEarlier {
    targets: Vec<ReportTarget>,
    findings: Vec<Found>,
    gaps: Vec<Missed>,
    baseline: Option<Before>,
}

#[derive(Deserialize)]
struct Found {
    target: usize,
    rule: String,
    severity: String,
    message: String,
    fingerprint: String,
    location: Option<Place>,
    package: Option<Kind>,
    vulnerability: Option<Risk>,
    fix: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Place {
    path: String,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Risk {
    kev: Option<serde::de::IgnoredAny>,
    epss: Option<Epss>,
}

#[derive(Deserialize)]
struct Epss {
    score: f64,
}

#[derive(Deserialize)]
struct Missed {
    target: usize,
    kind: String,
    subject: String,
    reason: String,
}

/// What a report left out since a report before it had it.
#[derive(Deserialize)]
struct Before {
    known: Vec<Known>,
}

#[derive(Deserialize)]
struct Known {
    target: usize,
    rule: String,
    severity: String,
    message: String,
    fingerprint: String,
    fixable: bool,
    #[serde(default)]
    exploited: bool,
    epss: Option<f64>,
    path: Option<String>,
    #[serde(rename = "type")]
    package: Option<String>,
}

/// What a later report is compared with. What the report itself left out, since
/// it was compared with an earlier one, belongs to it: a chain of baselines
/// loses nothing.
///
/// # Errors
/// When `bytes` is no report of ours in JSON, or a damaged one.
pub fn earlier(bytes: &[u8]) -> Result<Earlier, ReadError> {
    let wire: WireEarlier = wire(bytes)?;
    let known = wire.baseline.map(|before| before.known).unwrap_or_default();
    let found = wire.findings.into_iter().map(|one| Known {
        exploited: one
            .vulnerability
            .as_ref()
            .is_some_and(|risk| risk.kev.is_some()),
        epss: one.vulnerability.and_then(|risk| Some(risk.epss?.score)),
        path: one.location.map(|place| place.path),
        package: one.package.map(|package| package.kind),
        target: one.target,
        rule: one.rule,
        severity: one.severity,
        message: one.message,
        fingerprint: one.fingerprint,
        fixable: one.fix.is_some(),
    });
    let targets = wire.targets.len();
    let has_target = |at: usize, what: &str| match at < targets {
        true => Ok(at),
        false => Err(ReadError::Damaged(format!(
            "{what} is of the target {at}, and there are {targets}"
        ))),
    };
    let findings = found.chain(known).map(|one| {
        let print = Fingerprint::parse(&one.fingerprint);
        let damaged = |text: &str| ReadError::Damaged(text.to_owned());
        Ok(EarlierFinding {
            target: has_target(one.target, "a finding")?,
            fingerprint: print.ok_or_else(|| {
                let text = &one.fingerprint;
                damaged(&format!("`{text}` is no fingerprint"))
            })?,
            severity: one
                .severity
                .parse()
                .map_err(|error| damaged(&format!("{error}")))?,
            rule: one.rule,
            message: one.message,
            fixable: one.fixable,
            exploited: one.exploited,
            epss: one.epss,
            path: one.path,
            package: one.package,
        })
    });
    let findings: Result<_, ReadError> = findings.collect();
    let gaps = wire.gaps.into_iter().map(|one| {
        let target = has_target(one.target, "a gap")?;
        Ok(EarlierGap::new(
            target,
            &one.kind,
            &one.subject,
            &one.reason,
        ))
    });
    let gaps: Result<_, ReadError> = gaps.collect();
    let targets = wire.targets.into_iter().map(|one| EarlierTarget {
        kind: one.kind,
        name: one.name,
        digest: one.digest,
    });
    Ok(Earlier {
        digest: Digest::of(bytes).to_string(),
        targets: targets.collect(),
        findings: findings?,
        gaps: gaps?,
    })
}
