//! Debian's package manager: `status`, distroless images' `status.d`, file
//! lists and copyright files (dpkg(1), deb-control(5), DEP-5).

use std::collections::{BTreeSet, HashMap};

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};

use crate::{
    Context, Ecosystem, Inventory,
    os_package::{DATABASE_LIMIT, Found, packages},
    record::{Reader, Writer},
    stanza::stanzas,
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

impl Analyser for Status {
    fn name(&self) -> &'static str {
        "dpkg-status"
    }

    fn version(&self) -> u32 {
        1
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
        1
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
        if entry.path.ends_with(".md5sums") {
            let body = lossy(&body)?;
            let files: String = body
                .lines()
                .filter_map(|line| line.split_once("  "))
                .map(|(_, path)| format!("{}\n", path.trim_start_matches("./")))
                .collect();
            return Ok(Some(files.into_bytes()));
        }
        // Nothing but the file's being there says that it is installed.
        Ok(parse_status(&lossy(&body)?, false))
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
        let body = lossy(&body)?;
        let mut files = String::with_capacity(body.len());
        for path in body.lines().map(|line| line.trim_start_matches('/')) {
            if !matches!(path, "" | ".") {
                files.push_str(path);
                files.push('\n');
            }
        }
        Ok(Some(files.into_bytes()))
    }
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
            dir: "usr/share/doc",
            name: "copyright",
        }]
    }

    fn need(&self) -> Need {
        Need::Whole(8 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let licenses = parse_copyright(&lossy(&body)?);
        Ok((!licenses.is_empty()).then(|| licenses.join("\n").into_bytes()))
    }
}

/// The packages of a `status` file, as records. With `by_state` only those
/// that are installed.
fn parse_status(body: &str, by_state: bool) -> Option<Vec<u8>> {
    let mut out = Writer::default();
    for stanza in stanzas(body) {
        let mut found = Found::default();
        let mut is_installed = !by_state;
        for (name, value) in stanza.fields() {
            match name.to_ascii_lowercase().as_str() {
                "package" => found.name = value,
                "version" => found.version = value.to_owned(),
                "architecture" => found.arch = value,
                // `want flag status`: what is there and works is `installed`;
                // `config-files` has left nothing but its settings.
                "status" => {
                    is_installed |= value.split_whitespace().next_back() == Some("installed")
                }
                "source" => match value.split_once(' ') {
                    Some((name, version)) => {
                        found.source = name;
                        found.source_version = version.trim_matches(['(', ')', ' ']);
                    }
                    None => found.source = value,
                },
                _ => {}
            }
        }
        if is_installed && !found.name.is_empty() && !found.version.is_empty() {
            if found.source.is_empty() {
                found.source = found.name;
            }
            found.write(&mut out);
        }
    }
    out.finish()
}

/// Short names of the licences in a copyright file: `License:` of the
/// machine-readable form (DEP-5), else the common licences it points to.
fn parse_copyright(body: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    let is_machine_readable = body
        .lines()
        .next()
        .is_some_and(|line| line.starts_with("Format") && line.contains("copyright"));
    if is_machine_readable {
        for stanza in stanzas(body) {
            let name = stanza.get("License").and_then(|value| value.lines().next());
            found.extend(
                name.map(str::trim)
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned),
            );
        }
    } else {
        const COMMON: &str = "/usr/share/common-licenses/";
        for piece in body.split(COMMON).skip(1) {
            let end = piece.find(|letter: char| {
                !letter.is_ascii_alphanumeric() && !matches!(letter, '-' | '.' | '+')
            });
            let name = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
            let name = name.trim_end_matches('.');
            found.extend((!name.is_empty()).then(|| name.to_owned()));
        }
    }
    found.into_iter().collect()
}

fn read(view: &View, inventory: &mut Inventory) {
    let os = inventory.os.clone();
    let mut found = Vec::new();
    found.extend(view.at("dpkg-status", STATUS));
    found.extend(
        view.of("dpkg-status-d")
            .filter(|one| !one.path.ends_with(".md5sums")),
    );
    if found.is_empty() {
        return;
    }
    let lists: HashMap<&str, &seawall_image::Evidence> = view
        .of("dpkg-list")
        .chain(view.of("dpkg-status-d"))
        .filter_map(|evidence| {
            let name = evidence.path.rsplit('/').next()?;
            let stem = name
                .strip_suffix(".list")
                .or_else(|| name.strip_suffix(".md5sums"))?;
            Some((stem, evidence))
        })
        .collect();
    let licenses: HashMap<&str, &seawall_image::Evidence> = view
        .of("dpkg-copyright")
        .filter_map(|evidence| {
            let folder = evidence.path.strip_suffix("/copyright")?;
            Some((folder.rsplit('/').next()?, evidence))
        })
        .collect();
    for evidence in found {
        for mut package in packages("deb", view, evidence, os.as_ref()) {
            // Several architectures of one package have lists of their own.
            let arch = package.arch.as_deref().unwrap_or_default();
            let list = lists
                .get(format!("{}:{arch}", package.name).as_str())
                .or_else(|| lists.get(package.name.as_str()));
            if let Some(list) = list {
                package.files = seawall_model::FileList::from_lines(text(&list.data));
            }
            if let Some(evidence) = licenses.get(package.name.as_str()) {
                package.licenses = text(&evidence.data).lines().map(str::to_owned).collect();
            }
            inventory.packages.push(package);
        }
    }
}

/// Parses a `status` file: for tests with hostile input. The number of
/// packages.
pub fn count_packages(status: &[u8]) -> usize {
    let evidence = parse_status(&String::from_utf8_lossy(status), true).unwrap_or_default();
    Reader::new(&evidence).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_installed_counts() {
        let status = "Package: a\nStatus: install ok installed\nArchitecture: amd64\n\
            Version: 1:2-3\nSource: src (2-3)\n\n\
            Package: b\nStatus: deinstall ok config-files\nVersion: 1\n\n\
            Package: c\nStatus: hold ok installed\nVersion: 1\n";
        let evidence = parse_status(status, true).unwrap();
        let records: Vec<_> = Reader::new(&evidence).collect();
        assert_eq!(records.len(), 2);
        assert_eq!((records[0].get(3), records[0].get(4)), ("src", "2-3"));
        assert_eq!((records[1].get(0), records[1].get(3)), ("c", "c"));
    }

    #[test]
    fn licences_of_both_forms() {
        let dep5 = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n\
            Files: *\nLicense: GPL-2+ and X\n text\n\nLicense: MIT\n text\n";
        assert_eq!(parse_copyright(dep5), ["GPL-2+ and X", "MIT"]);
        let free = "see /usr/share/common-licenses/GPL-2. Or `/usr/share/common-licenses/LGPL-2.1'";
        assert_eq!(parse_copyright(free), ["GPL-2", "LGPL-2.1"]);
    }
}
