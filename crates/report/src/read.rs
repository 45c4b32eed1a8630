//! Decisions in a report of ours: what was suppressed by whoever ran the scan.

use serde::Deserialize;

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
}

#[derive(Deserialize)]
struct WireReport {
    schema: String,
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
    let wire: WireReport = serde_json::from_slice(bytes)?;
    if wire.schema != SCHEMA {
        return Err(ReadError::Schema(wire.schema));
    }
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
