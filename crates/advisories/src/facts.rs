//! Facts that no advisory holds: known exploitation (KEV), its likelihood
//! (EPSS), CVSS by CVE, and when releases end. They make one shard, `facts`:
//! keys are CVE ids, and `eol`, a product and a cycle.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
};

use seawall_model::{Epss, Kev};
use serde::Deserialize;

use crate::table::{Bytes, Cursor, Damage, Table, Value, Writer};

/// The name of the shard.
pub(crate) const FACTS: &str = "facts";

/// All that is known of one CVE.
#[derive(Clone, Debug, Default, PartialEq)]
struct OfCve {
    kev: Option<Kev>,
    epss: Option<Epss>,
    /// Source and vector.
    cvss: Vec<(String, String)>,
}

/// Facts on their way into a shard.
#[derive(Clone, Debug, Default)]
pub(crate) struct FactsBuilder {
    cves: BTreeMap<String, OfCve>,
    end_of_life: BTreeMap<(String, String), String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireKev {
    #[serde(rename = "cveID")]
    cve_id: String,
    date_added: String,
    #[serde(default)]
    due_date: Option<String>,
    #[serde(default)]
    known_ransomware_campaign_use: String,
}

#[derive(Deserialize)]
struct WireCatalogue {
    vulnerabilities: Vec<WireKev>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCycle {
    #[serde(default, alias = "cycle")]
    release_cycle: serde_json::Value,
    #[serde(default)]
    eol: serde_json::Value,
}

impl FactsBuilder {
    pub(crate) fn is_empty(&self) -> bool {
        self.cves.is_empty() && self.end_of_life.is_empty()
    }

    /// CISA's catalogue (`known_exploited_vulnerabilities.json`).
    pub(crate) fn add_kev(&mut self, bytes: &[u8]) -> Result<(), String> {
        let catalogue: WireCatalogue =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        for wire in catalogue.vulnerabilities {
            self.cves.entry(wire.cve_id).or_default().kev = Some(Kev {
                added: wire.date_added,
                due: wire.due_date.filter(|date| !date.is_empty()),
                ransomware: wire.known_ransomware_campaign_use == "Known",
            });
        }
        Ok(())
    }

    /// FIRST's scores: `cve,epss,percentile`, with a comment line before.
    pub(crate) fn add_epss(&mut self, input: impl Read) -> Result<(), String> {
        for line in BufReader::new(input).lines() {
            let line = line.map_err(|error| error.to_string())?;
            let mut fields = line.split(',');
            let (Some(cve), Some(score), Some(percentile)) =
                (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            if !cve.starts_with("CVE-") {
                continue;
            }
            let number = |text: &str| {
                text.trim()
                    .parse::<f64>()
                    .ok()
                    .filter(|n| (0.0..=1.0).contains(n))
            };
            if let Some((score, percentile)) = number(score).zip(number(percentile)) {
                self.cves.entry(cve.to_owned()).or_default().epss =
                    Some(Epss { score, percentile });
            }
        }
        Ok(())
    }

    /// `cve,container,vector,base_score`: vectors of CVE records.
    pub(crate) fn add_cvss(&mut self, text: &str) {
        for line in text.lines() {
            let mut fields = line.split(',');
            let (Some(cve), Some(container), Some(vector)) =
                (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            if cve.starts_with("CVE-") && !vector.is_empty() {
                self.add_vector(cve, format!("cve:{container}"), vector);
            }
        }
    }

    fn add_vector(&mut self, cve: &str, source: String, vector: &str) {
        let known = &mut self.cves.entry(cve.to_owned()).or_default().cvss;
        let one = (source, vector.to_owned());
        if !known.contains(&one) {
            known.push(one);
        }
    }

    /// NVD's feeds, version 2.0 (`nvdcve-2.0-*.json`).
    pub(crate) fn add_nvd(&mut self, bytes: &[u8]) -> Result<(), String> {
        #[derive(Deserialize)]
        struct Feed {
            vulnerabilities: Vec<Item>,
        }
        #[derive(Deserialize)]
        struct Item {
            cve: Cve,
        }
        #[derive(Deserialize)]
        struct Cve {
            id: String,
            #[serde(default)]
            metrics: BTreeMap<String, Vec<Metric>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Metric {
            #[serde(default, rename = "type")]
            kind: String,
            cvss_data: Data,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            vector_string: String,
        }
        let feed: Feed = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        for Item { cve } in feed.vulnerabilities {
            for metric in cve.metrics.values().flatten() {
                let source = if metric.kind == "Primary" {
                    "nvd"
                } else {
                    "cve:cna"
                };
                self.add_vector(&cve.id, source.to_owned(), &metric.cvss_data.vector_string);
            }
        }
        Ok(())
    }

    /// endoflife.date: products, each with its cycles.
    pub(crate) fn add_end_of_life(&mut self, bytes: &[u8]) -> Result<(), String> {
        let products: BTreeMap<String, Vec<WireCycle>> =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        for (product, cycles) in products {
            for cycle in cycles {
                let Some(name) = cycle.release_cycle.as_str() else {
                    continue;
                };
                let date = match &cycle.eol {
                    serde_json::Value::String(date) => date.chars().take(10).collect(),
                    serde_json::Value::Bool(true) => String::new(),
                    _ => continue,
                };
                self.end_of_life
                    .insert((product.clone(), name.to_owned()), date);
            }
        }
        Ok(())
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        for (cve, facts) in &self.cves {
            let mut value = Value::default();
            value.number(facts.kev.is_some().into());
            if let Some(kev) = &facts.kev {
                value.text(&kev.added);
                value.text(kev.due.as_deref().unwrap_or_default());
                value.number(kev.ransomware.into());
            }
            value.number(facts.epss.is_some().into());
            if let Some(epss) = facts.epss {
                // Five digits, as published, and some more.
                for part in [epss.score, epss.percentile] {
                    value.number((part * 1e9).round() as u64);
                }
            }
            value.number(facts.cvss.len() as u64);
            for (source, vector) in &facts.cvss {
                value.text(source);
                value.text(vector);
            }
            let handle = writer.value(&value.0);
            writer.key(cve, handle);
        }
        for ((product, cycle), date) in &self.end_of_life {
            let mut value = Value::default();
            value.text(date);
            let handle = writer.value(&value.0);
            writer.key(end_of_life_key(product, cycle), handle);
        }
        writer.finish()
    }
}

fn end_of_life_key(product: &str, cycle: &str) -> String {
    format!("eol\0{product}\0{cycle}")
}

/// The open shard.
pub(crate) struct Facts(Table);

/// What the shard holds of one CVE.
#[derive(Default)]
pub(crate) struct CveFacts<'a> {
    pub(crate) kev: Option<Kev>,
    pub(crate) epss: Option<Epss>,
    pub(crate) cvss: Vec<(&'a str, &'a str)>,
}

impl Facts {
    pub(crate) fn open(bytes: Bytes) -> Result<Self, Damage> {
        Table::open(bytes).map(Facts)
    }

    pub(crate) fn cve(&self, cve: &str) -> Result<CveFacts<'_>, Damage> {
        let Some(handle) = self.0.find(cve)?.first().copied() else {
            return Ok(CveFacts::default());
        };
        let mut cursor = Cursor(self.0.value(handle)?);
        let mut facts = CveFacts::default();
        if cursor.number()? == 1 {
            let (added, due) = (cursor.text()?.to_owned(), cursor.text()?);
            let due = (!due.is_empty()).then(|| due.to_owned());
            facts.kev = Some(Kev {
                added,
                due,
                ransomware: cursor.number()? == 1,
            });
        }
        if cursor.number()? == 1 {
            let part = |number: u64| number as f64 / 1e9;
            let (score, percentile) = (part(cursor.number()?), part(cursor.number()?));
            facts.epss = Some(Epss { score, percentile });
        }
        for _ in 0..cursor.count()? {
            facts.cvss.push((cursor.text()?, cursor.text()?));
        }
        Ok(facts)
    }

    pub(crate) fn end_of_life(&self, product: &str, cycle: &str) -> Option<&str> {
        let handle = self
            .0
            .find(&end_of_life_key(product, cycle))
            .ok()?
            .first()
            .copied()?;
        Cursor(self.0.value(handle).ok()?).text().ok()
    }
}
