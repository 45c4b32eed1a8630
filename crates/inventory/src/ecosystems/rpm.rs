//! rpm: its databases in the three forms of its releases, and the manifest
//! that Azure Linux leaves in images without one.

use std::collections::{BTreeMap, BTreeSet};

use std::sync::Arc;

use seawall_image::{Analyser, Body, Entry, Evidence, Interest, Need, View};
use seawall_model::{Gap, GapKind};

use crate::{
    Context, Ecosystem, Inventory,
    os_package::{Databases, Found, Gathered, count, histories, identities},
    rpm::{
        berkeley,
        header::Header,
        macros::{self, Macros},
        ndb,
        packages::{Packages, source_rpm},
        sqlite,
    },
    sqlite::EMPTY_LOG,
    text::lossy,
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "rpm",
    contexts: &[Context::Installed],
    analysers: &[&Sqlite, &Ndb, &Berkeley, &Log, &Macros, &Manifest],
    read,
};

/// `rpmdb.sqlite`.
struct Sqlite;
/// `rpmdb.sqlite-wal`: pages that are not in the database yet.
struct Log;
/// `Packages.db`, as SUSE keeps it.
struct Ndb;
/// `Packages`, as all kept it before rpm 4.16.
struct Berkeley;
/// `container-manifest-2` of distroless Azure Linux images.
struct Manifest;

/// Where distributions keep the database.
const FOLDERS: [&str; 3] = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];

/// A form of the database: its analyser, its file, and what rpm calls it. rpm
/// reads the one that it is configured for, or else the first that is there
/// (rpm's lib/backend/dbi.c, `dbDetectBackend`).
const FORMS: [(&dyn Analyser, &str, &str); 3] = [
    (&Sqlite, "rpmdb.sqlite", "sqlite"),
    (&Ndb, "Packages.db", "ndb"),
    (&Berkeley, "Packages", "bdb"),
];

/// What the name of a log ends in, after that of its database.
const LOG: &str = "-wal";

/// Bytes of a database: those of the largest installations have 300 MB.
const DATABASE_LIMIT: u64 = 1 << 30;
const MANIFEST: &str = "var/lib/rpmmanifest/container-manifest-2";

impl Analyser for Sqlite {
    fn name(&self) -> &'static str {
        "rpm-sqlite"
    }

    fn version(&self) -> u32 {
        3
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Path("var/lib/rpm/rpmdb.sqlite"),
            Interest::Path("usr/lib/sysimage/rpm/rpmdb.sqlite"),
            Interest::Path("usr/share/rpm/rpmdb.sqlite"),
        ]
    }

    fn need(&self) -> Need {
        Need::Seek(DATABASE_LIMIT)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        parse(entry, &body, sqlite::parse)
    }
}

impl Analyser for Ndb {
    fn name(&self) -> &'static str {
        "rpm-ndb"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Path("var/lib/rpm/Packages.db"),
            Interest::Path("usr/lib/sysimage/rpm/Packages.db"),
            Interest::Path("usr/share/rpm/Packages.db"),
        ]
    }

    fn need(&self) -> Need {
        Need::Seek(DATABASE_LIMIT)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        parse(entry, &body, parse_ndb)
    }
}

impl Analyser for Berkeley {
    fn name(&self) -> &'static str {
        "rpm-berkeley"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Path("var/lib/rpm/Packages"),
            Interest::Path("usr/lib/sysimage/rpm/Packages"),
            Interest::Path("usr/share/rpm/Packages"),
        ]
    }

    fn need(&self) -> Need {
        Need::Seek(DATABASE_LIMIT)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        parse(entry, &body, parse_berkeley)
    }
}

impl Analyser for Log {
    fn name(&self) -> &'static str {
        "rpm-log"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Path("var/lib/rpm/rpmdb.sqlite-wal"),
            Interest::Path("usr/lib/sysimage/rpm/rpmdb.sqlite-wal"),
            Interest::Path("usr/share/rpm/rpmdb.sqlite-wal"),
        ]
    }

    fn need(&self) -> Need {
        Need::Seek(DATABASE_LIMIT)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        if entry.size <= EMPTY_LOG {
            return Ok(None);
        }
        sqlite::parse_log(&body).map_err(|error| {
            format!("the write-ahead log of the rpm database cannot be read: {error}")
        })
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

/// What is in a database.
type Parsed<E> = Result<Option<Vec<u8>>, E>;

fn parse<E: std::fmt::Display>(
    entry: &Entry<'_>,
    body: &Body<'_>,
    parse: fn(&Body<'_>) -> Parsed<E>,
) -> Parsed<String> {
    // rpm leaves an empty file behind when it is asked in an empty root.
    if entry.size == 0 {
        return Ok(None);
    }
    parse(body).map_err(|error| format!("the rpm database cannot be read: {error}"))
}

fn parse_ndb(body: &Body<'_>) -> Parsed<ndb::OpenError> {
    let database = ndb::Database::open(body)?;
    let mut packages = Packages::default();
    let faults = database.headers(&mut |header| {
        packages.add(header);
    });
    packages.faults(&faults);
    Ok(packages.finish())
}

fn parse_berkeley(body: &Body<'_>) -> Parsed<berkeley::OpenError> {
    let database = berkeley::Database::open(body)?;
    let mut packages = Packages::default();
    let faults = database.headers(&mut |header| {
        packages.add(header);
    });
    packages.faults(&faults);
    Ok(packages.finish())
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
    let mut gaps = Vec::new();
    let joined = joined(view);
    let mut forms = FORMS;
    if let Some(configured) = macros::configured(view) {
        forms.sort_by_key(|(.., name)| configured.trim_end_matches("_ro") != *name);
    }
    let forms = forms.map(|(analyser, file, _)| {
        let mut histories = histories(view, analyser.name());
        for (path, states) in &joined {
            if let Some(history) = histories.get_mut(path.as_str()) {
                *history = states.iter().collect();
            }
        }
        (histories, file)
    });
    for folder in FOLDERS {
        let all = forms.iter().filter_map(|(histories, file)| {
            let states = histories.get(format!("{folder}/{file}").as_str())?;
            Some((states.as_slice(), states.last()?))
        });
        let all: Vec<(&[&Evidence], &&Evidence)> = all.collect();
        // One that holds nothing was left behind, or made by a mistake.
        let live = all
            .iter()
            .position(|(_, visible)| identities(visible).next().is_some());
        for (place, (states, visible)) in all.iter().enumerate() {
            match live {
                Some(live) if live != place => {
                    gaps.extend(all.get(live).and_then(|live| left_out(visible, live.1)));
                }
                _ => databases.read(states),
            }
        }
    }
    if databases.is_empty() {
        for states in histories(view, Manifest.name()).values() {
            databases.read(states);
        }
    }
    let (packages, more) = databases.finish();
    for log in view.of(Log.name()) {
        if !joined.contains_key(log.path.trim_end_matches(LOG)) {
            let reason = "the write-ahead log belongs to no rpm database that could be read";
            gaps.push(Gap::new(GapKind::Unsupported, log.path.clone(), reason));
        }
    }
    inventory.packages.extend(packages);
    inventory.gaps.extend(more);
    inventory.gaps.extend(gaps);
}

/// The states of every database with a log beside it: one for each layer that
/// changed either.
fn joined(view: &View) -> BTreeMap<String, Vec<Evidence>> {
    let states = |analyser: &'static str, path: String| {
        let all = view.hidden.iter().chain(&view.files);
        all.filter(move |one| one.analyser == analyser && one.path == path)
    };
    let mut joined = BTreeMap::new();
    for log in view.of(Log.name()) {
        let path = log.path.trim_end_matches(LOG).to_owned();
        if view.at(Sqlite.name(), &path).is_none() {
            continue;
        }
        let databases: Vec<&Evidence> = states(Sqlite.name(), path.clone()).collect();
        let logs: Vec<&Evidence> = states(Log.name(), log.path.clone()).collect();
        let layers = databases.iter().chain(&logs).map(|one| one.layer);
        let layers: BTreeSet<usize> = layers.collect();
        let at = |all: &[&Evidence], layer: usize| {
            let mut all = all.iter().copied();
            all.find(|one| one.layer <= layer && one.hidden_by.is_none_or(|by| by > layer))
                .cloned()
        };
        let states = layers.into_iter().filter_map(|layer| {
            let database = at(&databases, layer)?;
            let log = at(&logs, layer);
            let data = log.and_then(|log| sqlite::join(&database, &log));
            Some(Evidence {
                layer,
                data: data.map_or_else(|| Arc::clone(&database.data), Arc::from),
                ..database
            })
        });
        joined.insert(path, states.collect());
    }
    joined
}

/// Says which packages of a database do not count, because rpm reads another
/// one beside it. That of an older format, left behind when rpm moved to the
/// next, names few that are not in both.
fn left_out(other: &Evidence, live: &Evidence) -> Option<Gap> {
    let names = |evidence| identities(evidence).map(|(name, ..)| name);
    let live_names: BTreeSet<&str> = names(live).collect();
    let lost = names(other).filter(|name| !live_names.contains(name));
    let lost: BTreeSet<&str> = lost.collect();
    let first = lost.first()?;
    let file = live.path.rsplit('/').next().unwrap_or_default();
    let reason = format!(
        "rpm reads `{file}` beside it: {} packages that only this database names are left out, \
         `{first}` first",
        lost.len()
    );
    Some(Gap::new(GapKind::Unsupported, other.path.clone(), reason))
}

/// Parses a SQLite database of rpm: for tests with hostile input. The number
/// of packages.
///
/// # Errors
/// What is wrong with it.
pub fn count_packages(database: &[u8]) -> Result<usize, String> {
    let evidence = sqlite::parse(&Body::Bytes(database)).map_err(|error| error.to_string())?;
    Ok(count(evidence))
}

/// Joins a SQLite database of rpm with a write-ahead log: for tests with
/// hostile input. The number of packages.
///
/// # Errors
/// What is wrong with either.
pub fn count_joined(database: &[u8], log: &[u8]) -> Result<usize, String> {
    let evidence = |data: Option<Vec<u8>>| Evidence {
        path: String::new(),
        analyser: "",
        layer: 0,
        hidden_by: None,
        size: 0,
        mode: 0,
        uid: 0,
        gid: 0,
        capability: None,
        data: data.unwrap_or_default().into(),
    };
    let database = sqlite::parse(&Body::Bytes(database)).map_err(|error| error.to_string())?;
    let log = sqlite::parse_log(&Body::Bytes(log)).map_err(|error| error.to_string())?;
    Ok(count(sqlite::join(&evidence(database), &evidence(log))))
}

/// Parses an NDB database of rpm, as [`count_packages`].
///
/// # Errors
/// What is wrong with it.
pub fn count_ndb(database: &[u8]) -> Result<usize, String> {
    let evidence = parse_ndb(&Body::Bytes(database)).map_err(|error| error.to_string())?;
    Ok(count(evidence))
}

/// Parses a Berkeley DB of rpm, as [`count_packages`].
///
/// # Errors
/// What is wrong with it.
pub fn count_berkeley(database: &[u8]) -> Result<usize, String> {
    let evidence = parse_berkeley(&Body::Bytes(database)).map_err(|error| error.to_string())?;
    Ok(count(evidence))
}

/// Parses one header of rpm: for tests with hostile input. Whether it is one.
pub fn is_header(header: &[u8]) -> bool {
    if Header::parse(header).is_none() {
        return false;
    }
    let mut packages = Packages::default();
    packages.add(header);
    count(packages.finish()) == 1
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
