//! VEX in CycloneDX 1.4 to 1.7: `vulnerabilities[].analysis` (ECMA-424), alone
//! with BOM-Links, or in the bill of materials itself.

use std::collections::HashMap;

use seawall_model::{
    Bom,
    vex::{Claim, Document, Name, Product, Statement, VexStatus},
};
use serde::Deserialize;

use super::{Error, PRODUCTS, Time, bom_link};
use crate::wire::{self, List};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDocument {
    #[serde(default)]
    serial_number: Option<String>,
    #[serde(default)]
    version: Option<u64>,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    components: List<Component>,
    #[serde(default)]
    vulnerabilities: List<Vulnerability>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    component: Option<Component>,
    #[serde(default)]
    supplier: Option<Named>,
    #[serde(default)]
    manufacturer: Option<Named>,
    #[serde(default)]
    authors: List<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "bom-ref", default)]
    reference: Option<String>,
    #[serde(default)]
    purl: Option<String>,
    #[serde(default)]
    components: List<Component>,
}

#[derive(Deserialize)]
struct Vulnerability {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    references: List<Reference>,
    #[serde(default)]
    analysis: Option<Analysis>,
    #[serde(default)]
    affects: List<Affected>,
    #[serde(default)]
    recommendation: Option<String>,
    #[serde(default)]
    workaround: Option<String>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Analysis {
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    justification: Option<String>,
    #[serde(default)]
    response: List<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    first_issued: Option<String>,
    #[serde(default)]
    last_updated: Option<String>,
}

#[derive(Deserialize)]
struct Affected {
    #[serde(rename = "ref", default)]
    reference: String,
    #[serde(default)]
    versions: List<Version>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    range: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

fn parse(bytes: &[u8]) -> Result<WireDocument, Error> {
    wire::from_json(bytes).map_err(|error| match error {
        crate::Error::Json(cause) => Error::Json {
            format: "CycloneDX",
            cause,
        },
        _ => Error::Long,
    })
}

/// `3e671687-…` of `urn:uuid:3E671687-…`.
fn uuid(serial: &str) -> String {
    let serial = serial.trim();
    serial
        .strip_prefix("urn:uuid:")
        .unwrap_or(serial)
        .to_ascii_lowercase()
}

pub(super) fn bom(bytes: &[u8]) -> Result<Bom, Error> {
    let wire = parse(bytes)?;
    let subject = wire
        .metadata
        .as_ref()
        .and_then(|one| one.component.as_ref());
    Ok(Bom {
        serial: wire.serial_number.as_deref().map(uuid),
        version: wire.version,
        subject: subject.and_then(|one| one.reference.clone()),
        purls: purls(&wire),
    })
}

/// For each reference the package URL of its component.
fn purls(wire: &WireDocument) -> HashMap<String, String> {
    fn add(component: &Component, all: &mut HashMap<String, String>) {
        if let Some((reference, purl)) = component.reference.clone().zip(component.purl.clone()) {
            all.insert(reference, purl);
        }
        // The parser bounds the depth.
        for inner in component.components.iter() {
            add(inner, all);
        }
    }
    let mut all = HashMap::new();
    let subject = wire
        .metadata
        .as_ref()
        .and_then(|one| one.component.as_ref());
    for component in subject.into_iter().chain(wire.components.iter()) {
        add(component, &mut all);
    }
    all
}

pub(super) fn read(bytes: &[u8]) -> Result<Document, Error> {
    let wire = parse(bytes)?;
    let purls = purls(&wire);
    let serial = wire.serial_number.as_deref().map(uuid);
    let made = wire
        .metadata
        .as_ref()
        .and_then(|one| one.timestamp.as_deref());
    let of_document = || "the document".to_owned();
    let made = made
        .map(|text| Time::parse(text, &of_document))
        .transpose()?;
    let reader = Reader {
        purls: &purls,
        serial: serial.as_deref(),
        version: wire.version,
        made,
        author: wire.metadata.as_ref().and_then(author),
    };
    let mut document = Document {
        id: wire.serial_number.clone().unwrap_or_default(),
        ..Document::default()
    };
    let mut products = 0;
    for one in wire.vulnerabilities.iter() {
        let statements = reader.statements(one, &mut document.problems)?;
        products += statements
            .iter()
            .map(|one| one.products.len())
            .sum::<usize>();
        if products > PRODUCTS {
            return Err(Error::Large);
        }
        document.statements.extend(statements);
    }
    Ok(document)
}

fn author(metadata: &Metadata) -> Option<String> {
    let first = metadata.authors.iter();
    let mut all = first
        .chain(&metadata.supplier)
        .chain(&metadata.manufacturer)
        .filter_map(|one| one.name.clone());
    all.next()
}

struct Reader<'a> {
    purls: &'a HashMap<String, String>,
    serial: Option<&'a str>,
    version: Option<u64>,
    made: Option<Time>,
    author: Option<String>,
}

impl Reader<'_> {
    /// One statement for each status that a vulnerability has somewhere.
    fn statements(
        &self,
        one: &Vulnerability,
        problems: &mut Vec<String>,
    ) -> Result<Vec<Statement>, Error> {
        let Some((analysis, state)) = one
            .analysis
            .as_ref()
            .and_then(|analysis| Some((analysis, analysis.state.as_deref()?)))
        else {
            return Ok(Vec::new());
        };
        let id = one.id.clone().unwrap_or_default();
        let place = || format!("vulnerability `{id}`");
        let status = status(state).ok_or_else(|| Error::Statement {
            place: place(),
            problem: format!("`{state}` is no state"),
        })?;
        let own = analysis
            .last_updated
            .as_ref()
            .or(analysis.first_issued.as_ref());
        let own = own.map(|text| Time::parse(text, &place)).transpose()?;
        let time = own.or_else(|| self.made.clone());
        let mut by_status: Vec<(VexStatus, Vec<Product>)> = Vec::new();
        let mut add = |status: VexStatus, product: Product| match by_status
            .iter_mut()
            .find(|(known, _)| *known == status)
        {
            Some((_, products)) => products.push(product),
            None => by_status.push((status, vec![product])),
        };
        for affected in one.affects.iter() {
            let versions = &affected.versions;
            if versions.is_empty() {
                add(status, self.product(&affected.reference, None));
            }
            for version in versions.iter() {
                let meant = version.version.as_ref().or(version.range.as_ref());
                let product = self.product(&affected.reference, meant);
                add(of_version(version.status.as_deref(), status), product);
            }
        }
        if by_status.is_empty() {
            problems.push(format!("{}: it affects no component", place()));
        }
        let mut ids = vec![id];
        let others = one.references.iter();
        ids.extend(others.filter_map(|one| one.id.clone()));
        ids.retain(|id| !id.is_empty());
        let mut action: Vec<String> = analysis.response.to_vec();
        action.extend(one.recommendation.clone());
        action.extend(one.workaround.clone());
        // Where versions contradict each other, what is affected has the last
        // word.
        by_status.sort_by_key(|(status, _)| !status.suppresses());
        let statements = by_status.into_iter().map(|(status, products)| Statement {
            ids: ids.clone(),
            products,
            claim: Claim {
                document: String::new(),
                place: String::new(),
                number: 0,
                author: self.author.clone(),
                status,
                justification: analysis.justification.clone(),
                impact: analysis.detail.clone(),
                action: (!action.is_empty()).then(|| action.join("; ")),
                order: time.as_ref().map_or(i128::MIN, |time| time.order),
                time: time.as_ref().map(|time| time.text.clone()),
            },
        });
        Ok(statements.collect())
    }

    fn product(&self, reference: &str, versions: Option<&String>) -> Product {
        let versions = versions.cloned();
        let purl = |text: &str| {
            let purl = seawall_model::purl::parse(text)?;
            Some(Name::Purl {
                purl,
                versions: versions.clone(),
            })
        };
        let mut names = match bom_link(reference) {
            Some(links) => links,
            None => {
                let own = self.purls.get(reference);
                let mut names: Vec<Name> = own.and_then(|text| purl(text)).into_iter().collect();
                if own.is_none() {
                    names.extend(purl(reference));
                }
                names.push(Name::BomLink {
                    serial: self.serial.map(str::to_owned),
                    version: self.version,
                    reference: Some(reference.to_owned()),
                    versions: None,
                });
                names
            }
        };
        for name in &mut names {
            if let Name::BomLink { versions: own, .. } = name {
                own.clone_from(&versions);
            }
        }
        Product {
            names,
            ..Product::default()
        }
    }
}

fn status(state: &str) -> Option<VexStatus> {
    Some(match state {
        "resolved" | "resolved_with_pedigree" => VexStatus::Fixed,
        "exploitable" => VexStatus::Affected,
        "in_triage" => VexStatus::UnderInvestigation,
        "false_positive" | "not_affected" => VexStatus::NotAffected,
        _ => return None,
    })
}

/// The status of one version, from its own word and the analysis'.
fn of_version(own: Option<&str>, analysis: VexStatus) -> VexStatus {
    match own {
        Some("unaffected") if analysis == VexStatus::Fixed => VexStatus::Fixed,
        Some("unaffected") => VexStatus::NotAffected,
        Some("unknown") => VexStatus::UnderInvestigation,
        _ => analysis,
    }
}
