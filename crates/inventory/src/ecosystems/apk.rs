//! Alpine's package manager: the `installed` database (apk-tools,
//! apk-package(5)).

use base64::{Engine, prelude::BASE64_STANDARD};
use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{GapKind, Hash, HashAlgorithm};

use crate::{
    Context, Ecosystem, Inventory,
    os_package::{DATABASE_LIMIT, Databases, Found, Gathered, count, histories},
    text::lossy,
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "apk",
    contexts: &[Context::Installed],
    analysers: &[&Installed],
    read,
};

/// `lib/apk/db/installed`, or below `usr` since Alpine merged it.
struct Installed;

const PATHS: [&str; 2] = ["usr/lib/apk/db/installed", "lib/apk/db/installed"];

impl Analyser for Installed {
    fn name(&self) -> &'static str {
        "apk"
    }

    fn version(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Path(PATHS[0]), Interest::Path(PATHS[1])]
    }

    fn need(&self) -> Need {
        Need::Whole(DATABASE_LIMIT)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(parse(&lossy(&body)?))
    }
}

/// One package per paragraph, one field of one letter per line. Files (`R:`)
/// stand behind their folder (`F:`).
fn parse(body: &str) -> Option<Vec<u8>> {
    let mut out = Gathered::default();
    let mut found = Found::default();
    let mut dir = "";
    // The last paragraph may lack its empty line.
    for line in body.lines().chain([""]) {
        let Some((field, value)) = line.split_once(':') else {
            if line.trim().is_empty() {
                finish(&found, &mut out);
                (found, dir) = (Found::default(), "");
            }
            continue;
        };
        match field {
            "P" => found.name = value,
            "V" => found.version = value,
            "A" => found.arch = value,
            "o" => found.source = value,
            "L" => found.licenses = value,
            "F" => dir = value,
            "R" => out.file(dir, value),
            "C" => found.hashes = value,
            "D" => {
                // What starts with an exclamation mark must not be there.
                for name in value.split(' ').filter(|name| !name.starts_with('!')) {
                    out.requires([bare(name)]);
                }
            }
            "p" => value.split(' ').for_each(|name| out.provides(bare(name))),
            _ => {}
        }
    }
    out.finish()
}

/// The name in `so:libc.musl-x86_64.so.1`, `busybox>=1.36`, `pkg@edge`.
fn bare(name: &str) -> &str {
    name.split(['=', '<', '>', '~', '@'])
        .next()
        .unwrap_or_default()
}

/// The digest in `Q1…`: SHA-1 in Base64, of the archive's part that describes
/// the package.
fn digest(text: &str) -> Option<String> {
    let bytes = BASE64_STANDARD.decode(text.strip_prefix("Q1")?).ok()?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Hash::new(HashAlgorithm::Sha1, &hex).map(|hash| hash.to_string())
}

fn finish(found: &Found<'_>, out: &mut Gathered) {
    let hashes = digest(found.hashes).unwrap_or_default();
    let found = &Found {
        hashes: &hashes,
        ..found.clone()
    };
    match (found.name, found.version) {
        ("", "") => {}
        ("", _) => {
            out.gap(GapKind::Damaged, "a package has no name");
            out.skip();
        }
        (name, "") => {
            out.gap(
                GapKind::Damaged,
                &format!("package `{name}` has no version"),
            );
            out.skip();
        }
        // What is built alone is its own origin.
        (name, _) if found.source.is_empty() => out.push(&Found {
            source: name,
            ..found.clone()
        }),
        _ => out.push(found),
    }
}

fn read(view: &View, inventory: &mut Inventory) {
    let histories = histories(view, "apk");
    let mut databases = Databases::new("apk", view, inventory.os.as_ref());
    // The newer place first: what it has counts.
    for states in PATHS.iter().filter_map(|path| histories.get(path)) {
        databases.read(states);
    }
    let (packages, gaps) = databases.finish();
    inventory.packages.extend(packages);
    inventory.gaps.extend(gaps);
}

/// Parses an `installed` database: for tests with hostile input. The number of
/// packages.
pub fn count_packages(installed: &[u8]) -> usize {
    count(parse(&String::from_utf8_lossy(installed)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Reader;

    #[test]
    fn files_stand_below_their_folder() {
        let body = "C:Q1x\nP:musl\nV:1.1.22-r3\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:libc.so\n\
            a:0:0:777\nF:\nR:x\n\nP:b\nV:1";
        let evidence = parse(body).unwrap();
        let records: Vec<_> = Reader::new(&evidence).collect();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].get(8), "lib/libc.so\nx\n");
        assert_eq!(
            (records[1].get(1), records[1].get(4), records[1].get(8)),
            ("b", "b", "")
        );
    }

    #[test]
    fn a_package_cut_short_is_said() {
        let evidence = parse("P:musl\nV:1\n\nP:zl").unwrap();
        let records: Vec<_> = Reader::new(&evidence).collect();
        assert_eq!(records[1].get(2), "package `zl` has no version");
    }
}
