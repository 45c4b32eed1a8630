//! OpenVEX 0.2.0, and the older form without a version (0.0.1), bare or as the
//! predicate of an in-toto statement.

use std::collections::BTreeMap;

use seawall_model::vex::{Claim, Document, JUSTIFICATIONS, Name, Product, Statement, VexStatus};
use serde::Deserialize;

use super::{Error, PRODUCTS, Time, hash, name};

#[derive(Deserialize)]
struct Attestation {
    #[serde(default)]
    subject: Vec<Subject>,
    predicate: WireDocument,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct WireDocument {
    #[serde(rename = "@id", default)]
    id: Option<String>,
    #[serde(default)]
    author: Option<String>,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    last_updated: Option<String>,
    #[serde(default)]
    statements: Vec<WireStatement>,
}

#[derive(Deserialize)]
struct WireStatement {
    vulnerability: WireVulnerability,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    last_updated: Option<String>,
    #[serde(default)]
    products: Option<Vec<WireProduct>>,
    /// Of the older form: parts of every product.
    #[serde(default)]
    subcomponents: Option<Vec<WireProduct>>,
    status: String,
    #[serde(default)]
    justification: Option<String>,
    #[serde(default)]
    impact_statement: Option<String>,
    #[serde(default)]
    action_statement: Option<String>,
    #[serde(default)]
    status_notes: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireVulnerability {
    Name(String),
    Known {
        #[serde(rename = "@id", default)]
        id: Option<String>,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        aliases: Option<Vec<String>>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireProduct {
    Name(String),
    Known(WireComponent),
}

#[derive(Deserialize)]
struct WireComponent {
    #[serde(rename = "@id", default)]
    id: Option<String>,
    #[serde(default)]
    identifiers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    hashes: Option<BTreeMap<String, String>>,
    #[serde(default)]
    subcomponents: Option<Vec<WireProduct>>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Document, Error> {
    let wire: WireDocument = serde_json::from_slice(bytes).map_err(damaged)?;
    document(&wire, &[])
}

/// Statements without products are about the attestation's subjects.
pub(super) fn read_attestation(bytes: &[u8]) -> Result<Document, Error> {
    let wire: Attestation = serde_json::from_slice(bytes).map_err(damaged)?;
    let subjects: Vec<Product> = wire.subject.iter().map(subject).collect();
    document(&wire.predicate, &subjects)
}

fn damaged(cause: serde_json::Error) -> Error {
    Error::Json {
        format: "OpenVEX",
        cause,
    }
}

fn subject(subject: &Subject) -> Product {
    let digests = subject.digest.iter();
    let mut names: Vec<Name> = digests
        .filter_map(|(algorithm, value)| hash(algorithm, value).map(Name::Hash))
        .collect();
    if names.is_empty() {
        names.extend(subject.name.as_deref().map(name));
    }
    Product {
        names,
        ..Product::default()
    }
}

fn document(wire: &WireDocument, subjects: &[Product]) -> Result<Document, Error> {
    let of_document = || "the document".to_owned();
    let parse = |text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| Time::parse(text, &of_document)).transpose()
    };
    let made = parse(&wire.timestamp)?;
    parse(&wire.last_updated)?;
    let mut document = Document {
        id: wire.id.clone().unwrap_or_default(),
        ..Document::default()
    };
    let mut products = 0;
    for (index, one) in wire.statements.iter().enumerate() {
        let place = || format!("statement {}", index + 1);
        let wrong = |problem: String| Error::Statement {
            place: place(),
            problem,
        };
        let status = VexStatus::parse(&one.status)
            .ok_or_else(|| wrong(format!("`{}` is no status", one.status)))?;
        let known = |word: &&String| !JUSTIFICATIONS.contains(&word.as_str());
        if let Some(word) = one.justification.as_ref().filter(known) {
            return Err(wrong(format!("`{word}` is no justification")));
        }
        // The latest word on a statement is when it was last changed.
        let own = one.last_updated.as_ref().or(one.timestamp.as_ref());
        let own = own.map(|text| Time::parse(text, &place)).transpose()?;
        let time = own.or_else(|| made.clone());
        let named: Vec<Product> = match &one.products {
            Some(list) => list
                .iter()
                .map(|product| self::product(product, one))
                .collect(),
            None => subjects.to_vec(),
        };
        products += named.iter().map(|one| one.parts.len() + 1).sum::<usize>();
        if products > PRODUCTS {
            return Err(Error::Large);
        }
        let mut problem = |what: &str| document.problems.push(format!("{}: {what}", place()));
        if named.iter().all(|product| product.names.is_empty()) {
            problem("it names no product, so that it is about nothing");
        }
        let says_why = one.justification.is_some() || one.impact_statement.is_some();
        if status == VexStatus::NotAffected && !says_why {
            problem("it says `not_affected` without a justification or an impact statement");
        }
        document.statements.push(Statement {
            ids: ids(&one.vulnerability),
            products: named,
            claim: Claim {
                document: String::new(),
                place: String::new(),
                number: 0,
                author: wire.author.clone(),
                status,
                justification: one.justification.clone(),
                impact: one
                    .impact_statement
                    .clone()
                    .or_else(|| one.status_notes.clone()),
                action: one.action_statement.clone(),
                order: time.as_ref().map_or(i128::MIN, |time| time.order),
                time: time.map(|time| time.text),
            },
        });
    }
    Ok(document)
}

fn ids(vulnerability: &WireVulnerability) -> Vec<String> {
    match vulnerability {
        WireVulnerability::Name(name) => vec![name.clone()],
        WireVulnerability::Known { id, name, aliases } => {
            let mut ids: Vec<String> = name.iter().cloned().collect();
            // `https://nvd.nist.gov/vuln/detail/CVE-2023-12345`
            let last = id.as_deref().and_then(|id| id.rsplit('/').next());
            ids.extend(last.map(str::to_owned));
            ids.extend(aliases.iter().flatten().cloned());
            ids
        }
    }
}

fn product(product: &WireProduct, statement: &WireStatement) -> Product {
    let of_product = match product {
        WireProduct::Name(_) => None,
        WireProduct::Known(known) => known.subcomponents.as_ref(),
    };
    let parts = of_product.or(statement.subcomponents.as_ref());
    Product {
        names: names(product),
        within: Vec::new(),
        parts: parts.into_iter().flatten().map(names).collect(),
    }
}

fn names(component: &WireProduct) -> Vec<Name> {
    let known = match component {
        WireProduct::Name(text) => return vec![name(text)],
        WireProduct::Known(known) => known,
    };
    let mut names: Vec<Name> = known.id.as_deref().map(name).into_iter().collect();
    // `purl`, `cpe22` and `cpe23`; the schema writes `@cpe22`.
    let identifiers = known.identifiers.iter().flatten();
    names.extend(identifiers.map(|(_, value)| name(value)));
    let hashes = known.hashes.iter().flatten();
    names.extend(hashes.filter_map(|(algorithm, value)| hash(algorithm, value).map(Name::Hash)));
    names.dedup();
    names
}
