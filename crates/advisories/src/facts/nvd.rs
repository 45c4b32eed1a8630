//! NVD's feeds, version 2.0 (`nvdcve-2.0-*.json`), which are pages of its
//! interface of the same version (csrc.nist.gov/schema/nvd/api/2.0).

use std::io::{BufReader, Read};

use serde::Deserialize;

use super::{
    cvss::{Source, Vectors},
    is_cve,
};

/// How the names of feeds begin.
pub(crate) const PREFIX: &str = "nvdcve-2.0-";

/// NVD's own source, by the names it had.
const NVD: &[&str] = &["nvd@nist.gov", "NIST"];
/// CISA as an authorised data publisher.
const CISA: &str = "134c704f-9b21-4f2e-91b3-4a467353bcc0";

#[derive(Deserialize)]
struct Feed {
    vulnerabilities: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    cve: Cve,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cve {
    id: String,
    #[serde(default)]
    vuln_status: String,
    #[serde(default)]
    metrics: Metrics,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metrics {
    cvss_metric_v2: Vec<Metric>,
    cvss_metric_v30: Vec<Metric>,
    cvss_metric_v31: Vec<Metric>,
    cvss_metric_v40: Vec<Metric>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    #[serde(default)]
    source: String,
    cvss_data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(default)]
    vector_string: String,
}

/// Adds the vectors of a feed. A CVE that was rejected has none worth
/// believing; what advisories say of it stays.
pub(crate) fn read(vectors: &mut Vectors, input: impl Read) -> Result<(), String> {
    let feed: Feed =
        serde_json::from_reader(BufReader::new(input)).map_err(|error| error.to_string())?;
    for Item { cve } in feed.vulnerabilities {
        if !is_cve(&cve.id) {
            return Err(format!("`{}` is no CVE", cve.id));
        }
        vectors.speak(&cve.id);
        if cve.vuln_status == "Rejected" {
            continue;
        }
        let own = cve.metrics;
        let all = [
            own.cvss_metric_v40,
            own.cvss_metric_v31,
            own.cvss_metric_v30,
            own.cvss_metric_v2,
        ];
        for metric in all.iter().flatten() {
            let source = match metric.source.as_str() {
                source if NVD.contains(&source) => Source::Nvd,
                CISA => Source::Adp,
                _ => Source::Cna,
            };
            // Some old entries have vectors that were never valid.
            vectors.add(&cve.id, source, &metric.cvss_data.vector_string);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::cvss::found;

    const SAMPLE: &str = include_str!("../../tests/fixtures/nvdcve-2.0-sample.json");

    fn sources(cve: &str) -> Vec<(String, String)> {
        let mut vectors = Vectors::default();
        read(&mut vectors, SAMPLE.as_bytes()).unwrap();
        found(vectors, cve)
    }

    #[test]
    fn a_real_feed_gives_each_source_its_vectors() {
        let pair = |source: &str, vector: &str| (source.to_owned(), vector.to_owned());
        assert_eq!(
            sources("CVE-1999-0002"),
            [pair("nvd", "AV:N/AC:L/Au:N/C:C/I:C/A:C")]
        );
        assert_eq!(
            sources("CVE-2021-31542"),
            [
                pair("nvd", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"),
                pair("nvd", "AV:N/AC:L/Au:N/C:P/I:N/A:N"),
            ]
        );
        let both = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H";
        assert_eq!(
            sources("CVE-2024-0015"),
            [pair("cve:adp", both), pair("nvd", both)]
        );
        assert!(sources("CVE-1999-0020").is_empty());
    }

    #[test]
    fn a_rejected_entry_is_not_believed_even_with_a_vector() {
        let text = SAMPLE.replace("\"Modified\"", "\"Rejected\"");
        let mut vectors = Vectors::default();
        read(&mut vectors, text.as_bytes()).unwrap();
        assert!(vectors.finish().is_none());
    }

    #[test]
    fn what_is_no_feed_is_refused_with_its_line() {
        for (text, want) in [
            (
                "{\n\"vulnerabilities\": [{\"cve\": 7}]}",
                "line 2 column 30",
            ),
            ("{}", "missing field `vulnerabilities`"),
            (
                "{\"vulnerabilities\": [{\"cve\": {\"id\": \"x\"}}]}",
                "`x` is no CVE",
            ),
            (SAMPLE.get(..2000).unwrap(), "EOF while parsing"),
        ] {
            let error = read(&mut Vectors::default(), text.as_bytes()).unwrap_err();
            assert!(error.contains(want), "{error}");
        }
        let deep = format!("{{\"vulnerabilities\":[{{\"cve\":{}", "[".repeat(100_000));
        assert!(read(&mut Vectors::default(), deep.as_bytes()).is_err());
    }
}
