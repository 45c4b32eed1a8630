//! Facts that no advisory holds: known exploitation (KEV), its likelihood
//! (EPSS), CVSS by CVE, and when releases end. Each kind is a shard of its own,
//! so that a source which lacks one leaves what was known of it alone.

pub(crate) mod cve_records;
pub(crate) mod cvss;
mod cvss_csv;
mod end_of_life;
mod epss;
mod kev;
pub(crate) mod nvd;
mod text;

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use seawall_model::{Epss, Kev};

use crate::{
    feed,
    table::{Bytes, Damage, Table},
};

/// A kind of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactKind {
    /// CISA's catalogue of known exploited vulnerabilities.
    Exploited,
    /// FIRST's chances of exploitation.
    Epss,
    /// CVSS vectors by CVE.
    Cvss,
    /// When releases of products end.
    EndOfLife,
}

impl FactKind {
    /// All kinds.
    pub(crate) const ALL: [FactKind; 4] = [
        FactKind::Exploited,
        FactKind::Epss,
        FactKind::Cvss,
        FactKind::EndOfLife,
    ];

    /// The name of the shard.
    pub(crate) fn shard(self) -> &'static str {
        match self {
            FactKind::Exploited => "facts:kev",
            FactKind::Epss => "facts:epss",
            FactKind::Cvss => "facts:cvss",
            FactKind::EndOfLife => "facts:end-of-life",
        }
    }

    /// The kind that a shard holds, a feed's too (`facts:cvss@nvd`); `None` for a
    /// shard of advisories.
    pub(crate) fn of_shard(name: &str) -> Option<Self> {
        let name = feed::release(name);
        Self::ALL.into_iter().find(|kind| kind.shard() == name)
    }

    /// Files that may hold it beside the dumps. Of those for CVSS every one
    /// counts, of the others the first that is there.
    pub(crate) fn files(self) -> &'static [&'static str] {
        match self {
            FactKind::Exploited => &["kev.json", "known_exploited_vulnerabilities.json"],
            FactKind::Epss => &["epss.csv", "epss.csv.gz", "epss_scores-current.csv.gz"],
            FactKind::Cvss => &["cvss.csv", "cves.zip"],
            FactKind::EndOfLife => &["endoflife.json"],
        }
    }

    /// Whether a file beside the dumps with such a name holds it.
    pub(crate) fn is_file(self, name: &str) -> bool {
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        match self {
            FactKind::Exploited | FactKind::EndOfLife => false,
            FactKind::Epss => name.starts_with("epss_scores-") && ends(&[".csv", ".csv.gz"]),
            FactKind::Cvss => {
                cve_records::is_zip(name)
                    || (name.starts_with(nvd::PREFIX) && ends(&[".json", ".json.gz"]))
            }
        }
    }

    /// Whether a folder beside the dumps with such a name holds it.
    pub(crate) fn is_folder(self, name: &str) -> bool {
        self == FactKind::Cvss && cve_records::is_folder(name)
    }

    /// What is missing where it is.
    pub fn what(self) -> &'static str {
        match self {
            FactKind::Exploited => "known exploited vulnerabilities (KEV)",
            FactKind::Epss => "chances of exploitation (EPSS)",
            FactKind::Cvss => "CVSS vectors by CVE",
            FactKind::EndOfLife => "end-of-life dates",
        }
    }
}

/// Facts of one kind on their way into their shard.
pub(crate) struct Gathered {
    kind: FactKind,
    vectors: cvss::Vectors,
    table: Option<(Vec<u8>, String)>,
    /// `FILE:LINE: reason`, or `FILE: reason`.
    pub(crate) refused: Vec<String>,
    /// Whether every file could be read, but for single lines or records.
    pub(crate) is_whole: bool,
}

impl Gathered {
    pub(crate) fn new(kind: FactKind) -> Self {
        Gathered {
            kind,
            vectors: cvss::Vectors::default(),
            table: None,
            refused: Vec::new(),
            is_whole: true,
        }
    }

    /// Reads a file of the kind.
    pub(crate) fn add(&mut self, name: &str, file: File) {
        let result = match self.kind {
            FactKind::Cvss if cve_records::is_zip(name) => {
                cve_records::read_zip(&mut self.vectors, file, name, &mut self.refused)
            }
            _ => unpacked(file)
                .map_err(|error| error.to_string())
                .and_then(|input| self.read(name, input)),
        };
        if let Err(reason) = result {
            self.refused.push(format!("{name}: {reason}"));
            self.is_whole = false;
        }
    }

    /// Reads CVE records in a folder.
    pub(crate) fn add_folder(&mut self, folder: &std::path::Path, name: &str) {
        cve_records::read_folder(&mut self.vectors, folder, name, &mut self.refused);
    }

    fn read(&mut self, name: &str, input: impl Read) -> Result<(), String> {
        match self.kind {
            FactKind::Exploited => self.table = Some(kev::read(input)?),
            FactKind::Epss => self.table = Some(epss::read(input, name, &mut self.refused)?),
            FactKind::EndOfLife => {
                self.table = Some((end_of_life::read(input)?, String::new()));
            }
            FactKind::Cvss if name.starts_with(nvd::PREFIX) => {
                nvd::read(&mut self.vectors, input)?;
            }
            FactKind::Cvss => {
                cvss_csv::read(&mut self.vectors, input, name, &mut self.refused)?;
            }
        }
        Ok(())
    }

    /// The shard and the day of its facts (or an empty string); `None` when
    /// nothing could be read.
    pub(crate) fn finish(self) -> Option<(Vec<u8>, String)> {
        match self.kind {
            FactKind::Cvss => Some((self.vectors.finish()?, String::new())),
            _ => self.table,
        }
    }
}

/// Bytes that one file of facts may unpack to: all of NVD has 2 GB.
const UNPACKED_LIMIT: u64 = 8 << 30;

/// The content of a file that may be packed with gzip. Some servers unpack
/// such files on the way, so that the name says nothing.
fn unpacked(mut file: File) -> io::Result<Box<dyn Read>> {
    let mut start = [0; 2];
    let is_packed = file.read_exact(&mut start).is_ok() && start == [0x1F, 0x8B];
    file.seek(SeekFrom::Start(0))?;
    let input: Box<dyn Read> = if is_packed {
        Box::new(flate2::read::MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    Ok(Box::new(Bounded {
        input,
        left: UNPACKED_LIMIT,
    }))
}

/// Fails where a stream goes on beyond a limit; cut short it might still be
/// read, and with a part of the facts only.
struct Bounded<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out)?;
        let left = self.left.checked_sub(read as u64);
        self.left = left.ok_or_else(|| {
            io::Error::other(format!("it unpacks to more than {UNPACKED_LIMIT} bytes"))
        })?;
        Ok(read)
    }
}

/// Whether `id` is a CVE's: `CVE-2021-44228`.
fn is_cve(id: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    id.strip_prefix("CVE-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(year, number)| {
            year.len() == 4 && digits(year) && (4..=19).contains(&number.len()) && digits(number)
        })
}

/// The shards of facts that are open.
#[derive(Default)]
pub(crate) struct Facts {
    kev: Option<Table>,
    epss: Option<Table>,
    /// Those beside the dumps, then those of feeds, by name.
    cvss: Vec<Table>,
    end_of_life: Option<Table>,
}

impl Facts {
    /// Opens the shard of a kind.
    pub(crate) fn open(&mut self, kind: FactKind, bytes: Bytes) -> Result<(), Damage> {
        let table = Table::open(bytes)?;
        if kind == FactKind::EndOfLife {
            // A small table, and its answers have no room for damage.
            table.check_all()?;
        }
        let table = Some(table);
        match kind {
            FactKind::Exploited => self.kev = table,
            FactKind::Epss => self.epss = table,
            FactKind::Cvss => self.cvss.extend(table),
            FactKind::EndOfLife => self.end_of_life = table,
        }
        Ok(())
    }

    pub(crate) fn kev(&self, cve: &str) -> Result<Option<Kev>, Damage> {
        self.kev
            .as_ref()
            .map_or(Ok(None), |table| kev::find(table, cve))
    }

    pub(crate) fn epss(&self, cve: &str) -> Result<Option<Epss>, Damage> {
        self.epss
            .as_ref()
            .map_or(Ok(None), |table| epss::find(table, cve))
    }

    /// Source and vector.
    pub(crate) fn cvss(&self, cve: &str) -> Result<Vec<(&str, &str)>, Damage> {
        let mut found = Vec::new();
        for table in &self.cvss {
            for vector in cvss::find(table, cve)? {
                if !found.contains(&vector) {
                    found.push(vector);
                }
            }
        }
        Ok(found)
    }

    pub(crate) fn end_of_life(&self, product: &str, cycle: &str) -> Option<&str> {
        end_of_life::find(self.end_of_life.as_ref()?, product, cycle)
    }
}

/// Reads `bytes` as every kind of file; for tests with hostile input.
pub(crate) fn read_all(bytes: &[u8]) -> usize {
    let mut refused = Vec::new();
    let mut vectors = cvss::Vectors::default();
    let read = [
        kev::read(bytes).is_ok(),
        epss::read(bytes, "x", &mut refused).is_ok(),
        end_of_life::read(bytes).is_ok(),
        nvd::read(&mut vectors, bytes).is_ok(),
        cvss_csv::read(&mut vectors, bytes, "x", &mut refused).is_ok(),
        cve_records::parse(bytes).is_ok(),
    ];
    read.iter().filter(|read| **read).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_cves() {
        for (id, expected) in [
            ("CVE-2021-44228", true),
            ("CVE-2014-0160", true),
            ("CVE-2021-1", false),
            ("CVE-20211-1234", false),
            ("cve-2021-1234", false),
            ("CVE-2021-12345\u{0663}", false),
            ("GHSA-2021-1234", false),
            ("", false),
        ] {
            assert_eq!(is_cve(id), expected, "{id}");
        }
    }

    #[test]
    fn what_unpacks_beyond_the_limit_is_refused_not_cut() {
        let mut short = Bounded {
            input: &b"abcdef"[..],
            left: 6,
        };
        let mut long = Bounded {
            input: &b"abcdefg"[..],
            left: 6,
        };
        let mut text = String::new();
        assert_eq!(short.read_to_string(&mut text).ok(), Some(6));
        assert!(long.read_to_string(&mut text).is_err());
    }
}
