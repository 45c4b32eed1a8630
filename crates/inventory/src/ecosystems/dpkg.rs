//! Debian's package manager: `status`, distroless images' `status.d`, file
//! lists and copyright files (dpkg(1), deb-control(5), DEP-5).

use std::collections::{BTreeSet, HashMap};

use seawall_image::{Analyser, Body, Entry, Evidence, Interest, Need, View};
use seawall_model::{FileList, GapKind, Package};

use crate::{
    Context, Ecosystem, Inventory,
    os_package::{DATABASE_LIMIT, Databases, Found, Gathered, count, histories},
    stanza::{Stanza, stanzas},
    text::{lossy, text},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "dpkg",
    contexts: &[Context::Installed],
    analysers: &[&Status, &StatusD, &Lists, &Copyright],
    read,
};

/// `var/lib/dpkg/status`.
struct Status;
/// `var/lib/dpkg/status.d/*`: one stanza a file.
struct StatusD;
/// `var/lib/dpkg/info/*.list`.
struct Lists;
/// `usr/share/doc/*/copyright`.
struct Copyright;

const STATUS: &str = "var/lib/dpkg/status";
const STATUS_D: &str = "var/lib/dpkg/status.d";
const INFO: &str = "var/lib/dpkg/info";
const DOC: &str = "usr/share/doc";
/// Beside a stanza in `status.d`: its files.
const SUMS: &str = ".md5sums";

impl Analyser for Status {
    fn name(&self) -> &'static str {
        "dpkg-status"
    }

    fn version(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Path(STATUS)]
    }

    fn need(&self) -> Need {
        Need::Whole(DATABASE_LIMIT)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(parse_status(&lossy(&body)?, true))
    }
}

impl Analyser for StatusD {
    fn name(&self) -> &'static str {
        "dpkg-status-d"
    }

    fn version(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::In {
            dir: STATUS_D,
            suffix: "",
        }]
    }

    fn need(&self) -> Need {
        Need::Whole(16 << 20)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let body = lossy(&body)?;
        if entry.path.ends_with(SUMS) {
            let paths = body.lines().filter_map(|line| line.split_once("  "));
            return Ok(Some(file_list(paths.map(|(_, path)| path))));
        }
        // Nothing but the file's being there says that it is installed.
        Ok(parse_status(&body, false))
    }
}

impl Analyser for Lists {
    fn name(&self) -> &'static str {
        "dpkg-list"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::In {
            dir: INFO,
            suffix: ".list",
        }]
    }

    fn need(&self) -> Need {
        Need::Whole(64 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(Some(file_list(lossy(&body)?.lines())))
    }
}

/// Paths as [`FileList`] keeps them.
pub(crate) fn file_list<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut files = Vec::new();
    for path in paths {
        let path = path.trim_start_matches("./").trim_start_matches('/');
        if !matches!(path, "" | ".") {
            files.extend_from_slice(path.as_bytes());
            files.push(b'\n');
        }
    }
    files
}

impl Analyser for Copyright {
    fn name(&self) -> &'static str {
        "dpkg-copyright"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Below {
            dir: DOC,
            name: "copyright",
        }]
    }

    fn need(&self) -> Need {
        Need::Whole(8 << 20)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        if documented(entry.path).is_none() {
            return Ok(None);
        }
        let licenses = parse_copyright(&lossy(&body)?);
        Ok((!licenses.is_empty()).then(|| licenses.join("\n").into_bytes()))
    }
}

/// The package whose copyright file this is.
fn documented(path: &str) -> Option<&str> {
    let name = path
        .strip_prefix(DOC)?
        .strip_prefix('/')?
        .strip_suffix("/copyright")?;
    (!name.contains('/')).then_some(name)
}

/// The packages of a `status` file. With `by_state` only those that are there.
pub(crate) fn parse_status(body: &str, by_state: bool) -> Option<Vec<u8>> {
    let mut out = Gathered::default();
    for stanza in stanzas(body) {
        if let Err(reason) = parse_stanza(stanza, by_state, &mut out) {
            out.gap(GapKind::Damaged, &reason);
        }
    }
    out.finish()
}

fn parse_stanza(stanza: Stanza<'_>, by_state: bool, out: &mut Gathered) -> Result<(), String> {
    let mut found = Found::default();
    let mut state = (!by_state).then_some("installed");
    let mut relations = [""; 3];
    for (name, value) in stanza.fields() {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        let value = value.trim();
        if is("package") {
            found.name = value;
        } else if is("version") {
            found.version = value;
        } else if is("architecture") {
            found.arch = value;
        } else if is("status") {
            // `want flag status`.
            state = value.split_whitespace().next_back();
        } else if is("source") {
            match value.split_once(' ') {
                Some((name, version)) => {
                    found.source = name;
                    found.source_version = version.trim_matches(['(', ')', ' ']);
                }
                None => found.source = value,
            }
        } else if let Some(index) = RELATIONS.iter().position(|field| is(field))
            && let Some(slot) = relations.get_mut(index)
        {
            *slot = value;
        }
    }
    let name = found.name;
    if name.is_empty() {
        return Err("a package has no name".to_owned());
    }
    match state.ok_or_else(|| format!("package `{name}` has no status"))? {
        // What is unpacked can be run, whether or not its settings are made:
        // all of these have the files of the version that they name.
        "installed" | "unpacked" | "half-configured" | "triggers-awaited" | "triggers-pending" => {}
        "half-installed" => {
            return Err(format!(
                "package `{name}` was left half-installed: its version is unknown"
            ));
        }
        // Nothing, or nothing but its settings, is left.
        "not-installed" | "config-files" => return Ok(()),
        other => return Err(format!("package `{name}` has the unknown status `{other}`")),
    }
    if found.version.is_empty() {
        return Err(format!("package `{name}` has no version"));
    }
    if found.source.is_empty() {
        found.source = name;
    }
    let [pre_depends, depends, provides] = relations;
    for clause in pre_depends.split(',').chain(depends.split(',')) {
        out.requires(clause.split('|').map(bare));
    }
    provides
        .split(',')
        .for_each(|name| out.provides(bare(name)));
    out.push(&found);
    Ok(())
}

/// Fields that name packages (deb-control(5)).
const RELATIONS: [&str; 3] = ["pre-depends", "depends", "provides"];

/// The name in `python3:any (>= 3.11) [amd64]`.
fn bare(relation: &str) -> &str {
    let relation = relation.trim_start();
    let end = relation.find([' ', '(', ':', '[', '<', '\t', '\n']);
    relation
        .get(..end.unwrap_or(relation.len()))
        .unwrap_or_default()
}

/// Licences of one copyright file, and bytes of one name: what is beyond is
/// prose.
const MOST_LICENSES: usize = 256;
const MOST_LICENSE: usize = 256;

/// Short names of the licences in a copyright file: `License:` of the
/// machine-readable form (DEP-5), else the common licences it points to.
fn parse_copyright(body: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    let first = body
        .trim_start_matches('\u{FEFF}')
        .trim_start()
        .lines()
        .next();
    // Drafts of DEP-5 called the field `Format-Specification`.
    let is_machine_readable =
        first
            .and_then(|line| line.split_once(':'))
            .is_some_and(|(name, _)| {
                ["format", "format-specification"].contains(&name.to_ascii_lowercase().as_str())
            });
    if is_machine_readable {
        for stanza in stanzas(body) {
            let name = stanza.get("License").and_then(|value| value.lines().next());
            insert(&mut found, name.unwrap_or_default().trim());
        }
    }
    if found.is_empty() {
        const COMMON: &str = "/usr/share/common-licenses/";
        for piece in body.split(COMMON).skip(1) {
            let end = piece.find(|letter: char| {
                !letter.is_ascii_alphanumeric() && !matches!(letter, '-' | '.' | '+')
            });
            let name = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
            insert(&mut found, name.trim_end_matches(['.', '-']));
        }
    }
    found.into_iter().collect()
}

fn insert(found: &mut BTreeSet<String>, name: &str) {
    if !name.is_empty() && name.len() <= MOST_LICENSE && found.len() < MOST_LICENSES {
        found.insert(name.to_owned());
    }
}

fn read(view: &View, inventory: &mut Inventory) {
    let status = histories(view, "dpkg-status");
    let status_d = histories(view, "dpkg-status-d");
    let mut databases = Databases::new("deb", view, inventory.os.as_ref());
    for states in status.values() {
        databases.read(states);
    }
    for (path, states) in &status_d {
        if !path.ends_with(SUMS) {
            databases.read(states);
        }
    }
    let (mut packages, gaps) = databases.finish();
    inventory.gaps.extend(gaps);
    if packages.is_empty() {
        return;
    }
    let lists = Files::new(view);
    let licenses: HashMap<&str, &Evidence> = view
        .of("dpkg-copyright")
        .filter_map(|evidence| Some((documented(&evidence.path)?, evidence)))
        .collect();
    let mut of_source: HashMap<(String, String), &Evidence> = HashMap::new();
    for package in &mut packages {
        if let Some(files) = lists.of(package) {
            package.files = files;
        }
        if let Some(evidence) = licenses.get(package.name.as_str()) {
            package.licenses = text(&evidence.data).lines().map(str::to_owned).collect();
            if let Some(source) = &package.source {
                let key = (source.name.clone(), source.version.clone());
                of_source.entry(key).or_insert(evidence);
            }
        }
    }
    // Many a package's folder is a link to that of another package built from
    // the same source, which the layer's stream does not follow.
    for package in packages
        .iter_mut()
        .filter(|package| package.licenses.is_empty())
    {
        let source = package.source.as_ref();
        let key = source.map(|source| (source.name.clone(), source.version.clone()));
        if let Some(evidence) = key.and_then(|key| of_source.get(&key)) {
            package.licenses = text(&evidence.data).lines().map(str::to_owned).collect();
        }
    }
    inventory.packages.extend(packages);
}

/// File lists by the name that they bear.
struct Files<'a> {
    /// By `name` or, where several architectures are there, `name:arch`.
    info: HashMap<&'a str, &'a Evidence>,
    /// By the path of the stanza beside them, whose name is not always the
    /// package's.
    status_d: HashMap<&'a str, &'a Evidence>,
}

impl<'a> Files<'a> {
    fn new(view: &'a View) -> Self {
        let info = view.of("dpkg-list").filter_map(|evidence| {
            let name = evidence.path.rsplit('/').next()?;
            Some((name.strip_suffix(".list")?, evidence))
        });
        let status_d = view
            .of("dpkg-status-d")
            .filter_map(|evidence| Some((evidence.path.strip_suffix(SUMS)?, evidence)));
        Files {
            info: info.collect(),
            status_d: status_d.collect(),
        }
    }

    fn of(&self, package: &Package) -> Option<FileList> {
        let arch = package.arch.as_deref().unwrap_or_default();
        let list = self
            .status_d
            .get(package.origin.path.as_str())
            .or_else(|| self.info.get(format!("{}:{arch}", package.name).as_str()))
            .or_else(|| self.info.get(package.name.as_str()))?;
        Some(FileList::from_lines(text(&list.data)))
    }
}

/// Parses a `status` file: for tests with hostile input. The number of
/// packages.
pub fn count_packages(status: &[u8]) -> usize {
    count(parse_status(&String::from_utf8_lossy(status), true))
}

/// Parses a copyright file: for tests with hostile input. The number of
/// licences.
pub fn count_licenses(copyright: &[u8]) -> usize {
    parse_copyright(&String::from_utf8_lossy(copyright)).len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Reader;

    #[test]
    fn what_has_its_files_there_counts() {
        let status = "Package: a\nStatus: install ok installed\nArchitecture: amd64\n\
            Version: 1:2-3\nSource: src (2-3)\n\n\
            Package: b\nStatus: deinstall ok config-files\nVersion: 1\n\n\
            Package: c\nStatus: hold ok installed\nVersion: 1\n\n\
            Package: d\nStatus: install ok unpacked\nVersion: 1\n\n\
            Package: e\nStatus: install ok not-installed\n\n\
            Package: f\nStatus: install reinstreq half-installed\nVersion: 1\n\n\
            Package: g\nVersion: 1\n\n\
            Package: h\nStatus: install ok installed\n";
        let evidence = parse_status(status, true).unwrap();
        let records: Vec<_> = Reader::new(&evidence).collect();
        let of =
            |kind: &str| -> Vec<_> { records.iter().filter(|one| one.get(0) == kind).collect() };
        let names: Vec<_> = of("p").iter().map(|one| one.get(1)).collect();
        assert_eq!(names, ["a", "c", "d"]);
        assert_eq!((records[0].get(4), records[0].get(5)), ("src", "2-3"));
        assert_eq!(records[1].get(4), "c");
        let gaps: Vec<_> = of("g").iter().map(|one| one.get(2)).collect();
        assert_eq!(
            gaps,
            [
                "package `f` was left half-installed: its version is unknown",
                "package `g` has no status",
                "package `h` has no version",
            ]
        );
    }

    #[test]
    fn licences_of_both_forms() {
        let dep5 = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n\
            Files: *\nLicense: GPL-2+ and X\n text\n\nLicense: MIT\n text\n";
        assert_eq!(parse_copyright(dep5), ["GPL-2+ and X", "MIT"]);
        let free = "see /usr/share/common-licenses/GPL-2. Or `/usr/share/common-licenses/LGPL-2.1'";
        assert_eq!(parse_copyright(free), ["GPL-2", "LGPL-2.1"]);
    }

    #[test]
    fn a_copyright_file_belongs_to_the_package_whose_folder_it_is_in() {
        assert_eq!(documented("usr/share/doc/zlib1g/copyright"), Some("zlib1g"));
        assert_eq!(documented("usr/share/doc/a/examples/copyright"), None);
    }
}
