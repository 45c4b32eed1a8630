//! rpm: its SQLite database, and the manifest that Azure Linux leaves in
//! images without one.

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{Gap, GapKind};

use crate::{
    Context, Ecosystem, Inventory,
    os_package::{DATABASE_LIMIT, Found, packages},
    record::{Reader, Writer},
    rpm::{
        header::{Header, Tag},
        sqlite::{self, Database},
    },
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

const DATABASES: [&str; 4] = [
    "var/lib/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/share/rpm/rpmdb.sqlite",
    "var/lib/rpm-ostree/rpm/rpmdb.sqlite",
];
const MANIFEST: &str = "var/lib/rpmmanifest/container-manifest-2";

impl Analyser for Sqlite {
    fn name(&self) -> &'static str {
        "rpm-sqlite"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Path(DATABASES[0]),
            Interest::Path(DATABASES[1]),
            Interest::Path(DATABASES[2]),
            Interest::Path(DATABASES[3]),
        ]
    }

    fn need(&self) -> Need {
        Need::Seek(DATABASE_LIMIT * 4)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        // rpm leaves an empty file behind when it is asked in an empty root.
        if entry.size == 0 {
            return Ok(None);
        }
        parse_database(body).map_err(|error| format!("the rpm database is damaged: {error}"))
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
            Interest::Path("var/lib/rpm/rpmdb.sqlite-wal"),
            Interest::Path("usr/lib/sysimage/rpm/rpmdb.sqlite-wal"),
            Interest::Path("usr/share/rpm/rpmdb.sqlite-wal"),
        ]
    }

    fn need(&self) -> Need {
        Need::Header
    }

    fn analyse(&self, entry: &Entry<'_>, _: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok((entry.size > 0).then(Vec::new))
    }
}

fn parse_database(body: Body<'_>) -> Result<Option<Vec<u8>>, sqlite::Error> {
    let database = Database::open(body)?;
    let mut out = Writer::default();
    let mut damaged = 0;
    database.rows("Packages", &mut |blob| match Header::parse(blob) {
        Some(header) => write_package(&header, &mut out),
        None => damaged += 1,
    })?;
    if damaged > 0 {
        Err(sqlite::Error::Page(damaged))
    } else {
        Ok(out.finish())
    }
}

fn write_package(header: &Header<'_>, out: &mut Writer) {
    let text = |tag| header.text(tag).unwrap_or_default();
    let name = text(Tag::Name);
    // Keys of package signers are stored among the packages.
    if name.is_empty() || name == "gpg-pubkey" {
        return;
    }
    let epoch = header
        .numbers(Tag::Epoch)
        .first()
        .map(|epoch| format!("{epoch}:"));
    let version = format!(
        "{}{}-{}",
        epoch.unwrap_or_default(),
        text(Tag::Version),
        text(Tag::Release)
    );
    let (source, source_version) = source_rpm(text(Tag::SourceRpm));
    let dirs = header.texts(Tag::DirNames);
    let indexes = header.numbers(Tag::DirIndexes);
    let mut files = String::new();
    for (base, index) in header.texts(Tag::BaseNames).iter().zip(indexes) {
        let dir = usize::try_from(index)
            .ok()
            .and_then(|index| dirs.get(index))
            .copied();
        files += dir.unwrap_or_default().trim_start_matches('/');
        files += base;
        files.push('\n');
    }
    Found {
        name,
        version,
        arch: text(Tag::Arch),
        source,
        source_version,
        module: text(Tag::ModularityLabel),
        licenses: text(Tag::License).to_owned(),
        files,
    }
    .write(out);
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
    match split.and_then(|at| Some((stem.get(..at)?, stem.get(at + 1..)?))) {
        Some(parts) => parts,
        None => ("", ""),
    }
}

/// Fields by tab: name, version-release, install time, build time, vendor,
/// epoch, size, architecture, epoch number, source rpm.
fn parse_manifest(body: &str) -> Option<Vec<u8>> {
    let mut out = Writer::default();
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
        let arch = field(7);
        Found {
            name,
            version,
            arch,
            source,
            source_version,
            ..Found::default()
        }
        .write(&mut out);
    }
    out.finish()
}

fn read(view: &View, inventory: &mut Inventory) {
    let os = inventory.os.clone();
    let mut found = false;
    for evidence in DATABASES
        .iter()
        .filter_map(|path| view.at("rpm-sqlite", path))
    {
        found = true;
        inventory
            .packages
            .extend(packages("rpm", view, evidence, os.as_ref()));
    }
    if let Some(evidence) = view.at("rpm-manifest", MANIFEST).filter(|_| !found) {
        inventory
            .packages
            .extend(packages("rpm", view, evidence, os.as_ref()));
    }
    for evidence in view.of("rpm-unread") {
        let reason = if evidence.path.ends_with("-wal") {
            "pages of a write-ahead log are not applied to the rpm database beside it"
        } else if found {
            continue;
        } else if evidence.path.ends_with(".db") {
            "rpm databases of the NDB format are not read"
        } else {
            "rpm databases of the Berkeley DB format are not read"
        };
        inventory.gaps.push(Gap::new(
            GapKind::Unsupported,
            evidence.path.clone(),
            reason,
        ));
    }
}

/// Parses a SQLite database of rpm: for tests with hostile input. The number
/// of packages.
///
/// # Errors
/// What is wrong with it.
pub fn count_packages(database: &[u8]) -> Result<usize, String> {
    let evidence = parse_database(Body::Bytes(database)).map_err(|error| error.to_string())?;
    Ok(Reader::new(&evidence.unwrap_or_default()).count())
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (record.get(0), record.get(1), record.get(3)),
            ("zlib", "1.2.13-1.cm2", "zlib")
        );
    }
}
