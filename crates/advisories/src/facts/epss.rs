//! FIRST's daily scores (`epss_scores-current.csv`, perhaps packed): a comment
//! `#model_version:v2025.03.14,score_date:2026-05-18T00:00:00Z`, a header
//! `cve,epss,percentile`, and a line for each CVE.

use std::io::Read;

use seawall_model::Epss;

use super::{is_cve, text};
use crate::table::{Cursor, Damage, Table, Value, Writer};

/// Scores have five digits as published.
const DIGITS: f64 = 1e9;

/// The shard, and the day of the scores.
pub(super) fn read(
    input: impl Read,
    name: &str,
    refused: &mut Vec<String>,
) -> Result<(Vec<u8>, String), String> {
    let mut writer = Writer::default();
    let mut date = String::new();
    let comment = |text: &str| {
        let found = text
            .split(',')
            .find_map(|part| part.trim().strip_prefix("score_date:"));
        found.unwrap_or_default().clone_into(&mut date);
    };
    text::read(
        input,
        name,
        ["cve", "epss", "percentile"],
        refused,
        comment,
        |row| {
            let [cve, score, percentile] = row;
            if !is_cve(cve) {
                return Err(format!("`{cve}` is no CVE"));
            }
            let mut value = Value::default();
            for text in [score, percentile] {
                let number = text
                    .parse::<f64>()
                    .ok()
                    .filter(|number| (0.0..=1.0).contains(number));
                let number = number.ok_or_else(|| format!("`{text}` is no number from 0 to 1"))?;
                value.number((number * DIGITS).round() as u64);
            }
            let handle = writer.value(&[&value.0]);
            writer.key(cve, handle);
            Ok(())
        },
    )?;
    Ok((writer.finish(), date))
}

/// The score of a CVE.
pub(super) fn find(table: &Table, cve: &str) -> Result<Option<Epss>, Damage> {
    let Some(handle) = table.find(cve)?.first().copied() else {
        return Ok(None);
    };
    let mut cursor = Cursor(table.value(handle)?);
    let mut part = || Ok(cursor.number()? as f64 / DIGITS);
    Ok(Some(Epss {
        score: part()?,
        percentile: part()?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Bytes;

    #[test]
    fn scores_are_found_as_published() {
        let text = "#model_version:v2025.03.14,score_date:2026-05-18T00:00:00Z\n\
                    cve,epss,percentile\nCVE-1999-0001,0.0046,0.7385\nCVE-1999-0002,1,0.92176\n\
                    CVE-1999-0003,1.5,0.1\nCVE-1999-0004,,\nx,0.1,0.1\nCVE-1999-0005,NaN,0.1\n";
        let mut refused = Vec::new();
        let (bytes, date) = read(text.as_bytes(), "epss.csv", &mut refused).unwrap();
        assert_eq!(date, "2026-05-18T00:00:00Z");
        assert_eq!(
            refused,
            [
                "epss.csv:5: `1.5` is no number from 0 to 1",
                "epss.csv:6: `` is no number from 0 to 1",
                "epss.csv:7: `x` is no CVE",
                "epss.csv:8: `NaN` is no number from 0 to 1",
            ]
        );
        let table = Table::open(Bytes::Memory(bytes)).unwrap();
        let score = |cve| {
            find(&table, cve)
                .unwrap()
                .map(|one| (one.score, one.percentile))
        };
        assert_eq!(score("CVE-1999-0001"), Some((0.0046, 0.7385)));
        assert_eq!(score("CVE-1999-0002"), Some((1.0, 0.92176)));
        assert_eq!(score("CVE-1999-0003"), None);
    }
}
