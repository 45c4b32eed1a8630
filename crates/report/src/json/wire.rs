//! The shape of `seawall.report/v1`.

use std::collections::BTreeMap;

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct WireReport<'a> {
    pub(super) schema: &'static str,
    pub(super) tool: Tool<'a>,
    pub(super) targets: Vec<WireTarget<'a>>,
    pub(super) database: Option<Database<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) baseline: Option<WireBaseline<'a>>,
    pub(super) findings: Vec<WireFinding<'a>>,
    pub(super) suppressed: Vec<WireSuppressed<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) packages: Option<Vec<WirePackage<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) licenses: Option<Vec<WireLicense<'a>>>,
    pub(super) gaps: Vec<WireGap<'a>>,
    pub(super) summary: WireSummary,
}

#[derive(Serialize)]
pub(super) struct Tool<'a> {
    pub(super) name: &'static str,
    pub(super) version: &'a str,
}

#[derive(Serialize)]
pub(super) struct WireTarget<'a> {
    pub(super) kind: &'static str,
    pub(super) describes: Option<&'static str>,
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) tags: &'a [String],
    pub(super) scheme: &'a str,
    pub(super) digest: Option<&'a str>,
    pub(super) manifest: Option<&'a str>,
    pub(super) platform: Option<&'a str>,
    pub(super) os: Option<Os<'a>>,
    pub(super) end_of_life: Option<&'a str>,
    pub(super) layers: Vec<Layer<'a>>,
    pub(super) base: Option<WireBase<'a>>,
    pub(super) dockerfile: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct WireBase<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) digest: Option<&'a str>,
    pub(super) layers: usize,
    pub(super) evidence: &'static str,
}

#[derive(Serialize)]
pub(super) struct Os<'a> {
    pub(super) id: &'a str,
    pub(super) version: &'a str,
    pub(super) name: &'a str,
    pub(super) codename: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Layer<'a> {
    pub(super) diff_id: &'a str,
    pub(super) digest: Option<&'a str>,
    pub(super) created_by: Option<&'a str>,
    pub(super) line: Option<u32>,
}

#[derive(Serialize)]
pub(super) struct Database<'a> {
    pub(super) kind: &'static str,
    pub(super) digest: &'a str,
    pub(super) built: &'a str,
    pub(super) ecosystems: &'a [String],
}

/// What an earlier report knew.
#[derive(Serialize)]
pub(super) struct WireBaseline<'a> {
    pub(super) digest: &'a str,
    pub(super) findings: usize,
    pub(super) known: Vec<WireKept<'a>>,
    pub(super) worse: Vec<WireKept<'a>>,
    pub(super) gone: Vec<WireKept<'a>>,
    pub(super) unseen: usize,
    pub(super) gaps: usize,
}

/// A finding of an earlier report, as far as a later one needs it.
#[derive(Serialize)]
pub(super) struct WireKept<'a> {
    pub(super) target: usize,
    pub(super) rule: &'a str,
    pub(super) severity: &'static str,
    pub(super) message: &'a str,
    pub(super) fingerprint: String,
    pub(super) fixable: bool,
    pub(super) exploited: bool,
    pub(super) epss: Option<f64>,
    pub(super) path: Option<&'a str>,
    #[serde(rename = "type")]
    pub(super) package: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct WireFinding<'a> {
    pub(super) target: usize,
    pub(super) rule: &'a str,
    pub(super) aliases: &'a [String],
    pub(super) severity: &'static str,
    pub(super) confidence: &'static str,
    pub(super) message: &'a str,
    pub(super) fingerprint: String,
    pub(super) location: Option<WireLocation<'a>>,
    pub(super) related: Vec<WireLocation<'a>>,
    pub(super) brought_by: Option<&'static str>,
    pub(super) package: Option<PackageReference<'a>>,
    pub(super) vulnerability: Option<WireVulnerability<'a>>,
    pub(super) fix: Option<WireFix<'a>>,
}

/// A finding that does not count, with everything that took it out.
#[derive(Serialize)]
pub(super) struct WireSuppressed<'a> {
    #[serde(flatten)]
    pub(super) finding: WireFinding<'a>,
    pub(super) suppressions: Vec<WireSuppressor<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum WireSuppressor<'a> {
    Setting {
        place: &'a str,
        reason: &'a str,
        justification: Option<&'a str>,
        expires: Option<&'a str>,
    },
    Vex(WireClaim<'a>),
}

#[derive(Serialize)]
pub(super) struct WireClaim<'a> {
    pub(super) document: &'a str,
    pub(super) place: &'a str,
    pub(super) statement: usize,
    pub(super) author: Option<&'a str>,
    pub(super) status: &'static str,
    pub(super) justification: Option<&'a str>,
    pub(super) impact: Option<&'a str>,
    pub(super) action: Option<&'a str>,
    pub(super) timestamp: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct WireLocation<'a> {
    pub(super) path: &'a str,
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
    pub(super) end_line: Option<u32>,
    pub(super) end_column: Option<u32>,
    pub(super) layer: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct PackageReference<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) purl: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    pub(super) source: Option<Source<'a>>,
}

#[derive(Serialize)]
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
}

#[derive(Serialize)]
pub(super) struct WirePackage<'a> {
    pub(super) target: usize,
    #[serde(flatten)]
    pub(super) reference: PackageReference<'a>,
    pub(super) arch: Option<&'a str>,
    pub(super) module: Option<&'a str>,
    pub(super) licenses: &'a [String],
    pub(super) hashes: Vec<String>,
    pub(super) direct: Option<bool>,
    pub(super) development: bool,
    pub(super) requires: Vec<Requirement<'a>>,
    pub(super) depends_on: &'a [usize],
    pub(super) technique: &'static str,
    pub(super) owner: Option<Owner<'a>>,
    pub(super) location: WireLocation<'a>,
    pub(super) inside: Option<&'a str>,
    pub(super) files: Vec<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Requirement<'a> {
    pub(super) name: &'a str,
    pub(super) version: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Owner<'a> {
    pub(super) name: &'a str,
    pub(super) answers: bool,
}

#[derive(Serialize)]
pub(super) struct WireVulnerability<'a> {
    pub(super) id: &'a str,
    pub(super) advisory: &'a str,
    pub(super) aliases: &'a [String],
    pub(super) fixed: &'a [String],
    pub(super) status: &'static str,
    pub(super) cvss: Vec<Cvss<'a>>,
    pub(super) severities: Vec<Opinion<'a>>,
    pub(super) kev: Option<Kev<'a>>,
    pub(super) epss: Option<Epss>,
    pub(super) in_use: Option<bool>,
    pub(super) summary: Option<&'a str>,
    pub(super) published: Option<&'a str>,
    pub(super) modified: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vex: Option<WireClaim<'a>>,
}

#[derive(Serialize)]
pub(super) struct Cvss<'a> {
    pub(super) vector: &'a str,
    pub(super) score: f64,
    pub(super) source: &'a str,
}

#[derive(Serialize)]
pub(super) struct Opinion<'a> {
    pub(super) source: &'a str,
    pub(super) severity: &'static str,
}

#[derive(Serialize)]
pub(super) struct Kev<'a> {
    pub(super) added: &'a str,
    pub(super) due: Option<&'a str>,
    pub(super) ransomware: bool,
}

#[derive(Serialize)]
pub(super) struct Epss {
    pub(super) score: f64,
    pub(super) percentile: f64,
}

#[derive(Serialize)]
pub(super) struct WireFix<'a> {
    pub(super) applicability: &'static str,
    pub(super) title: &'a str,
    pub(super) edits: Vec<Edit<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) command: Option<&'a [String]>,
}

#[derive(Serialize)]
pub(super) struct Edit<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: &'a str,
}

#[derive(Serialize)]
pub(super) struct WireLicense<'a> {
    pub(super) license: Option<&'a str>,
    pub(super) category: Option<&'a str>,
    pub(super) packages: usize,
}

#[derive(Serialize)]
pub(super) struct WireGap<'a> {
    pub(super) target: usize,
    pub(super) kind: &'static str,
    pub(super) subject: &'a str,
    pub(super) reason: &'a str,
}

#[derive(Serialize)]
pub(super) struct WireSummary {
    pub(super) findings: usize,
    pub(super) by_severity: BTreeMap<&'static str, usize>,
    pub(super) fixable: usize,
    pub(super) exploited: usize,
    pub(super) packages: usize,
    pub(super) gaps: usize,
    pub(super) suppressed: usize,
}
