//! rpm: its SQLite database, and the manifest that Azure Linux leaves in
//! images without one.

use std::collections::HashSet;

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{Gap, GapKind};

use crate::{
    Context, Ecosystem, Inventory,
    os_package::{Databases, Found, Gathered, count, histories},
    rpm::header::{Header, Tag},
    sqlite::{self, Column, Database, EMPTY_LOG},
    text::lossy,
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "rpm",
    contexts: &[Context::Installed],
    analysers: &[&Sqlite, &Manifest, &Beside],
    read,
};

/// `rpmdb.sqlite` at the places where distributions keep it.
struct Sqlite;
/// `container-manifest-2` of distroless Azure Linux images.
struct Manifest;
/// What lies beside or instead of the SQLite database and is not read.
struct Beside;

const DATABASES: [&str; 3] = [
    "var/lib/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/share/rpm/rpmdb.sqlite",
];

/// Bytes of a database: those of the largest installations have 300 MB.
const SQLITE_LIMIT: u64 = 1 << 30;
const MANIFEST: &str = "var/lib/rpmmanifest/container-manifest-2";

impl Analyser for Sqlite {
    fn name(&self) -> &'static str {
        "rpm-sqlite"
    }

    fn version(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Path(DATABASES[0]),
            Interest::Path(DATABASES[1]),
            Interest::Path(DATABASES[2]),
        ]
    }

    fn need(&self) -> Need {
        Need::Seek(SQLITE_LIMIT)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        // rpm leaves an empty file behind when it is asked in an empty root.
        if entry.size == 0 {
            return Ok(None);
        }
        parse_database(&body).map_err(|error| format!("the rpm database cannot be read: {error}"))
    }
}

impl Analyser for Manifest {
    fn name(&self) -> &'static str {
        "rpm-manifest"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Path(MANIFEST)]
    }

    fn need(&self) -> Need {
        Need::Whole(64 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(parse_manifest(&lossy(&body)?))
    }
}

impl Analyser for Beside {
    fn name(&self) -> &'static str {
        "rpm-unread"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Path("var/lib/rpm/Packages"),
            Interest::Path("var/lib/rpm/Packages.db"),
            Interest::Path("usr/lib/sysimage/rpm/Packages"),
            Interest::Path("usr/lib/sysimage/rpm/Packages.db"),
            Interest::Path("usr/share/rpm/Packages"),
            Interest::Path("usr/share/rpm/Packages.db"),
            Interest::Path("var/lib/rpm/rpmdb.sqlite-wal"),
            Interest::Path("usr/lib/sysimage/rpm/rpmdb.sqlite-wal"),
            Interest::Path("usr/share/rpm/rpmdb.sqlite-wal"),
        ]
    }

    fn need(&self) -> Need {
        Need::Header
    }

    fn analyse(&self, entry: &Entry<'_>, _: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let empty = if entry.path.ends_with("-wal") {
            EMPTY_LOG
        } else {
            0
        };
        Ok((entry.size > empty).then(Vec::new))
    }
}

fn parse_database(body: &Body<'_>) -> Result<Option<Vec<u8>>, sqlite::OpenError> {
    let database = Database::open(body)?;
    let mut out = Gathered::default();
    let mut ids = HashSet::new();
    let mut damaged = Damaged::default();
    let faults = database.rows("Packages", &mut |id, columns| {
        ids.insert(id);
        match columns
            .last()
            .and_then(Column::blob)
            .and_then(Header::parse)
        {
            Some(header) => write_package(&header, &mut out, &mut damaged),
            None => damaged.headers += 1,
        }
    })?;
    // Every package stands in the index of names too. A row that only one of
    // the two knows was lost on a damaged page that looks whole.
    let mut indexed = HashSet::new();
    let index = database.rows("Name", &mut |_, columns| {
        indexed.extend(columns.get(1).map(Column::integer));
    });
    if index.is_ok_and(|faults| faults.count == 0) {
        damaged.lost = indexed.symmetric_difference(&ids).count();
    }
    damaged.pages = faults.count;
    damaged.first = faults.first;
    damaged.report(&mut out);
    Ok(out.finish())
}

/// What is wrong with a database.
#[derive(Default)]
struct Damaged {
    pages: usize,
    first: Option<sqlite::Fault>,
    headers: usize,
    lost: usize,
    digests: Vec<String>,
}

impl Damaged {
    fn report(&self, out: &mut Gathered) {
        let mut gap = |reason: String| out.gap(GapKind::Damaged, &reason);
        if let Some(first) = &self.first {
            gap(format!(
                "{} pages or rows of the rpm database cannot be read: {first}",
                self.pages
            ));
        }
        if self.headers > 0 {
            gap(format!(
                "{} rows of the rpm database hold no package header",
                self.headers
            ));
        }
        if self.lost > 0 {
            gap(format!(
                "the rpm database and its index of names differ in {} packages",
                self.lost
            ));
        }
        for name in &self.digests {
            gap(format!(
                "the header of package `{name}` is not what its digest says"
            ));
        }
    }
}

fn write_package(header: &Header<'_>, out: &mut Gathered, damaged: &mut Damaged) {
    let text = |tag| header.text(tag).unwrap_or_default();
    let name = text(Tag::Name);
    if header.is_intact() == Some(false) && damaged.digests.len() < 100 {
        damaged.digests.push(name.chars().take(100).collect());
    }
    // Keys of package signers are stored among the packages, and `rpm -qa`
    // lists them. They hold no software.
    if name == "gpg-pubkey" {
        return;
    }
    let (version, release) = (text(Tag::Version), text(Tag::Release));
    if name.is_empty() || version.is_empty() {
        damaged.headers += 1;
        return;
    }
    // An epoch of 0 is written where it was given, as rpm does.
    let version = match header.numbers(Tag::Epoch).next() {
        Some(epoch) => format!("{epoch}:{version}-{release}"),
        None => format!("{version}-{release}"),
    };
    header.files(|dir, base| out.file(dir, base));
    for name in header.texts(Tag::RequireName) {
        // What rpm itself has to know, and conditions (`(a if b)`), are no
        // packages.
        if !name.starts_with("rpmlib(") && !name.starts_with('(') {
            out.requires([name.as_ref()]);
        }
    }
    for provided in header.texts(Tag::ProvideName) {
        if provided != name {
            out.provides(&provided);
        }
    }
    let source = text(Tag::SourceRpm);
    let (source, source_version) = source_rpm(&source);
    out.push(&Found {
        name: &name,
        version: &version,
        arch: &text(Tag::Arch),
        source,
        source_version,
        module: &text(Tag::ModularityLabel),
        licenses: &text(Tag::License),
        ..Found::default()
    });
}

/// `NAME-VERSION-RELEASE.src.rpm`. It has no epoch.
fn source_rpm(file: &str) -> (&str, &str) {
    let stem = file.strip_suffix(".rpm").unwrap_or(file);
    let stem = stem
        .strip_suffix(".src")
        .or_else(|| stem.strip_suffix(".nosrc"))
        .unwrap_or(stem);
    let split = stem
        .rfind('-')
        .and_then(|release| stem.get(..release)?.rfind('-'));
    split
        .and_then(|at| Some((stem.get(..at)?, stem.get(at + 1..)?)))
        .unwrap_or_default()
}

/// Fields by tab: name, version-release, install time, build time, vendor,
/// epoch, size, architecture, epoch number, source rpm.
fn parse_manifest(body: &str) -> Option<Vec<u8>> {
    let mut out = Gathered::default();
    for line in body.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let field = |index: usize| fields.get(index).copied().unwrap_or_default();
        let (name, version) = (field(0), field(1));
        if name.is_empty() || version.is_empty() {
            continue;
        }
        let version = match field(5) {
            "" | "(none)" => version.to_owned(),
            epoch => format!("{epoch}:{version}"),
        };
        let (source, source_version) = source_rpm(field(9));
        out.push(&Found {
            name,
            version: &version,
            arch: field(7),
            source,
            source_version,
            ..Found::default()
        });
    }
    out.finish()
}

fn read(view: &View, inventory: &mut Inventory) {
    let mut databases = Databases::new("rpm", view, inventory.os.as_ref());
    let sqlite = histories(view, "rpm-sqlite");
    for states in DATABASES.iter().filter_map(|path| sqlite.get(path)) {
        databases.read(states);
    }
    if databases.is_empty() {
        for states in histories(view, "rpm-manifest").values() {
            databases.read(states);
        }
    }
    let (packages, mut gaps) = databases.finish();
    for evidence in view.of("rpm-unread") {
        let reason = if evidence.path.ends_with("-wal") {
            "the rpm database was not closed: pages in the write-ahead log beside it are not read"
        } else if !packages.is_empty() {
            // Left behind when the database was moved to another format.
            continue;
        } else if evidence.path.ends_with(".db") {
            "rpm databases of the NDB format are not read"
        } else {
            "rpm databases of the Berkeley DB format are not read"
        };
        gaps.push(Gap::new(
            GapKind::Unsupported,
            evidence.path.clone(),
            reason,
        ));
    }
    inventory.packages.extend(packages);
    inventory.gaps.extend(gaps);
}

/// Parses a SQLite database of rpm: for tests with hostile input. The number
/// of packages.
///
/// # Errors
/// What is wrong with it.
pub fn count_packages(database: &[u8]) -> Result<usize, String> {
    let evidence = parse_database(&Body::Bytes(database)).map_err(|error| error.to_string())?;
    Ok(count(evidence))
}

/// Parses one header of rpm: for tests with hostile input. Whether it is one.
pub fn is_header(header: &[u8]) -> bool {
    let Some(header) = Header::parse(header) else {
        return false;
    };
    let mut out = Gathered::default();
    write_package(&header, &mut out, &mut Damaged::default());
    count(out.finish()) == 1
}

/// Parses a container manifest: for tests with hostile input. The number of
/// packages.
pub fn count_manifest(manifest: &[u8]) -> usize {
    count(parse_manifest(&String::from_utf8_lossy(manifest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Reader;

    #[test]
    fn source_names_may_have_dashes() {
        assert_eq!(source_rpm("a-b-1.2-3.el9.src.rpm"), ("a-b", "1.2-3.el9"));
        assert_eq!(source_rpm("(none)"), ("", ""));
    }

    #[test]
    fn a_manifest_has_ten_fields() {
        let line = "zlib\t1.2.13-1.cm2\t1\t2\tMicrosoft\t(none)\t3\tx86_64\t0\tzlib-1.2.13-1.cm2.src.rpm\n";
        let evidence = parse_manifest(line).unwrap();
        let record = Reader::new(&evidence).next().unwrap();
        assert_eq!(
            (record.get(1), record.get(2), record.get(4)),
            ("zlib", "1.2.13-1.cm2", "zlib")
        );
    }
}
