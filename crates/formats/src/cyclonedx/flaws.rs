//! What is wrong with the parts of a CycloneDX 1.6 document.

use std::collections::{BTreeMap, HashSet};

use seawall_model::{Remedy, Severity};
use serde::Serialize;

use crate::content::Prepared;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Vulnerability {
    pub(super) bom_ref: String,
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<Source>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) references: Vec<Reference>,
    pub(super) ratings: Vec<Rating>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) recommendation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) published: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) updated: Option<String>,
    pub(super) affects: Vec<Affected>,
}

#[derive(Serialize)]
pub(super) struct Source {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Reference {
    pub(super) id: String,
    pub(super) source: Source,
}

#[derive(Serialize)]
pub(super) struct Rating {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<f64>,
    pub(super) severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vector: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Affected {
    #[serde(rename = "ref")]
    pub(super) reference: String,
    pub(super) versions: Vec<AffectedVersion>,
}

#[derive(Serialize)]
pub(super) struct AffectedVersion {
    pub(super) version: String,
    pub(super) status: &'static str,
}

/// Every flaw once, with all packages that it is in.
pub(super) fn all(prepared: &Prepared<'_>, refs: &[String]) -> Vec<Vulnerability> {
    let content = &prepared.content;
    let mut all: BTreeMap<&str, Vulnerability> = BTreeMap::new();
    let mut advised = HashSet::new();
    let mut affected = HashSet::new();
    for finding in content.findings {
        let (Some(flaw), Some(index)) = (finding.vulnerability.as_deref(), finding.package) else {
            continue;
        };
        let (Some(package), Some(reference)) = (content.packages.get(index), refs.get(index))
        else {
            continue;
        };
        let one = all.entry(&flaw.id).or_insert_with(|| {
            let ratings = flaw.cvss.iter().map(|one| Rating {
                source: Some(source(&one.source)),
                score: Some(one.score),
                severity: severity(of_score(one.score)),
                method: Some(method(&one.vector)),
                vector: Some(one.vector.clone()),
            });
            let opinions = flaw
                .severities
                .iter()
                .filter(|one| !one.source.starts_with("cvss:"));
            let mut ratings: Vec<Rating> = ratings
                .chain(opinions.map(|one| Rating {
                    source: Some(source(&one.source)),
                    score: None,
                    severity: severity(one.severity),
                    method: None,
                    vector: None,
                }))
                .collect();
            if ratings.is_empty() {
                ratings.push(Rating {
                    source: None,
                    score: None,
                    severity: severity(finding.severity),
                    method: None,
                    vector: None,
                });
            }
            let references = flaw.aliases.iter().map(|alias| Reference {
                id: alias.clone(),
                source: source_of(alias),
            });
            Vulnerability {
                bom_ref: format!("vulnerability:{}", flaw.id),
                id: flaw.id.clone(),
                source: Some(source_of(&flaw.id)),
                references: references.collect(),
                ratings,
                description: flaw.summary.clone().unwrap_or_default(),
                recommendation: String::new(),
                published: flaw.published.clone().filter(|time| is_time(time)),
                updated: flaw.modified.clone().filter(|time| is_time(time)),
                affects: Vec::new(),
            }
        });
        if let Some(Remedy::Upgrade { version }) = finding.fix.as_ref().map(|fix| &fix.remedy) {
            let advice = format!("upgrade {} to {version}", package.name);
            if advised.insert((&flaw.id, advice.clone())) {
                if !one.recommendation.is_empty() {
                    one.recommendation.push_str("; ");
                }
                one.recommendation.push_str(&advice);
            }
        }
        if affected.insert((&flaw.id, reference)) {
            one.affects.push(Affected {
                reference: reference.clone(),
                versions: vec![AffectedVersion {
                    version: package.version.clone(),
                    status: "affected",
                }],
            });
        }
    }
    all.into_values().collect()
}

fn source(name: &str) -> Source {
    Source {
        name: name.to_owned(),
        url: None,
    }
}

/// Where a record of this id is kept.
fn source_of(id: &str) -> Source {
    let (name, url) = match id.split('-').next().unwrap_or_default() {
        "CVE" => ("NVD", format!("https://nvd.nist.gov/vuln/detail/{id}")),
        "GHSA" => ("GitHub", format!("https://github.com/advisories/{id}")),
        _ => ("OSV", format!("https://osv.dev/vulnerability/{id}")),
    };
    let is_plain = id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-:._".contains(&byte));
    Source {
        name: name.to_owned(),
        url: is_plain.then_some(url),
    }
}

/// What the schema takes as a time.
fn is_time(text: &str) -> bool {
    text.len() >= 20 && text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T')
}

fn of_score(score: f64) -> Severity {
    match score {
        score if score >= 9.0 => Severity::Critical,
        score if score >= 7.0 => Severity::High,
        score if score >= 4.0 => Severity::Medium,
        score if score > 0.0 => Severity::Low,
        _ => Severity::Unknown,
    }
}

/// CycloneDX 1.6, `severity`.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        _ => "unknown",
    }
}

/// CycloneDX 1.6, `scoreMethod`.
fn method(vector: &str) -> &'static str {
    match vector.split('/').next().unwrap_or_default() {
        "CVSS:4.0" => "CVSSv4",
        "CVSS:3.1" => "CVSSv31",
        "CVSS:3.0" => "CVSSv3",
        _ => "CVSSv2",
    }
}
