//! CVE records, version 5 (CVEProject/cve-schema), in the layout of
//! CVEProject/cvelistV5: `cves/2021/44xxx/CVE-2021-44228.json`, in a folder or
//! in a zip.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use serde::Deserialize;

use super::{
    cvss::{Source, Vectors},
    is_cve,
};
use crate::unzip;

/// Bytes of one record; the largest has 2 MB.
pub(crate) const RECORD_LIMIT: u64 = 16 << 20;
/// Bytes of a zip within a zip: all records have 500 MB.
const ZIP_LIMIT: u64 = 4 << 30;
/// Files that one folder may hold below it: there are 350,000 records.
const FILES_LIMIT: usize = 5_000_000;
/// Folders below one another: `cvelistV5/cves/2021/44xxx`.
const DEPTH_LIMIT: usize = 8;
/// Records that a core takes at once.
const TAKEN: usize = 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    cve_metadata: Metadata,
    #[serde(default)]
    containers: Containers,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    cve_id: String,
    #[serde(default)]
    state: String,
}

#[derive(Default, Deserialize)]
struct Containers {
    #[serde(default)]
    cna: Container,
    #[serde(default)]
    adp: Vec<Container>,
}

#[derive(Default, Deserialize)]
struct Container {
    #[serde(default)]
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
struct Metric {
    #[serde(default, rename = "cvssV2_0")]
    v2_0: Option<Data>,
    #[serde(default, rename = "cvssV3_0")]
    v3_0: Option<Data>,
    #[serde(default, rename = "cvssV3_1")]
    v3_1: Option<Data>,
    #[serde(default, rename = "cvssV4_0")]
    v4_0: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(default)]
    vector_string: String,
}

/// What is wanted of a record.
#[derive(Debug, PartialEq)]
pub(crate) struct CveRecord {
    id: String,
    vectors: Vec<(Source, String)>,
}

/// Reads a record. One that was rejected has no vectors worth believing; what
/// advisories say of it stays.
pub(crate) fn parse(bytes: &[u8]) -> Result<CveRecord, String> {
    let wire: Wire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let id = wire.cve_metadata.cve_id;
    if !is_cve(&id) {
        return Err(format!("`{id}` is no CVE"));
    }
    let mut vectors = Vec::new();
    if wire.cve_metadata.state != "REJECTED" {
        let mut add = |source: Source, container: Container| {
            for metric in container.metrics {
                let data = [metric.v2_0, metric.v3_0, metric.v3_1, metric.v4_0];
                let found = data
                    .into_iter()
                    .flatten()
                    .map(|data| (source, data.vector_string));
                vectors.extend(found);
            }
        };
        add(Source::Cna, wire.containers.cna);
        for container in wire.containers.adp {
            add(Source::Adp, container);
        }
    }
    Ok(CveRecord { id, vectors })
}

/// Adds the vectors of a record.
pub(crate) fn add(vectors: &mut Vectors, record: &CveRecord) {
    vectors.speak(&record.id);
    for (source, vector) in &record.vectors {
        // A record may have a score without a vector.
        vectors.add(&record.id, *source, vector);
    }
}

/// Whether a file beside the dumps is a zip of CVE records: `cves.zip`, or one
/// of cvelistV5's releases (`2026-11-23_all_CVEs_at_midnight.zip`).
pub(crate) fn is_zip(name: &str) -> bool {
    name == "cves.zip" || is_release(name)
}

/// Whether a zip is of cvelistV5's releases, all records or those of a day.
pub(crate) fn is_release(name: &str) -> bool {
    name.ends_with(".zip") && name.contains("_CVEs_at_")
}

/// Whether a folder beside the dumps holds CVE records.
pub(crate) fn is_folder(name: &str) -> bool {
    name == "cves" || name.starts_with("cvelistV5")
}

/// Adds the records of a zip; those that cannot be read are told to `refused`.
pub(crate) fn read_zip(
    vectors: &mut Vectors,
    file: File,
    name: &str,
    refused: &mut Vec<String>,
) -> Result<(), String> {
    let file = inner(file)?;
    let unzipped = unzip::read(file, |name, bytes| match is_record(name) {
        true => parse(bytes).map(Some),
        false => Ok(None),
    })?;
    for record in &unzipped.items {
        add(vectors, record);
    }
    if unzipped.items.is_empty() && unzipped.refused.is_empty() {
        return Err("there is no CVE record in it".to_owned());
    }
    let named = unzipped.refused.into_iter();
    refused.extend(named.map(|(entry, why)| format!("{name}/{entry}: {why}")));
    Ok(())
}

/// The zip within a zip that holds nothing else, as cvelistV5's releases are
/// packed; any other zip as it is.
fn inner(file: File) -> Result<File, String> {
    let copy = file.try_clone().map_err(|error| error.to_string())?;
    let mut archive = zip::ZipArchive::new(copy).map_err(|error| error.to_string())?;
    if archive.len() != 1 {
        return Ok(file);
    }
    let mut entry = archive.by_index(0).map_err(|error| error.to_string())?;
    if !entry.name().is_ok_and(|name| name.ends_with(".zip")) {
        return Ok(file);
    }
    let failed = |error: std::io::Error| format!("the zip within it: {error}");
    let mut spooled = tempfile::tempfile().map_err(failed)?;
    let copied = std::io::copy(&mut entry.by_ref().take(ZIP_LIMIT + 1), &mut spooled);
    if copied.map_err(failed)? > ZIP_LIMIT {
        return Err(format!("the zip within it has more than {ZIP_LIMIT} bytes"));
    }
    Ok(spooled)
}

/// Whether a path is a record's; lists of changes lie among the records.
pub(crate) fn is_record(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("CVE-") && name.ends_with(".json")
}

/// Adds the records below a folder; what cannot be read is told to `refused`.
pub(super) fn read_folder(
    vectors: &mut Vectors,
    folder: &Path,
    name: &str,
    refused: &mut Vec<String>,
) {
    let mut files = Vec::new();
    collect(folder, 0, &mut files, refused);
    files.sort();
    // In parts, so that not all records are held at once.
    for part in files.chunks(TAKEN * 16) {
        let read: Vec<_> = part
            .par_chunks(TAKEN)
            .flat_map_iter(|paths| paths.iter().map(|path| (path, read_file(path))))
            .collect();
        for (path, result) in read {
            match result {
                Ok(record) => add(vectors, &record),
                Err(why) => {
                    let inner = path.strip_prefix(folder).unwrap_or(path);
                    refused.push(format!("{name}/{}: {why}", inner.display()));
                }
            }
        }
    }
}

fn read_file(path: &Path) -> Result<CveRecord, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(RECORD_LIMIT + 1).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > RECORD_LIMIT {
        return Err(format!("it has more than {RECORD_LIMIT} bytes"));
    }
    parse(&bytes)
}

/// Files `CVE-*.json` below a folder. Links are not followed.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, refused: &mut Vec<String>) {
    let mut say = |why: String| refused.push(format!("{}: {why}", folder.display()));
    if depth > DEPTH_LIMIT {
        return say(format!("it lies more than {DEPTH_LIMIT} folders deep"));
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return say(error.to_string()),
    };
    let mut folders = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() && !name.starts_with('.') {
            folders.push(entry.path());
        } else if kind.is_file() && is_record(&name) {
            if files.len() == FILES_LIMIT {
                return say(format!("there are more than {FILES_LIMIT} records"));
            }
            files.push(entry.path());
        }
    }
    for folder in folders {
        collect(&folder, depth + 1, files, refused);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::facts::cvss::found;

    fn fixtures() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cves")
    }

    fn sources(cve: &str) -> Vec<String> {
        let (mut vectors, mut refused) = (Vectors::default(), Vec::new());
        read_folder(&mut vectors, &fixtures(), "cves", &mut refused);
        assert!(refused.is_empty(), "{refused:?}");
        let found = found(vectors, cve).into_iter();
        found
            .map(|(source, vector)| format!("{source} {vector}"))
            .collect()
    }

    #[test]
    fn real_records_give_vectors_of_every_version() {
        assert_eq!(
            sources("CVE-2025-0210"),
            [
                "cve:cna CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:L/VA:L/SC:N/SI:N/SA:N",
                "cve:cna CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L",
                "cve:cna CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L",
                "cve:cna AV:N/AC:L/Au:N/C:P/I:P/A:P",
            ]
        );
        assert_eq!(
            sources("CVE-2024-0015"),
            ["cve:adp CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"]
        );
        assert!(sources("CVE-2024-0070").is_empty());
    }

    #[test]
    fn a_rejected_record_is_not_believed_even_with_a_vector() {
        let path = fixtures().join("2025/0xxx/CVE-2025-0210.json");
        let text = fs::read_to_string(path).unwrap();
        assert_eq!(parse(text.as_bytes()).unwrap().vectors.len(), 4);
        let rejected = text.replace("PUBLISHED", "REJECTED");
        assert_eq!(parse(rejected.as_bytes()).unwrap().vectors, []);
    }

    #[test]
    fn a_zip_is_read_as_the_folder_is_and_what_is_broken_in_it_is_named() {
        let mut zip = zip::ZipWriter::new(tempfile::tempfile().unwrap());
        let options = zip::write::SimpleFileOptions::default();
        let record = fs::read(fixtures().join("2025/0xxx/CVE-2025-0210.json")).unwrap();
        let deep = "[".repeat(100_000);
        for (name, bytes) in [
            ("cves/2025/0xxx/CVE-2025-0210.json", record.as_slice()),
            ("cves/2025/0xxx/CVE-2025-0211.json", &record[..500]),
            ("cves/2025/0xxx/CVE-2025-0212.json", deep.as_bytes()),
            ("cves/delta.json", b"{\"fetchTime\":\"x\"}"),
            ("README.md", b"#"),
        ] {
            zip.start_file(name, options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        let file = zip.finish().unwrap();
        let (mut vectors, mut refused) = (Vectors::default(), Vec::new());
        read_zip(&mut vectors, file, "cves.zip", &mut refused).unwrap();
        assert_eq!(refused.len(), 2, "{refused:?}");
        assert!(refused[0].starts_with("cves.zip/cves/2025/0xxx/CVE-2025-0211.json: "));
        assert_eq!(found(vectors, "CVE-2025-0210").len(), 4);
    }

    #[test]
    fn names_beside_the_dumps() {
        assert!(is_zip("2026-11-23_all_CVEs_at_midnight.zip"));
        assert!(!is_zip("all.zip"));
        assert!(is_folder("cvelistV5-main"));
        assert!(!is_folder("PyPI"));
    }
}
