//! endoflife.date: products, each with its cycles. Two forms are read: one
//! object of all products with the cycles of the older interface
//! (`{"debian": [{"releaseCycle": "12", "eol": "2028-06-30"}]}`, also `cycle`),
//! and the answer of `/api/v1/products/full`.

use std::{
    collections::BTreeMap,
    io::{BufReader, Read},
};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value as Json;

use crate::table::{Cursor, Table, Value, Writer};

/// Tells the two forms apart.
#[derive(Deserialize)]
struct Probe {
    #[serde(default)]
    result: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Full {
    result: Vec<Product>,
}

#[derive(Deserialize)]
struct Product {
    name: String,
    releases: Vec<Release>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Release {
    name: String,
    #[serde(default)]
    is_eol: bool,
    #[serde(default)]
    eol_from: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cycle {
    #[serde(default, alias = "cycle")]
    release_cycle: Json,
    #[serde(default)]
    eol: Json,
}

impl Cycle {
    /// Name, and the day of the end; an empty day for one that is unknown.
    fn end(&self) -> Option<(String, String)> {
        let name = match &self.release_cycle {
            Json::String(name) => name.clone(),
            Json::Number(number) => number.to_string(),
            _ => return None,
        };
        match &self.eol {
            Json::String(date) => Some((name, date.clone())),
            Json::Bool(true) => Some((name, String::new())),
            _ => None,
        }
    }
}

impl Release {
    fn end(self) -> Option<(String, String)> {
        match self.eol_from {
            Some(date) => Some((self.name, date)),
            None => self.is_eol.then_some((self.name, String::new())),
        }
    }
}

/// The shard.
pub(super) fn read(input: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    BufReader::new(input)
        .take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LIMIT {
        return Err(format!("it has more than {LIMIT} bytes"));
    }
    let form: Probe = parse(&bytes)?;
    let mut ends: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut add = |product: &str, end: Option<(String, String)>| {
        let Some((cycle, date)) = end else {
            return Ok(());
        };
        let day: String = date.chars().take(10).collect();
        if !day.is_empty() && day.parse::<jiff::civil::Date>().is_err() {
            return Err(format!("`{date}` of `{product}` {cycle} is no date"));
        }
        ends.insert((product.to_owned(), cycle), day);
        Ok(())
    };
    if form.result.is_some() {
        for product in parse::<Full>(&bytes)?.result {
            for release in product.releases {
                add(&product.name, release.end())?;
            }
        }
    } else {
        for (product, cycles) in parse::<BTreeMap<String, Vec<Cycle>>>(&bytes)? {
            for cycle in cycles {
                add(&product, cycle.end())?;
            }
        }
    }
    if ends.is_empty() {
        return Err("it has no release that ends".to_owned());
    }
    let mut writer = Writer::default();
    for ((product, cycle), day) in &ends {
        let mut value = Value::default();
        value.text(day);
        let handle = writer.value(&[&value.0]);
        writer.key(&key(product, cycle), handle);
    }
    Ok(writer.finish())
}

/// Bytes of the file: all products have 1 MB, in the full form 3.
const LIMIT: u64 = 64 << 20;

fn parse<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

fn key(product: &str, cycle: &str) -> String {
    format!("{product}\0{cycle}")
}

/// The day on which a cycle ends; empty when the day is not known.
pub(super) fn find<'t>(table: &'t Table, product: &str, cycle: &str) -> Option<&'t str> {
    let handle = table.find(&key(product, cycle)).ok()?.first().copied()?;
    Cursor(table.value(handle).ok()?).text().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Bytes;

    #[test]
    fn both_forms_say_the_same() {
        let plain = r#"{"debian":[{"releaseCycle":"12","eol":"2028-06-30T00:00:00Z"},
            {"cycle":"11","eol":true},{"cycle":"14","eol":false},{"cycle":7,"eol":"2018-05-31"}]}"#;
        let full = r#"{"schema_version":"1.2.1","generated_at":"2026-08-21T07:44:48+00:00","total":1,
            "result":[{"name":"debian","label":"Debian","releases":[
            {"name":"12","isEol":false,"eolFrom":"2028-06-30"},{"name":"11","isEol":true,"eolFrom":null},
            {"name":"14","isEol":false,"eolFrom":null},{"name":"7","isEol":true,"eolFrom":"2018-05-31"}]}]}"#;
        for text in [plain, full] {
            let table = Table::open(Bytes::Memory(read(text.as_bytes()).unwrap())).unwrap();
            let end = |cycle| find(&table, "debian", cycle);
            assert_eq!(end("12"), Some("2028-06-30"), "{text}");
            assert_eq!((end("11"), end("14")), (Some(""), None));
            assert_eq!((end("7"), end("6")), (Some("2018-05-31"), None));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, want) in [
            (
                "{\"debian\":[\n{\"cycle\":\"12\",\"eol\":\"soon\"}]}",
                "`soon` of `debian` 12 is no date",
            ),
            ("{\n\"debian\": 7}", "line 2 column 11"),
            ("{\"result\":[\n{\"name\":\"x\"}]}", "line 2 column 12"),
            ("<html>", "line 1 column 1"),
            ("{}", "no release that ends"),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains(want), "{text}: {error}");
        }
        assert!(read("[".repeat(100_000).as_bytes()).is_err());
    }
}
