//! CISA's catalogue of known exploited vulnerabilities
//! (`known_exploited_vulnerabilities.json`).

use std::io::{BufReader, Read};

use seawall_model::Kev;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::is_cve;
use crate::table::{Cursor, Damage, Table, Value, Writer};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Catalogue {
    #[serde(default)]
    date_released: String,
    vulnerabilities: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID")]
    cve_id: String,
    #[serde(deserialize_with = "day")]
    date_added: String,
    #[serde(default)]
    due_date: Option<String>,
    #[serde(default)]
    known_ransomware_campaign_use: String,
}

/// A day, `YYYY-MM-DD`.
fn day<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let text = String::deserialize(input)?;
    match text.parse::<jiff::civil::Date>() {
        Ok(_) => Ok(text),
        Err(error) => Err(D::Error::custom(error)),
    }
}

/// The shard, and when the catalogue was released.
pub(super) fn read(input: impl Read) -> Result<(Vec<u8>, String), String> {
    let catalogue: Catalogue =
        serde_json::from_reader(BufReader::new(input)).map_err(|error| error.to_string())?;
    if catalogue.vulnerabilities.is_empty() {
        return Err("the catalogue is empty".to_owned());
    }
    let mut writer = Writer::default();
    for entry in catalogue.vulnerabilities {
        if !is_cve(&entry.cve_id) {
            return Err(format!("`{}` is no CVE", entry.cve_id));
        }
        let mut value = Value::default();
        value.text(&entry.date_added);
        value.text(entry.due_date.as_deref().unwrap_or_default());
        value.number((entry.known_ransomware_campaign_use == "Known").into());
        let handle = writer.value(&[&value.0]);
        writer.key(&entry.cve_id, handle);
    }
    Ok((writer.finish(), catalogue.date_released))
}

/// The entry of a CVE.
pub(super) fn find(table: &Table, cve: &str) -> Result<Option<Kev>, Damage> {
    let Some(handle) = table.find(cve)?.first().copied() else {
        return Ok(None);
    };
    let mut cursor = Cursor(table.value(handle)?);
    let (added, due) = (cursor.text()?.to_owned(), cursor.text()?);
    Ok(Some(Kev {
        added,
        due: (!due.is_empty()).then(|| due.to_owned()),
        ransomware: cursor.number()? == 1,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Bytes;

    #[test]
    fn an_entry_is_found_by_its_cve() {
        let text = r#"{"dateReleased":"2025-08-25T17:04:19.9796Z","vulnerabilities":[
            {"cveID":"CVE-2021-44228","dateAdded":"2021-12-10","dueDate":"2021-12-24",
             "knownRansomwareCampaignUse":"Known"},
            {"cveID":"CVE-2025-48384","dateAdded":"2025-08-25","dueDate":"",
             "knownRansomwareCampaignUse":"Unknown"}]}"#;
        let (bytes, date) = read(text.as_bytes()).unwrap();
        assert_eq!(date, "2025-08-25T17:04:19.9796Z");
        let table = Table::open(Bytes::Memory(bytes)).unwrap();
        let kev = |added: &str, due: Option<&str>, ransomware| {
            Some(Kev {
                added: added.into(),
                due: due.map(str::to_owned),
                ransomware,
            })
        };
        let find = |cve| find(&table, cve).unwrap();
        assert_eq!(
            find("CVE-2021-44228"),
            kev("2021-12-10", Some("2021-12-24"), true)
        );
        assert_eq!(find("CVE-2025-48384"), kev("2025-08-25", None, false));
        assert_eq!(find("CVE-2025-4838"), None);
    }

    #[test]
    fn what_is_no_catalogue_is_refused_with_its_line() {
        for (text, want) in [
            ("", "line 1 column 0"),
            ("{\n\"vulnerabilities\": 7}", "line 2 column 21"),
            ("{\"vulnerabilities\":[]}", "is empty"),
            (
                "{\"vulnerabilities\":[\n{\"cveID\":\"CVE-2021-1234\",\n\"dateAdded\":\"soon\"}]}",
                "line 3",
            ),
            (
                "{\"vulnerabilities\":[{\"cveID\":\"x\",\"dateAdded\":\"2021-12-10\"}]}",
                "`x` is no CVE",
            ),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains(want), "{text}: {error}");
        }
        let deep = format!("{{\"vulnerabilities\":{}", "[".repeat(100_000));
        assert!(read(deep.as_bytes()).is_err());
        let deep = format!("{{\"other\":{}", "[".repeat(100_000));
        assert!(read(deep.as_bytes()).is_err());
    }
}
